import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { runAgent } from '#ven-client/agent.js'
import { watts } from '#ven-client/device.js'
import { vtnClient } from '#ven-client/openadr/client.js'
import { fakeVtn } from '#ven-client/openadr/fake-vtn.js'
import { box, credentials, iso, running, setpoint, T, until } from '#ven-client/test-agent.js'

/** Being told at once, and what holds without it. */
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
