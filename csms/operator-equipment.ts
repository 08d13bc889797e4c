import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '#core/caller.js'
import { Refusal } from '#core/error.js'
import { derMessages, type DerOrder } from './der-control.js'
import type { Walk } from './network-walk.js'
import type { OperatorNeeds } from './operator.js'
import { stackLevel } from './smart-charging/purpose.js'
import { capabilityOf, profileFloor } from './smart-charging/capability.js'
import { freeId } from './smart-charging/ledger.js'
import type { Station } from './station.js'
import type { Tariff } from './tariff.js'

const price = { type: 'string', pattern: '^\\d{1,12}(\\.\\d{1,8})?$' } as const
const tariffSchema = {
  type: 'object', required: ['name', 'currency'], additionalProperties: false,
  properties: { name: { type: 'string', minLength: 1, maxLength: 100 }, currency: { type: 'string', pattern: '^[A-Z]{3}$' }, perKWh: price, perHour: price, perSession: price, text: { type: 'string', maxLength: 512 }, language: { type: 'string', maxLength: 8 } },
} as const
const firmwareSchema = {
  type: 'object', required: ['location', 'retrieveDateTime'], additionalProperties: false,
  properties: { location: { type: 'string', maxLength: 512 }, retrieveDateTime: { type: 'string', format: 'date-time' }, installDateTime: { type: 'string', format: 'date-time' }, signingCertificate: { type: 'string', maxLength: 5500 }, signature: { type: 'string', maxLength: 800 } },
} as const

/** Operations on the equipment itself that are more than one message: logs, firmware, tariffs, the network walk, DER modes. */
export function equipmentRoutes({ csms, callerOf, permit, urlOf, stationOf }: OperatorNeeds & { stationOf(request: FastifyRequest): Promise<{ station: Station; caller: Caller }> }) {
  async function mine(request: FastifyRequest): Promise<{ station: Station; caller: Caller }> {
    const found = await stationOf(request)
    permit(found.caller, 'write')
    return found
  }
  const writer = (request: FastifyRequest, right: 'read' | 'write'): Caller => {
    const caller = callerOf(request)
    permit(caller, right)
    return caller
  }

  return async (app: FastifyInstance): Promise<void> => {
    app.post('/stations/:id/logs', { schema: { tags: ['stations'], summary: 'Have a log uploaded to us (GetLog, 1.6 GetDiagnostics)', body: { type: 'object', additionalProperties: false, properties: { logType: { enum: ['DiagnosticsLog', 'SecurityLog'] } } } } }, async (request, reply: FastifyReply) => {
      const { station, caller } = await mine(request)
      const place = await csms.uploads.open(caller.tenant, station.identity)
      const url = new URL(urlOf(station.profileInUse === 1 ? 1 : 2, station.identity).replace(/^ws/, 'http'))
      Object.assign(url, { pathname: place.path, username: encodeURIComponent(place.user), password: place.password })
      const { logType = 'DiagnosticsLog' } = (request.body ?? {}) as { logType?: string }
      const requestId = (station.record.counters.request += 1), old = station.session.version === '1.6' && logType === 'DiagnosticsLog'
      const result = await csms.command(station.identity, old ? 'GetDiagnostics' : 'GetLog', old ? { location: url.href } : { logType, requestId, log: { remoteLocation: url.href } }, caller.tenant)
      if (result.kind !== 'answered') throw new Refusal('unavailable', `the station did not take it: ${result.kind}`)
      return reply.code(202).send({ id: place.id, requestId, ...result.payload })
    })
    app.get('/stations/:id/logs', { schema: { tags: ['stations'], summary: 'Logs that were asked for, and those that came' } }, async (request) => {
      const { station, caller } = await stationOf(request)
      const items = (await csms.uploads.list(caller.tenant, station.identity)).map(({ password: _, ...upload }) => upload)
      return { items, next: null }
    })
    app.get('/stations/:id/logs/:log', { schema: { tags: ['stations'], summary: 'A log as it came' } }, async (request, reply: FastifyReply) => {
      const { station, caller } = await stationOf(request)
      const body = await csms.uploads.read(caller.tenant, station.identity, (request.params as { log: string }).log)
      if (!body) throw new Refusal('notFound', 'no such log')
      return reply.type('application/octet-stream').header('Content-Disposition', 'attachment').send(Buffer.from(body))
    })
    app.get('/stations/:id/customer-information', { schema: { tags: ['stations'], summary: 'What the station told of customers, for 30 days; personal' } }, async (request) => {
      const { station } = await mine(request)
      return { items: await csms.customers.read(station), next: null }
    })
    app.post('/stations/:id/network-profile', { schema: { tags: ['stations'], summary: 'To a higher security profile, or to another CSMS', body: {
      type: 'object', required: ['ocppCsmsUrl', 'securityProfile'], additionalProperties: false,
      properties: { ocppCsmsUrl: { type: 'string', maxLength: 512 }, securityProfile: { type: 'integer', minimum: 1, maximum: 3 }, messageTimeout: { type: 'integer', minimum: 5 }, ocppInterface: { type: 'string', maxLength: 20 }, migrate: { type: 'boolean' } },
    } } }, async (request) => {
      const { station, caller } = await mine(request)
      return csms.walk(caller.tenant, station.identity, request.body as Walk)
    })
    app.post('/stations/:id/opt-out', { schema: { tags: ['stations'], summary: 'A customer leaves the events at an EVSE, for the running transaction', body: { type: 'object', required: ['evseId'], additionalProperties: false, properties: { evseId: { type: 'integer', minimum: 1 }, reason: { type: 'string', maxLength: 200 } } } } }, async (request) => {
      const { station, caller } = await mine(request), { evseId, reason = 'customer override' } = request.body as { evseId: number; reason?: string }
      return { optedOut: await csms.optOut(caller.tenant, station.identity, evseId, reason) }
    })
    app.get('/stations/:id/local-list', { schema: { tags: ['stations'], summary: 'The local authorization list as the station took it' } }, async (request) => csms.command.localLists.held((await stationOf(request)).station))
    app.post('/stations/:id/der-controls', { schema: { tags: ['stations'], summary: 'DER modes of IEEE 2030.5 to a 2.1 station', body: {
      type: 'object', required: ['id', 'modes'], properties: { id: { type: 'string', maxLength: 36 }, evseId: { type: 'integer', minimum: 0 }, rated_W: { type: 'number', minimum: 0 }, isDefault: { type: 'boolean' }, priority: { type: 'integer', minimum: 0 }, start: { type: 'integer' }, duration: { type: 'integer', minimum: 1 }, modes: { type: 'object' } },
    } } }, async (request) => {
      const { station, caller } = await mine(request), body = request.body as Partial<DerOrder> & { id: string; modes: DerOrder['modes']; evseId?: number; rated_W?: number }
      const messages = derMessages({ isDefault: false, priority: 0, ...body }, {
        evseId: body.evseId ?? 1, rated_W: body.rated_W ?? 22_000, profileId: freeId(station.ledger, profileFloor(station)), stackLevel: stackLevel('event', capabilityOf(station, 3).stackLevel),
      })
      const items = []
      for (const { action, payload } of messages) items.push({ action, payload, result: await csms.command(station.identity, action, payload, caller.tenant) })
      return { items, next: null }
    })

    app.get('/tariffs', { schema: { tags: ['stations'], summary: 'Tariffs of drivers' } }, async (request) => ({ items: await csms.tariffs.list(writer(request, 'read').tenant), next: null }))
    app.post('/tariffs', { schema: { tags: ['stations'], summary: 'Make or change a tariff', body: tariffSchema } }, async (request, reply: FastifyReply) => {
      await csms.tariffs.put(writer(request, 'write').tenant, request.body as Tariff)
      return reply.code(201).send(request.body)
    })
    app.get('/firmware-campaigns', { schema: { tags: ['stations'], summary: 'Firmware campaigns' } }, async (request) => ({ items: await csms.campaigns.list(writer(request, 'read').tenant), next: null }))
    app.post('/firmware-campaigns', { schema: { tags: ['stations'], summary: 'New firmware for many stations, canaries first', body: {
      type: 'object', required: ['firmware', 'stations'], additionalProperties: false, properties: { firmware: firmwareSchema, stations: { type: 'array', minItems: 1, maxItems: 100_000, items: { type: 'string' } } },
    } } }, async (request, reply: FastifyReply) => {
      const { firmware, stations } = request.body as { firmware: object; stations: string[] }
      return reply.code(201).send(await csms.campaigns.start(writer(request, 'write').tenant, firmware, stations))
    })
  }
}
