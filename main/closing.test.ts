import t from 'tap'
import type { Log } from '#core/port/log.js'
import { Closing } from '#main/shape.js'

t.test('REL-003 things are closed last opened first; one that fails, and one that never ends, is named and keeps nobody open', async (t) => {
  const closed: string[] = [], said: string[] = [], closing = new Closing(20)
  const log = { error: (more: { what: string; err: Error }) => { said.push(`${more.what}: ${more.err.message}`) } } as unknown as Log
  closing.add('database', () => { closed.push('database') })
  closing.add('a door', () => new Promise(() => {}))
  closing.add('a broken one', async () => { throw new Error('no') })
  closing.add('workers', async () => { closed.push('workers') })
  await closing.run(log)
  t.same(closed, ['workers', 'database'])
  t.same(said, ['a broken one: no', 'a door: did not end within 20 ms'])
  await closing.run(log)
  t.equal(closed.length, 2, 'once')
})

t.test('REL-003 many things that hang do not add up: the last, the database, is closed within the patience of the whole', async (t) => {
  const closed: string[] = [], closing = new Closing(200, 300)
  closing.add('database', () => { closed.push('database') })
  for (let i = 0; i < 4; i++) closing.add(`door ${i}`, () => new Promise(() => {}))
  const begun = performance.now()
  await closing.run({ error() {} } as unknown as Log)
  t.same(closed, ['database'])
  const took = performance.now() - begun
  t.ok(took >= 300 && took < 750, `${Math.round(took)} ms, where one after the other would take 800`)
})

t.test('REL-048 who is drained on purpose is given that time beyond the patience', async (t) => {
  const said: string[] = [], closed: string[] = [], closing = new Closing(20)
  closing.add('drained', () => new Promise<void>((done) => { setTimeout(() => { closed.push('drained'); done() }, 60) }), 5000)
  await closing.run({ error: (more: { what: string }) => { said.push(more.what) } } as unknown as Log)
  t.same([closed, said], [['drained'], []])
})
