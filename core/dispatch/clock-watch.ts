/** REL-035: a step of the wall clock larger than this is no drift. */
const jump_ms = 2000

/**
 * CORE-206, REL-035: says why the clock cannot be trusted, or nothing. The wall clock is held against the machine's monotonic one each
 * time it is asked: after a jump, no new order leaves until the two have gone together for `settle_ms`. Interpretation: whether the
 * machine is synchronised cannot be asked of Node, so a clock that does not jump counts as synchronised.
 */
export function clockWatch(wallMs: () => number, monotonicMs: () => number, settle_ms = 60_000): () => string | undefined {
  let offset = wallMs() - monotonicMs(), jumpedAt: number | undefined, by = 0
  return () => {
    const now = wallMs() - monotonicMs(), step = now - offset
    offset = now
    if (Math.abs(step) > jump_ms) {
      jumpedAt = monotonicMs()
      by = step
    }
    if (jumpedAt === undefined || monotonicMs() - jumpedAt >= settle_ms) return undefined
    return `the clock jumped by ${Math.round(by / 1000)} s and has not been steady for ${settle_ms / 1000} s`
  }
}
