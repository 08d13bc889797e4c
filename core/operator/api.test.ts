import t from 'tap'
import { anchorDaily, type ChainHead } from '#core/audit/anchor.js'
import { registry } from '#core/operator/registry.js'
import { caller, homes, testDoor } from '#core/operator/test-door.js'
import { silent } from '#core/port/log.js'

// real databases on a machine that is shared with other tests
t.setTimeout(240_000)

const noon = Date.UTC(2026, 6, 15, 18)

t.test('UX-025 a linter over /openapi.json finds nothing', async (t) => {
  const { as } = await testDoor(t, { nowMs: noon }), call = await as('admin', 'ada'), api = (await call('GET', '/openapi.json')).data, faults: string[] = [], ids = new Set<string>(), tags = new Set(api.tags.map((x: { name: string }) => x.name))
  const resolve = (ref: string): unknown => ref.split('/').slice(1).reduce((at: any, name) => at?.[name], api)
  for (const [path, item] of Object.entries<Record<string, any>>(api.paths)) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map((m) => m[1]!)
    for (const [method, op] of Object.entries(item)) {
      const at = `${method} ${path}: `
      if (!op.summary) faults.push(`${at}no summary`)
      if (!op.operationId || ids.has(op.operationId)) faults.push(`${at}operationId missing or taken`)
      ids.add(op.operationId)
      if (!op.tags?.length || !op.tags.every((x: string) => tags.has(x))) faults.push(`${at}undeclared tag`)
      if (!op.responses?.default) faults.push(`${at}no problem`)
      if (path.startsWith('/api/') && !op.security?.length) faults.push(`${at}no security`)
      const declared = (op.parameters ?? []).filter((p: { in: string }) => p.in === 'path').map((p: { name: string }) => p.name)
      for (const n of named) if (!declared.includes(n)) faults.push(`${at}{${n}} is not declared`)
      for (const p of op.parameters ?? []) if (p.in === 'path' && p.required !== true) faults.push(`${at}${p.name} is not required`)
      const keys = (op.parameters ?? []).map((p: { in: string; name: string }) => `${p.in} ${p.name}`)
      if (new Set(keys).size !== keys.length) faults.push(`${at}a parameter twice`)
    }
  }
  JSON.stringify(api, (key, value: unknown) => {
    if (key === '$ref' && resolve(value as string) === undefined) faults.push(`${value as string} leads nowhere`)
    return value
  })
  t.strictSame(faults, [])
  t.equal(api.openapi, '3.1.0')
})

t.test('UX-025 the examples of what can be created from nothing work as they stand', async (t) => {
  const { as } = await testDoor(t, { nowMs: noon }), call = await as('admin', 'ada')
  const order = ['programs', 'service-points', 'resources', 'aggregations', 'enrolments', 'contacts', 'notice-templates', 'claims', 'market-resources', 'availability', 'readings', 'weather', 'aggregates', 'webhooks']
  for (const path of order) {
    const route = registry.find((r) => r.method === 'POST' && r.path === path), answer = await call('POST', path, route?.example)
    t.ok(answer.statusCode < 300, `${path}: ${answer.statusCode} ${answer.statusCode >= 300 ? answer.body : ''}`)
  }
})

t.test('CORE-231 a failed login is in the trail, once a minute for each address, without the token', async (t) => {
  const { as, app, clock } = await testDoor(t, { nowMs: noon, door: { home: 'default' } }), ada = await as('admin', 'ada')
  for (let i = 0; i < 5; i++) await caller(app, `lst_ZGVmYXVsdA.${'ab'.repeat(12)}`)('GET', 'programs')
  const records = async () => {
    // written beside the answer: ask until it is there
    for (let n = 0; n < 100; n++) {
      const found = (await ada('GET', 'audit?limit=1000')).data.items.filter((r: { action: string }) => r.action === 'login.fail')
      if (found.length > 0) return found
    }
    return []
  }
  t.match(await records(), [{ entity: 'address:127.0.0.1', reason: '1 failed' }])
  await clock.advance(61_000)
  await caller(app, 'guess')('GET', 'programs')
  let found = await records()
  for (let n = 0; n < 100 && found.length < 2; n++) found = await records()
  t.match(found.at(-1), { reason: '5 failed' })
  t.notMatch(JSON.stringify(found), /abab|guess/)
})

t.test('CORE-232 the head goes out daily, and a chain that no longer holds it is named', async (t) => {
  const { as, database, clock } = await testDoor(t, { nowMs: noon }), ada = await as('admin', 'ada'), heads: ChainHead[] = []
  let broken = true
  const stop = anchorDaily({ stores: database.stores, clock, log: silent, tenants: ['default'], put: async (h) => { if (broken) throw new Error('full'); heads.push(h) } })
  t.teardown(stop)
  const until = async (n: number): Promise<void> => { for (let i = 0; i < 2000 && heads.length < n; i++) await new Promise((done) => { setImmediate(done) }) }
  await until(1)
  await database.ping()
  broken = false
  for (let i = 0; i < 50 && heads.length < 1; i++) { await clock.advance(3_600_000); await database.ping() }
  t.equal(heads.length, 1, 'tried again after an hour')
  await ada('POST', 'service-points', { name: 'x' })
  for (let i = 0; i < 50 && heads.length < 2; i++) { await clock.advance(86_400_000); await database.ping() }
  t.equal(heads.length >= 2, true)
  const last = heads.at(-1)!
  t.match((await ada('GET', `audit/verify?seq=${last.seq}&hash=${last.hash}`)).data, { verified: true, anchor: true })
  t.match((await ada('GET', `audit/verify?seq=${last.seq}&hash=${'0'.repeat(64)}`)).data, { verified: false, anchor: false })
  t.match((await ada('GET', `audit/verify?seq=${last.seq + 1000}&hash=${last.hash}`)).data, { verified: false }, 'cut off at the end')
})

t.test('CORE-155, CORE-166, CORE-169, CORE-011 baselines over the API: every method, bands, control groups, as of a time', async (t) => {
  const { as, clock } = await testDoor(t, { nowMs: noon }), call = await as('admin', 'ada')
  await homes(call, 8)
  const start = Date.UTC(2026, 6, 15, 22) / 1000, at = (s: number): string => new Date(s * 1000).toISOString(), rows = []
  for (let i = 0; i < 8; i++) for (let d = -40; d <= 0; d++) for (let q = -16; q < 16; q++) {
    const s = start + d * 86_400 + q * 900
    rows.push({ servicePoint: `home-${i}`, start: at(s), minutes: 15, Wh: 500 + ((i * 31 + d * 17 + q * 5 + 4000) % 40) - (d === 0 && q >= 0 && q < 8 ? 200 : 0) })
  }
  t.equal((await call('POST', 'readings', { readings: rows })).statusCode, 200)
  await call('POST', 'weather', { station: 'KDEN', minutes: 60, rows: Array.from({ length: 41 * 24 }, (_, h) => ({ start: at(Date.UTC(2026, 5, 6) / 1000 + h * 3600), celsius: 20 + 8 * Math.sin(h / 4) + (h % 5) })) })
  const methods: { name: string }[] = (await call('GET', 'baselines')).data.items
  t.ok(methods.length >= 20)
  const event = { program: 'peak', start: at(start), duration: 'PT2H' }
  for (const { name } of methods) {
    const answer = await call('POST', 'baselines/compute', { ...event, method: name, parameters: { weatherStation: 'KDEN' } })
    t.equal(answer.statusCode, 200, name)
    t.ok(answer.data.status === 'OK' ? answer.data.baseline_kWh > 20 && answer.data.baseline_kWh < 45 : answer.data.reasons.length > 0, `${name}: ${answer.data.status} ${answer.data.baseline_kWh ?? answer.data.reasons.join('; ')}`)
  }
  const first = (await call('POST', 'baselines', event)).data
  t.match(first, { status: 'OK', band: { p10: Number, p90: Number, n: 80 } })
  const tested = (await call('POST', 'baselines/backtest', { program: 'peak', days: ['2026-07-08', '2026-07-09', '2026-07-10'], fromHour: 16, toHour: 18 })).data
  t.match(tested, { intervals: 24, eligible: true, band: { n: 24 }, days: { length: 3 } })
  t.ok(tested.rrmse < 0.05)
  const effect = (await call('POST', 'baselines/control-group', { program: 'peak', start: at(start), duration: 'PT2H', seed: 'summer', controlShare: 0.5 })).data
  t.match(effect, { status: 'OK', treatment: { length: 4 }, control: { length: 4 }, balance: { balanced: Boolean }, effect: { didPerCustomer_kW: Number, ci95: { length: 2 } } })
  t.strictSame((await call('POST', 'baselines/control-group', { program: 'peak', start: at(start), duration: 'PT2H', seed: 'summer', controlShare: 0.5 })).data.control, effect.control, 'fixed by its seed')
  await clock.advance(3_600_000)
  await call('POST', 'readings', { readings: [{ servicePoint: 'home-0', start: at(start - 86_400), minutes: 15, Wh: 90_000 }] })
  t.not((await call('POST', 'baselines', event)).data.baseline_kWh, first.baseline_kWh)
  t.equal((await call('POST', 'baselines', { ...event, asOf: new Date(noon + 60_000).toISOString() })).data.baseline_kWh, first.baseline_kWh, 'as it was known then')
})
