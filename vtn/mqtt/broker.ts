import { Aedes, type AedesPublishPacket, type Client } from 'aedes'
import { createServer, type Server } from 'node:net'
import { callbackify, promisify } from 'node:util'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import type { Clock, Timer } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { Identity, VtnCaller } from '#vtn/identity.js'
import type { TopicAccess } from '#vtn/mqtt/access.js'
import { askedBy } from '#vtn/mqtt/topic.js'

/** The embedded broker (OA-141): logins and topics are judged by the same code as REST; nobody but the server publishes. */
export interface Broker {
  publish(topic: string, payload: string): Promise<void>
  /** VENs that have asked for their topics here: who else need not be published to. */
  readonly listening: ReadonlyMap<string, string>
  /** A listener of its own: TLS with `tls`, plain without (development). */
  server(tls?: TlsOptions): Server
  close(): Promise<void>
}

interface Login { readonly caller: VtnCaller; readonly token: string; readonly vens: Set<string> }

const recheck = 30_000

export async function makeBroker(needs: {
  identity: Identity; access: TopicAccess; machineClock: Clock; log: Log; prefix: string; anonymous: boolean; publicTopics: boolean
}): Promise<Broker> {
  const { identity, access, log, prefix } = needs
  const logins = new WeakMap<Client, Login>(), listening = new Map<string, string>(), clients = new Set<Client>()

  async function login(client: Client, username: string | undefined, password: Buffer | undefined): Promise<boolean> {
    const token = password?.toString('utf8') ?? ''
    if (token === '' && !needs.anonymous) return false
    const caller = await (token === '' ? identity.of(undefined) : identity.ofToken(token))
    // OA-135: the user name is the clientID itself.
    if (token !== '' && username !== caller.subject) return false
    // Another client's MQTT identifier must neither end its session nor inherit it.
    client.id = `${caller.subject}/${client.id}`
    logins.set(client, { caller, token, vens: new Set() })
    return true
  }

  async function subscribe(client: Client, pattern: string): Promise<boolean> {
    const known = logins.get(client)
    if (!known || !await access.maySubscribe(known.caller, pattern)) return false
    const asked = askedBy(prefix, pattern)
    if (asked?.whose === 'ven' && known.caller.role === 'VEN') {
      known.vens.add(asked.id)
      listening.set(asked.id, known.caller.subject)
    }
    return true
  }

  /** Asked for each message, so that a kept session hears only what its login may. */
  function forward(client: Client, packet: AedesPublishPacket): AedesPublishPacket | null {
    const known = logins.get(client)
    if (!known) return null
    if (known.caller.scopes.has('read_all')) return packet
    const asked = askedBy(prefix, packet.topic)
    if (asked?.whose === 'program') return needs.publicTopics ? packet : null
    return asked?.whose === 'ven' && known.vens.has(asked.id) ? packet : null
  }

  const broker = await Aedes.createBroker({
    connectTimeout: 20_000, queueLimit: 1000, concurrency: 1000,
    authenticate: (client, username, password, done) => callbackify(() => login(client, username ?? undefined, password as Buffer | undefined).catch(() => false))(done as never),
    authorizePublish: (_client, _packet, done) => done(new Error('this broker is for the VTN to publish on')),
    authorizeSubscribe: (client, subscription, done) =>
      callbackify(() => subscribe(client, subscription.topic).then((ok) => (ok ? subscription : null), () => null))(done),
    authorizeForward: forward,
  })
  broker.on('client', (client) => clients.add(client))
  broker.on('clientDisconnect', (client) => clients.delete(client))
  broker.on('clientError', (client, error) => log.debug({ client: client.id, err: error.message }, 'mqtt client failed'))
  broker.on('connectionError', (client, error) => log.debug({ client: client.id, err: error.message }, 'mqtt connection refused'))

  let timer: Timer | undefined
  /** SEC-010: a login ends with its token or its client, within this time. */
  function watch(): void {
    timer = needs.machineClock.after(recheck, () => {
      for (const client of clients) {
        const known = logins.get(client)
        if (!known || known.token === '') continue
        Promise.resolve().then(() => identity.ofToken(known.token)).catch(() => client.close())
      }
      watch()
    })
  }
  watch()

  const publish = promisify(broker.publish.bind(broker)) as (packet: object) => Promise<void>
  const servers: Server[] = []
  return {
    listening,
    publish: (topic, payload) => publish({ cmd: 'publish', topic, payload, qos: 1, retain: false, dup: false }),
    server(tls) {
      const server = tls ? createTlsServer({ minVersion: 'TLSv1.2', handshakeTimeout: 15_000, ...tls }, (socket) => { broker.handle(socket) }) : createServer((socket) => { broker.handle(socket) })
      server.on('tlsClientError', () => {})
      servers.push(server)
      return server
    },
    async close() {
      timer?.cancel()
      for (const client of clients) client.close()
      await Promise.all(servers.filter((s) => s.listening).map((s) => promisify(s.close.bind(s))()))
      await promisify(broker.close.bind(broker))()
    },
  }
}
