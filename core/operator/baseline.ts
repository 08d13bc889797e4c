import { Type, type Static } from 'typebox'
import { accuracy } from '#core/baseline/accuracy.js'
import { presets } from '#core/baseline/preset.js'
import { kpi, reliability } from '#core/kpi/kpi.js'
import { present } from '#core/permission.js'
import { every } from '#core/port/store/every.js'
import type { Stores } from '#core/port/store/index.js'
import type { Program } from '#core/program/program.js'
import { Exact } from '#core/quantity/money.js'
import type { Quality } from '#core/reading/reading.js'
import { evaluate, evaluationPlan, reach } from '#core/verification/evaluate.js'
import { resample } from '#core/verification/resample.js'
import { meterers, staff } from '#core/operator/roles.js'
import { ok, type Ask, type OperatorRoute } from '#core/operator/route.js'
import { closed, filter, page, reference, time } from '#core/operator/schema.js'
import { endOf, fromOf, instantOf, rfc3339, toOf } from '#core/operator/wire.js'

const window = { program: Type.Optional(reference), method: Type.Optional(Type.String({ maxLength: 64 })), servicePoints: Type.Optional(Type.Array(reference, { minItems: 1, maxItems: 10_000 })), servicePoint: Type.Optional(reference), timeZone: Type.Optional(Type.String()), intervalMinutes: Type.Optional(Type.Integer()) }
const compute = closed({ ...window, start: time, end: Type.Optional(time), duration: Type.Optional(Type.String({ maxLength: 40 })), excludedDays: Type.Optional(Type.Array(Type.String({ format: 'date' }), { maxItems: 400 })) })
const backtest = closed({ ...window, days: Type.Array(Type.String({ format: 'date' }), { minItems: 1, maxItems: 100 }), fromHour: Type.Integer({ minimum: 0, maximum: 23 }), toHour: Type.Integer({ minimum: 1, maximum: 24 }) })
type Subject = { program?: string; method?: string; servicePoints?: string[]; servicePoint?: string; timeZone?: string; intervalMinutes?: number }

const payable: readonly Quality[] = ['RAW', 'VALID', 'EDITED']

/** Whose load, and by which rules: a program's enrolled points, or the points named. */
async function subject(stores: Stores, ask: Ask, b: Subject) {
  const { tenant } = ask.caller
  const program = b.program === undefined ? undefined : present(await stores.programs.find(tenant, b.program), 'program', b.program)
  const rules: Pick<Program, 'baseline' | 'timeZone' | 'intervalMinutes' | 'holidays' | 'netting'> = {
    baseline: b.method === undefined ? (program?.baseline ?? { method: 'CAISO_10IN10', level: 'portfolio' }) : { method: b.method, level: program?.baseline.level ?? 'portfolio' },
    timeZone: b.timeZone ?? program?.timeZone ?? 'UTC', intervalMinutes: b.intervalMinutes ?? program?.intervalMinutes ?? 15, holidays: program?.holidays ?? [], netting: program?.netting ?? 'import',
  }
  const points: string[] = []
  for (const p of b.servicePoints ?? (b.servicePoint === undefined ? [] : [b.servicePoint])) points.push(present(await stores.servicePoints.find(tenant, p), 'service point', p).id)
  if (points.length === 0 && program) for (const e of await every((pg) => stores.enrolments.list(tenant, { program: program.id, state: 'active' }, pg))) points.push(e.servicePoint)
  return { rules, points: [...new Set(points)] }
}

async function computed(stores: Stores, tenant: string, s: Awaited<ReturnType<typeof subject>>, event: { start: number; end: number }, excluded: readonly string[]) {
  const plan = evaluationPlan(s.rules, event), span = reach(plan), step_s = s.rules.intervalMinutes * 60
  const sums = (await stores.readings.netSum(tenant, s.points, span.start, span.end, { net: s.rules.netting === 'net', qualities: payable })).filter((v) => v.points === s.points.length)
  const Wh = resample(sums.map((v) => v.start), sums.map((v) => v.Wh), span.start, span.end, step_s)
  return evaluate(plan, 'down', { from: span.start, step_s, Wh }, excluded)
}

export const baselineRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: 'baselines', summary: 'The baseline methods there are, with their figures', roles: staff, query: page({}), read: async () => ok({ items: [...presets.values()], next: null }) },
  { method: 'POST', path: 'baselines', summary: 'Compute a baseline for any window; stores nothing', roles: [...staff], body: compute,
    act: async (ask) => {
      const b = ask.body as Static<typeof compute> & Subject, { stores } = ask.core.database, s = await subject(stores, ask, b)
      const start = instantOf(b.start, s.rules.timeZone, '/start'), event = { start, end: endOf(start, b, s.rules.timeZone) }
      const e = await computed(stores, ask.caller.tenant, s, event, b.excludedDays ?? [])
      return ok({
        status: e.status, reasons: e.reasons, method: s.rules.baseline.method, points: s.points.length, days: e.baseline.days, dropped: e.baseline.dropped, baseline_kWh: e.baseline_kWh, metered_kWh: e.metered_kWh,
        slots: e.baseline.status === 'OK' ? e.baseline.slots.map((x, i) => ({ start: rfc3339(x.start), end: rfc3339(x.end), kW: x.kW, unadjusted_kW: e.baseline.status === 'OK' ? e.baseline.unadjusted[i] : null, actual_kW: e.slots[i]?.actual_kW ?? null })) : [],
        adjustment: e.baseline.status === 'OK' ? e.baseline.adjustment : null, flags: e.baseline.status === 'OK' ? e.baseline.flags : [], trace: e.baseline.trace,
      })
    } },
  { method: 'POST', path: 'baselines/backtest', summary: 'Run a method on days without an event: RRMSE and bias (CORE-166)', roles: meterers, body: backtest,
    act: async (ask) => {
      const b = ask.body as Static<typeof backtest> & Subject, { stores } = ask.core.database, s = await subject(stores, ask, b)
      const days = [], baseline: number[] = [], actual: number[] = []
      for (const day of b.days) {
        const at = (hour: number): number => instantOf(`${day}T${String(hour).padStart(2, '0')}:00`, s.rules.timeZone, '/days')
        const e = await computed(stores, ask.caller.tenant, s, { start: at(b.fromHour), end: at(b.toHour === 24 ? 23 : b.toHour) + (b.toHour === 24 ? 3600 : 0) }, b.days.filter((d) => d !== day))
        days.push({ day, status: e.status, reasons: e.reasons, days: e.baseline.days, baseline_kWh: e.baseline_kWh, metered_kWh: e.metered_kWh })
        for (const slot of e.slots) if (slot.actual_kW !== null && slot.baseline_kW !== null) {
          baseline.push(slot.baseline_kW)
          actual.push(slot.actual_kW)
        }
      }
      const found = accuracy(baseline, actual)
      return ok({ method: s.rules.baseline.method, points: s.points.length, intervals: baseline.length, rrmse: found?.rrmse ?? null, bias: found?.bias ?? null, eligible: found?.eligible ?? false, flags: found?.flags ?? [], days })
    } },
  { method: 'GET', path: 'kpis', summary: 'Key figures of a program and period (CORE-195)', roles: staff, query: page({ program: filter, from: Type.Optional(time), to: Type.Optional(time) }), read: async (ask) => ok(await kpis(ask)) },
]

async function kpis(ask: Ask) {
  const { stores } = ask.core.database, { tenant } = ask.caller
  const program = ask.query.program === undefined ? undefined : present(await stores.programs.find(tenant, ask.query.program), 'program', ask.query.program)
  const dispatches = (await every((p) => stores.dispatches.list(tenant, { ...(program ? { program: program.id } : {}), from: fromOf(ask), to: toOf(ask) }, p), 200)).filter((d) => d.state !== 'rejected' && d.state !== 'pendingRelease' && !d.test)
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
  const runs = (await every((p) => stores.settlementRuns.list(tenant, { ...(program ? { program: program.id } : {}), state: 'issued' }, p), 200)).filter((r) => r.from < toOf(ask) && r.to > fromOf(ask))
  return {
    ...kpi({
      enrolled, active, dispatched, responded: told.responded, optedOut: told.byState.optedOut ?? 0, noComms: told.byState.noComms ?? 0, committed_kW: committed, delivered_kW: delivered,
      cost: runs.reduce((sum, r) => sum.plus(r.revenue), new Exact(0)).toString(), assets: active, currency: program?.currency ?? 'USD',
    }),
    events: dispatches.length, enrolled, active, deliveries: told.byState, reliability: reliability(ratios), committed_kW: committed, delivered_kW: delivered,
    latency_ms: told.latency_ms,
  }
}
