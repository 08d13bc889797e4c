import { createPrivateKey, createPublicKey, generateKeyPair, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

/**
 * What a certificate authority needs of its key. A file key implements it below; a PKCS#11 token implements the same
 * three members without the key ever leaving it (SEP-230).
 */
export interface Signer {
  readonly algorithm: 'ecdsa-p256-sha256' | 'rsa-sha256'
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer
  /** ECDSA: r and s side by side (IEEE P1363), as PKCS#11 answers; RSA: PKCS#1 v1.5. */
  sign(data: Uint8Array): Promise<Buffer>
}

export function keySigner(privateKey: KeyObject): Signer {
  const rsa = privateKey.asymmetricKeyType === 'rsa'
  const key = rsa ? { key: privateKey } : { key: privateKey, dsaEncoding: 'ieee-p1363' as const }
  return {
    algorithm: rsa ? 'rsa-sha256' : 'ecdsa-p256-sha256',
    publicKey: spkiOf(privateKey),
    sign: async (data) => sign('sha256', data, key),
  }
}

export const spkiOf = (privateKey: KeyObject): Buffer => createPublicKey(privateKey).export({ type: 'spki', format: 'der' })

/** P-256, the only curve of IEEE 2030.5 (SEP-002). */
export const newEcKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

/** Off the event loop: looking for primes takes a while. */
export const newRsaKey = async (bits = 2048): Promise<KeyObject> =>
  (await promisify(generateKeyPair)('rsa', { modulusLength: bits })).privateKey

export const keyPem = (privateKey: KeyObject): string => privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
export const keyFromPem = (pem: string): KeyObject => createPrivateKey(pem)
