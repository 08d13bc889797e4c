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
  /** Several at once, and the station's record where one is an alarm or it has `changed`: all or nothing. */
  keepAll(station: Station, entries: readonly { readonly type: string; readonly payload: object; readonly alarm: boolean }[], changed: boolean): Promise<void>
}

export function stationLog({ clock, ids, log, journal }: { clock: Clock; ids: Ids; log: Log; journal: Journal }): StationLog {
  const document = (station: Station, type: string, payload: object): NewDocument =>
    ({ tenant: station.tenant, kind: 'csms/Event', id: ids.uuid(), parent: station.identity, sort1: clock.now(), body: { type, at: isoMs(clock.nowMs()), payload } })
  function raise(station: Station, type: string): void {
    station.flag(isoMs(clock.nowMs()), type)
    log.warn({ station: station.identity, type, alarm: true }, 'alarm')
  }
  const keepAll: StationLog['keepAll'] = async (station, entries, changed) => {
    for (const { type, alarm } of entries) if (alarm) raise(station, type)
    await journal.write([...entries.map(({ type, payload }) => document(station, type, payload)), ...(changed || entries.some((e) => e.alarm) ? [station.document()] : [])])
  }
  return {
    keepAll,
    keep: (station, type, payload) => keepAll(station, [{ type, payload, alarm: false }], false),
    alarm: (station, type, payload) => keepAll(station, [{ type, payload, alarm: true }], false),
  }
}
