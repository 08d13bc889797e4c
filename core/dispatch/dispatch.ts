import type { Entity } from '#core/port/store/entity.js'
import type { AllocationMode } from '#core/program/program.js'
import type { Protocol } from '#core/program/resource.js'
import type { Instant } from '#core/quantity/interval.js'
import type { W } from '#core/quantity/power.js'

/** core-dr.md §6; `pendingRelease` is an order above the two-person threshold that nobody else has released yet (CORE-203). */
export type DispatchState =
  | 'draft' | 'pendingRelease' | 'scheduled' | 'notified' | 'active' | 'completed' | 'verified' | 'settled' | 'cancelled' | 'rejected'

/** What one resource is asked to change, in load: negative = less import. */
export interface Allotment {
  readonly resource: string
  readonly protocol: Protocol
  readonly delta_W: W
}

/** One order of the operator: an event of core-dr.md §6. `delta_W` is in load: a reduction is negative. */
export interface Dispatch extends Entity {
  readonly program: string
  readonly programVersion: number
  readonly delta_W: W
  readonly start: Instant
  readonly end: Instant
  readonly scope: { readonly aggregation?: string; readonly resources?: readonly string[] } | null
  readonly mode: AllocationMode
  readonly priority: number
  readonly state: DispatchState
  readonly revision: number
  readonly reason: string | null
  readonly test: boolean
  readonly emergency: readonly string[]
  readonly createdBy: string
  readonly releasedBy: string | null
  readonly allocation: readonly Allotment[]
  readonly allocated_W: W
  readonly shortfall_W: W
  readonly bindingConstraints: readonly string[]
  readonly warnings: readonly string[]
}
