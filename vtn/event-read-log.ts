import type { Clock } from '#core/port/clock.js'
import type { DeliveryHappenings } from '#core/port/intake.js'
import type { Log } from '#core/port/log.js'
import type { DocumentStore } from '#core/port/store/document.js'
import type { UnitOfWork } from '#core/port/store/index.js'
import { orderKind, type OrderRecord } from '#vtn/dispatch-channel.js'
import type { Notices } from '#vtn/notice.js'
import type { ReadLog } from '#vtn/read-log.js'
import { kindOf, type Content } from '#vtn/stored.js'

/**
 * CORE-102: "received" is the first read of the event by its VEN, over REST or by a push that its client acknowledged.
 * What waits for that is kept in memory and read again when another process adds to it; a crash in between only repeats it.
 */
export function eventReadLog(needs: { documents: DocumentStore; unitOfWork: UnitOfWork; happenings: DeliveryHappenings; notices: Notices; clock: Clock; log: Log; tenant: string }): ReadLog {
  const { documents, happenings, clock, log, tenant } = needs
  let waiting = new Map<string, { owner: string; state: OrderRecord['state'] }>(), readAt = -1

  async function load(): Promise<void> {
    const revision = documents.revision(tenant, orderKind)
    const found = (await Promise.all((['sent', 'cancelling'] as const).map((state) => documents.list<OrderRecord>(tenant, { kind: orderKind, where: { state } })))).flat()
    waiting = new Map(found.map((d) => [d.id, { owner: d.owner ?? '', state: d.body.state }]))
    readAt = revision
  }

  /** What was read since the last round; many VENs poll at once, so their reads are noted together. */
  let pending: { clientID: string; event: string }[] = [], noting: Promise<void> | undefined

  async function note(): Promise<void> {
    while (pending.length) {
      const batch = pending
      pending = []
      if (readAt !== documents.revision(tenant, orderKind)) await load()
      const seen = [...new Set(batch.filter((p) => waiting.get(p.event)?.owner === p.clientID).map((p) => p.event))]
      if (!seen.length) continue
      const states = new Map(seen.map((id) => [id, waiting.get(id)?.state]))
      await happenings.happened(seen.map((delivery) => ({ tenant, delivery, state: states.get(delivery) === 'cancelling' ? 'cancelled' as const : 'received' as const, at: clock.nowMs(), remoteRef: delivery })))
      const orders = (await documents.list<OrderRecord>(tenant, { kind: orderKind, ids: seen })).filter((o) => o.body.state === states.get(o.id))
      await documents.insertMany(orders.map((o) => ({ ...o, body: { ...o.body, state: o.body.state === 'cancelling' ? 'cancelled' as const : 'received' as const } })), clock.nowMs(), { onConflict: 'replace' })
      for (const id of seen) waiting.delete(id)
    }
  }

  return {
    saw(clientID, events) {
      if (!events.length || (waiting.size === 0 && readAt === documents.revision(tenant, orderKind))) return
      for (const event of events) pending.push({ clientID, event })
      noting ??= note()
        .catch((error: unknown) => log.warn({ err: error, clause: 'CORE-102' }, 'reads of events could not be noted'))
        .finally(() => { noting = undefined })
    },
    async told(noun, ids) {
      try {
        const docs = await documents.list<Content>(tenant, { kind: kindOf[noun.objectType], ids })
        await needs.unitOfWork.run((stores) => needs.notices.record(stores, docs.map((after) => ({ objectType: noun.objectType, operation: 'READ', after }))))
      } catch (error) {
        log.warn({ err: error, clause: 'OA-123' }, 'a READ notification could not be written')
      }
    },
  }
}
