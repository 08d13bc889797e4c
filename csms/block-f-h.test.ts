import t from 'tap'
import { handBench, iso, known, sent, T, tells, token, willing } from './fixture-words.js'

t.setTimeout(120_000)
const start = (more: object = {}): object => ({ remoteStartId: 11, evseId: 1, idToken: token('DEADBEEF'), ...more })
const profile = (more: object = {}): object => ({
  id: 1, stackLevel: 0, chargingProfilePurpose: 'TxProfile', chargingProfileKind: 'Relative', chargingSchedule: [{ id: 1, chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 10 }] }], ...more,
})

t.test('OCPP-150 a remote start: evseId where there are several, a TxProfile without transactionId, its number kept over a restart of ours', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001')
  for (const evseId of [1, 2]) await s.call('StatusNotification', { timestamp: iso(T), connectorStatus: 'Available', evseId, connectorId: 1 })
  const command = (payload: object): Promise<unknown> => b.csms.command('CS001', 'RequestStartTransaction', payload)
  t.match(await command(JSON.parse(JSON.stringify(start({ evseId: undefined })))), { kind: 'refused', checks: [{ check: 'OCPP-150' }] })
  t.match(await command(start({ chargingProfile: profile({ transactionId: 'T' }) })), { kind: 'refused', checks: [{ check: 'F01.FR.11' }] })
  t.match(await command(start({ chargingProfile: profile({ chargingProfilePurpose: 'TxDefaultProfile' }) })), { kind: 'refused', checks: [{ check: 'F01.FR.09' }] })
  t.match(await command(start({ chargingProfile: profile(), groupIdToken: token('FLEET1', 'Central') })), { kind: 'answered', payload: { status: 'Accepted' } })
  t.match(sent(s, 'RequestStartTransaction'), [{ remoteStartId: 11, evseId: 1, groupIdToken: { idToken: 'FLEET1' }, chargingProfile: { chargingProfilePurpose: 'TxProfile' } }])
  await s.close()
  await b.restart()
  t.equal((await known(b, 'CS001')).record.counters.remoteStart, 11)
})

t.test('OCPP-153, 162 UnlockConnector and ChangeAvailability: each status is handed on, the wanted state is kept, the actual one comes from the station', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001')
  for (const status of ['Unlocked', 'UnlockFailed', 'OngoingAuthorizedTransaction', 'UnknownConnector']) {
    s.replies['UnlockConnector'] = { status }
    t.match(await b.csms.command('CS001', 'UnlockConnector', { evseId: 1, connectorId: 1 }), { kind: 'answered', payload: { status } })
  }
  const { record } = await known(b, 'CS001')
  await s.call('StatusNotification', { timestamp: iso(T), connectorStatus: 'Occupied', evseId: 1, connectorId: 1 })
  for (const [status, evse, key] of [['Scheduled', { id: 1, connectorId: 1 }, '1/1'], ['Accepted', { id: 1 }, '1'], ['Accepted', undefined, '']] as const) {
    s.replies['ChangeAvailability'] = { status }
    await b.csms.command('CS001', 'ChangeAvailability', { operationalStatus: 'Inoperative', ...(evse ? { evse } : {}) })
    t.equal(record.wanted[key], 'Inoperative', `${status} ${key}`)
  }
  s.replies['ChangeAvailability'] = { status: 'Rejected' }
  await b.csms.command('CS001', 'ChangeAvailability', { operationalStatus: 'Operative' })
  t.equal(record.wanted[''], 'Inoperative', 'Rejected changes no wish')
  t.match(record.connectors['1/1'], { status: 'Occupied' })
  await s.close()
})

t.test('OCPP-154 a triggered message is awaited for a minute and linked; StatusNotification of an EVSE names the connector', async (t) => {
  const { b, clock } = await handBench(t)
  const s = await willing(b, 'CS001')
  const ask = (payload: object): Promise<unknown> => b.csms.command('CS001', 'TriggerMessage', payload)
  t.match(await ask({ requestedMessage: 'StatusNotification', evse: { id: 1 } }), { kind: 'refused', checks: [{ check: 'F06.FR.13' }] })
  await ask({ requestedMessage: 'StatusNotification', evse: { id: 1, connectorId: 1 } })
  await ask({ requestedMessage: 'MeterValues' })
  const { triggered } = await known(b, 'CS001')
  t.same([...triggered].map(([m, { state }]) => [m, state]), [['StatusNotification', 'awaited'], ['MeterValues', 'awaited']])
  await s.call('StatusNotification', { timestamp: iso(T), connectorStatus: 'Available', evseId: 1, connectorId: 1 })
  await clock.advance(120_000)
  t.same([...triggered].map(([m, { state }]) => [m, state]), [['StatusNotification', 'came'], ['MeterValues', 'timedOut']])
  for (const status of ['Rejected', 'NotImplemented']) {
    s.replies['TriggerMessage'] = { status }
    t.match(await ask({ requestedMessage: 'Heartbeat' }), { kind: 'answered', payload: { status } })
  }
  t.notOk(triggered.has('Heartbeat'))
  await s.close()
})

t.test('OCPP-155, 082, 084 not while Pending or Rejected, but for a boot that is asked for', async (t) => {
  const { b } = await handBench(t)
  await b.csms.provision.add('test', [{ id: 'WAITS', securityProfile: 1, password: 'loadstone-WAITS-pass', approved: false }])
  const s = await willing(b, 'WAITS', {}, { boot: false })
  const boot = (): Promise<unknown> => s.call('BootNotification', { reason: 'PowerUp', chargingStation: { model: 'M', vendorName: 'V' } })
  t.match(await boot(), [3, String, { status: 'Pending', interval: Number, statusInfo: { reasonCode: String } }])
  for (const [action, payload] of [['RequestStartTransaction', start()], ['RequestStopTransaction', { transactionId: 'T' }]] as const) t.match(await b.csms.command('WAITS', action, payload), { kind: 'refused', checks: [{ check: 'OCPP-082' }] })
  t.match(await b.csms.command('WAITS', 'TriggerMessage', { requestedMessage: 'Heartbeat' }), { kind: 'answered' })
  t.equal((await s.call('Heartbeat', {}))[0], 3, 'OCPP-083 what we triggered is heard')
  await b.csms.change('test', 'WAITS', { verdict: 'rejected' })
  t.match(await boot(), [3, String, { status: 'Rejected' }])
  t.match(await b.csms.command('WAITS', 'TriggerMessage', { requestedMessage: 'Heartbeat' }), { kind: 'refused', checks: [{ check: 'OCPP-084' }] })
  t.match(await b.csms.command('WAITS', 'GetLocalListVersion', {}), { kind: 'refused', checks: [{ check: 'OCPP-084' }] })
  t.match(await b.csms.command('WAITS', 'TriggerMessage', { requestedMessage: 'BootNotification' }), { kind: 'answered' })
  await b.csms.change('test', 'WAITS', { verdict: 'accepted' })
  t.match(await boot(), [3, String, { status: 'Accepted' }], 'OCPP-087 an operator approved it')
  await s.close()
})

t.test('OCPP-165 a reservation: the same id replaces, cancel and the station\'s own word end it, NonEvseSpecific is heeded', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001')
  const { record } = await known(b, 'CS001')
  const reserve = (id: number, evseId: number | undefined): Promise<unknown> => b.csms.command('CS001', 'ReserveNow', { id, expiryDateTime: iso(T + 1e6), idToken: token('DEADBEEF'), ...(evseId === undefined ? {} : { evseId }) })
  await reserve(1, 1)
  await reserve(1, 2)
  await reserve(2, 1)
  t.same(Object.entries(record.reservations).map(([id, r]) => [id, r.evseId]), [['1', 2], ['2', 1]])
  s.replies['ReserveNow'] = { status: 'Occupied' }
  t.match(await reserve(3, 1), { kind: 'answered', payload: { status: 'Occupied' } })
  await b.csms.command('CS001', 'CancelReservation', { reservationId: 1 })
  t.same((await s.call('ReservationStatusUpdate', { reservationId: 2, reservationUpdateStatus: 'Expired' }))[2], {})
  t.same(record.reservations, {})
  await tells(s, { 'ReservationCtrlr.NonEvseSpecific': 'false' })
  t.match(await reserve(4, undefined), { kind: 'refused', checks: [{ check: 'H01.FR.18' }] })
  await s.close()
})

t.test('OCPP-160, REL-020 a state that could not be stored is news again when the station repeats it; an EVSE of which nothing is known has a connector', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001'), { documents } = b.database.stores, { insertMany } = documents
  const status = (connectorStatus: string): object => ({ timestamp: iso(T), connectorStatus, evseId: 1, connectorId: 1 })
  const stored = async (): Promise<unknown> => (await documents.get<{ connectors: Record<string, { status: string }> }>('test', 'csms/Station', 'CS001'))?.body.connectors['1/1']?.status
  await s.call('StatusNotification', status('Available'))
  documents.insertMany = () => Promise.reject(new Error('the database is away'))
  t.match(await s.call('StatusNotification', status('Occupied')), [4, String, 'InternalError'])
  documents.insertMany = insertMany
  t.equal(await stored(), 'Available')
  t.match(await s.call('StatusNotification', status('Occupied')), [3])
  t.equal(await stored(), 'Occupied')
  const state = (value: string, evse: object, n: number): object => ({ eventId: n, timestamp: iso(T + n), trigger: 'Delta', actualValue: value, eventNotificationType: 'HardWiredNotification', component: { name: 'EVSE', evse }, variable: { name: 'AvailabilityState' } })
  await s.call('NotifyEvent', { generatedAt: iso(T), seqNo: 0, eventData: [state('Available', { id: 2 }, 1), state('Faulted', { id: 1 }, 2)] })
  const { record, evses } = await known(b, 'CS001').then((station) => ({ record: station.record, evses: station.evses() }))
  t.match([record.connectors['1/1'], record.connectors['2/1']], [{ status: 'Faulted' }, { status: 'Available' }])
  t.same(evses, [1, 2])
  t.equal((await documents.list('test', { kind: 'csms/Event', parent: 'CS001' })).length, 2, 'both kept')
  await s.close()
})
