import type { W } from '#core/quantity/power.js'

/** An absolute limit made from a relative order, with the forecast that it rests on (kept in the instruction). */
export type AbsoluteLimit =
  | { readonly kind: 'limit'; readonly limit_W: W; readonly forecast_W: W; readonly reduction_W: W; readonly remainder_W: W }
  | { readonly kind: 'noForecast'; readonly reason: string }

/**
 * CORE-090, CORE-091: `limit = max(floor, forecast - reduction)`, in whole `step_W` rounded so that the limit is never
 * exceeded: an import limit down, a minimum generation (export floor) up. What rounding or the floor changed is shown.
 */
export function absoluteLimit(input: { forecast_W: W | undefined; reduction_W: W; floor_W?: W; step_W?: W; round?: 'down' | 'up' | 'nearest' }): AbsoluteLimit {
  const { forecast_W, reduction_W, floor_W = 0, step_W = 1, round = 'down' } = input
  if (forecast_W === undefined) return { kind: 'noForecast', reason: 'without a usable forecast only a level or a percentage may be sent (CORE-090)' }
  const wish = forecast_W - reduction_W
  const limit_W = toStep(Math.max(floor_W, wish), step_W, round)
  return { kind: 'limit', limit_W, forecast_W, reduction_W, remainder_W: limit_W - wish }
}

/** A target goes to the nearest step (ties away from zero), a limit to its safe side. */
export function toStep(power: W, step: W, round: 'down' | 'up' | 'nearest'): W {
  const n = power / step
  const whole = round === 'down' ? Math.floor(n) : round === 'up' ? Math.ceil(n) : Math.sign(n) * Math.round(Math.abs(n))
  return whole * step + 0
}
