import type { Allocation, Candidate } from '#core/dispatch/allocate.js'
import type { Availability } from '#core/availability/availability.js'
import { barredBy, type Constraints } from '#core/dispatch/bars.js'
import { behindEach, connectionCaps } from '#core/dispatch/connection.js'
import { decide } from '#core/dispatch/decide.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import type { Allotment, Dispatch } from '#core/dispatch/dispatch.js'
import { forecast, type Forecast } from '#core/dispatch/forecast.js'
import { prove } from '#core/dispatch/guard.js'
import { violation } from '#core/dispatch/protection.js'
import { rampStarts, rebound, shifted, type Rebound, type ReboundRules } from '#core/dispatch/rebound.js'
import { instruct } from '#core/dispatch/instruct.js'
import type { OrderInterval } from '#core/port/dispatch-channel.js'
import type { Draft } from '#core/port/store/entity.js'
import type { AllocationMode, Program } from '#core/program/program.js'
import type { Binding, Resource } from '#core/program/resource.js'
import type { Instant, Interval } from '#core/quantity/interval.js'
import type { W } from '#core/quantity/power.js'

/** What another order has already been promised by a resource, in load. */
export interface Promised extends Interval {
  readonly delta_W: W
  readonly delivery?: string
  /** Of the order that holds it; lower wins (CORE-053). */
  readonly priority?: number
}

/** One resource with everything a plan needs to know about it. */
export interface PlanResource {
  readonly resource: Resource
  readonly path: readonly string[]
  readonly importLimit_W: W | null
  readonly exportLimit_W: W | null
  readonly beliefs: readonly Availability[]
  readonly promised: readonly Promised[]
  /** Known before any number is looked at: not enrolled, opted out, stopped … */
  readonly barred?: string | undefined
  readonly dispatches: number
  readonly lastDispatchAt?: Instant | undefined
  /** Windows of earlier calls of this resource, as far as its constraints ask for them. */
  readonly calls?: readonly Interval[] | undefined
  /** Newest measurement of its point, where freshness is judged (CORE-210). */
  readonly lastSeen?: Instant | undefined
  /** Response rate from history (CORE-036). */
  readonly p?: number | undefined
}

export interface PlanOrder {
  readonly delta_W: W
  readonly start: Instant
  readonly end: Instant
  readonly mode: AllocationMode
  readonly priority: number
  /** CORE-069: power, always positive, that each node's subtree has to bring; the rest may come from anywhere. */
  readonly targets_W?: Readonly<Record<string, W>> | undefined
  /** CORE-066: ask more devices than the order needs, until the 95 % bound of their response reaches it. */
  readonly overSubscribe?: boolean | undefined
}

export interface PlanInput {
  readonly program: Program
  readonly order: PlanOrder
  readonly resources: readonly PlanResource[]
  readonly caps_W: Readonly<Record<string, W>>
  readonly now: Instant
  /** Events of the season before this one: whose turn it is to be released first (CORE-082). */
  readonly eventNumber?: number
}

export interface Share {
  readonly of: PlanResource
  readonly binding: Binding
  readonly allotment: Allotment
  readonly intervals: readonly OrderInterval[]
  /** Deliveries of other orders that this share takes the place of (CORE-053). */
  readonly displaces: readonly string[]
}

/** What is expected of those asked, before the event (CORE-066). `over_W` is what was asked beyond the order. */
export interface ResponseExpected {
  readonly nominal_W: W
  readonly over_W: W
  readonly expected_W: W
  readonly lower_W: W
}

export interface Plan {
  readonly shares: readonly Share[]
  readonly allocation: Allocation
  readonly allocated_W: W
  readonly shortfall_W: W
  /** P50 of all that could take part, before and after what others were promised. */
  readonly available_W: W
  readonly free_W: W
  readonly excluded: readonly { readonly resource: string; readonly reason: string }[]
  readonly bindingConstraints: readonly string[]
  readonly warnings: readonly string[]
  readonly response: ResponseExpected
  readonly rebound: Rebound
  /** Seconds until the last device has started (CORE-071). */
  readonly spread_s: number
  /** What an independent look at the allocation found wrong (CORE-061, CORE-072); must be empty. */
  readonly unproven: readonly string[]
}

/** A resource that may take part. */
export interface Able {
  readonly of: PlanResource
  readonly binding: Binding
  readonly forecast: Forecast
  readonly free_W: W
  /** What it could give on top if the orders below were superseded (CORE-053). */
  readonly takeable_W: W
  readonly displaceable: readonly string[]
  readonly path: readonly string[]
  readonly p: number
}

/** CORE-035: in any moment of the window, availability less what others were promised in the same direction. */
export function freePower(avail_W: W, promised: readonly Promised[], window: Interval, sign: 1 | -1): W {
  const over = promised.filter((p) => p.start < window.end && p.end > window.start && Math.sign(p.delta_W) === sign)
  if (over.length === 0) return avail_W
  const moments = [window.start, ...over.map((p) => p.start).filter((s) => s > window.start)]
  const taken = moments.map((at) => over.reduce((sum, p) => (p.start <= at && p.end > at ? sum + Math.abs(p.delta_W) : sum), 0))
  return Math.max(0, avail_W - Math.max(...taken))
}

/**
 * CORE-053 with CORE-035. Interpretation: orders of one priority and direction add up on a device, each has its rest, and the later
 * instruction carries the sum; an order of lower priority cannot use a device that obeys a higher one; orders of lower priority, and
 * those of the same priority in the other direction, may be superseded, which is done only when nothing else is free.
 */
export function claim(avail_W: W, promised: readonly Promised[], order: Pick<PlanOrder, 'start' | 'end' | 'delta_W' | 'priority'>): { free_W: W; takeable_W: W; displaceable: string[]; held: boolean } {
  const sign = order.delta_W < 0 ? -1 : 1, over = promised.filter((p) => p.start < order.end && p.end > order.start)
  const rank = (p: Promised): number => p.priority ?? order.priority
  if (over.some((p) => rank(p) < order.priority)) return { free_W: 0, takeable_W: 0, displaceable: [], held: true }
  const against = over.some((p) => Math.sign(p.delta_W) === -sign)
  const loses = (p: Promised): boolean => p.delivery !== undefined && (rank(p) > order.priority || Math.sign(p.delta_W) === -sign)
  const free_W = against ? 0 : freePower(avail_W, over, order, sign), staying = over.filter((p) => !loses(p))
  const room = staying.some((p) => Math.sign(p.delta_W) === -sign) ? 0 : freePower(avail_W, staying, order, sign)
  return { free_W, takeable_W: Math.max(0, room - free_W), displaceable: over.filter(loses).map((p) => p.delivery!), held: false }
}

/** CORE-090: the order of one resource; `delta_W` is its own share, the absolute values contain what others were promised too. */
export const orderIntervals = (of: PlanResource, expected: Forecast['expected'], delta_W: W): OrderInterval[] => instruct(expected, of.promised, delta_W)

const inWords = (b: Allocation['bindingConstraints'][number]): string => {
  switch (b.kind) {
    case 'availability': return `availability: ${b.available_W} W`
    case 'cap': return `cap of ${b.node}: ${b.limit_W} W`
    case 'minBlock': return `minimum block of ${b.id}: ${b.min_W} W`
    case 'response': return `expected response: ${Math.floor(b.lower_W)} W`
    case 'energy': return `energy of ${b.id}: ${b.limit_Wh} Wh`
    case 'ramp': return `ramp of ${b.id}: ${b.limit_W} W`
  }
}

/** Who can take part, with what is still free (CORE-060), and the caps above them, those of their connections included. */
export interface Prepared {
  readonly able: ReadonlyMap<string, Able>
  readonly excluded: { resource: string; reason: string }[]
  readonly available_W: W
  readonly caps_W: Readonly<Record<string, W>>
  readonly behind_W: ReadonlyMap<string, W>
}

export function prepare(input: PlanInput): Prepared {
  const { order, resources, program } = input, direction = order.delta_W < 0 ? 'down' : 'up'
  const excluded: { resource: string; reason: string }[] = [], found: Omit<Able, 'path'>[] = [], all: { of: PlanResource; forecast: Forecast; free_W: W }[] = []
  let available_W = 0
  for (const of of resources) {
    const why = barredBy(of, input), binding = of.resource.bindings.find((b) => b.control), f = forecast(of.resource, of.beliefs, order, direction)
    if (why.length > 0 || !binding) {
      for (const reason of why) excluded.push({ resource: of.resource.id, reason })
      all.push({ of, forecast: f, free_W: 0 })
      continue
    }
    available_W += f.avail_W
    const c = claim(f.avail_W, of.promised, order)
    all.push({ of, forecast: f, free_W: c.free_W + c.takeable_W })
    if (c.free_W + c.takeable_W <= 0) excluded.push({ resource: of.resource.id, reason: c.held ? 'heldByHigherPriority' : f.avail_W > 0 ? 'promised' : 'noAvailability' })
    else found.push({ of, binding, forecast: f, free_W: c.free_W, takeable_W: c.takeable_W, displaceable: c.displaceable, p: of.p ?? 0.5 })
  }
  const connection = connectionCaps(all, direction, program.rules as { allowCrossCharge?: boolean })
  const able = new Map<string, Able>()
  for (const a of found) {
    const more = connection.nodes.get(a.of.resource.id)
    able.set(a.of.resource.id, { ...a, path: more ? [...a.of.path, ...more] : a.of.path })
  }
  return { able, excluded, available_W, caps_W: { ...input.caps_W, ...connection.caps_W }, behind_W: behindEach(all, direction) }
}

/** The able as allocation sees them. */
export const candidatesOf = (able: Iterable<Able>, power: (a: Able) => W = (a) => a.free_W): Candidate[] => {
  const out: Candidate[] = []
  for (const a of able) {
    const avail_W = power(a), { resource, dispatches, lastDispatchAt } = a.of
    const { preference } = resource.constraints as Constraints
    if (avail_W > 0) out.push({ id: resource.id, avail_W, cost: resource.cost, path: a.path, min_W: resource.minBlock_W, dispatches, p: a.p, point: resource.servicePoint, ...(lastDispatchAt === undefined ? {} : { lastDispatchAt }), ...(preference === undefined ? {} : { preference }) })
  }
  return out
}

/** The answer of a solver that the shell has waited for (mode `optimal`). */
export type Solved = Allocation & { readonly flags: readonly string[] }

/**
 * Program, resources and order → who does what. Pure: the same inputs give the same plan (CORE-008, CORE-009). Without `solved`, mode
 * `optimal` is answered by merit, and says so.
 */
export function plan(input: PlanInput, solved?: Solved, prepared: Prepared = prepare(input)): Plan {
  const { program, order } = input, { able, excluded, available_W, caps_W } = prepared, sign = order.delta_W < 0 ? -1 : 1
  const made = decide(input, prepared, solved), rules = program.rules as { ramp_kW_per_min?: number; rebound?: ReboundRules }
  const { late_s, tooLarge } = rampStarts([...made.power].map(([id, power_W]) => ({ id, power_W })), rules.ramp_kW_per_min === undefined ? undefined : rules.ramp_kW_per_min * 1000)
  const drafts: { a: Able; power: W; delta_W: W; intervals: OrderInterval[]; displaces: readonly string[] }[] = []
  for (const [id, power] of [...made.power].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const a = able.get(id)
    if (!a || power === 0) continue
    const displaces = made.displacing.has(id) ? a.displaceable : [], of = displaces.length === 0 ? a.of : { ...a.of, promised: a.of.promised.filter((p) => p.delivery === undefined || !displaces.includes(p.delivery)) }
    const delta_W = sign * power, intervals = shifted(orderIntervals(of, a.forecast.expected, delta_W), late_s.get(id) ?? 0, 0), wrong = violation(intervals, { ...a.of, behind_W: prepared.behind_W.get(id) ?? 0 })
    if (intervals.length === 0) excluded.push({ resource: id, reason: 'ramp: the event ends before its turn to start' })
    else if (wrong) excluded.push({ resource: id, reason: `protected: ${wrong}` })
    else drafts.push({ a, power, delta_W, intervals, displaces })
  }
  const back = rebound(drafts.map(({ a, delta_W, intervals }) => ({ id: a.of.resource.id, kind: a.of.resource.kind, path: a.path, delta_W, expected_W: intervals[0]!.expected_W })), order, caps_W, rules.rebound, input.eventNumber ?? 0)
  const shares = drafts.map(({ a, delta_W, intervals, displaces }): Share => ({
    of: a.of, binding: a.binding, allotment: { resource: a.of.resource.id, protocol: a.binding.protocol, delta_W }, displaces,
    intervals: shifted(intervals, 0, back.releaseAfter_s.get(a.of.resource.id) ?? 0),
  }))
  const nominal = drafts.reduce((sum, d) => sum + d.power, 0), ordered = Math.abs(order.delta_W), over_W = order.overSubscribe ? Math.max(0, nominal - ordered) : 0
  const response = { nominal_W: nominal, over_W, ...made.bound(drafts.map((d) => ({ power: d.power, p: d.a.p }))) }
  const counted = order.overSubscribe ? Math.max(0, Math.min(ordered, response.lower_W)) : nominal
  // by the lower bound, so that what is likely to be missing is said before the event and not after it (CORE-066)
  const shortfall_W = Math.max(0, ordered - counted)
  const out = { able, excluded, shortfall_W, shares, made, tooLarge, back }
  return {
    shares, allocation: made.allocation, allocated_W: sign * (nominal - over_W) + 0, shortfall_W, available_W, free_W: [...able.values()].reduce((sum, a) => sum + a.free_W + a.takeable_W, 0), excluded,
    bindingConstraints: made.bindingConstraints.map(inWords), warnings: warnings(out), response, rebound: back, spread_s: Math.max(0, ...late_s.values()), unproven: unproven(input, prepared, made),
  }
}

function unproven(input: PlanInput, { able, caps_W }: Prepared, made: ReturnType<typeof decide>): string[] {
  const power = new Map(made.power), sum = [...power.values()].reduce((s, x) => s + x, 0), target_W = Math.abs(input.order.delta_W)
  const limits = input.order.overSubscribe ? Infinity : Math.round((input.program.limits.maxOverDelivery_kW ?? 0) * 1000)
  return prove({ allocation: power, allocated_W: sum, shortfall_W: Math.max(0, target_W - sum) }, { target_W, caps_W, candidates: candidatesOf(able.values(), (a) => a.free_W + a.takeable_W), maxOverDelivery_W: limits })
}

function warnings({ able, excluded, shortfall_W, shares, made, tooLarge, back }: { able: ReadonlyMap<string, Able>; excluded: Plan['excluded']; shortfall_W: W; shares: readonly Share[]; made: ReturnType<typeof decide>; tooLarge: readonly string[]; back: Rebound }): string[] {
  const out: string[] = []
  if (shortfall_W > 0) out.push(`${shortfall_W} W cannot be met`)
  for (const [node, missing] of made.missingBelow) out.push(`${missing} W of the target of ${node} cannot be met below it`)
  const bySource = (source: Forecast['source']): number => shares.filter((s) => able.get(s.allotment.resource)?.forecast.source === source).length
  if (bySource('rating') > 0) out.push(`${bySource('rating')} resources have no forecast and count at their rating`)
  if (bySource('persisted') > 0) out.push(`${bySource('persisted')} resources have no forecast for the window and count at their last one`)
  if (bySource('likeDay') > 0) out.push(`${bySource('likeDay')} resources have no forecast for the window and count as on last week's like day`)
  for (const flag of made.flags) out.push(`${flag}: allocated by merit`)
  const displaced = shares.reduce((n, s) => n + s.displaces.length, 0)
  if (displaced > 0) out.push(`${displaced} instructions of other orders are superseded`)
  if (tooLarge.length > 0) out.push(`${tooLarge.length} resources alone change more in a minute than the ramp allows`)
  for (const p of back.passes) out.push(`${p.rebound_W} W come back below ${p.node}, its cap is ${p.limit_W} W`)
  if (back.waves > 1) out.push(`released in ${back.waves} waves`)
  const reasons = new Map<string, number>()
  for (const e of excluded) reasons.set(e.reason, (reasons.get(e.reason) ?? 0) + 1)
  for (const [reason, n] of [...reasons].sort()) out.push(`${n} resources left out: ${reason}`)
  return out
}

/** The stored deliveries of a plan: content that is never changed afterwards, only tracked (CORE-207). */
export function deliveryDrafts(dispatch: Pick<Dispatch, 'id' | 'tenant' | 'revision' | 'priority'> & Partial<Pick<Dispatch, 'emergency'>>, program: Program, shares: readonly Share[], nowMs: number, newId: () => string): Draft<Delivery>[] {
  const rules = program.rules as { randomize_s?: number; minRate?: boolean }
  return shares.map(({ of: { resource }, binding, intervals }) => {
    const id = newId(), end = intervals.at(-1)!.end
    return {
      id, tenant: dispatch.tenant, dispatch: dispatch.id, resource: resource.id, servicePoint: resource.servicePoint,
      order: {
        id, tenant: dispatch.tenant, dispatch: dispatch.id, revision: dispatch.revision, program: { id: program.id, name: program.name, ...(rules.minRate === true ? { minRate: true } : {}) },
        resource: { id: resource.id, name: resource.name, kind: resource.kind, rated_W: resource.rated_W, servicePoint: resource.servicePoint },
        binding, start: intervals[0]!.start, end, intervals, randomize_s: rules.randomize_s ?? 0, expiry: end,
        priority: dispatch.priority, ...((dispatch.emergency?.length ?? 0) > 0 ? { emergency: true } : {}), reportEvery_s: program.intervalMinutes * 60, createdAt: nowMs,
      },
      state: 'queued', reason: null, attempts: 0, remoteRef: null, sentAt: null, deliveredAt: null, acknowledgedAt: null, stateAt: nowMs,
    }
  })
}
