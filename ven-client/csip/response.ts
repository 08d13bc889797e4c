import type { EventValue, Line } from '#ven-client/csip/event-line.js'

/** Statuses of a Response that a device says of an event (SEP-181). */
export const status = {
  received: 1, started: 2, completed: 3, optedOut: 4, optedIn: 5, cancelled: 6, superseded: 7, notParticipated: 10, acknowledged: 11, cannotShow: 12, invalid: 253, late: 254,
} as const

export type Said = ReadonlySet<number>

/** What the customer or the device has decided about an event. */
export type Decision = 'follow' | 'optOut' | 'reject'

/** responseRequired: bit 0 asks for 'received', bit 1 for what becomes of it, bit 2 for the customer's word (SEP-080). */
const asks = (line: Line<EventValue>, bit: 1 | 2 | 4): boolean =>
  line.control.replyTo !== undefined && (Number.parseInt(line.control.responseRequired ?? '00', 16) & bit) !== 0

/**
 * The statuses that are due now and were not said yet, in their order. Pure: the same event, moment and memory give the same answer,
 * so a lost answer is simply due again.
 */
export function dueStatuses(line: Line<EventValue>, said: Said, decision: Decision, now_ms: number): number[] {
  const due: number[] = []
  const say = (bit: 1 | 2 | 4, ...codes: number[]): void => { for (const code of codes) if (asks(line, bit) && !said.has(code)) due.push(code) }
  const over = [status.completed, status.optedOut, status.cancelled, status.superseded, status.invalid, status.late].some((c) => said.has(c))
  if (said.size === 0 && now_ms >= line.end && line.cancelledAt === undefined) {
    say(2, status.late)                                          // first seen after its end
    return due
  }
  say(1, status.received)
  if (over) return due
  if (decision === 'reject') { say(2, status.invalid); return due }
  if (decision === 'optOut') {
    if (asks(line, 2) || asks(line, 4)) due.push(status.optedOut)
    return due
  }
  if (line.cancelledAt !== undefined && now_ms >= line.cancelledAt) { say(2, status.cancelled); return due }
  if (line.supersededAt !== undefined && now_ms >= line.supersededAt) { say(2, status.superseded); return due }
  if (now_ms >= line.start) say(2, status.started)
  if (now_ms >= line.end) say(2, status.completed)
  return due
}
