import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { Refusal } from '#core/error.js'
import { present } from '#core/permission.js'
import type { Aggregation } from '#core/program/aggregation.js'
import type { Binding, Resource } from '#core/program/resource.js'
import type { ServicePoint } from '#core/program/service-point.js'
import type { Entity } from '#core/port/store/entity.js'
import type { Work } from '#core/work.js'

type Own<T extends Entity> = Omit<T, keyof Entity>

const fresh = <T extends Entity>(before: T, what: string, ifVersion: number | undefined): void => {
  if (ifVersion !== undefined && ifVersion !== before.version) throw new Refusal('stale', `the ${what} is at version ${before.version}`)
}

export async function createServicePoint(work: Work, caller: Caller, wish: Own<ServicePoint>): Promise<ServicePoint> {
  const made = await work.stores.servicePoints.insert({ ...wish, id: work.ids.uuid(), tenant: caller.tenant })
  await note(work, caller, [{ action: 'servicePoint.create', entity: made.id, after: made }])
  return made
}

/** Many at once, all or none, in a handful of statements. */
export async function createServicePoints(work: Work, caller: Caller, wishes: readonly Own<ServicePoint>[]): Promise<ServicePoint[]> {
  const made = await work.stores.servicePoints.insertMany(wishes.map((wish) => ({ ...wish, id: work.ids.uuid(), tenant: caller.tenant })))
  await note(work, caller, made.map((p) => ({ action: 'servicePoint.create', entity: p.id, after: p })))
  return made
}

export async function changeServicePoint(work: Work, caller: Caller, idOrName: string, change: Partial<Own<ServicePoint>>, ifVersion?: number): Promise<ServicePoint> {
  const before = present(await work.stores.servicePoints.find(caller.tenant, idOrName), 'service point', idOrName)
  fresh(before, 'service point', ifVersion)
  const after = await work.stores.servicePoints.update({ ...before, ...change })
  await note(work, caller, [{ action: 'servicePoint.change', entity: before.id, before, after }])
  return after
}

/** CORE-104: one control binding at a time; where none is marked the first that does not say otherwise controls. */
export function oneControl(bindings: readonly (Omit<Binding, 'control'> & { control?: boolean | undefined })[]): Binding[] {
  const marked = bindings.filter((b) => b.control === true).length
  if (marked > 1) throw new Refusal('invalid', 'a resource has one control binding at a time', { faults: [{ path: '/bindings', reason: 'more than one says control' }] })
  const first = marked === 0 ? bindings.findIndex((b) => b.control !== false) : -1
  return bindings.map((b, i) => {
    const remoteId = b.protocol === 'ieee2030_5' ? b.remoteId.toUpperCase() : b.remoteId
    return { protocol: b.protocol, remoteId, ...(b.evseId === undefined ? {} : { evseId: b.evseId }), control: i === first || b.control === true }
  })
}

/** Two resources may not claim the same remote device (REL-061: one device, one effective order). */
async function refuseTaken(work: Work, caller: Caller, bindings: readonly Binding[], self?: string): Promise<void> {
  for (const [i, b] of bindings.entries()) {
    const other = await work.stores.resources.byRemote(caller.tenant, b.protocol, b.remoteId, b.evseId)
    const same = other?.bindings.some((o) => o.protocol === b.protocol && o.remoteId === b.remoteId && o.evseId === b.evseId)
    if (other && same && other.id !== self) throw new Refusal('conflict', `${b.protocol} ${b.remoteId} is already bound to resource '${other.name}'`, { faults: [{ path: `/bindings/${i}`, reason: 'is bound to another resource' }] })
  }
}

export async function createResource(work: Work, caller: Caller, wish: Own<Resource>): Promise<Resource> {
  const point = present(await work.stores.servicePoints.find(caller.tenant, wish.servicePoint), 'service point', wish.servicePoint)
  await refuseTaken(work, caller, wish.bindings)
  const made = await work.stores.resources.insert({ ...wish, servicePoint: point.id, id: work.ids.uuid(), tenant: caller.tenant })
  await note(work, caller, [{ action: 'resource.create', entity: made.id, after: made }])
  return made
}

/** Many at once, all or none; every wrong one is named by its place. */
export async function createResources(work: Work, caller: Caller, wishes: readonly Own<Resource>[]): Promise<Resource[]> {
  const { stores, ids } = work, { tenant } = caller
  const points = await stores.servicePoints.findMany(tenant, wishes.map((w) => w.servicePoint))
  const unknown = wishes.flatMap((w, i) => (points.has(w.servicePoint) ? [] : [{ path: `/${i}/servicePoint`, reason: `there is no service point '${w.servicePoint}'` }]))
  if (unknown.length > 0) throw new Refusal('notFound', `${unknown.length} resources name a service point that does not exist`, { faults: unknown })
  const place = (b: Binding): string => `${b.protocol} ${b.remoteId} ${b.evseId ?? ''}`
  const taken = new Map((await stores.resources.boundTo(tenant, wishes.flatMap((w) => w.bindings))).flatMap((r) => r.bindings.map((b) => [place(b), r.name])))
  const faults = wishes.flatMap((w, i) => w.bindings.flatMap((b, k) => {
    const owner = taken.get(place(b))
    taken.set(place(b), w.name)
    return owner === undefined ? [] : [{ path: `/${i}/bindings/${k}`, reason: `is bound to resource '${owner}'` }]
  }))
  if (faults.length > 0) throw new Refusal('conflict', `${faults.length} bindings are taken`, { faults })
  const made = await stores.resources.insertMany(wishes.map((w) => ({ ...w, servicePoint: points.get(w.servicePoint)!.id, id: ids.uuid(), tenant })))
  await note(work, caller, made.map((r) => ({ action: 'resource.create', entity: r.id, after: r })))
  return made
}

export async function changeResource(work: Work, caller: Caller, idOrName: string, change: Partial<Own<Resource>>, ifVersion?: number): Promise<Resource> {
  const before = present(await work.stores.resources.find(caller.tenant, idOrName), 'resource', idOrName)
  fresh(before, 'resource', ifVersion)
  if (change.bindings) await refuseTaken(work, caller, change.bindings, before.id)
  const point = change.servicePoint === undefined ? undefined : present(await work.stores.servicePoints.find(caller.tenant, change.servicePoint), 'service point', change.servicePoint)
  const after = await work.stores.resources.update({ ...before, ...change, ...(point ? { servicePoint: point.id } : {}) })
  await note(work, caller, [{ action: 'resource.change', entity: before.id, before, after }])
  return after
}

/** Members and parent may be named; they are kept by id. A node has one parent per hierarchy and never lies below itself. */
async function settledNode(work: Work, caller: Caller, node: Own<Aggregation>, self?: string): Promise<Own<Aggregation>> {
  const { stores } = work, members = []
  for (const m of node.members) members.push({ ...m, resource: present(await stores.resources.find(caller.tenant, m.resource), 'resource', m.resource).id })
  let parent: string | null = null
  if (node.parent !== null) {
    const above = present(await stores.aggregations.find(caller.tenant, node.parent), 'aggregation', node.parent)
    for (let n: Aggregation | undefined = above; n; n = n.parent === null ? undefined : await stores.aggregations.get(caller.tenant, n.parent))
      if (n.id === self) throw new Refusal('invalid', 'a node cannot lie below itself', { faults: [{ path: '/parent', reason: 'is below this node' }] })
    parent = above.id
  }
  return { ...node, members, parent }
}

export async function createAggregation(work: Work, caller: Caller, wish: Own<Aggregation>): Promise<Aggregation> {
  const made = await work.stores.aggregations.insert({ ...await settledNode(work, caller, wish), id: work.ids.uuid(), tenant: caller.tenant })
  await note(work, caller, [{ action: 'aggregation.create', entity: made.id, after: made }])
  return made
}

export async function changeAggregation(work: Work, caller: Caller, idOrName: string, change: Partial<Own<Aggregation>>, ifVersion?: number): Promise<Aggregation> {
  const before = present(await work.stores.aggregations.find(caller.tenant, idOrName), 'aggregation', idOrName)
  fresh(before, 'aggregation', ifVersion)
  const { id, tenant, version, createdAt, modifiedAt, ...own } = before
  const after = await work.stores.aggregations.update({ id, tenant, version, createdAt, modifiedAt, ...await settledNode(work, caller, { ...own, ...change }, id) })
  await note(work, caller, [{ action: 'aggregation.change', entity: before.id, before, after }])
  return after
}
