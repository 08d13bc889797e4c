import { transactionDocument } from '#csms/message/transaction-event.js'
import { answersTo } from '#csms/registration.js'
import { store, type Effect } from './effect.js'

/** OCPP-151: Accepted is a promise only; a transactionId says that the cable came first (F01.FR.13). */
export const requestStartTransaction: Effect = async (station, request, answer, { clock, journal }) => {
  if (answer.status !== 'Accepted') return
  const id = Number(request.remoteStartId ?? station.record.counters.remoteStart + 1)
  // Never one twice, over restarts too (OCPP-150).
  station.record.counters.remoteStart = Math.max(station.record.counters.remoteStart, id)
  const t = answer.transactionId === undefined ? undefined : station.transactions.get(answer.transactionId as string)
  station.remoteStarts.set(id, { at: clock.nowMs(), state: answer.transactionId === undefined ? 'accepted' : 'started' })
  for (const old of station.remoteStarts.keys()) if (station.remoteStarts.size > 50) station.remoteStarts.delete(old)
  await journal.write([station.document()])
  if (!t) return
  t.remoteStartId ??= id
  await journal.write([transactionDocument(station, t)])
}

/** OCPP-152: what the station does not know is asked for. */
export const requestStopTransaction: Effect = async (station, request, answer, { ask }) => {
  if (answer.status === 'Rejected') ask(station, 'GetTransactionStatus', { transactionId: request.transactionId })
}

/**
 * OCPP-141: a station that has more to tell of its transactions holds up their settlement, for a day at most. "No" is about all of them only
 * when all were asked for.
 */
export const getTransactionStatus: Effect = async (station, request, answer, needs) => {
  if (answer.messagesInQueue !== true && request.transactionId !== undefined) return
  await needs.untold(station, answer.messagesInQueue === true, needs.clock.nowMs())
}

/** OCPP-154: what was triggered is awaited; `watch.ts` gives it up after a minute. */
export const triggerMessage: Effect = async (station, request, answer, { clock }) => {
  if (answer.status !== 'Accepted') return
  for (const message of answersTo('TriggerMessage', request)) if (station.triggered.get(message)?.state !== 'came') station.triggered.set(message, { at: clock.nowMs(), state: 'awaited' })
}

export const changeAvailability: Effect = async (station, request, answer, needs) => {
  if (answer.status === 'Rejected') return
  const evse = request.evse as { id: number; connectorId?: number } | undefined
  const where = station.session.version === '1.6' ? (request.connectorId === 0 ? '' : String(request.connectorId))
    : evse === undefined ? '' : evse.connectorId === undefined ? String(evse.id) : `${evse.id}/${evse.connectorId}`
  station.record.wanted[where] = (request.operationalStatus ?? request.type) as 'Operative' | 'Inoperative'
  await store(station, needs)
}

/** OCPP-165: the same id replaces. */
export const reserveNow: Effect = async (station, request, answer, needs) => {
  if (answer.status !== 'Accepted') return
  const evseId = Number(request.evseId ?? request.connectorId ?? 0), token = request.idToken as { idToken: string } | undefined
  station.record.reservations[String(request.id ?? request.reservationId)] = {
    until: String(request.expiryDateTime ?? request.expiryDate), idToken: token?.idToken ?? String(request.idTag), ...(evseId > 0 ? { evseId } : {}),
  }
  await store(station, needs)
}

export const cancelReservation: Effect = async (station, request, answer, needs) => {
  if (answer.status !== 'Accepted') return
  delete station.record.reservations[String(request.reservationId)]
  await store(station, needs)
}
