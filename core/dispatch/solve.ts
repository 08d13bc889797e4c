import { allocateOptimal } from '#core/dispatch/optimal.js'
import { candidatesOf, plan, prepare, type Plan, type PlanInput, type Solved } from '#core/dispatch/plan.js'

/** An operator waits for an order, and other orders for the ledger: the solver gets this long (CORE-065), then merit answers. */
const patience_ms = 3000

/**
 * The one mode that waits: everything else is answered at once. Interpretation: an order here is one power over one window, so the
 * linear program has one interval; the energy that a resource holds bounds it where its constraints say so (`energy_Wh`). Targets of
 * nodes and over-subscription are decided step by step, which is merit's way.
 */
export async function solvedPlan(input: PlanInput, time_ms = patience_ms): Promise<Plan> {
  const { order } = input
  if (order.mode !== 'optimal') return plan(input)
  const prepared = prepare(input), energy = new Map(input.resources.map((r) => [r.resource.id, r.resource.constraints['energy_Wh']]))
  const candidates = candidatesOf(prepared.able.values()).map((c) => {
    const limit = energy.get(c.id)
    return typeof limit === 'number' ? { ...c, energy_Wh: limit } : c
  })
  if (candidates.length === 0 || order.overSubscribe || order.targets_W) return plan(input, undefined, prepared)
  const found = await allocateOptimal({ targets_W: [Math.abs(order.delta_W)], hours: [(order.end - order.start) / 3600], caps_W: prepared.caps_W, candidates }, time_ms)
  const solved: Solved = {
    mode: 'optimal', solver: found.solver, allocation: new Map([...found.allocation].map(([id, powers]) => [id, powers[0] ?? 0])), allocated_W: found.allocated_W[0] ?? 0, shortfall_W: found.shortfall_W[0] ?? 0,
    bindingConstraints: found.bindingConstraints, skipped: [], flags: found.flags,
  }
  return plan(input, solved, prepared)
}
