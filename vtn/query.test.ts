import t from 'tap'
import { namesOf, sceneOn, testVtn, ven } from '#vtn/test-vtn.js'

/** Lists: pages, filters, and what is active. */
const v = await testVtn()
t.teardown(() => v.close())
const { event, fresh, program } = sceneOn(v)

t.test('OA-057 OA-059 skip and limit', async (t) => {
  for (const query of ['limit=51', 'limit=-1', 'skip=-1', 'limit=1.5', 'limit=a', 'limit=1&limit=2', 'skip=', 'skip=99999999999', 'programID=a%20b']) t.equal((await v.call('GET', `/events?${query}`)).statusCode, 400, query)
  t.same((await v.call('GET', '/programs?limit=0')).json(), [])
  t.same((await v.call('GET', '/programs?skip=100000')).json(), [])
  t.equal((await v.call('GET', '/programs?whatever=1&limit=1')).statusCode, 200)
  t.equal((await v.call('GET', '/events?active=yes')).statusCode, 400)
})

t.test('OA-058 walking 120 objects made in one second by 50s yields each once, oldest first', async (t) => {
  const p = await program(fresh('walk'))
  await Promise.all(Array.from({ length: 120 }, (_, i) => event(p.id, { eventName: `w${i}` })))
  const seen: string[] = []
  for (let skip = 0; ; skip += 50) {
    const page = (await v.call('GET', `/events?programID=${p.id}&skip=${skip}&limit=50`)).json()
    if (!page.length) break
    seen.push(...page.map((e: { id: string }) => e.id))
  }
  t.equal(new Set(seen).size, 120)
  t.equal(seen.length, 120)
})

t.test('OA-061 OA-165 active leaves out what has ended', async (t) => {
  const p = await program(fresh('active'))
  const at = (start: string, duration: string) => ({ intervalPeriod: { start, duration }, intervals: [{ id: 0, payloads: [] }] })
  await event(p.id, { eventName: 'past', ...at('2026-06-01T10:00:00Z', 'PT1H') })
  await event(p.id, { eventName: 'ends now', ...at('2026-06-01T11:00:00Z', 'PT1H') })
  await event(p.id, { eventName: 'running', ...at('2026-06-01T11:30:00Z', 'PT1H') })
  await event(p.id, { eventName: 'future', ...at('2026-06-02T11:30:00Z', 'PT1H') })
  await event(p.id, { eventName: 'endless', ...at('2026-01-02T11:30:00Z', 'P9999Y') })
  await event(p.id, { eventName: 'looped', duration: 'P1Y', ...at('2026-01-02T11:30:00Z', 'PT1H') })
  await event(p.id, { eventName: 'cut', duration: 'PT1H', ...at('2026-06-01T10:00:00Z', 'PT8H') })
  await event(p.id, { eventName: 'cancelled', ...at('0001-01-01', 'PT0S') })
  await event(p.id, { eventName: 'unplaced' })
  const active = async () => namesOf((await v.call('GET', `/events?programID=${p.id}&active=true`)).json())
  t.same(await active(), ['running', 'future', 'endless', 'looped', 'unplaced'])
  t.equal((await v.call('GET', `/events?programID=${p.id}&active=false`)).json().length, 9)
  const second = async () => namesOf((await v.call('GET', `/events?programID=${p.id}&active=true&skip=1&limit=2`)).json())
  t.same(await second(), ['future', 'endless'])
  await v.clock.advance(1_799_000)
  t.same(await active(), ['running', 'future', 'endless', 'looped', 'unplaced'], 'from memory, to its last second')
  await v.clock.advance(1000)
  t.same(await active(), ['future', 'endless', 'looped', 'unplaced'], 'and not one second longer')
  t.same(await second(), ['endless', 'looped'], 'a later page moves as well')
  await v.clock.set(v.clock.nowMs() - 60_000)
  t.equal((await active())[0], 'running', 'a clock that was put back tells the truth of then')
  await v.clock.advance(1_860_000)
})

t.test('OA-062 programName look-up', async (t) => {
  const p = await program(fresh('lookup'))
  t.same(namesOf((await v.call('GET', `/programs?programName=${p.programName}`, ven)).json()), [p.programName])
})
