import type { RateUnit } from '#csms/wire/charging-profile.js'

/** What stands between watts and amperes at a charging point (OCPP-230). */
export interface Electrical {
  /** Nominal line-to-neutral voltage. */
  readonly voltage: number
  /** Phases of the EV if known, else those the profile names. */
  readonly phases: number
  readonly current: 'AC' | 'DC'
}

/** IEC 61851-1: an AC car draws 6 A for each phase or nothing. */
export const leastAmperes = 6

/** W → A for each phase, one decimal, never rounded up (CORE-098, OCPP-230). */
export const amperes = (W: number, { voltage, phases }: Electrical): number => Math.floor((10 * W) / (voltage * phases) + 1e-9) / 10

/** A for each phase → W of all phases. */
export const wattsOf = (A: number, { voltage, phases }: Electrical): number => Math.round(A * voltage * phases)

/**
 * A ceiling in watts as the `limit` of a period: whole watts, or tenths of an ampere. Below 6 A an AC car cannot follow: 0
 * pauses it; with `minRate` (the program allows it, or the station cannot pause) it gets 6 A (OCPP-231). Never negative (OCPP-240).
 * Interpretation: in watts the ceiling itself is sent, as the station knows better than we on how many phases 6 A are.
 */
export function limitOf(ceiling_W: number, unit: RateUnit, electrical: Electrical, minRate = false): number {
  const W = Math.max(0, Math.floor(ceiling_W))
  if (unit === 'W') return minRate && electrical.current === 'AC' ? Math.max(W, wattsOf(leastAmperes, electrical)) : W
  const A = amperes(W, electrical)
  if (electrical.current === 'DC' || A >= leastAmperes) return A
  return minRate ? leastAmperes : 0
}
