import type { Plan, Spot } from './map-layout.ts'

/** What of a plan is in sight: how much larger than the whole, and which of its points is at the upper left. */
export interface View {
  readonly scale: number
  readonly x: number
  readonly y: number
}

/** Pixels for one unit of the plan, when all of it is in sight. */
export const fit = (el: HTMLCanvasElement, plan: Plan): number => Math.min(el.clientWidth / plan.width, el.clientHeight / plan.height)

/** How near one may come: between real places, from a country to a street. */
export const closest = (plan: Plan): number => (plan.spots.some((s) => s.placed) ? 100_000 : 60)

/** The view in which some devices fill half of the canvas; nothing when they all stand in one place. */
export function around(el: HTMLCanvasElement, plan: Plan, spots: readonly Spot[]): View | undefined {
  const xs = spots.map((s) => s.x),
    ys = spots.map((s) => s.y),
    [west, east, north, south] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
  if (west === east && north === south) return undefined
  const k = Math.min(el.clientWidth / (east - west), el.clientHeight / (south - north)) / 2,
    scale = Math.min(closest(plan), k / fit(el, plan)),
    shown = scale * fit(el, plan)
  return { scale, x: (west + east) / 2 - el.clientWidth / shown / 2, y: (north + south) / 2 - el.clientHeight / shown / 2 }
}
