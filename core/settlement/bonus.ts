import { Exact, fromMinor, toMinor, type Money } from '#core/quantity/money.js'

const places = (text: string): number => /\.(\d+)$/.exec(text)?.[1]?.length ?? 0

/** CORE-181: base rate, plus the bonus for all months from the one in which the season's n-th event falls. */
export function bonusByCount(input: {
  pledged_kW: string; pf: string; baseRate: string; bonus: string; threshold: number; eventsPerMonth: readonly (readonly [string, number])[]; currency: string
}): { months: { month: string; rate: string; payment: Money }[]; total: Money } {
  const raised = new Exact(input.baseRate).plus(input.bonus).toFixed(Math.max(places(input.baseRate), places(input.bonus)))
  let events = 0, total = 0n
  const months = input.eventsPerMonth.map(([month, n]) => {
    events += n
    const rate = events >= input.threshold ? raised : input.baseRate
    const payment = toMinor(new Exact(input.pledged_kW).times(input.pf).times(rate), input.currency)
    total += payment
    return { month, rate, payment: fromMinor(payment, input.currency) }
  })
  return { months, total: fromMinor(total, input.currency) }
}
