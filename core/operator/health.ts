import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import type { Core } from '#core/assemble.js'

/** One part of the server: ready, or why not. */
export type Part = () => Promise<{ readonly ok: boolean; readonly reason?: string }> | { readonly ok: boolean; readonly reason?: string }

/** UX-071: alive, ready (per part, with reasons), metrics, version. SEC-062: detail beyond loopback needs a token. */
export function healthRoutes(app: FastifyInstance, { core, version, parts, metrics }: { core: Core; version: string; parts: Readonly<Record<string, Part>>; metrics: Registry }): void {
  const hide = { schema: { hide: true } }
  app.get('/healthz', { ...hide, config: { roles: 'open' } }, async () => ({ status: 'ok' }))
  app.get('/readyz', { ...hide, config: { roles: 'open' } }, async (_request, reply) => {
    const asked = { database: async () => ((await core.database.ping()) ? { ok: true } : { ok: false, reason: 'the database does not answer' }), ...parts }
    const entries = await Promise.all(Object.entries(asked).map(async ([name, part]) => {
      try {
        return [name, await part()] as const
      } catch (error) {
        return [name, { ok: false, reason: error instanceof Error ? error.message : 'failed' }] as const
      }
    }))
    const ready = entries.every(([, p]) => p.ok)
    return reply.code(ready ? 200 : 503).send({ ready, parts: Object.fromEntries(entries) })
  })
  app.get('/version', { ...hide, config: { roles: 'local' } }, async () => ({ name: 'loadstone', version, node: process.version }))
  app.get('/metrics', { ...hide, config: { roles: 'local' } }, async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()))
}
