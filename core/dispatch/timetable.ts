import type { Clock, Timer } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { Agenda, AgendaEntry } from '#core/port/store/agenda.js'

/** Does one entry. Returns why it must be tried again, or nothing when it is done. Must be safe to run twice. */
export type Handler = (entry: AgendaEntry) => Promise<string | undefined | void>

export interface Timetable {
  start(): void
  /** Takes nothing new and waits for what is running (REL-003). */
  stop(): Promise<void>
  /** Resolves when nothing is running and nothing is due. */
  settled(): Promise<void>
}

export interface TimetableNeeds {
  readonly agenda: Agenda
  readonly clock: Clock
  readonly log: Log
  /** In order of service: what comes first is claimed first (CORE-205). */
  readonly tasks: Readonly<Record<string, Handler>>
  readonly concurrency?: number
  /** Machine milliseconds after which a crashed worker's entry is taken over (REL-002). */
  readonly lease_ms?: number
}

const firstRetry_ms = 1000, longestRetry_ms = 60_000

/**
 * The dispatch timer: not a poll. It sleeps until the next due row, is woken when rows are added, and claims with leases, so that
 * several processes share the work and a crash only delays it. Leases and retries are about machines, so they are in machine time.
 */
export function timetable({ agenda, clock, log, tasks, concurrency = 16, lease_ms = 5000 }: TimetableNeeds): Timetable {
  const names = Object.keys(tasks), running = new Map<string, Promise<void>>(), waiting: (() => void)[] = []
  let timer: Timer | undefined, unlisten: (() => void) | undefined, pumping = false, pumped = Promise.resolve(), asked = false, stopped = true

  const wake = (): void => {
    asked = true
    if (!pumping && !stopped) pumped = pump()
  }
  const sleep = (ms: number): void => {
    timer?.cancel()
    timer = clock.after(ms, wake)
  }

  async function run(entry: AgendaEntry): Promise<void> {
    let again: string | undefined
    try {
      again = (await tasks[entry.task]!(entry)) ?? undefined
    } catch (error) {
      again = error instanceof Error ? error.message : String(error)
      log.error({ err: error, task: entry.task, subject: entry.subject, clause: 'REL-006' }, 'agenda task failed')
    }
    try {
      if (again === undefined) await agenda.done([entry.id])
      else await agenda.retry(entry.id, clock.nowMs() + Math.ceil(Math.min(longestRetry_ms, firstRetry_ms * 2 ** Math.min(10, entry.attempts)) * clock.rate), again)
    } catch (error) {
      // the lease runs out and the entry comes back
      log.error({ err: error, task: entry.task, subject: entry.subject }, 'agenda entry could not be closed')
    }
  }

  /** Claims what is due and starts it; returns whether anything was started, and the moment up to which it looked. */
  async function claim(): Promise<{ any: boolean; upTo: number }> {
    let any = false, upTo = Number.POSITIVE_INFINITY
    for (const group of [names.slice(0, 1), names.slice(1)]) {
      const free = concurrency - running.size
      if (free <= 0 || group.length === 0) continue
      const now = clock.nowMs()
      upTo = Math.min(upTo, now)
      for (const entry of await agenda.claim(now, now + Math.ceil(lease_ms * clock.rate), group, free)) {
        // ours already: the claim has just renewed its lease
        if (running.has(entry.id)) continue
        any = true
        running.set(entry.id, run(entry).finally(() => {
          running.delete(entry.id)
          wake()
        }))
      }
    }
    return { any, upTo }
  }

  async function pump(): Promise<void> {
    pumping = true
    try {
      while (asked) {
        if (stopped) break
        asked = false
        const { any, upTo } = await claim()
        if (any) asked = true
        else {
          const due = await agenda.nextDue(names)
          // Due when we looked but not ours to take (leased, or behind its subject's first): look again soon, never in a tight loop.
          // What fell due since is taken at once.
          if (due !== undefined) sleep(due <= upTo ? 200 * clock.rate : Math.max(due - clock.nowMs(), 0))
          if (running.size === 0 && (due === undefined || due > clock.nowMs())) for (const done of waiting.splice(0)) done()
        }
        if (running.size >= concurrency) asked = false
      }
    } catch (error) {
      log.error({ err: error }, 'agenda cannot be read')
      if (!stopped) sleep(firstRetry_ms * clock.rate)
    } finally {
      pumping = false
      if (asked && !stopped) pumped = pump()
    }
  }

  return {
    start() {
      if (!stopped) return
      stopped = false
      unlisten = agenda.onAdded(wake)
      wake()
    },
    async stop() {
      stopped = true
      timer?.cancel()
      unlisten?.()
      await pumped
      await Promise.all(running.values())
      for (const done of waiting.splice(0)) done()
    },
    settled() {
      return new Promise((done) => {
        waiting.push(done)
        wake()
      })
    },
  }
}
