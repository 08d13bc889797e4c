import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { silent } from '#core/port/log.js'
import { event, handBench, iso, known, meter, sent, T, token, willing } from './fixture-words.js'
import type { Bench, HandStation } from './fixture.js'
import { notesOf } from './journal.js'
import { samplesOf, totals } from './metering.js'
import { partsJoiner } from './parts.js'
import { mayHear } from './registration.js'
import { watch } from './watch.js'

t.setTimeout(120_000)
const of = (transactionId: string, kind: string, seqNo: number, at: number, more: object = {}): object => ({ ...event(kind, seqNo, at, more), transactionInfo: { transactionId, chargingState: 'Charging' } })
const began = (s: HandStation, transactionId = 'T1', at = T): Promise<unknown> => s.call('TransactionEvent', of(transactionId, 'Started', 0, at, { evse: { id: 1, connectorId: 1 } }))
/** The most that the core was told an EVSE draws, since so many rows. */
const most = (b: Bench, since: number): number => Math.max(...b.availability.slice(since).map((a) => a.expected_W ?? 0))

t.test('OCPP-142, 132 the start of an older transaction that comes late orphans nobody', async (t) => {
  const { b } = await handBench(t), s = await willing(b, 'CS001')
  await began(s, 'new', T + 60_000)
  await began(s, 'old', T)
  const { transactions } = await known(b, 'CS001')
  t.match(transactions.get('new'), { orphaned: false })
  t.equal((await known(b, 'CS001')).running(1)?.id, 'new')
  await s.close()
})

t.test('OCPP-134 a bad token at the end of a transaction takes nothing back; one within it does', async (t) => {
  const { b } = await handBench(t), s = await willing(b, 'CS001')
  await began(s, 'A')
  t.match((await s.call('TransactionEvent', of('A', 'Ended', 1, T + 1, { idToken: token('BLOCKED01') })))[2], { idTokenInfo: { status: 'Blocked' } })
  t.equal((await known(b, 'CS001')).transactions.get('A')?.deauthorised, false)
  await began(s, 'B')
  await s.call('TransactionEvent', of('B', 'Updated', 1, T + 1, { idToken: token('BLOCKED01') }))
  t.equal((await known(b, 'CS001')).transactions.get('B')?.deauthorised, true)
  await s.close()
})

t.test('OCPP-164 what was said offline is old by itself; a live event more than a minute off is flagged, once', async (t) => {
  const { b } = await handBench(t), s = await willing(b, 'CS001'), flags = async (): Promise<string[]> => (await known(b, 'CS001')).record.flags.map((f) => f.flag).filter((f) => /skew/.test(f))
  await s.call('TransactionEvent', of('A', 'Started', 0, T - 3_600_000, { offline: true }))
  await s.call('TransactionEvent', of('A', 'Updated', 1, T - 60_000))
  t.same(await flags(), [])
  await s.call('TransactionEvent', of('A', 'Updated', 2, T - 60_001))
  await s.call('TransactionEvent', of('A', 'Updated', 3, T + 120_000))
  t.equal((await flags()).length, 1)
  await s.close()
})

t.test('OCPP-170, 172 a total beats its phases, phases add up, and what lies between two lines is no phase', async (t) => {
  const said = (...values: [number, string?][]) => totals(samplesOf([{ timestamp: iso(T), sampledValue: values.map(([value, phase]) => ({ value, measurand: 'Power.Active.Import' as const, ...(phase ? { phase } : {}) })) }]), 'Power.Active.Import').map((x) => x.value)
  t.same(said([1000, 'L1'], [2000, 'L2'], [4000, 'L1-L2'], [8000, 'N']), [3000])
  t.same(said([1000, 'L1-N'], [2000, 'L2-N'], [500, 'L3-N']), [3500])
  t.same(said([7000], [1000, 'L1'], [2000, 'L2']), [7000])
})

t.test('OCPP-083, 084 what was asked of a Pending station is heard in time, and never of a Rejected one', async (t) => {
  const station = (registration: string): never => ({ record: { registration }, allowed: new Map([['NotifyReport', T + 300_000]]) }) as never
  t.ok(mayHear(station('pending'), 'NotifyReport', T + 299_999))
  t.notOk(mayHear(station('pending'), 'NotifyReport', T + 300_000))
  t.notOk(mayHear(station('pending'), 'StatusNotification', T))
  t.notOk(mayHear(station('rejected'), 'NotifyReport', T))
  t.ok(mayHear(station('rejected'), 'BootNotification', T))
})

t.test('OCPP-086, 141 after a restart that may have lost transactions each open one is asked for; it ends only when nothing of it waits', async (t) => {
  const { b } = await handBench(t), s = await willing(b, 'CS001', { GetTransactionStatus: { ongoingIndicator: false, messagesInQueue: true } })
  await began(s)
  const boot = (reason: string): Promise<unknown> => s.call('BootNotification', { reason, chargingStation: { model: 'M', vendorName: 'V' } })
  await boot('ScheduledReset')
  await boot('FirmwareUpdate')
  t.equal(sent(s, 'GetTransactionStatus').length, 0)
  await boot('Watchdog')
  await s.until(() => sent(s, 'GetTransactionStatus').length === 1)
  t.same(sent(s, 'GetTransactionStatus'), [{ transactionId: 'T1' }])
  const { record } = await known(b, 'CS001')
  await s.until(() => record.messagesInQueueSince !== undefined)
  // What the answer brought is committed before this is.
  await s.call('StatusNotification', { timestamp: iso(T), connectorStatus: 'Occupied', evseId: 1, connectorId: 1 })
  t.equal((await known(b, 'CS001')).transactions.get('T1')?.orphaned, false, 'its end is on the way')
  s.replies['GetTransactionStatus'] = { ongoingIndicator: false, messagesInQueue: false }
  await boot('PowerUp')
  const t1 = (await known(b, 'CS001')).transactions.get('T1')
  await s.until(() => t1?.orphaned === true)
  await s.close()
})

t.test('OCPP-039, 143 silence is asked about once each, and a certificate about to end once a day', async (t) => {
  const clock = handClock(T), asked: string[] = [], transaction = { ended: false, orphaned: false, evseId: 1, startedAt: T, heardAt: T }
  const station = {
    identity: 'CS001', tenant: 'test', record: { registration: 'accepted' }, transactions: new Map([['T1', transaction]]), remoteStarts: new Map(), triggered: new Map(), ledger: new Map(),
    session: { version: '2.0.1' }, onlineSince: T, certificate: { notAfterMs: T + 45 * 86_400_000 + 3_600_000, fingerprint: '' }, actual: () => undefined,
  }
  watch({
    clock, log: silent, untold: async () => {}, asksForQueue: false, compare: () => {}, online: () => [station as never],
    command: async (_id, action, payload) => { asked.push(`${action} ${(payload as { requestedMessage: string }).requestedMessage}`); return { kind: 'silent' } },
  }).look()
  const told = (): string[] => asked.splice(0)
  await clock.advance(14 * 60_000)
  t.same(told(), [], 'three intervals of five minutes are not over')
  await clock.advance(5 * 60_000)
  t.same(told(), ['TriggerMessage TransactionEvent'])
  await clock.advance(45 * 60_000)
  const silence = 'TriggerMessage TransactionEvent', renewal = 'TriggerMessage SignChargingStationCertificate'
  t.same(told(), [silence, silence, silence, renewal])
  await clock.advance(23 * 3_600_000)
  t.notOk(told().includes(renewal))
  await clock.advance(3_600_000)
  t.equal(told().filter((what) => what === renewal).length, 1)
})

t.test('REL-006 a station that cannot be looked at hides no other, now and at the next look', async (t) => {
  const clock = handClock(T), asked: string[] = []
  const broken = { identity: 'BROKEN', record: { registration: 'accepted' }, get transactions(): never { throw new Error('broken') } }
  const sound = { identity: 'SOUND', tenant: 'test', record: { registration: 'accepted' }, transactions: new Map(), remoteStarts: new Map(), triggered: new Map(), ledger: new Map(), session: { version: '2.0.1' }, onlineSince: T, certificate: { notAfterMs: T, fingerprint: '' }, actual: () => undefined }
  watch({
    clock, log: silent, untold: async () => {}, asksForQueue: false, compare: () => {}, online: () => [broken, sound] as never,
    command: async (id) => { asked.push(id); return { kind: 'silent' } },
  }).look()
  t.same(asked, ['SOUND'])
  await clock.advance(86_400_000)
  t.same(asked, ['SOUND', 'SOUND'])
})

t.test('OCPP-201 of what the station reports only what bears an id of ours and is unknown is cleared; the rest is shown and left', async (t) => {
  const { b } = await handBench(t), reported = (id: number, stackLevel: number): object => ({ id, stackLevel, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Absolute', chargingSchedule: [{ id: 1, startSchedule: iso(T), chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit: 5000 }] }] })
  const s: HandStation = await willing(b, 'CS001', { GetChargingProfiles: (payload) => {
    if ((payload['chargingProfile'] as { chargingProfilePurpose: string }).chargingProfilePurpose !== 'TxDefaultProfile') return { status: 'NoProfiles' }
    setImmediate(() => void s.call('ReportChargingProfiles', { requestId: payload['requestId'], chargingLimitSource: 'CSO', evseId: 1, chargingProfile: [reported(7, 1), reported(999_999, 2), reported(1_000_500, 3), reported(1_999_999, 4), reported(2_000_000, 5)] }))
    return { status: 'Accepted' }
  } })
  const foreign = await b.csms.reconcile(await known(b, 'CS001'))
  t.same(sent(s, 'ClearChargingProfile').map((p) => p['chargingProfileId']), [1_000_500, 1_999_999])
  t.same(foreign?.map((r) => r.profile.id), [7, 999_999, 2_000_000])
  await s.close()
})

t.test('OCPP-195, 199 the lower of an external cap and the station\'s own offer counts, until each is gone', async (t) => {
  const { b } = await handBench(t), s = await willing(b, 'CS001')
  await began(s)
  const after = async (say: () => Promise<unknown>): Promise<number> => {
    const before = b.availability.length
    await say()
    await s.until(() => b.availability.length > before)
    return most(b, before)
  }
  const schedule = { id: 1, chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit: 6000 }] }
  t.equal(await after(() => s.call('NotifyChargingLimit', { evseId: 1, chargingLimit: { chargingLimitSource: 'SO' }, chargingSchedule: [schedule] })), 6000)
  t.equal(await after(() => s.call('TransactionEvent', { ...of('T1', 'Updated', 1, T + 1, { meterValue: [{ timestamp: iso(T + 1), sampledValue: [{ value: 4000, measurand: 'Power.Offered' }] }] }), triggerReason: 'ChargingRateChanged' })), 4000)
  t.equal(await after(() => s.call('TransactionEvent', { ...of('T1', 'Updated', 2, T + 2, { meterValue: [{ timestamp: iso(T + 2), sampledValue: [{ value: 9000, measurand: 'Power.Offered' }] }] }), triggerReason: 'ChargingRateChanged' })), 6000)
  t.equal(await after(() => s.call('ClearedChargingLimit', { evseId: 1, chargingLimitSource: 'SO' })), 9000)
  await s.close()
})

t.test('OCPP-252 meter values of a 1.6 station that name no transaction belong to the one that runs at the connector', async (t) => {
  const { b } = await handBench(t), s = await willing(b, 'CS001', {}, { protocols: ['ocpp1.6'] })
  const { transactionId } = (await s.call('StartTransaction', { connectorId: 2, idTag: 'DEADBEEF', meterStart: 0, timestamp: iso(T) }))[2] as { transactionId: number }
  const values = (connectorId: number, more: object = {}): Promise<unknown> => s.call('MeterValues', { connectorId, meterValue: [{ ...meter(T + 1000, 0), sampledValue: [{ value: '5' }] }], ...more })
  await values(2)
  await values(1)
  await values(1, { transactionId: 77 })
  const kept = async (from: string): Promise<unknown[]> => (await notesOf<{ transaction?: string }>(b.database.stores.documents, 'test', 'csms/MeterValues', from)).map((n) => n.body.transaction)
  t.same(await kept('CS001/2'), [String(transactionId)])
  t.same(await kept('CS001/1'), [undefined, '77'])
  await s.close()
})

t.test('OCPP-092 parts that count from 1 are whole without a 0; a hole is a gap', async (t) => {
  const clock = handClock(T), parts = partsJoiner(clock), station = { tenant: 'test', identity: 'CS001' } as never
  const report = parts.expect(station, 'NotifyReport', 1)
  parts.part(station, 'NotifyReport', 1, 2, false, ['b'])
  parts.part(station, 'NotifyReport', 1, 1, true, ['a'])
  t.same(await report, { state: 'complete', items: ['a', 'b'] })
  const holed = parts.expect(station, 'NotifyReport', 2)
  parts.part(station, 'NotifyReport', 2, 0, true, ['a'])
  parts.part(station, 'NotifyReport', 2, 2, false, ['c'])
  await clock.advance(120_000)
  t.same(await holed, { state: 'gap', items: ['a', 'c'] })
})

t.test('OCPP-112 a token of some EVSEs is told so at the others, and elsewhere', async (t) => {
  const { b } = await handBench(t)
  await b.csms.tokens.put('test', [{ idToken: 'TWO', type: 'Local', status: 'Accepted', evses: { CS001: [2] } }])
  const s = await willing(b, 'CS001'), other = await willing(b, 'CS002'), idToken = token('TWO', 'Local')
  const start = async (station: HandStation, id: number): Promise<unknown> => ((await station.call('TransactionEvent', of(`at ${id}`, 'Started', 0, T, { evse: { id, connectorId: 1 }, idToken })))[2] as { idTokenInfo: { status: string } }).idTokenInfo.status
  t.same([await start(s, 1), await start(s, 2), await start(other, 2)], ['NotAllowedTypeEVSE', 'Accepted', 'NotAtThisLocation'])
  await Promise.all([s.close(), other.close()])
})

t.test('OCPP-223 what was told of a customer is read for 30 days and no longer, dropped or not', async (t) => {
  const { b, clock } = await handBench(t), s = await willing(b, 'CS001'), station = await known(b, 'CS001')
  await s.call('NotifyCustomerInformation', { data: 'Ada', seqNo: 0, generatedAt: iso(T), requestId: 5 })
  const stored = await b.database.stores.documents.list('test', { kind: 'csms/CustomerInformation' })
  t.notMatch(JSON.stringify(stored), /Ada/, 'encrypted')
  t.same(await b.csms.customers.read(station), [{ requestId: 5, data: 'Ada' }])
  const [kept] = stored as [NonNullable<(typeof stored)[0]>]
  await clock.advance(30 * 86_400_000 - 1000)
  t.equal((await b.csms.customers.read(station)).length, 1)
  await clock.advance(1000)
  // As if the hourly dropping had not come about.
  await b.database.stores.documents.insertMany([kept], T, { onConflict: 'replace' })
  t.same(await b.csms.customers.read(station), [])
  await s.close()
})
