import type { Instant } from '#core/quantity/interval.js'

/**
 * CORE-174: seconds from the instruction's start to the first instant at which the 1-minute moving mean reaches 90 % of
 * the target. A minute with a missing sample proves nothing; without any full minute the answer is null, never 0.
 * Interpretation: the mean at t covers the samples in (t-60, t] that were taken after the start.
 */
export function responseTime(input: { start: Instant; target_kW: number; samples: readonly { at: Instant; kW: number | null }[]; sampleSeconds: number; share?: number }): number | null {
  const { start, target_kW, samples, sampleSeconds, share = 0.9 } = input
  const ordered = samples.filter((s) => s.at > start).sort((a, b) => a.at - b.at), full = Math.ceil(60 / sampleSeconds)
  for (let last = 0; last < ordered.length; last++) {
    const at = ordered[last]!.at, window = []
    for (let i = last; i >= 0 && ordered[i]!.at > at - 60; i--) window.push(ordered[i]!.kW)
    if (window.length < full || window.some((kW) => kW === null)) continue
    const mean = window.reduce<number>((sum, kW) => sum + kW!, 0) / window.length
    if (mean >= share * target_kW) return at - start
  }
  return null
}
