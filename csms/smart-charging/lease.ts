import { fnv } from '#csms/fnv.js'
import type { Ceiling } from './profile.js'

/** OCPP-246: longer events are told in pieces of at most two hours ahead, so that a lost server ends control by itself. */
const long_s = 6 * 3600, ahead_s = 2 * 3600, renew_s = 1800

export interface Lease {
  readonly ceilings: readonly Ceiling[]
  /** End of what is told now, epoch seconds. */
  readonly until: number
  readonly renewAt: number
}

/** The part of an order to tell now, or undefined when it is short enough to be told whole. Pure. */
export function leaseOf(order: { readonly start: number; readonly end: number; readonly emergency?: boolean }, ceilings: readonly Ceiling[], now: number): Lease | undefined {
  const from = Math.max(now, order.start), until = from + ahead_s
  // OCPP-247: an emergency holds as long as it was ordered; it too ends by itself.
  if (order.emergency === true || order.end - order.start <= long_s || until >= order.end) return undefined
  const first = ceilings[0]
  const told = ceilings.filter((c) => c.start < until).map((c) => ({ ...c, end: Math.min(c.end, until) }))
  return { ceilings: told.length > 0 || !first ? told : [first], until, renewAt: from + renew_s }
}

/**
 * CORE-101, OCPP-234: where a protocol cannot randomize, our stagger does, once: the same station and order always get the same
 * offset. 2.0.1 and 1.6 have no randomizedDelay. Interpretation: 2.1 stations are staggered alike, so that a fleet of mixed
 * versions spreads evenly; randomizedDelay is then never set. Only the start moves: an order never lasts longer than it was given.
 */
export function staggered(order: { readonly id: string; readonly randomize_s: number }, station: string, ceilings: readonly Ceiling[]): Ceiling[] {
  const first = ceilings[0]
  if (!first || order.randomize_s <= 0) return [...ceilings]
  let h = fnv(order.id, '\0', station)
  h = Math.imul(h ^ (h >>> 16), 0x45d9f3b)
  const start = first.start + ((h ^ (h >>> 15)) >>> 0) % (order.randomize_s + 1)
  const later = ceilings.filter((c) => c.end > start).map((c) => ({ ...c, start: Math.max(c.start, start) }))
  return later.length > 0 ? later : [...ceilings]
}
