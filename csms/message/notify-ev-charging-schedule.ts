import { handler, in2x, type Handler } from '#csms/handler.js'
import { electricalOf } from '#csms/smart-charging/capability.js'
import { effectiveLimit } from '#csms/smart-charging/composite.js'
import { wattsOf } from '#csms/smart-charging/convert.js'
import { live } from '#csms/smart-charging/ledger.js'
import type { Station } from '#csms/station.js'
import { stampMs } from '#csms/time.js'
import type { ChargingSchedule } from '#csms/wire/charging-profile.js'

interface NotifyEVChargingSchedule {
  readonly timeBase: string
  readonly evseId: number
  readonly chargingSchedule: ChargingSchedule
}

/** Is the car's plan within our limits at each of its steps? */
export function within(station: Station, n: NotifyEVChargingSchedule): boolean {
  const electrical = electricalOf(station, n.evseId), transactionId = station.running(n.evseId)?.id
  const ours = [...station.ledger.values()].filter(live)
  return n.chargingSchedule.chargingSchedulePeriod.every((p) => {
    const wants = n.chargingSchedule.chargingRateUnit === 'W' ? p.limit : wattsOf(p.limit, { ...electrical, phases: p.numberPhases ?? electrical.phases })
    const limit = effectiveLimit(ours, stampMs(n.timeBase) + p.startPeriod * 1000, { evseId: n.evseId, electrical, ...(transactionId === undefined ? {} : { transactionId }) })
    return limit === undefined || wants <= limit + 1
  })
}

/** K15.FR.11-13 (OCPP-198): Accepted within our limits, else Rejected and a new schedule follows. */
export const notifyEVChargingSchedule = ({ renegotiate }: { renegotiate(station: Station, evseId: number): void }): Handler[] => [
  handler<NotifyEVChargingSchedule>('NotifyEVChargingSchedule', (station, n) => {
    if (within(station, n)) return { status: 'Accepted' }
    renegotiate(station, n.evseId)
    return { status: 'Rejected' }
  }, in2x),
]
