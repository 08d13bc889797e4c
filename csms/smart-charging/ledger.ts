import type { NewDocument } from '#core/port/store/document.js'
import { stampMs } from '#csms/time.js'
import type { ChargingProfile, RateUnit } from '#csms/wire/charging-profile.js'
import type { Ceiling } from './profile.js'
import type { Place } from './purpose.js'

/** OCPP-200: our profile ids, from one reserved range. */
export const firstId = 1_000_000, lastId = 1_999_999

/** `wanted`: to be sent or being sent; `installed`: the station accepted it; `clearing`: to be taken back; `gone`, `rejected`: over. */
export type LedgerState = 'wanted' | 'installed' | 'clearing' | 'gone' | 'rejected'

/** The rest of an order at one place, and when (epoch seconds) it must be restated; kept so that a restart of ours loses none. */
export interface Plan {
  readonly at: number
  readonly order: { readonly id: string; readonly start: number; readonly end: number; readonly expiry: number }
  readonly place: Place
  readonly rung: { readonly unit: RateUnit; readonly stackLevel: number; readonly periods: number }
  readonly ceilings: readonly Ceiling[]
}

/** One charging profile of ours at one station. Document `csms/ChargingProfile`, parent = station. */
export interface LedgerEntry {
  readonly id: number
  readonly evseId: number
  profile: ChargingProfile
  state: LedgerState
  /** The delivery it carries, if it is an event's; several profiles may carry one (OCPP-228). */
  readonly delivery?: string
  readonly revision?: number
  /** Why it is not installed, in the station's words. */
  reason?: string
  /** Epoch ms after which sending is pointless (OCPP-248). */
  deadline?: number
  sentAt?: number
  /** Epoch ms of the last Accepted (OCPP-203). */
  acceptedAt?: number
  changedAt: number
  /** What is still to be said later: the schedule is longer than the station takes, or is given as a lease (CORE-100, OCPP-246). */
  plan?: Plan
  /** The last composite schedule said something else (OCPP-202). */
  mismatch?: string
}

/** A free id of the range; ids are used in turn, so that a late answer never meets another profile. */
export function freeId(ledger: ReadonlyMap<number, LedgerEntry>): number {
  let highest = firstId - 1
  for (const id of ledger.keys()) highest = Math.max(highest, id)
  if (highest < lastId) return highest + 1
  for (let id = firstId; id <= lastId; id += 1) if (!ledger.has(id)) return id
  throw new Error('the range of charging profile ids is used up')
}

export const live = (entry: LedgerEntry): boolean => entry.state === 'wanted' || entry.state === 'installed' || entry.state === 'clearing'

/** Does an event of ours hold this EVSE back at `at` (epoch ms)? Then its meter tells what is left, not what it would draw. */
export function curtailed({ ledger }: { readonly ledger: ReadonlyMap<number, LedgerEntry> }, evseId: number, at: number): boolean {
  for (const e of ledger.values()) {
    if (e.delivery === undefined || e.state === 'wanted' || e.state === 'rejected' || (e.evseId !== 0 && e.evseId !== evseId)) continue
    const schedule = e.profile.chargingSchedule[0]
    if (schedule?.startSchedule === undefined) continue
    const start = stampMs(schedule.startSchedule)
    // A car needs a moment to take up its load again.
    if (at >= start && at < start + (schedule.duration ?? 0) * 1000 + 60_000) return true
  }
  return false
}

export const ledgerDocument = (tenant: string, station: string, entry: LedgerEntry): NewDocument => ({
  tenant, kind: 'csms/ChargingProfile', id: `${station}/${entry.id}`, parent: station, key: null, sort1: entry.changedAt, body: entry,
})
