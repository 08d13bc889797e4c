import t from 'tap'
import { handClock } from '#core/port/clock.js'
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
