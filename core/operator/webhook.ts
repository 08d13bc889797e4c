import { Type, type Static } from 'typebox'
import { present } from '#core/permission.js'
import type { Document } from '#core/port/store/document.js'
import { deliveriesIn, resendOne, resendRange, sendTest, type DeliveryRange } from '#core/webhook/again.js'
import { webhookKind, type Webhook, type WebhookDelivery } from '#core/webhook/announce.js'
import { changeWebhook, createWebhook } from '#core/webhook/webhook.js'
import { documents, documentsOf } from '#core/operator/documents.js'
import { keepers } from '#core/operator/roles.js'
import { created, ok, type Ask, type OperatorRoute } from '#core/operator/route.js'
import { closed, page, time } from '#core/operator/schema.js'
import { instantOf, stamp } from '#core/operator/wire.js'

const events = Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 50 }))
const hook = closed({ url: Type.String({ minLength: 8, maxLength: 2000 }), events, secret: Type.Optional(Type.String({ minLength: 16, maxLength: 200 })) })
const hookChange = closed({ state: Type.Optional(Type.Union([Type.Literal('active'), Type.Literal('disabled')])), rotateSecret: Type.Optional(Type.Boolean()), events })
const range = { from: Type.Optional(time), to: Type.Optional(time), state: Type.Optional(Type.Union([Type.Literal('pending'), Type.Literal('delivered'), Type.Literal('failed')])) }
const order = Type.Optional(Type.Union([Type.Literal('oldest'), Type.Literal('newest')]))

/** `oldSecretUntil`: while a rotation lasts, the moment from which the new secret signs alone. */
const hookView = (d: Document<Webhook>) => ({
  id: d.id, version: d.version, createdAt: stamp(d.createdAt), url: d.body.url, events: d.body.events, state: d.body.state, createdBy: d.body.createdBy, oldSecretUntil: d.body.secrets[1]?.until ? stamp(d.body.secrets[1].until) : null,
})
const sentView = (d: Document<WebhookDelivery>) => ({ id: d.id, version: d.version, createdAt: stamp(d.createdAt), event: d.body.event, state: d.body.state, attempts: d.body.attempts.map((a) => ({ ...a, at: stamp(a.at) })) })

const one = async (ask: Ask): Promise<Document<Webhook>> => present(await ask.core.database.stores.documents.get<Webhook>(ask.caller.tenant, webhookKind, ask.params.id!), 'webhook', ask.params.id!)
const rangeOf = ({ from, to, state }: { from?: string; to?: string; state?: WebhookDelivery['state'] }): DeliveryRange => ({
  state, from: from === undefined ? undefined : instantOf(from, 'utc', '/from') * 1000, before: to === undefined ? undefined : instantOf(to, 'utc', '/to') * 1000,
})

/** Receivers of events: what was sent to them, once more, and a secret that changes (UX-030). */
export const webhookRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: 'webhooks', summary: 'Receivers of events', roles: keepers, query: page({}), read: async (ask) => documents<Webhook>(ask, webhookKind, hookView) },
  { method: 'POST', path: 'webhooks', summary: 'Register a receiver; its signing secret is shown this once', roles: keepers, body: hook, example: { url: 'https://example.org/hook', events: ['dispatch.*'] },
    command: async (work, ask) => {
      const d = await createWebhook(work, ask.caller, ask.body as Static<typeof hook>)
      return created('webhooks', d.id, { ...hookView(d), secret: d.body.secrets[0]!.secret })
    } },
  { method: 'GET', path: 'webhooks/:id', summary: 'One receiver', roles: keepers, read: async (ask) => ok(hookView(await one(ask))) },
  { method: 'PATCH', path: 'webhooks/:id', summary: 'Enable, disable, choose events, rotate the secret with a day of overlap', roles: keepers, body: hookChange,
    command: async (work, ask) => {
      const b = ask.body as Static<typeof hookChange>
      const d = await changeWebhook(work, ask.caller, ask.params.id!, { ...(b.state ? { state: b.state } : {}), ...(b.rotateSecret ? { rotate: true } : {}), ...(b.events ? { events: b.events } : {}) })
      return ok({ ...hookView(d), ...(b.rotateSecret ? { secret: d.body.secrets[0]!.secret } : {}) })
    } },
  { method: 'POST', path: 'webhooks/:id/test', summary: 'Send a `webhook.test` event to this receiver, whatever it listens to', roles: keepers, body: closed({}),
    command: async (work, ask) => ({ status: 202, body: sentView(await sendTest(work, ask.caller, ask.params.id!)) }) },
  { method: 'GET', path: 'webhooks/:id/deliveries', summary: 'What was sent, what came back, how long it took, oldest first or `order=newest`; the body of each request is its `event` as JSON', roles: keepers, query: page({ ...range, order }),
    read: async (ask) => documentsOf<WebhookDelivery>(ask, { ...deliveriesIn((await one(ask)).id, rangeOf(ask.query as object)), ...(ask.query.order === 'newest' ? { order: ['-createdAt', '-id'] } : {}) }, sentView) },
  { method: 'POST', path: 'webhooks/:id/deliveries/:delivery/resend', summary: 'Send one again', roles: keepers, body: closed({}),
    command: async (work, ask) => {
      const { id, delivery } = ask.params as { id: string; delivery: string }
      await resendOne(work, ask.caller, id, delivery)
      return { status: 202, body: { id: delivery, state: 'pending' } }
    } },
  { method: 'POST', path: 'webhooks/:id/resend', summary: 'Send all of a range again, at most a thousand: made at or after `from`, before `to`, with what `state`', roles: keepers, body: closed(range), example: { from: '2026-07-15T14:00:00Z', to: '2026-07-15T15:00:00Z', state: 'failed' },
    command: async (work, ask) => ({ status: 202, body: { resent: await resendRange(work, ask.caller, ask.params.id!, rangeOf(ask.body as object)) } }) },
]
