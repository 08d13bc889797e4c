import type { DocumentStore } from '#core/port/store/document.js'
import type { Clock } from '#core/port/clock.js'
import { handler, in16, type Handler } from '#csms/handler.js'
import type { Journal } from '#csms/journal.js'
import type { Tokens } from '#csms/tokens.js'
import type { MeterValue } from '#csms/wire/metering.js'
import type { IdTokenInfo } from '#csms/wire/transaction-event.js'
import { tagInfo, typed } from './authorize.js'
import type { TakeEvent } from './transaction-event.js'

interface StartTransaction {
  readonly connectorId: number
  readonly idTag: string
  readonly meterStart: number
  readonly timestamp: string
  readonly reservationId?: number
}

interface StopTransaction {
  readonly transactionId: number
  readonly idTag?: string
  readonly meterStop: number
  readonly timestamp: string
  readonly reason?: string
  readonly transactionData?: readonly MeterValue[]
}

const reasons: Record<string, string> = { DeAuthorized: 'DeAuthorized', HardReset: 'ImmediateReset', SoftReset: 'Reboot', UnlockCommand: 'Other' }

/**
 * 1.6 transactions as the events they stand for (OCPP §17). We issue the integer id: the same start again, told after an outage,
 * gets the same id; the answer carries id and idTagInfo even when the tag is not accepted.
 */
export function startStopTransaction({ clock, documents, journal, tokens, takeEvent }: {
  clock: Clock; documents: DocumentStore; journal: Journal; tokens: Tokens; takeEvent: TakeEvent
}): Handler[] {
  const invalid: IdTokenInfo = { status: 'Invalid' }
  return [
    handler<StartTransaction>('StartTransaction', async (station, s) => {
      const id = `${station.identity}/${s.connectorId}|${s.idTag.toLowerCase()}|${s.meterStart}|${s.timestamp}`
      const before = await documents.get<{ transactionId: number }>(station.tenant, 'csms/StartTransaction', id)
      const transactionId = before?.body.transactionId ?? (station.record.counters.transaction += 1)
      if (!before) {
        await journal.write([station.document(), { tenant: station.tenant, kind: 'csms/StartTransaction', id, parent: station.identity, sort1: clock.now(), body: { transactionId } }])
      }
      const { idTokenInfo } = await takeEvent(station, {
        eventType: 'Started', timestamp: s.timestamp, triggerReason: 'Authorized', seqNo: 0, transactionInfo: { transactionId: String(transactionId), chargingState: 'Charging' },
        evse: { id: s.connectorId, connectorId: 1 }, idToken: await typed(tokens, station.tenant, s.idTag),
        meterValue: [{ timestamp: s.timestamp, sampledValue: [{ value: s.meterStart, context: 'Transaction.Begin' }] }],
        ...(s.reservationId === undefined ? {} : { reservationId: s.reservationId }),
      })
      return { transactionId, idTagInfo: tagInfo(idTokenInfo ?? invalid) }
    }, in16),
    handler<StopTransaction>('StopTransaction', async (station, s) => {
      const { idTokenInfo } = await takeEvent(station, {
        eventType: 'Ended', timestamp: s.timestamp, triggerReason: s.reason === 'Remote' ? 'RemoteStop' : 'StopAuthorized', seqNo: 1,
        transactionInfo: { transactionId: String(s.transactionId), stoppedReason: reasons[s.reason ?? 'Local'] ?? s.reason ?? 'Local' },
        meterValue: [...s.transactionData ?? [], { timestamp: s.timestamp, sampledValue: [{ value: s.meterStop, context: 'Transaction.End' }] }],
        ...(s.idTag === undefined ? {} : { idToken: await typed(tokens, station.tenant, s.idTag) }),
      })
      return idTokenInfo ? { idTagInfo: tagInfo(idTokenInfo) } : {}
    }, in16),
  ]
}
