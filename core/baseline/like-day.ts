import { adjustmentValue, applyAdjustment } from '#core/baseline/adjustment.js'
import { dateOf, dayNumber, type DayNumber } from '#core/baseline/calendar.js'
import { mean } from '#core/baseline/eligibility.js'
import { matchingDay } from '#core/baseline/matching-day.js'
import type { Adjustment } from '#core/baseline/method.js'
import { likeDays, used, type Found, type Scene } from '#core/baseline/other-method.js'
import { windowMinutes } from '#core/baseline/plan.js'

/** CORE-146 and CORE-147 in the common form. */
export function matched(s: Scene, span: 1 | 2): Found {
  const all: DayNumber[] = []
  for (let d = s.eventDay - 1; d >= s.eventDay - 45; d--) all.push(d)
  const r = matchingDay({
    calendar: s.calendar, event: s.input.event, series: s.input.series, span, excludedDays: new Set(all.filter(s.isEvent)), holidays: new Set([...all, s.eventDay].filter(s.isHoliday)),
  })
  const dropped = r.dropped.map((d) => ({ day: d.day, verdict: 'dropped' as const, reason: d.reason as 'DAY_TYPE' }))
  if (r.status !== 'OK') return { reasons: r.reasons, considered: dropped }
  const picked = new Set(r.days)
  const others = Object.keys(r.sse).filter((d) => !picked.has(d)).map((day) => ({ day, verdict: 'dropped' as const, reason: 'NOT_PICKED' as const }))
  return { kW: r.baseline, considered: [...dropped, ...others, ...used(r.days.map(dayNumber))] }
}

const weatherCap: Exclude<Adjustment, { kind: 'none' }> = { kind: 'multiplicative', windows: [{ from: 's', start: -4, end: -1 }], lo: 1 / 1.4, hi: 1.4 }

/** Highest temperature of a local day; NaN when a reading is missing. */
function warmest(s: Scene, day: DayNumber): number {
  let top = -Infinity
  const { start, end } = s.calendar.bounds(day)
  for (let at = start; at < end; at += s.input.intervalMinutes * 60) top = Math.max(top, s.input.temperature!.at(at))
  return top
}

/**
 * CORE-148: the 4 candidate days with the nearest daily maximum temperature within 90 days, then the adjustment of CORE-132
 * capped 1/1.4..1.4. Interpretation (silent on the window): s-4..s-1, ties to the newer day.
 */
export function weatherMatch(s: Scene): Found {
  if (!s.input.temperature) return { reasons: ['no temperature series'] }
  const { days, considered } = likeDays(s, 90), today = warmest(s, s.eventDay)
  const near = days.map((day) => ({ day, gap: Math.abs(warmest(s, day) - today) })).filter((d) => !Number.isNaN(d.gap)).sort((a, b) => a.gap - b.gap || b.day - a.day)
  if (near.length < 4) return { considered, reasons: [`${near.length} like days with temperature, 4 needed`] }
  const picked = near.slice(0, 4).map((d) => d.day), rest = near.slice(4).map((d) => ({ day: dateOf(d.day), verdict: 'dropped' as const, reason: 'NOT_PICKED' as const }))
  const base = (minute: number): number => mean(picked.map((d) => s.load(d, minute)))
  const unadjusted = s.slots.map((slot) => base(slot.minute))
  const minutes = windowMinutes(s.calendar, s.eventDay, s.input.event, weatherCap.windows).filter((m) => !Number.isNaN(s.load(s.eventDay, m)) && !Number.isNaN(base(m)))
  const r = minutes.length === 0 ? { value: 1, flags: ['ADJ_NO_ACTUAL'] } : adjustmentValue(weatherCap, mean(minutes.map((m) => s.load(s.eventDay, m))), mean(minutes.map(base)))
  return { kW: unadjusted.map((kW) => applyAdjustment('multiplicative', kW, r.value)), unadjusted, adjustment: r.value, flags: r.flags, considered: [...considered, ...rest, ...used(picked)] }
}

/**
 * CORE-156 [ISO-NE]: `B_d = 0.9*B_(d-1) + 0.1*L_d` on non-event days, started with 5 days' mean.
 * Interpretation: within 60 days of history, oldest first, of the event day's type.
 */
export function previousSmoothed(s: Scene): Found {
  const { days, considered } = likeDays(s, 60), oldestFirst = [...days].reverse()
  if (oldestFirst.length < 5) return { considered, reasons: [`${oldestFirst.length} usable days, 5 needed to start`] }
  const kW = s.slots.map(({ minute }) => {
    const start = mean(oldestFirst.slice(0, 5).map((d) => s.load(d, minute)))
    return oldestFirst.slice(5).reduce((b, d) => 0.9 * b + 0.1 * s.load(d, minute), start)
  })
  return { kW, considered: [...considered, ...used(days)] }
}
