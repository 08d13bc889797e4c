import { absoluteLimit } from '#core/dispatch/setpoint.js'
import type { OrderInterval } from '#core/port/dispatch-channel.js'
import type { Interval } from '#core/quantity/interval.js'
import type { W } from '#core/quantity/power.js'

/** Load expected without any order, per piece; null = no usable forecast. */
interface Piece extends Interval {
  readonly expected_W: W | null
}

/**
 * CORE-053, CORE-090: one device obeys one instruction at a time, so its absolute values contain what other live orders were promised
 * there and then. A piece is cut wherever that changes.
 */
export function instruct(pieces: readonly Piece[], promised: readonly (Interval & { readonly delta_W: W })[], delta_W: W): OrderInterval[] {
  const out: OrderInterval[] = []
  for (const piece of pieces) {
    const over = promised.filter((p) => p.start < piece.end && p.end > piece.start)
    const edges = [...new Set([piece.start, ...over.flatMap((p) => [p.start, p.end]).filter((at) => at > piece.start && at < piece.end)])].sort((a, b) => a - b)
    edges.forEach((start, i) => {
      const end = edges[i + 1] ?? piece.end, others_W = over.reduce((sum, p) => (p.start <= start && p.end > start ? sum + p.delta_W : sum), 0)
      const expected_W = piece.expected_W === null ? null : piece.expected_W + others_W
      const limit = absoluteLimit({ forecast_W: expected_W ?? undefined, reduction_W: -delta_W, floor_W: 0 })
      const made: OrderInterval = { start, end, delta_W, expected_W, setpoint_W: expected_W === null ? null : expected_W + delta_W, limitImport_W: limit.kind === 'limit' ? limit.limit_W : null, ...(others_W === 0 ? {} : { others_W }) }
      const last = out.at(-1)
      if (last && last.end === start && last.expected_W === expected_W && (last.others_W ?? 0) === others_W) out[out.length - 1] = { ...last, end }
      else out.push(made)
    })
  }
  return out
}

/** The same share, with what others are promised now. */
export const reinstruct = (intervals: readonly OrderInterval[], promised: readonly (Interval & { readonly delta_W: W })[]): OrderInterval[] =>
  intervals.flatMap((i) => instruct([{ start: i.start, end: i.end, expected_W: i.expected_W === null ? null : i.expected_W - (i.others_W ?? 0) }], promised, i.delta_W))

/** The parts of an instruction outside a window, each with its own start and end; what has passed is left out. */
export function outside(intervals: readonly OrderInterval[], window: Interval, from: number): OrderInterval[][] {
  const cut = (start: number, end: number): OrderInterval[] =>
    intervals.flatMap((i) => (i.end > start && i.start < end ? [{ ...i, start: Math.max(i.start, start), end: Math.min(i.end, end) }] : []))
  return [cut(from, window.start), cut(Math.max(from, window.end), Infinity)].filter((part) => part.length > 0)
}
