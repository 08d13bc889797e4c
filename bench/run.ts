import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { broken } from '#bench/budget.js'
import type { Bench, Figure } from '#bench/figure.js'
import { sizeBenches, sizesTable, withSizes } from '#bench/sizes.js'
import { packageRoot } from '#core/package-root.js'

const notBenches = new Set(['run', 'figure', 'budget', 'store', 'sizes', 'slope', 'soak', 'vtn-bare'])

/**
 * `--sizes [--from FILE] [--note TEXT]`: the table of deploy/README.md from figures measured now, or from lines that an earlier run printed
 * (UX-078); the note says what else the machine did.
 */
async function writeSizes(flags: readonly string[]): Promise<number> {
  const after = (flag: string): string | undefined => (flags.includes(flag) ? flags[flags.indexOf(flag) + 1] : undefined), from = after('--from'), note = after('--note')
  const page = join(packageRoot(), 'deploy', 'README.md'), figures: Figure[] = []
  const code = from === undefined ? await runAll(sizeBenches, (figure) => figures.push(figure)) : 0
  if (from !== undefined) figures.push(...readFileSync(from, 'utf8').split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Figure))
  const machine = `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GB, the load generator on the same cores.${note === undefined ? '' : ` ${note}`}`
  const { table, missing } = sizesTable(figures, machine)
  writeFileSync(page, withSizes(readFileSync(page, 'utf8'), table))
  if (missing.length > 0) process.stderr.write(`not measured: ${missing.join(', ')}\n`)
  return missing.length > 0 ? 1 : code
}

/** Runs the named benchmarks (file names, all when none) and prints each figure; resolves to the exit code: 3 when a budget is broken. */
export async function runBench(names: readonly string[]): Promise<number> {
  if (names[0] === '--sizes') return writeSizes(names.slice(1))
  return runAll(names, () => {})
}

async function runAll(names: readonly string[], also: (figure: Figure) => void): Promise<number> {
  const folder = dirname(fileURLToPath(import.meta.url))
  const all = readdirSync(folder).filter((f) => /\.(js|ts)$/.test(f) && !/\.(test|d)\.|\.map$/.test(f)).map((f) => f.replace(/\.(js|ts)$/, ''))
    .filter((f) => !notBenches.has(f)).toSorted()
  const unknown = names.filter((n) => !all.includes(n))
  if (unknown.length) {
    process.stderr.write(`There is no benchmark '${unknown.join(', ')}'; there are: ${all.join(', ')}\n`)
    return 2
  }
  let worst = 0
  const emit = (figure: Figure): void => {
    process.stdout.write(`${JSON.stringify(figure)}\n`)
    also(figure)
    const why = broken(figure)
    if (why === undefined) return
    worst = 3
    process.stderr.write(`budget broken: ${figure.name}: ${why} ${figure.unit}\n`)
  }
  for (const name of names.length ? names : all) {
    const module = await import(pathToFileURL(join(folder, `${name}${fileURLToPath(import.meta.url).slice(-3)}`)).href) as { default?: Bench }
    if (module.default) await module.default(emit)
  }
  return worst
}
