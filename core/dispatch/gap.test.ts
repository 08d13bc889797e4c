import * as fc from 'fast-check'
import t from 'tap'
import type { Delivery } from '#core/dispatch/delivery.js'
import { allocationOf, leastSum } from '#core/dispatch/gap.js'
import { makeGood } from '#core/dispatch/make-good.js'

const window = { start: 1000, end: 2000 }
const instructed = (resource: string, start: number, end: number, delta_W: number): Pick<Delivery, 'resource' | 'order'> =>
  ({ resource, order: { start, end, intervals: [{ start, end, delta_W }], binding: { protocol: 'ocpp', remoteId: resource } } as unknown as Delivery['order'] })

t.test('CORE-061, CORE-071 parts that hold one after the other are not added: the allocation is what is asked at the tightest moment', async (t) => {
  const all = [instructed('a', 1000, 1400, -500), instructed('b', 1300, 2000, -300), instructed('c', 1000, 2000, -100)]
  t.equal(leastSum(all, window), 400)
  t.same(allocationOf(all, window).map((x) => [x.resource, x.delta_W]), [['a', 0], ['b', -300], ['c', -100]], 'a has had its turn and is still named')
  t.same(allocationOf([instructed('a', 1000, 1200, -500), instructed('a', 1500, 2000, -400)], window).map((x) => x.delta_W + 0), [0], 'one entry a device')
  t.same(allocationOf([instructed('a', 1000, 2000, -500)], { start: 2000, end: 2000 }).map((x) => x.delta_W), [-500], 'after the end everything counts')
})

t.test('CORE-061 whatever is instructed, the parts sum to what the order is said to have', async () => {
  const one = fc.tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 900, max: 2000 }), fc.integer({ min: 1, max: 900 }), fc.integer({ min: 1, max: 10_000 }))
  fc.assert(fc.property(fc.array(one, { maxLength: 12 }), fc.integer({ min: 0, max: 300 }), (rows, spread_s) => {
    const all = rows.map(([r, start, length, power]) => instructed(`r${r}`, start, start + length, -power))
    const sum = allocationOf(all, window, spread_s).reduce((total, x) => total - x.delta_W, 0)
    return sum === leastSum(all, window, spread_s)
  }), { numRuns: 500 })
})

t.test('CORE-035, CORE-070 headroom of a device that takes part later is not asked from the beginning: it is promised to others until then', async (t) => {
  const promised = [{ start: 1000, end: 1400, delta_W: -8000, delivery: 'theirs', priority: 50 }, { start: 1400, end: 2000, delta_W: -5000, delivery: 'own', priority: 50 }]
  const resource = { id: 'r', kind: 'building', rated_W: 20_000, cost: '0', minBlock_W: 0, bindings: [{ protocol: 'ocpp', remoteId: 'r', control: true }], constraints: {}, state: 'active', servicePoint: 'p', name: 'r' }
  const beliefs = [{ resource: 'r', start: 0, end: 9000, down_W: 10_000, up_W: 0, expected_W: 20_000, source: '', issuedAt: 0 }]
  const made = (from: number) => makeGood({
    dispatch: { delta_W: -20_000, start: 1000, end: 2000, mode: 'merit', priority: 50, emergency: ['minNotice'] }, program: { limits: {}, rules: {}, timeZone: 'UTC' }, window: { start: from, end: 2000 }, nowMs: 500_000,
    prospects: { resources: [{ resource, path: [], importLimit_W: null, exportLimit_W: null, dispatches: 0, beliefs, promised }], caps_W: {}, season: [], verified: {} },
    deliveries: [{ id: 'own', resource: 'r', state: 'accepted', reason: null, order: { start: 1400, end: 2000, revision: 2, createdAt: 0, intervals: [{ start: 1400, end: 2000, delta_W: -5000 }] } }],
  } as unknown as Parameters<typeof makeGood>[0])
  t.same(made(1000).restated, [], 'restated over the whole window it would give 15 kW of 10 kW until 1400')
  t.equal(made(1400).restated[0]?.share.allotment.delta_W, -10_000, 'from then on it gives all it has')
})
