import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Caller, Role } from '#core/caller.js'
import { faultAnswer, type Answer, type Door } from '#csip-server/door.js'
import { reason } from '#csip-server/error-map.js'
import { operatorPeer } from '#csip-server/identity.js'

export interface CsipOperatorOptions {
  readonly door: Door
  /** Who asks, as the operator door's own `identity.ts` found; that door has refused everyone without a token before this runs. */
  readonly callerOf: (request: FastifyRequest) => Caller | undefined
  readonly bodyMax: number
}

const reads: readonly Role[] = ['admin', 'operator', 'dispatcher', 'auditor', 'viewer', 'dso']
const writes: readonly Role[] = ['admin', 'operator', 'dso']

/**
 * The server's own 2030.5 resources with an operator's rights (contract §6 `csip/…`, SEP-136): path, method, XML and answer as on
 * the protocol door. A fastify plugin that main.ts registers with the prefix `/api/v1/csip`.
 */
export async function csipOperator(app: FastifyInstance, { door, callerOf, bodyMax }: CsipOperatorOptions): Promise<void> {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: bodyMax }, (_request, body, done) => done(null, body))
  app.route({
    method: ['GET', 'POST', 'PUT', 'DELETE'],
    url: '/*',
    schema: { summary: 'The same path on the IEEE 2030.5 door, with an operator’s rights', tags: ['csip'], consumes: ['application/sep+xml'], produces: ['application/sep+xml'] },
    async handler(request, reply) {
      const caller = callerOf(request)
      const allowed = request.method === 'GET' ? reads : writes
      const answer: Answer = !caller || !caller.roles.some((r) => allowed.includes(r))
        ? faultAnswer(door.codec, { status: 403, reasonCode: reason.format })
        : await door.handle({
          method: request.method, target: targetOf(request), peer: operatorPeer(caller.user),
          accept: request.headers.accept, contentType: request.headers['content-type'], body: request.body as Buffer | undefined,
        })
      reply.code(answer.status)
      if (answer.location !== undefined) reply.header('Location', answer.location)
      if (answer.allow !== undefined) reply.header('Allow', answer.allow)
      if (answer.retryAfter !== undefined) reply.header('Retry-After', answer.retryAfter)
      if (answer.body) reply.header('Content-Type', 'application/sep+xml')
      return reply.send(answer.body ?? '')
    },
  })
}

/** What comes after the mount point, query included. */
function targetOf(request: FastifyRequest): string {
  const rest = (request.params as { '*': string })['*']
  const query = request.url.indexOf('?')
  return `/${rest}${query < 0 ? '' : request.url.slice(query)}`
}
