import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { examples, type Example } from '#core/operator/examples.js'
import { registry } from '#core/operator/registry.js'
import { testDoor, type Call } from '#core/operator/test-door.js'
import { packageRoot } from '#core/package-root.js'

t.setTimeout(300_000)
/** Noon in Denver on a Wednesday. */
const noon = Date.UTC(2026, 6, 15, 18)
/** Operations whose good answer needs what only another room has; their request is the example. */
const elsewhere: Readonly<Record<string, string>> = {
  'POST claims/redeem': 'a device certificate and the proof of its key', 'POST notices/:id/resend': 'a mail server', 'POST users': 'runs with the console', 'PATCH users/:id': 'runs with the console',
}

type Step = [method: string, path: string, body?: unknown, options?: { text?: string; with?: Record<string, string>; query?: string; by?: string; keep?: string; headers?: Record<string, string>; first?: () => Promise<void> }]
const exampleOf = (key: string): unknown => registry.find((r) => `${r.method} ${r.path}` === key)?.example
const at = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')

/** Lists show two of their items; the rest says nothing new. */
const short = (v: unknown): unknown => (Array.isArray(v) ? v.slice(0, 2).map(short) : v !== null && typeof v === 'object' ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, short(x)])) : v)

/** Names and kinds of members, whatever their values: ids and times differ from run to run. */
function shape(v: unknown): unknown {
  if (Array.isArray(v)) return v.length > 0 ? [shape(v[0])] : []
  if (v === null || typeof v !== 'object') return v === null ? 'null' : typeof v
  return Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, x]) => [/^[0-9a-f-]{36}$/.test(k) ? 'id' : k, shape(x)]))
}

t.test('UX-025 every operation has an example, and each one of them is what the API answers', async (t) => {
  const { as, core, clock } = await testDoor(t, { nowMs: noon }), people: Record<string, Call> = { ada: await as('admin', 'ada'), amir: await as('approver', 'amir') }
  const found = new Map<string, Example>(), names = new Map<string, string>()
  const say = async ([method, path, body, o = {}]: Step): Promise<any> => {
    await o.first?.()
    const url = path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(names.get(o.with?.[name] ?? name) ?? o.with?.[name] ?? name)), fill = (text: string): string => text.replaceAll(/\$(\w+)/g, (_, name: string) => names.get(name) ?? name)
    const request = body === undefined ? undefined : JSON.parse(fill(JSON.stringify(body))) as unknown, query = o.query === undefined ? undefined : fill(o.query)
    const answer = await people[o.by ?? 'ada']!(method, `${url}${query ? `?${query}` : ''}`, o.text ?? request, o.headers)
    t.ok(answer.statusCode < 300, `${method} ${path}: ${answer.statusCode} ${answer.statusCode < 300 ? '' : answer.body.slice(0, 300)}`)
    if (o.keep) names.set(o.keep, answer.data?.id ?? answer.data?.items?.[0]?.id)
    const key = `${method} ${path}`
    if (!found.has(key)) found.set(key, { ...(query ? { query } : {}), ...(request === undefined ? {} : { request }), status: answer.statusCode, ...(answer.data === undefined ? {} : { answer: short(answer.data) }) })
    return answer.data
  }
  const say2 = async (steps: Step[]): Promise<void> => { for (const s of steps) await say(s) }
  const create = (path: string, keep: string, body: unknown = exampleOf(`POST ${path}`)): Step => ['POST', path, body, { keep }]
  const start = Date.UTC(2026, 6, 15, 22) / 1000, history = [-1, -2, -5, -6, -7, -8, -9, -12, -13, -14].flatMap((d) => Array.from({ length: 32 }, (_, i) => ({ servicePoint: 'home-1', start: at(start - 14_400 + d * 86_400 + i * 900), minutes: 15, Wh: 2500 })))

  await say2([
    ['GET', 'me'], create('programs', 'program'), ['GET', 'programs'], ['GET', 'programs/:id', undefined, { with: { id: 'program' } }], ['PATCH', 'programs/:id', { energyPrice: '0.55' }, { with: { id: 'program' } }],
    ['PUT', 'programs/:id', { energyPrice: '0.50', rules: { disputeDays: 30, prices: [{ kind: 'fee', amount: '1.00' }] } }, { with: { id: 'program' } }], ['GET', 'programs/:id/versions', undefined, { with: { id: 'program' } }],
    create('service-points', 'point'), ['GET', 'service-points'], ['GET', 'service-points/:id', undefined, { with: { id: 'point' } }], ['PATCH', 'service-points/:id', { account: 'A-1001' }, { with: { id: 'point' } }], ['PUT', 'service-points/:id', { importLimit_kW: 17 }, { with: { id: 'point' } }],
    ['POST', 'service-points/:id/schedule', exampleOf('POST service-points/:id/schedule'), { with: { id: 'point' } }],
    create('resources', 'resource'), ['GET', 'resources'], ['GET', 'resources/:id', undefined, { with: { id: 'resource' } }], ['PATCH', 'resources/:id', { cost: '0.12' }, { with: { id: 'resource' } }], ['PUT', 'resources/:id', { minBlock_kW: 0 }, { with: { id: 'resource' } }],
    create('aggregations', 'aggregation'), ['GET', 'aggregations'], ['GET', 'aggregations/:id', undefined, { with: { id: 'aggregation' } }], ['PATCH', 'aggregations/:id', { cap_kW: 100 }, { with: { id: 'aggregation' } }], ['PUT', 'aggregations/:id', { cap_kW: 120 }, { with: { id: 'aggregation' } }],
    create('enrolments', 'enrolment'), ['GET', 'enrolments'], ['GET', 'enrolments/:id', undefined, { with: { id: 'enrolment' } }],
    ['POST', 'enrolments/:id/transitions', { to: 'eligible' }, { with: { id: 'enrolment' } }], ['POST', 'enrolments/:id/transitions', { to: 'verified' }, { with: { id: 'enrolment' } }], ['POST', 'enrolments/:id/transitions', { to: 'active', tested: true }, { with: { id: 'enrolment' } }],
    ['POST', 'enrolments/bulk', exampleOf('POST enrolments/bulk'), { keep: 'bulk' }], ['GET', 'enrolments/bulk/:id', undefined, { with: { id: 'bulk' } }],
    ['POST', 'readings', { readings: history.slice(0, 2) }], ['POST', 'readings', { readings: history.slice(2) }], ['GET', 'readings', undefined, { query: `servicePoint=home-1&from=${at(start - 86_400)}&to=${at(start)}&limit=2` }],
    ['POST', 'readings', undefined, { query: 'servicePoint=home-1&columns=start=Zeit,Wh=Wert&minutes=15&unit=kWh&zone=America/Denver&remember=stadtwerke', headers: { 'content-type': 'text/csv' }, text: 'Zeit,Wert\n2026-06-01 00:00,0.25\n' }], ['GET', 'import-mappings'], ['DELETE', 'import-mappings/:id', undefined, { with: { id: 'stadtwerke' } }],
    create('weather', 'weather'), ['GET', 'baselines'],
  ])
  await say2([
    create('webhooks', 'hook', { ...(exampleOf('POST webhooks') as object), events: ['dispatch.*'] }), ['GET', 'webhooks'], ['GET', 'webhooks/:id', undefined, { with: { id: 'hook' } }], ['PATCH', 'webhooks/:id', { rotateSecret: true }, { with: { id: 'hook' } }],
    create('contacts', 'contact'), ['GET', 'contacts'], ['GET', 'contacts/:id', undefined, { with: { id: 'contact' } }], ['PATCH', 'contacts/:id', { email: 'new@example.org' }, { with: { id: 'contact' } }],
    create('notice-templates', 'template'), ['GET', 'notice-templates'], ['GET', 'notices'], create('claims', 'claim'), ['GET', 'claims'], create('market-resources', 'market'), ['GET', 'market-resources'],
    ['GET', 'market-resources/:id', undefined, { with: { id: 'market' } }], ['POST', 'market-resources/:id/transitions', { to: 'submitted' }, { with: { id: 'market' } }],
    create('availability', 'availability', { resource: 'battery-1', start: at(noon / 1000), end: at(noon / 1000 + 86_400), down_kW: 5, up_kW: 5, expected_W: 0 }), ['GET', 'availability', undefined, { query: `resource=battery-1&from=${at(noon / 1000)}&to=${at(start)}` }],
    create('opt-outs', 'optOut', { resource: 'battery-1', from: '2026-07-20T00:00:00Z', to: '2026-07-21T00:00:00Z', reason: 'guests' }), ['GET', 'opt-outs'], ['GET', 'opt-outs/:id', undefined, { with: { id: 'optOut' } }], ['DELETE', 'opt-outs/:id', undefined, { with: { id: 'optOut' } }],
  ])
  core.timetable.start()
  const window = { program: 'peak', start: at(start), duration: 'PT2H' }
  await say2([
    create('dispatches', 'dispatch', { program: 'peak', power_kW: 3, start: at(start), duration: 'PT2H', reason: 'peak load' }), ['GET', 'dispatches'], ['GET', 'dispatches/:id', undefined, { with: { id: 'dispatch' } }], ['GET', 'dispatches/:id/plan', undefined, { with: { id: 'dispatch' } }],
    ['POST', 'dispatches/:id/revisions', { power_kW: 4, reason: 'more is needed' }, { with: { id: 'dispatch' } }], ['GET', 'dispatches/:id/revisions', undefined, { with: { id: 'dispatch' } }], ['GET', 'dispatches/:id/deliveries', undefined, { with: { id: 'dispatch' }, first: async () => { await core.timetable.settled() } }],
    ['GET', 'dispatches/:id/progress', undefined, { with: { id: 'dispatch' } }], ['GET', 'webhooks/:id/deliveries', undefined, { with: { id: 'hook' }, keep: 'webhookDelivery' }], ['POST', 'webhooks/:id/deliveries/:delivery/resend', {}, { with: { id: 'hook', delivery: 'webhookDelivery' } }], ['POST', 'webhooks/:id/test', {}, { with: { id: 'hook' } }], ['POST', 'webhooks/:id/resend', { from: '2026-07-15T00:00:00Z', to: '2026-07-16T00:00:00Z', state: 'pending' }, { with: { id: 'hook' } }],
    ['GET', 'devices'], ['GET', 'devices/:id/words', undefined, { with: { id: 'resource' } }], ['GET', 'devices/:id/deliveries', undefined, { with: { id: 'resource' } }], ['POST', 'devices/:id/capture', { minutes: 10 }, { with: { id: 'resource' } }], ['GET', 'devices/:id/capture', undefined, { with: { id: 'resource' } }], ['DELETE', 'devices/:id/capture', undefined, { with: { id: 'resource' } }], ['GET', 'find', undefined, { query: 'q=battery-1' }], ['POST', 'devices/:id/notes', { text: 'call the owner first' }, { with: { id: 'resource' } }], ['GET', 'devices/:id/notes', undefined, { with: { id: 'resource' } }], ['GET', 'overview'], ['GET', 'grid', undefined, { query: 'dispatch=$dispatch' }],
    ['POST', 'flex-requests', { program: 'peak', periodStart: '2026-07-16T16:00:00-06:00', isps: [{ isp: 1, power_kW: 2 }, { isp: 2, power_kW: 2 }], expiresAt: '2026-07-16T09:00:00-06:00' }, { keep: 'request' }], ['GET', 'flex-requests'], ['GET', 'flex-requests/:id', undefined, { with: { id: 'request' } }],
    ['POST', 'flex-offers', { request: '$request', isps: [{ isp: 1, power_kW: 2 }, { isp: 2, power_kW: 2 }], price: '0.40', expiresAt: '2026-07-16T08:00:00-06:00' }, { keep: 'offer' }], ['GET', 'flex-offers'], ['GET', 'flex-offers/:id', undefined, { with: { id: 'offer' } }],
    ['POST', 'flex-offers', { request: '$request', isps: [{ isp: 1, power_kW: 1 }], price: '0.45', expiresAt: '2026-07-16T08:00:00-06:00' }, { keep: 'second' }], ['POST', 'flex-offers/:id/revoke', { reason: 'changed plans' }, { with: { id: 'second' } }],
    ['POST', 'nominations', { program: 'peak', enrolment: '$enrolment', start: '2026-07-16T18:00:00-06:00', duration: 'PT1H', power_kW: 2, price: '0.40' }, { keep: 'nomination' }], ['GET', 'nominations', undefined, { query: 'program=peak&state=offered' }],
    create('prognoses', 'prognosis'), ['GET', 'prognoses', undefined, { query: 'program=peak' }], ['GET', 'prognoses/:id', undefined, { with: { id: 'prognosis' } }],
    ['GET', 'nominations/:id', undefined, { with: { id: 'nomination' } }], ['POST', 'nominations/:id/transitions', { to: 'accepted' }, { with: { id: 'nomination' } }],
    ['POST', 'flex-orders', { offer: '$offer' }, { keep: 'order' }], ['GET', 'flex-orders'], ['GET', 'flex-orders/:id', undefined, { with: { id: 'order' } }],
    ['POST', 'dispatches', { program: 'peak', power_kW: 1, start: '2026-07-17T16:00:00-06:00', duration: 'PT1H' }, { keep: 'second' }], ['POST', 'dispatches/:id/cancel', { reason: 'not needed' }, { with: { id: 'second' } }],
    ['POST', 'programs', { ...(exampleOf('POST programs') as object), name: 'careful', limits: { twoPersonAbove_kW: 1 }, rules: {} }], ['POST', 'service-points', { name: 'home-9' }], ['POST', 'resources', { name: 'battery-9', servicePoint: 'home-9', kind: 'battery', rated_kW: 5, bindings: [{ protocol: 'openadr', remoteId: 'ven-9' }] }], ['POST', 'enrolments', { program: 'careful', servicePoint: 'home-9', to: 'active' }],
    ['POST', 'dispatches', { program: 'careful', power_kW: 2, start: '2026-07-18T16:00:00-06:00', duration: 'PT1H' }, { keep: 'large' }], ['POST', 'dispatches/:id/release', {}, { with: { id: 'large' }, by: 'amir' }],
  ])
  // the event happens, and its readings come
  await clock.advance((start + 7200 + 60) * 1000 - noon)
  await say(['POST', 'readings', { readings: Array.from({ length: 32 }, (_, i) => ({ servicePoint: 'home-1', start: at(start - 14_400 + i * 900), minutes: 15, Wh: i >= 16 && i < 24 ? 1500 : 2500 })) }])
  await core.timetable.settled()
  await say2([
    ['POST', 'baselines', window], ['POST', 'baselines/compute', { ...window, method: 'UK_MID8OF10' }], ['POST', 'baselines/backtest', { program: 'peak', days: ['2026-07-13', '2026-07-14'], fromHour: 16, toHour: 18 }],
    ['POST', 'baselines/control-group', { ...window, seed: 'summer', controlShare: 0.5 }], ['POST', 'dispatches/:id/verify', {}, { with: { id: 'dispatch' } }], ['GET', 'dispatches/:id/performance', undefined, { with: { id: 'dispatch' } }],
    ['GET', 'kpis', undefined, { query: 'program=peak' }], ['GET', 'kpis/events', undefined, { query: 'program=peak' }], ['GET', 'service-levels'], ['GET', 'service-levels/alerts'],
    create('settlement-runs', 'run'), ['POST', 'settlement-runs/:id/approve', { reason: 'checked' }, { with: { id: 'run' }, by: 'amir' }], ['POST', 'settlement-runs/:id/issue', {}, { with: { id: 'run' } }], ['GET', 'settlement-runs'], ['GET', 'settlement-runs/:id', undefined, { with: { id: 'run' } }],
    ['GET', 'statements', undefined, { query: 'run=$run', keep: 'statement' }], ['GET', 'statements/:id', undefined, { with: { id: 'statement' } }], ['GET', 'ledger'], ['GET', 'ledger/trial-balance'], ['GET', 'revenue'], ['GET', 'lineage', undefined, { query: 'statement=$statement' }],
    ['POST', 'disputes', { statement: '$statement', line: '$dispatch', reason: 'the meter was changed that day', evidence: ['work order 4711'] }, { keep: 'dispute' }], ['GET', 'disputes'], ['GET', 'disputes/:id', undefined, { with: { id: 'dispute' } }],
    ['POST', 'disputes/:id/comments', exampleOf('POST disputes/:id/comments'), { with: { id: 'dispute' } }], ['GET', 'gaming', undefined, { query: 'program=peak' }],
    ['POST', 'disputes/:id/transitions', { to: 'underReview' }, { with: { id: 'dispute' } }], ['POST', 'disputes/:id/transitions', { to: 'rejected', reason: 'the work order names another meter' }, { with: { id: 'dispute' } }], ['POST', 'disputes/:id/transitions', { to: 'closed' }, { with: { id: 'dispute' } }], create('aggregates', 'aggregate'), ['GET', 'exports/readings', undefined, { query: 'servicePoint=home-1&format=ndjson&scope=regulator' }],
    create('tokens', 'token', { role: 'viewer', user: 'vera', expiresIn_s: 3600 }), ['GET', 'tokens'], ['DELETE', 'tokens/:id', undefined, { with: { id: 'token' } }], ['POST', 'stop', { scope: 'program', program: 'careful', reason: 'drill' }, { keep: 'stop' }], ['GET', 'stop', undefined, { keep: 'stop' }], ['POST', 'stop/:id/lift', {}, { with: { id: 'stop' } }],
    ['GET', 'audit', undefined, { query: 'limit=2' }], ['GET', 'audit/verify'], ['GET', 'audit/:seq', undefined, { with: { seq: '3' } }], ['GET', 'users'], ['GET', 'service-points/:id/moves', undefined, { with: { id: 'point' } }], ['POST', 'service-points/:id/moves', { what: 'moveOut', at: '2026-09-01T00:00:00-06:00', reason: 'sold' }, { with: { id: 'point' } }],
    ['POST', 'enrolments/:id/withdraw-consent', {}, { with: { id: 'enrolment' } }], ['DELETE', 'contacts/:id', undefined, { with: { id: 'contact' } }], ['POST', 'service-points/:id/erase', { reason: 'asked for by the customer' }, { with: { id: 'point' } }],
  ])
  const missing = registry.map((r) => `${r.method} ${r.path}`).filter((key) => !found.has(key) && !(key in elsewhere))
  t.same(missing, [], 'no operation without an example')
  if (process.env['LOADSTONE_WRITE_EXAMPLES']) {
    writeFileSync(join(packageRoot(), 'core/operator/examples.json'), `${JSON.stringify(Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1))), null, 1)}\n`)
    return
  }
  const kept = examples()
  for (const [key, e] of found) {
    t.equal(kept[key]?.status, e.status, key)
    t.same(shape(kept[key]?.answer), shape(e.answer), `${key} answers in the form that /openapi.json shows`)
  }
})
