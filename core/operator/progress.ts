import type { Core } from '#core/assemble.js'
import { lost } from '#core/dispatch/delivery-states.js'
import type { Dispatch } from '#core/dispatch/dispatch.js'
import { shareOf } from '#core/dispatch/reallocate.js'
import type { Program } from '#core/program/program.js'
import { programAt } from '#core/program/versions.js'
import { present, seesProgram } from '#core/permission.js'
import { evaluate, evaluationPlan, reach } from '#core/verification/evaluate.js'
import { behind, pointSoFar, sumSoFar, type PointSoFar } from '#core/verification/progress.js'
import { resample } from '#core/verification/resample.js'
import { eventDays, payable } from '#core/verification/verify.js'
import { History } from '#core/operator/progress-history.js'
import { staffAndGrid } from '#core/operator/roles.js'
import { ok, type OperatorRoute } from '#core/operator/route.js'
import { rfc3339, stamp } from '#core/operator/wire.js'

const chunk = 200
/** What a chart shows around an event. */
const before_s = 7200, after_s = 3600

interface Expected {
  readonly status: 'OK' | 'INSUFFICIENT_DATA'
  readonly reasons: readonly string[]
  readonly days: readonly string[]
  readonly dropped: readonly { readonly day: string; readonly reason: string }[]
  readonly portfolio_kW: readonly number[]
  readonly byPoint: ReadonlyMap<string, readonly number[]>
}

/** What one watched order has of the past: read in turn, never twice at once. */
interface Watched {
  readonly history: History
  readonly byPoint: Map<string, readonly number[]>
  days: readonly string[]
  reading: Promise<void>
}

/** 45 days of readings are looked at once for each dispatch and point, not at every look of a page; two orders at a time are kept. */
const remembered = new WeakMap<Core, Map<string, Watched>>()
const kept = 2

function watched(core: Core, key: string, length: number): Watched {
  const book = remembered.get(core) ?? new Map<string, Watched>()
  remembered.set(core, book)
  const known = book.get(key) ?? { history: new History(length), byPoint: new Map<string, readonly number[]>(), days: [], reading: Promise.resolve() }
  book.delete(key)
  book.set(key, known)
  for (const old of [...book.keys()].slice(0, Math.max(0, book.size - kept))) book.delete(old)
  return known
}

/** The baseline as far as it can be known now. The adjustment windows are part of it once the event has begun: looked at anew then, and only then. */
async function expectation(core: Core, tenant: string, program: Program, d: Dispatch, points: readonly string[], excluded: readonly string[]): Promise<Expected> {
  const { stores } = core.database, plan = evaluationPlan(program, d), span = reach(plan), step_s = program.intervalMinutes * 60, direction = d.delta_W < 0 ? 'down' : 'up'
  const begun = core.means.clock.now() >= d.start + step_s, length = Math.round((span.end - span.start) / step_s)
  const mine = watched(core, `${tenant} ${d.id} ${d.programVersion} ${d.start} ${d.end} ${begun}`, length), { history, byPoint } = mine
  mine.reading = mine.reading.catch(() => {}).then(async () => {
    const open = points.filter((id) => !history.has(id))
    if (open.length === 0) return
    mine.days = await eventDays(stores, tenant, program, d, points, span)
    for (let i = 0; i < open.length; i += chunk) {
      const found = await stores.readings.net(tenant, open.slice(i, i + chunk), span.start, d.start, { net: program.netting === 'net', qualities: payable })
      for (const id of open.slice(i, i + chunk)) {
        const values = found.get(id), Wh = resample(values?.start ?? [], values?.Wh ?? [], span.start, span.end, step_s)
        const own = evaluate(plan, direction, { from: span.start, step_s, Wh }, mine.days).baseline
        byPoint.set(id, own.status === 'OK' ? own.slots.map((s) => s.kW) : [])
        history.add(id, Wh)
      }
    }
  })
  await mine.reading
  const told = new Set(points), left = new Set([...excluded, ...[...byPoint.keys()].filter((id) => !told.has(id))])
  const { baseline } = evaluate(plan, direction, { from: span.start, step_s, Wh: history.without([...left]) }, mine.days)
  return { status: baseline.status, reasons: baseline.status === 'OK' ? [] : baseline.reasons, days: baseline.days, dropped: baseline.dropped, portfolio_kW: baseline.status === 'OK' ? baseline.slots.map((s) => s.kW) : [], byPoint }
}

/** Target, actual and baseline of a dispatch while it runs; provisional until verification says the last word. */
export async function progressOf(core: Core, tenant: string, program: Program, d: Dispatch) {
  const { stores } = core.database, step_s = program.intervalMinutes * 60, direction = d.delta_W < 0 ? 'down' : 'up'
  const told = (await stores.deliveries.of(tenant, d.id)).filter((x) => x.attempts > 0)
  const points = [...new Set(told.map((x) => x.servicePoint))].sort(), asked = new Map<string, number>()
  for (const x of told) if (!lost.has(x.state)) asked.set(x.servicePoint, (asked.get(x.servicePoint) ?? 0) + Math.abs(shareOf(x)))
  const start = Math.floor((d.start - before_s) / step_s) * step_s, grid = { start, step_s, length: Math.ceil((d.end + after_s - start) / step_s) }
  const energies = new Map<string, Float64Array>()
  for (let i = 0; i < points.length; i += 1000) {
    const found = await stores.readings.net(tenant, points.slice(i, i + 1000), start, start + grid.length * step_s, { net: program.netting === 'net', qualities: payable })
    for (const id of points.slice(i, i + 1000)) energies.set(id, resample(found.get(id)?.start ?? [], found.get(id)?.Wh ?? [], start, start + grid.length * step_s, step_s))
  }
  const soFar = (expected?: Expected): PointSoFar[] => points.map((id) => ({ servicePoint: id, Wh: energies.get(id)!, baseline_kW: expected?.byPoint.get(id) ?? [], allocated_W: asked.get(id) ?? 0 }))
  const first = Math.floor(d.start / step_s) - start / step_s, last = Math.ceil(d.end / step_s) - start / step_s
  const excluded = behind(soFar(), first, last)
  const expected = await expectation(core, tenant, program, d, points, excluded)
  const all = soFar(expected), counted = all.filter((p) => !excluded.includes(p.servicePoint))
  const intervals = sumSoFar(counted, grid, d, expected.portfolio_kW), hours = step_s / 3600, sign = direction === 'down' ? -1 : 1
  const done = intervals.filter((i) => i.phase === 'event' && i.actual_kW !== null && i.baseline_kW !== null)
  return {
    dispatch: d.id, state: d.state, provisional: d.state !== 'verified' && d.state !== 'settled', at: stamp(core.means.clock.nowMs()), direction, status: expected.status, reasons: expected.reasons,
    method: program.baseline.method, level: program.baseline.level, days: expected.days, dropped: expected.dropped, ordered_kW: Math.abs(d.delta_W) / 1000, allocated_kW: Math.abs(d.allocated_W) / 1000,
    points: all.map((p) => pointSoFar(p, direction, first, step_s)), excludedPoints: excluded,
    delivered_kWh: done.length === 0 ? null : done.reduce((s, i) => s + sign * (i.actual_kW! - i.baseline_kW!) * hours, 0), asked_kWh: (done.length * hours * Math.abs(d.delta_W)) / 1000, intervalsDone: done.length,
    intervals: intervals.map((i) => ({ ...i, start: rfc3339(i.start), end: rfc3339(i.end), target_kW: i.baseline_kW === null ? null : i.baseline_kW + d.delta_W / 1000 })),
  }
}

export const progressRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: 'dispatches/:id/progress', summary: 'Target, actual and baseline so far; provisional until the dispatch is verified', roles: staffAndGrid,
    read: async ({ core, caller, params }) => {
      const { stores } = core.database, found = await stores.dispatches.get(caller.tenant, params.id!)
      const d = present(found && seesProgram(caller, found.program) ? found : undefined, 'dispatch', params.id!)
      return ok(await progressOf(core, caller.tenant, present(await programAt(stores, caller.tenant, d.program, d.programVersion), 'program', d.program), d))
    } },
]
