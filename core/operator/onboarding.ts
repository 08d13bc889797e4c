import { Type, type Static } from 'typebox'
import { Refusal } from '#core/error.js'
import { createMarketResource, findMarketResource, marketResourceKind, moveMarketResource, type MarketResource } from '#core/market/market-resource.js'
import { present } from '#core/permission.js'
import type { Document } from '#core/port/store/document.js'
import { claimKind, createClaim, redeemClaim, type Claim } from '#core/program/claim.js'
import { moveKind, planMove, type Move } from '#core/program/move.js'
import { wattsFromKW } from '#core/quantity/power.js'
import { resourceView } from '#core/operator/assets.js'
import { documents } from '#core/operator/documents.js'
import { enrolmentView } from '#core/operator/enrolment.js'
import { gridOperators, keepers, staff, staffAndGrid } from '#core/operator/roles.js'
import { created, ok, type OperatorRoute } from '#core/operator/route.js'
import { closed, filter, kW, name, page, reference, text, time, version } from '#core/operator/schema.js'
import { instantOf, rfc3339, stamp } from '#core/operator/wire.js'

const claim = closed({
  program: reference, servicePoint: reference, kind: name, rated_kW: kW, protocol: Type.Optional(Type.Union([Type.Literal('ieee2030_5'), Type.Literal('openadr'), Type.Literal('ocpp')])), maker: Type.Optional(text), serial: Type.Optional(text),
  consent: Type.Optional(closed({ purpose: text, grantedAt: time })), expiresIn_s: Type.Optional(Type.Integer({ minimum: 60, maximum: 315_360_000 })),
})
const redeem = closed({ code: Type.String({ minLength: 16, maxLength: 100 }), certificate: Type.String({ minLength: 100, maxLength: 20_000 }), proof: Type.String({ minLength: 16, maxLength: 2000 }), name: Type.Optional(name) })
const claimView = (d: Document<Claim>) => {
  const { rated_W, expiresAt, usedBy, ...rest } = d.body
  return { id: d.id, version: d.version, createdAt: stamp(d.createdAt), ...rest, rated_kW: rated_W / 1000, expiresAt: stamp(expiresAt), usedBy: usedBy && { ...usedBy, at: stamp(usedBy.at) } }
}

const move = closed({
  what: Type.Union([Type.Literal('moveOut'), Type.Literal('meterChange'), Type.Literal('ownershipChange')]), at: time, reason: Type.Optional(text),
  account: Type.Optional(Type.Union([text, Type.Null()])), meterBefore: Type.Optional(text), meterAfter: Type.Optional(text),
})
const moveView = (d: Document<Move>) => ({ id: d.id, version: d.version, createdAt: stamp(d.createdAt), servicePoint: d.parent, ...d.body, at: rfc3339(d.body.at) })

const market = closed({
  name, market: name, aggregation: reference, direction: Type.Union([Type.Literal('down'), Type.Literal('up')]), capability_kW: kW, method: Type.String({ maxLength: 64 }),
  metering: closed({ intervalMinutes: Type.Integer({ minimum: 1, maximum: 60 }), level: Type.Union([Type.Literal('point'), Type.Literal('portfolio')]) }), testEvent: Type.Optional(Type.Union([reference, Type.Null()])),
})
const marketStep = closed({ to: Type.Union((['draft', 'submitted', 'accepted', 'refused', 'retired'] as const).map((s) => Type.Literal(s))), reason: Type.Optional(text), registration: Type.Optional(name), testEvent: Type.Optional(reference), version })
const marketView = (d: Document<MarketResource>) => {
  const { capability_W, ...rest } = d.body
  return { id: d.id, version: d.version, createdAt: stamp(d.createdAt), modifiedAt: stamp(d.modifiedAt), ...rest, capability_kW: capability_W / 1000 }
}

/** Claim codes for zero-touch (CORE-026), moves and meter changes (CORE-028), market registration (CORE-029). */
export const onboardingRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: 'claims', summary: 'Claim codes, without the codes', roles: keepers, query: page({ servicePoint: filter }),
    read: async (ask) => {
      const { servicePoint } = ask.query
      return documents<Claim>(ask, claimKind, claimView, servicePoint === undefined ? undefined : present(await ask.core.database.stores.servicePoints.find(ask.caller.tenant, servicePoint), 'service point', servicePoint).id)
    } },
  { method: 'POST', path: 'claims', summary: 'A claim code for a device to come; shown this once', roles: keepers, body: claim, example: { program: 'peak', servicePoint: 'home-1', kind: 'battery', rated_kW: 5 },
    command: async (work, ask) => {
      const { rated_kW, expiresIn_s = 30 * 86_400, ...b } = ask.body as Static<typeof claim>
      const { code, document } = await createClaim(work, ask.caller, { ...b, protocol: b.protocol ?? 'ieee2030_5', maker: b.maker ?? null, serial: b.serial ?? null, consent: b.consent ?? null, rated_W: wattsFromKW(rated_kW), expiresIn_s })
      return created('claims', document.id, { code, ...claimView(document) })
    } },
  { method: 'POST', path: 'claims/redeem', summary: 'A device with a known certificate and a claim code enrols itself as far as the rules pass; `proof` = its signature (base64, SHA-256) over "loadstone-claim\\nCODE\\nLFDI"', roles: ['admin', 'operator', 'vendor'], body: redeem,
    command: async (work, ask) => {
      const { devices } = ask.core
      if (!devices) throw new Refusal('unavailable', 'this server accepts no device certificates')
      const b = ask.body as Static<typeof redeem>
      const { resource, enrolment, failing } = await redeemClaim(work, ask.caller, { code: b.code, device: await devices(b.certificate), proof: b.proof, ...(b.name === undefined ? {} : { name: b.name }) })
      return { status: 201, location: `/api/v1/enrolments/${enrolment.id}`, body: { resource: resourceView(resource), enrolment: enrolmentView(enrolment), failing } }
    }, after: ({ core }) => core.directory.forget() },
  { method: 'GET', path: 'service-points/:id/moves', summary: 'Moves, meter and ownership changes of a service point', roles: staff, query: page({}),
    read: async (ask) => documents<Move>(ask, moveKind, moveView, present(await ask.core.database.stores.servicePoints.find(ask.caller.tenant, ask.params.id!), 'service point', ask.params.id!).id) },
  { method: 'POST', path: 'service-points/:id/moves', summary: 'Move out, new meter or new owner at an instant: ends the enrolments then; history stays with the old account', roles: keepers, body: move,
    command: async (work, ask) => {
      const b = ask.body as Static<typeof move>, point = present(await work.stores.servicePoints.find(ask.caller.tenant, ask.params.id!), 'service point', ask.params.id!)
      const d = await planMove(work, ask.caller, point.id, {
        what: b.what, at: instantOf(b.at, point.timeZone ?? 'utc', '/at'), reason: b.reason ?? '', ...(b.account === undefined ? {} : { account: b.account }), ...(b.meterBefore === undefined ? {} : { meterBefore: b.meterBefore }), ...(b.meterAfter === undefined ? {} : { meterAfter: b.meterAfter }),
      })
      return { status: 201, body: moveView(d) }
    } },
  { method: 'GET', path: 'market-resources', summary: 'Portfolios as markets know them', roles: staffAndGrid, query: page({ state: filter }), read: async (ask) => documents<MarketResource>(ask, marketResourceKind, marketView, undefined, ask.query.state === undefined ? undefined : { state: ask.query.state }) },
  { method: 'POST', path: 'market-resources', summary: 'Declare an aggregation as a market resource (draft)', roles: keepers, body: market, example: { name: 'PEAK_1', market: 'demo', aggregation: 'F1', direction: 'down', capability_kW: 5, method: 'CAISO_10IN10', metering: { intervalMinutes: 15, level: 'portfolio' } },
    command: async (work, ask) => {
      const { capability_kW, ...b } = ask.body as Static<typeof market>
      const d = await createMarketResource(work, ask.caller, { ...b, capability_W: wattsFromKW(capability_kW), testEvent: b.testEvent ?? null })
      return created('market-resources', d.id, marketView(d))
    } },
  { method: 'GET', path: 'market-resources/:id', summary: 'One market resource with its history', roles: staffAndGrid, read: async (ask) => ok(marketView(await findMarketResource(ask.core.database, ask.caller.tenant, ask.params.id!))) },
  { method: 'POST', path: 'market-resources/:id/transitions', summary: 'Submit, accept, refuse, retire (CORE-029)', roles: [...new Set([...keepers, ...gridOperators])], body: marketStep,
    command: async (work, ask) => {
      const { version: _v, ...b } = ask.body as Static<typeof marketStep>
      return ok(marketView(await moveMarketResource(work, ask.caller, ask.params.id!, { ...b, ...(ask.ifVersion === undefined ? {} : { ifVersion: ask.ifVersion }) })))
    } },
]
