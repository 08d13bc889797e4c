import * as fc from 'fast-check'
import t from 'tap'
import { bonusByCount } from '#core/settlement/bonus.js'
import { settleFlexOrder } from '#core/settlement/flex-order.js'
import { doubleClaims, post, trialBalance } from '#core/settlement/ledger.js'
import { rerunDeltas } from '#core/settlement/rerun.js'
import { reservation } from '#core/settlement/reservation.js'
import { settle, type SettleInput } from '#core/settlement/settle.js'
import { exactMinor, largestRemainder, sequentialShares, splitRevenue } from '#core/settlement/split.js'
import { statementLines, type Facts } from '#core/settlement/terms.js'
import { fromMinor } from '#core/quantity/money.js'
import { backAllocate, reconcile } from '#core/verification/back-allocation.js'
import { energyByFloor } from '#core/verification/floor-level.js'
import { delivered, monthFactor, performance, performanceFactor, protectedDemandFactor, settledWh, testEnergyCap } from '#core/verification/performance.js'
import { responseTime } from '#core/verification/response-time.js'

const quarter = (n: number) => Array.from({ length: n }, (_, i) => ({ start: i * 900, end: (i + 1) * 900 }))
const sum = (currency: string, amounts: Iterable<string>): bigint => [...amounts].reduce((a, m) => a + exactMinor(m, currency), 0n)

t.test('CORE-183 CORE-007 1,000 random splits sum exactly, in USD, JPY and KWD, negative pools too', async (t) => {
  for (const currency of ['USD', 'JPY', 'KWD']) {
    fc.assert(fc.property(
      fc.bigInt({ min: -(10n ** 9n), max: 10n ** 9n }), fc.integer({ min: 0, max: 100 }), fc.array(fc.nat({ max: 100_000 }), { minLength: 1, maxLength: 40 }),
      (minor, share, weights) => {
        const parts = weights.map((w, i) => ({ id: `p${i}`, weight: `${w}.${i % 10}` })), revenue = fromMinor(minor, currency)
        const s = splitRevenue({ revenue, customerShare: (share / 100).toFixed(2), currency, parts })
        const again = splitRevenue({ revenue, customerShare: (share / 100).toFixed(2), currency, parts: [...parts].reverse() })
        return sum(currency, Object.values(s.payments)) === exactMinor(s.customerPool, currency) && exactMinor(s.customerPool, currency) + exactMinor(s.aggregator, currency) === minor
          && s.sum === s.customerPool && JSON.stringify(s) === JSON.stringify(again)
      },
    ), { numRuns: 334 })
  }
  t.same(splitRevenue({ revenue: '-100.00', customerShare: '0.70', currency: 'USD', parts: ['a', 'b', 'c'].map((id) => ({ id, weight: 1 })) }).payments, { a: '-23.34', b: '-23.33', c: '-23.33' })
  t.same(splitRevenue({ revenue: '1000', customerShare: '0.333', currency: 'JPY', parts: [{ id: 'a', weight: 1 }, { id: 'b', weight: 1 }] }), { customerPool: '333', aggregator: '667', payments: { a: '167', b: '166' }, sum: '333' })
  t.throws(() => splitRevenue({ revenue: '1.005', customerShare: '0.5', currency: 'USD', parts: [] }), /whole number of minor units/)
  t.throws(() => splitRevenue({ revenue: '1.00', customerShare: '1.5', currency: 'USD', parts: [] }), /between 0 and 1/)
  t.throws(() => largestRemainder(1n, []), /over nobody/)
})

t.test('CORE-184 three-way shares: sequential, in the order of the contract, whole amount kept', async (t) => {
  t.same(sequentialShares({ revenue: '100.01', currency: 'USD', shares: [{ party: 'vendor', share: '0.10' }, { party: 'customer', share: '0.70' }], remainderTo: 'aggregator' }), { vendor: '10.00', customer: '63.01', aggregator: '27.00' })
  fc.assert(fc.property(fc.bigInt({ min: -(10n ** 8n), max: 10n ** 8n }), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }), (minor, a, b) => {
    const out = sequentialShares({ revenue: fromMinor(minor, 'KWD'), currency: 'KWD', shares: [{ party: 'v', share: `${a / 100}` }, { party: 'c', share: `${b / 100}` }], remainderTo: 'agg' })
    return sum('KWD', Object.values(out)) === minor
  }))
})

t.test('CORE-005 CORE-170 delivery is positive in the asked direction; an interval without a reading is named', async (t) => {
  t.same([delivered('down', 10, 7), delivered('up', 10, 7)], [3, -3])
  const p = performance('down', [{ start: 0, end: 900, baseline_kW: 10, actual_kW: 6 }, { start: 900, end: 1800, baseline_kW: 10, actual_kW: null }])
  t.match(p, { energy_kWh: 1, missing: [{ start: 900, end: 1800 }], intervals: [{ kW: 4 }, { kW: null }] })
})

t.test('CORE-006 settled energy is rounded half away from zero to whole Wh, by decimal', async (t) => {
  t.same([settledWh(0.0005), settledWh(-0.0005), settledWh(1.0015), settledWh(0.00049), settledWh(1.005)], [1, -1, 1002, 0, 1005])
  fc.assert(fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), (tenth) => {
    const size = Math.abs(tenth), expected = Math.floor(size / 10) + (size % 10 >= 5 ? 1 : 0)
    return settledWh(Number(`${tenth}e-4`)) === (tenth < 0 ? 0 - expected : expected)
  }))
})

t.test('CORE-171 where the floor sits changes the energy', async (t) => {
  t.same(energyByFloor([[-2, 1], [3, 0]], [1, 1]), { none: 2, portfolioEvent: 2, portfolioInterval: 3, meterInterval: 4 })
  t.equal(energyByFloor([[-2, 1]], [1]).portfolioEvent, 0)
})

t.test('CORE-173 CORE-177 performance factors are clamped and cut to 2 decimals', async (t) => {
  t.same([performanceFactor([155], 200), performanceFactor([300], 200), performanceFactor([-1], 200), performanceFactor([], 200), performanceFactor([1], 0)], ['0.77', '1.00', '0.00', undefined, undefined])
  t.same([monthFactor(['0.77', '0.80']), monthFactor([], '0.91'), monthFactor([])], ['0.78', '0.91', undefined])
  t.equal(protectedDemandFactor([10, 0, 20], 100), '0.90')
  t.equal(testEnergyCap('200', '1.5'), '300')
  t.throws(() => reservation({ pledged_kW: 1, hourlyRelief_kW: [], reservationRatePerkWMonth: 1, energyRatePerkWh: 1, currency: 'USD' }), /lastPF/)
})

t.test('CORE-174 response time: first full minute at 90 %; missing telemetry is null, never 0', async (t) => {
  const samples = Array.from({ length: 10 }, (_, i) => ({ at: 100 + (i + 1) * 20, kW: i < 3 ? 0 : 100 }))
  t.equal(responseTime({ start: 100, target_kW: 100, samples, sampleSeconds: 20 }), 120)
  t.equal(responseTime({ start: 100, target_kW: 100, samples: [], sampleSeconds: 20 }), null)
  t.equal(responseTime({ start: 100, target_kW: 100, samples: samples.map((s) => ({ ...s, kW: null })), sampleSeconds: 20 }), null)
})

t.test('CORE-175 CORE-176 back-allocation by own delivery, else nomination; the difference of levels is shown', async (t) => {
  const b = backAllocate(100, [{ id: 'a', delivered_Wh: 1 }, { id: 'b', delivered_Wh: -5 }, { id: 'c', delivered_Wh: 2 }])
  t.same([b.basis, [...b.energy_Wh]], ['delivery', [['a', 33], ['b', 0], ['c', 67]]])
  t.same([...backAllocate(10, [{ id: 'a', delivered_Wh: 0, nominated_W: 3 }, { id: 'b', delivered_Wh: -1, nominated_W: 1 }]).energy_Wh], [['a', 8], ['b', 2]])
  t.equal(backAllocate(10, [{ id: 'a', delivered_Wh: 0 }]).basis, 'equal')
  t.same(reconcile(100, [{ delivered_Wh: 60 }, { delivered_Wh: 50 }]), { children_Wh: 110, portfolioEffect_Wh: -10 })
})

const input = (more: Partial<SettleInput> = {}): SettleInput => ({
  currency: 'USD', energyPrice: '0.50', customerShare: '0.70', intervals: quarter(4),
  points: [{ id: 'a', delivered_kW: [100, 100, 100, 100] }, { id: 'b', delivered_kW: [300, 300, 300, -100] }], ...more,
})

t.test('CORE-180 CORE-183 settle: energy × price, pool and shares to the cent, formula and inputs on the line', async (t) => {
  const s = settle(input())
  t.match(s, { revenue: '150.00', customerPool: '105.00', aggregator: '45.00', measured_Wh: 300_000, paid_Wh: 300_000, payments: { a: '35.00', b: '70.00' } })
  t.match(s.lines, [{ kind: 'energy', formula: 'kWh × price', inputs: { kWh: '300', price: '0.50' }, amount: '150.00' }])
  t.equal(JSON.stringify(settle(input({ points: [...input().points].reverse() })).payments), JSON.stringify(s.payments), 'CORE-008')
})

t.test('CORE-171 CORE-172 CORE-134 floors, the paid-energy cap and a portfolio baseline', async (t) => {
  t.match(settle(input({ portfolio_kW: [-400, -400, 100, 100] })), { revenue: '0.00', measured_Wh: -150_000, paid_Wh: 0, trace: { floored: true } })
  t.match(settle(input({ portfolio_kW: [-400, -400, 100, 100], floorLevel: 'portfolioInterval' })), { paid_Wh: 50_000 })
  t.match(settle(input({ floorLevel: 'meterInterval' })), { paid_Wh: 325_000 })
  t.match(settle(input({ floorLevel: 'none', portfolio_kW: [-400, 0, 0, 0] })), { revenue: '-50.00', customerPool: '-35.00', aggregator: '-15.00' })
  t.match(settle(input({ committed_kW: '200' })), { paid_Wh: 240_000, revenue: '120.00', trace: { capped: true, cap_Wh: 240_000 } })
  t.match(settle(input({ committed_kW: '200', cap: null })), { paid_Wh: 300_000 })
  t.match(settle(input({ points: [{ id: 'a', delivered_kW: [100, NaN, 100, 100] }] })), { trace: { missing: 1 }, paid_Wh: 75_000 })
  t.match(settle(input({ points: [] })), { revenue: '0.00', payments: {} })
})

t.test('CORE-027 enrolments with shares of their own still sum to the revenue', async (t) => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: -500, max: 900 }), fc.integer({ min: 0, max: 100 })), { minLength: 1, maxLength: 20 }), (rows) => {
    const s = settle(input({ points: rows.map(([kW, share], i) => ({ id: `p${i}`, delivered_kW: [kW, 1, 0, 2], share: `${share / 100}` })) }))
    return exactMinor(s.customerPool, 'USD') + exactMinor(s.aggregator, 'USD') === exactMinor(s.revenue, 'USD') && sum('USD', Object.values(s.payments)) === exactMinor(s.customerPool, 'USD')
  }))
  t.match(settle(input({ points: [{ id: 'a', delivered_kW: [100, 100, 100, 100], share: '0.80' }, { id: 'b', delivered_kW: [100, 100, 100, 100] }] })).payments, { a: '40.00', b: '35.00' })
})

t.test('CORE-180 CORE-181 CORE-185 every price component is one named line; tax is apart and not shared', async (t) => {
  const facts: Facts = { paid_kWh: '1000', interval_kWh: ['600', '400'], committed_kW: '200', performanceFactor: '0.77', mean_kW: '150', days: 30, available_kWh: '400', seasonEvents: 5 }
  const { lines, net, tax } = statementLines([
    { kind: 'tax', rate: '0.19' }, { kind: 'energy', price: ['0.50', '1.00'] }, { kind: 'capacity', rate: '18', per: 'month' }, { kind: 'capacity', name: 'daily', rate: '0.5', per: 'day' },
    { kind: 'availability', rate: '0.01' }, { kind: 'bonus', rate: '5', fromEvent: 5 }, { kind: 'penalty', rate: '2', threshold: '0.9' }, { kind: 'fee', amount: '25.00' },
  ], facts, 'USD')
  t.same(lines.map((l) => [l.name, l.amount]), [['energy', '700.00'], ['capacity', '2772.00'], ['daily', '2310.00'], ['availability', '4.00'], ['bonus', '770.00'], ['penalty', '-100.00'], ['fee', '-25.00'], ['tax', '1221.89']])
  t.equal(net, 643_100n)
  t.equal(tax, 122_189n)
  t.throws(() => statementLines([{ kind: 'capacity', rate: '1', per: 'day' }], { paid_kWh: '1', interval_kWh: [] }, 'USD'), /needs committed_kW/)
  const s = settle(input({ rules: [{ kind: 'tax', rate: '0.2' }] }))
  t.match(s, { revenue: '150.00', tax: '30.00', customerPool: '105.00' })
})

t.test('CORE-181 bonus by count from the month of the n-th event', async (t) => {
  t.same(bonusByCount({ pledged_kW: '100', pf: '0.9', baseRate: '18', bonus: '5', threshold: 5, eventsPerMonth: [['05', 2], ['06', 2], ['07', 1], ['08', 0]], currency: 'USD' }), {
    months: [{ month: '05', rate: '18', payment: '1620.00' }, { month: '06', rate: '18', payment: '1620.00' }, { month: '07', rate: '23', payment: '2070.00' }, { month: '08', rate: '23', payment: '2070.00' }], total: '7380.00',
  })
})

t.test('CORE-182 flex orders: rounding by decimal, mirrored for more load', async (t) => {
  t.match(settleFlexOrder({ price: '7', penalty: '11', baseline: [10], ordered: [-2], allocation: [13], currency: 'EUR' }).rows, [{ delivered: 2, deficiency: 0, net: '14.00' }])
  t.match(settleFlexOrder({ price: '0.1', penalty: '0', baseline: [0.3], ordered: [0.3], allocation: [0.1], currency: 'EUR' }).rows, [{ delivered: 0.2, paid: '0.02' }])
  t.throws(() => settleFlexOrder({ price: '1', penalty: '1', baseline: [1], ordered: [], allocation: [1], currency: 'EUR' }), /each ISP/)
})

t.test('CORE-187 CORE-188 a re-run shows new total and delta; without a difference nothing', async (t) => {
  t.same(rerunDeltas('USD', { a: '10.00', b: '5.00', gone: '1.00' }, { a: '12.50', b: '5.00', fresh: '2.00' }), [
    { party: 'a', total: '12.50', issuedBefore: '10.00', delta: '2.50' }, { party: 'fresh', total: '2.00', issuedBefore: '0.00', delta: '2.00' }, { party: 'gone', total: '0.00', issuedBefore: '1.00', delta: '-1.00' },
  ])
  t.same(rerunDeltas('USD', { a: '1.00' }, { a: '1.00' }), [])
  t.equal(JSON.stringify(settle(input()).lines), JSON.stringify(settle(input()).lines), 'same inputs, same bytes')
})

t.test('CORE-190 every posting is balanced and the trial balance is zero', async (t) => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.bigInt({ min: -(10n ** 6n), max: 10n ** 6n }), fc.array(fc.nat({ max: 99 }), { minLength: 1, maxLength: 6 })), { maxLength: 8 }), (runs) => {
    const postings = runs.map(([minor, weights], i) => {
      const revenue = fromMinor(minor, 'USD'), s = splitRevenue({ revenue, customerShare: '0.7', currency: 'USD', parts: weights.map((w, k) => ({ id: `c${k}`, weight: w })) })
      return post({ id: `run${i}`, currency: 'USD', buyer: 'utility', aggregator: 'us', revenue, tax: '1.00', payments: s.payments })
    })
    return trialBalance('USD', postings).balanced && postings.every((p) => sum('USD', p.entries.map((e) => e.amount)) === 0n)
  }))
  const b = trialBalance('USD', [post({ id: 'x', currency: 'USD', buyer: 'utility', aggregator: 'us', revenue: '100.00', payments: { a: '70.00' } })])
  t.same(b, { accounts: { a: '70.00', us: '30.00', utility: '-100.00' }, total: '0.00', balanced: true })
  t.notOk(trialBalance('USD', [{ id: 'bad', currency: 'USD', entries: [{ posting: 'bad', account: 'a', amount: '1.00' }] }]).balanced)
})

t.test('CORE-189 energy is paid once: double claims are listed', async (t) => {
  const claims = [{ program: 'p', point: 'a', start: 0, end: 900 }, { program: 'q', point: 'a', start: 600, end: 1200 }, { program: 'q', point: 'b', start: 0, end: 900 }]
  t.same(doubleClaims(claims), [{ point: 'a', start: 600, end: 900, programs: ['p', 'q'] }])
  t.same(doubleClaims(claims, () => true), [])
})

t.test('§17.6 settlement of 10,000 participants × 30 days × 96 intervals in 60 s', async (t) => {
  const intervals = quarter(2880), shapes = Array.from({ length: 20 }, (_, p) => Float64Array.from({ length: 2880 }, (_, i) => ((i * 7 + p * 3) % 101) / 10 - 1))
  const began = performance_()
  const s = settle({ currency: 'USD', energyPrice: '0.10', customerShare: '0.70', intervals, points: Array.from({ length: 10_000 }, (_, i) => ({ id: `p${i}`, delivered_kW: shapes[i % 20]! })) })
  const seconds = (performance_() - began) / 1000
  t.equal(sum('USD', Object.values(s.payments)), exactMinor(s.customerPool, 'USD'))
  t.ok(seconds < 60, `${seconds.toFixed(1)} s`)
  t.comment(`settle ${seconds.toFixed(1)} s`)
})

function performance_(): number {
  return globalThis.performance.now()
}
