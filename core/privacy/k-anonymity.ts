import { byteOrder } from '#core/quantity/order.js'

export interface Release {
  readonly primarySuppressed: readonly string[]
  readonly secondarySuppressed: readonly string[]
  readonly published: Readonly<Record<string, number>>
  readonly total: number | null
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

/** CORE-221: fewer than k members, or one member above maxShare of the sum of absolute values. */
export function tooRevealing(values: readonly number[], k: number, maxShare: number): boolean {
  if (values.length < k) return true
  const sizes = values.map(Math.abs), whole = sum(sizes)
  // 0.3 of 2.0 is exactly 15 %, however binary fractions add up.
  return sizes.some((v) => v > maxShare * whole * (1 + 1e-12))
}

/**
 * CORE-221, the 15/15 rule with complementary suppression: when exactly one group is suppressed and the total is published,
 * the smallest other group (count, then name) goes too, or subtraction would give the first away. Without another group
 * the total itself is that group and stays back.
 */
export function release(groups: Readonly<Record<string, readonly number[]>>, rule: { k?: number; maxShare?: number; totalPublished: boolean }): Release {
  const names = Object.keys(groups).sort(byteOrder), { k = 15, maxShare = 0.15, totalPublished } = rule
  const primary = names.filter((name) => tooRevealing(groups[name]!, k, maxShare))
  const others = names.filter((name) => !primary.includes(name))
  const smallest = [...others].sort((a, b) => groups[a]!.length - groups[b]!.length || byteOrder(a, b))[0]
  const secondary = totalPublished && primary.length === 1 && smallest !== undefined ? [smallest] : []
  const published = Object.fromEntries(others.filter((n) => !secondary.includes(n)).map((n) => [n, sum(groups[n]!)]))
  const hidden = primary.length === 1 && secondary.length === 0
  return { primarySuppressed: primary, secondarySuppressed: secondary, published, total: totalPublished && !hidden ? sum(names.map((n) => sum(groups[n]!))) : null }
}

/** CORE-222: a query whose members differ from an earlier one by fewer than k would show those few by subtraction. */
export function differs(earlier: ReadonlySet<string>, now: ReadonlySet<string>, k = 15): 'same' | 'refused' | 'allowed' {
  let gap = 0
  for (const id of earlier) if (!now.has(id)) gap++
  for (const id of now) if (!earlier.has(id)) gap++
  return gap === 0 ? 'same' : gap < k ? 'refused' : 'allowed'
}
