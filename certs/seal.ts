import { createCipheriv, createDecipheriv, createHmac, randomBytes, scryptSync } from 'node:crypto'
import { Refusal } from '#core/error.js'

/**
 * Private keys at rest (SEC-026): AES-256-GCM, one random nonce a file, the file's name as additional data so that
 * sealed files cannot be swapped for one another.
 */
export interface Seal {
  seal(name: string, plain: string): string
  /** Throws `unavailable` when the key is another one or the file was changed. */
  open(name: string, sealed: string): string
}

const header = 'LOADSTONE-SEALED-1'

/** `secret`: 32 bytes as hex or base64, or a passphrase (stretched with scrypt, for which `salt` is kept beside the files). */
export function sealFrom(secret: string | Uint8Array, salt = 'loadstone'): Seal {
  const key = keyOf(secret, salt)
  return {
    seal(name, plain) {
      const nonce = randomBytes(12), cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name))
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return `${header}\n${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64')}\n`
    },
    open(name, sealed) {
      const [head, text = ''] = sealed.split('\n')
      const bytes = Buffer.from(text, 'base64')
      if (head !== header || bytes.length < 28) throw new Refusal('unavailable', `${name} is not a sealed file`)
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12)).setAAD(Buffer.from(name)).setAuthTag(bytes.subarray(12, 28))
      try {
        return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')
      } catch (cause) {
        throw new Refusal('unavailable', `${name} cannot be opened: another key sealed it, or it was changed`, { cause })
      }
    },
  }
}

function keyOf(secret: string | Uint8Array, salt: string): Buffer {
  if (typeof secret !== 'string') {
    if (secret.length !== 32) throw new Refusal('invalid', 'a sealing key has 32 bytes')
    return Buffer.from(secret)
  }
  if (/^[0-9a-f]{64}$/i.test(secret)) return Buffer.from(secret, 'hex')
  if (/^[A-Za-z0-9+/]{43}=$/.test(secret)) return Buffer.from(secret, 'base64')
  if (secret.length < 12) throw new Refusal('invalid', 'a sealing passphrase has at least 12 characters')
  return scryptSync(secret, salt, 32, { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 2 ** 20 })
}

/** What is kept of a one-time secret: 128 random bits need no stretching, a keyed hash is enough (SEC-024). */
export const secretDigest = (secret: string): string => createHmac('sha256', 'loadstone/est-secret').update(secret).digest('hex')
