import type { FastifyInstance } from 'fastify'
import type { Core } from '#core/assemble.js'
import type { AuditRecord } from '#core/port/store/audit.js'
import { staff } from '#core/operator/roles.js'

const every_ms = 500

/**
 * What changes, as it changes: every state change is in the audit trail, so the stream is the end of it and misses nothing, in this
 * process or another. Ids and states only; a page reads the rest. Last-Event-ID resumes (REL-053).
 */
export function liveRoute(app: FastifyInstance, core: Core): void {
  const { stores } = core.database, { clock, log } = core.means
  app.get('/api/v1/live', { config: { roles: staff }, schema: { tags: ['live'], summary: 'Server-sent events: dispatch, delivery, enrolment, settlement as they change', security: [{ bearer: [] }] } }, async (request, reply) => {
    const { tenant } = request.operator, begun = new Date(clock.nowMs()).toISOString()
    let last = Number(request.headers['last-event-id'] ?? NaN), open = true, timer: { cancel(): void } | undefined, quiet = 0, from = Number.isNaN(last) ? begun : undefined, cursor: string | undefined
    if (Number.isNaN(last)) last = 0
    reply.hijack()
    const out = reply.raw
    out.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', connection: 'keep-alive', 'x-accel-buffering': 'no' })
    out.write(`retry: 2000\n: live from ${begun}\n\n`)
    request.raw.socket.setTimeout(0)
    out.on('close', () => {
      open = false
      timer?.cancel()
    })
    const line = (r: AuditRecord): string => `id: ${r.seq}\nevent: ${r.action}\ndata: ${JSON.stringify({ seq: r.seq, at: r.at, actor: r.actor, action: r.action, entity: r.entity, reason: r.reason })}\n\n`
    async function tail(): Promise<void> {
      if (!open) return
      try {
        const page = await stores.audit.list(tenant, from === undefined ? {} : { from }, { limit: 500, cursor })
        const fresh = page.items.filter((r) => r.seq > last)
        for (const r of fresh) out.write(line(r))
        if (fresh.length > 0) {
          last = fresh.at(-1)!.seq
          from = fresh.at(-1)!.at
          quiet = 0
        } else if (++quiet % 30 === 0) out.write(': still here\n\n')
        cursor = page.next ?? undefined
        // more waits already
        if (page.next !== null) return await tail()
      } catch (err) {
        log.warn({ err }, 'live stream pauses')
      }
      if (open) timer = clock.after(every_ms * clock.rate, () => void tail())
    }
    await tail()
  })
}
