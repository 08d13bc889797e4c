import type { Entity } from '#core/port/store/entity.js'

/** A stored, immutable baseline or performance result with its trace and the hash of its inputs (core-dr.md §3). */
export interface VerificationResult extends Entity {
  readonly kind: 'baseline' | 'performance'
  readonly dispatch: string
  /** 'portfolio' or a service point id. */
  readonly subject: string
  readonly method: string
  readonly methodVersion: number
  readonly inputHash: string
  readonly status: 'OK' | 'INSUFFICIENT_DATA'
  readonly body: unknown
}
