import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import type { VtnClient } from '#ven-client/openadr/client.js'
import type { Notification, Notifiers } from '#ven-client/openadr/objects.js'
import { read } from '#ven-client/openadr/webhook.js'

export interface MqttOptions {
  readonly venID: string
  /** PEM of a private CA of the broker. */
  readonly ca?: string
  readonly insecure?: boolean
  /** A hint to poll; after each (re)connection one comes too, since anything may have been missed (OA-142). */
  readonly onHint: (notification: Notification | undefined) => void
}

export interface MqttReceiver {
  readonly topics: readonly string[]
  close(): Promise<void>
}

/** Undefined when this VTN has no MQTT notifier. Topics come from the VTN only (OA-137, OA-209); the token is the password (OA-135). */
export async function mqttReceiver(client: VtnClient, options: MqttOptions): Promise<MqttReceiver | undefined> {
  const notifiers: Notifiers = await client.notifiers()
  const uri = notifiers.MQTT?.URIS.find((u) => u.startsWith('mqtts:') || u.startsWith('wss:')) ?? notifiers.MQTT?.URIS[0]
  if (!notifiers.MQTT || uri === undefined) return undefined
  const paths = ['events', 'programs', 'resources'].map((what) => `vens/${encodeURIComponent(options.venID)}/${what}`)
  const sets = await Promise.all([...paths, `vens/${encodeURIComponent(options.venID)}`].map((path) => client.topics(path)))
  const topics = [...new Set(sets.flatMap(({ topics: t }) => t.ALL ? [t.ALL] : [t.CREATE, t.UPDATE, t.DELETE].filter((x) => x !== undefined)))]
  const mqtt = await connectAsync(uri, await settingsOf(client, notifiers, options))
  follow(mqtt, topics, options.onHint, () => settingsOf(client, notifiers, options), client)
  await mqtt.subscribeAsync(topics, { qos: 1 })
  return { topics, close: () => mqtt.endAsync(true) }
}

async function settingsOf(client: VtnClient, { MQTT }: Notifiers, options: MqttOptions): Promise<IClientOptions> {
  const how = MQTT?.authentication
  const bearer = how?.method === 'OAUTH2_BEARER_TOKEN' ? await client.bearer() : undefined
  return {
    // 3.1.1: every broker speaks it, aedes nothing newer (OA-141)
    protocolVersion: 4, clean: true, reconnectPeriod: 1000 + Math.floor(client.random() * 4000), connectTimeout: 20_000, clientId: `${client.clientID}-${Math.floor(client.random() * 1e9).toString(36)}`,
    ...(bearer === undefined ? {} : { username: how?.username === '{clientID}' ? client.clientID : how?.username ?? client.clientID, password: bearer }),
    ...(how?.method === 'CERTIFICATE' ? { ca: how.caCert ?? '', cert: how.clientCert ?? '', key: how.clientKey ?? '' } : {}),
    ...(options.ca ? { ca: options.ca } : {}), ...(options.insecure ? { rejectUnauthorized: false } : {}),
  }
}

function follow(mqtt: MqttClient, topics: readonly string[], onHint: MqttOptions['onHint'], fresh: () => Promise<IClientOptions>, client: VtnClient): void {
  let first = true
  mqtt.on('message', (_topic, payload) => {
    const notification = read(payload)
    if (notification) onHint(notification)
    else client.log.warn({}, 'an MQTT message that is no notification was ignored')
  })
  mqtt.on('error', (error) => client.log.warn({ error: error.message }, 'MQTT'))
  // the password is a token that ends: each reconnection takes the one of then
  mqtt.on('close', () => { fresh().then(({ password }) => Object.assign(mqtt.options, password === undefined ? {} : { password }), (error: Error) => client.log.warn({ error: error.message }, 'no token for MQTT')) })
  mqtt.on('connect', () => {
    if (first) { first = false; return }
    mqtt.subscribe([...topics], { qos: 1 })
    onHint(undefined)
  })
}
