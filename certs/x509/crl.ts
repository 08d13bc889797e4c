import { Refusal } from '#core/error.js'
import { basicConstraints, keyUsage, readCertificate, signatureHolds } from '#certs/x509/certificate.js'
import type { CertificateView } from '#certs/x509/certificate.js'
import { child, explicit, integer, oidText, readDer, sequence, Tag, time, timeMs, tlv, valuesIn, type DerNode } from '#certs/x509/der.js'
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
    ...(plan.revoked.length > 0 ? [sequence(Buffer.concat(plan.revoked.map(entry)))] : []),
    explicit(0, sequence(...extensions.map(extensionDer))),
  ), signer)
}

/** Some 85,000 revoked certificates; a longer list is not read. */
export const longestCrl = 4 * 2 ** 20

export interface CheckedCrl {
  readonly thisUpdateMs: number
  readonly nextUpdateMs: number
  /** Serial numbers, upper-case hex without leading zeroes. */
  readonly revoked: ReadonlySet<string>
}

const isTime = (tag: number | undefined): boolean => tag === Tag.utcTime || tag === Tag.generalizedTime
const plain = (serial: string): string => serial.toUpperCase().replace(/^0+(?=.)/, '')
export const isListed = ({ revoked }: CheckedCrl, serial: string): boolean => revoked.has(plain(serial))

/** The parts of a SEQUENCE, which are few whatever their size. */
function parts(of: Omit<DerNode, 'children'> | undefined, most: number): Omit<DerNode, 'children'>[] {
  const found: Omit<DerNode, 'children'>[] = []
  if (of?.tag !== Tag.sequence) throw new Refusal('invalid', 'not a CRL')
  for (const value of valuesIn(of.content)) if (found.push(value) > most) throw new Refusal('invalid', 'not a CRL')
  return found
}

/** The one value that fills the bytes. */
function only(bytes: Uint8Array): Omit<DerNode, 'children'> | undefined {
  const [root] = valuesIn(bytes)
  if (root && root.raw.length !== bytes.length) throw new Refusal('invalid', 'not DER: bytes after the end')
  return root
}

/**
 * A foreign CRL, believed only when its issuer signed it, may sign CRLs, and it is current: everything else is refused,
 * and whoever asked must then refuse the certificate too (SEC-008: fail closed). Its entries are read one by one, and only when the signature holds.
 */
export function readCrl(der: Uint8Array, issuer: Uint8Array, nowMs: number): CheckedCrl {
  if (der.length > longestCrl) throw new Refusal('tooLarge', `the CRL is longer than ${longestCrl} bytes`)
  const [tbs, algorithm, signature] = parts(only(der), 3), by: CertificateView = readCertificate(issuer)
  if (!tbs || !algorithm || !signature) throw new Refusal('invalid', 'not a CRL')
  const fields = parts(tbs, 7), at = fields[0]?.tag === Tag.integer ? 1 : 0, [named, issuerName, from, next] = fields.slice(at)
  if (!named || !from || !issuerName?.raw.equals(by.subject.raw)) throw new Refusal('invalid', 'the CRL is from another issuer')
  if (!basicConstraints(by)?.ca || keyUsage(by)?.has('cRLSign') === false) throw new Refusal('invalid', 'the issuer may not sign CRLs')
  const bits = readDer(signature.raw)
  if (bits.tag !== Tag.bitString || !algorithm.raw.equals(named.raw) || !signatureHolds(by.key, oidText(child(readDer(algorithm.raw), 0)), tbs.raw, bits.content.subarray(1))) throw new Refusal('invalid', 'the signature of the CRL is wrong')
  const thisUpdateMs = timeMs(readDer(from.raw))
  if (!next || !isTime(next.tag)) throw new Refusal('invalid', 'the CRL has no nextUpdate')
  const nextUpdateMs = timeMs(readDer(next.raw))
  if (nowMs < thisUpdateMs || nowMs > nextUpdateMs) throw new Refusal('unavailable', 'the CRL is not current')
  const list = fields[at + 4], extensions = fields.find((f) => f.tag === 0xa0)
  for (const e of extensions ? child(readDer(extensions.raw), 0).children : []) if (e.children[1]?.tag === Tag.boolean) throw new Refusal('invalid', 'the CRL has a critical extension that is not understood')
  const revoked = new Set<string>()
  if (list?.tag === Tag.sequence) for (const entry of valuesIn(list.content)) revoked.add(plain(child(readDer(entry.raw), 0, Tag.integer).content.toString('hex')))
  return { thisUpdateMs, nextUpdateMs, revoked }
}
