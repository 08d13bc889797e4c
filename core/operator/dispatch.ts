import { Type, type Static } from 'typebox'
import { DateTime } from 'luxon'
import { cancelDispatch } from '#core/dispatch/cancel.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import type { Dispatch, DispatchState } from '#core/dispatch/dispatch.js'
import { issueDispatch, type Issued } from '#core/dispatch/issue.js'
import { planOf } from '#core/dispatch/plan-record.js'
import { shareOf } from '#core/dispatch/reallocate.js'
import { releaseDispatch } from '#core/dispatch/release.js'
import { reviseDispatch } from '#core/dispatch/revise.js'
import { revisionsOf } from '#core/dispatch/revisions.js'
import { present, seesProgram } from '#core/permission.js'
import { every } from '#core/port/store/every.js'
import type { Direction, Program } from '#core/program/program.js'
import { wattsFromKW } from '#core/quantity/power.js'
import { programAt } from '#core/program/versions.js'
import { evaluation, verifyDispatch, type PerformanceBody } from '#core/verification/verify.js'
import { problem } from '#core/operator/error-map.js'
import { dispatchers, meterers, releasers, staffAndGrid } from '#core/operator/roles.js'
import { ok, type Answer, type Ask, type OperatorRoute } from '#core/operator/route.js'
import { closed, filter, page, reference, text, time, version } from '#core/operator/schema.js'
import { endOf, fromOf, instantOf, own, pageOf, rfc3339, stamp, toOf } from '#core/operator/wire.js'

const scope = Type.Union([closed({ aggregation: reference }), closed({ resources: Type.Array(reference, { minItems: 1, maxItems: 100_000 }) }), Type.Null()])
const power = Type.Number({ minimum: -1e9, maximum: 1e9, description: 'kW in the direction of the program; with direction both, > 0 asks for less import' })
const mode = Type.Union((['merit', 'proportional', 'rotation', 'optimal'] as const).map((m) => Type.Literal(m)))
const body = closed({
  program: reference, power_kW: power, start: time, end: Type.Optional(time), duration: Type.Optional(Type.String({ maxLength: 40, description: 'ISO 8601, instead of end' })), scope: Type.Optional(scope),
  mode: Type.Optional(mode), priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 255, description: 'lower wins' })), reason: Type.Optional(text), dryRun: Type.Optional(Type.Boolean()),
  targets: Type.Optional(Type.Record(Type.String({ maxLength: 200 }), Type.Number({ minimum: 0, maximum: 1e9 }), { description: 'kW that the subtree of each node has to bring' })),
  overSubscribe: Type.Optional(Type.Boolean({ description: 'ask more devices, until the 95 % bound of their response reaches the order' })),
  test: Type.Optional(Type.Boolean()), emergency: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 30, description: 'publishing checks to override, by name' })),
})
type Body = Static<typeof body>
const why = closed({ reason: Type.Optional(text), version })
const revision = closed({ power_kW: Type.Optional(power), start: Type.Optional(time), end: Type.Optional(time), reason: Type.Optional(text), version })

/** Positive in the program's direction: `up` asks for more import, `down` and `both` for less. */
const deltaOf = (power_kW: number, direction: Direction): number => (direction === 'up' ? 1 : -1) * wattsFromKW(power_kW) + 0
const powerOf = (delta_W: number, direction: Direction): number => ((direction === 'up' ? 1 : -1) * delta_W) / 1000 + 0

export function dispatchView(d: Dispatch, program: Pick<Program, 'direction' | 'timeZone' | 'name'>) {
  const byProtocol: Record<string, number> = { openadr: 0, ieee2030_5: 0, ocpp: 0 }
  for (const a of d.allocation) byProtocol[a.protocol]! += Math.abs(a.delta_W)
  for (const p of Object.keys(byProtocol)) byProtocol[p]! /= 1000
  const local = (s: number): string => DateTime.fromSeconds(s, { zone: program.timeZone }).toISO({ suppressMilliseconds: true }) ?? rfc3339(s)
  return {
    ...own(d), program: d.program, programName: program.name, programVersion: d.programVersion, power_kW: powerOf(d.delta_W, program.direction), start: local(d.start), end: local(d.end), timeZone: program.timeZone,
    state: d.state, revision: d.revision, scope: d.scope, mode: d.mode, priority: d.priority, reason: d.reason, test: d.test, emergency: d.emergency, createdBy: d.createdBy, releasedBy: d.releasedBy,
    allocation: {
      byProtocol, byResource: d.allocation.map((a) => ({ resource: a.resource, protocol: a.protocol, power_kW: powerOf(a.delta_W, program.direction), allocated_W: Math.abs(a.delta_W) })),
      total_kW: Math.abs(d.allocated_W) / 1000, shortfall_kW: d.shortfall_W / 1000,
    },
    allocated_kW: Math.abs(d.allocated_W) / 1000, shortfall_kW: d.shortfall_W / 1000, bindingConstraints: d.bindingConstraints, warnings: d.warnings,
  }
}

const shown = async (ask: Ask, d: Dispatch) => dispatchView(d, present(await ask.core.database.stores.programs.get(ask.caller.tenant, d.program), 'program', d.program))

async function found(ask: Ask): Promise<Dispatch> {
  const d = await ask.core.database.stores.dispatches.get(ask.caller.tenant, ask.params.id!)
  return present(d && seesProgram(ask.caller, d.program) ? d : undefined, 'dispatch', ask.params.id!)
}

function answerOf(issued: Issued, program: Program): Answer {
  if ('checks' in issued) {
    const status = issued.outcome === 'refused' ? 422 : 409, kind = issued.outcome === 'refused' ? 'invalid' : 'conflict'
    const detail = issued.checks.map((c) => `${c.check}: ${c.detail}`).join('; ')
    return { status, body: problem(kind, status, issued.outcome === 'refused' ? 'The order fails its publishing checks' : 'The order is over a guard', detail, '/api/v1/dispatches', { checks: issued.checks }) }
  }
  const view = { ...dispatchView(issued.dispatch, program), excluded: issued.plan.excluded, solver: issued.plan.allocation.solver, response: issued.plan.response, rebound: { ...issued.plan.rebound, releaseAfter_s: Object.fromEntries(issued.plan.rebound.releaseAfter_s) }, spread_s: issued.plan.spread_s }
  if (issued.outcome === 'dryRun') return { status: 200, body: { ...view, id: null, dryRun: true } }
  return { status: issued.outcome === 'pendingRelease' ? 202 : 201, location: `/api/v1/dispatches/${issued.dispatch.id}`, body: view }
}

/** `at` is when the delivery came into its state. */
export const deliveryView = (d: Delivery) => ({
  id: d.id, version: d.version, resource: d.resource, resourceName: d.order.resource.name, servicePoint: d.servicePoint, protocol: d.order.binding.protocol, remoteId: d.order.binding.remoteId, state: d.state,
  ...(d.reason === null ? {} : { reason: d.reason }), at: stamp(d.stateAt), allocated_W: Math.abs(shareOf(d)), revision: d.order.revision, attempts: d.attempts,
  intervals: d.order.intervals.map((i) => ({ ...i, start: rfc3339(i.start), end: rfc3339(i.end) })), expiry: rfc3339(d.order.expiry), remoteRef: d.remoteRef,
  sentAt: d.sentAt === null ? null : stamp(d.sentAt), deliveredAt: d.deliveredAt === null ? null : stamp(d.deliveredAt), acknowledgedAt: d.acknowledgedAt === null ? null : stamp(d.acknowledgedAt),
  // UX-077: from a device to the trace of its order
  ...(d.order.trace === undefined ? {} : { traceId: d.order.trace.split('-')[1] }),
})

async function asKnown(ask: Ask, d: Dispatch, asOf: number) {
  const { stores } = ask.core.database, { tenant } = ask.caller, program = present(await programAt(stores, tenant, d.program, d.programVersion), 'program', d.program)
  const { body: b, baseline, inputHash } = await evaluation(stores, tenant, program, d, asOf)
  return { dispatch: d.id, state: d.state, asOf: ask.query.asOf, method: program.baseline.method, methodVersion: baseline.trace.version, inputHash, ...b, intervals: b.intervals.map((i) => ({ ...i, start: rfc3339(i.start), end: rfc3339(i.end) })), baselineTrace: baseline }
}

export const dispatchRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: 'dispatches', summary: 'Dispatches', roles: staffAndGrid, query: page({ program: filter, state: filter, from: Type.Optional(time), to: Type.Optional(time) }),
    read: async (ask) => {
      const { stores } = ask.core.database, { tenant } = ask.caller, { program, state } = ask.query
      const where = {
        ...(program === undefined ? {} : { program: present(await stores.programs.find(tenant, program), 'program', program).id }), ...(state === undefined ? {} : { state: state as DispatchState }),
        ...(ask.query.from === undefined ? {} : { from: fromOf(ask) }), ...(ask.query.to === undefined ? {} : { to: toOf(ask) }),
      }
      const { items, next } = await stores.dispatches.list(tenant, where, pageOf(ask))
      const programs = new Map((await stores.programs.getMany(tenant, [...new Set(items.map((d) => d.program))])).map((p) => [p.id, p]))
      return ok({ items: items.filter((d) => seesProgram(ask.caller, d.program)).map((d) => dispatchView(d, programs.get(d.program)!)), next })
    } },
  { method: 'POST', path: 'dispatches', summary: 'Order power; dryRun shows the same and sends nothing', roles: dispatchers, body,
    example: { program: 'peak', power_kW: 4, start: '2026-07-15T16:00:00-06:00', duration: 'PT2H', reason: 'peak', dryRun: true },
    command: async (work, ask) => {
      const b = ask.body as Body
      const known = await work.stores.programs.find(ask.caller.tenant, b.program)
      const program = present(known && seesProgram(ask.caller, known.id) ? known : undefined, 'program', b.program)
      const start = instantOf(b.start, program.timeZone, '/start'), end = endOf(start, b, program.timeZone)
      return answerOf(await issueDispatch(work, ask.caller, {
        program: program.id, delta_W: deltaOf(b.power_kW, program.direction), start, end, scope: (b.scope ?? null) as Dispatch['scope'], ...(b.mode === undefined ? {} : { mode: b.mode as Dispatch['mode'] }),
        ...(b.priority === undefined ? {} : { priority: b.priority }), ...(b.reason === undefined ? {} : { reason: b.reason }), ...(b.overSubscribe === undefined ? {} : { overSubscribe: b.overSubscribe }),
        ...(b.targets === undefined ? {} : { targets_W: Object.fromEntries(Object.entries(b.targets).map(([node, kW]) => [node, wattsFromKW(kW)])) }), dryRun: b.dryRun ?? false, test: b.test ?? false, emergency: b.emergency ?? [],
      }), program)
    } },
  { method: 'GET', path: 'dispatches/:id', summary: 'One dispatch', roles: staffAndGrid, read: async (ask) => ok(await shown(ask, await found(ask))) },
  { method: 'POST', path: 'dispatches/:id/cancel', summary: 'Take an order back from every device', roles: dispatchers, body: why, example: { reason: 'weather changed' },
    command: async (work, ask) => {
      const { reason } = ask.body as Static<typeof why>
      return ok(await shown(ask, await cancelDispatch(work, ask.caller, ask.params.id!, { ...(reason === undefined ? {} : { reason }), ...(ask.ifVersion === undefined ? {} : { ifVersion: ask.ifVersion }) })))
    } },
  { method: 'POST', path: 'dispatches/:id/release', summary: 'The second person lets a large order go', roles: releasers, body: why,
    command: async (work, ask) => ok(await shown(ask, await releaseDispatch(work, ask.caller, ask.params.id!, ask.ifVersion))) },
  { method: 'GET', path: 'dispatches/:id/revisions', summary: 'Every revision, oldest first', roles: staffAndGrid,
    read: async (ask) => {
      const d = await found(ask), program = present(await ask.core.database.stores.programs.get(ask.caller.tenant, d.program), 'program', d.program)
      return ok({ items: (await revisionsOf(ask.core.database.stores, d)).map((r) => dispatchView(r, program)), next: null })
    } },
  { method: 'POST', path: 'dispatches/:id/revisions', summary: 'Change an order: restates it as a whole', roles: dispatchers, body: revision,
    command: async (work, ask) => {
      const b = ask.body as Static<typeof revision>, d = await found(ask)
      const program = present(await work.stores.programs.get(ask.caller.tenant, d.program), 'program', d.program)
      const issued = await reviseDispatch(work, ask.caller, d.id, {
        ...(b.power_kW === undefined ? {} : { delta_W: deltaOf(b.power_kW, program.direction) }), ...(b.start === undefined ? {} : { start: instantOf(b.start, program.timeZone, '/start') }),
        ...(b.end === undefined ? {} : { end: instantOf(b.end, program.timeZone, '/end') }), ...(b.reason === undefined ? {} : { reason: b.reason }), ...(ask.ifVersion === undefined ? {} : { ifVersion: ask.ifVersion }),
      })
      return answerOf(issued, program)
    } },
  { method: 'GET', path: 'dispatches/:id/plan', summary: 'Expected response and its lower bound, load after the event, and where the control loop stands', roles: staffAndGrid,
    read: async (ask) => {
      const d = await found(ask), record = await planOf(ask.core.database.stores, ask.caller.tenant, d.id)
      return ok(record ?? { dispatch: d.id, revision: d.revision, control: null })
    } },
  { method: 'GET', path: 'dispatches/:id/deliveries', summary: "Each device's part and where it stands", roles: staffAndGrid, query: page({ state: filter }),
    read: async (ask) => {
      const d = await found(ask)
      const { items, next } = await ask.core.database.stores.deliveries.list(ask.caller.tenant, { dispatch: d.id, ...(ask.query.state === undefined ? {} : { state: ask.query.state }) }, pageOf(ask))
      return ok({ items: items.map(deliveryView), next })
    } },
  { method: 'GET', path: 'dispatches/:id/performance', summary: 'Baseline, metered and delivered energy, with the trace; `asOf` computes it again from what was known then (CORE-011)', roles: staffAndGrid, query: closed({ asOf: Type.Optional(time) }),
    read: async (ask) => {
      const d = await found(ask)
      if (ask.query.asOf !== undefined) return ok(await asKnown(ask, d, instantOf(ask.query.asOf, 'utc', '/asOf') * 1000 + 999))
      const results = await every((p) => ask.core.database.stores.verifications.list(ask.caller.tenant, { dispatch: d.id }, p), 200)
      const performance = results.filter((r) => r.kind === 'performance').at(-1), baseline = results.filter((r) => r.kind === 'baseline').at(-1)
      if (!performance) return ok({ dispatch: d.id, state: d.state, status: 'PENDING', reasons: [`the dispatch is ${d.state}; it is verified when its readings are in`] })
      const b = performance.body as PerformanceBody
      return ok({
        dispatch: d.id, state: d.state, id: performance.id, version: performance.version, method: performance.method, methodVersion: performance.methodVersion, inputHash: performance.inputHash, computedAt: stamp(performance.createdAt),
        ...b, intervals: b.intervals.map((i) => ({ ...i, start: rfc3339(i.start), end: rfc3339(i.end) })), baselineTrace: baseline?.body ?? null, computations: results.filter((r) => r.kind === 'performance').length,
      })
    } },
  { method: 'POST', path: 'dispatches/:id/verify', summary: 'Compute performance again, for late readings', roles: meterers, body: closed({}),
    command: async (work, ask) => {
      const results = await verifyDispatch(work, ask.caller, ask.params.id!)
      return ok({ items: results.map((r) => ({ id: r.id, version: r.version, kind: r.kind, status: r.status, inputHash: r.inputHash })), next: null })
    } },
]
