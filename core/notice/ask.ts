import { contactKind, type Occasion } from '#core/notice/contact.js'
import type { Work } from '#core/work.js'

/** Which audited happenings customers are told of. `dispatch.notify` comes when devices are told, so never before a release. */
const told: Readonly<Record<string, Occasion>> = { 'dispatch.notify': 'announced', 'dispatch.revise': 'changed', 'dispatch.cancel': 'cancelled', 'dispatch.verify': 'result' }

/** Puts the telling on the outbox, in the transaction of what happened (CORE-015). Nothing is written where nobody is registered. */
export async function askNotices({ stores, clock, ids }: Work, tenant: string, notes: readonly { readonly action: string; readonly entity: string; readonly reason?: string | null | undefined }[]): Promise<void> {
  const news = notes.filter((n) => Object.hasOwn(told, n.action))
  if (news.length === 0 || (await stores.documents.list(tenant, { kind: contactKind, limit: 1 })).length === 0) return
  await stores.agenda.add(news.map((n) => ({
    id: ids.uuid(), tenant, task: 'notice', subject: `notice/${n.entity}`, dueAt: clock.nowMs(), payload: { dispatch: n.entity, occasion: told[n.action]!, reason: n.reason ?? '' },
  })))
}
