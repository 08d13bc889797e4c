import { handler, type Handler } from '#csms/handler.js'
import type { StationLog } from '#csms/station-log.js'

interface Progress {
  readonly status: string
  readonly requestId?: number
}

/** Messages whose one duty is to be kept and answered empty (OCPP-165, 211, 212, 220, 265); skipped states are normal. */
const kept = ['DiagnosticsStatusNotification', 'NotifyDERStartStop', 'NotifyPriorityCharging', 'PublishFirmwareStatusNotification', 'ReservationStatusUpdate']
/** Those that belong to a request unless idle (L01, N01). */
const progress = ['FirmwareStatusNotification', 'SignedFirmwareStatusNotification', 'LogStatusNotification']
const failures = /Failed|InvalidSignature|InstallVerificationFailed|InstallationFailed|UploadFailure|PermissionDenied/

export function statusReports({ stationLog }: { stationLog: StationLog }): Handler[] {
  return [
    ...kept.map((action) => handler<object>(action, async (station, payload) => {
      await stationLog.keep(station, action, payload)
      return {}
    })),
    ...progress.map((action) => handler<Progress>(action, async (station, payload) => {
      await (failures.test(payload.status) ? stationLog.alarm(station, `${action} ${payload.status}`, payload) : stationLog.keep(station, action, payload))
      return {}
    })),
    handler<object>('NotifyDERAlarm', async (station, payload) => {
      await stationLog.alarm(station, 'NotifyDERAlarm', payload)
      return {}
    }),
  ]
}
