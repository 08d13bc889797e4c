import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { vtnClient } from '#ven-client/openadr/client.js'
import { isVtnError, type VtnErrorKind } from '#ven-client/openadr/error.js'
import { fakeVtn, type FakeVtn } from '#ven-client/openadr/fake-vtn.js'
import { changes } from '#ven-client/openadr/feed.js'
import { clientOf, credentials, kindOf, setpoint, T } from '#ven-client/test-agent.js'

/** Single requests: tokens, refusals, pages, the server's time. */
t.test('OA-201 OA-027 the token is asked for once, renewed before its end and once after a 401', async (t) => {
  const clock = handClock(T), vtn = await fakeVtn({ clock, expires_in: 600 })
  const client = clientOf(vtn, clock)
  t.teardown(() => Promise.all([client.close(), vtn.close()]))
  const asked = (): number => vtn.requests.filter((r) => r.path === '/auth/token').length
  await Promise.all([client.events(), client.programs(), client.vens()])
  t.equal(asked(), 1)
  await clock.advance(550_000)
  await client.events()
  t.equal(asked(), 2, 'before expires_in')
  vtn.revokeTokens()
  await client.events()
  t.equal(asked(), 3, 'after a 401')
  vtn.script({ path: /events/, status: 401, times: 2 })
  t.equal(await kindOf(client.events()), 'unauthenticated')
  const wrong = vtnClient({ url: vtn.url, credentials: { clientID: 'x', clientSecret: 'wrong' }, clock })
  t.equal(await kindOf(wrong.events()), 'unauthenticated')
  await wrong.close()
})

t.test('REL-055 each refusal is a typed error, retried only where that is safe', async (t) => {
  const clock = handClock(T), vtn = await fakeVtn({ clock })
  const client = clientOf(vtn, clock)
  t.teardown(() => Promise.all([client.close(), vtn.close()]))
  await client.events()
  const table: [Partial<Parameters<FakeVtn['script']>[0]>, VtnErrorKind, { GET: number; POST: number }][] = [
    [{ status: 400 }, 'invalid', { GET: 1, POST: 1 }], [{ status: 403 }, 'forbidden', { GET: 1, POST: 1 }], [{ status: 404 }, 'notFound', { GET: 1, POST: 1 }],
    [{ status: 409 }, 'conflict', { GET: 1, POST: 1 }], [{ status: 412 }, 'stale', { GET: 1, POST: 1 }],
    [{ status: 429, headers: { 'retry-after': '2' } }, 'rateLimited', { GET: 4, POST: 4 }], [{ status: 503 }, 'unavailable', { GET: 4, POST: 4 }],
    [{ status: 500 }, 'unavailable', { GET: 4, POST: 1 }], [{ status: 200, body: '{"a":' }, 'protocol', { GET: 1, POST: 1 }],
    [{ status: 200, headers: { 'content-type': 'text/html' }, body: '<p>' }, 'protocol', { GET: 1, POST: 1 }],
    [{ status: 302, headers: { location: 'http://127.0.0.1:1/' } }, 'protocol', { GET: 1, POST: 1 }], [{ status: 0, thenCut: true }, 'unreachable', { GET: 4, POST: 1 }],
  ]
  for (const [answer, kind, tries] of table) {
    for (const method of ['GET', 'POST'] as const) {
      vtn.script({ path: /programs/, method, status: 500, ...answer, times: tries[method] })
      const before = vtn.requests.length
      const end: { result?: unknown } = {}
      const asked = client.send({ method, path: '/programs', ...(method === 'POST' ? { json: { programName: kind + method } } : {}) }).then(() => Object.assign(end, { result: 'ok' }), (e: unknown) => Object.assign(end, { result: e }))
      for (let i = 0; i < 400 && end.result === undefined; i++) { await new Promise((done) => setTimeout(done, 2)); await clock.advance(5000) }
      await asked
      t.equal(isVtnError(end.result) && end.result.kind, kind, `${answer.status} ${method}`)
      t.equal(vtn.requests.length - before, tries[method], `${answer.status} ${method} tries`)
    }
  }
  const dead = vtnClient({ url: 'http://127.0.0.1:1', clock, attempts: 1 })
  t.equal(await kindOf(dead.events()), 'unreachable')
  t.equal(await kindOf(client.events({}, { signal: AbortSignal.abort() })), 'aborted')
  await dead.close()
})

t.test('OA-200 OA-030 without credentials requests go without a token', async (t) => {
  const clock = handClock(T), vtn = await fakeVtn({ clock })
  t.teardown(() => vtn.close())
  vtn.script({ path: /^\/events/, status: 200, body: '[]' })
  const client = vtnClient({ url: vtn.url, clock })
  t.teardown(() => client.close())
  t.same(await client.events(), [])
  t.notOk(vtn.requests.some((r) => r.path.startsWith('/auth')))
  t.equal(await client.bearer(), undefined)
})

t.test('OA-211 the Date header tells the VTN’s time; a clock more than 5 s off is warned of, once', async (t) => {
  const vtnClock = handClock(T), own = handClock(T + 20_000), vtn = await fakeVtn({ clock: vtnClock }), warned: object[] = []
  t.teardown(() => vtn.close())
  const client = vtnClient({ url: vtn.url, credentials, clock: own, log: { debug() {}, info() {}, error() {}, warn: (fields: object) => { warned.push(fields) } } })
  t.teardown(() => client.close())
  await client.events()
  await client.programs()
  t.equal(warned.filter((w) => 'clause' in w && w.clause === 'OA-211').length, 1)
  const told: number[] = []
  const listening = vtnClient({ url: vtn.url, credentials, clock: own, onServerTime: (ms) => told.push(ms) })
  t.teardown(() => listening.close())
  await listening.events()
  t.ok(told.every((ms) => ms === T) && told.length > 0)
})

t.test('OA-203 lists of more than one page are read to their end', async (t) => {
  const clock = handClock(T), vtn = await fakeVtn({ clock }), client = clientOf(vtn, clock)
  t.teardown(() => Promise.all([client.close(), vtn.close()]))
  for (let i = 0; i < 120; i++) vtn.put(setpoint(-i))
  t.equal(new Set((await client.events()).map((e) => e.id)).size, 120)
  const before = vtn.requests.length
  t.equal((await client.events()).length, 120)
  t.equal(vtn.requests.length - before, 3)
})

t.test('UX-029 events come as an async iterator that an AbortSignal ends', async (t) => {
  const clock = handClock(T), vtn = await fakeVtn({ clock }), client = clientOf(vtn, clock)
  t.teardown(() => Promise.all([client.close(), vtn.close()]))
  vtn.put(setpoint(-1)); vtn.put(setpoint(-2))
  const abort = new AbortController(), seen: string[] = []
  const reading = (async () => { for await (const c of changes(client, { signal: abort.signal })) { seen.push(c.kind); if (seen.length === 2) abort.abort() } })()
  await clock.advance(1)
  await reading
  t.same(seen, ['added', 'added'])
})
