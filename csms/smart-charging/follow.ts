import type { Clock } from '#core/port/clock.js'
import type { Happening } from '#core/dispatch/delivery.js'
import type { Station } from '#csms/station.js'
import { stampMs } from '#csms/time.js'
import type { Draft } from './drafting.js'
import type { HandOver } from './hand-over.js'
import { live, type Basis, type LedgerEntry } from './ledger.js'

export type Tell = (station: Station, delivery: string, state: Happening['state'], reason?: string, remoteRef?: string) => Promise<void>

/** What time brings to an installed event: its beginning and end, which OCPP has no word for, and the next part of a long one. */
export interface Follow {
  event(station: Station, entry: LedgerEntry): void
  /** CORE-100, OCPP-246: the next part restates the profile from the period that is running on. */
  nextPart(station: Station, entry: LedgerEntry): void
}

/** OCPP-201: installed events are compared with the station this long before they begin. */
const compareAhead_ms = 300_000

export function follow({ clock, give, tell, aside, draftOf, soon }: {
  clock: Clock; give: HandOver; tell: Tell
  aside(work: Promise<unknown>, what: string, station: Station): void
  draftOf(station: Station, basis: Basis, id: number): Draft
  /** An event begins in five minutes. */
  soon(station: Station): void
}): Follow {
  const at = (seconds: number, ahead_ms: number, task: () => void): void => { clock.after(Math.max(0, seconds * 1000 - ahead_ms - clock.nowMs()), task) }

  return {
    event(station, entry) {
      const { delivery } = entry, schedule = entry.profile.chargingSchedule[0]
      if (delivery === undefined || schedule?.startSchedule === undefined) return
      const start = entry.basis?.order.start ?? Math.floor(stampMs(schedule.startSchedule) / 1000), end = entry.basis?.order.end ?? start + (schedule.duration ?? 0)
      const installed = (): LedgerEntry[] => [...station.ledger.values()].filter((e) => e.delivery === delivery && e.state === 'installed')
      if (start * 1000 - clock.nowMs() > compareAhead_ms) at(start, compareAhead_ms, () => { if (installed().length > 0) soon(station) })
      at(start, 0, () => { if (installed().length > 0) aside(tell(station, delivery, 'started'), 'started', station) })
      at(end, 0, () => {
        const over = installed()
        if (over.length === 0) return
        for (const e of over) e.state = 'gone'
        // Told first: after a crash between the two it is told again.
        aside(tell(station, delivery, 'completed').then(() => give.save(station, ...over)), 'completed', station)
      })
    },
    nextPart(station, entry) {
      const { basis, again } = entry
      if (!basis || again === undefined) return
      at(again, 0, () => {
        if (station.ledger.get(entry.id) !== entry || entry.again !== again || entry.basis !== basis || entry.state !== 'installed') return
        // Part by period, not by clock: after an outage of ours the period that runs now begins in the past.
        const rest = basis.ceilings.filter((c) => c.end > again).map((c) => ({ ...c, start: Math.max(c.start, again) }))
        if (rest.length === 0) return
        const next = draftOf(station, { ...basis, ceilings: rest }, entry.id)
        entry.profile = next.profile
        entry.deadline = basis.order.end * 1000
        if (next.again !== undefined && next.again > again) entry.again = next.again
        else delete entry.again
        this.nextPart(station, entry)
        aside(give.set(station, entry), 'next part', station)
      })
    },
  }
}

/** Over, and nothing of it is left to say. */
export const isOver = (entry: LedgerEntry, nowMs: number): boolean =>
  live(entry) && (entry.profile.validTo === undefined ? Infinity : stampMs(entry.profile.validTo)) <= nowMs && (entry.basis?.order.end ?? 0) * 1000 <= nowMs

export interface Owed {
  readonly delivery: string
  readonly state: Happening['state']
  readonly reason?: string
  readonly remoteRef?: string
}

/** What the ledger says of each delivery that is not over or has just ended: the last word about it, told again after a restart of ours. Pure. */
export function owed({ ledger }: Pick<Station, 'ledger'>, nowMs: number): Owed[] {
  const out = new Map<string, Owed>()
  for (const e of ledger.values()) {
    const { delivery, state } = e
    if (delivery === undefined) continue
    if (state === 'installed') out.set(delivery, isOver(e, nowMs) ? { delivery, state: 'completed' } : { delivery, state: 'accepted', remoteRef: String(e.id) })
    // Rungs that were refused say nothing while another holds or is tried.
    else if (state === 'rejected' && (e.basis?.order.end ?? 0) * 1000 > nowMs && ![...ledger.values()].some((o) => o.delivery === delivery && live(o))) {
      out.set(delivery, { delivery, state: 'rejected', ...(e.reason === undefined ? {} : { reason: e.reason }) })
    }
  }
  return [...out.values()]
}
