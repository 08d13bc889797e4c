import type { Delivery } from '#core/dispatch/delivery.js'
import { lost } from '#core/dispatch/delivery-states.js'
import type { Scene } from '#core/dispatch/test-scene.js'
import { every } from '#core/port/store/every.js'
import type { AuditRecord } from '#core/port/store/audit.js'

export interface Grid {
  readonly start: number
  readonly slots: number
  readonly slot_s: number
  /** What each device can give. */
  readonly down_W: number
}

export interface Sold {
  readonly violations: readonly string[]
  readonly moves: { readonly published: number; readonly cancelled: number; readonly restated: number; readonly refused: number }
}

const bringsParts = new Set(['dispatch.publish', 'dispatch.supersede', 'dispatch.revise'])
const endsPart = /^delivery\.(cancelled|superseded|optedOut|rejected|noComms)$/

/**
 * The trail is the order in which the tenant's ledger lock was held: replayed as a bank with one account for each device and slot.
 * No account is ever above what its device can give; an order got what was free, no more and no less; nobody sells a device that is
 * not enrolled or has opted out; and the books end as the trail says.
 */
export async function replay({ database, tenant, resources }: Scene, grid: Grid): Promise<Sold> {
  const { stores } = database, dispatches = new Map((await every((page) => stores.dispatches.list(tenant, {}, page), 200)).map((d) => [d.id, d]))
  const enrolments = new Map((await every((page) => stores.enrolments.list(tenant, {}, page), 200)).map((e) => [e.id, e.servicePoint]))
  const outs = new Map((await stores.documents.list<{ resource: string }>(tenant, { kind: 'core/OptOut', limit: 100_000 })).map((d) => [d.id, d.body.resource]))
  const parts = new Map<string, Delivery[]>()
  for (const id of dispatches.keys()) parts.set(id, await stores.deliveries.of(tenant, id))
  const violations: string[] = [], moves = { published: 0, cancelled: 0, restated: 0, refused: 0 }
  const held = new Map<string, Delivery>(), revisions = new Map<string, number>(), active = new Map<string, string>(), out = new Map<string, Set<string>>()
  const slotsOf = (d: Pick<Delivery, 'order'>): number[] => Array.from({ length: grid.slots }, (_, s) => s).filter((s) => d.order.start < grid.start + (s + 1) * grid.slot_s && d.order.end > grid.start + s * grid.slot_s)
  const account = (resource: string, slot: number): number => {
    let sum = 0
    for (const d of held.values()) if (d.resource === resource && slotsOf(d).includes(slot)) sum += Math.abs(d.order.intervals[0]!.delta_W)
    return sum
  }
  const sellable = (r: { id: string; servicePoint: string }): boolean => active.has(r.servicePoint) && !(out.get(r.id)?.size)
  const free = (window: readonly number[]): number => resources.reduce((sum, r) => sum + (sellable(r) ? Math.max(0, grid.down_W - Math.max(...window.map((s) => account(r.id, s)))) : 0), 0)

  const apply = (r: AuditRecord, next: AuditRecord | undefined): void => {
    const dispatch = dispatches.get(r.entity)
    if (r.action === 'enrolment.active') active.set(enrolments.get(r.entity)!, r.entity)
    else if (r.action === 'enrolment.withdrawn' && active.get(enrolments.get(r.entity)!) === r.entity) active.delete(enrolments.get(r.entity)!)
    else if (r.action === 'optOut.create') out.set(outs.get(r.entity)!, new Set([...out.get(outs.get(r.entity)!) ?? [], r.entity]))
    else if (r.action === 'optOut.end') out.get(outs.get(r.entity)!)?.delete(r.entity)
    else if (endsPart.test(r.action)) held.delete(r.entity)
    else if (r.action === 'dispatch.guard' || r.action === 'dispatch.refuse') moves.refused++
    else if (dispatch && bringsParts.has(r.action)) {
      // a reallocation that changed nothing is no revision
      const before = revisions.get(r.entity) ?? 0, revision = r.action === 'dispatch.publish' ? 1 : told.get(r.seq)!, born = revision > before ? parts.get(r.entity)!.filter((d) => d.order.revision === revision) : []
      if (r.action === 'dispatch.publish') {
        moves.published++
        const window = slotsOf({ order: dispatch } as unknown as Delivery), there = free(window), got = born.reduce((sum, d) => sum + Math.abs(d.order.intervals[0]!.delta_W), 0)
        if (got !== Math.min(Math.abs(dispatch.delta_W), there)) violations.push(`${r.seq}: ${got} W sold to an order of ${-dispatch.delta_W} W, ${there} W were free`)
      } else moves.restated++
      for (const d of born) {
        const resource = resources.find((x) => x.id === d.resource)!
        if (r.action === 'dispatch.publish' && !sellable(resource)) violations.push(`${r.seq}: ${resource.name} was sold and is out`)
        held.set(d.id, d)
      }
      if (revision > before + 1) violations.push(`${r.seq}: revision ${revision} follows ${before}`)
      revisions.set(r.entity, revision)
    } else if (r.action === 'dispatch.cancel') moves.cancelled++
    // one command brings parts before it ends the old ones: judged when its records are through
    if (!next || !endsPart.test(next.action)) {
      for (const x of resources) for (let s = 0; s < grid.slots; s++) {
        const sum = account(x.id, s)
        if (sum > grid.down_W) violations.push(`${r.seq} ${r.action}: ${x.name} gives ${sum} W of ${grid.down_W} W in slot ${s}`)
      }
    }
  }
  const trail: AuditRecord[] = []
  await stores.audit.walk(tenant, (batch) => { trail.push(...batch) })
  const told = new Map<number, number>(), restated = trail.filter((r) => bringsParts.has(r.action)).map((r) => r.seq)
  for (let i = 0; i < restated.length; i += 1000) for (const [seq, d] of await stores.audit.details(tenant, restated.slice(i, i + 1000))) told.set(seq, (JSON.parse(d.after ?? '{}') as { revision?: number }).revision ?? 0)
  trail.forEach((r, i) => { apply(r, trail[i + 1]) })

  const books = [...parts.values()].flat().filter((d) => !lost.has(d.state)).map((d) => d.id).sort(), left = [...held.keys()].sort()
  if (books.join() !== left.join()) violations.push(`the books hold ${books.length} parts, the trail ${left.length}`)
  for (const id of books) {
    const d = [...parts.values()].flat().find((x) => x.id === id)!, r = resources.find((x) => x.id === d.resource)!
    if (!sellable(r)) violations.push(`${r.name} is out and still has to give ${d.order.intervals[0]!.delta_W} W`)
  }
  return { violations, moves }
}
