import '@fastify/swagger'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '#core/caller.js'
import { Refusal } from '#core/error.js'
import type { DocumentStore } from '#core/port/store/document.js'
import { equipmentRoutes } from './operator-equipment.js'
import type { NewStation, StationChange } from './provision.js'
import type { Csms } from './csms.js'
import type { Station } from './station.js'
import { stationPage, transactionView, view } from './station-page.js'
import type { Transaction } from './transaction.js'
import type { TokenRecord } from './tokens.js'

export interface OperatorNeeds {
  readonly csms: Csms
  readonly documents: DocumentStore
  /** Who asks; the operator door has authenticated the request. */
  callerOf(request: FastifyRequest): Caller
  /** Throws `forbidden` unless the caller may change stations (`write`) or look at them. */
  permit(caller: Caller, right: 'read' | 'write'): void
  /** URL a station of that security profile connects to. */
  urlOf(profile: number, identity: string): string
}

/** The operator door's own error form; `kind` names its page of advice. */
const problem = (request: FastifyRequest, reply: FastifyReply, status: number, kind: string, title: string, detail: string, more: object = {}): FastifyReply =>
  reply.code(status).type('application/problem+json').send({ type: `/errors/${kind}`, title, status, detail, instance: request.url.split('?')[0], ...more })

const newStationSchema = {
  type: 'object', required: ['id', 'securityProfile'], additionalProperties: false,
  properties: {
    id: { type: 'string', minLength: 1, maxLength: 48 }, securityProfile: { type: 'integer', minimum: 0, maximum: 3 }, password: { type: 'string', minLength: 16, maxLength: 64 },
    serialNumber: { type: 'string', maxLength: 25 }, approved: { type: 'boolean' },
    settings: {
      type: 'object', additionalProperties: false,
      properties: {
        voltage: { type: 'number', exclusiveMinimum: 0 }, phases: { type: 'integer', minimum: 1, maximum: 3 }, normalLimit_W: { type: 'integer', minimum: 0 },
        site: { type: 'string', minLength: 1, maxLength: 100 }, siteLimit_W: { type: 'integer', minimum: 0 },
        tariff: { type: 'string', minLength: 1, maxLength: 100 }, localController: { type: 'boolean' }, factoryCredentials: { type: 'boolean' },
        quirks: { type: 'object', additionalProperties: false, properties: { noPause: { type: 'boolean' }, onlyAmperes: { type: 'boolean' }, noMaxProfile: { type: 'boolean' } } },
        legacyKey: { type: 'boolean' }, dropNulls: { type: 'boolean' }, acceptExpired: { type: 'boolean' },
        versions: { type: 'array', minItems: 1, items: { type: 'string', enum: ['1.6', '2.0.1', '2.1'] } },
      },
    },
  },
} as const

/** The station routes of the operator API (contract §6), under the door's prefix. */
export function operatorRoutes({ csms, documents, callerOf, permit, urlOf }: OperatorNeeds) {
  async function stationOf(request: FastifyRequest): Promise<{ station: Station; caller: Caller }> {
    const caller = callerOf(request)
    permit(caller, 'read')
    const station = await csms.fleet.find(caller.tenant, (request.params as { id: string }).id)
    if (!station) throw new Refusal('notFound', 'no such station')
    return { station, caller }
  }

  return async (app: FastifyInstance): Promise<void> => {
    app.post('/stations', { schema: { tags: ['stations'], summary: 'Make stations; answers their URL and, once, their password', body: { anyOf: [newStationSchema, { type: 'array', minItems: 1, maxItems: 1000, items: newStationSchema }] } } }, async (request, reply) => {
      const caller = callerOf(request)
      permit(caller, 'write')
      const many = Array.isArray(request.body)
      const given = (many ? request.body : [request.body]) as NewStation[]
      if (given.some((s) => s.securityProfile === 0)) throw new Refusal('invalid', 'security profile 0 is for development only', { faults: [{ path: '/securityProfile', reason: '1, 2 or 3' }] })
      for (const { id } of given) if (await csms.fleet.find(caller.tenant, id)) throw new Refusal('conflict', `station ${id} exists`)
      const made = await csms.provision.add(caller.tenant, given)
      const answers = made.map((m, i) => ({ ...m, version: 1, securityProfile: given[i]?.securityProfile, url: urlOf(given[i]?.securityProfile ?? 2, m.id) }))
      reply.code(201)
      if (!many) reply.header('Location', `${request.url.split('?')[0]}/${encodeURIComponent(answers[0]?.id ?? '')}`)
      return many ? { items: answers, next: null } : answers[0]
    })

    app.get('/stations', { schema: { tags: ['stations'], summary: 'Stations' } }, async (request) => {
      const caller = callerOf(request)
      permit(caller, 'read')
      const { limit, cursor } = request.query as { limit?: string; cursor?: string }
      const most = Math.min(1000, Math.max(1, Number(limit ?? 100) || 100)), skip = Math.max(0, Number(cursor ?? 0) || 0)
      const stored = await documents.list(caller.tenant, { kind: 'csms/Station', order: ['id'], skip, limit: most + 1 })
      const stations = await Promise.all(stored.slice(0, most).map((d) => csms.fleet.find(caller.tenant, d.id)))
      return { items: stations.filter((s) => s !== undefined).map(view), next: stored.length > most ? String(skip + most) : null }
    })

    app.get('/stations/:id', { schema: { tags: ['stations'], summary: 'One station: state, profiles, transactions, last frames' } }, async (request) => {
      const { station } = await stationOf(request)
      return await csms.viewElsewhere(station.tenant, station.identity) ?? stationPage(station, csms.recorder)
    })

    app.get('/stations/:id/transactions', { schema: { tags: ['stations'] } }, async (request) => {
      const { station, caller } = await stationOf(request)
      const stored = await documents.list<Transaction>(caller.tenant, { kind: 'csms/Transaction', parent: station.identity, order: ['-sort1'], limit: 100 })
      return { items: stored.map((d) => transactionView(d.body)), next: null }
    })

    app.get('/stations/:id/variables', { schema: { tags: ['stations'] } }, async (request) => {
      const { station } = await stationOf(request)
      // OCPP-096: write-only values are never shown.
      const items = [...station.variables?.values() ?? []].map((v) => ({
        ...v, attributes: Object.fromEntries(Object.entries(v.attributes).map(([type, { value, ...a }]) => [type, a.mutability === 'WriteOnly' || value === undefined ? a : { ...a, value }])),
      }))
      return { items, next: null }
    })

    app.post('/stations/:id/approve', { schema: { tags: ['stations'], summary: 'Let unknown hardware in, or refuse it', body: { type: 'object', required: ['verdict'], properties: { verdict: { enum: ['accepted', 'rejected'] } } } } }, async (request) => {
      const { station, caller } = await stationOf(request)
      permit(caller, 'write')
      return csms.change(caller.tenant, station.identity, request.body as { verdict: 'accepted' | 'rejected' })
    })

    app.patch('/stations/:id', { schema: { tags: ['stations'], summary: 'Change settings or the password of a station', body: { type: 'object', additionalProperties: false, minProperties: 1, properties: { settings: newStationSchema.properties.settings, password: newStationSchema.properties.password } } } }, async (request) => {
      const { station, caller } = await stationOf(request)
      permit(caller, 'write')
      return csms.change(caller.tenant, station.identity, request.body as StationChange)
    })

    await app.register(equipmentRoutes({ csms, documents, callerOf, permit, urlOf, stationOf }))

    app.post('/stations/:id/ocpp/:action', { schema: { tags: ['stations'], summary: 'Send any CSMS-initiated message; the answer is the station\'s payload' } }, async (request, reply) => {
      const { station, caller } = await stationOf(request)
      permit(caller, 'write')
      const { action } = request.params as { action: string }
      const result = await csms.command(station.identity, action, request.body ?? {}, caller.tenant, { force: (request.query as { force?: string }).force === 'true' })
      switch (result.kind) {
        case 'answered': return result.payload
        case 'refused': return problem(request, reply, 422, 'invalid', 'The message is refused', result.checks.map((c) => c.detail).join('; '), { checks: result.checks })
        case 'offline': return problem(request, reply, 409, 'conflict', 'The station is offline', `${station.identity} is not connected; nothing was sent`)
        case 'callError': return reply.code(502).send({ code: result.code, description: result.description, details: result.details })
        case 'silent': return problem(request, reply, 504, 'unavailable', 'The station did not answer', `${station.identity} got the message and was silent; what it did is not known`)
        case 'unknownAction': case 'unknownStation': return problem(request, reply, 404, 'notFound', 'There is no such thing', result.kind === 'unknownAction' ? `no message '${action}' goes to a station` : 'no such station')
      }
    })

    app.get('/id-tokens', { schema: { tags: ['stations'], summary: 'Identification tokens of drivers' } }, async (request) => {
      const caller = callerOf(request)
      permit(caller, 'read')
      return { items: await csms.tokens.list(caller.tenant), next: null }
    })

    app.post('/id-tokens', { schema: { tags: ['stations'] } }, async (request, reply) => {
      const caller = callerOf(request)
      permit(caller, 'write')
      const given = (Array.isArray(request.body) ? request.body : [request.body]) as TokenRecord[]
      const bad = given.findIndex((t) => typeof t?.idToken !== 'string' || t.idToken.length < 1 || t.idToken.length > 255 || typeof t.type !== 'string' || typeof t.status !== 'string')
      if (bad >= 0) throw new Refusal('invalid', 'an id token needs idToken, type and status', { faults: [{ path: `/${bad}`, reason: 'idToken, type, status' }] })
      await csms.tokens.put(caller.tenant, given)
      return reply.code(201).send({ items: given, next: null })
    })
  }
}
