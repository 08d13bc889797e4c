import { Type, type Static } from 'typebox'
import { confidenceBand } from '#core/baseline/backtest.js'
import { assignControl, balance, controlGroup } from '#core/baseline/control-group.js'
import { methodNames } from '#core/baseline/run.js'
import { bandOf } from '#core/verification/evaluate.js'
import { extrasOf } from '#core/verification/extras.js'
import { storeWeather } from '#core/weather/weather.js'
import { accuracy } from '#core/baseline/accuracy.js'
import { presets } from '#core/baseline/preset.js'
import { nominatedBaselines } from '#core/flex/prognosis.js'
import { present } from '#core/permission.js'
import { every } from '#core/port/store/every.js'
import type { Stores } from '#core/port/store/index.js'
import type { Program } from '#core/program/program.js'
import type { Quality } from '#core/reading/reading.js'
import { evaluate, evaluationPlan, reach } from '#core/verification/evaluate.js'
import { resample } from '#core/verification/resample.js'
import { meterers, staff } from '#core/operator/roles.js'
import { ok, type Ask, type OperatorRoute } from '#core/operator/route.js'
import { closed, free, page, reference, time } from '#core/operator/schema.js'
import { endOf, instantOf, rfc3339 } from '#core/operator/wire.js'

const window = { program: Type.Optional(reference), method: Type.Optional(Type.String({ maxLength: 64 })), parameters: Type.Optional(free), servicePoints: Type.Optional(Type.Array(reference, { minItems: 1, maxItems: 10_000 })), servicePoint: Type.Optional(reference), timeZone: Type.Optional(Type.String()), intervalMinutes: Type.Optional(Type.Integer()) }
const compute = closed({ ...window, start: time, end: Type.Optional(time), duration: Type.Optional(Type.String({ maxLength: 40 })), excludedDays: Type.Optional(Type.Array(Type.String({ format: 'date' }), { maxItems: 400 })), asOf: Type.Optional(time) })
const backtest = closed({ ...window, days: Type.Array(Type.String({ format: 'date' }), { minItems: 1, maxItems: 100 }), fromHour: Type.Integer({ minimum: 0, maximum: 23 }), toHour: Type.Integer({ minimum: 1, maximum: 24 }) })
const control = closed({ program: reference, start: time, end: Type.Optional(time), duration: Type.Optional(Type.String({ maxLength: 40 })), seed: Type.String({ minLength: 1, maxLength: 100 }), controlShare: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 }), preHours: Type.Optional(Type.Integer({ minimum: 1, maximum: 24 })) })
const weather = closed({ station: reference, minutes: Type.Union([5, 10, 15, 30, 60].map((n) => Type.Literal(n))), rows: Type.Array(closed({ start: time, celsius: Type.Number() }), { minItems: 1, maxItems: 100_000 }) })
type Subject = { program?: string; method?: string; parameters?: Readonly<Record<string, unknown>>; servicePoints?: string[]; servicePoint?: string; timeZone?: string; intervalMinutes?: number }

const payable: readonly Quality[] = ['RAW', 'VALID', 'EDITED']

/** Whose load, and by which rules: a program's enrolled points, or the points named. */
async function subject(stores: Stores, ask: Ask, b: Subject) {
  const { tenant } = ask.caller
  const program = b.program === undefined ? undefined : present(await stores.programs.find(tenant, b.program), 'program', b.program)
  const rules: Pick<Program, 'baseline' | 'timeZone' | 'intervalMinutes' | 'holidays' | 'netting'> = {
    baseline: b.method === undefined ? (program?.baseline ?? { method: 'CAISO_10IN10', level: 'portfolio' }) : { method: b.method, level: program?.baseline.level ?? 'portfolio', ...(b.parameters ? { parameters: b.parameters } : program?.baseline.parameters ? { parameters: program.baseline.parameters } : {}) },
    timeZone: b.timeZone ?? program?.timeZone ?? 'UTC', intervalMinutes: b.intervalMinutes ?? program?.intervalMinutes ?? 15, holidays: program?.holidays ?? [], netting: program?.netting ?? 'import',
  }
  const points: string[] = []
  for (const p of b.servicePoints ?? (b.servicePoint === undefined ? [] : [b.servicePoint])) points.push(present(await stores.servicePoints.find(tenant, p), 'service point', p).id)
  if (points.length === 0 && program) for (const e of await every((pg) => stores.enrolments.list(tenant, { program: program.id, state: 'active' }, pg))) points.push(e.servicePoint)
  return { rules, program, points: [...new Set(points)] }
}

async function computed(stores: Stores, tenant: string, s: Awaited<ReturnType<typeof subject>>, event: { start: number; end: number }, excluded: readonly string[], options: { asOf?: number; banded?: boolean } = {}) {
  const plan = evaluationPlan(s.rules, event), span = reach(plan), step_s = s.rules.intervalMinutes * 60
  const sums = (await stores.readings.netSum(tenant, s.points, span.start, span.end, { net: s.rules.netting === 'net', qualities: payable, ...(options.asOf === undefined ? {} : { asOf: options.asOf }) })).filter((v) => v.points === s.points.length)
  const Wh = resample(sums.map((v) => v.start), sums.map((v) => v.Wh), span.start, span.end, step_s)
  const nominated = s.program && s.rules.baseline.method === 'NOMINATED' ? (await nominatedBaselines(stores, tenant, s.program, { span, event, orderedAt: Infinity, asOf: options.asOf })).portfolio(s.points, true) : undefined
  const extras = { ...await extrasOf(stores, tenant, s.rules, span), ...(nominated ? { nominated } : {}) }, energies = { from: span.start, step_s, Wh }, found = evaluate(plan, 'down', energies, excluded, extras)
  return { ...found, band: options.banded && found.status === 'OK' ? bandOf(plan, energies, excluded, extras) ?? null : null }
}

export const baselineRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: 'baselines', summary: 'The baseline methods there are, with their figures', roles: staff, query: page({}), read: async () => ok({ items: methodNames.map((name) => presets.get(name) ?? { name, version: 1 }), next: null }) },
  ...(['baselines', 'baselines/compute'] as const).map((path): OperatorRoute => (
  { method: 'POST', path, summary: 'Compute a baseline for any window by any method, with its band (CORE-169); stores nothing', roles: [...staff], body: compute,
    act: async (ask) => {
      const b = ask.body as Static<typeof compute> & Subject, { stores } = ask.core.database, s = await subject(stores, ask, b)
      const start = instantOf(b.start, s.rules.timeZone, '/start'), event = { start, end: endOf(start, b, s.rules.timeZone) }
      const e = await computed(stores, ask.caller.tenant, s, event, b.excludedDays ?? [], { banded: true, ...(b.asOf === undefined ? {} : { asOf: instantOf(b.asOf, 'utc', '/asOf') * 1000 + 999 }) })
      return ok({
        status: e.status, reasons: e.reasons, method: s.rules.baseline.method, points: s.points.length, days: e.baseline.days, dropped: e.baseline.dropped, baseline_kWh: e.baseline_kWh, metered_kWh: e.metered_kWh,
        slots: e.baseline.status === 'OK' ? e.baseline.slots.map((x, i) => ({ start: rfc3339(x.start), end: rfc3339(x.end), kW: x.kW, unadjusted_kW: e.baseline.status === 'OK' ? e.baseline.unadjusted[i] : null, actual_kW: e.slots[i]?.actual_kW ?? null })) : [],
        adjustment: e.baseline.status === 'OK' ? e.baseline.adjustment : null, flags: e.baseline.status === 'OK' ? e.baseline.flags : [], band: e.band, trace: e.baseline.trace,
      })
    } })),
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
      return ok({ method: s.rules.baseline.method, points: s.points.length, intervals: baseline.length, rrmse: found?.rrmse ?? null, bias: found?.bias ?? null, eligible: found?.eligible ?? false, flags: found?.flags ?? [], band: confidenceBand(baseline.map((v, i) => v - actual[i]!)) ?? null, days })
    } },
  { method: 'POST', path: 'baselines/control-group', summary: 'Assign a control group by seed, test its balance and measure the effect of an event against it (CORE-155)', roles: meterers, body: control,
    act: async (ask) => {
      const b = ask.body as Static<typeof control>, { stores } = ask.core.database, { tenant } = ask.caller, program = present(await stores.programs.find(tenant, b.program), 'program', b.program)
      const start = instantOf(b.start, program.timeZone, '/start'), end = endOf(start, b, program.timeZone), pre = start - (b.preHours ?? 3) * 3600
      const enrolled = (await every((p) => stores.enrolments.list(tenant, { program: program.id, state: 'active' }, p))).map((e) => e.servicePoint), groups = assignControl([...new Set(enrolled)], b.seed, b.controlShare)
      const net = await stores.readings.net(tenant, [...groups.treatment, ...groups.control], pre, end, { net: program.netting === 'net', qualities: payable })
      // a point with a gap proves nothing and leaves its group, by name
      const mean = (id: string, from: number, to: number): number => {
        const own = net.get(id), values = (own?.start ?? []).flatMap((at, i) => (at >= from && at < to ? [own!.Wh[i]!] : []))
        return values.length * program.intervalMinutes * 60 < to - from ? NaN : values.reduce((a, w) => a + w, 0) / 1000 / ((to - from) / 3600)
      }
      const whole = (ids: readonly string[]): string[] => ids.filter((id) => !Number.isNaN(mean(id, pre, start)) && !Number.isNaN(mean(id, start, end))), treated = whole(groups.treatment), controls = whole(groups.control)
      const loads = { treatPre: treated.map((id) => mean(id, pre, start)), treatEvent: treated.map((id) => mean(id, start, end)), controlPre: controls.map((id) => mean(id, pre, start)), controlEvent: controls.map((id) => mean(id, start, end)) }
      const effect = controlGroup(loads)
      return ok({ status: effect ? 'OK' : 'INSUFFICIENT_DATA', reasons: effect ? [] : [`${treated.length} treated and ${controls.length} control points have readings, 2 of each are needed`], seed: b.seed, treatment: groups.treatment, control: groups.control,
        leftOut: [...groups.treatment, ...groups.control].filter((id) => !treated.includes(id) && !controls.includes(id)), balance: effect ? balance(loads.treatPre, loads.controlPre) : null, effect: effect ?? null })
    } },
  { method: 'POST', path: 'weather', summary: 'Temperature of a station as a series, for methods that look at the weather', roles: meterers, body: weather, example: { station: 'KDEN', minutes: 60, rows: [{ start: '2026-07-14T00:00:00Z', celsius: 24.5 }] },
    command: async (work, ask) => {
      const b = ask.body as Static<typeof weather>
      return ok(await storeWeather(work, ask.caller, b.station, b.minutes, b.rows.map((r) => ({ start: instantOf(r.start, 'utc', '/rows/start'), celsius: r.celsius }))))
    } },
]
