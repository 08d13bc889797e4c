import type { Availability } from '#core/availability/availability.js'
import { portfolioQuantiles, type Quantiles } from '#core/availability/portfolio.js'
import type { Interval } from '#core/quantity/interval.js'

export interface PortfolioInterval extends Interval {
  readonly down: Quantiles
  readonly up: Quantiles
  /** Members with a belief for this interval, and all. */
  readonly believed: number
  readonly members: number
}

/**
 * CORE-038 over CORE-030: P50 is the sum; P10 and P90 by independent errors unless a correlation is given; cut where any belief changes.
 * A member without quantiles counts as certain. Interpretation: nobody is counted at his rating here, so a portfolio of which nothing is
 * believed has nothing.
 */
export function portfolioAvailability(beliefs: readonly Availability[], members: readonly string[], window: Interval, correlation = 0): PortfolioInterval[] {
  const wanted = new Set(members), known = beliefs.filter((b) => wanted.has(b.resource) && b.start < window.end && b.end > window.start)
  const edges = [...new Set([window.start, window.end, ...known.flatMap((b) => [b.start, b.end])])].filter((at) => at >= window.start && at <= window.end).sort((a, b) => a - b)
  return edges.slice(0, -1).map((start, i) => {
    const newest = new Map<string, Availability>()
    for (const b of known) if (b.start <= start && b.end > start && b.issuedAt >= (newest.get(b.resource)?.issuedAt ?? -Infinity)) newest.set(b.resource, b)
    const of = (direction: 'down' | 'up'): Quantiles => portfolioQuantiles([...newest.values()].map((b) => {
      const p50 = b[`${direction}_W`]
      return { p10: b[`${direction}_P10_W`] ?? p50, p50, p90: b[`${direction}_P90_W`] ?? p50 }
    }), correlation)
    return { start, end: edges[i + 1]!, down: of('down'), up: of('up'), believed: newest.size, members: wanted.size }
  })
}
