import { mean, slotLoad } from '#core/baseline/eligibility.js'
import { windowMinutes, type Plan } from '#core/baseline/plan.js'
import type { Series } from '#core/baseline/series.js'
import type { Adjustment } from '#core/baseline/method.js'
import { overlaps, type Interval } from '#core/quantity/interval.js'

export type AdjustmentFlag = 'ADJ_CAPPED' | 'ADJ_UNDEFINED' | 'ADJ_NO_ACTUAL' | 'ADJ_PARTIAL_WINDOW' | 'ADJ_WINDOW_SHIFTED' | 'ADJ_WINDOW_UNUSABLE'

export interface Adjusted {
  /** The ratio or the kW added; null when the method has no same-day adjustment. */
  readonly value: number | null
  /** What the ratio or offset was before a cap fired. */
  readonly uncapped?: number
  readonly flags: readonly AdjustmentFlag[]
  readonly windows: readonly number[]
}

const neutral = (kind: Adjustment['kind']): number => (kind === 'multiplicative' ? 1 : 0)

/** CORE-132 on the two means: actual and baseline over the adjustment windows. */
export function adjustmentValue(rule: Exclude<Adjustment, { kind: 'none' }>, actual: number, base: number): { value: number; uncapped: number; flags: AdjustmentFlag[] } {
  if (rule.kind === 'multiplicative' && base <= 1e-9) return { value: 1, uncapped: 1, flags: ['ADJ_UNDEFINED'] }
  const raw = rule.kind === 'multiplicative' ? actual / base : actual - base
  const signed = rule.kind === 'additive' && rule.positiveOnly ? Math.max(raw, 0) : raw
  const value = Math.min(rule.hi ?? Infinity, Math.max(rule.lo ?? -Infinity, signed))
  return { value, uncapped: raw, flags: value === signed ? [] : ['ADJ_CAPPED'] }
}

export const applyAdjustment = (kind: Adjustment['kind'], kW: number, value: number | null): number =>
  value === null ? kW : kind === 'multiplicative' ? kW * value : kW + value

/**
 * CORE-131 … CORE-133. `baseline` gives the mean of the selected days at a window minute. Window intervals that overlap
 * an `unusable` time (another event, pre-cooling ordered by us, an opt-out by us) move the adjustment to the alternative
 * windows of the method, or away altogether.
 * Interpretation (CORE-131, silent on gaps in the event day's own windows): slots without an actual value are left out
 * on both sides and flagged; without any value there is no adjustment.
 */
export function adjust(plan: Plan, actual: Series, baseline: (minute: number) => number, unusable: readonly Interval[]): Adjusted {
  const rule = plan.preset.adjustment
  if (rule.kind === 'none') return { value: null, flags: [], windows: [] }
  const length = plan.calendar.intervalMinutes * 60
  const spoiled = (minutes: readonly number[]): boolean =>
    minutes.some((m) => plan.calendar.instants(plan.eventDay, m).some((at) => unusable.some((u) => overlaps(u, { start: at, end: at + length }))))
  const flags: AdjustmentFlag[] = []
  let minutes = plan.windowMinutes
  if (unusable.length > 0 && spoiled(minutes)) {
    minutes = rule.alternative ? windowMinutes(plan.calendar, plan.eventDay, plan.event, rule.alternative) : []
    if (minutes.length === 0 || spoiled(minutes)) return { value: neutral(rule.kind), flags: ['ADJ_WINDOW_UNUSABLE'], windows: [] }
    flags.push('ADJ_WINDOW_SHIFTED')
  }
  const seen: number[] = [], expected: number[] = []
  for (const m of minutes) {
    const now = slotLoad(actual, plan.calendar.instants(plan.eventDay, m)), then = baseline(m)
    if (Number.isNaN(now) || Number.isNaN(then)) continue
    seen.push(now)
    expected.push(then)
  }
  if (seen.length === 0) return { value: neutral(rule.kind), flags: [...flags, 'ADJ_NO_ACTUAL'], windows: minutes }
  if (seen.length < minutes.length) flags.push('ADJ_PARTIAL_WINDOW')
  const found = adjustmentValue(rule, mean(seen), mean(expected))
  return { value: found.value, uncapped: found.uncapped, flags: [...flags, ...found.flags], windows: minutes }
}
