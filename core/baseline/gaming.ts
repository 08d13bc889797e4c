export type GamingFlag =
  | { readonly flag: 'HIGH_ADJUSTMENT_WINDOW'; readonly ratio: number }
  | { readonly flag: 'REPEATED_CAP'; readonly capped: number; readonly events: number }
  | { readonly flag: 'LOAD_MOVED_INTO_RANKING_DAYS'; readonly ratio: number }

/**
 * CORE-168. Flags inform, a human decides: load in the adjustment window above 1.5 × its 10-day mean while the cut is paid;
 * an adjustment that hits its cap again and again; ranking days that stand out from the other days.
 * Interpretation (CORE-168 gives one figure): repeated = at least 3 events and half of them; moved load = ranking days'
 * event-window mean above 1.5 × that of the other like days.
 */
export function gamingFlags(input: {
  readonly windowActual_kW: number
  readonly windowMean10_kW: number
  readonly paid: boolean
  /** Flags of this point's baselines of the season. */
  readonly seasonFlags: readonly (readonly string[])[]
  readonly rankingDays_kW: readonly number[]
  readonly otherDays_kW: readonly number[]
}): GamingFlag[] {
  const out: GamingFlag[] = []
  if (input.paid && input.windowMean10_kW > 0 && input.windowActual_kW > 1.5 * input.windowMean10_kW) {
    out.push({ flag: 'HIGH_ADJUSTMENT_WINDOW', ratio: input.windowActual_kW / input.windowMean10_kW })
  }
  const events = input.seasonFlags.length, capped = input.seasonFlags.filter((f) => f.includes('ADJ_CAPPED')).length
  if (capped >= 3 && capped * 2 >= events) out.push({ flag: 'REPEATED_CAP', capped, events })
  const mean = (v: readonly number[]): number => v.reduce((a, b) => a + b, 0) / v.length
  if (input.rankingDays_kW.length > 0 && input.otherDays_kW.length > 0 && mean(input.otherDays_kW) > 0) {
    const ratio = mean(input.rankingDays_kW) / mean(input.otherDays_kW)
    if (ratio > 1.5) out.push({ flag: 'LOAD_MOVED_INTO_RANKING_DAYS', ratio })
  }
  return out
}
