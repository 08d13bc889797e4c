import type { DocumentStore } from '#core/port/store/document.js'
import { handler, type Handler } from '#csms/handler.js'
import type { Journal } from '#csms/journal.js'
import type { Station } from '#csms/station.js'
import { isoMs } from '#csms/time.js'
import type { Clock } from '#core/port/clock.js'

/** A stream that a station opened (N11): values of one monitored variable, sent without being answered. Document `csms/EventStream`. */
interface Stream {
  readonly id: number
  readonly variableMonitoringId: number
  readonly params: object
  readonly openedAt: string
}

/** What a station pushes through its streams: the newest value of each monitored variable, and the values of the stream kept with it. */
export interface StreamData {
  readonly id: number
  readonly pending: number
  readonly basetime: string
  readonly data: readonly { readonly t: number; readonly v: string }[]
}

/** N11, N14 (OCPP-265). */
export function periodicEventStream({ clock, journal, documents }: { clock: Clock; journal: Journal; documents: DocumentStore }): Handler[] {
  return [
    handler<{ constantStreamData: Omit<Stream, 'openedAt'> }>('OpenPeriodicEventStream', async (station, { constantStreamData: s }) => {
      // Interpretation: a stream of a monitor that we neither set nor were told of cannot be understood; once we know some, it is refused.
      const known = Object.keys(station.record.monitors)
      if (known.length > 0 && !known.includes(String(s.variableMonitoringId))) return { status: 'Rejected', statusInfo: { reasonCode: 'NotFound' } }
      await journal.write([{ tenant: station.tenant, kind: 'csms/EventStream', id: `${station.identity}/${s.id}`, parent: station.identity, body: { ...s, openedAt: isoMs(clock.nowMs()) } satisfies Stream }])
      return { status: 'Accepted' }
    }, ['2.1']),
    handler<{ id: number }>('ClosePeriodicEventStream', async (station, { id }) => {
      await documents.remove(station.tenant, 'csms/EventStream', `${station.identity}/${id}`)
      return {}
    }, ['2.1']),
  ]
}

/** NotifyPeriodicEventStream is a SEND: kept with what is only kept, never answered. */
export const keepStream = (journal: Journal, clock: Clock, station: Station, body: StreamData): Promise<void> =>
  journal.keep({ tenant: station.tenant, kind: 'csms/EventStreamData', from: `${station.identity}/${body.id}`, at: clock.now(), body }, [])
