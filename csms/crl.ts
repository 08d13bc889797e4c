import { LRUCache } from 'lru-cache'
import { readCrl, type CertificateView, type CheckedCrl } from '#certs/index.js'
import type { Clock } from '#core/port/clock.js'
import { atMost } from './at-most.js'

/** A GET of a revocation list past the guard against addresses that are none of a station's business (SEC-060). */
export type CrlFetch = (url: string) => Promise<Buffer>

export interface Crls {
  /** The list at a URL, signed by that issuer and current; from memory until its nextUpdate; undefined when there is none in 10 s. */
  read(url: string, issuer: CertificateView): Promise<CheckedCrl | undefined>
}

const patience_ms = 10_000
/** Serial numbers in memory, of all lists together: some 50 MB. */
const mostKept = 500_000

export function crls({ fetch, clock }: { fetch: CrlFetch | undefined; clock: Clock }): Crls {
  const known = new LRUCache<string, CheckedCrl>({ max: 200, maxSize: mostKept, sizeCalculation: ({ revoked }) => revoked.size + 1 }), under = new Map<string, Promise<CheckedCrl>>()
  /** A fleet that asks for one list has it fetched once. */
  function fetched(key: string, url: string, issuer: CertificateView, get: CrlFetch): Promise<CheckedCrl> {
    const before = under.get(key)
    if (before) return before
    const work = (async () => readCrl(await get(url), issuer.raw, clock.nowMs()))().finally(() => under.delete(key))
    under.set(key, work)
    return work
  }
  return {
    async read(url, issuer) {
      if (!fetch || !/^https?:\/\//i.test(url)) return undefined
      const key = `${issuer.raw.toString('base64')} ${url}`, before = known.get(key)
      if (before && before.nextUpdateMs > clock.nowMs()) return before
      // What another signed, what is not current or cannot be read is no list (SEC-008).
      const found = await atMost(clock, patience_ms, fetched(key, url, issuer, fetch))
      if (found) known.set(key, found)
      return found
    },
  }
}
