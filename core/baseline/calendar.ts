import { DateTime } from 'luxon'
import { Refusal } from '#core/error.js'
import type { Instant } from '#core/quantity/interval.js'

/** A calendar date as days since 1970-01-01: dates are counted and compared without any zone. */
export type DayNumber = number

const daySeconds = 86400

/** 2025-07-23 → 20292; throws `invalid` for anything that is not a real date. */
export function dayNumber(date: string): DayNumber {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : NaN
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== date) throw new Refusal('invalid', `'${date}' is not a date (YYYY-MM-DD)`)
  return ms / (daySeconds * 1000)
}

export const dateOf = (day: DayNumber): string => new Date(day * daySeconds * 1000).toISOString().slice(0, 10)
/** 0 = Sunday … 6 = Saturday. */
export const weekday = (day: DayNumber): number => (((day + 4) % 7) + 7) % 7

/** A local day: when it begins, how long it lasts, and for a day with a clock change the instants of each wall-clock minute. */
interface LocalDay {
  readonly start: Instant
  readonly end: Instant
  readonly changed: Map<number, Instant[]> | undefined
}

/**
 * Wall clock ↔ instants of one IANA zone at one interval length (CORE-004, CORE-129). Days without a clock change are
 * arithmetic; on the others every interval is asked for its wall-clock minute once, so a missing hour has no instant
 * and a repeated one has two. The same code serves 23-, 24- and 25-hour days.
 */
export class LocalCalendar {
  readonly zone: string
  readonly intervalMinutes: number
  readonly #days = new Map<DayNumber, LocalDay>()

  constructor(zone: string, intervalMinutes: number) {
    if (!DateTime.fromMillis(0, { zone }).isValid) throw new Refusal('invalid', `'${zone}' is not an IANA time zone`)
    if (![1, 5, 10, 15, 20, 30, 60].includes(intervalMinutes)) throw new Refusal('invalid', `an interval of ${intervalMinutes} minutes is not supported`)
    this.zone = zone
    this.intervalMinutes = intervalMinutes
  }

  /** Instants at which the local clock shows `minute` of `day`; minutes below 0 or past 1440 belong to the neighbour days (CORE-131). */
  instants(day: DayNumber, minute: number): readonly Instant[] {
    const shift = Math.floor(minute / 1440)
    const local = this.#day(day + shift), m = minute - shift * 1440
    return local.changed ? (local.changed.get(m) ?? []) : [local.start + m * 60]
  }

  /** The local date and wall-clock minute of an instant. */
  locate(at: Instant): { readonly day: DayNumber; readonly minute: number } {
    const t = DateTime.fromSeconds(at, { zone: this.zone })
    return { day: Date.UTC(t.year, t.month - 1, t.day) / (daySeconds * 1000), minute: t.hour * 60 + t.minute }
  }

  /** `[start, end)` of a local day: 23, 24 or 25 hours. */
  bounds(day: DayNumber): { readonly start: Instant; readonly end: Instant } {
    const { start, end } = this.#day(day)
    return { start, end }
  }

  #midnight(day: DayNumber): DateTime {
    const d = new Date(day * daySeconds * 1000)
    return DateTime.fromObject({ year: d.getUTCFullYear(), month: d.getUTCMonth() + 1, day: d.getUTCDate() }, { zone: this.zone }).startOf('day')
  }

  #day(day: DayNumber): LocalDay {
    const known = this.#days.get(day)
    if (known) return known
    const from = this.#midnight(day), to = this.#midnight(day + 1)
    const start = from.toSeconds(), end = to.toSeconds()
    const plain = from.offset === to.offset && end - start === daySeconds
    const made = { start, end, changed: plain ? undefined : this.#table(start, end) }
    this.#days.set(day, made)
    return made
  }

  #table(start: Instant, end: Instant): Map<number, Instant[]> {
    const table = new Map<number, Instant[]>()
    for (let at = start; at < end; at += this.intervalMinutes * 60) {
      const minute = this.locate(at).minute
      table.set(minute, [...(table.get(minute) ?? []), at])
    }
    return table
  }
}
