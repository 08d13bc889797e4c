import t from 'tap'
import { baselineOf } from '#core/baseline/baseline.js'
import { LocalCalendar } from '#core/baseline/calendar.js'
import { gamingOf, type GamingFlag } from '#core/baseline/gaming.js'
import { planBaseline } from '#core/baseline/plan.js'
import { preset } from '#core/baseline/preset.js'
import { arraySeries } from '#core/baseline/series.js'

const day_s = 86_400, eventDay = 60, event = { start: eventDay * day_s + 16 * 3600, end: eventDay * day_s + 19 * 3600 }

function noise(seed: number): () => number {
  let state = seed * 2_654_435_761 % 2_147_483_648
  return () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648
}

/** An honest home: hours of its own height, hotter and cooler days of ±25 %, hours of ±20 %; in the event it cuts by 40 %. */
function home(seed: number, game: (kW: number, day: number, hour: number) => number): Float64Array {
  const r = noise(seed), size = 1 + r() * 4
  const out = new Float64Array((eventDay + 1) * 24)
  for (let d = 0; d <= eventDay; d++) {
    const heat = 0.75 + r() * 0.5
    for (let h = 0; h < 24; h++) {
      const kW = size * (0.6 + 0.8 * Math.sin((Math.PI * h) / 24)) * heat * (0.8 + r() * 0.4)
      out[d * 24 + h] = d === eventDay && h >= 16 && h < 19 ? kW * 0.6 : game(kW, d, h)
    }
  }
  return out
}

function flags(method: string, values: Float64Array, seasonFlags: readonly (readonly string[])[] = []): GamingFlag[] {
  const plan = planBaseline({ preset: preset(method), calendar: new LocalCalendar('UTC', 60), event, holidays: new Set() }), series = arraySeries(0, 3600, values)
  return gamingOf(plan, baselineOf(plan, series), series, { paid: true, seasonFlags })
}

const homes = 400
const share = (method: string, game: (kW: number, day: number, hour: number) => number): number => Array.from({ length: homes }, (_, i) => flags(method, home(i + 1, game))).filter((f) => f.length > 0).length / homes
const honest = (kW: number): number => kW

t.test('REL-082 CORE-168 planted gaming is seen in 90 % of homes and more, honest homes are named in 5 % and less', async (t) => {
  // morning load pushed up before the event, so that the adjustment lifts the baseline
  const morning = (kW: number, d: number, h: number): number => (d === eventDay && h >= 12 && h < 15 ? kW * 2.2 : kW)
  // load moved into the event hours of the days that the baseline will be made of
  const ranking = (kW: number, d: number, h: number): number => (d >= eventDay - 14 && d < eventDay && h >= 16 && h < 19 ? kW * 1.9 : kW)
  for (const method of ['CAISO_10IN10', 'CAISO_5IN10_RES', 'PJM_3DT_SAA']) {
    const falsely = share(method, honest)
    t.ok(falsely <= 0.05, `${method}: ${(falsely * 100).toFixed(1)} % of honest homes`)
  }
  for (const [name, game] of [['morning', morning], ['ranking days', ranking]] as const) {
    const seen = share('CAISO_10IN10', game)
    t.ok(seen >= 0.9, `${name}: ${(seen * 100).toFixed(1)} % seen`)
  }
})

t.test('REL-082 CORE-132 the cap bounds what a pushed-up morning can gain, and caps that fire again and again are named', async (t) => {
  const plan = planBaseline({ preset: preset('CAISO_10IN10'), calendar: new LocalCalendar('UTC', 60), event, holidays: new Set() })
  for (let i = 1; i <= 50; i++) {
    const r = baselineOf(plan, arraySeries(0, 3600, home(i, (kW, d, h) => (d === eventDay && h >= 12 && h < 15 ? kW * 10 : kW))))
    if (r.status !== 'OK') return t.fail(r.reasons.join())
    t.ok(r.slots.every((s, k) => s.kW <= r.unadjusted[k]! * 1.2 + 1e-9) && r.flags.includes('ADJ_CAPPED'), `home ${i}`)
  }
  const season = [['ADJ_CAPPED'], [], ['ADJ_CAPPED'], ['ADJ_CAPPED']]
  t.match(flags('CAISO_10IN10', home(3, honest), season), [{ flag: 'REPEATED_CAP', capped: 3, events: 4 }])
  t.same(flags('CAISO_10IN10', home(3, honest), season.slice(0, 2)), [], 'twice is not again and again')
})
