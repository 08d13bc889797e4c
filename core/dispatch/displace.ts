import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { lost } from '#core/dispatch/delivery-states.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import { live } from '#core/dispatch/dispatch-states.js'
import type { Dispatch } from '#core/dispatch/dispatch.js'
import { batchRows, commsCheckAt, moment, timingOf } from '#core/dispatch/outbox.js'
import type { Share } from '#core/dispatch/plan.js'
import { current, outdated, superseded, type Restatement, type Taken } from '#core/dispatch/precedence.js'
import { allocationOf, askReallocation, leastSum } from '#core/dispatch/reallocate.js'
import { keepRevision } from '#core/dispatch/revisions.js'
import type { OrderInterval } from '#core/port/dispatch-channel.js'
import type { Draft } from '#core/port/store/entity.js'
import type { Work } from '#core/work.js'

export const takenBy = (shares: readonly Share[]): Taken[] =>
  shares.flatMap((s) => (s.displaces.length > 0 ? [{ resource: s.of.resource.id, start: s.intervals[0]!.start, end: s.intervals.at(-1)!.end }] : []))

/** Instructions of these resources that can be counted on, over all orders. */
async function standing(work: Work, tenant: string, over: readonly Taken[]): Promise<Delivery[]> {
  if (over.length === 0) return []
  const found = await work.stores.deliveries.promised(tenant, [...new Set(over.map((w) => w.resource))], Math.min(...over.map((w) => w.start)), Math.max(...over.map((w) => w.end)))
  return found.filter((d) => !lost.has(d.state))
}

/**
 * CORE-053: the loser's instruction is superseded for the overlap and resumes after. It is restated as instructions that lie outside
 * the overlap, each with its own end, so nothing depends on a later message (CORE-201), in whatever protocol the device speaks; what
 * its order lacks meanwhile goes back to allocation. Returns how many were superseded.
 */
export async function displaceOthers(work: Work, caller: Caller, winner: Dispatch, taken: readonly Taken[]): Promise<number> {
  const found = superseded({ ...winner, dispatch: winner.id }, taken, await standing(work, caller.tenant, taken), work.clock.now())
  await restate(work, caller, found, `superseded by ${winner.id} from ${new Date(winner.start * 1000).toISOString()}`)
  return found.length
}

/** Orders that share devices with instructions that are gone: their absolute values counted on them and are restated. */
export async function restateDependents(work: Work, caller: Caller, gone: readonly Delivery[]): Promise<number> {
  const now = work.clock.now(), over = gone.filter((d) => d.order.end > now).map((d) => ({ resource: d.resource, start: d.order.start, end: d.order.end }))
  const left = new Set(gone.map((d) => d.id)), instructed = (await standing(work, caller.tenant, over)).filter((d) => !left.has(d.id))
  const found = outdated(instructed, now)
  await restate(work, caller, found, 'another order of the same device is gone')
  return found.length
}

/** Old instructions out, their parts in: one revision of each order that is touched. */
async function restate(work: Work, caller: Caller, found: readonly Restatement<Delivery>[], reason: string): Promise<void> {
  if (found.length === 0) return
  const { stores, clock, ids } = work, nowMs = clock.nowMs(), gone = new Set(found.map((r) => r.old.id)), byDispatch = new Map<string, Restatement<Delivery>[]>()
  for (const r of found) byDispatch.set(r.old.dispatch, [...byDispatch.get(r.old.dispatch) ?? [], r])
  const around = await standing(work, caller.tenant, found.map(({ old }) => ({ resource: old.resource, start: old.order.start, end: old.order.end })))
  for (const before of (await stores.dispatches.getMany(caller.tenant, [...byDispatch.keys()])).sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const mine = byDispatch.get(before.id)!, old = mine.map((r) => r.old), revision = before.revision + 1
    // parts of one device that are restated together lie outside the same window: there the old ones say what the new ones will
    const pieces = mine.flatMap((r) => current(r.parts, r.old, around, new Set([r.old.id])).map((intervals) => piece(r.old, intervals, revision, nowMs, ids.uuid())))
    const staying = (await stores.deliveries.of(caller.tenant, before.id)).filter((d) => !lost.has(d.state) && !gone.has(d.id))
    await keepRevision(work, before, reason)
    const all = [...staying, ...pieces], rest = { start: Math.max(before.start, clock.now()), end: before.end }, have = Math.min(Math.abs(before.delta_W), leastSum(all, rest))
    await stores.deliveries.updateMany(old.map((d): Delivery => ({ ...d, state: 'superseded', reason, stateAt: nowMs })))
    const after = await stores.dispatches.update({ ...before, revision, allocation: allocationOf(all, rest), allocated_W: Math.sign(before.delta_W) * have + 0, shortfall_W: Math.abs(before.delta_W) - have })
    await stores.deliveries.insertMany(pieces)
    if (live.has(before.state)) {
      const program = await stores.programs.get(caller.tenant, before.program)
      await stores.agenda.add([
        ...batchRows('deliver', after, pieces, nowMs, ids.uuid), ...batchRows('cancel', after, old.filter((d) => d.attempts > 0), nowMs, ids.uuid, reason),
        ...(program && pieces.length > 0 ? [moment('comms-check', after, commsCheckAt(after, timingOf(program), nowMs), ids.uuid())] : []),
      ])
      if (after.shortfall_W > 0) await askReallocation(work, after)
    }
    await note(work, caller, [
      { action: 'dispatch.supersede', entity: before.id, reason, before, after },
      ...old.map((d) => ({ action: 'delivery.superseded', entity: d.id, reason, before: d.state, after: 'superseded' })),
    ])
  }
}

function piece(d: Delivery, intervals: readonly OrderInterval[], revision: number, nowMs: number, id: string): Draft<Delivery> {
  const start = intervals[0]!.start, end = intervals.at(-1)!.end
  return {
    id, tenant: d.tenant, dispatch: d.dispatch, resource: d.resource, servicePoint: d.servicePoint, order: { ...d.order, id, revision, start, end, expiry: end, intervals, createdAt: nowMs },
    state: 'queued', reason: null, attempts: 0, remoteRef: null, sentAt: null, deliveredAt: null, acknowledgedAt: null, stateAt: nowMs,
  }
}
