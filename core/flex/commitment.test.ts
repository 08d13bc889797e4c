import t from 'tap'
import { mostAtOnce } from '#core/flex/commitment.js'
import { homes, testDoor } from '#core/operator/test-door.js'
import { calculate, type RunEvent, type RunInput } from '#core/settlement/run.js'

t.setTimeout(240_000)

const noon = Date.UTC(2026, 6, 15, 18), start = Date.UTC(2026, 6, 15, 22) / 1000
const month = (n: number) => ({ program: 'peak', from: `2026-0${n}-01T00:00:00-06:00`, to: `2026-0${n + 1}-01T00:00:00-06:00` })

t.test('CORE-092, CORE-157, CORE-180 a D-prognosis is the baseline and an accepted nomination the commitment, from the door to the statement', async (t) => {
  const { as, core, clock } = await testDoor(t, { nowMs: noon }), call = await as('admin', 'ada'), approver = await as('approver', 'amir')
  const ok = async (answer: ReturnType<typeof call>): Promise<any> => {
    const a = await answer
    if (a.statusCode >= 300) throw new Error(`${a.statusCode} ${a.body.slice(0, 400)}`)
    return a.data
  }
  await homes(call, 2, { baseline: { method: 'NOMINATED', level: 'portfolio' }, capacityPrice: '10', rules: { gateClosure_s: 3600 } })
  const [first, second] = (await ok(call('GET', 'enrolments'))).items
  const forecast = (servicePoint: string, kW: number, from = '2026-07-15T16:00:00-06:00') => call('POST', 'prognoses', { program: 'peak', servicePoint, start: from, kW: Array.from({ length: 8 }, () => kW) })
  const given = await ok(forecast('home-0', 3))
  t.match(given, { servicePoint: first.servicePoint, lockedAt: '2026-07-15T18:00:00.000Z', start: '2026-07-15T22:00:00Z', end: '2026-07-16T00:00:00Z', kW: { length: 8 } })
  await ok(forecast('home-1', 2))
  t.match(await forecast('home-0', 3, '2026-07-15T12:45:00-06:00'), { statusCode: 409, data: { faults: [{ path: '/start', reason: /3600 s before/ }] } }, 'the gate is closed an hour before')
  t.match(await forecast('home-0', 3, '2026-07-15T16:05:00-06:00'), { statusCode: 422 })
  // promised to the aggregator: 2 kW and 1 kW in July, at different hours in August
  const promise = async (enrolment: string, power_kW: number, from: string): Promise<void> => {
    const n = await ok(call('POST', 'nominations', { program: 'peak', enrolment, start: from, duration: 'PT2H', power_kW, price: '0.40' }))
    await ok(call('POST', `nominations/${n.id}/transitions`, { to: 'accepted' }))
  }
  await promise(first.id, 2, '2026-07-15T16:00:00-06:00')
  await promise(second.id, 1, '2026-07-15T17:00:00-06:00')
  await promise(first.id, 4, '2026-08-12T16:00:00-06:00')
  await promise(second.id, 3, '2026-08-13T16:00:00-06:00')
  await ok(call('POST', 'nominations', { program: 'peak', enrolment: second.id, start: '2026-08-12T16:00:00-06:00', duration: 'PT2H', power_kW: 1 }))

  core.timetable.start()
  const dispatch = await ok(call('POST', 'dispatches', { program: 'peak', power_kW: 2, start: '2026-07-15T16:00:00-06:00', duration: 'PT2H', scope: { resources: ['battery-0', 'battery-1'] }, mode: 'proportional' }))
  await clock.advance(1000)
  await core.timetable.settled()
  await ok(forecast('home-0', 90))
  await clock.set((start + 7200 + 60) * 1000)
  await core.timetable.settled()
  const row = (servicePoint: string, Wh: number) => Array.from({ length: 8 }, (_, i) => ({ servicePoint, start: new Date((start + i * 900) * 1000).toISOString(), minutes: 15, Wh }))
  await ok(call('POST', 'readings', { readings: [...row('home-0', 500), ...row('home-1', 250)] }))
  await ok(call('POST', `dispatches/${dispatch.id}/verify`, {}))
  const performance = await ok(call('GET', `dispatches/${dispatch.id}/performance`))
  t.match(performance, { status: 'OK', baseline_kWh: 10, metered_kWh: 6, delivered_kWh: 4 }, '3 kW and 2 kW were forecast; what came after the order is not believed')

  const run = await ok(call('POST', 'settlement-runs', month(7))), lines = (await ok(call('GET', `settlement-runs/${run.id}`)))
  t.match(lines.result?.period?.lines ?? run.result?.period?.lines, [{ kind: 'capacity', inputs: { kW: '3', PF: '1.00', rate: '10' }, amount: '30.00' }], 'capacity for the 3 kW that were promised at once, not for the 2 that were called')
  await ok(approver('POST', `settlement-runs/${run.id}/approve`, {}))
  await ok(call('POST', `settlement-runs/${run.id}/issue`, {}))

  // August: nobody is called
  const august = await ok(call('POST', 'settlement-runs', month(8))), kept = await core.database.stores.settlementRuns.get('default', august.id)
  t.match((kept!.result as ReturnType<typeof calculate>).period!.lines, [{ kind: 'capacity', inputs: { kW: '4', PF: '1.00' }, amount: '40.00' }], 'CORE-173: by the factor of the last event')
  t.match((kept!.result as ReturnType<typeof calculate>).payments, { [first.servicePoint]: '16.00', [second.servicePoint]: '12.00' }, '70 % of 40, by what each promised')
  const june = await ok(call('POST', 'settlement-runs', month(6)))
  t.match(june, { revenue: '0.00' }, 'nothing promised, nothing paid')
})

t.test('CORE-157 without a forecast, or with one that came too late, there is a reason and no number', async (t) => {
  const { as, core, clock } = await testDoor(t, { nowMs: noon }), call = await as('admin', 'ada')
  await homes(call, 1, { baseline: { method: 'NOMINATED', level: 'portfolio' } })
  core.timetable.start()
  const order = async (hour: number): Promise<string> => (await call('POST', 'dispatches', { program: 'peak', power_kW: 1, start: `2026-07-15T${hour}:00:00-06:00`, duration: 'PT1H' })).data.id
  const late = await order(16), none = await order(18)
  await clock.advance(1000)
  await core.timetable.settled()
  t.equal((await call('POST', 'prognoses', { program: 'peak', servicePoint: 'home-0', start: '2026-07-15T16:00:00-06:00', kW: [9, 9, 9, 9] })).statusCode, 201)
  await clock.set((start + 4 * 3600) * 1000)
  await core.timetable.settled()
  await call('POST', 'readings', { readings: Array.from({ length: 16 }, (_, i) => ({ servicePoint: 'home-0', start: new Date((start + i * 900) * 1000).toISOString(), minutes: 15, Wh: 250 })) })
  for (const [id, reason] of [[late, /locked after gate closure/], [none, /no nomination|does not cover/]] as const) {
    await call('POST', `dispatches/${id}/verify`, {})
    t.match((await call('GET', `dispatches/${id}/performance`)).data, { status: 'INSUFFICIENT_DATA', delivered_kWh: null, reasons: [reason] })
  }
})

t.test('CORE-173 the factor of a period is the mean of its events, each by its own commitment; inputs frozen before stay as they were', (t) => {
  const event = (dispatch: string, committed_kW: string, kW: number): RunEvent => ({
    dispatch, verification: dispatch, inputHash: '', status: 'OK', committed_kW, days: [], intervals: [{ start: 0, end: 3600 }], portfolio_kW: [kW], points: [{ id: 'p', status: 'OK', own_kWh: kW, delivered_kW: [kW] }],
  })
  const input = (more: Partial<RunInput>): RunInput => ({
    from: 0, to: 30 * 86_400, points: { p: { share: null, nominated_W: null } }, events: [event('a', '100', 100), event('b', '50', 45)],
    terms: { program: 'x', programVersion: 1, currency: 'USD', energyPrice: null, rules: [{ kind: 'capacity', rate: '10', per: 'month' }], customerShare: '0.7', floorLevel: 'portfolioEvent', cap: '1.2', method: 'm', level: 'portfolio', disputeDays: 30 }, ...more,
  })
  const line = (i: RunInput) => calculate(i).period!.lines[0]!
  t.match(line(input({ month: { nominated_kW: null, lastPF: null } })), { inputs: { kW: '100', PF: '0.95' }, amount: '950.00' }, '1.00 and 0.90')
  t.match(line(input({ month: { nominated_kW: '120', lastPF: null } })), { inputs: { kW: '120', PF: '0.95' }, amount: '1140.00' })
  t.match(line(input({})), { inputs: { kW: '100', PF: '0.72' } }, 'as it was: 72.5 of 100')
  t.equal(calculate(input({ events: [], month: { nominated_kW: '120', lastPF: null } })).period, null, 'no factor, no capacity')
  const idle = calculate(input({ events: [], month: { nominated_kW: '120', lastPF: '0.80' }, terms: { ...input({}).terms, rules: [{ kind: 'capacity', rate: '10', per: 'month' }, { kind: 'penalty', rate: '99' }, { kind: 'fee', amount: '5' }] } }))
  t.match(idle.period!.lines.map((l) => [l.kind, l.amount]), [['capacity', '960.00'], ['fee', '-5.00']], 'no shortfall where nobody was called')
  t.end()
})

t.test('CORE-035 what promises come to at once', (t) => {
  const p = (s: number, end: number, power_W: number) => ({ start: s, end, power_W })
  t.equal(mostAtOnce([], { start: 0, end: 9 }), 0)
  t.equal(mostAtOnce([p(0, 5, 4), p(5, 9, 6)], { start: 0, end: 9 }), 6, 'one after the other')
  t.equal(mostAtOnce([p(0, 6, 4), p(5, 9, 6)], { start: 0, end: 9 }), 10)
  t.equal(mostAtOnce([p(0, 6, 4), p(5, 9, 6)], { start: 0, end: 5 }), 4, 'of the window alone')
  t.end()
})
