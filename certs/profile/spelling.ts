import { lfdiOf } from '#certs/lfdi.js'
import type { CertificateView } from '#certs/x509/certificate.js'
import { bitString, child, integer, readDer, sequence, Tag } from '#certs/x509/der.js'
import { Oid } from '#certs/x509/oid.js'

/** Orders of the curves that an issuer may sign with (FIPS 186-4 D.1.2). */
const orders: Readonly<Record<string, bigint>> = {
  [Oid.prime256v1]: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  '1.3.132.0.34': 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
}

/**
 * The fingerprints under which a certificate may appear. Beside an ECDSA signature (r, s) anybody can put (r, n − s), which is as right:
 * the same certificate then has another fingerprint, and who is blocked under one must be blocked under the other (SEC-022, SEP-213).
 */
export function fingerprintsOf(leaf: CertificateView, issuerCurve: string = Oid.prime256v1): readonly string[] {
  const own = lfdiOf(leaf.raw), order = orders[issuerCurve]
  if (!order || !leaf.signatureAlgorithm.startsWith('1.2.840.10045.4.')) return [own]
  return [own, lfdiOf(otherSpelling(leaf, order))]
}

export function otherSpelling(leaf: CertificateView, order: bigint = orders[Oid.prime256v1]!): Buffer {
  const pair = readDer(leaf.signature), whole = readDer(leaf.raw)
  const s = BigInt(`0x${child(pair, 1, Tag.integer).content.toString('hex')}`)
  return sequence(leaf.tbs, child(whole, 1).raw, bitString(sequence(child(pair, 0, Tag.integer).raw, integer(order - (s % order)))))
}
