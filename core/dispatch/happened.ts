import { note, type Note } from '#core/audit/note.js'
import { system } from '#core/caller.js'
import { again } from '#core/dispatch/deliver.js'
import { heard, lost } from '#core/dispatch/delivery-states.js'
import type { Delivery, Happening } from '#core/dispatch/delivery.js'
import { restateDependents } from '#core/dispatch/displace.js'
import { live } from '#core/dispatch/dispatch-states.js'
import { askReallocation } from '#core/dispatch/reallocate.js'
import { groupCommit, type GroupCommit } from '#core/group-commit.js'
import type { DeliveryHappenings } from '#core/port/intake.js'
import { untraced, type Trace } from '#core/port/trace.js'
import { answered, type Heard } from '#core/traced.js'
import type { Transact, Work } from '#core/work.js'

/** The delivery after one word of its device; the same object when the word changes nothing. */
export function afterWord(d: Delivery, h: Happening, nowMs: number): Delivery {
  const to = heard(d.state, h.state)
  const answered = h.state !== 'sent' && h.state !== 'delivered' && h.state !== 'noComms'
  const stamped: Delivery = {
    ...d, remoteRef: d.remoteRef ?? h.remoteRef ?? null, sentAt: d.sentAt ?? (h.state === 'noComms' ? null : h.at),
    deliveredAt: d.deliveredAt ?? (h.state === 'sent' || h.state === 'noComms' ? null : h.at), acknowledgedAt: d.acknowledgedAt ?? (answered ? h.at : null),
  }
  if (to === undefined) return d
  return { ...stamped, state: to, reason: h.reason ?? null, stateAt: Math.max(h.at, d.stateAt > nowMs ? 0 : d.stateAt) }
}

/**
 * CORE-102: words of devices, in any dialect, through one state table; what was lost goes back to allocation once (REL-062). At the start
 * of an event thousands speak in the same second, and each change ends in the tenant's audit chain: their words share transactions.
 */
export function deliveryHappenings(transact: Transact, trace: Trace = untraced): DeliveryHappenings {
  const lanes = new Map<string, GroupCommit<readonly Happening[]>>()
  const laneOf = (tenant: string): GroupCommit<readonly Happening[]> => {
    const lane = lanes.get(tenant) ?? groupCommit<readonly Happening[]>(async (words) => {
      const { heard, clock } = await again(5, () => transact(async (work) => ({ heard: await hear(work, tenant, words.flat()), clock: work.clock })))
      for (const h of heard) answered(trace, h, clock)
    })
    lanes.set(tenant, lane)
    return lane
  }
  return {
    async happened(happenings) {
      await Promise.all([...grouped(happenings)].map(([tenant, words]) => laneOf(tenant).add(words)))
    },
  }
}

function grouped(happenings: readonly Happening[]): Map<string, Happening[]> {
  const out = new Map<string, Happening[]>()
  for (const h of happenings) {
    const list = out.get(h.tenant)
    if (list) list.push(h)
    else out.set(h.tenant, [h])
  }
  return out
}

async function hear(work: Work, tenant: string, words: readonly Happening[]): Promise<Heard[]> {
  const { stores, clock } = work, nowMs = clock.nowMs()
  // what a device gives back, others may be asked for: the ledger before the deliveries (REL-025)
  if (words.some((h) => lost.has(h.state))) await stores.ledger.hold(tenant)
  const before = new Map((await stores.deliveries.getMany(tenant, [...new Set(words.map((h) => h.delivery))])).map((d) => [d.id, d]))
  const after = new Map(before), notes: Note[] = []
  for (const h of words) {
    const d = after.get(h.delivery)
    if (!d) continue
    const changed = afterWord(d, h, nowMs)
    if (changed === d) continue
    after.set(d.id, changed)
    notes.push({ action: `delivery.${changed.state}`, entity: d.id, reason: h.reason, before: d.state, after: changed.state })
  }
  const changed = [...after.values()].filter((d) => d !== before.get(d.id))
  if (changed.length === 0) return []
  await stores.deliveries.updateMany(changed)
  const fell = changed.filter((d) => lost.has(d.state) && d.state !== 'cancelled' && d.state !== 'superseded'), back = changed.filter((d) => d.state === 'optedIn')
  // CORE-111, CORE-114: who left is replaced, and who came back makes replacements superfluous
  const touched = new Set([...fell, ...back].map((d) => d.dispatch))
  for (const dispatch of await stores.dispatches.getMany(tenant, [...touched])) if (live.has(dispatch.state)) await askReallocation(work, dispatch)
  await note(work, system(tenant), notes)
  if (fell.some((d) => d.state !== 'noComms')) await restateDependents(work, system(tenant), fell.filter((d) => d.state !== 'noComms'))
  return changed.map((d) => ({ before: before.get(d.id)!.state, after: d }))
}
