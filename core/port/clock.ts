import type { Instant } from '#core/quantity/interval.js'

export interface Timer {
  cancel(): void
}

/** Time is handed in. `rate` is clock seconds per machine second: 1, or more in a time-lapse demo. */
export interface Clock {
  /** Whole seconds since 1970. */
  now(): Instant
  /** Milliseconds since 1970, for stamps and latencies. */
  nowMs(): number
  /** Calls `task` once when `ms` milliseconds of this clock have passed; any length works (REL-011). */
  after(ms: number, task: () => void): Timer
  readonly rate: number
}

/** Node turns a timeout beyond 2^31-1 ms into 1 ms (REL-011), so long waits go in hops. */
const longestHop = 2 ** 31 - 1

function wait(machineMs: number, task: () => void): Timer {
  let handle: NodeJS.Timeout
  let left = Math.max(0, machineMs)
  const hop = (): void => {
    const step = Math.min(left, longestHop)
    left -= step
    handle = setTimeout(() => (left > 0 ? hop() : task()), step)
  }
  hop()
  return { cancel: () => clearTimeout(handle) }
}

export const systemClock: Clock = {
  rate: 1,
  now: () => Math.floor(Date.now() / 1000),
  nowMs: () => Date.now(),
  after: wait,
}

/** A clock that stands at `originMs` when made and then runs `rate` times as fast as the machine's monotonic clock. */
export function lapseClock(originMs: number, rate: number): Clock {
  const begun = performance.now()
  const nowMs = (): number => Math.floor(originMs + (performance.now() - begun) * rate)
  return { rate, nowMs, now: () => Math.floor(nowMs() / 1000), after: (ms, task) => wait(ms / rate, task) }
}

/** A clock moved by hand, for tests. `advance` runs due tasks in order of time and lets promises settle between them. */
export interface HandClock extends Clock {
  set(ms: number): Promise<void>
  advance(ms: number): Promise<void>
}

export function handClock(startMs: number): HandClock {
  let current = startMs, count = 0
  const tasks = new Map<number, { due: number; task: () => void }>()
  const settle = (): Promise<void> => new Promise((done) => setImmediate(done))
  async function set(ms: number): Promise<void> {
    for (;;) {
      const next = [...tasks.entries()].filter(([, t]) => t.due <= ms).sort((a, b) => a[1].due - b[1].due || a[0] - b[0])[0]
      if (!next) break
      tasks.delete(next[0])
      current = Math.max(current, next[1].due)
      next[1].task()
      await settle()
    }
    current = ms
    await settle()
  }
  return {
    rate: 1,
    nowMs: () => current,
    now: () => Math.floor(current / 1000),
    after: (ms, task) => {
      const id = count++
      tasks.set(id, { due: current + Math.max(0, ms), task })
      return { cancel: () => tasks.delete(id) }
    },
    set,
    advance: (ms) => set(current + ms),
  }
}
