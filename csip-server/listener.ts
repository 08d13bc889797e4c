import https from 'node:https'
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { lfdiOf, sfdiOf } from '#certs/lfdi.js'
import { LRUCache } from 'lru-cache'
import type { Clock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { Exchange } from '#core/words/last-words.js'
import type { CsipConfig } from '#csip-server/config.js'
import { faultAnswer, type Answer, type Door } from '#csip-server/door.js'
import { reason } from '#csip-server/error-map.js'
import type { Hardware, HardwareBook } from '#csip-server/hardware.js'
import { devicePeer, type Peer } from '#csip-server/identity.js'
import type { Meter } from '#csip-server/metrics.js'
import type { RateLimit } from '#csip-server/rate-limit.js'
import { contextOf, letPinnedIn, namedContexts, type TlsMaterial } from '#csip-server/tls.js'

/** A verdict on a leaf certificate: the profile of SEP-201…208 belongs to certs, this door only obeys it. */
export type LeafVerdict = { readonly ok: true; /** Key identifiers of the CAs above it: blocking one of them bars the leaf (SEP-213). */ readonly issuers?: readonly string[]; /** As its certificate names it (SEP-211). */ readonly hardware?: Hardware | undefined } | { readonly ok: false; readonly reason: string }

export interface ListenerNeeds {
  readonly door: Door
  readonly config: CsipConfig
  readonly tls: TlsMaterial
  readonly log: Log
  readonly clock: Pick<Clock, 'now' | 'nowMs'>
  readonly rateLimit: RateLimit
  /** `der` is the leaf, `chain` what stands above it as far as it is known, leaf first. */
  readonly checkLeaf: (der: Buffer, chain: readonly Buffer[]) => LeafVerdict
  /** Asked with every request (SEC-007), of the LFDI and of the key identifiers of its CAs: true when that one is revoked or blocked. */
  readonly isRevoked: (id: string) => boolean
  readonly count?: (what: 'handshake' | 'request', labels: Readonly<Record<string, string>>) => void
  readonly meter: Meter
  readonly hardware: HardwareBook
  /** Told of every exchange with a device (UX-049). */
  readonly words?: ((lfdi: string, said: Exchange) => void) | undefined
}

interface Known { readonly peer: Peer; readonly der: Buffer; readonly chain: readonly Buffer[]; verdict: LeafVerdict; checkedAt: number }

/** A verdict holds a minute (SEC-007: an expired leaf is out by then); the same leaf on its next connection is not examined again (SEP-006). */
const verdictHolds_s = 60

/** HTTP/1.1 over TLS 1.2 with CCM_8 and mutual authentication (SEP-001…009); bare node:https, whose share of the time is what SEP-250 measures. */
export function makeListener(needs: ListenerNeeds) {
  const { config, log } = needs
  const known = new WeakMap<TLSSocket, Known>()
  const examined: Examined = new LRUCache({ max: 20_000 })
  const sockets = new Set<TLSSocket>(), wires = new Set<Duplex>()
  let byName = namedContexts(needs.tls, config)
  const server = https.createServer({
    ...contextOf(needs.tls, config),
    requestCert: true, rejectUnauthorized: true,
    SNICallback: (name, done) => done(null, byName.get(name.toLowerCase())),
    handshakeTimeout: config.handshake_s * 1000, // SEC-005
    // SEP-008: an idle connection lives long; REL-044: a request that trickles in does not.
    keepAliveTimeout: config.keepAlive_s * 1000, headersTimeout: 15_000, requestTimeout: 30_000, connectionsCheckingInterval: 5000,
    maxHeaderSize: 32_768, noDelay: true,
    requireHostHeader: false, // refused below, with an Error body of known length (SEP-009, SEP-032)
  })
  letPinnedIn(server, contextOf(needs.tls, config))
  server.maxRequestsPerSocket = 0
  server.timeout = 0

  server.on('connection', (wire: Duplex) => {
    wires.add(wire)
    wire.once('close', () => wires.delete(wire))
  })
  server.on('secureConnection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    const met = safely(() => meet(needs, examined, socket), log)
    needs.count?.('handshake', { result: met?.verdict.ok ? 'accepted' : 'refused', suite: socket.getCipher()?.name ?? '' })
    needs.meter.handshake(met?.verdict.ok ? 'accepted' : 'refused', socket.getCipher()?.name ?? '')
    if (!met || (!met.verdict.ok && config.leafRefusal === 'close') || barred(needs, met)) {
      log.warn({ address: socket.remoteAddress, caller: met?.peer.lfdi, reason: !met ? 'no certificate' : met.verdict.ok ? 'SEP-213: the certificate or one of its authorities is blocked or revoked' : met.verdict.reason, clause: 'SEP-006' }, 'csip client refused')
      socket.destroy()
      return
    }
    known.set(socket, met)
    if (met.verdict.ok && met.verdict.hardware) needs.hardware.met(met.peer.lfdi, met.verdict.hardware)
    log.debug({ caller: met.peer.lfdi, suite: socket.getCipher()?.name, resumed: socket.isSessionReused() }, 'csip client connected')
  })
  server.on('tlsClientError', (error, socket) => {
    needs.count?.('handshake', { result: 'failed', suite: '' })
    needs.meter.handshake('failed', '')
    log.warn({ address: socket.remoteAddress, ...handshakeFault(error, socket), clause: 'SEP-005' }, 'csip handshake failed')
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // before the handshake nothing can be said, and what waits to be said would hold the connection open
    if (!sockets.has(socket as TLSSocket)) socket.destroy()
    else unreadable(needs.door, error, socket)
  })
  server.on('request', (req, res) => serve(needs, known, req, res))
  server.on('checkContinue', (req, res) => { res.writeContinue(); serve(needs, known, req, res) })

  return {
    server,
    /**
     * SEP-212: other roots or another certificate without a restart; live connections stay. Each is judged again before its next request, or by the next
     * sweep: whoever lost its root or its pin is out then (SEP-208).
     */
    reload(tls: TlsMaterial): void {
      examined.clear()
      for (const socket of sockets) { const met = known.get(socket); if (met) met.checkedAt = -Infinity }
      byName = namedContexts(tls, config)
      server.setSecureContext(contextOf(tls, config))
      letPinnedIn(server, contextOf(tls, config))
    },
    /** SEP-007, SEP-193: ends the live connections of clients that may no longer be here. */
    sweep(): number {
      let ended = 0
      for (const socket of sockets) {
        const met = known.get(socket)
        if (met && (barred(needs, met) || !safely(() => stillGood(needs, met), log))) { socket.destroy(); ended++ }
      }
      return ended
    },
    /** Ends the connections of an LFDI, or of all below an authority. */
    cut(id: string): void {
      for (const socket of sockets) {
        const met = known.get(socket)
        if (met && namesOf(met).includes(id)) socket.destroy()
      }
    },
    connections: (): number => sockets.size,
    /** Handshakes that are not through yet too. */
    destroyAll: (): void => { for (const wire of wires) wire.destroy() },
    wires: (): number => wires.size,
  }
}

/** What is not HTTP gets a status, an Error body and the end of its connection (SEP-032, SEP-043). */
function unreadable(door: Door, error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') { socket.destroy(); return }
  const status = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400
  const body = faultAnswer(door.codec, { status, reasonCode: reason.format }).body as Buffer
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: application/sep+xml\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body.toString()}`)
}

const namesOf = ({ peer, verdict }: Known): readonly string[] => [peer.lfdi, ...(verdict.ok && verdict.issuers) || []]

/** SEP-213, SEC-007: of this very moment, whatever the kept verdict says. */
const barred = ({ isRevoked }: ListenerNeeds, { peer, verdict }: Known): boolean => isRevoked(peer.lfdi) || (verdict.ok && verdict.issuers?.some(isRevoked) === true)

/** What TLS itself refuses, in the words of the profile's rules. */
const ruleOfTls: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'notAfter', CERT_NOT_YET_VALID: 'notBefore', INVALID_PURPOSE: 'extKeyUsage', UNHANDLED_CRITICAL_EXTENSION: 'criticalExtension', CERT_SIGNATURE_FAILURE: 'chain', DEPTH_ZERO_SELF_SIGNED_CERT: 'selfSigned',
  SELF_SIGNED_CERT_IN_CHAIN: 'chain', UNABLE_TO_GET_ISSUER_CERT: 'chain', UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'chain', UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'chain', INVALID_CA: 'issuer', PATH_LENGTH_EXCEEDED: 'issuer',
}

/** A certificate that TLS refuses ends as "socket hang up"; what was wrong with it is on the socket (SEP-005). */
function handshakeFault(error: Error, socket: TLSSocket): { reason: string; rule?: string } {
  const code = socket.authorizationError as unknown as string | null | undefined
  return code ? { reason: code, ...(ruleOfTls[code] ? { rule: ruleOfTls[code] } : {}) } : { reason: error.message }
}

/** REL-006: whatever a stranger's certificate makes us trip over ends that connection, never the process; unsure is refused. */
function safely<T>(look: () => T, log: Log): T | undefined {
  try {
    return look()
  } catch (error) {
    log.error({ err: error, clause: 'REL-006' }, 'a client certificate could not be judged: refused')
    return undefined
  }
}

type Examined = LRUCache<string, { verdict: LeafVerdict; at: number; chain: readonly Buffer[] }>

/** Identity once per socket: the hash of the presented leaf and nothing else (SEP-062, SEC-004); resumed sessions keep theirs (SEP-007). */
function meet(needs: ListenerNeeds, examined: Examined, socket: TLSSocket): Known | undefined {
  const leaf = socket.getPeerX509Certificate()
  if (!leaf || !socket.authorized) return undefined // SEC-006: never on `authorized` alone
  const der = leaf.raw, lfdi = lfdiOf(der), now = needs.clock.now()
  const peer = devicePeer(lfdi, sfdiOf(lfdi))
  const before = examined.get(lfdi)
  if (before?.verdict.ok && now - before.at < verdictHolds_s) return { peer, der, chain: before.chain, verdict: before.verdict, checkedAt: before.at }
  const chain: Buffer[] = []
  for (let at: typeof leaf | undefined = leaf; at && chain.length < 8; at = at.issuerCertificate === at ? undefined : at.issuerCertificate) chain.push(at.raw)
  const verdict = needs.checkLeaf(der, chain)
  examined.set(lfdi, { verdict, at: now, chain })
  return { peer, der, chain, verdict, checkedAt: now }
}

/** SEC-007: certificates run out while connections live. */
function stillGood(needs: ListenerNeeds, met: Known): boolean {
  const now = needs.clock.now()
  if (now - met.checkedAt < verdictHolds_s) return true
  met.verdict = needs.checkLeaf(met.der, met.chain)
  met.checkedAt = now
  return met.verdict.ok || needs.config.leafRefusal === 'forbid'
}

function serve(needs: ListenerNeeds, known: WeakMap<TLSSocket, Known>, req: IncomingMessage, res: ServerResponse): void {
  const met = known.get(req.socket as TLSSocket)
  if (!met || barred(needs, met) || !safely(() => stillGood(needs, met), needs.log)) { req.socket.destroy(); return }
  if (!met.verdict.ok) { send(needs, req, res, faultAnswer(needs.door.codec, { status: 403, reasonCode: reason.format })); return }
  serveKnown(needs, met.peer, req, res)
}

/** Limits, body, answer: for a client whose identity is known, however it came to be. */
export function serveKnown(needs: ListenerNeeds, peer: Peer, req: IncomingMessage, res: ServerResponse): void {
  needs.meter.seen(peer.lfdi, needs.clock.now())
  if (!needs.rateLimit.allows(peer.lfdi)) { send(needs, req, res, faultAnswer(needs.door.codec, { status: 429, reasonCode: reason.frequency, retryAfter: 1 })); return }
  const { headers } = req
  if (headers.host === undefined && req.httpVersion !== '1.0') { send(needs, req, res, faultAnswer(needs.door.codec, { status: 400, reasonCode: reason.format })); return }
  const withBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
  if (!withBody || req.method === 'GET' || req.method === 'HEAD') { answer(needs, req, res, peer, undefined); return }
  collect(needs, req, res, (body) => answer(needs, req, res, peer, body))
}

/** SEP-025: a body over the limit is 413 and the end of the connection. */
function collect(needs: ListenerNeeds, req: IncomingMessage, res: ServerResponse, done: (body: Buffer) => void): void {
  const parts: Buffer[] = []
  let size = 0, over = Number(req.headers['content-length'] ?? 0) > needs.config.bodyMax
  const refuse = (): void => {
    over = true
    res.setHeader('Connection', 'close')
    send(needs, req, res, faultAnswer(needs.door.codec, { status: 413, reasonCode: reason.limit }))
    res.once('finish', () => setImmediate(() => req.socket.destroySoon()))
  }
  if (over) { req.resume(); refuse(); return }
  req.on('data', (part: Buffer) => {
    if (over) return
    size += part.length
    if (size > needs.config.bodyMax) refuse()
    else parts.push(part)
  })
  req.on('end', () => { if (!over) done(Buffer.concat(parts)) })
  req.on('error', () => { over = true })
}

function answer(needs: ListenerNeeds, req: IncomingMessage, res: ServerResponse, peer: Peer, body: Buffer | undefined): void {
  const given = needs.door.handle({ method: req.method ?? 'GET', target: targetOf(req), peer, accept: req.headers.accept, contentType: req.headers['content-type'], body, host: req.headers.host })
  const reply = (a: Answer): void => {
    needs.words?.(peer.lfdi, { at: needs.clock.nowMs(), request: `${req.method} ${req.url}`, body, status: a.status, answer: a.body })
    send(needs, req, res, a)
  }
  if (given instanceof Promise) given.then(reply, (error: unknown) => { needs.log.error({ err: error }, 'csip answer failed'); req.socket.destroy() })
  else reply(given)
}

/** SEP-033: an absolute request target is ours when it names the host that the client asked for. */
function targetOf(req: IncomingMessage): string {
  const target = req.url ?? '/'
  if (target.startsWith('/')) return target
  const named = /^https?:\/\/([^/?#]+)(.*)$/i.exec(target), asked = (req.headers.host ?? '').toLowerCase(), authority = named?.[1]?.toLowerCase() ?? ''
  const ours = authority !== '' && (authority === asked || authority === `${asked.replace(/:\d+$/, '')}:${req.socket.localPort ?? ''}`)
  return ours ? named?.[2] ?? target : target
}

/** SEP-009: always a Content-Length, never chunks or compression; SEP-031: HEAD has the same headers and no body. */
export function send(needs: ListenerNeeds, req: IncomingMessage, res: ServerResponse, a: Answer): void {
  if (res.headersSent || res.destroyed) return
  needs.count?.('request', { status: String(a.status) })
  needs.meter.request(a.route ?? 'unknown', a.status)
  if (a.status === 200 && a.body) {
    res.writeHead(200, ['Content-Type', 'application/sep+xml', 'Content-Length', String(a.body.length)])
    res.end(req.method === 'HEAD' ? undefined : a.body)
    return
  }
  const headers: Record<string, string | number> = {}
  if (a.body) headers['Content-Type'] = 'application/sep+xml'
  if (a.status !== 204) headers['Content-Length'] = a.body?.length ?? 0
  if (a.location !== undefined) headers.Location = a.location
  if (a.allow !== undefined) headers.Allow = a.allow
  if (a.retryAfter !== undefined) headers['Retry-After'] = a.retryAfter
  res.writeHead(a.status, headers)
  res.end(req.method === 'HEAD' ? undefined : a.body)
}
