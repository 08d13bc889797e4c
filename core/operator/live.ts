import type { ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Core } from '#core/assemble.js'
import { auditKind, type AuditRecord } from '#core/port/store/audit.js'
import { staff } from '#core/operator/roles.js'

/** A sign of life for proxies, and a second look for what a broken notification may have hidden, in machine ms. */
const heartbeat_ms = 15_000

interface Listener { readonly out: ServerResponse; last: number }

const line = (r: AuditRecord): string => `id: ${r.seq}\nevent: ${r.action}\ndata: ${JSON.stringify({ seq: r.seq, at: r.at, actor: r.actor, action: r.action, entity: r.entity, reason: r.reason })}\n\n`

/**
 * The end of one tenant's trail for everybody who looks: read once when somebody has written (NOTIFY, so from any process), however
 * many listen. A listener that cannot keep up is cut off: it comes back with Last-Event-ID and misses nothing (REL-053).
 */
class Tail {
  readonly listeners = new Set<Listener>()
  readonly #core: Core
  readonly #tenant: string
  #reading = false
  #again = false
  #timer: { cancel(): void } | undefined

  constructor(core: Core, tenant: string) {
    this.#core = core
    this.#tenant = tenant
  }

  add(listener: Listener): void {
    this.listeners.add(listener)
    if (this.listeners.size === 1) this.#beat()
    void this.read()
  }

  remove(listener: Listener): void {
    this.listeners.delete(listener)
    if (this.listeners.size === 0) this.#timer?.cancel()
  }

  #beat(): void {
    const { clock } = this.#core.means
    this.#timer = clock.after(heartbeat_ms * clock.rate, () => {
      if (this.listeners.size === 0) return
      for (const l of this.listeners) l.out.write(': still here\n\n')
      void this.read()
      this.#beat()
    })
  }

  async read(): Promise<void> {
    if (this.#reading) {
      this.#again = true
      return
    }
    this.#reading = true
    try {
      do {
        this.#again = false
        await this.#readOn()
      } while (this.#again)
    } catch (err) {
      this.#core.means.log.warn({ err }, 'live stream pauses')
    } finally {
      this.#reading = false
    }
  }

  async #readOn(): Promise<void> {
    for (;;) {
      const after = Math.min(...[...this.listeners].map((l) => l.last))
      if (!Number.isFinite(after)) return
      const { items, next } = await this.#core.database.stores.audit.list(this.#tenant, { after }, { limit: 500 })
      const texts = items.map((r) => ({ seq: r.seq, text: line(r) }))
      for (const l of this.listeners) {
        const news = texts.filter((t) => t.seq > l.last)
        if (news.length === 0) continue
        l.last = news.at(-1)!.seq
        l.out.write(news.map((t) => t.text).join(''))
        if (l.out.writableLength > 4_000_000) l.out.destroy()
      }
      if (next === null) return
    }
  }
}

/**
 * What changes, as it changes: every state change is in the audit trail, so the stream is the end of it, in this process or another.
 * Ids and states only; a page reads the rest.
 */
export function liveRoute(app: FastifyInstance, core: Core): void {
  const { stores } = core.database, tails = new Map<string, Tail>(), open = new Set<ServerResponse>()
  const unlisten = stores.documents.onChange(({ tenant, kind }) => { if (kind === auditKind) void tails.get(tenant)?.read() })
  app.addHook('preClose', async () => {
    unlisten()
    for (const out of open) out.end()
  })
  app.get('/api/v1/live', { config: { roles: staff }, schema: { tags: ['live'], summary: 'Server-sent events: dispatch, delivery, enrolment, settlement as they change', security: [{ bearer: [] }] } }, async (request, reply) => {
    const { tenant } = request.operator, given = Number(request.headers['last-event-id'] ?? NaN)
    const last = Number.isSafeInteger(given) && given >= 0 ? given : (await stores.audit.head(tenant)).seq
    reply.hijack()
    const out = reply.raw, listener: Listener = { out, last }, tail = tails.get(tenant) ?? new Tail(core, tenant)
    tails.set(tenant, tail)
    out.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', connection: 'keep-alive', 'x-accel-buffering': 'no' })
    out.write(`retry: 2000\n: live after ${last}\n\n`)
    request.raw.socket.setTimeout(0)
    open.add(out)
    out.on('close', () => {
      open.delete(out)
      tail.remove(listener)
    }).on('error', () => {})
    tail.add(listener)
  })
}
