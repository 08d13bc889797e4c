import type { FastifyInstance } from 'fastify'
import type { ServerOptions as TlsOptions } from 'node:https'
import type { Server } from 'node:net'
import type { TlsOptions as MqttTlsOptions } from 'node:tls'
import type { Clock } from '#core/port/clock.js'
import type { DispatchChannel } from '#core/port/dispatch-channel.js'
import type { Ids } from '#core/port/ids.js'
import type { AvailabilityIntake, DeliveryHappenings, ClaimIntake, OptOutIntake, ReadingIntake, ResourceDirectory } from '#core/port/intake.js'
import type { Log } from '#core/port/log.js'
import type { Database } from '#core/port/store/index.js'
import { makeAccess } from '#vtn/access.js'
import { Answers } from '#vtn/answers.js'
import { makeClients, type Clients } from '#vtn/client.js'
import type { VtnConfig } from '#vtn/config.js'
import type { Context } from '#vtn/context.js'
import { announce, localVtn, type Announcement, type AnnounceNeeds } from '#vtn/discovery.js'
import { openAdrChannel } from '#vtn/dispatch-channel.js'
import { makeDoor, routes, type Route } from '#vtn/door.js'
import { eventReadLog } from '#vtn/event-read-log.js'
import { makeIdentity, type Identity } from '#vtn/identity.js'
import { buildMqtt } from '#vtn/mqtt/build.js'
import { notifierRoutes } from '#vtn/mqtt/notifier-door.js'
import { makeNotices } from '#vtn/notice.js'
import { noticeWorker } from '#vtn/notice-worker.js'
import { makeObjects, type Objects } from '#vtn/objects.js'
import { document301, document31 } from '#vtn/openapi.js'
import { publishPrices, readPrices } from '#vtn/price.js'
import { rateLimit } from '#vtn/rate.js'
import { reportTracking, type VenReports } from '#vtn/report-tracking.js'
import { reportIntake } from '#vtn/report-intake.js'
import { loadSecrets } from '#vtn/secret.js'
import { objectRoutes, type SurfaceNeeds } from '#vtn/surface.js'
import { externalTokens, ownTokens } from '#vtn/token.js'
import { tokenRoutes } from '#vtn/token-door.js'
import { objectRoutes301 } from '#vtn/v301/surface.js'
import { addressRule } from '#vtn/webhook/address.js'
import { challenge } from '#vtn/webhook/challenge.js'
import { venWords, type Words } from '#vtn/words.js'
import { webhookWorker } from '#vtn/webhook/deliver.js'
import { makeEndpoints } from '#vtn/webhook/endpoint.js'
import { webhookOperations, type WebhookOperations } from '#vtn/webhook/operator.js'
import { outbound } from '#vtn/webhook/post.js'
import { makeWorker } from '#vtn/worker.js'

export interface VtnNeeds {
  readonly database: Database
  readonly clock: Clock
  /** Machine time: tokens are judged by it, whatever the story's clock does. */
  readonly tokenClock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly config: VtnConfig
  readonly readings: ReadingIntake
  readonly happenings: DeliveryHappenings
  readonly availability: AvailabilityIntake
  readonly optOuts: OptOutIntake
  readonly claims: ClaimIntake
  readonly directory: ResourceDirectory
  /** Told of every exchange with a VEN (UX-049). */
  readonly words?: Words
  /** Only for tests: how names resolve and which root signs the receivers. */
  readonly outbound?: Pick<Parameters<typeof outbound>[0], 'lookup' | 'ca'>
}

export interface Vtn {
  /** A listener of its own; HTTPS with `tls`, plain HTTP without. All of them share store, memory and workers. */
  door(options?: { tls?: TlsOptions }): Promise<FastifyInstance>
  readonly channel: DispatchChannel
  readonly clients: Clients
  readonly identity: Identity
  readonly objects: Objects
  /** For the operator: broken receivers, delivery log, resend. */
  readonly webhooks: WebhookOperations
  /** OA-186: per VEN, which reports of an event are due, received, late; undefined when there is no such event. */
  reportsDue(eventID: string): Promise<readonly VenReports[] | undefined>
  /** Day-ahead prices from CSV (`start,price`) as one PRICE event named `name`; answers its id. */
  publishPrices(programName: string, currency: string, name: string, csv: string): Promise<string>
  /** Lines for the `acl_file` of an external Mosquitto, from the vens of this moment; undefined with the embedded broker (OA-141). */
  mqttAcl(): Promise<string | undefined>
  /** An MQTT listener, not yet listening, when the embedded broker is configured; call it once per address. */
  readonly broker?: (tls?: MqttTlsOptions) => Server
  /** Announces this VTN on the local network (OA-220); undefined unless configured. `port` is that of the HTTPS door. */
  discovery?(machine: Pick<AnnounceNeeds, 'host' | 'port' | 'addresses' | 'mdns'>): Promise<Announcement>
  /** Starts the outbox workers; doors work without, but nothing is told. */
  start(): Promise<void>
  stop(): Promise<void>
  /** Works off everything that is due; for tests. */
  drain(): Promise<void>
}

export const base301 = '/openadr3/3.0.1'
export const bases31 = ['/openadr3/3.1.1', '/openadr3/3.1.0', '/openadr3/3.1'] as const

/** OA-010: open to everybody, as it says nothing of anybody's objects. */
const openapiRoute = (document: () => object): Route => ({ path: '/openapi.json', methods: { GET: { scope: 'none', handler: (_request, reply) => reply.send(document()) } } })

export async function buildVtn(needs: VtnNeeds): Promise<Vtn> {
  const { database, clock, tokenClock, ids } = needs
  // A notifier that nobody could reach is none (OA-136).
  const config: VtnConfig = needs.config.mqtt?.uris.length ? needs.config : { ...needs.config, mqtt: undefined }
  const { tenant } = config
  const log = needs.log.child({ room: 'vtn' })
  const { stores, unitOfWork } = database
  const { documents } = stores
  const secrets = await loadSecrets(documents, tenant, ids, clock.nowMs(), config.sealKey)
  const access = makeAccess(documents, tenant)
  const clients = makeClients({ documents, secrets, ids, clock, config })
  const idp = config.auth?.externalIdp
  const tokens = idp ? externalTokens(idp, tokenClock) : ownTokens({ secrets, tokenClock, ids, tenant, life_s: config.tokenLife_s })
  const identity = makeIdentity({ tokens, clients, tokenClock, tenant, external: idp !== undefined, publicReads: config.publicReads ?? false })
  const notices = makeNotices({ documents, access, ids, clock, tenant, mqtt: config.mqtt !== undefined })
  const { webhooks } = config
  const out = outbound({ rule: addressRule(webhooks?.allow), allowHttp: webhooks?.allowHttp ?? false, timeout_ms: webhooks?.timeout_ms ?? 10_000, ...needs.outbound })
  const context: Context = {
    documents, unitOfWork, clock, ids, log, config, secrets, access, notices,
    challenge: challenge({ outbound: out, ids, log, mode: webhooks?.echo ?? 'required' }),
  }
  const objects = makeObjects(context)
  const readLog = eventReadLog({ documents, unitOfWork, happenings: needs.happenings, notices, clock, log, tenant })
  const surface: SurfaceNeeds = { context, objects, answers: new Answers(), readLog }
  const mqtt = config.mqtt && await buildMqtt({ context, identity, clients, tokenClock, log })
  const { agenda } = stores
  const endpoints = makeEndpoints({ documents, clock, log, tenant, brokenAfter: webhooks?.brokenAfter ?? 20, retryFor_h: webhooks?.retryFor_h ?? 0 })
  const workers = [
    makeWorker({ agenda, clock, log }, reportIntake({ context, ...needs })),
    makeWorker({ agenda, clock, log }, noticeWorker(context, mqtt?.push)),
    webhookWorker({ agenda, documents, clock, log, tenant, secrets, outbound: out, endpoints, attempts: webhooks?.attempts ?? 8, retryFor_h: webhooks?.retryFor_h ?? 0 }),
  ]
  const rate = rateLimit(config.ratePerMinute, tokenClock)

  const heard = needs.words && venWords(documents, tenant, clock, needs.words)
  async function door(options: { tls?: TlsOptions } = {}): Promise<FastifyInstance> {
    const app = makeDoor({ identity, clock, ids, log, bodyLimit: config.bodyLimit ?? 1_048_576, rate, heard, ...(options.tls ? { tls: options.tls } : {}) })
    // OA-001: development only, and said so.
    if (!options.tls) log.warn({ clause: 'OA-001' }, 'a VTN door speaks plain HTTP: for development on this machine only')
    const token = { clients, secrets, tokens, config }
    const table = [...objectRoutes(surface), ...notifierRoutes(context, objects)], table301 = objectRoutes301(surface)
    for (const base of new Set(config.basePath31 === undefined ? bases31 : [config.basePath31, ...bases31])) {
      routes(app, base, table, config.auth?.invalidTokenStatus31 ?? 401)
      tokenRoutes(app, base, token, { authServer: true, wrongClient: 401 })
      routes(app, base, [openapiRoute(() => document31(base, { mqtt: config.mqtt !== undefined }))], 401)
    }
    for (const base of new Set(config.basePath301 === undefined ? [base301] : [config.basePath301, base301])) {
      routes(app, base, table301, config.auth?.invalidTokenStatus301 ?? 403)
      tokenRoutes(app, base, token, { authServer: false, wrongClient: 403 })
      routes(app, base, [openapiRoute(() => document301(base))], 403)
    }
    if (config.mqtt?.external && mqtt) mqtt.callbacks(app)
    await app.ready()
    return app
  }

  return {
    door, clients, identity, objects,
    channel: openAdrChannel(context),
    start: async () => { for (const w of workers) w.start() },
    stop: async () => {
      await Promise.all([readLog.stop(), ...workers.map((w) => w.stop())])
      await mqtt?.close()
      await out.close()
    },
    drain: async () => { for (const w of workers) await w.drain() },
    webhooks: webhookOperations(context),
    reportsDue: reportTracking(context),
    publishPrices: (programName, currency, name, csv) => publishPrices(context, programName, currency, name, readPrices(csv)),
    mqttAcl: async () => mqtt?.acl(),
    ...(config.discovery ? { discovery: (machine) => announce({ ...machine, instance: `Loadstone on ${machine.host.split('.')[0] ?? ''}`, log, say: () => localVtn(context, machine) }) } : {}),
    ...(mqtt?.broker ? { broker: mqtt.broker.server } : {}),
  }
}
