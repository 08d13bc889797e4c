import type { Clock } from '#core/port/clock.js'
import { LRUCache } from 'lru-cache'

export interface RateLimit {
  allows(lfdi: string): boolean
}

/** One bucket per LFDI that fills `perSecond` and holds `burst` (SEP-046); as many clients are remembered as may be connected. */
export function makeRateLimit(clock: Pick<Clock, 'nowMs'>, limit: { perSecond: number; burst: number } | null): RateLimit {
  if (limit === null) return { allows: () => true }
  const buckets = new LRUCache<string, { level: number; at: number }>({ max: 200_000 })
  return {
    allows(lfdi) {
      const now = clock.nowMs()
      const bucket = buckets.get(lfdi) ?? { level: limit.burst, at: now }
      bucket.level = Math.min(limit.burst, bucket.level + (Math.max(0, now - bucket.at) / 1000) * limit.perSecond)
      bucket.at = now
      buckets.set(lfdi, bucket)
      if (bucket.level < 1) return false
      bucket.level -= 1
      return true
    },
  }
}
