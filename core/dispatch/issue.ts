import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { advance } from '#core/state-table.js'
import { dispatchStates } from '#core/dispatch/dispatch-states.js'
import type { Dispatch } from '#core/dispatch/dispatch.js'
import { moment, publishedRows, timingOf } from '#core/dispatch/outbox.js'
import { deliveryDrafts, type Plan } from '#core/dispatch/plan.js'
import { prospects } from '#core/dispatch/prospects.js'
import { guards, publishingChecks, type FailedCheck } from '#core/dispatch/publishing-checks.js'
import { solvedPlan } from '#core/dispatch/solve.js'
import { Refusal } from '#core/error.js'
import { mustSeeProgram, present } from '#core/permission.js'
import type { Draft } from '#core/port/store/entity.js'
import type { AllocationMode, Program } from '#core/program/program.js'
import { interval, type Instant } from '#core/quantity/interval.js'
import { watts, type W } from '#core/quantity/power.js'
import { blocks } from '#core/stop/blocks.js'
import type { Work } from '#core/work.js'

/** An operator's order in core's words: `delta_W` in load, negative = less import. */
export interface Order {
  /** Id or name. */
  readonly program: string
  readonly delta_W: W
  readonly start: Instant
  readonly end: Instant
  readonly scope?: Dispatch['scope']
  readonly mode?: AllocationMode
  readonly priority?: number
  readonly reason?: string
  readonly test?: boolean
  readonly dryRun?: boolean
  /** Names of publishing checks that this order overrides (CORE-050). */
  readonly emergency?: readonly string[]
}

/** What became of an order. A refusal with meaning is a result, not an exception (style.md §5). */
export type Issued =
  | { readonly outcome: 'issued' | 'pendingRelease' | 'dryRun'; readonly dispatch: Dispatch; readonly plan: Plan }
  | { readonly outcome: 'refused' | 'guarded'; readonly checks: readonly FailedCheck[]; readonly plan: Plan }

/** Lower wins. */
const usual = 50, urgent = 10

/**
 * Load, decide, save, announce. The first note takes the tenant's ledger lock, so orders are decided one after the other and
 * each sees what the one before was promised: capacity is never sold twice (CORE-035, REL-026).
 */
export async function issueDispatch(work: Work, caller: Caller, order: Order): Promise<Issued> {
  const { stores, clock, ids } = work
  const program = present(await stores.programs.find(caller.tenant, order.program), 'program', order.program)
  mustSeeProgram(caller, program.id)
  const window = interval(order.start, order.end), id = ids.uuid(), nowMs = clock.nowMs()
  if (watts(order.delta_W) === 0) throw new Refusal('invalid', 'an order needs a power other than zero', { faults: [{ path: '/power_kW', reason: 'is zero' }] })
  if (!order.dryRun) await note(work, caller, [{ action: 'dispatch.order', entity: id, reason: order.reason, after: order }])
  const found = await prospects(stores, caller, { program, window, scope: order.scope ?? null, nowMs })
  const mode = order.mode ?? program.mode, priority = order.priority ?? (order.emergency?.length ? urgent : usual)
  const made = await solvedPlan({ program, order: { ...window, delta_W: order.delta_W, mode, priority }, resources: found.resources, caps_W: found.caps_W, now: clock.now() })

  const stopped = (await blocks(stores, caller.tenant)).blocked({ program: program.id })
  const guarded = [...guards(program, { delta_W: order.delta_W, instructions: made.shares.length, window }), ...(stopped ? [{ check: 'stop', detail: stopped }] : [])]
  const { failed, overridden } = publishingChecks({
    program, window, delta_W: order.delta_W, now: clock.now(), earlier: found.season.map((d) => ({ start: d.start, end: d.end })), available_W: made.available_W,
  }, order.emergency)
  // REL-026: what was there and has been promised to somebody else is a conflict, not a bad order
  if (made.shares.length === 0 && made.available_W > 0 && made.free_W === 0) guarded.push({ check: 'capacity', detail: `all ${made.available_W} W of this window are promised to other orders` })
  if (failed.length > 0 || guarded.length > 0) {
    if (!order.dryRun) await note(work, caller, [{ action: 'dispatch.refuse', entity: id, reason: [...failed, ...guarded].map((c) => c.check).join(' ') }])
    return { outcome: failed.length > 0 && !stopped ? 'refused' : 'guarded', checks: stopped ? guarded : [...failed, ...guarded], plan: made }
  }

  const twoPerson = program.limits.twoPersonAbove_kW, held = twoPerson !== undefined && Math.abs(order.delta_W) > twoPerson * 1000
  const draft = dispatchDraft(id, caller, program, order, { mode, priority, held, plan: made, overridden })
  if (order.dryRun) return { outcome: 'dryRun', dispatch: { ...draft, version: 0, createdAt: nowMs, modifiedAt: nowMs }, plan: made }
  const dispatch = await stores.dispatches.insert(draft)
  const deliveries = deliveryDrafts(dispatch, program, made.shares, nowMs, ids.uuid)
  await stores.deliveries.insertMany(deliveries)
  await stores.agenda.add(held
    ? [moment('expire-release', dispatch, Math.min(dispatch.end, clock.now() + timingOf(program).releaseWithin_s) * 1000, ids.uuid())]
    : publishedRows(dispatch, deliveries, program, nowMs, ids.uuid))
  await note(work, caller, [
    { action: held ? 'dispatch.hold' : 'dispatch.publish', entity: id, reason: order.reason, after: { dispatch, deliveries } },
    ...overridden.map((c) => ({ action: 'dispatch.override', entity: id, reason: `${c.check}: ${c.detail}` })),
  ])
  return { outcome: held ? 'pendingRelease' : 'issued', dispatch, plan: made }
}

function dispatchDraft(id: string, caller: Caller, program: Program, order: Order, decided: { mode: AllocationMode; priority: number; held: boolean; plan: Plan; overridden: readonly FailedCheck[] }): Draft<Dispatch> {
  const { mode, priority, held, plan: made, overridden } = decided
  return {
    id, tenant: caller.tenant, program: program.id, programVersion: program.programVersion, delta_W: order.delta_W, start: order.start, end: order.end,
    scope: order.scope ?? null, mode, priority, state: advance(dispatchStates, 'draft', held ? 'hold' : 'publish', 'dispatch'), revision: 1,
    reason: order.reason ?? null, test: order.test ?? false, emergency: order.emergency ?? [], createdBy: caller.user, releasedBy: null,
    allocation: made.shares.map((s) => s.allotment), allocated_W: made.allocated_W, shortfall_W: made.shortfall_W, bindingConstraints: made.bindingConstraints,
    warnings: [...made.warnings, ...overridden.map((c) => `overridden: ${c.check}: ${c.detail}`)],
  }
}
