import { baselineOf, dayNumbers, type BaselineResult } from '#core/baseline/baseline.js'
import { LocalCalendar, dateOf } from '#core/baseline/calendar.js'
import { meterBeforeAfter } from '#core/baseline/meter-before-after.js'
import type { Preset } from '#core/baseline/method.js'
import { planBaseline, type Plan } from '#core/baseline/plan.js'
import { preset } from '#core/baseline/preset.js'
import { energySeries, type Series } from '#core/baseline/series.js'
import type { Program } from '#core/program/program.js'
import type { Interval } from '#core/quantity/interval.js'
import { performance, type Direction } from '#core/verification/performance.js'

/** One subject's interval energies on the program's grid, from `from` on; NaN = missing. */
export interface Energies {
  readonly from: number
  readonly step_s: number
  readonly Wh: Float64Array
}

export interface Evaluation {
  readonly status: 'OK' | 'INSUFFICIENT_DATA'
  readonly reasons: readonly string[]
  readonly baseline: BaselineResult
  readonly slots: readonly { readonly start: number; readonly end: number; readonly baseline_kW: number | null; readonly actual_kW: number | null; readonly delivered_kW: number | null }[]
  readonly baseline_kWh: number | null
  readonly metered_kWh: number | null
  readonly delivered_kWh: number | null
}

/** A day-matching preset, or the meter just before and after (CORE-152). */
export interface Method extends Preset {
  readonly meterBeforeAfter?: { readonly intervals: number; readonly interpolate: boolean }
}

/** The method as the program states it: a preset, with the parameters that the program changes (CORE-135). */
export function methodOf(program: Pick<Program, 'baseline'>): Method {
  const { intervals = 3, interpolate = false } = (program.baseline.parameters ?? {}) as { intervals?: number; interpolate?: boolean }
  // CORE-152 looks at no other day: of a preset it only needs the shape
  if (program.baseline.method === 'METER_BEFORE_AFTER') return { ...preset('CAISO_10IN10'), name: 'METER_BEFORE_AFTER', version: 1, lookback: 1, adjustment: { kind: 'none' }, assumed: [], meterBeforeAfter: { intervals, interpolate } }
  return { ...preset(program.baseline.method), ...(program.baseline.parameters as Partial<Preset> | undefined) }
}

/** What is the same for every point of an event, made once. */
export function evaluationPlan(program: Pick<Program, 'baseline' | 'timeZone' | 'intervalMinutes' | 'holidays'>, event: Interval): Plan {
  return planBaseline({ preset: methodOf(program), calendar: new LocalCalendar(program.timeZone, program.intervalMinutes), event, holidays: dayNumbers(program.holidays) })
}

/** Readings that a plan may look at: its look-back and the adjustment windows after the event. */
export function reach(plan: Plan): Interval {
  const step = plan.calendar.intervalMinutes * 60
  const start = plan.calendar.bounds(plan.eventDay - plan.preset.lookback - 1).start
  return { start: Math.floor(start / step) * step, end: Math.ceil((plan.event.end + 6 * 3600) / step) * step }
}

/** Baseline, metered and delivered energy of one subject. Thin data is a result with reasons, never a number. */
export function evaluate(plan: Plan, direction: Direction, energies: Energies, excludedDays: readonly string[]): Evaluation {
  const series = energySeries(energies.from, energies.step_s, energies.Wh)
  const before = (plan.preset as Method).meterBeforeAfter
  const result = before ? beforeAndAfter(plan, series, energies.step_s, before) : baselineOf(plan, series, { eventDays: dayNumbers(excludedDays), outageDays: new Set() })
  const grid = (start: number): number => Math.floor((start - energies.from) / energies.step_s) * energies.step_s + energies.from
  const actual = plan.slots.map((s) => {
    const kW = series.at(grid(s.start))
    return Number.isNaN(kW) ? null : kW
  })
  const hours = plan.slots.map((s) => (s.end - s.start) / 3600), gaps = actual.filter((kW) => kW === null).length
  const metered_kWh = gaps > 0 ? null : actual.reduce<number>((sum, kW, i) => sum + kW! * hours[i]!, 0)
  const none = { baseline: result, slots: [], baseline_kWh: null, metered_kWh, delivered_kWh: null, status: 'INSUFFICIENT_DATA' as const }
  if (result.status !== 'OK') return { ...none, reasons: result.reasons }
  if (gaps > 0) return { ...none, reasons: [`${gaps} of ${plan.slots.length} intervals of the event have no reading that may be paid for`] }
  const found = performance(direction, result.slots.map((s, i) => ({ start: s.start, end: s.end, baseline_kW: s.kW, actual_kW: actual[i]! })))
  return {
    status: 'OK', reasons: [], baseline: result, metered_kWh, delivered_kWh: found.energy_kWh,
    slots: result.slots.map((s, i) => ({ start: s.start, end: s.end, baseline_kW: s.kW, actual_kW: actual[i]!, delivered_kW: found.intervals[i]!.kW })),
    baseline_kWh: result.slots.reduce((sum, s, i) => sum + s.kW * hours[i]!, 0),
  }
}

/** CORE-152 in the shape of every baseline: flat from the intervals before, or a line to the ones after. */
function beforeAndAfter(plan: Plan, series: Series, step_s: number, { intervals, interpolate }: NonNullable<Method['meterBeforeAfter']>): BaselineResult {
  const first = Math.floor(plan.event.start / step_s) * step_s, last = Math.ceil(plan.event.end / step_s) * step_s
  const at = (from: number): number[] => Array.from({ length: intervals }, (_, i) => series.at(from + i * step_s))
  const found = meterBeforeAfter(at(first - intervals * step_s), interpolate ? at(last) : [], plan.slots.length), kW = interpolate ? found?.interpolated : found && plan.slots.map(() => found.flat)
  const eventDay = dateOf(plan.eventDay), method = plan.preset.name
  const trace = { method, version: plan.preset.version, dayType: plan.type, eventDay, assumed: [], considered: [], adjustment: { kind: interpolate ? 'interpolate' : 'flat', windowMinutes: [] } }
  if (!kW) return { status: 'INSUFFICIENT_DATA', method, eventDay, days: [], dropped: [], reasons: [`a reading is missing in the ${intervals} intervals ${interpolate ? 'before or after' : 'before'} the event`], trace }
  return { status: 'OK', method, eventDay, days: [eventDay], fallback: [], low: [], dropped: [], slots: plan.slots.map((s, i) => ({ start: s.start, end: s.end, kW: kW[i]! })), unadjusted: kW, adjustment: null, flags: [], trace }
}
