import { createHash } from 'node:crypto'
import type { CertificateView } from '#certs/x509/certificate.js'
import { child, readDer } from '#certs/x509/der.js'

const digest = (algorithm: string, bytes: Uint8Array): string => createHash(algorithm).update(bytes).digest('hex')

/** Hashes of an issuer's name and key bits, as OCSP names it (RFC 6960 §4.1.1). */
export const keyHashOfView = (issuer: CertificateView, algorithm = 'sha256'): { readonly name: string; readonly key: string } =>
  ({ name: digest(algorithm, issuer.subject.raw), key: digest(algorithm, child(readDer(issuer.key.spki), 1).content.subarray(1)) })
