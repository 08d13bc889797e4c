import { variableKey, type Station, type Variable } from '#csms/station.js'
import { curtailed } from '#csms/smart-charging/ledger.js'
import { when, type Check, type RuleFacts } from './rule.js'

interface SetVariableData {
  readonly attributeType?: string
  readonly attributeValue: string
  readonly component: Variable['component']
  readonly variable: Variable['variable']
}

/** A value against the characteristics that the station reported (OCPP-096). */
function valueFits(value: string, known: Variable): boolean {
  const c = known.characteristics
  const type = c?.dataType
  if (type === 'integer' || type === 'decimal') {
    const n = Number(value)
    if (value.trim() === '' || !Number.isFinite(n) || (type === 'integer' && !Number.isInteger(n))) return false
    return (c?.minLimit === undefined || n >= c.minLimit) && (c?.maxLimit === undefined || n <= c.maxLimit)
  }
  if (type === 'boolean') return value === 'true' || value === 'false'
  const options = c?.valuesList?.split(',').map((v) => v.trim())
  if (type === 'OptionList' && options) return options.includes(value)
  if ((type === 'MemberList' || type === 'SequenceList') && options) return value === '' || value.split(',').every((v) => options.includes(v.trim()))
  return type !== 'string' || c?.maxLimit === undefined || value.length <= c.maxLimit
}

/** B05 (OCPP-095, 096). */
export function setVariablesRule(station: Station, r: { setVariableData: SetVariableData[] }): Check[] {
  const keys = r.setVariableData.map((d) => `${variableKey(d.component, d.variable)}|${d.attributeType ?? 'Actual'}`)
  return [
    ...when(new Set(keys).size < keys.length, 'B05.FR.13', 'the same component, variable and attribute twice'),
    ...r.setVariableData.flatMap((d) => {
      const known = station.variables?.get(variableKey(d.component, d.variable))
      if (!known) return []
      const mutability = known.attributes[d.attributeType ?? 'Actual']?.mutability
      return [
        ...when(mutability === 'ReadOnly', 'OCPP-096', `${d.variable.name} is read only`),
        ...when((d.attributeType ?? 'Actual') === 'Actual' && !valueFits(d.attributeValue, known), 'OCPP-096', `the value does not fit ${d.variable.name}`),
      ]
    }),
  ]
}

/** B09 (OCPP-097): the URL has no identity, which the station appends. */
export function setNetworkProfileRule(station: Station, r: { configurationSlot: number; connectionData: { ocppVersion?: string; ocppTransport: string; ocppCsmsUrl: string; securityProfile: number } }): Check[] {
  const d = r.connectionData
  const now = Math.max(0, ...station.record.securityProfiles)
  return [
    // OCPP-267: 2.1 forbids a slot in use.
    ...when(station.session.version === '2.1' && station.actual('OCPPCommCtrlr', 'ActiveNetworkProfile') === String(r.configurationSlot), 'B09.FR.21', 'that slot is in use'),
    ...when(d.ocppTransport !== 'JSON', 'OCPP-097', 'ocppTransport is JSON'),
    ...when(station.session.version === '2.0.1' && d.ocppVersion !== 'OCPP20', 'OCPP-097', 'ocppVersion is OCPP20'),
    ...when(decodeURIComponentSafe(d.ocppCsmsUrl).replace(/\/+$/, '').endsWith(`/${station.identity}`), 'OCPP-097', 'the URL must not hold the identity'),
    ...when(d.securityProfile < now && station.record.securityProfiles.length === 1 && !(now === 3 && d.securityProfile === 2
      && station.actual('SecurityCtrlr', 'AllowSecurityProfileDowngrade') === 'true'), 'A05.FR.07', 'a security profile is never lowered'),
  ]
}

function decodeURIComponentSafe(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** N09 (OCPP-223): exactly one way of naming the customer. */
export function customerInformationRule(_station: Station, r: { idToken?: object; customerCertificate?: object; customerIdentifier?: string; report: boolean; clear: boolean }): Check[] {
  const ways = [r.idToken, r.customerCertificate, r.customerIdentifier].filter((x) => x !== undefined).length
  return [
    ...when(ways !== 1, 'N09.FR.09', 'exactly one of idToken, customerCertificate and customerIdentifier'),
    ...when(!r.report && !r.clear, 'OCPP-223', 'report, clear, or both'),
  ]
}

/** L01.FR.11 (OCPP-210): certificate and signature come together. */
export const updateFirmwareRule = (_station: Station, r: { firmware: { signingCertificate?: string; signature?: string } }): Check[] =>
  when((r.firmware.signingCertificate === undefined) !== (r.firmware.signature === undefined), 'L01.FR.11', 'signingCertificate and signature come together')

/** B08 (OCPP-093). */
export function getReportRule(station: Station, r: { componentVariable?: object[]; componentCriteria?: string[] }): Check[] {
  const most = Number(station.actual('DeviceDataCtrlr', 'ItemsPerMessage', 'GetReport') ?? NaN)
  return when(Number.isFinite(most) && (r.componentVariable?.length ?? 0) > most, 'B08.FR.07', `at most ${most} entries`)
}

/** OCPP-100: not while an event runs, unless the operator says so; profiles survive it and are compared afterwards. */
export function resetRule(station: Station, r: { evseId?: number }, { nowMs, force }: RuleFacts): Check[] {
  const evses = r.evseId === undefined ? [0, ...station.evses()] : [r.evseId]
  return when(!force && evses.some((id) => curtailed(station, id, nowMs)), 'OCPP-100', 'an event runs at the station; ?force=true resets it all the same')
}

/** N04 (OCPP-221): an id only replaces a monitor that is there. */
export function setVariableMonitoringRule(station: Station, r: { setMonitoringData: { id?: number }[] }): Check[] {
  const known = new Set(Object.keys(station.record.monitors))
  return when(known.size > 0 && r.setMonitoringData.some((m) => m.id !== undefined && !known.has(String(m.id))), 'OCPP-221', 'an id is given only to replace a monitor')
}
