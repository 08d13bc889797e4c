import { webcrypto } from 'node:crypto'
import type { Signer } from '#certs/x509/signer.js'
import type { Extension } from '#certs/x509/certificate.js'

type Library = typeof import('@peculiar/x509')
type Provider = NonNullable<Parameters<Library['X509CertificateGenerator']['create']>[1]>
type LibraryKey = Extract<Parameters<Library['X509CertificateGenerator']['create']>[0], { signingKey: unknown }>['signingKey']
let loading: Promise<Library> | undefined

/**
 * @peculiar/x509 throws unless reflect-metadata came first, takes 0.2 s to load and wants a provider set: done once,
 * when the first certificate is made, so that importing this room costs nothing.
 */
export function library(): Promise<Library> {
  loading ??= (async () => {
    await import('reflect-metadata')
    const x509 = await import('@peculiar/x509')
    x509.cryptoProvider.set(webcrypto as unknown as Provider)
    return x509
  })()
  return loading
}

/** Name attributes in order; keys are CN, O or an OID. */
export type NameParts = readonly Readonly<Record<string, readonly string[]>>[]

export interface CertificatePlan {
  /** Hex of a positive number. */
  readonly serial: string
  /** DER of the issuer's subject, byte for byte; absent = self-signed with `subject`. */
  readonly issuer?: Buffer
  /** Absent = empty. */
  readonly subject?: NameParts
  readonly notBeforeMs: number
  readonly notAfterMs: number
  readonly publicKey: Buffer
  readonly extensions: readonly Extension[]
}

/** Stored before the signature is made (SEC-025); a failure here means that nothing is signed. */
export type BeforeSign = (tbs: Buffer) => Promise<void>

/** Builds and signs; the library calls our signer where it would call WebCrypto. */
export async function signCertificate(plan: CertificatePlan, signer: Signer, beforeSign?: BeforeSign): Promise<Buffer> {
  const x509 = await library()
  const subtle = { sign: async (_algorithm: unknown, _key: unknown, tbs: ArrayBuffer) => {
    const data = Buffer.from(tbs)
    await beforeSign?.(data)
    return signer.sign(data)
  } }
  const algorithm = signer.algorithm === 'rsa-sha256' ? { name: 'RSASSA-PKCS1-v1_5' } : { name: 'ECDSA', namedCurve: 'P-256' }
  const subject = plan.subject?.map((part) => Object.fromEntries(Object.entries(part).map(([k, v]) => [k, [...v]])))
  const issuer = plan.issuer ? new x509.Name(plan.issuer) : subject
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: plan.serial,
    notBefore: new Date(plan.notBeforeMs), notAfter: new Date(plan.notAfterMs),
    publicKey: plan.publicKey,
    signingKey: { algorithm, type: 'private' } as LibraryKey,
    extensions: plan.extensions.map((e) => new x509.Extension(e.oid, e.critical, e.value)),
    ...(subject ? { subject } : {}), ...(issuer ? { issuer } : {}),
  }, { subtle } as unknown as Provider)
  return Buffer.from(made.rawData)
}
