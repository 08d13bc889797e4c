import t from 'tap'
import { handClock } from '#core/port/clock.js'
import type { Station } from './station.js'
import { patience_ms, untold } from './untold.js'

const T = Date.UTC(2026, 6, 15, 12)

t.test('OCPP-141 a "yes" that takes long is not overtaken by the "no" after it: nothing stays held up of which nobody asks any more', async (t) => {
  const clock = handClock(T), heard: (number | null)[] = [], written: (string | undefined)[] = []
  const station = { tenant: 'test', record: {} as Station['record'], evses: () => [1], document: () => ({}) } as unknown as Station
  const tell = untold({
    // the core is slow with what holds up, and quick with what lets go
    core: { untold: async (_tenant, _resource, until) => { if (until !== null) await new Promise<void>((over) => { clock.after(5000, over) }); heard.push(until) } },
    intake: { resourceOf: async () => ({ id: 'r1' }) as never }, journal: { write: async () => { written.push(station.record.messagesInQueueSince) } },
  })
  const both = Promise.all([tell(station, true, T), tell(station, false, T + 1000)])
  for (let i = 0; i < 10; i++) await clock.advance(1000)
  await both
  t.same(heard, [(T + patience_ms) / 1000, null])
  t.same(written, [new Date(T).toISOString(), undefined], 'the record spans it')
})

t.test('OCPP-141 one that the core did not take is told of, and does not stop the next', async (t) => {
  let fails = 1
  const heard: (number | null)[] = [], station = { tenant: 'test', record: {} as Station['record'], evses: () => [1], document: () => ({}) } as unknown as Station
  const tell = untold({
    core: { untold: async (_tenant, _resource, until) => { if (fails-- > 0) throw new Error('down'); heard.push(until) } },
    intake: { resourceOf: async () => ({ id: 'r1' }) as never }, journal: { write: async () => {} },
  })
  await t.rejects(tell(station, true, T), /down/)
  await tell(station, false, T + 1000)
  t.same(heard, [null])
  t.equal(station.record.messagesInQueueSince, undefined)
})
