import type { BaselineResult } from '#core/baseline/baseline.js'
import { dayNumber } from '#core/baseline/calendar.js'
import type { Plan } from '#core/baseline/plan.js'
import type { Series } from '#core/baseline/series.js'

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

const meanOf = (v: readonly number[]): number => (v.length === 0 ? 0 : v.reduce((a, b) => a + b, 0) / v.length)

/** The same from a point's readings and its baseline: what stood in the adjustment window, and how the days that were used stand beside the like days that were not. */
export function gamingOf(plan: Plan, base: BaselineResult, series: Series, more: { readonly paid: boolean; readonly seasonFlags?: readonly (readonly string[])[] }): GamingFlag[] {
  const load = (day: number): number[] => plan.windowMinutes.map((m) => series.at(plan.calendar.instants(day, m)[0] ?? NaN)).filter((kW) => !Number.isNaN(kW))
  const kept = base.trace.considered.filter((d) => d.verdict === 'kept'), rest = base.trace.considered.filter((d) => d.reason === 'NOT_PICKED' || d.reason === 'OLDER_THAN_NEEDED')
  return gamingFlags({
    windowActual_kW: meanOf(load(plan.eventDay)), windowMean10_kW: meanOf(base.days.slice(-10).map((d) => meanOf(load(dayNumber(d))))), paid: more.paid, seasonFlags: more.seasonFlags ?? [],
    rankingDays_kW: kept.flatMap((d) => d.mean_kW ?? []), otherDays_kW: rest.flatMap((d) => d.mean_kW ?? []),
  })
}
