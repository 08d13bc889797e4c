import { createHash } from 'node:crypto'
import { mean } from '#core/baseline/eligibility.js'
import { byteOrder } from '#core/quantity/order.js'

/** Two-sided 95 % normal quantile. */
const z975 = 1.959963984540054

/** Sample variance (n - 1). */
function variance(values: readonly number[]): number {
  const m = mean(values)
  return values.reduce((sum, v) => sum + (v - m) ** 2, 0) / (values.length - 1)
}

export interface GroupLoads {
  readonly treatPre: readonly number[]
  readonly treatEvent: readonly number[]
  readonly controlPre: readonly number[]
  readonly controlEvent: readonly number[]
}

export interface ControlGroupEffect {
  readonly rctPerCustomer_kW: number
  readonly didPerCustomer_kW: number
  readonly didSe_kW: number
  readonly didTotal_kW: number
  readonly ci95: readonly [number, number]
}

/** CORE-155: difference of means, difference in differences, its standard error. undefined: fewer than two customers in a group. */
export function controlGroup(g: GroupLoads): ControlGroupEffect | undefined {
  const n = g.treatEvent.length, m = g.controlEvent.length
  if (n < 2 || m < 2 || g.treatPre.length !== n || g.controlPre.length !== m) return undefined
  const rct = mean(g.controlEvent) - mean(g.treatEvent)
  const did = rct - (mean(g.controlPre) - mean(g.treatPre))
  const change = (event: readonly number[], pre: readonly number[]): number[] => event.map((e, i) => e - pre[i]!)
  const se = Math.sqrt(variance(change(g.treatEvent, g.treatPre)) / n + variance(change(g.controlEvent, g.controlPre)) / m)
  return { rctPerCustomer_kW: rct, didPerCustomer_kW: did, didSe_kW: se, didTotal_kW: did * n, ci95: [did - z975 * se, did + z975 * se] }
}

/** CORE-155: seeded and fixed for a season: the same seed gives the same groups on every machine. */
export function assignControl(ids: readonly string[], seed: string, controlShare: number): { treatment: string[]; control: string[] } {
  const ranked = ids.map((id) => ({ id, key: createHash('sha256').update(`${seed}|${id}`, 'utf8').digest('hex') }))
    .sort((a, b) => byteOrder(a.key, b.key) || byteOrder(a.id, b.id))
  const n = Math.round(ids.length * controlShare)
  const names = (rows: typeof ranked): string[] => rows.map((r) => r.id).sort(byteOrder)
  return { control: names(ranked.slice(0, n)), treatment: names(ranked.slice(n)) }
}

/** Welch's t of the pre-window loads; a balanced assignment has |t| < 1.96. */
export function balance(treatPre: readonly number[], controlPre: readonly number[]): { t: number; balanced: boolean } {
  const se = Math.sqrt(variance(treatPre) / treatPre.length + variance(controlPre) / controlPre.length)
  const gap = mean(treatPre) - mean(controlPre)
  const t = se === 0 ? (gap === 0 ? 0 : Infinity) : gap / se
  return { t, balanced: Math.abs(t) < 1.96 }
}
