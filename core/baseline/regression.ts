import { leastSquares } from '#core/baseline/least-squares.js'

export interface WeatherBases {
  readonly coolBaseC: number
  readonly heatBaseC: number
}

export const defaultBases: WeatherBases = { coolBaseC: 18, heatBaseC: 15 }

/** CORE-150: fewer days than this fall back to the program's day method. */
export const leastDays = 20

export interface WeatherModel extends WeatherBases {
  readonly beta: readonly [number, number, number]
  /** Terms without variance in the observed days. */
  readonly dropped: readonly ('cooling' | 'heating')[]
  readonly days: number
}

/** `y = b0 + b1*max(0,T-18) + b2*max(0,15-T)` for one local slot. undefined: fewer than 20 days, use the day method and say so. */
export function fitWeather(observations: readonly (readonly [celsius: number, kW: number])[], bases: WeatherBases = defaultBases, least = leastDays): WeatherModel | undefined {
  const usable = observations.filter(([t, y]) => Number.isFinite(t) && Number.isFinite(y))
  if (usable.length < least) return undefined
  const fit = leastSquares([usable.map(() => 1), usable.map(([t]) => Math.max(0, t - bases.coolBaseC)), usable.map(([t]) => Math.max(0, bases.heatBaseC - t))], usable.map(([, y]) => y))
  const dropped = fit.dropped.filter((j) => j > 0).map((j) => (j === 1 ? 'cooling' as const : 'heating' as const))
  return { ...bases, beta: [fit.beta[0]!, fit.beta[1]!, fit.beta[2]!], dropped, days: usable.length }
}

export const predictWeather = (m: WeatherModel, celsius: number): number =>
  m.beta[0] + m.beta[1] * Math.max(0, celsius - m.coolBaseC) + m.beta[2] * Math.max(0, m.heatBaseC - celsius)
