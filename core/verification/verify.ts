import { createHash } from 'node:crypto'
import { note } from '#core/audit/note.js'
import { system, type Caller } from '#core/caller.js'
import type { Band } from '#core/baseline/backtest.js'
import { LocalCalendar, dateOf } from '#core/baseline/calendar.js'
import { gamingOf, type GamingFlag } from '#core/baseline/gaming.js'
import type { Plan } from '#core/baseline/plan.js'
import { energySeries } from '#core/baseline/series.js'
import { again } from '#core/dispatch/deliver.js'
import { dispatchStates, live } from '#core/dispatch/dispatch-states.js'
import type { Dispatch } from '#core/dispatch/dispatch.js'
import type { Handler } from '#core/dispatch/timetable.js'
import { nominatedBaselines } from '#core/flex/prognosis.js'
import { mustSeeProgram, present } from '#core/permission.js'
import { every } from '#core/port/store/every.js'
import type { Draft } from '#core/port/store/entity.js'
import type { Stores } from '#core/port/store/index.js'
import type { Program } from '#core/program/program.js'
import { programAt } from '#core/program/versions.js'
import type { Interval } from '#core/quantity/interval.js'
import type { Quality } from '#core/reading/reading.js'
import { untoldAmong } from '#core/reading/untold.js'
import { advance } from '#core/state-table.js'
import { bandOf, evaluate, evaluationPlan, reach, type Energies, type Evaluation } from '#core/verification/evaluate.js'
import { extrasOf } from '#core/verification/extras.js'
import { resample } from '#core/verification/resample.js'
import type { VerificationResult } from '#core/verification/results.js'
import type { Transact, Work } from '#core/work.js'

/** CORE-116, CORE-118: estimates never pick baseline days and never pay. */
export const payable: readonly Quality[] = ['RAW', 'VALID', 'EDITED']
/** Points looked at together: 45 days of quarter hours of 50 points are 220,000 numbers, which a busy database still reads within its bounded wait. */
const chunk = 50

/** What one service point did in the event. */
export interface PointPerformance {
  readonly servicePoint: string
  readonly status: Evaluation['status']
  readonly reasons: readonly string[]
  readonly delivered_kWh: number | null
  /** Signed kW by interval (CORE-005). */
  readonly delivered_kW: readonly number[]
  readonly baseline_kWh?: number | null
  readonly metered_kWh?: number | null
  readonly flags?: readonly string[]
  /** CORE-168: for a human to look at. */
  readonly gaming?: readonly GamingFlag[]
}

/** The body of a stored performance result. */
export interface PerformanceBody {
  readonly level: 'point' | 'portfolio'
  readonly direction: 'down' | 'up'
  readonly status: Evaluation['status']
  readonly reasons: readonly string[]
  readonly ordered_kWh: number
  readonly allocated_kW: number
  readonly baseline_kWh: number | null
  readonly metered_kWh: number | null
  readonly delivered_kWh: number | null
  /** Delivered over ordered energy; null when it cannot be said. */
  readonly performance: number | null
  readonly days: readonly string[]
  readonly flags: readonly string[]
  readonly intervals: Evaluation['slots']
  readonly points: readonly PointPerformance[]
  /** Points left out of the portfolio because the event itself has gaps: a gap is never filled for payment (CORE-118). */
  readonly excludedPoints: readonly string[]
  /** CORE-169: what the number is worth, from days without an event; kW by interval and what that makes of the delivered energy. null: too few such days. */
  readonly band?: (Band & { readonly delivered_kWh: readonly [number, number] | null }) | null
  readonly gaming?: readonly { readonly servicePoint: string; readonly flags: readonly GamingFlag[] }[]
}

/** Load, decide, save: baseline and performance of a completed dispatch, each with its trace and the hash of its inputs. */
export async function verifyDispatch(work: Work, caller: Caller, id: string): Promise<VerificationResult[]> {
  const { stores, ids } = work, { tenant } = caller
  const dispatch = present(await stores.dispatches.get(tenant, id), 'dispatch', id)
  mustSeeProgram(caller, dispatch.program)
  const state = dispatch.state === 'settled' ? 'settled' : advance(dispatchStates, dispatch.state, 'verify', 'dispatch')
  const program = present(await programAt(stores, tenant, dispatch.program, dispatch.programVersion), 'program', dispatch.program)
  const { body, baseline, inputHash } = await evaluation(stores, tenant, program, dispatch)
  const common = { tenant, dispatch: id, subject: 'portfolio', method: program.baseline.method, methodVersion: baseline.trace.version, inputHash }
  const results = await stores.verifications.insertMany([
    { ...common, id: ids.uuid(), kind: 'baseline', status: baseline.status, body: baseline },
    { ...common, id: ids.uuid(), kind: 'performance', status: body.status, body },
  ] satisfies Draft<VerificationResult>[])
  if (state !== dispatch.state) await stores.dispatches.update({ ...dispatch, state })
  await note(work, caller, [{ action: 'dispatch.verify', entity: id, reason: body.reasons.join('; '), before: dispatch.state, after: { state, inputHash, status: body.status } }])
  return results
}

/** CORE-011: `asOf` (epoch ms) takes the readings as they were known then, and so gives the answer of then. */
export async function evaluation(stores: Stores, tenant: string, program: Program, dispatch: Dispatch, asOf?: number): Promise<{ body: PerformanceBody; baseline: Evaluation['baseline']; inputHash: string }> {
  const event = { start: dispatch.start, end: dispatch.end }, plan = evaluationPlan(program, event), span = reach(plan)
  const step_s = program.intervalMinutes * 60, direction = dispatch.delta_W < 0 ? 'down' : 'up', options = { net: program.netting === 'net', qualities: payable, ...(asOf === undefined ? {} : { asOf }) }
  const extras = await extrasOf(stores, tenant, program, span)
  const told = (await stores.deliveries.of(tenant, dispatch.id)).filter((d) => d.attempts > 0), points = [...new Set(told.map((d) => d.servicePoint))].sort()
  const orderedAt = told.reduce((first, d) => Math.min(first, d.order.createdAt), Infinity)
  const nominated = program.baseline.method === 'NOMINATED' ? await nominatedBaselines(stores, tenant, program, { span, event, orderedAt, asOf }) : undefined
  const excluded = await eventDays(stores, tenant, program, dispatch, points, span)
  const hash = createHash('sha256').update(JSON.stringify([plan.preset, event, direction, { net: options.net, qualities: payable }, points, excluded, ...(nominated ? [nominated.ids] : [])]))
  const sum = new Float64Array((span.end - span.start) / step_s), rows: PointPerformance[] = [], left: string[] = []
  for (let i = 0; i < points.length; i += chunk) {
    const found = await stores.readings.net(tenant, points.slice(i, i + chunk), span.start, span.end, options)
    for (const servicePoint of points.slice(i, i + chunk)) {
      const values = found.get(servicePoint)
      const Wh = resample(values?.start ?? [], values?.Wh ?? [], span.start, span.end, step_s)
      hash.update(servicePoint).update(Wh)
      const own = evaluate(plan, direction, { from: span.start, step_s, Wh }, excluded, nominated ? { ...extras, nominated: nominated.of(servicePoint) } : extras)
      rows.push(rowOf(plan, servicePoint, own, { from: span.start, step_s, Wh }))
      if (own.metered_kWh === null) left.push(servicePoint)
      else for (let k = 0; k < sum.length; k++) sum[k]! += Wh[k]!
    }
  }
  // Interpretation (CORE-134, CORE-118): a point with a gap in the event leaves both sides of the subtraction, named in the result
  if (left.length === points.length) sum.fill(NaN)
  const energies = { from: span.start, step_s, Wh: sum }, all = nominated ? { ...extras, nominated: nominated.portfolio(points.filter((p) => !left.includes(p)), left.length === 0) } : extras
  const whole = evaluate(plan, direction, energies, excluded, all), band = whole.status === 'OK' ? bandOf(plan, energies, excluded, all) : undefined
  return { body: bodyOf(program, dispatch, whole, plan.slots, rows, left, band), baseline: whole.baseline, inputHash: hash.digest('hex') }
}

function bodyOf(program: Program, dispatch: Dispatch, whole: Evaluation, grid: readonly Interval[], points: readonly PointPerformance[], excludedPoints: readonly string[], band?: Band): PerformanceBody {
  const ordered_kWh = (Math.abs(dispatch.delta_W) / 1000) * ((dispatch.end - dispatch.start) / 3600), level = program.baseline.level
  const good = points.filter((p) => p.status === 'OK')
  // CORE-134: the two levels give different numbers and are never mixed
  const delivered_kWh = level === 'portfolio' ? whole.delivered_kWh : good.length > 0 ? good.reduce((sum, p) => sum + p.delivered_kWh!, 0) : null
  const status = delivered_kWh === null ? 'INSUFFICIENT_DATA' : 'OK'
  const thin = points.filter((p) => p.status !== 'OK').length
  const reasons = status === 'OK' ? [] : points.length === 0 ? ['no device was told about this dispatch'] : whole.reasons.length > 0 ? whole.reasons : [`${thin} of ${points.length} points cannot be verified`]
  return {
    level, direction: dispatch.delta_W < 0 ? 'down' : 'up', status, reasons, ordered_kWh, allocated_kW: Math.abs(dispatch.allocated_W) / 1000,
    baseline_kWh: whole.baseline_kWh, metered_kWh: whole.metered_kWh, delivered_kWh, performance: delivered_kWh === null || ordered_kWh === 0 ? null : delivered_kWh / ordered_kWh,
    days: whole.baseline.days, flags: whole.baseline.status === 'OK' ? whole.baseline.flags : [], intervals: whole.slots.length > 0 ? whole.slots : grid.map(({ start, end }) => ({ start, end, baseline_kW: null, actual_kW: null, delivered_kW: null })), points, excludedPoints,
    band: band && delivered_kWh !== null ? { ...band, delivered_kWh: around(dispatch, delivered_kWh, band) } : null,
    gaming: points.flatMap((p) => (p.gaming && p.gaming.length > 0 ? [{ servicePoint: p.servicePoint, flags: p.gaming }] : [])),
  }
}

/** The baseline's error moves the delivery with the sign of the asked direction. */
function around(dispatch: Dispatch, delivered_kWh: number, { p10, p90 }: Band): readonly [number, number] {
  const hours = (dispatch.end - dispatch.start) / 3600
  return dispatch.delta_W < 0 ? [delivered_kWh - p90 * hours, delivered_kWh - p10 * hours] : [delivered_kWh + p10 * hours, delivered_kWh + p90 * hours]
}

/** One point's line, with what a human should look at (CORE-168). Repeated caps need a season: GET gaming of the operator API. */
function rowOf(plan: Plan, servicePoint: string, own: Evaluation, energies: Energies): PointPerformance {
  const flags = own.baseline.status === 'OK' ? own.baseline.flags : []
  const gaming = gamingOf(plan, own.baseline, energySeries(energies.from, energies.step_s, energies.Wh), { paid: (own.delivered_kWh ?? 0) > 0 })
  return {
    servicePoint, status: own.status, reasons: own.reasons, delivered_kWh: own.delivered_kWh, delivered_kW: own.slots.map((s) => s.delivered_kW ?? 0), baseline_kWh: own.baseline_kWh, metered_kWh: own.metered_kWh, flags,
    ...(gaming.length > 0 ? { gaming } : {}),
  }
}

/** CORE-024: local days on which any program dispatched any of these points; the event's own day is not a candidate anyway. */
export async function eventDays(stores: Stores, tenant: string, program: Pick<Program, 'timeZone' | 'intervalMinutes'>, own: Pick<Dispatch, 'id'> | undefined, points: readonly string[], span: Interval): Promise<string[]> {
  if (points.length === 0) return []
  const mine = new Set((await every((page) => stores.resources.list(tenant, { servicePoints: points }, page))).map((r) => r.id))
  const calendar = new LocalCalendar(program.timeZone, program.intervalMinutes), days = new Set<string>()
  const others = await every((page) => stores.dispatches.list(tenant, { from: span.start, to: span.end }, page), 200)
  for (const d of others) {
    // CORE-052: a cancelled one marks its day only if it had started
    const ran = d.state !== 'rejected' && d.state !== 'pendingRelease' && (d.state !== 'cancelled' || d.modifiedAt > d.start * 1000)
    if (d.id !== own?.id && ran && d.allocation.some((a) => mine.has(a.resource))) days.add(dateOf(calendar.locate(d.start).day))
  }
  return [...days].sort()
}

/**
 * After the event, when late readings had their time. A verification that comes before the end was executed (after an outage all moments are
 * due at once, on a busy machine the end is late) waits for it: done without effect it would never come again (CORE-207).
 * So does one of devices that still have measurements to tell (OCPP-141); by hand an operator may verify all the same.
 */
export const verifyTask = (transact: Transact): Handler => (entry) => again(5, () => transact(async (work) => {
  const id = (entry.payload as { dispatch: string }).dispatch
  const dispatch = await work.stores.dispatches.get(entry.tenant, id)
  if (dispatch && live.has(dispatch.state)) return `the dispatch is ${dispatch.state}: its end comes first`
  const untold = dispatch ? await untoldAmong(work.stores, entry.tenant, dispatch.allocation.map((a) => a.resource), work.clock.now()) : []
  if (untold.length > 0) return `${untold.length} of its devices still have measurements to tell`
  if (dispatch?.state === 'completed') await verifyDispatch(work, system(entry.tenant), id)
}))
