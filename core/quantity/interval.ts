import { Refusal } from '#core/error.js'

declare const epochSecond: unique symbol
/** An instant in whole seconds since 1970-01-01T00:00:00Z. */
export type Instant = number & { readonly [epochSecond]?: true }

/** Half-open `[start, end)` (CORE-003). */
export interface Interval {
  readonly start: Instant
  readonly end: Instant
}

/** An interval; throws `invalid` unless both ends are whole seconds and start < end. */
export function interval(start: Instant, end: Instant): Interval {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end)) throw new Refusal('invalid', 'an interval needs whole seconds')
  if (start >= end) throw new Refusal('invalid', 'an interval must end after it starts')
  return { start, end }
}

export const duration = (i: Interval): number => i.end - i.start
export const hours = (i: Interval): number => (i.end - i.start) / 3600
export const contains = (i: Interval, at: Instant): boolean => at >= i.start && at < i.end
export const overlaps = (a: Interval, b: Interval): boolean => a.start < b.end && b.start < a.end

/** The common part of two intervals, or undefined when they do not overlap. */
export function intersection(a: Interval, b: Interval): Interval | undefined {
  const start = Math.max(a.start, b.start), end = Math.min(a.end, b.end)
  return start < end ? { start, end } : undefined
}

/** Cuts `[start, end)` into steps of `seconds`; the last one may be shorter. */
export function steps(i: Interval, seconds: number): Interval[] {
  const out: Interval[] = []
  for (let at = i.start; at < i.end; at += seconds) out.push({ start: at, end: Math.min(at + seconds, i.end) })
  return out
}

export const instantOf = (iso: string): Instant => Math.floor(Date.parse(iso) / 1000)
export const toIso = (at: Instant): string => new Date(at * 1000).toISOString()
