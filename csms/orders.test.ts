import t from 'tap'
import type { DeliveryOrder } from '#core/port/dispatch-channel.js'
import { HandStation, password, station, type Bench } from './fixture.js'
import { event, iso, order, profileOf, sent, twenty } from './fixture-twenty.js'

t.setTimeout(300_000)

let b: Bench
t.before(async () => { b = await twenty() })
t.teardown(() => b.close())

const states = (id: string): string[] => b.happenings.filter((h) => h.delivery === id).map((h) => h.state)

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
