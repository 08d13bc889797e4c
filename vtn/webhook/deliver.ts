import { createHash, createHmac } from 'node:crypto'
import type { Clock, Timer } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { Agenda, AgendaEntry } from '#core/port/store/agenda.js'
import type { DocumentStore, NewDocument } from '#core/port/store/document.js'
import type { Secrets } from '#vtn/secret.js'
import { kindOf, type Content, type Stored } from '#vtn/stored.js'
import type { Endpoints } from '#vtn/webhook/endpoint.js'
import type { Outbound } from '#vtn/webhook/post.js'
import { reason } from '#vtn/webhook/challenge.js'
import { deliveryKind, webhookTask, type DeliveryRecord, type WebhookRow } from '#vtn/webhook/record.js'
import { backoff, type Worker } from '#vtn/worker.js'

const lease = 60_000
/** In hand at once; one receiver never has more than its share, so a slow one holds nobody else up (OA-133, REL-054). */
const inHand = 400, perReceiver = 8, waitingPerReceiver = 40

export interface DeliverNeeds {
  readonly agenda: Agenda
  readonly documents: DocumentStore
  readonly clock: Clock
  readonly log: Log
  readonly tenant: string
  readonly secrets: Secrets
  readonly outbound: Outbound
  readonly endpoints: Endpoints
  readonly attempts: number
  /** REL-054: hours after its making that a notification is still tried; 0 = only `attempts` times. */
  readonly retryFor_h: number
}

const hour_ms = 3_600_000

interface Held { readonly entry: AgendaEntry; readonly row: WebhookRow }

/** Sends webhook rows: at least once, in order per subscription and object, each receiver at its own pace (OA-129, OA-130). */
export function webhookWorker(needs: DeliverNeeds): Worker {
  const { agenda, documents, clock, log, tenant, endpoints } = needs
  const lines = new Map<string, { active: number; waiting: Held[]; subjects: Set<string> }>()
  let inFlight = 0, stopped = true, timer: Timer | undefined, claiming: Promise<void> | undefined, again = false, unlisten = (): void => {}
  let finished: { id: string; record: NewDocument<DeliveryRecord> }[] = [], flushing: Promise<void> | undefined
  let subscriptions = new Map<string, Stored | undefined>(), subscriptionsAt = -1
  let asking: { readonly ids: Set<string>; readonly answered: Promise<void> } | undefined
  const idle: (() => void)[] = []

  /** Rows that begin together ask together: hundreds of single questions would take every connection from the requests, and wait in vain themselves. */
  async function subscriptionOf(id: string): Promise<Stored | undefined> {
    const revision = documents.revision(tenant, kindOf.SUBSCRIPTION)
    if (revision !== subscriptionsAt) { subscriptions = new Map(); subscriptionsAt = revision; asking = undefined }
    const known = subscriptions
    if (known.has(id)) return known.get(id)
    asking ??= question(known)
    asking.ids.add(id)
    await asking.answered
    return known.get(id)
  }
  function question(known: Map<string, Stored | undefined>): NonNullable<typeof asking> {
    const ids = new Set<string>()
    const answered = Promise.resolve().then(async () => {
      asking = undefined
      const found = await documents.list<Content>(tenant, { kind: kindOf.SUBSCRIPTION, ids: [...ids] })
      for (const id of ids) known.set(id, undefined)
      for (const one of found) known.set(one.id, one)
    })
    return { ids, answered }
  }

  /** Finished rows leave the outbox and enter the log in batches. */
  function finish(held: Held, record: DeliveryRecord): void {
    finished.push({ id: held.entry.id, record: logged(held.entry.id, record) })
    flushing ??= flush().finally(() => { flushing = undefined })
  }
  const logged = (id: string, record: DeliveryRecord): NewDocument<DeliveryRecord> =>
    ({ tenant, kind: deliveryKind, id, parent: record.subscription, body: record, sort1: clock.now() })

  async function flush(): Promise<void> {
    while (finished.length) {
      await new Promise((done) => setImmediate(done))
      const batch = finished.splice(0, 500)
      try {
        await documents.insertMany(batch.map((b) => b.record), clock.nowMs(), { onConflict: 'replace' })
        await agenda.done(batch.map((b) => b.id))
      } catch (error) {
        log.error({ err: error }, 'webhook results could not be stored; their rows come again when the lease ends')
      }
    }
  }

  async function attempt(held: Held): Promise<void> {
    const { entry, row } = held
    const subscription = await subscriptionOf(row.subscription)
    const earlier = entry.attempts > 1 ? (await documents.get<DeliveryRecord>(tenant, deliveryKind, entry.id))?.body.attempts ?? 0 : 0
    const record = (state: DeliveryRecord['state'], attempts: number, status: number | null, error: string | null): DeliveryRecord =>
      ({ subscription: row.subscription, objectType: row.objectType, operation: row.operation, object: row.object, state, attempts, status, error, body: row.body, callbackUrl: row.callbackUrl })
    if (!subscription) return finish(held, record('dropped', earlier, null, 'the subscription is gone'))
    if (endpoints.of(row.subscription).broken) return finish(held, record('dropped', earlier, null, 'the receiver counts as broken'))
    const before = endpoints.of(row.subscription).held[entry.subject]
    if (before !== undefined && before < entry.id) return agenda.retry(entry.id, clock.nowMs() + 1000, 'waits for an earlier notification of the same object')
    const attempts = earlier + 1
    const answer = await needs.outbound.post(row.callbackUrl, row.body, headersFor(subscription, row, attempts)).catch((error: unknown) => ({ status: null, body: reason(error) }))
    if (answer.status !== null && answer.status >= 200 && answer.status < 300) {
      await endpoints.succeeded(row.subscription, entry.subject)
      return finish(held, record('delivered', attempts, answer.status, null))
    }
    const error = answer.status === null ? answer.body : `answered ${answer.status}`
    const again = (answer.status === null || answer.status === 408 || answer.status === 429 || answer.status >= 500) && (attempts < needs.attempts || clock.nowMs() < row.madeAt + needs.retryFor_h * hour_ms)
    const broken = await endpoints.failed(row.subscription, entry.subject, again ? entry.id : undefined)
    if (!again || broken) return finish(held, record('failed', attempts, answer.status, error))
    await documents.insertMany([logged(entry.id, record('retrying', attempts, answer.status, error))], clock.nowMs(), { onConflict: 'replace' })
    await agenda.retry(entry.id, clock.nowMs() + Math.round((attempts < needs.attempts ? backoff(attempts) : hour_ms) * jitter(entry.id, attempts)), error)
  }

  function headersFor(subscription: Stored, row: WebhookRow, attempts: number): Record<string, string> {
    const operations = subscription.body['objectOperations'] as { callbackUrl: string; bearerToken?: string | null }[]
    const token = operations.find((o) => o.callbackUrl === row.callbackUrl && o.bearerToken)?.bearerToken
    const secret = subscription.body['hmacSecret']
    const mac = (text: string): string => `sha256=${createHmac('sha256', needs.secrets.open(String(secret))).update(text).digest('hex')}`, at = String(clock.now())
    return {
      'content-type': 'application/json', 'x-openadr-attempt': String(attempts),
      ...(token ? { authorization: `Bearer ${needs.secrets.open(token)}` } : {}),
      // OA-131: over the exact bytes that are sent; REL-054: and once more with the time of this attempt, so that a recorded one grows old.
      ...(typeof secret === 'string' ? { 'x-openadr-signature': mac(row.body), 'x-openadr-timestamp': at, 'x-openadr-signature-timestamped': mac(`${at}.${row.body}`) } : {}),
    }
  }

  function next(receiver: string): void {
    const line = lines.get(receiver)
    if (!line) return
    while (line.active < perReceiver) {
      // One at a time per object, in order.
      const at = line.waiting.findIndex((h) => !line.subjects.has(h.entry.subject))
      const held = at < 0 ? undefined : line.waiting.splice(at, 1)[0]
      if (!held) break
      line.active += 1
      line.subjects.add(held.entry.subject)
      void attempt(held).catch((error: unknown) => log.error({ err: error, entry: held.entry.id }, 'a webhook row could not be worked on')).finally(() => {
        line.active -= 1
        inFlight -= 1
        line.subjects.delete(held.entry.subject)
        next(receiver)
        if (inFlight < inHand / 2) wake()
        if (inFlight === 0) for (const done of idle.splice(0)) done()
      })
    }
    if (line.active === 0 && line.waiting.length === 0) lines.delete(receiver)
  }

  async function claim(): Promise<number> {
    await endpoints.load()
    const now = clock.nowMs()
    const entries = await agenda.claim(now, now + lease * clock.rate, [webhookTask], Math.max(0, inHand - inFlight))
    for (const entry of entries) {
      const row = entry.payload as WebhookRow
      const line = lines.get(row.subscription) ?? { active: 0, waiting: [], subjects: new Set<string>() }
      lines.set(row.subscription, line)
      // A receiver that is far behind gives its rows back, so that others find room.
      if (line.waiting.length >= waitingPerReceiver) { await agenda.retry(entry.id, now + 2000, 'the receiver is busy'); continue }
      inFlight += 1
      line.waiting.push({ entry, row })
    }
    for (const receiver of new Set(entries.map((e) => (e.payload as WebhookRow).subscription))) next(receiver)
    return entries.length
  }

  function wake(): void {
    if (stopped) return
    if (claiming) { again = true; return }
    timer?.cancel()
    claiming = turn()
  }

  async function turn(): Promise<void> {
    // Not before `claiming` is set: with all hands full there is nothing to wait for, and a turn that ended first would never be seen to end.
    await Promise.resolve()
    let got = 0, failed = false
    try {
      if (inFlight < inHand) got = await claim()
    } catch (error) {
      failed = true
      log.error({ err: error }, 'the webhook outbox could not be read')
    }
    claiming = undefined
    if (stopped) return
    if (again || (got > 0 && inFlight < inHand)) { again = false; return wake() }
    const due = failed ? undefined : await agenda.nextDue([webhookTask]).catch(() => { failed = true; return undefined })
    // A database that was too busy to answer is asked again soon, not when the next notice happens to come.
    if (!stopped && !claiming) timer = clock.after(failed ? 1000 : Math.min(Math.max(50, (due ?? Number.POSITIVE_INFINITY) - clock.nowMs()), 30_000 * clock.rate), wake)
  }

  const settled = async (): Promise<void> => {
    if (inFlight > 0) await new Promise<void>((done) => idle.push(done))
    await flushing
  }

  return {
    async drain() {
      while (await claim() > 0) await settled()
      await settled()
    },
    start() {
      stopped = false
      unlisten = agenda.onAdded(wake)
      wake()
    },
    async stop() {
      stopped = true
      unlisten()
      timer?.cancel()
      await claiming
      await settled()
    },
  }
}

/** 0.75 … 1.25, from the row itself: spread, and the same in every test. */
const jitter = (id: string, attempts: number): number => 0.75 + (createHash('sha256').update(`${id}.${attempts}`).digest().readUInt16BE(0) / 65_535) / 2
