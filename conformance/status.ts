import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Procedure, Verdict } from '#conformance/procedure.js'

/** What the runner says about Loadstone itself, for the README: one row for each subject and profile, from the kept verdicts. */
export function statusTable(procedures: Readonly<Record<string, readonly Procedure[]>>, results: Readonly<Record<string, Verdict>>): string {
  const rows = Object.entries(procedures).flatMap(([subject, all]) => [...new Set(all.flatMap((p) => p.profiles))].toSorted().map((profile) => {
    const verdicts = all.filter((p) => p.profiles.includes(profile)).map((p) => results[p.id] ?? 'NOT RUN')
    const count = (of: string): number => verdicts.filter((v) => v === of).length
    const others = [...new Set(verdicts)].filter((v) => v !== 'PASSED' && v !== 'FAILED').toSorted().map((v) => `${count(v)} ${v.toLowerCase()}`)
    return `| \`${subject}\` | ${profile} | ${verdicts.length} | ${count('PASSED')} | ${count('FAILED')} | ${others.join(', ')} |`
  }))
  return ['| subject | profile | procedures | passed | failed | others |', '|---|---|---|---|---|---|', ...rows].join('\n')
}

const begin = '<!-- conformance status: written by conformance/matrix-write.js -->', end = '<!-- end of conformance status -->'

/** The README with its status replaced; throws when the marks are gone. */
export function withStatus(readme: string, table: string): string {
  const from = readme.indexOf(begin), to = readme.indexOf(end)
  if (from < 0 || to < from) throw new Error('README.md has lost the marks of its conformance status')
  return `${readme.slice(0, from + begin.length)}\n${table}\n${readme.slice(to)}`
}

export const readmeOf = (root: string): string => readFileSync(join(root, 'README.md'), 'utf8')
