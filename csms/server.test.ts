import t from 'tap'
import type { DeliveryOrder } from '#core/port/dispatch-channel.js'
import { bench, password, station, HandStation, type Bench, type HandStation as Hand } from './fixture.js'
import { notesOf } from './journal.js'
import { energyIn } from './register.js'
import type { Transaction } from './transaction.js'

t.setTimeout(300_000)

let b: Bench
t.before(async () => { b = await bench({ stations: Array.from({ length: 20 }, (_, i) => `CS${String(i + 1).padStart(3, '0')}`) }) })
t.teardown(() => b.close())

const iso = (ms: number): string => new Date(ms).toISOString()
const event = (eventType: string, seqNo: number, timestamp: string, more: object = {}, transactionId = 'T1', info: object = {}): object => ({
  eventType, seqNo, timestamp, triggerReason: eventType === 'Ended' ? 'EVDeparted' : 'CablePluggedIn', transactionInfo: { transactionId, ...info }, ...more,
})
const meter = (timestamp: string, Wh: number): object => ({ timestamp, sampledValue: [{ value: Wh }] })

let orders = 0
function order(id: string, evseId: number | undefined, W: number | null, more: Partial<DeliveryOrder> = {}): DeliveryOrder {
  const start = more.start ?? Math.floor(Date.now() / 1000) + 600, end = more.end ?? start + 7200
  return {
    id: `d${orders += 1}`, tenant: 'test', dispatch: 'D', revision: 1, program: { id: 'p', name: 'peak' },
    resource: { id: `res-${id}`, name: id, kind: 'evse', rated_W: 22_000, servicePoint: 'sp' },
    binding: { protocol: 'ocpp', remoteId: id, control: true, ...(evseId === undefined ? {} : { evseId }) }, start, end,
    intervals: [{ start, end, delta_W: -5000, expected_W: W === null ? null : W + 5000, setpoint_W: W, limitImport_W: W }],
    randomize_s: 0, expiry: end + 3600, priority: 1, reportEvery_s: 900, createdAt: 0, ...more,
  }
}
const states = (id: string): string[] => b.happenings.filter((h) => h.delivery === id).map((h) => h.state)
const profileOf = (call: { payload: Record<string, unknown> } | undefined) => call?.payload['chargingProfile'] as Record<string, unknown> & { chargingSchedule: Record<string, unknown>[] }
const sent = (s: Hand, action: string) => s.calls.filter((c) => c.action === action)

t.test('OCPP-080, 161 boot, heartbeat and status; the registration holds over a restart of ours', async (t) => {
  const s = await station(b, 'CS001')
  t.ok(Math.abs(Date.parse(((await s.call('Heartbeat', {}))[2] as { currentTime: string }).currentTime) - Date.now()) < 2000)
  await s.call('StatusNotification', { timestamp: iso(1000), connectorStatus: 'Occupied', evseId: 1, connectorId: 1 })
  await s.call('StatusNotification', { timestamp: iso(500), connectorStatus: 'Available', evseId: 1, connectorId: 1 })
  const known = await b.csms.fleet.find('test', 'CS001')
  t.match(known?.record.connectors['1/1'], { status: 'Occupied' }, 'OCPP-160 the newest timestamp wins')
  await b.restart()
  await s.until(() => s.closed !== undefined)
  t.equal(s.closed?.code, 1001, 'OCPP-016')
  const again = await station(b, 'CS001', { boot: false })
  t.equal((await again.call('Heartbeat', {}))[0], 3)
  t.match((await b.csms.fleet.find('test', 'CS001'))?.record.connectors['1/1'], { status: 'Occupied' })
  await again.close()
})

t.test('OCPP-110, 111, 113, 134 tokens in Authorize and TransactionEvent', async (t) => {
  const s = await station(b, 'CS002')
  const ask = async (idToken: string, type = 'ISO14443'): Promise<unknown> => ((await s.call('Authorize', { idToken: { idToken, type } }))[2] as { idTokenInfo: unknown }).idTokenInfo
  t.same(await ask('deadbeef'), { status: 'Accepted' }, 'OCPP-110 case does not count')
  t.same(await ask('DEADBEEF', 'eMAID'), { status: 'Unknown' }, 'the type does')
  t.match(await ask('BLOCKED01'), { status: 'Blocked' })
  t.match(await ask('EXPIRED01'), { status: 'Expired' })
  t.match(await ask('GROUP01'), { status: 'Accepted', groupIdToken: { idToken: 'FLEET1', type: 'Central' } })
  t.match(await ask('nobody'), { status: 'Unknown' })
  t.match(await ask('', 'NoAuthorization'), { status: 'Accepted' })
  const [, , answer] = await s.call('TransactionEvent', event('Started', 0, iso(0), { evse: { id: 1 }, idToken: { idToken: 'GROUP02', type: 'ISO14443' } }, 'TT'))
  t.match(answer, { idTokenInfo: { status: 'Accepted', groupIdToken: { idToken: 'FLEET1' } } })
  const [, , bad] = await s.call('TransactionEvent', event('Updated', 1, iso(1), { idToken: { idToken: 'BLOCKED01', type: 'ISO14443' } }, 'TT'))
  t.match(bad, { idTokenInfo: { status: 'Blocked' } })
  t.equal((await b.csms.fleet.find('test', 'CS002'))?.transactions.get('TT')?.deauthorised, true)
  await s.close()
})

t.test('OCPP-115 a token that may be in one transaction only; the station that has it gets Accepted', async (t) => {
  const one = await station(b, 'CS003'), two = await station(b, 'CS004')
  const idToken = { idToken: 'SINGLE01', type: 'ISO14443' }
  t.match((await one.call('TransactionEvent', event('Started', 0, iso(0), { evse: { id: 1 }, idToken })))[2], { idTokenInfo: { status: 'Accepted' } })
  t.match((await two.call('Authorize', { idToken }))[2], { idTokenInfo: { status: 'ConcurrentTx' } })
  t.match((await two.call('TransactionEvent', event('Started', 0, iso(0), { evse: { id: 1 }, idToken }, 'U1')))[2], { idTokenInfo: { status: 'ConcurrentTx' } }, 'whatever it did not ask')
  t.match((await one.call('TransactionEvent', event('Started', 0, iso(0), { evse: { id: 2 }, idToken }, 'T2')))[2], { idTokenInfo: { status: 'ConcurrentTx' } }, 'at its own station too')
  t.match((await one.call('Authorize', { idToken }))[2], { idTokenInfo: { status: 'Accepted' } }, 'so that it can end its own')
  t.match((await one.call('TransactionEvent', event('Updated', 1, iso(1), { idToken })))[2], { idTokenInfo: { status: 'Accepted' } })
  t.match((await one.call('TransactionEvent', event('Ended', 2, iso(2), { idToken })))[2], { idTokenInfo: { status: 'Accepted' } })
  t.match((await two.call('Authorize', { idToken }))[2], { idTokenInfo: { status: 'Accepted' } })
  await one.close()
  await two.close()
})

t.test('OCPP-130…132, REL-050, REL-051 offline replay in any order and twice ends in the same stored state and energy', async (t) => {
  const at = (minute: number): string => iso(Date.UTC(2026, 0, 5, 10, minute))
  const story = [
    event('Started', 0, at(0), { evse: { id: 1, connectorId: 1 }, offline: true, meterValue: [meter(at(0), 1000)] }),
    event('Updated', 1, at(10), { offline: true, meterValue: [meter(at(10), 2000)] }, 'T1', { chargingState: 'Charging' }),
    event('Updated', 2, at(20), { offline: true, meterValue: [meter(at(20), 3000)] }),
    event('Ended', 3, at(30), { offline: true, meterValue: [meter(at(30), 4000)] }, 'T1', { stoppedReason: 'EVDisconnected', chargingState: 'Idle' }),
  ]
  const orders = [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1], [3, 0, 0, 1, 2, 2]]
  const ends: unknown[] = []
  for (const [i, sequence] of orders.entries()) {
    const id = `CS${String(i + 5).padStart(3, '0')}`
    const s = await station(b, id)
    for (const n of sequence) t.equal((await s.call('TransactionEvent', story[n], `m${i}-${n}-${Math.random()}`))[0], 3)
    const stored = await b.database.stores.documents.get<Transaction>('test', 'csms/Transaction', `${id}/T1`)
    const { ended, complete, stoppedReason, chargingState, evseId, startedAt, endedAt, seen, flags } = (stored as { body: Transaction }).body
    const register = await b.database.stores.documents.get<never>('test', 'csms/Register', `${id}/1/import`)
    const base = Date.UTC(2026, 0, 5, 10) / 1000
    ends.push({ ended, complete, stoppedReason, chargingState, evseId, startedAt, endedAt, seen, flags, first: energyIn((register as { body: never }).body, base, 900), second: energyIn((register as { body: never }).body, base + 900, 900) })
    t.equal((await notesOf(b.database.stores.documents, 'test', 'csms/TransactionEvent', `${id}/T1`)).length, 4, 'each event once')
    await s.close()
  }
  t.match(ends[0], { ended: true, complete: true, stoppedReason: 'EVDisconnected', evseId: 1, first: 1500, second: 1500, flags: [] })
  for (const end of ends) t.same(end, ends[0])
  const newest = new Map(b.readings.filter((r) => r.servicePoint === 'sp-CS005-1').map((r) => [r.start, r.Wh]))
  t.same([...newest.values()], [1500, 1500], 'readings in Wh by quarter hour, nothing counted twice')
})

t.test('OCPP-170, 172, 173 units, phases, a meter that goes back', async (t) => {
  const s = await station(b, 'CS010')
  const at = (minute: number): string => iso(Date.UTC(2026, 0, 6, 10, minute))
  const kWh = (timestamp: string, value: number): object => ({ timestamp, sampledValue: [{ value, unitOfMeasure: { unit: 'kWh' } }] })
  const phases = (timestamp: string, each: number): object => ({ timestamp, sampledValue: ['L1', 'L2', 'L3'].map((phase) => ({ value: each, phase, unitOfMeasure: { unit: 'Wh', multiplier: 1 } })) })
  await s.call('MeterValues', { evseId: 1, meterValue: [kWh(at(0), 5), kWh(at(15), 6)] })
  await s.call('MeterValues', { evseId: 1, meterValue: [phases(at(30), 250)] })
  await s.call('MeterValues', { evseId: 1, meterValue: [kWh(at(45), 1), kWh(at(60), 2)] })
  await s.call('MeterValues', { evseId: 0, meterValue: [kWh(at(15), 1), kWh(at(60), 999)] })
  t.same(b.readings.filter((r) => r.source === 'ocpp:CS010/1').map((r) => r.Wh), [1000, 1500, 0, 1000], 'no negative interval; the main meter is not counted beside its EVSE')
  await s.close()
})

t.test('OCPP-227, 233, CORE-099, CORE-102 an order becomes a profile that ends by itself, and is taken back by id', async (t) => {
  const s = await station(b, 'CS011')
  s.replies['SetChargingProfile'] = { status: 'Accepted' }
  s.replies['ClearChargingProfile'] = { status: 'Accepted' }
  const o = order('CS011', 1, 2000)
  const [outcome] = await b.csms.channel.send([o])
  t.match(outcome, { id: o.id, outcome: 'sent', remoteRef: '1000000' })
  await s.until(() => states(o.id).length === 1)
  t.same(states(o.id), ['accepted'])
  const p = profileOf(sent(s, 'SetChargingProfile')[0])
  t.match(sent(s, 'SetChargingProfile')[0]?.payload, { evseId: 1 })
  t.match(p, { id: 1_000_000, stackLevel: 2, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Absolute', validTo: iso((o.end + 60) * 1000) })
  t.match(p.chargingSchedule, [{ startSchedule: iso(o.start * 1000), duration: 7200, chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit: 2000 }] }])
  await b.csms.channel.send([o])
  t.equal(sent(s, 'SetChargingProfile').length, 1, 'REL-002 asked twice, sent once')
  await b.csms.channel.send([{ ...o, revision: 2, intervals: [{ ...o.intervals[0]!, limitImport_W: 1000 }] }])
  await s.until(() => sent(s, 'SetChargingProfile').length === 2)
  t.equal(profileOf(sent(s, 'SetChargingProfile')[1]).id, 1_000_000, 'OCPP-235 a revision restates the same id')
  await s.until(() => states(o.id).length === 2)
  await b.csms.channel.cancel([o], 'test')
  await s.until(() => states(o.id).includes('cancelled'))
  t.same(sent(s, 'ClearChargingProfile')[0]?.payload, { chargingProfileId: 1_000_000 })
  t.match(await b.csms.channel.cancel([o], 'again'), [{ outcome: 'acknowledged' }])
  t.match(await b.csms.channel.send([order('CS011', 1, null)]), [{ outcome: 'refused' }], 'CORE-090 no forecast, no ceiling')
  t.match(await b.csms.channel.send([order('NOBODY', 1, 1)]), [{ outcome: 'refused' }])
  await s.close()
})

t.test('OCPP-235, CORE-051 a revision is another delivery of the same order: restated under the same id, and the old one is not taken from under it', async (t) => {
  const s = await station(b, 'CS013')
  s.replies['SetChargingProfile'] = { status: 'Accepted' }
  s.replies['ClearChargingProfile'] = { status: 'Accepted' }
  const first = order('CS013', 1, 2000, { dispatch: 'D-rev' }), { start, end } = first, middle = start + 3600
  const later = (revision: number, W: number, window = { start, end }): DeliveryOrder => order('CS013', 1, W, { dispatch: 'D-rev', revision, ...window })
  await b.csms.channel.send([first])
  await s.until(() => states(first.id).includes('accepted'))
  const second = later(2, 1000)
  await b.csms.channel.send([second])
  await s.until(() => states(second.id).includes('accepted'))
  const told = (): [unknown, unknown][] => sent(s, 'SetChargingProfile').map(profileOf).map((p) => [p['id'], (p.chargingSchedule[0]!['chargingSchedulePeriod'] as { limit: number }[])[0]!.limit])
  const id = told()[0]![0]
  t.same(told(), [[id, 2000], [id, 1000]])
  t.match(await b.csms.channel.cancel([first], 'superseded'), [{ outcome: 'acknowledged', reason: 'nothing is installed' }])
  // parts of one order at other times are not each other's restatement
  const early = later(3, 500, { start, end: middle }), late = later(3, 700, { start: middle, end }), earlier = later(4, 300, { start, end: middle })
  for (const o of [early, late, earlier]) {
    await b.csms.channel.send([o])
    await s.until(() => states(o.id).includes('accepted'))
  }
  const ids = told().slice(2).map(([i]) => i)
  t.equal(ids[0], id, 'the first part has the id')
  t.not(ids[1], id, 'the second stands beside it')
  t.equal(ids[2], id, 'the first part again')
  t.equal(sent(s, 'ClearChargingProfile').length, 0)
  await s.close()
})

t.test('OCPP-227, 180 with a TxProfile in a running transaction the limit is a TxProfile above it', async (t) => {
  const s = await station(b, 'CS012')
  s.replies['SetChargingProfile'] = { status: 'Accepted' }
  await s.call('TransactionEvent', event('Started', 0, iso(Date.now()), { evse: { id: 1, connectorId: 1 } }, 'TX', { chargingState: 'Charging' }))
  const departure = iso(Date.now() + 6 * 3600_000)
  const needs = { evseId: 1, chargingNeeds: { requestedEnergyTransfer: 'AC_three_phase', departureTime: departure, acChargingParameters: { energyAmount: 20_000, evMinCurrent: 6, evMaxCurrent: 16, evMaxVoltage: 230 } } }
  t.same((await s.call('NotifyEVChargingNeeds', needs))[2], { status: 'Accepted' })
  await s.until(() => sent(s, 'SetChargingProfile').length === 1)
  t.match(profileOf(sent(s, 'SetChargingProfile')[0]), { chargingProfilePurpose: 'TxProfile', transactionId: 'TX', stackLevel: 1, chargingSchedule: [{ chargingSchedulePeriod: [{ limit: 11_040 }] }] }, 'K15.FR.08')
  t.match(b.availability.filter((a) => a.resource === 'res-CS012-1').at(-1), { source: 'ocpp:CS012/1' })
  t.ok(b.availability.some((a) => a.resource === 'res-CS012-1' && a.down_W > 10_000), 'CORE-031 what the car would draw and can give')
  const o = order('CS012', 1, 4000)
  await b.csms.channel.send([o])
  await s.until(() => states(o.id).length === 1)
  const placed = sent(s, 'SetChargingProfile').slice(1).map(profileOf)
  t.same(placed.map((p) => [p['chargingProfilePurpose'], p['transactionId'], p['stackLevel']]), [['TxProfile', 'TX', 2], ['TxDefaultProfile', undefined, 2]])
  await s.call('TransactionEvent', event('Ended', 1, iso(Date.now()), {}, 'TX'))
  t.same([...(await b.csms.fleet.find('test', 'CS012'))?.ledger.values() ?? []].filter((e) => e.profile.transactionId === 'TX').map((e) => e.state), ['gone', 'gone'])
  t.match(await b.csms.command('CS012', 'SetChargingProfile', { evseId: 1, chargingProfile: { ...placed[0], id: 5, stackLevel: 0 } }), { kind: 'refused', checks: [{ check: 'OCPP-180' }] })
  t.match((await s.call('NotifyEVChargingNeeds', needs))[2], { status: 'Rejected' }, 'no transaction, no schedule')
  await s.close()
})

t.test('OCPP-228, 191 the ladder: each rejection asks for the next way, the last one tells the core', async (t) => {
  const s = await station(b, 'CS013')
  s.replies['SetChargingProfile'] = (p) => {
    const profile = p['chargingProfile'] as { chargingSchedule: { chargingRateUnit: string }[]; stackLevel: number }
    if (profile.chargingSchedule[0]?.chargingRateUnit === 'W') return { status: 'Rejected', statusInfo: { reasonCode: 'UnsupportedRateUnit' } }
    return profile.stackLevel > 1 ? { status: 'Rejected', statusInfo: { reasonCode: 'InvalidStackLevel' } } : { status: 'Accepted' }
  }
  const o = order('CS013', 1, 6900)
  await b.csms.channel.send([o])
  await s.until(() => states(o.id).length === 1)
  t.same(states(o.id), ['accepted'])
  const tried = sent(s, 'SetChargingProfile').map(profileOf)
  t.same(tried.map((p) => [p['stackLevel'], p.chargingSchedule[0]?.['chargingRateUnit'], (p.chargingSchedule as { chargingSchedulePeriod?: { limit: number }[] }[])[0]?.chargingSchedulePeriod?.[0]?.limit]), [[2, 'W', 6900], [2, 'A', 10], [1, 'A', 10]], 'V22 6900 W are 10.0 A on three phases')
  s.replies['SetChargingProfile'] = { status: 'Rejected', statusInfo: { reasonCode: 'Unspecified' } }
  const no = order('CS013', 1, 3000, { start: Math.floor(Date.now() / 1000) + 90_000 })
  await b.csms.channel.send([no])
  await s.until(() => states(no.id).length === 1)
  t.same(b.happenings.filter((h) => h.delivery === no.id).map((h) => [h.state, h.reason]), [['rejected', 'Unspecified']])
  s.replies['SetChargingProfile'] = ['NotSupported', '', {}]
  const before = sent(s, 'SetChargingProfile').length
  const never = order('CS013', 1, 3000, { start: Math.floor(Date.now() / 1000) + 190_000 })
  await b.csms.channel.send([never])
  await s.until(() => states(never.id).length === 1)
  t.equal(sent(s, 'SetChargingProfile').length, before + 1, 'no smart charging: no second try')
  await s.close()
})

t.test('OCPP-068, 235, 248 offline at dispatch and at cancel: the station gets it when it is back', async (t) => {
  const first = await station(b, 'CS014')
  await first.close()
  const o = order('CS014', 1, 2000)
  t.match(await b.csms.channel.send([o]), [{ outcome: 'sent' }])
  await b.restart()
  const s = new HandStation(b.url, 'CS014', { password: password('CS014') })
  s.replies['SetChargingProfile'] = { status: 'Accepted' }
  await s.open()
  await s.until(() => states(o.id).length === 1)
  t.same(states(o.id), ['accepted'], 'the wish outlived the process')
  await s.close()
  t.match(await b.csms.channel.cancel([o], 'x'), [{ outcome: 'sent', reason: /reconnect/ }])
  await b.restart()
  const back = new HandStation(b.url, 'CS014', { password: password('CS014') })
  back.replies['ClearChargingProfile'] = { status: 'Unknown' }
  await back.open()
  await back.until(() => states(o.id).includes('cancelled'))
  t.same(sent(back, 'ClearChargingProfile').map((c) => c.payload), [{ chargingProfileId: 1_000_000 }])
  t.equal(sent(back, 'SetChargingProfile').length, 0)
  await back.close()
})

t.test('OCPP-052, 053, CORE-103 a silent station is asked again, each time under a new id, then it is noComms', async (t) => {
  const s = await station(b, 'CS015')
  const o = order('CS015', 1, 2000)
  await b.csms.channel.send([o])
  await s.until(() => states(o.id).length === 1)
  t.same(states(o.id), ['noComms'])
  t.equal(sent(s, 'SetChargingProfile').length, 3)
  t.equal(new Set(s.heard.map((f) => f[1])).size, 3, 'OCPP-053 a retry has a new id')
  await s.close()
})

t.test('OCPP-181…194, OCPP-226 rules that bind us refuse a command before it is on the wire', async (t) => {
  const s = await station(b, 'CS016')
  const profile = (more: object, schedule: object = {}): object => ({ evseId: 1, chargingProfile: {
    id: 1, stackLevel: 0, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Absolute',
    chargingSchedule: [{ id: 1, startSchedule: '2026-01-01T00:00:00Z', chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit: 1000 }], ...schedule }], ...more,
  } })
  const cases: [string, object, string][] = [
    ['SetChargingProfile', profile({ chargingProfilePurpose: 'ChargingStationExternalConstraints' }), 'K01.FR.22'],
    ['SetChargingProfile', profile({ chargingProfilePurpose: 'ChargingStationMaxProfile' }), 'K01.FR.03'],
    ['SetChargingProfile', profile({ chargingProfilePurpose: 'TxProfile' }), 'K01.FR.03'],
    ['SetChargingProfile', profile({ chargingProfileKind: 'Relative' }), 'K01.FR.41'],
    ['SetChargingProfile', profile({ chargingProfileKind: 'Recurring' }), 'OCPP-181'],
    ['SetChargingProfile', profile({}, { startSchedule: undefined }), 'K01.FR.40'],
    ['SetChargingProfile', profile({}, { chargingSchedulePeriod: [{ startPeriod: 5, limit: 1 }] }), 'K01.FR.31'],
    ['SetChargingProfile', profile({}, { chargingSchedulePeriod: [{ startPeriod: 0, limit: -1 }] }), 'OCPP-240'],
    ['SetChargingProfile', profile({}, { chargingSchedulePeriod: [{ startPeriod: 0, limit: 1.55 }] }), 'OCPP-183'],
    ['SetChargingProfile', profile({ stackLevel: 1 }), 'OCPP-188'],
    ['ClearChargingProfile', {}, 'K10.FR.02'], ['ClearChargingProfile', { chargingProfileCriteria: { chargingProfilePurpose: 'ChargingStationExternalConstraints' } }, 'K10.FR.06'],
    ['GetChargingProfiles', { requestId: 1, chargingProfile: {} }, 'K09.FR.03'],
    ['TriggerMessage', { requestedMessage: 'StatusNotification', evse: { id: 1 } }, 'F06.FR.13'],
    ['SendLocalList', { versionNumber: 0, updateType: 'Full' }, 'D01.FR.18'],
    ['CustomerInformation', { requestId: 1, report: true, clear: false }, 'N09.FR.09'],
    ['SetVariables', { setVariableData: [1, 2].map(() => ({ attributeValue: '1', component: { name: 'A' }, variable: { name: 'B' } })) }, 'B05.FR.13'],
    ['Reset', { type: 'Nonsense' }, 'PropertyConstraintViolation'],
  ]
  for (const [action, payload, check] of cases) {
    const result = await b.csms.command('CS016', action, JSON.parse(JSON.stringify(payload)))
    t.ok(result.kind === 'refused' && result.checks.some((c) => c.check === check), `${action} ${check} ${JSON.stringify(result)}`)
  }
  t.equal(s.calls.length, 0, 'nothing on the wire')
  t.match(await b.csms.command('CS016', 'Heartbeat', {}), { kind: 'unknownAction' })
  t.match(await b.csms.command('NOBODY', 'Reset', {}), { kind: 'unknownStation' })
  await s.close()
  t.match(await b.csms.command('CS016', 'ClearCache', {}), { kind: 'offline' })
})

t.test('OCPP-094 GetVariables goes in pieces the station takes, answers are joined; OCPP-090, 092 reports fill the device model', async (t) => {
  const s = await station(b, 'CS017')
  const item = (component: string, variable: string, instance: string | undefined, value: string, more: object = {}): object => ({
    component: { name: component }, variable: { name: variable, ...(instance === undefined ? {} : { instance }) }, variableAttribute: [{ value }], ...more,
  })
  const answer = (p: Record<string, unknown>): object => ({ getVariableResult: (p['getVariableData'] as object[]).map((d) => ({ ...d, attributeStatus: 'Accepted', attributeValue: '7' })) })
  s.replies['GetVariables'] = answer
  const three = { getVariableData: ['a', 'b', 'c'].map((name) => ({ component: { name: 'C' }, variable: { name } })) }
  t.match(await b.csms.command('CS017', 'GetVariables', three), { kind: 'answered', payload: { getVariableResult: [{ variable: { name: 'a' } }, { variable: { name: 'b' } }, { variable: { name: 'c' } }] } })
  t.equal(sent(s, 'GetVariables').length, 3, 'one each until the limit is known')
  await s.call('NotifyReport', { requestId: 9, generatedAt: iso(0), seqNo: 1, tbc: false, reportData: [item('DeviceDataCtrlr', 'ItemsPerMessage', 'GetVariables', '2')] })
  await s.call('NotifyReport', { requestId: 9, generatedAt: iso(0), seqNo: 0, tbc: true, reportData: [item('SmartChargingCtrlr', 'RateUnit', undefined, 'A'), item('smartchargingctrlr', 'ProfileStackLevel', undefined, '5'), item('Vendor', 'Thing', 'x', '1')] })
  await b.csms.command('CS017', 'GetVariables', three)
  t.equal(sent(s, 'GetVariables').length, 5)
  s.replies['SetChargingProfile'] = { status: 'Accepted' }
  const o = order('CS017', undefined, 1000)
  await b.csms.channel.send([o])
  await s.until(() => states(o.id).length === 1)
  t.match(profileOf(sent(s, 'SetChargingProfile')[0]), { stackLevel: 4, chargingProfilePurpose: 'ChargingStationMaxProfile', chargingSchedule: [{ chargingRateUnit: 'A', chargingSchedulePeriod: [{ limit: 0 }] }] }, 'OCPP-231 below 6 A is a pause')
  await s.close()
})

t.test('OCPP-034, A01 a password change: both work until it is answered, then one; OCPP-070 it is not in the frames', async (t) => {
  const s = await station(b, 'CS018')
  const change = (value: string): object => ({ setVariableData: [{ attributeValue: value, component: { name: 'SecurityCtrlr' }, variable: { name: 'BasicAuthPassword' } }] })
  const result = (status: string): object => ({ setVariableResult: [{ attributeStatus: status, component: { name: 'SecurityCtrlr' }, variable: { name: 'BasicAuthPassword' } }] })
  const opens = async (secret: string): Promise<number> => {
    const other = new HandStation(b.url, 'CS018', { password: secret })
    const status = await other.open()
    await other.close().catch(() => {})
    return status
  }
  s.replies['SetVariables'] = result('Rejected')
  await b.csms.command('CS018', 'SetVariables', change('a-new-password-1'))
  t.equal(await opens('a-new-password-1'), 401)
  const again = await station(b, 'CS018', { boot: false })
  again.replies['SetVariables'] = result('Accepted')
  t.match(await b.csms.command('CS018', 'SetVariables', change('a-new-password-2')), { kind: 'answered' })
  t.equal(await opens(password('CS018')), 401)
  t.equal(await opens('a-new-password-2'), 101)
  t.notMatch(JSON.stringify(b.csms.recorder.of('test CS018', 50)), 'a-new-password')
  await again.close()
})

t.test('OCPP-245, 086, 142, 164 baseline once, open transactions asked for after a power cut, orphans, clock skew', async (t) => {
  await b.csms.provision.add('test', [{ id: 'BASE1', securityProfile: 1, password: password('BASE1'), settings: { normalLimit_W: 11_000 } }])
  const s = new HandStation(b.url, 'BASE1', { password: password('BASE1') })
  s.replies['SetChargingProfile'] = { status: 'Accepted' }
  s.replies['GetChargingProfiles'] = { status: 'NoProfiles' }
  s.replies['GetTransactionStatus'] = (p) => ({ ongoingIndicator: p['transactionId'] === 'live', messagesInQueue: false })
  await s.open()
  await s.boot()
  await s.until(() => sent(s, 'SetChargingProfile').length === 1)
  const baseline = profileOf(sent(s, 'SetChargingProfile')[0])
  t.match(baseline, { stackLevel: 0, chargingProfilePurpose: 'TxDefaultProfile', chargingSchedule: [{ chargingSchedulePeriod: [{ limit: 11_000 }] }] })
  t.equal(baseline['validTo'], undefined)
  const known = await b.csms.fleet.find('test', 'BASE1')
  await s.call('TransactionEvent', event('Started', 0, iso(Date.now() - 600_000), { evse: { id: 2 } }, 'lost'))
  t.ok(known?.skewed)
  await s.call('TransactionEvent', event('Started', 0, iso(Date.now()), { evse: { id: 1 } }, 'live'))
  await s.boot()
  await s.until(() => sent(s, 'GetTransactionStatus').length === 2)
  await s.until(() => known?.transactions.get('lost')?.orphaned === true)
  t.equal(known?.transactions.get('live')?.orphaned, false)
  await s.call('TransactionEvent', event('Started', 0, iso(Date.now() + 1000), { evse: { id: 1 } }, 'second'))
  t.equal(known?.transactions.get('live')?.orphaned, true)
  t.equal(known?.running(1)?.id, 'second')
  await s.until(() => [...known?.ledger.values() ?? []].every((e) => e.state === 'installed'))
  const o = order('BASE1', 1, 15_000)
  await b.csms.channel.send([o])
  await s.until(() => states(o.id).length === 1)
  t.match(profileOf(s.calls.findLast((c) => c.action === 'SetChargingProfile' && profileOf(c)['stackLevel'] !== 0)).chargingSchedule, [{ chargingRateUnit: 'A', chargingSchedulePeriod: [{ limit: 15.9 }] }], 'OCPP-229 an event never raises the limit; OCPP-228 the unit that this model took before')
  await s.close()
})

t.test('REL-046, OCPP-069 a station that stops reading is not buffered without end', async (t) => {
  const s = await station(b, 'CS019')
  const known = await b.csms.fleet.find('test', 'CS019')
  s.ws.pause()
  const text = 'x'.repeat(60_000)
  for (let i = 0; i < 400; i += 1) known?.session.send('NotifyPeriodicEventStream', { text })
  await new Promise((turn) => setTimeout(turn, 50))
  t.equal(known?.session.online, false, 'closed past the bound')
  s.ws.terminate()
})

t.test('REL-047 a frame cut at any byte changes nothing', async (t) => {
  const { connect } = await import('node:net')
  const port = Number(new URL(b.url).port)
  const payload = Buffer.from(JSON.stringify([2, 'cut', 'TransactionEvent', event('Started', 0, iso(0), { evse: { id: 1 } }, 'CUT')]))
  const frame = Buffer.concat([Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 255, 0, 0, 0, 0]), payload])
  const auth = Buffer.from(`CS020:${password('CS020')}`).toString('base64')
  for (let cut = 1; cut < frame.length; cut += 29) {
    await new Promise<void>((done) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(`GET /ocpp/CS020 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ocpp2.0.1\r\nAuthorization: Basic ${auth}\r\n\r\n`))
      socket.once('data', () => { socket.write(frame.subarray(0, cut)); socket.resetAndDestroy() })
      socket.on('close', () => done())
      socket.on('error', () => {})
    })
  }
  t.same(await notesOf(b.database.stores.documents, 'test', 'csms/TransactionEvent', 'CS020/CUT'), [])
  t.equal(await b.database.stores.documents.get('test', 'csms/Transaction', 'CS020/CUT'), undefined)
  const s = await station(b, 'CS020')
  t.equal((await s.call('Heartbeat', {}))[0], 3)
  await s.close()
})

t.test('UX-077 every frame passes by whoever captures it, both ways, its secrets masked', async (t) => {
  const heard: [string, string, string][] = [], b = await bench({ needs: { heard: (_tenant, station, _at, direction, text) => heard.push([station, direction, text()]) } })
  t.teardown(() => b.close())
  const s = new HandStation(b.url, 'CS001', { password: password('CS001') })
  t.equal(await s.open(), 101)
  await s.boot()
  await s.call('Authorize', { idToken: { idToken: 'canary-1234', type: 'KeyCode' } })
  await s.close()
  t.match(heard.filter(([, , text]) => text.includes('BootNotification')), [['CS001', 'in', /^\[2,/]])
  t.ok(heard.some(([, direction, text]) => direction === 'out' && text.startsWith('[3,')), 'our answers too')
  t.ok(heard.some(([, , text]) => text.includes('KeyCode')) && !heard.some(([, , text]) => text.includes('canary')), 'SEC-061')
})
