import type { FastifyInstance } from 'fastify'
import { isRefusal, Refusal } from '#core/error.js'
import type { Clock } from '#core/port/clock.js'
import type { Authority } from '#certs/authority.js'
import { readCertificate } from '#certs/x509/certificate.js'
import { makeCrl } from '#certs/x509/crl.js'
import type { RevokedEntry } from '#certs/x509/crl.js'
import { keyIdentifierOf } from '#certs/x509/extensions.js'
import { asksAbout, ocspAnswer, ocspError, readOcspRequest } from '#certs/x509/ocsp.js'
import type { OcspStatus } from '#certs/x509/ocsp.js'

/** Certificates of one ordinary authority: what a revocation answer is made from. */
export interface Ledger {
  readonly authority: Authority
  /** `undefined` = never issued here. */
  statusOf(serial: string): Promise<{ readonly revoked?: RevokedEntry } | undefined>
  revoked(): Promise<readonly RevokedEntry[]>
  /** Grows with each revocation made by this process. */
  readonly changes?: number
}

export interface RevocationDoor {
  crl(name: string): Promise<Buffer>
  ocsp(request: Uint8Array): Promise<Buffer>
  routes(app: FastifyInstance): void
}

const crlLifeMs = 7 * 86_400_000, ocspLifeMs = 3_600_000
/** A list is written once a minute however often it is fetched (anybody may), and at once after a revocation here; another process's shows within the minute (SEC-007). */
const keptMs = 60_000

/**
 * CRL and OCSP of the ordinary authorities (stations, vendors). IEEE 2030.5 devices have neither: their access is the
 * registration list's matter (SEP-209), and their MICA is not among the ledgers.
 */
export function buildRevocation(ledgers: Readonly<Record<string, Ledger>>, clock: Clock): RevocationDoor {
  const kept = new Map<Ledger, { readonly atMs: number; readonly changes: number; readonly list: Promise<Buffer> }>()
  async function crl(name: string): Promise<Buffer> {
    const ledger = Object.hasOwn(ledgers, name) ? ledgers[name] : undefined
    if (!ledger) throw new Refusal('notFound', 'no such authority')
    const before = kept.get(ledger), atMs = clock.nowMs(), changes = ledger.changes ?? 0
    if (before && before.changes === changes && atMs >= before.atMs && atMs < before.atMs + keptMs) return before.list
    const list = written(ledger)
    kept.set(ledger, { atMs, changes, list })
    list.catch(() => kept.delete(ledger))
    return list
  }

  async function written(ledger: Ledger): Promise<Buffer> {
    const { certificate, signer } = ledger.authority, now = Math.floor(clock.nowMs() / 1000) * 1000
    return makeCrl({
      issuerName: readCertificate(certificate).subject.raw, issuerKeyId: keyIdentifierOf(signer.publicKey),
      number: Math.floor(now / 1000), thisUpdateMs: now, nextUpdateMs: now + crlLifeMs, revoked: await ledger.revoked(),
    }, signer)
  }

  async function ocsp(bytes: Uint8Array): Promise<Buffer> {
    try {
      const { questions, nonce } = readOcspRequest(bytes), now = Math.floor(clock.nowMs() / 1000) * 1000
      const ledger = Object.values(ledgers).find((l) => asksAbout(questions[0]!, l.authority.certificate))
      if (!ledger) return ocspError('unauthorized')
      const answers = await Promise.all(questions.map(async (q) => {
        const found = asksAbout(q, ledger.authority.certificate) ? await ledger.statusOf(q.serial) : undefined
        const status: OcspStatus = !found ? { status: 'unknown' } : found.revoked ? { status: 'revoked', atMs: found.revoked.atMs, reason: found.revoked.reason } : { status: 'good' }
        return { certId: q.certId, status }
      }))
      return await ocspAnswer(answers, ledger.authority.signer, { nowMs: now, nextUpdateMs: now + ocspLifeMs }, nonce && nonce.length <= 34 ? nonce : undefined)
    } catch (error) {
      if (isRefusal(error) && error.kind !== 'unavailable') return ocspError('malformedRequest')
      throw error
    }
  }

  return {
    crl, ocsp,
    routes(app) {
      app.get<{ Params: { name: string } }>('/crl/:name.crl', async (request, reply) => reply.type('application/pkix-crl').send(await crl(request.params.name)))
      app.post('/ocsp', async (request, reply) => reply.type('application/ocsp-response').send(await ocsp(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0))))
      // RFC 6960 Appendix A.1: GET carries the base64 of the request in the path.
      app.get<{ Params: { '*': string } }>('/ocsp/*', async (request, reply) => reply.type('application/ocsp-response').send(await ocsp(Buffer.from(request.params['*'], 'base64'))))
    },
  }
}
