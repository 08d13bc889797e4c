import type { IncomingMessage } from 'node:http'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { collectDefaultMetrics, Registry } from 'prom-client'
import type { Core } from '#core/assemble.js'
import type { Role } from '#core/caller.js'
import { again } from '#core/dispatch/deliver.js'
import { Refusal, isRefusal } from '#core/error.js'
import { admitWithin } from '#core/operator/admission.js'
import { advice, problem, statusOf, type Problem } from '#core/operator/error-map.js'
import { examples, type Examples } from '#core/operator/examples.js'
import { gridOnly, gridView } from '#core/operator/grid-view.js'
import { healthRoutes, type Part } from '#core/operator/health.js'
import { authenticator, doorkeeper, type Authenticate } from '#core/operator/identity.js'
import { commandHash, once } from '#core/operator/idempotency.js'
import { liveRoute } from '#core/operator/live.js'
import { measure } from '#core/operator/metrics.js'
import { loginFailures } from '#core/operator/login-failures.js'
import { completed } from '#core/operator/openapi-complete.js'
import { openapiHead } from '#core/operator/openapi.js'
import { noteRefusals } from '#core/operator/refused.js'
import { registry } from '#core/operator/registry.js'
import type { Limits } from '#core/operator/shed.js'
import type { Answer, Ask, OperatorRoute } from '#core/operator/route.js'
import { soundBody } from '#core/operator/sound-body.js'
import { traceRequests } from '#core/operator/trace.js'
import { validationFaults, type Finding } from '#core/operator/validation-faults.js'
import { validators } from '#core/operator/validators.js'
import type { Log } from '#core/port/log.js'

/** What another room's operator routes need from this door: the same identity, the same roles, the same errors. */
export interface OperatorDoor {
  readonly authenticate: Authenticate
  /** Put into a route's options: `app.post('/api/v1/stations', { ...door.only('admin', 'operator') }, handler)`; the handler finds `request.operator`. */
  only(...roles: Role[]): { config: { roles: readonly Role[] } }
  /** Runs a command in one transaction with its Idempotency-Key (CORE-013). */
  once(request: FastifyRequest, command: (work: Parameters<Parameters<Core['transact']>[0]>[0]) => Promise<Answer>): Promise<Answer>
}

export interface OperatorNeeds {
  readonly core: Core
  readonly log: Log
  readonly version: string
  /** Parts of the server for /readyz, besides the database. */
  readonly parts?: Readonly<Record<string, Part>>
  /** The registry that /metrics prints; other rooms add theirs to it. */
  readonly metrics?: Registry
  /** Roles of routes that other rooms hang here without naming any; undefined = the route is refused at start. */
  readonly rolesOf?: (method: string, url: string) => readonly Role[] | undefined
  /** Further routes with the same identity: stations, csip, certificates, vendors, the console's pages. */
  readonly extend?: (app: FastifyInstance, door: OperatorDoor) => void | Promise<void>
  readonly bodyLimit?: number
  /** What is served at once and to whom (REL-070, REL-071); undefined = everything to everybody. */
  readonly limits?: Limits
  /** Examples of the routes that other rooms hang here, for /openapi.json. */
  readonly examples?: Examples
  /** Whose trail a failed login goes to when its token names no tenant (CORE-231). */
  readonly home?: string
}

const mebibyte = 1024 * 1024

/** The operator's door: everything of contract §6 over the use cases. `listen` is the caller's. */
export async function buildOperator(needs: OperatorNeeds): Promise<FastifyInstance> {
  const { core, log, version, metrics = new Registry() } = needs, authenticate = authenticator(core.tokens)
  const failed = loginFailures(core, needs.home)
  // REL-044: Fastify's own defaults leave these open
  const app = fastify({
    logger: false, bodyLimit: needs.bodyLimit ?? 16 * mebibyte, connectionTimeout: 60_000, requestTimeout: 300_000, keepAliveTimeout: 72_000, maxRequestsPerSocket: 0,
    genReqId: () => core.means.ids.uuid(), routerOptions: { maxParamLength: 500, ignoreTrailingSlash: true }, http: { headersTimeout: 30_000, maxHeaderSize: 16_384 },
  } as Parameters<typeof fastify>[0]) as unknown as FastifyInstance
  app.setValidatorCompiler(validators() as never)
  app.decorateRequest('operator')
  if (core.means.trace?.on) traceRequests(app, core.means.trace)
  // what a person quotes and a log line says is one word (UX-013)
  app.addHook('onRequest', async (request, reply) => { reply.header('x-request-id', request.id) })
  app.addHook('onRequest', doorkeeper(authenticate))
  if (needs.limits) admitWithin(app, needs.limits, () => performance.now())
  app.addHook('preValidation', async (request) => soundBody(request.body))
  noteRefusals(app, core)
  // deny by default: an API route that names no roles never starts
  app.addHook('onRoute', (route) => {
    if (route.url.startsWith('/api/') && !Array.isArray(route.config?.roles)) {
      const roles = needs.rolesOf?.(String(route.method), route.url)
      if (!roles) throw new Error(`${route.method} ${route.url} names no roles`)
      route.config = { ...route.config, roles }
    }
    if (route.config?.roles === undefined) route.config = { ...route.config, roles: 'local' }
  })
  app.setErrorHandler((error, request, reply) => fail(error as FastifyError, request, reply, log, failed))
  app.setNotFoundHandler(async (request, reply) => send(reply, problem('notFound', 404, 'There is no such thing', `nothing answers ${request.method} ${request.url.split('?')[0]}`, request.url)))
  for (const type of ['text/csv', 'application/x-ndjson', 'application/ndjson', 'application/xml', 'application/atom+xml', 'text/xml', 'application/vnd.apache.parquet']) app.addContentTypeParser(type, (_request: FastifyRequest, payload: IncomingMessage, done: (e: null, body: unknown) => void) => done(null, payload))
  // a command may come without a body, whatever its content type says; plain text is nothing this API takes (SEC-045)
  app.removeContentTypeParser(['application/json', 'text/plain'])
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text === '') return done(null, undefined)
    app.getDefaultJsonParser('error', 'error')(request, text as string, done)
  })

  const shown = { ...examples(), ...needs.examples }
  await app.register(swagger, { openapi: openapiHead(version) as never, hideUntagged: true, transformObject: (d) => completed('openapiObject' in d ? d.openapiObject : d.swaggerObject, shown) as never })
  await app.register(swaggerUi, { routePrefix: '/docs', uiConfig: { docExpansion: 'none', persistAuthorization: true } })
  measure(app, metrics)
  for (const route of registry) hang(app, core, route)
  liveRoute(app, core)
  healthRoutes(app, { core, version, parts: needs.parts ?? {}, metrics })
  app.get('/openapi.json', { config: { roles: 'local' }, schema: { hide: true } }, async () => app.swagger())
  app.get<{ Params: { kind: string } }>('/errors/:kind', { config: { roles: 'open' }, schema: { hide: true } }, async (request, reply) => {
    const words = Object.hasOwn(advice, request.params.kind) ? advice[request.params.kind]! : undefined
    if (words === undefined) throw new Refusal('notFound', 'there is no such page')
    return reply.type('text/html; charset=utf-8').send(`<!doctype html><html lang="en"><title>${request.params.kind}</title><h1>${request.params.kind}</h1><p>${words}</p></html>`)
  })
  const door: OperatorDoor = {
    authenticate, only: (...roles) => ({ config: { roles } }),
    once: (request, command) => once(core.transact, request.operator, keyOf(request), commandHash(request.method, request.url, request.body), command),
  }
  if (needs.extend) await needs.extend(app, door)
  await app.ready()
  return app
}

export const collectProcessMetrics = (metrics: Registry): void => collectDefaultMetrics({ register: metrics })

function keyOf(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key !== 'string' || key.length === 0 || key.length > 255) throw new Refusal('invalid', 'an Idempotency-Key has 1 to 255 characters', { faults: [{ path: 'Idempotency-Key', reason: 'has 1 to 255 characters' }] })
  return key
}

/** If-Match: "3" or `version` in the body. */
function versionOf(request: FastifyRequest): number | undefined {
  const header = request.headers['if-match'], match = /^(?:W\/)?"?(\d{1,15})"?$/.exec(header ?? '')
  if (header !== undefined && header !== '*' && !match) throw new Refusal('stale', 'If-Match names no version of this thing')
  const body = request.body as { version?: unknown } | null | undefined
  return match ? Number(match[1]) : typeof body?.version === 'number' ? body.version : undefined
}

/** One route of the registry on the wire. */
function hang(app: FastifyInstance, core: Core, route: OperatorRoute): void {
  const schema = {
    tags: [route.path.split('/')[0]!], summary: route.summary, description: `Roles: ${route.roles.join(', ')}.`, operationId: `${route.method.toLowerCase()}-${route.path.replaceAll(/[/:]+/g, '-')}`,
    ...(route.query ? { querystring: route.query } : {}),
    ...(route.body && !route.forms ? { body: route.example === undefined ? route.body : { ...route.body, examples: [route.example] } } : {}),
    ...(route.forms ? { consumes: ['application/json', ...route.forms] } : {}),
  }
  app.route({
    method: route.method, url: `/api/v1/${route.path}`, config: { roles: route.roles }, schema: withAnswers(schema, route), ...(route.bodyLimit === undefined ? {} : { bodyLimit: route.bodyLimit }),
    // a body is needed only where one of its fields is
    preValidation: async (request) => {
      if (!route.forms && request.body !== undefined && /text\/csv|ndjson|xml|parquet/i.test(request.headers['content-type'] ?? '')) throw new Refusal('unsupported', 'this resource takes JSON')
      if (route.body && !route.forms && (request.body === undefined || request.body === null)) request.body = {}
    },
    handler: async (request, reply) => {
      const body = route.forms ? { body: request.body, type: (request.headers['content-type'] ?? '').toLowerCase(), key: keyOf(request) } : request.body
      const ask: Ask = { caller: request.operator, core, params: request.params as Ask['params'], query: request.query as Ask['query'], body: body as never, ifVersion: route.forms ? undefined : versionOf(request), accept: request.headers.accept ?? '' }
      // a caller that names no version means the newest: what a device changed meanwhile is not its concern
      const command = () => once(core.transact, ask.caller, keyOf(request), commandHash(route.method, request.url, request.body), (work) => route.command!(work, ask))
      const answer = route.command ? await again(ask.ifVersion === undefined ? 8 : 1, command) : await (route.act ?? route.read)!(ask)
      route.after?.(ask)
      const status = answer.status ?? 200, version = (answer.body as { version?: unknown } | null)?.version
      if (status >= 400) return send(reply, { ...(answer.body as Problem), instance: request.url })
      if (answer.location) reply.header('location', answer.location)
      if (typeof version === 'number') reply.header('etag', `"${version}"`)
      if (answer.type) reply.type(answer.type)
      return reply.code(status).send(!answer.type && gridOnly(request.operator) ? gridView(answer.body) : answer.body)
    },
  })
}

/** Answers are described for readers of /openapi.json; they are not serialized by it, so that no field is lost. */
function withAnswers(schema: object, _route: OperatorRoute): object {
  return { ...schema, security: [{ bearer: [] }] }
}

async function fail(error: FastifyError | Refusal, request: FastifyRequest, reply: FastifyReply, log: Log, failed: ReturnType<typeof loginFailures>): Promise<void> {
  const at = request.url
  if (isRefusal(error)) {
    const { status, title } = statusOf(error.kind)
    if (status === 401) reply.header('www-authenticate', 'Bearer')
    if (status === 401 && request.headers.authorization !== undefined) failed(request.ip, /^Bearer (.{1,500})$/i.exec(request.headers.authorization)?.[1])
    if ((status === 503 || status === 429) && !reply.hasHeader('retry-after')) reply.header('retry-after', '2')
    const rows = error.faults.flatMap((f) => { const m = /^(\d+)\/(\w*)$/.exec(f.path); return m ? [{ row: Number(m[1]), field: m[2]!, reason: f.reason }] : [] })
    return send(reply, problem(error.kind, status, title, error.message, at, { ...(error.faults.length > 0 ? { faults: error.faults } : {}), ...(rows.length > 0 ? { rows } : {}) }))
  }
  if ('validation' in error && error.validation) {
    const faults = validationFaults(error.validation as Finding[], error.validationContext ?? 'body')
    return send(reply, problem('invalid', 422, 'The input cannot be used', faults.map((f) => `${f.path} ${f.reason}`).slice(0, 5).join('; '), at, { faults }))
  }
  const status = 'statusCode' in error ? (error.statusCode ?? 500) : 500
  if (status === 413) return send(reply, problem('tooLarge', 413, 'Too large', 'the body is larger than this resource takes', at))
  if (status === 415) return send(reply, problem('unsupported', 415, 'Not supported', 'this content type is not understood here', at))
  if (status >= 400 && status < 500) return send(reply, problem('malformed', status, 'The request cannot be read', error.message, at))
  log.error({ err: error, request: request.id, url: at, clause: 'REL-006' }, 'operator request failed')
  return send(reply, problem('internal', 500, 'Our fault', `request ${request.id}`, at))
}

const send = (reply: FastifyReply, p: Problem): FastifyReply => reply.code(p.status).type('application/problem+json').send(JSON.stringify(p))
