import type { Clock } from '#core/port/clock.js'
import type { CsmsConfig } from '#csms/config.js'
import { quirksOf } from '#csms/quirk.js'
import type { Station } from '#csms/station.js'
import { stampMs } from '#csms/time.js'
import type { ChargingProfile } from '#csms/wire/charging-profile.js'
import { capabilityOf, electricalOf, supports, switchesPhases } from './capability.js'
import { breakpoints, effectiveLimit, type Installed } from './composite.js'
import type { LadderFacts } from './ladder.js'
import { leaseOf } from './lease.js'
import { live, type Basis, type LedgerEntry } from './ledger.js'
import { draft, neverRaising } from './profile.js'
import type { Place } from './purpose.js'

export interface Draft {
  readonly profile: ChargingProfile
  /** Epoch seconds when more must be said. */
  readonly again: number | undefined
}

const ofDelivery = (station: Station, delivery: string): LedgerEntry[] => [...station.ledger.values()].filter((e) => e.delivery === delivery && live(e))
const fromMs = (p: ChargingProfile): number => stampMs(p.validFrom ?? '1970-01-01T00:00:00Z')
const toMs = (p: ChargingProfile): number => stampMs(p.validTo ?? '9999-01-01T00:00:00Z')

/** OCPP-184: the highest level from the wanted one down that no other live profile of ours holds at that time. */
function freeLevel(station: Station, place: Place, wanted: number, from: number, to: number, own: ReadonlySet<number>): number {
  for (let level = wanted; level >= Math.min(1, wanted); level -= 1) {
    const taken = [...station.ledger.values()].some((e) => live(e) && !own.has(e.id) && e.profile.stackLevel === level
      && e.profile.chargingProfilePurpose === place.purpose && e.evseId === place.evseId && fromMs(e.profile) < to * 1000 && toMs(e.profile) > from * 1000)
    if (!taken) return level
  }
  return wanted
}

/** What the ladder must know of a station. */
export function ladderFacts(station: Station, config: CsmsConfig, ceilings: readonly unknown[]): LadderFacts {
  const running = [...station.transactions.values()].filter((t) => !t.ended && !t.orphaned && t.evseId !== undefined)
    .map((t) => ({ evseId: t.evseId as number, transactionId: t.id }))
  return { running, evses: station.evses(), units: quirksOf(station).onlyAmperes ? ['A'] : capabilityOf(station, config.assumedStackLevel).units, needed: ceilings.length }
}

/** Events of ours above `changed` in the same stack at the same time: written to be no higher than what lies below, they follow it (OCPP-229). */
export function above(station: Station, changed: LedgerEntry): LedgerEntry[] {
  const { chargingProfilePurpose: purpose, stackLevel } = changed.profile
  return [...station.ledger.values()].filter((e) => (e.state === 'wanted' || e.state === 'installed') && e.basis !== undefined && e.delivery !== changed.delivery
    && e.profile.chargingProfilePurpose === purpose && e.profile.stackLevel > stackLevel && (e.evseId === changed.evseId || e.evseId === 0 || changed.evseId === 0)
    && fromMs(e.profile) < toMs(changed.profile) && toMs(e.profile) > fromMs(changed.profile))
}

/** The profile of an event for one place of a station, from the ledger as it is (OCPP-227…234). Sends nothing. */
export function drafting({ clock }: { clock: Clock }): (station: Station, basis: Basis, id: number) => Draft {
  return (station, { order, place, rung, ceilings }, id) => {
    const now = clock.now(), electrical = electricalOf(station, place.evseId), quirks = quirksOf(station)
    const lease = leaseOf(order, ceilings, now)
    const told = lease?.ceilings ?? ceilings, until = lease?.until ?? order.end
    const own = new Set([...ofDelivery(station, order.id).map((e) => e.id), id])
    const level = freeLevel(station, place, rung.stackLevel, now, until + 60, own)
    const below: Installed[] = [...station.ledger.values()].filter((e) => live(e) && e.state !== 'clearing' && !own.has(e.id) && e.profile.stackLevel < level
      && e.profile.chargingProfilePurpose === place.purpose)
    const query = { evseId: place.evseId, electrical, ...(place.purpose === 'TxProfile' ? { transactionId: place.transactionId } : {}) }
    const safe = neverRaising(told, breakpoints(below, order.start * 1000, until * 1000).map((ms) => Math.floor(ms / 1000)),
      (at) => effectiveLimit(below, at * 1000, query))
    // OCPP-233: validTo is a minute after the end, which the schedule's duration already is; an order that expires earlier ends there (CORE-200).
    const ends = order.expiry >= until ? until + 60 : order.expiry
    const { profile, continuesAt } = draft({
      id, place, stackLevel: level, unit: rung.unit, electrical, ceilings: safe, periods: rung.periods, validFrom: Math.min(now, order.start), validTo: Math.max(order.start + 1, ends),
      minRate: order.minRate ?? quirks.noPause, switchesPhases: switchesPhases(station, place.evseId),
      numberPhases: electrical.current === 'AC' && station.record.phases !== 3 ? station.record.phases : undefined,
    })
    const at = Math.min(continuesAt ?? Infinity, lease?.renewAt ?? Infinity)
    // OCPP-249: a 2.1 station that loses us for as long as the lease runs must not go on with it afterwards.
    const rolling = lease && station.session.version === '2.1' && supports(station, 'MaxOfflineDuration')
      ? { maxOfflineDuration: lease.until - lease.renewAt, invalidAfterOfflineDuration: true } : {}
    return { profile: { ...profile, ...rolling }, again: at === Infinity ? undefined : at }
  }
}
