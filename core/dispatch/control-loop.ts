import { note } from '#core/audit/note.js'
import { system } from '#core/caller.js'
import { compare, usualControl, type ControlRules, type Measured } from '#core/dispatch/control.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import type { Dispatch } from '#core/dispatch/dispatch.js'
import { held, shareOf } from '#core/dispatch/gap.js'
import { batchRows, moment } from '#core/dispatch/outbox.js'
import { keepPlan, planOf, type PlanRecord } from '#core/dispatch/plan-record.js'
import { askReallocation } from '#core/dispatch/reallocate.js'
import { rateTable } from '#core/dispatch/response.js'
import type { Handler } from '#core/dispatch/timetable.js'
import type { Stores } from '#core/port/store/index.js'
import type { Program } from '#core/program/program.js'
import type { Transact, Work } from '#core/work.js'

const emptyPlan = (d: Dispatch): PlanRecord => ({
  dispatch: d.id, revision: d.revision, targets_W: null, overSubscribe: false, over_W: 0, nominal_W: Math.abs(d.allocated_W), expected_W: 0, lower_W: 0, compensation_W: 0,
  rebound: { energy_Wh: 0, power_W: 0, before_W: 0, after_W: 0, waves: 1, passes: [] }, spread_s: 0, releaseAfter_s: {}, control: null, taken: [],
})

/** The program's control step is its metering interval unless it says another; undefined = no loop. */
export function controlOf(program: Program): ControlRules | undefined {
  const rules = (program.rules as { control?: Partial<ControlRules> | false }).control
  return rules === false ? undefined : { step_s: program.intervalMinutes * 60, ...usualControl, ...rules }
}

/** Mean load of each point in the hour before the event, and in its newest interval. */
async function measured(stores: Stores, dispatch: Dispatch, program: Program, deliveries: readonly Delivery[], p: (resource: string, kind: string) => number): Promise<Measured[]> {
  const period_s = program.intervalMinutes * 60, points = new Map<string, Delivery[]>()
  for (const d of deliveries) points.set(d.servicePoint, [...points.get(d.servicePoint) ?? [], d])
  const ids = [...points.keys()].sort(), found = new Map<string, { start: number[]; Wh: number[] }>(), first = Math.floor(dispatch.start / period_s) * period_s
  for (let i = 0; i < ids.length; i += 1000) {
    // estimates never steer: what nobody measured is stale
    for (const [id, v] of await stores.readings.net(dispatch.tenant, ids.slice(i, i + 1000), first - 3600, dispatch.end, { net: program.netting === 'net', qualities: ['RAW', 'VALID', 'EDITED'] })) found.set(id, v)
  }
  const load = (Wh: number): number => Math.round((Wh * 3600) / period_s)
  return ids.map((id): Measured => {
    const mine = points.get(id)!, values = found.get(id) ?? { start: [], Wh: [] }, before: number[] = []
    let latest: Measured['latest']
    values.start.forEach((at, i) => {
      if (at + period_s <= dispatch.start) before.push(load(values.Wh[i]!))
      if (latest === undefined || at + period_s > latest.end) latest = { end: at + period_s, load_W: load(values.Wh[i]!) }
    })
    return {
      id, asked_W: mine.reduce((sum, d) => sum + shareOf(d), 0), latest, period_s, p: p(mine[0]!.resource, mine[0]!.order.resource.kind),
      reference_W: before.length === 0 ? undefined : Math.round(before.reduce((sum, w) => sum + w, 0) / before.length),
    }
  })
}

/**
 * CORE-070, one control step: load, compare, decide, save. Beyond the tolerance for the second step, what the fresh measurement lacks is
 * asked of others through the same reallocation as any loss, whose limits on changes hold. Points whose telemetry is lost are released
 * to their safe state (REL-063); nothing is increased for them.
 */
export const controlTask = (transact: Transact): Handler => (entry) => transact(async (work) => {
  const { stores, clock, ids } = work, { tenant } = entry, nowMs = clock.nowMs()
  const dispatch = await stores.dispatches.get(tenant, (entry.payload as { dispatch: string }).dispatch), program = dispatch && await stores.programs.get(tenant, dispatch.program)
  const rules = program && controlOf(program)
  if (!dispatch || !program || !rules || dispatch.state !== 'active' || dispatch.end <= clock.now()) return
  const mine = held(await stores.deliveries.of(tenant, dispatch.id)).filter((d) => d.order.start <= clock.now() && d.order.end > clock.now() && d.attempts > 0)
  const rates = await rateTable(stores, program, dispatch.start), record = await planOf(stores, tenant, dispatch.id) ?? emptyPlan(dispatch)
  const found = compare(await measured(stores, dispatch, program, mine, rates.p), { start: dispatch.start + record.spread_s, now: clock.now(), sign: dispatch.delta_W < 0 ? -1 : 1 }, rules.tolerance)
  const beyond = found.beyond ? (record.control?.beyond ?? 0) + 1 : 0, act = beyond >= rules.steps
  // what was asked in addition before has had its steps to show; what is behind now comes on top
  const compensation_W = act ? record.compensation_W + found.behind_W : record.compensation_W
  await keepPlan(work, tenant, {
    ...record, compensation_W, control: { at: nowMs, beyond: act ? 0 : beyond, measured_W: found.measured_W, estimated_W: found.estimated_W, target_W: found.target_W, fresh: found.fresh.length, stale: found.stale.length, lost: found.lost.length },
  })
  await stores.agenda.add([moment('control', dispatch, nowMs + rules.step_s * 1000, ids.uuid())])
  if (act) {
    await askReallocation(work, dispatch)
    await note(work, system(tenant), [{ action: 'dispatch.behind', entity: dispatch.id, reason: `${found.behind_W} W behind for ${beyond} steps`, after: { ...found } }])
  }
  await releaseLost(work, dispatch, mine, new Set(found.lost))
})

/** REL-063, last step: who has not been heard for ten periods is let go; a device in its safe state needs no telemetry. */
async function releaseLost(work: Work, dispatch: Dispatch, mine: readonly Delivery[], points: ReadonlySet<string>): Promise<void> {
  const { stores, clock, ids } = work, nowMs = clock.nowMs(), gone = mine.filter((d) => points.has(d.servicePoint)), reason = 'its telemetry is lost'
  if (gone.length === 0) return
  await stores.deliveries.updateMany(gone.map((d): Delivery => ({ ...d, state: 'noComms', reason, stateAt: nowMs })))
  await stores.agenda.add(batchRows('cancel', dispatch, gone, nowMs, ids.uuid, reason))
  const fewer = gone.reduce((sum, d) => sum + Math.abs(shareOf(d)), 0), now = await stores.dispatches.get(dispatch.tenant, dispatch.id)
  // shown as missing, and not made good: that would be an increase on what nobody measures
  if (now) await stores.dispatches.update({ ...now, shortfall_W: Math.min(Math.abs(now.delta_W), now.shortfall_W + fewer), allocated_W: Math.sign(now.delta_W) * Math.max(0, Math.abs(now.allocated_W) - fewer) + 0 })
  await note(work, system(dispatch.tenant), gone.map((d) => ({ action: 'delivery.noComms', entity: d.id, reason, before: d.state, after: 'noComms' })))
}
