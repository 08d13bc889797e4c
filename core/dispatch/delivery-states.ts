import type { DeliveryState } from '#core/dispatch/delivery.js'

/**
 * CORE-102, CORE-103: what a delivery may become, by whose move is next. A word that is not in the row is a repeat or comes
 * late and changes nothing, so a state never moves backwards (REL-050, REL-051).
 */
export const deliveryStates: Readonly<Record<DeliveryState, readonly DeliveryState[]>> = {
  // ours: the channel has to take it
  queued: ['sent', 'delivered', 'received', 'accepted', 'rejected', 'started', 'completed', 'optedOut', 'cancelled', 'superseded', 'partial', 'noComms'],
  // the device's: it has to fetch or answer
  sent: ['delivered', 'received', 'accepted', 'rejected', 'started', 'completed', 'optedOut', 'cancelled', 'superseded', 'partial', 'noComms'],
  delivered: ['received', 'accepted', 'rejected', 'started', 'completed', 'optedOut', 'cancelled', 'superseded', 'partial', 'noComms'],
  received: ['accepted', 'rejected', 'started', 'completed', 'optedOut', 'cancelled', 'superseded', 'partial', 'noComms'],
  accepted: ['rejected', 'started', 'completed', 'optedOut', 'cancelled', 'superseded', 'partial', 'noComms'],
  started: ['rejected', 'completed', 'optedOut', 'cancelled', 'superseded', 'partial', 'noComms'],
  // the customer's: back in until the window ends (CORE-114)
  optedOut: ['optedIn', 'cancelled'],
  optedIn: ['started', 'completed', 'optedOut', 'cancelled', 'superseded', 'partial', 'noComms'],
  // the device's: it obeys in part
  partial: ['completed', 'optedOut', 'cancelled', 'superseded', 'noComms'],
  // resumes when the winning order is over (CORE-053)
  superseded: ['started', 'completed', 'cancelled'],
  // a device that was given up may still be heard again: its words are facts
  noComms: ['delivered', 'received', 'accepted', 'rejected', 'started', 'completed', 'optedOut', 'cancelled', 'partial'],
  // nobody's: final
  rejected: [],
  completed: [],
  cancelled: [],
}

/** The state after a word, or undefined when the word changes nothing. */
export function heard(state: DeliveryState, word: DeliveryState): DeliveryState | undefined {
  return deliveryStates[state].includes(word) ? word : undefined
}

/** States in which the device's watts cannot be counted on; entering one gives them back to CORE-070. */
export const lost: ReadonlySet<DeliveryState> = new Set(['optedOut', 'rejected', 'noComms', 'cancelled', 'superseded'])

/** States in which the device has a part that is still to be played or stopped. */
export const open: ReadonlySet<DeliveryState> = new Set(['queued', 'sent', 'delivered', 'received', 'accepted', 'started', 'optedIn', 'partial', 'noComms', 'superseded'])

/** What a delivery becomes when its window ends without a last word: schedules return alone (CORE-201), the unheard are noComms. */
export function atEnd(state: DeliveryState): DeliveryState | undefined {
  if (state === 'queued' || state === 'sent') return 'noComms'
  return state === 'delivered' || state === 'received' || state === 'accepted' || state === 'started' || state === 'optedIn' ? 'completed' : undefined
}
