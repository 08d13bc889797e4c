import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { vtnClient } from '#ven-client/openadr/client.js'
import { fakeVtn } from '#ven-client/openadr/fake-vtn.js'
import { diskStore, reportQueue } from '#ven-client/openadr/report-queue.js'
import { box, clientOf, iso, minute, running, setpoint, T, until } from '#ven-client/test-agent.js'

/** Which reports leave, when, and once. */
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
