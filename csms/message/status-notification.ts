import type { Clock } from '#core/port/clock.js'
import { handler, in16, in2x, type Handler } from '#csms/handler.js'
import type { Journal } from '#csms/journal.js'
import type { Station } from '#csms/station.js'
import type { Transaction } from '#csms/transaction.js'
import type { ChargingState } from '#csms/wire/transaction-event.js'
import { transactionDocument } from './transaction-event.js'
import { isoMs, stampMs } from '#csms/time.js'

/** What a message changed in the record is taken back when it could not be stored: the station says it again, and it is news again. */
export async function storedOr(undo: () => void, write: Promise<void>): Promise<void> {
  try {
    await write
  } catch (error) {
    undo()
    throw error
  }
}

/** Puts the connectors of a record back as they are now. */
export function asBefore(station: Station): () => void {
  const before = { ...station.record.connectors }
  return () => { station.record.connectors = before }
}

/** OCPP-160: the newest timestamp of a connector wins; StatusNotification and NotifyEvent feed this one state. */
export function connectorState(station: Station, evseId: number, connectorId: number, state: { status: string; at: string; errorCode?: string }): boolean {
  const key = `${evseId}/${connectorId}`
  const before = station.record.connectors[key]
  if (before && stampMs(before.at) > stampMs(state.at)) return false
  station.record.connectors[key] = state
  return before?.status !== state.status || before.errorCode !== state.errorCode
}

const charging16 = new Set(['Charging', 'SuspendedEV', 'SuspendedEVSE'])

/** G01 and 1.6 4.9. */
export function statusNotification({ clock, journal, paced }: {
  clock: Clock; journal: Journal
  /** A 1.6 transaction charges on, or pauses. */
  paced(station: Station, transaction: Transaction): void
}): Handler[] {
  return [
    handler<{ timestamp: string; connectorStatus: string; evseId: number; connectorId: number }>('StatusNotification', async (station, s) => {
      const undo = asBefore(station)
      if (connectorState(station, s.evseId, s.connectorId, { status: s.connectorStatus, at: s.timestamp })) await storedOr(undo, journal.write([station.document()]))
      return {}
    }, in2x),
    handler<{ connectorId: number; errorCode: string; status: string; timestamp?: string }>('StatusNotification', async (station, s) => {
      const state = { status: s.status, at: s.timestamp ?? isoMs(clock.nowMs()), errorCode: s.errorCode }
      // 1.6: connector k is EVSE k (OCPP §17); 0 is the charge point.
      const undo = asBefore(station), changed = connectorState(station, s.connectorId, s.connectorId === 0 ? 0 : 1, state)
      const running = station.running(s.connectorId)
      // 1.6 has no chargingState: the connector's nine states tell it.
      const before = running?.chargingState
      if (running && charging16.has(s.status)) running.chargingState = s.status as ChargingState
      if (changed) await storedOr(undo, journal.write([station.document(), ...(running ? [transactionDocument(station, running)] : [])]))
      if (running && running.chargingState !== before) paced(station, running)
      return {}
    }, in16),
  ]
}
