import type { DeliveryOrder, DispatchChannel, SendOutcome } from '#core/port/dispatch-channel.js'
import type { DocumentStore } from '#core/port/store/document.js'
import type { Stores } from '#core/port/store/index.js'
import type { Context } from '#vtn/context.js'
import { failSafe } from '#vtn/fail-safe.js'
import { lifespan } from '#vtn/lifespan.js'
import type { Change } from '#vtn/notice.js'
import { meteringEvent, meteringID, meteringWindow, widened } from '#vtn/metering.js'
import { cancelled, eventOf } from '#vtn/order.js'
import { endless } from '#vtn/resource/event.js'
import { everybody, kindOf, tidy, type Content, type Stored } from '#vtn/stored.js'
import type { EventRequest } from '#vtn/wire/event.js'

/** What the VTN remembers of an order; its id is the order's id and the event's id, so a repeated send finds it (REL-002). */
export interface OrderRecord {
  readonly revision: number
  readonly state: 'sent' | 'received' | 'declined' | 'cancelling' | 'cancelled'
  readonly dispatch: string
  readonly resource: string
  readonly servicePoint: string
  readonly venID: string
  readonly start: number
  readonly end: number
}

export const orderKind = 'vtn/order'
const atOnce = 500

/** Targets hide each VEN's event from the others (CORE-092, OA-104): a name that only this ven object carries. */
const targetOf = (venID: string): string => `ven-${venID}`

/** Orders become one event per VEN, since each has its own change of load. Idempotent on order id and revision. */
export function openAdrChannel(context: Context): DispatchChannel {
  const { unitOfWork, clock, config } = context
  const { tenant } = config

  async function inBatches(orders: readonly DeliveryOrder[], work: (batch: readonly DeliveryOrder[]) => Promise<SendOutcome[]>): Promise<SendOutcome[]> {
    const out: SendOutcome[] = []
    for (let at = 0; at < orders.length; at += atOnce) {
      const batch = orders.slice(at, at + atOnce)
      try {
        out.push(...await work(batch))
      } catch (error) {
        context.log.error({ err: error, clause: 'CORE-103' }, 'orders could not be stored as events')
        out.push(...batch.map((o) => ({ id: o.id, outcome: 'failed' as const, reason: 'the VTN could not store the event' })))
      }
    }
    return out
  }

  async function vensByName(store: DocumentStore, orders: readonly DeliveryOrder[]): Promise<Map<string, Stored>> {
    const names = [...new Set(orders.map((o) => o.binding.remoteId))]
    const found = await Promise.all(names.map((name) => store.byKey<Content>(tenant, kindOf.VEN, '', name)))
    return new Map(found.flatMap((ven) => (ven ? [[String(ven.key), ven] as const] : [])))
  }

  /** The VTN's program object for a core program: same id; an object of that name which business logic made is used as it is. */
  async function programFor(stores: Stores, program: DeliveryOrder['program'], changes: Change[]): Promise<string> {
    const existing = await stores.documents.get<Content>(tenant, kindOf.PROGRAM, program.id) ?? await stores.documents.byKey<Content>(tenant, kindOf.PROGRAM, '', program.name)
    if (existing) return existing.id
    const [made] = await stores.documents.insertMany<Content>(
      [{ tenant, kind: kindOf.PROGRAM, id: program.id, parent: '', key: program.name, targets: everybody, body: { programName: program.name } }], clock.nowMs(), { onConflict: 'skip' })
    if (made) changes.push({ objectType: 'PROGRAM', operation: 'CREATE', after: made })
    return made?.id ?? (await stores.documents.byKey<Content>(tenant, kindOf.PROGRAM, '', program.name))?.id ?? program.id
  }

  /** Gives a ven its own target the first time it is dispatched (OA-080: targets are business logic's to write). */
  async function aimed(stores: Stores, ven: Stored): Promise<void> {
    const target = targetOf(ven.id)
    if (ven.targets.includes(target)) return
    const targets = [...ven.targets, target]
    await stores.documents.replace({ ...ven, targets, body: { ...ven.body, targets } }, Math.max(clock.nowMs(), ven.modifiedAt + 1), ven.version)
  }

  const row = (order: DeliveryOrder, content: EventRequest, venID: string) => {
    const life = lifespan(content, clock.nowMs())
    return {
      tenant, kind: kindOf.EVENT, id: order.id, parent: content.programID, key: null, targets: [targetOf(venID)], owner: null,
      sort1: life?.end == null ? endless : Math.ceil(life.end / 1000), sort2: order.start, body: tidy(content),
    }
  }
  const record = (order: DeliveryOrder, ven: Stored, state: OrderRecord['state']) => ({
    tenant, kind: orderKind, id: order.id, parent: order.dispatch, owner: ven.owner, key: null,
    body: {
      revision: order.revision, state, dispatch: order.dispatch, resource: order.resource.id, servicePoint: order.resource.servicePoint,
      venID: ven.id, start: order.start, end: order.end,
    } satisfies OrderRecord,
  })

  const send = (batch: readonly DeliveryOrder[]): Promise<SendOutcome[]> => unitOfWork.run(async (stores) => {
    const vens = await vensByName(stores.documents, batch)
    const known = new Map((await stores.documents.list<OrderRecord>(tenant, { kind: orderKind, ids: batch.map((o) => o.id) })).map((d) => [d.id, d]))
    const changes: Change[] = [], programs = new Map<string, string>(), fresh: { order: DeliveryOrder; ven: Stored; content: EventRequest }[] = []
    const outcomes: SendOutcome[] = []
    for (const order of batch) {
      const ven = vens.get(order.binding.remoteId)
      const before = known.get(order.id)
      if (!ven) { outcomes.push({ id: order.id, outcome: 'failed', reason: `no ven named ${order.binding.remoteId} has registered` }); continue }
      outcomes.push({ id: order.id, outcome: 'sent', remoteRef: order.id })
      // A late repeat of an older revision, or of one that was cancelled, has no effect.
      if (before && before.body.revision >= order.revision) continue
      const programID = programs.get(order.program.id) ?? await programFor(stores, order.program, changes)
      programs.set(order.program.id, programID)
      fresh.push({ order, ven, content: eventOf(order, programID, targetOf(ven.id)) })
    }
    for (const ven of new Set(fresh.map((f) => f.ven))) await aimed(stores, ven)
    await write(stores, fresh.filter((f) => !known.has(f.order.id)), fresh.filter((f) => known.has(f.order.id)), changes)
    await meter(stores, fresh, changes)
    await context.notices.record(stores, changes)
    return outcomes
  })

  async function write(stores: Stores, made: { order: DeliveryOrder; ven: Stored; content: EventRequest }[], changed: typeof made, changes: Change[]): Promise<void> {
    const events = await stores.documents.insertMany<Content>(made.map((f) => row(f.order, f.content, f.ven.id)), clock.nowMs())
    await stores.documents.insertMany(made.map((f) => record(f.order, f.ven, 'sent')), clock.nowMs())
    for (const after of events) changes.push({ objectType: 'EVENT', operation: 'CREATE', after })
    for (const f of changed) await rewrite(stores, f.order, f.ven, f.content, 'sent', changes)
  }

  /** The report-only event of each dispatch and VEN: made with the first order, lengthened by a longer one, never taken back. */
  async function meter(stores: Stores, fresh: { order: DeliveryOrder; ven: Stored; content: EventRequest }[], changes: Change[]): Promise<void> {
    const asked = new Map(fresh.map((f) => [meteringID(f.order.dispatch, f.ven.id), f]))
    if (!asked.size) return
    const known = new Map((await stores.documents.list<Content>(tenant, { kind: kindOf.EVENT, ids: [...asked.keys()] })).map((d) => [d.id, d]))
    const made = []
    for (const [id, { order, ven, content }] of asked) {
      const before = known.get(id)
      const window = before ? widened(before.body as EventRequest, order) : meteringWindow(order)
      if (!window) continue
      const target = targetOf(ven.id), event = meteringEvent(order, before?.parent ?? content.programID, target, window)
      const placed = { tenant, kind: kindOf.EVENT, id, parent: event.programID, key: null, targets: [target], owner: null, sort1: window.end, sort2: window.start, body: tidy(event) }
      if (before) changes.push({ objectType: 'EVENT', operation: 'UPDATE', before, after: await stores.documents.replace<Content>(placed, Math.max(clock.nowMs(), before.modifiedAt + 1)) })
      else made.push(placed)
    }
    for (const after of await stores.documents.insertMany<Content>(made, clock.nowMs(), { onConflict: 'skip' })) changes.push({ objectType: 'EVENT', operation: 'CREATE', after })
  }

  async function rewrite(stores: Stores, order: DeliveryOrder, ven: Stored, content: EventRequest, state: OrderRecord['state'], changes: Change[]): Promise<void> {
    const before = await stores.documents.get<Content>(tenant, kindOf.EVENT, order.id)
    if (!before) return
    const after = await stores.documents.replace<Content>(row(order, content, ven.id), Math.max(clock.nowMs(), before.modifiedAt + 1))
    await stores.documents.replace(record(order, ven, state), clock.nowMs())
    changes.push({ objectType: 'EVENT', operation: 'UPDATE', before, after })
  }

  const cancel = (batch: readonly DeliveryOrder[]): Promise<SendOutcome[]> => unitOfWork.run(async (stores) => {
    const vens = await vensByName(stores.documents, batch)
    const known = new Map((await stores.documents.list<OrderRecord>(tenant, { kind: orderKind, ids: batch.map((o) => o.id) })).map((d) => [d.id, d]))
    const changes: Change[] = []
    for (const order of batch) {
      const before = known.get(order.id), ven = vens.get(order.binding.remoteId)
      const event = await stores.documents.get<Content>(tenant, kindOf.EVENT, order.id)
      if (!before || !ven || !event || before.body.state === 'cancelling' || before.body.state === 'cancelled') continue
      await rewrite(stores, order, ven, cancelled(event.body as EventRequest), 'cancelling', changes)
    }
    await context.notices.record(stores, changes)
    return batch.map((o) => ({ id: o.id, outcome: 'sent' as const, remoteRef: o.id }))
  })

  return {
    protocol: 'openadr',
    send: (orders) => inBatches(orders, send),
    cancel: (orders) => inBatches(orders, cancel),
    failSafe,
  }
}
