import { rounded, type Emit } from '#bench/figure.js'
import { withDatabase } from '#bench/store.js'
import { timetable } from '#core/dispatch/timetable.js'
import { systemClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'

const percentile = (sorted: readonly number[], p: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] as number

/** The dispatch timer (not a poll): how late entries run that fall due one by one; and how soon one runs that is due when it is committed. */
export default async function timer(emit: Emit): Promise<void> {
  await withDatabase(async (database) => {
    const { agenda } = database.stores, clock = systemClock, ids = randomIds(clock.nowMs), tenant = 'bench'
    const late: number[] = [], soon: number[] = []
    const table = timetable({
      agenda, clock, log: silent,
      tasks: {
        start: async (entry) => { late.push(clock.nowMs() - entry.dueAt) },
        deliver: async (entry) => { soon.push(performance.now() - (entry.payload as { at: number }).at) },
      },
    })
    table.start()
    try {
      const count = 40, first = clock.nowMs() + 1500
      await agenda.add(Array.from({ length: count }, (_, i) => ({ id: ids.uuid(), tenant, task: 'start', subject: `d${i}`, dueAt: first + i * 53, payload: {} })))
      while (late.length < count) await new Promise((done) => setTimeout(done, 20))
      for (let i = 0; i < 200; i++) {
        await agenda.add([{ id: ids.uuid(), tenant, task: 'deliver', subject: `j${i}`, dueAt: clock.nowMs(), payload: { at: performance.now() } }])
        while (soon.length <= i) await new Promise((done) => setImmediate(done))
      }
    } finally {
      await table.stop()
    }
    late.sort((a, b) => a - b)
    soon.sort((a, b) => a - b)
    emit({ name: 'dispatch timer late by at most', value: rounded(late.at(-1) as number), unit: 'ms', n: late.length })
    emit({ name: 'job latency p95', value: rounded(percentile(soon, 0.95)), unit: 'ms', n: soon.length })
  })
}
