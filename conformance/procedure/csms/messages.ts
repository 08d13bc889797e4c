import type { Procedure } from '#conformance/procedure.js'
import { call, error, type Expect, proc, schemaErrors, up, v16, v2 } from '#conformance/procedure/csms/steps.js'

/** What a station says, with an answer: action, block, requirement, a right payload, what the answer must hold. The wrong ones follow from the right one. */
type Row = readonly [action: string, block: string, requirements: string, payload: Readonly<Record<string, unknown>>, expect?: Expect]
const token = { idToken: '${token}', type: 'ISO14443' }
const schedule = { id: 1, chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit: 3000 }] }
const meter = [{ timestamp: '${iso}', sampledValue: [{ value: 1234.5 }, { value: 230, measurand: 'Voltage', phase: 'L1-N', unitOfMeasure: { unit: 'V' } }] }]
const nothing: Expect = { 'payload.status': { exists: false } }

const rows: readonly Row[] = [
  ['Authorize', 'C', 'OCPP-110 OCPP-111', { idToken: token }, { 'payload.idTokenInfo.status': 'Accepted' }],
  ['BootNotification', 'B', 'OCPP-080 OCPP-081 OCPP-086', { reason: 'RemoteReset', chargingStation: { model: 'M1', vendorName: 'Conformance' } }, { 'payload.status': 'Accepted' }],
  ['ClearedChargingLimit', 'K', 'OCPP-195', { chargingLimitSource: 'EMS' }, nothing],
  ['DataTransfer', 'P', 'OCPP-225', { vendorId: 'org.example.unknown', messageId: 'x' }, { 'payload.status': { oneOf: ['UnknownVendorId', 'Rejected', 'UnknownMessageId'] } }],
  ['FirmwareStatusNotification', 'L', 'OCPP-211', { status: 'Idle' }, nothing],
  ['Get15118EVCertificate', 'M', 'OCPP-217', { iso15118SchemaVersion: 'urn:iso:15118:2:2013:MsgDef', action: 'Install', exiRequest: 'AAAA' }, { 'payload.status': { oneOf: ['Accepted', 'Failed'] }, 'payload.exiResponse': { exists: true } }],
  ['GetCertificateStatus', 'M', 'OCPP-216', { ocspRequestData: { hashAlgorithm: 'SHA256', issuerNameHash: 'aa', issuerKeyHash: 'bb', serialNumber: '1', responderURL: 'http://127.0.0.1:9/' } }, { 'payload.status': { oneOf: ['Accepted', 'Failed'] } }],
  ['Heartbeat', 'G', 'OCPP-161', {}, { 'payload.currentTime': { matches: '(Z|[+-]00:00)$' } }],
  ['LogStatusNotification', 'N', 'OCPP-220', { status: 'Idle' }, nothing],
  ['MeterValues', 'J', 'OCPP-170 OCPP-171', { evseId: 1, meterValue: meter }, nothing],
  ['NotifyChargingLimit', 'K', 'OCPP-195', { chargingLimit: { chargingLimitSource: 'EMS' }, evseId: 1, chargingSchedule: [schedule] }, nothing],
  ['NotifyCustomerInformation', 'N', 'OCPP-223', { data: 'x', seqNo: 0, generatedAt: '${iso}', requestId: 1 }, nothing],
  ['NotifyDisplayMessages', 'O', 'OCPP-224', { requestId: 1, messageInfo: [] as unknown as never }, nothing],
  ['NotifyEVChargingNeeds', 'K', 'OCPP-196 OCPP-197', { evseId: 1, chargingNeeds: { requestedEnergyTransfer: 'AC_three_phase', acChargingParameters: { energyAmount: 10000, evMinCurrent: 6, evMaxCurrent: 16, evMaxVoltage: 400 } } }, { 'payload.status': { oneOf: ['Accepted', 'Processing', 'Rejected'] } }],
  ['NotifyEVChargingSchedule', 'K', 'OCPP-198', { timeBase: '${iso}', evseId: 1, chargingSchedule: schedule }, { 'payload.status': { oneOf: ['Accepted', 'Rejected'] } }],
  ['NotifyEvent', 'N', 'OCPP-222 OCPP-163', { generatedAt: '${iso}', seqNo: 0, eventData: [{ eventId: 1, timestamp: '${iso}', trigger: 'Delta', actualValue: 'Available', eventNotificationType: 'HardWiredNotification', component: { name: 'Connector', evse: { id: 1, connectorId: 1 } }, variable: { name: 'AvailabilityState' } }] }, nothing],
  ['NotifyMonitoringReport', 'N', 'OCPP-221', { requestId: 1, seqNo: 0, generatedAt: '${iso}' }, nothing],
  ['NotifyReport', 'B', 'OCPP-092 OCPP-280', { requestId: 1, generatedAt: '${iso}', seqNo: 0, reportData: [{ component: { name: 'SomethingNew' }, variable: { name: 'NeverSeen' }, variableAttribute: [{ value: '1' }] }] }, nothing],
  ['PublishFirmwareStatusNotification', 'L', 'OCPP-212', { status: 'Idle' }, nothing],
  ['ReportChargingProfiles', 'K', 'OCPP-193', { requestId: 1, chargingLimitSource: 'CSO', evseId: 1, chargingProfile: [{ id: 1, stackLevel: 0, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Relative', chargingSchedule: [schedule] }] }, nothing],
  ['ReservationStatusUpdate', 'H', 'OCPP-165', { reservationId: 1, reservationUpdateStatus: 'Expired' }, nothing],
  ['SecurityEventNotification', 'A', 'OCPP-040', { type: 'AnUnheardOfEvent', timestamp: '${iso}', techInfo: 'x' }, nothing],
  ['SignCertificate', 'A', 'OCPP-036 OCPP-037', { csr: 'this is no request' }, { 'payload.status': 'Rejected' }],
  ['StatusNotification', 'G', 'OCPP-160', { timestamp: '${iso}', connectorStatus: 'Occupied', evseId: 1, connectorId: 1 }, nothing],
  ['TransactionEvent', 'E', 'OCPP-130', { eventType: 'Started', timestamp: '${iso}', triggerReason: 'CablePluggedIn', seqNo: 0, transactionInfo: { transactionId: '${mrid:tx}' } }, nothing],
]

const rows16: readonly Row[] = [
  ['Authorize', 'core', 'OCPP-250', { idTag: '${token}' }, { 'payload.idTagInfo.status': 'Accepted' }],
  ['BootNotification', 'core', 'OCPP-250', { chargePointVendor: 'Conformance', chargePointModel: 'M1' }, { 'payload.status': 'Accepted', 'payload.interval': { atLeast: 1 } }],
  ['DataTransfer', 'core', 'OCPP-250', { vendorId: 'org.example.unknown' }, { 'payload.status': { oneOf: ['UnknownVendorId', 'Rejected', 'UnknownMessageId'] } }],
  ['DiagnosticsStatusNotification', 'firmware', 'OCPP-250', { status: 'Idle' }, nothing],
  ['FirmwareStatusNotification', 'firmware', 'OCPP-250', { status: 'Idle' }, nothing],
  ['Heartbeat', 'core', 'OCPP-250', {}, { 'payload.currentTime': { matches: '(Z|[+-]00:00)$' } }],
  ['MeterValues', 'core', 'OCPP-250 OCPP-252', { connectorId: 1, meterValue: [{ timestamp: '${iso}', sampledValue: [{ value: '1234' }, { value: '230.1', measurand: 'Voltage', unit: 'V' }] }] }, nothing],
  ['StatusNotification', 'core', 'OCPP-250', { connectorId: 1, errorCode: 'NoError', status: 'Preparing' }, nothing],
  ['StartTransaction', 'core', 'OCPP-250', { connectorId: 1, idTag: '${token}', meterStart: 0, timestamp: '${iso}' }, { 'payload.transactionId': { atLeast: 1 }, 'payload.idTagInfo.status': 'Accepted' }],
  ['StopTransaction', 'core', 'OCPP-250', { transactionId: 999999, meterStop: 10, timestamp: '${iso}' }, {}],
  ['LogStatusNotification', 'security', 'OCPP-250', { status: 'Idle' }, nothing],
  ['SecurityEventNotification', 'security', 'OCPP-250', { type: 'AnUnheardOfEvent', timestamp: '${iso}' }, nothing],
  ['SignedFirmwareStatusNotification', 'security', 'OCPP-250', { status: 'Idle' }, nothing],
  ['SignCertificate', 'security', 'OCPP-250', { csr: 'this is no request' }, { 'payload.status': 'Rejected' }],
]

const wrongOf = (payload: Readonly<Record<string, unknown>>): Record<string, unknown>[] => {
  const [first] = Object.keys(payload)
  return [
    { ...payload, notInTheSchema: 1 },
    ...(first ? [Object.fromEntries(Object.entries(payload).slice(1)), { ...payload, [first]: typeof payload[first] === 'object' ? 'a text' : { an: 'object' } }] : []),
  ]
}

const optionalFirst = ['NotifyEVChargingSchedule']
const derived = (version: string, profiles: readonly string[], prefix: string, table: readonly Row[]): Procedure[] => table.flatMap(([action, block, requirements, given, expect]) => {
  const payload = action === 'NotifyDisplayMessages' ? { requestId: 1 } : given
  return [
    proc(profiles, `${prefix}.${action}`, `${action} is answered`, requirements, `OCPP ${version} block ${block}`, [...up(version), call(action, payload, expect)], { tags: [block], ...(['Authorize', 'Heartbeat', 'MeterValues', 'StatusNotification', 'StartTransaction'].includes(action) ? { smoke: true } : {}) }),
    proc(profiles, `${prefix}.${action}.wrong`, `${action} that breaks its schema earns a schema error and the connection stands`, 'OCPP-058 OCPP-060', `OCPP ${version} block ${block}, OCPP-J §4.3`, [
      ...up(version), ...wrongOf(payload).filter((_, i) => !(optionalFirst.includes(action) && i === 1)).map((bad) => error(action, bad, schemaErrors(version))), call('Heartbeat', {}),
    ], { tags: [block, 'schema'] }),
  ]
})

export const messages: readonly Procedure[] = [...derived('2.0.1', v2, 'csms', rows), ...derived('1.6', v16, 'csms16', rows16)]
