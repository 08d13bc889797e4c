/** A value × 10^multiplier pair of the standard. */
export interface Scaled {
  readonly multiplier: number
  readonly value: number
}

export type Rounding = 'towardsZero' | 'halfUp'

/**
 * SEP-030, CORE-095: the smallest multiplier (≥ 0, for whole watts) at which the value fits Int16. Limits truncate towards
 * zero so that they are never exceeded, others round half up; `exact` says whether anything was lost, for the log.
 */
export function scaledInt16(watts: number, rounding: Rounding): Scaled & { readonly exact: boolean } {
  for (let multiplier = 0; multiplier <= 9; multiplier++) {
    const raw = watts / 10 ** multiplier
    const value = rounding === 'towardsZero' ? Math.trunc(raw) : Math.floor(raw + 0.5)
    if (value >= -32_768 && value <= 32_767) return { multiplier, value: value === 0 ? 0 : value, exact: value * 10 ** multiplier === watts }
  }
  throw new RangeError('power beyond what the standard can say')
}

export const wattsOf = (scaled: Scaled): number => scaled.value * 10 ** scaled.multiplier
