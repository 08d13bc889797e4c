import { note } from '#core/audit/note.js'
import { system, type Caller } from '#core/caller.js'
import type { Handler } from '#core/dispatch/timetable.js'
import { Refusal } from '#core/error.js'
import { mustSeeProgram, present } from '#core/permission.js'
import type { Document } from '#core/port/store/document.js'
import { every } from '#core/port/store/every.js'
import { interval, type Instant, type Interval } from '#core/quantity/interval.js'
import type { Money } from '#core/quantity/money.js'
import type { W } from '#core/quantity/power.js'
import { mostAtOnce } from '#core/flex/commitment.js'
import { advance, type StateTable } from '#core/state-table.js'
import type { Transact, Work } from '#core/work.js'

export const nominationKind = 'core/Nomination'
export const nominationTask = 'nomination-expire'
export type NominationState = 'offered' | 'accepted' | 'withdrawn' | 'expired'

/** core-dr.md §3: the owner's until it is accepted, then a commitment; the clock's when nobody answers. */
export const nominationStates: StateTable<NominationState, NominationState> = {
  offered: { accepted: 'accepted', withdrawn: 'withdrawn', expired: 'expired' },
  accepted: {},
  withdrawn: {},
  expired: {},
}

/** Watts promised for a period by an enrolment or a portfolio (core-dr.md §2). With a price it is what a market calls a flex offer. */
export interface Nomination extends Interval {
  readonly program: string
  readonly owner: { readonly kind: 'enrolment' | 'aggregation'; readonly id: string }
  readonly power_W: W
  /** Money per kWh; null = at the program's price. */
  readonly price: Money | null
  /** Until when the offer stands; its start when not said. */
  readonly expiresAt: Instant
  readonly state: NominationState
  readonly history: readonly { readonly from: NominationState | null; readonly to: NominationState; readonly at: string; readonly by: string; readonly reason?: string }[]
}

export interface NominationWish extends Interval {
  readonly program: string
  readonly enrolment?: string | undefined
  readonly aggregation?: string | undefined
  readonly power_W: W
  readonly price?: Money | null | undefined
  readonly expiresAt?: Instant | undefined
}

const stamp = (work: Work): string => new Date(work.clock.nowMs()).toISOString()
const fault = (path: string, reason: string): Refusal => new Refusal('invalid', `${path.slice(1)} ${reason}`, { faults: [{ path, reason }] })

async function ownerOf({ stores }: Work, caller: Caller, program: string, wish: NominationWish): Promise<Nomination['owner']> {
  if ((wish.enrolment === undefined) === (wish.aggregation === undefined)) throw fault('/enrolment', 'or aggregation is needed, one of the two')
  if (wish.aggregation !== undefined) return { kind: 'aggregation', id: present(await stores.aggregations.find(caller.tenant, wish.aggregation), 'aggregation', wish.aggregation).id }
  const found = await stores.enrolments.get(caller.tenant, wish.enrolment!), enrolment = present(found?.program === program ? found : undefined, 'enrolment', wish.enrolment!)
  if (enrolment.state !== 'active') throw new Refusal('conflict', `the enrolment is ${enrolment.state}: only an active one can promise`)
  return { kind: 'enrolment', id: enrolment.id }
}

/** An offer of watts for a period; it expires by itself. */
export async function nominate(work: Work, caller: Caller, wish: NominationWish): Promise<Document<Nomination>> {
  const { stores, clock, ids } = work, program = present(await stores.programs.find(caller.tenant, wish.program), 'program', wish.program)
  mustSeeProgram(caller, program.id)
  const window = interval(wish.start, wish.end), expiresAt = wish.expiresAt ?? window.start, step = program.intervalMinutes * 60
  if (wish.power_W <= 0) throw fault('/power_kW', 'must be above 0')
  if (window.start % step !== 0 || window.end % step !== 0) throw fault('/start', `must lie on the program's intervals of ${program.intervalMinutes} minutes (CORE-003)`)
  if (expiresAt <= clock.now() || expiresAt > window.end) throw fault('/expiresAt', 'must be ahead and not after the end')
  const owner = await ownerOf(work, caller, program.id, wish), id = ids.uuid()
  const body: Nomination = { program: program.id, owner, ...window, power_W: wish.power_W, price: wish.price ?? null, expiresAt, state: 'offered', history: [{ from: null, to: 'offered', at: stamp(work), by: caller.user }] }
  await note(work, caller, [{ action: 'nomination.offered', entity: id, after: body }])
  const made = await stores.documents.insert<Nomination>({ tenant: caller.tenant, kind: nominationKind, id, parent: program.id, owner: owner.id, sort1: window.start, sort2: window.end, body }, clock.nowMs())
  await stores.agenda.add([{ id: ids.uuid(), tenant: caller.tenant, task: nominationTask, subject: `nomination/${id}`, dueAt: expiresAt * 1000, payload: { nomination: id } }])
  return made
}

export async function findNomination(work: Pick<Work, 'stores'>, caller: Caller, id: string): Promise<Document<Nomination>> {
  const found = present(await work.stores.documents.get<Nomination>(caller.tenant, nominationKind, id), 'nomination', id)
  mustSeeProgram(caller, found.body.program)
  return found
}

/** The next state; accepting is refused where the owner has already promised what it has (CORE-035). */
export async function moveNomination(work: Work, caller: Caller, id: string, wish: { to: NominationState; reason?: string; ifVersion?: number }): Promise<Document<Nomination>> {
  const { stores, clock } = work
  // of two that would take the same watts one is accepted
  await stores.ledger.hold(caller.tenant)
  await note(work, caller, [{ action: 'nomination.move', entity: id, reason: wish.to }])
  const before = await findNomination(work, caller, id)
  if (wish.ifVersion !== undefined && wish.ifVersion !== before.version) throw new Refusal('stale', `the nomination is at version ${before.version}`)
  const state = advance(nominationStates, before.body.state, wish.to, 'nomination')
  if (state === 'expired' && before.body.expiresAt > clock.now()) throw new Refusal('conflict', 'it stands until its time is over')
  if (state === 'accepted' && before.body.expiresAt <= clock.now()) throw new Refusal('conflict', 'this nomination has expired')
  if (state === 'accepted') await refuseOverPromise(work, caller.tenant, before)
  const step = { from: before.body.state, to: state, at: stamp(work), by: caller.user, ...(wish.reason === undefined ? {} : { reason: wish.reason }) }
  const body: Nomination = { ...before.body, state, history: [...before.body.history, step] }
  const after = await stores.documents.replace<Nomination>({ ...before, body }, clock.nowMs(), before.version)
  await note(work, caller, [{ action: `nomination.${state}`, entity: id, reason: wish.reason, before: before.body, after: body }])
  return after
}

async function refuseOverPromise({ stores }: Work, tenant: string, { id, body }: Document<Nomination>): Promise<void> {
  const rated = await ratedOf(stores, tenant, body.owner)
  const others = (await stores.documents.list<Nomination>(tenant, { kind: nominationKind, owner: body.owner.id, sort1To: body.end - 1, sort2From: body.start + 1, where: { state: 'accepted' } })).filter((d) => d.id !== id).map((d) => d.body)
  const promised = mostAtOnce(others, body)
  if (promised + body.power_W > rated) throw new Refusal('conflict', `${promised} W of ${rated} W are promised already in this period`, { faults: [{ path: '/power_kW', reason: `${Math.max(0, rated - promised) / 1000} kW are left` }] })
}

/** What the owner could do at most: its active resources at their rating. */
async function ratedOf(stores: Work['stores'], tenant: string, owner: Nomination['owner']): Promise<W> {
  const enrolment = owner.kind === 'enrolment' ? await stores.enrolments.get(tenant, owner.id) : undefined
  const members = owner.kind === 'aggregation' ? ((await stores.aggregations.get(tenant, owner.id))?.members ?? []).filter((m) => m.to === null).map((m) => m.resource) : []
  const resources = enrolment ? await every((page) => stores.resources.list(tenant, { servicePoint: enrolment.servicePoint }, page)) : await stores.resources.getMany(tenant, members)
  return resources.filter((r) => r.state === 'active').reduce((sum, r) => sum + r.rated_W, 0)
}

/** Nobody answered in time. Safe to run twice: the state table refuses the second. */
export const nominationExpiry = (transact: Transact): Handler => (entry) => transact(async (work) => {
  const id = (entry.payload as { nomination: string }).nomination, found = await work.stores.documents.get<Nomination>(entry.tenant, nominationKind, id)
  if (found?.body.state === 'offered') await moveNomination(work, system(entry.tenant), id, { to: 'expired', reason: 'nobody answered in time' })
})
