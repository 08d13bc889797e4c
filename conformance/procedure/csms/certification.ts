import type { Procedure } from '#conformance/procedure.js'

/**
 * What of OCPP belongs to which certification profile (OCPP 2.0.1 part 5; feature profiles of 1.6 §3.1 and its security extension; blocks of 2.1), by the messages that a
 * procedure exchanges. Everything else is Core, which every CSMS has; a profile beyond it is a capability that the target declares, and what is not declared is not judged.
 * Interpretation: part 5 sorts use cases, not messages; where a message serves several, it stands with the least that needs it.
 */
const newer: Readonly<Record<string, string>> = {
  'advanced-security': 'SignCertificate CertificateSigned InstallCertificate DeleteCertificate GetInstalledCertificateIds',
  'local-list': 'SendLocalList GetLocalListVersion',
  'smart-charging': 'SetChargingProfile GetChargingProfiles ClearChargingProfile ReportChargingProfiles GetCompositeSchedule NotifyChargingLimit ClearedChargingLimit UsePriorityCharging NotifyPriorityCharging PullDynamicScheduleUpdate UpdateDynamicSchedule',
  'advanced-device-management': 'GetReport SetMonitoringBase SetMonitoringLevel SetVariableMonitoring ClearVariableMonitoring GetMonitoringReport NotifyMonitoringReport CustomerInformation NotifyCustomerInformation',
  'firmware-management': 'UpdateFirmware FirmwareStatusNotification PublishFirmware PublishFirmwareStatusNotification UnpublishFirmware',
  'advanced-user-interface': 'SetDisplayMessage GetDisplayMessages ClearDisplayMessage NotifyDisplayMessages CostUpdated GetTariffs ClearTariffs SetDefaultTariff ChangeTransactionTariff',
  'reservation': 'ReserveNow CancelReservation ReservationStatusUpdate',
  'iso-15118': 'Get15118EVCertificate GetCertificateStatus GetCertificateChainStatus NotifyEVChargingNeeds NotifyEVChargingSchedule',
  'der-control': 'SetDERControl GetDERControl ClearDERControl ReportDERControl NotifyDERAlarm NotifyDERStartStop',
  'battery-swap': 'BatterySwap RequestBatterySwap',
  'payment': 'NotifySettlement VatNumberValidation',
}
const older: Readonly<Record<string, string>> = {
  'firmware-management': 'UpdateFirmware FirmwareStatusNotification GetDiagnostics DiagnosticsStatusNotification',
  'local-list': 'SendLocalList GetLocalListVersion',
  'reservation': 'ReserveNow CancelReservation',
  'smart-charging': 'SetChargingProfile ClearChargingProfile GetCompositeSchedule',
  'remote-trigger': 'TriggerMessage',
  'advanced-security': 'SignCertificate CertificateSigned InstallCertificate DeleteCertificate GetInstalledCertificateIds SecurityEventNotification GetLog LogStatusNotification SignedUpdateFirmware SignedFirmwareStatusNotification ExtendedTriggerMessage',
}

/** Capabilities that stand for a profile beyond Core. */
export const certificationProfiles: readonly string[] = [...new Set([...Object.keys(newer), ...Object.keys(older)])]

const byMessage = (table: typeof newer): ReadonlyMap<string, string> => new Map(Object.entries(table).flatMap(([profile, messages]) => messages.split(' ').map((message) => [message, profile] as const)))
const of2 = byMessage(newer), of16 = byMessage(older)

/** A procedure with the profiles that its messages belong to: as capabilities it needs, and as tags `certification-…` to choose by. */
export function certified(procedure: Procedure): Procedure {
  // What is refused before it is looked at (another direction, a wrong name) is the RPC layer's, which is Core.
  if (procedure.tags?.includes('rpc')) return { ...procedure, tags: [...procedure.tags, 'certification-core'] }
  const table = procedure.profiles.includes('1.6') ? of16 : of2
  const messages = procedure.steps.flatMap(({ do: action, with: w }) => [action === 'ocpp.call' ? String(w?.['action']) : '', /\/ocpp\/([A-Za-z0-9]+)$/.exec(String(w?.['path'] ?? ''))?.[1] ?? ''])
  const named = (procedure.needs ?? []).filter((need) => certificationProfiles.includes(need)), profiles = [...new Set([...named, ...messages.flatMap((message) => table.get(message) ?? [])])]
  return { ...procedure, tags: [...(procedure.tags ?? []), ...(profiles.length ? profiles : ['core']).map((profile) => `certification-${profile}`)], ...(profiles.length ? { needs: [...new Set([...(procedure.needs ?? []), ...profiles])] } : {}) }
}
