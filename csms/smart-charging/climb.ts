import type { Clock } from '#core/port/clock.js'
import type { DeliveryOrder, SendOutcome } from '#core/port/dispatch-channel.js'
import type { CsmsConfig } from '#csms/config.js'
import { quirksOf } from '#csms/quirk.js'
import type { Station } from '#csms/station.js'
import { capabilityOf, profileFloor } from './capability.js'
import { ladderFacts, type Draft } from './drafting.js'
import type { Follow, Tell } from './follow.js'
import type { HandOver } from './hand-over.js'
import type { Aside } from './installer.js'
import { nextRung, rungKey, type LadderFacts, type Rung } from './ladder.js'
import { staggered } from './lease.js'
import { freeId, live, type Basis, type LedgerEntry } from './ledger.js'
import type { Ceiling } from './profile.js'
import { placeFor, stackLevel } from './purpose.js'

interface Ascent {
  readonly order: DeliveryOrder
  readonly ceilings: readonly Ceiling[]
  readonly facts: LadderFacts
  /** Rungs that were tried, and what was said on them: two rungs may come to the same words. */
  readonly tried: Set<string>
  readonly said: Set<string>
}

const words = (entries: readonly LedgerEntry[]): string => JSON.stringify(entries.map(({ evseId, profile: { id: _, chargingSchedule, ...rest } }) =>
  [evseId, rest, chargingSchedule.map(({ id: __, ...schedule }) => schedule)]))

/**
 * An earlier revision's part for the same resource and time: the new order takes its place and its id (OCPP-235), so that the core's taking back of the
 * old one finds nothing. Interpretation: parts of one order at other times (CORE-053) stand beside it.
 */
const restatedBy = (e: LedgerEntry, o: DeliveryOrder): boolean => e.dispatch === o.dispatch && e.resource === o.resource.id && (e.revision ?? 0) < o.revision
  && e.basis !== undefined && e.basis.order.start < o.end && e.basis.order.end > o.start

/** An order as profiles of a station: the first way that fits, and after a rejection the next one (OCPP-227, 228). */
export function climber({ clock, config, give, tell, aside, follow, draftOf, restack, accepted }: {
  clock: Clock; config: CsmsConfig; give: HandOver; tell: Tell; aside: Aside; follow: Follow
  draftOf(station: Station, basis: Basis, id: number): Draft
  restack(station: Station, changed: LedgerEntry): Promise<boolean>
  accepted(station: Station, entry: LedgerEntry): void
}): (station: Station, order: DeliveryOrder) => Promise<SendOutcome> {
  /** What worked for a model and firmware is tried first the next time. */
  const remembered = new Map<string, Pick<Rung, 'unit' | 'stackLevel'>>()
  const modelOf = ({ record: { boot } }: Station): string => `${boot?.vendorName}/${boot?.model}/${boot?.firmwareVersion}`

  /** Where and how an order is tried first. */
  function firstRung(station: Station, { binding, emergency }: DeliveryOrder, facts: LadderFacts): Rung {
    const evseId = binding.evseId ?? 0
    const capability = capabilityOf(station, config.assumedStackLevel), running = station.running(evseId), quirks = quirksOf(station)
    const hasTxProfile = running !== undefined && [...station.ledger.values()].some((e) => live(e) && e.profile.transactionId === running.id)
    const wanted = placeFor({ evseId, running: running && { transactionId: running.id, hasTxProfile } })
    const place = wanted.purpose === 'ChargingStationMaxProfile' && quirks.noMaxProfile ? { purpose: 'TxDefaultProfile' as const, evseId: 0 } : wanted
    const style = remembered.get(modelOf(station)), knows = (unit: 'W' | 'A'): boolean => facts.units.length === 0 || facts.units.includes(unit)
    return {
      // The default beside a TxProfile limits the next car of that EVSE.
      places: place.purpose === 'TxProfile' ? [place, { purpose: 'TxDefaultProfile', evseId }] : [place],
      unit: style && knows(style.unit) ? style.unit : knows('W') ? 'W' : 'A', stackLevel: emergency ? stackLevel('emergency', capability.stackLevel) : style?.stackLevel ?? stackLevel('event', capability.stackLevel), periods: capability.periods,
    }
  }

  /** Writes the profiles of a rung into the ledger as wanted; ids of an earlier revision or rung are used again. */
  async function enter(station: Station, { order: o, ceilings }: Ascent, rung: Rung, before: readonly LedgerEntry[]): Promise<LedgerEntry[]> {
    const spare = [...before]
    const entries = rung.places.map((place) => {
      const at = spare.findIndex((e) => e.evseId === place.evseId && e.profile.chargingProfilePurpose === place.purpose)
      const { id, sentAt, acceptedAt } = at >= 0 ? spare.splice(at, 1)[0] as LedgerEntry : { id: freeId(station.ledger, profileFloor(station)), sentAt: undefined, acceptedAt: undefined }
      const basis: Basis = {
        order: { id: o.id, start: o.start, end: o.end, expiry: o.expiry, ...(o.program.minRate ? { minRate: true } : {}), ...(o.emergency ? { emergency: true } : {}) },
        place, rung: { unit: rung.unit, stackLevel: rung.stackLevel, periods: rung.periods }, ceilings,
      }
      const { profile, again } = draftOf(station, basis, id)
      const entry: LedgerEntry = {
        id, evseId: place.evseId, profile, state: 'wanted', delivery: o.id, revision: o.revision, dispatch: o.dispatch, resource: o.resource.id, basis,
        deadline: 1000 * Math.max(o.start + 0.25 * (o.end - o.start), clock.now() + 60), changedAt: clock.nowMs(),
        ...(again === undefined ? {} : { again }), ...(sentAt === undefined ? {} : { sentAt }), ...(acceptedAt === undefined ? {} : { acceptedAt }),
      }
      station.ledger.set(id, entry)
      follow.nextPart(station, entry)
      return entry
    })
    for (const old of spare) if (live(old)) aside(give.clear(station, old), 'clear', station)
    await give.save(station, ...entries)
    return entries
  }

  /** Sends a rung; after a rejection the next one, until one holds or none is left. */
  async function climb(station: Station, ascent: Ascent, rung: Rung, entries: LedgerEntry[]): Promise<void> {
    const { order: o, facts, tried, said } = ascent, text = words(entries), heard = said.has(text)
    tried.add(rungKey(rung))
    said.add(text)
    if (heard) for (const e of entries) e.state = 'rejected'
    const verdicts = heard ? [] : await Promise.all(entries.map((e) => give.set(station, e)))
    if (verdicts.some((v) => v.kind === 'withdrawn')) return
    const bad = heard ? { kind: 'rejected' as const, reason: '', final: false } : verdicts.find((v) => v.kind !== 'accepted')
    if (!bad) return taken(station, ascent, rung, entries)
    if (bad.kind === 'noComms') return tell(station, o.id, 'noComms', bad.reason)
    if (bad.kind !== 'rejected') return
    const reason = bad.reason || entries.find((e) => e.reason)?.reason || 'Rejected'
    const next = bad.final ? undefined : nextRung(rung, bad.reason, facts, tried)
    if (next) {
      const renewed = await enter(station, ascent, next, entries)
      for (const e of renewed) e.reason = reason
      return climb(station, ascent, next, renewed)
    }
    for (const e of entries) if (live(e)) aside(give.clear(station, e), 'clear', station)
    await tell(station, o.id, 'rejected', reason)
  }

  async function taken(station: Station, { order: o }: Ascent, rung: Rung, entries: readonly LedgerEntry[]): Promise<void> {
    for (const e of entries) delete e.reason
    for (const e of entries) {
      if (!await restack(station, e)) return tell(station, o.id, 'rejected', 'a profile above it cannot be lowered')
    }
    if (!o.emergency) remembered.set(modelOf(station), { unit: rung.unit, stackLevel: rung.stackLevel })
    const [first] = entries as [LedgerEntry]
    await tell(station, o.id, 'accepted', undefined, String(first.id))
    follow.event(station, first)
    for (const e of entries) accepted(station, e)
  }

  return async (station, o) => {
    const ours = [...station.ledger.values()].filter((e) => live(e) && e.state !== 'clearing'), first = ours.find((e) => e.delivery === o.id)
    // Idempotent on (order, revision) (REL-002).
    if (first && first.revision === o.revision) return { id: o.id, outcome: 'sent', remoteRef: String(first.id) }
    const given: Ceiling[] = []
    for (const i of o.intervals) {
      const W = i.limitImport_W ?? i.setpoint_W
      // CORE-090: a ceiling cannot say "less than before" without knowing what before is.
      if (W === null) return { id: o.id, outcome: 'refused', reason: 'no forecast to make a ceiling of' }
      given.push({ start: i.start, end: i.end, W: Math.max(0, W) })
    }
    const ceilings = staggered(o, station.identity, given)
    if (ceilings.length === 0 || o.end <= clock.now()) return { id: o.id, outcome: 'refused', reason: 'the order is over' }
    const ascent: Ascent = { order: o, ceilings, facts: ladderFacts(station, config, ceilings), tried: new Set(), said: new Set() }
    const rung = firstRung(station, o, ascent.facts)
    const entries = await enter(station, ascent, rung, ours.filter((e) => e.delivery === o.id || restatedBy(e, o)))
    aside(climb(station, ascent, rung, entries), 'order', station)
    return { id: o.id, outcome: 'sent', remoteRef: String((entries[0] as LedgerEntry).id) }
  }
}
