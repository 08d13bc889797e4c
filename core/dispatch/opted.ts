import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { lost } from '#core/dispatch/delivery-states.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import { restateDependents } from '#core/dispatch/displace.js'
import { live } from '#core/dispatch/dispatch-states.js'
import { backIn } from '#core/dispatch/make-good.js'
import { batchRows } from '#core/dispatch/outbox.js'
import { askReallocation } from '#core/dispatch/reallocate.js'
import { every } from '#core/port/store/every.js'
import type { Work } from '#core/work.js'

/**
 * CORE-110, CORE-111, CORE-112: a refusal for a period, whoever says it, releases the device from every running order that it
 * overlaps within one control step; the rest of the window is not performed and its watts go back to allocation.
 */
export async function releaseOptedOut(work: Work, caller: Caller, wish: { resource: string; from: number; to: number; reason: string }): Promise<number> {
  const { stores, clock, ids } = work, nowMs = clock.nowMs(), from = Math.max(wish.from, clock.now())
  if (wish.to <= from) return 0
  await stores.ledger.hold(caller.tenant)
  const mine = (await stores.deliveries.promised(caller.tenant, [wish.resource], from, wish.to)).filter((d) => !lost.has(d.state)), gone: Delivery[] = []
  for (const dispatch of await stores.dispatches.getMany(caller.tenant, [...new Set(mine.map((d) => d.dispatch))])) {
    if (!live.has(dispatch.state) && dispatch.state !== 'pendingRelease') continue
    const out = mine.filter((d) => d.dispatch === dispatch.id), reason = `opted out: ${wish.reason}`
    gone.push(...out)
    await stores.deliveries.updateMany(out.map((d): Delivery => ({ ...d, state: 'optedOut', reason, stateAt: nowMs })))
    await stores.agenda.add(batchRows('cancel', dispatch, out.filter((d) => d.attempts > 0), nowMs, ids.uuid, reason))
    if (live.has(dispatch.state)) await askReallocation(work, dispatch)
    await note(work, caller, out.map((d) => ({ action: 'delivery.optedOut', entity: d.id, reason: wish.reason, before: d.state, after: 'optedOut' })))
  }
  await restateDependents(work, caller, gone)
  return gone.length
}

/** CORE-114: back in before the window is over: the resource may be asked again, and is where its order still lacks something. */
export async function askAgain(work: Work, caller: Caller, resource: string): Promise<number> {
  const { stores, clock } = work, nowMs = clock.nowMs()
  const out = (await every((page) => stores.deliveries.list(caller.tenant, { resource, state: 'optedOut' }, page))).filter((d) => d.order.end > clock.now())
  if (out.length === 0) return 0
  await stores.deliveries.updateMany(out.map((d): Delivery => ({ ...d, state: 'cancelled', reason: backIn, stateAt: nowMs })))
  for (const dispatch of await stores.dispatches.getMany(caller.tenant, [...new Set(out.map((d) => d.dispatch))])) if (live.has(dispatch.state)) await askReallocation(work, dispatch)
  await note(work, caller, out.map((d) => ({ action: 'delivery.cancelled', entity: d.id, reason: backIn, before: d.state, after: 'cancelled' })))
  return out.length
}
