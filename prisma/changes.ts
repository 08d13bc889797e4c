import { randomInt } from 'node:crypto'
import { Client, type ClientConfig, type Notification } from 'pg'
import type { Log } from '#core/port/log.js'

type DocumentListener = (change: { tenant: string; kind: string }) => void

/**
 * What this process knows of changes made by any process. A document revision starts at a random number, so that a cache key or an ETag
 * made from it can never meet that of another process or of an earlier life; it rises with each write. While
 * nobody tells us of other processes' writes (`deaf`), each question gets a new number: nothing stale is ever served.
 */
export class Changes {
  readonly #revisions = new Map<string, number>()
  readonly #base = randomInt(2 ** 47) * 16
  readonly #documentListeners = new Set<DocumentListener>()
  readonly #agendaListeners = new Set<() => void>()
  readonly #log: Log
  #extra = 0
  deaf = true

  constructor(log: Log) {
    this.#log = log
  }

  revision(tenant: string, kind: string): number {
    if (this.deaf) this.#extra += 1
    return this.#base + this.#extra + (this.#revisions.get(`${tenant} ${kind}`) ?? 0)
  }

  documents(tenant: string, kind: string): void {
    const key = `${tenant} ${kind}`
    this.#revisions.set(key, (this.#revisions.get(key) ?? 0) + 1)
    for (const listener of this.#documentListeners) this.#tell(() => listener({ tenant, kind }))
  }

  agenda(): void {
    for (const listener of this.#agendaListeners) this.#tell(listener)
  }

  /** What is told is committed already: a listener that throws harms neither the writer nor the other listeners (REL-006). */
  #tell(listener: () => void): void {
    try { listener() } catch (error) { this.#log.error({ err: error }, 'a listener for changes failed') }
  }

  /** After a time of deafness anything may have changed. */
  everything(): void {
    this.#extra += 1
    for (const key of this.#revisions.keys()) {
      const [tenant = '', kind = ''] = key.split(' ')
      for (const listener of this.#documentListeners) this.#tell(() => listener({ tenant, kind }))
    }
    this.agenda()
  }

  onDocuments(listener: DocumentListener): () => void {
    this.#documentListeners.add(listener)
    return () => { this.#documentListeners.delete(listener) }
  }

  onAgenda(listener: () => void): () => void {
    this.#agendaListeners.add(listener)
    return () => { this.#agendaListeners.delete(listener) }
  }
}

/** One connection that only listens. It comes back by itself; TCP keep-alive and a question every 15 s find a dead link. */
export function listen(config: ClientConfig, changes: Changes, log: Log): { ready: Promise<void>; close(): Promise<void> } {
  let client: Client | undefined, timer: NodeJS.Timeout | undefined, closed = false, wait = 100
  const again = (): void => {
    changes.deaf = true
    if (closed || timer) return
    timer = setTimeout(() => { timer = undefined; void open() }, wait).unref()
    wait = Math.min(wait * 2, 5000)
  }
  const heard = ({ channel, payload }: Notification): void => {
    if (channel === 'loadstone_agenda') return changes.agenda()
    const [tenant, kind] = JSON.parse(payload ?? '[]') as [string, string]
    changes.documents(tenant, kind)
  }
  async function open(): Promise<void> {
    const fresh = new Client({ ...config, keepAlive: true, query_timeout: 5000 })
    client = fresh
    fresh.on('error', (error) => log.warn({ err: error }, 'the listening connection broke'))
    fresh.on('end', () => { if (client === fresh) again() })
    fresh.on('notification', heard)
    try {
      await fresh.connect()
      await fresh.query('listen loadstone_document; listen loadstone_agenda')
      wait = 100
      changes.deaf = false
      changes.everything()
      pulse(fresh)
    } catch (error) {
      log.warn({ err: error }, 'cannot listen for changes of other processes yet')
      await fresh.end().catch(() => {})
      again()
    }
  }
  function pulse(at: Client): void {
    setTimeout(() => {
      if (closed || client !== at || changes.deaf) return
      at.query('select 1').then(() => pulse(at), () => { void at.end().catch(() => {}); again() })
    }, 15_000).unref()
  }
  return {
    ready: open(),
    async close() {
      closed = true
      clearTimeout(timer)
      await client?.end().catch(() => {})
    },
  }
}
