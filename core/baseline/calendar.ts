import { IANAZone } from 'luxon'
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
  readonly #zone: IANAZone
  readonly #days = new Map<DayNumber, LocalDay>()

  constructor(zone: string, intervalMinutes: number) {
    this.#zone = IANAZone.create(zone)
    if (!this.#zone.isValid) throw new Refusal('invalid', `'${zone}' is not an IANA time zone`)
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
    const local = at + this.#offset(at), day = Math.floor(local / daySeconds)
    return { day, minute: Math.floor((local - day * daySeconds) / 60) }
  }

  /** The first instant at which the clock shows `minute` of `day`; in a gap, the instant at which it jumps. */
  first(day: DayNumber, minute: number): Instant {
    const local = day * daySeconds + minute * 60
    // A clock change is hours away from the next one, so these two offsets are all that can apply.
    const before = this.#offset(local - daySeconds), after = this.#offset(local + daySeconds)
    const fits = [local - before, local - after].filter((at) => at + this.#offset(at) === local)
    return fits.length > 0 ? Math.min(...fits) : local - before
  }

  /** Seconds east of UTC. luxon's own parsing resolves repeated times by the machine's date; asking the zone does not. */
  #offset(at: Instant): number {
    return Math.round(this.#zone.offset(at * 1000) * 60)
  }

  /** `[start, end)` of a local day: 23, 24 or 25 hours. */
  bounds(day: DayNumber): { readonly start: Instant; readonly end: Instant } {
    const { start, end } = this.#day(day)
    return { start, end }
  }

  #day(day: DayNumber): LocalDay {
    const known = this.#days.get(day)
    if (known) return known
    const start = this.first(day, 0), end = this.first(day + 1, 0)
    const plain = this.#offset(start) === this.#offset(end) && end - start === daySeconds
    const made = { start, end, changed: plain ? undefined : this.#table(start, end) }
    this.#days.set(day, made)
    return made
  }

  #table(start: Instant, end: Instant): Map<number, Instant[]> {
    const table = new Map<number, Instant[]>()
    for (let at = start; at < end; at += this.intervalMinutes * 60) {
      // Lord Howe moves its clock by half an hour: an interval that starts inside a slot of the clock belongs to that slot.
      const minute = Math.floor(this.locate(at).minute / this.intervalMinutes) * this.intervalMinutes
      table.set(minute, [...(table.get(minute) ?? []), at])
    }
    return table
  }
}
