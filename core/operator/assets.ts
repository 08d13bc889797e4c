import { Type, type Static } from 'typebox'
import { present } from '#core/permission.js'
import type { Entity } from '#core/port/store/entity.js'
import type { Aggregation } from '#core/program/aggregation.js'
import { changeAggregation, changeResource, changeServicePoint, createAggregation, createResource, createResources, createServicePoint, createServicePoints, oneControl } from '#core/program/manage-assets.js'
import type { Resource } from '#core/program/resource.js'
import { keptOf } from '#core/program/fail-safe.js'
import type { ServicePoint } from '#core/program/service-point.js'
import { wattsFromKW } from '#core/quantity/power.js'
import { failSafeView } from '#core/operator/fail-safe.js'
import { keepers, staff, staffAndGrid } from '#core/operator/roles.js'
import { created, ok, type OperatorRoute } from '#core/operator/route.js'
import { closed, decimal, filter, free, kW, name, oneOrMany, page, reference, text, time, version } from '#core/operator/schema.js'
import { decimalText, given, instantOf, kWOf, kWOrNull, own, pageOf, rfc3339, wattsOrNull } from '#core/operator/wire.js'

const nullableKW = Type.Optional(Type.Union([kW, Type.Null()]))
const path = Type.Array(name, { maxItems: 50 })

/** WGS 84 degrees; for maps only (UX-047). */
const place = Type.Union([closed({ latitude: Type.Number({ minimum: -90, maximum: 90 }), longitude: Type.Number({ minimum: -180, maximum: 180 }) }), Type.Null()])
export const placeOf = ({ latitude, longitude }: ServicePoint): { latitude: number; longitude: number } | null => (typeof latitude === 'number' && typeof longitude === 'number' ? { latitude, longitude } : null)
const pointFields = { location: Type.Optional(place), timeZone: Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Null()])), gridPath: Type.Optional(path), importLimit_kW: nullableKW, exportLimit_kW: nullableKW, account: Type.Optional(Type.Union([text, Type.Null()])), customerClass: Type.Optional(Type.Union([name, Type.Null()])) }
const point = closed({ name, ...pointFields })
type Point = Static<typeof point>
const pointOf = (b: Point): Omit<ServicePoint, keyof Entity> =>
  ({ name: b.name, timeZone: b.timeZone ?? null, gridPath: b.gridPath ?? [], importLimit_W: wattsOrNull(b.importLimit_kW), exportLimit_W: wattsOrNull(b.exportLimit_kW), account: b.account ?? null, customerClass: b.customerClass ?? null, latitude: b.location?.latitude ?? null, longitude: b.location?.longitude ?? null })
export const pointView = (p: ServicePoint) => ({ ...own(p), name: p.name, timeZone: p.timeZone, gridPath: p.gridPath, importLimit_kW: kWOrNull(p.importLimit_W), exportLimit_kW: kWOrNull(p.exportLimit_W), account: p.account, customerClass: p.customerClass ?? null, location: placeOf(p) })

const binding = closed({
  protocol: Type.Union([Type.Literal('openadr'), Type.Literal('ieee2030_5'), Type.Literal('ocpp')]), remoteId: Type.String({ minLength: 1, maxLength: 255 }),
  evseId: Type.Optional(Type.Integer({ minimum: 0 })), control: Type.Optional(Type.Boolean()),
})
const resourceFields = {
  servicePoint: reference, kind: name, rated_kW: kW, cost: Type.Optional(decimal), minBlock_kW: Type.Optional(kW), bindings: Type.Array(binding, { maxItems: 10 }),
  constraints: Type.Optional(free), state: Type.Optional(Type.Union([Type.Literal('active'), Type.Literal('retired')])),
}
const resource = closed({ name, ...resourceFields })
type ResourceBody = Static<typeof resource>
const resourceOf = (b: ResourceBody): Omit<Resource, keyof Entity> => ({
  name: b.name, servicePoint: b.servicePoint, kind: b.kind, rated_W: wattsFromKW(b.rated_kW), cost: decimalText(b.cost ?? '0'), minBlock_W: wattsFromKW(b.minBlock_kW ?? 0),
  bindings: oneControl(b.bindings), constraints: b.constraints ?? {}, state: b.state ?? 'active',
})
export const resourceView = (r: Resource) => ({
  ...own(r), name: r.name, servicePoint: r.servicePoint, kind: r.kind, rated_kW: kWOf(r.rated_W), cost: r.cost, minBlock_kW: kWOf(r.minBlock_W), bindings: r.bindings, constraints: r.constraints, state: r.state,
})

const member = Type.Union([reference, closed({ resource: reference, from: Type.Optional(time), to: Type.Optional(Type.Union([time, Type.Null()])) })])
const nodeFields = { hierarchy: Type.Optional(name), parent: Type.Optional(Type.Union([reference, Type.Null()])), cap_kW: nullableKW, members: Type.Optional(Type.Array(member, { maxItems: 100_000 })) }
const node = closed({ name, ...nodeFields })
type Node = Static<typeof node>
const nodeView = (a: Aggregation) => ({
  ...own(a), name: a.name, hierarchy: a.hierarchy, parent: a.parent, cap_kW: kWOrNull(a.cap_W),
  members: a.members.map((m) => ({ resource: m.resource, from: rfc3339(m.from), to: m.to === null ? null : rfc3339(m.to) })),
})
/** A member that is only named belongs from the beginning of time. */
const membersOf = (given: Node['members']): Aggregation['members'] | undefined => given?.map((m) => (typeof m === 'string' ? { resource: m, from: 0, to: null }
  : { resource: m.resource, from: m.from === undefined ? 0 : instantOf(m.from, 'utc', '/members/from'), to: m.to === undefined || m.to === null ? null : instantOf(m.to, 'utc', '/members/to') }))

const nullableW = (value: number | null | undefined): number | null | undefined => (value === undefined ? undefined : wattsOrNull(value))
const changes = ['PUT', 'PATCH'] as const
const partial = (fields: Parameters<typeof closed>[0]) => Type.Partial(closed({ name, ...fields, version }), { additionalProperties: false })

export const assetRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: 'service-points', summary: 'Service points, all or below a grid node', roles: staff, query: page({ node: filter }),
    read: async (ask) => {
      const { items, next } = await ask.core.database.stores.servicePoints.list(ask.caller.tenant, ask.query.node === undefined ? {} : { node: ask.query.node }, pageOf(ask))
      return ok({ items: items.map(pointView), next })
    } },
  { method: 'POST', path: 'service-points', summary: 'Create a service point, or an array of them: all or none', roles: keepers, body: oneOrMany(point), example: { name: 'home-1', gridPath: ['transformer-7', 'F1', 'substation-1'], importLimit_kW: 24 },
    command: async (work, ask) => {
      const b = ask.body as Point | Point[]
      if (Array.isArray(b)) return { status: 201, body: { items: (await createServicePoints(work, ask.caller, b.map(pointOf))).map(pointView) } }
      const p = await createServicePoint(work, ask.caller, pointOf(b))
      return created('service-points', p.id, pointView(p))
    } },
  { method: 'GET', path: 'service-points/:id', summary: 'One service point', roles: staff,
    read: async ({ core, caller, params }) => ok(pointView(present(await core.database.stores.servicePoints.find(caller.tenant, params.id!), 'service point', params.id!))) },
  ...changes.map((method): OperatorRoute => ({ method, path: 'service-points/:id', summary: 'Change a service point', roles: keepers, body: partial(pointFields),
    command: async (work, ask) => {
      const b = ask.body as Partial<Point>
      const change = given<ServicePoint>({ name: b.name, timeZone: b.timeZone, gridPath: b.gridPath, account: b.account, customerClass: b.customerClass, ...(b.location === undefined ? {} : { latitude: b.location?.latitude ?? null, longitude: b.location?.longitude ?? null }), importLimit_W: nullableW(b.importLimit_kW), exportLimit_W: nullableW(b.exportLimit_kW) } as never)
      return ok(pointView(await changeServicePoint(work, ask.caller, ask.params.id!, change, ask.ifVersion)))
    } })),

  { method: 'GET', path: 'resources', summary: 'Resources, all or behind a service point', roles: staff, query: page({ servicePoint: filter, kind: filter }),
    read: async (ask) => {
      const { stores } = ask.core.database, { servicePoint, kind } = ask.query
      const behind = servicePoint === undefined ? undefined : present(await stores.servicePoints.find(ask.caller.tenant, servicePoint), 'service point', servicePoint)
      const { items, next } = await stores.resources.list(ask.caller.tenant, { ...(behind ? { servicePoint: behind.id } : {}), ...(kind === undefined ? {} : { kind }) }, pageOf(ask))
      return ok({ items: items.map(resourceView), next })
    } },
  { method: 'POST', path: 'resources', summary: 'Create a resource with its protocol bindings, or an array of them: all or none', roles: keepers, body: oneOrMany(resource),
    example: { name: 'battery-1', servicePoint: 'home-1', kind: 'battery', rated_kW: 5, bindings: [{ protocol: 'openadr', remoteId: 'ven-1' }] },
    command: async (work, ask) => {
      const b = ask.body as ResourceBody | ResourceBody[]
      if (Array.isArray(b)) return { status: 201, body: { items: (await createResources(work, ask.caller, b.map(resourceOf))).map(resourceView) } }
      const r = await createResource(work, ask.caller, resourceOf(b))
      return created('resources', r.id, resourceView(r))
    }, after: ({ core }) => core.directory.forget() },
  { method: 'GET', path: 'resources/:id', summary: 'One resource', roles: staff,
    read: async ({ core, caller, params }) => {
      const { stores } = core.database, r = present(await stores.resources.find(caller.tenant, params.id!), 'resource', params.id!)
      return ok({ ...resourceView(r), failSafe: failSafeView((await keptOf(stores, caller.tenant, [r.id])).get(r.id)) })
    } },
  ...changes.map((method): OperatorRoute => ({ method, path: 'resources/:id', summary: 'Change a resource', roles: keepers, body: partial(resourceFields),
    command: async (work, ask) => {
      const b = ask.body as Partial<ResourceBody>
      const change = given<Resource>({
        name: b.name, servicePoint: b.servicePoint, kind: b.kind, rated_W: b.rated_kW === undefined ? undefined : wattsFromKW(b.rated_kW), cost: b.cost === undefined ? undefined : decimalText(b.cost),
        minBlock_W: b.minBlock_kW === undefined ? undefined : wattsFromKW(b.minBlock_kW), bindings: b.bindings && oneControl(b.bindings), constraints: b.constraints, state: b.state,
      } as never)
      return ok(resourceView(await changeResource(work, ask.caller, ask.params.id!, change, ask.ifVersion)))
    }, after: ({ core }) => core.directory.forget() })),

  { method: 'GET', path: 'aggregations', summary: 'Aggregations: feeders, market resources, test groups', roles: staffAndGrid, query: page({ hierarchy: filter, parent: filter }),
    read: async (ask) => {
      const { hierarchy, parent } = ask.query
      const { items, next } = await ask.core.database.stores.aggregations.list(ask.caller.tenant, { ...(hierarchy === undefined ? {} : { hierarchy }), ...(parent === undefined ? {} : { parent }) }, pageOf(ask))
      return ok({ items: items.map(nodeView), next })
    } },
  { method: 'POST', path: 'aggregations', summary: 'Create an aggregation, with a cap and members', roles: keepers, body: node, example: { name: 'F1', hierarchy: 'grid', cap_kW: 400, members: ['battery-1'] },
    command: async (work, ask) => {
      const b = ask.body as Node
      const a = await createAggregation(work, ask.caller, { name: b.name, hierarchy: b.hierarchy ?? 'grid', parent: b.parent ?? null, cap_W: wattsOrNull(b.cap_kW), members: membersOf(b.members) ?? [] })
      return created('aggregations', a.id, nodeView(a))
    } },
  { method: 'GET', path: 'aggregations/:id', summary: 'One aggregation', roles: staffAndGrid,
    read: async ({ core, caller, params }) => ok(nodeView(present(await core.database.stores.aggregations.find(caller.tenant, params.id!), 'aggregation', params.id!))) },
  ...changes.map((method): OperatorRoute => ({ method, path: 'aggregations/:id', summary: 'Change an aggregation', roles: keepers, body: partial(nodeFields),
    command: async (work, ask) => {
      const b = ask.body as Partial<Node>
      const change = given<Aggregation>({ name: b.name, hierarchy: b.hierarchy, parent: b.parent, cap_W: nullableW(b.cap_kW), members: membersOf(b.members) } as never)
      return ok(nodeView(await changeAggregation(work, ask.caller, ask.params.id!, change, ask.ifVersion)))
    } })),
]
