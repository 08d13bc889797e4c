import { availabilityOfState, type DeclaredState } from '#core/availability/from-state.js'
import type { Availability } from '#core/availability/availability.js'
import type { Resource } from '#core/program/resource.js'
import type { Interval } from '#core/quantity/interval.js'
import type { W } from '#core/quantity/power.js'

/** Load expected without any order, per piece of the window; null = no usable forecast (CORE-090). */
export interface ExpectedLoad extends Interval {
  readonly expected_W: W | null
}

/** What is believed about one resource for one window, in one direction. */
export interface Forecast {
  readonly avail_W: W
  readonly expected: readonly ExpectedLoad[]
  readonly source: 'believed' | 'state' | 'persisted' | 'likeDay' | 'rating'
}

/**
 * CORE-030, CORE-206, first that applies: beliefs that overlap the window (the least of them holds for the whole window); what the
 * device says of its state; what was believed of the same hours a week before; the last belief before the window; the rating. Interpretation: CORE-206 names no order for a resource that never declared anything;
 * its rating counts, under the one assumption that makes it true (a load draws its rating, a store rests), and a warning says so.
 */
export function forecast(resource: Pick<Resource, 'kind' | 'rated_W'> & Partial<Pick<Resource, 'constraints'>>, beliefs: readonly Availability[], window: Interval, direction: 'down' | 'up'): Forecast {
  const power = (a: Availability): W => (direction === 'down' ? a.down_W : a.up_W)
  const over = counting(beliefs.filter((a) => a.start < window.end && a.end > window.start), window)
  if (over.length > 0) return { avail_W: Math.max(0, Math.min(...over.map((p) => power(p.of)))), expected: pieces(over, window), source: 'believed' }
  const declared = resource.constraints?.['state'], told = declared === undefined ? undefined : availabilityOfState(resource.kind, resource.rated_W, declared as DeclaredState, window, direction)
  if (told) return { avail_W: told.avail_W, expected: [{ ...window, expected_W: told.expected_W }], source: 'state' }
  const week = likeDay(beliefs, window)
  if (week.length > 0) return { avail_W: Math.max(0, Math.min(...week.map((p) => power(p.of)))), expected: pieces(week, window), source: 'likeDay' }
  const before = beliefs.filter((a) => a.end <= window.start).sort((a, b) => b.end - a.end)[0]
  if (before) return { avail_W: Math.max(0, power(before)), expected: [{ ...window, expected_W: before.expected_W ?? null }], source: 'persisted' }
  const stores = isStore(resource.kind)
  const draws = stores ? 0 : direction === 'down' ? resource.rated_W : 0
  return { avail_W: resource.rated_W, expected: [{ ...window, expected_W: draws }], source: 'rating' }
}

/** Kinds that rest at zero and can go both ways. */
const isStore = (kind: string): boolean => /batter|storage|inverter|der$/i.test(kind)

const week_s = 7 * 86_400

/** CORE-206: forecasts are missing, so last week's like day stands in, moved to this week. It has to cover the whole window. */
function likeDay(beliefs: readonly Availability[], window: Interval): Counting[] {
  const then = { start: window.start - week_s, end: window.end - week_s }
  const found = counting(beliefs.filter((a) => a.start < then.end && a.end > then.start), then)
  const whole = found.length > 0 && found[0]!.start === then.start && found.at(-1)!.end === then.end && found.every((p, i) => i === 0 || p.start === found[i - 1]!.end)
  return whole ? found.map((p) => ({ start: p.start + week_s, end: p.end + week_s, of: p.of })) : []
}

interface Counting extends Interval {
  readonly of: Availability
}

/** CORE-030: at any moment the newest belief counts, however long the older ones said they would hold. */
function counting(beliefs: readonly Availability[], window: Interval): Counting[] {
  const one = beliefs[0]
  if (one === undefined) return []
  if (beliefs.length === 1) return [{ start: Math.max(one.start, window.start), end: Math.min(one.end, window.end), of: one }]
  const edges = [...new Set(beliefs.flatMap((a) => [a.start, a.end]).map((at) => Math.min(Math.max(at, window.start), window.end)))].sort((a, b) => a - b)
  const newestFirst = [...beliefs].sort((a, b) => b.issuedAt - a.issuedAt || b.start - a.start), out: { start: number; end: number; of: Availability }[] = []
  edges.forEach((start, i) => {
    const end = edges[i + 1], of = newestFirst.find((a) => a.start <= start && a.end > start), last = out.at(-1)
    if (end === undefined || of === undefined) return
    if (last && last.of === of && last.end === start) last.end = end
    else out.push({ start, end, of })
  })
  return out
}

/** The window cut where the expected load changes; a hole keeps the value before it. */
function pieces(over: readonly Counting[], window: Interval): ExpectedLoad[] {
  const out: { start: number; end: number; expected_W: W | null }[] = []
  for (const { start, end, of } of over) {
    const expected_W = of.expected_W ?? null, last = out.at(-1)
    if (last && start > last.end) last.end = start
    if (last && last.expected_W === expected_W) last.end = end
    else out.push({ start: last ? start : window.start, end, expected_W })
  }
  const last = out.at(-1)
  if (last) last.end = window.end
  return out
}
