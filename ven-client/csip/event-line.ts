import { uniformOf } from '#ven-client/random.js'
import { compareRank } from '#ven-client/timeline.js'

/** What every kind of event says of itself (section 7 of the requirements). */
export interface EventValue {
  readonly mRID: string
  readonly creationTime: number
  readonly interval: { readonly start: number; readonly duration: number }
  readonly EventStatus: { readonly currentStatus: number; readonly dateTime: number }
  readonly randomizeStart?: number | undefined
  readonly randomizeDuration?: number | undefined
  readonly replyTo?: string | undefined
  readonly responseRequired?: string | undefined
}

/** Where an event stands for this device (section 7, device side). */
export interface Line<E extends EventValue> {
  readonly control: E
  readonly primacy: number
  /** Effective, after our own draws; epoch ms. */
  readonly start: number
  readonly end: number
  readonly cancelledAt: number | undefined
  /** Superseded from here on, by the server's word or by another program of ours (SEP-075, SEP-076). */
  readonly supersededAt: number | undefined
}

const cancelled = 2, cancelledRandomly = 3, superseded = 4

/** A draw between 0 and the signed range, the same for this device and event at every poll and after a restart. */
const draw = (lfdi: string, mRID: string, what: string, range: number | undefined): number =>
  Math.round(uniformOf(`${lfdi}\n${mRID}\n${what}`) * (range ?? 0) * 1000)

function lineOf<E extends EventValue>(control: E, primacy: number, lfdi: string): Line<E> {
  const start = control.interval.start * 1000 + draw(lfdi, control.mRID, 'start', control.randomizeStart)
  // randomizeStart moves the start only: the end is drawn by randomizeDuration on the scheduled duration
  const end = start + control.interval.duration * 1000 + draw(lfdi, control.mRID, 'duration', control.randomizeDuration)
  const { currentStatus, dateTime } = control.EventStatus
  const stop = dateTime * 1000
  return {
    control, primacy, start, end: Math.max(start, end),
    cancelledAt: currentStatus === cancelled ? stop
      : currentStatus === cancelledRandomly ? stop + Math.abs(draw(lfdi, control.mRID, 'duration', control.randomizeDuration)) : undefined,
    supersededAt: currentStatus === superseded ? stop : undefined,
  }
}

/** Lower primacy number wins; equal primacy: the later creation (SEP-075, SEP-076). */
export const rankOf = (line: Line<EventValue>): readonly (number | string)[] => [line.primacy, -line.control.creationTime, line.control.mRID]

export const endOf = (line: Line<EventValue>): number => Math.min(line.end, line.cancelledAt ?? Infinity, line.supersededAt ?? Infinity)

/**
 * The events of all programs of this device. An event loses to a better one that is about something of its own and overlaps: it ends where the
 * better one starts and does not come back (SEP-075, and SEP-076 between programs, where the server leaves it to us). Events about nothing leave
 * each other alone, as texts do (SEP-200).
 */
export function eventLinesOf<E extends EventValue>(programs: readonly { readonly primacy: number; readonly events: readonly E[] }[], lfdi: string, topicsOf: (event: E) => readonly string[]): Line<E>[] {
  const lines = programs.flatMap(({ primacy, events }) => events.map((e) => lineOf(e, primacy, lfdi)))
  const unique = [...new Map(lines.sort((a, b) => b.primacy - a.primacy).map((l) => [l.control.mRID, l])).values()]  // one event, one mRID (SEP-064)
  const standing: Line<E>[] = []
  for (const line of unique.sort((a, b) => compareRank(rankOf(a), rankOf(b)))) {
    const topics = new Set(topicsOf(line.control))
    const winners = standing.filter((w) => endOf(w) > line.start && w.start < endOf(line) && topicsOf(w.control).some((t) => topics.has(t)))
    const at = Math.min(...winners.map((w) => Math.max(w.start, line.start)), line.supersededAt ?? Infinity)
    standing.push(at === Infinity ? line : { ...line, supersededAt: at })
  }
  return standing
}
