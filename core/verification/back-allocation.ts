import { largestRemainder } from '#core/settlement/split.js'
import type { Wh } from '#core/quantity/energy.js'

export interface PointResult {
  readonly id: string
  readonly delivered_Wh: Wh
  readonly nominated_W?: number | undefined
}

/** CORE-176: a portfolio's Wh go to points in proportion to max(0, own delivery), largest remainder; if all are 0, to nomination. */
export function backAllocate(portfolio_Wh: Wh, points: readonly PointResult[]): { readonly basis: 'delivery' | 'nomination' | 'equal'; readonly energy_Wh: ReadonlyMap<string, Wh> } {
  const own = points.some((p) => p.delivered_Wh > 0), nominated = points.some((p) => (p.nominated_W ?? 0) > 0)
  const basis = own ? 'delivery' : nominated ? 'nomination' : 'equal'
  const weight = (p: PointResult): number => (own ? Math.max(0, p.delivered_Wh) : nominated ? Math.max(0, p.nominated_W ?? 0) : 1)
  const parts = largestRemainder(BigInt(portfolio_Wh), points.map((p) => ({ id: p.id, weight: weight(p) })))
  return { basis, energy_Wh: new Map([...parts].map(([id, n]) => [id, Number(n)])) }
}

/** CORE-175: children sum to the parent, or a shown line makes up the difference. */
export function reconcile(parent_Wh: Wh, children: readonly { readonly delivered_Wh: Wh }[]): { readonly children_Wh: Wh; readonly portfolioEffect_Wh: Wh } {
  const children_Wh = children.reduce((sum, c) => sum + c.delivered_Wh, 0)
  return { children_Wh, portfolioEffect_Wh: parent_Wh - children_Wh }
}
