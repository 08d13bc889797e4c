import type { Clock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { DocumentStore, NewDocument } from '#core/port/store/document.js'
import { handler, in2x, type Handler } from '#csms/handler.js'
import type { Intake } from '#csms/intake.js'
import type { Journal } from '#csms/journal.js'
import { phasesWithCurrent, samplesOf, totals, type Sample } from '#csms/metering.js'
import { electricalOf } from '#csms/smart-charging/capability.js'
import { wattsOf } from '#csms/smart-charging/convert.js'
import { verifySigned, type MeterSignatures } from '#csms/meter-signature.js'
import type { Station } from '#csms/station.js'
import { isoMs, stampMs } from '#csms/time.js'
import type { Tokens } from '#csms/tokens.js'
import type { TokenUse } from '#csms/token-use.js'
import type { Tariffs } from '#csms/tariff.js'
import { flagged, metered as countEnergy, newTransaction, take, type Transaction } from '#csms/transaction.js'
import type { TransactionEventRequest, TransactionEventResponse } from '#csms/wire/transaction-event.js'

export interface TransactionNeeds {
  readonly clock: Clock
  readonly log: Log
  readonly documents: DocumentStore
  readonly journal: Journal
  readonly tokens: Tokens
  readonly tokenUse: TokenUse
  readonly intake: Intake
  readonly tariffs: Tariffs
  readonly signatures: MeterSignatures
  /** Told after the commit, when a transaction began, ended or changed its charging state. While this fails the event is not acknowledged. */
  changed(station: Station, transaction: Transaction): Promise<void>
  /** Another transaction took its EVSE (OCPP-142). */
  orphaned(station: Station, transaction: Transaction): void
}

export const transactionDocument = (station: Station, t: Transaction): NewDocument => ({
  tenant: station.tenant, kind: 'csms/Transaction', id: `${station.identity}/${t.id}`, parent: station.identity,
  sort1: Math.floor(t.startedAt / 1000), sort2: t.ended ? 1 : 0, body: t,
})

/** An event as it is kept, byte for byte what the station said; `from` is station/transaction. Two that conflict are both there (OCPP-131). */
export interface KeptEvent {
  readonly receivedAt: number
  readonly payload: TransactionEventRequest
}

/** The transaction as this process knows it, or as it was stored (OCPP-130). */
export async function transactionOf(station: Station, id: string, at: number, documents: DocumentStore): Promise<Transaction> {
  const known = station.transactions.get(id) ?? (await documents.get<Transaction>(station.tenant, 'csms/Transaction', `${station.identity}/${id}`))?.body
  const t = known ?? newTransaction(id, at)
  station.transactions.set(id, t)
  return t
}

/** OCPP-142: a second transaction on an EVSE leaves the first without an end of its own. */
function orphanOthers(station: Station, t: Transaction): Transaction[] {
  const orphans = [...station.transactions.values()].filter((o) => o !== t && !o.ended && !o.orphaned && o.evseId !== undefined
    && o.evseId === t.evseId && o.startedAt < t.startedAt)
  for (const o of orphans) o.orphaned = true
  return orphans
}

/** Ended transactions stay in memory for late and repeated events only as long as they are few. */
function forgetOld(station: Station): void {
  if (station.transactions.size <= 8) return
  for (const [id, t] of station.transactions) {
    if ((t.complete || t.orphaned) && station.transactions.size > 8) station.transactions.delete(id)
  }
}

/** Takes one event of a transaction, whatever version told it: E01…E15, in any order, acknowledged when committed. */
export type TakeEvent = (station: Station, event: TransactionEventRequest) => Promise<TransactionEventResponse>

export function eventTaker(needs: TransactionNeeds): TakeEvent {
  const { clock, documents, journal, tokens, tokenUse, intake, tariffs, signatures } = needs
  /** Transactions of which all that was committed was also told. */
  const told = new WeakSet<Transaction>()

  async function handle(station: Station, e: TransactionEventRequest): Promise<TransactionEventResponse> {
    const t = await transactionOf(station, e.transactionInfo.transactionId, stampMs(e.timestamp), documents)
    const facts = (): string => `${t.ended} ${t.chargingState} ${t.evseId} ${t.startSeq} ${t.evseId === undefined ? '' : station.offered.get(t.evseId)?.W}`
    const before = facts()
    const taken = take(t, e)
    t.heardAt = clock.nowMs()
    remoteStart(station, t, e)
    skew(station, e)
    const samples = samplesOf(e.meterValue)
    countEnergy(t, samples)
    const answer = await answerTo(station, t, e)
    if (taken === 'repeated') {
      // It was committed; whether the rest heard of it before we went down, nobody knows.
      if (!told.has(t)) await tell(station, t)
      return answer
    }
    let orphans: readonly Transaction[] = []
    const place = String(t.reservationId), reservation = t.reservationId === undefined ? undefined : station.record.reservations[place]
    // OCPP-139: whichever event names it, the reservation is used.
    if (reservation) delete station.record.reservations[place]
    offeredBy(station, t, e, samples)
    // OCPP-174: it is stored as it came, whatever the verdict.
    if (verifySigned(e.meterValue, signatures, station.meterKeys).broken > 0) flagged(t, 'badMeterSignature')
    try {
      const note = { tenant: station.tenant, kind: 'csms/TransactionEvent', from: `${station.identity}/${t.id}`, at: clock.now(), body: { receivedAt: clock.nowMs(), payload: e } satisfies KeptEvent }
      orphans = e.eventType === 'Started' && t.evseId !== undefined ? orphanOthers(station, t) : []
      const registers = taken === 'new' ? await metered(station, t, e) : []
      await journal.keep(note, [transactionDocument(station, t), ...orphans.map((o) => transactionDocument(station, o)), ...(reservation ? [station.document()] : []), ...registers])
    } catch (error) {
      // Nothing is acknowledged, so nothing is known: the next delivery finds the stored state.
      station.transactions.delete(t.id)
      for (const o of orphans) o.orphaned = false
      if (reservation) station.record.reservations[place] = reservation
      if (t.evseId !== undefined) intake.forget(station, t.evseId)
      throw error
    }
    if (facts() !== before || !told.has(t)) await tell(station, t)
    for (const o of orphans) needs.orphaned(station, o)
    forgetOld(station)
    return answer
  }

  async function tell(station: Station, t: Transaction): Promise<void> {
    told.delete(t)
    await needs.changed(station, t)
    told.add(t)
  }

  /** OCPP-138: a start that nobody asked for is a transaction all the same. */
  function remoteStart(station: Station, t: Transaction, { transactionInfo: { remoteStartId } }: TransactionEventRequest): void {
    if (remoteStartId === undefined) return
    const asked = station.remoteStarts.get(remoteStartId)
    if (asked) asked.state = 'started'
    else if (remoteStartId > station.record.counters.remoteStart) flagged(t, 'unknownRemoteStart')
  }

  /** OCPP-199: with ChargingRateChanged the station says what it lets the car have; that is its own view of the limit. */
  function offeredBy(station: Station, t: Transaction, e: TransactionEventRequest, samples: readonly Sample[]): void {
    if (e.triggerReason !== 'ChargingRateChanged' || t.evseId === undefined) return
    const power = totals(samples, 'Power.Offered').at(-1), current = samples.findLast((s) => s.measurand === 'Current.Offered')
    const W = power?.value ?? (current && wattsOf(current.value, electricalOf(station, t.evseId)))
    const at = stampMs(e.timestamp)
    if (W !== undefined && at >= (station.offered.get(t.evseId)?.at ?? 0)) station.offered.set(t.evseId, { at, W: Math.round(W) })
  }

  /** OCPP-164: settlement needs to know; both times are kept with the event. */
  function skew(station: Station, e: TransactionEventRequest): void {
    if (e.offline || station.skewed || Math.abs(stampMs(e.timestamp) - clock.nowMs()) <= 60_000) return
    station.skewed = true
    station.flag(isoMs(clock.nowMs()), 'clock skew of more than 60 s')
  }

  async function metered(station: Station, t: Transaction, e: TransactionEventRequest): Promise<NewDocument[]> {
    if (t.evseId === undefined) {
      t.unplaced = [...t.unplaced, ...e.meterValue ?? []].slice(-200)
      return []
    }
    const samples = samplesOf([...t.unplaced, ...e.meterValue ?? []])
    t.unplaced = []
    t.phases = phasesWithCurrent(samples) ?? t.phases
    if (samples.length === 0 && !t.ended) return []
    const closed = t.ended && !station.running(t.evseId)
    return intake.take(station, t.evseId, samples, closed, `${t.id}/${e.seqNo}`)
  }

  /** OCPP-134, 140: what an idToken in the event is told; nothing else unless it means something. */
  async function answerTo(station: Station, t: Transaction, e: TransactionEventRequest): Promise<TransactionEventResponse> {
    const money = await tariffs.answer(station, t, clock.nowMs())
    if (!e.idToken) return money
    const { idToken } = e
    // OCPP-115: one transaction at a time has it. Who ends a transaction with a card begins none, and one that is over needs none.
    const begins = !t.ended && e.triggerReason !== 'StopAuthorized'
    const info = await tokens.info(station.tenant, station.identity, idToken, e.evse?.id ?? t.evseId, station.evses(),
      async () => begins && !await tokenUse.claim(station.tenant, idToken, station.identity, t.id))
    t.groupId ??= info.groupIdToken?.idToken
    const { evseId: _, ...rest } = info
    if (info.status !== 'Accepted' && !t.ended) t.deauthorised = true
    const limit = station.session.version === '2.1' && !t.ended ? (await tokens.find(station.tenant, idToken))?.transactionLimit : undefined
    return { ...money, idTokenInfo: rest, ...(limit ? { transactionLimit: limit } : {}) }
  }

  return handle
}

export const transactionEvent = ({ takeEvent }: { takeEvent: TakeEvent }): Handler[] => [handler<TransactionEventRequest>('TransactionEvent', takeEvent, in2x)]
