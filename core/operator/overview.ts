import type { Core } from '#core/assemble.js'
import { lost } from '#core/dispatch/delivery-states.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import type { Dispatch } from '#core/dispatch/dispatch.js'
import { shareOf } from '#core/dispatch/reallocate.js'
import { every } from '#core/port/store/every.js'
import type { Enrolment } from '#core/program/enrolment.js'
import type { Resource } from '#core/program/resource.js'
import type { ServicePoint } from '#core/program/service-point.js'
import { disputeKind, type Dispute } from '#core/settlement/dispute.js'
import { kind as stopKind, type Stop } from '#core/stop/blocks.js'
import { placeOf } from '#core/operator/assets.js'
import { staff, staffAndGrid } from '#core/operator/roles.js'
import { ok, type OperatorRoute } from '#core/operator/route.js'
import { page } from '#core/operator/schema.js'
import { rfc3339, stamp } from '#core/operator/wire.js'

/** Everything that pages count, read at most every few seconds however many look. */
interface Fleet {
  readonly resources: readonly Resource[]
  readonly points: ReadonlyMap<string, ServicePoint>
  readonly enrolled: ReadonlyMap<string, readonly Enrolment[]>
  readonly believed: ReadonlyMap<string, { readonly down_W: number; readonly up_W: number; readonly issuedAt: number }>
  readonly running: readonly Dispatch[]
  readonly coming: readonly Dispatch[]
  readonly last: Dispatch | undefined
  readonly deliveries: ReadonlyMap<string, Delivery>
  readonly atMs: number
}

const freshFor_ms = 3000
const remembered = new WeakMap<Core, Map<string, { at: number; fleet: Promise<Fleet> }>>()

export function fleetOf(core: Core, tenant: string): Promise<Fleet> {
  const book = remembered.get(core) ?? new Map<string, { at: number; fleet: Promise<Fleet> }>(), now = core.means.clock.nowMs(), known = book.get(tenant)
  remembered.set(core, book)
  if (known && Math.abs(now - known.at) < freshFor_ms * core.means.clock.rate) return known.fleet
  const fleet = load(core, tenant)
  book.set(tenant, { at: now, fleet })
  fleet.catch(() => book.delete(tenant))
  return fleet
}

async function load({ database: { stores }, means: { clock } }: Core, tenant: string): Promise<Fleet> {
  const atMs = clock.nowMs(), now = clock.now()
  const resources = (await every((p) => stores.resources.list(tenant, {}, p))).filter((r) => r.state === 'active')
  const points = new Map((await every((p) => stores.servicePoints.list(tenant, {}, p))).map((p) => [p.id, p]))
  const enrolled = new Map<string, Enrolment[]>()
  for (const e of await every((p) => stores.enrolments.list(tenant, {}, p))) enrolled.set(e.servicePoint, [...(enrolled.get(e.servicePoint) ?? []), e])
  const believed = new Map<string, { down_W: number; up_W: number; issuedAt: number }>()
  for (const a of await stores.availability.believed(tenant, resources.map((r) => r.id), now, now + 1, atMs)) if ((believed.get(a.resource)?.issuedAt ?? -1) <= a.issuedAt) believed.set(a.resource, a)
  const dispatches = await every((p) => stores.dispatches.list(tenant, { from: now - 7 * 86_400, to: now + 366 * 86_400 }, p), 200)
  const running = dispatches.filter((d) => d.state === 'active'), coming = dispatches.filter((d) => d.state === 'scheduled' || d.state === 'notified' || d.state === 'pendingRelease')
  const last = dispatches.filter((d) => d.state === 'completed' || d.state === 'verified' || d.state === 'settled').sort((a, b) => a.end - b.end).at(-1)
  const deliveries = new Map<string, Delivery>()
  for (const d of [...(last ? [last] : []), ...coming, ...running]) for (const x of await stores.deliveries.of(tenant, d.id)) deliveries.set(x.resource, x)
  return { resources, points, enrolled, believed, running, coming, last, deliveries, atMs }
}

const isActive = (fleet: Fleet, r: Resource): boolean => fleet.enrolled.get(r.servicePoint)?.some((e) => e.state === 'active') ?? false
const protocolOf = (r: Resource) => (r.bindings.find((b) => b.control) ?? r.bindings[0])
const deviceTroubles: ReadonlySet<string> = new Set(['noComms', 'rejected', 'optedOut', 'partial'])

/** What an operator has to look at, most urgent first; each names where to go. */
async function troubles(core: Core, tenant: string, fleet: Fleet) {
  const { stores } = core.database, out: { kind: string; count: number; subject?: string; names?: string[]; at?: string }[] = []
  for (const s of await stores.documents.list<Stop>(tenant, { kind: stopKind, parent: 'active', limit: 100 })) out.push({ kind: 'stop', count: 1, subject: s.id, names: [s.body.scope, s.body.subject].filter((x) => x !== ''), at: stamp(s.body.at) })
  for (const d of fleet.coming) if (d.state === 'pendingRelease') out.push({ kind: 'pendingRelease', count: 1, subject: d.id, names: [d.createdBy], at: stamp(d.createdAt) })
  const byKind = new Map<string, Delivery[]>()
  for (const x of fleet.deliveries.values()) if (deviceTroubles.has(x.state)) byKind.set(`${x.state}\n${x.dispatch}`, [...(byKind.get(`${x.state}\n${x.dispatch}`) ?? []), x])
  for (const [key, found] of byKind) out.push({ kind: key.split('\n')[0]!, subject: key.split('\n')[1]!, count: found.length, names: found.slice(0, 20).map((x) => x.order.resource.name), at: stamp(Math.max(...found.map((x) => x.stateAt))) })
  const [shortfall] = fleet.running.filter((d) => d.shortfall_W > 0)
  if (shortfall) out.push({ kind: 'shortfall', count: Math.round(shortfall.shortfall_W / 1000), subject: shortfall.id, at: stamp(shortfall.modifiedAt) })
  const runs = await every((p) => stores.settlementRuns.list(tenant, { state: 'calculated' }, p), 200)
  if (runs.length > 0) out.push({ kind: 'approval', count: runs.length, subject: runs.at(-1)!.id, at: stamp(runs.at(-1)!.createdAt) })
  const disputes = (await stores.documents.list<Dispute>(tenant, { kind: disputeKind, limit: 1000 })).filter((d) => d.body.state === 'opened' || d.body.state === 'underReview')
  if (disputes.length > 0) out.push({ kind: 'dispute', count: disputes.length, subject: disputes[0]!.id, at: stamp(disputes[0]!.createdAt) })
  return out
}

export const overviewRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: 'me', summary: 'Who asks, and what time it is here', roles: [...staffAndGrid, 'caOfficer', 'vendor', 'customer'],
    read: async ({ core, caller }) => ok({ user: caller.user, roles: caller.roles, tenant: caller.tenant, now: stamp(core.means.clock.nowMs()), rate: core.means.clock.rate }) },
  { method: 'GET', path: 'overview', summary: 'Enrolled, available and dispatched power, live and next dispatches, what needs attention; each number with its age', roles: staffAndGrid,
    read: async ({ core, caller }) => {
      const fleet = await fleetOf(core, caller.tenant), enrolled: Record<string, number> = { openadr: 0, ieee2030_5: 0, ocpp: 0 }
      let count = 0, down_W = 0, up_W = 0, silent = 0, heardAt: number | undefined, dispatched_W = 0
      for (const r of fleet.resources) {
        if (!isActive(fleet, r)) continue
        const protocol = protocolOf(r)?.protocol
        if (protocol) enrolled[protocol]! += r.rated_W / 1000
        count++
        const belief = fleet.believed.get(r.id)
        if (!belief) silent++
        else {
          down_W += belief.down_W
          up_W += belief.up_W
          heardAt = Math.max(heardAt ?? 0, belief.issuedAt)
        }
      }
      const live = new Set(fleet.running.map((d) => d.id))
      for (const x of fleet.deliveries.values()) if (live.has(x.dispatch) && !lost.has(x.state)) dispatched_W += Math.abs(shareOf(x))
      const brief = (d: Dispatch) => ({ id: d.id, state: d.state, start: rfc3339(d.start), end: rfc3339(d.end), ordered_kW: Math.abs(d.delta_W) / 1000, allocated_kW: Math.abs(d.allocated_W) / 1000, direction: d.delta_W < 0 ? 'down' : 'up', program: d.program })
      return ok({
        at: stamp(fleet.atMs), enrolled: { kW: Object.values(enrolled).reduce((a, b) => a + b, 0), devices: count, byProtocol: enrolled },
        available: { down_kW: down_W / 1000, up_kW: up_W / 1000, devices: count - silent, unknown: silent, heardAt: heardAt === undefined ? null : stamp(heardAt) },
        dispatched: { kW: dispatched_W / 1000, dispatches: fleet.running.length }, live: fleet.running.map(brief), next: [...fleet.coming].sort((a, b) => a.start - b.start).map(brief), last: fleet.last ? brief(fleet.last) : null,
        trouble: await troubles(core, caller.tenant, fleet),
      })
    } },
  { method: 'GET', path: 'devices', summary: 'Devices of every protocol: identity, enrolment, what they can give, their part in the live or last dispatch', roles: staff, query: page({}),
    read: async ({ core, caller, query }) => {
      const fleet = await fleetOf(core, caller.tenant), skip = Number(query.cursor ?? 0) || 0, limit = Number(query.limit ?? 100)
      const items = fleet.resources.slice(skip, skip + limit).map((r) => {
        const point = fleet.points.get(r.servicePoint), binding = protocolOf(r), delivery = fleet.deliveries.get(r.id), belief = fleet.believed.get(r.id)
        return {
          id: r.id, name: r.name, kind: r.kind, protocol: binding?.protocol ?? null, remoteId: binding?.remoteId ?? null, rated_kW: r.rated_W / 1000, servicePoint: r.servicePoint, servicePointName: point?.name ?? null, gridPath: point?.gridPath ?? [], location: point ? placeOf(point) : null,
          enrolment: fleet.enrolled.get(r.servicePoint)?.map((e) => e.state).find((s, _i, states) => s === 'active' || !states.includes('active')) ?? null, available_kW: belief ? belief.down_W / 1000 : null,
          delivery: delivery ? { dispatch: delivery.dispatch, state: delivery.state, reason: delivery.reason, allocated_kW: Math.abs(shareOf(delivery)) / 1000, at: stamp(delivery.stateAt) } : null,
        }
      })
      return ok({ items, next: skip + limit < fleet.resources.length ? String(skip + limit) : null, total: fleet.resources.length, at: stamp(fleet.atMs) })
    } },
]
