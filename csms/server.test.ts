import t from 'tap'
import { station, type Bench } from './fixture.js'
import { event, iso, meter, twenty } from './fixture-twenty.js'
import { notesOf } from './journal.js'
import { energyIn } from './register.js'
import type { Transaction } from './transaction.js'

t.setTimeout(300_000)

let b: Bench
t.before(async () => { b = await twenty() })
t.teardown(() => b.close())

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
