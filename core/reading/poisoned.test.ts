import t from 'tap'
import { baseline } from '#core/baseline/baseline.js'
import { arraySeries } from '#core/baseline/series.js'
import { homes, testDoor } from '#core/operator/test-door.js'
import { readingFaults } from '#core/reading/faults.js'
import { estimateGaps, sumAgrees, validate, type Finding, type RawInterval } from '#core/reading/vee.js'

t.setTimeout(240_000)

/** Small repeatable noise: no test depends on a seed from outside. */
function noise(seed: number): () => number {
  let state = seed
  return () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648
}

const rules = { intervalSeconds: 900, rating_W: 12_000, importOnly: true }
/** A home's day of quarter hours: a base, an evening, appliances that come and go; Wh by interval. */
function day(seed: number): RawInterval[] {
  const r = noise(seed * 7919 + 17), evening = 300 + r() * 500
  return Array.from({ length: 96 }, (_, i) => ({ start: seed * 86_400 + i * 900, seconds: 900, Wh: Math.round(60 + r() * 40 + (i > 64 && i < 88 ? evening * (0.6 + r() * 0.8) : 0) + (r() < 0.06 ? 500 * r() : 0)) }))
}

type Poison = readonly [name: string, finding: Finding, spoil: (d: RawInterval[], at: number) => RawInterval[]]
const changed = (d: RawInterval[], at: number, change: Partial<RawInterval>): RawInterval[] => d.map((r, i) => (i === at ? { ...r, ...change } : r))
const corpus: readonly Poison[] = [
  ['a gap', 'GAP', (d, at) => d.filter((_, i) => i !== at)],
  ['a duplicate with another value', 'OVERLAP', (d, at) => [...d.slice(0, at + 1), { ...d[at]!, Wh: d[at]!.Wh + 5 }, ...d.slice(at + 1)]],
  ['a register that was reset shows up negative', 'NEGATIVE_IMPORT', (d, at) => changed(d, at, { Wh: -4000 })],
  ['a register that rolled over', 'RANGE', (d, at) => changed(d, at, { Wh: 999_999_000 })],
  ['filled with zeros', 'ZERO_RUN', (d, at) => d.map((r, i) => (i >= Math.min(at, 70) && i < Math.min(at, 70) + 24 ? { ...r, Wh: 0 } : r))],
  ['a stuck value', 'STUCK', (d, at) => d.map((r, i) => (i >= Math.min(at, 47) && i < Math.min(at, 47) + 48 ? { ...r, Wh: 123 } : r))],
  ['a spike', 'SPIKE', (d, at) => changed(d, at, { Wh: Math.max(...d.map((r) => r.Wh)) * 3 + 10 })],
  ['watts sent as kilowatts', 'RANGE', (d) => d.map((r) => ({ ...r, Wh: r.Wh * 1000 }))],
  ['a multiplier of ten', 'RANGE', (d) => d.map((r) => ({ ...r, Wh: r.Wh * 10 }))],
  ['another length', 'LENGTH', (d, at) => changed(d, at, { seconds: 300 })],
  ['off the grid', 'ALIGNMENT', (d, at) => changed(d, at, { start: d[at]!.start + 61 })],
]

t.test('REL-080 CORE-117 every planted fault of the corpus is flagged', async (t) => {
  for (const [name, finding, spoil] of corpus) {
    let caught = 0
    for (let seed = 1; seed <= 50; seed++) if (validate(spoil(day(seed), 5 + ((seed * 13) % 85)), rules).some((f) => f.finding === finding)) caught++
    t.equal(caught, 50, `${name}: ${finding}`)
  }
  t.notOk(sumAgrees(10_000, 5000, 14_000), 'intervals that do not add up to the register')
  t.ok(sumAgrees(9_998, 5000, 15_000), 'two units are rounding')
})

t.test('REL-080 at most 1 % false flags on clean data', async (t) => {
  let flagged = 0, values = 0
  for (let seed = 1; seed <= 500; seed++) {
    values += 96
    flagged += validate(day(seed), rules).length
  }
  t.ok(flagged / values <= 0.01, `${flagged} of ${values} flagged`)
})

t.test('REL-080 what cannot be a reading is refused at the door with its field, and thin data gives no number', async (t) => {
  const good = { servicePoint: 'x', channel: 'import', start: 0, minutes: 15, Wh: 1, quality: 'RAW', source: 's' } as const
  t.same(readingFaults(good, 1), [])
  for (const [change, field] of [[{ Wh: -1 }, 'Wh'], [{ Wh: 0.5 }, 'Wh'], [{ Wh: 2e9 }, 'Wh'], [{ Wh: NaN }, 'Wh'], [{ start: 61 }, 'start'], [{ start: NaN }, 'start'], [{ minutes: 7 }, 'minutes'], [{ quality: 'GOOD' }, 'quality']] as const) t.match(readingFaults({ ...good, ...change } as never, 3), [{ row: 3, field }])
  const holes = arraySeries(0, 3600, Float64Array.from({ length: 24 * 40 }, (_, i) => (i % 24 === 17 && i < 24 * 36 ? NaN : 1)))
  const r = baseline({ preset: 'CAISO_10IN10', zone: 'UTC', intervalMinutes: 60, event: { start: 39 * 86_400 + 17 * 3600, end: 39 * 86_400 + 19 * 3600 }, series: holes })
  t.match(r, { status: 'INSUFFICIENT_DATA', reasons: [/usable days, 5 needed/, /days have gaps/] })
  t.notOk('slots' in r)
  t.match(estimateGaps({ series: [1, null, 2], intervalMinutes: 15, eventSlots: new Set([1]) }), [{ value: null, quality: 'MISSING' }], 'never inside an event')
})

t.test('CORE-118, CORE-116 estimates at the intake: marked, totals only, never over an event; what comes later replaces them', async (t) => {
  const { as, clock } = await testDoor(t, { nowMs: Date.UTC(2026, 6, 15, 18) }), ada = await as('admin', 'ada'), at = (s: number): string => new Date(s * 1000).toISOString()
  await homes(ada, 1)
  const monday = Date.UTC(2026, 6, 13) / 1000, rows = (from: number, skip: readonly number[] = []) => Array.from({ length: 96 }, (_, i) => i).filter((i) => !skip.includes(i)).map((i) => ({ servicePoint: 'home-0', start: at(from + i * 900), minutes: 15, Wh: 100 + i }))
  for (const d of [-3, -4, -5]) t.equal((await ada('POST', 'readings', { readings: rows(monday + d * 86_400) })).statusCode, 200)
  await ada('POST', 'dispatches', { program: 'peak', power_kW: 3, start: '2026-07-15T16:00:00-06:00', duration: 'PT1H' })
  const preview = (await ada('POST', 'readings?estimate=true&preview=true', { readings: rows(monday, [10, 11, ...Array.from({ length: 12 }, (_, i) => 40 + i)]) })).data
  t.match(preview, { rows: 82, estimated: 14 })
  const stored = (await ada('POST', 'readings?estimate=true', { readings: rows(monday, [10, 11, ...Array.from({ length: 12 }, (_, i) => 40 + i)]) })).data
  t.match(stored, { accepted: 82, estimated: 14 })
  const found = (await ada('GET', `readings?servicePoint=home-0&from=${at(monday)}&to=${at(monday + 86_400)}&limit=200`)).data.items as { Wh: number; quality: string; source: string }[]
  t.equal(found.length, 96)
  t.match([found[10], found[11]], [{ Wh: 110, quality: 'EST_LINEAR', source: 'vee' }, { Wh: 111, quality: 'EST_LINEAR' }])
  t.ok(found.slice(40, 52).every((r, i) => r.quality === 'EST_LIKEDAY' && r.Wh === 140 + i), 'three hours are longer than a line may be')
  t.match((await ada('POST', 'readings', { readings: [{ servicePoint: 'home-0', start: at(monday + 9000), minutes: 15, Wh: 7 }] })).data, { corrected: 1 })
  t.match((await ada('GET', `readings?servicePoint=home-0&from=${at(monday + 9000)}&to=${at(monday + 9900)}`)).data.items, [{ Wh: 7, quality: 'RAW' }])
  // 22:00Z to 23:00Z on Wednesday is the dispatch of this home
  await clock.advance(6 * 3_600_000)
  const wednesday = Date.UTC(2026, 6, 15) / 1000
  t.match((await ada('POST', 'readings?estimate=true', { readings: rows(wednesday, [89, 90, 20]) })).data, { accepted: 93, estimated: 1 }, 'the gap in the event stays one')
})

t.test('UX-060 a mapping is remembered, used again, listed and forgotten; xlsx-csv comes back identical', async (t) => {
  const { as } = await testDoor(t, { nowMs: Date.UTC(2026, 6, 15, 18) }), ada = await as('admin', 'ada'), csv = { 'content-type': 'text/csv' }
  await ada('POST', 'service-points', [{ name: 'home-0' }, { name: '=evil' }, { name: 'Bäckerei' }])
  t.match((await ada('POST', 'readings?servicePoint=home-0&columns=start=Zeit,Wh=Wert&separator=;&minutes=15&unit=kWh&zone=Europe/Berlin&remember=werke', 'Zeit;Wert\n2026-07-01 00:00;0.25\n', csv)).data, { accepted: 1 })
  t.match((await ada('POST', 'readings?mapping=werke', 'Zeit;Wert\n2026-07-01 00:15;0.5\n', csv)).data, { accepted: 1 })
  t.match((await ada('POST', 'readings?mapping=werke&servicePoint=Bäckerei&unit=Wh', 'Zeit;Wert\n2026-07-01 00:15;3\n', csv)).data, { accepted: 1 }, 'what is said goes before what is remembered')
  t.match((await ada('GET', 'readings?servicePoint=home-0')).data.items, [{ start: '2026-06-30T22:00:00Z', Wh: 250 }, { start: '2026-06-30T22:15:00Z', Wh: 500 }])
  t.match((await ada('GET', 'import-mappings')).data.items, [{ name: 'werke', columns: { start: 'Zeit', Wh: 'Wert' }, separator: ';', unit: 'kWh', zone: 'Europe/Berlin' }])
  t.equal((await ada('POST', 'readings?mapping=nobody', 'a\n', csv)).statusCode, 404)
  await ada('POST', 'readings', { readings: [{ servicePoint: '=evil', start: '2026-07-01T00:00:00Z', minutes: 15, Wh: 9 }] })
  const sheet = await ada('GET', 'exports/readings?format=xlsx-csv')
  t.ok(sheet.body.startsWith('\uFEFFservicePoint,'), 'the mark that makes a spreadsheet read UTF-8')
  t.match(sheet.body, /\r\n'=evil,/, 'and nothing that it would run')
  t.match((await ada('POST', 'readings', sheet.body, csv)).data, { accepted: 0, duplicates: 4, corrected: 0 })
  t.equal((await ada('DELETE', 'import-mappings/werke')).statusCode, 200)
  t.equal((await ada('DELETE', 'import-mappings/werke')).statusCode, 404)
})
