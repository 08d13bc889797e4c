import * as fc from 'fast-check'
import highsModule from 'highs'
import t from 'tap'
import { allocate, type AllocateInput, type Candidate } from '#core/dispatch/allocate.js'
import { guard, prove } from '#core/dispatch/guard.js'
import { freshness, hardFilter, type FilterFacts } from '#core/dispatch/hard-filter.js'
import { allocateOptimal } from '#core/dispatch/optimal.js'
import { lpText } from '#core/dispatch/optimal-model.js'
import { overSubscribe, ResponseBound } from '#core/dispatch/over-subscribe.js'
import { absoluteLimit, toStep } from '#core/dispatch/setpoint.js'
import { releaseWaves, snapback, stagger } from '#core/dispatch/stagger.js'
import { activePowerLimit, ampereLimit, deliveringPositive } from '#core/quantity/conversion.js'
import { byteOrder } from '#core/quantity/order.js'

/** A tree of caps (substation over feeders over transformers) and resources below it. */
const tree = (minimum: boolean): fc.Arbitrary<AllocateInput> => fc.record({
  target_W: fc.integer({ min: 0, max: 60_000 }),
  feederCaps: fc.array(fc.integer({ min: 0, max: 15_000 }), { minLength: 3, maxLength: 3 }),
  rootCap: fc.integer({ min: 0, max: 40_000 }),
  assets: fc.array(fc.record({
    cost: fc.integer({ min: 0, max: 30 }), avail_W: fc.integer({ min: 0, max: 6000 }), feeder: fc.integer({ min: 0, max: 3 }), dispatches: fc.integer({ min: 0, max: 5 }),
    min_W: minimum ? fc.integer({ min: 0, max: 3000 }) : fc.constant(0),
  }), { minLength: 1, maxLength: 25 }),
}).map(({ target_W, feederCaps, rootCap, assets }) => ({
  target_W, caps_W: { root: rootCap, f0: feederCaps[0]!, f1: feederCaps[1]!, f2: feederCaps[2]! },
  candidates: assets.map((a, i) => ({ id: `r${i}`, cost: String(a.cost), avail_W: a.avail_W, dispatches: a.dispatches, min_W: a.min_W, path: a.feeder === 3 ? ['root'] : [`f${a.feeder}`, 'root'] })),
}))

const modes = ['merit', 'proportional', 'rotation'] as const
const text = (input: AllocateInput): string => {
  const a = allocate(input)
  return JSON.stringify({ ...a, allocation: [...a.allocation] })
}

t.test('CORE-061 CORE-067 CORE-068 CORE-072 conservation: sums, caps and limits hold in every mode, and what binds is named', async (t) => {
  for (const mode of modes) {
    fc.assert(fc.property(tree(mode === 'merit'), (input) => {
      const a = allocate({ ...input, mode })
      t.same(prove(a, input), [])
      return a.mode === mode && a.allocated_W + a.shortfall_W === input.target_W && (a.shortfall_W === 0 || a.bindingConstraints.length > 0)
    }), { numRuns: 150 })
  }
})

t.test('CORE-008 permutation of the candidates gives byte-equal results', async () => {
  for (const mode of modes) {
    fc.assert(fc.property(tree(true), fc.integer(), (input, seed) => {
      const shuffled = [...input.candidates].map((c, i) => ({ c, key: Math.imul(i + 1, seed | 1) })).sort((a, b) => a.key - b.key).map(({ c }) => c)
      return text({ ...input, mode }) === text({ ...input, mode, candidates: shuffled })
    }), { numRuns: 80 })
  }
})

t.test('§17.2 monotony: more availability never more shortfall', async () => {
  for (const mode of modes) {
    fc.assert(fc.property(tree(false), fc.nat(), fc.integer({ min: 0, max: 5000 }), (input, which, more) => {
      const richer = input.candidates.map((c, i) => (i === which % input.candidates.length ? { ...c, avail_W: c.avail_W + more } : c))
      return allocate({ ...input, mode, candidates: richer }).shortfall_W <= allocate({ ...input, mode }).shortfall_W
    }), { numRuns: 120 })
  }
})

t.test('§17.3 CORE-062 greedy costs what the LP costs on 200 random trees', async (t) => {
  const highs = await (highsModule as unknown as typeof highsModule.default)()
  for (const input of fc.sample(tree(false), { numRuns: 200, seed: 42 })) {
    const a = allocate({ ...input, mode: 'merit' })
    const cost = new Map(input.candidates.map((c) => [c.id, Number(c.cost)]))
    const penalty = 1000 * (1 + Math.max(...cost.values()))
    const greedy = [...a.allocation].reduce((sum, [id, w]) => sum + w * cost.get(id)!, 0)
    const lp = highs.solve(lpText({ targets_W: [input.target_W], hours: [1], caps_W: input.caps_W, candidates: input.candidates }), { output_flag: false })
    // the shortfall apart from the cost: at a penalty of thousands a watt would hide it
    const short = (lp.Columns as Readonly<Record<string, { Primal?: number }>>)['s0']?.Primal ?? 0
    if (Math.abs(short - a.shortfall_W) > 1e-6 || Math.abs(lp.ObjectiveValue - penalty * short - greedy) > 1e-6) return t.fail(`${greedy} is not ${lp.ObjectiveValue}: ${JSON.stringify(input)}`)
  }
  t.pass('200 trees')
})

t.test('CORE-062 minimum blocks: taken whole within the over-delivery that is allowed, else skipped and named', async (t) => {
  const candidates: Candidate[] = [{ id: 'a', cost: '1', avail_W: 3000 }, { id: 'b', cost: '2', avail_W: 5000, min_W: 4000 }]
  const without = allocate({ target_W: 5000, candidates })
  t.match(without, { allocated_W: 3000, shortfall_W: 2000, bindingConstraints: [{ kind: 'minBlock', id: 'b', min_W: 4000 }], skipped: [{ id: 'b', reason: 'MIN_BLOCK' }] })
  const over = allocate({ target_W: 5000, candidates, maxOverDelivery_W: 2000 })
  t.same([...over.allocation], [['a', 3000], ['b', 4000]])
  t.match(over, { allocated_W: 7000, shortfall_W: 0 })
})

t.test('CORE-074 the customer\'s own order among the devices of one connection holds, and nobody else gains or loses a place', async (t) => {
  const list: Candidate[] = [
    { id: 'a', avail_W: 1000, cost: '1', point: 'home', preference: 2 }, { id: 'b', avail_W: 1000, cost: '2', point: 'other' }, { id: 'c', avail_W: 1000, cost: '3', point: 'home', preference: 1 },
    { id: 'd', avail_W: 1000, cost: '4', point: 'home' }, { id: 'e', avail_W: 1000, cost: '5', point: 'other' },
  ]
  const asked = (target_W: number, mode: 'merit' | 'rotation' = 'merit'): string => [...allocate({ mode, target_W, candidates: list }).allocation.keys()].join('')
  t.same([asked(1000), asked(2000), asked(3000), asked(4000), asked(5000)], ['c', 'cb', 'cba', 'cbad', 'cbade'], 'c takes the place that a has by its price')
  t.same(asked(2000, 'rotation'), 'cb')
  const free = list.map(({ preference: _p, ...c }) => c)
  t.equal([...allocate({ target_W: 3000, candidates: free }).allocation.keys()].join(''), 'abc', 'without preferences the price decides')
  fc.assert(fc.property(fc.shuffledSubarray(list, { minLength: 5 }), (shuffled) => [...allocate({ target_W: 3000, candidates: shuffled }).allocation.keys()].join('') === 'cba'))
})

t.test('CORE-067 shortfall names caps and availability', async (t) => {
  const candidates: Candidate[] = [{ id: 'a', avail_W: 4000, path: ['f1'] }, { id: 'b', avail_W: 1000 }]
  t.match(allocate({ target_W: 9000, caps_W: { f1: 2500 }, candidates }).bindingConstraints, [{ kind: 'cap', node: 'f1', limit_W: 2500 }, { kind: 'availability', available_W: 5000 }])
  t.match(allocate({ target_W: 100, candidates: [] }), { shortfall_W: 100, bindingConstraints: [{ kind: 'availability', available_W: 0 }] })
  t.throws(() => allocate({ target_W: -1, candidates }), /whole watts/)
  t.throws(() => allocate({ target_W: 1, candidates: [candidates[0]!, candidates[0]!] }), /twice/)
})

t.test('CORE-063 proportional: floors, largest remainder, ties by id; capped groups freeze and the others take the rest', async (t) => {
  const one = allocate({ mode: 'proportional', target_W: 1000, candidates: ['c', 'b', 'a'].map((id) => ({ id, avail_W: 3000 })) })
  t.same([...one.allocation], [['a', 334], ['b', 333], ['c', 333]])
  const capped = allocate({ mode: 'proportional', target_W: 9000, caps_W: { f: 1000 }, candidates: [{ id: 'a', avail_W: 5000, path: ['f'] }, { id: 'b', avail_W: 5000, path: ['f'] }, { id: 'c', avail_W: 9000 }] })
  t.same([...capped.allocation], [['a', 500], ['b', 500], ['c', 8000]])
  const huge = allocate({ mode: 'proportional', target_W: 3_000_000_007, candidates: [{ id: 'a', avail_W: 4_000_000_000 }, { id: 'b', avail_W: 4_000_000_001 }] })
  t.equal([...huge.allocation.values()].reduce((x, y) => x + y, 0), 3_000_000_007, 'exact beyond 2^53')
})

t.test('CORE-064 rotation: over a season the calls of equal resources differ by at most one', async (t) => {
  let fleet: Candidate[] = Array.from({ length: 7 }, (_, i) => ({ id: `r${i}`, avail_W: 1000, dispatches: 0 }))
  for (let event = 0; event < 40; event++) {
    const a = allocate({ mode: 'rotation', target_W: 3000, candidates: fleet })
    fleet = fleet.map((c) => (a.allocation.has(c.id) ? { ...c, dispatches: c.dispatches! + 1, lastDispatchAt: event } : c))
  }
  const calls = fleet.map((c) => c.dispatches!)
  t.ok(Math.max(...calls) - Math.min(...calls) <= 1, calls.join(' '))
  const grouped = allocate({ mode: 'rotation', target_W: 2000, candidates: [{ id: 'a', avail_W: 1000, group: 'g1', dispatches: 2 }, { id: 'b', avail_W: 1000, group: 'g2' }, { id: 'c', avail_W: 1000, group: 'g2', dispatches: 1 }] })
  t.same([...grouped.allocation.keys()], ['b', 'c'], 'the group with fewer calls goes first, whole')
})

t.test('CORE-065 optimal: energy, ramps and caps over all intervals from a worker; merit with SOLVER_TIMEOUT when time is out', async (t) => {
  const input = { targets_W: [1000, 1000, 1000, 1000], hours: [1, 1, 1, 1], caps_W: { f: 900 }, candidates: [{ id: 'cheap', cost: '1', avail_W: 1000, energy_Wh: 2000, path: ['f'] }, { id: 'dear', cost: '5', avail_W: 600, ramp_W: 100 }] }
  const a = await allocateOptimal(input)
  t.match(a, { mode: 'optimal', solver: 'highs', flags: [] })
  const cheap = a.allocation.get('cheap')!.reduce((x, y) => x + y, 0)
  t.ok(cheap <= 2000 && cheap > 1996, 'the battery is used up, but for what whole watts leave over')
  const dear = a.allocation.get('dear')!
  dear.forEach((w, i) => t.ok(i === 0 || Math.abs(w - dear[i - 1]!) <= 100, 'ramp'))
  input.targets_W.forEach((target, i) => t.equal((a.allocation.get('cheap')![i] ?? 0) + dear[i]! + a.shortfall_W[i]!, target))
  const short = await allocateOptimal({ ...input, candidates: [input.candidates[0]!, { id: 'dear', cost: '5', avail_W: 400 }] })
  t.equal(short.shortfall_W.reduce((x, y) => x + y, 0), 400)
  t.ok(short.bindingConstraints.some((b) => b.kind === 'energy' && b.id === 'cheap'), JSON.stringify(short.bindingConstraints))
  const late = await allocateOptimal(input, 1)
  t.match(late, { solver: 'greedy', flags: ['SOLVER_TIMEOUT'] })
  late.allocated_W.forEach((w, i) => t.equal(w + late.shortfall_W[i]!, 1000))
})

t.test('CORE-066 over-subscription stops at the lower bound, or says what it lacks', async (t) => {
  const enough = overSubscribe(200, Array.from({ length: 400 }, () => ({ power: 1, p: 0.8 })))
  t.equal(enough.chosen.length, 264)
  const short = overSubscribe(200, Array.from({ length: 100 }, () => ({ power: 1, p: 0.8 })))
  t.ok(short.chosen.length === 100 && short.shortfall > 120 && short.lower < 80)
  const sure = new ResponseBound()
  sure.add(5, 1)
  t.same(sure.get(), { expected: 5, lower: 5 })
})

const facts: FilterFacts = {
  id: 'r', active: true, optedOut: false, noticeSeconds: 600, callsLeft: 3, lastEventEnd: undefined, restSeconds: 3600, lastSeen: 1000, reportingSeconds: 300, departureFeasible: true, reserveKept: true, comfortKept: null,
}

t.test('CORE-060 CORE-074 CORE-210 hard filters give every reason at once', async (t) => {
  const event = { now: 1000, start: 2000 }
  t.same(hardFilter(facts, event), [])
  t.same(hardFilter({ ...facts, active: false, optedOut: true, noticeSeconds: 5000, callsLeft: 0, lastEventEnd: 1500, lastSeen: 0, departureFeasible: false, reserveKept: false, comfortKept: false }, event),
    ['NOT_ACTIVE', 'OPTED_OUT', 'NOTICE_TOO_SHORT', 'NO_CALLS_LEFT', 'REST_TIME', 'COMMS_STALE', 'DEPARTURE', 'RESERVE', 'COMFORT'])
  t.same(hardFilter({ ...facts, neverUse: true, callsThisWeek: 2, maxCallsAWeek: 2, price: 0.1, minimumPrice: 0.2 }, event), ['NEVER_USE_WINDOW', 'CALLS_A_WEEK', 'BELOW_MINIMUM_PRICE'])
  t.same([599, 600, 2999, 3000].map((age) => freshness(age, 0, 300)), ['fresh', 'stale', 'stale', 'lost'])
  t.equal(freshness(0, undefined, 300), 'lost')
})

t.test('CORE-090 CORE-091 delta → absolute: limits down, generation up, targets to the nearest step, the remainder shown', async (t) => {
  t.match(absoluteLimit({ forecast_W: 7200, reduction_W: 5000 }), { limit_W: 2200, remainder_W: 0, forecast_W: 7200 })
  t.match(absoluteLimit({ forecast_W: 7250, reduction_W: 5000, step_W: 100 }), { limit_W: 2200, remainder_W: -50 })
  t.match(absoluteLimit({ forecast_W: 3000, reduction_W: 5000 }), { limit_W: 0, remainder_W: 2000 })
  t.match(absoluteLimit({ forecast_W: undefined, reduction_W: 5000 }), { kind: 'noForecast' })
  t.same([toStep(151, 100, 'up'), toStep(-150, 100, 'nearest'), toStep(149, 100, 'nearest')], [200, -200, 100])
})

t.test('CORE-094 CORE-095 CORE-098 units and signs', async (t) => {
  t.same(activePowerLimit(123_456), { multiplier: 1, value: 12345, exact: false })
  t.same(activePowerLimit(-32_768), { multiplier: 0, value: -32768, exact: true })
  t.same([ampereLimit(1379, 230, 1), ampereLimit(1380, 230, 1), ampereLimit(4200, 230, 3)], [0, 6, 6])
  t.same([deliveringPositive(0), deliveringPositive(5)], [0, -5])
  t.throws(() => ampereLimit(1000, 0, 1), /above 0/)
  fc.assert(fc.property(fc.integer({ min: -2_000_000_000, max: 2_000_000_000 }), (w) => {
    const { multiplier, value } = activePowerLimit(w)
    return Math.abs(value * 10 ** multiplier) <= Math.abs(w) && Math.abs(w - value * 10 ** multiplier) < 10 ** multiplier
  }))
})

t.test('CORE-080 CORE-082 snapback and staggered release; the order rotates between events', async (t) => {
  t.same(snapback({ curtailed_Wh: 1000, kind: 'thermal', recoveryMinutes: 30 }), { energy_Wh: 800, power_W: 1600 })
  t.equal(stagger({ loads: 10, reboundPerLoad_kW: 5, limitPerWave_kW: 4, waveMinutes: 5, reboundMinutes: 10 }), undefined)
  t.match(stagger({ loads: 10, reboundPerLoad_kW: 0.1, limitPerWave_kW: 0.3, waveMinutes: 5, reboundMinutes: 5 }), { waveSize: 3, waves: 4, lastWaveSize: 1 })
  t.same(releaseWaves(['a', 'b', 'c', 'd', 'e'], 2, 0), [['a', 'b'], ['c', 'd'], ['e']])
  t.same(releaseWaves(['a', 'b', 'c', 'd', 'e'], 2, 1), [['c', 'd'], ['e', 'a'], ['b']])
})

t.test('CORE-203 CORE-208 guards stop the whole request; the proof looks with other code', async (t) => {
  const f = { delta_W: -2_000_000, active_W: -500_000, rampMinutes: 1, instructions: [{ vendor: 'v', path: ['f1'] }, { vendor: 'v', path: ['f1'] }, { vendor: 'w', path: ['f2'] }], fleet: 4, instructionsPerSecond: 50 }
  t.same(guard(f, {}), { stops: [], needsSecondPerson: false })
  t.same(guard(f, { maxStep_W: 1, maxChangePerMinute_W: 1, maxAbsolute_W: 1, maxVendorShare: 0.4, maxNodeShare: 0.4, maxInstructionsPerSecond: 10, twoPersonAbove_W: 1 }).stops.map((s) => s.guard),
    ['maxOrder', 'maxRamp', 'maxActive', 'maxVendorShare', 'maxNodeShare', 'maxInstructionsPerSecond'])
  const bad = { allocation: new Map([['a', 2000], ['x', 1]]), allocated_W: 2000, shortfall_W: 0 }
  t.equal(prove(bad, { target_W: 1500, caps_W: { f: 100 }, candidates: [{ id: 'a', avail_W: 1000, path: ['f'] }] }).length, 5)
})

t.test('CORE-008 identifiers sort by bytes', async (t) => {
  t.same(['\u{1F600}', '\uFFFD', 'b', 'a'].sort(byteOrder), ['a', 'b', '\uFFFD', '\u{1F600}'])
  fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => Math.sign(byteOrder(a, b)) === Buffer.compare(Buffer.from(a), Buffer.from(b))))
})

t.test('CORE-085 10,000 resources in 250 ms and 100,000 in 1 s, with caps', async (t) => {
  for (const [n, limit] of [[10_000, 250], [100_000, 1000]] as const) {
    const candidates = Array.from({ length: n }, (_, i) => ({ id: `r${(i * 7919) % n}`, cost: String((i * 31) % 97), avail_W: 1000 + ((i * 13) % 4000), path: [`f${i % 50}`], dispatches: i % 5 }))
    const caps_W = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${i}`, Math.floor((n / 50) * 2000)]))
    for (const mode of modes) {
      let took = Infinity
      // Processor time, best of three: the bar is on our code, not on what else the machine does.
      for (let round = 0; round < 3; round++) {
        const began = process.cpuUsage(), a = allocate({ mode, target_W: n * 1500, caps_W, candidates }), used = process.cpuUsage(began)
        took = Math.min(took, (used.user + used.system) / 1000)
        if (a.allocated_W !== n * 1500) t.fail(`${mode} allocated ${a.allocated_W} W`)
      }
      t.ok(took <= limit, `${mode} ${n}: ${Math.round(took)} ms`)
      t.comment(`${mode} ${n}: ${Math.round(took)} ms`)
    }
  }
})
