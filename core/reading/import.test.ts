import { Client } from 'pg'
import t from 'tap'
import { homes, programTerms, testDoor } from '#core/operator/test-door.js'
import { cells, csvCell } from '#core/reading/csv.js'

// real databases on a machine that is shared with other tests
t.setTimeout(240_000)

const noon = Date.UTC(2026, 6, 15, 18)

t.test('SEC-047, UX-060 cells of RFC 4180 both ways; nothing that a spreadsheet would run', async (t) => {
  t.strictSame(cells('a,"b ""c"", d", e'), ['a', 'b "c", d', 'e'])
  t.equal(cells('a,"open'), undefined)
  t.strictSame(['=1+1', '-5', '-5a', '+x', 'a"b', 'plain'].map(csvCell), ["'=1+1", '-5', "'-5a", "'+x", '"a""b"', 'plain'])
})

t.test('readings in and out', async (t) => {
  const { as, database, url } = await testDoor(t, { nowMs: noon }), call = await as('admin', 'ada')
  await homes(call, 2)
  const xml = (blocks: string, multiplier = 0, flow = 1): string => `<?xml version="1.0"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:espi="http://naesb.org/espi">
<entry><link rel="self" href="/R/1/MeterReading/1"/><link rel="related" href="/ReadingType/7"/><content><espi:MeterReading/></content></entry>
<entry><link rel="self" href="/ReadingType/7"/><content><espi:ReadingType><espi:flowDirection>${flow}</espi:flowDirection><espi:powerOfTenMultiplier>${multiplier}</espi:powerOfTenMultiplier><espi:uom>72</espi:uom></espi:ReadingType></content></entry>
<entry><link rel="self" href="/ReadingType/8"/><content><espi:ReadingType><espi:flowDirection>19</espi:flowDirection><espi:uom>72</espi:uom></espi:ReadingType></content></entry>
<entry><link rel="up" href="/R/1/MeterReading/1/IntervalBlock"/><content><espi:IntervalBlock>${blocks}</espi:IntervalBlock></content></entry></feed>`
  const reading = (start: number, value: string, quality = 0): string => `<espi:IntervalReading><espi:ReadingQuality><espi:quality>${quality}</espi:quality></espi:ReadingQuality><espi:timePeriod><espi:duration>900</espi:duration><espi:start>${start}</espi:start></espi:timePeriod><espi:value>${value}</espi:value></espi:IntervalReading>`
  const atom = { 'content-type': 'application/atom+xml' }, at = Date.UTC(2026, 6, 1) / 1000

  await t.test('UX-060 Green Button in: multiplier, direction and quality; a bad value names its line and stores nothing', async (t) => {
    t.match((await call('POST', 'readings?servicePoint=home-0', xml(reading(at, '3') + reading(at + 900, '4', 8), 2), atom)).data, { accepted: 2 })
    t.match((await call('GET', 'readings?servicePoint=home-0')).data.items, [{ Wh: 300, quality: 'VALID', channel: 'import', minutes: 15 }, { Wh: 400, quality: 'EST_PROFILE' }])
    const bad = await call('POST', 'readings?servicePoint=home-1', xml(`${reading(at, '3')}\n${reading(at + 900, 'x')}\n${reading(at + 901, '4')}`), atom)
    t.match(bad.data, { status: 422, rows: [{ row: 7, reason: /whole value/ }, { row: 8, field: 'start', reason: /aligned/ }] })
    t.equal((await call('GET', 'readings?servicePoint=home-1')).data.items.length, 0)
    for (const evil of ['<!DOCTYPE x [<!ENTITY a "b">]><feed/>', '<feed xmlns="http://www.w3.org/2005/Atom"><entry></feed>', '<feed/>', '<a>'.repeat(100)]) t.equal((await call('POST', 'readings?servicePoint=home-1', evil, atom)).statusCode, 422, evil.slice(0, 20))
  })

  await t.test("UX-060 somebody else's CSV: mapped columns, kWh, local times; line-numbered errors, nothing half-imported", async (t) => {
    const file = 'Zeit;Wert;Bemerkung\n2026-07-02 00:00;0,25;x\n'
    t.equal((await call('POST', 'readings?servicePoint=home-1&columns=start=Zeit,Wh=Wert&separator=;&minutes=15&unit=kWh&zone=America/Denver', file, { 'content-type': 'text/csv' })).statusCode, 422, 'a decimal comma is no number')
    const good = 'Zeit;Wert;Bemerkung\n2026-07-02 00:00;0.25;x\n2026-07-02 00:15;0.5;"a; b"\n'
    const url = 'readings?servicePoint=home-1&columns=start=Zeit,Wh=Wert&separator=;&minutes=15&unit=kWh&zone=America/Denver', csv = { 'content-type': 'text/csv' }
    t.match((await call('POST', `${url}&preview=true`, good, csv)).data, { rows: 2, first: [{ Wh: 250, start: '2026-07-02T06:00:00Z' }, { Wh: 500 }] })
    t.equal((await call('GET', 'readings?servicePoint=home-1')).data.items.length, 0, 'a preview stores nothing')
    t.match((await call('POST', url, good, csv)).data, { accepted: 2 })
    t.match((await call('POST', url, `${good}2026-07-02 00:31;1\n2026-07-02 00:45;1;\n`, csv)).data.rows, [{ row: 3, field: '' }])
    t.match((await call('POST', 'readings?columns=Wh=Nope', good, csv)).data, { status: 422, faults: [{ path: 'header/Nope' }] })
    t.match((await call('POST', 'readings?servicePoint=home-1&columns=start=t,Wh=v&minutes=15&zone=America/Denver', 't,v\n2026-11-01T01:30,5\n', csv)).data, { accepted: 1 })
    t.match((await call('GET', 'readings?servicePoint=home-1&from=2026-11-01T00:00:00Z')).data.items, [{ quality: 'SUSPECT' }], 'CORE-119 a local hour that comes twice')
  })

  await t.test('CORE-117 at the intake: what looks wrong is kept as SUSPECT with the finding, and pays nothing', async (t) => {
    await call('PATCH', 'service-points/home-1', { importLimit_kW: 10 })
    const rows = [2500, 2400, 4000, 2500].map((Wh, i) => ({ servicePoint: 'home-1', start: new Date((at + 20 * 86_400 + i * 900) * 1000).toISOString(), minutes: 15, Wh }))
    t.match((await call('POST', 'readings?vee=true', { readings: rows })).data, { accepted: 4, flags: [{ finding: 'RANGE' }] })
    t.strictSame((await call('GET', 'readings?servicePoint=home-1&from=2026-07-21T00:00:00Z&to=2026-07-22T00:00:00Z')).data.items.map((r: { quality: string }) => r.quality), ['RAW', 'RAW', 'SUSPECT', 'RAW'])
  })

  await t.test('a large import leaves the planner with statistics of what came, a small one does not disturb it', async (t) => {
    const client = new Client({ connectionString: url })
    await client.connect()
    const known = async (): Promise<number> => Number((await client.query(`select reltuples from pg_class where relname = 'reading'`)).rows[0].reltuples)
    const rows = (n: number, from: number): string => Array.from({ length: n }, (_, i) => JSON.stringify({ servicePoint: 'many', start: new Date(Date.UTC(2024, 0, 1) + (from + i) * 900_000).toISOString(), minutes: 15, Wh: 1 })).join('\n'), ndjson = { 'content-type': 'application/x-ndjson' }
    await call('POST', 'service-points', { name: 'many' })
    t.equal((await call('POST', 'readings', rows(20, 0), ndjson)).statusCode, 200)
    t.equal(await known(), -1, 'never looked at')
    t.match((await call('POST', 'readings', rows(10_000, 20), ndjson)).data, { accepted: 10_000 })
    t.ok(await known() >= 10_020, String(await known()))
    await client.end()
  })

  await t.test('CORE-220, UX-060 exports: CSV, NDJSON and Green Button; a round trip is identical; within a scope ids are pseudonyms', async (t) => {
    const gb = await call('GET', 'exports/readings?servicePoint=home-1&format=greenbutton')
    t.match(gb.headers['content-type'], /atom/)
    await call('POST', 'service-points', { name: 'copy' })
    t.match((await call('POST', 'readings?servicePoint=copy', gb.body, atom)).data, { accepted: 7 })
    const strip = async (name: string) => (await call('GET', `readings?servicePoint=${name}`)).data.items.map((r: { start: string; minutes: number; Wh: number; channel: string; quality: string }) => [r.start, r.minutes, r.Wh, r.channel, r.quality])
    t.strictSame(await strip('copy'), await strip('home-1'))
    const csv = (await call('GET', 'exports/readings?servicePoint=home-1')).body
    t.match(csv.split('\r\n')[1], /^home-1,2026-07-02T06:00:00Z,15,250,import,RAW$/)
    const [a, b, c] = await Promise.all(['one', 'one', 'two'].map(async (scope) => (await call('GET', `exports/readings?servicePoint=home-1&format=ndjson&scope=${scope}`)).body))
    t.equal(a, b)
    t.not(a, c, 'a new scope breaks linkage')
    t.notMatch(a, /home-1/)
    t.match(JSON.parse(a!.split('\n')[0]!).servicePoint, /^[0-9a-f]{32}$/)
    t.ok((await call('GET', 'audit?limit=1000')).data.items.some((r: { action: string }) => r.action === 'reading.export'), 'CORE-231')
  })

  await t.test('CORE-221, CORE-222 aggregates keep small groups back and refuse differencing', async (t) => {
    await call('POST', 'service-points', Array.from({ length: 50 }, (_, i) => ({ name: `agg-${i}`, gridPath: [i < 20 ? 'big' : i < 47 ? 'other' : 'tiny', 'sub'] })))
    await call('POST', 'readings', { readings: Array.from({ length: 50 }, (_, i) => ({ servicePoint: `agg-${i}`, start: '2026-07-10T00:00:00Z', minutes: 15, Wh: 100 })) })
    const ask = { by: 'node', from: '2026-07-10T00:00:00Z', to: '2026-07-11T00:00:00Z', node: 'sub' }
    t.match((await call('POST', 'aggregates', ask)).data, { groups: [{ group: 'big', members: 20, kWh: 2 }, { group: 'other', members: 27, kWh: 2.7 }], suppressed: 1, total_kWh: null })
    t.match((await call('POST', 'aggregates', ask)).statusCode, 200, 'the same question again')
    await call('POST', 'service-points', { name: 'one-more', gridPath: ['big', 'sub'] })
    t.match(await call('POST', 'aggregates', ask), { statusCode: 409, data: { detail: /fewer than 15/ } })
  })

  await t.test('CORE-224 erasure takes the person and the readings, settled amounts stay', async (t) => {
    await call('POST', 'contacts', { servicePoint: 'home-0', email: 'a@example.org' })
    await call('PATCH', 'service-points/home-0', { account: 'Ada Lovelace' })
    const id = (await call('GET', 'service-points/home-0')).data.id
    t.match((await call('POST', 'service-points/home-0/erase', { reason: 'asked for' })).data, { contacts: 1, readings: 2, enrolmentsEnded: 1 })
    t.match((await call('GET', `service-points/${id}`)).data, { name: /^erased-[0-9a-f]{32}$/, account: null })
    t.equal((await call('GET', `readings?servicePoint=${id}`)).data.items.length, 0)
    t.strictSame(await database.stores.readings.history('default', id, 'import', at), [])
    t.match((await call('GET', 'audit/verify')).data, { verified: true }, 'the chain holds no personal data and stays whole')
  })

  await t.test('CORE-150 temperature comes in as a series and programs may name any method', async (t) => {
    t.equal((await call('POST', 'programs', { ...programTerms, name: 'w', baseline: { method: 'REGRESSION', level: 'portfolio', parameters: { weatherStation: 'KDEN' } } })).statusCode, 201)
    t.equal((await call('POST', 'programs', { ...programTerms, name: 'x', baseline: { method: 'NO_SUCH', level: 'portfolio' } })).statusCode, 422)
  })
})
