import { createPublicKey, verify, type KeyObject } from 'node:crypto'
import type { SignedMeterValue } from './meter-signature.js'

/** OCMF signature algorithms on the curves that Node has; the others cannot be told. */
const hashes: Record<string, string> = { 'ECDSA-secp256r1-SHA256': 'sha256', 'ECDSA-secp384r1-SHA256': 'sha256', 'ECDSA-secp256k1-SHA256': 'sha256', 'ECDSA-brainpool256r1-SHA256': 'sha256' }

/** A key as stations give it: base64 or hexadecimal of an SPKI, perhaps behind `oca:base16:asn1:`. */
function keyOf(text: string): KeyObject | undefined {
  const bare = text.startsWith('oca:') ? text.slice(text.lastIndexOf(':') + 1) : text
  for (const encoding of ['hex', 'base64'] as const) {
    try {
      return createPublicKey({ key: Buffer.from(bare, encoding), format: 'der', type: 'spki' })
    } catch { /* the other encoding, then none */ }
  }
  return undefined
}

/** OCMF|payload|signature, the signature over the payload's very bytes. */
export function ocmf({ signedMeterData }: SignedMeterValue, knownKey: string | undefined): boolean | undefined {
  const [head, payload, block] = Buffer.from(signedMeterData, 'base64').toString('utf8').split('|')
  const key = knownKey === undefined ? undefined : keyOf(knownKey)
  if (head !== 'OCMF' || payload === undefined || block === undefined || !key) return undefined
  try {
    const { SA = 'ECDSA-secp256r1-SHA256', SE = 'hex', SD } = JSON.parse(block) as { SA?: string; SE?: string; SD?: string }
    const hash = hashes[SA]
    if (hash === undefined || SD === undefined) return undefined
    return verify(hash, Buffer.from(payload, 'utf8'), key, Buffer.from(SD, SE === 'base64' ? 'base64' : 'hex'))
  } catch {
    return false
  }
}
