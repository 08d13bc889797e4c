import type { EnrolmentState } from '#core/program/enrolment.js'
import type { StateTable } from '#core/state-table.js'

/**
 * CORE-020, each target state as its own happening: screen = eligible or rejected, verify = verified, activate and resume = active,
 * suspend, withdraw (from any but rejected; final), expire (from any before active, by time).
 */
export const enrolmentStates: StateTable<EnrolmentState, EnrolmentState> = {
  applied: { eligible: 'eligible', rejected: 'rejected', withdrawn: 'withdrawn', expired: 'expired' },
  eligible: { verified: 'verified', rejected: 'rejected', withdrawn: 'withdrawn', expired: 'expired' },
  verified: { active: 'active', withdrawn: 'withdrawn', expired: 'expired' },
  active: { suspended: 'suspended', withdrawn: 'withdrawn' },
  suspended: { active: 'active', withdrawn: 'withdrawn' },
  // Interpretation: "withdraw from any but rejected" covers an expired application too; withdrawn itself is final
  expired: { withdrawn: 'withdrawn' },
  withdrawn: {},
  rejected: {},
}
