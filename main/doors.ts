import type { Server as NetServer } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import type { SecureContextOptions, Server as TlsServer } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import { buildEst, modernTls, type Enrolment, type PkiFolder } from '#certs/index.js'
import type { Clock } from '#core/port/clock.js'
import type { Ids } from '#core/port/ids.js'
import type { Core } from '#core/assemble.js'
import type { Log } from '#core/port/log.js'
import { csipConfig } from '#csip-server/config.js'
import type { TlsMaterial } from '#csip-server/tls.js'
import { buildCsip, type Csip } from '#csip-server/server.js'
import { csmsConfig } from '#csms/config.js'
import { csmsTls, plainServer, tlsServer } from '#csms/listen.js'
import { buildCsms, type Csms } from '#csms/server.js'
import { keyOf } from '#csms/station.js'
import { folderUploads } from '#main/uploads.js'
import { revocationFetches } from '#main/outbound.js'
import type { VtnConfig } from '#vtn/config.js'
import { vtnEnvironment } from '#vtn/environment.js'
import { withoutUserinfo } from '#vtn/mqtt/external.js'
import { buildVtn, type Vtn } from '#vtn/server.js'
import { derAlarm, watchOwnCertificates } from '#main/alarms.js'
import { listOf, type Certificates } from '#main/certificates.js'
import { addresses, cannotListen, listen, type Listening } from '#main/listen.js'
import type { Parts } from '#main/parts.js'
import { connectionLimit, type ConnectionLimit } from '#main/per-address.js'
import { conformanceClients } from '#main/seed-conformance.js'
import { firstTenant, type BuildOptions, type Closing } from '#main/shape.js'

export interface DoorNeeds {
  readonly options: BuildOptions
  readonly core: Core
  readonly certificates: Certificates
  readonly machine: Clock
  readonly ids: Ids
  readonly log: Log
  readonly closing: Closing
  readonly parts: Parts
}

/** What every door's listening has in common: the cap per address (REL-045), and its line in /readyz. */
export async function listenDoor(needs: Pick<DoorNeeds, 'options' | 'log' | 'parts'>, name: string, server: NetServer, port: number, hosts: readonly string[], what: string): Promise<Listening> {
  const listening = await listen(server, port, hosts, what, limitOf(needs, what))
  needs.parts.door(name, listening.open)
  return listening
}

const limitOf = ({ options: { settings }, log }: Pick<DoorNeeds, 'options' | 'log'>, what: string): ConnectionLimit =>
  connectionLimit(settings.rateLimits ? settings.connectionsPerAddress : 0, what, log)

/** Where a door listens: the operator's on loopback, the others everywhere unless a demo or a seed keeps them at home. */
export const hostsOf = ({ settings }: BuildOptions, door: 'operator' | 'other'): readonly string[] => addresses(settings.host, door === 'operator' ? 'loopback' : 'everywhere')

const intakeOf = ({ core }: DoorNeeds) => ({ readings: core.readings, happenings: core.happenings, availability: core.availability, optOuts: core.optOuts, claims: core.claims, directory: core.directory })

/** Listens with a fastify application on all the door's addresses. */
export async function serveApp(needs: Pick<DoorNeeds, 'options' | 'log' | 'parts' | 'closing'>, name: string, app: FastifyInstance, port: number, hosts: readonly string[], what: string): Promise<number> {
  const listening = await listenDoor(needs, name, app.server, port, hosts, what)
  needs.closing.add(what, async () => {
    const closed = listening.close()
    app.server.closeIdleConnections()
    setTimeout(() => app.server.closeAllConnections(), 2000).unref()
    await Promise.all([closed, app.close()])
  })
  return listening.port
}

/** UX-076: a door shows its new certificate to whoever connects next; who is connected stays. */
const follow = (certificates: Certificates, server: unknown, material: (pki: PkiFolder) => SecureContextOptions): void =>
  certificates.onReload((pki) => (server as TlsServer).setSecureContext(material(pki)))

/** SEC-005, OA-001: forward secrecy and AEAD, nothing else; Node's own list would take CBC and RSA key exchange too. */
const vtnMaterial = ({ tls }: PkiFolder) => ({ key: tls.ec.key, cert: tls.ec.cert, ...modernTls })
/** REL-044, REL-045: who has not said hello and asked something within ten seconds is gone. */
const deadlines = { handshakeTimeout: 10_000, headersTimeout: 10_000, connectionsCheckingInterval: 5000 }

export async function openVtn(needs: DoorNeeds): Promise<Vtn> {
  const { options: { seed, settings }, core, machine, ids, log, closing } = needs
  const own = vtnEnvironment(needs.options.environment ?? {})
  const { ratePerMinute = 600, ...others } = own, certifying = seed === 'conformance'
  const brokers = settings.mqttUrl ? [withoutUserinfo(settings.mqttUrl)] : settings.mqttPort ? [`mqtts://{host}:${settings.mqttPort}`] : []
  const config: VtnConfig = {
    tenant: firstTenant, ...others,
    ...(settings.sealKey ? { sealKey: settings.sealKey } : {}),
    ...(settings.rateLimits ? { ratePerMinute } : {}),
    ...(certifying ? { clients: conformanceClients, reports: { blDelete: false } } : {}),
    webhooks: { ...own.webhooks, ...(certifying ? { allowHttp: true, echo: 'required' as const, allow: ['127.0.0.0/8', '::1', 'localhost'] } : {}) },
    mqtt: {
      uris: brokers, ...(brokers.length ? own.mqtt : {}),
      ...(settings.mqttUrl ? { external: { url: settings.mqttUrl, ...(settings.mqttCallbackSecret ? { callbackSecret: settings.mqttCallbackSecret } : {}) } } : {}),
    },
  }
  const vtn = await buildVtn({ database: core.database, clock: needs.options.clock, tokenClock: machine, ids, log, config, ...intakeOf(needs), words: (venName, said) => core.words.add(firstTenant, 'openadr', venName, said) })
  await vtn.start()
  closing.add('VTN workers', () => vtn.stop())
  trimDaily(vtn, needs)
  return vtn
}

/** The webhook log keeps a month; older entries go once a day. */
function trimDaily(vtn: Vtn, { machine, log, closing }: DoorNeeds): void {
  const day_ms = 86_400_000
  let next = machine.after(day_ms, function trim() {
    vtn.webhooks.trim(machine.now() - 30 * 86_400).catch((error: unknown) => log.warn({ err: error }, 'the webhook log could not be trimmed'))
    next = machine.after(day_ms, trim)
  })
  closing.add('webhook log', () => next.cancel())
}

/** The addresses of this machine that others on its networks can reach. */
const ownAddresses = (): string[] => Object.values(networkInterfaces()).flatMap((list) => list ?? []).filter((a) => !a.internal && !a.address.startsWith('fe80:')).map((a) => a.address)

export async function listenVtn(vtn: Vtn, needs: DoorNeeds): Promise<{ vtn?: string; vtnHttp?: string; mqtt?: string }> {
  const { options, certificates, closing } = needs, { pki } = certificates, { settings } = options
  const out: { vtn?: string; vtnHttp?: string; mqtt?: string } = {}
  if (settings.mqttPort && !settings.mqttUrl && vtn.broker) {
    const broker = vtn.broker({ ...vtnMaterial(pki), handshakeTimeout: deadlines.handshakeTimeout })
    follow(certificates, broker, vtnMaterial)
    const listening = await listenDoor(needs, 'mqtt', broker, settings.mqttPort, hostsOf(options, 'other'), 'MQTT broker')
    closing.add('MQTT broker', () => listening.close())
    out.mqtt = `mqtts://localhost:${listening.port}`
  } else if (settings.mqttUrl) out.mqtt = withoutUserinfo(settings.mqttUrl)
  if (settings.vtnPort) {
    const app = await vtn.door({ tls: { ...vtnMaterial(pki), ...deadlines } })
    follow(certificates, app.server, vtnMaterial)
    const port = await serveApp(needs, 'vtn', app, settings.vtnPort, hostsOf(options, 'other'), 'VTN')
    out.vtn = `https://localhost:${port}/openadr3/3.1.1`
    const announced = await vtn.discovery?.({ host: `${hostname().split('.')[0] ?? 'loadstone'}.local`, port, addresses: ownAddresses })
    if (announced) closing.add('local discovery', () => announced.stop())
  }
  if (settings.vtnHttpPort) {
    const app = await vtn.door()
    out.vtnHttp = `http://localhost:${await serveApp(needs, 'vtnHttp', app, settings.vtnHttpPort, ['127.0.0.1', '::1'], 'VTN (http)')}/openadr3/3.1.1`
  }
  return out
}

/** SEP-210: the door's own certificate, and for names that the configuration gives the ordinary one. */
const csipMaterial = ({ csip, tls }: PkiFolder, pinned: readonly string[], { settings }: BuildOptions): TlsMaterial => ({
  key: csip.server.key, cert: csip.server.cert, ca: csip.trust, pinned, named: { hosts: listOf(settings.csipSni), key: tls.ec.key, cert: tls.ec.cert },
})

export function openCsip(needs: DoorNeeds): Csip {
  const { options, core, certificates, ids, log, closing } = needs, { pki, registry } = certificates
  const environment = { ...options.environment, LOADSTONE_CSIP_PROFILE: options.settings.csipProfile, ...(options.settings.rateLimits ? {} : { LOADSTONE_RATE_LIMITS: 'off' }) }
  const config = csipConfig({ LOADSTONE_CSIP_TIME_ZONE: options.settings.timeZone, ...environment, ...(options.seed ? { LOADSTONE_CSIP_NOTIFY_ALLOW: '127.0.0.1,::1,localhost' } : {}) })
  const csip = buildCsip({
    tenant: firstTenant, documents: core.database.stores.documents, intake: intakeOf(needs), clock: options.clock, ids, log, config,
    tls: csipMaterial(pki, certificates.pinned().certificates, options),
    checkLeaf: (der, chain) => certificates.checkLeaf(der, chain), isRevoked: (lfdi) => registry.isBlocked(lfdi), monotonicMs: () => performance.now(), alarm: derAlarm(core, log),
    words: (lfdi, said) => core.words.add(firstTenant, 'ieee2030_5', lfdi, said),
    limit: limitOf(needs, '2030.5'),
  })
  watchOwnCertificates(core, certificates, needs.machine, log, closing)
  certificates.onReload((now) => csip.reload(csipMaterial(now, certificates.pinned().certificates, options)))
  closing.add('revocation of 2030.5 devices', registry.onRevoked(({ id }) => csip.cut(id)))
  return csip
}

export async function listenCsip(csip: Csip, { options, closing, parts }: DoorNeeds): Promise<string | undefined> {
  if (!options.settings.csipPort) return undefined
  const asked = options.settings.csipPort, hosts = hostsOf(options, 'other')
  const port = await csip.listen({ port: asked, hosts }).catch((cause: NodeJS.ErrnoException) => { throw cannotListen('2030.5 server', hosts.join(', '), asked, cause) })
  parts.door('csip', () => csip.listening())
  closing.add('2030.5', () => csip.close())
  return `https://localhost:${port}${csip.context.config.prefix}${csip.context.config.dcapPath}`
}

export function openCsms(needs: DoorNeeds, secret: Buffer): Csms {
  const { options, core, certificates, ids, log, closing } = needs, { pki, registry, stationCa } = certificates, { seed } = options
  const config = csmsConfig(options.environment ?? {}, {
    tenant: firstTenant, secret, stationRoots: [pki.ocpp.ca], organizations: ['Loadstone'],
    ...(seed === 'conformance' ? { hideIdentities: false, postBootReport: false, reconcile: false, compositeShare: 0, profileEvery_s: 0, ...(options.settings.rateLimits ? {} : { refusalDelayMs: 0, badFramesPerMinute: 0 }) } : {}),
    ...(options.settings.rateLimits ? {} : { failuresPerMinute: 0 }),
  })
  const csms = buildCsms({
    documents: core.database.stores.documents, bus: core.database.bus, readings: core.readings, happenings: core.happenings, availability: core.availability, untold: core.untold, directory: core.directory,
    clock: options.clock, ids, log, config, signer: stationCa, revoked: (fingerprint) => registry.isBlocked(fingerprint),
    uploads: folderUploads(options.data.at('uploads')), ...revocationFetches(options, closing, certificates.revocation),
    heard: (tenant, station, at, direction, text) => core.captures.heard(tenant, 'ocpp', station, at, () => [{ direction, text: text() }]),
  })
  core.words.from('ocpp', (tenant, station) => csms.recorder.of(keyOf(tenant, station), 20).map(({ at, direction, text }) => ({ at: new Date(at).toISOString(), direction, text, times: 1 })))
  closing.add('OCPP', () => csms.close(), config.drainMs)
  return csms
}

const csmsMaterial = ({ tls: { ec, rsa }, ocpp }: PkiFolder): { key: string[]; cert: string[]; ca: string[] } => ({ key: [ec.key, rsa.key], cert: [ec.cert, rsa.cert], ca: [ocpp.ca] })

export async function listenCsms(csms: Csms, needs: DoorNeeds): Promise<{ ocpp?: string; ocppTls?: string }> {
  const { options, certificates, closing } = needs, { pki } = certificates, { settings } = options, out: { ocpp?: string; ocppTls?: string } = {}
  const plain = settings.ocppPort ? plainServer() : undefined
  const tls = settings.ocppTlsPort ? tlsServer(csmsMaterial(pki)) : undefined
  for (const [server, port, scheme] of [[plain, settings.ocppPort, 'ws'], [tls, settings.ocppTlsPort, 'wss']] as const) {
    if (!server) continue
    csms.attach(server)
    if (server === tls) follow(certificates, tls, (now) => ({ ...csmsTls, ...csmsMaterial(now) }))
    const listening = await listenDoor(needs, scheme === 'ws' ? 'ocpp' : 'ocppTls', server, port, hostsOf(options, 'other'), `OCPP (${scheme})`)
    closing.add(`OCPP ${scheme}`, () => { server.closeAllConnections(); return listening.close() })
    out[scheme === 'ws' ? 'ocpp' : 'ocppTls'] = `${scheme}://localhost:${listening.port}/ocpp`
  }
  return out
}

/** Certificates for devices; one that is issued pre-registers its device on the 2030.5 door (SEP-231), a renewed one takes the old one's place. */
export function enrolmentOf(csip: Csip, { certificates }: DoorNeeds): Enrolment {
  return certificates.enrolment({
    async issued(entries) {
      for (const { lfdi, sfdi, pin, replaces } of entries) {
        if (replaces && await csip.provisioning.rekeyEndDevice(replaces, lfdi)) continue
        // SEP-227: a device that has not registered yet may renew as well; what the allow list says of it moves along (SEP-231)
        await csip.provisioning.allowEndDevice({ ...replaces ? await csip.provisioning.allowed(replaces) : undefined, lfdi, sfdi, pin })
      }
    },
  })
}

const estMaterial = ({ tls, csip }: PkiFolder): { key: string; cert: string; ca: string[] } => ({ key: tls.ec.key, cert: tls.ec.cert, ca: [tls.ca, ...csip.trust] })

export async function listenEst(enrolment: Enrolment, needs: DoorNeeds): Promise<string | undefined> {
  const { options, certificates, machine, log } = needs, { pki, registry, vendors } = certificates, { settings } = options
  if (!settings.estPort) return undefined
  const app = buildEst({
    tls: pki.tls.ec, clientCas: estMaterial(pki).ca, trust: () => certificates.trust(), mica: () => certificates.pki.csip.mica, enrolment,
    vendors, registry, revocation: certificates.revocation, clock: machine, log, config: { profile: settings.csipProfile as 'csip', production: options.seed === undefined, rateLimits: settings.rateLimits },
  })
  await app.ready()
  follow(certificates, app.server, (now) => ({ ...estMaterial(now), ...modernTls }))
  return `https://localhost:${await serveApp(needs, 'est', app, settings.estPort, hostsOf(options, 'other'), 'EST')}/.well-known/est`
}
