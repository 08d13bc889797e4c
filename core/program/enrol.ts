import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { cancelDeliveries } from '#core/dispatch/withdraw-deliveries.js'
import { Refusal } from '#core/error.js'
import { mustSeeProgram, present } from '#core/permission.js'
import { every } from '#core/port/store/every.js'
import type { Draft } from '#core/port/store/entity.js'
import type { Stores } from '#core/port/store/index.js'
import type { Enrolment, EnrolmentState } from '#core/program/enrolment.js'
import { enrolmentStates } from '#core/program/enrolment-states.js'
import { failSafesOf, keepFailSafes, missingOf } from '#core/program/fail-safe.js'
import type { Program } from '#core/program/program.js'
import { activation, holds, verdict, type FailingRule } from '#core/program/screening.js'
import { screenPoint } from '#core/program/screen-point.js'
import type { ServicePoint } from '#core/program/service-point.js'
import { Exact } from '#core/quantity/money.js'
import { advance } from '#core/state-table.js'
import type { Work } from '#core/work.js'

export interface Application {
  readonly program: string
  readonly servicePoint: string
  readonly share?: string | null
  readonly nominated_W?: number | null
  readonly consent?: Enrolment['consent']
}

export const refusedBy = (sentence: string, failing: readonly FailingRule[]): Refusal =>
  new Refusal('conflict', sentence, { faults: failing.map((f) => ({ path: f.rule, reason: f.detail })) })

/** Apply (CORE-020), after the dual-enrolment verdict (CORE-023). */
export async function apply(work: Work, caller: Caller, wish: Application): Promise<Enrolment> {
  const { stores, ids, clock } = work
  const program = present(await stores.programs.find(caller.tenant, wish.program), 'program', wish.program)
  mustSeeProgram(caller, program.id)
  const point = present(await stores.servicePoints.find(caller.tenant, wish.servicePoint), 'service point', wish.servicePoint)
  const share = wish.share ?? null
  if (share !== null && (!/^\d+(\.\d+)?$/.test(share) || new Exact(share).gt(1))) throw new Refusal('invalid', 'a share is a decimal from 0 to 1', { faults: [{ path: '/share', reason: 'not a decimal from 0 to 1' }] })
  // two applications for one point are judged one after the other
  await stores.ledger.hold(caller.tenant)
  const id = ids.uuid()
  await note(work, caller, [{ action: 'enrolment.apply', entity: id, after: wish }])
  await refuseRivals(stores, caller.tenant, program, point)
  const draft: Draft<Enrolment> = {
    id, tenant: caller.tenant, program: program.id, programVersion: program.programVersion, servicePoint: point.id, state: 'applied', share,
    nominated_W: wish.nominated_W ?? null, consent: wish.consent ?? null, history: [{ from: null, to: 'applied', at: new Date(clock.nowMs()).toISOString(), by: caller.user }],
  }
  return await stores.enrolments.insert(draft)
}

async function refuseRivals(stores: Stores, tenant: string, program: Program, point: ServicePoint): Promise<void> {
  const others = (await every((page) => stores.enrolments.list(tenant, { servicePoint: point.id }, page))).filter((e) => holds.has(e.state))
  if (others.some((e) => e.program === program.id)) throw new Refusal('conflict', `'${point.name}' is enrolled in '${program.name}' already`)
  for (const rival of await stores.programs.getMany(tenant, others.map((e) => e.program)))
    if (verdict(program, rival) === 'exclusive') throw refusedBy(`'${point.name}' is enrolled in '${rival.name}', which excludes '${program.name}'`, [{ rule: 'dualEnrolment', detail: `exclusive with ${rival.name}` }])
}

/** One step of CORE-020; the guards of the step report everything that fails at once (CORE-021). */
export async function transition(work: Work, caller: Caller, id: string, wish: { to: EnrolmentState; reason?: string; ifVersion?: number; tested?: boolean }): Promise<Enrolment> {
  const { stores, clock } = work
  // nobody sells a point while it leaves
  await stores.ledger.hold(caller.tenant)
  const before = present(await stores.enrolments.get(caller.tenant, id), 'enrolment', id)
  mustSeeProgram(caller, before.program)
  if (wish.ifVersion !== undefined && wish.ifVersion !== before.version) throw new Refusal('stale', `the enrolment is at version ${before.version}`)
  const state = advance(enrolmentStates, before.state, wish.to, 'enrolment')
  const program = present(await stores.programs.get(caller.tenant, before.program), 'program', before.program)
  const resources = state === 'active' ? await every((page) => stores.resources.list(caller.tenant, { servicePoint: before.servicePoint }, page)) : [], safes = await failSafesOf(work, caller.tenant, resources)
  const failing = state === 'eligible' || state === 'verified' ? await screened(work, program, before)
    : state === 'active' ? activation(program, before, wish.tested ?? false, missingOf(resources, safes)) : []
  if (failing.length > 0) throw refusedBy(`the enrolment cannot become ${state}: ${failing.map((f) => f.detail).join('; ')}`, failing)
  const step = { from: before.state, to: state, at: new Date(clock.nowMs()).toISOString(), by: caller.user, ...(wish.reason === undefined ? {} : { reason: wish.reason }) }
  const after = await stores.enrolments.update({ ...before, state, history: [...before.history, step] })
  await note(work, caller, [{ action: `enrolment.${state}`, entity: id, reason: wish.reason, before: before.state, after }])
  await keepFailSafes(work, caller, id, safes.fresh)
  // CORE-022, CORE-020: who is not active any more is not controlled any more
  if (before.state === 'active') await releasePoint(work, caller, program, before.servicePoint, `enrolment ${state}`)
  return after
}

async function screened(work: Work, program: Program, enrolment: Enrolment): Promise<FailingRule[]> {
  const { stores } = work
  const point = present(await stores.servicePoints.get(enrolment.tenant, enrolment.servicePoint), 'service point', enrolment.servicePoint)
  const resources = await every((page) => stores.resources.list(enrolment.tenant, { servicePoint: point.id }, page))
  return await screenPoint(work, program, point, resources)
}

/** CORE-022: no read of the data from here on, and open instructions are cancelled. */
export async function withdrawConsent(work: Work, caller: Caller, id: string): Promise<Enrolment> {
  const { stores, clock } = work
  await stores.ledger.hold(caller.tenant)
  const before = present(await stores.enrolments.get(caller.tenant, id), 'enrolment', id)
  mustSeeProgram(caller, before.program)
  if (!before.consent) throw new Refusal('conflict', 'this enrolment holds no consent')
  const at = new Date(clock.nowMs()).toISOString()
  const withdrawn = await stores.enrolments.update({ ...before, consent: { ...before.consent, withdrawnAt: at } })
  await note(work, caller, [{ action: 'consent.withdraw', entity: id, before: before.consent, after: withdrawn.consent }])
  return before.state === 'withdrawn' || before.state === 'rejected' ? withdrawn : await transition(work, caller, id, { to: 'withdrawn', reason: 'consent withdrawn' })
}

async function releasePoint(work: Work, caller: Caller, program: Program, servicePoint: string, reason: string): Promise<void> {
  const resources = new Set((await every((page) => work.stores.resources.list(caller.tenant, { servicePoint }, page))).map((r) => r.id))
  await cancelDeliveries(work, caller, { program: program.id, reason, which: (d) => resources.has(d.resource) })
}
