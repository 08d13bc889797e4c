import type { Test } from 'tap'
import { handClock, type HandClock } from '#core/port/clock.js'
import { runAgent, type AgentOptions } from '#ven-client/agent.js'
import type { Device, Order, Verdict } from '#ven-client/device.js'
import { vtnClient } from '#ven-client/openadr/client.js'
import { isVtnError } from '#ven-client/openadr/error.js'
import { fakeVtn, type FakeVtn } from '#ven-client/openadr/fake-vtn.js'
import type { Event } from '#ven-client/openadr/objects.js'

/** An agent against the fake VTN: real sockets, a clock moved by hand. */
export const T = Date.parse('2026-07-01T12:00:00Z'), minute = 60_000
export const kindOf = (p: Promise<unknown>): Promise<unknown> => p.then(() => 'no error', (e: unknown) => isVtnError(e) ? e.kind : e)
export const iso = (ms: number): string => new Date(ms).toISOString()
export const credentials = { clientID: 'ven-1', clientSecret: 'secret' }
export const clientOf = (vtn: FakeVtn, clock: HandClock) => vtnClient({ url: vtn.url, credentials, clock })

/** Real sockets under a hand-moved clock: lets answers arrive until the condition holds. */
export async function until(condition: () => boolean, clock?: HandClock): Promise<void> {
  for (let i = 0; i < 600 && !condition(); i++) {
    await new Promise((done) => setTimeout(done, 5))
    if (clock) await clock.advance(0)
  }
  if (!condition()) throw new Error(`never: ${condition.toString()}`)
}

export function box(name = 'site-1', verdict: Verdict = 'follow') {
  const orders: Order[] = []
  const device: Device & { orders: Order[] } = {
    name, orders,
    follow: (order) => { orders.push(order); return order.says.size === 0 ? 'follow' : verdict },
    energy_Wh: (start, end) => (end - start) / 3600,          // 1 kW
  }
  return device
}
export const setpoint = (kW: number, more: Partial<Event> = {}): Omit<Event, 'id'> => ({
  programID: 'p', priority: 1, intervalPeriod: { start: iso(T + 30 * minute), duration: 'PT15M' },
  payloadDescriptors: [{ objectType: 'EVENT_PAYLOAD_DESCRIPTOR', payloadType: 'DISPATCH_SETPOINT_RELATIVE', units: 'KW' }],
  reportDescriptors: [{ payloadType: 'USAGE', units: 'KWH', startInterval: 0, numIntervals: 1, frequency: 1, repeat: -1 }],
  intervals: [0, 1].map((id) => ({ id, payloads: [{ type: 'DISPATCH_SETPOINT_RELATIVE', values: [kW] }] })), ...more })

export async function running(t: Test, device: Device, options: Partial<AgentOptions> = {}, clock = handClock(T)) {
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
