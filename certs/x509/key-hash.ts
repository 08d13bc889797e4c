import { createHash } from 'node:crypto'
import type { CertificateView } from '#certs/x509/certificate.js'
import { child, readDer } from '#certs/x509/der.js'

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Hashes of an issuer's name and key bits, as OCSP names it (RFC 6960 §4.1.1). */
export const keyHashOfView = (issuer: CertificateView): { readonly name: string; readonly key: string } =>
  ({ name: sha256(issuer.subject.raw), key: sha256(child(readDer(issuer.key.spki), 1).content.subarray(1)) })
