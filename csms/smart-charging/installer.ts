import type { Happening } from '#core/dispatch/delivery.js'
import type { Clock } from '#core/port/clock.js'
import type { DeliveryOrder, SendOutcome } from '#core/port/dispatch-channel.js'
import type { DeliveryHappenings } from '#core/port/intake.js'
import type { Log } from '#core/port/log.js'
import { isRefusal } from '#core/error.js'
import type { CsmsConfig } from '#csms/config.js'
import type { Journal } from '#csms/journal.js'
import { CallFailed } from '#csms/rpc/error-code.js'
import type { Station } from '#csms/station.js'
import { stampMs } from '#csms/time.js'
import type { ChargingProfile } from '#csms/wire/charging-profile.js'
import { capabilityOf, electricalOf, supports } from './capability.js'
import { breakpoints, effectiveLimit, type Installed } from './composite.js'
import { clearChargingProfile, setChargingProfile } from './dialect.js'
import { nextRung, rungKey, type LadderFacts, type Rung } from './ladder.js'
import { leaseOf, staggered } from './lease.js'
import { firstId, freeId, lastId, ledgerDocument, live, type LedgerEntry, type Plan } from './ledger.js'
import { draft, neverRaising, type Ceiling } from './profile.js'
import { placeFor, stackLevel, type Place } from './purpose.js'

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
  /** A TxProfile is about to rule a transaction: live event limits of that EVSE are restated for it (OCPP-227). */
  restate(station: Station, evseId: number, transactionId: string): Promise<void>
}

/** A profile as the station has it. */
export interface Reported {
  readonly evseId: number
  readonly source: string
  readonly profile: ChargingProfile
}

type Verdict = { kind: 'accepted' } | { kind: 'rejected'; reason: string; final: boolean } | { kind: 'noComms'; reason: string } | { kind: 'withdrawn' }

/** A silent station is known as such within half a minute, so that its share can go to others (OCPP-239). */
const attempts = 3, patience_ms = 9000

export function installer({ clock, log, journal, happenings, config, accepted }: {
  clock: Clock; log: Log; journal: Journal; happenings: DeliveryHappenings; config: CsmsConfig
  /** Told of each accepted event profile, to verify it by composite schedule (OCPP-237). */
  accepted(station: Station, entry: LedgerEntry): void
}): Installer {
  /** What worked for a model and firmware is tried first the next time (OCPP-228). */
  const remembered = new Map<string, Pick<Rung, 'unit' | 'stackLevel'>>()
  const clearing = new WeakSet<LedgerEntry>()
  const modelOf = ({ record: { boot } }: Station): string => `${boot?.vendorName}/${boot?.model}/${boot?.firmwareVersion}`

  const save = (station: Station, ...entries: LedgerEntry[]): Promise<void> => {
    for (const entry of entries) entry.changedAt = clock.nowMs()
    return journal.write(entries.map((e) => ledgerDocument(station.tenant, station.identity, e)))
  }
  const entriesOf = (station: Station, delivery: string): LedgerEntry[] => [...station.ledger.values()].filter((e) => e.delivery === delivery && live(e))

  async function tell(station: Station, delivery: string, state: Happening['state'], reason?: string, remoteRef?: string): Promise<void> {
    await happenings.happened([{
      tenant: station.tenant, delivery, state, at: clock.nowMs(), ...(reason === undefined ? {} : { reason }), ...(remoteRef === undefined ? {} : { remoteRef }),
    }])
  }

  /** In the background: nothing waits for it, and its failure is ours to log. */
  const aside = (work: Promise<unknown>, what: string, station: Station): void => {
    work.catch((error: unknown) => log.error({ err: error, station: station.identity, what }, 'smart charging'))
  }

  function factsOf(station: Station): LadderFacts {
    const running = [...station.transactions.values()].filter((t) => !t.ended && !t.orphaned && t.evseId !== undefined)
      .map((t) => ({ evseId: t.evseId as number, transactionId: t.id }))
    return { running, evses: station.evses(), units: capabilityOf(station, config.assumedStackLevel).units }
  }

  /** OCPP-184: the highest level from the wanted one down that no other live profile of ours holds at that time. */
  function freeLevel(station: Station, place: Place, wanted: number, from: number, to: number, own: ReadonlySet<number>): number {
    for (let level = wanted; level >= Math.min(1, wanted); level -= 1) {
      const taken = [...station.ledger.values()].some((e) => live(e) && !own.has(e.id) && e.profile.stackLevel === level
        && e.profile.chargingProfilePurpose === place.purpose && e.evseId === place.evseId
        && stampMs(e.profile.validFrom ?? '1970-01-01T00:00:00Z') < to * 1000 && stampMs(e.profile.validTo ?? '9999-01-01T00:00:00Z') > from * 1000)
      if (!taken) return level
    }
    return wanted
  }

  /** The profile for one place, and the plan for what must be said later, if anything. */
  function draftFor(station: Station, order: Plan['order'], place: Place, rung: Plan['rung'], id: number, ceilings: readonly Ceiling[]): { profile: ChargingProfile; plan: Plan | undefined } {
    const now = clock.now(), electrical = electricalOf(station, place.evseId)
    const lease = leaseOf(order, ceilings, now)
    const told = lease?.ceilings ?? ceilings, until = lease?.until ?? order.end
    const own = new Set([...entriesOf(station, order.id).map((e) => e.id), id])
    const level = freeLevel(station, place, rung.stackLevel, now, until + 60, own)
    const below: Installed[] = [...station.ledger.values()].filter((e) => live(e) && !own.has(e.id) && e.profile.stackLevel < level
      && e.profile.chargingProfilePurpose === place.purpose)
    const query = { evseId: place.evseId, electrical, ...(place.purpose === 'TxProfile' ? { transactionId: place.transactionId } : {}) }
    const safe = neverRaising(told, breakpoints(below, order.start * 1000, until * 1000).map((ms) => Math.floor(ms / 1000)),
      (at) => effectiveLimit(below, at * 1000, query))
    const { profile, continuesAt } = draft({
      id, place, stackLevel: level, unit: rung.unit, electrical, ceilings: safe, periods: rung.periods,
      validFrom: Math.min(now, order.start), validTo: Math.max(order.start + 1, Math.min(until + 60, order.expiry)),
      numberPhases: electrical.current === 'AC' && station.record.phases !== 3 ? station.record.phases : undefined,
    })
    const at = Math.min(continuesAt ?? Infinity, lease?.renewAt ?? Infinity)
    // OCPP-249: a 2.1 station that loses us for as long as the lease runs must not go on with it afterwards.
    const rolling = lease && station.session.version === '2.1' && supports(station, 'MaxOfflineDuration')
      ? { maxOfflineDuration: lease.until - lease.renewAt, invalidAfterOfflineDuration: true } : {}
    return {
      profile: { ...profile, ...rolling },
      plan: at === Infinity ? undefined : { at, order: { id: order.id, start: order.start, end: order.end, expiry: order.expiry }, place, rung: { unit: rung.unit, stackLevel: rung.stackLevel, periods: rung.periods }, ceilings },
    }
  }

  async function order(station: Station, o: DeliveryOrder): Promise<SendOutcome> {
    const known = entriesOf(station, o.id).filter((e) => e.state !== 'clearing')
    // Idempotent on (order, revision) (REL-002).
    const first = known[0]
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
    const capability = capabilityOf(station, config.assumedStackLevel), facts = factsOf(station)
    const evseId = o.binding.evseId ?? 0
    const running = station.running(evseId)
    const hasTxProfile = running !== undefined && [...station.ledger.values()].some((e) => live(e) && e.profile.transactionId === running.id)
    const place = placeFor({ evseId, running: running && { transactionId: running.id, hasTxProfile } })
    const style = remembered.get(modelOf(station))
    const rung: Rung = {
      // The default beside a TxProfile limits the next car of that EVSE.
      places: place.purpose === 'TxProfile' ? [place, { purpose: 'TxDefaultProfile', evseId }] : [place],
      unit: style && (capability.units.length === 0 || capability.units.includes(style.unit)) ? style.unit : (capability.units.length === 0 || capability.units.includes('W') ? 'W' : 'A'),
      stackLevel: style?.stackLevel ?? stackLevel('event', capability.stackLevel), periods: capability.periods,
    }
    const entries = await enter(station, o, rung, ceilings, known)
    aside(climb(station, o, rung, facts, ceilings, entries), 'order', station)
    return { id: o.id, outcome: 'sent', remoteRef: String((entries[0] as LedgerEntry).id) }
  }

  /** Writes the profiles of a rung into the ledger as wanted; ids of an earlier revision or rung are used again. */
  async function enter(station: Station, o: DeliveryOrder, rung: Rung, ceilings: readonly Ceiling[], before: readonly LedgerEntry[]): Promise<LedgerEntry[]> {
    const spare = [...before]
    const entries = rung.places.map((place) => {
      const at = spare.findIndex((e) => e.evseId === place.evseId && e.profile.chargingProfilePurpose === place.purpose)
      const { id, sentAt, acceptedAt } = at >= 0 ? spare.splice(at, 1)[0] as LedgerEntry : { id: freeId(station.ledger), sentAt: undefined, acceptedAt: undefined }
      const { profile, plan } = draftFor(station, o, place, rung, id, ceilings)
      const entry: LedgerEntry = {
        id, evseId: place.evseId, profile, state: 'wanted', delivery: o.id, revision: o.revision,
        deadline: 1000 * Math.max(o.start + 0.25 * (o.end - o.start), clock.now() + 60), changedAt: clock.nowMs(),
        ...(plan ? { plan } : {}), ...(sentAt === undefined ? {} : { sentAt }), ...(acceptedAt === undefined ? {} : { acceptedAt }),
      }
      station.ledger.set(id, entry)
      later(station, entry)
      return entry
    })
    for (const old of spare) aside(clear(station, old), 'clear', station)
    await save(station, ...entries)
    return entries
  }

  /** CORE-100, OCPP-246: the next part restates the profile from the period that is running on. */
  function later(station: Station, entry: LedgerEntry): void {
    const { plan } = entry
    if (!plan) return
    clock.after(Math.max(0, plan.at * 1000 - clock.nowMs()), () => {
      if (station.ledger.get(entry.id) !== entry || entry.plan !== plan || entry.state !== 'installed') return
      // Part by period, not by clock: after an outage of ours the period that runs now begins in the past.
      const rest = plan.ceilings.filter((c) => c.end > plan.at).map((c) => ({ ...c, start: Math.max(c.start, plan.at) }))
      if (rest.length === 0) return
      const { profile, plan: next } = draftFor(station, plan.order, plan.place, plan.rung, entry.id, rest)
      entry.profile = profile
      entry.deadline = plan.order.end * 1000
      if (next && next.at > plan.at) entry.plan = next
      else delete entry.plan
      later(station, entry)
      aside(set(station, entry), 'next part', station)
    })
  }

  /** OCPP-228: sends a rung; after a rejection the next one, until one holds or none is left. */
  async function climb(station: Station, o: DeliveryOrder, rung: Rung, facts: LadderFacts, ceilings: readonly Ceiling[], entries: LedgerEntry[], tried = new Set<string>()): Promise<void> {
    tried.add(rungKey(rung))
    const verdicts = await Promise.all(entries.map((e) => set(station, e)))
    if (verdicts.some((v) => v.kind === 'withdrawn')) return
    const bad = verdicts.find((v) => v.kind !== 'accepted')
    if (!bad) {
      remembered.set(modelOf(station), { unit: rung.unit, stackLevel: rung.stackLevel })
      await tell(station, o.id, 'accepted', undefined, String((entries[0] as LedgerEntry).id))
      follow(station, o.id, o.start, o.end)
      for (const e of entries) accepted(station, e)
      return
    }
    if (bad.kind === 'noComms') return tell(station, o.id, 'noComms', bad.reason)
    if (bad.kind !== 'rejected') return
    const next = bad.final ? undefined : nextRung(rung, bad.reason, facts, tried)
    if (next) {
      const renewed = await enter(station, o, next, ceilings, entries.filter(live))
      return climb(station, o, next, facts, ceilings, renewed, tried)
    }
    for (const e of entries) if (live(e)) aside(clear(station, e), 'clear', station)
    await tell(station, o.id, 'rejected', bad.reason)
  }

  /** Something else took the entry's place, or it is being taken back. */
  const over = (station: Station, entry: LedgerEntry): boolean => station.ledger.get(entry.id) !== entry || entry.state === 'clearing' || entry.state === 'gone'

  /** Sends one profile and keeps the ledger. A silent station is asked again; an absent one gets it when it is back. */
  async function set(station: Station, entry: LedgerEntry): Promise<Verdict> {
    let late: Record<string, unknown> | undefined
    for (let attempt = 1; ; attempt += 1) {
      try {
        await calm(station, entry)
        if (over(station, entry)) return { kind: 'withdrawn' }
        entry.sentAt = clock.nowMs()
        const answer = await station.session.call('SetChargingProfile', setChargingProfile(station.session.version, entry.evseId, entry.profile), {
          priority: 'dispatch', key: `profile ${entry.id}`, offline: 'wait', timeoutMs: Math.min(config.callTimeoutMs, patience_ms), late: (answer) => { late = answer }, ...(entry.deadline === undefined ? {} : { deadline: entry.deadline }),
        })
        if (station.ledger.get(entry.id) !== entry || entry.state === 'clearing') return { kind: 'withdrawn' }
        return await settle(station, entry, answer)
      } catch (error) {
        if (station.ledger.get(entry.id) !== entry || entry.state === 'clearing' || entry.state === 'gone') return { kind: 'withdrawn' }
        // OCPP-052: what a slow station said too late still counts.
        if (late && error instanceof CallFailed && error.reason === 'timeout') return settle(station, entry, late)
        const verdict = judge(error, attempt)
        if (!verdict) continue
        if (verdict.kind !== 'withdrawn') {
          entry.state = verdict.kind === 'rejected' ? 'rejected' : 'gone'
          if ('reason' in verdict) entry.reason = verdict.reason
          await save(station, entry)
        }
        return verdict
      }
    }
  }

  /**
   * OCPP-203: an accepted profile is not restated within 30 s (2.1: `UpdateRateLimit`), as stations write it to flash. What a
   * station refused is asked in another way at once. The newest restatement is the one that goes when the time is over.
   */
  async function calm(station: Station, entry: LedgerEntry): Promise<void> {
    const told = Number(station.actual('SmartChargingCtrlr', 'UpdateRateLimit'))
    const every = station.session.version === '2.1' && told > 0 ? told : config.profileEvery_s
    const wait = entry.acceptedAt === undefined ? 0 : entry.acceptedAt + every * 1000 - clock.nowMs()
    if (wait > 0) await new Promise<void>((over) => { clock.after(wait, over) })
  }

  async function settle(station: Station, entry: LedgerEntry, answer: Record<string, unknown>): Promise<Verdict> {
    const info = answer.statusInfo as { reasonCode?: string } | undefined
    entry.state = answer.status === 'Accepted' ? 'installed' : 'rejected'
    if (entry.state === 'installed') entry.acceptedAt = clock.nowMs()
    if (entry.state === 'rejected') entry.reason = info?.reasonCode ?? String(answer.status)
    await save(station, entry)
    if (entry.state === 'installed') return { kind: 'accepted' }
    // 1.6: NotSupported is about the purpose, so the ladder goes on.
    return { kind: 'rejected', reason: entry.reason ?? 'Rejected', final: false }
  }

  /** What a failed call means; undefined: try again. */
  function judge(error: unknown, attempt: number): Verdict | undefined {
    if (isRefusal(error)) return { kind: 'rejected', reason: error.message, final: false }
    if (!(error instanceof CallFailed)) throw error
    switch (error.reason) {
      case 'closed': return undefined
      case 'timeout': return attempt < attempts ? undefined : { kind: 'noComms', reason: 'no answer' }
      case 'expired': case 'full': return { kind: 'noComms', reason: error.message }
      case 'replaced': return { kind: 'withdrawn' }
      case 'InvalidResponse': return { kind: 'rejected', reason: 'InvalidResponse', final: true }
      // OCPP-191: no smart charging at all.
      case 'station': return { kind: 'rejected', reason: error.code, final: error.code === 'NotSupported' || error.code === 'NotImplemented' }
    }
  }

  /** OCPP has no word for "it began": an installed schedule runs by itself. */
  function follow(station: Station, delivery: string, start: number, end: number): void {
    const installed = (): LedgerEntry[] => entriesOf(station, delivery).filter((e) => e.state === 'installed')
    clock.after(Math.max(0, start * 1000 - clock.nowMs()), () => {
      if (installed().length > 0) aside(tell(station, delivery, 'started'), 'started', station)
    })
    clock.after(Math.max(0, end * 1000 - clock.nowMs()), () => {
      const over = installed()
      if (over.length === 0) return
      for (const e of over) e.state = 'gone'
      aside(save(station, ...over).then(() => tell(station, delivery, 'completed')), 'completed', station)
    })
  }

  /** OCPP-194, 235: by id, first in line; Unknown = already gone. A profile never sent is only forgotten. */
  async function clear(station: Station, entry: LedgerEntry): Promise<boolean> {
    entry.state = 'clearing'
    clearing.add(entry)
    try {
      await save(station, entry)
      return await ask(station, entry)
    } finally {
      clearing.delete(entry)
    }
  }

  async function ask(station: Station, entry: LedgerEntry): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await station.session.call('ClearChargingProfile', clearChargingProfile(station.session.version, entry.id), {
          priority: 'cancel', key: `profile ${entry.id}`, offline: 'wait', deadline: stampMs(entry.profile.validTo ?? '9999-01-01T00:00:00Z'),
        })
        break
      } catch (error) {
        if (!(error instanceof CallFailed)) throw error
        if (error.reason === 'closed' && !closing(error)) continue
        if (error.reason === 'timeout' && attempt < attempts) continue
        // It ends by itself at validTo; a silent station is asked again when it comes back.
        if (error.reason !== 'expired' && error.reason !== 'station') return false
        break
      }
    }
    if (station.ledger.get(entry.id) === entry) {
      entry.state = 'gone'
      await save(station, entry)
    }
    return true
  }

  async function cancel(station: Station, o: Pick<DeliveryOrder, 'id' | 'tenant'>): Promise<SendOutcome> {
    const entries = entriesOf(station, o.id)
    if (entries.length === 0) return { id: o.id, outcome: 'acknowledged', reason: 'nothing is installed' }
    const { online } = station.session
    const takeBack = async (): Promise<void> => {
      const cleared = await Promise.all(entries.map((e) => clear(station, e)))
      if (cleared.every(Boolean)) await tell(station, o.id, 'cancelled')
    }
    aside(takeBack(), 'cancel', station)
    return { id: o.id, outcome: 'sent', remoteRef: String((entries[0] as LedgerEntry).id), ...(online ? {} : { reason: 'queued for the reconnect' }) }
  }

  async function install(station: Station, evseId: number, given: Omit<ChargingProfile, 'id'>): Promise<boolean> {
    const same = [...station.ledger.values()].find((e) => live(e) && e.delivery === undefined && e.evseId === evseId
      && e.profile.chargingProfilePurpose === given.chargingProfilePurpose && e.profile.stackLevel === given.stackLevel
      && e.profile.transactionId === given.transactionId)
    const id = same?.id ?? freeId(station.ledger)
    const entry: LedgerEntry = { id, evseId, profile: { ...given, id }, state: 'wanted', changedAt: clock.nowMs() }
    station.ledger.set(id, entry)
    await save(station, entry)
    return (await set(station, entry)).kind === 'accepted'
  }

  return {
    order, cancel, install,
    resume(station) {
      for (const entry of station.ledger.values()) {
        const end = entry.profile.validTo === undefined ? Infinity : stampMs(entry.profile.validTo)
        if (live(entry) && end <= clock.nowMs() && (entry.plan?.order.end ?? 0) * 1000 <= clock.nowMs()) {
          entry.state = 'gone'
          aside(save(station, entry), 'expired', station)
        } else if (entry.state === 'wanted') aside(resumeOne(station, entry), 'resume', station)
        else if (entry.state === 'installed' && entry.delivery) {
          followProfile(station, entry)
          later(station, entry)
        }
      }
    },
    returned(station) {
      for (const entry of station.ledger.values()) {
        if (entry.state !== 'clearing' || clearing.has(entry)) continue
        aside(clear(station, entry).then((done) => (done && entry.delivery ? tell(station, entry.delivery, 'cancelled') : undefined)), 'clear again', station)
      }
    },
    async reconcile(station, reported) {
      const there = new Map(reported.map((r) => [r.profile.id, r]))
      const now = clock.nowMs()
      for (const entry of station.ledger.values()) {
        if (entry.state !== 'installed' || there.has(entry.id) || stampMs(entry.profile.validTo ?? '9999-01-01T00:00:00Z') <= now) continue
        log.info({ station: station.identity, profile: entry.id, clause: 'OCPP-201' }, 'a profile is missing; sent again')
        entry.state = 'wanted'
        await save(station, entry)
        await set(station, entry)
      }
      // Stale ones of our range are cleared; foreign ones are kept and reported, never deleted silently.
      for (const { profile, evseId } of reported) {
        const known = station.ledger.get(profile.id)
        if (profile.id < firstId || profile.id > lastId || (known && live(known))) continue
        const stale: LedgerEntry = { id: profile.id, evseId, profile, state: 'clearing', changedAt: now }
        station.ledger.set(profile.id, stale)
        await clear(station, stale)
      }
      return reported.filter((r) => !station.ledger.has(r.profile.id))
    },
    ended(station, transactionId) {
      const gone = [...station.ledger.values()].filter((e) => live(e) && e.profile.transactionId === transactionId)
      for (const entry of gone) entry.state = 'gone'
      if (gone.length > 0) aside(save(station, ...gone), 'ended', station)
    },
    async restate(station, evseId, transactionId) {
      const events = [...station.ledger.values()].filter((e) => e.delivery !== undefined && (e.state === 'wanted' || e.state === 'installed')
        && e.evseId === evseId && e.profile.chargingProfilePurpose === 'TxDefaultProfile')
      for (const e of events) {
        const id = freeId(station.ledger)
        const twin: LedgerEntry = { ...e, id, state: 'wanted', profile: { ...e.profile, id, chargingProfilePurpose: 'TxProfile', transactionId } }
        station.ledger.set(id, twin)
        await save(station, twin)
        await set(station, twin)
      }
    },
  }

  async function resumeOne(station: Station, entry: LedgerEntry): Promise<void> {
    const verdict = await set(station, entry)
    if (!entry.delivery || verdict.kind === 'withdrawn') return
    if (verdict.kind !== 'accepted') return tell(station, entry.delivery, verdict.kind === 'noComms' ? 'noComms' : 'rejected', verdict.reason)
    await tell(station, entry.delivery, 'accepted', undefined, String(entry.id))
    followProfile(station, entry)
  }

  function followProfile(station: Station, entry: LedgerEntry): void {
    const schedule = entry.profile.chargingSchedule[0]
    if (!entry.delivery || schedule?.startSchedule === undefined) return
    const start = Math.floor(stampMs(schedule.startSchedule) / 1000)
    if (entry.plan) return follow(station, entry.delivery, entry.plan.order.start, entry.plan.order.end)
    follow(station, entry.delivery, start, start + (schedule.duration ?? 0))
  }
}

/** The server itself is closing: nothing is asked again. */
const closing = (error: CallFailed): boolean => error.message === 'the server is closing'
