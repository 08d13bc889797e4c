import { LocalCalendar, dayNumber, type DayNumber } from '#core/baseline/calendar.js'
import { mapSeries, type Series } from '#core/baseline/series.js'
import type { Reader } from '#core/calc/read.js'
import type { Instant, Interval } from '#core/quantity/interval.js'

/** Days as lists of local slots become a series by instant, so the vectors run through the same code as real readings. */
export function tableSeries(calendar: LocalCalendar, days: readonly (readonly [string, Reader])[]): Series {
  const kW = new Map<Instant, number>(), slots = 1440 / calendar.intervalMinutes
  for (const [date, list] of days) {
    const day = dayNumber(date)
    // A day given as null was not measured at all.
    if (list.value === null) continue
    const values = list.list()
    if (values.length !== slots) list.fail(`must have ${slots} values of ${calendar.intervalMinutes} minutes, got ${values.length}`)
    // One value stands for both occurrences of a repeated hour; a missing hour has no instant to hold one.
    values.forEach((v, i) => {
      const value = v.reading()
      for (const at of calendar.instants(day, i * calendar.intervalMinutes)) if (!Number.isNaN(value)) kW.set(at, value)
    })
  }
  return mapSeries(kW)
}

/** `[17, 20]` hours of the local clock on a day → instants; a repeated hour inside counts twice, a missing one not at all. */
export function eventOf(calendar: LocalCalendar, day: DayNumber, hours: Reader): Interval {
  const [from, to] = hours.list().map((h) => h.number())
  if (from === undefined || to === undefined || !(from < to)) return hours.fail('must be two local hours [start, end) with start before end')
  return { start: calendar.first(day, from * 60), end: calendar.first(day, to * 60) }
}
