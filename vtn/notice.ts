import type { Ids } from '#core/port/ids.js'
import type { Stores } from '#core/port/store/index.js'
import type { DocumentStore } from '#core/port/store/document.js'
import type { Clock } from '#core/port/clock.js'
import type { Access } from '#vtn/access.js'
import { isOpen, kindOf, targetsOf, type Content, type Stored } from '#vtn/stored.js'
import type { ObjectType } from '#vtn/wire/field.js'
import type { SubscriptionRequest } from '#vtn/wire/subscription.js'

export type Operation = 'CREATE' | 'READ' | 'UPDATE' | 'DELETE'

/** One change as it happened; `before` on UPDATE and DELETE, `after` on all but DELETE. */
export interface Change {
  readonly objectType: ObjectType
  readonly operation: Operation
  readonly before?: Stored
  readonly after?: Stored
}

/** Who is told, and which of the object's targets they may know (null = all); fixed when the change is written (OA-130). */
export interface Recipient {
  readonly subscription: string
  readonly shown: readonly string[] | null
}

/** The outbox row of one change: the worker turns it into webhook posts and MQTT messages. */
export interface NoticeRow {
  readonly objectType: ObjectType
  readonly operation: Operation
  readonly doc: Stored
  /** The object before an UPDATE that changed its targets, for VENs that lose sight (OA-139). */
  readonly before?: Stored
  readonly recipients: readonly Recipient[]
}

export const noticeTask = 'vtn.notice'

/** Writes the outbox row of a change into the transaction that makes it (OA-130, CORE-015). */
export interface Notices {
  record(stores: Stores, changes: readonly Change[]): Promise<void>
}

export function makeNotices(needs: { documents: DocumentStore; access: Access; ids: Ids; clock: Clock; tenant: string; mqtt: boolean }): Notices {
  const { documents, access, ids, clock, tenant } = needs
  let known: readonly Stored[] = [], knownAt = -1

  /**
   * All subscriptions, from memory until one changes. Read over the transaction's own connection: waiting for a second one while holding
   * the first would, with as many writers as connections, be waiting for each other. What a transaction itself writes is not kept.
   */
  async function subscriptions(stores: Pick<Stores, 'documents'>, keep: boolean): Promise<readonly Stored[]> {
    const revision = documents.revision(tenant, kindOf.SUBSCRIPTION)
    if (revision === knownAt) return known
    const found = await stores.documents.list<Content>(tenant, { kind: kindOf.SUBSCRIPTION })
    if (keep) { known = found; knownAt = revision }
    return found
  }

  async function recipients(stores: Pick<Stores, 'documents'>, change: Change, doc: Stored, all: readonly Stored[]): Promise<Recipient[]> {
    const wanted = all.filter((s) => matches(s, change, doc))
    if (!wanted.length) return []
    const aimed = (change.objectType === 'PROGRAM' || change.objectType === 'EVENT') && !isOpen(doc)
    const holders = aimed ? await access.holders(doc.targets, stores.documents) : undefined
    return wanted.flatMap((s) => {
      const told = mayKnow(s, change.objectType, doc, holders?.get(s.owner ?? ''))
      return told === undefined ? [] : [{ subscription: s.id, shown: told }]
    })
  }

  return {
    async record(stores: Pick<Stores, 'agenda' | 'documents'>, changes) {
      const rows = []
      const all = await subscriptions(stores, changes.every((c) => c.objectType !== 'SUBSCRIPTION'))
      for (const change of changes) {
        const doc = (change.after ?? change.before) as Stored
        const told = await recipients(stores, change, doc, all)
        const push = needs.mqtt && change.operation !== 'READ'
        if (!told.length && !push) continue
        const moved = push && change.before && change.after && change.before.targets.join('\u0001') !== change.after.targets.join('\u0001')
        const payload: NoticeRow = { objectType: change.objectType, operation: change.operation, doc, recipients: told, ...(moved && change.before ? { before: change.before } : {}) }
        rows.push({ id: ids.uuid(), tenant, task: noticeTask, subject: doc.id, dueAt: clock.nowMs(), payload })
      }
      if (rows.length) await stores.agenda.add(rows)
    },
  }
}

/** OA-124: which program an object counts under. */
const programOf = (objectType: ObjectType, doc: Stored): string | undefined => {
  if (objectType === 'PROGRAM') return doc.id
  if (objectType === 'EVENT') return doc.parent
  return objectType === 'REPORT' ? String(doc.body['_programID']) : undefined
}

function matches(subscription: Stored, change: Change, doc: Stored): boolean {
  const { programID, objectOperations } = subscription.body as unknown as SubscriptionRequest
  if (programID !== undefined && programID !== programOf(change.objectType, doc)) return false
  return objectOperations.some((o) => o.objects.includes(change.objectType) && o.operations.includes(change.operation))
}

/** OA-125, OA-126: undefined = not told; null = told with all targets; a list = told with these. */
function mayKnow(subscription: Stored, objectType: ObjectType, doc: Stored, held: ReadonlySet<string> | undefined): readonly string[] | null | undefined {
  const asked = (subscription.body as { targets?: string[] }).targets
  const businessLogic = subscription.body['_role'] === 'BL'
  if (objectType !== 'PROGRAM' && objectType !== 'EVENT') {
    if (!businessLogic && doc.owner !== subscription.owner) return undefined
    // The target column of a subscription holds what it is about, not whom it is aimed at.
    const own = objectType === 'SUBSCRIPTION' ? targetsOf(doc.body) : doc.targets
    return businessLogic && asked && !own.some((t) => asked.includes(t)) ? undefined : null
  }
  if (businessLogic) return asked && !doc.targets.some((t) => asked.includes(t)) ? undefined : null
  if (isOpen(doc)) return asked ? undefined : null
  const shown = [...(held ?? [])]
  const counts = asked ? shown.some((t) => asked.includes(t)) : shown.length > 0
  return counts ? shown : undefined
}
