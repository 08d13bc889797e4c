import { allocate, type Allocation, type Candidate } from '#core/dispatch/allocate.js'
import type { Availability } from '#core/availability/availability.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import type { Allotment, Dispatch } from '#core/dispatch/dispatch.js'
import { forecast, type Forecast } from '#core/dispatch/forecast.js'
import { violation } from '#core/dispatch/protection.js'
import { absoluteLimit } from '#core/dispatch/setpoint.js'
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
}

export interface PlanOrder {
  readonly delta_W: W
  readonly start: Instant
  readonly end: Instant
  readonly mode: AllocationMode
  readonly priority: number
}

export interface PlanInput {
  readonly program: Program
  readonly order: PlanOrder
  readonly resources: readonly PlanResource[]
  readonly caps_W: Readonly<Record<string, W>>
  readonly now: Instant
}

export interface Share {
  readonly of: PlanResource
  readonly binding: Binding
  readonly allotment: Allotment
  readonly intervals: readonly OrderInterval[]
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
}

interface Able {
  readonly of: PlanResource
  readonly binding: Binding
  readonly forecast: Forecast
  readonly free_W: W
}

/** CORE-060: the reasons that keep a resource out, first one that holds. */
function barredBy({ resource, barred, dispatches }: PlanResource, { order, now }: PlanInput): string | undefined {
  const rules = resource.constraints as { medical?: boolean; maxCalls?: number; minNotice_s?: number }
  if (barred) return barred
  if (resource.state !== 'active') return 'retired'
  if (!resource.bindings.some((b) => b.control)) return 'noControlBinding'
  if (rules.medical === true) return 'medical'
  if (rules.maxCalls !== undefined && dispatches >= rules.maxCalls) return 'noCallsLeft'
  if (rules.minNotice_s !== undefined && order.start - now < rules.minNotice_s) return 'noticeTooShort'
  return undefined
}

/** CORE-035: in any moment of the window, availability less what others were promised in the same direction. */
export function freePower(avail_W: W, promised: readonly Promised[], window: Interval, sign: 1 | -1): W {
  const over = promised.filter((p) => p.start < window.end && p.end > window.start && Math.sign(p.delta_W) === sign)
  const moments = [window.start, ...over.map((p) => p.start).filter((s) => s > window.start)]
  const taken = moments.map((at) => over.reduce((sum, p) => (p.start <= at && p.end > at ? sum + Math.abs(p.delta_W) : sum), 0))
  return Math.max(0, avail_W - Math.max(...taken))
}

/** CORE-090: the order of one resource; `delta_W` is its own share, the absolute values contain what others were promised too. */
export function orderIntervals(of: PlanResource, expected: Forecast['expected'], delta_W: W): OrderInterval[] {
  return expected.map(({ start, end, expected_W }) => {
    const others = of.promised.filter((p) => p.start < end && p.end > start).reduce((sum, p) => sum + p.delta_W, 0)
    const base = expected_W === null ? null : expected_W + others
    const limit = absoluteLimit({ forecast_W: base ?? undefined, reduction_W: -delta_W, floor_W: 0 })
    return { start, end, delta_W, expected_W: base, setpoint_W: base === null ? null : base + delta_W, limitImport_W: limit.kind === 'limit' ? limit.limit_W : null }
  })
}

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

interface Prepared {
  readonly able: ReadonlyMap<string, Able>
  readonly excluded: { resource: string; reason: string }[]
  readonly available_W: W
}

/** Hard filters first (CORE-060): who can take part, with what is still free. */
function prepare(input: PlanInput): Prepared {
  const { order, resources } = input
  const direction = order.delta_W < 0 ? 'down' : 'up', sign = order.delta_W < 0 ? -1 : 1
  const excluded: { resource: string; reason: string }[] = [], able = new Map<string, Able>()
  let available_W = 0
  for (const of of resources) {
    const why = barredBy(of, input)
    const binding = of.resource.bindings.find((b) => b.control)
    if (why !== undefined || !binding) {
      excluded.push({ resource: of.resource.id, reason: why ?? 'noControlBinding' })
      continue
    }
    const f = forecast(of.resource, of.beliefs, order, direction)
    available_W += f.avail_W
    const free_W = freePower(f.avail_W, of.promised, order, sign)
    if (free_W <= 0) excluded.push({ resource: of.resource.id, reason: f.avail_W > 0 ? 'promised' : 'noAvailability' })
    else able.set(of.resource.id, { of, binding, forecast: f, free_W })
  }
  return { able, excluded, available_W }
}

/** The able as allocation sees them. */
export const candidatesOf = (input: PlanInput, able = prepare(input).able): Candidate[] => [...able.values()].map(({ of, free_W }) => ({
  id: of.resource.id, avail_W: free_W, cost: of.resource.cost, path: of.path, min_W: of.resource.minBlock_W, dispatches: of.dispatches, ...(of.lastDispatchAt === undefined ? {} : { lastDispatchAt: of.lastDispatchAt }),
}))

/**
 * Program, resources and order → who does what. Pure: the same inputs give the same plan (CORE-008, CORE-009). `solved` is the answer
 * of a solver that the shell has waited for (mode `optimal`); without it that mode is answered by merit, and says so.
 */
export function plan(input: PlanInput, solved?: Allocation & { readonly flags: readonly string[] }): Plan {
  const { program, order, caps_W } = input, { able, excluded, available_W } = prepare(input), sign = order.delta_W < 0 ? -1 : 1
  const allocation = solved ?? allocate({
    mode: order.mode === 'optimal' ? 'merit' : order.mode, target_W: Math.abs(order.delta_W), caps_W,
    maxOverDelivery_W: Math.round((program.limits.maxOverDelivery_kW ?? 0) * 1000), candidates: candidatesOf(input, able),
  })
  const shares: Share[] = []
  for (const [id, power] of [...allocation.allocation].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const a = able.get(id)
    if (!a || power === 0) continue
    const delta_W = sign * power, intervals = orderIntervals(a.of, a.forecast.expected, delta_W)
    const wrong = violation(intervals, a.of)
    if (wrong) excluded.push({ resource: id, reason: `protected: ${wrong}` })
    else shares.push({ of: a.of, binding: a.binding, allotment: { resource: id, protocol: a.binding.protocol, delta_W }, intervals })
  }
  const allocated = shares.reduce((sum, s) => sum + Math.abs(s.allotment.delta_W), 0)
  const shortfall_W = Math.max(0, Math.abs(order.delta_W) - allocated)
  return {
    shares, allocation, allocated_W: sign * allocated + 0, shortfall_W, available_W, free_W: [...able.values()].reduce((sum, a) => sum + a.free_W, 0), excluded,
    bindingConstraints: allocation.bindingConstraints.map(inWords), warnings: warnings({ flags: solved?.flags ?? (order.mode === 'optimal' ? ['SOLVER_NOT_ASKED'] : []), able, excluded, shortfall_W, shares }),
  }
}

function warnings(found: { flags: readonly string[]; able: ReadonlyMap<string, Able>; excluded: Plan['excluded']; shortfall_W: W; shares: readonly Share[] }): string[] {
  const out: string[] = []
  if (found.shortfall_W > 0) out.push(`${found.shortfall_W} W cannot be met`)
  const bySource = (source: Forecast['source']): number => found.shares.filter((s) => found.able.get(s.allotment.resource)?.forecast.source === source).length
  if (bySource('rating') > 0) out.push(`${bySource('rating')} resources have no forecast and count at their rating`)
  if (bySource('persisted') > 0) out.push(`${bySource('persisted')} resources have no forecast for the window and count at their last one`)
  for (const flag of found.flags) out.push(`${flag}: allocated by merit`)
  const reasons = new Map<string, number>()
  for (const e of found.excluded) reasons.set(e.reason, (reasons.get(e.reason) ?? 0) + 1)
  for (const [reason, n] of [...reasons].sort()) out.push(`${n} resources left out: ${reason}`)
  return out
}

/** The stored deliveries of a plan: content that is never changed afterwards, only tracked (CORE-207). */
export function deliveryDrafts(dispatch: Pick<Dispatch, 'id' | 'tenant' | 'revision' | 'priority' | 'end'>, program: Program, shares: readonly Share[], nowMs: number, newId: () => string): Draft<Delivery>[] {
  const rules = program.rules as { randomize_s?: number }
  return shares.map(({ of: { resource }, binding, intervals }) => {
    const id = newId()
    return {
      id, tenant: dispatch.tenant, dispatch: dispatch.id, resource: resource.id, servicePoint: resource.servicePoint,
      order: {
        id, tenant: dispatch.tenant, dispatch: dispatch.id, revision: dispatch.revision, program: { id: program.id, name: program.name },
        resource: { id: resource.id, name: resource.name, kind: resource.kind, rated_W: resource.rated_W, servicePoint: resource.servicePoint },
        binding, start: intervals[0]!.start, end: dispatch.end, intervals, randomize_s: rules.randomize_s ?? 0, expiry: dispatch.end,
        priority: dispatch.priority, reportEvery_s: program.intervalMinutes * 60, createdAt: nowMs,
      },
      state: 'queued', reason: null, attempts: 0, remoteRef: null, sentAt: null, deliveredAt: null, acknowledgedAt: null, stateAt: nowMs,
    }
  })
}
