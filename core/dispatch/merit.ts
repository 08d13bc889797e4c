import { CapRoom, type Caps } from '#core/dispatch/caps.js'
import { checkOrder, meritOrder, preferred, type Allocation, type BindingConstraint, type Candidate } from '#core/dispatch/candidate.js'
import type { W } from '#core/quantity/power.js'

export interface MeritInput {
  readonly target_W: W
  readonly caps_W?: Caps | undefined
  readonly candidates: readonly Candidate[]
  /** What a minimum block may deliver beyond the order; none by default. */
  readonly maxOverDelivery_W?: W | undefined
}

/** CORE-062: cheapest first. For continuous blocks and nested caps this greedy is cost-optimal (a matroid; tested against the LP). */
export function allocateMerit(input: MeritInput): Allocation {
  const { target_W, caps_W = {}, candidates } = input
  checkOrder(target_W, caps_W, candidates)
  return fillInOrder('merit', preferred([...candidates].sort(meritOrder)), input)
}

/**
 * Walks candidates in the given order and gives each `min(available, rest, tightest remaining cap on its path)`; below its
 * minimum block the block itself, if availability, caps and over-delivery allow, else nothing.
 */
export function fillInOrder(mode: Allocation['mode'], ordered: readonly Candidate[], input: MeritInput): Allocation {
  const { target_W, caps_W = {}, maxOverDelivery_W = 0 } = input
  const caps = new CapRoom(caps_W), allocation = new Map<string, W>()
  const skipped: Allocation['skipped'][number][] = [], limiting = new Set<string>(), blocks: BindingConstraint[] = []
  let rest = target_W, available = 0
  for (const c of ordered) {
    available += c.avail_W
    if (rest <= 0) continue
    const { room, node } = caps.room(c.path ?? [])
    const want = Math.min(c.avail_W, rest), min = c.min_W ?? 0
    let give = Math.min(want, room)
    if (room < want && node !== undefined) limiting.add(node)
    if (give < min) give = min <= c.avail_W && min <= room && min - rest <= maxOverDelivery_W ? min : 0
    if (give <= 0) {
      const reason = c.avail_W === 0 ? 'NO_AVAILABILITY' : room <= 0 ? 'CAP' : 'MIN_BLOCK'
      skipped.push({ id: c.id, reason })
      if (reason === 'MIN_BLOCK') blocks.push({ kind: 'minBlock', id: c.id, min_W: min })
      continue
    }
    allocation.set(c.id, give)
    caps.take(c.path ?? [], give)
    rest -= give
  }
  const bindingConstraints: BindingConstraint[] = [...limiting].sort().map((node) => ({ kind: 'cap', node, limit_W: caps_W[node]! }))
  if (rest > 0) bindingConstraints.push(...blocks)
  // Whatever was not held back by a cap or a block was simply not there (CORE-067: always named).
  if (rest > 0 && (available < target_W || bindingConstraints.length === 0)) bindingConstraints.push({ kind: 'availability', available_W: available })
  const solver = 'greedy'
  return { mode, solver, allocation, allocated_W: target_W - rest, shortfall_W: Math.max(0, rest), bindingConstraints, skipped }
}
