import t from 'tap'
import { Refusal } from '#core/error.js'
import { instantOf } from '#core/quantity/interval.js'
import { orderEnd as end, orderOf as order, orderStart as start, resourceOf, testVtn } from '#vtn/test-vtn.js'

const vtn = await testVtn()
t.teardown(() => vtn.close())

const wait = async (ok: () => boolean): Promise<void> => { for (let i = 0; i < 200 && !ok(); i++) await new Promise((r) => setTimeout(r, 5)) }

t.test('CORE-092 an order to a VEN that has not registered fails and may be retried', async (t) => {
  const [outcome] = await vtn.vtn.channel.send([order('o-0', 'site-1', -30_000)])
  t.equal(outcome?.outcome, 'failed')
})

t.test('CORE-092 each VEN sees exactly its own event, with a signed kW change and report descriptors', async (t) => {
  for (const [client, name] of [['ven_client', 'site-1'], ['ven_client2', 'site-2']] as const) {
    t.equal((await vtn.call('POST', '/vens', client, { objectType: 'VEN_VEN_REQUEST', venName: name })).statusCode, 201)
    vtn.resources.set(name, resourceOf(name))
  }
  const outcomes = await vtn.vtn.channel.send([order('o-1', 'site-1', -30_000), order('o-2', 'site-2', -12_500)])
  t.same(outcomes.map((o) => o.outcome), ['sent', 'sent'])
  const [metering, event, ...more] = (await vtn.call('GET', '/events', 'ven_client')).json()
  t.equal(more.length, 0)
  t.match(metering.id, /^metering-dispatch-1-/)
  t.equal(event.id, 'o-1')
  t.equal(event.intervalPeriod.start, '2026-06-01T22:00:00.000Z')
  t.equal(event.intervalPeriod.duration, 'PT15M')
  t.equal(event.intervals.length, 8)
  t.same(event.intervals[7], { id: 7, payloads: [{ type: 'DISPATCH_SETPOINT_RELATIVE', values: [-30] }] })
  t.same(event.reportDescriptors.map((d: { payloadType: string }) => d.payloadType), ['OPERATING_STATE'])
  t.equal((await vtn.call('GET', '/events/o-1', 'ven_client2')).statusCode, 404)
  t.equal((await vtn.call('GET', '/events/o-2', 'ven_client2')).json().intervals[0].payloads[0].values[0], -12.5)
  t.equal((await vtn.call('GET', '/programs', 'ven_client')).json()[0].programName, 'peak')
})

t.test('CORE-102 the first read by the VEN is received, once; business logic reading is not', async (t) => {
  await vtn.call('GET', '/events', 'bl_client')
  await vtn.call('GET', '/events', 'ven_client')
  await wait(() => vtn.told.happenings.length >= 2)
  t.same(vtn.told.happenings.map((h) => [h.delivery, h.state]).sort(), [['o-1', 'received'], ['o-2', 'received']])
})

t.test('REL-002 the same order twice has one effect; a higher revision replaces the event', async (t) => {
  await vtn.vtn.channel.send([order('o-1', 'site-1', -30_000)])
  t.equal((await vtn.call('GET', '/events', 'ven_client')).json().length, 2)
  await vtn.vtn.channel.send([order('o-1', 'site-1', -20_000, 2)])
  await vtn.vtn.channel.send([order('o-1', 'site-1', -30_000, 1)])
  const event = (await vtn.call('GET', '/events/o-1', 'ven_client')).json()
  t.equal(event.intervals[0].payloads[0].values[0], -20)
  t.not(event.createdDateTime, undefined)
})

const usage = (kWh: number[], from = 0, more: object[] = []) => ({
  eventID: 'o-1', clientName: 'site-1', payloadDescriptors: [{ objectType: 'REPORT_PAYLOAD_DESCRIPTOR', payloadType: 'USAGE', units: 'KWH' }],
  resources: [{ resourceName: 'site-1', intervals: kWh.map((v, i) => ({ id: from + i, payloads: [{ type: 'USAGE', values: [v] }, ...more] })) }],
})

t.test('CORE-093 USAGE reports become readings in Wh on the bound service point, placed by the event intervals', async (t) => {
  await wait(() => vtn.told.happenings.length >= 3)
  vtn.told.happenings.length = 0
  t.equal((await vtn.call('POST', '/reports', 'ven_client', usage([12.5, 12.345]))).statusCode, 201)
  await vtn.vtn.drain()
  t.match(vtn.told.readings, [
    { servicePoint: 'sp-site-1', channel: 'import', start, minutes: 15, Wh: 12_500, quality: 'RAW', source: 'openadr:site-1' },
    { start: start + 900, Wh: 12_345 },
  ])
  t.same(vtn.told.happenings.map((h) => h.state), ['started'])
  await vtn.call('POST', '/reports', 'ven_client', usage([10], 7))
  await vtn.vtn.drain()
  t.same(vtn.told.happenings.map((h) => h.state), ['started', 'started', 'completed'])
})

t.test('CORE-093 DEMAND in kW, export as negative, quality companion, parts of one site summed', async (t) => {
  vtn.told.readings.length = 0
  await vtn.call('POST', '/reports', 'ven_client', {
    eventID: 'o-1', clientName: 'site-1', resources: [
      { resourceName: 'a', intervalPeriod: { start: '2026-06-01T22:30:00Z', duration: 'PT15M' }, intervals: [{ id: 0, payloads: [{ type: 'DEMAND', values: [8] }, { type: 'DATA_QUALITY', values: ['ESTIMATED'] }] }, { id: 1, payloads: [{ type: 'USAGE', values: [-3] }] }] },
      { resourceName: 'b', intervalPeriod: { start: '2026-06-01T22:30:00Z', duration: 'PT15M' }, intervals: [{ id: 0, payloads: [{ type: 'USAGE', values: [1] }] }] },
    ],
  })
  await vtn.vtn.drain()
  t.match(vtn.told.readings, [{ start: start + 1800, Wh: 3000, quality: 'EST_PROFILE', channel: 'import' }, { start: start + 2700, Wh: 3000, channel: 'export' }])
})

t.test('CORE-093 availability, opt-out and claimed baseline', async (t) => {
  vtn.told.happenings.length = 0
  await vtn.call('POST', '/reports', 'ven_client2', {
    eventID: 'o-2', clientName: 'site-2', resources: [{ resourceName: 'site-2', intervals: [{ id: 0, payloads: [
      { type: 'LOAD_SHED_DELTA_AVAILABLE', values: [40] }, { type: 'BASELINE', values: [25] }, { type: 'OPERATING_STATE', values: ['RUNNING_OPTED_OUT'] }] }] }],
  })
  await vtn.vtn.drain()
  t.match(vtn.told.availability, [{ resource: 'res-site-2', start, end: start + 900, down_W: 40_000, up_W: 0 }])
  t.match(vtn.told.happenings, [{ delivery: 'o-2', state: 'optedOut', reason: 'RUNNING_OPTED_OUT' }])
  const [claim] = await vtn.db.stores.documents.list<{ Wh: number }[]>('test', { kind: 'vtn/claimed-baseline' })
  t.equal(claim?.body[0]?.Wh, 25_000)
  t.match(vtn.told.claims, [{ resource: 'res-site-2', claims: [{ start, end: start + 900, Wh: 25_000 }], source: 'openadr:site-2', lineage: /\/1$/ }], 'and the core is told')
  const inUnit = async (units: string, value: number): Promise<number[]> => {
    vtn.told.claims.length = 0
    await vtn.call('POST', '/reports', 'ven_client2', { eventID: 'o-2', clientName: 'site-2', payloadDescriptors: [{ objectType: 'REPORT_PAYLOAD_DESCRIPTOR', payloadType: 'BASELINE', units }], resources: [{ resourceName: 'site-2', intervals: [{ id: 0, payloads: [{ type: 'BASELINE', values: [value] }] }] }] })
    await vtn.vtn.drain()
    return vtn.told.claims.flatMap((c) => c.claims.map((x) => x.Wh))
  }
  t.same([await inUnit('KW', 40), await inUnit('WH', 700), await inUnit('VOLTS', 5)], [[10_000], [700], []], 'power is power, and what is neither is refused')
  t.equal(vtn.told.readings.length, 2)
  await vtn.call('POST', '/reports', 'ven_client2', { ...usage([10], 7), eventID: 'o-2' })
  await vtn.vtn.drain()
  t.equal(vtn.told.happenings.length, 1, 'who opted out and still meters has not said yes')
})

t.test('CORE-110 an opt-out that answers no order counts for as long as the event lasts', async (t) => {
  const program = (await vtn.call('POST', '/programs', 'bl_client', { programName: 'other' })).json()
  const event = (await vtn.call('POST', '/events', 'bl_client', { programID: program.id, intervalPeriod: { start: '2026-06-02T00:00:00Z', duration: 'PT1H' }, intervals: [{ id: 0, payloads: [] }] })).json()
  await vtn.call('POST', '/reports', 'ven_client', { eventID: event.id, clientName: 'x', resources: [{ resourceName: 'r', intervals: [{ id: 0, payloads: [{ type: 'OPERATING_STATE', values: ['IDLE_OPTED_OUT'] }] }] }] })
  await vtn.vtn.drain()
  t.match(vtn.told.optOuts, [{ resource: 'res-site-1', to: instantOf('2026-06-02T01:00:00Z'), reason: 'IDLE_OPTED_OUT' }])
})

t.test('OA-165 cancel makes the event start in year 0001 with no duration; told once the VEN reads it', async (t) => {
  vtn.told.happenings.length = 0
  await vtn.vtn.channel.cancel([order('o-1', 'site-1', -20_000, 2)], 'test')
  await vtn.vtn.channel.cancel([order('o-1', 'site-1', -20_000, 2)], 'test')
  const event = (await vtn.call('GET', '/events/o-1', 'ven_client')).json()
  t.same(event.intervalPeriod, { start: '0001-01-01T00:00:00Z', duration: 'PT0S' })
  await wait(() => vtn.told.happenings.length >= 1)
  t.match(vtn.told.happenings, [{ delivery: 'o-1', state: 'cancelled' }])
  await vtn.clock.advance(1000)
  t.same((await vtn.call('GET', '/events?active=true&programID=core-program-1', 'ven_client')).json().map((e: { eventName: string }) => e.eventName), ['dispatch-1 metering'], 'energy is wanted all the same')
})

t.test('CORE-093 OA-168 the metering event: on the meter grid, independent of revisions, cancels and opt-outs, and its reports say what became of the order', async (t) => {
  const f = await testVtn()
  t.teardown(() => f.close())
  f.resources.set('site-1', resourceOf('site-1'))
  await f.call('POST', '/vens', 'ven_client', { objectType: 'VEN_VEN_REQUEST', venName: 'site-1' })
  await f.vtn.channel.send([order('o-1', 'site-1', -30_000)])
  const metering = async () => (await f.call('GET', '/events', 'ven_client')).json().find((e: { id: string }) => e.id.startsWith('metering-'))
  const first = await metering()
  t.same([first.intervalPeriod, first.intervals.length], [{ start: '2026-06-01T21:00:00.000Z', duration: 'PT15M' }, 13], 'an hour before, the order, one interval after')
  t.ok(first.intervals.every((i: { payloads: unknown[] }) => i.payloads.length === 0))
  t.same(first.reportDescriptors.map((d: { payloadType: string }) => d.payloadType), ['USAGE'])
  const restated = { ...order('o-1', 'site-1', -40_000, 2), start: start + 90, intervals: [{ start: start + 90, end, delta_W: -40_000, expected_W: null, setpoint_W: null, limitImport_W: null }] }
  await f.vtn.channel.send([restated])
  const event = (await f.call('GET', '/events/o-1', 'ven_client')).json()
  t.same(event.intervals.map((i: { intervalPeriod: object }) => i.intervalPeriod).slice(0, 2), [{ start: '2026-06-01T22:01:30.000Z', duration: 'PT13M30S' }, { start: '2026-06-01T22:15:00.000Z', duration: 'PT15M' }])
  t.equal(event.intervals.length, 8)
  t.same((await metering()).modificationDateTime, first.modificationDateTime, 'a revision inside the window leaves it alone')
  await f.vtn.channel.send([{ ...restated, revision: 3, end: end + 900 }])
  t.equal((await metering()).intervals.length, 14, 'a longer order lengthens it')
  const usage1 = { ...usage([7, 8], 4), eventID: first.id }
  t.equal((await f.call('POST', '/reports', 'ven_client', usage1)).statusCode, 201)
  await f.vtn.drain()
  t.match(f.told.readings, [{ start, Wh: 7000 }, { start: start + 900, Wh: 8000 }])
  t.match(f.told.happenings.filter((h) => h.state !== 'received'), [{ delivery: 'o-1', state: 'started' }])
  await f.vtn.channel.cancel([{ ...restated, revision: 3 }], 'test')
  await f.call('POST', '/reports', 'ven_client', { ...usage([9], 6), eventID: first.id })
  await f.vtn.drain()
  t.match(f.told.readings.at(-1), { start: start + 1800, Wh: 9000 }, 'a cancelled order does not end the metering')
  t.equal(f.told.happenings.filter((h) => h.state === 'started').length, 1)
})

t.test('REL-002 a report that the core cannot take now is tried again and loses nothing', async (t) => {
  let failures = 1
  const f = await testVtn({}, { readings: { record: async () => { if (failures-- > 0) throw new Error('database away'); return { accepted: 1, duplicates: 0, corrected: 0 } } } })
  t.teardown(() => f.close())
  f.resources.set('site-1', resourceOf('site-1'))
  await f.call('POST', '/vens', 'ven_client', { objectType: 'VEN_VEN_REQUEST', venName: 'site-1' })
  await f.vtn.channel.send([order('o-1', 'site-1', -30_000)])
  await f.call('POST', '/reports', 'ven_client', usage([1]))
  await f.vtn.drain()
  t.equal(f.told.happenings.length, 0)
  await f.clock.advance(3000)
  await f.vtn.drain()
  t.match(f.told.happenings, [{ state: 'started' }])
  t.equal(failures, -1)
})

t.test('REL-002 OA-094 what follows the readings of a report is told again when it fails, also when report and event are deleted meanwhile', async (t) => {
  let failures = 1
  const f = await testVtn({}, { happenings: { happened: async (list) => { if (failures-- > 0) throw new Refusal('unavailable', 'the database is busy'); f.told.happenings.push(...list) } } })
  t.teardown(() => f.close())
  f.resources.set('site-1', resourceOf('site-1'))
  await f.call('POST', '/vens', 'ven_client', { objectType: 'VEN_VEN_REQUEST', venName: 'site-1' })
  await f.vtn.channel.send([order('o-1', 'site-1', -30_000)])
  const state = { payloads: [{ type: 'USAGE', values: [1] }, { type: 'OPERATING_STATE', values: ['RUNNING_OPTED_OUT'] }], id: 0 }
  t.equal((await f.call('POST', '/reports', 'ven_client', { eventID: 'o-1', clientName: 'site-1', resources: [{ resourceName: 'site-1', intervals: [state] }] })).statusCode, 201)
  await f.vtn.drain()
  t.same([f.told.readings.length, f.told.happenings.length, failures], [1, 0, 0], 'the first step is done, the second failed')
  t.equal((await f.call('DELETE', '/events/o-1')).statusCode, 200)
  await f.clock.advance(3000)
  await f.vtn.drain()
  t.match(f.told.happenings, [{ delivery: 'o-1', state: 'optedOut' }])
  t.equal((await f.db.stores.documents.get<{ state: string }>('test', 'vtn/order', 'o-1'))?.body.state, 'declined')
})
