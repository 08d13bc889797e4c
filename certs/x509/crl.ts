import { Refusal } from '#core/error.js'
import { basicConstraints, keyUsage, readCertificate, signatureHolds } from '#certs/x509/certificate.js'
import type { CertificateView } from '#certs/x509/certificate.js'
import { child, explicit, integer, oidText, readDer, sequence, Tag, time, timeMs, tlv } from '#certs/x509/der.js'
import { authorityKeyIdentifierExtension, extensionDer } from '#certs/x509/extensions.js'
import { algorithmIdentifier, signed } from '#certs/x509/issue.js'
import { Oid } from '#certs/x509/oid.js'
import type { Signer } from '#certs/x509/signer.js'

export interface RevokedEntry {
  readonly serial: string
  readonly atMs: number
  readonly reason: string
}

/** RFC 5280 §5.3.1. */
export const reasonCodes: Readonly<Record<string, number>> = { unspecified: 0, keyCompromise: 1, affiliationChanged: 3, superseded: 4, cessationOfOperation: 5 }

export interface CrlPlan {
  readonly issuerName: Buffer
  readonly issuerKeyId: Buffer
  readonly number: number
  readonly thisUpdateMs: number
  readonly nextUpdateMs: number
  readonly revoked: readonly RevokedEntry[]
}

/** Version 2 list (RFC 5280 §5.1). An empty list leaves revokedCertificates out. */
export function makeCrl(plan: CrlPlan, signer: Signer): Promise<Buffer> {
  const entry = ({ serial, atMs, reason }: RevokedEntry): Buffer => {
    // RFC 5280 §5.3.1: "unspecified" is written by leaving the reason out.
    const code = reasonCodes[reason] ?? 0
    return sequence(integer(Buffer.from(serial, 'hex')), time(atMs),
      ...(code === 0 ? [] : [sequence(extensionDer({ oid: Oid.cRLReason, critical: false, value: tlv(Tag.enumerated, Buffer.from([code])) }))]))
  }
  const extensions = [authorityKeyIdentifierExtension(plan.issuerKeyId), { oid: Oid.cRLNumber, critical: false, value: integer(plan.number) }]
  return signed(sequence(
    integer(1), algorithmIdentifier(signer.algorithm), plan.issuerName, time(plan.thisUpdateMs), time(plan.nextUpdateMs),
    ...(plan.revoked.length > 0 ? [sequence(...plan.revoked.map(entry))] : []),
    explicit(0, sequence(...extensions.map(extensionDer))),
  ), signer)
}

export interface CheckedCrl {
  readonly thisUpdateMs: number
  readonly nextUpdateMs: number
  readonly revoked: ReadonlySet<string>
}

/**
 * A foreign CRL, believed only when its issuer signed it, may sign CRLs, and it is current: everything else is refused,
 * and whoever asked must then refuse the certificate too (SEC-008: fail closed).
 */
export function readCrl(der: Uint8Array, issuer: Uint8Array, nowMs: number): CheckedCrl {
  const root = readDer(der), tbs = child(root, 0, Tag.sequence), by: CertificateView = readCertificate(issuer)
  const at = tbs.children[0]?.tag === Tag.integer ? 1 : 0
  if (!child(tbs, at + 1, Tag.sequence).raw.equals(by.subject.raw)) throw new Refusal('invalid', 'the CRL is from another issuer')
  if (!basicConstraints(by)?.ca || keyUsage(by)?.has('cRLSign') === false) throw new Refusal('invalid', 'the issuer may not sign CRLs')
  const algorithm = child(root, 1, Tag.sequence)
  if (!algorithm.raw.equals(child(tbs, at).raw) || !signatureHolds(by.key, oidText(child(algorithm, 0)), tbs.raw, child(root, 2, Tag.bitString).content.subarray(1))) throw new Refusal('invalid', 'the signature of the CRL is wrong')
  const isTime = (tag: number | undefined): boolean => tag === Tag.utcTime || tag === Tag.generalizedTime
  const thisUpdateMs = timeMs(child(tbs, at + 2)), next = tbs.children[at + 3]
  if (!next || !isTime(next.tag)) throw new Refusal('invalid', 'the CRL has no nextUpdate')
  const nextUpdateMs = timeMs(next)
  if (nowMs < thisUpdateMs || nowMs > nextUpdateMs) throw new Refusal('unavailable', 'the CRL is not current')
  const list = tbs.children[at + 4]
  const extensions = tbs.children.find((c) => c.tag === 0xa0)
  for (const e of extensions ? child(extensions, 0).children : []) if (e.children[1]?.tag === Tag.boolean) throw new Refusal('invalid', 'the CRL has a critical extension that is not understood')
  const revoked = new Set(list?.tag === Tag.sequence ? list.children.map((e) => child(e, 0, Tag.integer).content.toString('hex').toUpperCase().replace(/^00(?=.)/, '')) : [])
  return { thisUpdateMs, nextUpdateMs, revoked }
}

