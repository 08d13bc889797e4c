import { Type, type Static } from 'typebox'
import { kinds, offerFlex, orderFlex, requestFlex, revokeFlex, standing } from '#core/flex/flex.js'
import { findNomination, moveNomination, nominate, nominationKind, type Nomination } from '#core/flex/nomination.js'
import { prognosisKind, takePrognosis, type Prognosis } from '#core/flex/prognosis.js'
import { present, seesProgram } from '#core/permission.js'
import type { Document } from '#core/port/store/document.js'
import { wattsFromKW } from '#core/quantity/power.js'
import { documents } from '#core/operator/documents.js'
import { gridOperators, staffAndGrid } from '#core/operator/roles.js'
import { created, ok, type Ask, type OperatorRoute } from '#core/operator/route.js'
import { closed, decimal, filter, page, reference, text, time, version } from '#core/operator/schema.js'
import { decimalText, endOf, instantOf, rfc3339, stamp } from '#core/operator/wire.js'

const isps = Type.Array(closed({ isp: Type.Integer(), power_kW: Type.Number() }), { minItems: 1, maxItems: 2000 })
const request = closed({ program: reference, node: Type.Optional(reference), periodStart: time, isps, expiresAt: time })
const offer = closed({ request: reference, isps, price: decimal, minActivationFactor: Type.Optional(Type.Number()), expiresAt: time })
const order = closed({ offer: reference, activationFactor: Type.Optional(Type.Number()) })

/** Times that a body holds as epoch seconds go out as RFC 3339. */
const flexView = (now: number) => (d: Document<object>) => {
  const body = standing(d.body as { periodStart?: number; expiresAt?: number; state?: string }, now)
  return { id: d.id, version: d.version, createdAt: stamp(d.createdAt), ...body, ...(body.periodStart === undefined ? {} : { periodStart: rfc3339(body.periodStart) }), ...(body.expiresAt === undefined ? {} : { expiresAt: rfc3339(body.expiresAt) }) }
}

const one = async <B extends object>(ask: Ask, kind: string, what: string) => present(await ask.core.database.stores.documents.get<B>(ask.caller.tenant, kind, ask.params.id!), what, ask.params.id!)

const nomination = closed({
  program: reference, enrolment: Type.Optional(reference), aggregation: Type.Optional(reference), start: time, end: Type.Optional(time), duration: Type.Optional(Type.String({ maxLength: 40 })), power_kW: Type.Number({ minimum: 0, maximum: 1e9 }),
  price: Type.Optional(Type.Union([decimal, Type.Null()])), expiresAt: Type.Optional(time),
})
const nominationStep = closed({ to: Type.Union([Type.Literal('accepted'), Type.Literal('withdrawn'), Type.Literal('expired')]), reason: Type.Optional(text), version })
const nominationView = (d: Document<Nomination>) => {
  const { power_W, start, end, expiresAt, ...rest } = d.body
  return { id: d.id, version: d.version, createdAt: stamp(d.createdAt), modifiedAt: stamp(d.modifiedAt), ...rest, start: rfc3339(start), end: rfc3339(end), expiresAt: rfc3339(expiresAt), power_kW: power_W / 1000 }
}

const prognosis = closed({ program: reference, servicePoint: Type.Optional(reference), start: time, kW: Type.Array(Type.Number({ minimum: -1e9, maximum: 1e9 }), { minItems: 1, maxItems: 3000 }) })
const prognosisView = (d: Document<Prognosis>) => ({ id: d.id, version: d.version, lockedAt: stamp(d.createdAt), ...d.body, start: rfc3339(d.body.start), end: rfc3339(d.sort2) })

/** Whoever is limited to programs sees the flexibility of those only (SEC-030). */
async function flexOf(ask: Ask, d: Document<object>): Promise<string | undefined> {
  const { documents } = ask.core.database.stores, b = d.body as { program?: string; request?: string }
  return b.program ?? (b.request === undefined ? undefined : (await documents.get<{ program: string }>(ask.caller.tenant, kinds.request, b.request))?.body.program)
}
async function oneFlex(ask: Ask, kind: string, what: string) {
  const d = await one<object>(ask, kind, what), program = await flexOf(ask, d)
  return present(program === undefined || seesProgram(ask.caller, program) ? d : undefined, what, ask.params.id!)
}

const reads = (path: string, kind: string, what: string, parent: string): OperatorRoute[] => [
  { method: 'GET', path, summary: `All of the ${what}s`, roles: staffAndGrid, query: page({ [parent]: filter }), 
    read: async (ask) => {
      const now = ask.core.means.clock.now(), wish = ask.query[parent]
      const of = wish !== undefined && parent === 'program' ? present(await ask.core.database.stores.programs.find(ask.caller.tenant, wish), 'program', wish).id : wish
      if (ask.caller.programs === undefined) return documents(ask, kind, flexView(now), of)
      const { items, next } = (await documents<object>(ask, kind, (d) => d, of)).body as { items: Document<object>[]; next: string | null }, mine = []
      for (const d of items) if (seesProgram(ask.caller, await flexOf(ask, d) ?? '')) mine.push(flexView(now)(d))
      return ok({ items: mine, next })
    } },
  { method: 'GET', path: `${path}/:id`, summary: `One ${what}`, roles: staffAndGrid, read: async (ask) => ok(flexView(ask.core.means.clock.now())(await oneFlex(ask, kind, what))) },
]

export const marketRoutes: readonly OperatorRoute[] = [
  ...reads('flex-requests', kinds.request, 'flex request', 'program'), ...reads('flex-offers', kinds.offer, 'flex offer', 'request'), ...reads('flex-orders', kinds.order, 'flex order', 'offer'),
  { method: 'POST', path: 'flex-requests', summary: 'A need per ISP (program interval, from 1)', roles: gridOperators, body: request,
    command: async (work, ask) => {
      const b = ask.body as Static<typeof request>, program = present(await work.stores.programs.find(ask.caller.tenant, b.program), 'program', b.program)
      const d = await requestFlex(work, ask.caller, program, { ...(b.node === undefined ? {} : { node: b.node }), periodStart: instantOf(b.periodStart, program.timeZone, '/periodStart'), isps: b.isps, expiresAt: instantOf(b.expiresAt, program.timeZone, '/expiresAt') })
      return created('flex-requests', d.id, flexView(work.clock.now())(d))
    } },
  { method: 'POST', path: 'flex-offers', summary: 'An offer with a price', roles: ['admin', 'operator', 'dispatcher'], body: offer,
    command: async (work, ask) => {
      const b = ask.body as Static<typeof offer>
      const d = await offerFlex(work, ask.caller, { request: b.request, isps: b.isps, price: decimalText(b.price), ...(b.minActivationFactor === undefined ? {} : { minActivationFactor: b.minActivationFactor }), expiresAt: instantOf(b.expiresAt, 'utc', '/expiresAt') })
      return created('flex-offers', d.id, flexView(work.clock.now())(d))
    } },
  { method: 'POST', path: 'flex-offers/:id/revoke', summary: 'Take an offer back that nobody has ordered yet', roles: ['admin', 'operator', 'dispatcher'], body: closed({ reason: Type.Optional(text) }),
    command: async (work, ask) => ok(flexView(work.clock.now())(await revokeFlex(work, ask.caller, ask.params.id!, (ask.body as { reason?: string }).reason))) },
  { method: 'GET', path: 'nominations', summary: 'Watts promised for a period by an enrolment or a portfolio', roles: staffAndGrid, query: page({ program: filter, owner: filter, state: filter }),
    read: async (ask) => {
      const { stores } = ask.core.database, { program, owner, state } = ask.query, skip = Number(ask.query.cursor ?? 0) || 0, limit = Number(ask.query.limit ?? 100)
      const of = program === undefined ? undefined : present(await stores.programs.find(ask.caller.tenant, program), 'program', program).id
      const found = await stores.documents.list<Nomination>(ask.caller.tenant, { kind: nominationKind, ...(of === undefined ? {} : { parent: of }), ...(owner === undefined ? {} : { owner }), ...(state === undefined ? {} : { where: { state } }), skip, limit: limit + 1 })
      return ok({ items: found.slice(0, limit).filter((d) => seesProgram(ask.caller, d.body.program)).map(nominationView), next: found.length > limit ? String(skip + limit) : null })
    } },
  { method: 'POST', path: 'nominations', summary: 'Promise watts for a period; with a price it is an offer to the market. It expires by itself', roles: gridOperators, body: nomination,
    command: async (work, ask) => {
      const { power_kW, start: from, end, duration, price, expiresAt, ...b } = ask.body as Static<typeof nomination>, program = present(await work.stores.programs.find(ask.caller.tenant, b.program), 'program', b.program)
      const start = instantOf(from, program.timeZone, '/start')
      const d = await nominate(work, ask.caller, {
        ...b, start, end: endOf(start, { end, duration }, program.timeZone), power_W: wattsFromKW(power_kW), price: price === undefined || price === null ? null : decimalText(price),
        expiresAt: expiresAt === undefined ? undefined : instantOf(expiresAt, program.timeZone, '/expiresAt'),
      })
      return created('nominations', d.id, nominationView(d))
    } },
  { method: 'GET', path: 'nominations/:id', summary: 'One nomination with its history', roles: staffAndGrid, read: async (ask) => ok(nominationView(await findNomination(ask.core.database, ask.caller, ask.params.id!))) },
  { method: 'POST', path: 'nominations/:id/transitions', summary: 'Accept or withdraw a nomination; accepted is a commitment', roles: gridOperators, body: nominationStep, example: { to: 'accepted' },
    command: async (work, ask) => {
      const { version: _v, ...b } = ask.body as Static<typeof nominationStep>
      return ok(nominationView(await moveNomination(work, ask.caller, ask.params.id!, { ...b, ...(ask.ifVersion === undefined ? {} : { ifVersion: ask.ifVersion }) })))
    } },
  { method: 'GET', path: 'prognoses', summary: 'Forecasts that participants gave of their own load (D-prognoses)', roles: staffAndGrid, query: page({ program: filter, servicePoint: filter }),
    read: async (ask) => {
      const { stores } = ask.core.database, { tenant } = ask.caller, { program, servicePoint } = ask.query, skip = Number(ask.query.cursor ?? 0) || 0, limit = Number(ask.query.limit ?? 100)
      const found = await stores.documents.list<Prognosis>(tenant, {
        kind: prognosisKind, skip, limit: limit + 1, ...(program === undefined ? {} : { parent: present(await stores.programs.find(tenant, program), 'program', program).id }),
        ...(servicePoint === undefined ? {} : { owner: present(await stores.servicePoints.find(tenant, servicePoint), 'service point', servicePoint).id }),
      })
      return ok({ items: found.slice(0, limit).filter((d) => seesProgram(ask.caller, d.body.program)).map(prognosisView), next: found.length > limit ? String(skip + limit) : null })
    } },
  { method: 'POST', path: 'prognoses', summary: 'Give a forecast of load, kW by program interval, before its gate closes: the baseline of a program with the method NOMINATED', roles: gridOperators, body: prognosis, example: { program: 'peak', servicePoint: 'home-1', start: '2026-07-16T16:00:00-06:00', kW: [3, 3, 2.5, 2.5] },
    command: async (work, ask) => {
      const b = ask.body as Static<typeof prognosis>, program = present(await work.stores.programs.find(ask.caller.tenant, b.program), 'program', b.program)
      const d = await takePrognosis(work, ask.caller, { ...b, program: program.id, start: instantOf(b.start, program.timeZone, '/start') })
      return created('prognoses', d.id, prognosisView(d))
    } },
  { method: 'GET', path: 'prognoses/:id', summary: 'One forecast', roles: staffAndGrid,
    read: async (ask) => {
      const d = await one<Prognosis>(ask, prognosisKind, 'prognosis')
      return ok(prognosisView(present(seesProgram(ask.caller, d.body.program) ? d : undefined, 'prognosis', ask.params.id!)))
    } },
  { method: 'POST', path: 'flex-orders', summary: 'Order an unexpired offer: it becomes dispatches', roles: gridOperators, body: order,
    command: async (work, ask) => {
      const d = await orderFlex(work, ask.caller, ask.body as Static<typeof order>)
      return created('flex-orders', d.id, flexView(work.clock.now())(d))
    } },
]
