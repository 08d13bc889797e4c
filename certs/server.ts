import { constants } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import Fastify from 'fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isRefusal, Refusal } from '#core/error.js'
import type { Clock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import { batchArchive } from '#certs/archive.js'
import { wholeChain } from '#certs/authority.js'
import type { Authority, TlsIdentity } from '#certs/authority.js'
import type { BatchRow, Enrolment } from '#certs/enrol.js'
import { statusOf } from '#certs/error-map.js'
import { certsOnlyType, csrAttrs, csrAttrsType, decodeBody, encodeBody, isOperation, operations } from '#certs/est.js'
import { connectionGuard } from '#certs/guard.js'
import type { ConnectionGuard, Guarded } from '#certs/guard.js'
import { estIdentity, peerOf } from '#certs/identity.js'
import { lfdiOf } from '#certs/lfdi.js'
import type { DoorProfile } from '#certs/profile/device.js'
import { findPath } from '#certs/profile/trust.js'
import type { Trust } from '#certs/profile/trust.js'
import type { CertificateRegistry } from '#certs/registry.js'
import type { RevocationDoor } from '#certs/revocation.js'
import { failureThrottle } from '#certs/throttle.js'
import type { Vendors } from '#certs/vendor.js'
import { readCertificate, subjectKeyIdentifier } from '#certs/x509/certificate.js'
import { certificatePem } from '#certs/x509/pem.js'
import { certsOnly } from '#certs/x509/pkcs7.js'

export interface EstNeeds {
  /** Ordinary server certificate with names (SEP-220). */
  readonly tls: TlsIdentity
  /** PEMs named to clients as acceptable issuers; who is believed is decided by `trust` and the vendors' fingerprints. */
  readonly clientCas: readonly string[]
  /** Trusted manufacturers; asked on each request, so that a reload takes effect at once. */
  readonly trust: () => Trust
  /** Who issues now, for what `cacerts` gives out. */
  readonly mica: () => Authority
  readonly enrolment: Enrolment
  readonly vendors: Vendors
  readonly registry: CertificateRegistry
  /** CRLs and OCSP of the ordinary authorities; the manufacturing PKI has neither (SEP-209). */
  readonly revocation?: RevocationDoor
  readonly clock: Clock
  readonly log: Log
  readonly config: { readonly profile: DoorProfile; readonly production: boolean; readonly rateLimits: boolean }
}

/** SEC-005: forward secrecy and AEAD, nothing else; Node's own list would take CBC and RSA key exchange too. */
export const modernTls = {
  minVersion: 'TLSv1.2', honorCipherOrder: true, secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  ciphers: [
    'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305', 'ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256',
  ].join(':'),
} as const

const batchLimit = 16 * 2 ** 20
const mostRows = 10_000

/** REL-044, REL-045: who has not shaken hands and asked something within ten seconds is gone. */
const deadlines = { handshakeTimeout: 10_000, headersTimeout: 10_000, connectionsCheckingInterval: 5000 }

/** The EST door (RFC 7030, RFC 8951), with the vendors' batch upload beside it. Listen on it yourself. */
export function buildEst(needs: EstNeeds): FastifyInstance {
  const { config, clock, log } = needs
  const app = Fastify({
    logger: false, bodyLimit: 64 * 1024, requestTimeout: 30_000,
    https: { key: needs.tls.key, cert: needs.tls.cert, ca: [...needs.clientCas], ...modernTls, requestCert: true, rejectUnauthorized: false, sessionIdContext: 'loadstone-est', ...deadlines },
  }) as unknown as FastifyInstance
  const identity = estIdentity({ ...needs, profile: config.profile, production: config.production })
  const throttle = failureThrottle(clock)
  const attributes = encodeBody(csrAttrs()), chain = (): Buffer[] => wholeChain(needs.mica())
  let given: { readonly by: Authority; readonly body: string } | undefined
  /** Encoded once for each authority. */
  const cacerts = (): string => (given?.by === needs.mica() ? given : (given = { by: needs.mica(), body: encodeBody(certsOnly(chain())) })).body

  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body) })
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply, log))
  app.setNotFoundHandler(() => { throw new Refusal('notFound', 'there is nothing at this path') })

  const guard = connectionGuard(needs.registry, clock)
  app.server.on('secureConnection', (socket: TLSSocket) => watchPeer(guard, socket, needs.trust))
  app.addHook('onClose', async () => guard.stop())

  /** SEC-003: an address that failed ten times in a minute waits, before its credentials are looked at. */
  async function guarded<T>(request: FastifyRequest, reply: FastifyReply, prove: () => Promise<T>): Promise<T> {
    const wait = config.rateLimits ? throttle.wait(request.ip) : 0
    if (wait > 0) {
      reply.header('retry-after', String(wait))
      throw new Refusal('rateLimited', 'too many failed attempts')
    }
    try {
      return await prove()
    } catch (error) {
      if (isRefusal(error) && error.kind === 'unauthenticated') throttle.failed(request.ip)
      throw error
    }
  }
  const tlsOf = (request: FastifyRequest): TLSSocket => request.raw.socket as TLSSocket

  async function enrol(request: FastifyRequest, reply: FastifyReply, label: string | undefined, again: boolean): Promise<FastifyReply> {
    const { authorization } = request.headers
    const outcome = await guarded(request, reply, async () => {
      const who = again ? await identity.current(tlsOf(request), authorization) : await identity.requester(tlsOf(request), authorization)
      // RFC 7030 §4.2.1: application/pkcs10; judged after the credential, so that strangers learn nothing.
      if (!/^application\/pkcs10 *(;|$)/i.test(request.headers['content-type'] ?? '')) throw new WrongType()
      const csr = decodeBody(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0))
      if ('certificate' in who) return needs.enrolment.reenrol(csr, who)
      if (label !== undefined && who.vendor.name !== label) throw new Refusal('forbidden', 'this credential is not for that label')
      return needs.enrolment.enrol(csr, who)
    })
    if (outcome.kind === 'pending') return reply.code(202).header('retry-after', String(outcome.retryAfter_s)).type('text/plain').send('an operator has to approve the request\n')
    return sendCoded(reply, certsOnlyType, encodeBody(certsOnly([outcome.der])))
  }

  async function est(request: FastifyRequest, reply: FastifyReply, name: string, label: string | undefined): Promise<FastifyReply> {
    if (!isOperation(name)) throw new Refusal('notFound', 'no such EST operation')
    if (label !== undefined && !(await needs.vendors.get(label))) throw new Refusal('notFound', 'no such label')
    const { method } = operations[name]
    if (request.method !== method && !(request.method === 'HEAD' && method === 'GET')) return reply.code(405).header('allow', method).type('text/plain').send(`${name} takes ${method}\n`)
    switch (name) {
      case 'cacerts': return sendCoded(reply, certsOnlyType, cacerts())
      case 'csrattrs': return sendCoded(reply, csrAttrsType, attributes)
      case 'simpleenroll': return enrol(request, reply, label, false)
      case 'simplereenroll': return enrol(request, reply, label, true)
      case 'serverkeygen':
      case 'fullcmc': throw new Refusal('unsupported', `${name} is not built here: make the key on the device and use simpleenroll`)
    }
  }
  app.all<{ Params: { operation: string } }>('/.well-known/est/:operation', (request, reply) => est(request, reply, request.params.operation, undefined))
  app.all<{ Params: { label: string; operation: string } }>('/.well-known/est/:label/:operation', (request, reply) => est(request, reply, request.params.operation, request.params.label))

  /** SEP-232: requests, or serial numbers with public keys, as JSON; the answer is an archive, or JSON when asked for. */
  app.post<{ Params: { vendor: string } }>('/vendors/:vendor/batch', { bodyLimit: batchLimit }, async (request, reply) => {
    const who = await guarded(request, reply, () => identity.requester(tlsOf(request), request.headers.authorization))
    if (who.kind !== 'vendor' || who.vendor.name !== request.params.vendor) throw new Refusal('forbidden', 'a batch needs the certificate of that vendor')
    const results = await needs.enrolment.batch(who.vendor, rowsOf(request.body), `vendor:${who.vendor.name}`)
    const chainPem = chain().map(certificatePem).join('')
    if (/json/.test(request.headers.accept ?? '')) {
      return reply.send({ results: results.map((r) => r.ok ? { row: r.row, hwSerialNum: r.issued.hwSerialNum, lfdi: r.issued.lfdi, sfdi: r.issued.sfdi, pin: r.issued.pin, certificate: certificatePem(r.issued.der) } : { row: r.row, refused: r.reason }), chain: chainPem })
    }
    return reply.type('application/gzip').header('content-disposition', `attachment; filename="${who.vendor.name}-batch.tar.gz"`).send(batchArchive(results, chainPem, clock.nowMs()))
  })

  needs.revocation?.routes(app)
  return app
}

/** SEC-007: each request looks at the certificate afresh, and a connection that asks nothing ends with its certificate too, or with the authority above it. */
function watchPeer(guard: ConnectionGuard, socket: TLSSocket, trust: () => Trust): void {
  const der = peerOf(socket)
  if (!der) return
  try {
    const leaf = readCertificate(der), issuers = findPath(leaf, trust())?.flatMap((ca) => subjectKeyIdentifier(ca.view) ?? [])
    const peer: Guarded = { lfdi: lfdiOf(der), notAfterMs: leaf.notAfterMs, ...(issuers ? { issuers } : {}) }
    if (!guard.holds(peer)) return // already so when it came: its requests say why
    socket.once('close', guard.watch(peer, () => socket.destroy()))
  } catch (error) {
    if (!isRefusal(error)) throw error // what cannot be read is refused when it asks
  }
}

class WrongType extends Error {}

const sendCoded = (reply: FastifyReply, type: string, body: string): FastifyReply =>
  reply.header('content-type', type).header('content-transfer-encoding', 'base64').send(Buffer.from(body))

function rowsOf(body: unknown): BatchRow[] {
  let rows: unknown
  try {
    const text = Buffer.isBuffer(body) ? body.toString('utf8') : '', parsed: unknown = JSON.parse(text)
    rows = Array.isArray(parsed) ? parsed : (parsed as { rows?: unknown } | null)?.rows
  } catch {
    throw new Refusal('invalid', 'the body is not JSON')
  }
  if (!Array.isArray(rows) || rows.length === 0 || rows.length > mostRows) throw new Refusal('invalid', `rows is an array of 1 to ${mostRows}`)
  const faults = rows.flatMap((row: unknown, i) => isRow(row) ? [] : [{ path: `/rows/${i}`, reason: 'a row is {csr} or {hwSerialNum, publicKey}' }])
  if (faults.length > 0) throw new Refusal('invalid', `row ${faults[0]!.path.slice(6)}: ${faults[0]!.reason}`, { faults })
  return rows as BatchRow[]
}

function isRow(row: unknown): row is BatchRow {
  if (typeof row !== 'object' || row === null) return false
  const { csr, hwSerialNum, publicKey, hwType } = row as Record<string, unknown>
  return typeof csr === 'string' || (typeof hwSerialNum === 'string' && typeof publicKey === 'string' && (hwType === undefined || typeof hwType === 'string'))
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Log): FastifyReply {
  const text = (status: number, sentence: string): FastifyReply => reply.code(status).type('text/plain; charset=utf-8').send(`${sentence}\n`)
  if (error instanceof WrongType) return text(415, 'the content type has to be application/pkcs10')
  if (isRefusal(error)) {
    log.info({ path: request.routeOptions.url, kind: error.kind, reason: error.message, peer: request.ip, clause: 'RFC 7030 §4.2.3' }, 'refused')
    if (error.kind === 'unauthenticated') reply.header('www-authenticate', 'Basic realm="est"')
    if (error.kind === 'unavailable' || error.kind === 'stale') reply.header('retry-after', '5')
    return text(statusOf(error.kind), error.message)
  }
  const status = (error as { statusCode?: number }).statusCode ?? 500
  if (status >= 400 && status < 500) return text(status, status === 413 ? 'the body is too large' : 'the request cannot be read')
  log.error({ error, path: request.routeOptions.url }, 'the EST door failed')
  return text(500, 'an error inside the server')
}
