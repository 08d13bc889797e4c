import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { LRUCache } from 'lru-cache'
import { WebSocketServer } from 'ws'
import type { Log } from '#core/port/log.js'
import { forwardedCertificate, readBasic, readPath, refusalText, type Refused } from './handshake.js'
import type { Session } from './session.js'
import { Throttle } from './throttle.js'
import { chooseVersion, type Version } from './version.js'

export interface DoorConfig {
  /** URL path before the identity → tenant. */
  readonly paths: ReadonlyMap<string, string>
  readonly maxPayload: number
  readonly handshakeTimeoutMs: number
  /** Failing handshakes a minute per source address and per identity; 0 turns the limits off (certification runs). */
  readonly failuresPerMinute: number
  /** Every refusal of a login takes this long, whatever its cause (SEC-001). */
  readonly refusalDelayMs: number
  /** Handshakes in progress at once; more are told when to come back (REL-042). */
  readonly handshakes: number
  readonly pingIntervalMs: number
}

export const doorDefaults: Omit<DoorConfig, 'paths'> = {
  maxPayload: 1 << 20, handshakeTimeoutMs: 10_000, failuresPerMinute: 10, refusalDelayMs: 150, handshakes: 500, pingIntervalMs: 30_000,
}

/** What a station presents; `socket` is a TLSSocket behind wss. */
export interface Presented {
  readonly tenant: string
  readonly identity: string
  readonly user: string | undefined
  readonly password: Buffer | undefined
  readonly tls: TLSSocket | undefined
  readonly address: string
  /** A client certificate that a TLS-terminating proxy saw, PEM; believed only of proxies that we know (OCPP-033). */
  readonly forwarded: string | undefined
}

export type Admission =
  | { readonly admitted: true; readonly versions: readonly Version[]; readonly session: Session }
  | { readonly admitted: false; readonly status: 401 | 404 }

export interface DoorNeeds {
  readonly log: Log
  readonly config: DoorConfig
  /** Identity known, security profile, credentials: in that order (OCPP-003). Nothing changes before the subprotocol is agreed. */
  login(presented: Presented): Promise<Admission>
  /** Plain HTTP that is no upgrade; false: not ours (OCPP-220). */
  serve?(request: IncomingMessage, response: ServerResponse): boolean
  /** The connection stands; the session has the socket. */
  connected(session: Session, presented: Presented, replaced: boolean): void
}

/** OCPP-009: compression costs memory for each connection: small windows, no context kept, nothing below a threshold. */
const compression = {
  threshold: 1024, serverNoContextTakeover: true, clientNoContextTakeover: true, serverMaxWindowBits: 11, concurrencyLimit: 4,
  zlibDeflateOptions: { level: 3, memLevel: 4 },
}

/** The WebSocket door: everything of OCPP §1 that happens before the first frame, and the probes of idle connections. */
export class Door {
  readonly #needs: DoorNeeds
  readonly #ws: WebSocketServer
  readonly #allowed = new WeakMap<IncomingMessage, readonly Version[]>()
  readonly #online = new Set<Session>()
  readonly #failures: Throttle
  /** Pairs of address and identity that logged in before: no stranger's failures lock them out (SEC-003). */
  readonly #welcome = new LRUCache<string, true>({ max: 50_000 })
  readonly #sweep: NodeJS.Timeout
  #pending = 0
  #told = 0
  #closing = false

  constructor(needs: DoorNeeds) {
    this.#needs = needs
    const { config } = needs
    this.#failures = new Throttle(config.failuresPerMinute)
    this.#ws = new WebSocketServer({
      noServer: true, clientTracking: false, maxPayload: config.maxPayload, perMessageDeflate: compression,
      // OCPP-005, 006: without a common subprotocol the handshake is completed without the header, then closed.
      handleProtocols: (offered, request) => chooseVersion(offered, this.#allowed.get(request) ?? [])?.subprotocol ?? false,
    })
    // Connections are probed in one sweep, spread by the moment each was last heard (OCPP-014).
    this.#sweep = setInterval(() => this.#probe(), Math.min(1000, config.pingIntervalMs / 4))
    this.#sweep.unref()
  }

  attach(server: Server): void {
    server.headersTimeout = this.#needs.config.handshakeTimeoutMs
    server.requestTimeout = this.#needs.config.handshakeTimeoutMs
    server.on('upgrade', (request, socket: Socket, head) => void this.#upgrade(request, socket, head))
    server.on('request', (request, response) => {
      if (this.#needs.serve?.(request, response)) return
      response.writeHead(426, { Upgrade: 'websocket', Connection: 'close', 'Content-Length': 0 }).end()
    })
    server.on('clientError', (_error, socket) => socket.destroy())
  }

  get online(): ReadonlySet<Session> {
    return this.#online
  }

  left(session: Session): void {
    if (!session.online) this.#online.delete(session)
  }

  /** OCPP-016, REL-048: closes with 1001, each at a moment of its own in the window: stations that wait alike before they come back do not come back as one. */
  async close(drainMs: number): Promise<void> {
    this.#closing = true
    clearInterval(this.#sweep)
    const sessions = [...this.#online], begun = performance.now()
    for (const [i, session] of sessions.entries()) {
      const wait = i / sessions.length * drainMs - (performance.now() - begun)
      // Timers are no finer than this: what is due meanwhile goes as one small wave.
      if (wait > 1) await new Promise((next) => setTimeout(next, wait))
      session.end()
    }
    this.#ws.close()
  }

  #probe(): void {
    const now = performance.now()
    for (const session of this.#online) session.probe(now, this.#needs.config.pingIntervalMs)
  }

  async #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const { config, log } = this.#needs
    const begun = performance.now()
    const broken = (): void => void socket.destroy()
    socket.on('error', broken)
    socket.setTimeout(config.handshakeTimeoutMs, broken)
    const path = readPath(request.url, config.paths)
    if (typeof path === 'number') return this.#refuse(socket, { status: path })
    const address = request.socket.remoteAddress ?? ''
    const name = `${path.tenant} ${path.identity}`, pair = `${address} ${name}`
    const wait = this.#mustWait(address, name, pair)
    if (wait !== undefined) return this.#refuse(socket, { status: 429, retryAfter: wait })
    if (this.#closing || this.#pending >= config.handshakes) return this.#refuse(socket, { status: 503, retryAfter: 1 + (this.#told++ % 15) })
    const basic = readBasic(request.headers.authorization)
    const presented: Presented = {
      ...path, user: basic?.user, password: basic?.password, address,
      forwarded: forwardedCertificate(request.headers),
      tls: 'encrypted' in request.socket && request.socket.encrypted ? request.socket as TLSSocket : undefined,
    }
    this.#pending += 1
    let admission: Admission
    try {
      admission = await this.#needs.login(presented)
    } catch (error) {
      log.error({ err: error, station: path.identity }, 'login failed')
      return this.#refuse(socket, { status: 503, retryAfter: 5 })
    } finally {
      this.#pending -= 1
    }
    if (!admission.admitted) {
      const { status } = admission
      log.info({ station: path.identity, address, clause: 'OCPP-004' }, 'login refused')
      if (config.failuresPerMinute > 0) for (const key of [pair, `a ${address}`, `i ${name}`]) this.#failures.failed(key)
      setTimeout(() => this.#refuse(socket, { status }), Math.max(0, config.refusalDelayMs - (performance.now() - begun)))
      return
    }
    this.#welcome.set(pair, true)
    this.#failures.succeeded(pair)
    if (socket.destroyed) return
    this.#accept(request, socket, head, presented, admission)
  }

  /** SEC-003: a pair that failed too often waits; strangers also wait for their address's and the identity's failures. */
  #mustWait(address: string, name: string, pair: string): number | undefined {
    if (this.#needs.config.failuresPerMinute <= 0) return undefined
    const own = this.#failures.blocked(pair)
    if (own !== undefined || this.#welcome.has(pair)) return own
    return this.#failures.blocked(`a ${address}`) ?? this.#failures.blocked(`i ${name}`)
  }

  #accept(request: IncomingMessage, socket: Socket, head: Buffer, presented: Presented, admission: Extract<Admission, { admitted: true }>): void {
    this.#allowed.set(request, admission.versions)
    this.#ws.handleUpgrade(request, socket, head, (ws) => {
      // From here on ws watches the socket; what belonged to the handshake goes, as it would cost memory for the connection's life.
      socket.setTimeout(0)
      socket.removeAllListeners('timeout')
      const chosen = chooseVersion([ws.protocol], admission.versions)
      if (!chosen) {
        ws.on('error', () => ws.terminate())
        setTimeout(() => ws.terminate(), 1000).unref()
        return ws.close(1002, 'no common subprotocol')
      }
      const { session } = admission
      const replaced = session.online
      session.attach(ws, chosen.version)
      this.#online.add(session)
      this.#needs.connected(session, presented, replaced)
      session.wake()
    })
  }

  #refuse(socket: Socket, refused: Refused): void {
    if (socket.destroyed) return
    socket.end(refusalText(refused))
    socket.setTimeout(1000, () => socket.destroy())
  }
}
