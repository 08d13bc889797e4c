import t from 'tap'
import { issueForecast, scoreForecasts } from '#core/availability/keep-forecast.js'
import { forecastError, forecastLoad } from '#core/availability/load-forecast.js'
import { portfolioAvailability } from '#core/availability/portfolio-availability.js'
import { LocalCalendar } from '#core/baseline/calendar.js'
import { scene, start } from '#core/dispatch/test-scene.js'
import type { ReadingInput } from '#core/reading/reading.js'

t.setTimeout(120_000)

const calendar = new LocalCalendar('America/Denver', 60), window = { start, end: start + 7200 }, issued = start - 6 * 3600

t.test('CORE-037 same-hour mean of the last four like days, with the spread as quantiles; the regression where temperatures are there', async (t) => {
  // Wednesday: Tuesday, Monday, Friday and Thursday before it are like days
  const load = (at: number): number | undefined => { const { day, minute } = calendar.locate(at); return at > issued ? undefined : [0, 6].includes((day + 4) % 7) ? 99 : minute / 60 + (day % 2 === 0 ? 1 : -1) }
  const made = forecastLoad({ calendar, load_kW: load }, window, issued)
  if (made.status !== 'OK') return t.fail(JSON.stringify(made))
  t.same(made.values.map((v) => v.p50_kW), [16, 17])
  t.ok(Math.abs(made.values[0]!.p90_kW - 16 - 1.281552 * Math.sqrt(4 / 3)) < 1e-9)
  t.equal(made.days.length, 4)
  t.match(forecastLoad({ calendar, load_kW: (at) => (at > issued - 3 * 86_400 ? load(at) : undefined) }, window, issued), { status: 'INSUFFICIENT_DATA', reasons: [/of 4 like days/] })
  const warm = (at: number): number => 20 + (calendar.locate(at).day % 9)
  const weather = forecastLoad({ calendar, load_kW: (at) => (at > issued ? undefined : 5 + 2 * (warm(at) - 18)), temperature: warm }, window, issued)
  t.match(weather, { status: 'OK', method: 'weather' })
  if (weather.status === 'OK') t.ok(Math.abs(weather.values[0]!.p50_kW - (5 + 2 * (warm(start) - 18))) < 1e-6)
  t.equal(forecastError(made.values, () => undefined), undefined)
  const error = forecastError([{ start: 0, end: 1, p10_kW: 8, p50_kW: 10, p90_kW: 12 }], () => 13)!
  t.same([error.intervals, error.bias_kW, error.meanAbsolute_kW, ...Object.values(error.pinball_kW).map((v) => Math.round(v * 100) / 100)], [1, -3, 3, 0.5, 1.5, 0.9])
})

t.test('CORE-038, CORE-030 portfolio quantiles by interval from the newest beliefs', async (t) => {
  const b = (resource: string, from: number, to: number, down_W: number, issuedAt: number) => ({ resource, start: from, end: to, down_W, up_W: 0, down_P10_W: down_W - 100, down_P90_W: down_W + 100, source: '', issuedAt })
  const found = portfolioAvailability([b('a', 0, 10, 1000, 1), b('a', 5, 10, 500, 2), b('b', 0, 10, 1000, 1), b('x', 0, 10, 9, 1)], ['a', 'b', 'c'], { start: 0, end: 10 })
  t.same(found.map((i) => [i.start, i.end, i.down.p50, i.believed, i.members]), [[0, 5, 2000, 2, 3], [5, 10, 1500, 2, 3]])
  t.equal(Math.round(found[0]!.down.p10), Math.round(2000 - 100 * Math.SQRT2), 'never the sum of the P10s')
  t.equal(Math.round(portfolioAvailability([b('a', 0, 10, 1000, 1), b('b', 0, 10, 1000, 1)], ['a', 'b'], { start: 0, end: 10 }, 1)[0]!.down.p10), 1800, 'unless all fail together')
})

t.test('CORE-037 each forecast keeps its later error', async (t) => {
  const { core, clock, me, resources } = await scene(t, { points: 1 }), servicePoint = resources[0]!.servicePoint
  const rows = (from: number, to: number): ReadingInput[] => Array.from({ length: (to - from) / 900 }, (_, i): ReadingInput => ({ servicePoint, channel: 'import', start: from + i * 900, minutes: 15, Wh: 500, quality: 'VALID', source: 'import:test' }))
  await core.readings.record(me, rows(start - 12 * 86_400, start - 4 * 3600))
  t.match(await core.transact((w) => issueForecast(w, me, { servicePoint, program: 'peak', window })), { status: 'OK', values: { length: 8 } })
  t.same(await core.transact((w) => scoreForecasts(w, me, servicePoint)), [], 'not over yet')
  await core.readings.record(me, rows(start, start + 7200).map((r) => ({ ...r, Wh: 750 })))
  await clock.set((start + 7200) * 1000)
  t.match((await core.transact((w) => scoreForecasts(w, me, servicePoint)))[0]?.body, { error: { intervals: 8, bias_kW: -1, meanAbsolute_kW: 1 } })
  t.match((await core.transact((w) => scoreForecasts(w, me, servicePoint)))[0]?.version, 2, 'once')
})
