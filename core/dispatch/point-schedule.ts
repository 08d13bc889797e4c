import { Refusal } from '#core/error.js'
import { baseLoad, baseOf, barred, pointText, type PointDevice, type PointInput } from '#core/dispatch/point-model.js'
import type { Solution } from '#core/dispatch/lp-worker.js'
import { inWorker } from '#core/dispatch/optimal.js'
import type { W } from '#core/quantity/power.js'

export type { PointDevice, PointInput } from '#core/dispatch/point-model.js'

/** Loads of every device, consumption positive, and what the connection sees. */
export interface PointSchedule {
  readonly solver: 'highs' | 'none'
  readonly flags: readonly ('SOLVER_TIMEOUT' | 'SOLVER_FAILED' | 'INFEASIBLE')[]
  readonly load_W: ReadonlyMap<string, readonly W[]>
  readonly net_W: readonly W[]
  readonly shortfall_W: readonly W[]
  /** Energy that a car lacks at its departure. */
  readonly unmet_Wh: Readonly<Record<string, number>>
  readonly bindingConstraints: readonly string[]
}

function checked(input: PointInput): void {
  const n = input.hours.length, wrong = (path: string, reason: string): never => { throw new Refusal('invalid', `${path} ${reason}`, { faults: [{ path: `/${path}`, reason }] }) }
  const series = (name: string, values: readonly unknown[]): void => void (values.length === n || wrong(name, `must have ${n} values`))
  if (n === 0 || n > 200 || input.hours.some((h) => !(h > 0))) wrong('hours', 'must be 1 to 200 intervals of a length above 0')
  series('others', input.others_W)
  series('delta', input.delta_W)
  if (new Set(input.devices.map((d) => d.id)).size !== input.devices.length) wrong('devices', 'must have ids of their own')
  for (const d of input.devices) {
    if (d.kind === 'ev') { series(`${d.id}/present`, d.present); series(`${d.id}/base`, d.base_W) }
    if (d.kind === 'solar') series(`${d.id}/forecast`, d.forecast_W)
    if (d.kind === 'thermal') series(`${d.id}/expected`, d.expected_W)
    if (d.kind === 'battery' && (!(d.efficiency > 0 && d.efficiency <= 1) || d.reserve_Wh > d.stored_Wh || d.stored_Wh > d.capacity_Wh)) wrong(d.id, 'must hold at least its reserve and at most its capacity, at an efficiency of 0 to 1')
  }
}

/**
 * CORE-073 over a horizon: car, battery, sun and heat pump behind one connection as one plan, its import and export limit kept in every
 * interval. The answer of the solver in whole watts; without one, everybody is left alone and the plan says so (CORE-206).
 */
export async function schedulePoint(input: PointInput, timeLimit_ms = 10_000): Promise<PointSchedule> {
  checked(input)
  const found = await inWorker<Solution>('lp-worker', { text: pointText(input), seconds: timeLimit_ms / 1000 }, timeLimit_ms)
  const status = found?.status ?? 'Time limit reached'
  if (found === undefined || status !== 'Optimal') return report(input, new Map(input.devices.map((d) => [d.id, input.hours.map((_, t) => baseOf(d, t))])), 'none', [status === 'Infeasible' ? 'INFEASIBLE' : status === 'Time limit reached' ? 'SOLVER_TIMEOUT' : 'SOLVER_FAILED'])
  const whole = (name: string): W => Math.max(0, Math.floor((found.values[name] ?? 0) + 1e-6))
  const load = (d: PointDevice, i: number, t: number): W => (d.kind === 'ev' ? whole(`e${i}_${t}`) : d.kind === 'battery' ? whole(`c${i}_${t}`) - whole(`d${i}_${t}`)
    : d.kind === 'solar' ? whole(`q${i}_${t}`) - d.forecast_W[t]! : d.expected_W[t]! - whole(`s${i}_${t}`))
  return report(input, new Map(input.devices.map((d, i) => [d.id, input.hours.map((_, t) => load(d, i, t) + 0)])), 'highs', [])
}

function report(input: PointInput, load_W: Map<string, W[]>, solver: PointSchedule['solver'], flags: PointSchedule['flags']): PointSchedule {
  const T = input.hours.map((_, t) => t), net_W = T.map((t) => input.others_W[t]! + [...load_W.values()].reduce((sum, l) => sum + l[t]!, 0))
  // a watt of every device may have been cut off: that is rounding and no shortfall
  const shortfall_W = T.map((t) => Math.max(0, Math.sign(input.delta_W[t]!) * (baseLoad(input, t) + input.delta_W[t]! - net_W[t]!) - 2 * input.devices.length) + 0)
  const charged = (id: string): number => load_W.get(id)!.reduce((sum, w, t) => sum + w * input.hours[t]!, 0)
  const unmet_Wh = Object.fromEntries(input.devices.flatMap((d) => (d.kind === 'ev' && d.need_Wh - charged(d.id) > T.length + 1 ? [[d.id, Math.round(d.need_Wh - charged(d.id))]] : [])))
  const names = new Set<string>(), margin = 2 * input.devices.length + 1
  for (const t of T) {
    if (shortfall_W[t] === 0) continue
    if (input.exportLimit_W !== null && net_W[t]! - margin <= -input.exportLimit_W) names.add(`export limit: ${input.exportLimit_W} W`)
    if (input.importLimit_W !== null && net_W[t]! + margin >= input.importLimit_W) names.add(`import limit: ${input.importLimit_W} W`)
    for (const d of input.devices) if (barred(input, d, t)) names.add(`never-use window of ${d.id}`)
  }
  if (shortfall_W.some((w) => w > 0) && names.size === 0) names.add('availability')
  return { solver, flags, load_W, net_W, shortfall_W, unmet_Wh, bindingConstraints: [...names].sort() }
}

/** CORE-208: looks at a finished schedule with other code than made it; what it finds wrong, or nothing. */
export function proveSchedule(input: PointInput, plan: Pick<PointSchedule, 'load_W'>): string[] {
  const wrong: string[] = []
  const loads = (t: number, kinds: readonly PointDevice['kind'][]): W[] => input.devices.filter((d) => kinds.includes(d.kind)).map((d) => plan.load_W.get(d.id)![t]!)
  const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0)
  input.hours.forEach((_, t) => {
    const net = input.others_W[t]! + sum(loads(t, ['ev', 'battery', 'solar', 'thermal']))
    if (input.importLimit_W !== null && net > input.importLimit_W) wrong.push(`${t}: ${net} W import`)
    if (input.exportLimit_W !== null && -net > input.exportLimit_W) wrong.push(`${t}: ${-net} W export`)
    const discharge = -sum(loads(t, ['battery']).filter((w) => w < 0)), charging = sum(loads(t, ['ev']))
    if (input.allowCrossCharge !== true && charging > 0 && discharge > Math.max(0, input.others_W[t]!) + sum(loads(t, ['thermal']))) wrong.push(`${t}: the battery feeds a car`)
  })
  for (const d of input.devices) {
    const load = plan.load_W.get(d.id)!
    let stored = d.kind === 'battery' ? d.stored_Wh : 0, shed = 0
    load.forEach((w, t) => {
      const h = input.hours[t]!
      if (!Number.isSafeInteger(w)) wrong.push(`${d.id}/${t}: ${w} is no whole watt`)
      if (barred(input, d, t) && w !== baseOf(d, t)) wrong.push(`${d.id}/${t}: used in its never-use window`)
      else if (d.kind === 'ev' && (w < 0 || w > (d.present[t] ? d.max_W : 0))) wrong.push(`${d.id}/${t}: ${w} W`)
      if (d.kind === 'solar' && (w > 0 || w < -d.forecast_W[t]!)) wrong.push(`${d.id}/${t}: ${w} W`)
      if (d.kind === 'thermal') shed += (d.expected_W[t]! - w) * h
      if (d.kind === 'thermal' && (w < 0 || w > d.expected_W[t]!)) wrong.push(`${d.id}/${t}: ${w} W`)
      if (d.kind !== 'battery') return
      stored += w > 0 ? w * h * d.efficiency : w * h
      if (w > d.maxCharge_W || -w > d.maxDischarge_W) wrong.push(`${d.id}/${t}: ${w} W`)
      // rounding of whole watts accumulates below a watt-hour per interval
      if (stored < d.reserve_Wh - load.length || stored > d.capacity_Wh + load.length) wrong.push(`${d.id}/${t}: ${stored} Wh stored`)
    })
    if (d.kind === 'thermal' && shed > d.comfort_Wh + 1) wrong.push(`${d.id}: ${shed} Wh shed`)
  }
  return wrong
}
