import * as fc from 'fast-check'
import t from 'tap'
import { availabilityOfState } from '#core/availability/from-state.js'
import { barredBy } from '#core/dispatch/bars.js'
import { compare, type Measured } from '#core/dispatch/control.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import { forecast } from '#core/dispatch/forecast.js'
import { leastSum, stretches } from '#core/dispatch/gap.js'
import { z95 } from '#core/dispatch/over-subscribe.js'
import { plan, type PlanInput, type PlanResource } from '#core/dispatch/plan.js'
import { planOf } from '#core/dispatch/plan-record.js'
import { violation } from '#core/dispatch/protection.js'
import { rampStarts, rebound } from '#core/dispatch/rebound.js'
import { counted, ratesOf, type ResponseHistory } from '#core/dispatch/response.js'
import { caller, end, protocols, scene, start, until } from '#core/dispatch/test-scene.js'
import { optIn, optOut } from '#core/opt-out/opt-out.js'
import { createAggregation } from '#core/program/manage-assets.js'
import type { Program } from '#core/program/program.js'
import type { ReadingInput } from '#core/reading/reading.js'

t.setTimeout(240_000)

const program = (rules: Record<string, unknown> = {}, change: Partial<Program> = {}): Program => ({ id: 'p', tenant: 't', limits: {}, rules, timeZone: 'America/Denver', direction: 'both', intervalMinutes: 15, energyPrice: '0.50', ...change }) as unknown as Program
const resource = (n: number, change: Partial<PlanResource> & { kind?: string; avail?: number; expected?: number; constraints?: object; point?: string; cost?: string } = {}): PlanResource => {
  const { kind = 'building', avail = 1000, expected = 5000, constraints = {}, point = `s${n}`, cost = '0', ...rest } = change
  return {
    resource: { id: `r${String(n).padStart(3, '0')}`, name: `r${n}`, kind, rated_W: 10_000, cost, minBlock_W: 0, bindings: [{ protocol: 'ocpp', remoteId: `${n}`, control: true }], constraints, state: 'active', servicePoint: point } as unknown as PlanResource['resource'],
    path: [], importLimit_W: null, exportLimit_W: null, dispatches: 0, promised: [],
    beliefs: [{ resource: '', start: start - 900, end: end + 900, down_W: avail, up_W: avail, expected_W: expected, source: '', issuedAt: 0 }], ...rest,
  }
}
const make = (resources: readonly PlanResource[], change: Partial<PlanInput['order']> = {}, of = program(), caps_W: Record<string, number> = {}) =>
  plan({ program: of, order: { delta_W: -1000, start, end, mode: 'merit', priority: 50, ...change }, resources, caps_W, now: start - 3600 })
const sharesOf = (p: ReturnType<typeof make>): Record<string, number> => Object.fromEntries(p.shares.map((s) => [s.allotment.resource, s.allotment.delta_W]))

t.test('CORE-066 more devices than the order needs, until the 95 % bound reaches it; expected and lower bound are known before the event', async (t) => {
  const fleet = Array.from({ length: 100 }, (_, i) => resource(i, { p: 0.8 })), made = make(fleet, { delta_W: -20_000, overSubscribe: true })
  const n = made.shares.length, lower = 800 * n - z95 * Math.sqrt(n * 1e6 * 0.16), before = 800 * (n - 1) - z95 * Math.sqrt((n - 1) * 1e6 * 0.16)
  t.ok(lower >= 20_000 && before < 20_000, `${n} devices, no more than needed`)
  t.match(made, { allocated_W: -20_000, shortfall_W: 0, response: { nominal_W: n * 1000, over_W: n * 1000 - 20_000, expected_W: 800 * n, lower_W: Math.floor(lower) } }, 'CORE-072 what is beyond the order is kept apart')
  const short = make(fleet.slice(0, 20), { delta_W: -20_000, overSubscribe: true })
  t.equal(short.shortfall_W, 20_000 - short.response.lower_W, 'against the lower bound, before the event')
  t.match(short.bindingConstraints.join(), /expected response/)
  t.match(make(fleet, { delta_W: -20_000 }), { response: { nominal_W: 20_000, over_W: 0, expected_W: 16_000 } }, 'not asked: only told')
  const share = make(fleet, { delta_W: -20_000, overSubscribe: true, mode: 'proportional' })
  t.ok(share.response.lower_W >= 20_000 && share.response.nominal_W < 30_000, 'proportional: everybody a little more')
})

t.test('CORE-036, CORE-039 response rates by device, kind and hour; the participation curve holds for the unknown', async (t) => {
  const d = (id: string, state: string, kind = 'battery'): Delivery => ({ resource: id, state, attempts: 1, order: { resource: { kind } } }) as unknown as Delivery
  const none: ResponseHistory = { events: [], byResource: {}, byClass: {} }
  const one = counted(none, { id: 'd1', start }, [d('a', 'completed'), d('b', 'noComms'), d('c', 'cancelled')])
  t.same(one, { events: [{ dispatch: 'd1', start, asked: 2, responded: 1 }], byResource: { a: [1, 1], b: [0, 1] }, byClass: { battery: [1, 2], 'battery/22': [1, 2] } })
  t.equal(counted(one, { id: 'd1', start }, [d('a', 'completed')]), one, 'an event counts once')
  const rates = ratesOf(one, program(), start)
  t.same([rates.p('a', 'battery'), rates.p('b', 'battery'), rates.p('z', 'battery'), rates.p('z', 'evse')], [2 / 3, 1 / 3, 2 / 4, 1 / 2])
  t.equal(ratesOf(one, program({ responseRates: { evse: 0.9 } }), start).p('z', 'evse'), 0.9)
  const tired = ratesOf({ ...one, events: [{ dispatch: '1', start, asked: 10, responded: 8 }, { dispatch: '2', start, asked: 10, responded: 4 }] }, program(), start)
  t.equal(Math.round(tired.p('z', 'battery') * 1000), 200, '0.8, 0.4, then 0.2')
  t.equal(tired.p('a', 'battery'), 2 / 3, 'who is known is judged by himself')
})

t.test('CORE-069 each target is met inside its subtree; what a subtree lacks is named, not made up elsewhere', async (t) => {
  const fleet = Array.from({ length: 9 }, (_, i) => resource(i, { path: [`F${i % 3}`] }))
  const made = make(fleet, { delta_W: -6000, targets_W: { F1: 2500, F2: 500 } }), below = (f: string) => made.shares.filter((s) => s.of.path.includes(f)).reduce((sum, s) => sum - s.allotment.delta_W, 0)
  t.ok(below('F1') >= 2500 && below('F2') >= 500)
  t.equal(made.allocated_W, -6000)
  const short = make(fleet, { delta_W: -6000, targets_W: { F1: 4000 } })
  t.match(short, { allocated_W: -5000, shortfall_W: 1000 })
  t.match(short.warnings.join(), /1000 W of the target of F1 cannot be met below it/)
  t.throws(() => make(fleet, { delta_W: -6000, targets_W: { F1: 4000, F2: 4000 } }), /add up to more than the order/)
  t.throws(() => make(fleet.map((r) => ({ ...r, path: [...r.path, 'S'] })), { delta_W: -6000, targets_W: { F1: 1, S: 1 } }), /inside another/)
})

t.test('CORE-073 one connection: export and import limits hold for the sum; a battery does not feed a car on purpose', async (t) => {
  const point = (limits: Partial<PlanResource>) => [
    resource(0, { ...limits, kind: 'ev', point: 's', expected: 7000, avail: 3000, cost: '1' }), resource(1, { ...limits, kind: 'battery', point: 's', expected: 0, avail: 5000 }),
    resource(2, { ...limits, kind: 'heatPump', point: 's', expected: 2000, avail: 1000, cost: '2' }), resource(3, { ...limits, kind: 'solar', point: 's', expected: -4000, avail: 0 }),
  ]
  const free = make(point({ exportLimit_W: 1000 }), { delta_W: -20_000 }, program({ allowCrossCharge: true }))
  t.equal(free.allocated_W, -6000, '5 kW are drawn, 1 kW may be fed in')
  t.match(free.bindingConstraints.join(), /cap of connection s: 6000 W/)
  const kept = make(point({ exportLimit_W: null }), { delta_W: -20_000 })
  t.match(sharesOf(kept), { r000: -3000, r002: -1000 })
  t.notOk(sharesOf(kept)['r001'], 'all of its power would go into the car')
  t.equal(sharesOf(make(point({}), { delta_W: -20_000 }, program({ allowCrossCharge: true })))['r001'], -5000)
  t.equal(make(point({ importLimit_W: 8000 }), { delta_W: 20_000 }).allocated_W, 3000, '5 kW are drawn, 8 kW may be')
  fc.assert(fc.property(fc.array(fc.record({ kind: fc.constantFrom('ev', 'battery', 'heatPump', 'solar'), expected: fc.integer({ min: 0, max: 9000 }), avail: fc.integer({ min: 0, max: 9000 }), point: fc.constantFrom('a', 'b') }), { maxLength: 10 }), fc.integer({ min: 1, max: 60_000 }), fc.integer({ min: 0, max: 9000 }), fc.boolean(), fc.constantFrom('merit' as const, 'proportional' as const, 'rotation' as const), (list, target, limit, down, mode) => {
    const fleet = list.map((r, i) => resource(i, { ...r, expected: r.kind === 'solar' ? -r.expected : r.expected, importLimit_W: 20_000 + limit, exportLimit_W: limit }))
    const made = make(fleet, { delta_W: down ? -target : target, mode })
    return made.unproven.length === 0 && ['a', 'b'].every((p) => {
      const base = fleet.reduce((sum, r, i) => (list[i]!.point === p ? sum + r.beliefs[0]!.expected_W! : sum), 0), change = made.shares.reduce((sum, s) => (s.of.resource.servicePoint === p ? sum + s.allotment.delta_W : sum), 0)
      return change === 0 || (down ? base + change >= -limit : base + change <= 20_000 + limit)
    })
  }), { numRuns: 300 })
})

t.test('CORE-060, CORE-074, CORE-210 customer preferences and freshness are hard filters, each with its reason', async (t) => {
  const why = (constraints: object, change: Partial<PlanResource> = {}, of = program()) => barredBy(resource(0, { constraints, ...change }), { program: of, order: { delta_W: -1, start, end, mode: 'merit', priority: 50 }, resources: [], caps_W: {}, now: start - 3600 })
  t.same(why({}), [])
  t.same(why({ neverUse: [{ from: '17:30', to: '19:00' }] }), ['neverUseWindow'], '16:00 to 18:00 local')
  t.same(why({ neverUse: [{ from: '18:00', to: '06:00' }] }), [], 'half-open')
  t.same(why({ neverUse: [{ from: '22:00', to: '16:01', weekdays: [2] }] }), ['neverUseWindow'], 'the night from Tuesday')
  t.same(why({ maxCallsPerWeek: 2 }, { calls: [{ start: start - 86_400, end: start - 80_000 }, { start: start - 2 * 86_400, end: start - 2 * 86_400 + 1 }] }), ['callsAWeek'])
  t.same(why({ minimumPrice: '0.51' }), ['belowMinimumPrice'])
  t.same(why({ rest_s: 7200, medical: true, minNotice_s: 9000, maxCalls: 1 }, { dispatches: 1, calls: [{ start: start - 7200, end: start - 3600 }] }), ['medical', 'noticeTooShort', 'noCallsLeft', 'restTime'], 'all at once')
  const telemetry = program({ telemetry: { reporting_s: 900 } })
  t.same([why({}, { lastSeen: start - 3600 - 1800 }, telemetry), why({}, { lastSeen: start - 3600 - 9000 }, telemetry), why({}, {}, telemetry)], [[], ['commsLost'], ['commsLost']], 'stale is asked by statistics, lost is not asked')
})

t.test('CORE-031, CORE-032, CORE-033, CORE-034, CORE-206 what a device says of its state, then last week, then the last belief, then its rating', async (t) => {
  const window = { start: 0, end: 7200 }
  t.same(availabilityOfState('battery', 5000, { soc: 0.6, reserve: 0.2, capacity_kWh: 10, effDis: 0.9, maxDischarge_kW: 5 }, window, 'down'), { avail_W: 1800, expected_W: 0 })
  t.same(availabilityOfState('evse', 7000, { soc: 0.5, socTarget: 0.8, capacity_kWh: 20, departure: 36_000 }, window, 'down'), { avail_W: 3000, expected_W: 3000 })
  t.same(availabilityOfState('heatPump', 4000, { duty: 0.5, temperature: 20, limit: 19, drift_per_h: -1 }, window, 'down'), { avail_W: 1000, expected_W: 2000 })
  t.same([availabilityOfState('solar', 5000, { forecastExport_kW: 3 }, window, 'down'), availabilityOfState('solar', 5000, { forecastExport_kW: 3 }, window, 'up')], [{ avail_W: 0, expected_W: -3000 }, { avail_W: 3000, expected_W: -3000 }])
  t.equal(availabilityOfState('battery', 5000, {}, window, 'down'), undefined)
  const belief = (from: number, to: number, down_W: number, issuedAt = 0) => ({ resource: '', start: from, end: to, down_W, up_W: 0, expected_W: 9, source: '', issuedAt }), at = { start: 700_000, end: 707_200 }
  t.match(forecast({ kind: 'battery', rated_W: 5000, constraints: { state: { soc: 0.6, reserve: 0.2, capacity_kWh: 10 } } }, [], at, 'down'), { avail_W: 2000, source: 'state' })
  t.match(forecast({ kind: 'building', rated_W: 50 }, [belief(90_000, 110_000, 7)], at, 'down'), { avail_W: 7, source: 'likeDay', expected: [{ ...at, expected_W: 9 }] })
  t.match(forecast({ kind: 'building', rated_W: 50 }, [belief(90_000, 100_000, 7)], at, 'down'), { source: 'persisted' }, 'a like day has to cover the window')
  t.match(forecast({ kind: 'building', rated_W: 50 }, [belief(0, 1e6, 7), belief(702_000, 703_000, 3, 5), belief(702_500, 702_600, 1, 4)], at, 'down'), { avail_W: 3, source: 'believed' }, 'CORE-030 the newest belief counts, an older one below it does not')
})

t.test('CORE-071 starts are spread so that the portfolio changes by no more than the ramp in a minute', async (t) => {
  const made = make(Array.from({ length: 10 }, (_, i) => resource(i)), { delta_W: -10_000 }, program({ ramp_kW_per_min: 3 }))
  const perMinute = new Map<number, number>()
  for (const s of made.shares) perMinute.set(s.intervals[0]!.start, (perMinute.get(s.intervals[0]!.start) ?? 0) - s.allotment.delta_W)
  t.same([...perMinute], [[start, 3000], [start + 60, 3000], [start + 120, 3000], [start + 180, 1000]])
  t.equal(made.spread_s, 180)
  t.same(rampStarts([{ id: 'a', power_W: 9 }, { id: 'b', power_W: 1 }], 3).tooLarge, ['a'])
  t.equal(rampStarts([{ id: 'a', power_W: 9 }, { id: 'b', power_W: 1 }], 3).late_s.get('b'), 180, 'three minutes of ramp are used up')
  const instructed = made.shares.map((s) => ({ order: { start: s.intervals[0]!.start, end, intervals: s.intervals } as unknown as Delivery['order'] }))
  t.equal(leastSum(instructed, { start, end }, made.spread_s), 10_000, 'waiting for the ramp is no gap')
  t.same(stretches(instructed, { start, end }).map((s) => s.have_W), [3000, 6000, 9000, 10_000])
})

t.test('CORE-080, CORE-081, CORE-082 the plan shows the load after the event and lets go in waves, another one first each time', async (t) => {
  const members = Array.from({ length: 10 }, (_, i) => ({ id: `r${i}`, kind: 'heatPump', path: ['F'], delta_W: -1000, expected_W: 2000 })), window = { start, end: start + 3600 }
  t.match(rebound(members, window, { F: 9000 }, undefined, 0), { energy_Wh: 8000, power_W: 8000, before_W: 20_000, after_W: 28_000, passes: [], waves: 1 })
  const found = rebound(members, window, { F: 4000 }, undefined, 0)
  t.match(found, { passes: [{ node: 'F', rebound_W: 8000, limit_W: 4000 }] })
  for (let m = 0; m < 300; m += 5) t.ok(members.filter((x) => { const at = (found.releaseAfter_s.get(x.id) ?? 0) / 60; return m >= at && m < at + 60 }).length * 800 <= 4000, `minute ${m}`)
  const next = rebound(members, window, { F: 4000 }, undefined, 1)
  t.not([...found.releaseAfter_s].find(([, s]) => s === 0)![0], [...next.releaseAfter_s].find(([, s]) => s === 0)![0])
  const made = make(Array.from({ length: 4 }, (_, i) => resource(i, { kind: 'heatPump', path: ['F'] })), { delta_W: -4000, end: start + 3600 }, program({ rebound: { limitPerWave_kW: 1.6, waveMinutes: 30, recoveryMinutes: 60 } }))
  t.same(made.shares.map((s) => s.intervals.at(-1)!.end - start - 3600).sort((a, b) => a - b), [0, 1800, 3600, 5400])
  t.match(made.rebound, { waves: 4, power_W: 3200 })
})

t.test('CORE-070, CORE-210, REL-063 the measured portfolio against its target: fresh is measured, stale estimated, lost counts nothing; never an increase on stale data', async (t) => {
  const now = start + 3600, m = (id: string, age_s: number | undefined, load_W = 0): Measured => ({ id, asked_W: -1000, reference_W: 3000, period_s: 900, p: 0.5, latest: age_s === undefined ? undefined : { end: now - age_s, load_W } })
  const found = compare([m('a', 0, 2000), m('b', 900, 2400), m('c', 1800, 3000), m('d', 9000, 3000), m('e', undefined)], { start, now, sign: -1 }, 0.05)
  t.match(found, { target_W: 5000, measured_W: 1000 + 600 + 1000, estimated_W: 1000, fresh: ['a', 'b'], stale: ['c', 'e'], lost: ['d'], behind_W: 400, beyond: true })
  t.match(compare([m('a', 0, 2040)], { start, now, sign: -1 }, 0.05), { behind_W: 40, beyond: false }, 'within 5 %')
  t.match(compare([m('c', 1800, 9000), m('d', 20_000, 9000)], { start, now, sign: -1 }, 0.05), { behind_W: 0, beyond: false })
  t.match(compare([{ ...m('a', 0, 3000), latest: { end: start + 300, load_W: 3000 } }], { start, now: start + 300, sign: -1 }, 0.05), { fresh: [], beyond: false }, 'an interval that began before the event says nothing')
  fc.assert(fc.property(fc.array(fc.record({ age: fc.integer({ min: 1800, max: 90_000 }), load: fc.integer({ min: 0, max: 9000 }) })), (list) => !compare(list.map((x, i) => m(`${i}`, x.age, x.load)), { start, now, sign: -1 }, 0.05).beyond))
})

t.test('CORE-208 reserve, departure and comfort in the second look', async (t) => {
  const look = (state: object, delta_W: number, setpoint_W: number) => violation([{ start, end, delta_W, expected_W: 0, setpoint_W, limitImport_W: null }], { resource: { rated_W: 10_000, constraints: { state } }, importLimit_W: null, exportLimit_W: null }, start)
  t.match(look({ soc: 0.5, reserve: 0.4, capacity_kWh: 10 }, -1000, -1000), /1000 Wh are above the reserve/)
  t.equal(look({ soc: 0.6, reserve: 0.4, capacity_kWh: 10 }, -1000, -1000), undefined)
  t.match(look({ soc: 0.2, socTarget: 0.8, capacity_kWh: 50, max_kW: 10, departure: start + 4 * 3600 }, -9000, 0), /departure/)
  t.match(look({ temperature: 25, limit: 24, drift_per_h: 1 }, -1000, 0), /the limit is 24/)
})

const history = (points: readonly string[], load_kW: (at: number, i: number) => number, from: number, to: number): ReadingInput[] => points.flatMap((servicePoint, i) => {
  const rows: ReadingInput[] = []
  for (let at = from; at < to; at += 900) rows.push({ servicePoint, channel: 'import', start: at, minutes: 15, Wh: Math.round(load_kW(at, i) * 250), quality: 'VALID', source: 'import:test' })
  return rows
})

t.test('CORE-070, REL-063 while active: two steps beyond 5 % call in others, once; lost telemetry releases and increases nothing', async (t) => {
  const { database, core, clock, tenant, me, order, lines, deliveries } = await scene(t, { points: 6 })
  core.timetable.start()
  const issued = await order({ delta_W: -30_000 })
  if (issued.outcome !== 'issued') return t.fail('not issued')
  await core.timetable.settled()
  const points = [...new Set(protocols.flatMap((p) => lines[p].sent).map((o) => o.resource.servicePoint))]
  await core.readings.record(me, history(points, () => 12, start - 7200, start))
  await until(core, clock, start)
  // the first obeys, the second gives half, the third is silent from now on
  const during = (from: number, to: number) => core.readings.record(me, history(points.slice(0, 2), (_, i) => (i === 0 ? 2 : 7), from, to))
  await during(start, start + 900)
  await until(core, clock, start + 900)
  t.match((await planOf(database.stores, tenant, issued.dispatch.id))?.control, { beyond: 1, fresh: 2, stale: 1, target_W: 30_000 })
  t.equal((await deliveries(issued.dispatch.id)).length, 3, 'one step is not enough')
  await during(start + 900, start + 1800)
  await until(core, clock, start + 1800)
  await until(core, clock, start + 1803)
  t.match(await planOf(database.stores, tenant, issued.dispatch.id), { compensation_W: 5000, control: { beyond: 0 } })
  const now = await deliveries(issued.dispatch.id)
  t.equal(now.length, 4)
  t.match(now.filter((d) => d.order.revision === 2).map((d) => d.order.intervals[0]!.delta_W), [-5000], 'what the fresh ones lack, from one that was not used')
  t.match(await database.stores.dispatches.get(tenant, issued.dispatch.id), { allocated_W: -30_000, shortfall_W: 0 }, 'CORE-072 the order stays what it is')
  // now everything falls silent: statistics, then release; nobody is asked for more
  for (let step = 3; step <= 7; step++) await until(core, clock, start + step * 900)
  t.equal((await deliveries(issued.dispatch.id)).length, 4, 'no increase on stale data')
  await core.timetable.stop()
})

t.test('REL-063 a point that has not been heard for ten periods is released to its safe state', async (t) => {
  const { database, core, clock, tenant, me, order, lines, deliveries } = await scene(t, { points: 2, program: { intervalMinutes: 5 } })
  core.timetable.start()
  const issued = await order({ delta_W: -20_000 })
  if (issued.outcome !== 'issued') return t.fail('not issued')
  await core.timetable.settled()
  const points = [...new Set(protocols.flatMap((p) => lines[p].sent).map((o) => o.resource.servicePoint))]
  const rows = (list: readonly string[], from: number, to: number) => core.readings.record(me, list.flatMap((servicePoint) => Array.from({ length: (to - from) / 300 }, (_, i): ReadingInput => ({ servicePoint, channel: 'import', start: from + i * 300, minutes: 5, Wh: 200, quality: 'VALID', source: 'import:test' }))))
  await rows(points, start - 3600, start)
  await rows(points.slice(0, 1), start, start + 3900)
  for (let at = start; at <= start + 3900; at += 300) await until(core, clock, at)
  t.same((await deliveries(issued.dispatch.id)).map((d) => [d.state, d.reason]).filter(([state]) => state === 'noComms'), [['noComms', 'its telemetry is lost']])
  t.match(await database.stores.dispatches.get(tenant, issued.dispatch.id), { shortfall_W: 10_000 })
  t.equal(protocols.flatMap((p) => lines[p].cancelled).length, 1)
})

t.test('CORE-110, CORE-111, CORE-112, CORE-114, REL-062 out during the event: released within one control step and replaced; back in: asked again, replacements go', async (t) => {
  const { database, core, clock, tenant, me, order, resources, lines, deliveries } = await scene(t, { points: 4 })
  core.timetable.start()
  const issued = await order({ delta_W: -30_000 })
  if (issued.outcome !== 'issued') return t.fail('not issued')
  await until(core, clock, start + 60)
  const out = resources.find((r) => issued.dispatch.allocation.some((a) => a.resource === r.id))!
  const said = await core.transact((w) => optOut(w, me, { resource: out.id, from: clock.now(), to: null, reason: 'override at the device', source: 'device' }))
  const told = protocols.flatMap((p) => lines[p].cancelled).length
  await core.timetable.settled()
  t.equal(protocols.flatMap((p) => lines[p].cancelled).length, told + 1, 'taken back at once')
  await until(core, clock, clock.now() + 2)
  t.match(await database.stores.dispatches.get(tenant, issued.dispatch.id), { allocated_W: -30_000, shortfall_W: 0, revision: 2 }, 'the fourth takes over')
  t.equal((await deliveries(issued.dispatch.id)).filter((d) => d.state === 'optedOut').length, 1)
  // one more goes, and nobody is left
  const other = (await deliveries(issued.dispatch.id)).find((d) => d.state === 'accepted' && d.order.revision === 1)!
  await core.happenings.happened([{ tenant, delivery: other.id, state: 'optedOut', at: clock.nowMs() }])
  await until(core, clock, clock.now() + 2)
  t.match(await database.stores.dispatches.get(tenant, issued.dispatch.id), { shortfall_W: 10_000 })
  await core.transact((w) => optIn(w, caller(tenant), said.id))
  await until(core, clock, clock.now() + 2)
  t.match(await database.stores.dispatches.get(tenant, issued.dispatch.id), { allocated_W: -30_000, shortfall_W: 0 })
  t.match((await deliveries(issued.dispatch.id)).filter((d) => d.resource === out.id).map((d) => d.state).sort(), ['accepted', 'cancelled'])
  // the other one comes back by itself: what replaced it is too much now
  await core.happenings.happened([{ tenant, delivery: other.id, state: 'optedIn', at: clock.nowMs() }])
  await until(core, clock, clock.now() + 2)
  const running = (await deliveries(issued.dispatch.id)).filter((d) => ['accepted', 'started', 'optedIn'].includes(d.state))
  t.equal(running.reduce((sum, d) => sum + d.order.intervals[0]!.delta_W, 0), -30_000, 'CORE-072 again the order, to the watt')
})

t.test('CORE-208 a limit that is set after planning blocks the instruction before it is told', async (t) => {
  const { database, core, clock, order, resources, lines, deliveries, tenant } = await scene(t, { points: 3 })
  const issued = await order({ delta_W: -10_000 })
  if (issued.outcome !== 'issued') return t.fail('not issued')
  const asked = resources.find((r) => r.id === issued.dispatch.allocation[0]!.resource)!
  await database.stores.resources.update({ ...(await database.stores.resources.get(tenant, asked.id))!, constraints: { medical: true } })
  core.timetable.start()
  await core.timetable.settled()
  t.equal(protocols.flatMap((p) => lines[p].sent).length, 0)
  await until(core, clock, clock.now() + 2)
  t.match((await deliveries(issued.dispatch.id)).map((d) => [d.state, d.reason]), [['cancelled', 'protected: a medical device is never dispatched'], ['accepted', null]])
})

t.test('CORE-066, CORE-069 through the door of the use case, and kept for the operator', async (t) => {
  const { database, core, tenant, me, order } = await scene(t, { points: 6, program: { rules: { overSubscribe: true, responseRates: { building: 0.9 } } } })
  await core.transact((w) => createAggregation(w, me, { name: 'F0', hierarchy: 'grid', parent: null, cap_W: null, members: [] }))
  const many = await order({ delta_W: -20_000 })
  if (many.outcome !== 'issued') return t.fail('not issued')
  t.match(await planOf(database.stores, tenant, many.dispatch.id), { overSubscribe: true, nominal_W: 40_000, over_W: 20_000, expected_W: 36_000 })
  t.match(many.dispatch, { allocated_W: -20_000 })
  const local = await order({ delta_W: -10_000, targets_W: { F0: 10_000 }, overSubscribe: false, start: end, end: end + 900 })
  if (local.outcome !== 'issued') return t.fail('not issued')
  t.ok(local.plan.shares.every((s) => s.of.path.includes('F0')))
})
