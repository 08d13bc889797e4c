import type { FastifyInstance } from 'fastify'
import type { Clock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { Clients } from '#vtn/client.js'
import type { Context } from '#vtn/context.js'
import { clientCaller, type Identity } from '#vtn/identity.js'
import { kindOf, type Content } from '#vtn/stored.js'
import type { Push } from '#vtn/notice-worker.js'
import { topicAccess } from '#vtn/mqtt/access.js'
import { makeBroker, type Broker } from '#vtn/mqtt/broker.js'
import { brokerCallbacks, callbackSecret } from '#vtn/mqtt/callback.js'
import { externalBroker, mosquittoAcl, publisherOf } from '#vtn/mqtt/external.js'
import { mqttPush } from '#vtn/mqtt/push.js'

export interface Mqtt {
  readonly push: Push
  /** The embedded one; absent when another broker is used. */
  readonly broker?: Broker
  callbacks(app: FastifyInstance): void
  /** Lines for the `acl_file` of a Mosquitto; undefined with the embedded broker. */
  acl(): Promise<string | undefined>
  close(): Promise<void>
}

/** The MQTT notifier as configured: our own broker, or somebody else's that asks us who may hear what (OA-141). */
export async function buildMqtt(needs: { context: Context; identity: Identity; clients: Clients; tokenClock: Clock; log: Log }): Promise<Mqtt> {
  const { context, identity, clients, log } = needs
  const { documents, config, access } = context
  const { mqtt, tenant } = config
  const prefix = mqtt?.prefix ?? '', publicTopics = mqtt?.publicTopics ?? false
  const topics = topicAccess({ documents, tenant, prefix, publicTopics })
  const common = { access, prefix, log, publicTopics }
  if (mqtt?.external) {
    const shown = mqtt.external.callbackSecret
    // Nobody may ask who may hear what unless the broker has a secret to show (deny by default).
    const secret = shown ? callbackSecret(shown) : undefined
    const external = externalBroker(mqtt.external, log)
    const audience = async (): Promise<Map<string, string>> => new Map((await documents.list<Content>(tenant, { kind: kindOf.VEN })).map((v) => [v.id, v.owner ?? '']))
    return {
      push: mqttPush({ ...common, audience, publish: external.publish }),
      callbacks: (app) => secret && brokerCallbacks(app, { secret, identity, access: topics, publisher: mqtt.external && publisherOf(mqtt.external), byClient: async (id) => { const c = await clients.find(id); return c && clientCaller(tenant, c) } }),
      acl: async () => mosquittoAcl({
        prefix, publicTopics, publisher: (mqtt.external && publisherOf(mqtt.external)) ?? 'loadstone',
        businessLogic: await clients.businessLogic(),
        vens: (await documents.list<Content>(tenant, { kind: kindOf.VEN })).flatMap((v) => (v.owner === null ? [] : [{ clientID: v.owner, venID: v.id }])),
      }),
      close: external.close,
    }
  }
  const broker = await makeBroker({ identity, access: topics, machineClock: needs.tokenClock, log, prefix, publicTopics, anonymous: mqtt?.authentication === 'ANONYMOUS' })
  return {
    broker,
    push: mqttPush({ ...common, audience: async () => broker.listening, publish: broker.publish }),
    callbacks: () => {},
    acl: async () => undefined,
    close: broker.close,
  }
}
