import t from 'tap'
import { checkEvent, checkProgram, venFaults, withoutSafeMode } from '#vtn/profile/grid-aware-charging.js'
import { lifespan, place, plus, spanOf } from '#vtn/lifespan.js'
import { payloadFaults } from '#vtn/payload-rules.js'
import { priceEvent, readPrices } from '#vtn/price.js'
import { testVtn } from '#vtn/test-vtn.js'
import { inUtc, instantOf, isDateTime } from '#vtn/wire/date-time.js'
import type { EventRequest } from '#vtn/wire/event.js'

const now = Date.parse('2026-06-01T12:00:00Z'), hour = 3_600_000
const at = (h: number): number => now + h * hour
const iso = (h: number): string => new Date(at(h)).toISOString()
const interval = (id: number, intervalPeriod?: object) => ({ id, payloads: [], ...(intervalPeriod ? { intervalPeriod } : {}) })
const spans = (event: object) => place(event as EventRequest, now)?.map((p) => [(p.start - now) / hour, p.end === null ? null : (p.end - now) / hour])

t.test('OA-160 OA-161 OA-162 OA-163 where intervals lie', async (t) => {
  const table: [string, object, unknown][] = [
    ['defaults, one after the other', { intervalPeriod: { start: iso(0), duration: 'PT1H' }, intervals: [interval(0), interval(1), interval(2)] }, [[0, 1], [1, 2], [2, 3]]],
    ['own duration inherits the running start', { intervalPeriod: { start: iso(0), duration: 'PT1H' }, intervals: [interval(0), interval(1, { duration: 'PT2H' }), interval(2)] }, [[0, 1], [1, 3], [3, 4]]],
    ['own start jumps, the next follows it', { intervalPeriod: { start: iso(0), duration: 'PT1H' }, intervals: [interval(0), interval(1, { start: iso(5) }), interval(2)] }, [[0, 1], [5, 6], [6, 7]]],
    ['now at event level', { intervalPeriod: { start: '0001-01-01', duration: 'PT1H' }, intervals: [interval(0), interval(1)] }, [[0, 1], [1, 2]]],
    ['now in the first interval without event period', { intervals: [interval(0, { start: '0001-01-01T00:00:00Z', duration: 'PT1H' })] }, [[0, 1]]],
    ['now in the first interval with event period is the event start', { intervalPeriod: { start: iso(3) }, intervals: [interval(0, { start: '0001-01-01', duration: 'PT1H' })] }, [[3, 4]]],
    ['now in a later interval follows directly', { intervalPeriod: { start: iso(0), duration: 'PT1H' }, intervals: [interval(0), interval(1, { start: '0001-01-01' })] }, [[0, 1], [1, 2]]],
    ['endless by value', { intervalPeriod: { start: iso(0), duration: 'P9999Y0M0DT0H0M0S' }, intervals: [interval(0)] }, [[0, null]]],
    ['no duration is no length', { intervalPeriod: { start: iso(0) }, intervals: [interval(0)] }, [[0, 0]]],
    ['nothing to start from', { intervals: [interval(0)] }, undefined],
    ['a successor of an endless one', { intervalPeriod: { start: iso(0), duration: 'P9999Y' }, intervals: [interval(0), interval(1)] }, undefined],
  ]
  for (const [what, event, expected] of table) t.same(spans(event), expected, what)
})

t.test('REL-037 OA-162 times as they may be written: leap seconds are the second after, hour 24 and days that do not exist are no times', async (t) => {
  const v = await testVtn()
  t.teardown(() => v.close())
  const { id: programID } = (await v.call('POST', '/programs', 'bl_client', { programName: 'lexical' })).json()
  const table: [string, string | undefined, string?][] = [
    ['2016-12-31T23:59:60Z', '2016-12-31T23:59:60Z', '2017-01-01T00:00:00Z'], ['2016-12-31T23:59:60.25Z', '2016-12-31T23:59:60.25Z', '2017-01-01T00:00:00.250Z'], ['1990-12-31T15:59:60-08:00', '1990-12-31T23:59:60Z', '1991-01-01T00:00:00Z'],
    ['2015-07-01T05:29:60+05:30', '2015-06-30T23:59:60Z', '2015-07-01T00:00:00Z'], ['2016-12-31t23:59:59z', '2016-12-31T23:59:59Z', '2016-12-31T23:59:59Z'], ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59Z', '9999-12-31T23:59:59Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'], ['1969-12-31T23:59:59.999Z', '1969-12-31T23:59:59.999Z', '1969-12-31T23:59:59.999Z'], ['2026-02-01T00:00:00.123456789Z', '2026-02-01T00:00:00.123456789Z', '2026-02-01T00:00:00.123Z'],
    ['2016-12-31T24:00:00Z', undefined], ['2016-12-31T23:60:00Z', undefined], ['2016-12-31T23:59:61Z', undefined], ['2026-06-15T12:30:60Z', undefined], ['2016-12-30T23:59:60Z', undefined], ['2016-12-31T23:59:60+01:00', undefined], ['2026-02-29T00:00:00Z', undefined],
    ['2026-1-01T00:00:00Z', undefined], ['2026-01-01 00:00:00Z', undefined], ['2026-01-01T00:00Z', undefined], ['2026-01-01T00:00:00+0100', undefined], ['2026-01-01T00:00:00,5Z', undefined], ['+12026-01-01T00:00:00Z', undefined], ['-0001-01-01T00:00:00Z', undefined], ['2026-W01-1T00:00:00Z', undefined], ['', undefined],
  ]
  for (const [given, kept, means] of table) {
    t.equal(isDateTime(given), kept !== undefined, given)
    if (means !== undefined) t.equal(instantOf(given), Date.parse(means), given)
    const answer = await v.call('POST', '/events', 'bl_client', { programID, intervalPeriod: { start: given, duration: 'PT1H' } })
    t.equal(answer.statusCode, kept === undefined ? 400 : 201, given)
    if (kept !== undefined) t.same([inUtc(given), answer.json().intervalPeriod.start], [kept, kept])
  }
  t.same(spans({ intervalPeriod: { start: '2016-12-31T23:59:60Z', duration: 'PT1H' }, intervals: [interval(0)] }), [[0, 1].map((h) => h + (Date.parse('2017-01-01T00:00:00Z') - now) / hour)])
})

t.test('OA-163 months and years are calendar arithmetic in UTC, and nothing overflows', async (t) => {
  const from = Date.parse('2024-01-31T00:00:00Z')
  t.equal(plus(from, spanOf('P1M')), Date.parse('2024-02-29T00:00:00Z'))
  t.equal(plus(from, spanOf('P1Y1M')), Date.parse('2025-02-28T00:00:00Z'))
  t.equal(plus(from, spanOf('P2W')), Date.parse('2024-02-14T00:00:00Z'))
  t.equal(plus(from, spanOf('PT1.5S')), from + 1500)
  t.equal(plus(from, spanOf('P999999999D')), null)
})

t.test('OA-164 OA-165 OA-169 lifespan', async (t) => {
  const one = { intervalPeriod: { start: iso(0), duration: 'PT1H' }, intervals: [interval(0), interval(1)], programID: 'p' }
  const hours = (e: object) => { const l = lifespan(e as EventRequest, now); return l && [(l.start - now) / hour, l.end === null ? null : (l.end - now) / hour] }
  t.same(hours(one), [0, 2])
  t.same(hours({ ...one, duration: 'PT5H' }), [0, 5])
  t.same(hours({ ...one, duration: 'PT1H' }), [0, 1])
  t.same(hours({ ...one, duration: 'P9999Y' }), [0, null])
  t.same(hours({ programID: 'p', intervalPeriod: { start: iso(0), duration: 'PT1H' } }), [0, 1])
  t.same(hours({ programID: 'p', intervalPeriod: { start: iso(0), duration: 'PT1H' }, reportDescriptors: [{ payloadType: 'USAGE' }] }), [0, null])
})

t.test('OA-087 payload rules, and where the schema files are not followed to the letter', async (t) => {
  const ok: [string, unknown[]][] = [['SIMPLE', [2]], ['PRICE', [1, 2, 3]], ['DISPATCH_SETPOINT_RELATIVE', [-30]], ['OLS', [0, 1]], ['CURVE', [{ x: 1, y: 2 }]], ['PRIVATE', []], ['ALERT_FIRE', ['run']]]
  const bad: [string, unknown[]][] = [['SIMPLE', [4]], ['SIMPLE', [1, 2]], ['PRICE', ['x']], ['DISPATCH_SETPOINT', [-1]], ['CONTROL_LEVEL_OFFSET', [11]], ['OLS', [2]], ['CTA2045_REBOOT', [2]], ['GHG', [-1]]]
  for (const [type, values] of ok) t.equal(payloadFaults('event', [[{ type, values }]]).length, 0, type)
  for (const [type, values] of bad) t.equal(payloadFaults('event', [[{ type, values }]]).length, 1, type)
  t.equal(payloadFaults('report', [[{ type: 'OPERATING_STATE', values: ['AGGREGATED_REPORT'] }]]).length, 1)
})

t.test('OA-260 Grid Aware Charging 2.1', async (t) => {
  const attributes = [{ type: 'PROGRAM_TYPE', values: ['DSO_CPO_INTERFACE-2.1.1'] }, { type: 'RETAILER_NAME', values: ['Net'] }, { type: 'BINDING_EVENTS', values: [true] }]
  t.doesNotThrow(() => checkProgram({ programName: 'x', attributes }))
  t.throws(() => checkProgram({ programName: 'x', attributes: attributes.slice(0, 2) }), /BINDING_EVENTS/)
  const good = {
    programID: 'p', targets: ['871234567890123456'], payloadDescriptors: [{ objectType: 'EVENT_PAYLOAD_DESCRIPTOR' as const, payloadType: 'IMPORT_CAPACITY_LIMIT', units: 'KW' }],
    intervalPeriod: { start: iso(0), duration: 'PT15M' }, intervals: [{ id: 0, payloads: [{ type: 'IMPORT_CAPACITY_LIMIT', values: [5] }] }, { id: 1, payloads: [{ type: 'IMPORT_CAPACITY_LIMIT', values: [6] }] }],
  }
  t.doesNotThrow(() => checkEvent({ attributes }, good))
  for (const bad of [{ priority: 1 }, { targets: ['x'] }, { payloadDescriptors: [] }, { intervals: [] }, { intervals: [...good.intervals].reverse() }, { intervalPeriod: undefined }, { intervals: [{ id: 0, payloads: [] }] }]) t.throws(() => checkEvent({ attributes }, { ...good, ...bad } as EventRequest), JSON.stringify(bad))
  t.doesNotThrow(() => checkEvent({}, { programID: 'p', priority: 1 }), 'other programs are left alone')
  t.same(venFaults('NL-ABC', ['871234567890123456']), [])
  t.equal(venFaults('XX-ABC', []).length, 1)
  t.equal(venFaults('NLABC', ['1']).length, 1)
})

t.test('OA-261 day-ahead prices from CSV as one event', async (t) => {
  const csv = `start,price\n${Array.from({ length: 24 }, (_, h) => `${iso(h)},${(0.1 + h / 100).toFixed(2)}`).join('\n')}\n`
  const event = priceEvent(readPrices(csv), 'p', 'USD', 'day')
  t.equal(event.intervals?.length, 24)
  t.match(event.intervals?.[23], { intervalPeriod: { start: iso(23), duration: 'PT1H' }, payloads: [{ type: 'PRICE', values: [0.33] }] })
  for (const bad of ['', 'a,b\n', 'start,price\n', 'start,price\n2026-01-01,1', `start,price\n${iso(0)},x`, `start,price\n${iso(0)},1\n${iso(0)},2`]) t.throws(() => readPrices(bad), bad)
  const v = await testVtn({ publicReads: true })
  t.teardown(() => v.close())
  const id = await v.vtn.publishPrices('tariff', 'USD', '2026-06-01', csv)
  t.equal(await v.vtn.publishPrices('tariff', 'USD', '2026-06-01', csv.replace('0.10', '0.50')), id, 'the same day again replaces it')
  const [program] = (await v.call('GET', '/programs?programName=tariff', null)).json()
  const list = (await v.call('GET', `/events?programID=${program.id}`, null)).json()
  t.equal(list.length, 1)
  t.equal(list[0].intervals[0].payloads[0].values[0], 0.5)
})

t.test('OA-088 OA-087 OA-085 strict and lenient deployments', async (t) => {
  const strict = await testVtn({ validation: { payloads: 'strict', lenientDescriptors: true }, delete: { policy: 'restrict' }, reports: { blDelete: false } })
  t.teardown(() => strict.close())
  const p = (await strict.call('POST', '/programs', 'bl_client', { programName: 'p' })).json()
  const post = (more: object) => strict.call('POST', '/events', 'bl_client', { programID: p.id, ...more })
  t.equal((await post({ intervals: [interval(0)] })).statusCode, 400)
  t.equal((await post({ intervalPeriod: { start: iso(0) }, intervals: [{ id: 0, payloads: [{ type: 'SIMPLE', values: [9] }] }] })).statusCode, 400)
  const made = await post({ payloadDescriptors: [{ payloadType: 'PRICE' }] })
  t.equal(made.json().payloadDescriptors[0].objectType, 'EVENT_PAYLOAD_DESCRIPTOR')
  t.equal((await strict.call('DELETE', `/programs/${p.id}`)).statusCode, 409, 'OA-093 restrict')
  const r = (await strict.call('POST', '/reports', 'ven_client', { eventID: made.json().id, clientName: 'x', resources: [] })).json()
  t.equal((await strict.call('DELETE', `/reports/${r.id}`)).statusCode, 403, 'OA-035')
})

t.test('OA-056 with lenientNulls a null stands for an absent member, on both surfaces; required ones stay required', async (t) => {
  const v = await testVtn({ validation: { lenientNulls: true } })
  t.teardown(() => v.close())
  const made = await v.call('POST', '/programs', 'bl_client', { programName: 'p', intervalPeriod: null, attributes: null, targets: null })
  t.equal(made.statusCode, 201)
  const event = await v.call('POST', '/events', 'bl_client', { programID: made.json().id, duration: null, intervalPeriod: { start: '2026-06-01T00:00:00Z', duration: null, randomizeStart: null }, intervals: [{ id: 0, intervalPeriod: null, payloads: [] }] })
  t.equal(event.statusCode, 201)
  t.same([event.json().intervals, event.json().intervalPeriod], [[{ id: 0, payloads: [] }], { start: '2026-06-01T00:00:00Z' }])
  t.equal((await v.call('POST', '/programs', 'bl_client', { programName: null })).statusCode, 400)
  t.equal((await v.call('POST', '/openadr3/3.0.1/programs', 'bl_client', { programName: 'old', intervalPeriod: null, country: null })).statusCode, 201)
})

t.test('OA-260 where the profile is on, vens and programs are checked at the door, and connections without a safe mode are named', async (t) => {
  const v = await testVtn({ validation: { gridAwareCharging: true } })
  t.teardown(() => v.close())
  const ean = '871234567890123456'
  const ven = (venName: string, targets: string[]) => v.call('POST', '/vens', 'bl_client', { objectType: 'BL_VEN_REQUEST', clientID: 'ven_client', venName, targets })
  t.equal((await ven('charging-point', [ean])).statusCode, 400)
  t.equal((await ven('NL-ABC', ['group'])).statusCode, 400)
  t.equal((await ven('NL-ABC', [ean])).statusCode, 201)
  const attributes = [{ type: 'PROGRAM_TYPE', values: ['DSO_CPO_INTERFACE-2.1.1'] }, { type: 'RETAILER_NAME', values: ['Net'] }, { type: 'BINDING_EVENTS', values: [true] }]
  const limit = (targets: string[], more: object): EventRequest => ({ programID: 'p', targets, intervals: [{ id: 0, payloads: [{ type: 'IMPORT_CAPACITY_LIMIT', values: [4] }] }], ...more })
  t.same(withoutSafeMode({ attributes }, [limit([ean, '871234567890123457'], {}), limit([ean], { intervalPeriod: { start: iso(0), duration: 'P9999Y' } })]), ['871234567890123457'])
  t.same(withoutSafeMode({}, [limit([ean], {})]), [], 'other programs are left alone')
})

t.test('OA-262 dynamic operating envelopes: subscription, reservation, available and limit are published, and reservations asked for by OPEN_INTERVALS', async (t) => {
  const v = await testVtn({ validation: { payloads: 'strict' } })
  t.teardown(() => v.close())
  const program = (await v.call('POST', '/programs', 'bl_client', { programName: 'envelope' })).json()
  const types = ['SUBSCRIPTION', 'RESERVATION', 'RESERVATION_FEE', 'AVAILABLE', 'AVAILABLE_PRICE', 'LIMIT'].flatMap((x) => [`IMPORT_CAPACITY_${x}`, `EXPORT_CAPACITY_${x}`])
  const payloads = types.map((type, i) => ({ type, values: [i + 0.5] }))
  const made = await v.call('POST', '/events', 'bl_client', {
    programID: program.id, intervalPeriod: { start: iso(0), duration: 'PT1H' }, intervals: [{ id: 0, payloads }],
    reportDescriptors: [{ payloadType: 'IMPORT_RESERVATION_CAPACITY', units: 'KW', reportIntervals: 'OPEN_INTERVALS', historical: false }],
  })
  t.equal(made.statusCode, 201, made.body)
  t.same(made.json().intervals[0].payloads, payloads)
  t.equal((await v.call('POST', '/events', 'bl_client', { programID: program.id, intervalPeriod: { start: iso(0), duration: 'PT1H' }, intervals: [{ id: 0, payloads: [{ type: 'IMPORT_CAPACITY_LIMIT', values: ['5'] }] }] })).statusCode, 400)
  await v.call('POST', '/vens', 'ven_client', { objectType: 'VEN_VEN_REQUEST', venName: 'site' })
  const wish = { eventID: made.json().id, clientName: 'site', payloadDescriptors: [{ objectType: 'REPORT_PAYLOAD_DESCRIPTOR', payloadType: 'IMPORT_RESERVATION_CAPACITY', units: 'KW' }], resources: [{ resourceName: 'site', intervals: [{ id: 77, intervalPeriod: { start: iso(5), duration: 'PT2H' }, payloads: [{ type: 'IMPORT_RESERVATION_CAPACITY', values: [11] }, { type: 'IMPORT_RESERVATION_FEE', values: [0.3] }] }] }] }
  const report = await v.call('POST', '/reports', 'ven_client', wish)
  t.equal(report.statusCode, 201, report.body)
  t.same((await v.call('GET', `/reports?eventID=${made.json().id}`)).json()[0].resources, wish.resources, 'ids and times chosen by the VEN')
})
