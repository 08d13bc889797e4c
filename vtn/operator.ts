import '@fastify/swagger'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Caller } from '#core/caller.js'
import { Refusal } from '#core/error.js'
import type { NewClient } from '#vtn/client.js'
import type { Vtn } from '#vtn/server.js'
import type { DeliveryRecord } from '#vtn/webhook/record.js'

export interface OperatorNeeds {
  readonly vtn: Vtn
  /** Who asks; the operator door has authenticated the request. */
  callerOf(request: FastifyRequest): Caller
  /** Throws `forbidden` unless the caller may change OpenADR clients and webhooks (`write`) or look at them. */
  permit(caller: Caller, right: 'read' | 'write'): void
}

const newClient = {
  type: 'object', required: ['clientID', 'role'], additionalProperties: false,
  properties: { clientID: { type: 'string', minLength: 1, maxLength: 128 }, role: { type: 'string', enum: ['BL', 'VEN'] }, clientSecret: { type: 'string', minLength: 12, maxLength: 4096 }, scopes: { type: 'array', items: { type: 'string' } } },
}
const page = { skip: { type: 'integer', minimum: 0, default: 0 }, limit: { type: 'integer', minimum: 1, maximum: 500, default: 50 } }
const states: readonly DeliveryRecord['state'][] = ['delivered', 'failed', 'retrying', 'dropped']

/** OpenADR clients, webhook receivers and price programs on the operator's door (`/api/v1/openadr/…`). */
export function operatorRoutes(needs: OperatorNeeds): (app: FastifyInstance) => Promise<void> {
  return async (app) => { clientRoutes(app, needs); webhookRoutes(app, needs) }
}

const tags = ['openadr']

function clientRoutes(app: FastifyInstance, needs: OperatorNeeds): void {
  const { vtn } = needs
  const may = (request: FastifyRequest, right: 'read' | 'write'): void => needs.permit(needs.callerOf(request), right)

  app.get<{ Querystring: { skip: number; limit: number } }>('/openadr/clients', { schema: { tags, summary: 'stored OpenADR clients', querystring: { type: 'object', properties: page } } }, async (request) => {
    may(request, 'read')
    return { items: await vtn.clients.list(request.query.skip, request.query.limit), next: null }
  })
  app.post<{ Body: NewClient | NewClient[] }>('/openadr/clients', { schema: { tags, summary: 'make clients; the secrets are shown once', body: { anyOf: [newClient, { type: 'array', items: newClient, minItems: 1, maxItems: 5000 }] } } }, async (request, reply) => {
    may(request, 'write')
    const many = Array.isArray(request.body), made = await vtn.clients.add(many ? request.body as NewClient[] : [request.body as NewClient])
    return reply.code(201).send(many ? { items: made } : made[0])
  })
  app.post<{ Params: { clientID: string } }>('/openadr/clients/:clientID/rotate', { schema: { tags, summary: 'a new secret; tokens of the old one end' } }, async (request) => {
    may(request, 'write')
    return vtn.clients.rotate(request.params.clientID)
  })
  app.delete<{ Params: { clientID: string } }>('/openadr/clients/:clientID', { schema: { tags, summary: 'remove a client; its tokens end' } }, async (request, reply) => {
    may(request, 'write')
    if (!await vtn.clients.remove(request.params.clientID)) throw new Refusal('notFound', 'no such stored client')
    return reply.code(204).send()
  })
}

function webhookRoutes(app: FastifyInstance, needs: OperatorNeeds): void {
  const { vtn } = needs
  const may = (request: FastifyRequest, right: 'read' | 'write'): void => needs.permit(needs.callerOf(request), right)

  app.get('/openadr/mqtt-acl', { schema: { tags, summary: 'acl_file of an external Mosquitto, from the vens registered now', produces: ['text/plain'] } }, async (request, reply) => {
    may(request, 'read')
    const lines = await vtn.mqttAcl()
    if (lines === undefined) throw new Refusal('notFound', 'the embedded broker needs no ACL file; set LOADSTONE_MQTT_URL to use another one')
    return reply.type('text/plain; charset=utf-8').send(lines)
  })

  app.get<{ Params: { event: string } }>('/openadr/events/:event/reports', { schema: { tags, summary: 'per VEN, which reports of an event are due, received, late (OA-186)' } }, async (request) => {
    may(request, 'read')
    const items = await vtn.reportsDue(request.params.event)
    if (!items) throw new Refusal('notFound', 'no such event')
    return { items, next: null }
  })
  app.get('/openadr/webhook-endpoints', { schema: { tags, summary: 'receivers that fail or are broken' } }, async (request) => {
    may(request, 'read')
    return { items: await vtn.webhooks.endpoints(), next: null }
  })
  app.post<{ Params: { subscription: string } }>('/openadr/webhook-endpoints/:subscription/mend', { schema: { tags, summary: 'try a broken receiver again' } }, async (request, reply) => {
    may(request, 'write')
    await vtn.webhooks.mend(request.params.subscription)
    return reply.code(204).send()
  })
  app.get<{ Querystring: { skip: number; limit: number; subscription?: string; state?: DeliveryRecord['state'] } }>('/openadr/webhook-deliveries', {
    schema: { tags, summary: 'delivery log, newest first', querystring: { type: 'object', properties: { ...page, subscription: { type: 'string' }, state: { type: 'string', enum: states } } } },
  }, async (request) => {
    may(request, 'read')
    const { skip, limit, ...where } = request.query
    return { items: await vtn.webhooks.deliveries(where, skip, limit), next: null }
  })
  app.post<{ Params: { id: string } }>('/openadr/webhook-deliveries/:id/resend', { schema: { tags, summary: 'send the same bytes again' } }, async (request, reply) => {
    may(request, 'write')
    return reply.code(202).send(await vtn.webhooks.resend(request.params.id))
  })
  app.post<{ Body: { program: string; currency: string; name: string; csv: string } }>('/openadr/prices', {
    schema: {
      tags, summary: 'day-ahead prices as one PRICE event', body: {
        type: 'object', required: ['program', 'currency', 'name', 'csv'], additionalProperties: false,
        properties: { program: { type: 'string', minLength: 1, maxLength: 128 }, currency: { type: 'string', pattern: '^[A-Z]{3}$' }, name: { type: 'string', minLength: 1, maxLength: 128 }, csv: { type: 'string', maxLength: 200_000 } },
      },
    },
  }, async (request, reply) => {
    may(request, 'write')
    const { program, currency, name, csv } = request.body
    return reply.code(201).send({ event: await vtn.publishPrices(program, currency, name, csv) })
  })
}
