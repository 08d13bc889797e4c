import * as fc from 'fast-check'
import t from 'tap'
import type { Delivery } from '#core/dispatch/delivery.js'
import { allocationOf, leastSum } from '#core/dispatch/gap.js'

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
