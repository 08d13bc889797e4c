import { note, type Note } from '#core/audit/note.js'
import { system } from '#core/caller.js'
import { heard, lost } from '#core/dispatch/delivery-states.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import { dispatchStates, live } from '#core/dispatch/dispatch-states.js'
import { batchRows, type Batch } from '#core/dispatch/outbox.js'
import { violation } from '#core/dispatch/protection.js'
import { askReallocation } from '#core/dispatch/reallocate.js'
import type { Handler } from '#core/dispatch/timetable.js'
import { isRefusal } from '#core/error.js'
import type { DispatchChannel, SendOutcome } from '#core/port/dispatch-channel.js'
import { every } from '#core/port/store/every.js'
import type { AgendaEntry } from '#core/port/store/agenda.js'
import type { Protocol } from '#core/program/resource.js'
import { next } from '#core/state-table.js'
import { blocks } from '#core/stop/blocks.js'
import type { Transact, Work } from '#core/work.js'

export type Channels = Partial<Record<Protocol, DispatchChannel>>

/** What the stop switch says right now, without asking the database (CORE-204). */
export interface Switch {
  stopped(tenant: string, program: string, resource: string): boolean
}

/** Somebody else changed a delivery between our read and our write: read again (bounded). */
export async function again<T>(times: number, attempt: () => Promise<T>): Promise<T> {
  for (let i = 1; ; i++) {
    try {
      return await attempt()
    } catch (error) {
      if (i >= times || !isRefusal(error) || error.kind !== 'stale') throw error
    }
  }
}

/**
 * Tells a batch of devices: note the attempt, tell, note the outcome. A crash anywhere is repaired by running it again: what is
 * still `queued` is told again with the stored content, which the channel knows by its id (REL-002, CORE-207).
 */
export function deliverTask(transact: Transact, channels: Channels, guard: Switch): Handler {
  return async (entry) => {
    const batch = entry.payload as Batch
    const due = await again(5, () => transact((work) => attempt(work, entry, batch, guard)))
    if (due.length === 0) return undefined
    const channel = channels[batch.protocol]
    const outcomes = channel ? await channel.send(due.map((d) => d.order))
      : due.map((d): SendOutcome => ({ id: d.id, outcome: 'failed', reason: `no ${batch.protocol} channel is running` }))
    const failed = await again(5, () => transact((work) => record(work, entry, batch, outcomes)))
    return failed > 0 ? `${failed} of ${due.length} not told yet` : undefined
  }
}

/** Deliveries that may be told now, their attempt counted first, so that a cancel from here on knows that they may be out. */
async function attempt(work: Work, entry: AgendaEntry, batch: Batch, guard: Switch): Promise<Delivery[]> {
  const { stores, clock } = work
  const dispatch = await stores.dispatches.get(entry.tenant, batch.dispatch)
  const queued = (await stores.deliveries.getMany(entry.tenant, batch.deliveries)).filter((d) => d.state === 'queued')
  if (!dispatch || queued.length === 0) return []
  const stops = await blocks(stores, entry.tenant), nowMs = clock.nowMs(), unsafe = await protectedNow(work, entry.tenant, queued)
  const why = (d: Delivery): { state: 'noComms' | 'cancelled'; reason: string } | undefined => {
    if (!live.has(dispatch.state)) return { state: 'cancelled', reason: `the dispatch is ${dispatch.state}` }
    // CORE-200, REL-002: never late into a dead window
    if (d.order.expiry * 1000 <= nowMs) return { state: 'noComms', reason: 'its window was over before it could be told' }
    const stopped = stops.blocked({ program: dispatch.program, resource: d.resource }) ?? (guard.stopped(entry.tenant, dispatch.program, d.resource) ? 'stopped' : undefined)
    if (stopped) return { state: 'cancelled', reason: stopped }
    const wrong = unsafe.get(d.id)
    return wrong === undefined ? undefined : { state: 'cancelled', reason: `protected: ${wrong}` }
  }
  const due: Delivery[] = [], dead: Delivery[] = []
  for (const d of queued) {
    const end = why(d)
    if (end) dead.push({ ...d, ...end, stateAt: nowMs })
    else due.push({ ...d, attempts: d.attempts + 1 })
  }
  const stored = await stores.deliveries.updateMany([...due, ...dead])
  await note(work, system(entry.tenant), dead.map((d) => ({ action: `delivery.${d.state}`, entity: d.id, reason: d.reason, before: 'queued', after: d.state })))
  if (live.has(dispatch.state) && dead.some((d) => unsafe.has(d.id))) await askReallocation(work, dispatch)
  const told = new Set(due.map((d) => d.id))
  return stored.filter((d) => told.has(d.id))
}

/**
 * CORE-208: the independent second check of every instruction, just before it is told, against the limits of this moment: what was
 * allowed when it was planned may not be any more. Interpretation: an order keeps the rules it was issued under (REL-068), but limits
 * that protect people and equipment hold from when they are set.
 */
async function protectedNow({ stores, clock }: Work, tenant: string, queued: readonly Delivery[]): Promise<Map<string, string>> {
  const resources = new Map((await stores.resources.getMany(tenant, [...new Set(queued.map((d) => d.resource))])).map((r) => [r.id, r]))
  const points = new Map((await stores.servicePoints.getMany(tenant, [...new Set(queued.map((d) => d.servicePoint))])).map((p) => [p.id, p])), out = new Map<string, string>()
  for (const d of queued) {
    const resource = resources.get(d.resource), point = points.get(d.servicePoint)
    const look = (behind_W: number): string | undefined =>
      resource ? violation(d.order.intervals, { resource, importLimit_W: point?.importLimit_W ?? null, exportLimit_W: point?.exportLimit_W ?? null, behind_W }, clock.now()) : 'the resource is gone'
    // what else stands behind the connection is only looked up where it decides
    if (look(0) === undefined) continue
    const wrong = look(resource ? await loadBehind(stores, tenant, d, clock.nowMs()) : 0)
    if (wrong !== undefined) out.set(d.id, wrong)
  }
  return out
}

/** Load that is believed of everything else behind the connection of a delivery, less what it is asked to change itself. */
async function loadBehind(stores: Work['stores'], tenant: string, d: Delivery, nowMs: number): Promise<number> {
  const others = (await every((page) => stores.resources.list(tenant, { servicePoint: d.servicePoint }, page))).map((r) => r.id).filter((id) => id !== d.resource)
  const beliefs = await stores.availability.believed(tenant, others, d.order.start, d.order.end, nowMs), asked = (await stores.deliveries.promised(tenant, others, d.order.start, d.order.end)).filter((x) => !lost.has(x.state))
  const down = (d.order.intervals[0]?.delta_W ?? 0) < 0
  return others.reduce((sum, id) => {
    const loads = beliefs.filter((b) => b.resource === id).map((b) => b.expected_W ?? 0), load = loads.length === 0 ? 0 : down ? Math.min(...loads) : Math.max(...loads)
    return sum + load + asked.filter((x) => x.resource === id).reduce((total, x) => total + (x.order.intervals[0]?.delta_W ?? 0), 0)
  }, 0)
}

/** What the edge said of each order; returns how many have to be tried again. */
async function record(work: Work, entry: AgendaEntry, batch: Batch, outcomes: readonly SendOutcome[]): Promise<number> {
  const { stores, clock, ids } = work, nowMs = clock.nowMs(), caller = system(entry.tenant)
  const now = new Map((await stores.deliveries.getMany(entry.tenant, outcomes.map((o) => o.id))).map((d) => [d.id, d]))
  const changed: Delivery[] = [], notes: Note[] = [], takeBack: Delivery[] = []
  let failed = 0
  for (const o of outcomes) {
    const d = now.get(o.id)
    if (!d) continue
    if (o.outcome === 'failed') {
      if (d.state === 'queued') failed++
      changed.push({ ...d, reason: o.reason ?? d.reason })
      continue
    }
    // cancelled while the channel was telling it: take it back once more
    if (d.state === 'cancelled' && o.outcome !== 'refused') takeBack.push(d)
    const to = heard(d.state, o.outcome === 'sent' ? 'sent' : o.outcome === 'acknowledged' ? 'accepted' : 'rejected')
    changed.push({
      ...d, remoteRef: o.remoteRef ?? d.remoteRef, sentAt: d.sentAt ?? nowMs, ...(o.outcome === 'acknowledged' ? { deliveredAt: d.deliveredAt ?? nowMs, acknowledgedAt: d.acknowledgedAt ?? nowMs } : {}),
      ...(to ? { state: to, stateAt: nowMs, reason: o.reason ?? null } : {}),
    })
    if (to) notes.push({ action: `delivery.${to}`, entity: d.id, reason: o.reason, before: d.state, after: to })
  }
  await stores.deliveries.updateMany(changed)
  const dispatch = await stores.dispatches.get(entry.tenant, batch.dispatch)
  if (dispatch?.state === 'scheduled' && changed.some((d) => d.sentAt !== null)) {
    const state = next(dispatchStates, dispatch.state, 'notify', 'dispatch')
    if (typeof state === 'string') {
      await stores.dispatches.update({ ...dispatch, state })
      notes.push({ action: 'dispatch.notify', entity: dispatch.id, before: dispatch.state, after: state })
    }
  }
  if (takeBack.length > 0) await stores.agenda.add(batchRows('cancel', { id: batch.dispatch, tenant: entry.tenant }, takeBack, nowMs, ids.uuid, 'cancelled while it was being told'))
  if (dispatch && changed.some((d) => d.state === 'rejected')) await askReallocation(work, dispatch)
  await note(work, caller, notes)
  work.log.info({ tenant: entry.tenant, dispatch: batch.dispatch, protocol: batch.protocol, orders: outcomes.length, failed, clause: 'CORE-103' }, 'devices were told')
  return failed
}

/** Takes orders back. The deliveries are cancelled in our books already; a device that cannot be reached returns alone at the end (CORE-201). */
export function cancelTask(transact: Transact, channels: Channels): Handler {
  return async (entry) => {
    const batch = entry.payload as Batch
    const running = await transact(async ({ stores, clock }) =>
      (await stores.deliveries.getMany(entry.tenant, batch.deliveries)).filter((d) => d.order.expiry * 1000 > clock.nowMs()))
    const channel = channels[batch.protocol]
    if (running.length === 0) return undefined
    if (!channel) return `no ${batch.protocol} channel is running`
    const outcomes = await channel.cancel(running.map((d) => d.order), batch.reason ?? 'cancelled')
    const failed = outcomes.filter((o) => o.outcome === 'failed').length
    return failed > 0 ? `${failed} of ${running.length} not taken back yet` : undefined
  }
}
