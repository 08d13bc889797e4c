import type { Availability } from '#core/availability/availability.js'
import type { Caller } from '#core/caller.js'
import { lost } from '#core/dispatch/delivery-states.js'
import type { Dispatch } from '#core/dispatch/dispatch.js'
import type { PlanResource, Promised } from '#core/dispatch/plan.js'
import { rateTable } from '#core/dispatch/response.js'
import { optedOut } from '#core/opt-out/opt-out.js'
import { present } from '#core/permission.js'
import { every } from '#core/port/store/every.js'
import type { Stores } from '#core/port/store/index.js'
import type { Aggregation } from '#core/program/aggregation.js'
import { failSafesOf, type FailSafes } from '#core/program/fail-safe.js'
import type { Program } from '#core/program/program.js'
import type { Resource } from '#core/program/resource.js'
import type { ServicePoint } from '#core/program/service-point.js'
import type { Interval } from '#core/quantity/interval.js'
import type { W } from '#core/quantity/power.js'
import { blocks } from '#core/stop/blocks.js'
import type { Work } from '#core/work.js'

export interface Ask {
  readonly program: Program
  readonly window: Interval
  readonly scope: Dispatch['scope']
  readonly nowMs: number
}

/** Everything a plan is made from, read in a handful of statements however many resources there are. */
export interface Prospects {
  readonly resources: readonly PlanResource[]
  readonly caps_W: Readonly<Record<string, W>>
  /** The program's other events that were not cancelled. */
  readonly season: readonly Dispatch[]
  /** Fail-safes that were looked at for this order alone (CORE-202): to be kept by whoever stores something. */
  readonly verified: FailSafes['fresh']
}

export async function prospects(work: Pick<Work, 'stores' | 'clock' | 'failSafes'>, caller: Caller, { program, window, scope, nowMs }: Ask): Promise<Prospects> {
  const { stores } = work, { tenant } = caller
  const [season, nodes, stops, out] = [
    (await every((page) => stores.dispatches.list(tenant, { program: program.id }, page), 200)).filter((d) => d.state !== 'cancelled' && d.state !== 'rejected'),
    await every((page) => stores.aggregations.list(tenant, {}, page)), await blocks(stores, tenant), await optedOut(stores, tenant, window),
  ]
  const { points, resources, active } = await population(stores, tenant, program, scope)
  const tree = new Tree(nodes, nowMs / 1000)
  const paths = new Map(resources.map((r) => [r.id, tree.pathOf(r, points.get(r.servicePoint))]))
  const inScope = scope?.aggregation === undefined ? resources : resources.filter((r) => paths.get(r.id)!.includes(tree.name(scope.aggregation!)))
  if (scope?.aggregation !== undefined) present(tree.find(scope.aggregation) ?? (inScope.length > 0 ? scope.aggregation : undefined), 'aggregation', scope.aggregation)
  const ids = inScope.map((r) => r.id)
  const beliefs = await believed(stores, tenant, ids, window, nowMs)
  const promises = await promised(stores, tenant, ids, window)
  const rates = await rateTable(stores, program, window.start), lastSeen = await heard(stores, tenant, program, inScope, nowMs)
  const safes = await failSafesOf(work, tenant, inScope)
  const calls = new Map<string, { windows: Interval[]; last: number }>()
  for (const d of season) for (const a of d.allocation) {
    const c = calls.get(a.resource)
    if (c === undefined) calls.set(a.resource, { windows: [d], last: d.start })
    else if (c.windows.at(-1) !== d) {
      c.windows.push(d)
      c.last = Math.max(c.last, d.start)
    }
  }
  const planned = inScope.map((resource): PlanResource => {
    const path = paths.get(resource.id)!, point = points.get(resource.servicePoint), called = calls.get(resource.id)
    const forbidden = caller.resources !== undefined && !caller.resources.includes(resource.id)
    const barred = !active.has(resource.servicePoint) ? 'notEnrolled' : out.has(resource.id) ? 'optedOut' : forbidden ? 'notYours'
      : stops.blocked({ program: program.id, resource: resource.id, path }) ? 'stopped'
        : safes.known.get(resource.id)?.failSafe.held === false ? 'noFailSafe' : undefined
    return {
      resource, path, importLimit_W: point?.importLimit_W ?? null, exportLimit_W: point?.exportLimit_W ?? null, beliefs: beliefs.get(resource.id) ?? [],
      promised: promises.get(resource.id) ?? [], barred, dispatches: called?.windows.length ?? 0, ...(called ? { lastDispatchAt: called.last, calls: called.windows } : {}),
      p: rates.p(resource.id, resource.kind), ...(lastSeen === undefined ? {} : { lastSeen: lastSeen.get(resource.servicePoint) }),
    }
  })
  return { resources: planned, caps_W: await capsLeft(stores, tenant, tree, window, planned), season, verified: safes.fresh }
}

/** CORE-210: newest measurement of each point, where the program says how often its points report. */
async function heard(stores: Stores, tenant: string, program: Program, resources: readonly Resource[], nowMs: number): Promise<Map<string, number> | undefined> {
  const { telemetry } = program.rules as { telemetry?: { reporting_s: number } }
  if (telemetry === undefined) return undefined
  const now = Math.floor(nowMs / 1000), out = new Map<string, number>(), points = [...new Set(resources.map((r) => r.servicePoint))]
  for (let i = 0; i < points.length; i += 1000) {
    const found = await stores.readings.net(tenant, points.slice(i, i + 1000), now - 10 * telemetry.reporting_s - program.intervalMinutes * 60, now, { net: true })
    for (const [id, v] of found) out.set(id, Math.max(...v.start) + program.intervalMinutes * 60)
  }
  return out
}

/** A whole fleet is read, and each page names all of its points: few large pages. */
const largePage = 20_000

/** The resources that the scope names, or all behind actively enrolled points. */
async function population(stores: Stores, tenant: string, program: Program, scope: Dispatch['scope']) {
  const enrolments = await every((page) => stores.enrolments.list(tenant, { program: program.id, state: 'active' }, page), largePage)
  const active = new Set(enrolments.map((e) => e.servicePoint))
  const named = scope?.resources
  const resources: Resource[] = []
  if (named) for (const name of new Set(named)) resources.push(present(await stores.resources.find(tenant, name), 'resource', name))
  else if (active.size > 0) resources.push(...await every((page) => stores.resources.list(tenant, { servicePoints: [...active] }, page), largePage))
  const points = new Map((await stores.servicePoints.getMany(tenant, [...new Set(resources.map((r) => r.servicePoint))])).map((p) => [p.id, p]))
  return { resources, points, active }
}

const week_s = 7 * 86_400

/** CORE-030, CORE-206: beliefs for the window; for resources without one, those of the day before, to be persisted. */
async function believed(stores: Stores, tenant: string, ids: readonly string[], window: Interval, nowMs: number) {
  const out = new Map<string, Availability[]>()
  const put = (rows: readonly Availability[]): void => {
    for (const row of rows) {
      const list = out.get(row.resource)
      if (list) list.push(row)
      else out.set(row.resource, [row])
    }
  }
  if (ids.length === 0) return out
  put(await stores.availability.believed(tenant, ids, window.start, window.end, nowMs))
  const without = ids.filter((id) => !out.has(id))
  // CORE-206: last week's like day, else whatever was believed last
  if (without.length > 0) put(await stores.availability.believed(tenant, without, window.start - week_s, window.end - week_s, nowMs))
  if (without.length > 0) put(await stores.availability.believed(tenant, without, Math.min(window.start, Math.floor(nowMs / 1000)) - 86_400, window.start, nowMs))
  return out
}

async function promised(stores: Stores, tenant: string, ids: readonly string[], window: Interval): Promise<Map<string, Promised[]>> {
  const out = new Map<string, Promised[]>()
  if (ids.length === 0) return out
  for (const d of await stores.deliveries.promised(tenant, ids, window.start, window.end)) {
    if (lost.has(d.state)) continue
    const list = out.get(d.resource) ?? []
    for (const i of d.order.intervals) list.push({ start: i.start, end: i.end, delta_W: i.delta_W, delivery: d.id, priority: d.order.priority })
    out.set(d.resource, list)
  }
  return out
}

/** CORE-068: what is left of each cap after what every program already ordered below it in the window. */
async function capsLeft(stores: Stores, tenant: string, tree: Tree, window: Interval, planned: readonly PlanResource[]): Promise<Record<string, W>> {
  const caps = tree.caps()
  if (Object.keys(caps).length === 0) return caps
  const paths = new Map(planned.map((p) => [p.resource.id, p.path]))
  for (const d of await stores.dispatches.overlapping(tenant, window.start, window.end)) {
    const deliveries = (await stores.deliveries.of(tenant, d.id)).filter((x) => !lost.has(x.state) && x.order.start < window.end && x.order.end > window.start)
    const unknown = [...new Set(deliveries.map((x) => x.resource).filter((id) => !paths.has(id)))]
    if (unknown.length > 0) {
      const resources = await stores.resources.getMany(tenant, unknown)
      const points = new Map((await stores.servicePoints.getMany(tenant, [...new Set(resources.map((r) => r.servicePoint))])).map((p) => [p.id, p]))
      for (const r of resources) paths.set(r.id, tree.pathOf(r, points.get(r.servicePoint)))
    }
    // Interpretation: "in either direction" bounds each direction by itself; changes that cancel out never free a cap
    for (const x of deliveries) for (const node of paths.get(x.resource) ?? []) {
      const left = caps[node]
      if (left !== undefined) caps[node] = Math.max(0, left - Math.abs(x.order.intervals[0]?.delta_W ?? 0))
    }
  }
  return caps
}

/** Hierarchies of nodes: a resource lies below the nodes of its point's grid path, the nodes it is a member of, and their parents. */
class Tree {
  readonly #byId: Map<string, Aggregation>
  readonly #byName: Map<string, Aggregation>
  readonly #memberships = new Map<string, Aggregation[]>()

  constructor(nodes: readonly Aggregation[], now: number) {
    this.#byId = new Map(nodes.map((n) => [n.id, n]))
    this.#byName = new Map(nodes.map((n) => [n.name, n]))
    for (const n of nodes) for (const m of n.members) {
      if (m.from > now || (m.to !== null && m.to <= now)) continue
      this.#memberships.set(m.resource, [...this.#memberships.get(m.resource) ?? [], n])
    }
  }

  find(idOrName: string): Aggregation | undefined {
    return this.#byId.get(idOrName) ?? this.#byName.get(idOrName)
  }

  name(idOrName: string): string {
    return this.find(idOrName)?.name ?? idOrName
  }

  pathOf(resource: Resource, point: ServicePoint | undefined): string[] {
    const path = new Set<string>()
    const climb = (node: Aggregation | undefined): void => {
      for (let n = node; n && !path.has(n.name); n = n.parent === null ? undefined : this.find(n.parent)) path.add(n.name)
    }
    for (const name of point?.gridPath ?? []) {
      climb(this.#byName.get(name))
      path.add(name)
    }
    for (const node of this.#memberships.get(resource.id) ?? []) climb(node)
    return [...path]
  }

  caps(): Record<string, W> {
    return Object.fromEntries([...this.#byName.values()].flatMap((n) => (n.cap_W === null ? [] : [[n.name, n.cap_W]])))
  }
}
