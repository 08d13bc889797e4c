import { fromMinor, type Money } from '#core/quantity/money.js'
import { byteOrder } from '#core/quantity/order.js'
import { exactMinor } from '#core/settlement/split.js'

export interface Delta {
  readonly party: string
  readonly total: Money
  readonly issuedBefore: Money
  readonly delta: Money
}

/**
 * CORE-187: what a re-run's statements show, by party: the new total and the delta to what was issued before. A party that
 * fell out of the run gets its amount back. CORE-188: parties without a difference are not listed, and an empty list issues nothing.
 */
export function rerunDeltas(currency: string, issued: Readonly<Record<string, Money>>, now: Readonly<Record<string, Money>>): Delta[] {
  const parties = [...new Set([...Object.keys(issued), ...Object.keys(now)])].sort(byteOrder), out: Delta[] = []
  for (const party of parties) {
    const before = exactMinor(Object.hasOwn(issued, party) ? issued[party]! : '0', currency), total = exactMinor(Object.hasOwn(now, party) ? now[party]! : '0', currency)
    if (before === total) continue
    out.push({ party, total: fromMinor(total, currency), issuedBefore: fromMinor(before, currency), delta: fromMinor(total - before, currency) })
  }
  return out
}
