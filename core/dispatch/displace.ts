import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { lost } from '#core/dispatch/delivery-states.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import { live } from '#core/dispatch/dispatch-states.js'
import type { Dispatch } from '#core/dispatch/dispatch.js'
import { batchRows, commsCheckAt, moment, timingOf } from '#core/dispatch/outbox.js'
import type { Share } from '#core/dispatch/plan.js'
import { allocationOf, askReallocation, leastSum, shareOf } from '#core/dispatch/reallocate.js'
import { keepRevision } from '#core/dispatch/revisions.js'
import type { OrderInterval } from '#core/port/dispatch-channel.js'
import type { Draft } from '#core/port/store/entity.js'
import type { Interval } from '#core/quantity/interval.js'
import type { Work } from '#core/work.js'

/** The parts of an instruction outside a window, each with its own start and end; what has passed is left out. */
export function outside(intervals: readonly OrderInterval[], window: Interval, from: number): OrderInterval[][] {
  const cut = (start: number, end: number): OrderInterval[] =>
    intervals.flatMap((i) => (i.end > start && i.start < end ? [{ ...i, start: Math.max(i.start, start), end: Math.min(i.end, end) }] : []))
  return [cut(from, window.start), cut(Math.max(from, window.end), Infinity)].filter((part) => part.length > 0)
}

/** A resource that a winning order takes for a window. */
export interface Taken extends Interval {
  readonly resource: string
}

export const takenBy = (shares: readonly Share[]): Taken[] =>
  shares.flatMap((s) => (s.displaces.length > 0 ? [{ resource: s.of.resource.id, start: s.intervals[0]!.start, end: s.intervals.at(-1)!.end }] : []))

/** CORE-053: an order of lower priority, or the earlier of two that ask one device for opposite things. */
export const yields = (loser: { readonly priority: number; readonly delta_W: number }, winner: Pick<Dispatch, 'priority' | 'delta_W'>): boolean =>
  loser.priority > winner.priority || (loser.priority === winner.priority && Math.sign(loser.delta_W) === -Math.sign(winner.delta_W))

/**
 * CORE-053: the loser's instruction is superseded for the overlap and resumes after. It is restated as instructions that lie outside
 * the overlap, each with its own end, so nothing depends on a later message (CORE-201), in whatever protocol the device speaks; what
 * its order lacks meanwhile goes back to allocation. Returns how many were superseded.
 */
export async function displaceOthers(work: Work, caller: Caller, winner: Dispatch, taken: readonly Taken[]): Promise<number> {
  const { stores, clock, ids } = work, nowMs = clock.nowMs(), windows = new Map(taken.map((w) => [w.resource, w]))
  if (windows.size === 0) return 0
  const from = Math.min(...taken.map((w) => w.start)), to = Math.max(...taken.map((w) => w.end)), byDispatch = new Map<string, Delivery[]>()
  for (const d of await stores.deliveries.promised(caller.tenant, [...windows.keys()], from, to)) {
    const w = windows.get(d.resource)!
    if (lost.has(d.state) || d.dispatch === winner.id || d.order.start >= w.end || d.order.end <= w.start || !yields({ priority: d.order.priority, delta_W: shareOf(d) }, winner)) continue
    byDispatch.set(d.dispatch, [...byDispatch.get(d.dispatch) ?? [], d])
  }
  for (const before of (await stores.dispatches.getMany(caller.tenant, [...byDispatch.keys()])).sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const old = byDispatch.get(before.id)!, revision = before.revision + 1, gone = new Set(old.map((d) => d.id))
    const pieces = old.flatMap((d) => outside(d.order.intervals, windows.get(d.resource)!, clock.now()).map((intervals) => piece(d, intervals, revision, nowMs, ids.uuid())))
    const staying = (await stores.deliveries.of(caller.tenant, before.id)).filter((d) => !lost.has(d.state) && !gone.has(d.id))
    await keepRevision(work, before, `superseded in part by ${winner.id}`)
    const all = [...staying, ...pieces], left_W = leastSum(all, { start: Math.max(before.start, clock.now()), end: before.end })
    const after = await stores.dispatches.update({ ...before, revision, allocation: allocationOf(all), allocated_W: Math.sign(before.delta_W) * left_W + 0, shortfall_W: Math.max(0, Math.abs(before.delta_W) - left_W) })
    const reason = `superseded by ${winner.id} from ${new Date(winner.start * 1000).toISOString()}`
    await stores.deliveries.insertMany(pieces)
    await stores.deliveries.updateMany(old.map((d): Delivery => ({ ...d, state: 'superseded', reason, stateAt: nowMs })))
    if (live.has(before.state)) {
      const program = await stores.programs.get(caller.tenant, before.program)
      await stores.agenda.add([
        ...batchRows('deliver', after, pieces, nowMs, ids.uuid), ...batchRows('cancel', after, old.filter((d) => d.attempts > 0), nowMs, ids.uuid, reason),
        ...(program && pieces.length > 0 ? [moment('comms-check', after, commsCheckAt(after, timingOf(program), nowMs), ids.uuid())] : []),
      ])
      await askReallocation(work, after)
    }
    await note(work, caller, [
      { action: 'dispatch.supersede', entity: before.id, reason, before, after },
      ...old.map((d) => ({ action: 'delivery.superseded', entity: d.id, reason, before: d.state, after: 'superseded' })),
    ])
  }
  return [...byDispatch.values()].reduce((n, list) => n + list.length, 0)
}

function piece(d: Delivery, intervals: readonly OrderInterval[], revision: number, nowMs: number, id: string): Draft<Delivery> {
  const start = intervals[0]!.start, end = intervals.at(-1)!.end
  return {
    id, tenant: d.tenant, dispatch: d.dispatch, resource: d.resource, servicePoint: d.servicePoint, order: { ...d.order, id, revision, start, end, expiry: end, intervals, createdAt: nowMs },
    state: 'queued', reason: null, attempts: 0, remoteRef: null, sentAt: null, deliveredAt: null, acknowledgedAt: null, stateAt: nowMs,
  }
}
