import { accuracy, type Accuracy } from '#core/baseline/accuracy.js'
import { dateOf, LocalCalendar, type DayNumber } from '#core/baseline/calendar.js'
import { runBaseline } from '#core/baseline/run.js'
import { sumSeries, type Series } from '#core/baseline/series.js'
import type { MethodInput } from '#core/baseline/other-method.js'

export interface BacktestInput {
  readonly method: string
  readonly zone: string
  readonly intervalMinutes: number
  /** Placebo days and the local minutes that play the event. */
  readonly days: readonly DayNumber[]
  readonly fromMinute: number
  readonly toMinute: number
  readonly points: ReadonlyMap<string, Series>
  readonly excludedDays?: readonly string[]
  readonly holidays?: readonly string[]
  readonly more?: Partial<MethodInput>
  readonly limits?: { readonly rrmseMax?: number; readonly biasMax?: number }
}

export interface BacktestRow {
  /** A point's id, or null for the portfolio: its loads are summed first (CORE-134). */
  readonly point: string | null
  readonly accuracy: Accuracy | undefined
  readonly daysUsed: readonly string[]
  readonly daysSkipped: readonly string[]
  /** baseline - actual by placebo interval, in kW: what the band of CORE-169 is made of. */
  readonly errors: readonly number[]
}

/** CORE-166: any method on days without an event; RRMSE, bias and days used, per point and for the portfolio. */
export function backtest(input: BacktestInput): { points: BacktestRow[]; portfolio: BacktestRow } {
  const calendar = new LocalCalendar(input.zone, input.intervalMinutes)
  const run = (point: string | null, series: Series): BacktestRow => row(input, calendar, point, series)
  return { points: [...input.points].map(([id, series]) => run(id, series)), portfolio: run(null, sumSeries([...input.points.values()])) }
}

function row(input: BacktestInput, calendar: LocalCalendar, point: string | null, series: Series): BacktestRow {
  const expected: number[] = [], actual: number[] = [], daysUsed: string[] = [], daysSkipped: string[] = []
  for (const day of input.days) {
    const start = calendar.instants(day, input.fromMinute)[0], end = calendar.instants(day, input.toMinute)[0]
    const r = start === undefined || end === undefined ? undefined : runBaseline({
      ...input.more, method: input.method, zone: input.zone, intervalMinutes: input.intervalMinutes, event: { start, end }, series,
      excludedDays: input.excludedDays ?? [], holidays: input.holidays ?? [],
    })
    const seen = r?.status === 'OK' ? r.slots.map((s) => series.at(s.start)) : []
    if (r?.status !== 'OK' || seen.some(Number.isNaN)) {
      daysSkipped.push(dateOf(day))
      continue
    }
    daysUsed.push(dateOf(day))
    actual.push(...seen)
    expected.push(...r.slots.map((s) => s.kW))
  }
  return { point, accuracy: accuracy(expected, actual, input.limits), daysUsed, daysSkipped, errors: expected.map((b, i) => b - actual[i]!) }
}

export interface Band {
  readonly p10: number
  readonly p50: number
  readonly p90: number
  readonly n: number
}

/** CORE-169: quantiles of placebo errors (baseline - actual); delivery ± these is what a performance number is worth. undefined below 10 errors. */
export function confidenceBand(errors: readonly number[]): Band | undefined {
  if (errors.length < 10) return undefined
  const sorted = [...errors].sort((a, b) => a - b)
  const at = (q: number): number => {
    const place = q * (sorted.length - 1), low = Math.floor(place)
    return sorted[low]! + (sorted[Math.min(low + 1, sorted.length - 1)]! - sorted[low]!) * (place - low)
  }
  return { p10: at(0.1), p50: at(0.5), p90: at(0.9), n: sorted.length }
}
