import { createHmac } from 'node:crypto'
import { note } from '#core/audit/note.js'
import { system, type Caller } from '#core/caller.js'
import type { Handler } from '#core/dispatch/timetable.js'
import { Refusal } from '#core/error.js'
import { present } from '#core/permission.js'
import type { Document } from '#core/port/store/document.js'
import type { Outbound } from '#core/port/outbound.js'
import { deliveryKind, webhookKind, type Webhook, type WebhookAttempt, type WebhookDelivery } from '#core/webhook/announce.js'
import type { Transact, Work } from '#core/work.js'

/** A day and more of patience: 1 s, 2 s, 4 s … at most an hour apart (REL-054). */
const mostAttempts = 36, longest_s = 3600

export async function createWebhook(work: Work, caller: Caller, wish: { url: string; events?: readonly string[]; secret?: string }): Promise<Document<Webhook>> {
  const { stores, clock, ids } = work
  let url: URL
  try { url = new URL(wish.url) } catch { throw new Refusal('invalid', 'url is not a URL', { faults: [{ path: '/url', reason: 'is not a URL' }] }) }
  if (!['https:', 'http:'].includes(url.protocol) || url.username !== '' || url.password !== '') throw new Refusal('invalid', 'url must be http(s) without user and password', { faults: [{ path: '/url', reason: 'must be http(s) without user and password' }] })
  const body: Webhook = { url: url.href, events: wish.events ?? ['*'], secrets: [{ secret: wish.secret ?? ids.hex(24), until: null }], state: 'active', createdBy: caller.user }
  const stored = await stores.documents.insert<Webhook>({ tenant: caller.tenant, kind: webhookKind, id: ids.uuid(), parent: 'active', body }, clock.nowMs())
  await note(work, caller, [{ action: 'webhook.create', entity: stored.id, after: { url: body.url, events: body.events } }])
  return stored
}

/** Ends or renews one; a rotated secret overlaps with the old one for a day (UX-030). */
export async function changeWebhook(work: Work, caller: Caller, id: string, wish: { state?: Webhook['state']; rotate?: boolean; events?: readonly string[] }): Promise<Document<Webhook>> {
  const { stores, clock, ids } = work, nowMs = clock.nowMs()
  const before = present(await stores.documents.get<Webhook>(caller.tenant, webhookKind, id), 'webhook', id)
  const kept = before.body.secrets.filter((s) => s.until === null || s.until > nowMs)
  const secrets = wish.rotate ? [{ secret: ids.hex(24), until: null }, ...kept.map((s) => ({ ...s, until: s.until ?? nowMs + 86_400_000 }))] : kept
  const body: Webhook = { ...before.body, secrets, state: wish.state ?? before.body.state, events: wish.events ?? before.body.events }
  const stored = await stores.documents.replace<Webhook>({ ...before, parent: body.state, body }, nowMs, before.version)
  await note(work, caller, [{ action: wish.state === 'disabled' ? 'webhook.disable' : 'webhook.change', entity: id, before: before.body, after: body }])
  return stored
}

/** `t=…,v1=…` over time and body; during a rotation one v1 for each secret in force. */
export function signature(secrets: Webhook['secrets'], body: string, nowMs: number): string {
  const t = Math.floor(nowMs / 1000)
  return [`t=${t}`, ...secrets.filter((s) => s.until === null || s.until > nowMs).map((s) => `v1=${createHmac('sha256', s.secret).update(`${t}.${body}`).digest('hex')}`)].join(',')
}

/** Puts a delivery on the timetable for its next attempt; one that is overtaken by another, as a resend overtakes a retry, is not made. */
export async function attemptAt(work: Pick<Work, 'stores' | 'ids'>, tenant: string, webhook: string, delivery: { readonly id: string; readonly attempts: number }, dueAt: number): Promise<void> {
  await work.stores.agenda.add([{ id: work.ids.uuid(), tenant, task: 'webhook', subject: `webhook/${webhook}`, dueAt, payload: { webhook, delivery: delivery.id, after: delivery.attempts } }])
}

/** Sends one event; every attempt is kept with request, answer and timing. A receiver that says 410, or never answers for a day, is disabled. */
export const webhookTask = (transact: Transact, outbound: Outbound): Handler => async (entry) => {
  const { webhook: id, delivery: deliveryId, after } = entry.payload as { webhook: string; delivery: string; after?: number }
  const now = await transact(async ({ stores, clock }) => ({
    hook: await stores.documents.get<Webhook>(entry.tenant, webhookKind, id), delivery: await stores.documents.get<WebhookDelivery>(entry.tenant, deliveryKind, deliveryId), clock, nowMs: clock.nowMs(),
  }))
  if (!now.hook || !now.delivery || (after ?? now.delivery.body.attempts.length) !== now.delivery.body.attempts.length) return undefined
  if (now.hook.body.state !== 'active') {
    await transact((work) => given(work, entry.tenant, deliveryId))
    return undefined
  }
  const { url, secrets } = now.hook.body, body = JSON.stringify(now.delivery.body.event), begun = now.nowMs
  const headers = { 'content-type': 'application/json', 'loadstone-event': now.delivery.body.event.type, 'loadstone-delivery': deliveryId, 'loadstone-signature': signature(secrets, body, begun) }
  let status: number | null = null, said: string
  try {
    const answer = await outbound.post(url, headers, body)
    status = answer.status
    said = answer.body.slice(0, 1000)
  } catch (error) {
    said = error instanceof Error ? error.message : 'failed'
  }
  // a demo's clock runs faster than what took the time
  const attempt: WebhookAttempt = { at: begun, ms: Math.round((now.clock.nowMs() - begun) / now.clock.rate), status, answer: said, request: { url, headers } }
  await transact((work) => attempted(work, entry.tenant, id, deliveryId, attempt))
  return undefined
}

/** Its receiver is disabled: the log says that it never came, and a resend finds it. */
async function given({ stores, clock }: Work, tenant: string, id: string): Promise<void> {
  const d = present(await stores.documents.get<WebhookDelivery>(tenant, deliveryKind, id), 'delivery', id)
  if (d.body.state === 'pending') await stores.documents.replace<WebhookDelivery>({ ...d, body: { ...d.body, state: 'failed' } }, clock.nowMs())
}

async function attempted(work: Work, tenant: string, hook: string, id: string, attempt: WebhookAttempt): Promise<void> {
  const d = present(await work.stores.documents.get<WebhookDelivery>(tenant, deliveryKind, id), 'delivery', id), { status } = attempt
  const attempts = [...d.body.attempts, attempt], done = status !== null && status >= 200 && status < 300
  const over = !done && (status === 410 || attempts.length >= mostAttempts)
  await work.stores.documents.replace<WebhookDelivery>({ ...d, body: { ...d.body, attempts, state: done ? 'delivered' : over ? 'failed' : 'pending' } }, work.clock.nowMs())
  if (over) await changeWebhook(work, system(tenant), hook, { state: 'disabled' })
  if (over) work.log.error({ webhook: hook, clause: 'REL-054' }, 'webhook disabled: its receiver is gone')
  if (done || over) return
  // full jitter from the id source: receivers that fail together are not asked together
  const wait_s = Math.min(longest_s, 2 ** Math.min(20, attempts.length)) * (0.5 + Number.parseInt(work.ids.hex(2), 16) / 131_072)
  await attemptAt(work, tenant, hook, { id, attempts: attempts.length }, work.clock.nowMs() + Math.ceil(wait_s * 1000 * work.clock.rate))
}
