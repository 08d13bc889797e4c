import type { Timer } from '#core/port/clock.js'
import type { CsipContext } from '#csip-server/context.js'
import type { Door } from '#csip-server/door.js'
import { HttpFault } from '#csip-server/error-map.js'
import { devicePeer } from '#csip-server/identity.js'
import { makeLeader } from '#csip-server/notify/leader.js'
import type { Poster } from '#csip-server/notify/post.js'
import type { Doc, Seen, Value } from '#csip-server/served.js'
import { makeNotification } from '#csip-server/notify/notification.js'

/**
 * One entry per subscription and no queue: an entry knows which state its receiver has seen and whether there is a newer
 * one, so that a burst of changes is one notification and the last state cannot be lost (SEP-157, SEP-158).
 */
interface Entry {
  readonly doc: Doc
  /** Document kinds that the subscribed resource is made of. */
  kinds: readonly string[]
  /** Fingerprint of the state that the receiver has, and of the newest one. */
  seen: string | undefined
  now: string | undefined
  /** When the resource changes by itself. */
  until: number
  dirty: boolean
  /** What the last look saw, until it was sent or something changed. */
  latest?: Seen | undefined
  waiting: boolean
  sending: boolean
  attempts: number
  firstFailure_ms: number
  notBefore_ms: number
  refusals: number
  saved: string | undefined
}

export interface Notifier {
  start(): Promise<void>
  stop(): Promise<void>
  /** Counts by outcome, for metrics and tests. */
  readonly counts: Readonly<Record<'delivered' | 'rejected' | 'gone' | 'failed', number>>
  pending(): number
  /** Whether this process is the one that notifies. */
  leads(): boolean
}

const subscriptions = 'csip/Subscription', states = 'csip/SubscriptionState'
const workers = 32, saveEvery_ms = 1000, giveUp_ms = 24 * 3_600_000
const backOff_s = [10, 30, 60, 120, 300, 600, 1800]

export function makeNotifier(ctx: CsipContext, door: Door, poster: Poster, baseUrl: () => string): Notifier {
  const { documents, tenant, clock, log } = ctx
  const entries = new Map<string, Entry>(), notificationOf = makeNotification(ctx, door.codec, baseUrl)
  const busy = new Set<string>()
  /** Dropped here, and perhaps still in what a load that was under way has read: it must not come back and say farewell twice. Ids are never used again. */
  const dropped = new Set<string>()
  let loading: Promise<void> = Promise.resolve(), next: Promise<void> | undefined
  const counts = { delivered: 0, rejected: 0, gone: 0, failed: 0 }
  let stopped = true, looking = false, again = false, active = 0
  let timer: Timer | undefined, saver: Timer | undefined, forget: (() => void) | undefined

  const peerOf = (doc: Doc) => devicePeer(doc.owner ?? '', 0)

  /** The list is fingerprinted as far as the server's maximum: a change outside the subscriber's window counts too (SEP-155). */
  async function look(entry: Entry): Promise<Seen> {
    entry.dirty = false
    entry.latest = undefined
    const seen = await door.look(peerOf(entry.doc), String(entry.doc.body.subscribedResource))
    entry.latest = seen
    entry.kinds = door.readsOf(seen.served)
    entry.until = seen.until
    entry.now = seen.fingerprint
    return seen
  }

  /** One after another: an older answer never undoes a newer one. Who asks while one waits to begin shares it: a thousand new subscriptions are not a thousand readings of all. */
  const load = (): Promise<void> => {
    loading = next ??= loading.catch(() => {}).then(() => {
      next = undefined
      return loadNow()
    })
    return loading
  }

  async function loadNow(): Promise<void> {
    const stored: Doc[] = []
    for (let skip = 0; ; skip += 5000) {
      const some = await documents.list<Value>(tenant, { kind: subscriptions, order: ['id'], skip, limit: 5000 })
      stored.push(...some)
      if (some.length < 5000) break
    }
    const fresh = stored.filter((d) => !entries.has(d.id))
    const saved = new Map(fresh.length === 0 ? [] : (await documents.list<{ seen: string }>(tenant, { kind: states, ids: fresh.map((d) => d.id) })).map((d) => [d.id, d.body.seen]))
    const present = new Set(stored.map((d) => d.id))
    for (const [id, entry] of entries) if (!present.has(id)) { entries.delete(id); await orphaned(entry) }
    for (const id of dropped) if (!present.has(id)) dropped.delete(id)
    const docs = stored.filter((d) => !dropped.has(d.id))
    for (const doc of docs) {
      const before = entries.get(doc.id)
      if (before && before.doc.version === doc.version) continue
      const sameTarget = before?.doc.body.subscribedResource === doc.body.subscribedResource
      const seen = sameTarget ? before?.seen : saved.get(doc.id)
      entries.set(doc.id, {
        doc, kinds: before?.kinds ?? [], seen, now: undefined, until: Infinity, dirty: true, waiting: false, sending: before?.sending ?? false,
        attempts: 0, firstFailure_ms: 0, notBefore_ms: 0, refusals: 0, saved: saved.get(doc.id),
      })
    }
  }

  /** Looks at what may have changed, then sends; called again while there is news. */
  async function turn(): Promise<void> {
    if (looking) { again = true; return }
    looking = true
    try {
      do {
        again = false
        const now = clock.now()
        for (const entry of entries.values()) {
          if (stopped) return
          if (!entry.dirty && entry.until > now) continue
          entry.dirty = false
          await consider(entry)
        }
        pump()
      } while (again)
    } catch (error) {
      log.error({ err: error }, 'notifications could not be prepared')
    } finally {
      looking = false
      arm()
    }
  }

  async function consider(entry: Entry): Promise<void> {
    try {
      await look(entry)
    } catch (error) {
      if (!(error instanceof HttpFault)) throw error
      if (await endedWithDevice(entry)) return
      entry.now = 'gone'
      entry.until = Infinity
    }
    // A subscription starts from the state at its making: the first notification is the first change.
    entry.seen ??= entry.now
    const leaseEnds_ms = ctx.config.subscriptionLease_s > 0 ? entry.doc.modifiedAt + ctx.config.subscriptionLease_s * 1000 : Infinity
    if (clock.nowMs() > leaseEnds_ms) { farewell(entry); await drop(entry, 'its lease ended'); return }
    // also where nothing changes any more
    entry.until = Math.min(entry.until, Math.floor(leaseEnds_ms / 1000) + 1)
    if (entry.now !== entry.seen && !entry.waiting) { entry.waiting = true; entry.attempts = 0; entry.notBefore_ms = 0 }
  }

  /** SEP-160: a subscription that went with its EndDevice says so once; one that its maker deleted says nothing. */
  async function orphaned(entry: Entry): Promise<void> {
    if (!await documents.get(tenant, 'csip/EndDevice', entry.doc.parent)) farewell(entry)
  }

  /** What a device without a record may not see any more is not deleted (status 4): its subscriptions are over. */
  async function endedWithDevice(entry: Entry): Promise<boolean> {
    if (await documents.get(tenant, 'csip/EndDevice', entry.doc.parent)) return false
    if (entries.get(entry.doc.id) === entry) {
      farewell(entry)
      await drop(entry, 'its EndDevice is gone')
    }
    return true
  }

  /** Status 1, best effort. */
  function farewell(entry: Entry): void {
    poster.post(destinationOf(entry), notificationOf(entry.doc, undefined, 1)).then((r) => { counts[r.outcome]++ }, (error: unknown) => log.warn({ err: error }, 'a farewell could not be sent'))
  }

  async function drop(entry: Entry, why: string): Promise<void> {
    log.info({ subscription: entry.doc.id, caller: entry.doc.owner, why }, 'csip subscription dropped')
    entries.delete(entry.doc.id)
    dropped.add(entry.doc.id)
    await documents.remove(tenant, subscriptions, entry.doc.id)
    await documents.remove(tenant, states, entry.doc.id)
  }

  /** Interpretation (SEP-158): a destination is a notificationURI, so that one host with many receivers is not served one by one. */
  const destinationOf = (entry: Entry): string => String(entry.doc.body.notificationURI)

  /** SEP-158: one at a time to a destination, a bounded number in all. */
  function pump(): void {
    if (stopped) return
    const now = clock.nowMs()
    for (const entry of entries.values()) {
      if (active >= workers) return
      if (!entry.waiting || entry.sending || entry.notBefore_ms > now) continue
      const destination = destinationOf(entry)
      if (busy.has(destination)) continue
      busy.add(destination)
      active++
      entry.sending = true
      void send(entry).catch((error: unknown) => log.error({ err: error }, 'notification failed')).finally(() => {
        busy.delete(destination)
        active--
        entry.sending = false
        setImmediate(() => { pump(); arm() })
      })
    }
  }

  /** Always the newest state, read when it is sent. */
  async function send(entry: Entry): Promise<void> {
    let carried: Seen | undefined
    const ready = !entry.dirty && entry.until > clock.now() ? entry.latest : undefined
    try { carried = ready ?? await look(entry) } catch (error) {
      if (!(error instanceof HttpFault)) throw error
      if (await endedWithDevice(entry)) return
      entry.now = 'gone'
    }
    entry.latest = undefined
    const sent = entry.now
    if (sent === entry.seen) { entry.waiting = false; return }
    const result = await poster.post(destinationOf(entry), notificationOf(entry.doc, carried))
    counts[result.outcome]++
    if (result.outcome === 'failed') { retryLater(entry, result.detail); return }
    entry.seen = sent
    entry.attempts = 0
    entry.waiting = entry.now !== entry.seen
    entry.refusals = result.outcome === 'delivered' ? 0 : entry.refusals + 1
    if (result.outcome !== 'delivered') log.warn({ subscription: entry.doc.id, detail: result.detail, clause: 'SEP-157' }, 'notification refused')
    if (sent === 'gone') await drop(entry, 'its resource is gone')
    else if (result.outcome === 'gone' && entry.refusals >= 3) await drop(entry, 'its receiver is gone')
  }

  function retryLater(entry: Entry, detail: string): void {
    const now = clock.nowMs()
    if (entry.attempts === 0) entry.firstFailure_ms = now
    const wait = (backOff_s[Math.min(entry.attempts, backOff_s.length - 1)] as number) * 1000
    entry.attempts++
    entry.notBefore_ms = now + wait
    if (now - entry.firstFailure_ms > giveUp_ms) { entry.waiting = false; entry.seen = entry.now }
    log.debug({ subscription: entry.doc.id, attempts: entry.attempts, detail }, 'notification will be tried again')
  }

  /** One timer for whatever comes first: a change by the clock or a second attempt. */
  function arm(): void {
    timer?.cancel()
    if (stopped) return
    let next = Infinity
    for (const e of entries.values()) {
      next = Math.min(next, e.until * 1000)
      if (e.waiting && !e.sending) next = Math.min(next, Math.max(e.notBefore_ms, clock.nowMs() + 50))
    }
    if (next < Infinity) timer = clock.after(Math.max(0, next - clock.nowMs()), () => void turn())
  }

  /** What receivers have seen is written once a second: after a crash a state may come twice, never not at all (SEP-160). */
  async function save(): Promise<void> {
    const moved = [...entries.values()].filter((e) => e.seen !== undefined && e.seen !== e.saved)
    if (moved.length > 0) {
      const written = moved.map((e) => ({ entry: e, seen: e.seen }))
      await documents.insertMany(moved.map((e) => ({ tenant, kind: states, id: e.doc.id, parent: e.doc.parent, body: { seen: e.seen } })), clock.nowMs(), { onConflict: 'replace' })
      for (const { entry, seen } of written) entry.saved = seen
    }
  }
  const saving = (): void => {
    save().catch((error: unknown) => log.error({ err: error }, 'subscription states could not be saved')).finally(() => { if (!stopped) saver = clock.after(saveEvery_ms, saving) })
  }

  function changed(kind: string): void {
    if (kind === states) return
    if (kind === subscriptions) { load().then(turn, (error: unknown) => log.error({ err: error }, 'subscriptions could not be read')); return }
    let some = false
    for (const e of entries.values()) if (e.kinds.includes(kind)) { e.dirty = true; some = true }
    if (some) void turn()
  }

  const leader = makeLeader(ctx, begin, end)
  return {
    counts,
    leads: () => leader.leads(),
    pending: () => [...entries.values()].filter((e) => e.waiting || e.dirty || e.sending).length,
    start: () => leader.start(),
    stop: async () => { await leader.stop(); poster.close() },
  }

  async function begin(): Promise<void> {
    stopped = false
    await load()
    forget = documents.onChange((change) => { if (change.tenant === tenant) changed(change.kind) })
    await turn()
    saver = clock.after(saveEvery_ms, saving)
  }

  async function end(): Promise<void> {
    stopped = true
    timer?.cancel()
    saver?.cancel()
    forget?.()
    await save().catch((error: unknown) => log.warn({ err: error }, 'subscription states could not be saved'))
    entries.clear()
  }
}
