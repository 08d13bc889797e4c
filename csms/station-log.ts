import type { Clock } from '#core/port/clock.js'
import type { Ids } from '#core/port/ids.js'
import type { Log } from '#core/port/log.js'
import type { NewDocument } from '#core/port/store/document.js'
import type { Journal } from './journal.js'
import type { Station } from './station.js'
import { isoMs } from './time.js'

/** What stations reported that is neither metering nor a transaction: documents `csms/Event`, parent = station. */
export interface StationLog {
  keep(station: Station, type: string, payload: object): Promise<void>
  /** Kept, flagged on the station page, and logged for whoever is woken by alarms. */
  alarm(station: Station, type: string, payload: object): Promise<void>
}

export function stationLog({ clock, ids, log, journal }: { clock: Clock; ids: Ids; log: Log; journal: Journal }): StationLog {
  const document = (station: Station, type: string, payload: object): NewDocument =>
    ({ tenant: station.tenant, kind: 'csms/Event', id: ids.uuid(), parent: station.identity, sort1: clock.now(), body: { type, at: isoMs(clock.nowMs()), payload } })
  return {
    keep: (station, type, payload) => journal.write([document(station, type, payload)]),
    async alarm(station, type, payload) {
      station.flag(isoMs(clock.nowMs()), type)
      log.warn({ station: station.identity, type, alarm: true }, 'alarm')
      await journal.write([document(station, type, payload), station.document()])
    },
  }
}
