/**
 * Waits between attempts with decorrelated jitter: each is drawn between the base and three times the last one, and capped (REL-043).
 * A server's own `Retry-After` is a floor, jittered upwards so that a crowd told the same number does not come back as one.
 */
export interface Backoff {
  next(retryAfter_ms?: number): number
  reset(): void
}

export function backoff(random: () => number, options: { base_ms?: number; cap_ms?: number } = {}): Backoff {
  const base = options.base_ms ?? 1000, cap = options.cap_ms ?? 300_000
  let last = base
  return {
    next(retryAfter_ms = 0) {
      last = Math.min(cap, base + random() * (last * 3 - base))
      return retryAfter_ms > 0 ? retryAfter_ms + random() * Math.max(last, retryAfter_ms * 0.5) : last
    },
    reset: () => { last = base },
  }
}

/** `Retry-After` in either form; undefined when there is none that can be read. Dates count from the server's own `Date`. */
export function retryAfterMs(header: string | undefined, serverNow_ms: number): number | undefined {
  if (header === undefined) return undefined
  if (/^\d{1,9}$/.test(header.trim())) return Number(header.trim()) * 1000
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, at - serverNow_ms)
}
