import type { Clock } from '#core/port/clock.js'

/** Counts the energy of a power that changes now and then: exact for a power that is constant in between. */
export interface EnergyCounter {
  /** The power from now on, W; import positive. */
  set(power_W: number): void
  readonly power_W: number
  /** Energy taken (or, for `'out'`, given) in `[start, end)`; undefined when the counter was not running all of it. */
  energy_Wh(start: number, end: number, way?: 'in' | 'out'): number | undefined
}

export function energyCounter(clock: Clock, options: { keep?: number } = {}): EnergyCounter {
  const steps: { from: number; power_W: number }[] = [{ from: clock.nowMs(), power_W: 0 }]
  return {
    set(power_W) {
      if (steps.at(-1)?.power_W === power_W) return
      steps.push({ from: clock.nowMs(), power_W })
      if (steps.length > (options.keep ?? 50_000)) steps.shift()
    },
    get power_W() { return steps.at(-1)?.power_W ?? 0 },
    energy_Wh(start, end, way = 'in') {
      if ((steps[0]?.from ?? Infinity) > start || end > clock.nowMs()) return undefined
      let wh = 0
      for (let i = steps.length - 1; i >= 0; i--) {
        const { from, power_W } = steps[i] as { from: number; power_W: number }
        const to = Math.min(end, steps[i + 1]?.from ?? end)
        const power = way === 'in' ? Math.max(0, power_W) : Math.max(0, -power_W)
        if (to > Math.max(start, from)) wh += power * (to - Math.max(start, from)) / 3_600_000
        if (from <= start) break
      }
      return wh
    },
  }
}
