import { parentPort, workerData } from 'node:worker_threads'
import highsModule from 'highs'

/** The solver's word on a program in CPLEX text. */
export interface Solution {
  readonly status: string
  readonly values: Readonly<Record<string, number>>
}

const highsLoader = highsModule as unknown as typeof highsModule.default

/** HiGHS is synchronous, so it lives where blocking hurts nobody (CORE-065). */
async function main(): Promise<void> {
  const { text, seconds } = workerData as { text: string; seconds: number }, highs = await highsLoader()
  const { Status, Columns } = highs.solve(text, { time_limit: seconds, output_flag: false, threads: 1, mip_rel_gap: 1e-6 })
  const values = Object.fromEntries(Object.entries(Columns as Readonly<Record<string, { Primal?: number }>>).map(([name, c]) => [name, c.Primal ?? 0]))
  parentPort?.postMessage({ status: Status, values } satisfies Solution, [])
}

if (parentPort) await main()
