import { createECDH } from 'node:crypto'
import { publicKeyOf } from '#certs/x509/certificate.js'
import type { KeyView } from '#certs/x509/certificate.js'

/**
 * Keys whose private half anybody can find (SEC-021). Not here: the lists of Debian's 2008 generator, which are
 * megabytes and concern RSA and DSA keys of machines that are long gone; RSA keys reach only the OCPP door.
 */
export function guessableKey(key: KeyView): string | undefined {
  const publicKey = publicKeyOf(key)
  if (publicKey.asymmetricKeyType === 'ec') return smallPoints().has(key.spki.subarray(-64).toString('hex')) ? 'its private key is a small number' : undefined
  if (publicKey.asymmetricKeyType !== 'rsa') return undefined
  const modulus = BigInt(`0x${Buffer.from(publicKey.export({ format: 'jwk' }).n ?? '', 'base64url').toString('hex')}`)
  if (rocaShaped(modulus)) return 'its primes have the ROCA structure (CVE-2017-15361)'
  return closePrimes(modulus) ? 'its primes are close together' : undefined
}

let points: Set<string> | undefined
/** P-256 points of private keys 1 … 64 and of the order minus these (same x, so x and y of both). */
function smallPoints(): Set<string> {
  if (points) return points
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  points = new Set()
  for (let d = 1n; d <= 64n; d++) for (const scalar of [d, order - d]) {
    const ecdh = createECDH('prime256v1')
    ecdh.setPrivateKey(scalar.toString(16).padStart(64, '0'), 'hex')
    points.add(ecdh.getPublicKey('hex').slice(2))
  }
  return points
}

/** Nemec et al. 2017: modulo each of these primes such a modulus lies in the group that 65537 generates. */
function rocaShaped(modulus: bigint): boolean {
  return [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157].every((prime) => {
    const rest = Number(modulus % BigInt(prime))
    for (let power = 1, i = 0; i < prime; i++, power = (power * 65537) % prime) if (power === rest) return true
    return false
  })
}

/** Fermat's method, a hundred steps: finds primes that differ by little. */
function closePrimes(modulus: bigint): boolean {
  let a = root(modulus)
  if (a * a < modulus) a += 1n
  for (let i = 0; i < 100; i++, a += 1n) {
    const square = a * a - modulus, b = root(square)
    if (b * b === square) return true
  }
  return false
}

function root(n: bigint): bigint {
  if (n < 2n) return n
  let x = 1n << BigInt(Math.ceil(n.toString(2).length / 2))
  for (;;) {
    const y = (x + n / x) >> 1n
    if (y >= x) return x
    x = y
  }
}
