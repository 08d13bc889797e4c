import { Exact, fromMinor, toMinor, type Money } from '#core/quantity/money.js'

export interface KpiInput {
  readonly enrolled?: number | undefined
  readonly active?: number | undefined
  readonly activeSeasonAgo?: number | undefined
  readonly stillActive?: number | undefined
  readonly dispatched: number
  readonly responded: number
  readonly optedOut: number
  readonly noComms: number
  readonly committed_kW: number
  readonly delivered_kW: number
  readonly cost: Money
  readonly assets: number
  readonly currency?: string | undefined
}

export interface Kpi {
  readonly participationRate: number | null
  readonly optOutRate: number | null
  readonly commsLossRate: number | null
  readonly deliveryRatio: number | null
  readonly costPerMW: Money | null
  readonly costPerAsset: Money | null
  readonly retention?: number | null
  /** Why a figure is null (CORE-196). */
  readonly reasons: Readonly<Record<string, string>>
}

/** CORE-195 definitions; CORE-196: a denominator of 0 gives null and its reason, never Infinity or 0. */
export function kpi(input: KpiInput): Kpi {
  const reasons: Record<string, string> = {}, currency = input.currency ?? 'USD'
  const ratio = (name: string, top: number, bottom: number, of: string): number | null => {
    if (bottom !== 0) return top / bottom
    reasons[name] = `${of} is 0`
    return null
  }
  const cost = (name: string, bottom: number, of: string, per: number): Money | null => {
    if (bottom !== 0) return fromMinor(toMinor(new Exact(input.cost).times(per).div(bottom), currency), currency)
    reasons[name] = `${of} is 0`
    return null
  }
  return {
    participationRate: ratio('participationRate', input.responded, input.dispatched, 'dispatched'),
    optOutRate: ratio('optOutRate', input.optedOut, input.dispatched, 'dispatched'),
    commsLossRate: ratio('commsLossRate', input.noComms, input.dispatched, 'dispatched'),
    deliveryRatio: ratio('deliveryRatio', input.delivered_kW, input.committed_kW, 'committed_kW'),
    costPerMW: cost('costPerMW', input.delivered_kW, 'delivered_kW', 1000),
    costPerAsset: cost('costPerAsset', input.assets, 'assets', 1),
    ...(input.activeSeasonAgo === undefined ? {} : { retention: ratio('retention', input.stillActive ?? 0, input.activeSeasonAgo, 'activeSeasonAgo') }),
    reasons,
  }
}

/** CORE-195: events with a delivery ratio of at least 0.9. */
export const reliability = (ratios: readonly number[]): number | null => (ratios.length === 0 ? null : ratios.filter((r) => r >= 0.9).length / ratios.length)

/** Nearest-rank percentile, for dispatch latency P50/P95/P99; null without a sample. */
export function percentile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!
}
