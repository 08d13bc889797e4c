import { Refusal } from '#core/error.js'
import { basicConstraints, extKeyUsage, readCertificate, signatureHolds, type CertificateView } from '#certs/x509/certificate.js'
import { child, integer, nul, octetString, oid, oidText, readDer, sequence, Tag, timeMs, type DerNode } from '#certs/x509/der.js'
import { keyHashOfView } from '#certs/x509/key-hash.js'
import { Oid } from '#certs/x509/oid.js'

/** What names a certificate to an OCSP responder, hexadecimal (RFC 6960 §4.1.1; OCPP OCSPRequestDataType). */
export interface CertificateHash {
  readonly hashAlgorithm: string
  readonly issuerNameHash: string
  readonly issuerKeyHash: string
  readonly serialNumber: string
}

const algorithms: Readonly<Record<string, string>> = { SHA256: Oid.sha256, SHA384: Oid.sha384, SHA512: Oid.sha512 }
const hex = (text: string): Buffer => {
  if (!/^([0-9A-Fa-f]{2})+$/.test(text)) throw new Refusal('invalid', 'a hash is hexadecimal')
  return Buffer.from(text, 'hex')
}

/** The question about one certificate, DER. */
export function ocspRequestOf(of: CertificateHash): Buffer {
  const algorithm = algorithms[of.hashAlgorithm]
  if (!algorithm) throw new Refusal('invalid', `the hash algorithm ${of.hashAlgorithm.slice(0, 20)} is not known`)
  const serial = of.serialNumber.length % 2 === 0 ? of.serialNumber : `0${of.serialNumber}`
  const certId = sequence(sequence(oid(algorithm), nul()), octetString(hex(of.issuerNameHash)), octetString(hex(of.issuerKeyHash)), integer(hex(serial)))
  return sequence(sequence(sequence(sequence(certId))))
}

export interface OcspAnswer {
  readonly status: 'good' | 'revoked' | 'unknown'
  readonly thisUpdateMs: number
  readonly nextUpdateMs: number | undefined
  /** Signed by the issuer itself, or by a responder that it appointed (RFC 6960 §4.2.2.2). */
  signedBy(issuer: CertificateView): boolean
}

const statusOf = (node: DerNode): OcspAnswer['status'] => ((node.tag & 0x1f) === 0 ? 'good' : (node.tag & 0x1f) === 1 ? 'revoked' : 'unknown')

/** A responder's answer to one question; throws `invalid` when it is none. */
export function readOcspResponse(der: Uint8Array): OcspAnswer {
  const response = readDer(der)
  if (child(response, 0, Tag.enumerated).content[0] !== 0) throw new Refusal('invalid', 'the responder answered with an error')
  const body = child(child(response, 1), 0, Tag.sequence)
  if (oidText(child(body, 0)) !== Oid.ocspBasic) throw new Refusal('invalid', 'not a basic OCSP response')
  const basic = readDer(child(body, 1, Tag.octetString).content), data = child(basic, 0, Tag.sequence)
  const algorithm = oidText(child(child(basic, 1, Tag.sequence), 0)), signature = child(basic, 2).content.subarray(1)
  const list = data.children.find((c) => c.tag === Tag.sequence)
  if (!list) throw new Refusal('invalid', 'an OCSP response without an answer')
  const single = child(list, 0, Tag.sequence)
  const next = single.children.find((c, i) => i > 2 && c.tag === 0xa0)
  const sent = basic.children.find((c) => c.tag === 0xa0)?.children[0]?.children.map((c) => c.raw) ?? []
  return {
    status: statusOf(child(single, 1)), thisUpdateMs: timeMs(child(single, 2)), nextUpdateMs: next?.children[0] ? timeMs(next.children[0]) : undefined,
    signedBy(issuer) {
      if (signatureHolds(issuer.key, algorithm, data.raw, signature)) return true
      return sent.some((raw) => {
        const responder = readCertificate(raw)
        return responder.issuer.raw.equals(issuer.subject.raw) && (extKeyUsage(responder)?.includes(Oid.ocspSigning) ?? false) && !basicConstraints(responder)?.ca
          && signatureHolds(issuer.key, responder.signatureAlgorithm, responder.tbs, responder.signature) && signatureHolds(responder.key, algorithm, data.raw, signature)
      })
    },
  }
}

/** What an issuer and a serial number are called in OCPP, SHA-256. */
export function certificateHash(leaf: CertificateView, issuer: CertificateView): CertificateHash {
  const { name, key } = keyHashOfView(issuer)
  return { hashAlgorithm: 'SHA256', issuerNameHash: name, issuerKeyHash: key, serialNumber: leaf.serial }
}
