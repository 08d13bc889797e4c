import { lost } from '#core/dispatch/delivery-states.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import type { Allotment } from '#core/dispatch/dispatch.js'
import type { Interval } from '#core/quantity/interval.js'
import type { W } from '#core/quantity/power.js'

type Instructed = Pick<Delivery, 'order'>

export const shareOf = (d: Instructed): W => d.order.intervals[0]?.delta_W ?? 0

/** Deliveries that can be counted on. */
export const held = (deliveries: readonly Delivery[]): Delivery[] => deliveries.filter((d) => !lost.has(d.state))

const begunAt = ({ order }: Instructed, window: Interval, spread_s: number): number => (order.start <= window.start + spread_s ? Math.min(order.start, window.start) : order.start)

/** A stretch of time in which the same watts are instructed, as magnitude. */
export interface Stretch extends Interval {
  readonly have_W: W
}

/**
 * What is instructed over a window, stretch by stretch: instructions may begin late (CORE-071), end early or be interrupted
 * (CORE-053). Starts that a ramp spreads are not gaps, so a stretch that only waits for its ramp counts as begun.
 */
export function stretches(instructed: readonly Instructed[], window: Interval, spread_s = 0): Stretch[] {
  const begun = (d: Instructed): number => begunAt(d, window, spread_s)
  const edges = new Set<number>([window.start])
  for (const d of instructed) for (const at of [begun(d), d.order.end]) if (at > window.start && at < window.end) edges.add(at)
  const change = new Map<number, W>(), sorted = [...edges].sort((a, b) => a - b)
  let have = 0
  for (const d of instructed) {
    const start = begun(d), power = Math.abs(shareOf(d))
    if (start >= window.end || d.order.end <= window.start) continue
    if (start <= window.start) have += power
    else change.set(start, (change.get(start) ?? 0) + power)
    if (d.order.end < window.end) change.set(d.order.end, (change.get(d.order.end) ?? 0) - power)
  }
  const out: { start: number; end: number; have_W: W }[] = []
  sorted.forEach((start, i) => {
    if (i > 0) have += change.get(start) ?? 0
    const last = out.at(-1), end = sorted[i + 1] ?? window.end
    if (last && last.have_W === have) last.end = end
    else out.push({ start, end, have_W: have })
  })
  return out
}

/** The least that is instructed at any moment of the window: what an order can be said to have. */
export const leastSum = (instructed: readonly Instructed[], window: Interval, spread_s = 0): W =>
  window.start >= window.end ? instructed.reduce((sum, d) => sum + Math.abs(shareOf(d)), 0) : Math.min(...stretches(instructed, window, spread_s).map((s) => s.have_W))

/**
 * Each device's part of what an order has, one entry a device: its watts at the first moment of the window in which the least is
 * instructed, so that the parts sum to `leastSum`. A device that is asked at other times only is named with 0.
 */
export function allocationOf(instructed: readonly Pick<Delivery, 'resource' | 'order'>[], window: Interval, spread_s = 0): Allotment[] {
  const over = window.start >= window.end, all = over ? [] : stretches(instructed, window, spread_s), least = Math.min(...all.map((s) => s.have_W))
  const at = all.find((s) => s.have_W === least)?.start ?? window.start, parts = new Map<string, Allotment>()
  for (const d of instructed) {
    const counts = over || (begunAt(d, window, spread_s) <= at && d.order.end > at), before = parts.get(d.resource)?.delta_W ?? 0
    parts.set(d.resource, { resource: d.resource, protocol: d.order.binding.protocol, delta_W: before + (counts ? shareOf(d) : 0) })
  }
  return [...parts.values()]
}
