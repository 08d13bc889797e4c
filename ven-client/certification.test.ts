import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { runAgent } from '#ven-client/agent.js'
import type { Device, Order } from '#ven-client/device.js'
import { vtnClient } from '#ven-client/openadr/client.js'
import { fakeVtn } from '#ven-client/openadr/fake-vtn.js'
import type { Event } from '#ven-client/openadr/objects.js'

const T = Date.parse('2026-07-01T00:00:00Z'), hour = 3_600_000
const iso = (ms: number): string => new Date(ms).toISOString()
const prices = Array.from({ length: 24 }, (_, h) => 0.1 + h / 100)

/** A VEN with one device at a fake VTN; `go` moves the clock in steps and lets answers arrive over the real socket. */
async function site(t: { teardown(f: () => unknown): unknown }) {
  const clock = handClock(T - hour), vtn = await fakeVtn({ clock }), orders: Order[] = []
  const device: Device = { name: 'house', follow: (order) => { orders.push(order); return 'follow' }, energy_Wh: (start, end) => (end - start) / 3600, operatingState: () => 'RUNNING_NORMAL' }
  const client = vtnClient({ url: vtn.url, credentials: { clientID: 'ven', clientSecret: 's' }, clock })
  const agent = runAgent(client, { venName: 'house', devices: [device], firstPollWithin_s: 0, pollEvery_s: 600, reports: { within_s: 1 } })
  t.teardown(async () => { agent.stop(); await client.close(); await vtn.close() })
  const settle = () => new Promise((done) => setTimeout(done, 15))
  async function go(until: number, step = 15 * 60_000): Promise<void> {
    while (clock.nowMs() < until) { await clock.advance(Math.min(step, until - clock.nowMs())); await settle() }
  }
  await clock.advance(1); await settle(); await agent.ready; await settle()
  return { clock, vtn, agent, orders, go }
}
const said = (orders: readonly Order[], type: string): unknown[] => orders.filter((o) => o.at >= T).map((o) => o.says.get(type)?.values[0])

t.test('OA-263 as a Continuous Pricing VEN: a day of hourly prices, in its units, each at its hour; the next day follows on', async (t) => {
  const { vtn, orders, go } = await site(t)
  const day = (start: number, values: readonly number[]): Omit<Event, 'id'> => ({
    programID: 'tariff', eventName: iso(start).slice(0, 10), intervalPeriod: { start: iso(start), duration: 'PT1H' },
    payloadDescriptors: [{ objectType: 'EVENT_PAYLOAD_DESCRIPTOR', payloadType: 'PRICE', units: 'KWH', currency: 'USD' }], intervals: values.map((v, id) => ({ id, payloads: [{ type: 'PRICE', values: [v] }] })),
  })
  vtn.put(day(T, prices))
  await go(T + 20 * hour, hour / 2)
  vtn.put(day(T + 24 * hour, [0.9, 0.8]))
  await go(T + 27 * hour, hour / 2)
  t.same(said(orders, 'PRICE'), [...prices, 0.9, 0.8, undefined])
  t.equal(orders.find((o) => o.says.has('PRICE'))?.says.get('PRICE')?.units, 'KWH')
  t.same(orders.filter((o) => o.says.has('PRICE')).map((o) => o.at - T), [...Array(26).keys()].map((h) => h * hour), 'on the hour, by its own clock')
})

t.test('OA-263 OA-166 the same day as one interval of 24 values', async (t) => {
  const { vtn, orders, go } = await site(t)
  vtn.put({ programID: 'tariff', intervalPeriod: { start: iso(T), duration: 'P1D' }, intervals: [{ id: 0, payloads: [{ type: 'PRICE', values: prices }] }] })
  await go(T + 25 * hour, hour / 2)
  t.same(said(orders, 'PRICE'), [...prices, undefined])
})

t.test('OA-263 as a Baseline VEN: registers, follows a load control event, reports what it asks for, ends when it is deleted', async (t) => {
  const { vtn, orders, go } = await site(t)
  t.match([...vtn.objects.vens.values()], [{ venName: 'house' }])
  t.match([...vtn.objects.resources.values()], [{ resourceName: 'house' }])
  const event = vtn.put({
    programID: 'peak', intervalPeriod: { start: iso(T), duration: 'PT1H' }, intervals: [0, 1, 2].map((id) => ({ id, payloads: [{ type: 'SIMPLE', values: [id + 1] }] })),
    reportDescriptors: [{ payloadType: 'USAGE', units: 'KWH', startInterval: 0, numIntervals: 1, frequency: 1, repeat: -1 }, { payloadType: 'OPERATING_STATE', frequency: 0 }],
  })
  await go(T + 1.5 * hour)
  t.same(said(orders, 'SIMPLE'), [1, 2])
  vtn.remove(event.id)
  await go(T + 2.5 * hour)
  t.same(said(orders, 'SIMPLE'), [1, 2, undefined])
  const reports = [...vtn.objects.reports.values()].map((r) => r.resources[0]?.intervals[0])
  t.match(reports.filter((i) => i?.payloads[0]?.type === 'USAGE'), [{ id: 0, payloads: [{ type: 'USAGE', values: [1] }] }])
  t.ok(reports.some((i) => i?.payloads[0]?.type === 'OPERATING_STATE'))
})
