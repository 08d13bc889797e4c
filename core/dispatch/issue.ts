import { watchHabit } from '#core/audit/habit.js'
import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { advance } from '#core/state-table.js'
import type { Constraints } from '#core/dispatch/bars.js'
import { dispatchStates, live } from '#core/dispatch/dispatch-states.js'
import type { Dispatch } from '#core/dispatch/dispatch.js'
import { displaceOthers, takenBy } from '#core/dispatch/displace.js'
import { guards, needsSecondPerson, type GuardedOrder } from '#core/dispatch/guard.js'
import { moment, publishedRows, timingOf } from '#core/dispatch/outbox.js'
import { deliveryDrafts, type Plan } from '#core/dispatch/plan.js'
import { keepPlan, recordOf } from '#core/dispatch/plan-record.js'
import { prospects, type Prospects } from '#core/dispatch/prospects.js'
import { publishingChecks, type FailedCheck } from '#core/dispatch/publishing-checks.js'
import { solvedPlan } from '#core/dispatch/solve.js'
import { Refusal } from '#core/error.js'
import { mustSeeProgram, present } from '#core/permission.js'
import type { Draft } from '#core/port/store/entity.js'
import { keepFailSafes } from '#core/program/fail-safe.js'
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
  /** CORE-069: watts, always positive, that each node's subtree has to bring. */
  readonly targets_W?: Readonly<Record<string, W>>
  /** CORE-066: ask more devices, until the 95 % bound of their response reaches the order; the program's rule when not said. */
  readonly overSubscribe?: boolean
}

/** What became of an order. A refusal with meaning is a result, not an exception (style.md §5). */
export type Issued =
  | { readonly outcome: 'issued' | 'pendingRelease' | 'dryRun'; readonly dispatch: Dispatch; readonly plan: Plan }
  | { readonly outcome: 'refused' | 'guarded'; readonly checks: readonly FailedCheck[]; readonly plan: Plan }

/** Lower wins. */
const usual = 50, urgent = 10

/**
 * Load, decide, save, announce. The tenant's ledger is held from the beginning, so orders are decided one after the other and
 * each sees what the one before was promised: capacity is never sold twice (CORE-035, REL-026).
 */
export async function issueDispatch(work: Work, caller: Caller, order: Order): Promise<Issued> {
  const { stores, clock, ids } = work
  const program = present(await stores.programs.find(caller.tenant, order.program), 'program', order.program)
  mustSeeProgram(caller, program.id)
  const window = interval(order.start, order.end), id = ids.uuid(), nowMs = clock.nowMs()
  if (watts(order.delta_W) === 0) throw new Refusal('invalid', 'an order needs a power other than zero', { faults: [{ path: '/power_kW', reason: 'is zero' }] })
  if (!order.dryRun) await stores.ledger.hold(caller.tenant)
  if (!order.dryRun) await note(work, caller, [{ action: 'dispatch.order', entity: id, reason: order.reason, after: order }])
  const found = await prospects(work, caller, { program, window, scope: order.scope ?? null, nowMs })
  if (!order.dryRun) await keepFailSafes(work, caller, id, found.verified)
  const mode = order.mode ?? program.mode, priority = order.priority ?? (order.emergency?.length ? urgent : usual)
  const overSubscribe = order.overSubscribe ?? (program.rules as { overSubscribe?: boolean }).overSubscribe === true
  const made = await solvedPlan({
    program, order: { ...window, delta_W: order.delta_W, mode, priority, overSubscribe, targets_W: order.targets_W }, resources: found.resources, caps_W: found.caps_W, now: clock.now(), eventNumber: found.season.length,
  })

  const stopped = (await blocks(stores, caller.tenant)).blocked({ program: program.id }), fault = work.clockFault?.()
  const guarded = [...guards(program, guardedOrder(order, made, found)), ...(stopped ? [{ check: 'stop', detail: stopped }] : []), ...(fault ? [{ check: 'clock', detail: fault }] : []), ...made.unproven.slice(0, 5).map((detail) => ({ check: 'proof', detail }))]
  const { failed, overridden } = publishingChecks({
    program, window, delta_W: order.delta_W, now: clock.now(), earlier: found.season.map((d) => ({ start: d.start, end: d.end })), available_W: made.available_W,
  }, order.emergency)
  // REL-026: what was there and has been promised to somebody else is a conflict, not a bad order
  if (made.shares.length === 0 && made.available_W > 0 && made.free_W === 0) guarded.push({ check: 'capacity', detail: `all ${made.available_W} W of this window are promised to other orders` })
  if (failed.length > 0 || guarded.length > 0) {
    // CORE-203: a guard stops the order as a whole and calls a human: its own action, so that alarms can hang on it
    if (!order.dryRun) await note(work, caller, [{ action: guarded.length > 0 ? 'dispatch.guard' : 'dispatch.refuse', entity: id, reason: [...failed, ...guarded].map((c) => c.check).join(' ') }])
    return { outcome: failed.length > 0 && !stopped ? 'refused' : 'guarded', checks: stopped ? guarded : [...failed, ...guarded], plan: made }
  }

  const held = needsSecondPerson(program, order.delta_W)
  const draft = dispatchDraft(id, caller, program, order, { mode, priority, held, plan: made, overridden })
  if (order.dryRun) return { outcome: 'dryRun', dispatch: { ...draft, version: 0, createdAt: nowMs, modifiedAt: nowMs }, plan: made }
  const dispatch = await stores.dispatches.insert(draft)
  const deliveries = deliveryDrafts(dispatch, program, made.shares, nowMs, ids.uuid)
  await stores.deliveries.insertMany(deliveries)
  await keepPlan(work, caller.tenant, recordOf(dispatch, made, { targets_W: order.targets_W ?? null, overSubscribe }))
  // an order that waits for its release takes nothing from others yet
  if (!held) await displaceOthers(work, caller, dispatch, takenBy(made.shares))
  await stores.agenda.add(held
    ? [moment('expire-release', dispatch, Math.min(dispatch.end, clock.now() + timingOf(program).releaseWithin_s) * 1000, ids.uuid())]
    : publishedRows(dispatch, deliveries, program, nowMs, ids.uuid))
  await note(work, caller, [
    { action: held ? 'dispatch.hold' : 'dispatch.publish', entity: id, reason: order.reason, after: { dispatch, deliveries } },
    ...overridden.map((c) => ({ action: 'dispatch.override', entity: id, reason: `${c.check}: ${c.detail}` })),
  ])
  await watchHabit(work, caller, { what: 'order', size_W: Math.abs(order.delta_W) })
  return { outcome: held ? 'pendingRelease' : 'issued', dispatch, plan: made }
}

/** The facts that the guards look at (CORE-203): what this order would move, on top of what moves already. */
export function guardedOrder(order: Pick<Order, 'delta_W'>, made: Plan, found: Prospects, except?: string): GuardedOrder {
  const running = found.season.filter((d) => d.id !== except && live.has(d.state)), window = made.shares[0]?.intervals
  const active_W = running.reduce((sum, d) => (window && d.start < window.at(-1)!.end && d.end > window[0]!.start ? sum + d.allocated_W : sum), 0)
  return {
    delta_W: order.delta_W, active_W, fleet: found.resources.length, spread_s: made.spread_s,
    instructions: made.shares.map((s) => ({ vendor: (s.of.resource.constraints as Constraints).vendor, path: s.of.path })),
  }
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
