import { Exact } from '#core/quantity/money.js'
import type { Wh } from '#core/quantity/energy.js'
import type { Decimal } from 'decimal.js'

export type Direction = 'down' | 'up'

/** CORE-005: delivered flexibility is positive when it goes the asked way. */
export const delivered = (direction: Direction, baseline: number, actual: number): number => (direction === 'down' ? baseline - actual : actual - baseline)

export interface IntervalDelivery {
  readonly start: number
  readonly end: number
  /** null where the meter has no value: never counted as 0 or as delivered. */
  readonly kW: number | null
  readonly kWh: number | null
}

/** CORE-170: kW by interval and the energy as Σ kW × h; intervals without a reading are named, not guessed. */
export function performance(direction: Direction, slots: readonly { start: number; end: number; baseline_kW: number; actual_kW: number | null }[]) {
  const intervals: IntervalDelivery[] = slots.map((s) => {
    const kW = s.actual_kW === null || Number.isNaN(s.actual_kW) ? null : delivered(direction, s.baseline_kW, s.actual_kW)
    return { start: s.start, end: s.end, kW, kWh: kW === null ? null : (kW * (s.end - s.start)) / 3600 }
  })
  const missing = intervals.filter((i) => i.kW === null).map(({ start, end }) => ({ start, end }))
  return { intervals, energy_kWh: intervals.reduce((sum, i) => sum + (i.kWh ?? 0), 0), missing }
}

/** CORE-006: settled energy is rounded half-up (away from zero) to 0.001 kWh once, before a price touches it; that is whole Wh. */
export function settledWh(kWh: number): Wh {
  const size = Math.abs(kWh) * 1000, whole = Math.floor(size), fraction = size - whole
  // Millions of intervals: the decimal is only asked where binary could sit on the wrong side of one half.
  const near = Math.abs(fraction - 0.5) < 1e-6
  const rounded = near ? Number(new Exact(Math.abs(kWh)).times(1000).toFixed(0)) : fraction > 0.5 ? whole + 1 : whole
  return kWh < 0 ? 0 - rounded : rounded
}

/** The same on an exact decimal, for the calculations that take kWh as text. */
export const settledKWh = (kWh: Decimal.Value): Decimal => new Exact(kWh).toDecimalPlaces(3)

/** Performance ratios are cut, not rounded: 0.7799 → "0.77". */
const floored = (value: Decimal): string => Exact.max(0, Exact.min(1, value)).toFixed(2, 1)

/** CORE-173: mean hourly delivery / commitment, clamped 0..1, rounded down to 2 decimals. undefined: no commitment or no hour. */
export function performanceFactor(hourly_kW: readonly (number | string)[], commitment_kW: number | string): string | undefined {
  const pledge = new Exact(commitment_kW)
  if (hourly_kW.length === 0 || pledge.lte(0)) return undefined
  return floored(hourly_kW.reduce<Decimal>((sum, kW) => sum.plus(kW), new Exact(0)).div(hourly_kW.length).div(pledge))
}

/** CORE-173: a month is the mean of its events rounded down; a month without event uses the last test or event. */
export function monthFactor(events: readonly string[], last?: string): string | undefined {
  if (events.length === 0) return last
  return floored(events.reduce<Decimal>((sum, pf) => sum.plus(pf), new Exact(0)).div(events.length))
}

/** CORE-177 [TVA]: 1 - mean non-compliant load / protected demand. */
export function protectedDemandFactor(noncompliant_kW: readonly number[], protected_kW: number): string | undefined {
  if (noncompliant_kW.length === 0 || protected_kW <= 0) return undefined
  const mean = noncompliant_kW.reduce<Decimal>((sum, kW) => sum.plus(Math.max(0, kW)), new Exact(0)).div(noncompliant_kW.length)
  return floored(new Exact(1).minus(mean.div(protected_kW)))
}

/** CORE-177 [Con Edison DLM]: a test event pays no more energy than nomination × test length. */
export const testEnergyCap = (nominated_kW: string, hours: string): string => new Exact(nominated_kW).times(hours).toString()
