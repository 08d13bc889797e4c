import t from 'tap'
import { homes, testDoor } from '#core/operator/test-door.js'
import { optOutCharges, priced, protectedReason } from '#core/settlement/opt-out-price.js'
import { calculate, type RunInput } from '#core/settlement/run.js'

t.setTimeout(240_000)
const noon = Date.UTC(2026, 6, 15, 18)

t.test('CORE-113 the first refusals of a season are free, later ones are priced in order, safety and medical ones never', async (t) => {
  const season = [30, 10, 20, 40].map((start) => ({ start, points: [{ id: 'a', reason: 'guests' }, { id: 'b', reason: start === 20 ? 'medical: oxygen' : 'Safety' }, { id: 'a', reason: 'twice is once' }] }))
  t.same(priced(season, { perSeason: 2, penalty: '5.00' }, 0, 100), { a: 2 })
  t.same(priced(season, { perSeason: 2 }, 40, 100), { a: 1 }, 'of the period only those that lie in it')
  t.same(priced(season, { perSeason: 0 }, 0, 15), { a: 1 })
  t.same([protectedReason('medical'), protectedReason(' SAFETY first'), protectedReason('a medical matter'), protectedReason('')], [true, true, false, false])
  t.same([optOutCharges({ a: 3 }, '5.00', 'USD'), optOutCharges({ a: 3 }, '5', 'JPY'), optOutCharges({ a: 1 }, '0.005', 'KWD')], [{ a: '-15.00' }, { a: '-15' }, { a: '-0.005' }])
})

t.test('CORE-113, CORE-183 a charge comes off the payment, the aggregator keeps it, the parts still sum; without one nothing changes', async (t) => {
  const input: RunInput = {
    from: 0, to: 86_400, points: { a: { share: null, nominated_W: null }, b: { share: null, nominated_W: null } },
    terms: { program: 'p', programVersion: 1, currency: 'USD', energyPrice: '1', rules: [], customerShare: '0.7', floorLevel: 'portfolioEvent', cap: null, method: 'CAISO_10IN10', level: 'point', disputeDays: 30 },
    events: [{ dispatch: 'd', verification: 'v', inputHash: 'h', status: 'OK', committed_kW: '100', days: [], intervals: [{ start: 0, end: 3600 }], portfolio_kW: null, points: [{ id: 'a', status: 'OK', own_kWh: 60, delivered_kW: [60] }, { id: 'b', status: 'OK', own_kWh: 40, delivered_kW: [40] }] }],
  }
  const plain = calculate(input), charged = calculate({ ...input, terms: { ...input.terms, optOutPenalty: '12.34' }, optOuts: { a: 2, c: 1 } })
  t.match(plain, { payments: { a: '42.00', b: '28.00' }, customerPool: '70.00', aggregator: '30.00' })
  t.notOk('optOuts' in plain)
  t.match(charged, { revenue: '100.00', payments: { a: '17.32', b: '28.00', c: '-12.34' }, customerPool: '32.98', aggregator: '67.02', optOuts: { a: { count: 2, amount: '-24.68' } } })
})

t.test('CORE-113, CORE-180 over the API: opting out is never blocked, a charge is a line of its own, and every line adds up to the amount', async (t) => {
  const { as, core, clock } = await testDoor(t, { nowMs: noon }), ada = await as('admin', 'ada'), start = Date.UTC(2026, 6, 15, 22) / 1000
  t.match((await ada('POST', 'programs', { name: 'bad', timeZone: 'UTC', direction: 'down', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'point' }, currency: 'USD', customerShare: '0.7', rules: { optOut: { penalty: '0.001', forbid: true }, prices: [{ kind: 'capacity', rate: 'x' }, { kind: 'gift' }] } })).data, {
    status: 422, faults: [{ path: '/rules/prices/0/rate' }, { path: '/rules/prices/0/per' }, { path: '/rules/prices/1/kind' }, { path: '/rules/optOut/forbid' }, { path: '/rules/optOut/penalty' }],
  })
  await homes(ada, 3, { rules: { optOut: { perSeason: 0, penalty: '5.00' }, prices: [{ kind: 'fee', amount: '1.00' }] } })
  const at = (s: number): string => new Date(s * 1000).toISOString()
  const rows = [0, 1, 2].flatMap((h) => [0, -1, -2, -5, -6, -7, -8, -9, -12, -13, -14].flatMap((d) => Array.from({ length: 32 }, (_, i) => ({ servicePoint: `home-${h}`, start: at(start - 14_400 + d * 86_400 + i * 900), minutes: 15, Wh: d === 0 && h === 0 && i >= 16 && i < 24 ? 500 : 1500 }))))
  core.timetable.start()
  t.equal((await ada('POST', 'opt-outs', { resource: 'battery-1', from: at(start), to: at(start + 7200), reason: 'guests' })).statusCode, 201)
  t.equal((await ada('POST', 'opt-outs', { resource: 'battery-2', from: at(start), to: at(start + 7200), reason: 'medical' })).statusCode, 201)
  const dispatch = (await ada('POST', 'dispatches', { program: 'peak', power_kW: 5, start: at(start), duration: 'PT2H' })).data
  await core.timetable.settled()
  await clock.advance((start + 7260) * 1000 - noon)
  await ada('POST', 'readings', { readings: rows })
  await core.timetable.settled()
  await ada('POST', `dispatches/${dispatch.id}/verify`, {})
  const run = (await ada('POST', 'settlement-runs', { program: 'peak', from: '2026-07-01T00:00:00Z', to: '2026-08-01T00:00:00Z' })).data
  const statements = (await ada('GET', `statements?run=${run.id}`)).data.items, names = new Map((await ada('GET', 'service-points')).data.items.map((p: { id: string; name: string }) => [p.id, p.name]))
  t.same(statements.map((s: { servicePoint: string; amount: string }) => [names.get(s.servicePoint), s.amount]).sort(), [['home-0', '2.10'], ['home-1', '-5.00']], '8 kWh × 0.50 less a fee of 1.00, of which 0.70; home-2 was protected')
  for (const s of statements) t.equal(s.body.lines.reduce((sum: number, l: { amount: string }) => sum + Math.round(Number(l.amount) * 100), 0), Math.round(Number(s.amount) * 100), 'the lines are the amount')
  t.match(statements.flatMap((s: { body: { lines: { kind: string; components: { formula: string; inputs: object }[] }[] } }) => s.body.lines).map((l: { kind: string }) => l.kind).sort(), ['energy', 'optOut', 'period'])
})
