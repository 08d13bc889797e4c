import * as fc from 'fast-check'
import t from 'tap'
import type { DeliveryOrder, OrderInterval } from '#core/port/dispatch-channel.js'
import { instruct } from '#core/dispatch/instruct.js'
import { prevails } from '#core/dispatch/precedence.js'
import { oneControl } from '#core/program/manage-assets.js'
import { controlFor, type Declared } from '#csip-server/mode.js'
import { wattsOf, type Scaled } from '#csip-server/power.js'
import { primacyOf } from '#csip-server/topology.js'
import { limitOf, wattsOf as wattsOfAmperes } from '#csms/smart-charging/convert.js'
import { staggered } from '#csms/smart-charging/lease.js'
import { eventOf } from '#vtn/order.js'

/** The same neutral instruction at all three edges: only `main` may see them side by side. */
const start = Date.UTC(2026, 6, 15, 22) / 1000
const orderOf = (intervals: readonly OrderInterval[], change: Partial<DeliveryOrder> = {}): DeliveryOrder => ({
  id: '01a224d6-76e6-7000-803e-f87b385335d2', tenant: 't', dispatch: 'd', revision: 1, program: { id: 'p', name: 'peak' }, resource: { id: 'r', name: 'r', kind: 'battery', rated_W: 50_000, servicePoint: 's' },
  binding: { protocol: 'openadr', remoteId: 'x', control: true }, start, end: intervals.at(-1)?.end ?? start + 3600, intervals, randomize_s: 0, expiry: intervals.at(-1)?.end ?? start + 3600, priority: 50, reportEvery_s: 900, createdAt: 0, ...change,
})
const wished = (expected_W: number | null, delta_W: number): OrderInterval[] => instruct([{ start, end: start + 3600, expected_W }], [], delta_W)
const kWs = (order: DeliveryOrder): number[] => (eventOf(order, 'p', 'ven-1').intervals ?? []).map((i) => Number(i.payloads[0]!.values[0]))
const load = fc.integer({ min: -40_000, max: 400_000 }), change = fc.integer({ min: -300_000, max: 300_000 }).filter((w) => w !== 0)
const percent: Declared = { modes: 2 ** 7, setMaxW: 50_000, setMaxChargeRateW: 40_000, setMaxDischargeRateW: 45_000 }

t.test('CORE-001 consumption is positive inside; each edge turns the sign once, so the same cut is less consumption, more output and a lower ceiling', async (t) => {
  const [cut] = wished(3000, -5000), [rise] = wished(3000, 2000)
  t.strictSame([cut!.delta_W, cut!.setpoint_W], [-5000, -2000], 'a cut beyond the load is export: negative')
  t.strictSame([kWs(orderOf([cut!]))[0], kWs(orderOf([rise!]))[0]], [-5, 2], 'OpenADR: signed change of consumption')
  t.same([controlFor(cut!, { modes: 2 ** 22 }, 'csip'), controlFor(rise!, { modes: 2 ** 22 }, 'csip')].map((c) => (c.ok ? c.base : c)), [{ opModTargetW: { multiplier: 0, value: 2000 } }, { opModTargetW: { multiplier: 0, value: -5000 } }], '2030.5: output to the grid is positive')
  t.same([limitOf(cut!.limitImport_W!, 'W', { voltage: 230, phases: 3, current: 'AC' }), limitOf(rise!.limitImport_W!, 'W', { voltage: 230, phases: 3, current: 'AC' })], [0, 5000], 'OCPP: a ceiling on consumption, never below zero')
})

t.test('CORE-002 whole watts inside; kW and tenths of amperes only at the edge', async (t) => {
  fc.assert(fc.property(load, change, (expected_W, delta_W) => wished(expected_W, delta_W).every((i) => [i.delta_W, i.setpoint_W, i.limitImport_W, i.expected_W].every((w) => w === null || Number.isSafeInteger(w)))))
  fc.assert(fc.property(change, (delta_W) => Math.round(kWs(orderOf(wished(null, delta_W)))[0]! * 1000) === delta_W), { numRuns: 500 })
  t.pass('500 orders')
})

t.test('CORE-105 neutral to protocol and back: less than one step apart, and never past the safe side of a limit', async (t) => {
  fc.assert(fc.property(load, change, (expected_W, delta_W) => {
    const [i] = wished(expected_W, delta_W), setpoint = i!.setpoint_W!, limit = i!.limitImport_W!
    // OpenADR says watts exactly, in kW
    if (Math.abs(kWs(orderOf([i!]))[0]! * 1000 - delta_W) > 1e-6) return false
    // 2030.5 target: value and multiplier, nearest step
    const target = controlFor(i!, { modes: 2 ** 22 }, 'csip')
    if (!target.ok) return false
    const scaled = target.base['opModTargetW'] as Scaled
    if (Math.abs(-wattsOf(scaled) - setpoint) > 10 ** scaled.multiplier / 2) return false
    // 2030.5 percentage of the setting: a hundredth of a percent, towards zero
    const fixed = controlFor(i!, percent, 'csip')
    if (fixed.ok && 'opModFixedW' in fixed.base) {
      const value = Number(fixed.base['opModFixedW']), full = value >= 0 && -setpoint >= 0 ? percent.setMaxDischargeRateW! : percent.setMaxChargeRateW!, back = (-value * full) / 10_000
      if (Math.abs(value) < 10_000 && (Math.abs(back - setpoint) >= full / 10_000 || Math.abs(back) > Math.abs(setpoint))) return false
    }
    // CSIP-AUS import limit: a magnitude, cut towards zero
    const envelope = controlFor({ ...i!, setpoint_W: limit }, { doeModes: 2 }, 'csip-aus-1.2')
    if (delta_W <= 0 && envelope.ok && 'opModImpLimW' in envelope.base) {
      const said = envelope.base['opModImpLimW'] as Scaled
      if (wattsOf(said) > limit || limit - wattsOf(said) >= 10 ** said.multiplier) return false
    }
    // OCPP in watts and in tenths of an ampere: never above the limit; below 6 A a pause
    const wires = { voltage: 230, phases: 3, current: 'AC' as const }, A = limitOf(limit, 'A', wires)
    if (limitOf(limit, 'W', wires) !== limit) return false
    return wattsOfAmperes(A, wires) <= limit + 0.5 && (A === 0 ? limit < 6.0001 * 690 : limit - wattsOfAmperes(A, wires) < 69 + 0.5)
  }), { numRuns: 2000, seed: 105 })
  t.pass('2,000 instructions')
})

t.test('CORE-096 a dispatch of ours is a DERControl and never an EndDeviceControl, so the two are never mixed for one resource', async (t) => {
  const i = wished(3000, -2000)[0]!
  for (const declared of [{}, { modes: 2 ** 22 }, percent]) {
    const control = controlFor(i, declared, 'csip')
    t.ok(control.ok && Object.keys(control.base).every((mode) => mode.startsWith('opMod')), JSON.stringify(control))
  }
})

t.test('CORE-097 lower wins everywhere: the event priority, the event of OpenADR, and the primacy of the groups that it goes to', async (t) => {
  const at = (priority: number) => ({ id: String(priority), dispatch: 'd', resource: 'r', order: orderOf(wished(1000, -500), { priority }) })
  t.ok(prevails(at(10), at(50)))
  t.equal(eventOf(orderOf(wished(1000, -500), { priority: 10 }), 'p', 'ven-1').priority, 10)
  const order = ['servicePoint', 'transformer', 'segment', 'feeder', 'substation', 'subtransmission', 'system'] as const
  t.ok(order.every((level, i) => i === 0 || primacyOf[level] > primacyOf[order[i - 1]!]), 'the nearer group wins over the wider one')
})

t.test('CORE-101 the start is randomised once: by the device where the protocol can say it, else by our stagger', async (t) => {
  const order = orderOf(wished(3000, -2000), { randomize_s: 300 }), event = eventOf(order, 'p', 'ven-1')
  t.equal(event.intervalPeriod?.randomizeStart, 'PT5M')
  t.equal(Date.parse(event.intervalPeriod!.start!), start * 1000, 'and we do not move it as well')
  const ceilings = [{ start, end: start + 3600, W: 1000 }], moved = staggered(order, 'CS001', ceilings)
  t.ok(moved[0]!.start >= start && moved[0]!.start <= start + 300)
  t.equal(moved.at(-1)!.end, start + 3600)
  t.same(staggered(order, 'CS001', ceilings), moved, 'the same station and order, the same offset')
  t.notOk('randomizeStart' in (eventOf(orderOf(wished(3000, -2000)), 'p', 'ven-1').intervalPeriod ?? {}), 'nothing is asked where nothing is randomised')
})

t.test('CORE-104 of several bindings one controls; where none is marked the first, and never two', async (t) => {
  const two = oneControl([{ protocol: 'ocpp', remoteId: 'CS1' }, { protocol: 'openadr', remoteId: 'ven-1' }])
  t.same(two.map((b) => b.control), [true, false])
  t.same(oneControl([{ protocol: 'ocpp', remoteId: 'CS1', control: false }, { protocol: 'openadr', remoteId: 'ven-1', control: true }]).map((b) => b.control), [false, true])
  t.same(oneControl([{ protocol: 'ocpp', remoteId: 'CS1', control: false }, { protocol: 'openadr', remoteId: 'ven-1' }]).map((b) => b.control), [false, true], 'one that says it does not control never does')
  t.throws(() => oneControl([{ protocol: 'ocpp', remoteId: 'CS1', control: true }, { protocol: 'openadr', remoteId: 'ven-1', control: true }]), /control/)
})
