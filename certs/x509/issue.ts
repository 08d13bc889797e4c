import { webcrypto } from 'node:crypto'
import type { Signer } from '#certs/x509/signer.js'
import type { Extension } from '#certs/x509/certificate.js'
import { bitString, explicit, integer, nul, oid, sequence, time } from '#certs/x509/der.js'
import { extensionDer } from '#certs/x509/extensions.js'
import { Oid } from '#certs/x509/oid.js'

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

/**
 * The bytes that will be signed. The library signs as it builds, so it is handed a hand that takes the bytes down and
 * signs nothing: what is to be signed can be stored first (SEC-025), and a key in a token needs no WebCrypto (SEP-230).
 */
export async function builtByLibrary(plan: CertificatePlan, algorithm: Signer['algorithm']): Promise<Buffer> {
  const x509 = await library()
  const taken = new Taken()
  const rsa = algorithm === 'rsa-sha256'
  const subtle = { sign: async (_algorithm: unknown, _key: unknown, tbs: ArrayBuffer) => {
    taken.bytes = Buffer.from(tbs)
    throw taken
  } }
  const subject = plan.subject?.map((part) => Object.fromEntries(Object.entries(part).map(([k, v]) => [k, [...v]])))
  const issuer = plan.issuer ? new x509.Name(plan.issuer) : subject
  const building = x509.X509CertificateGenerator.create({
    serialNumber: plan.serial,
    notBefore: new Date(plan.notBeforeMs), notAfter: new Date(plan.notAfterMs),
    publicKey: plan.publicKey,
    signingKey: { algorithm: rsa ? { name: 'RSASSA-PKCS1-v1_5' } : { name: 'ECDSA', namedCurve: 'P-256' }, type: 'private' } as LibraryKey,
    extensions: plan.extensions.map((e) => new x509.Extension(e.oid, e.critical, e.value)),
    ...(subject ? { subject } : {}), ...(issuer ? { issuer } : {}),
  }, { subtle } as unknown as Provider)
  await building.catch((error: unknown) => { if (error !== taken) throw error })
  return taken.bytes
}

/** Ends the building once the bytes are taken: what would follow (encoding a whole certificate, reading it back) is half the cost. */
class Taken {
  bytes = Buffer.alloc(0)
}

/**
 * The same bytes for a certificate without a Subject: devices are made by the ten thousand, and writing them straight is
 * twenty times as fast. A test holds the two equal, byte for byte.
 */
export const writtenStraight = (plan: CertificatePlan & { readonly issuer: Buffer }, algorithm: Signer['algorithm']): Buffer => sequence(
  explicit(0, integer(2)), integer(Buffer.from(plan.serial, 'hex')), algorithmIdentifier(algorithm), plan.issuer,
  sequence(time(plan.notBeforeMs), time(plan.notAfterMs)), sequence(), plan.publicKey, explicit(3, sequence(...plan.extensions.map(extensionDer))),
)

export const toBeSigned = async (plan: CertificatePlan, algorithm: Signer['algorithm']): Promise<Buffer> =>
  plan.subject || !plan.issuer ? builtByLibrary(plan, algorithm) : writtenStraight({ ...plan, issuer: plan.issuer }, algorithm)

/** SIGNED{…} of RFC 5280: the bytes, the algorithm, the signature; certificates, CRLs, requests and OCSP answers alike. */
export async function signed(tbs: Buffer, signer: Signer): Promise<Buffer> {
  const signature = await signer.sign(tbs)
  return sequence(tbs, algorithmIdentifier(signer.algorithm), bitString(signer.algorithm === 'rsa-sha256' ? signature : ecdsaValue(signature)))
}

export const algorithmIdentifier = (algorithm: Signer['algorithm']): Buffer =>
  algorithm === 'rsa-sha256' ? sequence(oid(Oid.sha256WithRSAEncryption), nul()) : sequence(oid(Oid.ecdsaWithSHA256))

/** RFC 3279 §2.2.3: SEQUENCE { r, s } from r and s side by side. */
const ecdsaValue = (pair: Buffer): Buffer => sequence(integer(pair.subarray(0, pair.length / 2)), integer(pair.subarray(pair.length / 2)))

export const signCertificate = async (plan: CertificatePlan, signer: Signer): Promise<Buffer> => signed(await toBeSigned(plan, signer.algorithm), signer)
