import { watchHabit } from '#core/audit/habit.js'
import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { open } from '#core/dispatch/delivery-states.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import { restateDependents } from '#core/dispatch/displace.js'
import { dispatchStates } from '#core/dispatch/dispatch-states.js'
import type { Dispatch } from '#core/dispatch/dispatch.js'
import { batchRows, dispatchTasks, momentSubject } from '#core/dispatch/outbox.js'
import { planOf } from '#core/dispatch/plan-record.js'
import { Refusal } from '#core/error.js'
import { mustSeeProgram, present } from '#core/permission.js'
import { advance } from '#core/state-table.js'
import type { Work } from '#core/work.js'

/**
 * CORE-052: takes an order back from every resource over its protocol. What was not sent yet never will be; what was sent is
 * taken back through the outbox, in the waves of its plan when it runs (CORE-082) unless everything must stop `atOnce`; its watts are
 * free at once. Cancelling twice has the effect of once.
 */
export async function cancelDispatch(work: Work, caller: Caller, id: string, options: { reason?: string; ifVersion?: number; happening?: 'cancel' | 'reject'; atOnce?: boolean } = {}): Promise<Dispatch> {
  const { stores, clock, ids } = work
  await stores.ledger.hold(caller.tenant)
  const before = present(await stores.dispatches.get(caller.tenant, id), 'dispatch', id)
  mustSeeProgram(caller, before.program)
  if (options.ifVersion !== undefined && options.ifVersion !== before.version) throw new Refusal('stale', `the dispatch is at version ${before.version}`)
  if (before.state === 'cancelled' && options.happening === undefined) return before
  const state = advance(dispatchStates, before.state, options.happening ?? 'cancel', 'dispatch')
  const deliveries = (await stores.deliveries.of(caller.tenant, id)).filter((d) => open.has(d.state) || d.state === 'optedOut')
  const reason = options.reason ?? 'cancelled by the operator', nowMs = clock.nowMs()
  const told = deliveries.filter((d) => d.state !== 'queued' || d.attempts > 0)
  await stores.deliveries.updateMany(deliveries.map((d): Delivery => ({ ...d, state: 'cancelled', reason, stateAt: nowMs })))
  const cancelled = await stores.dispatches.update({ ...before, state })
  for (const task of dispatchTasks) if (task !== 'deliver' && task !== 'cancel') await stores.agenda.withdraw(caller.tenant, task, momentSubject(id, task))
  const waves = before.state === 'active' && !options.atOnce ? (await planOf(stores, caller.tenant, id))?.releaseAfter_s ?? {} : {}
  for (const after_s of new Set([0, ...Object.values(waves)])) {
    await stores.agenda.add(batchRows('cancel', cancelled, told.filter((d) => (waves[d.resource] ?? 0) === after_s), nowMs + after_s * 1000, ids.uuid, reason))
  }
  await note(work, caller, [
    { action: `dispatch.${options.happening ?? 'cancel'}`, entity: id, reason, before: before.state, after: cancelled },
    ...deliveries.map((d) => ({ action: 'delivery.cancelled', entity: d.id, reason, before: d.state, after: 'cancelled' })),
  ])
  // a stop takes back everything below it anyway
  if (!options.atOnce) await restateDependents(work, caller, deliveries)
  await watchHabit(work, caller, { what: 'cancel' })
  return cancelled
}
