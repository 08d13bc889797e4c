import type { Clock } from '#core/port/clock.js'
import { LRUCache } from 'lru-cache'

export interface RateLimit {
  allows(lfdi: string): boolean
}

/** An aggregator of so many devices or more asks no faster: with the usual limit that is two thousand a second. */
const mostShares = 100
/** How many devices a client manages is looked up again after this long. */
const lookAgain_ms = 60_000

interface Bucket { level: number; at: number; shares: number; lookedAt: number }

/**
 * One bucket per LFDI that fills `perSecond` and holds `burst`, for an aggregator both times the devices that it manages, capped (SEP-046); as many clients are
 * remembered as may be connected. The count is looked up when half a burst is spent: who polls quietly costs no query, and nobody waits for it.
 */
export function makeRateLimit(clock: Pick<Clock, 'nowMs'>, limit: { perSecond: number; burst: number } | null, managed: (lfdi: string) => Promise<number> = async () => 0): RateLimit {
  if (limit === null) return { allows: () => true }
  const buckets = new LRUCache<string, Bucket>({ max: 200_000 })
  function look(lfdi: string, bucket: Bucket, now: number): void {
    bucket.lookedAt = now
    managed(lfdi).then((devices) => {
      const shares = Math.min(mostShares, Math.max(1, devices))
      // what it has spent stays spent
      bucket.level = Math.max(0, bucket.level + limit!.burst * (shares - bucket.shares))
      bucket.shares = shares
    }, () => { /* the database is away: as it was */ })
  }
  return {
    allows(lfdi) {
      const now = clock.nowMs()
      let bucket = buckets.get(lfdi)
      if (!bucket) buckets.set(lfdi, bucket = { level: limit.burst, at: now, shares: 1, lookedAt: -Infinity })
      const { shares } = bucket
      bucket.level = Math.min(limit.burst * shares, bucket.level + (Math.max(0, now - bucket.at) / 1000) * limit.perSecond * shares)
      bucket.at = now
      if (bucket.level < (limit.burst * shares) / 2 && now - bucket.lookedAt >= lookAgain_ms) look(lfdi, bucket, now)
      if (bucket.level < 1) return false
      bucket.level -= 1
      return true
    },
  }
}
