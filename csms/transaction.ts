import type { MeterValue } from '#csms/wire/metering.js'
import type { ChargingState, TransactionEventRequest } from '#csms/wire/transaction-event.js'
import type { ChargingNeeds } from '#csms/message/notify-ev-charging-needs.js'
import { totals, type Sample } from './metering.js'
import { stampMs } from './time.js'

/** A charging session as its events tell it, whatever their order. Document `csms/Transaction`, parent = station. */
export interface Transaction {
  readonly id: string
  /** First event seen; with Started, its own time. Epoch ms. */
  startedAt: number
  endedAt: number | undefined
  /** Ended was seen. Complete = Started a, Ended o and all between present (OCPP-132). */
  ended: boolean
  complete: boolean
  orphaned: boolean
  evseId: number | undefined
  connectorId: number | undefined
  chargingState: ChargingState | undefined
  stoppedReason: string | undefined
  phases: number | undefined
  remoteStartId: number | undefined
  reservationId: number | undefined
  idToken: { idToken: string; type: string } | undefined
  groupId: string | undefined
  /** The station may go on although we did not accept the token (OCPP-134). */
  deauthorised: boolean
  /** seqNo that decided the state; state never moves backwards (REL-051). */
  stateSeq: number
  startSeq: number | undefined
  endSeq: number | undefined
  /** Numbers seen, as ranges [from, to]. */
  seen: [number, number][]
  /** OCPP-133: the station's numbers mean nothing; then (type, time, trigger) tells events apart. */
  seqNoUnreliable: boolean
  /** `[seqNo, eventType timestamp trigger]` of the newest events, to tell a repetition from a station that does not count. */
  keys: [number, string][]
  flags: string[]
  /** Meter values that came before any event named the EVSE. */
  unplaced: MeterValue[]
  offlineEvents: number
  /** Epoch ms of our clock when it last said something. */
  heardAt?: number
  /** Register at its beginning and end, Wh: by context Begin and End, else the earliest and the latest (OCPP-137). */
  first?: Reading
  last?: Reading
  timeSpentCharging?: number
  cableMaxCurrent?: number
  /** What it costs so far, decimal text (OCPP-166, 168). */
  cost?: string
  /** What its car asked for (K15); over restarts, as it is said once. */
  needs?: ChargingNeeds
  /** The tariff text that the driver was told last (OCPP-167). */
  told?: string
}

/** `rank` 1: the station says that this is the beginning or the end. */
interface Reading { readonly at: number; readonly Wh: number; readonly rank: 0 | 1 }

/** Energy of the session in Wh, as far as told; undefined before two values are there. */
export const energyOf = (t: Transaction): number | undefined => (t.first && t.last && t.last.at >= t.first.at ? Math.max(0, t.last.Wh - t.first.Wh) : undefined)

/** Takes the register values of an event, in any order (OCPP-137, 170, 172). */
export function metered(t: Transaction, samples: readonly Sample[]): void {
  for (const { at, value } of totals(samples, 'Energy.Active.Import.Register')) {
    const context = samples.find((s) => s.at === at && s.measurand === 'Energy.Active.Import.Register')?.context
    const begin: Reading = { at, Wh: value, rank: context === 'Transaction.Begin' ? 1 : 0 }, end: Reading = { at, Wh: value, rank: context === 'Transaction.End' ? 1 : 0 }
    if (!t.first || begin.rank > t.first.rank || (begin.rank === t.first.rank && at < t.first.at)) t.first = begin
    if (!t.last || end.rank > t.last.rank || (end.rank === t.last.rank && at > t.last.at)) t.last = end
  }
}

export const newTransaction = (id: string, at: number): Transaction => ({
  id, startedAt: at, endedAt: undefined, ended: false, complete: false, orphaned: false, evseId: undefined, connectorId: undefined,
  chargingState: undefined, stoppedReason: undefined, phases: undefined, remoteStartId: undefined, reservationId: undefined,
  idToken: undefined, groupId: undefined, deauthorised: false, stateSeq: -1, startSeq: undefined, endSeq: undefined, seen: [],
  seqNoUnreliable: false, keys: [], flags: [], unplaced: [], offlineEvents: 0,
})

const has = (seen: readonly [number, number][], n: number): boolean => seen.some(([a, b]) => n >= a && n <= b)

function add(seen: readonly [number, number][], n: number): [number, number][] {
  const out: [number, number][] = []
  let [from, to] = [n, n]
  for (const [a, b] of [...seen].sort((x, y) => x[0] - y[0])) {
    if (b < from - 1 || a > to + 1) out.push([a, b])
    else { from = Math.min(from, a); to = Math.max(to, b) }
  }
  out.push([from, to])
  return out.sort((x, y) => x[0] - y[0])
}

export const flagged = (t: Transaction, flag: string): void => { if (!t.flags.includes(flag)) t.flags.push(flag) }

/** What an event was to the transaction: new, a repetition (OCPP-131), or another content under a number already taken. */
export type Taken = 'new' | 'repeated' | 'conflicting'

/**
 * Applies one event (OCPP 2.0.1 Part 2 E01…E15). Any order gives the same end state: every field is decided by the highest
 * seqNo that carries it, counts and gaps by the set of numbers seen.
 */
export function take(t: Transaction, e: TransactionEventRequest): Taken {
  const at = stampMs(e.timestamp)
  const key = `${e.eventType} ${e.timestamp} ${e.triggerReason}`
  if (t.seqNoUnreliable) {
    if (t.keys.some(([, k]) => k === key)) return 'repeated'
  } else if (has(t.seen, e.seqNo)) {
    const first = t.keys.find(([n]) => n === e.seqNo)?.[1]
    if (first === undefined || first === key) return 'repeated'
    if (first.split(' ')[1] === e.timestamp) {
      flagged(t, 'conflictingSeqNo')
      return 'conflicting'
    }
    // OCPP-133: the same number again with another time: this station does not count.
    t.seqNoUnreliable = true
    flagged(t, 'seqNoUnreliable')
  }
  t.keys.push([e.seqNo, key])
  if (t.keys.length > (t.seqNoUnreliable ? 400 : 8)) t.keys.shift()
  t.seen = add(t.seen, e.seqNo)
  if (e.offline) t.offlineEvents += 1
  // With useless numbers the time of the event orders.
  const order = t.seqNoUnreliable ? at : e.seqNo
  if (t.seqNoUnreliable && t.stateSeq < 1e9) t.stateSeq = 0
  if (e.eventType === 'Started') {
    t.startSeq = e.seqNo
    t.startedAt = at
  } else if (t.startSeq === undefined) t.startedAt = Math.min(t.startedAt, at)
  if (e.eventType === 'Ended') {
    t.ended = true
    t.endSeq = e.seqNo
    t.endedAt = at
    t.stoppedReason = e.transactionInfo.stoppedReason ?? 'Local'
  }
  if (e.evse) {
    // OCPP-135: the EVSE may come late, at most once; another one is flagged, the first stays.
    if (t.evseId === undefined) t.evseId = e.evse.id
    else if (t.evseId !== e.evse.id) flagged(t, 'evseChanged')
    t.connectorId ??= e.evse.connectorId
  }
  const newest = order >= t.stateSeq
  if (newest) t.stateSeq = order
  if (e.transactionInfo.chargingState && (newest || t.chargingState === undefined)) t.chargingState = e.transactionInfo.chargingState
  if (e.numberOfPhasesUsed !== undefined && (newest || t.phases === undefined)) t.phases = e.numberOfPhasesUsed
  if (e.transactionInfo.timeSpentCharging !== undefined) t.timeSpentCharging = Math.max(t.timeSpentCharging ?? 0, e.transactionInfo.timeSpentCharging)
  if (e.cableMaxCurrent !== undefined) t.cableMaxCurrent ??= e.cableMaxCurrent
  t.remoteStartId ??= e.transactionInfo.remoteStartId
  t.reservationId ??= e.reservationId
  if (e.idToken && (newest || !t.idToken)) t.idToken = { idToken: e.idToken.idToken, type: e.idToken.type }
  t.complete = t.startSeq !== undefined && t.endSeq !== undefined && !t.seqNoUnreliable
    && t.seen.some(([a, b]) => a <= (t.startSeq as number) && b >= (t.endSeq as number))
  return 'new'
}

/** Numbers between the first and the last seen that never came (OCPP-132). */
export function missing(t: Transaction): number[] {
  const out: number[] = []
  for (let i = 1; i < t.seen.length; i += 1) {
    for (let n = (t.seen[i - 1] as [number, number])[1] + 1; n < (t.seen[i] as [number, number])[0] && out.length < 1000; n += 1) out.push(n)
  }
  return out
}
