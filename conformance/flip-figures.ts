import { flipsOf, type FlipRun } from '#conformance/flip-log.js'
import type { Verdict } from '#conformance/procedure.js'

/** What is kept of a set's runs: how many, of which procedures, how they went, and every flip in a sentence. */
export interface FlipFigure {
  readonly runs: number
  readonly procedures: number
  /** Of the first run; without flips that of each. */
  readonly verdicts: Partial<Record<Verdict, number>>
  readonly seconds: { readonly least: number; readonly most: number; readonly sum: number }
  readonly flips: readonly string[]
  /** SHA-256 of the procedures as data. */
  readonly digest: string
}

export function figureOf(digest: string, runs: readonly FlipRun[]): FlipFigure {
  const seconds = runs.map((run) => run.seconds), first = Object.values(runs[0]?.verdicts ?? {})
  const verdicts: Partial<Record<Verdict, number>> = {}
  for (const [verdict] of first) verdicts[verdict] = (verdicts[verdict] ?? 0) + 1
  return { runs: runs.length, procedures: first.length, verdicts, seconds: { least: Math.min(...seconds), most: Math.max(...seconds), sum: seconds.reduce((a, b) => a + b, 0) }, flips: flipsOf(runs), digest }
}

/** Which figure is kept: that of today's procedures; of two of the same the one of more runs, as a clone without the log begins again, and a flip always. */
export const better = (kept: FlipFigure | undefined, fresh: FlipFigure): FlipFigure => (kept && kept.digest === fresh.digest && kept.runs > fresh.runs && fresh.flips.length === 0 ? kept : fresh)

/** A line for each set, for the file that is kept: a later call replaces the sets it knows and leaves the others. */
export const figuresText = (figures: Readonly<Record<string, FlipFigure>>): string =>
  `{\n${Object.entries(figures).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, figure]) => `  ${JSON.stringify(name)}: ${JSON.stringify(figure)}`).join(',\n')}\n}\n`
