import { mean } from '#core/baseline/eligibility.js'
import { meterBeforeAfter } from '#core/baseline/meter-before-after.js'
import type { Found, Scene } from '#core/baseline/other-method.js'
import type { Instant } from '#core/quantity/interval.js'

/** Readings of `[from, to)` by instant. */
function span(s: Scene, from: Instant, to: Instant): number[] {
  const out: number[] = []
  for (let at = from; at < to; at += s.input.intervalMinutes * 60) out.push(s.input.series.at(at))
  return out
}

const flat = (s: Scene, kW: number): number[] => s.slots.map(() => kW)
const hour = 3600

/** CORE-145 [PJM]: mean of the 3 hours ending one hour before and the 2 hours starting one hour after the event, flat. */
export function sameDay3Plus2(s: Scene): Found {
  const { start, end } = s.input.event
  const around = [...span(s, start - 4 * hour, start - hour), ...span(s, end + hour, end + 3 * hour)]
  return { kW: flat(s, mean(around)), reasons: ['a reading of the 3 hours before or the 2 hours after is missing'] }
}

/** CORE-152 on readings by instant. */
export function meterBefore(s: Scene): Found {
  const { start, end } = s.input.event, n = s.input.intervals ?? 3, length = s.input.intervalMinutes * 60
  const before = span(s, start - n * length, start), after = s.input.interpolate ? span(s, end, end + n * length) : []
  const m = meterBeforeAfter(before, after, s.slots.length)
  if (!m) return { reasons: [`the ${n} intervals before the instruction are not complete`] }
  if (!s.input.interpolate) return { kW: flat(s, m.flat) }
  return m.interpolated ? { kW: m.interpolated } : { kW: flat(s, m.flat), flags: ['NOT_INTERPOLATED'] }
}

/** CORE-158 (NEBEF idea): the lower of the means over one window of the event's length on each side. */
export function rectangle(s: Scene): Found {
  const { start, end } = s.input.event, length = end - start
  const level = Math.min(mean(span(s, start - length, start)), mean(span(s, end, end + length)))
  return { kW: flat(s, level), reasons: ['a reading of the windows on both sides of the event is missing'] }
}

/** CORE-157: the participant's own forecast counts only when it was locked by gate closure. */
export function nominated(s: Scene): Found {
  const n = s.input.nominated
  if (!n) return { reasons: ['no nomination'] }
  if (n.lockedAt > n.gateClosure) return { reasons: ['the nomination was locked after gate closure'] }
  return { kW: s.slots.map((slot) => n.series.at(slot.start)), reasons: ['the nomination does not cover the event'] }
}
