import { Type, type Static } from 'typebox'
import { note } from '#core/audit/note.js'
import type { Availability } from '#core/availability/availability.js'
import { availabilityFaults } from '#core/availability/declare.js'
import { portfolioAvailability } from '#core/availability/portfolio-availability.js'
import { Refusal } from '#core/error.js'
import { kind as optOutKind, optIn, optOut, type OptOut } from '#core/opt-out/opt-out.js'
import { present } from '#core/permission.js'
import type { Document } from '#core/port/store/document.js'
import { every } from '#core/port/store/every.js'
import type { Stores } from '#core/port/store/index.js'
import { belowNode } from '#core/stop/stop.js'
import { dispatchers, staff, staffAndGrid } from '#core/operator/roles.js'
import { created, ok, type OperatorRoute } from '#core/operator/route.js'
import { closed, filter, kW, page, reference, text, time } from '#core/operator/schema.js'
import { fromOf, instantOf, rfc3339, stamp, toOf } from '#core/operator/wire.js'

const watts = Type.Integer({ minimum: 0, maximum: 1e12 })
const row = closed({
  resource: reference, start: time, end: time, down_W: Type.Optional(watts), up_W: Type.Optional(watts), down_kW: Type.Optional(kW), up_kW: Type.Optional(kW),
  expected_W: Type.Optional(Type.Integer()), source: Type.Optional(Type.String({ maxLength: 100 })),
})
const many = Type.Union([row, closed({ availability: Type.Array(row, { minItems: 1, maxItems: 100_000 }) })])
type Row = Static<typeof row>

const out = closed({ resource: reference, from: Type.Optional(time), to: Type.Optional(Type.Union([time, Type.Null()])), reason: text })
const optOutView = (d: Document<OptOut>) => ({
  id: d.id, version: d.version, createdAt: stamp(d.createdAt), resource: d.body.resource, from: rfc3339(d.body.from), to: d.body.to === null ? null : rfc3339(d.body.to), reason: d.body.reason, source: d.body.source,
})

/** A portfolio is a node of a hierarchy (its members and what lies below it) or a program (its active enrolments). */
async function membersOf(stores: Stores, tenant: string, portfolio: string): Promise<string[]> {
  const node = await stores.aggregations.find(tenant, portfolio)
  if (node === undefined) {
    const program = present(await stores.programs.find(tenant, portfolio), 'portfolio', portfolio)
    const points = (await every((p) => stores.enrolments.list(tenant, { program: program.id, state: 'active' }, p))).map((e) => e.servicePoint)
    return points.length === 0 ? [] : (await every((p) => stores.resources.list(tenant, { servicePoints: points }, p), 20_000)).filter((r) => r.state === 'active').map((r) => r.id)
  }
  const resources = (await every((p) => stores.resources.list(tenant, {}, p), 20_000)).filter((r) => r.state === 'active')
  const below = await belowNode(stores, tenant, node.name, resources.map((r) => r.id))
  return resources.filter((r) => below.has(r.id)).map((r) => r.id)
}

export const availabilityRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: 'availability', summary: 'What is believed now about a resource', roles: staffAndGrid, query: closed({ resource: Type.Optional(reference), portfolio: Type.Optional(reference), from: Type.Optional(time), to: Type.Optional(time), limit: Type.Optional(Type.Integer()), cursor: Type.Optional(Type.String()) }),
    read: async (ask) => {
      const { stores } = ask.core.database, { tenant } = ask.caller
      if (ask.query.portfolio !== undefined) {
        const members = await membersOf(stores, tenant, ask.query.portfolio), now = ask.core.means.clock.now(), window = { start: ask.query.from === undefined ? now : fromOf(ask), end: ask.query.to === undefined ? now + 86_400 : toOf(ask) }
        const beliefs = await stores.availability.believed(tenant, members, window.start, window.end, ask.core.means.clock.nowMs())
        return ok({ items: portfolioAvailability(beliefs, members, window).map((i) => ({ ...i, start: rfc3339(i.start), end: rfc3339(i.end) })), next: null })
      }
      if (ask.query.resource === undefined) throw new Refusal('invalid', 'a resource or a portfolio is needed', { faults: [{ path: '/resource', reason: 'is missing' }] })
      const r = present(await stores.resources.find(tenant, ask.query.resource), 'resource', ask.query.resource)
      const rows = await stores.availability.believed(tenant, [r.id], fromOf(ask), toOf(ask), ask.core.means.clock.nowMs())
      return ok({ items: rows.map((a) => ({ resource: r.id, start: rfc3339(a.start), end: rfc3339(a.end), down_W: a.down_W, up_W: a.up_W, expected_W: a.expected_W ?? null, source: a.source, issuedAt: stamp(a.issuedAt) })), next: null })
    } },
  { method: 'POST', path: 'availability', summary: 'Declare what a resource can give; later beliefs win, earlier ones are kept', roles: dispatchers, body: many,
    example: { resource: 'battery-1', start: '2026-07-15T00:00:00Z', end: '2026-07-17T00:00:00Z', down_W: 5000, up_W: 5000, expected_W: 0 },
    command: async (work, ask) => {
      const { tenant, user } = ask.caller, b = ask.body as Row | { availability: Row[] }, rows: Availability[] = []
      for (const r of 'availability' in b ? b.availability : [b]) {
        const resource = present(await work.stores.resources.find(tenant, r.resource), 'resource', r.resource).id
        rows.push({
          resource, start: instantOf(r.start, 'utc', '/start'), end: instantOf(r.end, 'utc', '/end'), down_W: r.down_W ?? Math.round((r.down_kW ?? 0) * 1000), up_W: r.up_W ?? Math.round((r.up_kW ?? 0) * 1000),
          ...(r.expected_W === undefined ? {} : { expected_W: r.expected_W }), source: r.source ?? `operator:${user}`, issuedAt: work.clock.nowMs(),
        })
      }
      const faults = rows.flatMap(availabilityFaults)
      if (faults.length > 0) throw new Refusal('invalid', 'availability cannot be stored', { faults })
      // one record for the batch, with its hash; the belief itself is kept for ever (CORE-030)
      const about = [...new Set(rows.map((r) => r.resource))]
      await note(work, ask.caller, [{ action: 'availability.declare', entity: about.length === 1 ? about[0]! : 'availability', reason: `${rows.length} intervals of ${about.length} resources`, after: rows }])
      await work.stores.availability.declare(tenant, rows)
      return { status: 201, body: { accepted: rows.length } }
    } },
  { method: 'GET', path: 'opt-outs', summary: 'Who refuses to take part, and until when', roles: staff, query: page({ resource: filter }),
    read: async (ask) => {
      const { stores } = ask.core.database, { tenant } = ask.caller, { resource } = ask.query
      const parent = resource === undefined ? undefined : present(await stores.resources.find(tenant, resource), 'resource', resource).id
      const skip = Number(ask.query.cursor ?? 0) || 0, limit = Number(ask.query.limit ?? 100)
      const found = await stores.documents.list<OptOut>(tenant, { kind: optOutKind, ...(parent === undefined ? {} : { parent }), skip, limit: limit + 1 })
      return ok({ items: found.slice(0, limit).map(optOutView), next: found.length > limit ? String(skip + limit) : null })
    } },
  { method: 'POST', path: 'opt-outs', summary: 'A participant refuses for a period', roles: dispatchers, body: out, example: { resource: 'battery-1', from: '2026-12-24T00:00:00Z', to: '2026-12-27T00:00:00Z', reason: 'holiday' },
    command: async (work, ask) => {
      const b = ask.body as Static<typeof out>
      const resource = present(await work.stores.resources.find(ask.caller.tenant, b.resource), 'resource', b.resource)
      const from = b.from === undefined ? work.clock.now() : instantOf(b.from, 'utc', '/from'), to = b.to === undefined || b.to === null ? null : instantOf(b.to, 'utc', '/to')
      const d = await optOut(work, ask.caller, { resource: resource.id, from, to, reason: b.reason, source: 'app' })
      return created('opt-outs', d.id, optOutView(d))
    } },
  { method: 'GET', path: 'opt-outs/:id', summary: 'One opt-out', roles: staff,
    read: async ({ core, caller, params }) => ok(optOutView(present(await core.database.stores.documents.get<OptOut>(caller.tenant, optOutKind, params.id!), 'opt-out', params.id!))) },
  { method: 'DELETE', path: 'opt-outs/:id', summary: 'Opt back in from now on', roles: dispatchers, command: async (work, ask) => ok(optOutView(await optIn(work, ask.caller, ask.params.id!))) },
]
