import type { DispatchState } from '#core/dispatch/dispatch.js'
import type { StateTable } from '#core/state-table.js'

/** What can happen to a dispatch as a whole. */
export type DispatchHappening = 'publish' | 'hold' | 'release' | 'notify' | 'start' | 'end' | 'verify' | 'settle' | 'cancel' | 'reject'

/** core-dr.md §6. Time moves `start` and `end`, the operator the rest; completed and later can no longer be cancelled. */
export const dispatchStates: StateTable<DispatchState, DispatchHappening> = {
  // ours: the publishing checks decide
  draft: { publish: 'scheduled', hold: 'pendingRelease', reject: 'rejected' },
  // another operator's (CORE-203); expires unreleased
  pendingRelease: { release: 'scheduled', cancel: 'cancelled', reject: 'rejected' },
  // ours: the outbox tells the channels
  scheduled: { notify: 'notified', start: 'active', cancel: 'cancelled' },
  // the clock's
  notified: { start: 'active', cancel: 'cancelled' },
  active: { end: 'completed', cancel: 'cancelled' },
  // ours: verification after the readings are in
  completed: { verify: 'verified' },
  // settlement's; late readings may verify again
  verified: { verify: 'verified', settle: 'settled' },
  settled: { settle: 'settled' },
  cancelled: {},
  rejected: {},
}

/** States in which devices may still act on an order. */
export const live: ReadonlySet<DispatchState> = new Set(['scheduled', 'notified', 'active'])
