import { pinball } from '#core/availability/portfolio.js'
import type { DayNumber, LocalCalendar } from '#core/baseline/calendar.js'
import { dayType, type DayScheme } from '#core/baseline/day-type.js'
import { fitWeather, predictWeather } from '#core/baseline/regression.js'
import type { Instant, Interval } from '#core/quantity/interval.js'

/** Normal 10 % quantile. */
const z10 = 1.281552
/** CORE-037: this many like days make the mean. */
export const likeDays = 4

/** Mean load of one interval that was forecast; kW, since baseline arithmetic runs there (CORE-002). */
export interface ForecastValue extends Interval {
  readonly p10_kW: number
  readonly p50_kW: number
  readonly p90_kW: number
}

export type LoadForecast =
  | { readonly status: 'OK'; readonly method: 'likeDays' | 'weather'; readonly values: readonly ForecastValue[]; readonly days: readonly DayNumber[] }
  | { readonly status: 'INSUFFICIENT_DATA'; readonly reasons: readonly string[] }

export interface LoadHistory {
  readonly calendar: LocalCalendar
  /** kW of the interval that starts at an instant; undefined = not measured. */
  readonly load_kW: (at: Instant) => number | undefined
  /** °C of the interval, measured or forecast. */
  readonly temperature?: ((at: Instant) => number | undefined) | undefined
  readonly holidays?: ReadonlySet<DayNumber>
  readonly scheme?: DayScheme
  /** How many days back may be looked at. */
  readonly lookback?: number
}

/**
 * CORE-037: the same-hour mean of the last four like days; with temperatures, the regression of CORE-150 over the look-back, where it
 * has its days. P10 and P90 come from the spread of what the P50 was made from. Days in which any interval of the window is missing
 * are passed over.
 */
export function forecastLoad(history: LoadHistory, window: Interval, issuedAt: Instant): LoadForecast {
  const { calendar, load_kW, temperature, holidays = new Set(), scheme = 'biz/non', lookback = 45 } = history, step_s = calendar.intervalMinutes * 60
  const slots: { start: Instant; minute: number; day: DayNumber }[] = []
  for (let at = window.start; at < window.end; at += step_s) slots.push({ start: at, ...calendar.locate(at) })
  const type = (day: DayNumber): string => dayType(scheme, day, holidays.has(day)), today = calendar.locate(issuedAt).day
  const past = (slot: { minute: number }, day: DayNumber): Instant | undefined => calendar.instants(day, slot.minute).find((at) => at + step_s <= issuedAt)
  const observed = (slot: { minute: number }, day: DayNumber): number | undefined => {
    const at = past(slot, day)
    return at === undefined ? undefined : load_kW(at)
  }
  const used: DayNumber[] = []
  for (let day = today; day > today - lookback && used.length < likeDays; day--) if (type(day) === type(slots[0]?.day ?? today) && slots.length > 0 && slots.every((s) => observed(s, day) !== undefined)) used.push(day)
  if (used.length < likeDays) return { status: 'INSUFFICIENT_DATA', reasons: [`${used.length} of ${likeDays} like days have all intervals of the window`] }
  let weather = temperature !== undefined
  const values = slots.map((slot): ForecastValue => {
    const seen = used.map((day) => observed(slot, day)!), mean = seen.reduce((sum, v) => sum + v, 0) / seen.length
    const t = temperature?.(slot.start), points: [number, number][] = []
    if (t !== undefined) for (let day = today; day > today - lookback; day--) {
      const at = past(slot, day), y = at === undefined ? undefined : load_kW(at), then = at === undefined ? undefined : temperature!(at)
      if (y !== undefined && then !== undefined && type(day) === type(slot.day)) points.push([then, y])
    }
    const model = t === undefined ? undefined : fitWeather(points)
    if (model === undefined) weather = false
    const p50 = model === undefined ? mean : predictWeather(model, t!)
    const errors = model === undefined ? seen.map((v) => v - mean) : points.map(([then, y]) => y - predictWeather(model, then))
    const sd = Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / Math.max(1, errors.length - 1))
    return { start: slot.start, end: slot.start + step_s, p10_kW: p50 - z10 * sd, p50_kW: p50, p90_kW: p50 + z10 * sd }
  })
  return { status: 'OK', method: weather ? 'weather' : 'likeDays', values, days: used }
}

export interface ForecastError {
  readonly intervals: number
  readonly bias_kW: number
  readonly meanAbsolute_kW: number
  /** CORE-037: mean pinball loss of each quantile. */
  readonly pinball_kW: { readonly p10: number; readonly p50: number; readonly p90: number }
}

/** What a forecast turned out to be worth; undefined until anything it spoke of is measured. */
export function forecastError(values: readonly ForecastValue[], load_kW: (at: Instant) => number | undefined): ForecastError | undefined {
  const pairs = values.flatMap((v) => {
    const actual = load_kW(v.start)
    return actual === undefined ? [] : [{ v, actual }]
  })
  if (pairs.length === 0) return undefined
  const mean = (of: (p: { v: ForecastValue; actual: number }) => number): number => pairs.reduce((sum, p) => sum + of(p), 0) / pairs.length
  return {
    intervals: pairs.length, bias_kW: mean(({ v, actual }) => v.p50_kW - actual), meanAbsolute_kW: mean(({ v, actual }) => Math.abs(v.p50_kW - actual)),
    pinball_kW: { p10: mean(({ v, actual }) => pinball(0.1, v.p10_kW, actual)), p50: mean(({ v, actual }) => pinball(0.5, v.p50_kW, actual)), p90: mean(({ v, actual }) => pinball(0.9, v.p90_kW, actual)) },
  }
}
