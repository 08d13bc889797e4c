import t from 'tap'
import { timetable } from '#core/dispatch/timetable.js'
import { handClock } from '#core/port/clock.js'
import { silent } from '#core/port/log.js'
import type { Agenda, AgendaEntry } from '#core/port/store/agenda.js'

const entry: AgendaEntry = { id: 'e', tenant: 't', task: 'start', subject: 'd', dueAt: 1000, attempts: 0, payload: {} }

/** One entry; `asked` runs whenever the timetable asks when the next is due, so that time can pass between its looks. */
function oneEntry(asked: () => Promise<void>): Agenda {
  let open: AgendaEntry | undefined = entry
  return {
    async add() {}, async retry() {}, async withdraw() {}, onAdded: () => () => {},
    async claim(nowMs, _until, tasks) { return open && tasks.includes(open.task) && open.dueAt <= nowMs ? [open] : [] },
    async done() { open = undefined },
    async nextDue() { await asked(); return open?.dueAt },
  }
}

t.test('CORE-207: what falls due between the look and the question when is done at once, not at the next look', async (t) => {
  const clock = handClock(999), done: number[] = []
  const table = timetable({
    agenda: oneEntry(async () => { if (clock.nowMs() === 999) await clock.set(1000) }), clock, log: silent,
    tasks: { start: async () => { done.push(clock.nowMs()) } },
  })
  table.start()
  // longer than no time at all, shorter than the pause before a second look at what others hold
  for (let i = 0; i < 20; i++) await clock.advance(0)
  t.same(done, [1000])
  await table.stop()
})
