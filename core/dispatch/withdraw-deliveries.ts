import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { open } from '#core/dispatch/delivery-states.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import { restateDependents } from '#core/dispatch/displace.js'
import { live } from '#core/dispatch/dispatch-states.js'
import { batchRows } from '#core/dispatch/outbox.js'
import { askReallocation } from '#core/dispatch/reallocate.js'
import { every } from '#core/port/store/every.js'
import type { Work } from '#core/work.js'

/** Takes single devices out of whatever live dispatches they are part of; their watts go back to allocation. Returns how many. */
export async function cancelDeliveries(work: Work, caller: Caller, wish: { program?: string; reason: string; which: (d: Delivery) => boolean }): Promise<number> {
  const { stores, clock, ids } = work, nowMs = clock.nowMs()
  const gone: Delivery[] = []
  await stores.ledger.hold(caller.tenant)
  const running = (await every((page) => stores.dispatches.list(caller.tenant, { from: clock.now(), ...(wish.program === undefined ? {} : { program: wish.program }) }, page), 200)).filter((d) => live.has(d.state))
  for (const dispatch of running) {
    const mine = (await stores.deliveries.of(caller.tenant, dispatch.id)).filter((d) => open.has(d.state) && d.state !== 'noComms' && wish.which(d))
    if (mine.length === 0) continue
    gone.push(...mine)
    await stores.deliveries.updateMany(mine.map((d): Delivery => ({ ...d, state: 'cancelled', reason: wish.reason, stateAt: nowMs })))
    await stores.agenda.add(batchRows('cancel', dispatch, mine.filter((d) => d.attempts > 0), nowMs, ids.uuid, wish.reason))
    await askReallocation(work, dispatch)
    await note(work, caller, mine.map((d) => ({ action: 'delivery.cancelled', entity: d.id, reason: wish.reason, before: d.state, after: 'cancelled' })))
  }
  await restateDependents(work, caller, gone)
  return gone.length
}
