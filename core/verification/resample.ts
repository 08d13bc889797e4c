/**
 * CORE-121: finer readings to the program's interval by energy sum. An interval with a missing part is missing as a whole
 * (CORE-124). Coarser readings are never split: that would be a flat profile, which does not pay.
 */
export function resample(start: readonly number[], Wh: readonly number[], from: number, to: number, step_s: number): Float64Array {
  const out = new Float64Array(Math.max(0, Math.ceil((to - from) / step_s))).fill(NaN)
  if (start.length === 0) return out
  let gap = step_s
  for (let i = 1; i < start.length; i++) gap = Math.min(gap, start[i]! - start[i - 1]!)
  if (gap <= 0 || step_s % gap !== 0) gap = step_s
  const parts = step_s / gap
  if (parts === 1) {
    for (let i = 0; i < start.length; i++) {
      const at = (start[i]! - from) / step_s
      if (at >= 0 && at < out.length && Number.isInteger(at)) out[at] = Wh[i]!
    }
    return out
  }
  const counts = new Uint16Array(out.length), sums = new Float64Array(out.length)
  for (let i = 0; i < start.length; i++) {
    const at = Math.floor((start[i]! - from) / step_s)
    if (at < 0 || at >= out.length) continue
    counts[at]!++
    sums[at]! += Wh[i]!
  }
  for (let i = 0; i < out.length; i++) if (counts[i] === parts) out[i] = sums[i]!
  return out
}
