import type { Entity } from '#core/port/store/entity.js'

export type EnrolmentState = 'applied' | 'eligible' | 'verified' | 'active' | 'suspended' | 'withdrawn' | 'rejected' | 'expired'

/** A service point's contract with one program (core-dr.md §2, §4). */
export interface Enrolment extends Entity {
  readonly program: string
  readonly programVersion: number
  readonly servicePoint: string
  readonly state: EnrolmentState
  /** Customer's share, decimal 0..1 as text; null = the program's. */
  readonly share: string | null
  readonly nominated_W: number | null
  readonly consent: { readonly purpose: string; readonly grantedAt: string; readonly withdrawnAt?: string } | null
  readonly history: readonly { readonly from: EnrolmentState | null; readonly to: EnrolmentState; readonly at: string; readonly by: string; readonly reason?: string }[]
}
