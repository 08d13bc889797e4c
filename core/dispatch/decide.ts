import { allocate, type Allocation } from '#core/dispatch/allocate.js'
import type { BindingConstraint, Candidate } from '#core/dispatch/candidate.js'
import { overSubscribe, ResponseBound } from '#core/dispatch/over-subscribe.js'
import { candidatesOf, type PlanInput, type Prepared, type Solved } from '#core/dispatch/plan.js'
import { Refusal } from '#core/error.js'
import type { W } from '#core/quantity/power.js'

/** Who gives how much, and why not more. */
export interface Decided {
  readonly allocation: Allocation
  /** In the order of allocation. */
  readonly power: ReadonlyMap<string, W>
  /** Resources whose share needs that the orders they obey are superseded (CORE-053). */
  readonly displacing: ReadonlySet<string>
  readonly bindingConstraints: readonly BindingConstraint[]
  readonly missingBelow: ReadonlyMap<string, W>
  readonly flags: readonly string[]
  bound(members: readonly { readonly power: W; readonly p: number }[]): { expected_W: W; lower_W: W }
}

const bound: Decided['bound'] = (members) => {
  const sum = new ResponseBound()
  for (const m of members) sum.add(m.power, m.p)
  const { expected, lower } = sum.get()
  // towards the safe side: a promise is never rounded up
  return { expected_W: Math.floor(expected + 1e-6), lower_W: Math.floor(lower + 1e-6) }
}

/** The caps after `power` was taken below them. */
function left(caps_W: Readonly<Record<string, W>>, power: ReadonlyMap<string, W>, path: (id: string) => readonly string[]): Record<string, W> {
  const out = { ...caps_W }
  for (const [id, w] of power) for (const node of new Set(path(id))) if (out[node] !== undefined) out[node] = Math.max(0, out[node] - w)
  return out
}

/**
 * The decision in its order: targets of nodes first, each inside its subtree (CORE-069); the rest over everything that is free; more
 * devices than needed where that is asked for (CORE-066); and only then devices that obey a lower order (CORE-053).
 */
export function decide(input: PlanInput, { able, caps_W }: Prepared, solved?: Solved): Decided {
  const { order, program } = input, ordered = Math.abs(order.delta_W), mode = order.mode === 'optimal' ? 'merit' : order.mode
  const maxOverDelivery_W = Math.round((program.limits.maxOverDelivery_kW ?? 0) * 1000), pathOf = (id: string): readonly string[] => able.get(id)?.path ?? []
  const power = new Map<string, W>(), missingBelow = new Map<string, W>(), found: Allocation[] = [], displacing = new Set<string>()
  const total = (): W => [...power.values()].reduce((sum, w) => sum + w, 0)
  const step = (target_W: W, candidates: readonly Candidate[]): Allocation => {
    const a = allocate({ mode, target_W, caps_W: left(caps_W, power, pathOf), maxOverDelivery_W, candidates })
    for (const [id, w] of a.allocation) if (w > 0) power.set(id, (power.get(id) ?? 0) + w)
    found.push(a)
    return a
  }
  const free = (): Candidate[] => candidatesOf(able.values(), (a) => a.free_W - (power.get(a.of.resource.id) ?? 0)).map((c) => (power.has(c.id) ? { ...c, min_W: 0 } : c))
  if (solved) {
    found.push(solved)
    for (const [id, w] of solved.allocation) if (w > 0) power.set(id, w)
  } else {
    for (const [node, target_W] of targetsOf(input, able)) {
      const a = step(target_W, free().filter((c) => c.path?.includes(node)))
      if (a.shortfall_W > 0) missingBelow.set(node, a.shortfall_W)
    }
    const missing = [...missingBelow.values()].reduce((sum, w) => sum + w, 0)
    // what a subtree lacks is not made up elsewhere: that would load the wrong part of the grid
    const rest = Math.max(0, ordered - total() - missing)
    if (order.overSubscribe) overSubscribed(ordered, power, found, free(), (id) => able.get(id)?.p ?? 0, (candidates, target_W) => allocate({ mode, target_W, caps_W: left(caps_W, power, pathOf), candidates }))
    else if (rest > 0 || found.length === 0) step(rest, free())
  }
  const short = ordered - total() - [...missingBelow.values()].reduce((sum, w) => sum + w, 0)
  if (short > 0 && [...able.values()].some((a) => a.takeable_W > 0)) {
    const candidates = candidatesOf(able.values(), (a) => a.free_W + a.takeable_W - (power.get(a.of.resource.id) ?? 0)).filter((c) => able.get(c.id)!.takeable_W > 0).map((c) => (power.has(c.id) ? { ...c, min_W: 0 } : c))
    for (const [id, w] of step(short, candidates).allocation) if (w > 0 && power.get(id)! > able.get(id)!.free_W) displacing.add(id)
  }
  const last = found.at(-1)!, names = new Map(found.flatMap((a) => a.bindingConstraints).map((b) => [JSON.stringify(b), b]))
  const sum = total(), lower = bound([...power].map(([id, w]) => ({ power: w, p: able.get(id)?.p ?? 0 }))).lower_W
  const response: BindingConstraint[] = order.overSubscribe && lower < ordered ? [{ kind: 'response', lower_W: lower }] : []
  return {
    allocation: { ...(solved ?? last), allocation: power, allocated_W: sum, shortfall_W: Math.max(0, ordered - sum) }, power, displacing, missingBelow, bound,
    bindingConstraints: [...(sum < ordered || missingBelow.size > 0 ? names.values() : last.bindingConstraints), ...response],
    flags: solved?.flags ?? (order.mode === 'optimal' ? ['SOLVER_NOT_ASKED'] : []),
  }
}

/** CORE-069, in byte order of the nodes. Interpretation: targets of one order stand side by side; one inside another would count twice. */
function targetsOf({ order }: PlanInput, able: Prepared['able']): [string, W][] {
  const targets = Object.entries(order.targets_W ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)), names = new Set(targets.map(([node]) => node))
  if (targets.reduce((sum, [, w]) => sum + w, 0) > Math.abs(order.delta_W)) throw new Refusal('invalid', 'the targets of the nodes add up to more than the order', { faults: [{ path: '/targets', reason: 'add up to more than the order' }] })
  if (names.size > 1) for (const a of able.values()) if (a.of.path.filter((node) => names.has(node)).length > 1) throw new Refusal('invalid', 'one target lies inside another', { faults: [{ path: '/targets', reason: `${a.of.resource.id} lies below two of them` }] })
  return targets
}

/** CORE-066: devices in mode order, each in full, until the lower bound reaches the order. Shares stay proportional in that mode. */
function overSubscribed(ordered: W, power: Map<string, W>, found: Allocation[], candidates: readonly Candidate[], p: (id: string) => number, ask: (candidates: readonly Candidate[], target_W: W) => Allocation): void {
  const all = candidates.reduce((sum, c) => sum + c.avail_W, 0), whole = ask(candidates, all)
  const has = [...power].map(([id, w]) => ({ id, power: w, p: p(id) }))
  const members = (a: Allocation): { id: string; power: W; p: number }[] => [...a.allocation].filter(([, w]) => w > 0).map(([id, w]) => ({ id, power: w, p: p(id) }))
  let chosen: readonly { id: string; power: W }[]
  if (whole.mode === 'proportional') {
    const reaches = (a: Allocation): boolean => overSubscribe(ordered, [...has, ...members(a)]).shortfall <= 0
    let low = 0, high = all
    if (reaches(whole)) while (high - low > Math.max(1, ordered / 1000)) {
      const middle = Math.floor((low + high) / 2)
      if (reaches(ask(candidates, middle))) high = middle
      else low = middle
    }
    chosen = members(ask(candidates, high))
  } else chosen = overSubscribe(ordered, [...has, ...members(whole)]).chosen.slice(has.length)
  for (const c of chosen) power.set(c.id, (power.get(c.id) ?? 0) + c.power)
  found.push(whole)
}
