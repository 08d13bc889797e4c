import t from 'tap'
import { Admission, rankOf, ranks, type Limits, type Rank } from '#core/operator/shed.js'
import { homes, testDoor } from '#core/operator/test-door.js'

t.setTimeout(240_000)

const limits: Limits = { atOnce: 20, perSecond: 10, burst: 1000, tenantShare: 1 }

t.test('REL-070 the order of sacrifice: exports and lists, then telemetry, then changes; dispatch last, and what makes safe never', (t) => {
  const first = (rank: Rank): number => {
    const door = new Admission(limits, () => 0)
    for (let n = 0; n < 200; n++) if (!door.enter(undefined, rank).admitted) return n
    return Infinity
  }
  const served = ranks.map(first)
  t.same(served, [10, 14, 17, 80, Infinity])
  // a door that is full of everything else still takes orders and cancels
  const full = new Admission(limits, () => 0)
  for (let n = 0; n < 40; n++) for (const rank of ['change', 'telemetry', 'export'] as const) full.enter(undefined, rank)
  t.equal(full.serving, 17)
  t.same(full.enter(undefined, 'export'), { admitted: false, why: 'busy', retryAfter_s: 10 })
  t.same(full.enter(undefined, 'telemetry'), { admitted: false, why: 'busy', retryAfter_s: 5 })
  t.same([full.enter(undefined, 'dispatch'), full.enter(undefined, 'safety')], [{ admitted: true }, { admitted: true }])
  for (let n = 0; n < 10; n++) full.leave(undefined)
  t.ok(full.enter(undefined, 'export').admitted, 'and it heals')
  t.end()
})

t.test('REL-071 a tenant that floods spends its own budget: nine others notice nothing, and it comes back by the clock', (t) => {
  let now = 0
  const door = new Admission({ atOnce: 100, perSecond: 10, burst: 50, tenantShare: 0.5 }, () => now), served = new Map<string, number>(), refused = new Map<string, number>()
  const ask = (tenant: string): void => {
    const v = door.enter(tenant, 'telemetry'), book = v.admitted ? served : refused
    book.set(tenant, (book.get(tenant) ?? 0) + 1)
    if (v.admitted) door.leave(tenant)
  }
  // ten seconds: the noisy one asks a thousand times a second, each of the nine five times
  for (let tick = 0; tick < 10_000; tick++) {
    now = tick
    ask('noisy')
    if (tick % 200 === 0) for (let q = 0; q < 9; q++) ask(`quiet-${q}`)
  }
  for (let q = 0; q < 9; q++) t.same([served.get(`quiet-${q}`), refused.get(`quiet-${q}`)], [50, undefined])
  t.ok(served.get('noisy')! >= 148 && served.get('noisy')! <= 150, `${served.get('noisy')}: 50 at once and 10 a second, limit + 5 % (SEC-065)`)
  now += 1000
  t.ok(door.enter('noisy', 'telemetry').admitted)
  const before = door.enter('noisy', 'change')
  now -= 3_600_000
  t.same(door.enter('noisy', 'change').admitted, before.admitted, 'a clock that is set back changes nothing')
  // places too: one that holds slow requests leaves half of them to others
  const slow = new Admission({ atOnce: 100, perSecond: 1e6, burst: 1e6, tenantShare: 0.5 }, () => 0)
  let held = 0
  while (slow.enter('noisy', 'dispatch').admitted) held++
  t.equal(held, 50)
  t.match(slow.enter('noisy', 'dispatch'), { why: 'budget' })
  t.same([slow.enter('noisy', 'safety'), slow.enter('quiet', 'dispatch')], [{ admitted: true }, { admitted: true }], 'its own stop goes through all the same')
  t.end()
})

t.test('REL-070 what each request is to this door', (t) => {
  const table: Readonly<Record<Rank, readonly string[]>> = {
    safety: ['POST /api/v1/stop', 'POST /api/v1/stop/7/lift', 'POST /api/v1/dispatches/d1/cancel', 'POST /api/v1/dispatches/d1/release', 'POST /api/v1/opt-outs', 'GET /healthz', 'GET /readyz', 'GET /metrics'],
    dispatch: ['POST /api/v1/dispatches', 'POST /api/v1/dispatches/d1/revisions', 'GET /api/v1/dispatches/d1', 'GET /api/v1/dispatches/d1/deliveries', 'POST /api/v1/flex-orders', 'POST /session'],
    change: ['POST /api/v1/enrolments', 'POST /api/v1/enrolments/bulk', 'PATCH /api/v1/programs/p', 'POST /api/v1/settlement-runs', 'POST /api/v1/stations', 'DELETE /api/v1/tokens/t'],
    telemetry: ['POST /api/v1/readings', 'POST /api/v1/availability', 'POST /api/v1/weather', 'POST /api/v1/prognoses'],
    export: ['GET /api/v1/exports/readings?servicePoint=a', 'GET /api/v1/dispatches?limit=1000', 'GET /api/v1/programs', 'GET /api/v1/opt-outs', 'POST /api/v1/baselines/backtest', 'POST /api/v1/aggregates', 'GET /', 'GET /docs', 'GET /openapi.json'],
  }
  for (const [rank, asked] of Object.entries(table)) for (const a of asked) t.equal(rankOf(a.split(' ')[0]!, a.split(' ')[1]!), rank, a)
  t.end()
})

t.test('REL-070, REL-071 at the door: 503 and 429 with Retry-After in the form of this API; the order goes through beside them', async (t) => {
  const busy = await testDoor(t, { nowMs: Date.UTC(2026, 6, 15, 18), door: { limits: { atOnce: 4, perSecond: 1e-9, burst: 40, tenantShare: 1 } } }), call = await busy.as('admin', 'ada')
  await homes(call, 1)
  // four lists at once: two places are for lists
  const lists = await Promise.all(Array.from({ length: 12 }, () => call('GET', 'programs')))
  const turned = lists.filter((a) => a.statusCode === 503)
  t.ok(turned.length > 0 && lists.some((a) => a.statusCode === 200), lists.map((a) => a.statusCode).join())
  t.match(turned[0], { headers: { 'retry-after': '10' }, data: { type: '/errors/unavailable', status: 503 } })
  const order = await call('POST', 'dispatches', { program: 'peak', power_kW: 2, start: '2026-07-15T16:00:00-06:00', duration: 'PT1H' })
  t.equal(order.statusCode, 201)
  // the budget is spent, and not renewed
  let last
  for (let n = 0; n < 60 && last?.statusCode !== 429; n++) last = await call('GET', 'programs/peak')
  t.match(last, { statusCode: 429, data: { type: '/errors/rateLimited', status: 429 } })
  t.ok(Number(last!.headers['retry-after']) >= 1)
  t.equal((await call('POST', `dispatches/${order.data.id}/cancel`, {})).statusCode, 200, 'a cancel costs nothing')
  t.equal((await (await busy.as('admin', 'otto', 'other'))('GET', 'programs')).statusCode, 200, 'another tenant has a budget of its own')
  t.equal((await busy.app.inject({ method: 'GET', url: '/healthz' })).statusCode, 200)
})
