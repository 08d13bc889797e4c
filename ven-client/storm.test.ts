import t from 'tap'
import type { Clock, Timer } from '#core/port/clock.js'
import { silent } from '#ven-client/log.js'
import type { VtnClient } from '#ven-client/openadr/client.js'
import { VtnError } from '#ven-client/openadr/error.js'
import { eventFeed } from '#ven-client/openadr/feed.js'
import { randomFrom } from '#ven-client/random.js'

const T = Date.parse('2026-07-01T12:00:00Z'), fleet = 1000, every_s = 60

/** A clock for many timers: tasks lie by the second that they are due in. */
function tickingClock(): Clock & { tick(): Promise<void>; readonly second: number } {
  const due = new Map<number, Set<() => void>>()
  let second = 0
  return {
    rate: 1, nowMs: () => T + second * 1000, now: () => (T / 1000) + second, get second() { return second },
    after(ms, task): Timer {
      const at = second + Math.max(1, Math.ceil(ms / 1000)), tasks = due.get(at) ?? new Set()
      due.set(at, tasks.add(task))
      return { cancel: () => tasks.delete(task) }
    },
    async tick() {
      second += 1
      for (const task of due.get(second) ?? []) task()
      due.delete(second)
      await new Promise((done) => setImmediate(done))
    },
  }
}

/** Polls of each second by 1,000 feeds, while `answer` says how the VTN is doing. */
async function polls(seconds: number, answer: (second: number) => VtnError | undefined): Promise<number[]> {
  const clock = tickingClock(), counts = Array.from({ length: seconds + 1 }, () => 0)
  const feeds = Array.from({ length: fleet }, (_, i) => eventFeed({
    clock, log: silent, random: randomFrom(`ven-${i}`),
    events: () => { counts[clock.second] = (counts[clock.second] ?? 0) + 1; const bad = answer(clock.second); return bad ? Promise.reject(bad) : Promise.resolve([]) },
  } as unknown as VtnClient, { pollEvery_s: every_s, firstPollWithin_s: every_s, onChanges: () => undefined }))
  for (let s = 0; s < seconds; s++) await clock.tick()
  for (const feed of feeds) feed.stop()
  return counts
}
const inTens = (counts: readonly number[], from: number, to: number): number[] => Array.from({ length: (to - from) / 10 }, (_, i) => counts.slice(from + i * 10, from + i * 10 + 10).reduce((a, b) => a + b, 0))
const peakOf = (tens: readonly number[]): number => Math.max(...tens) / (tens.reduce((a, b) => a + b, 0) / tens.length)

t.test('REL-043 1,000 VENs whose VTN is away for 5 minutes: never more than three times the mean rate, before, meanwhile and after', async (t) => {
  const away = (s: number): VtnError | undefined => (s >= 120 && s < 420 ? new VtnError('unreachable', 'away') : undefined)
  const counts = await polls(1200, away)
  t.ok(peakOf(inTens(counts, 0, 120)) <= 3, `start ${peakOf(inTens(counts, 0, 120))}`)
  t.ok(peakOf(inTens(counts, 120, 420)) <= 3, `away ${peakOf(inTens(counts, 120, 420))}`)
  t.ok(peakOf(inTens(counts, 420, 1200)) <= 3, `after ${peakOf(inTens(counts, 420, 1200))}`)
  const usual = fleet / every_s * 10
  t.ok(Math.max(...inTens(counts, 420, 1200)) <= 3 * usual, `against the usual rate: ${Math.max(...inTens(counts, 420, 1200)) / usual}`)
  t.ok(inTens(counts, 1080, 1200).reduce((a, b) => a + b, 0) >= usual * 12 * 0.9, 'and all are back')
})

t.test('REL-043 told Retry-After by all at once, they do not come back as one', async (t) => {
  const counts = await polls(400, (s) => (s >= 100 && s < 190 ? new VtnError('rateLimited', 'slow down', { status: 429, retryAfter_ms: 60_000 }) : undefined))
  const perVen = inTens(counts, 100, 400)
  t.ok(peakOf(perVen) <= 3, `peak ${peakOf(perVen)}`)
})
