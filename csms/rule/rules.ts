import { clearChargingProfileRule, getChargingProfilesRule, setChargingProfileRule } from './charging-profile.js'
import { customerInformationRule, getReportRule, setNetworkProfileRule, setVariablesRule, updateFirmwareRule } from './provisioning.js'
import { requestStartTransactionRule, reserveNowRule, sendLocalListRule, triggerMessageRule } from './remote-control.js'
import type { Rule } from './rule.js'

/** Rules of 2.x by action; what is not here has no rule beyond its schema. */
export const rules2x: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['ClearChargingProfile', clearChargingProfileRule],
  ['CustomerInformation', customerInformationRule],
  ['GetChargingProfiles', getChargingProfilesRule],
  ['GetReport', getReportRule],
  ['RequestStartTransaction', requestStartTransactionRule],
  ['ReserveNow', reserveNowRule],
  ['SendLocalList', sendLocalListRule],
  ['SetChargingProfile', setChargingProfileRule],
  ['SetNetworkProfile', setNetworkProfileRule],
  ['SetVariables', setVariablesRule],
  ['TriggerMessage', triggerMessageRule],
  ['UpdateFirmware', updateFirmwareRule],
])
