import type { StateTable } from '#core/state-table.js'

export type DisputeState = 'opened' | 'underReview' | 'upheld' | 'partlyUpheld' | 'rejected' | 'closed'

/** CORE-192: opened → underReview → (upheld, partlyUpheld or rejected) → closed; each target state is its own happening. */
export const disputeStates: StateTable<DisputeState, DisputeState> = {
  // the reviewer's
  opened: { underReview: 'underReview' },
  underReview: { upheld: 'upheld', partlyUpheld: 'partlyUpheld', rejected: 'rejected' },
  // ours: a re-run or an adjustment line, then close
  upheld: { closed: 'closed' },
  partlyUpheld: { closed: 'closed' },
  rejected: { closed: 'closed' },
  closed: {},
}
