import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { lost } from '#core/dispatch/delivery-states.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import { displaceOthers, takenBy } from '#core/dispatch/displace.js'
import { guards, needsSecondPerson } from '#core/dispatch/guard.js'
import { guardedOrder, type Issued } from '#core/dispatch/issue.js'
import { batchRows, commsCheckAt, dispatchTasks, moment, momentSubject, publishedRows, timingOf } from '#core/dispatch/outbox.js'
import { deliveryDrafts } from '#core/dispatch/plan.js'
import { keepPlan, planOf, recordOf } from '#core/dispatch/plan-record.js'
import { prospects } from '#core/dispatch/prospects.js'
import { publishingChecks, type FailedCheck } from '#core/dispatch/publishing-checks.js'
import { keepRevision } from '#core/dispatch/revisions.js'
import { solvedPlan } from '#core/dispatch/solve.js'
import { Refusal } from '#core/error.js'
import { mustSeeProgram, present } from '#core/permission.js'
import { keepFailSafes } from '#core/program/fail-safe.js'
import { interval } from '#core/quantity/interval.js'
import type { Work } from '#core/work.js'

export interface Change {
  readonly delta_W?: number
  readonly start?: number
  readonly end?: number
  readonly reason?: string
  readonly ifVersion?: number
}

/** CORE-051: what has not started may change freely; of a running event only a later end may. */
export function changeable(state: string, now: { start: number; end: number; delta_W: number }, wish: { start: number; end: number; delta_W: number }): FailedCheck | undefined {
  if (state === 'scheduled' || state === 'notified') return undefined
  if (state !== 'active') return { check: 'state', detail: `a dispatch that is ${state} cannot be revised` }
  const laterEndOnly = wish.start === now.start && wish.delta_W === now.delta_W && wish.end > now.end
  return laterEndOnly ? undefined : { check: 'running', detail: 'a running event can only be cancelled or end later' }
}

/** A new revision restates the whole order: every device gets the new part, then its old one is taken back. */
export async function reviseDispatch(work: Work, caller: Caller, id: string, change: Change): Promise<Issued> {
  const { stores, clock, ids } = work, { tenant } = caller, nowMs = clock.nowMs()
  await stores.ledger.hold(tenant)
  await note(work, caller, [{ action: 'dispatch.change', entity: id, reason: change.reason, after: change }])
  const before = present(await stores.dispatches.get(tenant, id), 'dispatch', id)
  mustSeeProgram(caller, before.program)
  if (change.ifVersion !== undefined && change.ifVersion !== before.version) throw new Refusal('stale', `the dispatch is at version ${before.version}`)
  const wish = { start: change.start ?? before.start, end: change.end ?? before.end, delta_W: change.delta_W ?? before.delta_W }
  const program = present(await stores.programs.get(tenant, before.program), 'program', before.program)
  const wrong = changeable(before.state, before, wish)
  if (wrong) throw new Refusal('conflict', wrong.detail)
  // the past never changes: of a running event only what is left is restated
  const left = before.state === 'active' ? { ...wish, start: Math.max(wish.start, clock.now()) } : wish, window = interval(left.start, left.end)
  const old = (await stores.deliveries.of(tenant, id)).filter((d) => !lost.has(d.state)), mine = new Set(old.map((d) => d.id))
  const found = await prospects(work, caller, { program, window, scope: before.scope, nowMs })
  await keepFailSafes(work, caller, id, found.verified)
  // what this dispatch holds itself is free for its restatement, in resources and below caps
  const caps_W: Record<string, number> = { ...found.caps_W }
  const paths = new Map(found.resources.map((r) => [r.resource.id, r.path]))
  for (const d of old) for (const node of paths.get(d.resource) ?? []) if (caps_W[node] !== undefined) caps_W[node] += Math.abs(d.order.intervals[0]?.delta_W ?? 0)
  const resources = found.resources.map((r) => ({ ...r, promised: r.promised.filter((p) => p.delivery === undefined || !mine.has(p.delivery)) }))
  const wanted = await planOf(stores, tenant, id), options = { targets_W: scaled(wanted?.targets_W, wish.delta_W, before.delta_W), overSubscribe: wanted?.overSubscribe === true }
  const made = await solvedPlan({
    program, order: { ...left, mode: before.mode, priority: before.priority, overSubscribe: options.overSubscribe, targets_W: options.targets_W ?? undefined }, resources, caps_W, now: clock.now(), eventNumber: found.season.length,
  })
  const { failed } = publishingChecks({
    program, window, delta_W: wish.delta_W, now: clock.now(), earlier: found.season.filter((d) => d.id !== id).map((d) => ({ start: d.start, end: d.end })), available_W: made.available_W,
  }, before.state === 'active' ? [...before.emergency, 'minNotice'] : before.emergency)
  const guarded = guards(program, guardedOrder(wish, made, found, id))
  // REL-067: no path around the second person
  if (needsSecondPerson(program, wish.delta_W) && Math.abs(wish.delta_W) > Math.abs(before.delta_W))
    guarded.push({ check: 'twoPerson', detail: `more than ${program.limits.twoPersonAbove_kW} kW needs a new order that a second person releases` })
  if (failed.length > 0 || guarded.length > 0) return { outcome: failed.length > 0 ? 'refused' : 'guarded', checks: [...failed, ...guarded], plan: made }

  await keepRevision(work, before, change.reason ?? 'changed by the operator')
  const revision = before.revision + 1
  await stores.deliveries.updateMany(old.map((d): Delivery => ({ ...d, state: 'superseded', reason: `restated in revision ${revision}`, stateAt: nowMs })))
  const revised = await stores.dispatches.update({
    ...before, ...wish, revision, reason: change.reason ?? before.reason, allocation: made.shares.map((s) => s.allotment), allocated_W: made.allocated_W, shortfall_W: made.shortfall_W,
    bindingConstraints: made.bindingConstraints, warnings: made.warnings,
  })
  const drafts = deliveryDrafts(revised, program, made.shares, nowMs, ids.uuid)
  await stores.deliveries.insertMany(drafts)
  await keepPlan(work, tenant, recordOf(revised, made, options))
  await displaceOthers(work, caller, revised, takenBy(made.shares))
  for (const task of dispatchTasks) if (task !== 'deliver' && task !== 'cancel') await stores.agenda.withdraw(tenant, task, momentSubject(id, task))
  const rows = publishedRows(revised, drafts, program, nowMs, ids.uuid)
  await stores.agenda.add([
    ...rows.filter((r) => r.task !== 'comms-check'), moment('comms-check', revised, commsCheckAt(revised, timingOf(program), nowMs), ids.uuid()),
    ...batchRows('cancel', revised, old.filter((d) => d.attempts > 0), nowMs + Math.ceil(1000 * clock.rate), ids.uuid, 'superseded'),
  ])
  await note(work, caller, [
    { action: 'dispatch.revise', entity: id, reason: change.reason, before, after: revised },
    ...old.map((d) => ({ action: 'delivery.superseded', entity: d.id, reason: `restated in revision ${revised.revision}`, before: d.state, after: 'superseded' })),
  ])
  return { outcome: 'issued', dispatch: revised, plan: made }
}

/** Targets of nodes follow the order that they are parts of. */
const scaled = (targets: Readonly<Record<string, number>> | null | undefined, now_W: number, before_W: number): Record<string, number> | null =>
  targets ? Object.fromEntries(Object.entries(targets).map(([node, w]) => [node, Math.floor((w * Math.abs(now_W)) / Math.abs(before_W))])) : null
