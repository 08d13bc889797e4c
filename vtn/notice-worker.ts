import type { AgendaEntry } from '#core/port/store/agenda.js'
import type { Context } from '#vtn/context.js'
import { printed } from '#vtn/wire/literal.js'
import { noticeTask, type NoticeRow, type Recipient } from '#vtn/notice.js'
import { kindOf, present, type Content, type Stored } from '#vtn/stored.js'
import { notification301 } from '#vtn/v301/translate.js'
import { webhookTask, type WebhookRow } from '#vtn/webhook/record.js'
import type { Task } from '#vtn/worker.js'
import type { SubscriptionRequest } from '#vtn/wire/subscription.js'

/** The other way of telling: one copy of a change to each VEN's own topics (OA-139). */
export interface Push {
  publish(rows: readonly NoticeRow[]): Promise<void>
}

/** Turns each change into one webhook row per receiver and into MQTT messages. The recipients were fixed when the change was written. */
export function noticeWorker(context: Context, push: Push | undefined): Task {
  const { documents, unitOfWork, ids, clock, config } = context
  const { tenant } = config

  function rowsFor(entry: AgendaEntry, notice: NoticeRow, recipient: Recipient, subscription: Stored) {
    const body = printed(notificationFor(notice, recipient, subscription))
    const wanted = (subscription.body as unknown as SubscriptionRequest).objectOperations.filter((o) => o.objects.includes(notice.objectType) && o.operations.includes(notice.operation))
    return [...new Set(wanted.map((o) => o.callbackUrl))].map((callbackUrl) => ({
      id: ids.uuid(), tenant, task: webhookTask, subject: `${subscription.id}:${notice.doc.id}`, dueAt: clock.nowMs(),
      payload: { subscription: subscription.id, callbackUrl, objectType: notice.objectType, operation: notice.operation, object: notice.doc.id, body, madeAt: clock.nowMs() } satisfies WebhookRow,
    }))
  }

  return {
    task: noticeTask,
    atOnce: 100,
    async work(entries) {
      const notices = entries.map((e) => e.payload as NoticeRow)
      const wanted = [...new Set(notices.flatMap((n) => n.recipients.map((r) => r.subscription)))]
      const found = wanted.length ? await documents.list<Content>(tenant, { kind: kindOf.SUBSCRIPTION, ids: wanted }) : []
      const subscriptions = new Map(found.map((s) => [s.id, s]))
      const rows = notices.flatMap((notice, i) => notice.recipients.flatMap((recipient) => {
        const subscription = subscriptions.get(recipient.subscription)
        return subscription ? rowsFor(entries[i] as AgendaEntry, notice, recipient, subscription) : []
      }))
      await push?.publish(notices)
      // The rows and the end of the notice commit together, so a crash repeats neither.
      await unitOfWork.run(async (stores) => {
        if (rows.length) await stores.agenda.add(rows)
        await stores.agenda.done(entries.map((e) => e.id))
      })
      return entries.map(() => 'done' as const)
    },
  }
}

/** OA-122: the same representation that GET would give that client. */
function notificationFor(notice: NoticeRow, recipient: Recipient, subscription: Stored): object {
  if (subscription.body['_surface'] === '3.0.1') return notification301(notice, recipient.shown ?? undefined)
  return notificationOf(notice, recipient.shown ?? undefined)
}

export function notificationOf(notice: NoticeRow, shown: readonly string[] | undefined): { objectType: string; operation: string; object: Record<string, unknown>; targets?: unknown } {
  const object = present(notice.objectType, notice.doc, shown)
  if (notice.objectType === 'SUBSCRIPTION') {
    delete object['hmacSecret']
    object['objectOperations'] = (object['objectOperations'] as Record<string, unknown>[]).map(({ bearerToken: _, ...o }) => o)
  }
  return { objectType: notice.objectType, operation: notice.operation, object, ...(object['targets'] && notice.objectType !== 'SUBSCRIPTION' ? { targets: object['targets'] } : {}) }
}
