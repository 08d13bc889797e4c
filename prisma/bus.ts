import { randomUUID } from 'node:crypto'
import { Client, type ClientConfig, type Notification } from 'pg'
import type { Bus } from '#core/port/bus.js'
import type { Log } from '#core/port/log.js'

type Listener = (message: unknown) => void

/** PostgreSQL takes fewer than 8000 bytes in one NOTIFY; longer words go in pieces. */
const longest = 7600

/** LISTEN/NOTIFY as a bus, on one connection of its own that is opened at the first use and comes back by itself. */
export function postgresBus(config: ClientConfig, log: Log): Bus & { close(): Promise<void> } {
  const listeners = new Map<string, Set<Listener>>(), gaps = new Set<() => void>()
  const pieces = new Map<string, string[]>()
  let client: Client | undefined, opening: Promise<Client> | undefined, closed = false

  function heard({ channel, payload = '' }: Notification): void {
    const [id, n, of] = payload.split(' ', 3) as [string, string, string]
    const text = payload.slice(id.length + n.length + of.length + 3)
    if (of === '1') return tell(channel, text)
    const parts = pieces.get(id) ?? []
    parts[Number(n)] = text
    pieces.set(id, parts)
    if (Number(n) < Number(of) - 1) return
    pieces.delete(id)
    if (parts.length === Number(of) && !parts.includes(undefined as never)) tell(channel, Buffer.from(parts.join(''), 'base64').toString('utf8'))
  }

  function tell(channel: string, text: string): void {
    const message = JSON.parse(text) as unknown
    for (const listener of listeners.get(channel) ?? []) {
      try { listener(message) } catch (error) { log.error({ err: error, channel }, 'a listener of the bus failed') }
    }
  }

  async function connect(): Promise<Client> {
    const fresh = new Client({ ...config, keepAlive: true, query_timeout: 5000 })
    fresh.on('error', (error) => log.warn({ err: error }, 'the bus connection broke'))
    fresh.on('end', () => { if (client === fresh) lost() })
    fresh.on('notification', heard)
    await fresh.connect()
    for (const channel of listeners.keys()) await fresh.query(`listen ${fresh.escapeIdentifier(channel)}`)
    return fresh
  }

  function open(): Promise<Client> {
    if (closed) return Promise.reject(new Error('the bus is closed'))
    return opening ??= connect().then((fresh) => (client = fresh), (error: unknown) => {
      opening = undefined
      throw error
    })
  }

  function lost(): void {
    client = opening = undefined
    pieces.clear()
    if (closed || listeners.size === 0) return
    setTimeout(() => {
      open().then(() => { for (const listener of gaps) listener() }, lost)
    }, 250).unref()
  }

  /** One connection answers one question at a time. */
  let line: Promise<unknown> = Promise.resolve()
  function say(channel: string, payload: string): Promise<void> {
    const said = line.then(async () => { await (await open()).query('select pg_notify($1, $2)', [channel, payload]) })
    line = said.catch(() => {})
    return said
  }

  return {
    async publish(channel, message) {
      const text = JSON.stringify(message)
      if (Buffer.byteLength(text) <= longest) return say(channel, `0 0 1 ${text}`)
      const id = randomUUID(), whole = Buffer.from(text, 'utf8').toString('base64'), of = Math.ceil(whole.length / longest)
      for (let n = 0; n < of; n += 1) await say(channel, `${id} ${n} ${of} ${whole.slice(n * longest, (n + 1) * longest)}`)
    },
    async subscribe(channel, listener) {
      const all = listeners.get(channel) ?? new Set()
      const first = all.size === 0
      all.add(listener)
      listeners.set(channel, all)
      const heardAlready = client === undefined
      const at = await open()
      // A connection that was opened just now listens to every channel already.
      if (first && !heardAlready) await (line = line.then(() => at.query(`listen ${at.escapeIdentifier(channel)}`)))
      return () => { all.delete(listener) }
    },
    onGap(listener) {
      gaps.add(listener)
      return () => { gaps.delete(listener) }
    },
    async close() {
      closed = true
      await client?.end().catch(() => {})
    },
  }
}
