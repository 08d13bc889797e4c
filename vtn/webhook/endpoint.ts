import type { Clock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { DocumentStore } from '#core/port/store/document.js'
import type { Stores } from '#core/port/store/index.js'
import { endpointKind, type EndpointRecord } from '#vtn/webhook/record.js'

/** How each receiver is doing; kept in the store, so that a restart neither forgives nor reorders. */
export interface Endpoints {
  of(subscription: string): EndpointRecord
  load(): Promise<void>
  /** A delivery went through: failures are forgotten and what waited behind it may go. */
  succeeded(subscription: string, subject: string): Promise<void>
  /** A delivery failed; `holding` = later ones of its subject wait until it is through. Answers true when the endpoint is now broken. */
  failed(subscription: string, subject: string, holding: string | undefined): Promise<boolean>
}

const healthy: EndpointRecord = { failures: 0, broken: false, held: {} }

export function makeEndpoints(needs: { documents: DocumentStore; clock: Clock; log: Log; tenant: string; brokenAfter: number; retryFor_h: number }): Endpoints {
  const { documents, clock, log, tenant } = needs
  let known = new Map<string, EndpointRecord>(), readAt = -1
  /** Writes for one endpoint one after the other. */
  const queues = new Map<string, Promise<void>>()

  const inTurn = (subscription: string, work: () => Promise<void>): Promise<void> => {
    const next = (queues.get(subscription) ?? Promise.resolve()).then(work)
    const settled = next.catch(() => {}).finally(() => { if (queues.get(subscription) === settled) queues.delete(subscription) })
    queues.set(subscription, settled)
    return next
  }
  const save = async (subscription: string, record: EndpointRecord): Promise<void> => {
    known.set(subscription, record)
    await documents.insertMany([{ tenant, kind: endpointKind, id: subscription, parent: '', body: record }], clock.nowMs(), { onConflict: 'replace' })
  }
  const without = (held: EndpointRecord['held'], subject: string): EndpointRecord['held'] => Object.fromEntries(Object.entries(held).filter(([s]) => s !== subject))

  return {
    of: (subscription) => known.get(subscription) ?? healthy,
    async load() {
      const revision = documents.revision(tenant, endpointKind)
      if (revision === readAt) return
      known = new Map((await documents.list<EndpointRecord>(tenant, { kind: endpointKind })).map((d) => [d.id, d.body]))
      readAt = revision
    },
    succeeded: (subscription, subject) => inTurn(subscription, async () => {
      const now = known.get(subscription)
      if (!now || (now.failures === 0 && now.held[subject] === undefined)) return
      await save(subscription, { failures: 0, broken: now.broken, held: without(now.held, subject) })
    }),
    async failed(subscription, subject, holding) {
      let broken = false
      await inTurn(subscription, async () => {
        const now = known.get(subscription) ?? healthy
        const failures = now.failures + 1
        const since = now.since ?? clock.nowMs()
        // REL-054: where notifications are tried for hours, the receiver is given up after as long, not after so many of them.
        broken = failures >= needs.brokenAfter && clock.nowMs() >= since + needs.retryFor_h * 3_600_000
        if (broken && !now.broken) log.error({ clause: 'OA-129', subscription, failures }, 'a webhook receiver counts as broken; nothing more is sent until its subscription is written again')
        await save(subscription, { failures, broken, since, held: holding === undefined ? without(now.held, subject) : { ...now.held, [subject]: now.held[subject] ?? holding } })
      })
      return broken
    },
  }
}

/** OA-129: a successful PUT of the subscription clears it. */
export const forgive = (stores: Stores, tenant: string, subscription: string): Promise<boolean> => stores.documents.remove(tenant, endpointKind, subscription)
