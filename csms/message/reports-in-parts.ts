import type { Customers } from '#csms/customers.js'
import { learnMonitors } from '#csms/effect/monitoring.js'
import { handler, in2x, type Handler } from '#csms/handler.js'
import type { Journal } from '#csms/journal.js'
import type { Parts } from '#csms/parts.js'
import type { StationLog } from '#csms/station-log.js'

interface Part {
  readonly requestId: number
  readonly seqNo?: number
  readonly tbc?: boolean
}

/** Reports in parts, each answered empty and joined by requestId (OCPP-193, 221, 223, 224). */
export function reportsInParts({ customers, journal, parts, stationLog }: {
  customers: Customers; journal: Journal; parts: Parts; stationLog: StationLog
}): Handler[] {
  const joined = (action: string, items: (payload: never) => readonly unknown[]): Handler => handler<Part>(action, async (station, payload) => {
    parts.part(station, action, payload.requestId, payload.seqNo ?? 0, payload.tbc ?? false, items(payload as never))
    await stationLog.keep(station, action, payload)
    return {}
  }, in2x)

  return [
    handler<Part & { monitor?: Parameters<typeof learnMonitors>[1] }>('NotifyMonitoringReport', async (station, p) => {
      learnMonitors(station, p.monitor ?? [])
      await journal.write([station.document()])
      parts.part(station, 'NotifyMonitoringReport', p.requestId, p.seqNo ?? 0, p.tbc ?? false, p.monitor ?? [])
      await stationLog.keep(station, 'NotifyMonitoringReport', p)
      return {}
    }, in2x),
    joined('NotifyDisplayMessages', (p: { messageInfo?: unknown[] }) => p.messageInfo ?? []),
    joined('ReportDERControl', (p: object) => [p]),
    handler<Part & { data: string }>('NotifyCustomerInformation', async (station, p) => {
      await customers.keep(station, { requestId: p.requestId, seqNo: p.seqNo ?? 0, data: p.data })
      parts.part(station, 'NotifyCustomerInformation', p.requestId, p.seqNo ?? 0, p.tbc ?? false, [])
      return {}
    }, in2x),
    // Parts of a profile report carry no seqNo: each is taken as the next.
    handler<Part & { evseId: number; chargingLimitSource: string; chargingProfile: object[] }>('ReportChargingProfiles', (station, p) => {
      parts.next(station, 'ReportChargingProfiles', p.requestId, p.tbc ?? false, p.chargingProfile.map((profile) => ({ evseId: p.evseId, source: p.chargingLimitSource, profile })))
      return {}
    }, in2x),
  ]
}
