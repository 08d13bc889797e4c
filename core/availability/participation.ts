export interface ParticipationCurve {
  readonly p0: number
  readonly lam: number
  readonly forecastNext: number
  /** First event number whose fitted participation is below one half; null when the curve never falls that far. */
  readonly firstBelowHalf: number | null
  /** Event numbers with zero participation: ln 0 has no value, so they are dropped from the fit and reported. */
  readonly dropped: readonly number[]
}

/** CORE-039: fits `p_n = p0 * exp(-lambda*(n-1))` by least squares on ln p. undefined: fewer than two events to fit. */
export function participationCurve(participation: readonly number[]): ParticipationCurve | undefined {
  const points = participation.map((p, i) => ({ x: i, p })), used = points.filter(({ p }) => p > 0)
  if (used.length < 2) return undefined
  const n = used.length
  const mx = used.reduce((s, u) => s + u.x, 0) / n, my = used.reduce((s, u) => s + Math.log(u.p), 0) / n
  let sxy = 0, sxx = 0
  for (const u of used) {
    sxy += (u.x - mx) * (Math.log(u.p) - my)
    sxx += (u.x - mx) ** 2
  }
  const slope = sxy / sxx, lam = 0 - slope, p0 = Math.exp(my - slope * mx)
  const at = (event: number): number => p0 * Math.exp(-lam * (event - 1))
  return { p0, lam, forecastNext: at(participation.length + 1), firstBelowHalf: firstBelow(p0, lam, at), dropped: points.filter(({ p }) => !(p > 0)).map(({ x }) => x + 1) }
}

function firstBelow(p0: number, lam: number, at: (event: number) => number): number | null {
  if (p0 < 0.5) return 1
  if (lam <= 1e-12) return null
  let event = Math.max(1, Math.floor(1 + Math.log(p0 / 0.5) / lam) - 1)
  // The logarithm only finds the neighbourhood; exactly one half is not below it.
  while (at(event) >= 0.5 - 1e-12) event++
  return event
}
