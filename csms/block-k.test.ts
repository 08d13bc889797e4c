import t from 'tap'
import { event, handBench, iso, known, orderTo, sent, T, tells, token, willing } from './fixture-words.js'
import type { HandStation } from './fixture.js'
import { nextRung, type Rung } from './smart-charging/ladder.js'
import { draft } from './smart-charging/profile.js'
import { quirksOf } from './quirk.js'

t.setTimeout(120_000)
interface Profile { id: number; stackLevel: number; chargingProfilePurpose: string; validTo?: string; transactionId?: string; chargingSchedule: { duration: number; chargingRateUnit: string; chargingSchedulePeriod: { startPeriod: number; limit: number; numberPhases?: number }[] }[] }
const profiles = (s: HandStation): Profile[] => sent(s, 'SetChargingProfile').map((p) => p['chargingProfile'] as Profile)
const limits = (s: HandStation): [number, number, number | undefined][] => profiles(s).map((p) => [p.id - 1_000_000, p.stackLevel, p.chargingSchedule[0]?.chargingSchedulePeriod[0]?.limit])
const charging = (s: HandStation, transactionId = 'T1', evseId = 1): Promise<unknown> => s.call('TransactionEvent', { ...event('Started', 0, T, { evse: { id: evseId, connectorId: 1 }, idToken: token('DEADBEEF') }), transactionInfo: { transactionId, chargingState: 'Charging' } })
const needs = (more: object = {}, top: object = {}): object => ({ evseId: 1, ...top, chargingNeeds: { requestedEnergyTransfer: 'AC_three_phase', departureTime: iso(T + 7_200_000), acChargingParameters: { energyAmount: 20_000, evMinCurrent: 6, evMaxCurrent: 32, evMaxVoltage: 230 }, ...more } })

t.test('OCPP-196, 197 charging needs: Accepted, then a TxProfile within the limits of car and EVSE, each time anew; without a transaction Rejected', async (t) => {
  const { b, clock } = await handBench(t)
  const s = await willing(b, 'CS001')
  t.match((await s.call('NotifyEVChargingNeeds', needs()))[2], { status: 'Rejected', statusInfo: { reasonCode: 'TxNotFound' } })
  await charging(s)
  await s.call('NotifyReport', { requestId: 1, generatedAt: iso(T), seqNo: 0, reportData: [{ component: { name: 'EVSE', evse: { id: 1 } }, variable: { name: 'Power' }, variableAttribute: [{}], variableCharacteristics: { dataType: 'decimal', supportsMonitoring: false, maxLimit: 11_000 } }] })
  t.same((await s.call('NotifyEVChargingNeeds', needs({}, { maxScheduleTuples: 3 })))[2], { status: 'Accepted' })
  await clock.advance(0)
  await s.until(() => profiles(s).length === 1)
  t.match(profiles(s)[0], { chargingProfilePurpose: 'TxProfile', transactionId: 'T1', validTo: iso(T + 7_260_000), chargingSchedule: [{ duration: 7200, chargingSchedulePeriod: [{ startPeriod: 0, limit: 11_000 }] }] }, 'the EVSE gives less than the car takes')
  t.equal(profiles(s)[0]!.chargingSchedule.length, 1)
  await s.call('NotifyEVChargingNeeds', needs({ requestedEnergyTransfer: 'DC', acChargingParameters: undefined, dcChargingParameters: { evMaxCurrent: 20, evMaxVoltage: 400, stateOfCharge: 40, evEnergyCapacity: 50_000 } }))
  await clock.advance(0)
  await s.until(() => profiles(s).length === 2)
  t.match(profiles(s)[1], { id: profiles(s)[0]!.id, chargingSchedule: [{ chargingSchedulePeriod: [{ limit: 8000 }] }] }, 'repeated needs get a new schedule under the same id')
  t.match((await known(b, 'CS001')).needs.get(1), { energy_Wh: 30_000, current: 'DC', max_W: 8000, departure: T / 1000 + 7200 })
  await s.close()
})

t.test('OCPP-198 the car\'s own plan is Accepted within our limits, else Rejected and a schedule follows', async (t) => {
  const { b, clock } = await handBench(t)
  const s = await willing(b, 'CS001')
  await charging(s)
  await s.call('NotifyEVChargingNeeds', needs())
  await clock.advance(0)
  await s.until(() => profiles(s).length === 1)
  const plan = (limit: number): Promise<unknown[]> => s.call('NotifyEVChargingSchedule', { timeBase: iso(T + 1000), evseId: 1, chargingSchedule: { id: 1, chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit }] } })
  t.same((await plan(22_000))[2], { status: 'Accepted' })
  t.same((await plan(30_000))[2], { status: 'Rejected' })
  await clock.advance(0)
  await s.until(() => profiles(s).length === 2)
  await s.close()
})

t.test('OCPP-199 with ChargingRateChanged the station\'s own offer is what the core may count on', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001')
  await charging(s)
  const rate = (seqNo: number, measurand: string, value: number, unit: string): Promise<unknown> => s.call('TransactionEvent', { ...event('Updated', seqNo, T + seqNo, { meterValue: [{ timestamp: iso(T + seqNo), sampledValue: [{ value, measurand, unitOfMeasure: { unit } }] }] }), triggerReason: 'ChargingRateChanged' })
  await rate(1, 'Power.Offered', 5000, 'W')
  const station = await known(b, 'CS001')
  t.same(station.offered.get(1), { at: T + 1, W: 5000 })
  await rate(2, 'Current.Offered', 10, 'A')
  t.same(station.offered.get(1)?.W, 6900, 'three phases')
  await s.until(() => b.availability.some((a) => a.down_W > 0 && a.down_W <= 6900))
  t.notOk(b.availability.slice(-4).some((a) => a.down_W > 6900))
  await s.close()
})

t.test('OCPP-200, 229 the ledger knows each profile and its state; an order below another in the stack lowers it, and lets it rise when it goes', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001')
  const accepted = (id: string): boolean => b.happenings.some((h) => h.delivery === id && h.state === 'accepted')
  await b.csms.channel.send([orderTo('CS001', 1, 9000, { id: 'first' })])
  await s.until(() => accepted('first'))
  await b.csms.channel.send([orderTo('CS001', 1, 4000, { id: 'second' })])
  await s.until(() => accepted('second'))
  t.same(limits(s), [[0, 2, 9000], [1, 1, 4000], [0, 2, 4000]], 'what is on top never allows more than what lies below')
  const { ledger } = await known(b, 'CS001')
  t.match([...ledger.values()].map(({ id, evseId, state, delivery }) => [id, evseId, state, delivery]), [[1_000_000, 1, 'installed', 'first'], [1_000_001, 1, 'installed', 'second']])
  t.ok([...ledger.keys()].every((id) => id >= 1_000_000 && id <= 1_999_999))
  await b.csms.channel.cancel([orderTo('CS001', 1, 4000, { id: 'second' })], 'x')
  await s.until(() => limits(s).length === 4)
  t.same(limits(s)[3], [0, 2, 9000])
  t.match(profiles(s)[0], { validTo: iso((T / 1000 + 600 + 3600 + 60) * 1000), chargingSchedule: [{ duration: 3600 }] }, 'OCPP-233 a minute after the end')
  await s.close()
})

t.test('OCPP-228 no rung says the same words twice, and a rejected profile is not cleared', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001', { SetChargingProfile: { status: 'Rejected', statusInfo: { reasonCode: 'Unspecified' } } })
  await charging(s)
  await b.csms.channel.send([orderTo('CS001', 1, 9000)])
  await s.until(() => b.happenings.some((h) => h.state === 'rejected'))
  const words = profiles(s).map(({ id: _, chargingSchedule, ...rest }) => JSON.stringify([rest, chargingSchedule.map((c) => ({ ...c, id: 0 }))]))
  t.equal(new Set(words).size, words.length)
  t.match(b.happenings.at(-1), { state: 'rejected', reason: 'Unspecified' })
  t.equal(sent(s, 'ClearChargingProfile').length, 0)
  await s.close()
  const rung: Rung = { places: [{ purpose: 'TxDefaultProfile', evseId: 1 }], unit: 'A', stackLevel: 1, periods: 24 }
  t.equal(nextRung(rung, undefined, { running: [], evses: [1], units: [], needed: 1 }, new Set()), undefined, 'one period cannot be told in fewer')
})

t.test('OCPP-231, 250 below 6 A: a pause, or 6 A where the program says minRate or the hardware cannot pause', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001')
  await tells(s, { 'SmartChargingCtrlr.RateUnit': 'A' })
  const place = async (id: string, more: object): Promise<number | undefined> => {
    const before = profiles(s).length
    await b.csms.channel.send([orderTo('CS001', 1, 3000, { id, ...more })])
    await s.until(() => profiles(s).length === before + 1)
    const limit = profiles(s).at(-1)!.chargingSchedule[0]!.chargingSchedulePeriod[0]!.limit
    await s.until(() => b.happenings.some((h) => h.delivery === id && h.state === 'accepted'))
    await b.csms.channel.cancel([orderTo('CS001', 1, 3000, { id })], 'x')
    await s.until(() => b.happenings.some((h) => h.delivery === id && h.state === 'cancelled'))
    return limit
  }
  t.equal(await place('hard', {}), 0)
  t.equal(await place('soft', { program: { id: 'p', name: 'p', minRate: true } }), 6)
  await b.csms.change('test', 'CS001', { settings: { quirks: { noPause: true } } })
  t.equal(await place('quirk', {}), 6)
  t.equal(await place('high', { intervals: [{ start: T / 1000 + 600, end: T / 1000 + 4200, delta_W: -1, expected_W: 9000, setpoint_W: 6900, limitImport_W: 6900 }] }), 10)
  await s.close()
  const boot = { at: '', reason: '', vendorName: 'Acme', model: 'Wall 22', firmwareVersion: '1.2', version: '2.0.1' as const }
  const table = [{ vendor: 'acme', model: 'wall*', onlyAmperes: true }, { vendor: 'Acme', firmware: '1.3', noPause: true }]
  t.same(quirksOf({ record: { boot, quirks: { noMaxProfile: true } } as never }, table), { onlyAmperes: true, noMaxProfile: true }, 'rows of the hardware, then what the operator said')
})

t.test('OCPP-232 a station that can switch phases follows below 6 A x 3 on one, and never switches twice in 15 minutes', async (t) => {
  const base = { id: 1, place: { purpose: 'TxDefaultProfile', evseId: 1 } as const, stackLevel: 1, unit: 'A' as const, electrical: { voltage: 230, phases: 3, current: 'AC' as const }, periods: 24, validFrom: 0, validTo: 9e9, numberPhases: undefined, switchesPhases: true }
  const steps = (watts: [number, number][]): unknown[] => draft({ ...base, ceilings: watts.map(([at, W], i) => ({ start: at, end: watts[i + 1]?.[0] ?? at + 3600, W })) }).profile.chargingSchedule[0]!.chargingSchedulePeriod.map((p) => [p.startPeriod, p.limit, p.numberPhases])
  t.same(steps([[0, 3000]]), [[0, 13, 1]], '3 kW are 13 A on one phase')
  t.same(steps([[0, 3000], [900, 6900]]), [[0, 13, 1], [900, 10, undefined]])
  t.same(steps([[0, 3000], [300, 11_000], [900, 11_000]]), [[0, 13, 1], [300, 32, 1], [900, 15.9, undefined]], 'it stays on one phase until its time is over')
  t.same(steps([[0, 6900], [60, 0]]), [[0, 10, undefined], [60, 0, undefined]], 'a pause is no switch')
  t.same(draft({ ...base, switchesPhases: false, ceilings: [{ start: 0, end: 10, W: 3000 }] }).profile.chargingSchedule[0]!.chargingSchedulePeriod, [{ startPeriod: 0, limit: 0 }])
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001')
  const byHand = { evseId: 1, chargingProfile: { id: 5, stackLevel: 0, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Absolute', chargingSchedule: [{ id: 1, startSchedule: iso(T), chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 10, numberPhases: 1, phaseToUse: 2 }] }] } }
  t.match(await b.csms.command('CS001', 'SetChargingProfile', byHand), { kind: 'refused', checks: [{ check: 'K01.FR.20' }] })
  await tells(s, { 'EVSE#1.ACPhaseSwitchingSupported': 'true' })
  t.match(await b.csms.command('CS001', 'SetChargingProfile', byHand), { kind: 'answered' })
  await b.csms.channel.send([orderTo('CS001', 1, 3000)])
  await s.until(() => profiles(s).length === 2)
  t.match(profiles(s)[1]!.chargingSchedule[0]!.chargingSchedulePeriod, [{ limit: 2300, numberPhases: 1 }], 'no higher than the 10 A that lie below')
  await s.close()
})

t.test('OCPP-236 a customer who opts out is free for that transaction, the core is told, the next car is bound again', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001', {}, { protocols: ['ocpp2.1'] })
  t.equal(await b.csms.optOut('test', 'CS001', 1, 'x'), false, 'no event')
  await charging(s)
  await b.csms.channel.send([orderTo('CS001', 1, 4000)])
  await s.until(() => b.happenings.some((h) => h.state === 'accepted'))
  await s.call('NotifyPriorityCharging', { transactionId: 'T1', activated: true })
  t.ok(b.happenings.some((h) => h.state === 'optedOut'), 'the core knows first')
  await s.until(() => profiles(s).length === 2)
  t.match(profiles(s).at(-1), { chargingProfilePurpose: 'TxProfile', transactionId: 'T1', stackLevel: 0, chargingSchedule: [{ chargingSchedulePeriod: [{ limit: 350_000 }] }] })
  t.equal(sent(s, 'ClearChargingProfile').length, 0, 'the default stays for the next car')
  await s.call('TransactionEvent', event('Ended', 1, T + 1))
  const left = [...(await known(b, 'CS001')).ledger.values()].filter((e) => e.state === 'installed')
  t.same(left.map((e) => e.profile.chargingProfilePurpose), ['TxDefaultProfile'])
  await s.close()
})

t.test('OCPP-237 each accepted event profile is read back within a minute; in a fleet of thousands a tenth', async (t) => {
  const { b } = await handBench(t, { config: { compositeShare: 0.1 } })
  const s = await willing(b, 'CS001', { GetCompositeSchedule: { status: 'Rejected' } })
  await b.csms.channel.send([orderTo('CS001', 1, 4000)])
  await s.until(() => sent(s, 'GetCompositeSchedule').length === 1)
  t.match(sent(s, 'GetCompositeSchedule')[0], { evseId: 1, chargingRateUnit: 'W' })
  await s.close()
  const { verification } = await import('./smart-charging/verification.js')
  let asked = 0
  const large = verification({ clock: { nowMs: () => T } as never, log: { info: () => {} } as never, journal: {} as never, config: { compositeShare: 0.1 } as never, fleetSize: () => 5000 })
  const station = { session: { online: true, version: '2.0.1', call: async () => { asked += 1; return {} } }, ledger: new Map() } as never
  for (let i = 0; i < 100; i += 1) large.readBack(station, { evseId: 1, profile: { chargingSchedule: [{ startSchedule: iso(T), duration: 3600, chargingRateUnit: 'W' }] } } as never)
  await new Promise((turn) => setImmediate(turn))
  t.ok(asked === 10 || asked === 9, `${asked}`)
})

t.test('OCPP-247 an emergency goes to the highest level, whole, and ends by itself', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001')
  const start = T / 1000 + 600, end = start + 10 * 3600
  await b.csms.channel.send([orderTo('CS001', 1, 0, { start, end, emergency: true })])
  await s.until(() => profiles(s).length === 1)
  t.match(profiles(s)[0], { stackLevel: 3, validTo: iso((end + 60) * 1000), chargingSchedule: [{ duration: 36_000, chargingSchedulePeriod: [{ limit: 0 }] }] })
  await s.close()
})

t.test('OCPP-241 a Local Controller gets the limit of its site as the group\'s own', async (t) => {
  const { b, clock } = await handBench(t, { stations: [] })
  await b.csms.provision.add('test', ['LC1', 'CS001'].map((id) => ({ id, securityProfile: 1, password: `loadstone-${id}-pass`, settings: { site: 'yard', siteLimit_W: 16_000, ...(id === 'LC1' ? { localController: true } : {}) } })))
  const controller = await willing(b, 'LC1'), member = await willing(b, 'CS001')
  await charging(member)
  await clock.advance(60_000)
  await controller.until(() => profiles(controller).length === 1)
  t.match(sent(controller, 'SetChargingProfile')[0], { evseId: 0, chargingProfile: { chargingProfilePurpose: 'ChargingStationMaxProfile', validTo: iso(clock.nowMs() + 900_000), chargingSchedule: [{ chargingSchedulePeriod: [{ limit: 16_000 }] }] } })
  await clock.advance(60_000)
  t.same([profiles(controller).length, profiles(member).length], [1, 0], 'the controller shares it out itself')
  await controller.close()
  await member.close()
})

t.test('OCPP-201, 245 profiles are compared on reconnect, hourly and before an event; a station is controllable when it lists its baseline', async (t) => {
  const { b, clock } = await handBench(t, { stations: [], config: { reconcile: true } })
  await b.csms.provision.add('test', [{ id: 'CS001', securityProfile: 1, password: 'loadstone-CS001-pass', settings: { normalLimit_W: 11_000 } }])
  let there: Profile[] = []
  const keep = (p: Record<string, unknown>): object => { const profile = p['chargingProfile'] as Profile; there = [...there.filter((x) => x.id !== profile.id), profile]; return { status: 'Accepted' } }
  const report = (s: () => HandStation) => (p: Record<string, unknown>): object => {
    const found = there.filter((x) => x.chargingProfilePurpose === (p['chargingProfile'] as { chargingProfilePurpose: string }).chargingProfilePurpose)
    if (found.length === 0) return { status: 'NoProfiles' }
    setImmediate(() => void s().call('ReportChargingProfiles', { requestId: p['requestId'], chargingLimitSource: 'CSO', evseId: 0, tbc: false, chargingProfile: found }))
    return { status: 'Accepted' }
  }
  let s: HandStation = await willing(b, 'CS001', { SetChargingProfile: keep, GetChargingProfiles: report(() => s) })
  const asked = (): number => sent(s, 'GetChargingProfiles').length
  const station = await known(b, 'CS001')
  await s.until(() => station.record.controllable === true)
  const before = asked()
  await b.csms.channel.send([orderTo('CS001', 1, 4000, { start: T / 1000 + 1200, end: T / 1000 + 9000 })])
  await s.until(() => b.happenings.some((h) => h.state === 'accepted'))
  await clock.set(T + 1_000_000)
  await s.until(() => asked() === before + 3, 5000)
  await s.close()
  s = await willing(b, 'CS001', { GetChargingProfiles: { status: 'NoProfiles' } }, { boot: false })
  await s.until(() => asked() === 3, 5000)
  for (let minute = 0; minute < 62; minute += 1) await clock.advance(60_000)
  await s.until(() => asked() >= 6, 5000)
  t.pass()
  await s.close()
})

t.test('OCPP-010, 068, 250 an order for an absent station goes in the form of the version that it speaks when it is back', async (t) => {
  const { b } = await handBench(t, { config: { reconcile: false } })
  const accept = { SetChargingProfile: { status: 'Accepted' } }
  const old = await willing(b, 'CS001', accept, { protocols: ['ocpp1.6'] })
  await old.close()
  await b.restart()
  const station = await known(b, 'CS001')
  t.equal(station.session.version, '1.6', 'as it was when it was here')
  await b.csms.channel.send([orderTo('CS001', 1, 2000)])
  const again = await willing(b, 'CS001', accept, { protocols: ['ocpp1.6'] })
  await again.until(() => b.happenings.some((h) => h.state === 'accepted'))
  t.match(sent(again, 'SetChargingProfile'), [{ connectorId: 1, csChargingProfiles: { chargingProfilePurpose: 'TxDefaultProfile' } }])
  await again.close()
  b.happenings.length = 0
  await b.csms.channel.send([orderTo('CS001', 1, 3000, { id: 'd-2', start: T / 1000 + 7200 })])
  const renewed = await willing(b, 'CS001', accept)
  await renewed.until(() => b.happenings.some((h) => h.state === 'accepted'))
  t.match(sent(renewed, 'SetChargingProfile'), [{ evseId: 1, chargingProfile: { chargingProfilePurpose: 'TxDefaultProfile' } }], 'what waited in the form of 1.6 is made anew')
  t.same(await renewed.call('Heartbeat', {}).then((f) => f[0]), 3)
  await renewed.close()
})

t.test('OCPP-200, 251 on 1.6 the ledger is the only record: it holds what an operator sends, and a clear by purpose takes no more than that purpose', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001', {}, { protocols: ['ocpp1.6'] })
  const profile = (id: number, chargingProfilePurpose: string): object => ({ chargingProfileId: id, stackLevel: 1, chargingProfilePurpose, chargingProfileKind: 'Absolute', validTo: iso(T + 7_200_000), chargingSchedule: { startSchedule: iso(T), duration: 3600, chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit: 5000 }] } })
  const set = (connectorId: number, csChargingProfiles: object): Promise<unknown> => b.csms.command('CS001', 'SetChargingProfile', { connectorId, csChargingProfiles })
  t.match(await set(0, profile(1_000_000, 'ChargePointMaxProfile')), { payload: { status: 'Accepted' } })
  t.match(await set(1, profile(77, 'TxDefaultProfile')), { payload: { status: 'Accepted' } })
  t.match(await set(1, profile(78, 'TxDefaultProfile')), { kind: 'refused', checks: [{ check: 'K01.FR.06' }] }, 'the level is taken')
  const { ledger } = await known(b, 'CS001')
  t.match([ledger.get(1_000_000), ledger.get(77)], [{ evseId: 0, state: 'installed', profile: { chargingProfilePurpose: 'ChargingStationMaxProfile' } }, { evseId: 1, state: 'installed' }])
  await b.csms.channel.send([orderTo('CS001', 1, 2000)])
  await s.until(() => b.happenings.some((h) => h.state === 'accepted'))
  t.match(sent(s, 'SetChargingProfile').at(-1), { csChargingProfiles: { chargingProfileId: 1_000_001 } }, 'not the id that is there already')
  t.match(await b.csms.command('CS001', 'ClearChargingProfile', { chargingProfilePurpose: 'ChargePointMaxProfile' }), { payload: { status: 'Accepted' } })
  t.same([1_000_000, 77, 1_000_001].map((id) => ledger.get(id)?.state), ['gone', 'installed', 'installed'])
  await s.close()
})
