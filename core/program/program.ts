import type { Entity } from '#core/port/store/entity.js'
import type { Money } from '#core/quantity/money.js'

export type Direction = 'down' | 'up' | 'both'

/** Call limits and publishing checks (CORE-050); an absent one does not limit. */
export interface ProgramLimits {
  readonly minNotice_s?: number
  readonly maxDuration_s?: number
  /** Local hours [from, to) in which an event may run. */
  readonly hours?: readonly [number, number]
  /** ISO weekdays 1 (Monday) … 7. */
  readonly weekdays?: readonly number[]
  readonly maxEventsPerDay?: number
  readonly maxEventsPerMonth?: number
  readonly maxEventsPerSeason?: number
  readonly minRest_s?: number
  readonly seasonFrom?: string
  readonly seasonTo?: string
  /** Share of P50 availability that may be ordered; default 1. */
  readonly maxShareOfAvailability?: number
  /** Above this an order waits for another user's release (CORE-203). */
  readonly twoPersonAbove_kW?: number
  /** Absolute guard on one order (CORE-203). */
  readonly maxOrder_kW?: number
  readonly maxOverDelivery_kW?: number
}

/**
 * A program: the rules under which flexibility is bought (core-dr.md §2). `programVersion` counts rule changes:
 * events and enrolments point at the version in force when they were made.
 */
export interface Program extends Entity {
  readonly name: string
  readonly programVersion: number
  readonly timeZone: string
  readonly direction: Direction
  readonly intervalMinutes: number
  readonly baseline: { readonly method: string; readonly level: 'point' | 'portfolio'; readonly parameters?: Readonly<Record<string, unknown>> }
  readonly netting: 'import' | 'net'
  readonly currency: string
  readonly energyPrice: Money | null
  readonly capacityPrice: Money | null
  readonly customerShare: string
  readonly floorLevel: 'none' | 'portfolioEvent' | 'portfolioInterval' | 'meterInterval'
  readonly paidRatioCap: string
  readonly mode: AllocationMode
  readonly limits: ProgramLimits
  readonly holidays: readonly string[]
  /** Further rules as data: eligibility (CORE-021), compatibility (CORE-023), price components (CORE-180), opt-out rules (CORE-113). */
  readonly rules: Readonly<Record<string, unknown>>
  readonly state: 'draft' | 'open' | 'closed'
}

export type AllocationMode = 'merit' | 'proportional' | 'rotation' | 'optimal'
