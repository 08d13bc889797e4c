import t from 'tap'
import { Refusal } from '#core/error.js'
import type { Happening } from '#core/dispatch/delivery.js'
import { orderOf, testVtn } from '#vtn/test-vtn.js'

const busy = new Refusal('unavailable', 'the database is busy')
const wait = async (ok: () => boolean): Promise<void> => { for (let i = 0; i < 400 && !ok(); i++) await new Promise((r) => setTimeout(r, 5)) }

/** A VTN whose core refuses the first `failures` words, and one order that its VEN has not read. */
async function untold(failures: number) {
  let asked = 0
  const told: Happening[] = []
  const v = await testVtn({}, { happenings: { happened: async (list) => { asked += 1; if (asked <= failures) throw busy; told.push(...list) } } })
  await v.call('POST', '/vens', 'ven_client', { objectType: 'VEN_VEN_REQUEST', venName: 'site-1' })
  await v.vtn.channel.send([orderOf('o-1', 'site-1', -30_000)])
  const state = async (): Promise<string | undefined> => (await v.db.stores.documents.get<{ state: string }>('test', 'vtn/order', 'o-1'))?.body.state
  return { v, told, asked: () => asked, state }
}

t.test('CORE-102 REL-002 a read that the core cannot take now is noted again by itself; polls in between do not press', async (t) => {
  const { v, told, asked, state } = await untold(1)
  t.teardown(() => v.close())
  t.equal((await v.call('GET', '/events', 'ven_client')).statusCode, 200)
  await wait(() => asked() === 1)
  for (let i = 0; i < 5; i++) await v.call('GET', '/events', 'ven_client')
  t.same([asked(), told.length, await state()], [1, 0, 'sent'])
  await v.clock.advance(2000)
  await wait(() => told.length > 0)
  t.match(told, [{ delivery: 'o-1', state: 'received' }])
  for (let i = 0; i < 200 && await state() !== 'received'; i++) await new Promise((r) => setTimeout(r, 5))
  t.same([told.length, await state()], [1, 'received'])
})

t.test('CORE-102 REL-002 what was read is told as it was read: a cancel that comes before the second telling is not taken for read', async (t) => {
  const { v, told, asked, state } = await untold(1)
  t.teardown(() => v.close())
  await v.call('GET', '/events', 'ven_client')
  await wait(() => asked() === 1)
  await v.vtn.channel.cancel([orderOf('o-1', 'site-1', -30_000)], 'test')
  await v.clock.advance(2000)
  await wait(() => told.length > 0)
  t.match(told, [{ delivery: 'o-1', state: 'received' }])
  t.equal(await state(), 'cancelling', 'the cancellation still waits for its reader')
  await v.call('GET', '/events', 'ven_client')
  await wait(() => told.length > 1)
  t.match(told[1], { delivery: 'o-1', state: 'cancelled' })
})

t.test('CORE-102 REL-051 an order that is cancelled while its first read is being told stays a cancelled one', async (t) => {
  const told: Happening[] = []
  const v = await testVtn({}, { happenings: { happened: async (list) => {
    told.push(...list)
    if (told.length === 1) await v.vtn.channel.cancel([orderOf('o-1', 'site-1', -30_000)], 'test')
  } } })
  t.teardown(() => v.close())
  await v.call('POST', '/vens', 'ven_client', { objectType: 'VEN_VEN_REQUEST', venName: 'site-1' })
  await v.vtn.channel.send([orderOf('o-1', 'site-1', -30_000)])
  await v.call('GET', '/events', 'ven_client')
  await wait(() => told.length > 0)
  await v.vtn.stop()
  t.equal((await v.db.stores.documents.get<{ state: string }>('test', 'vtn/order', 'o-1'))?.body.state, 'cancelling')
})
