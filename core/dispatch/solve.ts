import type { Allocation } from '#core/dispatch/allocate.js'
import { allocateOptimal } from '#core/dispatch/optimal.js'
import { candidatesOf, plan, type Plan, type PlanInput } from '#core/dispatch/plan.js'

/** An operator waits for an order, and other orders for the ledger: the solver gets this long (CORE-065), then merit answers. */
const patience_ms = 3000

/**
 * The one mode that waits: everything else is answered at once. Interpretation: an order here is one power over one window, so the
 * linear program has one interval; the energy that a resource holds bounds it where its constraints say so (`energy_Wh`).
 */
export async function solvedPlan(input: PlanInput): Promise<Plan> {
  if (input.order.mode !== 'optimal') return plan(input)
  const energy = new Map(input.resources.map((r) => [r.resource.id, r.resource.constraints.energy_Wh]))
  const candidates = candidatesOf(input).map((c) => {
    const limit = energy.get(c.id)
    return typeof limit === 'number' ? { ...c, energy_Wh: limit } : c
  })
  if (candidates.length === 0) return plan({ ...input, order: { ...input.order, mode: 'merit' } })
  const { order } = input
  const found = await allocateOptimal({ targets_W: [Math.abs(order.delta_W)], hours: [(order.end - order.start) / 3600], caps_W: input.caps_W, candidates }, patience_ms)
  const allocation: Allocation = {
    mode: 'optimal', solver: found.solver, allocation: new Map([...found.allocation].map(([id, powers]) => [id, powers[0] ?? 0])), allocated_W: found.allocated_W[0] ?? 0, shortfall_W: found.shortfall_W[0] ?? 0,
    bindingConstraints: found.bindingConstraints, skipped: [],
  }
  return plan(input, { ...allocation, flags: found.flags })
}
