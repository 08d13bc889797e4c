import { parentPort, workerData } from 'node:worker_threads'
import highsModule from 'highs'
import { lpText, meritPlan, wholeWatts, type OptimalInput, type OptimalPlan } from '#core/dispatch/optimal-model.js'

/** What the worker says: the merit answer first, so that it is there if the solver is not, then the solver's. */
export type WorkerWord =
  | { readonly kind: 'merit'; readonly plan: PackedPlan }
  | { readonly kind: 'optimal'; readonly plan: PackedPlan }
  | { readonly kind: 'failed'; readonly status: string }

/** A plan as one buffer, handed over instead of copied: 160,000 numbers must not stall the main thread (CORE-085). */
export interface PackedPlan {
  readonly ids: readonly string[]
  readonly power_W: Float64Array
  readonly shortfall_W: readonly number[]
}

/** The package's types describe its CommonJS form; what `import` gives is the loader itself. */
const highsLoader = highsModule as unknown as typeof highsModule.default

/** The thread of `optimal.ts`: HiGHS is synchronous, so it lives where blocking hurts nobody (CORE-065). */
async function main(): Promise<void> {
  const { input, seconds } = workerData as { input: OptimalInput; seconds: number }
  const say = (word: WorkerWord): void => parentPort?.postMessage(word, 'plan' in word ? [word.plan.power_W.buffer as ArrayBuffer] : [])
  say({ kind: 'merit', plan: pack(meritPlan(input)) })
  const highs = await highsLoader()
  const solution = highs.solve(lpText(input), { time_limit: seconds, output_flag: false, threads: 1 })
  if (solution.Status !== 'Optimal') return say({ kind: 'failed', status: solution.Status })
  const columns = solution.Columns as Readonly<Record<string, { Primal?: number }>>
  say({ kind: 'optimal', plan: pack(wholeWatts(input, (i, t) => columns[`x${i}_${t}`]?.Primal ?? 0)) })
}

const pack = (plan: OptimalPlan): PackedPlan => ({ ids: plan.ids, power_W: Float64Array.from(plan.power_W.flat()), shortfall_W: plan.shortfall_W })

if (parentPort) await main()
