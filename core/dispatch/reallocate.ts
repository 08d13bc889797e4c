import { note } from '#core/audit/note.js'
import { system } from '#core/caller.js'
import { lost } from '#core/dispatch/delivery-states.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import { live } from '#core/dispatch/dispatch-states.js'
import type { Dispatch } from '#core/dispatch/dispatch.js'
import { displaceOthers, takenBy } from '#core/dispatch/displace.js'
import { allocationOf, leastSum } from '#core/dispatch/gap.js'
import { makeGood, notNeeded } from '#core/dispatch/make-good.js'
import { batchRows, commsCheckAt, moment, momentSubject, timingOf } from '#core/dispatch/outbox.js'
import { deliveryDrafts } from '#core/dispatch/plan.js'
import { planOf } from '#core/dispatch/plan-record.js'
import { prospects } from '#core/dispatch/prospects.js'
import { keepRevision } from '#core/dispatch/revisions.js'
import type { Handler } from '#core/dispatch/timetable.js'
import { keepFailSafes } from '#core/program/fail-safe.js'
import type { Transact, Work } from '#core/work.js'

export { allocationOf, leastSum, shareOf } from '#core/dispatch/gap.js'

/** Machine-independent wait that lets several losses be made good together: one control step. */
const step_ms = 1000
/** REL-062: bounded, however many devices fall out one after the other. */
const mostRevisions = 20

/** Puts one reallocation on the timetable; several losses at once ask for one. */
export async function askReallocation({ stores, clock, ids }: Work, dispatch: Pick<Dispatch, 'id' | 'tenant'>): Promise<void> {
  await stores.agenda.withdraw(dispatch.tenant, 'reallocate', momentSubject(dispatch.id, 'reallocate'))
  await stores.agenda.add([moment('reallocate', dispatch, clock.nowMs() + Math.ceil(step_ms * clock.rate), ids.uuid())])
}

/** Runs one reallocation: a new revision that restates the whole dispatch; what others take over is announced like any order. */
export const reallocateTask = (transact: Transact): Handler => (entry) => transact(async (work) => {
  const { stores, clock, ids } = work, { tenant } = entry, caller = system(tenant), nowMs = clock.nowMs()
  const id = (entry.payload as { dispatch: string }).dispatch
  // nobody is promised the same watts meanwhile (CORE-035)
  await stores.ledger.hold(tenant)
  await note(work, caller, [{ action: 'dispatch.reallocate', entity: id }])
  const dispatch = await stores.dispatches.get(tenant, id)
  const program = dispatch && await stores.programs.get(tenant, dispatch.program)
  if (!dispatch || !program || !live.has(dispatch.state)) return
  const window = { start: Math.max(dispatch.start, clock.now()), end: dispatch.end }
  if (window.start >= window.end) return
  const deliveries = await stores.deliveries.of(tenant, id), record = await planOf(stores, tenant, id)
  const found = await prospects(work, caller, { program, window, scope: dispatch.scope, nowMs })
  await keepFailSafes(work, caller, id, found.verified)
  // CORE-066, CORE-070: what was asked beyond the order stays asked
  const ordered = Math.abs(dispatch.delta_W), over_W = (record?.over_W ?? 0) + (record?.compensation_W ?? 0), spread_s = record?.spread_s ?? 0
  const { fresh, restated, release, left_W } = dispatch.revision >= mostRevisions ? { fresh: [], restated: [], release: [], left_W: undefined }
    : makeGood({ dispatch, program, window, prospects: found, deliveries, nowMs, asked_W: ordered + over_W, spread_s })
  const old = restated.map((r) => r.replaces), gone = new Set([...old, ...release].map((d) => d.id)), shares = [...fresh, ...restated.map((r) => r.share)]
  const staying = deliveries.filter((d) => !lost.has(d.state) && !gone.has(d.id)), changed = shares.length > 0 || release.length > 0
  const revision = dispatch.revision + (changed ? 1 : 0)
  const drafts = deliveryDrafts({ ...dispatch, revision }, program, shares, nowMs, ids.uuid), instructed = [...staying, ...drafts]
  const have = Math.min(ordered, leastSum(instructed, window, spread_s)), shortfall_W = left_W === undefined ? ordered - have : Math.min(ordered - have, Math.max(0, left_W))
  if (changed) await keepRevision(work, dispatch, 'reallocation')
  await stores.deliveries.updateMany([
    ...old.map((d): Delivery => ({ ...d, state: 'superseded', reason: `restated in revision ${revision}`, stateAt: nowMs })),
    ...release.map((d): Delivery => ({ ...d, state: 'cancelled', reason: notNeeded, stateAt: nowMs })),
  ])
  const restatedDispatch = await stores.dispatches.update({ ...dispatch, revision, allocation: allocationOf(instructed, window, spread_s), allocated_W: Math.sign(dispatch.delta_W) * have + 0, shortfall_W })
  await stores.deliveries.insertMany(drafts)
  await stores.agenda.add([
    ...batchRows('deliver', dispatch, drafts, nowMs, ids.uuid), ...batchRows('cancel', dispatch, old, nowMs + Math.ceil(step_ms * clock.rate), ids.uuid, 'superseded'),
    ...batchRows('cancel', dispatch, release.filter((d) => d.attempts > 0), nowMs, ids.uuid, notNeeded),
    ...(drafts.length > 0 ? [moment('comms-check', dispatch, commsCheckAt(dispatch, timingOf(program), nowMs), ids.uuid())] : []),
  ])
  await displaceOthers(work, caller, restatedDispatch, takenBy(shares))
  await note(work, caller, [
    { action: 'dispatch.revise', entity: id, reason: `${shares.length} resources take over, ${shortfall_W} W cannot be met`, before: dispatch, after: restatedDispatch },
    ...old.map((d) => ({ action: 'delivery.superseded', entity: d.id, reason: `restated in revision ${revision}`, before: d.state, after: 'superseded' })),
    ...release.map((d) => ({ action: 'delivery.cancelled', entity: d.id, reason: notNeeded, before: d.state, after: 'cancelled' })),
  ])
})
