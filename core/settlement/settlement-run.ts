import type { Entity } from '#core/port/store/entity.js'
import type { Instant } from '#core/quantity/interval.js'
import type { Money } from '#core/quantity/money.js'

export type SettlementState = 'draft' | 'calculated' | 'approved' | 'issued' | 'superseded'

/** One immutable calculation for a program and period (CORE-186). `input` is frozen and hashed; `result` likewise. */
export interface SettlementRun extends Entity {
  readonly program: string
  readonly programVersion: number
  readonly from: Instant
  readonly to: Instant
  readonly runNumber: number
  readonly supersedes: string | null
  readonly state: SettlementState
  readonly calculatedBy: string
  readonly approvedBy: string | null
  readonly currency: string
  readonly revenue: Money
  readonly customerPool: Money
  readonly aggregator: Money
  readonly input: unknown
  readonly inputHash: string
  readonly result: unknown
  readonly resultHash: string
}

/** What one party gets, with lines that carry their formula and inputs (CORE-180, CORE-191). */
export interface Statement extends Entity {
  readonly run: string
  readonly servicePoint: string
  readonly delivered_Wh: number
  readonly amount: Money
  readonly delta: Money
  readonly currency: string
  readonly body: unknown
}
