import { Refusal } from '#core/error.js'

/** CORE-080: part of the curtailed energy that comes back after the release, by kind of load. */
export const returnFactor = { thermal: 0.8, ev: 1, lighting: 0 } as const

/** CORE-080: mean rebound power over the recovery time. */
export function snapback(input: { curtailed_Wh: number; kind: keyof typeof returnFactor; recoveryMinutes: number; factor?: number }): { energy_Wh: number; power_W: number } {
  const energy_Wh = Math.round(input.curtailed_Wh * (input.factor ?? returnFactor[input.kind]))
  return { energy_Wh, power_W: input.recoveryMinutes > 0 ? Math.round(energy_Wh / (input.recoveryMinutes / 60)) : 0 }
}

export interface Stagger {
  readonly waveSize: number
  readonly waves: number
  readonly lastWaveSize: number
  readonly lastReleaseOffsetMinutes: number
  readonly peakConcurrentRebound_kW: number
}

/** CORE-082. A limit below the rebound of one load cannot be met by waiting: undefined. */
export function stagger(input: { loads: number; reboundPerLoad_kW: number; limitPerWave_kW: number; waveMinutes: number; reboundMinutes: number }): Stagger | undefined {
  const { loads, reboundPerLoad_kW, limitPerWave_kW, waveMinutes, reboundMinutes } = input
  if (!(waveMinutes > 0)) throw new Refusal('invalid', 'waveMinutes must be above 0')
  if (loads === 0) return { waveSize: 0, waves: 0, lastWaveSize: 0, lastReleaseOffsetMinutes: 0, peakConcurrentRebound_kW: 0 }
  // 0.3 / 0.1 is 2.9999999999999996: a wave that fits exactly must count.
  const waveSize = reboundPerLoad_kW > 0 ? Math.floor(limitPerWave_kW / reboundPerLoad_kW + 1e-9) : loads
  if (waveSize < 1) return undefined
  const waves = Math.ceil(loads / waveSize)
  const concurrent = Math.min(loads, waveSize * Math.ceil(reboundMinutes / waveMinutes))
  return {
    waveSize, waves, lastWaveSize: loads - (waves - 1) * waveSize, lastReleaseOffsetMinutes: (waves - 1) * waveMinutes,
    peakConcurrentRebound_kW: concurrent * reboundPerLoad_kW,
  }
}

/** Which wave releases which resource: the order starts one wave later at each event, so nobody is always last (CORE-082). */
export function releaseWaves<T>(ordered: readonly T[], waveSize: number, eventNumber: number): T[][] {
  if (waveSize < 1 || ordered.length === 0) return ordered.length === 0 ? [] : [[...ordered]]
  const turn = (eventNumber * waveSize) % ordered.length
  const rotated = [...ordered.slice(turn), ...ordered.slice(0, turn)], waves: T[][] = []
  for (let i = 0; i < rotated.length; i += waveSize) waves.push(rotated.slice(i, i + waveSize))
  return waves
}
