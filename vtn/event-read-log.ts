import type { Clock, Timer } from '#core/port/clock.js'
import type { DeliveryHappenings } from '#core/port/intake.js'
import type { Log } from '#core/port/log.js'
import type { DocumentStore } from '#core/port/store/document.js'
import type { UnitOfWork } from '#core/port/store/index.js'
import { orderKind, type OrderRecord } from '#vtn/dispatch-channel.js'
import type { Notices } from '#vtn/notice.js'
import type { ReadLog } from '#vtn/read-log.js'
import { kindOf, type Content } from '#vtn/stored.js'
import { backoff } from '#vtn/worker.js'

/** Reads kept while they cannot be noted; an order beyond that is noted when it is read again. */
const most = 100_000

type State = OrderRecord['state']
/** What the first read of an order in each state tells the core. */
const word: Partial<Record<State, 'received' | 'cancelled'>> = { sent: 'received', cancelling: 'cancelled' }

/**
 * CORE-102: "received" is the first read of the event by its VEN. What waits for that is kept in memory and read again when another
 * process adds to it. What could not be told is told again, in the word it was read in; a crash in between only repeats it at the next read.
 */
export function eventReadLog(needs: { documents: DocumentStore; unitOfWork: UnitOfWork; happenings: DeliveryHappenings; notices: Notices; clock: Clock; log: Log; tenant: string }): ReadLog {
  const { documents, happenings, clock, log, tenant } = needs
  let waiting = new Map<string, { owner: string; state: State }>(), readAt = -1

  async function load(): Promise<void> {
    const revision = documents.revision(tenant, orderKind)
    const found = (await Promise.all((['sent', 'cancelling'] as const).map((state) => documents.list<OrderRecord>(tenant, { kind: orderKind, where: { state } })))).flat()
    waiting = new Map(found.map((d) => [d.id, { owner: d.owner ?? '', state: d.body.state }]))
    readAt = revision
  }

  /** What was read since the last round; many VENs poll at once, so their reads are noted together. */
  const pending: { clientID: string; event: string }[] = []
  /** Orders that were read, by the state they were read in, until the core has been told and the order says so. */
  const owed = new Map<string, State>()
  let noting: Promise<void> | undefined, failures = 0, timer: Timer | undefined, stopped = false

  async function note(): Promise<void> {
    while (pending.length || owed.size) {
      if (readAt !== documents.revision(tenant, orderKind)) await load()
      for (const { clientID, event } of pending.splice(0)) {
        const order = waiting.get(event)
        if (order?.owner === clientID) owed.set(event, order.state)
      }
      if (owed.size) await tell([...owed])
    }
    failures = 0
  }

  async function tell(read: readonly (readonly [string, State])[]): Promise<void> {
    await happenings.happened(read.flatMap(([delivery, was]) => (word[was] ? [{ tenant, delivery, state: word[was], at: clock.nowMs(), remoteRef: delivery }] : [])))
    // Serializable: an order that is changed or cancelled at this moment keeps its new state.
    await needs.unitOfWork.run(async (stores) => {
      const orders = await stores.documents.list<OrderRecord>(tenant, { kind: orderKind, ids: read.map(([id]) => id) })
      const moved = orders.flatMap((o) => { const state = word[o.body.state]; return state && o.body.state === owed.get(o.id) ? [{ ...o, body: { ...o.body, state } }] : [] })
      await stores.documents.insertMany(moved, clock.nowMs(), { onConflict: 'replace', quiet: true })
    }, { isolation: 'serializable' })
    for (const [id, was] of read) {
      if (owed.get(id) === was) owed.delete(id)
      if (waiting.get(id)?.state === was) waiting.delete(id)
    }
  }

  function begin(): void {
    timer = undefined
    noting ??= note()
      .catch((error: unknown) => {
        failures += 1
        log.warn({ err: error, clause: 'CORE-102', reads: pending.length + owed.size }, 'reads of events could not be noted; they are noted again')
        if (!stopped) timer = clock.after(backoff(failures), begin)
      })
      .finally(() => { noting = undefined })
  }

  return {
    saw(clientID, events) {
      if (!events.length || (waiting.size === 0 && readAt === documents.revision(tenant, orderKind))) return
      if (pending.length < most) for (const event of events) pending.push({ clientID, event })
      // After a failure not every poll tries again.
      if (!timer) begin()
    },
    async stop() {
      stopped = true
      timer?.cancel()
      await noting
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
