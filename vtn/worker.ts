import type { Clock, Timer } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { Agenda, AgendaEntry } from '#core/port/store/agenda.js'

/** What becomes of one entry: finished, or again at a time. */
export type Outcome = 'done' | { readonly retryAt: number; readonly error: string }

export interface Task {
  readonly task: string
  readonly atOnce: number
  /** Handles what was claimed together; one outcome per entry. A throw gives all of them back. */
  work(entries: readonly AgendaEntry[]): Promise<readonly Outcome[]>
}

export interface Worker {
  start(): void
  /** Takes no more entries and waits for those in hand. */
  stop(): Promise<void>
  /** Works until nothing is due; for tests and for a clean end. */
  drain(): Promise<void>
}

const lease = 60_000

/** Drains one kind of outbox row under leases: a crash lets the lease run out and another process goes on (OA-130, REL-002). */
export function makeWorker(needs: { agenda: Agenda; clock: Clock; log: Log }, task: Task): Worker {
  const { agenda, clock, log } = needs
  let timer: Timer | undefined, stopped = true, running: Promise<void> | undefined, again = false, unlisten = (): void => {}

  async function round(): Promise<number> {
    const now = clock.nowMs()
    // A lease is machine time; on a time-lapse clock it lasts `rate` times as many of its seconds.
    const entries = await agenda.claim(now, now + lease * clock.rate, [task.task], task.atOnce)
    if (!entries.length) return 0
    let outcomes: readonly Outcome[]
    try {
      outcomes = await task.work(entries)
    } catch (error) {
      log.error({ err: error, task: task.task }, 'work on the outbox failed')
      outcomes = entries.map((e) => ({ retryAt: clock.nowMs() + backoff(e.attempts), error: String(error) }))
    }
    const done = entries.filter((_, i) => outcomes[i] === 'done').map((e) => e.id)
    if (done.length) await agenda.done(done)
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome !== 'done') await agenda.retry((entries[i] as AgendaEntry).id, outcome.retryAt, outcome.error)
    }
    return entries.length
  }

  async function drain(): Promise<void> {
    while (await round() > 0) { /* until nothing is due */ }
  }

  function wake(): void {
    if (stopped) return
    if (running) { again = true; return }
    timer?.cancel()
    running = turn()
  }

  async function turn(): Promise<void> {
    let failed = false
    await drain().catch((error: unknown) => {
      failed = true
      log.error({ err: error, task: task.task }, 'the outbox could not be read')
    })
    running = undefined
    if (stopped) return
    if (again) { again = false; return wake() }
    const due = failed ? undefined : await agenda.nextDue([task.task]).catch(() => { failed = true; return undefined })
    // At least now and then, should an announcement have been lost.
    if (!stopped && !running) timer = clock.after(failed ? 1000 : Math.min(Math.max(10, (due ?? Number.POSITIVE_INFINITY) - clock.nowMs()), 30_000 * clock.rate), wake)
  }

  return {
    drain,
    start() {
      stopped = false
      unlisten = agenda.onAdded(wake)
      wake()
    },
    async stop() {
      stopped = true
      unlisten()
      timer?.cancel()
      await running
    },
  }
}

/** OA-129: 2 s … 5 min, doubling. Jitter comes from the entry itself, so that nothing draws random numbers here. */
export const backoff = (attempts: number): number => Math.min(300_000, 2000 * 2 ** Math.max(0, attempts - 1))
