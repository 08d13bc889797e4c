import { dayType } from '#core/baseline/day-type.js'
import { dateOf, LocalCalendar, type DayNumber } from '#core/baseline/calendar.js'
import { mean, slotLoad } from '#core/baseline/eligibility.js'
import { eventSlots } from '#core/baseline/plan.js'
import type { Series } from '#core/baseline/series.js'
import type { Interval } from '#core/quantity/interval.js'

export interface MatchInput {
  readonly calendar: LocalCalendar
  readonly event: Interval
  readonly series: Series
  readonly k?: number | undefined
  readonly guardHours?: number | undefined
  readonly lookback?: number | undefined
  readonly excludedDays?: ReadonlySet<DayNumber> | undefined
  readonly holidays?: ReadonlySet<DayNumber> | undefined
  /** CORE-147: compare and average this many days in a row, the event day last. */
  readonly span?: 1 | 2 | undefined
}

export type MatchResult =
  | { readonly status: 'OK'; readonly days: readonly string[]; readonly sse: Readonly<Record<string, number>>; readonly baseline: readonly number[]; readonly dropped: readonly { readonly day: string; readonly reason: string }[] }
  | { readonly status: 'INSUFFICIENT_DATA'; readonly reasons: readonly string[]; readonly dropped: readonly { readonly day: string; readonly reason: string }[] }

/**
 * CORE-146 MATCHING_DAY and CORE-147 MATCHED_PAIR: distance = sum of squared differences to the event day over all slots
 * outside the event and one guard hour on each side; mean of the k nearest days of the same type, ties newer.
 */
export function matchingDay(input: MatchInput): MatchResult {
  const { calendar, event, series, k = 3, guardHours = 1, lookback = 45, span = 1 } = input
  const excluded = input.excludedDays ?? new Set<DayNumber>(), holidays = input.holidays ?? new Set<DayNumber>()
  const { day: eventDay, slots } = eventSlots(calendar, event)
  const first = slots[0]!.minute, last = slots.at(-1)!.minute + calendar.intervalMinutes
  const compared: number[] = []
  for (let m = -1440 * (span - 1); m < 1440; m += calendar.intervalMinutes) {
    if ((m < first - guardHours * 60 || m >= last + guardHours * 60) && calendar.instants(eventDay, m).length > 0) compared.push(m)
  }
  const load = (day: DayNumber, m: number): number => slotLoad(series, calendar.instants(day, m))
  const type = (d: DayNumber): string => dayType('biz/non', d, holidays.has(d))
  const dropped: { day: string; reason: string }[] = [], found: { day: DayNumber; sse: number }[] = []
  // Only what the event day has can be compared; a slot it lacks is left out for every candidate alike.
  const usable = compared.filter((m) => !Number.isNaN(load(eventDay, m)))
  for (let day = eventDay - span; day >= eventDay - lookback; day--) {
    const drop = (reason: string): void => void dropped.push({ day: dateOf(day), reason })
    const run = Array.from({ length: span }, (_, i) => i)
    if (type(day) !== type(eventDay)) drop('DAY_TYPE')
    else if (run.some((i) => excluded.has(day - i))) drop('EVENT_DAY')
    else {
      const sse = usable.reduce((sum, m) => sum + (load(day, m) - load(eventDay, m)) ** 2, 0)
      if (Number.isNaN(sse) || slots.some((s) => Number.isNaN(load(day, s.minute)))) drop('INCOMPLETE')
      else found.push({ day, sse })
    }
  }
  if (usable.length === 0 || found.length < k) {
    return { status: 'INSUFFICIENT_DATA', reasons: [usable.length === 0 ? 'the event day has no reading outside the event' : `${found.length} comparable days, ${k} needed`], dropped }
  }
  const nearest = [...found].sort((a, b) => a.sse - b.sse || b.day - a.day).slice(0, k).map((f) => f.day).sort((a, b) => a - b)
  return {
    status: 'OK', days: nearest.map(dateOf), dropped,
    sse: Object.fromEntries([...found].sort((a, b) => a.day - b.day).map((f) => [dateOf(f.day), f.sse])),
    baseline: slots.map((s) => mean(nearest.map((d) => load(d, s.minute)))),
  }
}
