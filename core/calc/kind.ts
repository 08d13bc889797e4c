import type { Reader } from '#core/calc/read.js'

/** What a calculation gives: `result` in the shape of the vectors' `expected`, and what a dispute reads (CORE-010). */
export interface Outcome {
  readonly result: unknown
  readonly trace: unknown
}

/** One kind of `loadstone calc`: its name, a phrase on what it reads, and the calculation. */
export interface Kind {
  readonly kind: string
  readonly reads: string
  readonly run: (input: Reader) => Outcome
}

/** Data too thin for a number is a result (exit 0), not an error. */
export const insufficient = (reasons: readonly string[], more: Readonly<Record<string, unknown>> = {}, trace: unknown = {}): Outcome =>
  ({ result: { status: 'INSUFFICIENT_DATA', ...more, reasons }, trace })

/** NaN and -0 have no JSON form of their own. */
export const shown = (value: number): number | null => (Number.isNaN(value) ? null : value + 0)
