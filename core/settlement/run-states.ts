import type { SettlementState } from '#core/settlement/settlement-run.js'
import type { StateTable } from '#core/state-table.js'

/** CORE-186. Approval is another user's move; a superseded run stays readable (CORE-187). */
export const runStates: StateTable<SettlementState, 'calculate' | 'approve' | 'issue' | 'supersede'> = {
  draft: { calculate: 'calculated' },
  calculated: { approve: 'approved', supersede: 'superseded' },
  approved: { issue: 'issued', supersede: 'superseded' },
  issued: { supersede: 'superseded' },
  superseded: {},
}
