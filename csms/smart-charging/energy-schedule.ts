import type { Clock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { ChargingNeeds } from '#csms/message/notify-ev-charging-needs.js'
import type { Station } from '#csms/station.js'
import { isoMs } from '#csms/time.js'
import { capabilityOf, evseMost } from './capability.js'
import { limitOf } from './convert.js'
import type { Installer } from './installer.js'
import { stackLevel } from './purpose.js'

/** Without a departure a car is planned for this long. */
const usual_s = 12 * 3600

/**
 * Answers charging needs with a TxProfile (K15.FR.08, OCPP-196): the car may take what it and the EVSE can from now to its
 * departure, so its energy is there as early as possible; events lower it by their own profiles, which are restated for the
 * transaction first, as a TxProfile would otherwise replace them.
 */
export function energySchedule({ clock, log, installer }: { clock: Clock; log: Log; installer: Installer }): (station: Station, evseId: number, needs: ChargingNeeds) => void {
  async function answer(station: Station, evseId: number, needs: ChargingNeeds): Promise<void> {
    const transaction = station.running(evseId)
    if (!transaction || station.session.version === '1.6') return
    await installer.restate(station, evseId, transaction.id)
    const now = clock.now(), end = needs.departure !== undefined && needs.departure > now ? needs.departure : now + usual_s
    const capability = capabilityOf(station, 3)
    const unit = capability.units.length === 0 || capability.units.includes('W') ? 'W' : 'A'
    const electrical = { voltage: station.record.voltage, phases: needs.phases ?? station.record.phases, current: needs.current }
    // Within the car's limits and the EVSE's (OCPP-197).
    const limit = limitOf(Math.min(needs.max_W ?? 22_000, evseMost(station, evseId)), unit, electrical)
    await installer.install(station, evseId, {
      stackLevel: stackLevel('customer', capability.stackLevel), chargingProfilePurpose: 'TxProfile', chargingProfileKind: 'Absolute',
      transactionId: transaction.id, validFrom: isoMs(now * 1000), validTo: isoMs((end + 60) * 1000),
      chargingSchedule: [{
        id: 1, startSchedule: isoMs(now * 1000), duration: end - now, chargingRateUnit: unit,
        chargingSchedulePeriod: [{ startPeriod: 0, limit, ...(electrical.current === 'AC' && electrical.phases !== 3 ? { numberPhases: electrical.phases } : {}) }],
      }],
    })
  }
  return (station, evseId, needs) => {
    // The CALLRESULT to the needs goes first: the schedule follows it.
    clock.after(0, () => {
      answer(station, evseId, needs).catch((error: unknown) => log.warn({ err: error, station: station.identity, clause: 'K15.FR.08' }, 'no schedule for the car'))
    })
  }
}
