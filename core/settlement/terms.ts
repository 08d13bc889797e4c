import { Refusal } from '#core/error.js'
import { Exact, fromMinor, toMinor, type Minor, type Money } from '#core/quantity/money.js'
import type { Decimal } from 'decimal.js'

/** A price component of a program, by name (CORE-180). Prices, rates and shares are decimal texts. */
export type PriceRule =
  /** In a series `null` is an interval that the price feed did not deliver; `last` is the price settled last before it begins (CORE-206). */
  | { readonly kind: 'energy'; readonly name?: string; readonly price: string | readonly (string | null)[]; readonly last?: string }
  | { readonly kind: 'capacity'; readonly name?: string; readonly rate: string; readonly per: 'month' | 'day' }
  | { readonly kind: 'availability'; readonly name?: string; readonly rate: string }
  | { readonly kind: 'bonus'; readonly name?: string; readonly rate: string; readonly fromEvent: number }
  | { readonly kind: 'penalty'; readonly name?: string; readonly rate: string; readonly threshold?: string }
  | { readonly kind: 'fee'; readonly name?: string; readonly amount: string }
  | { readonly kind: 'tax'; readonly name?: string; readonly rate: string }

/** What one settlement period measured, as exact texts: what a line multiplies. */
export interface Facts {
  readonly paid_kWh: string
  /** Settled kWh by interval, for a price series. */
  readonly interval_kWh: readonly string[]
  readonly committed_kW?: string | undefined
  /** Accepted nomination of the period: what capacity is paid for; the commitment of its events where nothing was nominated. */
  readonly nominated_kW?: string | undefined
  readonly performanceFactor?: string | undefined
  readonly mean_kW?: string | undefined
  readonly days?: number | undefined
  /** Available power times hours offered. */
  readonly available_kWh?: string | undefined
  readonly seasonEvents?: number | undefined
}

/** One statement line: amount with the formula and the inputs that give it (CORE-180, CORE-191). */
export interface Line {
  readonly name: string
  readonly kind: PriceRule['kind']
  readonly formula: string
  readonly inputs: Readonly<Record<string, string>>
  readonly amount: Money
}

function need(value: string | undefined, what: string, rule: PriceRule): string {
  if (value === undefined) throw new Refusal('invalid', `the ${rule.kind} rule needs ${what}`)
  return value
}

/** Formula, inputs and unrounded amount of a rule; `net` is the sum of the lines before tax. */
function evaluate(rule: PriceRule, f: Facts, net: Minor, currency: string): { formula: string; inputs: Record<string, string>; value: Decimal } {
  switch (rule.kind) {
    case 'energy': {
      if (typeof rule.price === 'string') return product('kWh × price', { kWh: f.paid_kWh, price: rule.price })
      return series(rule.price, rule.last, f)
    }
    case 'capacity': {
      const inputs = { kW: need(f.nominated_kW ?? f.committed_kW, 'committed_kW', rule), PF: f.performanceFactor ?? '1', rate: rule.rate }
      return rule.per === 'month' ? product('kW × PF × rate per month', inputs) : product('kW × PF × rate per day × days', { ...inputs, days: String(f.days ?? 1) })
    }
    case 'availability': return product('available kWh × rate', { kWh: need(f.available_kWh, 'available_kWh', rule), rate: rule.rate })
    // CORE-181: from the month in which the season's n-th event falls.
    case 'bonus': {
      const reached = (f.seasonEvents ?? 0) >= rule.fromEvent
      const base = product('kW × PF × bonus, from the n-th event of the season', { kW: need(f.nominated_kW ?? f.committed_kW, 'committed_kW', rule), PF: f.performanceFactor ?? '1', bonus: rule.rate })
      return { ...base, inputs: { ...base.inputs, events: String(f.seasonEvents ?? 0), n: String(rule.fromEvent) }, value: reached ? base.value : new Exact(0) }
    }
    case 'penalty': return penalty(rule, need(f.committed_kW, 'committed_kW', rule), need(f.mean_kW, 'mean_kW', rule))
    case 'fee': return { formula: '- fee', inputs: { fee: rule.amount }, value: new Exact(rule.amount).negated() }
    case 'tax': return product('net × rate', { net: fromMinor(net, currency), rate: rule.rate })
  }
}

function product(formula: string, inputs: Record<string, string>): { formula: string; inputs: Record<string, string>; value: Decimal } {
  return { formula, inputs, value: Object.values(inputs).reduce<Decimal>((p, v) => p.times(v), new Exact(1)) }
}

/**
 * Interpretation (CORE-172 with a price series): when floor or cap pay less than was measured, every interval is paid in
 * the same proportion.
 */
function series(given: readonly (string | null)[], last: string | undefined, f: Facts): { formula: string; inputs: Record<string, string>; value: Decimal } {
  // CORE-206: while the feed was out the price settled last stands, and the line says how often
  let settled = last, carried = 0
  const prices = given.map((p, i) => {
    if (p === null) carried++
    else settled = p
    if (settled === undefined) throw new Refusal('invalid', `interval ${i + 1} has no price, and none was settled before it`)
    return settled
  })
  if (prices.length !== f.interval_kWh.length) throw new Refusal('invalid', `${prices.length} interval prices for ${f.interval_kWh.length} intervals`)
  const total = f.interval_kWh.reduce<Decimal>((s, kWh) => s.plus(kWh), new Exact(0)), paid = new Exact(f.paid_kWh)
  const gross = prices.reduce<Decimal>((s, p, i) => s.plus(new Exact(p).times(f.interval_kWh[i]!)), new Exact(0))
  const inputs = { kWh: f.interval_kWh.join(' '), price: prices.join(' '), paid: f.paid_kWh, measured: total.toString(), ...(carried > 0 ? { flag: 'PRICE_CARRIED', carried: String(carried) } : {}) }
  return { formula: 'Σ(kWh × price) × paid / measured', inputs, value: total.lte(0) ? new Exact(0) : gross.times(paid).div(total) }
}

/** CORE-180: shortfall kW × rate, charged below a threshold share of the commitment (default: any shortfall). */
function penalty(rule: Extract<PriceRule, { kind: 'penalty' }>, committed: string, mean: string) {
  const pledge = new Exact(committed), shortfall = Exact.max(0, pledge.minus(mean))
  const below = new Exact(mean).lt(pledge.times(rule.threshold ?? '1'))
  const inputs = { shortfall_kW: shortfall.toString(), rate: rule.rate, threshold: rule.threshold ?? '1', committed_kW: committed, mean_kW: mean }
  return { formula: '- shortfall kW × rate, below threshold × commitment', inputs, value: below ? shortfall.times(rule.rate).negated() : new Exact(0) }
}

/** One line per rule, each rounded half-up once (CORE-007); tax last and apart, on the net (CORE-185). */
export function statementLines(rules: readonly PriceRule[], facts: Facts, currency: string): { lines: Line[]; net: Minor; tax: Minor } {
  const lines: Line[] = []
  let net = 0n, tax = 0n
  for (const rule of [...rules.filter((r) => r.kind !== 'tax'), ...rules.filter((r) => r.kind === 'tax')]) {
    const { formula, inputs, value } = evaluate(rule, facts, net, currency), amount = toMinor(value, currency)
    lines.push({ name: rule.name ?? rule.kind, kind: rule.kind, formula, inputs, amount: fromMinor(amount, currency) })
    if (rule.kind === 'tax') tax += amount
    else net += amount
  }
  return { lines, net, tax }
}
