import { LRUCache } from 'lru-cache'
import { Refusal } from '#core/error.js'
import type { Clock } from '#core/port/clock.js'

/** OA-031, SEC-065: counted by who asks, whatever the address, the route or the number of tokens. */
export interface RateLimit {
  count(subject: string): void
}

export function rateLimit(perMinute: number | undefined, machineClock: Clock): RateLimit {
  if (!perMinute) return { count() {} }
  const minute = 60_000
  const seen = new LRUCache<string, { from: number; count: number }>({ max: 50_000 })
  return {
    count(subject) {
      const now = machineClock.nowMs()
      const entry = seen.get(subject)
      if (!entry || now - entry.from >= minute) return void seen.set(subject, { from: now, count: 1 })
      entry.count += 1
      if (entry.count > perMinute) throw new Refusal('rateLimited', 'too many requests from this client; try again later')
    },
  }
}
