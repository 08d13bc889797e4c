import type { FastifyInstance, FastifyRequest } from 'fastify'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import compress from '@fastify/compress'
import fastifyStatic from '@fastify/static'
import helmet from '@fastify/helmet'
import type { Registry } from 'prom-client'
import type { Caller, Role } from '#core/caller.js'
import { system } from '#core/caller.js'
import { Refusal } from '#core/error.js'
import { buildOperator } from '#core/operator/door.js'
import { usualLimits } from '#core/operator/shed.js'
import { packageRoot } from '#core/package-root.js'
import { rolesOf as groupsOf, type OidcConfig } from '#core/operator/session/oidc.js'
import { sessionRoutes } from '#core/operator/session/routes.js'
import { createToken } from '#core/token/token.js'
import { offerSetup } from '#core/user/setup.js'
import { certificateRoutes } from '#certs/operator.js'
import { csipOperator } from '#csip-server/operator.js'
import type { Csip } from '#csip-server/server.js'
import { operatorRoutes as stationRoutes } from '#csms/operator.js'
import type { Csms } from '#csms/server.js'
import type { Settings } from '#cli/settings.js'
import { hostsOf, serveApp, type DoorNeeds } from '#main/doors.js'
import { firstTenant, type ReadyLine } from '#main/shape.js'
import { version } from '#main/version.js'
import type { Enrolment } from '#certs/index.js'
import { operatorRoutes as openAdrRoutes } from '#vtn/operator.js'
import type { Vtn } from '#vtn/server.js'

export interface OperatorNeeds extends DoorNeeds {
  readonly vtn: Vtn
  readonly csip: Csip
  readonly csms: Csms
  readonly enrolment: Enrolment
  readonly metrics: Registry
}

type Right = 'read' | 'write'

/** Who may look at and change what the protocol rooms hang on the operator door (CORE-225). */
const rights: Readonly<Record<'stations' | 'certificates' | 'csip' | 'openadr', Readonly<Record<Right, readonly Role[]>>>> = {
  stations: { read: ['admin', 'operator', 'dispatcher', 'auditor', 'viewer'], write: ['admin', 'operator'] },
  openadr: { read: ['admin', 'operator', 'dispatcher', 'auditor', 'viewer'], write: ['admin', 'operator'] },
  certificates: { read: ['admin', 'operator', 'caOfficer', 'auditor', 'viewer'], write: ['admin', 'caOfficer'] },
  csip: { read: ['admin', 'operator', 'dispatcher', 'auditor', 'viewer', 'dso'], write: ['admin', 'operator', 'dso'] },
}

const rightOf = (method: string): Right => (method === 'GET' || method === 'HEAD' ? 'read' : 'write')

/** A rooms' route by its first path segment; unknown ones are refused at start. */
function rolesOf(method: string, url: string): readonly Role[] | undefined {
  const noun = url.split('/')[3] ?? ''
  const room = { 'stations': 'stations', 'id-tokens': 'stations', 'tariffs': 'stations', 'firmware-campaigns': 'stations', 'certificates': 'certificates', 'vendors': 'certificates', 'enrolment-requests': 'certificates', 'csip': 'csip', 'openadr': 'openadr' }[noun] as keyof typeof rights | undefined
  if (!room) return undefined
  // one route may take several methods: who may read may come in, the room decides the rest
  return rights[room][method.includes('GET') ? 'read' : rightOf(method)]
}

const permit = (room: keyof typeof rights) => (caller: Caller, right: Right): void => {
  if (!caller.roles.some((r) => rights[room][right].includes(r))) throw new Refusal('forbidden', `the role ${caller.roles.join(', ')} may not do this`)
}

const callerOf = (request: FastifyRequest): Caller => request.operator

/** The operator's door with everything that hangs on it: the core's routes, stations, certificates, 2030.5 writes, the console. */
export async function listenOperator(needs: OperatorNeeds): Promise<Partial<ReadyLine>> {
  const { options, core, log, csip, csms, certificates, machine, enrolment, metrics } = needs, { settings } = options
  const { documents } = core.database.stores
  const wss = settings.ocppTlsPort ? `wss://localhost:${settings.ocppTlsPort}/ocpp` : '', ws = settings.ocppPort ? `ws://localhost:${settings.ocppPort}/ocpp` : ''
  const app = await buildOperator({
    core, log, version: version(), metrics, rolesOf, parts: needs.parts.list, home: firstTenant, bodyLimit: 512 * 2 ** 20, ...(settings.rateLimits ? { limits: usualLimits } : {}),
    extend: async (door: FastifyInstance) => {
      await door.register(stationRoutes({ csms, documents, callerOf, permit: permit('stations'), urlOf: (profile, id) => `${profile === 1 ? ws : wss}/${encodeURIComponent(id)}` }), { prefix: '/api/v1' })
      await door.register(openAdrRoutes({ vtn: needs.vtn, callerOf, permit: permit('openadr') }), { prefix: '/api/v1' })
      await door.register(certificateRoutes({
        registry: certificates.registry, vendors: certificates.vendors, enrolment, stationCa: certificates.stationCa, trust: () => certificates.trust(), pinned: () => certificates.pinned().lfdis, hardwareOf: (lfdi) => csip.hardwareOf(lfdi), profile: settings.csipProfile as 'csip', production: options.seed === undefined, clock: machine, callerOf, permit: permit('certificates'),
      }), { prefix: '/api/v1' })
      await door.register(csipOperator, { prefix: '/api/v1/csip', door: csip.door, callerOf, bodyMax: csip.context.config.bodyMax })
      sessionRoutes(door, { core, tenant: firstTenant, machine, url: settings.operatorUrl, ...oidcOf(settings) })
      await serveConsole(door, settings.operatorUrl.startsWith('https:'))
    },
  })
  const port = await serveApp(needs, 'operator', app, settings.operatorPort, hostsOf(options, 'operator'), 'operator door')
  const operator = `http://localhost:${port}`, secret = await core.transact((work) => offerSetup(work, firstTenant))
  return { operator, operatorToken: await operatorToken(needs), ...(secret ? { setup: `${operator}/#/setup?secret=${secret}` } : {}) }
}

/** Single sign-on is there when its issuer is named. */
const oidcOf = (s: Settings): { oidc?: OidcConfig } => (s.oidcIssuer ? { oidc: { issuer: s.oidcIssuer, clientId: s.oidcClientId, clientSecret: s.oidcClientSecret, claim: s.oidcClaim, roles: groupsOf(s.oidcRoles) } } : {})

/** The pages, built by vite; strict CSP without anything inline (SEC-066). */
async function serveConsole(app: FastifyInstance, secure: boolean): Promise<void> {
  const root = join(packageRoot(), 'build', 'console')
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'self'"], imgSrc: ["'self'", 'data:'], styleSrc: ["'self'"], scriptSrc: ["'self'"], connectSrc: ["'self'"], objectSrc: ["'none'"], baseUri: ["'none'"], frameAncestors: ["'none'"], formAction: ["'self'"] } },
    crossOriginEmbedderPolicy: false, strictTransportSecurity: secure ? { maxAge: 31_536_000 } : false,
  })
  if (!existsSync(root)) return
  await app.register(async (pages) => {
    pages.addHook('onRoute', (route) => { route.config = { ...route.config, roles: 'open' } })
    await pages.register(compress)
    await pages.register(fastifyStatic, { root, prefix: '/', wildcard: false, index: ['index.html'], cacheControl: false })
  })
}

/** The administrator's first token: made once, kept readable for the owner of the data folder only, and printed in the ready line. */
async function operatorToken({ core, options }: OperatorNeeds): Promise<string> {
  const file = options.data.at('operator.token')
  if (existsSync(file)) {
    const kept = readFileSync(file, 'utf8').trim()
    if (await core.tokens.callerOf(kept)) return kept
  }
  const { token } = await core.transact((work) => createToken(work, system(firstTenant), { role: 'admin', user: 'admin' }))
  writeFileSync(file, `${token}\n`, { mode: 0o600 })
  return token
}
