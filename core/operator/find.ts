import { Type, type Static } from 'typebox'
import { note } from '#core/audit/note.js'
import { Refusal } from '#core/error.js'
import { present, seesProgram } from '#core/permission.js'
import type { Resource } from '#core/program/resource.js'
import type { Capture } from '#core/words/captures.js'
import { deliveryView } from '#core/operator/dispatch.js'
import { fleetOf } from '#core/operator/overview.js'
import { dispatchers, staff } from '#core/operator/roles.js'
import { created, ok, type Ask, type OperatorRoute } from '#core/operator/route.js'
import { closed } from '#core/operator/schema.js'
import { stamp } from '#core/operator/wire.js'

const readsLogs = new Set(['admin', 'auditor'])
const mostDevices = 20, lookedInto = 3, mostOrders = 50, mostRecords = 50, mostLines = 100

/** Devices whose name, id, remote id or service point holds the text; those that are called exactly so come first. */
async function devicesOf({ core, caller }: Ask, q: string): Promise<Resource[]> {
  const { resources, points } = await fleetOf(core, caller.tenant), low = q.toLowerCase()
  const names = (r: Resource): string[] => [r.name, r.id, points.get(r.servicePoint)?.name ?? '', ...r.bindings.map((b) => b.remoteId)].map((x) => x.toLowerCase())
  const exact = (r: Resource): number => Number(!names(r).includes(low))
  return resources.filter((r) => names(r).some((n) => n.includes(low))).sort((a, b) => exact(a) - exact(b)).slice(0, mostDevices)
}

async function ordersOf({ core, caller }: Ask, resources: readonly Resource[], q: string) {
  const { stores } = core.database, found = []
  for (const r of resources) found.push(...(await stores.deliveries.list(caller.tenant, { resource: r.id }, { limit: 1000 })).items)
  if (/^[0-9a-f-]{36}$/i.test(q)) found.push(...(await stores.deliveries.list(caller.tenant, { dispatch: q }, { limit: mostOrders })).items)
  const newest = found.sort((a, b) => b.order.start - a.order.start).slice(0, mostOrders)
  const seen = new Set((await stores.dispatches.getMany(caller.tenant, [...new Set(newest.map((d) => d.dispatch))])).filter((d) => seesProgram(caller, d.program)).map((d) => d.id))
  return newest.filter((d) => seen.has(d.dispatch)).map((d) => ({ ...deliveryView(d), dispatch: d.dispatch }))
}

async function recordsOf({ core, caller }: Ask, entities: readonly string[]) {
  const found = []
  for (const entity of entities) found.push(...(await core.database.stores.audit.list(caller.tenant, { entity, newest: true }, { limit: mostRecords })).items)
  return found.sort((a, b) => b.seq - a.seq).slice(0, mostRecords)
}

const captureView = (c: Capture, now: number) => ({
  since: stamp(c.since), until: stamp(c.until), by: c.by, running: now < c.until, dropped: c.dropped, items: c.frames.map((f) => ({ ...f, at: stamp(f.at) })),
})
const minutes = closed({ minutes: Type.Integer({ minimum: 1, maximum: 60, description: 'how long to keep every frame' }) })

/** The one binding whose door a device speaks at. */
async function spokenBy({ core, caller, params }: Pick<Ask, 'core' | 'caller' | 'params'>) {
  const resource = present(await core.database.stores.resources.find(caller.tenant, params.id!), 'device', params.id!), binding = resource.bindings.find((b) => b.control) ?? resource.bindings[0]
  if (!binding) throw new Refusal('conflict', 'this device is bound to no protocol, so it has no frames')
  return { resource, binding }
}

export const findRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: 'find', summary: 'One search over devices of every protocol, their orders, last frames, audit records and log lines (UX-077); `q` is a name, an id, an LFDI, a station or a dispatch', roles: staff, query: closed({ q: Type.String({ minLength: 2, maxLength: 200 }) }),
    read: async (ask) => {
      const { core, caller, query } = ask, q = query.q!.trim(), devices = await devicesOf(ask, q), close = devices.slice(0, lookedInto), privileged = caller.roles.some((r) => readsLogs.has(r))
      const orders = await ordersOf(ask, close, q), names = [q, ...close.flatMap((r) => [r.id, ...r.bindings.map((b) => b.remoteId)])].filter((w) => w.length > 1)
      return ok({
        q, devices: devices.map((r) => ({ id: r.id, name: r.name, kind: r.kind, servicePoint: r.servicePoint, protocol: r.bindings[0]?.protocol ?? null, remoteId: r.bindings[0]?.remoteId ?? null })), orders,
        frames: close.flatMap((r) => r.bindings.flatMap((b) => core.words.of(caller.tenant, b.protocol, b.remoteId).map((w) => ({ device: r.id, protocol: b.protocol, ...w })))).sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0)),
        records: privileged ? await recordsOf(ask, [...new Set([q, ...close.map((r) => r.id), ...orders.slice(0, 10).map((o) => o.id)])]) : null,
        logs: privileged ? core.means.log.lines?.find(names, caller.tenant, mostLines) ?? [] : null,
      })
    } },
  { method: 'POST', path: 'devices/:id/capture', summary: 'Keep every frame of this device for some minutes, secrets masked', roles: dispatchers, body: minutes, example: { minutes: 10 },
    command: async (work, ask) => {
      const { resource, binding } = await spokenBy(ask), b = ask.body as Static<typeof minutes>, now = work.clock.nowMs()
      await note(work, ask.caller, [{ action: 'resource.capture', entity: resource.id, reason: `${b.minutes} minutes` }])
      return created(`devices/${resource.id}`, 'capture', captureView(ask.core.captures.begin(ask.caller.tenant, binding.protocol, binding.remoteId, now, b.minutes * 60_000, ask.caller.user), now))
    } },
  { method: 'GET', path: 'devices/:id/capture', summary: 'The frames that were kept, oldest first', roles: staff,
    read: async (ask) => {
      const { binding } = await spokenBy(ask)
      return ok(captureView(present(ask.core.captures.of(ask.caller.tenant, binding.protocol, binding.remoteId), 'capture of device', ask.params.id!), ask.core.means.clock.nowMs()))
    } },
  { method: 'DELETE', path: 'devices/:id/capture', summary: 'End it and forget its frames', roles: dispatchers,
    command: async (work, ask) => {
      const { resource, binding } = await spokenBy(ask)
      await note(work, ask.caller, [{ action: 'resource.captureEnd', entity: resource.id }])
      return ok({ ended: ask.core.captures.end(ask.caller.tenant, binding.protocol, binding.remoteId) })
    } },
]
