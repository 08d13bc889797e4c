import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { runAgent } from '#ven-client/agent.js'
import { vtnClient } from '#ven-client/openadr/client.js'
import type { VtnErrorKind } from '#ven-client/openadr/error.js'
import { fakeVtn, type Scripted } from '#ven-client/openadr/fake-vtn.js'
import { eventFeed } from '#ven-client/openadr/feed.js'
import { reportQueue } from '#ven-client/openadr/report-queue.js'

const T = Date.parse('2026-07-01T12:00:00Z'), credentials = { clientID: 'ven-1', clientSecret: 'secret' }
const html = { headers: { 'content-type': 'text/html' }, body: '<p>please log in</p>' }

/** A feed at a VTN that answers as scripted: polls, and how it ended, while the clock is moved by steps of a second. */
async function polls(t: { teardown(f: () => unknown): unknown }, script: Scripted, seconds: number) {
  const clock = handClock(T), vtn = await fakeVtn({ clock })
  const client = vtnClient({ url: vtn.url, credentials, clock, attempts: 1 })
  let stopped: VtnErrorKind | undefined, seen = 0
  vtn.put({ programID: 'p', intervals: [] })
  vtn.script({ method: 'GET', path: /^\/events/, ...script })
  const feed = eventFeed(client, { pollEvery_s: 10, firstPollWithin_s: 0, onChanges: () => { seen += 1 }, onStopped: (error) => { stopped = error.kind } })
  t.teardown(async () => { feed.stop(); await client.close(); await vtn.close() })
  const asked = (): { at: number }[] => vtn.requests.filter((r) => r.path === '/events')
  for (let s = 0; s < seconds && stopped === undefined && seen === 0; s++) {
    await clock.advance(1000)
    const before = asked().length
    // A poll that began in this second is let finish on the real socket.
    for (let i = 0; i < 40 && asked().length === before && i < 4; i++) await new Promise((done) => setTimeout(done, 1))
    await new Promise((done) => setTimeout(done, 3))
  }
  return { count: asked().length, stopped, seen, times: asked().map((r) => (r.at - T) / 1000) }
}

t.test('OA-203 OA-211 REL-055 what is no answer of the VTN’s is waited out, and polling goes on by itself', async (t) => {
  const table: [string, Scripted][] = [
    ['a page of a proxy', { status: 200, ...html, times: 3 }], ['not JSON', { status: 200, body: '<html>', times: 3 }], ['nothing', { status: 200, body: '', times: 3 }],
    ['null', { status: 200, body: 'null', times: 3 }], ['an object', { status: 200, body: '{"a":1}', times: 3 }], ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' }, times: 3 }],
    ['403 for a moment', { status: 403, times: 2 }], ['400 for a moment', { status: 400, times: 2 }], ['500', { status: 500, times: 3 }],
  ]
  for (const [what, script] of table) {
    const { stopped, seen, times } = await polls(t, script, 120)
    t.same([stopped, seen], [undefined, 1], what)
    t.ok((times[1] ?? 99) <= 5, `${what}: asked again after ${times[1]} s`)
  }
})

t.test('REL-055 a VTN that refuses again and again is left alone: no endless loop', async (t) => {
  for (const status of [403, 400]) t.match(await polls(t, { status, times: 1000 }, 2000), { stopped: status === 403 ? 'forbidden' : 'invalid', count: 5 })
  t.match(await polls(t, { status: 401, times: 1000 }, 100), { stopped: 'unauthenticated', count: 2 }, 'one new token, one more try')
})

t.test('OA-207 REL-055 a report whose answer cannot be read is looked for before it is sent again; one that 503 refused too', async (t) => {
  for (const answer of [{ status: 201, ...html }, { status: 503 }, { status: 0, thenCut: true }]) {
    const clock = handClock(T), vtn = await fakeVtn({ clock }), client = vtnClient({ url: vtn.url, credentials, clock })
    t.teardown(async () => { await client.close(); await vtn.close() })
    const event = vtn.put({ programID: 'p', intervals: [] })
    vtn.script({ method: 'POST', path: /^\/reports/, ...answer })
    const queue = reportQueue(client)
    await queue.add('a', { eventID: event.id, clientName: 'ven-1', reportName: 'r1', resources: [] })
    for (let i = 0; i < 400 && queue.length > 0; i++) { await new Promise((done) => setTimeout(done, 2)); await clock.advance(1000) }
    queue.stop()
    const calls = vtn.requests.filter((r) => r.path === '/reports').map((r) => r.method)
    t.same(calls, answer.thenCut ? ['POST', 'GET'] : ['POST', 'GET', 'POST'], `${answer.status}`)
    t.equal(vtn.objects.reports.size, 1)
  }
})

t.test('OA-203 OA-204 an event that slips between two pages while another is deleted is still followed; one that is deleted is not', async (t) => {
  const clock = handClock(T), vtn = await fakeVtn({ clock }), real = vtnClient({ url: vtn.url, credentials, clock })
  t.teardown(async () => { await real.close(); await vtn.close() })
  const events = Array.from({ length: 60 }, (_, i) => vtn.put({ programID: 'p', eventName: `e${i}`, intervals: [] }))
  const slips = events[50]?.id ?? '', deleted = events[3]?.id ?? ''
  // What a walk by pages brings when the fourth is deleted after the first page was read: the fifty-first is in neither page.
  let walks = 0
  const client = { ...real, events: async () => { walks += 1; return (await real.events()).filter((e) => walks !== 2 || e.id !== slips) } }
  const heard: string[] = []
  const feed = eventFeed(client, { pollEvery_s: 1000, firstPollWithin_s: 0, onChanges: (changes) => heard.push(...changes.map((c) => `${c.kind} ${c.event.eventName ?? ''}`)) })
  t.teardown(() => feed.stop())
  const until = async (done: () => boolean): Promise<void> => { for (let i = 0; i < 1000 && !done(); i++) { await clock.advance(1); await new Promise((go) => { setTimeout(go, 2) }) } }
  await until(() => heard.length === 60)
  vtn.remove(deleted)
  feed.poke()
  await until(() => heard.length > 60)
  t.same(heard.slice(60), ['removed e3'])
  t.same(vtn.requests.filter((r) => r.path.startsWith('/events/')).map((r) => r.path).sort(), [`/events/${deleted}`, `/events/${slips}`].sort(), 'only those that were missed are asked for')
})

t.test('OA-206 what is no event, or only half of one, neither fails the good ones nor is followed where it makes no sense', async (t) => {
  const clock = handClock(T), vtn = await fakeVtn({ clock }), client = vtnClient({ url: vtn.url, credentials, clock })
  t.teardown(async () => { await client.close(); await vtn.close() })
  const good = { programID: 'p', modificationDateTime: '2026-07-01T12:00:00Z', intervalPeriod: { start: '2026-07-01T12:00:00Z', duration: 'PT1H' }, intervals: [{ id: 0, payloads: [{ type: 'SIMPLE', values: [1] }] }] }
  const simple = { type: 'SIMPLE', values: [2] }
  const nonsense: unknown[] = [
    1, null, 'x', [], {}, { id: 5 }, { id: 'a', ...good, intervals: 'none' }, { id: 'b', ...good, intervals: [null, 1, { id: 'x' }, { id: 1 }, { id: 2, payloads: [null, { type: 3, values: [] }, { type: 'T' }, simple] }] },
    { id: 'c', ...good, intervalPeriod: 'always' }, { id: 'd', ...good, intervalPeriod: { start: 7 } }, { id: 'e', ...good, reportDescriptors: [null, {}, { payloadType: 'USAGE' }], payloadDescriptors: 'KW', targets: 5, duration: 9 },
  ]
  vtn.script({ method: 'GET', path: /^\/events/, status: 200, body: JSON.stringify([...nonsense, { id: 'good', ...good }]), times: 1000 })
  const orders: unknown[] = []
  const agent = runAgent(client, { venName: 'v', firstPollWithin_s: 0, devices: [{ name: 'd', follow: (order) => { orders.push(order.says.get('SIMPLE')?.values[0]); return 'follow' }, energy_Wh: () => 0 }] })
  t.teardown(() => agent.stop())
  for (let i = 0; i < 500 && agent.events().length === 0; i++) { await clock.advance(1); await new Promise((done) => { setTimeout(done, 2) }) }
  t.same(agent.events().map((e) => e.event.id), ['a', 'b', 'c', 'd', 'e', 'good'])
  const read = (id: string) => agent.events().find((e) => e.event.id === id)?.event
  t.same(read('b')?.intervals, [{ id: 1, payloads: [] }, { id: 2, payloads: [simple] }])
  t.match(read('e'), { reportDescriptors: [{ payloadType: 'USAGE' }], payloadDescriptors: undefined, targets: undefined })
  t.same(read('good'), { id: 'good', ...good })
  t.ok(orders.includes(1) || orders.includes(2), 'and the device is told')
})
