import { parentPort, workerData } from 'node:worker_threads'
import highsModule from 'highs'
import { lpText, meritPlan, wholeWatts, type OptimalInput, type OptimalPlan } from '#core/dispatch/optimal-model.js'

/** What the worker says: the merit answer first, so that it is there if the solver is not, then the solver's. */
export type WorkerWord =
  | { readonly kind: 'merit'; readonly plan: OptimalPlan }
  | { readonly kind: 'optimal'; readonly plan: OptimalPlan; readonly objective: number }
  | { readonly kind: 'failed'; readonly status: string }

/** The package's types describe its CommonJS form; what `import` gives is the loader itself. */
const highsLoader = highsModule as unknown as typeof highsModule.default

/** The thread of `optimal.ts`: HiGHS is synchronous, so it lives where blocking hurts nobody (CORE-065). */
async function main(): Promise<void> {
  const { input, seconds } = workerData as { input: OptimalInput; seconds: number }
  const say = (word: WorkerWord): void => parentPort?.postMessage(word)
  say({ kind: 'merit', plan: meritPlan(input) })
  const highs = await highsLoader()
  const solution = highs.solve(lpText(input), { time_limit: seconds, output_flag: false, threads: 1 })
  if (solution.Status !== 'Optimal') return say({ kind: 'failed', status: solution.Status })
  const columns = solution.Columns as Readonly<Record<string, { Primal?: number }>>
  say({ kind: 'optimal', plan: wholeWatts(input, (i, t) => columns[`x${i}_${t}`]?.Primal ?? 0), objective: solution.ObjectiveValue })
}

if (parentPort) await main()
