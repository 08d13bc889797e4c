import { note, type Note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { seesProgram } from '#core/permission.js'
import type { Draft } from '#core/port/store/entity.js'
import { every } from '#core/port/store/every.js'
import type { Enrolment, EnrolmentState } from '#core/program/enrolment.js'
import type { Application } from '#core/program/enrol.js'
import { failSafesOf, keepFailSafes, missingOf } from '#core/program/fail-safe.js'
import type { Program } from '#core/program/program.js'
import type { Resource } from '#core/program/resource.js'
import { screenPoint } from '#core/program/screen-point.js'
import { activation, holds, verdict } from '#core/program/screening.js'
import type { ServicePoint } from '#core/program/service-point.js'
import { Exact } from '#core/quantity/money.js'
import type { Work } from '#core/work.js'

/** How far a new enrolment may go in one step when every rule on the way passes (CORE-020). */
export type Goal = 'applied' | 'eligible' | 'verified' | 'active'
const road: readonly Goal[] = ['applied', 'eligible', 'verified', 'active']

export interface ManyApplication extends Application {
  readonly to?: Goal
  readonly tested?: boolean
}

/** What became of one row: an enrolment, or every reason why not. */
export type RowOutcome = { readonly enrolment: Draft<Enrolment> } | { readonly reasons: readonly { readonly path: string; readonly reason: string }[] }

/**
 * Applications judged by the rules of `apply` and `transition`, but in a few statements for all of them. Stores nothing: the caller
 * decides whether one refusal spoils all (an array) or only its row (a bulk file). The tenant's ledger must be held (see `hold`).
 */
export async function judgeMany(work: Work, caller: Caller, wishes: readonly ManyApplication[]): Promise<RowOutcome[]> {
  const { stores } = work, { tenant } = caller
  const programs = await stores.programs.findMany(tenant, wishes.map((w) => w.program)), points = await stores.servicePoints.findMany(tenant, wishes.map((w) => w.servicePoint))
  const ids = [...new Set([...points.values()].map((p) => p.id))], resources = new Map<string, Resource[]>(), held = new Map<string, { program: string }[]>()
  for (let i = 0; i < ids.length; i += 2000) {
    const some = ids.slice(i, i + 2000)
    for (const r of await behind(work, tenant, some)) push(resources, r.servicePoint, r)
    for (const e of await every((page) => stores.enrolments.list(tenant, { servicePoints: some }, page), 5000)) if (holds.has(e.state)) push(held, e.servicePoint, e)
  }
  const every_ = new Map([...programs.values()].map((p) => [p.id, p]))
  const strange = [...new Set([...held.values()].flat().map((e) => e.program))].filter((id) => !every_.has(id))
  for (const p of await stores.programs.getMany(tenant, strange)) every_.set(p.id, p)
  const out: RowOutcome[] = []
  for (const wish of wishes) {
    const program = programs.get(wish.program), point = points.get(wish.servicePoint)
    const outcome = !program || !seesProgram(caller, program.id) ? no('program', `there is no program '${wish.program}'`) : !point ? no('servicePoint', `there is no service point '${wish.servicePoint}'`)
      : await judge(work, caller, wish, program, point, resources.get(point.id) ?? [], held.get(point.id) ?? [], every_)
    // the next row of the same point meets this one
    if ('enrolment' in outcome) push(held, outcome.enrolment.servicePoint, outcome.enrolment)
    out.push(outcome)
  }
  return out
}

const push = <V>(map: Map<string, V[]>, key: string, value: V): void => void (map.get(key)?.push(value) ?? map.set(key, [value]))
const no = (path: string, reason: string): RowOutcome => ({ reasons: [{ path, reason }] })

async function judge(work: Work, caller: Caller, wish: ManyApplication, program: Program, point: ServicePoint, resources: readonly Resource[], held: readonly { program: string }[], programs: ReadonlyMap<string, Program>): Promise<RowOutcome> {
  const share = wish.share ?? null, goal = road.indexOf(wish.to ?? 'applied')
  if (share !== null && (!/^\d+(\.\d+)?$/.test(share) || new Exact(share).gt(1))) return no('share', 'is not a decimal from 0 to 1')
  const rival = held.find((e) => e.program === program.id || verdict(program, programs.get(e.program)!) === 'exclusive')
  if (rival) return no('dualEnrolment', rival.program === program.id ? 'is enrolled in this program already' : `exclusive with ${programs.get(rival.program)?.name}`)
  const at = new Date(work.clock.nowMs()).toISOString(), id = work.ids.uuid(), states = road.slice(0, goal + 1)
  const enrolment: Draft<Enrolment> = {
    id, tenant: caller.tenant, program: program.id, programVersion: program.programVersion, servicePoint: point.id, state: states.at(-1)!, share, nominated_W: wish.nominated_W ?? null, consent: wish.consent ?? null,
    history: states.map((to, i) => ({ from: i === 0 ? null : states[i - 1]!, to, at, by: caller.user })),
  }
  const asked = goal >= 3 && (program.rules.eligibility as { failSafeRequired?: boolean } | undefined)?.failSafeRequired === true
  const unsafe = asked ? missingOf(resources, await failSafesOf(work, caller.tenant, resources)) : []
  const failing = [...(goal >= 1 ? await screenPoint(work, program, point, resources) : []), ...(goal >= 3 ? activation(program, enrolment as Enrolment, wish.tested ?? false, unsafe) : [])]
  return failing.length > 0 ? { reasons: failing.map((f) => ({ path: f.rule, reason: f.detail })) } : { enrolment }
}

/** Applications for one point are judged one after the other, whoever sends them. */
export async function hold(work: Work, caller: Caller, entity: string, rows: number): Promise<void> {
  await work.stores.ledger.hold(caller.tenant)
  await note(work, caller, [{ action: 'enrolmentBulk.begin', entity, reason: `${rows} rows` }])
}

async function behind({ stores }: Work, tenant: string, points: readonly string[]): Promise<Resource[]> {
  const out: Resource[] = []
  for (let i = 0; i < points.length; i += 2000) out.push(...await every((page) => stores.resources.list(tenant, { servicePoints: points.slice(i, i + 2000) }, page), 5000))
  return out
}

/** Stores what was judged good, with one audit record for every step of every one (CORE-231), and looks at the fail-safes of what is active now (CORE-202). */
export async function storeMany(work: Work, caller: Caller, drafts: readonly Draft<Enrolment>[]): Promise<Enrolment[]> {
  const made = await work.stores.enrolments.insertMany(drafts)
  await note(work, caller, made.flatMap((e) => e.history.map((h): Note => ({ action: h.to === 'applied' ? 'enrolment.apply' : `enrolment.${h.to satisfies EnrolmentState}`, entity: e.id, ...(h.from === null ? {} : { before: h.from }), after: e }))))
  const active = made.filter((e) => e.state === 'active'), safes = await failSafesOf(work, caller.tenant, await behind(work, caller.tenant, active.map((e) => e.servicePoint)))
  await keepFailSafes(work, caller, active.length === 1 ? active[0]!.id : 'enrolments', safes.fresh)
  return made
}
