import { note } from '#core/audit/note.js'
import { system } from '#core/caller.js'
import { lost } from '#core/dispatch/delivery-states.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import { live } from '#core/dispatch/dispatch-states.js'
import type { Dispatch } from '#core/dispatch/dispatch.js'
import { batchRows, commsCheckAt, moment, momentSubject, timingOf } from '#core/dispatch/outbox.js'
import { deliveryDrafts, orderIntervals, plan, type PlanInput, type Share } from '#core/dispatch/plan.js'
import { prospects, type Prospects } from '#core/dispatch/prospects.js'
import { keepRevision } from '#core/dispatch/revisions.js'
import type { Handler } from '#core/dispatch/timetable.js'
import { forecast } from '#core/dispatch/forecast.js'
import type { W } from '#core/quantity/power.js'
import type { Interval } from '#core/quantity/interval.js'
import type { Transact, Work } from '#core/work.js'

/** Machine-independent wait that lets several losses be made good together: one control step. */
const step_ms = 1000
/** CORE-070: at most one change per resource in 15 minutes. */
const changeEvery_ms = 15 * 60_000
/** REL-062: bounded, however many devices fall out one after the other. */
const mostRevisions = 20

/** Puts one reallocation on the timetable; several losses at once ask for one. */
export async function askReallocation({ stores, clock, ids }: Work, dispatch: Pick<Dispatch, 'id' | 'tenant'>): Promise<void> {
  await stores.agenda.withdraw(dispatch.tenant, 'reallocate', momentSubject(dispatch.id, 'reallocate'))
  await stores.agenda.add([moment('reallocate', dispatch, clock.nowMs() + Math.ceil(step_ms * clock.rate), ids.uuid())])
}

/** A resource's restated part: `replaces` is the delivery whose place it takes. */
export interface Restated {
  readonly share: Share
  readonly replaces: Delivery
}

/**
 * CORE-070, pure: the watts that were lost, first over resources that are not part of the dispatch yet, then over the headroom of
 * those that obey. A resource that fell out is not asked again; one that was changed lately neither.
 */
export function makeGood(input: { dispatch: Dispatch; program: PlanInput['program']; window: Interval; prospects: Prospects; deliveries: readonly Delivery[]; nowMs: number }): { missing_W: W; fresh: readonly Share[]; restated: readonly Restated[]; left_W: W } {
  const { dispatch, program, window, deliveries, nowMs } = input
  const sign = dispatch.delta_W < 0 ? -1 : 1
  const held = deliveries.filter((d) => !lost.has(d.state)), mine = new Map(held.map((d) => [d.resource, d]))
  const fallen = new Set(deliveries.filter((d) => !mine.has(d.resource)).map((d) => d.resource))
  const have = held.reduce((sum, d) => sum + Math.abs(shareOf(d)), 0), missing_W = Math.max(0, Math.abs(dispatch.delta_W) - have)
  if (missing_W === 0) return { missing_W, fresh: [], restated: [], left_W: 0 }
  const part = (delta_W: W, resources: PlanInput['resources'], caps_W: PlanInput['caps_W']) =>
    plan({ program, order: { ...window, delta_W, mode: dispatch.mode, priority: dispatch.priority }, resources, caps_W, now: Math.floor(nowMs / 1000) })
  const { resources, caps_W } = input.prospects
  const first = part(sign * missing_W, resources.filter((r) => !mine.has(r.resource.id) && !fallen.has(r.resource.id)), caps_W)
  const rest = missing_W - Math.abs(first.allocated_W)
  if (rest <= 0) return { missing_W, fresh: first.shares, restated: [], left_W: 0 }
  const used = { ...caps_W }
  for (const s of first.shares) for (const node of s.of.path) if (used[node] !== undefined) used[node] = Math.max(0, used[node] - Math.abs(s.allotment.delta_W))
  const obeying = resources.filter((r) => {
    const d = mine.get(r.resource.id)
    return d !== undefined && d.state !== 'queued' && d.state !== 'sent' && (d.order.revision === 1 || nowMs - d.order.createdAt >= changeEvery_ms || dispatch.emergency.length > 0)
  })
  const second = part(sign * rest, obeying, used)
  const restated = second.shares.map((s): Restated => {
    const replaces = mine.get(s.allotment.resource)!, delta_W = shareOf(replaces) + s.allotment.delta_W
    const others = s.of.promised.filter((p) => p.delivery !== replaces.id)
    const expected = forecast(s.of.resource, s.of.beliefs, window, sign < 0 ? 'down' : 'up').expected
    return { replaces, share: { ...s, allotment: { ...s.allotment, delta_W }, intervals: orderIntervals({ ...s.of, promised: others }, expected, delta_W) } }
  })
  return { missing_W, fresh: first.shares, restated, left_W: Math.max(0, rest - Math.abs(second.allocated_W)) }
}

export const shareOf = (d: Delivery): W => d.order.intervals[0]?.delta_W ?? 0

/** Runs one reallocation: a new revision that restates the whole dispatch; what others take over is announced like any order. */
export const reallocateTask = (transact: Transact): Handler => (entry) => transact(async (work) => {
  const { stores, clock, ids } = work, { tenant } = entry, caller = system(tenant), nowMs = clock.nowMs()
  const id = (entry.payload as { dispatch: string }).dispatch
  // takes the ledger lock first: nobody is promised the same watts meanwhile (CORE-035)
  await note(work, caller, [{ action: 'dispatch.reallocate', entity: id }])
  const dispatch = await stores.dispatches.get(tenant, id)
  const program = dispatch && await stores.programs.get(tenant, dispatch.program)
  if (!dispatch || !program || !live.has(dispatch.state)) return
  const window = { start: Math.max(dispatch.start, clock.now()), end: dispatch.end }
  if (window.start >= window.end) return
  const deliveries = await stores.deliveries.of(tenant, id)
  const found = await prospects(stores, caller, { program, window, scope: dispatch.scope, nowMs })
  const { fresh, restated, left_W } = dispatch.revision >= mostRevisions ? { fresh: [], restated: [], left_W: undefined }
    : makeGood({ dispatch, program, window, prospects: found, deliveries, nowMs })
  const replaced = new Set(restated.map((r) => r.replaces.id))
  const shares = [...fresh, ...restated.map((r) => r.share)]
  const staying = deliveries.filter((d) => !lost.has(d.state) && !replaced.has(d.id))
  const revision = dispatch.revision + (shares.length > 0 ? 1 : 0)
  const allocation = [...staying.map((d) => ({ resource: d.resource, protocol: d.order.binding.protocol, delta_W: shareOf(d) })), ...shares.map((s) => s.allotment)]
  const allocated_W = allocation.reduce((sum, a) => sum + a.delta_W, 0)
  const shortfall_W = left_W ?? Math.max(0, Math.abs(dispatch.delta_W) - Math.abs(allocated_W))
  if (shares.length > 0) await keepRevision(work, dispatch, 'reallocation')
  const restatedDispatch = await stores.dispatches.update({ ...dispatch, revision, allocation, allocated_W, shortfall_W })
  const drafts = deliveryDrafts(restatedDispatch, program, shares, nowMs, ids.uuid)
  await stores.deliveries.insertMany(drafts)
  const old = restated.map((r) => r.replaces)
  await stores.deliveries.updateMany(old.map((d): Delivery => ({ ...d, state: 'superseded', reason: `restated in revision ${revision}`, stateAt: nowMs })))
  await stores.agenda.add([
    ...batchRows('deliver', dispatch, drafts, nowMs, ids.uuid), ...batchRows('cancel', dispatch, old, nowMs + Math.ceil(step_ms * clock.rate), ids.uuid, 'superseded'),
    ...(drafts.length > 0 ? [moment('comms-check', dispatch, commsCheckAt(dispatch, timingOf(program), nowMs), ids.uuid())] : []),
  ])
  await note(work, caller, [
    { action: 'dispatch.revise', entity: id, reason: `${shares.length} resources take over, ${shortfall_W} W cannot be met`, before: dispatch, after: restatedDispatch },
    ...old.map((d) => ({ action: 'delivery.superseded', entity: d.id, reason: `restated in revision ${revision}`, before: d.state, after: 'superseded' })),
  ])
})
