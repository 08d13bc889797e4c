import { instantOf, isNow } from '#vtn/wire/date-time.js'
import type { EventRequest } from '#vtn/wire/event.js'

/** A duration in its calendar parts; `endless` is P9999Y by value (OA-163). */
export interface Span {
  readonly negative: boolean
  readonly months: number
  readonly days: number
  readonly ms: number
  readonly endless: boolean
}

const parts = /^(-?)P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)([DW]))?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/

export function spanOf(text: string): Span {
  const [, sign, y, mo, d, unit, h, mi, s] = parts.exec(text) ?? []
  const years = Number(y ?? 0)
  return {
    negative: sign === '-',
    months: years * 12 + Number(mo ?? 0),
    days: Number(d ?? 0) * (unit === 'W' ? 7 : 1),
    ms: Math.round((Number(h ?? 0) * 3600 + Number(mi ?? 0) * 60 + Number(s ?? 0)) * 1000),
    endless: years >= 9999,
  }
}

/** OA-163: calendar arithmetic in UTC; without end is null, and so is anything past what a Date can hold. */
export function plus(startMs: number | null, span: Span): number | null {
  if (startMs === null || span.endless) return null
  const at = new Date(startMs)
  const day = at.getUTCDate()
  const month = new Date(startMs)
  month.setUTCDate(1)
  month.setUTCMonth(month.getUTCMonth() + span.months)
  const last = new Date(Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + 1, 0)).getUTCDate()
  month.setUTCDate(Math.min(day, last))
  const end = month.getTime() + span.days * 86_400_000 + span.ms
  // ECMA-262: a Date holds up to 8.64e15 ms.
  return Math.abs(end) <= 8.64e15 ? end : null
}

const none = spanOf('PT0S')

/** Where an interval lies, epoch ms; `end` null = without end. */
export interface Placed {
  readonly id: number
  readonly start: number
  readonly end: number | null
}

/**
 * Puts an event's intervals in time (OA-160 … 163). `readAt` is what "now" stands for: the time the event was written.
 * Undefined when an interval cannot be placed (OA-088).
 */
export function place(event: Pick<EventRequest, 'intervalPeriod' | 'intervals'>, readAt: number): Placed[] | undefined {
  const common = event.intervalPeriod
  const eventStart = common?.start === undefined ? undefined : isNow(common.start) ? readAt : instantOf(common.start)
  const out: Placed[] = []
  let running: number | null | undefined = eventStart
  // OA-169: without intervals the event's own period stands for one.
  const list = event.intervals?.length ? event.intervals : common ? [{ id: 0, payloads: [] }] : []
  for (const [i, interval] of list.entries()) {
    const own: { start?: string; duration?: string } = interval.intervalPeriod ?? {}
    const start = own.start === undefined ? running
      : isNow(own.start) ? (i === 0 ? eventStart ?? readAt : running ?? null) : instantOf(own.start)
    if (start === undefined || start === null) return undefined
    const length = own.duration ?? common?.duration
    const end = plus(start, length === undefined ? none : spanOf(length))
    out.push({ id: interval.id, start, end })
    running = end
  }
  return out
}

/** OA-165: from the start of the first interval to the end of the last, after `duration` looped or cut them (OA-164). */
export function lifespan(event: EventRequest, readAt: number): { start: number; end: number | null } | undefined {
  const placed = place(event, readAt)
  if (!placed?.length) return undefined
  const start = Math.min(...placed.map((p) => p.start))
  if (event.duration !== undefined) return { start, end: plus(start, spanOf(event.duration)) }
  // OA-169, Interpretation: implied intervals repeat without end unless `duration` says otherwise.
  if (!event.intervals?.length && event.reportDescriptors?.length) return { start, end: null }
  const ends = placed.map((p) => p.end)
  return { start, end: ends.includes(null) ? null : Math.max(...(ends as number[])) }
}

/** Any negative duration in an event (OA-072). */
export function negativeDurations(event: EventRequest): string[] {
  const found: string[] = []
  const look = (path: string, text: string | undefined): void => { if (text?.startsWith('-')) found.push(path) }
  const period = (path: string, p: EventRequest['intervalPeriod']): void => {
    look(`${path}/duration`, p?.duration)
    look(`${path}/randomizeStart`, p?.randomizeStart)
  }
  look('/duration', event.duration)
  period('/intervalPeriod', event.intervalPeriod)
  event.intervals?.forEach((interval, i) => period(`/intervals/${i}/intervalPeriod`, interval.intervalPeriod))
  return found
}
