import type { Clock, Timer } from '#core/port/clock.js'
import { backoff } from '#ven-client/backoff.js'
import { diskKept, memoryKept, type KeptStore } from '#ven-client/kept.js'
import type { VtnClient } from '#ven-client/openadr/client.js'
import { isVtnError } from '#ven-client/openadr/error.js'
import type { ReportRequest } from '#ven-client/openadr/objects.js'

/** A report that waits to be stored by the VTN. `tried`: it may be there already, so look before posting (OA-207). */
export interface Waiting {
  readonly key: string
  readonly report: ReportRequest
  readonly tried: boolean
  /** How often the VTN's answer to it could not be read. */
  readonly unread?: number
}

/** Where waiting reports outlive the process. */
export type ReportStore = KeptStore<Waiting>
export const memoryStore = (): ReportStore => memoryKept()
export const diskStore = (folder: string): ReportStore => diskKept(folder)

export interface ReportQueue {
  /** Kept first, sent then; a key that is waiting already is replaced by the newer content. `mayExist`: look before posting. */
  add(key: string, report: ReportRequest, mayExist?: boolean): Promise<void>
  readonly length: number
  /** Resolves when everything that can be sent now has been. */
  idle(): Promise<void>
  stop(): void
}

export interface QueueOptions {
  readonly store?: ReportStore
  /** Beyond so many waiting reports the oldest is dropped, with a warning. */
  readonly max?: number
  readonly onSent?: (key: string) => void
  readonly onDropped?: (key: string, reason: string) => void
}

/** A page of a proxy in between is no answer of the VTN's; the same again and again is. */
const patience = 8

/** Reports go out one by one in order; what cannot be sent waits, what the VTN will never take is dropped and said so (OA-207). */
export function reportQueue(client: VtnClient, options: QueueOptions = {}): ReportQueue {
  const store = options.store ?? memoryStore(), max = options.max ?? 2000
  const { clock, log }: { clock: Clock; log: VtnClient['log'] } = client
  const wait = backoff(client.random)
  const waiting = new Map<string, Waiting>()
  const abort = new AbortController()
  let timer: Timer | undefined
  let running: Promise<void> | undefined
  const loaded = load()

  async function load(): Promise<void> {
    try {
      for (const one of await store.all()) if (!waiting.has(one.key)) waiting.set(one.key, { ...one, tried: true })
    } catch (error) {
      log.error({ error: (error as Error).message }, 'waiting reports cannot be read')
    }
  }
  void loaded.then(() => waiting.size > 0 ? kick() : undefined)

  const kick = (): void => { running ??= drain().finally(() => { running = undefined }) }

  async function drain(): Promise<void> {
    await loaded
    timer?.cancel()
    while (waiting.size > 0 && !abort.signal.aborted) {
      const one = waiting.values().next().value as Waiting
      try {
        await deliver(one)
        await done(one)
        wait.reset()
        options.onSent?.(one.key)
      } catch (error) {
        if (abort.signal.aborted) return
        const reason = isVtnError(error) ? error.kind : 'unknown'
        // the event is gone or the report will never be taken: keeping it would block the others for ever
        const unread = (one.unread ?? 0) + (reason === 'protocol' ? 1 : 0)
        if (['invalid', 'forbidden', 'notFound', 'conflict'].includes(reason) || unread >= patience) {
          log.warn({ report: one.key, reason, status: isVtnError(error) ? error.status : undefined }, 'report dropped: the VTN refuses it')
          await done(one)
          options.onDropped?.(one.key, reason)
          continue
        }
        if (waiting.get(one.key) === one) waiting.set(one.key, { ...one, tried: true, unread })
        timer = clock.after(wait.next(isVtnError(error) ? error.retryAfter_ms : undefined), kick)
        return
      }
    }
  }

  /** No idempotency in the API: after a try with an unknown end the stored report is looked for first (OA-207). */
  async function deliver({ report, tried }: Waiting): Promise<void> {
    const signal = { signal: abort.signal }
    // Not tried again by itself: before a second POST we look.
    const create = async (): Promise<void> => { await client.createReport(report, { ...signal, attempts: 1 }) }
    if (!tried) return create()
    const stored = (await client.reports({ eventID: report.eventID, clientName: report.clientName }, signal))
      .find((r) => r.reportName === report.reportName)
    if (!stored) await create()
    else if (JSON.stringify(stored.resources) !== JSON.stringify(report.resources)) await client.updateReport(stored.id, report, signal)
  }

  async function done(one: Waiting): Promise<void> {
    if (waiting.get(one.key) !== one) return            // newer content came meanwhile: it stays
    waiting.delete(one.key)
    await store.remove(one.key)
  }

  return {
    async add(key, report, mayExist = false) {
      await loaded
      const one = { key, report, tried: mayExist || waiting.has(key) }
      await store.put(one)
      waiting.set(key, one)
      if (waiting.size > max) {
        const oldest = waiting.values().next().value as Waiting
        log.warn({ report: oldest.key }, 'report dropped: too many wait')
        await done(oldest)
        options.onDropped?.(oldest.key, 'full')
      }
      kick()
    },
    get length() { return waiting.size },
    async idle() { await loaded; await running },
    stop() { abort.abort(); timer?.cancel() },
  }
}
