import { baseline } from '#core/baseline/baseline.js'
import { dateOf, weekday, type DayNumber } from '#core/baseline/calendar.js'
import { slotLoad } from '#core/baseline/eligibility.js'
import { likeDays, used, type Found, type Scene } from '#core/baseline/other-method.js'
import { fitWeather, leastDays, predictWeather } from '#core/baseline/regression.js'
import { fitTowt, predictTowt, type TowtHour } from '#core/baseline/towt.js'

/** CORE-150 over 90 days of the event day's type, one fit per local slot; below 20 days the program's day method, flagged. */
export function regression(s: Scene): Found {
  const temperature = s.input.temperature
  if (!temperature) return { reasons: ['no temperature series'] }
  const { days, considered } = likeDays(s, 90), celsius = (d: DayNumber, m: number): number => slotLoad(temperature, s.calendar.instants(d, m))
  const kW: number[] = []
  for (const slot of s.slots) {
    const model = fitWeather(days.map((d) => [celsius(d, slot.minute), s.load(d, slot.minute)]))
    if (!model) return fallBack(s, `${days.length} days for the regression, ${leastDays} needed`)
    kW.push(predictWeather(model, temperature.at(slot.start)))
  }
  return { kW, considered: [...considered, ...used(days)], reasons: ['the temperature of the event is missing'] }
}

function fallBack(s: Scene, why: string): Found {
  const r = baseline({ ...s.input, preset: s.input.fallback ?? 'CAISO_10IN10' })
  if (r.status !== 'OK') return { reasons: [why, ...r.reasons], considered: r.trace.considered }
  return { kW: r.slots.map((x) => x.kW), unadjusted: r.unadjusted, adjustment: r.adjustment, flags: ['REGRESSION_FALLBACK', ...r.flags], considered: r.trace.considered }
}

/** CORE-151: training 45 days before and 15 after the event, event days out, at least 20 days; hourly. */
export function towt(s: Scene): Found {
  const temperature = s.input.temperature
  if (!temperature) return { reasons: ['no temperature series'] }
  const hours: TowtHour[] = [], days: DayNumber[] = []
  for (let d = s.eventDay - 45; d <= s.eventDay + 15; d++) {
    if (d === s.eventDay || s.isEvent(d)) continue
    const own = hoursOf(s, d)
    if (own.length >= 23) {
      days.push(d)
      hours.push(...own)
    }
  }
  if (days.length < 20) return { reasons: [`${days.length} complete non-event days, 20 needed`], considered: used(days) }
  const model = fitTowt(hours)
  const kW = s.slots.map((slot) => {
    const here = s.calendar.locate(slot.start)
    return predictTowt(model, weekday(here.day) * 24 + Math.floor(here.minute / 60), fahrenheit(temperature.at(slot.start)))
  })
  return { kW, considered: [...used(days), { day: dateOf(s.eventDay), verdict: 'dropped', reason: 'EVENT_DAY' }], reasons: ['the temperature of the event, or its hour of the week in the training, is missing'] }
}

const fahrenheit = (c: number): number => c * 1.8 + 32

/** Complete local hours of a day: mean load and mean temperature. */
function hoursOf(s: Scene, day: DayNumber): TowtHour[] {
  const out: TowtHour[] = [], step = s.input.intervalMinutes
  for (let h = 0; h < 24; h++) {
    let load = 0, warmth = 0, n = 0
    for (let m = h * 60; m < h * 60 + 60; m += step) {
      load += s.load(day, m)
      warmth += slotLoad(s.input.temperature!, s.calendar.instants(day, m))
      n++
    }
    if (!Number.isNaN(load) && !Number.isNaN(warmth)) out.push({ hourOfWeek: weekday(day) * 24 + h, temperatureF: fahrenheit(warmth / n), kW: load / n })
  }
  return out
}
