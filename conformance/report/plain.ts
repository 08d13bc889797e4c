import type { Report, Result, Verdict } from '#conformance/procedure.js'

const order: readonly Verdict[] = ['PASSED', 'FAILED', 'ERROR', 'WARNING', 'PARTIAL', 'NOT APPLICABLE']
const sums = (report: Report): string => order.filter((v) => report.summary[v] > 0).map((v) => `${report.summary[v]} ${v}`).join(', ')
const troubled = (r: Pick<Result, 'verdict'>): boolean => r.verdict === 'FAILED' || r.verdict === 'ERROR'

const cut = (value: unknown, length: number): string => { const text = JSON.stringify(value) ?? ''; return text.length > length ? `${text.slice(0, length)} … (${text.length})` : text }
/** The exchange at which a procedure ended, so that a log alone tells what came (UX-035). */
export const lastExchange = (r: Result, length: number): string => {
  const last = troubled(r) ? r.exchanges.filter((e) => !e.after).at(-1) : undefined
  return last ? `${last.step}\n→ ${cut(last.sent, length)}\n← ${cut(last.got, length)}` : ''
}

/** The terminal's form: trouble first seen as it ran, then the sums. */
export function terminal(report: Report): string {
  const rows = report.results.map((r) => `${r.verdict.padEnd(14)} ${r.id.padEnd(16)} ${r.title}${r.verdict === 'PASSED' ? '' : `\n               ${r.detail}\n               (${r.clause})`}${lastExchange(r, 400).replace(/^(?=.)/gm, '               ').replace(/^(?=.)/, '\n')}`)
  return `${rows.join('\n')}\n\n${report.subject} ${report.profile} at ${report.target}, seed ${report.seed}: ${sums(report)}\n`
}

/** TAP version 13. */
export function tap(report: Report): string {
  const rows = report.results.map((r, i) => {
    const name = `${r.id} ${r.title}`.replace(/#/g, '＃')
    if (r.verdict === 'NOT APPLICABLE') return `ok ${i + 1} - ${name} # SKIP ${r.detail.replace(/\n/g, ' ')}`
    return troubled(r) ? `not ok ${i + 1} - ${name}\n  ---\n  verdict: ${r.verdict}\n  detail: ${JSON.stringify(r.detail)}\n  clause: ${JSON.stringify(r.clause)}\n  ...` : `ok ${i + 1} - ${name}`
  })
  return `TAP version 13\n1..${report.results.length}\n${rows.join('\n')}\n`
}

const property = (s: string): string => s.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A')

/** GitHub annotations: one `::error` for each failure, one `::warning` for each warning. */
export const annotations = (report: Report): string => report.results
  .filter((r) => troubled(r) || r.verdict === 'WARNING')
  .map((r) => `::${troubled(r) ? 'error' : 'warning'} title=${property(`${r.id} ${r.verdict}`).replace(/,/g, '%2C').replace(/:/g, '%3A')}::${property(`${r.title}: ${r.detail} (${r.clause})`)}\n`).join('')

/** A Markdown summary for a step summary or a merge request. */
export function markdown(report: Report): string {
  const cell = (s: string): string => s.replace(/\|/g, '\\|').replace(/\n/g, ' ')
  const rows = report.results.filter((r) => r.verdict !== 'PASSED').map((r) => `| ${r.verdict} | ${r.id} | ${cell(r.title)} | ${cell(r.detail)} | ${cell(r.clause)} |`)
  return `## Conformance: ${report.subject} ${report.profile}\n\n${sums(report)}; target \`${report.target}\`, seed ${report.seed}.\n${rows.length ? `\n| verdict | id | what | detail | clause |\n|---|---|---|---|---|\n${rows.join('\n')}\n` : ''}`
}

/** The form of `--json`: `{target,profile,seed,summary,results:[{id,clause,verdict,detail}]}` and a little more; what was not as expected brings its exchanges, which `--evidence` has of all. */
export const json = (report: Report): object => ({
  target: report.target, subject: report.subject, profile: report.profile, seed: report.seed, startedAt: report.startedAt, summary: report.summary,
  results: report.results.map(({ id, title, clause, requirements, verdict, detail, elapsed_ms, flaky, exchanges }) => ({
    id, title, clause, requirements, verdict, detail, elapsed_ms, ...(flaky ? { flaky } : {}), ...(troubled({ verdict }) || verdict === 'WARNING' ? { exchanges: exchanges.filter((e) => !e.after) } : {}),
  })),
})
