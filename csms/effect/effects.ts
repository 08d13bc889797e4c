import { deleteCertificate, getInstalledCertificateIds, installCertificate } from './certificates.js'
import { changeConfiguration, getConfiguration, getVariables, setVariables } from './device-model.js'
import type { Effect } from './effect.js'
import { clearVariableMonitoring, setVariableMonitoring } from './monitoring.js'
import { reset, setNetworkProfile } from './provisioning.js'
import { cancelReservation, changeAvailability, getTransactionStatus, requestStartTransaction, requestStopTransaction, reserveNow, triggerMessage } from './remote-control.js'
import { clearChargingProfile, setChargingProfile, updateDynamicSchedule } from './smart-charging.js'

/** What follows from a station's answer, by action; of all others the answer is only handed on. */
export const effects: ReadonlyMap<string, Effect> = new Map<string, Effect>([
  ['CancelReservation', cancelReservation],
  ['ChangeAvailability', changeAvailability],
  ['ChangeConfiguration', changeConfiguration],
  ['ClearChargingProfile', clearChargingProfile],
  ['ClearVariableMonitoring', clearVariableMonitoring],
  ['CustomerInformation', (station, request, answer, { localLists }) => localLists.forgotten(station, request, answer)],
  ['DeleteCertificate', deleteCertificate],
  ['ExtendedTriggerMessage', triggerMessage],
  ['GetConfiguration', getConfiguration],
  ['GetInstalledCertificateIds', getInstalledCertificateIds],
  ['GetTransactionStatus', getTransactionStatus],
  ['GetVariables', getVariables],
  ['InstallCertificate', installCertificate],
  ['RemoteStartTransaction', requestStartTransaction],
  ['RequestStartTransaction', requestStartTransaction],
  ['RequestStopTransaction', requestStopTransaction],
  ['ReserveNow', reserveNow],
  ['Reset', reset],
  ['SendLocalList', (station, request, answer, { localLists }) => localLists.answered(station, request, answer)],
  ['SetChargingProfile', setChargingProfile],
  ['SetNetworkProfile', setNetworkProfile],
  ['SetVariableMonitoring', setVariableMonitoring],
  ['SetVariables', setVariables],
  ['TriggerMessage', triggerMessage],
  ['UpdateDynamicSchedule', updateDynamicSchedule],
])
