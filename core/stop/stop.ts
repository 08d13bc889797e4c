import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { system } from '#core/caller.js'
import { cancelDispatch } from '#core/dispatch/cancel.js'
import { again, type Channels, type Switch } from '#core/dispatch/deliver.js'
import { open } from '#core/dispatch/delivery-states.js'
import { live } from '#core/dispatch/dispatch-states.js'
import { cancelDeliveries } from '#core/dispatch/withdraw-deliveries.js'
import { Refusal } from '#core/error.js'
import { present, seesProgram } from '#core/permission.js'
import type { Clock } from '#core/port/clock.js'
import type { DeliveryOrder } from '#core/port/dispatch-channel.js'
import type { Log } from '#core/port/log.js'
import type { Document } from '#core/port/store/document.js'
import { every } from '#core/port/store/every.js'
import type { Stores } from '#core/port/store/index.js'
import type { Protocol } from '#core/program/resource.js'
import { kind, type Stop } from '#core/stop/blocks.js'
import type { Transact, Work } from '#core/work.js'

export interface StopWish {
  readonly scope: Stop['scope']
  readonly subject?: string
  readonly reason: string
}

export interface StopAnswer {
  readonly stop: Stop
  /** null while the database cannot be written; the switch holds in this process and is stored as soon as it can be. */
  readonly id: string | null
  readonly stored: boolean
  readonly devices: number
}

export interface StopSwitch extends Switch {
  stop(caller: Caller, wish: StopWish): Promise<StopAnswer>
  lift(caller: Caller, id: string, reason: string): Promise<Stop>
  list(tenant: string): Promise<Document<Stop>[]>
}

/**
 * CORE-204, REL-066: blocks at once in memory, hands every live order below it to its channel for cancelling, then writes. Reading
 * and telling need no write, so it works while the database is read-only; the write is repeated until it succeeds. No second person.
 */
export function stopSwitch(needs: { transact: Transact; stores: Stores; channels: Channels; clock: Clock; log: Log }): StopSwitch {
  const { transact, stores, channels, clock, log } = needs
  const pending = new Map<Stop, { tenant: string; resources: ReadonlySet<string> }>()

  async function reached(tenant: string, wish: StopWish): Promise<{ orders: DeliveryOrder[]; resources: Set<string> }> {
    const running = (await every((page) => stores.dispatches.list(tenant, { from: clock.now() - tail_s, ...(wish.scope === 'program' ? { program: wish.subject! } : {}) }, page), 200)).filter((d) => live.has(d.state))
    const deliveries = (await Promise.all(running.map((d) => stores.deliveries.of(tenant, d.id)))).flat().filter((d) => open.has(d.state))
    const below = wish.scope === 'node' ? await belowNode(stores, tenant, wish.subject!, deliveries.map((d) => d.resource)) : undefined
    const hit = deliveries.filter((d) => (wish.scope === 'resource' ? d.resource === wish.subject : below ? below.has(d.resource) : true))
    return { orders: hit.filter((d) => d.attempts > 0).map((d) => d.order), resources: new Set(hit.map((d) => d.resource)) }
  }

  function tell(orders: readonly DeliveryOrder[], reason: string): void {
    for (const protocol of ['ocpp', 'ieee2030_5', 'openadr'] as Protocol[]) {
      const mine = orders.filter((o) => o.binding.protocol === protocol)
      // one protocol that is down holds up no other
      if (mine.length > 0) void channels[protocol]?.cancel(mine, reason).catch((err: unknown) => log.error({ err, protocol, clause: 'CORE-204' }, 'stop could not be told yet'))
    }
  }

  async function store(caller: Caller, stop: Stop): Promise<string> {
    return await again(8, () => transact((work) => storeStop(work, caller, stop)))
  }

  function persist(caller: Caller, stop: Stop): void {
    clock.after(1000 * clock.rate, () => {
      store(caller, stop).then(() => pending.delete(stop), () => persist(caller, stop))
    })
  }

  return {
    stopped(tenant, program, resource) {
      for (const [s, at] of pending) {
        if (at.tenant !== tenant) continue
        if (s.scope === 'all' || (s.scope === 'program' && s.subject === program) || (s.scope === 'resource' && s.subject === resource) || at.resources.has(resource)) return true
      }
      return false
    },
    async stop(caller, given) {
      mayStop(caller, given.scope)
      const wish = { ...given, subject: await subjectOf(stores, caller, given) }
      const stop: Stop = { scope: wish.scope, subject: wish.subject, reason: wish.reason, by: caller.user, at: clock.nowMs() }
      pending.set(stop, { tenant: caller.tenant, resources: new Set() })
      const { orders, resources } = await reached(caller.tenant, wish)
      pending.set(stop, { tenant: caller.tenant, resources })
      tell(orders, wish.reason)
      try {
        const id = await store(caller, stop)
        pending.delete(stop)
        return { stop, id, stored: true, devices: resources.size }
      } catch (err) {
        log.error({ err, clause: 'CORE-204' }, 'stop holds in memory, the database cannot be written')
        persist(caller, stop)
        return { stop, id: null, stored: false, devices: resources.size }
      }
    },
    lift: (caller, id, reason) => transact(async (work) => {
      const found = present(await work.stores.documents.get<Stop>(caller.tenant, kind, id), 'stop', id)
      mayStop(caller, found.body.scope)
      if (found.body.scope === 'program') present(seesProgram(caller, found.body.subject) ? found : undefined, 'stop', id)
      if (found.body.liftedAt !== undefined) return found.body
      const body: Stop = { ...found.body, liftedAt: work.clock.nowMs() }
      await work.stores.documents.replace<Stop>({ ...found, parent: 'lifted', body }, work.clock.nowMs(), found.version)
      await note(work, caller, [{ action: 'stop.lift', entity: id, reason, before: found.body, after: body }])
      return body
    }),
    list: (tenant) => stores.documents.list<Stop>(tenant, { kind, limit: 1000 }),
  }
}

/** SEC-031: who answers for some programs stops those, and not the devices of others. */
function mayStop({ programs }: Caller, scope: Stop['scope']): void {
  if (programs !== undefined && scope !== 'program') throw new Refusal('forbidden', 'a token that is limited to programs stops those programs only')
}

async function subjectOf(stores: Stores, caller: Caller, wish: StopWish): Promise<string> {
  const { tenant } = caller
  if (wish.scope === 'all') return ''
  const given = wish.subject ?? ''
  if (wish.scope === 'program') {
    const found = await stores.programs.find(tenant, given)
    return present(found && seesProgram(caller, found.id) ? found : undefined, 'program', given).id
  }
  if (wish.scope === 'resource') return present(await stores.resources.find(tenant, given), 'resource', given).id
  return (await stores.aggregations.find(tenant, given))?.name ?? given
}

/** Those of the resources that lie below a node, by grid path or membership. */
export async function belowNode(stores: Stores, tenant: string, node: string, resources: readonly string[]): Promise<Set<string>> {
  const found = await stores.resources.getMany(tenant, [...new Set(resources)])
  const points = new Map((await stores.servicePoints.getMany(tenant, [...new Set(found.map((r) => r.servicePoint))])).map((p) => [p.id, p]))
  const nodes = await every((page) => stores.aggregations.list(tenant, {}, page))
  const inside = new Set([node])
  for (let grew = true; grew;) {
    grew = false
    for (const n of nodes) {
      const parent = n.parent === null ? undefined : nodes.find((x) => x.id === n.parent)?.name
      if (parent !== undefined && inside.has(parent) && !inside.has(n.name)) {
        inside.add(n.name)
        grew = true
      }
    }
  }
  const members = new Set(nodes.filter((n) => inside.has(n.name)).flatMap((n) => n.members.map((m) => m.resource)))
  return new Set(found.filter((r) => members.has(r.id) || points.get(r.servicePoint)?.gridPath.some((n) => inside.has(n))).map((r) => r.id))
}

/** An order whose devices are let go in waves is live a little beyond its window (CORE-082). */
const tail_s = 86_400

/** Stop row, cancelled dispatches and deliveries, audit: one transaction. */
async function storeStop(work: Work, caller: Caller, stop: Stop): Promise<string> {
  const { stores, clock, ids } = work, id = ids.uuid(), reason = `stop: ${stop.reason}`
  await stores.ledger.hold(caller.tenant)
  await note(work, caller, [{ action: 'stop.set', entity: id, reason: stop.reason, after: stop }])
  await stores.documents.insert<Stop>({ tenant: caller.tenant, kind, id, parent: 'active', body: stop }, clock.nowMs())
  // the guard has let the caller in; the stop itself is the server's and knows no program scope
  const server = { ...system(caller.tenant), user: caller.user }
  if (stop.scope === 'all' || stop.scope === 'program') {
    const running = await every((page) => stores.dispatches.list(caller.tenant, { from: clock.now() - tail_s, ...(stop.scope === 'program' ? { program: stop.subject } : {}) }, page), 200)
    for (const d of running) if (live.has(d.state) || d.state === 'pendingRelease') await cancelDispatch(work, server, d.id, { reason, atOnce: true })
  } else {
    const below = stop.scope === 'node' ? undefined : new Set([stop.subject])
    const deliveries = below ? [] : (await Promise.all((await every((page) => stores.dispatches.list(caller.tenant, { from: clock.now() - tail_s }, page), 200)).filter((d) => live.has(d.state)).map((d) => stores.deliveries.of(caller.tenant, d.id)))).flat()
    const hit = below ?? await belowNode(stores, caller.tenant, stop.subject, deliveries.map((d) => d.resource))
    await cancelDeliveries(work, server, { reason, which: (d) => hit.has(d.resource) })
  }
  return id
}
