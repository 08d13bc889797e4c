import type { Version } from '#csms/rpc/version.js'
import { deleteCertificateRule, installCertificateRule } from './certificates.js'
import { clearChargingProfileRule, getChargingProfilesRule, setChargingProfileRule } from './charging-profile.js'
import { costUpdatedRule, setDisplayMessageRule } from './display.js'
import { customerInformationRule, getReportRule, resetRule, setNetworkProfileRule, setVariableMonitoringRule, setVariablesRule, updateFirmwareRule } from './provisioning.js'
import { requestStartTransactionRule, reserveNowRule, sendLocalListRule, triggerMessageRule } from './remote-control.js'
import type { Rule } from './rule.js'
import { remoteStartTransactionRule16, sendLocalListRule16, setChargingProfileRule16 } from './rules-16.js'

/** Rules by action; what is not here has no rule beyond its schema. */
const rules2x: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['ClearChargingProfile', clearChargingProfileRule],
  ['CostUpdated', costUpdatedRule],
  ['CustomerInformation', customerInformationRule],
  ['DeleteCertificate', deleteCertificateRule],
  ['GetChargingProfiles', getChargingProfilesRule],
  ['GetReport', getReportRule],
  ['InstallCertificate', installCertificateRule],
  ['RequestStartTransaction', requestStartTransactionRule],
  ['ReserveNow', reserveNowRule],
  ['Reset', resetRule],
  ['SendLocalList', sendLocalListRule],
  ['SetChargingProfile', setChargingProfileRule],
  ['SetDisplayMessage', setDisplayMessageRule],
  ['SetNetworkProfile', setNetworkProfileRule],
  ['SetVariableMonitoring', setVariableMonitoringRule],
  ['SetVariables', setVariablesRule],
  ['TriggerMessage', triggerMessageRule],
  ['UpdateFirmware', updateFirmwareRule],
])

const rules16: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['RemoteStartTransaction', remoteStartTransactionRule16],
  ['Reset', resetRule],
  ['SendLocalList', sendLocalListRule16],
  ['SetChargingProfile', setChargingProfileRule16],
])

export const rulesOf = (version: Version): ReadonlyMap<string, Rule> => (version === '1.6' ? rules16 : rules2x)
