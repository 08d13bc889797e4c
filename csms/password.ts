import { createHmac, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { LRUCache } from 'lru-cache'
import type { Ids } from '#core/port/ids.js'

/**
 * How a station's password is kept (OCPP-023). One that we made has 128 random bits and more: a keyed hash suffices and lets ten
 * thousand stations come back at once (REL-042). One that a person chose gets scrypt.
 */
export type StoredPassword =
  | { readonly kind: 'keyed'; readonly hash: string }
  | { readonly kind: 'scrypt'; readonly salt: string; readonly hash: string }

const cost = { N: 16384, r: 8, p: 1 }
const scryptAsync = promisify<Buffer, Buffer, number, typeof cost, Buffer>(scrypt)
const stretch = (password: Buffer, salt: Buffer): Promise<Buffer> => scryptAsync(password, salt, 32, cost)

export interface Passwords {
  /** A fresh password: 32 characters, 160 bits cut to hex of 16 bytes (OCPP-035). */
  generate(): string
  store(identity: string, password: string, origin: 'machine' | 'human'): Promise<StoredPassword>
  /** True when the password is right; takes its time also when there is nothing to compare with. */
  verify(identity: string, stored: StoredPassword | undefined, candidate: Buffer): Promise<boolean>
}

export function passwords(key: Buffer, ids: Pick<Ids, 'hex'>): Passwords {
  const keyed = (identity: string, password: Buffer): Buffer => createHmac('sha256', key).update(identity).update('\0').update(password).digest()
  // What scrypt found right once is compared by keyed hash afterwards: a reconnect storm pays the stretching once.
  // By salt, as stations of two tenants may have one name.
  const proven = new LRUCache<string, Buffer>({ max: 100_000 })
  const noSalt = Buffer.alloc(16)
  return {
    generate: () => ids.hex(16),
    async store(identity, password, origin) {
      const bytes = Buffer.from(password, 'utf8')
      if (origin === 'machine') return { kind: 'keyed', hash: keyed(identity, bytes).toString('base64') }
      const salt = Buffer.from(ids.hex(16), 'hex')
      return { kind: 'scrypt', salt: salt.toString('base64'), hash: (await stretch(bytes, salt)).toString('base64') }
    },
    async verify(identity, stored, candidate) {
      const digest = keyed(identity, candidate)
      if (!stored || stored.kind === 'keyed') {
        if (stored && timingSafeEqual(digest, Buffer.from(stored.hash, 'base64'))) return true
        // SEC-001: whoever is refused has cost one stretching, whether there was anything to compare with or not.
        await stretch(candidate, noSalt)
        return false
      }
      const before = proven.get(stored.salt)
      if (before && timingSafeEqual(before, digest)) return true
      const right = timingSafeEqual(await stretch(candidate, Buffer.from(stored.salt, 'base64')), Buffer.from(stored.hash, 'base64'))
      if (right) proven.set(stored.salt, digest)
      return right
    },
  }
}
