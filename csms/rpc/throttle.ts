import { LRUCache } from 'lru-cache'

interface Count {
  failures: number
  since: number
  blockedUntil: number
  blocks: number
}

/**
 * Failed handshakes per key (OCPP-012, SEC-003): past the limit a key is blocked for a minute, twice as long each time, at most
 * a quarter of an hour. Keys are bounded in number, so a flood of names costs no memory. Machine time in milliseconds.
 */
export class Throttle {
  readonly #counts = new LRUCache<string, Count>({ max: 50_000 })
  readonly #limit: number
  readonly #windowMs: number
  readonly #now: () => number

  constructor(limit: number, windowMs = 60_000, now: () => number = () => performance.now()) {
    this.#limit = limit
    this.#windowMs = windowMs
    this.#now = now
  }

  /** Seconds until the key may try again, or undefined. */
  blocked(key: string): number | undefined {
    const left = (this.#counts.get(key)?.blockedUntil ?? 0) - this.#now()
    return left > 0 ? Math.ceil(left / 1000) : undefined
  }

  failed(key: string): void {
    const now = this.#now()
    const count = this.#counts.get(key) ?? { failures: 0, since: now, blockedUntil: 0, blocks: 0 }
    if (now - count.since > this.#windowMs) {
      if (now - count.since > 15 * this.#windowMs) count.blocks = 0
      count.failures = 0
      count.since = now
    }
    count.failures += 1
    if (count.failures >= this.#limit) {
      count.blockedUntil = now + Math.min(this.#windowMs * 2 ** count.blocks, 15 * this.#windowMs)
      count.blocks += 1
      count.failures = 0
    }
    this.#counts.set(key, count)
  }

  succeeded(key: string): void {
    this.#counts.delete(key)
  }
}
