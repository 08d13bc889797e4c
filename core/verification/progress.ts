import type { Interval } from '#core/quantity/interval.js'
import { delivered, type Direction } from '#core/verification/performance.js'

/** One point's energies on a shared grid (NaN = nothing reported), and what it would have used in each interval of the event. */
export interface PointSoFar {
  readonly servicePoint: string
  readonly Wh: Float64Array
  /** By interval of the event; empty where the history is too thin. */
  readonly baseline_kW: readonly number[]
  /** What this point was asked to change, always positive. */
  readonly allocated_W: number
}

export interface SlotSoFar extends Interval {
  readonly phase: 'before' | 'event' | 'after'
  readonly baseline_kW: number | null
  readonly actual_kW: number | null
  /** Points that have reported this interval, of those counted. */
  readonly reported: number
  readonly points: number
}

/**
 * Points that have fallen behind: the others are more than one interval further on. They leave both sides of the subtraction, as
 * in verification (CORE-118), so that silence never looks like a reduction.
 */
export function behind(points: readonly PointSoFar[], from: number, to: number): string[] {
  if (points.length === 0) return []
  let furthest = from - 1
  for (let k = from; k < to; k++) if (points.filter((p) => !Number.isNaN(p.Wh[k]!)).length * 2 >= points.length) furthest = k
  return points.filter((p) => p.Wh.subarray(from, Math.max(from, furthest)).some(Number.isNaN)).map((p) => p.servicePoint)
}

/** The sum of all counted points, interval by interval; a sum is only said when every counted point has reported. */
export function sumSoFar(points: readonly PointSoFar[], grid: { start: number; step_s: number; length: number }, event: Interval, baseline_kW: readonly (number | null)[]): SlotSoFar[] {
  const out: SlotSoFar[] = []
  for (let k = 0; k < grid.length; k++) {
    const start = grid.start + k * grid.step_s, end = start + grid.step_s
    const phase = end <= event.start ? 'before' : start < event.end ? 'event' : 'after'
    let reported = 0, Wh = 0
    for (const p of points) if (!Number.isNaN(p.Wh[k]!)) {
      reported++
      Wh += p.Wh[k]!
    }
    const i = Math.floor(start / grid.step_s) - Math.floor(event.start / grid.step_s)
    out.push({ start, end, phase, baseline_kW: phase === 'event' ? (baseline_kW[i] ?? null) : null, actual_kW: reported === points.length && reported > 0 ? (Wh / grid.step_s) * 3.6 : null, reported, points: points.length })
  }
  return out
}

/** What one point has given so far, over the intervals of the event that it has reported. */
export function pointSoFar(p: PointSoFar, direction: Direction, firstSlot: number, step_s: number) {
  const hours = step_s / 3600
  let reported = 0, delivered_kWh = 0
  for (const [i, kW] of p.baseline_kW.entries()) {
    const Wh = p.Wh[firstSlot + i]
    if (Wh === undefined || Number.isNaN(Wh)) continue
    reported++
    delivered_kWh += delivered(direction, kW * hours, Wh / 1000)
  }
  const asked_kWh = (p.allocated_W / 1000) * hours * reported
  return { servicePoint: p.servicePoint, reported, asked_kWh, delivered_kWh: p.baseline_kW.length === 0 || reported === 0 ? null : delivered_kWh }
}
