import type { Wh } from '#core/quantity/energy.js'
import type { Instant } from '#core/quantity/interval.js'

/** CORE-116. */
export type Quality = 'RAW' | 'VALID' | 'SUSPECT' | 'EST_LINEAR' | 'EST_LIKEDAY' | 'EST_PROFILE' | 'EDITED' | 'MISSING'

/** CORE-116: only measured values may rank or pick a baseline day. */
export const mayRank = (q: Quality): boolean => q === 'RAW' || q === 'VALID' || q === 'EDITED'

/** CORE-117: how far the day's peak stands above its third-highest value; above 1.8 is a spike. null: no third value above 0. */
export function spikeCheck(values: readonly number[], limit = 1.8): { ratio: number | null; spike: boolean } {
  const sorted = [...values].sort((a, b) => b - a), peak = sorted[0], third = sorted[2]
  if (peak === undefined || third === undefined || third <= 0) return { ratio: null, spike: false }
  const ratio = (peak - third) / third
  return { ratio, spike: ratio > limit }
}

export interface Estimate {
  readonly index: number
  readonly value: number | null
  readonly quality: 'EST_LINEAR' | 'EST_LIKEDAY' | 'MISSING'
}

export interface EstimateInput {
  /** Energy by interval, null where missing. */
  readonly series: readonly (number | null)[]
  readonly intervalMinutes: number
  /** The same stretch on the latest like days, newest first; three are used. */
  readonly likeDays?: readonly (readonly (number | null)[])[] | undefined
  /** Interval places of an event: a gap that touches them is never filled for payment (CORE-118). */
  readonly eventSlots?: ReadonlySet<number> | undefined
}

/** CORE-118: at most 2 h between valid neighbours is linear; longer takes the mean of the same slots on 3 like days; beyond 7 days stays MISSING. */
export function estimateGaps(input: EstimateInput): Estimate[] {
  const out: Estimate[] = []
  for (let from = 0; from < input.series.length; from++) {
    if (input.series[from] !== null) continue
    let to = from
    while (to < input.series.length && input.series[to] === null) to++
    out.push(...fillGap(input, from, to))
    from = to
  }
  return out
}

function fillGap({ series, intervalMinutes, likeDays = [], eventSlots }: EstimateInput, from: number, to: number): Estimate[] {
  const places = Array.from({ length: to - from }, (_, i) => from + i), minutes = places.length * intervalMinutes
  const missing = (index: number): Estimate => ({ index, value: null, quality: 'MISSING' })
  if (minutes > 7 * 1440 || places.some((i) => eventSlots?.has(i))) return places.map(missing)
  const before = series[from - 1], after = series[to]
  if (minutes <= 120 && typeof before === 'number' && typeof after === 'number') {
    const step = (after - before) / (places.length + 1)
    return places.map((index, i) => ({ index, value: before + step * (i + 1), quality: 'EST_LINEAR' }))
  }
  return places.map((index) => {
    const values = likeDays.map((d) => d[index]).filter((v): v is number => typeof v === 'number').slice(0, 3)
    return values.length === 0 ? missing(index) : { index, value: values.reduce((a, b) => a + b, 0) / values.length, quality: 'EST_LIKEDAY' }
  })
}

export interface RawInterval {
  readonly start: Instant
  readonly seconds: number
  readonly Wh: Wh
}

export type Finding =
  | 'LENGTH' | 'ALIGNMENT' | 'OVERLAP' | 'GAP' | 'STUCK' | 'RANGE' | 'NEGATIVE_IMPORT' | 'SPIKE' | 'ZERO_RUN' | 'SUM_CHECK' | 'CLOCK_SKEW'

export interface ChannelRules {
  readonly intervalSeconds: number
  /** Connection or resource rating; values above rating × 1.2 are out of range. */
  readonly rating_W?: number | undefined
  readonly importOnly?: boolean | undefined
  /** Intervals of zero in a row that are worth a look. */
  readonly zeroRun?: number | undefined
  /** Intervals of one and the same value in a row that no meter of a living load shows; half a day by default. */
  readonly stuckRun?: number | undefined
}

/** CORE-117: every finding on a stretch of one channel, with the place it was found at. Findings make values SUSPECT, they never drop them; GAP is said of the interval after it, which is no worse for that. */
export function validate(intervals: readonly RawInterval[], rules: ChannelRules): { index: number; finding: Finding }[] {
  const found: { index: number; finding: Finding }[] = [], zeroRun = rules.zeroRun ?? 24
  const limit = rules.rating_W === undefined ? Infinity : (rules.rating_W * 1.2 * rules.intervalSeconds) / 3600
  const stuckRun = rules.stuckRun ?? Math.ceil(43_200 / rules.intervalSeconds)
  let zeros = 0, same = 0, last = NaN, end = -Infinity
  intervals.forEach((r, index) => {
    const add = (finding: Finding): void => void found.push({ index, finding })
    if (r.seconds !== rules.intervalSeconds) add('LENGTH')
    if (r.start % rules.intervalSeconds !== 0) add('ALIGNMENT')
    if (r.start < end) add('OVERLAP')
    else if (r.start > end && index > 0) add('GAP')
    if (Math.abs(r.Wh) > limit) add('RANGE')
    if (rules.importOnly && r.Wh < 0) add('NEGATIVE_IMPORT')
    zeros = r.Wh === 0 ? zeros + 1 : 0
    if (zeros === zeroRun) add('ZERO_RUN')
    same = r.Wh === last && r.Wh !== 0 ? same + 1 : 1
    last = r.Wh
    if (same === stuckRun) add('STUCK')
    end = Math.max(end, r.start + r.seconds)
  })
  const peak = intervals.reduce((best, r, i) => (r.Wh > (intervals[best]?.Wh ?? -Infinity) ? i : best), 0)
  if (spikeCheck(intervals.map((r) => r.Wh)).spike) found.push({ index: peak, finding: 'SPIKE' })
  return found
}

/** CORE-117: interval sum against the register's difference, tolerance 2 units. */
export const sumAgrees = (intervals_Wh: number, registerStart: number, registerEnd: number, unit_Wh = 1): boolean =>
  Math.abs(intervals_Wh - (registerEnd - registerStart)) <= 2 * unit_Wh

/** CORE-119: beyond 30 s is flagged, beyond one interval rejected. */
export function clockVerdict(offsetSeconds: number, intervalSeconds: number): 'ok' | 'flagged' | 'rejected' {
  const size = Math.abs(offsetSeconds)
  return size > intervalSeconds ? 'rejected' : size > 30 ? 'flagged' : 'ok'
}

/** CORE-119: a source's clock offset is the median of (device time - our time): one late message does not move it. */
export function clockOffset(pairs: readonly { readonly device: number; readonly received: number }[]): number | null {
  if (pairs.length === 0) return null
  const sorted = pairs.map((p) => p.device - p.received).sort((a, b) => a - b), middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/**
 * CORE-121: finer to coarser by energy sum, exact; coarser to finer only as a flat profile (EST_PROFILE, never for payment),
 * whole Wh with the rest spread over the first parts. undefined: the lengths do not divide.
 */
export function resample(intervals: readonly RawInterval[], seconds: number): { intervals: RawInterval[]; quality: 'VALID' | 'EST_PROFILE' } | undefined {
  const own = intervals[0]?.seconds
  if (own === undefined || own === seconds) return { intervals: [...intervals], quality: 'VALID' }
  if (own < seconds ? seconds % own !== 0 : own % seconds !== 0) return undefined
  return own < seconds ? { intervals: coarser(intervals, seconds, seconds / own), quality: 'VALID' } : { intervals: intervals.flatMap((r) => finer(r, seconds)), quality: 'EST_PROFILE' }
}

/** Only complete groups become an interval: a sum with a hole would be too small. */
function coarser(intervals: readonly RawInterval[], seconds: number, parts: number): RawInterval[] {
  const groups = new Map<Instant, { Wh: number; n: number }>()
  for (const r of intervals) {
    const start = Math.floor(r.start / seconds) * seconds, g = groups.get(start) ?? { Wh: 0, n: 0 }
    groups.set(start, { Wh: g.Wh + r.Wh, n: g.n + 1 })
  }
  return [...groups].filter(([, g]) => g.n === parts).sort((a, b) => a[0] - b[0]).map(([start, g]) => ({ start, seconds, Wh: g.Wh }))
}

function finer(r: RawInterval, seconds: number): RawInterval[] {
  const n = r.seconds / seconds, each = Math.trunc(r.Wh / n), rest = r.Wh - each * n
  return Array.from({ length: n }, (_, i) => ({ start: r.start + i * seconds, seconds, Wh: each + (i < Math.abs(rest) ? Math.sign(rest) : 0) }))
}
