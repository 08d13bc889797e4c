import { mean } from '#core/baseline/eligibility.js'

export interface MeterBeforeAfter {
  readonly flat: number
  /** Straight line from the mean before to the mean after, at interval mid-points; null without intervals after. */
  readonly interpolated: readonly number[] | null
}

/** CORE-152: flat = mean of the n intervals just before the instruction. undefined: nothing was measured before. */
export function meterBeforeAfter(before: readonly number[], after: readonly number[], intervals: number): MeterBeforeAfter | undefined {
  if (before.length === 0 || before.some(Number.isNaN)) return undefined
  const flat = mean(before)
  if (after.length === 0 || after.some(Number.isNaN)) return { flat, interpolated: null }
  const end = mean(after)
  return { flat, interpolated: Array.from({ length: intervals }, (_, i) => flat + (end - flat) * ((i + 0.5) / intervals)) }
}
