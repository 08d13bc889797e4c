import type { Instant } from '#core/quantity/interval.js'

/** Mean power in kW (import positive, CORE-001) of the interval that starts at an instant; NaN = not there or not allowed (CORE-124). */
export interface Series {
  at(start: Instant): number
}

/** Gap-free storage: `values[i]` is the interval at `start + i * intervalSeconds`. */
export function arraySeries(start: Instant, intervalSeconds: number, kW: Float64Array): Series {
  return {
    at(instant) {
      const value = kW[(instant - start) / intervalSeconds]
      return value === undefined ? NaN : value
    },
  }
}

/** Whole watt-hours as stored (CORE-002) → mean kW of each interval (CORE-003). NaN stays NaN. */
export function energySeries(start: Instant, intervalSeconds: number, Wh: Float64Array): Series {
  const perKW = 1000 * (intervalSeconds / 3600)
  return {
    at(instant) {
      const value = Wh[(instant - start) / intervalSeconds]
      return value === undefined ? NaN : value / perKW
    },
  }
}

export function mapSeries(kW: ReadonlyMap<Instant, number>): Series {
  return { at: (instant) => kW.get(instant) ?? NaN }
}

/** CORE-134: a portfolio sums the loads first; one missing member makes the interval missing. */
export function sumSeries(members: readonly Series[]): Series {
  return {
    at(instant) {
      let sum = 0
      for (const m of members) sum += m.at(instant)
      return sum
    },
  }
}
