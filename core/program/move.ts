import { note } from '#core/audit/note.js'
import { system, type Caller } from '#core/caller.js'
import type { Handler } from '#core/dispatch/timetable.js'
import { present } from '#core/permission.js'
import type { Document } from '#core/port/store/document.js'
import { every } from '#core/port/store/every.js'
import type { Stores } from '#core/port/store/index.js'
import { transition } from '#core/program/enrol.js'
import { holds } from '#core/program/screening.js'
import type { Transact, Work } from '#core/work.js'

export const moveKind = 'core/Move'

/** CORE-028: something that ends what was agreed for a service point at an instant. */
export interface Move {
  readonly what: 'moveOut' | 'meterChange' | 'ownershipChange'
  /** Epoch seconds; half-open: the new state holds from here on. */
  readonly at: number
  readonly reason: string
  readonly accountBefore: string | null
  readonly accountAfter: string | null
  readonly meterBefore: string | null
  readonly meterAfter: string | null
  readonly state: 'planned' | 'done'
  /** Enrolments that it ended. */
  readonly ended: readonly string[]
}

export interface MoveWish {
  readonly what: Move['what']
  readonly at: number
  readonly reason: string
  readonly account?: string | null
  readonly meterBefore?: string | null
  readonly meterAfter?: string | null
}

/** Now, or on the timetable when it lies ahead. A meter change keeps the account, the others take the new one (or none). */
export async function planMove(work: Work, caller: Caller, servicePoint: string, wish: MoveWish): Promise<Document<Move>> {
  const { stores, clock, ids } = work
  await stores.ledger.hold(caller.tenant)
  const point = present(await stores.servicePoints.find(caller.tenant, servicePoint), 'service point', servicePoint)
  const body: Move = {
    what: wish.what, at: wish.at, reason: wish.reason, accountBefore: point.account, accountAfter: wish.what === 'meterChange' ? point.account : wish.account ?? null,
    meterBefore: wish.meterBefore ?? null, meterAfter: wish.meterAfter ?? null, state: 'planned', ended: [],
  }
  const planned = await stores.documents.insert<Move>({ tenant: caller.tenant, kind: moveKind, id: ids.uuid(), parent: point.id, sort1: wish.at, body }, clock.nowMs())
  await note(work, caller, [{ action: 'servicePoint.move', entity: point.id, reason: wish.reason, after: body }])
  if (wish.at <= clock.now()) return await carryOut(work, caller, planned)
  await stores.agenda.add([{ id: ids.uuid(), tenant: caller.tenant, task: 'move', subject: `move/${point.id}`, dueAt: wish.at * 1000, payload: { move: planned.id } }])
  return planned
}

/** Ends the enrolments of the point; what was measured and settled before stays with the account it had. */
async function carryOut(work: Work, caller: Caller, move: Document<Move>): Promise<Document<Move>> {
  const { stores, clock } = work
  await stores.ledger.hold(caller.tenant)
  const point = present(await stores.servicePoints.get(caller.tenant, move.parent), 'service point', move.parent), ended: string[] = []
  for (const e of await every((page) => stores.enrolments.list(caller.tenant, { servicePoint: point.id }, page))) {
    if (!holds.has(e.state)) continue
    await transition(work, caller, e.id, { to: 'withdrawn', reason: `${move.body.what}: ${move.body.reason}` })
    ended.push(e.id)
  }
  const body: Move = { ...move.body, accountBefore: point.account, state: 'done', ended }
  if (body.accountAfter !== point.account) await stores.servicePoints.update({ ...point, account: body.accountAfter })
  const done = await stores.documents.replace<Move>({ ...move, body }, clock.nowMs(), move.version)
  await note(work, caller, [{ action: 'servicePoint.moved', entity: point.id, before: { account: point.account }, after: body }])
  return done
}

export const moveTask = (transact: Transact): Handler => (entry) => transact(async (work) => {
  const planned = await work.stores.documents.get<Move>(entry.tenant, moveKind, (entry.payload as { move: string }).move)
  if (planned?.body.state === 'planned') await carryOut(work, system(entry.tenant), planned)
  return undefined
})

/** Whose a point was at an instant: history before a move stays with the old account. */
export async function accountAt(stores: Stores, tenant: string, servicePoint: string, at: number): Promise<string | null> {
  const moves = await stores.documents.list<Move>(tenant, { kind: moveKind, parent: servicePoint, order: ['sort1'], limit: 1000 })
  const next = moves.find((m) => m.body.state === 'done' && m.body.at > at)
  return next ? next.body.accountBefore : (await stores.servicePoints.get(tenant, servicePoint))?.account ?? null
}

/** The same for many points and instants, read once: only points that moved are remembered, the others have the account they have. */
export async function accountBook(stores: Stores, tenant: string): Promise<(servicePoint: string, at: number) => string | null> {
  const moves = (await stores.documents.list<Move>(tenant, { kind: moveKind, order: ['sort1'], limit: 100_000 })).filter((m) => m.body.state === 'done')
  const points = new Map((await stores.servicePoints.getMany(tenant, [...new Set(moves.map((m) => m.parent))])).map((p) => [p.id, p.account]))
  return (servicePoint, at) => {
    const next = moves.find((m) => m.parent === servicePoint && m.body.at > at)
    return next ? next.body.accountBefore : points.get(servicePoint) ?? null
  }
}
