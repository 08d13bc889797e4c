import { baselineOf, dayNumbers, type BaselineResult } from '#core/baseline/baseline.js'
import { LocalCalendar } from '#core/baseline/calendar.js'
import type { Preset } from '#core/baseline/method.js'
import { planBaseline, type Plan } from '#core/baseline/plan.js'
import { preset } from '#core/baseline/preset.js'
import { energySeries } from '#core/baseline/series.js'
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

/** The method as the program states it: a preset, with the parameters that the program changes (CORE-135). */
export function methodOf(program: Pick<Program, 'baseline'>): Preset {
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
  const result = baselineOf(plan, series, { eventDays: dayNumbers(excludedDays), outageDays: new Set() })
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
