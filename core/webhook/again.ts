import { actorOf, note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { Refusal } from '#core/error.js'
import { present } from '#core/permission.js'
import type { Document, DocumentQuery } from '#core/port/store/document.js'
import { deliveryKind, post, webhookKind, type Webhook, type WebhookDelivery } from '#core/webhook/announce.js'
import { attemptAt } from '#core/webhook/webhook.js'
import type { Work } from '#core/work.js'

/** Which deliveries of a receiver: made from, made before (epoch ms), and what became of them. */
export interface DeliveryRange {
  readonly from?: number | undefined
  readonly before?: number | undefined
  readonly state?: WebhookDelivery['state'] | undefined
}

/** More in one go would hold one transaction, and one receiver, for too long. */
const mostAtOnce = 1000

export const deliveriesIn = (hook: string, { from, before, state }: DeliveryRange): DocumentQuery => ({
  kind: deliveryKind, parent: hook, ...(from === undefined ? {} : { createdFrom: from }), ...(before === undefined ? {} : { createdBefore: before }), ...(state === undefined ? {} : { where: { state } }),
})

/** Nothing goes to a receiver that is disabled, so nobody is told that something will. */
async function listening({ stores }: Work, tenant: string, id: string): Promise<Document<Webhook>> {
  const hook = present(await stores.documents.get<Webhook>(tenant, webhookKind, id), 'webhook', id)
  if (hook.body.state !== 'active') throw new Refusal('conflict', 'this webhook is disabled: enable it first')
  return hook
}

async function again(work: Work, tenant: string, hook: string, d: Document<WebhookDelivery>): Promise<void> {
  const nowMs = work.clock.nowMs()
  await work.stores.documents.replace<WebhookDelivery>({ ...d, body: { ...d.body, state: 'pending' } }, nowMs, d.version)
  await attemptAt(work, tenant, hook, { id: d.id, attempts: d.body.attempts.length }, nowMs)
}

export async function resendOne(work: Work, caller: Caller, id: string, delivery: string): Promise<void> {
  const found = await work.stores.documents.get<WebhookDelivery>(caller.tenant, deliveryKind, delivery), d = present(found?.parent === id ? found : undefined, 'webhook delivery', delivery)
  await listening(work, caller.tenant, id)
  await again(work, caller.tenant, id, d)
  await note(work, caller, [{ action: 'webhook.resend', entity: id, reason: `delivery ${delivery}` }])
}

/** Everything of a range once more, oldest first, as after a receiver's bad hour (UX-030). */
export async function resendRange(work: Work, caller: Caller, id: string, range: DeliveryRange): Promise<number> {
  await listening(work, caller.tenant, id)
  const found = await work.stores.documents.list<WebhookDelivery>(caller.tenant, { ...deliveriesIn(id, range), limit: mostAtOnce + 1 })
  if (found.length > mostAtOnce) throw new Refusal('conflict', `more than ${mostAtOnce} deliveries are in this range: choose a shorter one`)
  for (const d of found) await again(work, caller.tenant, id, d)
  if (found.length > 0) await note(work, caller, [{ action: 'webhook.resend', entity: id, reason: `${found.length} deliveries from ${found[0]!.id} to ${found.at(-1)!.id}` }])
  return found.length
}

/** An event of no consequence, to this receiver whatever it listens to. */
export async function sendTest(work: Work, caller: Caller, id: string): Promise<Document<WebhookDelivery>> {
  const hook = await listening(work, caller.tenant, id), { clock, ids } = work
  await note(work, caller, [{ action: 'webhook.test', entity: hook.id }])
  return post(work, caller.tenant, hook.id, { id: ids.uuid(), type: 'webhook.test', at: new Date(clock.nowMs()).toISOString(), entity: hook.id, reason: 'sent by hand', actor: actorOf(caller) })
}
