import { Type } from 'typebox'
import { kind as forecastKind, type KeptForecast } from '#core/availability/keep-forecast.js'
import { Refusal } from '#core/error.js'
import { kpi, percentile, reliability } from '#core/kpi/kpi.js'
import { judge, longest_s } from '#core/kpi/service-level.js'
import { alertKind, type LevelAlert } from '#core/kpi/watch-levels.js'
import { present, seesProgram } from '#core/permission.js'
import { every } from '#core/port/store/every.js'
import type { Program } from '#core/program/program.js'
import type { Enrolment } from '#core/program/enrolment.js'
import { Exact } from '#core/quantity/money.js'
import { disputeKind, type Dispute } from '#core/settlement/dispute.js'
import type { SettlementRun } from '#core/settlement/settlement-run.js'
import { documents } from '#core/operator/documents.js'
import { staff } from '#core/operator/roles.js'
import { ok, type Ask, type OperatorRoute } from '#core/operator/route.js'
import { filter, page, time } from '#core/operator/schema.js'
import { fromOf, pageOf, rfc3339, toOf } from '#core/operator/wire.js'

export const kpiRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: 'kpis', summary: 'Key figures of a program and period (CORE-195)', roles: staff, query: page({ program: filter, from: Type.Optional(time), to: Type.Optional(time) }), read: async (ask) => ok(await kpis(ask)) },
  { method: 'GET', path: 'kpis/events', summary: 'Each event of a program with how its deliveries stand: the opt-out curve (CORE-195)', roles: staff, query: page({ program: filter, from: Type.Optional(time), to: Type.Optional(time) }), read: async (ask) => ok(await events(ask)) },
  { method: 'GET', path: 'service-levels', summary: 'How each link from reading to settlement was served, and how fast it burns its error budget (CORE-197)', roles: staff, query: page({}),
    read: async (ask) => {
      const { clock } = ask.core.means, now = clock.now()
      return ok({ items: judge(await ask.core.database.stores.tallies.served(ask.caller.tenant, now - longest_s, now), now), at: rfc3339(now), next: null })
    } },
  { method: 'GET', path: 'service-levels/alerts', summary: 'Burn-rate alerts that are open; with state=ended those that are over', roles: staff, query: page({ state: Type.Optional(Type.Union([Type.Literal('open'), Type.Literal('ended')])) }),
    read: (ask) => documents<LevelAlert>(ask, alertKind, (d) => ({ id: d.id, ...d.body }), ask.query.state ?? 'open') },
]

const year_s = 31_536_000

async function kpis(ask: Ask) {
  const { stores } = ask.core.database, { tenant } = ask.caller, from = fromOf(ask), to = toOf(ask)
  if (to <= from) throw new Refusal('invalid', 'a period must end after it starts', { faults: [{ path: 'querystring/to', reason: 'not after from' }] })
  const program = ask.query.program === undefined ? undefined : present(await stores.programs.find(tenant, ask.query.program), 'program', ask.query.program)
  const all = (await every((p) => stores.dispatches.list(tenant, { ...(program ? { program: program.id } : {}), from, to }, p), 200)).filter((d) => d.state !== 'rejected' && d.state !== 'pendingRelease')
  // CORE-055: tests are listed apart
  const tests = all.filter((d) => d.test), dispatches = all.filter((d) => !d.test)
  const ids = dispatches.map((d) => d.id), hours = new Map(dispatches.map((d) => [d.id, (d.end - d.start) / 3600]))
  const [states, told, performances] = [await stores.tallies.enrolments(tenant, program?.id), await stores.tallies.deliveries(tenant, ids), await stores.tallies.performances(tenant, ids)]
  const dispatched = Object.values(told.byState).reduce((a, b) => a + b, 0), enrolled = Object.values(states).reduce((a, b) => a + b, 0), active = states.active ?? 0, ratios: number[] = []
  let committed = 0, delivered = 0
  for (const p of performances) {
    const kW = p.delivered_kWh / hours.get(p.dispatch)!
    committed += p.allocated_kW
    delivered += kW
    if (p.allocated_kW > 0) ratios.push(kW / p.allocated_kW)
  }
  const runs = (await every((p) => stores.settlementRuns.list(tenant, { ...(program ? { program: program.id } : {}), state: 'issued' }, p), 200)).filter((r) => r.from < to && r.to > from)
  const { reasons, ...figures } = kpi({
    enrolled, active, dispatched, responded: told.responded, optedOut: told.byState.optedOut ?? 0, noComms: told.byState.noComms ?? 0, committed_kW: committed, delivered_kW: delivered,
    cost: runs.reduce((sum, r) => sum.plus(r.revenue), new Exact(0)).toString(), assets: active, currency: program?.currency ?? 'USD', ...await seasons(ask, program),
  })
  const money = await moneyFigures(ask, runs), forecastError = await forecastFigures(ask, from, to), none: Record<string, string> = {}
  for (const [name, value, why] of [['reliability', ratios.length, 'no event has been verified'], ['settlementDays', runs.length, 'no run has been issued'], ['disputeRate', money.statements, 'no statement has been issued'], ['forecastError', forecastError.n, 'no forecast has been measured'], ['latency_ms', told.latency_ms.p50 === null ? 0 : 1, 'nothing has been delivered']] as const) if (value === 0) none[name] = why
  return {
    ...figures, reasons: { ...reasons, ...none }, at: rfc3339(ask.core.means.clock.now()), events: dispatches.length, verified: ratios.length, enrolled, active, deliveries: told.byState, responded: told.responded, reliability: reliability(ratios), committed_kW: committed, delivered_kW: delivered,
    latency_ms: told.latency_ms, forecastError: forecastError.meanAbsolute_kW, settlementDays: money.days, disputeRate: money.disputeRate,
    tests: { events: tests.length, deliveries: (await stores.tallies.deliveries(tenant, tests.map((d) => d.id))).byState },
  }
}

async function events(ask: Ask) {
  const { stores } = ask.core.database, { tenant } = ask.caller
  const program = ask.query.program === undefined ? undefined : present(await stores.programs.find(tenant, ask.query.program), 'program', ask.query.program)
  const { items, next } = await stores.dispatches.list(tenant, { ...(program ? { program: program.id } : {}), from: fromOf(ask), to: toOf(ask) }, pageOf(ask))
  const seen = items.filter((d) => seesProgram(ask.caller, d.program)), told = await stores.tallies.deliveriesOf(tenant, seen.map((d) => d.id))
  return { items: seen.map((d) => ({ dispatch: d.id, program: d.program, state: d.state, test: d.test, start: rfc3339(d.start), end: rfc3339(d.end), deliveries: told.get(d.id) ?? {} })), next }
}

/** Retention: of those active a season (a year) before the end of the period, how many still are (CORE-195). */
async function seasons(ask: Ask, program: Program | undefined): Promise<{ activeSeasonAgo: number; stillActive: number }> {
  const { stores } = ask.core.database, end = Math.min(toOf(ask), ask.core.means.clock.now())
  const enrolled = await every((p) => stores.enrolments.list(ask.caller.tenant, program ? { program: program.id } : {}, p), 5000)
  const activeAt = (e: Enrolment, at: number): boolean => e.history.filter((h) => Date.parse(h.at) <= at * 1000).at(-1)?.to === 'active'
  const then = enrolled.filter((e) => activeAt(e, end - year_s))
  return { activeSeasonAgo: then.length, stillActive: then.filter((e) => activeAt(e, end)).length }
}

/** Median days from the end of a period to its issue, and disputes per issued statement. */
async function moneyFigures(ask: Ask, runs: readonly SettlementRun[]) {
  const { stores } = ask.core.database, { tenant } = ask.caller, own = new Set(runs.map((r) => r.id))
  let statements = 0
  for (const r of runs) statements += (await every((p) => stores.statements.list(tenant, { run: r.id }, p), 5000)).length
  const disputes = (await stores.documents.list<Dispute>(tenant, { kind: disputeKind, limit: 100_000 })).filter((d) => own.has(d.body.run)).length
  return { statements, days: percentile(runs.map((r) => Math.max(0, (r.modifiedAt / 1000 - r.to) / 86_400)), 0.5), disputeRate: statements === 0 ? null : disputes / statements }
}

/** Mean absolute error of the load forecasts whose time has passed (CORE-037). */
async function forecastFigures(ask: Ask, from: number, to: number): Promise<{ n: number; meanAbsolute_kW: number | null }> {
  const kept = await ask.core.database.stores.documents.list<KeptForecast>(ask.caller.tenant, { kind: forecastKind, sort1From: from, sort1To: to, limit: 10_000 })
  const errors = kept.flatMap((d) => (d.body.error === null ? [] : [d.body.error.meanAbsolute_kW]))
  return { n: errors.length, meanAbsolute_kW: errors.length === 0 ? null : errors.reduce((a, b) => a + b, 0) / errors.length }
}
