import type { Delivery } from '#core/dispatch/delivery.js'
import { outside, reinstruct } from '#core/dispatch/instruct.js'
import type { OrderInterval } from '#core/port/dispatch-channel.js'
import type { Interval } from '#core/quantity/interval.js'
import type { W } from '#core/quantity/power.js'

export type Instructed = Pick<Delivery, 'id' | 'dispatch' | 'resource' | 'order'>

/** A resource that a winning order takes for a window. */
export interface Taken extends Interval {
  readonly resource: string
}

const sharesOf = (d: Instructed): { start: number; end: number; delta_W: W }[] => d.order.intervals.map(({ start, end, delta_W }) => ({ start, end, delta_W }))

/** CORE-053: an order of lower priority, or the earlier of two that ask one device for opposite things. */
export const yields = (loser: { readonly priority: number; readonly delta_W: W }, winner: { readonly priority: number; readonly delta_W: W }): boolean =>
  loser.priority > winner.priority || (loser.priority === winner.priority && Math.sign(loser.delta_W) === -Math.sign(winner.delta_W))

/** CORE-053: which of two instructions a device obeys: the higher priority, then the later publication, then the later id. */
export const prevails = (a: Instructed, b: Instructed): boolean =>
  a.order.priority !== b.order.priority ? a.order.priority < b.order.priority : a.order.createdAt !== b.order.createdAt ? a.order.createdAt > b.order.createdAt : a.id > b.id

/** The one instruction that a device obeys at an instant. */
export function effective(instructed: readonly Instructed[], at: number): Instructed | undefined {
  return instructed.filter((d) => d.order.intervals.some((i) => i.start <= at && at < i.end)).reduce<Instructed | undefined>((best, d) => (best === undefined || prevails(d, best) ? d : best), undefined)
}

/** An instruction and what takes its place: none, one or two parts, each with its own start and end. */
export interface Restatement<D extends Instructed> {
  readonly old: D
  readonly parts: readonly (readonly OrderInterval[])[]
}

/** The instructions that a winner supersedes on the resources it takes, restated as what lies outside the overlap. */
export function superseded<D extends Instructed>(winner: { readonly dispatch: string; readonly priority: number; readonly delta_W: W }, taken: readonly Taken[], instructed: readonly D[], now: number): Restatement<D>[] {
  const windows = new Map(taken.map((w) => [w.resource, w]))
  return instructed.flatMap((old) => {
    const w = windows.get(old.resource), delta_W = old.order.intervals[0]?.delta_W ?? 0
    if (!w || old.dispatch === winner.dispatch || old.order.start >= w.end || old.order.end <= w.start || !yields({ priority: old.order.priority, delta_W }, winner)) return []
    return [{ old, parts: outside(old.order.intervals, w, now) }]
  })
}

/** The instructions whose absolute values still contain what somebody else was promised and no longer is. */
export function outdated<D extends Instructed>(instructed: readonly D[], now: number): Restatement<D>[] {
  return instructed.flatMap((old) => {
    const before = instructed.filter((d) => d.resource === old.resource && d.id !== old.id && prevails(old, d)).flatMap(sharesOf)
    const left = old.order.intervals.flatMap((i) => (i.end > now ? [{ ...i, start: Math.max(i.start, now) }] : []))
    return left.length === 0 || same(left, reinstruct(left, before)) ? [] : [{ old, parts: [left] }]
  })
}

/** The parts with what all others are promised at this moment: a restated instruction is the latest, so it is the one obeyed. */
export function current(parts: Restatement<Instructed>['parts'], old: Instructed, instructed: readonly Instructed[], without: ReadonlySet<string>): OrderInterval[][] {
  const others = instructed.filter((d) => d.resource === old.resource && !without.has(d.id)).flatMap(sharesOf)
  return parts.map((part) => reinstruct(part, others))
}

const same = (a: readonly OrderInterval[], b: readonly OrderInterval[]): boolean =>
  a.length === b.length && a.every((x, i) => x.start === b[i]!.start && x.end === b[i]!.end && (x.others_W ?? 0) === (b[i]!.others_W ?? 0))
