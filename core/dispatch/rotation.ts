import { checkOrder, costOrder, preferred, type Allocation, type Candidate } from '#core/dispatch/candidate.js'
import { fillInOrder, type MeritInput } from '#core/dispatch/merit.js'
import { byteOrder } from '#core/quantity/order.js'

/** A group's turn: how often its most called member was called, and when it last was (never = longest rest). */
interface Turn {
  calls: number
  last: number
}

const never = -Infinity
const lastOf = (c: Candidate): number => c.lastDispatchAt ?? never
/** -Infinity minus itself is NaN, so rests are compared, not subtracted. */
const restOrder = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1)

/**
 * CORE-064: groups take turns by fewest calls, then longest rest; members of a group by the same rule, so over a season
 * the calls of equal resources differ by at most one.
 */
export function allocateRotation(input: MeritInput): Allocation {
  const { target_W, caps_W = {}, candidates } = input
  checkOrder(target_W, caps_W, candidates)
  const turns = new Map<string, Turn>()
  const groupOf = (c: Candidate): string => c.group ?? c.id
  for (const c of candidates) {
    const turn = turns.get(groupOf(c)) ?? { calls: 0, last: never }
    turns.set(groupOf(c), { calls: Math.max(turn.calls, c.dispatches ?? 0), last: Math.max(turn.last, lastOf(c)) })
  }
  const order = (a: Candidate, b: Candidate): number => {
    const ga = groupOf(a), gb = groupOf(b), ta = turns.get(ga)!, tb = turns.get(gb)!
    return ta.calls - tb.calls || restOrder(ta.last, tb.last) || byteOrder(ga, gb)
      || (a.dispatches ?? 0) - (b.dispatches ?? 0) || restOrder(lastOf(a), lastOf(b)) || costOrder(a.cost ?? '0', b.cost ?? '0') || byteOrder(a.id, b.id)
  }
  return fillInOrder('rotation', preferred([...candidates].sort(order)), input)
}
