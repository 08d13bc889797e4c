import { createCipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { Clock } from '#core/port/clock.js'
import type { Ids } from '#core/port/ids.js'
import type { DocumentStore } from '#core/port/store/document.js'
import type { CsmsConfig } from '#csms/config.js'
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

const month_s = 30 * 86_400

/** Reports in parts, each answered empty and joined by requestId (OCPP-193, 221, 223, 224). */
export function reportsInParts({ clock, ids, config, documents, journal, parts, stationLog }: {
  clock: Clock; ids: Ids; config: CsmsConfig; documents: DocumentStore; journal: Journal; parts: Parts; stationLog: StationLog
}): Handler[] {
  const key = Buffer.from(hkdfSync('sha256', config.secret, '', 'customer information', 32))

  function sealed(text: string): string {
    const iv = randomBytes(12), cipher = createCipheriv('aes-256-gcm', key, iv)
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64')
  }

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
      // OCPP-223: personal data is kept encrypted, for 30 days.
      const now = clock.now()
      await journal.write([{
        tenant: station.tenant, kind: 'csms/CustomerInformation', id: ids.uuid(), parent: station.identity, sort1: now + month_s,
        body: { requestId: p.requestId, seqNo: p.seqNo ?? 0, sealed: sealed(p.data) },
      }])
      for (const old of await documents.list(station.tenant, { kind: 'csms/CustomerInformation', sort1To: now, limit: 100 })) await documents.remove(station.tenant, 'csms/CustomerInformation', old.id)
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
