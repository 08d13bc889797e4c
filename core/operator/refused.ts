import type { FastifyInstance } from 'fastify'
import type { Core } from '#core/assemble.js'
import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'

/** Like login failures: at most one record a minute for each person, route and answer, so that refusals cannot flood the trail. */
const every_ms = 60_000
const mostKnown = 5000
const told: ReadonlySet<number> = new Set([403, 404, 409, 412, 422])

/**
 * SEC-064: what was refused to somebody we know is in the trail too: who, from where, what, and why not. Only commands: reading is
 * judged by roles, and a refused one leaves nothing behind.
 */
export function noteRefusals(app: FastifyInstance, core: Core): void {
  const seen = new Map<string, number>(), { clock, log } = core.means
  app.addHook('onResponse', async (request, reply) => {
    const caller = request.operator as Caller | undefined, route = request.routeOptions.url
    if (!caller || request.method === 'GET' || request.method === 'HEAD' || !route?.startsWith('/api/') || !told.has(reply.statusCode)) return
    const what = `${request.method} ${route}`, key = `${caller.tenant} ${caller.user} ${what} ${reply.statusCode}`, now = clock.nowMs(), last = seen.get(key)
    if (last !== undefined && now - last < every_ms * clock.rate) return
    if (seen.size >= mostKnown) seen.delete(seen.keys().next().value!)
    seen.set(key, now)
    const entity = Object.values((request.params ?? {}) as Record<string, string>)[0] ?? what
    await core.transact((work) => note(work, caller, [{ action: 'command.refused', entity, reason: `${reply.statusCode} ${what} from ${request.ip}` }]))
      .catch((err: unknown) => log.error({ err, clause: 'SEC-064' }, 'a refusal could not be noted'))
  })
}
