import { freshness } from '#core/dispatch/hard-filter.js'
import type { Instant } from '#core/quantity/interval.js'
import type { W } from '#core/quantity/power.js'

/** What a program says about its control loop; `control: false` in its rules turns it off. */
export interface ControlRules {
  readonly step_s: number
  readonly tolerance: number
  readonly steps: number
}

export const usualControl = { tolerance: 0.05, steps: 2 } as const

/** One metered point that takes part. `reference_W` is its mean load before the event; undefined when nobody measured it. */
export interface Measured {
  readonly id: string
  /** In load, negative = less. */
  readonly asked_W: W
  readonly reference_W: W | undefined
  readonly latest: { readonly end: Instant; readonly load_W: W } | undefined
  readonly period_s: number
  /** Response rate that stands in where the measurement is stale (CORE-206). */
  readonly p: number
}

export interface Compared {
  readonly target_W: W
  /** Change in the asked direction: measured where fresh, expected by statistics where stale, nothing where lost. */
  readonly measured_W: W
  readonly estimated_W: W
  readonly fresh: readonly string[]
  readonly stale: readonly string[]
  readonly lost: readonly string[]
  /** What the fresh ones alone fall short of their part: all that may be made good (REL-063). */
  readonly behind_W: W
  readonly beyond: boolean
}

/**
 * CORE-070, pure: the measured portfolio against its target at one control step. CORE-210 degrades in steps: fresh counts as measured;
 * stale by its response rate, and marked; lost counts for nothing. Interpretation: the measure of a step is the point's mean load before
 * the event less its newest interval, as control cannot wait for a baseline; money never uses it. Only what fresh measurement lacks is
 * made good, so nothing is increased on stale data.
 */
export function compare(members: readonly Measured[], event: { readonly start: Instant; readonly now: Instant; readonly sign: 1 | -1 }, tolerance: number): Compared {
  const fresh: string[] = [], stale: string[] = [], lost: string[] = []
  let target = 0, measured = 0, estimated = 0, freshTarget = 0, freshMeasured = 0
  for (const m of members) {
    const asked = Math.abs(m.asked_W), state = freshness(event.now, m.latest?.end, m.period_s)
    target += asked
    // an interval that began before the event says nothing about it yet
    const known = m.reference_W !== undefined && m.latest !== undefined && m.latest.end - m.period_s >= event.start
    if (state === 'fresh' && known) {
      const change = event.sign * (m.latest!.load_W - m.reference_W!)
      fresh.push(m.id)
      measured += change
      freshTarget += asked
      freshMeasured += change
    } else if (state === 'lost' && m.latest !== undefined) lost.push(m.id)
    else {
      stale.push(m.id)
      estimated += Math.round(asked * m.p)
    }
  }
  const behind_W = Math.max(0, Math.round(freshTarget - freshMeasured))
  return { target_W: target, measured_W: Math.round(measured + estimated), estimated_W: estimated, fresh, stale, lost, behind_W, beyond: fresh.length > 0 && behind_W > tolerance * freshTarget }
}
