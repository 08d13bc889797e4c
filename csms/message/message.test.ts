import Fastify from 'fastify'
import t from 'tap'
import { system } from '#core/caller.js'
import { bench, password, station, type Bench } from '#csms/fixture.js'
import { operatorRoutes } from '#csms/operator.js'
import { checkedRandom, valid } from '#csms/rpc/fixture-mutation.js'
import { schemasOf } from '#csms/rpc/schema.js'
import { actions } from '#csms/wire/action.js'
import { offered } from '#csms/wire/offered.js'

t.setTimeout(300_000)

let b: Bench
t.before(async () => {
  b = await bench({
    stations: ['ALL16', 'ALL201', 'ALL21', 'OLD1', 'EVT1', 'CERT1', 'REC1', 'API1'], config: { badFramesPerMinute: 0, masterGroup: 'MASTER' },
    needs: { signer: { sign: async ({ csr }) => (csr === 'good' ? { chain: 'CHAIN' } : { refused: 'no' }) } },
  })
})
t.teardown(() => b.close())

const iso = (ms: number): string => new Date(ms).toISOString()

for (const [version, id] of [['1.6', 'ALL16'], ['2.0.1', 'ALL201'], ['2.1', 'ALL21']] as const) {
  t.test(`OCPP §21 every message of a ${version} station is answered by a valid CALLRESULT, or NotSupported when it is not offered`, async (t) => {
    const s = await station(b, id, { protocols: [`ocpp${version}`], boot: false })
    await s.call('BootNotification', version === '1.6' ? { chargePointVendor: 'V', chargePointModel: 'M' } : { reason: 'PowerUp', chargingStation: { model: 'M', vendorName: 'V' } })
    const random = checkedRandom(7)
    for (const { name, from } of actions.filter((a) => a.in.includes(version) && a.name !== 'NotifyPeriodicEventStream')) {
      const schema = schemasOf(version).schema(name, 'request') as never
      for (let i = 0; i < 3; i += 1) {
        const frame = await s.call(name, valid(schema, schema, random), `${name}${i}`)
        const want = offered(name, version)
        if (from === 'csms' || want !== 'yes') t.same(frame.slice(0, 3), [4, `${name}${i}`, want === 'unknown' ? 'NotImplemented' : 'NotSupported'])
        else {
          t.equal(frame[0], 3, `${name} ${JSON.stringify(frame)}`)
          t.equal(schemasOf(version).check(name, 'response', frame[2]), undefined, name)
        }
      }
    }
    await s.close()
  })
}

t.test('OCPP-250…252, REL-050 a 1.6 session: ids of ours, the same start twice, meter values by connector, profiles', async (t) => {
  const s = await station(b, 'OLD1', { protocols: ['ocpp1.6'], boot: false })
  await s.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M', firmwareVersion: '1' })
  t.match((await s.call('Authorize', { idTag: 'deadbeef' }))[2], { idTagInfo: { status: 'Accepted' } })
  t.match((await s.call('Authorize', { idTag: 'GROUP01' }))[2], { idTagInfo: { status: 'Accepted', parentIdTag: 'FLEET1' } })
  const at = (minute: number): string => iso(Date.UTC(2026, 2, 5, 10, minute))
  const start = { connectorId: 2, idTag: 'DEADBEEF', meterStart: 100, timestamp: at(0) }
  const [, , first] = await s.call('StartTransaction', start), [, , again] = await s.call('StartTransaction', start)
  const { transactionId } = first as { transactionId: number }
  t.ok(transactionId > 0)
  t.match(again, { transactionId, idTagInfo: { status: 'Accepted' } })
  t.match((await s.call('StartTransaction', { ...start, connectorId: 1, idTag: 'nobody' }))[2], { transactionId: Number, idTagInfo: { status: 'Invalid' } })
  await s.call('StatusNotification', { connectorId: 2, errorCode: 'NoError', status: 'SuspendedEV', timestamp: at(5) })
  await s.call('MeterValues', { connectorId: 2, meterValue: [{ timestamp: at(10), sampledValue: [{ value: '1.1', unit: 'kWh' }, { value: 'garbage', measurand: 'SoC' }, { value: 'AAAA', format: 'SignedData' }] }] })
  t.equal((await b.csms.fleet.find('test', 'OLD1'))?.running(2)?.chargingState, 'SuspendedEV')
  t.same((await s.call('StopTransaction', { transactionId, meterStop: 2100, timestamp: at(20) }))[2], {})
  const newest = new Map(b.readings.filter((r) => r.source === 'ocpp:OLD1/2').map((r) => [r.start, r.Wh]))
  t.same([...newest.values()], [1500, 500])
  s.replies['SetChargingProfile'] = { status: 'Accepted' }
  const begin = Math.floor(Date.now() / 1000) + 600
  await b.csms.channel.send([{
    id: 'd16', tenant: 'test', dispatch: 'D', revision: 1, program: { id: 'p', name: 'p' }, resource: { id: 'r', name: 'r', kind: 'evse', rated_W: 22_000, servicePoint: 'sp' },
    binding: { protocol: 'ocpp', remoteId: 'OLD1', evseId: 2, control: true }, start: begin, end: begin + 3600, expiry: begin + 7200, priority: 1, randomize_s: 0, reportEvery_s: 900, createdAt: 0,
    intervals: [{ start: begin, end: begin + 3600, delta_W: -1, expected_W: 5000, setpoint_W: 4999, limitImport_W: 4999 }],
  }])
  await s.until(() => b.happenings.some((h) => h.delivery === 'd16'))
  t.match(s.calls[0], { action: 'SetChargingProfile', payload: { connectorId: 2, csChargingProfiles: { chargingProfileId: 1_000_000, chargingProfilePurpose: 'TxDefaultProfile', validTo: String, chargingSchedule: { duration: 3600, chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit: 4999 }] } } } })
  await s.close()
})

t.test('OCPP-040, 160, 163, 195, 225 events, caps and data transfer', async (t) => {
  const s = await station(b, 'EVT1')
  await s.call('SecurityEventNotification', { type: 'TamperDetectionActivated', timestamp: iso(0) })
  await s.call('SecurityEventNotification', { type: 'SomethingNew', timestamp: iso(0) })
  const known = await b.csms.fleet.find('test', 'EVT1')
  t.match(known?.record.flags.at(-1), { flag: 'SecurityEvent TamperDetectionActivated' })
  await s.call('NotifyEvent', { generatedAt: iso(0), seqNo: 0, eventData: [
    { eventId: 1, timestamp: iso(0), trigger: 'Delta', actualValue: 'Faulted', eventNotificationType: 'CustomMonitor', component: { name: 'Connector', evse: { id: 1, connectorId: 1 } }, variable: { name: 'AvailabilityState' } },
    { eventId: 2, timestamp: iso(0), trigger: 'Alerting', actualValue: 'true', eventNotificationType: 'CustomMonitor', component: { name: 'ConnectorPlugRetentionLock', evse: { id: 1 } }, variable: { name: 'Problem' } },
  ] })
  t.match(known?.record.connectors['1/1'], { status: 'Faulted' })
  t.match(known?.record.flags.at(-1), { flag: 'ConnectorPlugRetentionLock.Problem' })
  await s.call('NotifyChargingLimit', { evseId: 1, chargingLimit: { chargingLimitSource: 'EMS' }, chargingSchedule: [{ id: 1, chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 10 }] }] })
  t.match(known?.record.caps['1'], { source: 'EMS', limit_W: 6900 })
  await s.call('ClearedChargingLimit', { evseId: 1, chargingLimitSource: 'EMS' })
  t.equal(known?.record.caps['1'], undefined)
  t.same((await s.call('DataTransfer', { vendorId: 'x' }))[2], { status: 'UnknownVendorId' })
  t.ok(await b.database.stores.documents.count('test', { kind: 'csms/Event', parent: 'EVT1' }) >= 5)
  await s.close()
})

t.test('OCPP-036…038 certificate renewal: Accepted first, then the chain; a refused CSR; no second certificate', async (t) => {
  const s = await station(b, 'CERT1')
  s.replies['CertificateSigned'] = { status: 'Accepted' }
  t.same((await s.call('SignCertificate', { csr: 'bad' }))[2], { status: 'Rejected' })
  t.same((await s.call('SignCertificate', { csr: 'good', certificateType: 'V2GCertificate' }))[2], { status: 'Accepted' })
  await s.until(() => s.calls.length === 1)
  t.same(s.calls[0]?.payload, { certificateChain: 'CHAIN', certificateType: 'V2GCertificate' })
  t.same((await s.call('Get15118EVCertificate', { iso15118SchemaVersion: 'urn', action: 'Install', exiRequest: 'AA' }))[2], { status: 'Failed', exiResponse: '' })
  t.same((await s.call('GetCertificateStatus', { ocspRequestData: { hashAlgorithm: 'SHA256', issuerNameHash: 'a', issuerKeyHash: 'b', serialNumber: 'c', responderURL: 'http://x' } }))[2], { status: 'Failed' })
  await s.close()
})

t.test('OCPP-201 reconcile: ours that is missing is sent again, a stale one of our range is cleared, a foreign one is kept and shown', async (t) => {
  const s = await station(b, 'REC1')
  s.replies['SetChargingProfile'] = { status: 'Accepted' }
  s.replies['ClearChargingProfile'] = { status: 'Accepted' }
  const profile = { stackLevel: 1, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Absolute', validTo: iso(Date.now() + 9e6), chargingSchedule: [{ id: 1, startSchedule: iso(0), chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit: 5000 }] }] }
  t.equal((await b.csms.command('REC1', 'SetChargingProfile', { evseId: 1, chargingProfile: { ...profile, id: 1_000_000 } })).kind, 'answered')
  const sends = s.calls.length
  s.replies['GetChargingProfiles'] = (p) => {
    if ((p['chargingProfile'] as { chargingProfilePurpose: string }).chargingProfilePurpose !== 'TxDefaultProfile') return { status: 'NoProfiles' }
    setImmediate(() => {
      void s.call('ReportChargingProfiles', { requestId: p['requestId'], chargingLimitSource: 'CSO', evseId: 1, tbc: true, chargingProfile: [{ ...profile, id: 1_000_555, stackLevel: 2 }] })
        .then(() => s.call('ReportChargingProfiles', { requestId: p['requestId'], chargingLimitSource: 'EMS', evseId: 1, chargingProfile: [{ ...profile, id: 7, stackLevel: 0 }] }))
    })
    return { status: 'Accepted' }
  }
  const known = await b.csms.fleet.find('test', 'REC1')
  const foreign = known ? await b.csms.reconcile(known) : undefined
  t.same(foreign?.map((f) => f.profile.id), [7])
  t.same(s.calls.slice(sends).filter((c) => c.action !== 'GetChargingProfiles').map((c) => [c.action, (c.payload['chargingProfile'] as { id?: number } | undefined)?.id ?? c.payload['chargingProfileId']]), [['SetChargingProfile', 1_000_000], ['ClearChargingProfile', 1_000_555]])
  await s.close()
})

t.test('OCPP-226, contract §6 the operator\'s door: provision, send anything, 422, 409, 502, 504', async (t) => {
  const app = Fastify()
  await app.register(operatorRoutes({
    csms: b.csms, documents: b.database.stores.documents, callerOf: () => system('test'), permit: () => {}, urlOf: (profile, id) => `${profile === 1 ? 'ws' : 'wss'}://x/ocpp/${id}`,
  }))
  const made = await app.inject({ method: 'POST', url: '/stations', payload: { id: 'API2', securityProfile: 1 } })
  t.equal(made.statusCode, 201)
  t.match(made.json(), { id: 'API2', url: 'ws://x/ocpp/API2', password: /^[0-9a-f]{32}$/ }, 'OCPP-035')
  t.notOk((await app.inject('/stations/API2')).payload.includes(made.json().password), 'once')
  const s = await station(b, 'API1')
  s.replies['ClearCache'] = { status: 'Accepted' }
  const post = async (action: string, payload: object) => app.inject({ method: 'POST', url: `/stations/API1/ocpp/${action}`, payload })
  t.match((await post('ClearCache', {})).json(), { status: 'Accepted' })
  const refused = await post('Reset', { type: 'x' })
  t.equal(refused.statusCode, 422)
  t.match(refused.json(), { checks: [{ check: 'PropertyConstraintViolation', detail: String }] })
  s.replies['Reset'] = ['GenericError', 'busy', { a: 1 }]
  const error = await post('Reset', { type: 'Immediate' })
  t.equal(error.statusCode, 502)
  t.same(error.json(), { code: 'GenericError', description: 'busy', details: { a: 1 } })
  t.equal((await post('GetLocalListVersion', {})).statusCode, 504)
  t.equal((await post('Nonsense', {})).statusCode, 404)
  t.match((await app.inject('/stations/API1')).json(), { online: true, frames: [{ direction: String, text: String }] })
  await s.close()
  await s.until(() => b.csms.fleet.online().every((x) => x.identity !== 'API1'))
  t.equal((await post('ClearCache', {})).statusCode, 409)
  t.match((await app.inject('/stations')).json(), { items: [{ id: 'ALL16' }], next: null })
  await app.close()
  t.ok(password('x'))
})
