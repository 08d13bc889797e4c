import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type HTTPMethods, type RouteHandlerMethod } from 'fastify'
import type { ServerOptions as TlsOptions } from 'node:https'
import { isUtf8 } from 'node:buffer'
import { systemClock, type Clock } from '#core/port/clock.js'
import type { Ids } from '#core/port/ids.js'
import type { Log } from '#core/port/log.js'
import { isRefusal } from '#core/error.js'
import { belowHttp, oneHost } from '#vtn/below-http.js'
import { DoorRefusal, nothingHere, toProblem } from '#vtn/error-map.js'
import { demand, type Identity, type VtnCaller } from '#vtn/identity.js'
import { exactTwin, printed } from '#vtn/wire/literal.js'
import type { RateLimit } from '#vtn/rate.js'
import type { Scope } from '#vtn/scope.js'

declare module 'fastify' {
  interface FastifyRequest { caller: VtnCaller; bodySize: number; exact: unknown }
  interface FastifyContextConfig { scope?: Scope | 'any'; allow?: string; refuseToken?: 401 | 403 }
}

/** One path: what it answers per method; the other methods are 405 (OA-008). */
export interface Route {
  readonly path: string
  readonly methods: Readonly<Partial<Record<'GET' | 'POST' | 'PUT' | 'DELETE', { scope: Scope | 'any' | 'none'; handler: RouteHandlerMethod }>>>
}

const every: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']

/** The HTTP side that both surfaces share: media types, limits, deadlines, Problem bodies, request ids. */
export function makeDoor(needs: { identity: Identity; clock: Clock; ids: Ids; log: Log; bodyLimit: number; rate: RateLimit; tls?: TlsOptions; heard?: ((caller: VtnCaller, request: FastifyRequest, status: number, payload: unknown) => void) | undefined }): FastifyInstance {
  const { identity, ids, log, clock } = needs
  const sendProblem = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const answer = toProblem(refusedToken(error, request), request.id)
    if (answer.internal) log.error({ err: error, caller: request.caller?.subject, url: request.routeOptions?.url, request: request.id }, 'request failed')
    const asProblem = String(request.headers.accept ?? '').includes('application/problem+json')
    // OA-050: the YAML says application/json; the registered type only for who asks for it.
    void reply.code(answer.status).headers({ ...answer.headers, 'x-request-id': request.id, 'content-type': asProblem ? 'application/problem+json' : 'application/json; charset=utf-8' })
      .send(JSON.stringify(answer.body))
  }
  const below = belowHttp(ids)
  const app = Fastify({
    logger: false, bodyLimit: needs.bodyLimit, genReqId: () => ids.uuid(), requestIdHeader: false,
    // REL-044: fastify's defaults are no deadline at all.
    requestTimeout: 20_000, connectionTimeout: 60_000, keepAliveTimeout: 65_000,
    routerOptions: { maxParamLength: 8192 },
    frameworkErrors: sendProblem as never, clientErrorHandler: below.clientError,
    ...(needs.tls ? { https: { ...needs.tls, requireHostHeader: false } } : { http: { requireHostHeader: false } }),
  } as object) as unknown as FastifyInstance
  app.server.on('checkExpectation', below.expectation)

  app.decorateRequest('caller', null as never)
  app.decorateRequest('bodySize', 0)
  app.decorateRequest('exact', undefined)
  // OA-070: objects leave with the digits that numbers came in.
  app.setReplySerializer(printed)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    request.bodySize = body.length
    // RFC 8259 §8.1: JSON is UTF-8; a lenient decoder would store other letters than were meant.
    if (!/^(utf-?8|us-ascii)?$/i.test(charsetOf(request.headers['content-type']))) return done(new DoorRefusal(415, 'JSON travels in UTF-8'), undefined)
    if (!isUtf8(body as Buffer)) return done(new DoorRefusal(400, 'the body is not UTF-8'), undefined)
    let read: unknown
    try {
      const text = body.toString('utf8')
      read = text === '' ? undefined : JSON.parse(text)
      request.exact = exactTwin(text)
    } catch {
      return done(new DoorRefusal(400, 'the body is not JSON'), undefined)
    }
    done(null, read)
  })
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id)
    if (!oneHost(request.raw)) return done(new DoorRefusal(400, 'a request names one Host'))
    // RFC 9110 §6.6.1: the time that VENs keep theirs by is the door's clock, not whatever Node puts there.
    if (clock !== systemClock) reply.raw.setHeader('Date', new Date(clock.nowMs()).toUTCString())
    const { scope, allow } = request.routeOptions.config
    if (allow !== undefined) return done(new DoorRefusal(405, `${request.method} is not offered here`, { allow }))
    // SEC-040: no compressed requests, so no bombs.
    const packed = request.headers['content-encoding']
    if (packed !== undefined && packed !== 'identity') return done(new DoorRefusal(415, 'request bodies must not be compressed', { 'accept-encoding': 'identity' }))
    if (scope === undefined) return done()
    const enter = (caller: VtnCaller): void => {
      try {
        if (scope !== 'any') demand(caller, scope)
        needs.rate.count(caller.subject || request.ip)
        request.caller = caller
      } catch (error) { return done(error as Error) }
      done()
    }
    try {
      const found = identity.of(request.headers.authorization)
      if (found instanceof Promise) found.then(enter, done)
      else enter(found)
    } catch (error) { done(error as Error) }
  })
  const { heard } = needs
  if (heard) app.addHook('onSend', (request, reply, payload, done) => { if (request.caller) heard(request.caller, request, reply.statusCode, payload); done() })
  app.setErrorHandler(sendProblem)
  // RFC 9110 §9.1: a method that nothing here knows is not offered anywhere.
  app.setNotFoundHandler((request, reply) => sendProblem((every as readonly string[]).includes(request.method) ? new DoorRefusal(404, nothingHere) : new DoorRefusal(501, `${request.method} is not implemented`), request, reply))
  return app
}

const charsetOf = (type: string | undefined): string => /;\s*charset="?([^";\s]*)/i.exec(type ?? '')?.[1] ?? ''

/** OA-027: how a bad token is answered depends on the surface. */
function refusedToken(error: unknown, request: FastifyRequest): unknown {
  if (!isRefusal(error) || error.kind !== 'unauthenticated') return error
  const status = request.routeOptions?.config?.refuseToken ?? 401
  return new DoorRefusal(status, error.message, status === 401 ? { 'www-authenticate': 'Bearer realm="loadstone", error="invalid_token"' } : {})
}

/** Registers paths under a base; every method that a path does not offer answers 405 with Allow. */
export function routes(app: FastifyInstance, base: string, table: readonly Route[], refuseToken: 401 | 403): void {
  for (const { path, methods } of table) {
    const url = base + path
    const offered = Object.keys(methods) as (keyof Route['methods'])[]
    const allow = offered.flatMap((m) => (m === 'GET' ? ['GET', 'HEAD'] : [m]))
    for (const method of offered) {
      const { scope, handler } = methods[method] as { scope: Scope | 'any' | 'none'; handler: RouteHandlerMethod }
      app.route({ method, url, handler, config: scope === 'none' ? {} : { scope, refuseToken } })
    }
    const rest = every.filter((m) => !allow.includes(m))
    app.route({ method: rest as HTTPMethods[], url, config: { allow: allow.join(', ') }, handler: () => undefined })
  }
}
