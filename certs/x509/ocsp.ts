import { createHash } from 'node:crypto'
import { Refusal } from '#core/error.js'
import { readCertificate } from '#certs/x509/certificate.js'
import { child, explicit, generalizedTime, implicit, octetString, oid, oidText, readDer, sequence, Tag, tlv } from '#certs/x509/der.js'
import { extensionDer, keyIdentifierOf } from '#certs/x509/extensions.js'
import { signed } from '#certs/x509/issue.js'
import { Oid } from '#certs/x509/oid.js'
import { reasonCodes } from '#certs/x509/crl.js'
import type { Signer } from '#certs/x509/signer.js'

export interface OcspQuestion {
  /** CertID as it came; it goes back byte for byte. */
  readonly certId: Buffer
  readonly hash: string
  readonly issuerNameHash: Buffer
  readonly issuerKeyHash: Buffer
  readonly serial: string
}

/** RFC 6960 §4.1.1. */
export function readOcspRequest(der: Uint8Array): { readonly questions: readonly OcspQuestion[]; readonly nonce?: Buffer } {
  const tbs = child(readDer(der), 0, Tag.sequence)
  const list = tbs.children.find((c) => c.tag === Tag.sequence)
  if (!list || list.children.length === 0 || list.children.length > 20) throw new Refusal('invalid', 'an OCSP request asks for 1 to 20 certificates')
  const questions = list.children.map((request) => {
    const id = child(request, 0, Tag.sequence)
    return {
      certId: id.raw, hash: oidText(child(child(id, 0, Tag.sequence), 0)), issuerNameHash: child(id, 1, Tag.octetString).content, issuerKeyHash: child(id, 2, Tag.octetString).content,
      serial: child(id, 3, Tag.integer).content.toString('hex').toUpperCase().replace(/^00(?=.)/, ''),
    }
  })
  const extensions = tbs.children.find((c) => c.tag === 0xa2)?.children[0]?.children ?? []
  const nonce = extensions.find((e) => oidText(child(e, 0)) === Oid.ocspNonce)?.children.at(-1)?.content
  return { questions, ...(nonce ? { nonce } : {}) }
}

const hashNames: Readonly<Record<string, string>> = { [Oid.sha1]: 'sha1', [Oid.sha256]: 'sha256', [Oid.sha384]: 'sha384', [Oid.sha512]: 'sha512' }

/** Whether the question is about certificates of that issuer; SHA-1 is what most clients still use as an identifier. */
export function asksAbout(question: OcspQuestion, issuer: Buffer): boolean {
  const hash = hashNames[question.hash]
  if (!hash) return false
  const view = readCertificate(issuer), keyBits = child(readDer(view.key.spki), 1).content.subarray(1)
  const of = (bytes: Buffer): Buffer => createHash(hash).update(bytes).digest()
  return of(view.subject.raw).equals(question.issuerNameHash) && of(keyBits).equals(question.issuerKeyHash)
}

export type OcspStatus = { readonly status: 'good' } | { readonly status: 'unknown' } | { readonly status: 'revoked'; readonly atMs: number; readonly reason: string }

/** A signed answer (RFC 6960 §4.2.1), by the issuer itself, named by its key. */
export async function ocspAnswer(
  answers: readonly { readonly certId: Buffer; readonly status: OcspStatus }[], signer: Signer,
  times: { readonly nowMs: number; readonly nextUpdateMs: number }, nonce?: Buffer,
): Promise<Buffer> {
  const single = ({ certId, status }: (typeof answers)[number]): Buffer => sequence(certId, statusDer(status), generalizedTime(times.nowMs), explicit(0, generalizedTime(times.nextUpdateMs)))
  const data = sequence(
    explicit(2, octetString(keyIdentifierOf(signer.publicKey))), generalizedTime(times.nowMs), sequence(...answers.map(single)),
    ...(nonce ? [explicit(1, sequence(extensionDer({ oid: Oid.ocspNonce, critical: false, value: nonce })))] : []),
  )
  return sequence(tlv(Tag.enumerated, Buffer.from([0])), explicit(0, sequence(oid(Oid.ocspBasic), octetString(await signed(data, signer)))))
}

function statusDer(status: OcspStatus): Buffer {
  if (status.status === 'good') return implicit(0, Buffer.alloc(0))
  if (status.status === 'unknown') return implicit(2, Buffer.alloc(0))
  return explicit(1, generalizedTime(status.atMs), explicit(0, tlv(Tag.enumerated, Buffer.from([reasonCodes[status.reason] ?? 0]))))
}

/** RFC 6960 §2.3: unsigned errors. */
export const ocspError = (status: 'malformedRequest' | 'internalError' | 'unauthorized'): Buffer =>
  sequence(tlv(Tag.enumerated, Buffer.from([{ malformedRequest: 1, internalError: 2, unauthorized: 6 }[status]])))

