import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import type { Verdict } from '#conformance/procedure.js'

/** One run of a set that is to be the same each time: what it was of, in which order, and every verdict. */
export interface FlipRun {
  readonly set: string
  /** SHA-256 of the procedures as data: runs of other procedures say nothing about these. */
  readonly procedures: string
  readonly seed: number
  readonly seconds: number
  readonly verdicts: Readonly<Record<string, readonly [verdict: Verdict, detail: string]>>
}

/** Verdicts that are not those of the first run, each in a sentence (UX-038). */
export function flipsOf(runs: readonly FlipRun[]): string[] {
  const first = new Map<string, Verdict>()
  return runs.flatMap(({ seed, verdicts }) => Object.entries(verdicts).flatMap(([id, [verdict, detail]]) => {
    const before = first.get(id)
    if (before === undefined) first.set(id, verdict)
    return before === undefined || before === verdict ? [] : [`${id}: ${before}, then ${verdict} with seed ${seed}: ${detail}`]
  }))
}

/** Runs of this set that an earlier call left in the log; a line cut off by a kill is passed over. */
export function keptRuns(file: string, set: string, procedures: string): FlipRun[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n').filter((line) => line.endsWith('}'))
  return lines.map((line) => JSON.parse(line) as FlipRun).filter((run) => run.set === set && run.procedures === procedures)
}

export const keepRun = (file: string, run: FlipRun): void => { appendFileSync(file, `${JSON.stringify(run)}\n`) }
