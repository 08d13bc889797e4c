import type { Clock } from '#core/port/clock.js'
import type { NewDocument } from '#core/port/store/document.js'
import { handler, in16, in2x, type Handler } from '#csms/handler.js'
import type { Ids } from '#core/port/ids.js'
import type { Intake } from '#csms/intake.js'
import type { Journal } from '#csms/journal.js'
import { samplesOf } from '#csms/metering.js'
import type { Station } from '#csms/station.js'
import type { MeterValue } from '#csms/wire/metering.js'

/** J01: values outside a transaction, or clock-aligned within one; signed data is kept byte for byte (OCPP-174). */
export function meterValues({ clock, ids, journal, intake }: { clock: Clock; ids: Ids; journal: Journal; intake: Intake }): Handler[] {
  async function store(station: Station, evseId: number, meterValue: readonly MeterValue[], transaction: string | undefined): Promise<object> {
    const id = ids.uuid()
    const message: NewDocument = {
      tenant: station.tenant, kind: 'csms/MeterValues', id, parent: `${station.identity}/${evseId}`, sort1: clock.now(),
      body: { evseId, meterValue, transaction: transaction ?? null },
    }
    try {
      const registers = await intake.take(station, evseId, samplesOf(meterValue), false, id)
      await journal.write([message, ...registers])
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
