import { Refusal } from '#core/error.js'
import { Exact, fromMinor, minorDigits, toMinor, type Minor, type Money } from '#core/quantity/money.js'
import { byteOrder } from '#core/quantity/order.js'
import type { Decimal } from 'decimal.js'

export interface Part {
  readonly id: string
  /** Any exact non-negative decimal; a negative one counts as 0. */
  readonly weight: Decimal.Value
}

const abs = (n: bigint): bigint => (n < 0n ? -n : n)

/** Weights as whole numbers of one common scale, so that the shares below are exact. */
function wholeWeights(parts: readonly Part[]): bigint[] {
  const exact = parts.map((p) => new Exact(p.weight))
  const bad = parts.find((_, i) => !exact[i]!.isFinite())
  if (bad) throw new Refusal('invalid', `the weight of '${bad.id}' is not a number`)
  const places = exact.reduce((most, w) => Math.max(most, w.decimalPlaces()), 0)
  return exact.map((w) => (w.isNegative() ? 0n : BigInt(w.times(new Exact(10).pow(places)).toFixed(0))))
}

/**
 * CORE-183: splits minor units (or Wh) by weight with largest remainder, ties by id; a negative amount is split by its
 * absolute value with the sign put back. The parts always sum to the whole.
 * Interpretation (CORE-183, silent on weights that are all 0): equal parts; nobody's money is lost.
 */
export function largestRemainder(amount: bigint, parts: readonly Part[]): Map<string, bigint> {
  if (parts.length === 0) {
    if (amount !== 0n) throw new Refusal('invalid', 'an amount cannot be split over nobody')
    return new Map()
  }
  const given = wholeWeights(parts), zero = given.every((w) => w === 0n)
  const weights = zero ? given.map(() => 1n) : given
  const sum = weights.reduce((a, b) => a + b, 0n), whole = abs(amount), sign = amount < 0n ? -1n : 1n
  const rows = parts.map((p, i) => ({ id: p.id, part: (whole * weights[i]!) / sum, rest: (whole * weights[i]!) % sum }))
  let left = whole - rows.reduce((a, r) => a + r.part, 0n)
  for (const r of [...rows].sort((a, b) => (b.rest > a.rest ? 1 : b.rest < a.rest ? -1 : byteOrder(a.id, b.id)))) {
    if (left === 0n) break
    r.part += 1n
    left -= 1n
  }
  const out = new Map(rows.sort((a, b) => byteOrder(a.id, b.id)).map((r) => [r.id, sign * r.part]))
  if (out.size !== parts.length) throw new Refusal('invalid', 'a participant appears twice in a split')
  return out
}

export interface Split {
  readonly customerPool: Money
  readonly aggregator: Money
  readonly payments: Readonly<Record<string, Money>>
  readonly sum: Money
}

/** CORE-183: pool = revenue × share half-up; the aggregator keeps the remainder, never rounded on its own; the pool goes by weight. */
export function splitRevenue(input: { revenue: Money; customerShare: string; currency: string; parts: readonly Part[] }): Split {
  const { revenue, customerShare, currency, parts } = input
  const share = new Exact(customerShare)
  if (share.lt(0) || share.gt(1)) throw new Refusal('invalid', `a customer share is between 0 and 1 (CORE-027), got ${customerShare}`)
  const whole = exactMinor(revenue, currency)
  // Without a participant there is nobody to hold a pool for.
  const pool = parts.length === 0 ? 0n : toMinor(new Exact(revenue).times(share), currency)
  const payments = largestRemainder(pool, parts)
  const text = (minor: Minor): Money => fromMinor(minor, currency)
  return {
    customerPool: text(pool), aggregator: text(whole - pool),
    payments: Object.fromEntries([...payments].map(([id, minor]) => [id, text(minor)])),
    sum: text([...payments.values()].reduce((a, b) => a + b, 0n)),
  }
}

/** Minor units of an amount that must already be whole ones: a split never rounds the whole. */
export function exactMinor(amount: Money, currency: string): Minor {
  const scaled = new Exact(amount).times(new Exact(10).pow(minorDigits(currency)))
  if (!scaled.isInteger()) throw new Refusal('invalid', `${amount} is not a whole number of minor units of ${currency}`)
  return BigInt(scaled.toFixed(0))
}

/** CORE-184: shares in the order the contract names; each takes its part of what is left, the last named party the remainder. */
export function sequentialShares(input: { revenue: Money; currency: string; shares: readonly { party: string; share: string }[]; remainderTo: string }): Record<string, Money> {
  const { revenue, currency, shares, remainderTo } = input
  let left = exactMinor(revenue, currency)
  const out: [string, Minor][] = []
  for (const { party, share } of shares) {
    const fraction = new Exact(share)
    if (fraction.lt(0) || fraction.gt(1)) throw new Refusal('invalid', `the share of '${party}' is between 0 and 1, got ${share}`)
    const part = toMinor(new Exact(fromMinor(left, currency)).times(fraction), currency)
    out.push([party, part])
    left -= part
  }
  out.push([remainderTo, left])
  const named = new Set(out.map(([party]) => party))
  if (named.size !== out.length) throw new Refusal('invalid', 'a party appears twice in a share rule')
  return Object.fromEntries(out.map(([party, minor]) => [party, fromMinor(minor, currency)]))
}
