import { Refusal } from '#core/error.js'
import { Exact } from '#core/quantity/money.js'
import { byteOrder } from '#core/quantity/order.js'
import type { Instant } from '#core/quantity/interval.js'
import type { W } from '#core/quantity/power.js'
import type { Caps } from '#core/dispatch/caps.js'

/** One resource as allocation sees it: magnitudes in the asked direction. */
export interface Candidate {
  readonly id: string
  /** Available (P50) power in the asked direction. */
  readonly avail_W: W
  /** Cost per kWh as a decimal text (CORE-007); "0" when absent. */
  readonly cost?: string | undefined
  /** Grid nodes above the resource, in any order (CORE-068). */
  readonly path?: readonly string[] | undefined
  /** Smallest block that it can do (semi-continuous); 0 = any. */
  readonly min_W?: W | undefined
  /** Dispatches this season: fairness tie-break and rotation order. */
  readonly dispatches?: number | undefined
  readonly lastDispatchAt?: Instant | undefined
  /** Rotation group (CORE-064); a resource without one takes turns alone. */
  readonly group?: string | undefined
  /** Response rate 0..1 (CORE-036). */
  readonly p?: number | undefined
  /** Connection behind which the customer has an order of his own (CORE-074), and the place in it: lower first. */
  readonly point?: string | undefined
  readonly preference?: number | undefined
}

/** What kept the order from being met, by name (CORE-067). */
export type BindingConstraint =
  | { readonly kind: 'availability'; readonly available_W: W }
  | { readonly kind: 'cap'; readonly node: string; readonly limit_W: W }
  | { readonly kind: 'minBlock'; readonly id: string; readonly min_W: W }
  | { readonly kind: 'response'; readonly lower_W: number }
  | { readonly kind: 'energy'; readonly id: string; readonly limit_Wh: number }
  | { readonly kind: 'ramp'; readonly id: string; readonly limit_W: W }

export interface Allocation {
  readonly mode: 'merit' | 'proportional' | 'rotation' | 'optimal'
  readonly solver: 'greedy' | 'water-filling' | 'highs'
  readonly allocation: ReadonlyMap<string, W>
  readonly allocated_W: W
  readonly shortfall_W: W
  readonly bindingConstraints: readonly BindingConstraint[]
  readonly skipped: readonly { readonly id: string; readonly reason: 'CAP' | 'MIN_BLOCK' | 'NO_AVAILABILITY' }[]
}

/** Every whole number that allocation works on, checked once at its door. */
export function checkOrder(target_W: W, caps: Caps, candidates: readonly Candidate[]): void {
  const whole = (value: number, what: string): void => {
    if (!Number.isSafeInteger(value) || value < 0) throw new Refusal('invalid', `${what} must be whole watts >= 0, got ${value}`)
  }
  whole(target_W, 'target_W')
  for (const [node, cap] of Object.entries(caps)) whole(cap, `the cap of '${node}'`)
  const seen = new Set<string>()
  for (const c of candidates) {
    whole(c.avail_W, `avail_W of '${c.id}'`)
    if (c.min_W !== undefined) whole(c.min_W, `min_W of '${c.id}'`)
    if (seen.has(c.id)) throw new Refusal('invalid', `'${c.id}' appears twice among the candidates`)
    seen.add(c.id)
  }
}

/** Exact order of two decimal texts: floats decide when they differ, decimals when they do not. */
export function costOrder(a: string, b: string): number {
  if (a === b) return 0
  return Number(a) - Number(b) || new Exact(a).comparedTo(new Exact(b))
}

/** Merit order (CORE-062): cost, dispatches this season, id. */
export const meritOrder = (a: Candidate, b: Candidate): number =>
  costOrder(a.cost ?? '0', b.cost ?? '0') || (a.dispatches ?? 0) - (b.dispatches ?? 0) || byteOrder(a.id, b.id)

/**
 * CORE-074: the customer's own order among the devices of one connection. Interpretation: the places that a connection has in the order
 * of the mode stay, and its devices take them by preference, so that no other customer gains or loses a place; a device without one comes last.
 */
export function preferred(ordered: readonly Candidate[]): readonly Candidate[] {
  const points = new Map<string, number[]>()
  for (const c of ordered) if (c.point !== undefined && c.preference !== undefined) points.set(c.point, [])
  if (points.size === 0) return ordered
  ordered.forEach((c, i) => { if (c.point !== undefined) points.get(c.point)?.push(i) })
  const out = [...ordered], rank = (i: number): number => ordered[i]!.preference ?? Infinity
  for (const places of points.values()) {
    // a stable sort: equal preferences stay in the order of the mode
    const wished = places.toSorted((a, b) => (rank(a) === rank(b) ? a - b : rank(a) - rank(b)))
    places.forEach((place, k) => { out[place] = ordered[wished[k]!]! })
  }
  return out
}
