import t from 'tap'
import { testDoor } from '#core/operator/test-door.js'

// real databases on a machine that is shared with other tests
t.setTimeout(300_000)

const noon = Date.UTC(2026, 6, 15, 18), start = Date.UTC(2026, 6, 15, 22) / 1000, hours = 4, customers = 100
const day = 86_400

/** 15-minute rows from 12:00 to 20:00 in Denver on a day counted from the event's. */
function rows(point: string, offset: number, Wh: (at: number) => number): object[] {
  return Array.from({ length: 32 }, (_, i) => {
    const at = start - 4 * 3600 + offset * day + i * 900
    return { servicePoint: point, start: new Date(at * 1000).toISOString(), minutes: 15, Wh: Wh(at) }
  })
}

t.test('CORE-193 the five steps: a 2 MW customer, the market resource, 200 MW offered for 16:00-20:00, dispatched, settled', async (t) => {
  const { as, core, clock } = await testDoor(t, { nowMs: noon }), ada = await as('admin', 'ada'), sofia = await as('settlement', 'sofia'), amir = await as('approver', 'amir')
  const ok = async (answer: Promise<{ statusCode: number; body: string; data: any }>): Promise<any> => {
    const a = await answer
    if (a.statusCode >= 300) throw new Error(`${a.statusCode} ${a.body.slice(0, 500)}`)
    return a.data
  }
  // 1. customers
  await ok(ada('POST', 'programs', { name: 'market', timeZone: 'America/Denver', direction: 'down', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'portfolio' }, currency: 'USD', energyPrice: '0.50', customerShare: '0.70' }))
  const names = Array.from({ length: customers }, (_, i) => `plant-${i}`)
  await ok(ada('POST', 'service-points', names.map((name) => ({ name, gridPath: ['F1'] }))))
  await ok(ada('POST', 'resources', names.map((name) => ({ name: `${name}-load`, servicePoint: name, kind: 'building', rated_kW: 2000, bindings: [{ protocol: 'openadr', remoteId: `ven-${name}` }] }))))
  await ok(ada('POST', 'enrolments', names.map((name) => ({ program: 'market', servicePoint: name, nominated_kW: 2000, to: 'active', consent: { purpose: 'settlement', grantedAt: '2026-01-01T00:00:00Z' } }))))
  await ok(ada('POST', 'availability', { availability: names.map((name) => ({ resource: `${name}-load`, start: '2026-07-15T18:00:00Z', end: '2026-07-16T06:00:00Z', down_kW: 2000, up_kW: 0, expected_W: 3_000_000 })) }))
  // three weeks in which nothing happens: 3 MW all afternoon
  const flat = names.flatMap((n) => [-1, -2, -5, -6, -7, -8, -9, -12, -13, -14].flatMap((d) => rows(n, d, () => 750_000)))
  await ok(ada('POST', 'readings', flat.map((r) => JSON.stringify(r)).join('\n'), { 'content-type': 'application/x-ndjson' }))
  // 2. the market resource
  await ok(ada('POST', 'aggregations', { name: 'portfolio', hierarchy: 'market', members: names.map((n) => `${n}-load`) }))
  await ok(ada('POST', 'market-resources', { name: 'DR_200', market: 'iso', aggregation: 'portfolio', direction: 'down', capability_kW: 200_000, method: 'CAISO_10IN10', metering: { intervalMinutes: 15, level: 'portfolio' } }))
  for (const to of ['submitted', 'accepted']) await ok(ada('POST', 'market-resources/DR_200/transitions', { to }))
  // 3. the offer
  core.timetable.start()
  const isps = Array.from({ length: 16 }, (_, i) => ({ isp: i + 1, power_kW: 200_000 }))
  const request = await ok(ada('POST', 'flex-requests', { program: 'market', periodStart: '2026-07-15T16:00:00-06:00', isps, expiresAt: '2026-07-15T15:00:00-06:00' }))
  const offer = await ok(ada('POST', 'flex-offers', { request: request.id, isps, price: '0.50', expiresAt: '2026-07-15T14:00:00-06:00' }))
  // 4. the dispatch
  await ok(ada('POST', 'flex-orders', { offer: offer.id }))
  await core.timetable.settled()
  const [dispatch] = (await ok(ada('GET', 'dispatches'))).items
  t.match(dispatch, { power_kW: 200_000, start: '2026-07-15T16:00:00-06:00', end: '2026-07-15T20:00:00-06:00', allocation: { total_kW: 200_000, shortfall_kW: 0 } })
  const event = names.flatMap((n) => rows(n, 0, (at) => (at < start ? 750_000 : 250_000)))
  const late = event.filter((r) => (r as { servicePoint: string }).servicePoint === 'plant-7')
  await clock.advance((start + hours * 3600 + 60) * 1000 - noon)
  await ok(ada('POST', 'readings', { readings: event.filter((r) => !late.includes(r)) }))
  await core.timetable.settled()
  // the timetable ends the event, waits for late readings and verifies: each step by the clock
  for (let n = 0; n < 40 && (await ok(ada('GET', `dispatches/${dispatch.id}`))).state !== 'verified'; n++) {
    await clock.advance(600_000)
    await core.timetable.settled()
  }
  // 5. the settlement
  const period = { program: 'market', from: '2026-07-01T00:00:00-06:00', to: '2026-08-01T00:00:00-06:00' }
  const settle = async (): Promise<any> => {
    const run = await ok(sofia('POST', 'settlement-runs', period))
    t.equal((await sofia('POST', `settlement-runs/${run.id}/approve`, {})).statusCode, 403)
    await ok(amir('POST', `settlement-runs/${run.id}/approve`, {}))
    return await ok(sofia('POST', `settlement-runs/${run.id}/issue`, {}))
  }
  const performance = await ok(ada('GET', `dispatches/${dispatch.id}/performance`))
  t.match(performance, { status: 'OK', delivered_kWh: 792_000, days: { length: 10 }, excludedPoints: { length: 1 }, band: { p10: 0, p50: 0, p90: 0, delivered_kWh: [792_000, 792_000] } }, '99 of 100 in time; CORE-169 the band of flat days is no wider than the number')
  const first = await settle()
  t.match(first, { state: 'issued', revenue: '396000.00', customerPool: '277200.00', aggregator: '118800.00', runNumber: 1 }, 'aggregator 30 %, between 20 and 50')
  const knownThen = clock.nowMs()

  const statements = (await ok(sofia('GET', `statements?run=${first.id}&limit=1000`))).items, one = statements.find((s: { amount: string }) => s.amount === '2800.00')

  await t.test('CORE-191, UX-064 the statement holds every figure, as JSON and as a page to print with a chart', async (t) => {
    t.match(one, { delivered_kWh: 8000, body: { method: 'CAISO_10IN10', share: '0.70', price: '0.50', lines: [{ dispatch: dispatch.id, baseline_kWh: 12_000, metered_kWh: 4000, own_kWh: 8000, paid_kWh: 8000, amount: '2800.00', days: { length: 10 } }], dispute: { how: String, until: Number } } })
    const page = await sofia('GET', `statements/${one.id}`, undefined, { accept: 'text/html,application/xhtml+xml' })
    t.match(page.headers['content-type'], /text\/html/)
    for (const words of ['12000.000 kWh', '4000.000 kWh', '8000.000 kWh', '2800.00 USD', 'CAISO_10IN10', '2026-07-14', 'dispute', 'America/Denver']) t.ok(page.body.includes(words), words)
    t.equal(page.body.match(/<rect /g)?.length, 16)
    t.notMatch(page.body, /<script|<style|style=|onload|http:\/\/(?!www\.w3\.org)/, 'nothing that a strict content policy would stop')
  })

  await t.test('CORE-236 lineage: from a line to readings, instruction, acknowledgement, consent and rules in one call, and back', async (t) => {
    const chain = await ok(sofia('GET', `lineage?statement=${one.id}&line=${dispatch.id}`))
    t.match(chain, {
      run: { inputHash: /^[0-9a-f]{64}$/, resultHash: /^[0-9a-f]{64}$/ }, enrolments: [{ state: 'active', consent: { purpose: 'settlement' } }],
      lines: [{ revisions: { length: 1 }, instructions: [{ state: String, attempts: 1, acknowledgedAt: Number }], verification: { inputHash: performance.inputHash }, rules: { programVersion: 1 }, readings: { length: 16 * 11 } }],
    })
    const back = await ok(sofia('GET', `lineage?reading=${one.servicePoint}/2026-07-15T22:00:00Z/import`))
    t.match(back, { reading: { Wh: 250_000 }, results: [{ role: 'metered', dispatch: dispatch.id }], statements: [{ statement: one.id }] })
    t.match(await ok(sofia('GET', `lineage?servicePoint=${one.servicePoint}&start=2026-07-10T22:00:00Z`)), { results: [{ role: 'baseline' }] })
    t.match(await ok(sofia('GET', `lineage?servicePoint=${one.servicePoint}&start=2026-07-15T20:00:00Z`)), { results: [{ role: 'adjustment' }] })
    t.equal((await sofia('GET', `lineage?servicePoint=${one.servicePoint}&start=2026-01-01T00:00:00Z`)).statusCode, 404)
    t.equal((await sofia('GET', 'lineage')).statusCode, 422)
  })

  await t.test('CORE-192, CORE-190 a dispute holds the payout of its line, not of the statement; the books stay balanced', async (t) => {
    const balance = async (account: string): Promise<string | undefined> => (await ok(sofia('GET', 'ledger/trial-balance'))).items[0].accounts[account]
    t.equal(await balance(one.servicePoint), '2800.00')
    t.equal((await sofia('POST', 'disputes', { statement: one.id, line: 'no such line', reason: 'x' })).statusCode, 422)
    const d = await ok(sofia('POST', 'disputes', { statement: one.id, line: dispatch.id, reason: 'the meter was wrong' }))
    t.strictSame([await balance(one.servicePoint), await balance(`held:${one.servicePoint}`)], ['0.00', '2800.00'])
    for (const to of ['underReview', 'upheld']) await ok(sofia('POST', `disputes/${d.id}/transitions`, { to }))
    t.equal((await sofia('POST', `disputes/${d.id}/transitions`, { to: 'closed' })).statusCode, 409)
    await ok(sofia('POST', `disputes/${d.id}/transitions`, { to: 'closed', adjustment: '25.50' }))
    t.strictSame([await balance(one.servicePoint), await balance(`held:${one.servicePoint}`)], ['2825.50', '0.00'])
    t.match((await ok(sofia('GET', 'ledger/trial-balance'))).items, [{ currency: 'USD', total: '0.00', balanced: true }])
  })

  await t.test('CORE-120, CORE-187, CORE-011 late readings wait for the next run, which shows the delta; what was known then still gives the answer of then', async (t) => {
    await clock.advance(60_000)
    await ok(ada('POST', 'readings', { readings: late }))
    t.match(await ok(sofia('GET', `settlement-runs/${first.id}`)), { revenue: '396000.00', resultHash: first.resultHash }, 'nothing of it moved')
    await ok(ada('POST', `dispatches/${dispatch.id}/verify`, {}))
    t.match(await ok(ada('GET', `dispatches/${dispatch.id}/performance`)), { delivered_kWh: 800_000, computations: 2 })
    t.match(await ok(ada('GET', `dispatches/${dispatch.id}/performance?asOf=${new Date(knownThen).toISOString()}`)), { delivered_kWh: 792_000, inputHash: performance.inputHash, asOf: new Date(knownThen).toISOString() })
    const second = await settle()
    t.match(second, { runNumber: 2, revenue: '400000.00', customerPool: '280000.00', supersedes: first.id })
    const changed = (await ok(sofia('GET', `statements?run=${second.id}&limit=1000`))).items.filter((s: { delta: string }) => s.delta !== '0.00')
    t.match(changed, [{ delta: '2800.00', amount: '2800.00' }], 'one statement differs')
    t.match(await ok(sofia('GET', `settlement-runs/${first.id}`)), { state: 'superseded', revenue: '396000.00', resultHash: first.resultHash, inputHash: first.inputHash })
    t.match((await ok(sofia('GET', 'ledger/trial-balance'))).items, [{ balanced: true }])
    const third = await ok(sofia('POST', 'settlement-runs', period))
    t.strictSame([third.inputHash, third.resultHash], [second.inputHash, second.resultHash], 'CORE-188 same inputs, same result')
  })

  await t.test('CORE-198 income by program and component, no period twice; CORE-055 tests are listed apart', async (t) => {
    t.match((await ok(sofia('GET', `revenue?servicePoint=plant-3`))).items, [{ component: 'energy', amount: '2800.00', currency: 'USD' }])
    const test = await ok(ada('POST', 'dispatches', { program: 'market', power_kW: 100, start: '2026-07-16T08:00:00-06:00', duration: 'PT1H', test: true, dryRun: true }))
    t.equal(test.test, true)
    t.match(await ok(ada('GET', 'kpis?program=market')), { events: 1, tests: { events: 0 } })
  })

  await t.test('CORE-195 key figures without loading the fleet; CORE-223 the network operator sees no customer', async (t) => {
    t.match(await ok(ada('GET', 'kpis?program=market')), { events: 1, enrolled: 100, active: 100, participationRate: 1, deliveryRatio: 1, reliability: 1, latency_ms: { p50: Number } })
    const dso = await as('dso', 'grid'), seen = JSON.stringify([(await dso('GET', `dispatches/${dispatch.id}`)).data, (await dso('GET', `dispatches/${dispatch.id}/performance`)).data, (await dso('GET', `dispatches/${dispatch.id}/deliveries`)).data, (await dso('GET', 'grid')).data])
    t.notMatch(seen, /plant-/)
    for (const s of statements.slice(0, 5)) t.notOk(seen.includes(s.servicePoint))
    t.match((await dso('GET', `grid?dispatch=${dispatch.id}`)).data, { items: [{ node: 'F1', resources: 100, allocated_kW: 200_000 }] })
  })
  t.match(await ok(ada('GET', 'audit/verify')), { verified: true })
})
