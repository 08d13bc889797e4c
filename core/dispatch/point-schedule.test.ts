import * as fc from 'fast-check'
import t from 'tap'
import type { PointDevice, PointInput } from '#core/dispatch/point-model.js'
import { proveSchedule, schedulePoint as within, type PointSchedule } from '#core/dispatch/point-schedule.js'

t.setTimeout(240_000)

/** The machine may be busy: what is looked at here is the plan, not its time. */
const schedulePoint = (input: PointInput, time_ms = 60_000): Promise<PointSchedule> => within(input, time_ms)
const hours = [1, 1, 1, 1], flat = (w: number): number[] => hours.map(() => w)
const car = (change: Partial<Extract<PointDevice, { kind: 'ev' }>> = {}): PointDevice => ({ id: 'car', kind: 'ev', max_W: 7000, need_Wh: 14_000, present: hours.map(() => true), base_W: [7000, 7000, 0, 0], ...change })
const battery = (change: Partial<Extract<PointDevice, { kind: 'battery' }>> = {}): PointDevice => ({ id: 'battery', kind: 'battery', capacity_Wh: 10_000, stored_Wh: 8000, reserve_Wh: 2000, maxCharge_W: 5000, maxDischarge_W: 5000, efficiency: 1, ...change })
const sun: PointDevice = { id: 'sun', kind: 'solar', forecast_W: [3000, 2000, 1000, 0] }
const pump: PointDevice = { id: 'pump', kind: 'thermal', expected_W: flat(2000), comfort_Wh: 3000 }
const point = (devices: readonly PointDevice[], change: Partial<PointInput> = {}): PointInput => ({ hours, others_W: flat(1000), delta_W: flat(0), importLimit_W: 10_000, exportLimit_W: 5000, devices, ...change })
const energy = (load: readonly number[]): number => load.reduce((sum, w, i) => sum + w * hours[i]!, 0)

t.test('CORE-073 car, battery, sun and heat pump under one connection: the car waits, the battery serves the house and not the car, the limit holds in every hour', async (t) => {
  const input = point([car(), battery(), sun, pump], { delta_W: [-5000, -5000, 0, 0] }), plan = await schedulePoint(input)
  t.equal(plan.solver, 'highs')
  t.same(proveSchedule(input, plan), [])
  t.same(plan.shortfall_W, flat(0), 'all of it')
  t.ok(energy(plan.load_W.get('car')!) >= 14_000 - 4, 'and the car leaves as full as it would have')
  t.ok(plan.net_W.every((w) => w <= 10_000 && w >= -5000))
  const crossed = await schedulePoint({ ...input, devices: [car({ present: [true, false, false, false], base_W: [7000, 0, 0, 0], need_Wh: 7000 }), battery()], delta_W: [-4000, 0, 0, 0] })
  t.equal(crossed.shortfall_W[0]! > 0, true, 'a car that must charge now is not fed by the battery')
  const allowed = { ...input, devices: [car({ present: [true, false, false, false], base_W: [7000, 0, 0, 0], need_Wh: 7000 }), battery()], delta_W: [-4000, 0, 0, 0], allowCrossCharge: true }, free = await schedulePoint(allowed)
  t.same(free.shortfall_W, flat(0), 'unless the program allows it')
})

t.test('CORE-073 the connection binds by name, in both directions; what cannot be had is said and not scaled', async (t) => {
  const out = await schedulePoint(point([battery({ stored_Wh: 10_000, maxDischarge_W: 20_000, capacity_Wh: 80_000 })], { delta_W: [-9000, 0, 0, 0] }))
  t.same(out.bindingConstraints, ['export limit: 5000 W'])
  t.ok(out.net_W[0]! >= -5000)
  const into = await schedulePoint(point([battery({ stored_Wh: 2000, maxCharge_W: 20_000, capacity_Wh: 80_000 })], { delta_W: [12_000, 0, 0, 0] }))
  t.same(into.bindingConstraints, ['import limit: 10000 W'])
  const late = await schedulePoint(point([car({ need_Wh: 50_000 })], { delta_W: [-5000, 0, 0, 0] }))
  t.ok(late.unmet_Wh['car']! > 20_000, 'a car that cannot make its departure')
  t.same(late.load_W.get('car')![0], 7000, 'is not curtailed for it (CORE-031)')
  t.match(await schedulePoint(point([car()], { others_W: flat(20_000) })), { solver: 'none', flags: ['INFEASIBLE'] }, 'a connection that is over its limit without us')
})

t.test('CORE-074 the customer\'s order and never-use windows hold over the horizon; reserve and comfort too', async (t) => {
  const both = point([battery(), pump], { delta_W: [-1500, 0, 0, 0] })
  const first = async (preference: readonly string[]) => {
    const plan = await schedulePoint({ ...both, preference })
    return [plan.load_W.get('battery')![0]! < 0, plan.load_W.get('pump')![0]! < 2000]
  }
  t.same(await first(['battery', 'pump']), [true, false])
  t.same(await first(['pump', 'battery']), [false, true])
  const quiet = { ...both, neverUse: { battery: [true, false, false, false], pump: [true, true, true, true] } }, plan = await schedulePoint(quiet)
  t.same(proveSchedule(quiet, plan), [])
  t.ok(plan.shortfall_W[0]! > 1490)
  t.same(plan.bindingConstraints, ['never-use window of battery', 'never-use window of pump'])
  const long = point([battery(), pump], { delta_W: flat(-4000) }), deep = await schedulePoint(long)
  t.same(proveSchedule(long, deep), [])
  t.ok(deep.shortfall_W.some((w) => w > 0), '6 kWh above the reserve and 3 kWh of comfort are not 16 kWh')
  t.ok(-energy(deep.load_W.get('battery')!.map((w) => Math.min(0, w))) <= 6000 + 4)
})

t.test('CORE-208 random homes: whatever the solver says, the independent look finds nothing wrong', async (t) => {
  const arbitrary: fc.Arbitrary<PointInput> = fc.record({
    others: fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 4, maxLength: 4 }), delta: fc.array(fc.integer({ min: -8000, max: 8000 }), { minLength: 4, maxLength: 4 }), need: fc.integer({ min: 0, max: 20_000 }),
    stored: fc.integer({ min: 2000, max: 10_000 }), sun: fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 4, maxLength: 4 }), comfort: fc.integer({ min: 0, max: 8000 }), cross: fc.boolean(), efficiency: fc.constantFrom(0.85, 1),
  }).map((r) => point([car({ need_Wh: r.need, base_W: flat(0) }), battery({ stored_Wh: r.stored, efficiency: r.efficiency }), { id: 'sun', kind: 'solar', forecast_W: r.sun }, { ...pump, comfort_Wh: r.comfort } as PointDevice], { others_W: r.others, delta_W: r.delta, importLimit_W: 15_000, exportLimit_W: 6000, allowCrossCharge: r.cross }))
  for (const input of fc.sample(arbitrary, { numRuns: 12, seed: 73 })) {
    const plan = await schedulePoint(input), wrong = proveSchedule(input, plan)
    if (plan.solver !== 'highs' || wrong.length > 0) return t.fail(`${plan.flags.join()} ${wrong.join('; ')}: ${JSON.stringify(input)}`)
  }
  t.pass('12 homes')
})

t.test('CORE-206 the solver is out of time: everybody is left alone, and the plan says so; what cannot be an input is refused', async (t) => {
  const input = point([car(), battery()], { delta_W: flat(-1000) })
  t.match(await schedulePoint(input, 1), { solver: 'none', flags: ['SOLVER_TIMEOUT'] })
  t.match(await schedulePoint(point([battery({ reserve_Wh: 9000 })])).catch((e: unknown) => e), { kind: 'invalid' })
  t.match(await schedulePoint(point([battery()], { others_W: [1] })).catch((e: unknown) => e), { kind: 'invalid' })
  t.match(await schedulePoint(point([battery(), battery()])).catch((e: unknown) => e), { kind: 'invalid' })
})
