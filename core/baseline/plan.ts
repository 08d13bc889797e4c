import { dayType, type DayType } from '#core/baseline/day-type.js'
import type { DayNumber, LocalCalendar } from '#core/baseline/calendar.js'
import type { Preset, Window } from '#core/baseline/method.js'
import type { Instant, Interval } from '#core/quantity/interval.js'

/** One metering interval of the event, clipped to it, with its wall-clock minute counted from the event day's midnight. */
export interface EventSlot extends Interval {
  readonly minute: number
}

/** A day that may be looked at, with the instants of each needed wall-clock slot (none: the slot does not exist that day). */
export interface Candidate {
  readonly day: DayNumber
  readonly event: readonly (readonly Instant[])[]
  readonly windows: readonly (readonly Instant[])[]
}

/** Everything about a method and an event that is the same for every point: computed once, used 10,000 times. */
export interface Plan {
  readonly preset: Preset
  readonly calendar: LocalCalendar
  readonly event: Interval
  readonly eventDay: DayNumber
  readonly type: DayType
  readonly isHoliday: (day: DayNumber) => boolean
  readonly slots: readonly EventSlot[]
  /** Distinct wall-clock minutes of the event, and for each slot its place among them. */
  readonly minutes: readonly number[]
  readonly place: readonly number[]
  readonly windowMinutes: readonly number[]
  /** Days `eventDay - o` back to `eventDay - L`, newest first; without slots when the day type differs. */
  readonly candidates: readonly (Candidate | { readonly day: DayNumber; readonly event?: undefined })[]
}

/** Intervals of the program's length that cover the event; the first and last are clipped to it (CORE-003). */
export function eventSlots(calendar: LocalCalendar, event: Interval): { day: DayNumber; slots: EventSlot[] } {
  const first = calendar.locate(event.start), length = calendar.intervalMinutes * 60
  const slots: EventSlot[] = []
  const late = (first.minute % calendar.intervalMinutes) * 60 + (((event.start % 60) + 60) % 60)
  for (let at = event.start - late; at < event.end; at += length) {
    const here = calendar.locate(Math.max(at, event.start))
    const minute = Math.floor(here.minute / calendar.intervalMinutes) * calendar.intervalMinutes
    slots.push({ start: Math.max(at, event.start), end: Math.min(at + length, event.end), minute: (here.day - first.day) * 1440 + minute })
  }
  return { day: first.day, slots }
}

/** Wall-clock minutes of the adjustment windows (CORE-131); a minute that the event day does not have is left out. */
export function windowMinutes(calendar: LocalCalendar, eventDay: DayNumber, event: Interval, windows: readonly Window[]): number[] {
  const minuteOf = (at: Instant): number => {
    const here = calendar.locate(at), m = (here.day - eventDay) * 1440 + here.minute
    return Math.floor(m / calendar.intervalMinutes) * calendar.intervalMinutes
  }
  const minutes: number[] = []
  for (const w of windows) {
    const base = minuteOf(w.from === 's' ? event.start : event.end)
    for (let m = base + w.start * 60; m < base + w.end * 60; m += calendar.intervalMinutes) {
      if (calendar.instants(eventDay, m).length > 0) minutes.push(m)
    }
  }
  return minutes
}

export function planBaseline(input: { preset: Preset; calendar: LocalCalendar; event: Interval; holidays: ReadonlySet<DayNumber> }): Plan {
  const { preset, calendar, event, holidays } = input
  const { day: eventDay, slots } = eventSlots(calendar, event)
  const isHoliday = (d: DayNumber): boolean => holidays.has(d)
  const type = dayType(preset.scheme, eventDay, isHoliday(eventDay))
  const rule = preset.rules[type]
  // NYISO's weekend rule knows no holiday exclusion: days compare by the calendar alone.
  const typeOf = (d: DayNumber): DayType => dayType(preset.scheme, d, rule?.exclusions === false ? false : isHoliday(d))
  const own = preset.flatHour
  const minutes = own ? windowMinutes(calendar, eventDay, event, [own]) : [...new Set(slots.map((s) => s.minute))]
  const place = slots.map((s) => minutes.indexOf(s.minute))
  const windows = preset.adjustment.kind === 'none' ? [] : windowMinutes(calendar, eventDay, event, preset.adjustment.windows)
  const instants = (day: DayNumber, list: readonly number[]): (readonly Instant[])[] => list.map((m) => calendar.instants(day, m))
  const candidates = []
  for (let day = eventDay - preset.offset; day >= eventDay - preset.lookback; day--) {
    candidates.push(typeOf(day) === typeOf(eventDay) ? { day, event: instants(day, minutes), windows: instants(day, windows) } : { day })
  }
  return { preset, calendar, event, eventDay, type, isHoliday, slots, minutes, place, windowMinutes: windows, candidates }
}
