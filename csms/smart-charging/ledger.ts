import type { NewDocument } from '#core/port/store/document.js'
import { stampMs } from '#csms/time.js'
import type { ChargingProfile, RateUnit } from '#csms/wire/charging-profile.js'
import type { Ceiling } from './profile.js'
import type { Place } from './purpose.js'

/** OCPP-200: our profile ids, from one reserved range. */
export const firstId = 1_000_000, lastId = 1_999_999

/** `wanted`: to be sent or being sent; `installed`: the station accepted it; `clearing`: to be taken back; `gone`, `rejected`: over. */
export type LedgerState = 'wanted' | 'installed' | 'clearing' | 'gone' | 'rejected'

/** What a profile of an event is drafted from, kept so that it can be drafted again: for its next part, or when a neighbour in the stack changed. */
export interface Basis {
  readonly order: { readonly id: string; readonly start: number; readonly end: number; readonly expiry: number; readonly minRate?: boolean; readonly emergency?: boolean }
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
  /** The dispatch and the resource of that delivery: a revision is another delivery, restated under the same id (OCPP-235). */
  readonly dispatch?: string
  readonly resource?: string
  /** Why it is not installed, in the station's words. */
  reason?: string
  /** Epoch ms after which sending is pointless (OCPP-248). */
  deadline?: number
  sentAt?: number
  /** Epoch ms of the last Accepted (OCPP-203). */
  acceptedAt?: number
  changedAt: number
  basis?: Basis
  /** Epoch seconds when the next part must be told: the schedule is longer than the station takes, or is given as a lease (CORE-100, OCPP-246). */
  again?: number
  /** 2.1, kind Dynamic: the values that rule now (K28). */
  dynamic?: object
  /** The last composite schedule said something else (OCPP-202). */
  mismatch?: string
}

/** A free id of the range, above `floor` (OCPP-267); ids are used in turn, so that a late answer never meets another profile. */
export function freeId(ledger: ReadonlyMap<number, LedgerEntry>, floor = 0): number {
  let highest = Math.max(firstId - 1, floor)
  for (const id of ledger.keys()) if (id <= lastId) highest = Math.max(highest, id)
  if (highest < lastId) return highest + 1
  for (let id = Math.max(firstId, floor + 1); id <= lastId; id += 1) if (!ledger.has(id)) return id
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
