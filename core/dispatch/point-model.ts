import { lines } from '#core/dispatch/optimal-model.js'
import type { W } from '#core/quantity/power.js'

/** What stands behind one connection, over the intervals of a plan. Energies in Wh, powers in W; arrays have one value per interval. */
export type PointDevice =
  /** Must have `need_Wh` by its departure; `present` says when it is plugged in; `base_W` is what it would draw if it were left alone. */
  | { readonly id: string; readonly kind: 'ev'; readonly max_W: W; readonly need_Wh: number; readonly present: readonly boolean[]; readonly base_W: readonly W[] }
  | { readonly id: string; readonly kind: 'battery'; readonly capacity_Wh: number; readonly stored_Wh: number; readonly reserve_Wh: number; readonly maxCharge_W: W; readonly maxDischarge_W: W; readonly efficiency: number }
  | { readonly id: string; readonly kind: 'solar'; readonly forecast_W: readonly W[] }
  /** A heat pump or the like: sheds at most what it draws, and in all what comfort allows. */
  | { readonly id: string; readonly kind: 'thermal'; readonly expected_W: readonly W[]; readonly comfort_Wh: number }

export interface PointInput {
  readonly hours: readonly number[]
  /** Load that nobody controls. */
  readonly others_W: readonly W[]
  /** Change of the whole connection that is asked for; negative = less import, 0 = nothing. */
  readonly delta_W: readonly W[]
  readonly importLimit_W: W | null
  readonly exportLimit_W: W | null
  readonly devices: readonly PointDevice[]
  readonly allowCrossCharge?: boolean | undefined
  /** Customer's order (CORE-074), ids of who is used first; and intervals in which a device is left alone. */
  readonly preference?: readonly string[] | undefined
  readonly neverUse?: Readonly<Record<string, readonly boolean[]>> | undefined
}

export const baseOf = (d: PointDevice, t: number): W => (d.kind === 'ev' ? d.base_W[t]! : d.kind === 'solar' ? -d.forecast_W[t]! : d.kind === 'thermal' ? d.expected_W[t]! : 0)
export const barred = (input: PointInput, d: PointDevice, t: number): boolean => input.neverUse?.[d.id]?.[t] === true
export const baseLoad = (input: PointInput, t: number): W => input.others_W[t]! + input.devices.reduce((sum, d) => sum + baseOf(d, t), 0)

/** Penalties above every cost, in order of worth: the connection holds always, a car leaves charged, then the order is met. */
const unmet = 1e6, short = 1e3

/**
 * CORE-073 as a mixed-integer program in CPLEX text. Per interval: `e` charging of a car, `c` and `d` of a battery, `s` load shed, `q` sun
 * curtailed, `k` shortfall. A battery serves the loads of its point while a car charges (`y` = 1), and only without one the grid.
 */
export function pointText(input: PointInput): string {
  const { devices, hours } = input, T = hours.map((_, t) => t), objective: string[] = [], rows: string[] = [], bounds: string[] = [], binary: string[] = []
  // whole watts are cut below what the solver finds: one watt of every device stays free at the limits
  const spare = devices.length, rank = new Map((input.preference ?? []).map((id, i) => [id, i]))
  const cost = (d: PointDevice): number => 1 + (rank.get(d.id) ?? devices.length) / (devices.length + 1)
  const term = (factor: number, name: string): string => `${factor < 0 ? '-' : '+'} ${Math.abs(factor)} ${name}`
  const net = (t: number): string[] => devices.flatMap((d, i) => (d.kind === 'ev' ? [`+ e${i}_${t}`] : d.kind === 'battery' ? [`+ c${i}_${t}`, `- d${i}_${t}`] : d.kind === 'solar' ? [`+ q${i}_${t}`] : [`- s${i}_${t}`]))
  const still = (t: number): W => input.others_W[t]! + devices.reduce((sum, d) => sum + (d.kind === 'solar' || d.kind === 'thermal' ? baseOf(d, t) : 0), 0)
  devices.forEach((d, i) => {
    const most = (name: string, limit: number, t: number): void => void bounds.push(`0 <= ${name}${i}_${t} <= ${barred(input, d, t) ? 0 : Math.max(0, limit)}`)
    if (d.kind === 'ev') {
      for (const t of T) {
        const fixed = barred(input, d, t)
        bounds.push(fixed ? `e${i}_${t} = ${d.base_W[t]}` : `0 <= e${i}_${t} <= ${d.present[t] ? d.max_W : 0}`)
        rows.push(`r${i}_${t}: e${i}_${t} + m${i}_${t} >= ${d.base_W[t]}`)
        objective.push(term(cost(d) * hours[t]!, `m${i}_${t}`))
        if (d.max_W > 0) rows.push(`y${i}_${t}: e${i}_${t} - ${d.max_W} y${t} <= 0`)
      }
      rows.push(`n${i}: ${lines([...T.map((t) => `${hours[t]} e${i}_${t}`), `u${i}`])} >= ${d.need_Wh}`)
      objective.push(term(unmet, `u${i}`))
    } else if (d.kind === 'battery') {
      for (const t of T) {
        most('c', d.maxCharge_W, t)
        most('d', d.maxDischarge_W, t)
        objective.push(term(cost(d) * hours[t]!, `d${i}_${t}`), term(0.01 * hours[t]!, `c${i}_${t}`))
        binary.push(`z${i}_${t}`)
        rows.push(`a${i}_${t}: c${i}_${t} - ${d.maxCharge_W} z${i}_${t} <= 0`, `b${i}_${t}: d${i}_${t} + ${d.maxDischarge_W} z${i}_${t} <= ${d.maxDischarge_W}`)
        const stored = lines(T.slice(0, t + 1).flatMap((k) => [term(d.efficiency * hours[k]!, `c${i}_${k}`), term(-hours[k]!, `d${i}_${k}`)]), ' ')
        rows.push(`f${i}_${t}: ${stored} <= ${d.capacity_Wh - d.stored_Wh}`, `g${i}_${t}: ${stored} >= ${d.reserve_Wh - d.stored_Wh}`)
      }
    } else if (d.kind === 'solar') for (const t of T) {
      most('q', d.forecast_W[t]!, t)
      objective.push(term(cost(d) * hours[t]!, `q${i}_${t}`))
    } else {
      for (const t of T) {
        most('s', d.expected_W[t]!, t)
        objective.push(term(cost(d) * hours[t]!, `s${i}_${t}`))
      }
      rows.push(`w${i}: ${lines(T.map((t) => `${hours[t]} s${i}_${t}`))} <= ${d.comfort_Wh}`)
    }
  })
  const discharge = devices.reduce((sum, d) => sum + (d.kind === 'battery' ? d.maxDischarge_W : 0), 0), crossing = input.allowCrossCharge !== true && discharge > 0 && devices.some((d) => d.kind === 'ev')
  for (const t of T) {
    const load = net(t).join(' ') || `+ 0 k${t}`, want = baseLoad(input, t) + input.delta_W[t]!
    objective.push(term(short * hours[t]!, `k${t}`))
    if (input.importLimit_W !== null) rows.push(`i${t}: ${load} <= ${input.importLimit_W - still(t) - spare}`)
    if (input.exportLimit_W !== null) rows.push(`x${t}: ${load} >= ${-input.exportLimit_W - still(t) + spare}`)
    if (input.delta_W[t]! < 0) rows.push(`t${t}: ${load} - k${t} <= ${want - still(t)}`)
    if (input.delta_W[t]! > 0) rows.push(`t${t}: ${load} + k${t} >= ${want - still(t)}`)
    if (devices.some((d) => d.kind === 'ev')) binary.push(`y${t}`)
    if (!crossing) continue
    const own = Math.max(0, input.others_W[t]!) + devices.reduce((sum, d) => sum + (d.kind === 'thermal' ? d.expected_W[t]! : 0), 0)
    const terms = devices.flatMap((d, i) => (d.kind === 'battery' ? [`+ d${i}_${t}`] : d.kind === 'thermal' ? [`+ s${i}_${t}`] : []))
    rows.push(`o${t}: ${terms.join(' ')} + ${discharge} y${t} <= ${discharge + own}`)
  }
  return `Minimize\n obj: ${lines(objective, ' ')}\nSubject To\n${rows.join('\n')}\nBounds\n${bounds.join('\n')}\n${binary.length > 0 ? `Binary\n ${lines(binary, ' ')}\n` : ''}End\n`
}
