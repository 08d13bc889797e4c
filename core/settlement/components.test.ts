import t from 'tap'
import * as fc from 'fast-check'
import { homes, testDoor } from '#core/operator/test-door.js'
import { Exact } from '#core/quantity/money.js'
import { calculate, type RunEvent, type RunInput } from '#core/settlement/run.js'
import { moneyRuleFaults } from '#core/settlement/rule-faults.js'

t.setTimeout(240_000)

const event = (change: Partial<RunEvent> = {}): RunEvent => ({
  dispatch: 'a', verification: 'v', inputHash: '', status: 'OK', committed_kW: '100', days: [], intervals: [{ start: 0, end: 3600 }, { start: 3600, end: 7200 }], portfolio_kW: [150, 150],
  points: [{ id: 'p', status: 'OK', own_kWh: 200, delivered_kW: [100, 100] }, { id: 'q', status: 'OK', own_kWh: 100, delivered_kW: [50, 50] }], ...change,
})
const input = (terms: Partial<RunInput['terms']> = {}, more: Partial<RunInput> = {}): RunInput => ({
  from: 0, to: 30 * 86_400, points: {}, events: [event()], month: { nominated_kW: null, lastPF: null },
  terms: { program: 'x', programVersion: 1, currency: 'USD', energyPrice: '0.50', rules: [], customerShare: '0.7', floorLevel: 'portfolioEvent', cap: '1.2', method: 'm', level: 'portfolio', disputeDays: 30, ...terms }, ...more,
})

t.test('CORE-184 a third party is served in the order of the contract: before the customers, or out of what they leave', (t) => {
  // 240 kWh (120 % of 100 kW × 2 h) at 0.50
  const vendor = [{ party: 'vendor', share: '0.10' }]
  t.match(calculate(input({ ahead: vendor })), { revenue: '120.00', parties: { vendor: '12.00' }, customerPool: '75.60', aggregator: '32.40' }, '10 % first, then 70 % of 108')
  t.match(calculate(input({ behind: vendor })), { revenue: '120.00', parties: { vendor: '3.60' }, customerPool: '84.00', aggregator: '32.40' }, '70 % first, then 10 % of 36')
  t.notOk('parties' in calculate(input()), 'two parties as before')
  fc.assert(fc.property(fc.integer({ min: 1, max: 99_999 }), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }), fc.constantFrom('USD', 'JPY', 'KWD'), (price, a, b, currency) => {
    const r = calculate(input({ currency, energyPrice: (price / 10_000).toFixed(4), ahead: [{ party: 'v', share: (a / 100).toFixed(2) }], behind: [{ party: 'w', share: (b / 100).toFixed(2) }] }))
    const sum = [r.customerPool, r.aggregator, ...Object.values(r.parties!)].reduce((s, m) => s.plus(m), new Exact(0)), paid = Object.values(r.payments).reduce((s, m) => s.plus(m), new Exact(0))
    return sum.eq(r.revenue) && paid.eq(r.customerPool)
  }), { numRuns: 1000 })
  t.end()
})

t.test('CORE-055, CORE-177 a test event is paid by the rule of its program: in full, up to what was asked, or not at all', (t) => {
  t.match(calculate(input()), { revenue: '120.00' })
  t.match(calculate(input({}, { events: [event({ test: 'capped' })] })), { revenue: '100.00' }, '100 kW × 2 h and no more')
  t.match(calculate(input({}, { events: [event({ test: 'unpaid' })] })), { revenue: '0.00', events: [] })
  t.match(calculate(input({ energyPrice: null, rules: [{ kind: 'capacity', rate: '10', per: 'month' }] }, { events: [event({ test: 'unpaid' })] })), { revenue: '1000.00' }, 'its factor counts all the same (CORE-173)')
  t.end()
})

t.test('CORE-180, CORE-181 availability and bonus in a run of a real period: hours held ready, and events since the season began', async (t) => {
  const noon = Date.UTC(2026, 6, 15, 18), start = Date.UTC(2026, 6, 15, 22) / 1000
  const { as, core, clock } = await testDoor(t, { nowMs: noon }), call = await as('admin', 'ada'), approver = await as('approver', 'amir')
  const ok = async (answer: ReturnType<typeof call>): Promise<any> => {
    const a = await answer
    if (a.statusCode >= 300) throw new Error(`${a.statusCode} ${a.body.slice(0, 400)}`)
    return a.data
  }
  await homes(call, 1, {
    baseline: { method: 'METER_BEFORE_AFTER', level: 'portfolio' }, energyPrice: null, limits: { seasonFrom: '2026-06-01', seasonTo: '2026-09-30' },
    rules: { prices: [{ kind: 'availability', rate: '0.10' }, { kind: 'bonus', rate: '5', fromEvent: 2 }], shares: [{ party: 'vendor', share: '0.10' }, { party: 'customer' }], tests: 'capped' },
  })
  core.timetable.start()
  const called = async (from: number, more: object = {}): Promise<void> => {
    const d = await ok(call('POST', 'dispatches', { program: 'peak', power_kW: 2, start: new Date(from * 1000).toISOString(), duration: 'PT1H', ...more }))
    await core.timetable.settled()
    await clock.set((from + 3700) * 1000)
    await core.timetable.settled()
    await ok(call('POST', 'readings', { readings: Array.from({ length: 8 }, (_, i) => ({ servicePoint: 'home-0', start: new Date((from - 3600 + i * 900) * 1000).toISOString(), minutes: 15, Wh: i < 4 ? 1000 : 500 })) }))
    await ok(call('POST', `dispatches/${d.id}/verify`, {}))
  }
  const settled = async (month: number): Promise<ReturnType<typeof calculate>> => {
    const run = await ok(call('POST', 'settlement-runs', { program: 'peak', from: `2026-0${month}-01T00:00:00-06:00`, to: `2026-0${month + 1}-01T00:00:00-06:00` }))
    await ok(approver('POST', `settlement-runs/${run.id}/approve`, {}))
    await ok(call('POST', `settlement-runs/${run.id}/issue`, {}))
    return (await core.database.stores.settlementRuns.get('default', run.id))!.result as ReturnType<typeof calculate>
  }
  await called(start)
  t.match((await settled(7)).period!.lines, [{ kind: 'availability', inputs: { kWh: '2' }, amount: '0.20' }, { kind: 'bonus', inputs: { events: '1', n: '2' }, amount: '0.00' }], 'without a nomination the event itself was held ready')
  const enrolment = (await ok(call('GET', 'enrolments'))).items[0].id
  await clock.set((start + 20 * 86_400) * 1000)
  const n = await ok(call('POST', 'nominations', { program: 'peak', enrolment, start: '2026-08-10T12:00:00-06:00', duration: 'PT10H', power_kW: 4 }))
  await ok(call('POST', `nominations/${n.id}/transitions`, { to: 'accepted' }))
  await called(start + 26 * 86_400)
  const august = await settled(8)
  t.match(august.period!.lines, [{ kind: 'availability', inputs: { kWh: '40' }, amount: '4.00' }, { kind: 'bonus', inputs: { events: '2', kW: '4', n: '2' }, amount: '20.00' }], 'the second event of the season, though the first of its month')
  t.match(august, { revenue: '24.00', parties: { vendor: '2.40' }, customerPool: '15.12', aggregator: '6.48' })
  t.match((await ok(call('GET', 'ledger/trial-balance'))).items, [{ balanced: true, accounts: { 'party:vendor': '2.42' } }], 'July and August')
})

t.test('CORE-184 a wrong share rule is refused when it is said', (t) => {
  const paths = (shares: unknown, more: object = {}): string[] => moneyRuleFaults({ shares, ...more }, 'USD').map((f) => f.path)
  t.same(paths([{ party: 'vendor', share: '0.1' }, { party: 'customer' }]), [])
  t.same(paths('vendor'), ['/rules/shares'])
  t.same(paths([{ party: 'v', share: '1.1' }, { party: 'v', share: '0.1' }, { party: 'customer', share: '0.7' }, { share: '0.1' }, { party: 'rest', share: '0' }, { party: 'w', share: 0.1 }]), ['/rules/shares/0/share', '/rules/shares/1/party', '/rules/shares/2/share', '/rules/shares/3/party', '/rules/shares/4/party', '/rules/shares/5/share'])
  t.same(paths([], { tests: 'free' }), ['/rules/tests'])
  t.end()
})
