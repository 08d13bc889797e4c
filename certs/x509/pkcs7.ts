import { child, explicit, integer, oid, oidText, readDer, sequence, set, Tag } from '#certs/x509/der.js'
import { Refusal } from '#core/error.js'

const signedData = '1.2.840.113549.1.7.2', data = '1.2.840.113549.1.7.1'

/**
 * Certs-only PKCS#7 (RFC 7030 §4.1.3, RFC 5272 §4.1): SignedData version 1 without content, digests and signers.
 * [0] is an implicit SET OF, so DER sorts the certificates; a reader builds the chain from their names.
 */
export function certsOnly(certificates: readonly Buffer[]): Buffer {
  const sorted = [...certificates].sort(Buffer.compare)
  return sequence(oid(signedData), explicit(0, sequence(integer(1), set(), sequence(oid(data)), explicit(0, ...sorted), set())))
}

export function certificatesOf(pkcs7: Uint8Array): Buffer[] {
  const root = readDer(pkcs7)
  if (oidText(child(root, 0, Tag.oid)) !== signedData) throw new Refusal('invalid', 'not PKCS#7 signed data')
  const body = child(child(root, 1, 0xa0), 0, Tag.sequence)
  return body.children.find((c) => c.tag === 0xa0)?.children.map((c) => Buffer.from(c.raw)) ?? []
}
