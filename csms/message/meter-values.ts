import type { Clock } from '#core/port/clock.js'
import { handler, in16, in2x, type Handler } from '#csms/handler.js'
import type { Intake } from '#csms/intake.js'
import type { Journal } from '#csms/journal.js'
import { samplesOf } from '#csms/metering.js'
import { verifySigned, type MeterSignatures } from '#csms/meter-signature.js'
import type { Station } from '#csms/station.js'
import { isoMs } from '#csms/time.js'
import type { MeterValue } from '#csms/wire/metering.js'

/** A message as it is kept: `from` is station/EVSE; signed data in it is the station's, byte for byte (OCPP-174). */
export interface KeptMeterValues {
  readonly meterValue: readonly MeterValue[]
  readonly transaction?: string
}

/** J01: values outside a transaction, or clock-aligned within one. */
export function meterValues({ clock, journal, intake, signatures }: { clock: Clock; journal: Journal; intake: Intake; signatures: MeterSignatures }): Handler[] {
  async function store(station: Station, evseId: number, meterValue: readonly MeterValue[], transaction: string | undefined): Promise<object> {
    const from = `${station.identity}/${evseId}`, at = clock.now()
    if (verifySigned(meterValue, signatures, station.meterKeys).broken > 0) station.flag(isoMs(clock.nowMs()), `bad meter signature at EVSE ${evseId}`)
    const body: KeptMeterValues = { meterValue, ...(transaction === undefined ? {} : { transaction }) }
    try {
      const registers = await intake.take(station, evseId, samplesOf(meterValue), false, `csms/MeterValues ${from} ${at}`)
      await journal.keep({ tenant: station.tenant, kind: 'csms/MeterValues', from, at, body }, registers)
    } catch (error) {
      intake.forget(station, evseId)
      throw error
    }
    return {}
  }
  return [
    handler<{ evseId: number; meterValue: MeterValue[] }>('MeterValues', (station, { evseId, meterValue }) => store(station, evseId, meterValue, undefined), in2x),
    // OCPP-252: without transactionId the running transaction of the connector is meant.
    handler<{ connectorId: number; transactionId?: number; meterValue: MeterValue[] }>('MeterValues', (station, { connectorId, transactionId, meterValue }) =>
      store(station, connectorId, meterValue, transactionId === undefined ? station.running(connectorId)?.id : String(transactionId)), in16),
  ]
}
