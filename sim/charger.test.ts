import t from 'tap'
import { RPCServer } from 'ocpp-rpc'
import type { AddressInfo } from 'node:net'
import { handClock } from '#core/port/clock.js'
import { silent } from '#ven-client/log.js'
import { composite, limitAt, limitOf, refusal, type ChargingProfile, type Installed } from '#sim/charging-profile.js'
import { simCharger } from '#sim/charger.js'
import { history, visitAt, type Site } from '#sim/load-model.js'
import { protocolClock } from '#sim/protocol-clock.js'

// 15:50 in Denver on a working day
const T = Date.parse('2026-07-01T21:50:00Z'), minute = 60_000
const iso = (ms: number): string => new Date(ms).toISOString()
const site: Site = { name: 'charger-001', kind: 'charger', rated_W: 22_000, seed: 1, timeZone: 'America/Denver' }
const profile = ({ limit, ...more }: Partial<ChargingProfile> & { limit?: number } = {}): ChargingProfile => ({
  id: 1_000_001, stackLevel: 8, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Absolute', validFrom: iso(T), validTo: iso(T + 131 * minute),
  chargingSchedule: [{ id: 1, startSchedule: iso(T + 10 * minute), duration: 7200, chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit: limit ?? 6000 }] }], ...more })
const put = (...profiles: ChargingProfile[]): Installed[] => profiles.map((p) => ({ evseId: p.chargingProfilePurpose === 'ChargingStationMaxProfile' ? 0 : 1, profile: p }))

t.test('OCPP-188 validTo ends a profile although nobody says so; gaps fall back', (t) => {
  const p = profile()
  t.same([5, 10, 129, 130].map((m) => limitOf(p, T + m * minute, undefined)), [undefined, 6000, 6000, undefined])
  t.equal(limitOf({ ...p, validTo: iso(T + 60 * minute) }, T + 60 * minute, undefined), undefined)
  t.end()
})

t.test('OCPP-229 the highest stack of a purpose counts, TxProfile replaces the default, the lowest of the purposes wins', (t) => {
  const at = T + 20 * minute, tx = { id: 'tx', start_ms: T }
  const low = profile({ id: 1, stackLevel: 0, limit: 4000 }), high = profile({ id: 2, stackLevel: 5, limit: 9000 })
  t.equal(limitAt(put(low, high), 1, at), 9000, 'higher stack although the limit is higher')
  t.equal(limitAt(put(low, high, profile({ id: 3, chargingProfilePurpose: 'TxProfile', transactionId: 'tx', limit: 10_000 })), 1, at, tx), 10_000)
  t.equal(limitAt(put(high, profile({ id: 4, chargingProfilePurpose: 'ChargingStationMaxProfile', limit: 7000 })), 1, at, tx), 7000)
  t.equal(limitAt(put(profile({ id: 3, chargingProfilePurpose: 'TxProfile', transactionId: 'other', limit: 1 })), 1, at, tx), Infinity)
  t.end()
})

t.test('OCPP-187 amperes are per phase; daily profiles recur', (t) => {
  const amps: ChargingProfile = { ...profile(), chargingProfileKind: 'Recurring', recurrencyKind: 'Daily', validTo: iso(T + 1e10),
    chargingSchedule: [{ id: 1, startSchedule: iso(T), duration: 3600, chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 10, numberPhases: 1 }] }] }
  t.same([30, 90, 24 * 60 + 30].map((m) => limitOf(amps, T + m * minute, undefined)), [2300, undefined, 2300])
  t.same(composite(put(profile()), 1, T, 9000, 22_000, 'W'), [{ startPeriod: 0, limit: 22_000 }, { startPeriod: 600, limit: 6000 }, { startPeriod: 7800, limit: 22_000 }])
  t.end()
})

t.test('OCPP-191 a station refuses what block K forbids, with its reason', (t) => {
  const why = (p: ChargingProfile, evse = 1, other: Installed[] = []): string | undefined => refusal(evse, p, other, 1, () => 'tx')
  t.equal(why(profile()), undefined)
  t.equal(why(profile(), 2), 'UnknownEvse')
  t.equal(why(profile({ chargingProfilePurpose: 'TxProfile' })), 'InvalidProfile')
  t.equal(why(profile({ chargingProfilePurpose: 'TxProfile', transactionId: 'x' })), 'TxNotFound')
  t.equal(why(profile({ chargingProfilePurpose: 'ChargingStationMaxProfile' })), 'InvalidProfile')
  t.equal(why(profile({ chargingProfilePurpose: 'ChargingStationExternalConstraints' })), 'InvalidProfile')
  t.equal(why(profile({ id: 2 }), 1, put(profile({ id: 1 }))), 'DuplicateProfile')
  t.end()
})

t.test('UX-007 a charger lives through boot, transaction, limit and end over a strict CSMS, and its register is the integral', async (t) => {
  const base = handClock(T), clock = protocolClock(base)
  const server = new RPCServer({ protocols: ['ocpp2.0.1'], strictMode: true })
  const heard: { method: string; params: Record<string, unknown> }[] = [], failures: unknown[] = []
  type Station = { call(method: string, params: unknown): Promise<Record<string, unknown>>; handle(h: (o: { method: string; params: Record<string, unknown> }) => unknown): void; on(e: string, f: (x: unknown) => void): void }
  let station: Station | undefined
  server.auth((accept) => { accept() })
  server.on('client', (client: Station) => {
    station = client
    client.on('strictValidationFailure', (e) => failures.push(e))
    client.handle(({ method, params }) => {
      heard.push({ method, params })
      if (method === 'BootNotification') return { status: 'Accepted', interval: 300, currentTime: iso(base.nowMs()) }
      return method === 'Heartbeat' ? { currentTime: iso(base.nowMs()) } : {}
    })
  })
  const http = await server.listen(0)
  const charger = simCharger({ site, servicePoint: 'charger-001', stationId: 'charger-001', url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/ocpp`, password: 'loadstone-pass-0001', clock, log: silent, spread_s: 0 })
  t.teardown(async () => { await charger.stop(); await server.close({ force: true }) })
  const settle = async (): Promise<void> => { for (let i = 0; i < 12; i++) { await new Promise((done) => setTimeout(done, 4)); await base.advance(0) } }
  for (let i = 0; i < 200 && !heard.some((h) => h.method === 'TransactionEvent'); i++) await settle()
  t.same(heard.slice(0, 2).map((h) => h.method), ['BootNotification', 'StatusNotification'])
  t.equal((await station!.call('SetChargingProfile', { evseId: 1, chargingProfile: profile({ limit: 6000 }) })).status, 'Accepted')
  const plan = await station!.call('GetCompositeSchedule', { duration: 3600, evseId: 1 })
  t.match(plan, { status: 'Accepted', schedule: { chargingRateUnit: 'W' } })
  for (const action of ['GetVariables'] as const) {
    t.match(await station!.call(action, { getVariableData: [{ component: { name: 'SmartChargingCtrlr' }, variable: { name: 'ProfileStackLevel' } }, { component: { name: 'Nope' }, variable: { name: 'X' } }] }),
      { getVariableResult: [{ attributeStatus: 'Accepted', attributeValue: '10' }, { attributeStatus: 'UnknownComponent' }] })
  }
  await station!.call('GetBaseReport', { requestId: 7, reportBase: 'FullInventory' })
  await station!.call('GetChargingProfiles', { requestId: 8, chargingProfile: { chargingProfilePurpose: 'TxDefaultProfile' } })
  for (let m = 0; m < 150; m += 5) { await base.advance(5 * minute); await settle() }
  const registers = heard.filter((h) => h.method === 'TransactionEvent').flatMap((h) => h.params.meterValue as { timestamp: string; sampledValue: { value: number; context: string }[] }[])
    .filter((m) => m.sampledValue[0]?.context === 'Sample.Clock').map((m) => [m.timestamp, m.sampledValue[0]?.value ?? 0] as const)
  const wh = (from: string, to: string): number => registers.find(([at]) => at === to)![1] - registers.find(([at]) => at === from)![1]
  t.ok(Math.abs(wh('2026-07-01T22:00:00.000Z', '2026-07-01T22:15:00.000Z') - 1500) < 0.2, '6 kW for a quarter')
  t.ok(Math.abs(wh('2026-07-02T00:00:00.000Z', '2026-07-02T00:15:00.000Z') - 2750) < 0.2, 'back to 11 kW at the end without a message (REL-064)')
  for (const own of charger.meter.finished().filter((f) => f.start >= T + 10 * minute && f.start < T + 130 * minute)) t.equal(Math.round(own.import_Wh), 1500)
  t.ok(heard.some((h) => h.method === 'TransactionEvent' && h.params.triggerReason === 'MeterValueClock'))
  t.ok(heard.some((h) => h.method === 'NotifyReport' && h.params.tbc === false))
  t.ok(heard.some((h) => h.method === 'ReportChargingProfiles'))
  t.same(failures, [])
  t.match(charger.diary, { connected: true, ordersFollowed: 1, rejected: 0 })
})

for (const version of ['1.6', '2.1'] as const) {
  t.test(`UX-007, OCPP-250, 260 the same charger in OCPP ${version}: boot, transaction, limit, cancel`, async (t) => {
    const base = handClock(T), clock = protocolClock(base)
    // ocpp-rpc cannot check 2.1 (its schemas' ids); for 1.6 the official schemas judge both directions.
    const server = new RPCServer({ protocols: [`ocpp${version}`], strictMode: version === '1.6' })
    const heard: { method: string; params: Record<string, unknown> }[] = [], failures: unknown[] = []
    type Station = { call(method: string, params: unknown): Promise<Record<string, unknown>>; handle(h: (o: { method: string; params: Record<string, unknown> }) => unknown): void; on(e: string, f: (x: unknown) => void): void }
    let station: Station | undefined
    server.auth((accept) => { accept() })
    server.on('client', (client: Station) => {
      station = client
      client.on('strictValidationFailure', (e) => failures.push(e))
      client.handle(({ method, params }) => {
        heard.push({ method, params })
        if (method === 'BootNotification') return { status: 'Accepted', interval: 300, currentTime: iso(base.nowMs()) }
        if (method === 'StartTransaction') return { transactionId: 42, idTagInfo: { status: 'Accepted' } }
        return method === 'Heartbeat' ? { currentTime: iso(base.nowMs()) } : {}
      })
    })
    const http = await server.listen(0)
    const charger = simCharger({ site, version, servicePoint: 'charger-001', stationId: 'charger-001', url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/ocpp`, password: 'loadstone-pass-0001', clock, log: silent, spread_s: 0 })
    t.teardown(async () => { await charger.stop(); await server.close({ force: true }) })
    const settle = async (): Promise<void> => { for (let i = 0; i < 12; i++) { await new Promise((done) => setTimeout(done, 4)); await base.advance(0) } }
    const started = version === '1.6' ? 'StartTransaction' : 'TransactionEvent'
    for (let i = 0; i < 200 && !heard.some((h) => h.method === started); i++) await settle()
    t.same(heard.slice(0, 2).map((h) => h.method), ['BootNotification', 'StatusNotification'])
    const { id, chargingSchedule: [schedule], ...rest } = profile({ limit: 6000 })
    const { id: _, ...old } = schedule!
    const place = version === '1.6' ? { connectorId: 1, csChargingProfiles: { ...rest, chargingProfileId: id, chargingSchedule: old } } : { evseId: 1, chargingProfile: profile({ limit: 6000 }) }
    t.match(await station!.call('SetChargingProfile', place), { status: 'Accepted' })
    t.match(await station!.call('GetCompositeSchedule', version === '1.6' ? { duration: 3600, connectorId: 1 } : { duration: 3600, evseId: 1 }),
      version === '1.6' ? { status: 'Accepted', connectorId: 1, chargingSchedule: { chargingRateUnit: 'W' } } : { status: 'Accepted', schedule: { chargingRateUnit: 'W' } })
    if (version === '1.6') t.match(await station!.call('GetConfiguration', {}), { configurationKey: [{ key: 'ChargeProfileMaxStackLevel' }] })
    for (let m = 0; m < 60; m += 5) { await base.advance(5 * minute); await settle() }
    for (const own of charger.meter.finished().filter((f) => f.start >= T + 10 * minute && f.start < T + 45 * minute)) t.equal(Math.round(own.import_Wh), 1500)
    t.match(await station!.call('ClearChargingProfile', version === '1.6' ? { id } : { chargingProfileId: id }), { status: 'Accepted' })
    t.match(await station!.call('ClearChargingProfile', version === '1.6' ? { id } : { chargingProfileId: id }), { status: 'Unknown' })
    for (let m = 0; m < 16 * 60 && !heard.some((h) => h.method === 'StopTransaction' || h.params.eventType === 'Ended'); m += 30) { await base.advance(30 * minute); await settle() }
    const stop = heard.find((h) => h.method === 'StopTransaction' || h.params.eventType === 'Ended')
    t.match(stop?.params, version === '1.6' ? { transactionId: 42, reason: 'EVDisconnected' } : { eventType: 'Ended' })
    if (version === '1.6') t.ok(heard.some((h) => h.method === 'MeterValues' && h.params.transactionId === 42))
    t.same(failures, [])
  })
}

t.test('UX-007 the same model makes the history and the live load, by seed', (t) => {
  const from = T / 1000 - 45 * 86_400, to = T / 1000
  const rows = [...history({ ...site, name: 'site-001', kind: 'site', rated_W: 150_000 }, from, to, 15)]
  t.equal(rows.length, 45 * 96 - 1)
  t.same(rows, [...history({ ...site, name: 'site-001', kind: 'site', rated_W: 150_000 }, from, to, 15)])
  t.notSame(rows.slice(0, 9), [...history({ ...site, name: 'site-002', kind: 'site', rated_W: 150_000 }, from, to, 15)].slice(0, 9))
  for (let i = 1; i < 60; i++) {
    const one = { ...site, name: `charger-${String(i).padStart(3, '0')}` }
    for (const at of [T / 1000 + 600, T / 1000 + 7500]) {
      const visit = visitAt(one, at)
      t.ok(visit && at < visit.arrival + visit.need_Wh * 3600 / visit.max_W, `${one.name} charges from 16:00 to 18:00`)
    }
  }
  t.end()
})

t.test('OCPP-164 a charger that has not been told the time measures nothing for those who ask', async (t) => {
  const base = handClock(T), server = new RPCServer({ protocols: ['ocpp2.0.1'], strictMode: true })
  server.auth((accept) => { accept() })
  const answers = new Promise<unknown[]>((done) => {
    server.on('client', (client: { call(method: string, params: unknown): Promise<{ status: string }>; handle(h: (o: { method: string }) => unknown): void }) => {
      // asked by a CSMS that knows it from before, while its boot is not answered
      client.handle(async ({ method }) => {
        if (method === 'BootNotification') done(await Promise.all(['MeterValues', 'TransactionEvent', 'StatusNotification'].map(async (requestedMessage) => (await client.call('TriggerMessage', { requestedMessage })).status)))
        return new Promise(() => {})
      })
    })
  })
  const http = await server.listen(0)
  const charger = simCharger({ site, servicePoint: 'charger-001', stationId: 'charger-001', url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/ocpp`, password: 'loadstone-pass-0001', clock: protocolClock(base), log: silent, spread_s: 0 })
  t.teardown(async () => { await charger.stop(); await server.close({ force: true }) })
  t.same(await answers, ['Rejected', 'Rejected', 'Rejected'])
})
