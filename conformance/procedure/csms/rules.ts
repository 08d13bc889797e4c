import type { Procedure, Step } from '#conformance/procedure.js'
import { ask, comes, fresh, heard, joins, made, refused, says, silence, stations } from '#conformance/procedure/csms/fresh.js'
import { boot, call, proc, step, v16, v2 } from '#conformance/procedure/csms/steps.js'

/** Rules of the standard that bind a CSMS: a message that breaks one is refused, by name, before it reaches the station (contract §6). */
const schedule = { id: 1, startSchedule: '${iso}', duration: 3600, chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit: 2000 }] }
const profile = { id: 1_000_200, stackLevel: 1, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Absolute', validTo: '${iso+7200}', chargingSchedule: [schedule] }
const set = (why: string, change: object, evseId = 1): Step => refused('SetChargingProfile', { evseId, chargingProfile: { ...profile, ...change } }, why)
const scheduled = (change: object): object => ({ chargingSchedule: [{ ...schedule, ...change }] })
const periods = (...list: object[]): object => scheduled({ chargingSchedulePeriod: list })
const smart = says(['SmartChargingCtrlr', 'ProfileStackLevel', '3'], ['SmartChargingCtrlr', 'PeriodsPerSchedule', '3'], ['SmartChargingCtrlr', 'RateUnit', 'W', { characteristics: { dataType: 'MemberList', supportsMonitoring: false, valuesList: 'W' } }])
const installed = (evseId: number, change: object, n: number): Step[] => [ask('SetChargingProfile', { evseId, chargingProfile: { ...profile, ...change } }, `set${n}`), comes('SetChargingProfile', { status: 'Accepted' }), heard(`set${n}`)]
const rule = (id: string, title: string, requirements: string, clause: string, steps: readonly Step[], own: string[] = []): Procedure =>
  proc(v2, `csms.rule.${id}`, title, requirements, `OCPP 2.0.1 ${clause}`, [...fresh('2.0.1', { own }), ...steps], { ...stations, tags: ['command', 'rule'] })
const variable = (name: string, value: string, more: object = {}): object => ({ attributeValue: value, component: { name: 'Rules' }, variable: { name }, ...more })
const setVariables = (...data: object[]): object => ({ setVariableData: data })

export const rules: readonly Procedure[] = [
  rule('tx-profile', 'a TxProfile has its transaction and its EVSE, and only while that transaction runs there', 'OCPP-180', 'K01.FR.03, K01.FR.16', [
    call('TransactionEvent', { eventType: 'Started', timestamp: '${iso}', triggerReason: 'CablePluggedIn', seqNo: 0, transactionInfo: { transactionId: 'tx-1' }, evse: { id: 1, connectorId: 1 } }),
    set('no transactionId', { chargingProfilePurpose: 'TxProfile' }), set('EVSE 0', { chargingProfilePurpose: 'TxProfile', transactionId: 'tx-1' }, 0), set('an unknown transaction', { chargingProfilePurpose: 'TxProfile', transactionId: 'tx-9' }), set('another EVSE', { chargingProfilePurpose: 'TxProfile', transactionId: 'tx-1' }, 2), set('a transactionId in a default', { transactionId: 'tx-1' }), silence(),
    ...installed(1, { chargingProfilePurpose: 'TxProfile', transactionId: 'tx-1', validTo: undefined }, 1),
    call('TransactionEvent', { eventType: 'Ended', timestamp: '${iso}', triggerReason: 'EVDeparted', seqNo: 1, transactionInfo: { transactionId: 'tx-1' } }), set('after its end', { chargingProfilePurpose: 'TxProfile', transactionId: 'tx-1' }), silence(),
  ], ['SetChargingProfile']),
  rule('kind', 'each kind of profile has what it needs and not what it may not have', 'OCPP-181', 'K01.FR.38-41', [
    set('Absolute without startSchedule', scheduled({ startSchedule: undefined })), set('Relative with startSchedule', { chargingProfileKind: 'Relative' }), set('Recurring without recurrencyKind', { chargingProfileKind: 'Recurring' }), set('Recurring without startSchedule', { chargingProfileKind: 'Recurring', recurrencyKind: 'Daily', ...scheduled({ startSchedule: undefined }) }),
    set('a Relative maximum', { chargingProfilePurpose: 'ChargingStationMaxProfile', chargingProfileKind: 'Relative', ...scheduled({ startSchedule: undefined }) }, 0), set('a maximum of one EVSE', { chargingProfilePurpose: 'ChargingStationMaxProfile' }), set('external constraints', { chargingProfilePurpose: 'ChargingStationExternalConstraints' }), silence(),
  ]),
  rule('periods', 'periods begin at 0, rise, end with the schedule, and are not more than the station takes', 'OCPP-182', 'K01.FR.11, 31, 35', [
    smart, set('the first is not 0', periods({ startPeriod: 5, limit: 1 })), set('the same start twice', periods({ startPeriod: 0, limit: 1 }, { startPeriod: 0, limit: 2 })), set('falling', periods({ startPeriod: 0, limit: 1 }, { startPeriod: 60, limit: 1 }, { startPeriod: 30, limit: 2 })), set('after the end', periods({ startPeriod: 0, limit: 1 }, { startPeriod: 3600, limit: 2 })),
    set('four of three', periods(...[0, 60, 120, 180].map((startPeriod) => ({ startPeriod, limit: 1000 })))), silence(),
  ]),
  rule('limit', 'limits are in the station’s unit, not negative, with one decimal at most', 'OCPP-183 OCPP-240', 'K01.FR.26', [smart, set('amperes for a station of watts', scheduled({ chargingRateUnit: 'A' })), set('negative', periods({ startPeriod: 0, limit: -1 })), set('two decimals', periods({ startPeriod: 0, limit: 10.25 })), silence()]),
  rule('stack', 'stack levels stay within the station’s, and no two profiles share level, purpose and EVSE at a time; the same id replaces', 'OCPP-184', 'K01.FR.05, 06, 39', [
    smart, set('a level above the station’s', { stackLevel: 4 }), ...installed(1, {}, 1), set('a second one at that level', { id: 1_000_201 }), ...installed(1, periods({ startPeriod: 0, limit: 1500 }), 2), silence(),
  ], ['SetChargingProfile']),
  rule('default-place', 'TxDefaultProfiles of one level stand on EVSE 0 or on single EVSEs, not on both', 'OCPP-185', 'K01.FR.52, 53', [...installed(0, {}, 1), set('on one EVSE beside it', { id: 1_000_201 }), silence()], ['SetChargingProfile']),
  rule('one-schedule', 'several schedules only after the EV has sent its needs', 'OCPP-186', 'K01.FR.34', [set('two schedules', { chargingSchedule: [schedule, { ...schedule, id: 2 }] }), silence()]),
  rule('phases', 'phaseToUse only with one phase', 'OCPP-187', 'K01.FR.19', [set('phaseToUse with three', periods({ startPeriod: 0, limit: 1000, numberPhases: 3, phaseToUse: 1 })), set('phaseToUse without a number', periods({ startPeriod: 0, limit: 1000, phaseToUse: 1 })), silence()]),
  rule('validity', 'a profile above the baseline ends, and begins before it ends', 'OCPP-188', 'K01.FR.36, 37', [set('without validTo', { validTo: undefined }), set('ends before it begins', { validFrom: '${iso+7200}', validTo: '${iso+3600}' }), silence()]),
  rule('criteria', 'profiles are asked for and cleared by ids or by criteria, never by both or by nothing, and never external constraints', 'OCPP-193 OCPP-194', 'K09.FR.03, K10.FR.02, 06', [
    refused('GetChargingProfiles', { requestId: 1, chargingProfile: {} }, 'nothing'), refused('GetChargingProfiles', { requestId: 1, chargingProfile: { chargingProfileId: [1], stackLevel: 0 } }, 'both'), refused('ClearChargingProfile', {}, 'nothing'), refused('ClearChargingProfile', { chargingProfileCriteria: {} }, 'an empty criterion'),
    refused('ClearChargingProfile', { chargingProfileCriteria: { chargingProfilePurpose: 'ChargingStationExternalConstraints' } }, 'external constraints'), silence(),
  ]),
  rule('variables', 'no variable twice in one SetVariables; values fit what the station said of them; what is read only is not written', 'OCPP-095 OCPP-096', 'B05.FR.11, 13', [
    says(['Rules', 'Whole', '5', { characteristics: { dataType: 'integer', supportsMonitoring: false, minLimit: 1, maxLimit: 10 } }], ['Rules', 'Choice', 'A', { characteristics: { dataType: 'OptionList', supportsMonitoring: false, valuesList: 'A,B' } }], ['Rules', 'Flag', 'true', { characteristics: { dataType: 'boolean', supportsMonitoring: false } }], ['Rules', 'Fixed', 'x', { mutability: 'ReadOnly' }]),
    refused('SetVariables', setVariables(variable('Whole', '5'), variable('Whole', '6')), 'twice'), ...[['Whole', '11'], ['Whole', '2.5'], ['Whole', 'many'], ['Choice', 'C'], ['Flag', 'maybe'], ['Fixed', 'y']].map(([name = '', value = '']) => refused('SetVariables', setVariables(variable(name, value)), `${name} = ${value}`)), silence(),
    ask('SetVariables', setVariables(variable('Whole', '7'))), comes('SetVariables', { setVariableResult: [{ attributeStatus: 'RebootRequired', component: { name: 'Rules' }, variable: { name: 'Whole' } }] }, { 'payload.setVariableData[0].attributeValue': '7' }), heard('SetVariables', { status: 200, 'body.setVariableResult[0].attributeStatus': 'RebootRequired' }),
  ], ['SetVariables']),
  rule('split', 'more variables than the station takes at a time come in several messages, in order, and the answers are joined', 'OCPP-094', 'B06.FR.05, B05.FR.11', [
    says(['DeviceDataCtrlr', 'ItemsPerMessage', '2', { instance: 'GetVariables' }]), ask('GetVariables', { getVariableData: ['A', 'B', 'C'].map((name) => ({ component: { name: 'Rules' }, variable: { name } })) }),
    comes('GetVariables', { getVariableResult: [{ attributeStatus: 'Accepted', attributeValue: '2', component: { name: 'Rules' }, variable: { name: 'B' } }, { attributeStatus: 'Accepted', attributeValue: '1', component: { name: 'Rules' }, variable: { name: 'A' } }] }, { 'payload.getVariableData[*].variable.name': { equals: ['A', 'B'] } }),
    comes('GetVariables', { getVariableResult: [{ attributeStatus: 'Accepted', attributeValue: '3', component: { name: 'Rules' }, variable: { name: 'C' } }] }, { 'payload.getVariableData[*].variable.name': { equals: ['C'] } }), heard('GetVariables', { status: 200, 'body.getVariableResult[*].attributeValue': { all: [{ contains: '1' }, { contains: '2' }, { contains: '3' }] } }),
  ], ['GetVariables']),
  rule('local-list', 'a list longer than a message takes comes Full first, then Differential, with rising versions', 'OCPP-120', 'D01', [
    says(['LocalAuthListCtrlr', 'ItemsPerMessage', '1']), ask('SendLocalList', { versionNumber: 4, updateType: 'Full', localAuthorizationList: ['AA', 'BB'].map((idToken) => ({ idToken: { idToken, type: 'ISO14443' }, idTokenInfo: { status: 'Accepted' } })) }),
    comes('SendLocalList', { status: 'Accepted' }, { 'payload.updateType': 'Full', 'payload.localAuthorizationList.length': 1, 'payload.localAuthorizationList[0].idToken.idToken': 'AA' }, { save: { first: 'payload.versionNumber' } }), comes('SendLocalList', { status: 'Accepted' }, { 'payload.updateType': 'Differential', 'payload.localAuthorizationList[0].idToken.idToken': 'BB', 'payload.versionNumber': { atLeast: 1 } }), heard('SendLocalList', { status: 200 }),
    refused('SendLocalList', { versionNumber: 0, updateType: 'Full' }, 'version 0'), refused('SendLocalList', { versionNumber: 9, updateType: 'Full', localAuthorizationList: ['AA', 'aa'].map((idToken) => ({ idToken: { idToken, type: 'ISO14443' }, idTokenInfo: { status: 'Accepted' } })) }, 'the same token twice'),
  ], ['SendLocalList']),
  rule('remote-start', 'a remote start names an EVSE where there are several, brings a TxProfile without a transaction or none, and never the master pass', 'OCPP-150 OCPP-151', 'F01.FR.09, 11', [
    ...[1, 2].map((evseId) => call('StatusNotification', { timestamp: '${iso}', connectorStatus: 'Available', evseId, connectorId: 1 })),
    ...([['no EVSE of two', {}], ['EVSE 0', { evseId: 0 }], ['a default profile', { evseId: 1, chargingProfile: profile }], ['a TxProfile with a transaction', { evseId: 1, chargingProfile: { ...profile, chargingProfilePurpose: 'TxProfile', transactionId: 'x' } }]] as const).map(([why, more]) => refused('RequestStartTransaction', { idToken: { idToken: '${token}', type: 'ISO14443' }, remoteStartId: 11, ...more }, why)), silence(),
    ask('RequestStartTransaction', { idToken: { idToken: '${token}', type: 'ISO14443' }, remoteStartId: 12, evseId: 2 }), comes('RequestStartTransaction', { status: 'Accepted', transactionId: 'begun-before' }, { 'payload.remoteStartId': { atLeast: 1 }, 'payload.evseId': 2 }, { save: { remote: 'payload.remoteStartId' } }), heard('RequestStartTransaction', { status: 200, 'body.status': 'Accepted' }),
    call('TransactionEvent', { eventType: 'Started', timestamp: '${iso}', triggerReason: 'RemoteStart', seqNo: 0, transactionInfo: { transactionId: 'begun-before', remoteStartId: '${remote}' }, evse: { id: 2, connectorId: 1 }, idToken: { idToken: '${token}', type: 'ISO14443' } }, { 'payload.idTokenInfo.status': 'Accepted' }),
    call('TransactionEvent', { eventType: 'Ended', timestamp: '${iso}', triggerReason: 'RemoteStop', seqNo: 1, transactionInfo: { transactionId: 'begun-before' } }),
  ], ['RequestStartTransaction']),
  rule('trigger', 'StatusNotification is triggered with its connector', 'OCPP-154', 'F06.FR.13', [refused('TriggerMessage', { requestedMessage: 'StatusNotification', evse: { id: 1 } }, 'no connector'), silence()]),
  rule('network', 'a network profile is JSON, of this version, names no identity and lowers no security', 'OCPP-097 OCPP-098', 'B09', [
    ...([['SOAP', { ocppTransport: 'SOAP' }], ['the identity in the address', { ocppCsmsUrl: 'wss://example.org/ocpp/${run}' }], ['no security', { securityProfile: 0 }]] as const).map(([why, more]) => refused('SetNetworkProfile', { configurationSlot: 2, connectionData: { ocppVersion: 'OCPP20', ocppTransport: 'JSON', ocppCsmsUrl: 'wss://example.org/ocpp', messageTimeout: 30, securityProfile: 2, ocppInterface: 'Wired0', ...more } }, why)), silence(),
  ]),
  rule('firmware', 'a secure update carries certificate and signature together', 'OCPP-210', 'L01.FR.11', [refused('UpdateFirmware', { requestId: 1, firmware: { location: 'https://example.org/fw', retrieveDateTime: '${iso}', signature: 'AAAA' } }, 'a signature alone'), silence()]),
  rule('customer', 'a customer is named in exactly one way, and something is asked for', 'OCPP-223', 'N09.FR.09', [refused('CustomerInformation', { requestId: 1, report: true, clear: false, customerIdentifier: 'a', idToken: { idToken: 'A', type: 'Central' } }, 'two ways'), refused('CustomerInformation', { requestId: 1, report: true, clear: false }, 'no way'), silence()]),
  rule('schema', 'what breaks the schema of its action is refused with the reason', 'OCPP-226', 'every block', [refused('Reset', { type: 'Perhaps' }, 'a wrong word'), refused('GetVariables', {}, 'nothing'), refused('ClearCache', { extra: 1 }, 'something more'), silence()]),
  proc(v16, 'csms16.rule.tx-profile', 'a TxProfile goes out only for a transaction that runs; limits are multiples of 0.1', 'OCPP-251 OCPP-183', 'OCPP 1.6 §3.13', [
    made(), joins({ own: ['SetChargingProfile'] }), boot('1.6'),
    ...([['no transaction', { chargingProfilePurpose: 'TxProfile' }], ['an unknown transaction', { chargingProfilePurpose: 'TxProfile', transactionId: 4242 }], ['0.05 A', { chargingSchedule: { startSchedule: '${iso}', duration: 60, chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 6.05 }] } }]] as const).map(([why, more]) => refused('SetChargingProfile', { connectorId: 1, csChargingProfiles: { chargingProfileId: 1_000_300, stackLevel: 1, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Absolute', validTo: '${iso+600}', chargingSchedule: { startSchedule: '${iso}', duration: 60, chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit: 1000 }] }, ...more } }, why)),
    step('ocpp.quiet', 'nothing reached the station', { as: 'cs', ms: 300 }, { calls: { equals: [] } }),
  ], { ...stations, tags: ['1.6', 'rule'] }),
]
