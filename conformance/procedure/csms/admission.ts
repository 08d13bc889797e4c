import type { Procedure, Step } from '#conformance/procedure.js'
import { ask, boots, comes, heard, joins, made } from '#conformance/procedure/csms/fresh.js'
import { call, error, proc, step, v16, v2 } from '#conformance/procedure/csms/steps.js'

const clause = 'OCPP 2.0.1 B01-B03'
const admission: Partial<Procedure> = { needs: ['operator-stations', 'operator-ocpp', 'operator-admission'], tags: ['B', 'admission'] }
const status = (version: string): object => version === '1.6' ? { connectorId: 1, errorCode: 'NoError', status: 'Available' } : { timestamp: '${iso}', connectorStatus: 'Available', evseId: 1, connectorId: 1 }
const insecure = (version: string): readonly string[] => (version === '1.6' ? ['SecurityError', 'GenericError', 'ProtocolError'] : ['SecurityError'])
const notYet = (version: string): Step => error('StatusNotification', status(version), insecure(version))
const judge = (verdict: string): Step => step('operator.request', `operator: ${verdict}`, { method: 'POST', path: '/stations/${run}/approve', json: { verdict } }, { status: 200 })
const start = (version: string): Step => step('operator.request', 'operator: a remote start', { method: 'POST', path: `/stations/\${run}/ocpp/${version === '1.6' ? 'RemoteStartTransaction' : 'RequestStartTransaction'}`, json: version === '1.6' ? { idTag: '${token}', connectorId: 1 } : { idToken: { idToken: '${token}', type: 'ISO14443' }, remoteStartId: 9, evseId: 1 } }, { status: { oneOf: [409, 422] } })
const quiet: Step = step('ocpp.quiet', 'it reached no station', { as: 'cs', ms: 300 }, { calls: { equals: [] } })
const trigger = ask('TriggerMessage', { requestedMessage: 'BootNotification' })
const waitsWhy = (version: string): Record<string, { exists: true }> => (version === '1.6' ? {} : { 'payload.statusInfo.reasonCode': { exists: true } })

const forVersion = (version: '1.6' | '2.0.1'): readonly Procedure[] => {
  const profiles = version === '1.6' ? v16 : v2, prefix = version === '1.6' ? 'csms16' : 'csms'
  return [
    proc(profiles, `${prefix}.pending`, 'a station that waits for an operator is Pending: it says nothing, is started by nobody, and is let in at its next boot', 'OCPP-080 OCPP-082 OCPP-083 OCPP-087 OCPP-155', clause, [
      made({ approved: false }), joins(), boots(version, 'Pending', waitsWhy(version)), notYet(version), start(version), quiet, judge('accepted'), boots(version, 'Accepted'), call('StatusNotification', status(version)),
    ], admission),
    proc(profiles, `${prefix}.rejected`, 'a rejected station is asked nothing but to boot again, and may say nothing else', 'OCPP-080 OCPP-084 OCPP-155', clause, [
      made({ approved: false }), joins(), boots(version, 'Pending'), judge('rejected'), boots(version, 'Rejected', waitsWhy(version)), notYet(version), start(version), quiet,
    ], admission),
  ]
}

export const admitted: readonly Procedure[] = [
  ...forVersion('2.0.1'), ...forVersion('1.6'),
  proc(v2, 'csms.pending.asked', 'what the CSMS asked of a Pending station it also hears, and no more', 'OCPP-082 OCPP-083 OCPP-091 OCPP-154', clause, [
    made({ approved: false }), joins({ own: ['GetBaseReport', 'TriggerMessage'] }), boots('2.0.1', 'Pending'),
    ask('GetBaseReport', { requestId: 3, reportBase: 'FullInventory' }), comes('GetBaseReport', { status: 'Accepted' }), heard('GetBaseReport'),
    call('NotifyReport', { requestId: 3, generatedAt: '${iso}', seqNo: 0, tbc: false }), notYet('2.0.1'), error('Heartbeat', {}, ['SecurityError']),
    ask('TriggerMessage', { requestedMessage: 'Heartbeat' }), comes('TriggerMessage', { status: 'Accepted' }), heard('TriggerMessage'), call('Heartbeat', {}),
  ], admission),
  proc(v2, 'csms.rejected.trigger', 'a rejected station may be asked for its boot (TC_B_31)', 'OCPP-084', clause, [
    made({ approved: false }), joins({ own: ['TriggerMessage', 'GetVariables'] }), boots('2.0.1', 'Pending'), judge('rejected'), boots('2.0.1', 'Rejected', { 'payload.statusInfo.reasonCode': { exists: true } }),
    step('operator.request', 'operator: GetVariables', { method: 'POST', path: '/stations/${run}/ocpp/GetVariables', json: { getVariableData: [{ component: { name: 'A' }, variable: { name: 'B' } }] } }, { status: { oneOf: [409, 422] } }), quiet,
    trigger, comes('TriggerMessage', { status: 'Accepted' }), heard('TriggerMessage'), error('Heartbeat', {}, ['SecurityError']),
  ], admission),
]
