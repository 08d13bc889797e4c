import { isZero, later, lengthOf } from '#ven-client/openadr/duration.js'
import type { Event, Interval, IntervalPeriod, ValuesMap } from '#ven-client/openadr/objects.js'
import { uniformOf } from '#ven-client/random.js'
import { instantOf } from '#vtn/wire/date-time.js'

/** One interval of an event, put in time. `index` counts over repetitions of the list, `id` is the VTN's. */
export interface PlacedInterval {
  readonly index: number
  readonly id: number
  readonly start: number
  readonly end: number | null
  readonly payloads: readonly ValuesMap[]
}

/** An event put in time (OpenADR 3.1 Definition, intervals; OA-160 … OA-169). */
export interface Placement {
  /** The list once. */
  readonly pass: readonly PlacedInterval[]
  /** Milliseconds after which the list starts again; null when it does not repeat. */
  readonly cycle_ms: number | null
  /** Nothing lasts beyond this; null = without end. */
  readonly limit: number | null
  /** Start of the first interval, end of the last one (OA-165); undefined when nothing could be placed. */
  readonly lifespan: { readonly start: number; readonly end: number | null } | undefined
  readonly cancelled: boolean
  /** Intervals of an event that has none of its own (OA-169). */
  readonly implied: boolean
}

/** Who places it: draws of randomizeStart differ by VEN and event version, and by nothing else (OA-167). */
export interface PlaceOptions {
  readonly venID: string
  /** Epoch ms: stands for 'now' when the event carries no time of its own. */
  readonly seen_ms: number
}

/** The year 0001 stands for 'now' or 'directly after' (OA-162). */
const special = (start: string): boolean => start.startsWith('0001-')

const instant = (text: string | undefined): number | undefined => {
  const ms = text === undefined ? Number.NaN : instantOf(text)
  return Number.isNaN(ms) ? undefined : ms
}

/**
 * Interpretation: OA-162 says 'now' without saying whose. The VTN's modificationDateTime is the same for every reader, at every poll and
 * after a restart, and lets a late reader skip to the interval of now (OA-170).
 */
const anchorOf = (event: Event, seen: number): number => instant(event.modificationDateTime) ?? instant(event.createdDateTime) ?? seen

function offsetOf(event: Event, venID: string, index: number, randomizeStart: string | undefined): number | undefined {
  const range = lengthOf(randomizeStart)
  if (isZero(range) || range.endless) return undefined
  const width = (later(0, range) as number)
  const draw = uniformOf(`${venID}\n${event.id}\n${event.modificationDateTime ?? ''}\n${index}`)
  return Math.round((draw * 2 - 1) * width)
}

/** OA-160, OA-161: fields are inherited one by one; a start that nobody gives is the end of the interval before. */
function startOf(period: IntervalPeriod | undefined, i: number, eventStart: number | undefined, cursor: number | null | undefined, anchor: number): number | undefined {
  if (period?.start !== undefined) {
    if (!special(period.start)) return instant(period.start)
    return i === 0 ? eventStart ?? anchor : cursor ?? undefined
  }
  return (i === 0 ? eventStart : cursor) ?? undefined
}

export function place(event: Event, options: PlaceOptions): Placement {
  const period = event.intervalPeriod
  const anchor = anchorOf(event, options.seen_ms)
  const eventStart = period?.start === undefined ? undefined : special(period.start) ? anchor : instant(period.start)
  const own = event.intervals ?? []
  const implied = own.length === 0 && period !== undefined && (event.reportDescriptors?.length ?? 0) > 0
  const list: readonly Interval[] = implied ? [{ id: 0, payloads: [] }] : own
  // OA-165: cancelled = start 0001 with PT0S at event level, and no interval that says otherwise
  const cancelled = period?.start !== undefined && special(period.start) && period.duration !== undefined && isZero(lengthOf(period.duration)) &&
    list.every((one) => isZero(lengthOf(one.intervalPeriod?.duration)))
  const pass: PlacedInterval[] = []
  let cursor: number | null | undefined, offset = 0
  list.forEach((one, i) => {
    const start = startOf(one.intervalPeriod, i, eventStart, cursor, anchor)
    if (start === undefined) return                       // cannot be placed (OA-088): the others still can
    const end = later(start, lengthOf(one.intervalPeriod?.duration ?? period?.duration))
    // OA-167: one draw moves everything after it, until an interval brings a randomizeStart of its own
    offset = offsetOf(event, options.venID, i, one.intervalPeriod?.randomizeStart ?? (i === 0 ? period?.randomizeStart : undefined)) ?? offset
    cursor = end
    pass.push({ index: i, id: one.id, start: start + offset, end: end === null ? null : end + offset, payloads: one.payloads ?? [] })
  })
  return { ...bounds(event, pass, implied), pass, cancelled, implied }
}

/** OA-164: event.duration repeats a shorter list and cuts a longer one. */
function bounds(event: Event, pass: readonly PlacedInterval[], implied: boolean): Pick<Placement, 'cycle_ms' | 'limit' | 'lifespan'> {
  if (pass.length === 0) return { cycle_ms: null, limit: null, lifespan: undefined }
  const start = Math.min(...pass.map((p) => p.start))
  const end = pass.some((p) => p.end === null) ? null : Math.max(...pass.map((p) => p.end as number))
  const total = event.duration === undefined ? undefined : lengthOf(event.duration)
  const length = end === null ? null : end - start
  if (total === undefined) {
    // OA-169: implied intervals go on from the event's start
    const repeats = implied && length !== null && length > 0
    return { cycle_ms: repeats ? length : null, limit: repeats ? null : end, lifespan: { start, end: repeats ? null : end } }
  }
  const limit = later(start, total)
  const repeats = length !== null && length > 0 && (limit === null || limit > (end as number))
  const last = repeats ? limit : limit === null || (end !== null && end < limit) ? end : limit
  return { cycle_ms: repeats ? length : null, limit: last, lifespan: { start, end: last } }
}

/** Interval number `index` over all repetitions, cut at the limit; undefined when there is none. */
export function nth(placement: Placement, index: number): PlacedInterval | undefined {
  const { pass, cycle_ms, limit } = placement
  const size = pass.length
  if (size === 0 || index < 0 || (cycle_ms === null && index >= size)) return undefined
  const loop = Math.floor(index / size)
  const one = pass[index % size] as PlacedInterval
  const shift = loop * (cycle_ms ?? 0)
  const start = one.start + shift
  if (limit !== null && start >= limit && !(one.start === one.end && start === limit)) return undefined
  const end = one.end === null ? limit : limit === null ? one.end + shift : Math.min(limit, one.end + shift)
  return { index, id: placement.implied ? index : one.id, start, end, payloads: one.payloads }
}

/** How many intervals there are in all; Infinity for a list that repeats without end. */
export function countOf(placement: Placement): number {
  const { pass, cycle_ms, limit, lifespan } = placement
  if (cycle_ms === null || lifespan === undefined) return pass.filter((_, i) => nth(placement, i) !== undefined).length
  if (limit === null) return Infinity
  const loops = Math.floor((limit - lifespan.start) / cycle_ms)
  let count = loops * pass.length
  while (nth(placement, count) !== undefined) count += 1
  return count
}

/** Intervals that overlap `[from, to)`, in order of index. */
export function* intervalsBetween(placement: Placement, from: number, to: number): Generator<PlacedInterval> {
  const { cycle_ms, lifespan, pass } = placement
  if (!lifespan || placement.cancelled) return
  let index = cycle_ms === null ? 0 : Math.max(0, Math.floor((from - lifespan.start) / cycle_ms) - 1) * pass.length
  const stop = cycle_ms === null ? pass.length : index + (Math.ceil((to - from) / cycle_ms) + 3) * pass.length
  for (; index < stop; index++) {
    const one = nth(placement, index)
    if (one && one.start < to && (one.end === null || one.end > from)) yield one
  }
}

export type EventState = 'pending' | 'active' | 'finished' | 'cancelled'

/** OA-165: active while now lies in the lifespan; an event that nobody can place never acts. */
export function stateOf(placement: Placement, now_ms: number): EventState {
  if (placement.cancelled) return 'cancelled'
  const span = placement.lifespan
  if (!span) return 'finished'
  if (now_ms < span.start) return 'pending'
  return span.end !== null && now_ms >= span.end ? 'finished' : 'active'
}

/** Scalar types whose several values cut the interval into equal parts; lists such as CURVE stay whole (OA-166). */
const divisible = new Set(['PRICE', 'PRICE_ALTERNATE', 'EXPORT_PRICE', 'GHG'])

export interface Part {
  readonly payload: ValuesMap
  readonly start: number
  readonly end: number | null
}

export function partsOf(interval: PlacedInterval): Part[] {
  return interval.payloads.flatMap((payload) => {
    const k = payload.values.length
    if (k < 2 || !divisible.has(payload.type) || interval.end === null) return [{ payload, start: interval.start, end: interval.end }]
    const step = (interval.end - interval.start) / k
    return payload.values.map((value, i) => ({
      payload: { type: payload.type, values: [value] },
      start: Math.round(interval.start + i * step),
      end: Math.round(interval.start + (i + 1) * step),
    }))
  })
}
