import { Refusal } from '#core/error.js'
import type { Document } from '#core/port/store/document.js'
import type { Context } from '#vtn/context.js'
import { forgive } from '#vtn/webhook/endpoint.js'
import { deliveryKind, endpointKind, webhookTask, type DeliveryRecord, type EndpointRecord, type WebhookRow } from '#vtn/webhook/record.js'

/** What the operator sees and does about webhooks; `main.ts` hangs it on the operator door and the CLI calls that. */
export interface WebhookOperations {
  endpoints(): Promise<{ subscription: string; failures: number; broken: boolean }[]>
  deliveries(where: { subscription?: string; state?: DeliveryRecord['state'] }, skip: number, limit: number): Promise<({ id: string; at: number } & DeliveryRecord)[]>
  /** Sends the same bytes once more, whatever became of them. */
  resend(id: string): Promise<{ id: string }>
  /** Lets a broken receiver be tried again without its subscription being written. */
  mend(subscription: string): Promise<void>
  /** Drops log entries older than `before` (epoch seconds); answers how many. */
  trim(before: number): Promise<number>
}

export function webhookOperations(context: Context): WebhookOperations {
  const { documents, unitOfWork, ids, clock, config } = context
  const { tenant } = config
  return {
    endpoints: async () => (await documents.list<EndpointRecord>(tenant, { kind: endpointKind })).map((d) => ({ subscription: d.id, failures: d.body.failures, broken: d.body.broken })),
    async deliveries(where, skip, limit) {
      const found: Document<DeliveryRecord>[] = await documents.list(tenant, {
        kind: deliveryKind, order: ['-createdAt', '-id'], skip, limit,
        ...(where.subscription === undefined ? {} : { parent: where.subscription }), ...(where.state === undefined ? {} : { where: { state: where.state } }),
      })
      return found.map((d) => ({ id: d.id, at: d.modifiedAt, ...d.body }))
    },
    async resend(id) {
      const found = await documents.get<DeliveryRecord>(tenant, deliveryKind, id)
      if (!found) throw new Refusal('notFound', `no webhook delivery ${id}`)
      const { subscription, callbackUrl, objectType, operation, object, body } = found.body
      const payload: WebhookRow = { subscription, callbackUrl, objectType, operation, object, body, madeAt: clock.nowMs() }
      const again = ids.uuid()
      await unitOfWork.run((stores) => stores.agenda.add([{ id: again, tenant, task: webhookTask, subject: `${subscription}:${object}`, dueAt: clock.nowMs(), payload }]))
      return { id: again }
    },
    mend: (subscription) => unitOfWork.run(async (stores) => void await forgive(stores, tenant, subscription)),
    async trim(before) {
      const old = await documents.list(tenant, { kind: deliveryKind, sort1To: before - 1, limit: 1000 })
      for (const d of old) await documents.remove(tenant, deliveryKind, d.id)
      return old.length
    },
  }
}
