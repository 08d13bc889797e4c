import * as fc from 'fast-check'
import t from 'tap'
import { event, handBench, iso, known, meter, sent, T, token, willing } from './fixture-words.js'
import { energyOf, newTransaction, take, metered } from './transaction.js'
import { samplesOf } from './metering.js'

t.setTimeout(120_000)

t.test('OCPP-135, 136 any start point: EVSE, token and connector may come late, another EVSE is flagged, an absent charging state changes nothing', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001')
  await s.call('TransactionEvent', { ...event('Started', 0, T, {}), triggerReason: 'SignedDataReceived' })
  const tx = (await known(b, 'CS001')).transactions.get('T1')!
  t.match(tx, { evseId: undefined, idToken: undefined, chargingState: undefined })
  await s.call('TransactionEvent', event('Updated', 1, T + 1000, { evse: { id: 2 }, idToken: token('DEADBEEF') }, { chargingState: 'Charging' }))
  await s.call('TransactionEvent', event('Updated', 2, T + 2000, { evse: { id: 2, connectorId: 1 } }))
  t.match(tx, { evseId: 2, connectorId: 1, chargingState: 'Charging', idToken: { idToken: 'DEADBEEF' }, flags: [] })
  await s.call('TransactionEvent', event('Updated', 3, T + 3000, { evse: { id: 3 } }, { chargingState: 'SuspendedEVSE' }))
  t.match(tx, { evseId: 2, chargingState: 'SuspendedEVSE', flags: ['evseChanged'] })
  await s.close()
  for (const reason of ['CablePluggedIn', 'Authorized', 'SignedDataReceived', 'ChargingStateChanged', 'EVDetected']) {
    const one = newTransaction('x', T)
    take(one, { eventType: 'Started', seqNo: 0, timestamp: iso(T), triggerReason: reason, transactionInfo: { transactionId: 'x' } })
    t.equal(one.startSeq, 0, reason)
  }
})

t.test('OCPP-137 Ended: its reason is Local when absent; time, phases and cable are kept; energy is last minus first by context, in any order', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001')
  await s.call('TransactionEvent', event('Started', 0, T, { evse: { id: 1 }, cableMaxCurrent: 32, numberOfPhasesUsed: 3, meterValue: [meter(T, 1000, 'Transaction.Begin')] }))
  await s.call('TransactionEvent', event('Ended', 1, T + 60_000, { meterValue: [meter(T + 30_000, 3000), meter(T + 60_000, 6000, 'Transaction.End')] }, { timeSpentCharging: 55 }))
  const tx = (await known(b, 'CS001')).transactions.get('T1')!
  t.match(tx, { ended: true, stoppedReason: 'Local', timeSpentCharging: 55, cableMaxCurrent: 32, phases: 3 })
  t.equal(energyOf(tx), 5000)
  await s.close()
  const values = [[T, 10, 'Transaction.Begin'], [T + 1, 50, undefined], [T + 2, 90, undefined], [T + 3, 70, 'Transaction.End']] as const
  fc.assert(fc.property(fc.shuffledSubarray([...values], { minLength: 4 }), (order) => {
    const one = newTransaction('x', T)
    for (const [at, value, context] of order) metered(one, samplesOf([{ timestamp: iso(at), sampledValue: [{ value, ...(context ? { context } : {}) }] }]))
    return energyOf(one) === 60
  }))
})

t.test('OCPP-138, 139 a remote start that nobody asked for is flagged, one of ours is linked, and a reservation is used by any event', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001')
  await b.csms.command('CS001', 'RequestStartTransaction', { remoteStartId: 4, evseId: 1, idToken: token('DEADBEEF') })
  await b.csms.command('CS001', 'ReserveNow', { id: 9, expiryDateTime: iso(T + 1e6), idToken: token('DEADBEEF'), evseId: 1 })
  const station = await known(b, 'CS001')
  t.match(station.record.reservations, { 9: { evseId: 1, idToken: 'DEADBEEF' } })
  t.equal((await s.call('TransactionEvent', event('Started', 0, T, { evse: { id: 1 } }, { remoteStartId: 77 })))[0], 3)
  t.same(station.transactions.get('T1')!.flags, ['unknownRemoteStart'])
  await s.call('TransactionEvent', { ...event('Started', 0, T + 1, { evse: { id: 2 } }), transactionInfo: { transactionId: 'T2', remoteStartId: 4 } })
  t.match(station.transactions.get('T2'), { remoteStartId: 4, flags: [] })
  t.equal(station.remoteStarts.get(4)?.state, 'started')
  await s.call('TransactionEvent', event('Updated', 1, T + 2, { reservationId: 9 }))
  t.same(station.record.reservations, {})
  t.equal(station.transactions.get('T1')!.reservationId, 9)
  await s.close()
})

t.test('OCPP-140 an answer holds what has a meaning, and nothing else', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001')
  t.same((await s.call('TransactionEvent', event('Started', 0, T, { evse: { id: 1 } })))[2], {})
  t.same((await s.call('TransactionEvent', event('Updated', 1, T + 1, { idToken: token('GROUP01') })))[2], { idTokenInfo: { status: 'Accepted', groupIdToken: { idToken: 'FLEET1', type: 'Central' } } })
  t.same((await s.call('TransactionEvent', event('Ended', 2, T + 2)))[2], {})
  await s.close()
})

t.test('OCPP-141 a station that is back is asked for its queue; verification waits until it is empty, for a day at most', async (t) => {
  const told: unknown[] = []
  const { b, clock } = await handBench(t, { needs: { untold: { untold: async (_tenant, resource, until) => { told.push([resource, until === null ? null : until - T / 1000]) } } } })
  let queue = true
  const replies = { GetTransactionStatus: () => ({ messagesInQueue: queue }) }
  const first = await willing(b, 'CS001', replies)
  await first.call('TransactionEvent', event('Started', 0, T, { evse: { id: 1 } }))
  await first.close()
  const s = await willing(b, 'CS001', replies, { boot: false }), asked = (): number => sent(s, 'GetTransactionStatus').length
  const pass = async (minutes: number, n: number): Promise<void> => {
    for (let i = 0; i < minutes; i += 1) await clock.advance(60_000)
    await s.until(() => asked() >= n)
    t.equal(asked(), n)
    await s.call('Heartbeat', {})
  }
  await pass(2, 1)
  t.same(sent(s, 'GetTransactionStatus')[0], {}, 'for all transactions')
  const { record } = await known(b, 'CS001'), since = Date.parse(record.messagesInQueueSince as string)
  const day = (since - T) / 1000 + 86_400
  t.same(told, [['res-CS001-1', day]])
  t.match(await b.csms.command('CS001', 'GetTransactionStatus', { transactionId: 'T1' }), { kind: 'answered' })
  queue = false
  await b.csms.command('CS001', 'GetTransactionStatus', { transactionId: 'T1' })
  t.ok(record.messagesInQueueSince, 'an empty queue of one transaction says nothing of the others')
  await pass(5, 4)
  t.equal(record.messagesInQueueSince, undefined)
  t.same(told.at(-1), ['res-CS001-1', null], 'the core goes on')
  queue = true
  await b.csms.command('CS001', 'GetTransactionStatus', {})
  t.ok(record.messagesInQueueSince)
  await clock.advance(86_400_000 + 60_000)
  t.equal(record.messagesInQueueSince, undefined, 'a day at most')
  t.same(told.at(-1), ['res-CS001-1', null])
  await s.close()
})

t.test('OCPP-152 a stop that the station does not know is followed by a question', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001', { GetTransactionStatus: { messagesInQueue: true }, RequestStopTransaction: { status: 'Rejected' } })
  t.match(await b.csms.command('CS001', 'RequestStopTransaction', { transactionId: 'NONE' }), { payload: { status: 'Rejected' } })
  await s.until(() => sent(s, 'GetTransactionStatus').length === 1)
  t.same(sent(s, 'GetTransactionStatus')[0], { transactionId: 'NONE' })
  s.replies['RequestStopTransaction'] = { status: 'Accepted' }
  await s.call('TransactionEvent', event('Started', 0, T, { evse: { id: 1 } }))
  t.match(await b.csms.command('CS001', 'RequestStopTransaction', { transactionId: 'T1' }), { payload: { status: 'Accepted' } })
  t.equal((await known(b, 'CS001')).transactions.get('T1')!.ended, false, 'the end comes as an event')
  await s.close()
})

t.test('OCPP-142 a second start on an EVSE leaves the first an orphan, and the station is asked for it', async (t) => {
  const { b, clock } = await handBench(t)
  const s = await willing(b, 'CS001', { GetTransactionStatus: { ongoingIndicator: false, messagesInQueue: false } })
  await s.call('TransactionEvent', event('Started', 0, T, { evse: { id: 1 } }))
  await s.call('TransactionEvent', { ...event('Started', 0, T + 1000, { evse: { id: 1 } }), transactionInfo: { transactionId: 'T2' } })
  await clock.advance(1)
  await s.until(() => sent(s, 'GetTransactionStatus').length > 0)
  t.same(sent(s, 'GetTransactionStatus'), [{ transactionId: 'T1' }])
  const { transactions } = await known(b, 'CS001')
  t.match([transactions.get('T1'), transactions.get('T2')], [{ orphaned: true, ended: false }, { orphaned: false }])
  await s.close()
})
