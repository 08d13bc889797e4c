import { fromMinor, type Money } from '#core/quantity/money.js'
import { exactMinor } from '#core/settlement/split.js'

/** CORE-113, the program's `rules.optOut`: how many refusals a season are free, and what one beyond costs; no penalty, no price. */
export interface OptOutRule {
  readonly perSeason?: number
  readonly penalty?: Money
}

/** One event of the season and the points that refused it. */
export interface Refusals {
  readonly start: number
  readonly points: readonly { readonly id: string; readonly reason: string }[]
}

/** Refusals for safety or on medical grounds are never priced and never counted. Interpretation: the reason begins with either word. */
export const protectedReason = (reason: string): boolean => /^\s*(safety|medical)\b/i.test(reason)

/** How many refusals of each point fall into [from, to) and beyond the free ones of the season, counted in order of the events. */
export function priced(season: readonly Refusals[], rule: OptOutRule, from: number, to: number): Record<string, number> {
  const counted = new Map<string, number>(), out = new Map<string, number>()
  for (const e of [...season].sort((a, b) => a.start - b.start)) {
    for (const id of new Set(e.points.filter((p) => !protectedReason(p.reason)).map((p) => p.id))) {
      const n = (counted.get(id) ?? 0) + 1
      counted.set(id, n)
      if (n > (rule.perSeason ?? 0) && e.start >= from && e.start < to) out.set(id, (out.get(id) ?? 0) + 1)
    }
  }
  return Object.fromEntries([...out].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** What the counted refusals cost each point: count × penalty, exact. */
export function optOutCharges(counts: Readonly<Record<string, number>>, penalty: Money, currency: string): Record<string, Money> {
  const each = exactMinor(penalty, currency)
  return Object.fromEntries(Object.entries(counts).map(([id, n]) => [id, fromMinor(-each * BigInt(n), currency)]))
}
