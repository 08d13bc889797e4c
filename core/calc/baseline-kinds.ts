import { accuracy } from '#core/baseline/accuracy.js'
import { dayNumbers, type BaselineResult } from '#core/baseline/baseline.js'
import { LocalCalendar, dayNumber } from '#core/baseline/calendar.js'
import { controlGroup } from '#core/baseline/control-group.js'
import { generatorOutput } from '#core/baseline/generator-output.js'
import { matchingDay } from '#core/baseline/matching-day.js'
import { maxBaseLoad } from '#core/baseline/max-base-load.js'
import { meterBeforeAfter } from '#core/baseline/meter-before-after.js'
import { defaultBases, fitWeather, leastDays, predictWeather } from '#core/baseline/regression.js'
import { runBaseline } from '#core/baseline/run.js'
import type { Series } from '#core/baseline/series.js'
import { eventOf, tableSeries } from '#core/calc/day-table.js'
import { insufficient, shown, type Kind, type Outcome } from '#core/calc/kind.js'
import { numbers, readings, texts, type Reader } from '#core/calc/read.js'
import type { Instant, Interval } from '#core/quantity/interval.js'

const dates = (input: Reader, name: string): string[] => input.maybe(name, texts) ?? []

/** A preset of §11.2 or any method of §11.3 that needs nothing but the readings. */
function runMethod(input: Reader, calendar: LocalCalendar, event: Interval, series: Series): BaselineResult {
  return runBaseline({
    method: input.get('method').text(), zone: calendar.zone, intervalMinutes: calendar.intervalMinutes, event, series,
    excludedDays: dates(input, 'excludedEventDays'), outageDays: dates(input, 'outageDays'), holidays: dates(input, 'holidays'),
  })
}

const micro = (kW: number): number => Number(kW.toFixed(6))
const hoursOf = (i: Interval): number => (i.end - i.start) / 3600

/** TX_5DAY_HOUR saves against the highest 4 consecutive quarter hours of the event: the highest hour at any interval. */
function highestHour(actual: readonly number[], intervalMinutes: number): number {
  const n = Math.min(actual.length, 60 / intervalMinutes)
  let best = -Infinity
  for (let i = 0; i + n <= actual.length; i++) best = Math.max(best, actual.slice(i, i + n).reduce((a, b) => a + b, 0) / n)
  return best
}

function baselineKind(input: Reader): Outcome {
  const calendar = new LocalCalendar('UTC', input.get('intervalMinutes').whole())
  const eventDay = input.get('eventDay').text(), event = eventOf(calendar, dayNumber(eventDay), input.get('eventLocalHours'))
  const days: [string, Reader][] = [...input.get('history').entries()]
  if (input.has('actual')) days.push([eventDay, input.get('actual')])
  const series = tableSeries(calendar, days), r = runMethod(input, calendar, event, series)
  if (r.status !== 'OK') return insufficient(r.reasons, { days: r.days }, r.trace)
  const lastMinutes = calendar.intervalMinutes * 60
  const actual = r.slots.map((s) => series.at(Math.floor(s.start / lastMinutes) * lastMinutes))
  const flat = r.method === 'TX_5DAY_HOUR', peak = highestHour(actual, calendar.intervalMinutes)
  const reduction = r.slots.map((s, i) => s.kW - (flat ? peak : actual[i]!))
  // The worked examples add up the reductions as they print them, to 1e-6 kW (CORE-006's tolerance): so does this total.
  const kWh = r.slots.reduce((sum, s, i) => sum + micro(reduction[i]!) * hoursOf(s), 0)
  return {
    result: {
      status: 'OK', days: r.days, fallback: r.fallback, low: r.low, unadjusted: r.unadjusted, adjustment: r.adjustment, adjusted: r.slots.map((s) => s.kW), flags: r.flags,
      actual: actual.map(shown), reduction_kW: reduction.map(shown), reduction_kWh: shown(kWh),
    },
    trace: r.trace,
  }
}

/** An RFC 3339 time with its own offset, or a local time of the zone (a repeated one means its first occurrence). */
function localInstant(r: Reader, calendar: LocalCalendar): Instant {
  const parts = /^(\d{4}-\d\d-\d\d)[T ](\d\d):(\d\d)(?::00(?:\.0+)?)?(Z|[+-]\d\d:\d\d)?$/i.exec(r.text())
  if (!parts || Number(parts[2]) > 24 || Number(parts[3]) > 59) return r.fail('must be a date and time to the minute, like 2025-11-02T01:00')
  if (!parts[4]) return calendar.first(dayNumber(parts[1]!), Number(parts[2]) * 60 + Number(parts[3]))
  const at = Date.parse(`${parts[1]}T${parts[2]}:${parts[3]}:00${parts[4].toUpperCase()}`)
  return Number.isNaN(at) ? r.fail('is not a time') : at / 1000
}

/** contract.md §2 `baseline-dst`: hourly history by local hour of a real zone; one value for each elapsed hour of the event. */
function baselineDst(input: Reader): Outcome {
  const zone = input.get('timeZone').text(), calendar = new LocalCalendar(zone, input.maybe('intervalMinutes', (r) => r.whole()) ?? 60)
  const event = input.has('eventStartLocal')
    ? { start: localInstant(input.get('eventStartLocal'), calendar), end: localInstant(input.get('eventEndLocal'), calendar) }
    : eventOf(calendar, dayNumber(input.get('eventDay').text()), input.get('eventLocalHours'))
  if (event.start >= event.end) return input.fail('must have an event that ends after it starts')
  const history = tableSeries(calendar, input.get('history').entries())
  const measured = new Map<Instant, number>()
  for (const row of input.maybe('actual', (r) => r.list()) ?? []) {
    const utc = row.get('startUtc').text(), at = Date.parse(/(Z|[+-]\d\d:?\d\d)$/i.test(utc) ? utc : `${utc}Z`)
    if (Number.isNaN(at)) row.get('startUtc').fail('is not a UTC time')
    measured.set(at / 1000, row.get('kW').reading())
  }
  const r = runMethod(input, calendar, event, { at: (i) => measured.get(i) ?? history.at(i) })
  if (r.status !== 'OK') return insufficient(r.reasons, { days: r.days }, r.trace)
  const base = { days: r.days, baseline: r.slots.map((s) => s.kW), elapsedHours: hoursOf(event) }
  const known = r.slots.map((s) => measured.get(s.start) ?? NaN)
  const complete = known.length > 0 && !known.some(Number.isNaN)
  const reduction_kWh = r.slots.reduce((sum, s, i) => sum + (s.kW - known[i]!) * hoursOf(s), 0)
  return { result: { status: 'OK', ...base, ...(complete ? { reduction_kWh } : {}), adjustment: r.adjustment, flags: r.flags }, trace: r.trace }
}

function accuracyKind(input: Reader): Outcome {
  const baseline = numbers(input.get('baseline')), actual = numbers(input.get('actual'))
  if (baseline.length !== actual.length) return input.get('actual').fail(`must have as many values as baseline (${baseline.length}), got ${actual.length}`)
  const limits = { rrmseMax: input.maybe('rrmseMax', (r) => r.number()), biasMax: input.maybe('biasMax', (r) => r.number()) }
  const a = accuracy(baseline, actual, limits)
  if (!a) return insufficient(['no value to compare'])
  const { rrmse, bias, eligible, failed, flags, cvrmse } = a
  return { result: { rrmse, bias, eligible, failed, ...(flags.length > 0 ? { flags, cvrmse } : {}) }, trace: { n: baseline.length, limits: { rrmseMax: limits.rrmseMax ?? 0.2, biasMax: limits.biasMax ?? null } } }
}

function regressionKind(input: Reader): Outcome {
  const bases = { coolBaseC: input.maybe('coolBaseC', (r) => r.number()) ?? defaultBases.coolBaseC, heatBaseC: input.maybe('heatBaseC', (r) => r.number()) ?? defaultBases.heatBaseC }
  const observations = input.get('observations_TC_kW').list().map((row): [number, number] => {
    const [t, kW] = readings(row)
    return [t ?? NaN, kW ?? NaN]
  })
  const model = fitWeather(observations, bases)
  if (!model) return insufficient([`${observations.length} days, at least ${leastDays} needed: use the program's day method (CORE-150)`])
  return { result: { beta: model.beta, prediction: numbers(input.get('predictAtC')).map((t) => predictWeather(model, t)) }, trace: { ...bases, days: model.days, dropped: model.dropped } }
}

function matchingDayKind(input: Reader): Outcome {
  const actual = input.get('actual'), calendar = new LocalCalendar('UTC', input.maybe('intervalMinutes', (r) => r.whole()) ?? 1440 / Math.max(1, actual.list().length))
  const eventDay = input.get('eventDay').text(), event = eventOf(calendar, dayNumber(eventDay), input.get('eventLocalHours'))
  const history = input.get('history').entries()
  const series = tableSeries(calendar, [...history, [eventDay, actual]])
  const present = new Set(history.map(([date]) => date))
  const r = matchingDay({
    calendar, event, series, k: input.maybe('k', (v) => v.whole()), guardHours: input.maybe('guardHours', (v) => v.number()), lookback: input.maybe('lookback', (v) => v.whole()),
    excludedDays: dayNumbers(dates(input, 'excludedEventDays')), holidays: dayNumbers(dates(input, 'holidays')),
  })
  const trace = { method: 'MATCHING_DAY', dropped: r.dropped.filter((d) => present.has(d.day)) }
  if (r.status !== 'OK') return insufficient(r.reasons, {}, trace)
  const slots = calendar.intervalMinutes * 60
  const reduction_kWh = r.baseline.reduce((sum, kW, i) => sum + (kW - series.at(event.start + i * slots)) * (slots / 3600), 0)
  // Distances are only compared; the worked example prints them to 4 places.
  const sse = Object.fromEntries(Object.entries(r.sse).map(([day, v]) => [day, Math.round(v * 1e4) / 1e4]))
  return { result: { days: r.days, sse, baseline: r.baseline, reduction_kWh: shown(reduction_kWh) }, trace }
}

function mbmaKind(input: Reader): Outcome {
  const hours = input.get('intervalMinutes').number() / 60, during = numbers(input.get('during'))
  const m = meterBeforeAfter(readings(input.get('before')), input.maybe('after', readings) ?? [], during.length)
  if (!m) return insufficient(['no complete reading before the instruction'])
  const saved = (base: (i: number) => number): number => during.reduce((sum, kW, i) => sum + (base(i) - kW) * hours, 0)
  const line = m.interpolated
  return {
    result: { flatBaseline: m.flat, flatReduction_kWh: saved(() => m.flat), ...(line ? { interpolatedBaseline: line, interpolatedReduction_kWh: saved((i) => line[i]!) } : {}) },
    trace: { method: 'METER_BEFORE_AFTER', interpolated: line !== null },
  }
}

function mblKind(input: Reader): Outcome {
  const metered_kW = numbers(input.get('metered_kW'))
  if (metered_kW.length === 0) return insufficient(['no metered interval'])
  const n = (name: string): number => input.get(name).number()
  const lossFactor = input.maybe('lossFactor', (r) => r.number()) ?? 1
  return { result: maxBaseLoad({ plc_kW: n('plc_kW'), fsl_kW: n('fsl_kW'), lossFactor, metered_kW }), trace: { method: 'MAX_BASE_LOAD', lossFactor } }
}

function mgoKind(input: Reader): Outcome {
  const generation_kW = numbers(input.get('generation_kW')), hours = input.get('intervalMinutes').number() / 60
  if (generation_kW.length === 0) return insufficient(['no generation interval'])
  const typicalGeneration_kW = input.maybe('typicalGeneration_kW', numbers), siteLoad_kW = input.maybe('siteLoad_kW', numbers)
  for (const [name, list] of [['typicalGeneration_kW', typicalGeneration_kW], ['siteLoad_kW', siteLoad_kW]] as const) {
    if (list && list.length !== generation_kW.length) input.get(name).fail(`must have ${generation_kW.length} values, got ${list.length}`)
  }
  const energy = (kW: readonly number[]): number => kW.reduce((sum, v) => sum + v * hours, 0)
  const plain = generatorOutput({ generation_kW, typicalGeneration_kW }), capped = siteLoad_kW && generatorOutput({ generation_kW, typicalGeneration_kW, siteLoad_kW, noExport: true })
  return {
    result: { delivered_kW: plain, ...(capped ? { deliveredNoExport_kW: capped } : {}), energy_kWh: energy(plain), ...(capped ? { energyNoExport_kWh: energy(capped) } : {}) },
    trace: { method: 'METERING_GENERATOR_OUTPUT', typical: typicalGeneration_kW ? 'given' : 0 },
  }
}

function controlGroupKind(input: Reader): Outcome {
  const list = (name: string): number[] => numbers(input.get(name))
  const groups = { treatPre: list('treatPre'), treatEvent: list('treatEvent'), controlPre: list('controlPre'), controlEvent: list('controlEvent') }
  const effect = controlGroup(groups)
  if (!effect) return insufficient(['each group needs at least two customers, each with a value before and in the event'])
  return { result: effect, trace: { method: 'CONTROL_GROUP', treated: groups.treatEvent.length, control: groups.controlEvent.length, confidence: 0.95 } }
}

export const baselineKinds: readonly Kind[] = [
  { kind: 'baseline', reads: '{method, eventDay, eventLocalHours, intervalMinutes, excludedEventDays, holidays, actual[], history{day:[]}}', run: baselineKind },
  { kind: 'baseline-dst', reads: '{method, timeZone, eventStartLocal, eventEndLocal | eventDay, eventLocalHours, excludedEventDays?, history{day:[24]}, actual?:[{startUtc,kW}]}', run: baselineDst },
  { kind: 'accuracy', reads: '{baseline[], actual[], rrmseMax?, biasMax?}', run: accuracyKind },
  { kind: 'regression', reads: '{coolBaseC, heatBaseC, observations_TC_kW:[[T,kW]], predictAtC[]}', run: regressionKind },
  { kind: 'matching-day', reads: '{eventDay, eventLocalHours, guardHours, k, actual[], history{day:[]}}', run: matchingDayKind },
  { kind: 'mbma', reads: '{intervalMinutes, before[], during[], after?[]}', run: mbmaKind },
  { kind: 'mbl', reads: '{plc_kW, fsl_kW, lossFactor, metered_kW[]}', run: mblKind },
  { kind: 'mgo', reads: '{generation_kW[], typicalGeneration_kW?, siteLoad_kW?, intervalMinutes}', run: mgoKind },
  { kind: 'control-group', reads: '{treatPre[], treatEvent[], controlPre[], controlEvent[]}', run: controlGroupKind },
]

