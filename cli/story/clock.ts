import type { Clock, Timer } from '#core/port/clock.js'

/** A time-lapse clock whose pace can be changed while it runs: waiting timers follow. It drives the demo only. */
export interface StoryClock extends Clock {
  pace(rate: number): void
}

interface Waiting { due: number; task: () => void; handle: NodeJS.Timeout | undefined }

const longestHop = 2 ** 31 - 1

export function storyClock(originMs: number, initialRate: number): StoryClock {
  let rate = initialRate, base = originMs, since = performance.now()
  const waiting = new Set<Waiting>()
  const nowMs = (): number => Math.floor(base + (performance.now() - since) * rate)
  const arm = (w: Waiting): void => {
    clearTimeout(w.handle)
    const machineMs = Math.max(0, (w.due - nowMs()) / rate)
    w.handle = setTimeout(() => {
      if (nowMs() < w.due) return arm(w)
      waiting.delete(w)
      w.task()
    }, Math.min(machineMs, longestHop))
  }
  return {
    get rate() { return rate },
    nowMs,
    now: () => Math.floor(nowMs() / 1000),
    after(ms: number, task: () => void): Timer {
      const w: Waiting = { due: nowMs() + Math.max(0, ms), task, handle: undefined }
      waiting.add(w)
      arm(w)
      return { cancel: () => { clearTimeout(w.handle); waiting.delete(w) } }
    },
    pace(next: number) {
      base = nowMs()
      since = performance.now()
      rate = next
      for (const w of waiting) arm(w)
    },
  }
}
