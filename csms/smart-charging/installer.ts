import type { Clock } from '#core/port/clock.js'
import type { DeliveryOrder, SendOutcome } from '#core/port/dispatch-channel.js'
import type { DeliveryHappenings } from '#core/port/intake.js'
import type { Log } from '#core/port/log.js'
import type { Insist } from '#csms/insist.js'
import type { CsmsConfig } from '#csms/config.js'
import type { Journal } from '#csms/journal.js'
import type { Station } from '#csms/station.js'
import { stampMs } from '#csms/time.js'
import type { ChargingProfile } from '#csms/wire/charging-profile.js'
import { profileFloor } from './capability.js'
import { climber } from './climb.js'
import { above, drafting } from './drafting.js'
import { follow as makeFollow, isOver, owed, type Tell } from './follow.js'
import { handOver } from './hand-over.js'
import { firstId, freeId, lastId, live, type LedgerEntry } from './ledger.js'

/** Puts limits into stations and takes them out again; the ledger says what is wanted and what is there (OCPP-200). */
export interface Installer {
  order(station: Station, order: DeliveryOrder): Promise<SendOutcome>
  cancel(station: Station, order: Pick<DeliveryOrder, 'id' | 'tenant'>): Promise<SendOutcome>
  /** A profile that is no event's: baseline, or the schedule that a car asked for. Resolves when the station took it or will not. */
  install(station: Station, evseId: number, profile: Omit<ChargingProfile, 'id'>): Promise<boolean>
  /** What waits in the ledger goes on, after a restart of ours (OCPP-235, 248). */
  resume(station: Station): void
  /** The station is back: what it did not take back yet is asked for again (OCPP-235). */
  returned(station: Station): void
  /** Compares what the station reports with the ledger: ours that are missing are sent again, foreign ones are returned (OCPP-201). */
  reconcile(station: Station, reported: readonly Reported[]): Promise<Reported[]>
  /** A transaction ended: its TxProfiles went with it. */
  ended(station: Station, transactionId: string): void
  /** The customer takes the car out of the events at an EVSE, for its transaction (OCPP-236); false: no event, or no transaction. */
  optOut(station: Station, evseId: number, reason: string): Promise<boolean>
  /** A TxProfile is about to rule a transaction: live event limits of that EVSE are restated for it (OCPP-227). */
  restate(station: Station, evseId: number, transactionId: string): Promise<void>
}

/** A profile as the station has it. */
export interface Reported {
  readonly evseId: number
  readonly source: string
  readonly profile: ChargingProfile
}

/** As much as an EVSE can give, for one transaction, as long as the event's profile lasts. */
function exempting({ validTo, chargingSchedule: [schedule] }: ChargingProfile, transactionId: string): Omit<ChargingProfile, 'id'> {
  const { chargingRateUnit: unit, startSchedule, duration } = schedule as ChargingProfile['chargingSchedule'][number]
  return {
    stackLevel: 0, chargingProfilePurpose: 'TxProfile', chargingProfileKind: 'Absolute', transactionId, ...(validTo === undefined ? {} : { validTo }),
    chargingSchedule: [{ id: 1, chargingRateUnit: unit, ...(startSchedule === undefined ? {} : { startSchedule }), ...(duration === undefined ? {} : { duration }), chargingSchedulePeriod: [{ startPeriod: 0, limit: unit === 'W' ? 350_000 : 500 }] }],
  }
}

/** In the background: nothing waits for it, and its failure is ours to log. */
export type Aside = (work: Promise<unknown>, what: string, station: Station) => void

export function installer({ clock, log, journal, happenings, config, insist, accepted, soon }: {
  clock: Clock; log: Log; journal: Journal; happenings: DeliveryHappenings; config: CsmsConfig; insist: Insist
  /** Told of each accepted event profile, to verify it by composite schedule (OCPP-237). */
  accepted(station: Station, entry: LedgerEntry): void
  /** Told five minutes before an installed event begins (OCPP-201). */
  soon?(station: Station): void
}): Installer {
  const aside: Aside = (work, what, station) => {
    work.catch((error: unknown) => log.error({ err: error, station: station.identity, what }, 'smart charging'))
  }
  const tell: Tell = async (station, delivery, state, reason, remoteRef) => {
    const happening = { tenant: station.tenant, delivery, state, at: clock.nowMs(), ...(reason === undefined ? {} : { reason }), ...(remoteRef === undefined ? {} : { remoteRef }) }
    return insist(`delivery ${station.tenant} ${delivery}`, () => happenings.happened([happening]), state)
  }
  const give = handOver({ clock, journal, config, insist })
  const draftOf = drafting({ clock })
  const follow = makeFollow({ clock, give, tell, aside, draftOf, soon: soon ?? (() => {}) })

  /** Events above a change in the stack are drafted anew, as each is written to be no higher than what lies below it (OCPP-229). */
  async function restack(station: Station, changed: LedgerEntry): Promise<boolean> {
    const verdicts = await Promise.all(above(station, changed).map(async (entry) => {
      const before = entry.profile, { profile, again } = draftOf(station, entry.basis as NonNullable<LedgerEntry['basis']>, entry.id)
      if (JSON.stringify(profile.chargingSchedule) === JSON.stringify(before.chargingSchedule)) return true
      entry.profile = profile
      if (again !== undefined) entry.again = again
      if ((await give.set(station, entry)).kind !== 'rejected') return true
      // What it took before still rules there.
      Object.assign(entry, { profile: before, state: 'installed' })
      await give.save(station, entry)
      return false
    }))
    return verdicts.every(Boolean)
  }

  const climb = climber({ clock, config, give, tell, aside, follow, draftOf, restack, accepted })

  async function cancel(station: Station, o: Pick<DeliveryOrder, 'id' | 'tenant'>): Promise<SendOutcome> {
    const entries = [...station.ledger.values()].filter((e) => e.delivery === o.id && live(e))
    if (entries.length === 0) return { id: o.id, outcome: 'acknowledged', reason: 'nothing is installed' }
    const { online } = station.session
    const takeBack = async (): Promise<void> => {
      const cleared = await Promise.all(entries.map((e) => give.clear(station, e)))
      if (cleared.every(Boolean)) await tell(station, o.id, 'cancelled')
      for (const e of entries) await restack(station, e)
    }
    aside(takeBack(), 'cancel', station)
    return { id: o.id, outcome: 'sent', remoteRef: String((entries[0] as LedgerEntry).id), ...(online ? {} : { reason: 'queued for the reconnect' }) }
  }

  async function install(station: Station, evseId: number, given: Omit<ChargingProfile, 'id'>): Promise<boolean> {
    const same = [...station.ledger.values()].find((e) => live(e) && e.delivery === undefined && e.evseId === evseId
      && e.profile.chargingProfilePurpose === given.chargingProfilePurpose && e.profile.stackLevel === given.stackLevel
      && e.profile.transactionId === given.transactionId)
    const id = same?.id ?? freeId(station.ledger, profileFloor(station))
    const entry: LedgerEntry = { id, evseId, profile: { ...given, id }, state: 'wanted', changedAt: clock.nowMs() }
    station.ledger.set(id, entry)
    await give.save(station, entry)
    return (await give.set(station, entry)).kind === 'accepted'
  }

  /** OCPP-236: this car goes free of the events at its EVSE. */
  async function release(station: Station, evseId: number, transactionId: string, events: readonly LedgerEntry[]): Promise<void> {
    for (const e of events.filter((e) => e.profile.chargingProfilePurpose === 'TxProfile')) await give.clear(station, e)
    // The default limits the next car too, so this one gets a profile of its own above it, which goes when it leaves.
    const bound = events.find((e) => e.profile.chargingProfilePurpose === 'TxDefaultProfile')
    if (bound) await install(station, evseId, exempting(bound.profile, transactionId))
  }

  async function resumeOne(station: Station, entry: LedgerEntry): Promise<void> {
    const verdict = await give.set(station, entry)
    if (!entry.delivery || verdict.kind === 'withdrawn') return
    if (verdict.kind !== 'accepted') return tell(station, entry.delivery, verdict.kind === 'noComms' ? 'noComms' : 'rejected', verdict.reason)
    await tell(station, entry.delivery, 'accepted', undefined, String(entry.id))
    follow.event(station, entry)
  }

  return {
    cancel, install, order: climb,
    resume(station) {
      // What was committed may not have been told any more; words that the core knows change nothing there.
      for (const { delivery, state, reason, remoteRef } of owed(station, clock.nowMs())) aside(tell(station, delivery, state, reason, remoteRef), 'told again', station)
      for (const entry of station.ledger.values()) {
        if (isOver(entry, clock.nowMs())) {
          entry.state = 'gone'
          aside(give.save(station, entry), 'expired', station)
        } else if (entry.state === 'wanted') aside(resumeOne(station, entry), 'resume', station)
        else if (entry.state === 'installed' && entry.delivery) {
          follow.event(station, entry)
          follow.nextPart(station, entry)
        }
      }
    },
    returned(station) {
      for (const entry of station.ledger.values()) {
        if (entry.state !== 'clearing' || give.isClearing(entry)) continue
        aside(give.clear(station, entry).then((done) => (done && entry.delivery ? tell(station, entry.delivery, 'cancelled') : undefined)), 'clear again', station)
      }
    },
    async reconcile(station, reported) {
      const there = new Map(reported.map((r) => [r.profile.id, r]))
      const now = clock.nowMs()
      for (const entry of station.ledger.values()) {
        if (entry.state !== 'installed' || there.has(entry.id) || stampMs(entry.profile.validTo ?? '9999-01-01T00:00:00Z') <= now) continue
        log.info({ station: station.identity, profile: entry.id, clause: 'OCPP-201' }, 'a profile is missing; sent again')
        entry.state = 'wanted'
        await give.save(station, entry).catch((error: unknown) => { entry.state = 'installed'; throw error })
        await give.set(station, entry)
      }
      // Stale ones of our range are cleared; foreign ones are kept and reported, never deleted silently.
      for (const { profile, evseId } of reported) {
        const known = station.ledger.get(profile.id)
        if (profile.id < firstId || profile.id > lastId || (known && live(known))) continue
        const stale: LedgerEntry = { id: profile.id, evseId, profile, state: 'clearing', changedAt: now }
        station.ledger.set(profile.id, stale)
        await give.clear(station, stale)
      }
      return reported.filter((r) => !station.ledger.has(r.profile.id))
    },
    ended(station, transactionId) {
      const gone = [...station.ledger.values()].filter((e) => live(e) && e.profile.transactionId === transactionId)
      for (const entry of gone) entry.state = 'gone'
      if (gone.length > 0) aside(give.save(station, ...gone), 'ended', station)
    },
    async optOut(station, evseId, reason) {
      const transaction = station.running(evseId)
      const events = [...station.ledger.values()].filter((e) => e.delivery !== undefined && (e.state === 'wanted' || e.state === 'installed') && e.evseId === evseId)
      if (!transaction || events.length === 0) return false
      // First: who asked is not answered before the core knows, and asks again.
      await happenings.happened([...new Set(events.map((e) => e.delivery as string))].map((delivery) => ({ tenant: station.tenant, delivery, state: 'optedOut', at: clock.nowMs(), reason })))
      aside(release(station, evseId, transaction.id, events), 'opt-out', station)
      return true
    },
    async restate(station, evseId, transactionId) {
      const events = [...station.ledger.values()].filter((e) => e.delivery !== undefined && (e.state === 'wanted' || e.state === 'installed')
        && e.evseId === evseId && e.profile.chargingProfilePurpose === 'TxDefaultProfile')
      for (const e of events) {
        const id = freeId(station.ledger, profileFloor(station))
        const twin: LedgerEntry = { ...e, id, state: 'wanted', profile: { ...e.profile, id, chargingProfilePurpose: 'TxProfile', transactionId } }
        if (e.basis) twin.basis = { ...e.basis, place: { purpose: 'TxProfile', evseId, transactionId } }
        station.ledger.set(id, twin)
        await give.save(station, twin)
        await give.set(station, twin)
      }
    },
  }
}
