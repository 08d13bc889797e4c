import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { broken } from '#bench/budget.js'
import type { Bench, Figure } from '#bench/figure.js'

const notBenches = new Set(['run', 'figure', 'budget', 'store', 'slope', 'soak', 'vtn-bare'])

/** Runs the named benchmarks (file names, all when none) and prints each figure; resolves to the exit code: 3 when a budget is broken. */
export async function runBench(names: readonly string[]): Promise<number> {
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
