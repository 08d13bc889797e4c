import { createCipheriv, createDecipheriv, createHmac, scryptSync, timingSafeEqual, createSecretKey, type KeyObject } from 'node:crypto'
import type { Ids } from '#core/port/ids.js'
import type { DocumentStore } from '#core/port/store/document.js'
import { isRefusal } from '#core/error.js'

/** The server's own secrets: token signing, keyed hashes of client secrets (REL-042), seal of what must be given back (OA-132). */
export interface Secrets {
  readonly tokenKey: KeyObject
  /** Keyed hash of a secret that a machine made; HMAC-SHA256, hex. */
  hash(secret: string): string
  /** Constant time; `stored` undefined costs the same and is false (OA-026). */
  matches(secret: string, stored: string | undefined): boolean
  seal(plain: string, ids: Ids): string
  open(sealed: string): string
}

const kind = 'vtn/secret'

/** Made once and kept in the database, so that tokens outlive a restart and hold on every process. */
export async function loadSecrets(documents: DocumentStore, tenant: string, ids: Ids, nowMs: number, sealKey?: string): Promise<Secrets> {
  const made = { token: ids.hex(32), hash: ids.hex(32), seal: ids.hex(32) }
  let stored = await documents.get<typeof made>(tenant, kind, 'vtn')
  if (!stored) {
    try {
      stored = await documents.insert({ tenant, kind, id: 'vtn', parent: '', key: 'vtn', body: made }, nowMs)
    } catch (error) {
      // Another process was faster: its secrets count.
      if (!isRefusal(error)) throw error
      stored = await documents.get<typeof made>(tenant, kind, 'vtn')
    }
  }
  if (!stored) throw new Error('the VTN found no secrets and could not store its own')
  return secretsOf(stored.body.token, stored.body.hash, sealKey ?? stored.body.seal)
}

export function secretsOf(tokenHex: string, hashHex: string, sealHex: string): Secrets {
  const hashKey = Buffer.from(hashHex, 'hex'), sealKey = Buffer.from(sealHex, 'hex')
  const hash = (secret: string): string => createHmac('sha256', hashKey).update(secret).digest('hex')
  const dummy = hash('nobody')
  return {
    tokenKey: createSecretKey(tokenHex, 'hex'),
    hash,
    matches(secret, stored) {
      if (stored?.startsWith('scrypt$')) return scryptMatches(secret, stored)
      const same = timingSafeEqual(Buffer.from(hash(secret)), Buffer.from(stored ?? dummy))
      return same && stored !== undefined
    },
    seal(plain, ids) {
      const iv = Buffer.from(ids.hex(12), 'hex')
      const cipher = createCipheriv('aes-256-gcm', sealKey, iv)
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return `sealed:${Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64')}`
    },
    open(sealed) {
      if (!sealed.startsWith('sealed:')) return sealed
      const raw = Buffer.from(sealed.slice(7), 'base64')
      const decipher = createDecipheriv('aes-256-gcm', sealKey, raw.subarray(0, 12))
      decipher.setAuthTag(raw.subarray(12, 28))
      return Buffer.concat([decipher.update(raw.subarray(28)), decipher.final()]).toString('utf8')
    },
  }
}

/** A secret that a person chose: `scrypt$N$saltHex$hashHex`. */
export const scryptHash = (secret: string, saltHex: string, n = 16384): string =>
  `scrypt$${n}$${saltHex}$${scryptSync(secret, Buffer.from(saltHex, 'hex'), 32, { N: n }).toString('hex')}`

function scryptMatches(secret: string, stored: string): boolean {
  const [, n, salt, hash] = stored.split('$')
  const given = scryptSync(secret, Buffer.from(salt ?? '', 'hex'), 32, { N: Number(n) })
  const wanted = Buffer.from(hash ?? '', 'hex')
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
