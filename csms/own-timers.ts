import type { Clock, Timer } from '#core/port/clock.js'

/** The clock with the timers of this room in one hand, so that closing leaves none behind. */
export function ownTimers(clock: Clock): Clock & { cancelAll(): void } {
  const open = new Set<Timer>()
  return {
    rate: clock.rate, now: () => clock.now(), nowMs: () => clock.nowMs(),
    after(ms, task) {
      const timer: Timer = clock.after(ms, () => {
        open.delete(timer)
        task()
      })
      open.add(timer)
      return { cancel: () => { open.delete(timer); timer.cancel() } }
    },
    cancelAll() {
      for (const timer of open) timer.cancel()
      open.clear()
    },
  }
}
