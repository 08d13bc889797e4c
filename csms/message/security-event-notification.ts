import { handler, type Handler } from '#csms/handler.js'
import type { StationLog } from '#csms/station-log.js'

/** The standardised events that are critical (2.0.1 appendix 1); unknown types are kept like the others (OCPP-040). */
const critical = new Set([
  'FirmwareUpdated', 'SettingSystemTime', 'StartupOfTheDevice', 'ResetOrReboot', 'SecurityLogWasCleared', 'MemoryExhaustion', 'TamperDetectionActivated',
  'InvalidFirmwareSignature', 'InvalidFirmwareSigningCertificate', 'InvalidCsmsCertificate', 'InvalidChargingStationCertificate', 'InvalidTLSVersion',
  'InvalidTLSCipherSuite', 'MaintenanceLoginAccepted', 'MaintenanceLoginFailed',
])

/** A04. */
export const securityEventNotification = ({ stationLog }: { stationLog: StationLog }): Handler[] => [
  handler<{ type: string }>('SecurityEventNotification', async (station, event) => {
    await (critical.has(event.type) ? stationLog.alarm(station, `SecurityEvent ${event.type}`, event) : stationLog.keep(station, 'SecurityEventNotification', event))
    return {}
  }),
]
