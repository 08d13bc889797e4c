import { baselineOf, dayNumbers, type BaselineResult } from '#core/baseline/baseline.js'
import { LocalCalendar, dateOf } from '#core/baseline/calendar.js'
import { confidenceBand, type Band } from '#core/baseline/backtest.js'
import { meterBeforeAfter } from '#core/baseline/meter-before-after.js'
import type { MethodInput } from '#core/baseline/other-method.js'
import { methodNames, runBaseline } from '#core/baseline/run.js'
import type { Preset } from '#core/baseline/method.js'
import { planBaseline, type Plan } from '#core/baseline/plan.js'
import { preset, presets } from '#core/baseline/preset.js'
import { Refusal } from '#core/error.js'
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

/** A day-matching preset, the meter just before and after (CORE-152), or any other method of §11.3 by name. */
export interface Method extends Preset {
  readonly meterBeforeAfter?: { readonly intervals: number; readonly interpolate: boolean }
  readonly other?: { readonly name: string; readonly intervals?: number; readonly interpolate?: boolean; readonly fallback?: string; readonly zone: string; readonly holidays: readonly string[] }
}

/** What some methods look at besides readings: the weather, the participant's own forecast. */
export type Extras = Pick<MethodInput, 'temperature' | 'nominated'>

/** How far back the methods of §11.3 look, in days; 1 where they stay in the event day. */
const looksBack: Readonly<Record<string, number>> = { MATCHING_DAY: 46, MATCHED_PAIR: 47, WEATHER_MATCH: 91, REGRESSION: 91, TOWT: 46, PREVIOUS_SMOOTHED: 61, NOMINATED: 31 }

/** The method as the program states it: a preset, with the parameters that the program changes (CORE-135), or a method of §11.3. */
export function methodOf(program: Pick<Program, 'baseline'> & Partial<Pick<Program, 'timeZone' | 'holidays'>>): Method {
  const { method } = program.baseline, { intervals = 3, interpolate = false, fallback } = (program.baseline.parameters ?? {}) as { intervals?: number; interpolate?: boolean; fallback?: string }
  // these look at days in their own way: of a preset they only need the shape
  const shape = (lookback: number): Method => ({ ...preset('CAISO_10IN10'), name: method, version: 1, lookback, adjustment: { kind: 'none' }, assumed: [] })
  if (method === 'METER_BEFORE_AFTER') return { ...shape(1), meterBeforeAfter: { intervals, interpolate } }
  if (presets.has(method)) return { ...preset(method), ...(program.baseline.parameters as Partial<Preset> | undefined) }
  if (!methodNames.includes(method)) throw new Refusal('invalid', `no baseline method '${method}'; there are ${methodNames.join(', ')}`)
  return { ...shape(looksBack[method] ?? 1), other: { name: method, intervals, interpolate, ...(fallback === undefined ? {} : { fallback }), zone: program.timeZone ?? 'UTC', holidays: program.holidays ?? [] } }
}

/** What is the same for every point of an event, made once. */
export function evaluationPlan(program: Pick<Program, 'baseline' | 'timeZone' | 'intervalMinutes' | 'holidays'>, event: Interval): Plan {
  return planBaseline({ preset: methodOf(program), calendar: new LocalCalendar(program.timeZone, program.intervalMinutes), event, holidays: dayNumbers(program.holidays) })
}

/** Readings that a plan may look at: its look-back and the adjustment windows after the event. */
export function reach(plan: Plan): Interval {
  const step = plan.calendar.intervalMinutes * 60
  const start = plan.calendar.bounds(plan.eventDay - plan.preset.lookback - 1).start
  // CORE-151 trains on two weeks after the event too, as far as they have been
  const after = (plan.preset as Method).other?.name === 'TOWT' ? 16 * 86_400 : Math.max(6 * 3600, plan.event.end - plan.event.start)
  return { start: Math.floor(start / step) * step, end: Math.ceil((plan.event.end + after) / step) * step }
}

/** Baseline, metered and delivered energy of one subject. Thin data is a result with reasons, never a number. */
export function evaluate(plan: Plan, direction: Direction, energies: Energies, excludedDays: readonly string[], extras: Extras = {}): Evaluation {
  const series = energySeries(energies.from, energies.step_s, energies.Wh)
  const result = resultOf(plan, series, energies.step_s, excludedDays, extras)
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

function resultOf(plan: Plan, series: Series, step_s: number, excludedDays: readonly string[], extras: Extras): BaselineResult {
  const { meterBeforeAfter: before, other } = plan.preset as Method
  if (before) return beforeAndAfter(plan, series, step_s, before)
  if (!other) return baselineOf(plan, series, { eventDays: dayNumbers(excludedDays), outageDays: new Set() })
  const { name, zone, holidays, ...options } = other
  return runBaseline({ ...options, ...extras, method: name, zone, holidays, intervalMinutes: plan.calendar.intervalMinutes, event: plan.event, series, excludedDays })
}

/** How many days without an event a band is made of at most. */
const placebos = 10

/** What a method said on days without an event, and what was metered, kW by interval. */
export interface Placebo {
  readonly baseline: readonly number[]
  readonly actual: readonly number[]
  readonly days: readonly string[]
}

/**
 * The same method on the newest like days without an event. Interpretation: days whose own history is too thin are skipped, and only local
 * hours that exist on both days count.
 */
export function placeboOf(plan: Plan, energies: Energies, excludedDays: readonly string[], extras: Extras = {}): Placebo {
  const { calendar, preset: method, eventDay } = plan, series = energySeries(energies.from, energies.step_s, energies.Wh), excluded = new Set(excludedDays)
  const first = plan.slots[0], minutes = first ? first.minute : 0, length = plan.event.end - plan.event.start, baseline: number[] = [], actual: number[] = [], days: string[] = []
  for (let day = eventDay - 1; day >= eventDay - 30 && days.length < placebos; day--) {
    const start = calendar.instants(day, minutes)[0]
    if (start === undefined || excluded.has(dateOf(day)) || plan.isHoliday(day)) continue
    const placebo = planBaseline({ preset: method, calendar, event: { start, end: start + length }, holidays: new Set(Array.from({ length: 120 }, (_, i) => day - i).filter(plan.isHoliday)) })
    if (placebo.type !== plan.type) continue
    const r = resultOf(placebo, series, energies.step_s, excludedDays, extras)
    if (r.status !== 'OK') continue
    const own = r.slots.map((s) => series.at(s.start))
    if (own.some(Number.isNaN) || r.slots.some((s) => Number.isNaN(s.kW))) continue
    baseline.push(...r.slots.map((s) => s.kW))
    actual.push(...own)
    days.push(dateOf(day))
  }
  return { baseline, actual, days }
}

/** CORE-169: the band of baseline - actual by interval. undefined: fewer than ten such intervals. */
export function bandOf(plan: Plan, energies: Energies, excludedDays: readonly string[], extras: Extras = {}): Band | undefined {
  const { baseline, actual } = placeboOf(plan, energies, excludedDays, extras)
  return confidenceBand(baseline.map((b, i) => b - actual[i]!))
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
