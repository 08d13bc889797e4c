import type { Clock } from '#core/port/clock.js'
import { handler, in2x, type Handler } from '#csms/handler.js'
import type { Journal } from '#csms/journal.js'
import { electricalOf } from '#csms/smart-charging/capability.js'
import { wattsOf } from '#csms/smart-charging/convert.js'
import type { Station } from '#csms/station.js'
import type { StationLog } from '#csms/station-log.js'
import { isoMs } from '#csms/time.js'
import type { ChargingSchedule } from '#csms/wire/charging-profile.js'

/** The lowest limit that the given schedules name, W. */
function lowest(station: Station, evseId: number, schedules: readonly ChargingSchedule[] | undefined): number | undefined {
  const electrical = electricalOf(station, evseId)
  const limits = (schedules ?? []).flatMap((s) => s.chargingSchedulePeriod.map((p) => (s.chargingRateUnit === 'W' ? p.limit : wattsOf(p.limit, { ...electrical, phases: p.numberPhases ?? electrical.phases }))))
  return limits.length === 0 ? undefined : Math.min(...limits)
}

/** K11…K13 (OCPP-195): somebody else's limit is a cap of that EVSE or the station and lowers what the core may count on, at once. */
export function chargingLimit({ clock, journal, stationLog, capped }: { clock: Clock; journal: Journal; stationLog: StationLog; capped(station: Station, evseId: number): void }): Handler[] {
  return [
    handler<{ evseId?: number; chargingLimit: { chargingLimitSource: string; isGridCritical?: boolean }; chargingSchedule?: ChargingSchedule[] }>('NotifyChargingLimit', async (station, n) => {
      const evseId = n.evseId ?? 0, limit_W = lowest(station, evseId, n.chargingSchedule)
      station.record.caps[String(evseId)] = { source: n.chargingLimit.chargingLimitSource, at: isoMs(clock.nowMs()), ...(limit_W === undefined ? {} : { limit_W }) }
      await journal.write([station.document()])
      await stationLog.keep(station, 'NotifyChargingLimit', n)
      capped(station, evseId)
      return {}
    }, in2x),
    handler<{ evseId?: number; chargingLimitSource: string }>('ClearedChargingLimit', async (station, n) => {
      delete station.record.caps[String(n.evseId ?? 0)]
      await journal.write([station.document()])
      await stationLog.keep(station, 'ClearedChargingLimit', n)
      capped(station, n.evseId ?? 0)
      return {}
    }, in2x),
  ]
}
