import type { Clock, Timer } from '#core/port/clock.js'

/**
 * A clock that knows only its rate and what a protocol's own messages say of the time (HTTP Date, `/tm`, Heartbeat). It is also the one
 * tick scheduler of all devices that share it: any number of waits, one timer of the machine.
 */
export interface ProtocolClock extends Clock {
  /** A time that the server has just said; whole seconds are rounded down by the protocols. */
  sample(server_ms: number): void
  /** Resolves at the first sample; before it `now` is the machine's. */
  readonly ready: Promise<void>
  readonly samples: number
}

interface Task { due: number; readonly run: () => void; readonly order: number; gone: boolean }

/** `base` is the machine's clock (or a hand-moved one); `lapse` is protocol seconds per second of it. */
export function protocolClock(base: Clock, lapse = 1): ProtocolClock {
  let offset = base.nowMs() * (1 - lapse)                       // protocol = base × lapse + offset
  let samples = 0, order = 0
  let told: () => void = () => undefined
  const ready = new Promise<void>((done) => { told = done })
  const heap: Task[] = []
  let armed: { timer: Timer; due: number } | undefined
  const nowMs = (): number => base.nowMs() * lapse + offset

  function arm(): void {
    while (heap[0]?.gone) pop(heap)
    const first = heap[0]
    if (!first) { armed?.timer.cancel(); armed = undefined; return }
    if (armed && armed.due === first.due) return
    armed?.timer.cancel()
    armed = { due: first.due, timer: base.after(Math.max(0, (first.due - nowMs()) / lapse), fire) }
  }

  function fire(): void {
    armed = undefined
    // due within what one machine millisecond is of this clock: running it now is as exact as the machine can be
    for (let first = heap[0]; first && first.due <= nowMs() + lapse; first = heap[0]) {
      pop(heap)
      if (!first.gone) first.run()
    }
    arm()
  }

  return {
    rate: base.rate * lapse,
    ready,
    get samples() { return samples },
    nowMs: () => Math.floor(nowMs()),
    now: () => Math.floor(nowMs() / 1000),
    sample(server_ms) {
      const away = server_ms - nowMs()
      samples += 1
      /*
       * A said time is a lower bound: it was true when it was written, and whole seconds are cut. So we only ever move up to it, or back
       * when we are ahead by more than the cut second and a slow answer explain.
       */
      const tolerance = 1000 + 250 * lapse
      if (samples === 1 || away > 0) offset += away
      else if (away < -tolerance) offset += away + 500
      // waits that began before we knew the time, or before the server's time was set back, keep their length
      if (samples === 1 || away < -60_000) for (const task of heap) task.due += away
      told()
      if (armed) { armed.timer.cancel(); armed = undefined }
      arm()
    },
    after(ms, run) {
      const task: Task = { due: nowMs() + Math.max(0, ms), run, order: order++, gone: false }
      push(heap, task)
      arm()
      return { cancel: () => { task.gone = true; if (heap[0] === task) arm() } }
    },
  }
}

const before = (a: Task, b: Task): boolean => a.due < b.due || (a.due === b.due && a.order < b.order)

function push(heap: Task[], task: Task): void {
  let at = heap.push(task) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (!before(task, heap[parent] as Task)) break
    heap[at] = heap[parent] as Task
    at = parent
  }
  heap[at] = task
}

function pop(heap: Task[]): Task | undefined {
  const first = heap[0], last = heap.pop()
  if (!first || !last || heap.length === 0) return first
  let at = 0
  for (;;) {
    const left = 2 * at + 1
    if (left >= heap.length) break
    const child = left + 1 < heap.length && before(heap[left + 1] as Task, heap[left] as Task) ? left + 1 : left
    if (!before(heap[child] as Task, last)) break
    heap[at] = heap[child] as Task
    at = child
  }
  heap[at] = last
  return first
}
