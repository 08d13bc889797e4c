import type { Clock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { CsmsConfig } from '#csms/config.js'
import { handler, in16, in2x, type Handler } from '#csms/handler.js'
import type { Journal } from '#csms/journal.js'
import { CallRefused } from '#csms/rpc/error-code.js'
import type { Station } from '#csms/station.js'
import { isoMs } from '#csms/time.js'

interface Hardware {
  readonly reason: string
  readonly vendorName: string
  readonly model: string
  readonly serialNumber: string | undefined
  readonly firmwareVersion: string | undefined
  readonly modem?: { iccid?: string; imsi?: string } | undefined
  readonly customData?: object | undefined
}

interface BootNotification2 {
  readonly reason: string
  readonly chargingStation: { readonly vendorName: string; readonly model: string; readonly serialNumber?: string; readonly firmwareVersion?: string; readonly modem?: { iccid?: string; imsi?: string } }
  readonly customData?: object
}

interface BootNotification16 {
  readonly chargePointVendor: string
  readonly chargePointModel: string
  readonly chargePointSerialNumber?: string
  readonly chargeBoxSerialNumber?: string
  readonly firmwareVersion?: string
  readonly iccid?: string
  readonly imsi?: string
}

/** B01…B03: register the station and say whether it may work. `accepted` is told of each Accepted boot, `pending` of one that waits for new credentials. */
export function bootNotification({ clock, journal, config, log, accepted, pending }: {
  clock: Clock; journal: Journal; config: CsmsConfig; log: Log; accepted(station: Station, fresh: boolean): void; pending(station: Station): void
}): Handler[] {
  async function boot(station: Station, hardware: Hardware): Promise<object> {
    const { record } = station, now = isoMs(clock.nowMs())
    // B01.FR.11/12: under profile 3 the serial number is the certificate's, or the connection ends.
    if (station.certificateName !== undefined && hardware.serialNumber !== station.certificateName) {
      log.warn({ station: station.identity, clause: 'B01.FR.12' }, 'serial number and certificate differ')
      // The impostor's boot changes nothing and is not answered: the socket is gone.
      station.session.close(1008, 'serial number differs from the certificate')
      throw new CallRefused('SecurityError')
    }
    const before = record.boot
    const fresh = before === undefined || before.firmwareVersion !== hardware.firmwareVersion || before.serialNumber !== hardware.serialNumber
    record.boot = {
      at: now, reason: hardware.reason, vendorName: hardware.vendorName, model: hardware.model, version: station.session.version,
      ...(hardware.serialNumber === undefined ? {} : { serialNumber: hardware.serialNumber }),
      ...(hardware.firmwareVersion === undefined ? {} : { firmwareVersion: hardware.firmwareVersion }),
      ...(hardware.modem === undefined ? {} : { modem: hardware.modem }), ...(hardware.customData === undefined ? {} : { customData: hardware.customData }),
    }
    // OCPP-099: a reset that was promised has come about, with or without the reason that it should have.
    if (record.reset && record.reset.evseId === undefined && record.reset.boot === undefined && record.reset.status !== 'Rejected') record.reset.boot = hardware.reason
    // OCPP-030, 042: an expired certificate or the maker's credentials let it in only to get its own.
    const held = !record.approved || record.factoryCredentials === true || station.certificate?.expired === true
    // OCPP-087: unknown hardware waits for an operator; a rejected one stays so until the operator says otherwise.
    record.registration = record.registration === 'rejected' ? 'rejected' : held ? 'pending' : 'accepted'
    await journal.write([station.document()])
    if (record.registration === 'accepted') {
      station.allowed = undefined
      accepted(station, fresh)
      return { currentTime: now, interval: config.heartbeatInterval_s, status: 'Accepted' }
    }
    const status = record.registration === 'pending' ? 'Pending' : 'Rejected'
    if (status === 'Pending' && record.approved) pending(station)
    // B02, B03: the interval is then the time to the next boot, and statusInfo says why (2.x).
    return { currentTime: now, interval: config.bootRetry_s, status, ...(station.session.version === '1.6' ? {} : { statusInfo: { reasonCode: 'CSNotAccepted' } }) }
  }

  return [
    handler<BootNotification2>('BootNotification', (station, { reason, chargingStation: c, customData }) =>
      boot(station, { reason, vendorName: c.vendorName, model: c.model, serialNumber: c.serialNumber, firmwareVersion: c.firmwareVersion, modem: c.modem, customData }), in2x),
    handler<BootNotification16>('BootNotification', (station, b) => boot(station, {
      reason: 'Unknown', vendorName: b.chargePointVendor, model: b.chargePointModel,
      serialNumber: b.chargePointSerialNumber ?? b.chargeBoxSerialNumber, firmwareVersion: b.firmwareVersion,
      modem: b.iccid === undefined && b.imsi === undefined ? undefined : { ...(b.iccid === undefined ? {} : { iccid: b.iccid }), ...(b.imsi === undefined ? {} : { imsi: b.imsi }) },
    }), in16),
  ]
}
