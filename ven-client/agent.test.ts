import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { runAgent } from '#ven-client/agent.js'
import { watts, type Device } from '#ven-client/device.js'
import { fakeVtn } from '#ven-client/openadr/fake-vtn.js'
import type { Event } from '#ven-client/openadr/objects.js'
import { box, clientOf, iso, minute, running, setpoint, T, until } from '#ven-client/test-agent.js'

/** What devices are told, and when. */
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
