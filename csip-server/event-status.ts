/** Event rules of IEEE 2030.5-2018 (requirements, section 7), pure: what a program's events are at an instant. */

export interface EventRecord {
  readonly mRID: string
  readonly creationTime: number
  /** Milliseconds of its arrival: orders events of the same second. */
  readonly arrival?: number
  readonly interval: { readonly start: number; readonly duration: number }
  readonly randomizeStart?: number
  readonly randomizeDuration?: number
  /** Names of the controls it sets; events with no common control do not touch each other. */
  readonly controls: readonly string[]
  /** Hex bitmap; absent = every category. */
  readonly deviceCategory?: string
  /** Whom it is for; empty = all that see the program. */
  readonly addressees: readonly string[]
  readonly cancelled?: { readonly at: number; readonly status: 2 | 3 }
  /** Text messages may be active together (SEP-200). */
  readonly neverSuperseded?: boolean
}

export interface EventStatus {
  readonly currentStatus: 0 | 1 | 2 | 3 | 4
  readonly dateTime: number
  readonly potentiallySuperseded: boolean
  readonly potentiallySupersededTime?: number
}

export interface EventsAt {
  /** Status of every event that has not ended, by mRID. */
  readonly status: ReadonlyMap<string, EventStatus>
  /** When the next status changes or the next event leaves, Infinity when nothing is ahead (SEP-072). */
  readonly nextChange: number
}

/** SEP-073: the effective scheduled period is [earliestStart, effectiveEnd). */
export const earliestStart = (e: EventRecord): number => e.interval.start + Math.min(0, e.randomizeStart ?? 0)
export const effectiveEnd = (e: EventRecord): number =>
  e.interval.start + e.interval.duration + Math.max(0, e.randomizeStart ?? 0) + Math.max(0, e.randomizeDuration ?? 0)

const newerThan = (a: EventRecord, b: EventRecord): boolean =>
  a.creationTime !== b.creationTime ? a.creationTime > b.creationTime
    : (a.arrival ?? 0) !== (b.arrival ?? 0) ? (a.arrival ?? 0) > (b.arrival ?? 0) : a.mRID > b.mRID

/** SEP-077: adjacent intervals do not overlap. Interpretation: overlap is judged on the intervals as written, before randomization. */
const overlap = (a: EventRecord, b: EventRecord): boolean =>
  a.interval.start < b.interval.start + b.interval.duration && b.interval.start < a.interval.start + a.interval.duration

const meet = (a: readonly string[], b: readonly string[]): boolean => a.length === 0 || b.length === 0 || a.some((x) => b.includes(x))
const category = (e: EventRecord): number => e.deviceCategory === undefined ? 0xffffffff : Number.parseInt(e.deviceCategory || '0', 16)

/** SEP-075: what a newer event does to an older one of the same program. */
export function effectOn(older: EventRecord, newer: EventRecord): 'none' | 'potential' | 'supersede' {
  if (older.neverSuperseded || !overlap(older, newer) || !meet(older.addressees, newer.addressees)) return 'none'
  const common = older.controls.filter((c) => newer.controls.includes(c)).length
  const a = category(older), b = category(newer)
  if (common === 0 || (a & b) === 0) return 'none'
  return common === older.controls.length && common === newer.controls.length && a === b ? 'supersede' : 'potential'
}

/** SEP-075: the older yields at the newer's earliest effective start, and never before the newer existed. */
const takesOver = (e: EventRecord): number => Math.max(earliestStart(e), e.creationTime)

interface Fate { supersededAt: number; potentiallyAt: number }

function fates(events: readonly EventRecord[]): Map<EventRecord, Fate> {
  const out = new Map<EventRecord, Fate>()
  const newestFirst = [...events].sort((a, b) => (newerThan(a, b) ? -1 : 1))
  newestFirst.forEach((event, i) => {
    const fate: Fate = { supersededAt: Infinity, potentiallyAt: Infinity }
    for (const newer of newestFirst.slice(0, i)) {
      const effect = effectOn(event, newer)
      if (effect === 'none') continue
      const cancelledAt = newer.cancelled?.at ?? Infinity
      const ran = takesOver(newer) < Math.min(cancelledAt, out.get(newer)?.supersededAt ?? Infinity)
      if (effect === 'supersede' && ran) fate.supersededAt = Math.min(fate.supersededAt, takesOver(newer))
      if (cancelledAt === Infinity || ran) fate.potentiallyAt = Math.min(fate.potentiallyAt, newer.creationTime)
    }
    out.set(event, fate)
  })
  return out
}

/** The living and whatever overlapped them, or overlapped that, ended or not: what their fate hangs on. */
function concerned(events: readonly EventRecord[], living: readonly EventRecord[]): readonly EventRecord[] {
  if (living.length === 0 || living.length === events.length) return living
  for (let known = living, from = Infinity; ;) {
    const earliest = known.reduce((t, e) => Math.min(t, e.interval.start), from)
    if (earliest === from) return known
    from = earliest
    known = events.filter((e) => e.interval.start + e.interval.duration > earliest)
  }
}

/** SEP-070…075: status is a function of the records and the instant; nothing is written when time passes. */
export function eventsAt(events: readonly EventRecord[], now: number): EventsAt {
  const status = new Map<string, EventStatus>()
  let nextChange = Infinity
  const ahead = (t: number): void => { if (t > now && t < nextChange) nextChange = t }
  const living = events.filter((e) => effectiveEnd(e) > now)
  // SEP-075: superseded is for good, also after the newer one has ended and left the list.
  const fate = fates(concerned(events, living))
  for (const event of living) {
    const { supersededAt, potentiallyAt } = fate.get(event) as Fate
    for (const t of [earliestStart(event), supersededAt, effectiveEnd(event)]) ahead(t)
    status.set(event.mRID, { ...statusAt(event, supersededAt, now), ...potential(potentiallyAt, now) })
  }
  return { status, nextChange }
}

function statusAt(event: EventRecord, supersededAt: number, now: number): Pick<EventStatus, 'currentStatus' | 'dateTime'> {
  const { cancelled } = event
  if (cancelled && cancelled.at <= now && cancelled.at <= supersededAt) return { currentStatus: cancelled.status, dateTime: cancelled.at }
  if (supersededAt <= now) return { currentStatus: 4, dateTime: supersededAt }
  // SEP-071: an event made with a start that has passed is active from its first GET.
  if (earliestStart(event) <= now) return { currentStatus: 1, dateTime: Math.min(now, takesOver(event)) }
  return { currentStatus: 0, dateTime: Math.min(now, event.creationTime) }
}

const potential = (at: number, now: number): Pick<EventStatus, 'potentiallySuperseded' | 'potentiallySupersededTime'> =>
  at <= now ? { potentiallySuperseded: true, potentiallySupersededTime: at } : { potentiallySuperseded: false }
