import type { Clock } from '#core/port/clock.js'
import { handler, type Handler } from '#csms/handler.js'
import type { Journal } from '#csms/journal.js'
import type { Station } from '#csms/station.js'
import type { StationLog } from '#csms/station-log.js'
import { isoMs } from '#csms/time.js'

interface Progress {
  readonly status: string
  readonly requestId?: number
}

/** Messages whose one duty is to be kept and answered empty (OCPP-265); skipped states are normal. */
const kept = ['NotifyDERStartStop']
/** Those that tell how a request of ours goes on, and belong to it by requestId unless idle (L01, L03, N01; OCPP-211, 212, 220). */
const progress = ['DiagnosticsStatusNotification', 'FirmwareStatusNotification', 'SignedFirmwareStatusNotification', 'LogStatusNotification', 'PublishFirmwareStatusNotification']
const failures = /Failed|InvalidSignature|InvalidChecksum|InstallVerificationFailed|InstallationFailed|UploadFailure|PermissionDenied|BadMessage|NotSupportedOperation/
/** 1.6 and DiagnosticsStatusNotification name no request. */
const nameless = new Set(['DiagnosticsStatusNotification'])

export function statusReports({ clock, journal, stationLog, progressed, overridden }: {
  clock: Clock; journal: Journal; stationLog: StationLog
  /** The driver at an EVSE wants none of our events. */
  overridden(station: Station, evseId: number): Promise<void>
  /** Told of each step, e.g. to a firmware campaign. */
  progressed(station: Station, action: string, status: string, requestId: number | undefined): void
}): Handler[] {
  function note(station: Station, action: string, { status, requestId }: Progress): void {
    const { record } = station, at = isoMs(clock.nowMs())
    if (requestId === undefined && status !== 'Idle' && station.session.version !== '1.6' && !nameless.has(action)) station.flag(at, `${action} ${status} without requestId`)
    const key = requestId === undefined ? action : `${action} ${requestId}`
    delete record.progress[key]
    record.progress[key] = { status, at }
    for (const old of Object.keys(record.progress).slice(0, -20)) delete record.progress[old]
  }

  return [
    ...kept.map((action) => handler<object>(action, async (station, payload) => {
      await stationLog.keep(station, action, payload)
      return {}
    })),
    ...progress.map((action) => handler<Progress>(action, async (station, payload) => {
      note(station, action, payload)
      if (failures.test(payload.status)) await stationLog.alarm(station, `${action} ${payload.status}`, payload)
      else {
        await stationLog.keep(station, action, payload)
        await journal.write([station.document()])
      }
      progressed(station, action, payload.status, payload.requestId)
      return {}
    })),
    // K22 (OCPP-236): at the station the driver asked for all the power there is.
    handler<{ transactionId: string; activated: boolean }>('NotifyPriorityCharging', async (station, payload) => {
      await stationLog.keep(station, 'NotifyPriorityCharging', payload)
      const evseId = station.transactions.get(payload.transactionId)?.evseId
      if (payload.activated && evseId !== undefined) await overridden(station, evseId)
      return {}
    }),
    // H04 (OCPP-165): Expired and Removed end it alike.
    handler<{ reservationId: number }>('ReservationStatusUpdate', async (station, payload) => {
      delete station.record.reservations[String(payload.reservationId)]
      await journal.write([station.document()])
      await stationLog.keep(station, 'ReservationStatusUpdate', payload)
      return {}
    }),
    handler<object>('NotifyDERAlarm', async (station, payload) => {
      await stationLog.alarm(station, 'NotifyDERAlarm', payload)
      return {}
    }),
  ]
}
