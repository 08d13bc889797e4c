import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { handClock, type HandClock } from '#core/port/clock.js'
import { runAgent, type AgentOptions } from '#ven-client/agent.js'
import { backoff } from '#ven-client/backoff.js'
import { watts, type Device, type Order, type Verdict } from '#ven-client/device.js'
import { vtnClient } from '#ven-client/openadr/client.js'
import { isVtnError, type VtnErrorKind } from '#ven-client/openadr/error.js'
import { fakeVtn, type FakeVtn } from '#ven-client/openadr/fake-vtn.js'
import { changes } from '#ven-client/openadr/feed.js'
import type { Event } from '#ven-client/openadr/objects.js'
import { diskStore, reportQueue } from '#ven-client/openadr/report-queue.js'
import { randomFrom } from '#ven-client/random.js'

const T = Date.parse('2026-07-01T12:00:00Z'), minute = 60_000
const kindOf = (p: Promise<unknown>): Promise<unknown> => p.then(() => 'no error', (e: unknown) => isVtnError(e) ? e.kind : e)
const iso = (ms: number): string => new Date(ms).toISOString()
const credentials = { clientID: 'ven-1', clientSecret: 'secret' }
const clientOf = (vtn: FakeVtn, clock: HandClock) => vtnClient({ url: vtn.url, credentials, clock })

/** Real sockets under a hand-moved clock: lets answers arrive until the condition holds. */
async function until(condition: () => boolean, clock?: HandClock): Promise<void> {
  for (let i = 0; i < 600 && !condition(); i++) {
    await new Promise((done) => setTimeout(done, 5))
    if (clock) await clock.advance(0)
  }
  if (!condition()) throw new Error(`never: ${condition.toString()}`)
}

function box(name = 'site-1', verdict: Verdict = 'follow') {
  const orders: Order[] = []
  const device: Device & { orders: Order[] } = {
    name, orders,
    follow: (order) => { orders.push(order); return order.says.size === 0 ? 'follow' : verdict },
    energy_Wh: (start, end) => (end - start) / 3600,          // 1 kW
  }
  return device
}
const setpoint = (kW: number, more: Partial<Event> = {}): Omit<Event, 'id'> => ({
  programID: 'p', priority: 1, intervalPeriod: { start: iso(T + 30 * minute), duration: 'PT15M' },
  payloadDescriptors: [{ objectType: 'EVENT_PAYLOAD_DESCRIPTOR', payloadType: 'DISPATCH_SETPOINT_RELATIVE', units: 'KW' }],
  reportDescriptors: [{ payloadType: 'USAGE', units: 'KWH', startInterval: 0, numIntervals: 1, frequency: 1, repeat: -1 }],
  intervals: [0, 1].map((id) => ({ id, payloads: [{ type: 'DISPATCH_SETPOINT_RELATIVE', values: [kW] }] })), ...more })

async function running(t: Test, device: Device, options: Partial<AgentOptions> = {}, clock = handClock(T)) {
  const vtn = await fakeVtn({ clock })
  t.teardown(() => vtn.close())
  const client = clientOf(vtn, clock)
  const agent = runAgent(client, { venName: 'ven-1', devices: [device], firstPollWithin_s: 0, ...options })
  t.teardown(() => { agent.stop(); return client.close() })
  await clock.advance(1)
  await until(() => vtn.requests.some((r) => r.path === '/events'), clock)
  await new Promise((done) => setTimeout(done, 40))           // the answer arrives and the next poll is planned
  return { vtn, client, agent, clock }
}
t.test('OA-202 OA-205 REL-064 registers, follows an event in its time and returns to normal without the server', async (t) => {
  const device = box()
  const { vtn, agent, clock } = await running(t, device)
  t.equal((await agent.ready).venName, 'ven-1')
  t.same([...vtn.objects.resources.values()].map((r) => r.resourceName), ['site-1'])
  vtn.put(setpoint(-30))
  await clock.advance(75_000)
  await until(() => agent.events().length === 1, clock)
  t.equal(agent.events()[0]?.state, 'pending')
  t.equal(device.orders.length, 0)
  await vtn.close()
  await clock.advance(30 * minute)
  t.equal(watts(device.orders[0]?.says.get('DISPATCH_SETPOINT_RELATIVE')), -30_000)
  await clock.advance(31 * minute)
  t.equal(device.orders.at(-1)?.says.size, 0, 'the end needs no message')
})

t.test('OA-203 OA-204 an unchanged list costs a 304; a deleted event stops its action at the next poll', async (t) => {
  const device = box()
  const { vtn, agent, clock } = await running(t, device)
  const event = vtn.put(setpoint(-30, { intervalPeriod: { start: iso(T), duration: 'PT2H' } }))
  await clock.advance(75_000)
  await until(() => device.orders.length === 1, clock)
  vtn.remove(event.id)
  await clock.advance(75_000)
  await until(() => device.orders.length === 2, clock)
  t.equal(device.orders[1]?.says.size, 0)
  t.equal(agent.events().length, 0)
})

t.test('OA-206 unknown payload types, attributes and fields do not fail an event', async (t) => {
  const device = box()
  const { vtn, clock } = await running(t, device)
  vtn.put({ ...setpoint(-5, { intervalPeriod: { start: iso(T), duration: 'PT2H' } }), whatIsThis: { a: 1 },
    intervals: [{ id: 0, extra: true, payloads: [{ type: 'X_PRIVATE', values: ['a'] }, { type: 'DISPATCH_SETPOINT_RELATIVE', values: [-5] }] }] } as unknown as Event)
  await clock.advance(75_000)
  await until(() => device.orders.length === 1, clock)
  t.same([...device.orders[0]!.says.keys()].sort(), ['DISPATCH_SETPOINT_RELATIVE', 'X_PRIVATE'])
})

t.test('OA-180 OA-207 reports each interval once with the ids of the event, after an outage too, and finds one that arrived unseen', async (t) => {
  const { vtn, agent, clock } = await running(t, box(), { reports: { within_s: 0 } })
  const event = vtn.put(setpoint(-30))
  await clock.advance(75_000)
  await until(() => agent.events().length === 1, clock)
  vtn.script({ method: 'POST', path: /reports/, status: 0, thenCut: true })      // stored, but the answer is lost
  await clock.advance(45 * minute)
  await until(() => vtn.requests.some((r) => r.method === 'POST' && r.path === '/reports'), clock)
  await until(() => agent.waitingReports === 1, clock)
  await new Promise((done) => setTimeout(done, 50))
  await clock.advance(10 * minute)
  await until(() => agent.waitingReports === 0, clock)
  await clock.advance(10 * minute)
  await until(() => vtn.objects.reports.size === 2, clock)
  const reports = [...vtn.objects.reports.values()]
  t.same(reports.map((r) => r.resources[0]?.intervals.map((i) => i.id)), [[0], [1]])
  t.same(reports[0]?.resources[0]?.intervals[0], { id: 0, intervalPeriod: { start: iso(T + 30 * minute), duration: 'PT15M' }, payloads: [{ type: 'USAGE', values: [0.25] }] })
  t.equal(reports[0]?.eventID, event.id)
  t.equal(reports[0]?.clientName, 'ven-1')
})

t.test('OA-185 a VEN that was offline sends the latest report only, once', async (t) => {
  const clock = handClock(T + 70 * minute)
  const { vtn, agent } = await running(t, box(), { reports: { within_s: 0 } }, clock)
  vtn.put(setpoint(-30, { intervals: [0, 1, 2, 3].map((id) => ({ id, payloads: [] })) }))
  await clock.advance(75_000)
  await until(() => vtn.objects.reports.size === 1, clock)
  t.equal([...vtn.objects.reports.values()][0]?.resources[0]?.intervals[0]?.id, 1)
  await agent.idle()
  t.equal(agent.waitingReports, 0)
})

t.test('OA-208 a refusal is told by OPERATING_STATE when the event asks, and the event no longer binds', async (t) => {
  const device = box('site-1', 'optOut')
  const { vtn, agent, clock } = await running(t, device, { reports: { within_s: 0 } })
  vtn.put(setpoint(-30, { intervalPeriod: { start: iso(T), duration: 'PT2H' }, reportDescriptors: [{ payloadType: 'OPERATING_STATE', frequency: 0 }] }))
  await clock.advance(75_000)
  await until(() => vtn.objects.reports.size === 1, clock)
  t.equal([...vtn.objects.reports.values()][0]?.resources[0]?.intervals[0]?.payloads[0]?.values[0], 'RUNNING_OPTED_OUT')
  agent.poke()
  await clock.advance(75_000)
  t.equal(device.orders.filter((o) => o.says.size > 0).length, 1)
})

t.test('OA-162 OA-207 units come from the program when the event has none; a device that throws is told of as ERROR and harms nobody', async (t) => {
  const good = box('good'), bad: Device = { ...box('bad'), follow: () => { throw new Error('broken') } }
  const clock = handClock(T), vtn = await fakeVtn({ clock }), client = clientOf(vtn, clock)
  vtn.objects.programs.set('p', { id: 'p', programName: 'p', payloadDescriptors: [{ payloadType: 'DISPATCH_SETPOINT', units: 'W' }] })
  const agent = runAgent(client, { venName: 'ven-1', devices: [bad, good], firstPollWithin_s: 0, reports: { within_s: 0 } })
  t.teardown(async () => { agent.stop(); await client.close(); await vtn.close() })
  vtn.put({ programID: 'p', intervalPeriod: { start: '0001-01-01T00:00:00Z', duration: 'PT2H' }, reportDescriptors: [{ payloadType: 'OPERATING_STATE', frequency: 0 }], intervals: [{ id: 0, payloads: [{ type: 'DISPATCH_SETPOINT', values: [1500] }] }] })
  await clock.advance(1)
  await until(() => good.orders.length === 1 && vtn.objects.reports.size > 0, clock)
  t.equal(watts(good.orders[0]?.says.get('DISPATCH_SETPOINT')), 1500)
  const states = [...vtn.objects.reports.values()].flatMap((r) => r.resources.map((x) => `${x.resourceName} ${String(x.intervals[0]?.payloads[0]?.values[0])}`))
  t.ok(states.includes('bad ERROR'))
  t.notOk(states.includes('good ERROR'))
})

t.test('OA-210 without a limit in force the subscription is the limit; after an outage it is at once', async (t) => {
  const device = box()
  const { vtn, agent, clock } = await running(t, device)
  const period = { start: iso(T), duration: 'PT4H' }
  vtn.put({ programID: 'p', intervalPeriod: period, intervals: [{ id: 0, payloads: [{ type: 'IMPORT_CAPACITY_SUBSCRIPTION', values: [40] }] }] })
  vtn.put({ programID: 'p', intervalPeriod: { ...period, duration: 'PT1H' }, intervals: [{ id: 0, payloads: [{ type: 'IMPORT_CAPACITY_LIMIT', values: [90] }] }] })
  await clock.advance(75_000)
  await until(() => device.orders.length === 1, clock)
  const limit = (): number | undefined => watts(device.orders.at(-1)?.says.get('IMPORT_CAPACITY_LIMIT'))
  t.equal(limit(), 90_000)
  agent.afterOutage()
  t.equal(limit(), 40_000)
})

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

t.test('OA-207 the queue on disk outlives the process; a refused report does not block the others', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'ven-queue-')), clock = handClock(T)
  t.teardown(() => rm(folder, { recursive: true }))
  const vtn = await fakeVtn({ clock }), client = clientOf(vtn, clock)
  t.teardown(() => Promise.all([client.close(), vtn.close()]))
  const event = vtn.put(setpoint(-1))
  const report = (n: number, eventID = event.id) => ({ eventID, clientName: 'ven-1', reportName: `r${n}`, resources: [] })
  const dead = vtnClient({ url: 'http://127.0.0.1:1', clock, attempts: 1 })
  const first = reportQueue(dead, { store: diskStore(folder) })
  await first.add('a', report(1)); await first.add('gone', report(2, 'no-such-event')); await first.add('b', report(3))
  await first.idle(); first.stop(); await dead.close()
  const second = reportQueue(client, { store: diskStore(folder) })
  await second.idle()
  await until(() => second.length === 0)
  t.same([...vtn.objects.reports.values()].map((r) => r.reportName), ['r1', 'r3'])
  t.same(await diskStore(folder).all(), [])
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

t.test('OA-203 lists of more than one page are read to their end', async (t) => {
  const clock = handClock(T), vtn = await fakeVtn({ clock }), client = clientOf(vtn, clock)
  t.teardown(() => Promise.all([client.close(), vtn.close()]))
  for (let i = 0; i < 120; i++) vtn.put(setpoint(-i))
  t.equal(new Set((await client.events()).map((e) => e.id)).size, 120)
  const before = vtn.requests.length
  t.equal((await client.events()).length, 120)
  t.equal(vtn.requests.length - before, 3)
})

t.test('REL-043 the waits of 1,000 clients spread by themselves, Retry-After obeyed', (t) => {
  const perSecond = new Map<number, number>()
  for (let c = 0; c < 1000; c++) {
    const random = randomFrom(`client-${c}`), wait = backoff(random)
    let at = random() * 60_000                                  // polls are spread to begin with
    while (at < 900_000) { at += wait.next(); if (at > 300_000 && at < 900_000) { const s = Math.floor(at / 10_000); perSecond.set(s, (perSecond.get(s) ?? 0) + 1) } }
  }
  const counts = [...perSecond.values()], mean = counts.reduce((a, b) => a + b, 0) / 60
  t.ok(Math.max(...counts) <= 3 * mean, `peak ${Math.max(...counts)} mean ${mean}`)
  const told = Array.from({ length: 500 }, (_, c) => backoff(randomFrom(`x${c}`)).next(10_000))
  t.ok(told.every((ms) => ms >= 10_000 && ms <= 16_000))
  t.ok(Math.max(...told) - Math.min(...told) > 3000, 'not together')
  t.end()
})

t.test('OA-203 OA-209 the agent subscribes by webhook where it is wanted: one subscription however often it starts; MQTT that is not offered is no trouble', async (t) => {
  const push = { mqtt: {}, webhook: { callbackUrl: 'https://house.example/hook', bearerToken: 'first' } }
  const { vtn, agent, clock, client } = await running(t, box(), { push })
  await until(() => agent.pushedBy.length > 0, clock)
  t.same(agent.pushedBy, ['webhook'])
  t.match([...vtn.objects.subscriptions.values()], [{ clientName: 'ven-1', objectOperations: [{ objects: ['EVENT', 'PROGRAM'], callbackUrl: 'https://house.example/hook', bearerToken: 'first' }] }])
  agent.stop()
  const again = runAgent(client, { venName: 'ven-1', devices: [box()], firstPollWithin_s: 0, push: { webhook: { ...push.webhook, bearerToken: 'second' } } })
  t.teardown(() => again.stop())
  await until(() => [...vtn.objects.subscriptions.values()].some((s) => s.objectOperations[0]?.bearerToken === 'second'), clock)
  t.equal(vtn.objects.subscriptions.size, 1)
  const polls = (): number => vtn.requests.filter((r) => r.path === '/events').length
  await until(() => again.pushedBy.length > 0, clock)
  await new Promise((done) => setTimeout(done, 40))
  const before = polls()
  again.poke()
  await until(() => polls() > before, clock)
})

t.test('OA-203 push that fails at first is tried again, and the agent polls meanwhile', async (t) => {
  const clock = handClock(T), vtn = await fakeVtn({ clock })
  t.teardown(() => vtn.close())
  vtn.script({ method: 'POST', path: /^\/subscriptions/, status: 503, times: 50 })
  const client = vtnClient({ url: vtn.url, credentials, clock, attempts: 1 }), device = box()
  const agent = runAgent(client, { venName: 'ven-1', devices: [device], firstPollWithin_s: 0, pollEvery_s: 10, push: { webhook: { callbackUrl: 'https://house.example/hook' } } })
  t.teardown(() => { agent.stop(); return client.close() })
  await until(() => vtn.requests.filter((r) => r.path === '/subscriptions' && r.method === 'POST').length >= 1, clock)
  vtn.put(setpoint(-5, { intervalPeriod: { start: iso(T), duration: 'PT1H' } }))
  for (let i = 0; i < 60 && device.orders.length === 0; i++) { await clock.advance(5000); await new Promise((done) => setTimeout(done, 10)) }
  t.ok(device.orders.length > 0, 'REL-053 without a single push the event is followed')
  for (let i = 0; i < 400 && agent.pushedBy.length === 0; i++) { await clock.advance(60_000); await new Promise((done) => setTimeout(done, 10)) }
  t.same(agent.pushedBy, ['webhook'])
})

t.test('REL-053 with every push lost, polling alone reaches the same state within one poll', async (t) => {
  const device = box()
  const { vtn, agent, clock } = await running(t, device, { pollEvery_s: 60 })
  const changesOf = async (work: () => void): Promise<void> => {
    work()
    const polls = (): number => vtn.requests.filter((r) => r.path === '/events').length, before = polls()
    for (let i = 0; i < 16 && polls() === before; i++) { await clock.advance(5000); await new Promise((done) => setTimeout(done, 20)) }
    t.equal(polls(), before + 1, 'one poll, 60 s and its jitter later')
    await new Promise((done) => setTimeout(done, 60))
    await clock.advance(1)
  }
  let id = ''
  await changesOf(() => { id = vtn.put(setpoint(-5, { intervalPeriod: { start: iso(T), duration: 'PT4H' } })).id })
  t.equal(agent.events().length, 1)
  await until(() => device.orders.at(-1)?.says.size === 1, clock)
  await changesOf(() => { vtn.put({ ...setpoint(-7, { intervalPeriod: { start: iso(T), duration: 'PT4H' } }), id }) })
  await until(() => watts(device.orders.at(-1)?.says.get('DISPATCH_SETPOINT_RELATIVE')) === -7000, clock)
  await changesOf(() => { vtn.remove(id) })
  await until(() => device.orders.at(-1)?.says.size === 0, clock)
  t.equal(agent.events().length, 0)
})

t.test('CORE-093 OA-180 a device that knows what it could leave away says so where an event asks for LOAD_SHED_DELTA_AVAILABLE', async (t) => {
  const device = { ...box(), available_W: (start: number) => (start >= T ? 30_000 : undefined) }
  const { vtn, agent, clock } = await running(t, device)
  const event = vtn.put({ programID: 'p', intervalPeriod: { start: iso(T + 10 * minute), duration: 'PT15M' }, intervals: [0, 1].map((id) => ({ id, payloads: [] })), reportDescriptors: [{ payloadType: 'LOAD_SHED_DELTA_AVAILABLE', units: 'KW', historical: false }] })
  agent.poke()
  await until(() => agent.events().length === 1, clock)
  for (let i = 0; i < 40 && vtn.objects.reports.size === 0; i++) { await clock.advance(minute); await new Promise((done) => setTimeout(done, 10)) }
  const [report] = [...vtn.objects.reports.values()]
  t.match(report, { eventID: event.id, resources: [{ resourceName: 'site-1', intervals: [{ id: 0, payloads: [{ type: 'LOAD_SHED_DELTA_AVAILABLE', values: [30] }] }, { id: 1 }] }] })
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
