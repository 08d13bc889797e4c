import t from 'tap'
import { homes, testDoor } from '#core/operator/test-door.js'
import { silent, type Log } from '#core/port/log.js'
import { Captures } from '#core/words/captures.js'
import { LastWords } from '#core/words/last-words.js'
import { LogLines } from '#core/words/log-lines.js'

const noon = Date.UTC(2026, 6, 15, 18)

t.test('UX-077 one search gives orders, frames, audit records and log lines of a device of any protocol, and only of the own tenant', async (t) => {
  const lines = new LogLines(), log: Log = { ...silent, lines }
  const { core, as, clock } = await testDoor(t, { nowMs: noon, log }), call = await as('admin', 'ada'), viewer = await as('viewer', 'vera'), other = await as('admin', 'eve', 'elsewhere')
  await homes(call, 12)
  const order = (await call('POST', 'dispatches', { program: 'peak', power_kW: 60, start: '2026-07-15T20:00:00Z', duration: 'PT1H' })).data
  core.words.add('default', 'openadr', 'ven-1', { at: noon, request: 'GET /events', status: 200, answer: '[]' })
  core.words.from('ocpp', (_tenant, station) => [{ at: new Date(noon).toISOString(), direction: 'in', text: `[2,"1","Heartbeat",{}] of ${station}`, times: 1 }])
  for (const [tenant, msg] of [['default', 'ven-1 was late'], ['elsewhere', 'ven-1 of another tenant'], [undefined, 'ven-11 was late'], [undefined, 'nothing of ours']] as const) lines.add(`${JSON.stringify({ level: 40, time: noon, msg, ...(tenant ? { tenant } : {}) })}\n`)
  lines.add('{"level":40,"ti')

  const found = (await call('GET', 'find?q=ven-1')).data
  t.same(found.devices.map((d: { name: string }) => d.name), ['battery-1', 'battery-10', 'battery-11'], 'the one that is called so comes first')
  t.match(found.orders.filter((o: { resourceName: string }) => o.resourceName === 'battery-1'), [{ dispatch: order.id, protocol: 'openadr' }])
  t.match(found.frames, [{ direction: 'out', text: '200\n[]' }, { direction: 'in', text: 'GET /events' }])
  t.ok(found.records.some((r: { action: string }) => r.action === 'resource.create'))
  t.same(found.logs.map((l: { message: string }) => l.message), ['ven-11 was late', 'ven-1 was late'], 'newest first; of this tenant or of none')
  t.equal((await call('GET', `find?q=${order.id}`)).data.orders.length, order.allocation.byResource.length, 'an order by its id')
  t.same((await call('GET', 'find?q=nobody')).data, { q: 'nobody', devices: [], orders: [], frames: [], records: [], logs: [] })
  t.match((await viewer('GET', 'find?q=ven-1')).data, { records: null, logs: null }, 'trail and log are for those who may read them')
  t.match((await other('GET', 'find?q=ven-1')).data, { devices: [], orders: [], frames: [] }, 'SEC-030')
  // another tenant's device that calls itself the same has words of its own
  await homes(other, 2)
  t.match((await other('GET', `devices/${(await other('GET', 'resources/battery-1')).data.id}/words`)).data, { items: [] }, 'SEC-030')
  t.equal((await call('GET', 'find?q=x')).statusCode, 422, 'too short to mean anything')

  await t.test('UX-077 every frame of one device is kept for as long as was asked, and by whom is in the trail', async (t) => {
    t.equal((await call('GET', 'devices/battery-1/capture')).statusCode, 404)
    t.equal((await call('POST', 'devices/battery-1/capture', { minutes: 61 })).statusCode, 422)
    t.equal((await viewer('POST', 'devices/battery-1/capture', { minutes: 1 })).statusCode, 403)
    t.match((await call('POST', 'devices/battery-1/capture', { minutes: 10 })).data, { running: true, by: 'ada', items: [], until: '2026-07-15T18:10:00.000Z' })
    for (let i = 0; i < 30; i++) core.words.add('default', 'openadr', 'ven-1', { at: noon + i, request: 'POST /reports', body: { clientSecret: 'canary', i }, status: 201 })
    core.words.add('default', 'openadr', 'ven-2', { at: noon, request: 'GET /other', status: 200 })
    const kept = (await call('GET', 'devices/battery-1/capture')).data
    t.equal(kept.items.length, 60, 'all of them, though the last words keep two of an address')
    t.match(kept.items[0], { at: new Date(noon).toISOString(), direction: 'in', text: /^POST \/reports\n.*\*\*\*/ })
    t.notMatch(JSON.stringify(kept), /canary|other/)
    await clock.advance(600_000)
    core.words.add('default', 'openadr', 'ven-1', { at: clock.nowMs(), request: 'GET /late', status: 200 })
    t.match((await call('GET', 'devices/battery-1/capture')).data, { running: false, items: { length: 60 } }, 'its time is over')
    const id = (await call('GET', 'resources/battery-1')).data.id
    t.ok((await call('GET', `audit?entity=${id}&limit=1000`)).data.items.some((r: { action: string; actor: string }) => r.action === 'resource.capture' && r.actor === 'ada'))
    t.equal((await other('GET', `devices/${id}/capture`)).statusCode, 404, 'SEC-030')
    t.same((await call('DELETE', 'devices/battery-1/capture')).data, { ended: true })
    t.equal((await call('GET', 'devices/battery-1/capture')).statusCode, 404)
  })
})

t.test('UX-077 captures and log lines are bounded, whatever a device says', async (t) => {
  const captures = new Captures(), words = new LastWords(undefined, captures)
  captures.begin('default', 'ocpp', 'CS1', 0, 1000, 'ada')
  for (let i = 0; i < 10_000; i++) captures.heard('default', 'ocpp', 'CS1', i % 1000, () => [{ direction: 'in', text: 'x'.repeat(1000) }])
  const c = captures.of('default', 'ocpp', 'CS1')!
  t.ok(c.frames.reduce((n, f) => n + f.text.length, 0) <= 4 * 2 ** 20 && c.frames.length <= 5000)
  t.equal(c.frames.length + c.dropped, 10_000, 'what found no room is counted')
  captures.heard('default', 'ocpp', 'CS2', 1, () => { throw new Error('nobody listens to CS2') })
  for (let i = 0; i < 25; i++) captures.begin('default', 'ieee2030_5', `L${i}`, 0, 1000, 'ada')
  t.equal(captures.of('default', 'ocpp', 'CS1'), undefined, 'the oldest made room')
  words.add('default', 'ieee2030_5', 'L24', { at: 1, request: 'PUT /x', body: Buffer.from('y'.repeat(200_000)), status: 204 })
  t.equal(captures.of('default', 'ieee2030_5', 'L24')!.frames[0]!.text.length, 64 * 1024 + 1, 'a giant is cut')
  const lines = new LogLines(100_000)
  for (let i = 0; i < 20_000; i++) lines.add(JSON.stringify({ level: 30, time: 0, msg: `line ${i}.` }))
  t.same(lines.find(['line 0.'], 'x', 10), [], 'long ago')
  t.match(lines.find(['line 19999.'], 'x', 10), [{ level: 'info', message: 'line 19999.' }])
})
