import { rounded, type Emit } from '#bench/figure.js'
import { baselineOf } from '#core/baseline/baseline.js'
import { LocalCalendar } from '#core/baseline/calendar.js'
import { planBaseline } from '#core/baseline/plan.js'
import { preset } from '#core/baseline/preset.js'
import { energySeries } from '#core/baseline/series.js'

const points = 10_000, days = 46, step_s = 900

/** CORE-085 §17.6: CAISO_10IN10 for 10,000 points × 45 days × 96 intervals, without loading; against only reading every value once. */
export default async function baselines(emit: Emit): Promise<void> {
  const eventDay = Date.UTC(2026, 6, 15) / 1000, from = eventDay - days * 86_400, length = (days + 1) * 96
  const start = eventDay + 22 * 3600, plan = planBaseline({ preset: preset('CAISO_10IN10'), calendar: new LocalCalendar('America/Denver', 15), event: { start, end: start + 7200 }, holidays: new Set() })
  // the values of one point after another, as a loader hands them over: a whole fleet at once would be 360 MB
  const Wh = Float64Array.from({ length }, (_, i) => 500 + ((i * 7919) % 400))
  let bare = 0
  const barely = performance.now()
  for (let p = 0; p < points; p++) for (let i = 0; i < length; i++) bare += Wh[i]!
  const baseline = (performance.now() - barely) / 1000
  const begun = performance.now()
  let sum = 0
  for (let p = 0; p < points; p++) {
    Wh[p % length] = 500 + (p % 100)
    const result = baselineOf(plan, energySeries(from, step_s, Wh))
    if (result.status === 'OK') sum += result.slots[0]!.kW
  }
  if (!(sum > 0) || !(bare > 0)) throw new Error('no baseline was made')
  const value = (performance.now() - begun) / 1000
  emit({ name: 'caiso 10 in 10', value: rounded(value), unit: 's', n: points, baseline: rounded(baseline), ratio: rounded(value / baseline) })
}
