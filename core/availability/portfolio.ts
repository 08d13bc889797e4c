import type { W } from '#core/quantity/power.js'

/** Normal 10 % quantile. */
const z10 = 1.281552

export interface Quantiles {
  readonly p10: number
  readonly p50: number
  readonly p90: number
}

/**
 * CORE-038: portfolio P50 = ΣP50; its P10 is mean - 1.281552 × sd with independent errors unless a correlation is given
 * (one for all pairs). Each member's sd is read back from its own P10 and P90.
 */
export function portfolioQuantiles(members: readonly Quantiles[], correlation = 0): Quantiles {
  let p50 = 0, squares = 0, sum = 0
  for (const m of members) {
    const sd = Math.max(0, m.p90 - m.p10) / (2 * z10)
    p50 += m.p50
    squares += sd * sd
    sum += sd
  }
  const sd = Math.sqrt((1 - correlation) * squares + correlation * sum * sum)
  return { p10: p50 - z10 * sd, p50, p90: p50 + z10 * sd }
}

/** CORE-036: posterior mean (s+1)/(n+2); devices without history use the value of their class. */
export const responseRate = (successes: number, calls: number): number => (successes + 1) / (calls + 2)

export function rateOf(own: { successes: number; calls: number } | undefined, ofClass: { successes: number; calls: number }): number {
  const known = own && own.calls > 0 ? own : ofClass
  return responseRate(known.successes, known.calls)
}

export interface Ask {
  readonly event: string
  readonly asked_W: W
}

/** CORE-035: one resource, one interval: promises in the order they were asked for, their sum never above availability. */
export function promise(available_W: W, asks: readonly Ask[]): { event: string; promised_W: W }[] {
  let left = available_W
  return asks.map(({ event, asked_W }) => {
    const promised_W = Math.max(0, Math.min(left, asked_W))
    left -= promised_W
    return { event, promised_W }
  })
}

/** CORE-030: the newest belief issued before the decision counts; a later one never overwrites what was decided. */
export function newestBelief<T extends { readonly issuedAt: number }>(beliefs: readonly T[], decisionAt: number): T | undefined {
  let best: T | undefined
  for (const b of beliefs) if (b.issuedAt <= decisionAt && (!best || b.issuedAt > best.issuedAt)) best = b
  return best
}

/** CORE-037: pinball loss of one quantile forecast; small is good. */
export const pinball = (quantile: number, forecast: number, actual: number): number =>
  actual >= forecast ? quantile * (actual - forecast) : (1 - quantile) * (forecast - actual)
