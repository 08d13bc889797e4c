import type { Document } from '#core/port/store/document.js'
import type { Work } from '#core/work.js'

export const webhookKind = 'core/Webhook'
export const deliveryKind = 'core/WebhookDelivery'

/** An operator's own receiver of events. */
export interface Webhook {
  readonly url: string
  /** Event types as 'dispatch.publish', 'dispatch.*' or '*'. */
  readonly events: readonly string[]
  /** The first is the current one; older ones sign too until their time is over. */
  readonly secrets: readonly { readonly secret: string; readonly until: number | null }[]
  readonly state: 'active' | 'disabled'
  readonly createdBy: string
}

export interface WebhookEvent {
  readonly id: string
  readonly type: string
  readonly at: string
  readonly entity: string
  readonly reason: string
  readonly actor: string
}

export interface WebhookDelivery {
  readonly event: WebhookEvent
  readonly state: 'pending' | 'delivered' | 'failed'
  readonly attempts: readonly WebhookAttempt[]
}

export interface WebhookAttempt {
  readonly at: number
  readonly ms: number
  readonly status: number | null
  readonly answer: string
  /** Where it went and with which headers, the signature too; the body is the event as JSON. Attempts of earlier versions have none. */
  readonly request?: { readonly url: string; readonly headers: Readonly<Record<string, string>> }
}

/** What is told outside. Single devices' words are not: ten thousand of them are a report, not events. */
const told = /^(dispatch|enrolment|settlementRun|dispute|stop|program|serviceLevel|alarm)\./

const wants = (events: readonly string[], type: string): boolean => events.some((e) => e === '*' || e === type || (e.endsWith('.*') && type.startsWith(e.slice(0, -1))))

/** Puts events on the outbox of every receiver that wants them, in the transaction that made them (CORE-015). */
export async function announce(work: Work, tenant: string, actor: string, notes: readonly { readonly action: string; readonly entity: string; readonly reason?: string | null | undefined }[]): Promise<void> {
  const news = notes.filter((n) => told.test(n.action))
  if (news.length === 0) return
  const { stores, clock, ids } = work, nowMs = clock.nowMs()
  const hooks = await stores.documents.list<Webhook>(tenant, { kind: webhookKind, parent: 'active', limit: 100 })
  for (const hook of hooks) {
    for (const n of news) {
      if (!wants(hook.body.events, n.action)) continue
      const id = ids.uuid(), event: WebhookEvent = { id, type: n.action, at: new Date(nowMs).toISOString(), entity: n.entity, reason: n.reason ?? '', actor }
      await post(work, tenant, hook.id, event)
    }
  }
}

/** One event for one receiver: into its log, and due now. */
export async function post({ stores, clock, ids }: Work, tenant: string, hook: string, event: WebhookEvent): Promise<Document<WebhookDelivery>> {
  const nowMs = clock.nowMs()
  const stored = await stores.documents.insert<WebhookDelivery>({ tenant, kind: deliveryKind, id: event.id, parent: hook, body: { event, state: 'pending', attempts: [] } }, nowMs)
  await stores.agenda.add([{ id: ids.uuid(), tenant, task: 'webhook', subject: `webhook/${hook}`, dueAt: nowMs, payload: { webhook: hook, delivery: event.id, after: 0 } }])
  return stored
}
