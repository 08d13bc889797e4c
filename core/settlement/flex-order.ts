import { Exact, fromMinor, toMinor, type Money } from '#core/quantity/money.js'
import { Refusal } from '#core/error.js'

export interface FlexOrderRow {
  readonly delivered: number
  readonly deficiency: number
  readonly paid: Money
  readonly penalty: Money
  readonly net: Money
}

/**
 * CORE-182, per ISP: delivered = clamp(baseline - allocation, 0, ordered), deficiency = max(0, allocation - (baseline -
 * ordered)), single-sided. Interpretation: a negative order asks for more load and is settled by the mirrored rule.
 */
export function settleFlexOrder(input: {
  price: number | string; penalty: number | string; baseline: readonly number[]; ordered: readonly number[]; allocation: readonly number[]; currency: string
}): { rows: FlexOrderRow[]; total: Money } {
  const { baseline, ordered, allocation, currency } = input
  if (ordered.length !== baseline.length || allocation.length !== baseline.length) throw new Refusal('invalid', 'baseline, ordered and allocation need one value for each ISP')
  let total = 0n
  const rows = baseline.map((base, i) => {
    const sign = ordered[i]! < 0 ? -1 : 1, asked = new Exact(ordered[i]!).abs()
    const moved = new Exact(base).minus(allocation[i]!).times(sign)
    const delivered = Exact.max(0, Exact.min(moved, asked)), deficiency = Exact.max(0, asked.minus(moved))
    const paid = toMinor(delivered.times(input.price), currency), penalty = toMinor(deficiency.times(input.penalty), currency)
    total += paid - penalty
    return { delivered: delivered.toNumber(), deficiency: deficiency.toNumber(), paid: fromMinor(paid, currency), penalty: fromMinor(penalty, currency), net: fromMinor(paid - penalty, currency) }
  })
  return { rows, total: fromMinor(total, currency) }
}
