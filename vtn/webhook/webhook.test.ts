import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { testVtn } from '#vtn/test-vtn.js'
import { addressRule } from '#vtn/webhook/address.js'
import { echoes } from '#vtn/webhook/challenge.js'
import { outbound } from '#vtn/webhook/post.js'

interface Got { url: string; headers: IncomingMessage['headers']; body: { objectType: string; operation: string; object: { id: string; targets?: string[]; programName?: string; eventName?: string }; targets?: string[] }; raw: string }
type Answering = (request: IncomingMessage, response: ServerResponse, got: Got) => void

/** A receiver on a port of its own that echoes challenges and answers posts as told. */
async function receiver(answer: Answering = (_q, r) => r.end()) {
  const got: Got[] = []
  let echo = true
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://x')
    if (request.method === 'GET') return void response.end(echo ? JSON.stringify(url.searchParams.get('echo')) : 'no')
    let raw = ''
    request.on('data', (d) => { raw += String(d) }).on('end', () => {
      const one = { url: request.url ?? '', headers: request.headers, body: JSON.parse(raw), raw }
      got.push(one)
      answer(request, response, one)
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.teardown(() => { server.closeAllConnections(); server.close() })
  return { got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, deaf: () => { echo = false } }
}

const open = { echo: 'required' as const, allowHttp: true, allow: ['127.0.0.1'], timeout_ms: 1000 }
const v = await testVtn({ webhooks: open })
t.teardown(() => v.close())
const subscribe = (as: string, callbackUrl: string, more: object = {}, objects = ['PROGRAM', 'EVENT', 'VEN', 'REPORT', 'RESOURCE', 'SUBSCRIPTION'], operations = ['CREATE', 'UPDATE', 'DELETE']) =>
  v.call('POST', '/subscriptions', as, { clientName: as, objectOperations: [{ objects, operations, callbackUrl, bearerToken: 'secret-of-receiver' }], ...more })

t.test('OA-120 OA-121 callbackUrl must be https and echo; nothing is stored otherwise', async (t) => {
  const https = await testVtn({ webhooks: { echo: 'off' } })
  t.teardown(() => https.close())
  const body = (callbackUrl: string) => ({ clientName: 'x', objectOperations: [{ objects: ['EVENT'], operations: ['CREATE'], callbackUrl }] })
  t.equal((await https.call('POST', '/subscriptions', 'bl_client', body('http://example.com/'))).statusCode, 400)
  const made = await https.call('POST', '/subscriptions', 'bl_client', body('https://example.com/'))
  t.equal(made.statusCode, 201)
  t.equal((await https.call('PUT', `/subscriptions/${made.json().id}`, 'bl_client', body('http://example.com/'))).statusCode, 400)
  const hook = await receiver()
  hook.deaf()
  t.match((await subscribe('bl_client', hook.url)).json(), { status: 400, detail: /OA-121/ })
  t.match((await subscribe('bl_client', 'http://127.0.0.1:1/nobody')).json(), { status: 400 })
  for (const bad of [{ objectOperations: [] }, { objectOperations: [{ objects: [], operations: ['CREATE'], callbackUrl: hook.url }] }]) t.equal((await v.call('POST', '/subscriptions', 'bl_client', { clientName: 'x', ...bad })).statusCode, 400)
  t.same((await v.call('GET', '/subscriptions')).json(), [])
})

t.test('OA-121 an echo may be bare, quoted or in an object, and is exact', async (t) => {
  for (const body of ['abc', ' abc\n', '"abc"', '{"echo":"abc"}', '{"x":"abc"}']) t.ok(echoes(body, 'abc'), body)
  for (const body of ['', 'abcd', 'xabc', '{"echo":"ab"}', '["abc","d"', 'null']) t.notOk(echoes(body, 'abc'), body)
})

t.test('OA-122 OA-123 OA-131 OA-132 REL-054 what a notification looks like, and who gets the secrets back', async (t) => {
  const hook = await receiver()
  const made = (await subscribe('bl_client', hook.url, { hmacSecret: 'sixteen characters' })).json()
  t.equal(made.objectOperations[0].bearerToken, 'secret-of-receiver')
  t.equal(made.hmacSecret, 'sixteen characters')
  const stored = await v.db.stores.documents.get<{ objectOperations: { bearerToken: string }[] }>('test', 'vtn/subscription', made.id)
  t.match(stored?.body.objectOperations[0]?.bearerToken, /^sealed:/)
  const p = (await v.call('POST', '/programs', 'bl_client', { programName: 'p1', targets: ['g1', 'g2'] })).json()
  await v.vtn.drain()
  const create = hook.got.find((g) => g.body.objectType === 'PROGRAM')
  t.same(create?.body, { objectType: 'PROGRAM', operation: 'CREATE', object: p, targets: ['g1', 'g2'] })
  t.match(create?.headers, { 'content-type': 'application/json', authorization: 'Bearer secret-of-receiver', 'x-openadr-attempt': '1' })
  t.equal(create?.headers['x-openadr-signature'], `sha256=${createHmac('sha256', 'sixteen characters').update(create?.raw ?? '').digest('hex')}`)
  const at = String(v.clock.now())
  t.match(create?.headers, { 'x-openadr-timestamp': at, 'x-openadr-signature-timestamped': `sha256=${createHmac('sha256', 'sixteen characters').update(`${at}.${create?.raw ?? ''}`).digest('hex')}` })
  const before = hook.got.length
  await v.call('PUT', `/programs/${p.id}`, 'bl_client', { programName: 'p1', targets: ['g1', 'g2'] })
  await v.vtn.drain()
  t.equal(hook.got.length, before, 'OA-054 a PUT that changes nothing is not told')
  await v.call('DELETE', `/programs/${p.id}`)
  await v.vtn.drain()
  t.equal(hook.got.at(-1)?.body.operation, 'DELETE')
  await v.call('DELETE', `/subscriptions/${made.id}`)
})

t.test('OA-124 OA-125 OA-126 OA-106 who is told, and with which targets', async (t) => {
  const venHook = await receiver(), blHook = await receiver(), boundHook = await receiver()
  const [mine, other] = [(await v.call('POST', '/vens', 'bl_client', { objectType: 'BL_VEN_REQUEST', clientID: 'ven_client', venName: 'v1', targets: ['g1'] })).json(), (await v.call('POST', '/vens', 'bl_client', { objectType: 'BL_VEN_REQUEST', clientID: 'ven_client2', venName: 'v2', targets: ['g2'] })).json()]
  const home = (await v.call('POST', '/programs', 'bl_client', { programName: 'home' })).json(), away = (await v.call('POST', '/programs', 'bl_client', { programName: 'away' })).json()
  await subscribe('ven_client', venHook.url)
  await subscribe('bl_client', blHook.url, { targets: ['g2'] })
  await subscribe('bl_client', boundHook.url, { programID: home.id })
  await v.vtn.drain()
  for (const hook of [venHook, blHook, boundHook]) hook.got.length = 0
  const event = async (programID: string, eventName: string, targets?: string[]) => (await v.call('POST', '/events', 'bl_client', { programID, eventName, ...(targets ? { targets } : {}) })).json()
  await event(home.id, 'open')
  await event(home.id, 'both', ['g1', 'g2'])
  await event(away.id, 'second', ['g2'])
  await v.call('POST', '/resources', 'bl_client', { objectType: 'BL_RESOURCE_REQUEST', resourceName: 'r', venID: other.id })
  await v.call('PUT', `/vens/${mine.id}`, 'ven_client', { objectType: 'VEN_VEN_REQUEST', venName: 'v1', attributes: [{ type: 'AREA', values: [1] }] })
  await v.vtn.drain()
  const told = (hook: typeof venHook) => hook.got.map((g) => `${g.body.objectType} ${g.body.object.eventName ?? g.body.object.id}`).sort()
  t.same(told(venHook), ['EVENT both', 'EVENT open', `VEN ${mine.id}`])
  t.same(venHook.got.find((g) => g.body.object.eventName === 'both')?.body.targets, ['g1'], 'hidden in the notice as well')
  t.same(told(blHook), ['EVENT both', 'EVENT second'], 'targets of business logic are a plain filter')
  t.same(told(boundHook), ['EVENT both', 'EVENT open'], 'bound to a program, no ven or resource matches')
  for (const s of (await v.call('GET', '/subscriptions')).json()) await v.call('DELETE', `/subscriptions/${s.id}`, s.clientID)
})

t.test('OA-129 OA-130 REL-054 retries in order per object, then broken, mended by PUT; log and resend', async (t) => {
  let status = 503
  const hook = await receiver((_q, r) => { r.statusCode = status; r.end() })
  const sub = (await subscribe('bl_client', hook.url, {}, ['PROGRAM'])).json()
  const p = (await v.call('POST', '/programs', 'bl_client', { programName: 'retry' })).json()
  await v.call('PUT', `/programs/${p.id}`, 'bl_client', { programName: 'retry', attributes: [{ type: 'LOCAL', values: [true] }] })
  await v.vtn.drain()
  t.ok(hook.got.length >= 1)
  t.ok(hook.got.every((g) => g.body.operation === 'CREATE'), 'the update waits behind the create')
  t.match(await v.vtn.webhooks.deliveries({ state: 'retrying' }, 0, 10), [{ status: 503, attempts: 1, operation: 'CREATE' }])
  status = 200
  for (let i = 0; i < 6; i++) { await v.clock.advance(2000); await v.vtn.drain() }
  t.same(hook.got.slice(-2).map((g) => [g.body.operation, g.headers['x-openadr-attempt']]), [['CREATE', '2'], ['UPDATE', '1']])
  status = 410
  await v.call('PUT', `/programs/${p.id}`, 'bl_client', { programName: 'retry' })
  await v.vtn.drain()
  const [failed] = await v.vtn.webhooks.deliveries({ state: 'failed', subscription: sub.id }, 0, 10)
  t.match(failed, { status: 410, attempts: 1 }, 'other 4xx are not retried')
  status = 200
  const count = hook.got.length
  await v.vtn.webhooks.resend(failed?.id ?? '')
  await v.vtn.drain()
  t.equal(hook.got.length, count + 1)
  t.equal(hook.got.at(-1)?.raw, failed?.body, 'the same bytes')
  await v.call('DELETE', `/subscriptions/${sub.id}`)
})

t.test('OA-129 broken after N failures in a row; nothing more is sent until the subscription is written again', async (t) => {
  const b = await testVtn({ webhooks: { ...open, brokenAfter: 3, attempts: 2 } })
  t.teardown(() => b.close())
  let status = 500
  const hook = await receiver((_q, r) => { r.statusCode = status; r.end() })
  const body = { clientName: 'x', objectOperations: [{ objects: ['PROGRAM'], operations: ['CREATE'], callbackUrl: hook.url }] }
  const sub = (await b.call('POST', '/subscriptions', 'bl_client', body)).json()
  for (let i = 0; i < 4; i++) { await b.call('POST', '/programs', 'bl_client', { programName: `p${i}` }); await b.vtn.drain(); await b.clock.advance(10_000); await b.vtn.drain() }
  t.match(await b.vtn.webhooks.endpoints(), [{ subscription: sub.id, broken: true }])
  const sent = hook.got.length
  await b.call('POST', '/programs', 'bl_client', { programName: 'later' })
  await b.vtn.drain()
  t.equal(hook.got.length, sent)
  status = 200
  t.equal((await b.call('PUT', `/subscriptions/${sub.id}`, 'bl_client', body)).statusCode, 200)
  await b.call('POST', '/programs', 'bl_client', { programName: 'after' })
  await b.vtn.drain()
  t.equal(hook.got.at(-1)?.body.object.programName, 'after')
})

t.test('OA-133 REL-054 a slow receiver delays neither the POST nor the others; OA-127 no redirect is followed', async (t) => {
  const slow = await receiver(() => {}), fast = await receiver(), trap = await receiver(), redirecting = await receiver((_q, r) => { r.writeHead(302, { location: trap.url }); r.end() })
  const posts = async (name: string): Promise<number> => {
    const began = performance.now()
    for (let i = 0; i < 20; i++) t.equal((await v.call('POST', '/programs', 'bl_client', { programName: `${name}-${i}` })).statusCode, 201)
    return performance.now() - began
  }
  await subscribe('bl_client', fast.url, {}, ['PROGRAM'], ['CREATE'])
  await v.vtn.start()
  // The slow one never answers, which a POST that waited for it would notice for 10 s; a busy machine is judged by the same posts told to the fast one alone.
  const bare = await posts('quick')
  for (let i = 0; i < 400 && fast.got.length < 20; i++) await new Promise((r) => setTimeout(r, 20))
  fast.got.length = 0
  for (const hook of [slow, redirecting]) await subscribe('bl_client', hook.url, {}, ['PROGRAM'], ['CREATE'])
  const told = await posts('slow')
  t.ok(told < Math.max(900, 3 * bare), `20 posts took ${told} ms, without the slow one ${bare} ms`)
  for (let i = 0; i < 400 && fast.got.length < 20; i++) await new Promise((r) => setTimeout(r, 20))
  t.equal(fast.got.length, 20)
  t.same(new Set(fast.got.map((g) => g.body.object.programName)).size, 20)
  t.equal(trap.got.length, 0)
  await v.vtn.stop()
})

t.test('OA-130 rows of a process that died are delivered by the next', async (t) => {
  const d = await testVtn({ webhooks: open })
  t.teardown(() => d.close())
  const hook = await receiver()
  await d.call('POST', '/subscriptions', 'bl_client', { clientName: 'x', objectOperations: [{ objects: ['PROGRAM'], operations: ['CREATE'], callbackUrl: hook.url }] })
  await d.call('POST', '/programs', 'bl_client', { programName: 'before the crash' })
  const { buildVtn } = await import('#vtn/server.js')
  const next = await buildVtn(d.needs)
  await next.drain()
  t.equal(hook.got[0]?.body.object.programName, 'before the crash')
  await next.stop()
})

t.test('OA-128 SEC-060 addresses that webhooks may not reach', async (t) => {
  const rule = addressRule()
  for (const a of ['127.0.0.1', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255', '198.18.0.1',
    '::1', '::', 'fe80::1', 'fc00::1', 'fd12::1', 'ff02::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:10.0.0.1', '64:ff9b::7f00:1', '2002:7f00:1::', '2001:db8::1', '::127.0.0.1', 'nonsense']) t.notOk(rule.allows('h', a), a)
  for (const a of ['93.184.216.34', '8.8.8.8', '2606:4700::1111', '172.32.0.1']) t.ok(rule.allows('h', a), a)
  t.ok(addressRule(['10.0.0.0/8']).allows('h', '10.9.9.9'))
  t.ok(addressRule(['inside.example']).allows('inside.example', '10.9.9.9'))
  const out = outbound({ rule, allowHttp: true, timeout_ms: 500 })
  t.teardown(() => out.close())
  const hook = await receiver()
  const port = new URL(hook.url).port
  for (const url of [`http://127.0.0.1:${port}/`, `http://2130706433:${port}/`, `http://0x7f.1:${port}/`, `http://0177.0.0.1:${port}/`, `http://[::1]:${port}/`, `http://[::ffff:127.0.0.1]:${port}/`, `http://localhost:${port}/`, 'file:///etc/passwd', 'gopher://x/', `http://u:p@example.com:${port}/`]) {
    await t.rejects(out.post(url, '{}', {}), url)
  }
  t.equal(hook.got.length, 0)
})

t.test('OA-128 a name that changes its address between check and use is caught at connect', async (t) => {
  const hook = await receiver()
  const answers = ['93.184.216.34', '127.0.0.1']
  const out = outbound({ rule: addressRule(), allowHttp: true, timeout_ms: 300, lookup: (_h, _o, done) => done(null, [{ address: answers[1] as string, family: 4 }]) })
  t.teardown(() => out.close())
  await t.rejects(out.post(`http://rebind.example:${new URL(hook.url).port}/`, '{}', {}))
  const mixed = outbound({ rule: addressRule(), allowHttp: true, timeout_ms: 300, lookup: (_h, _o, done) => done(null, answers.map((address) => ({ address, family: 4 }))) })
  t.teardown(() => mixed.close())
  await t.rejects(mixed.post(`http://mixed.example:${new URL(hook.url).port}/`, '{}', {}))
  t.equal(hook.got.length, 0)
})

t.test('OA-123 READ notifications only where they are wanted', async (t) => {
  const r = await testVtn({ webhooks: { ...open, notifyReads: true } })
  t.teardown(() => r.close())
  const hook = await receiver()
  await r.call('POST', '/subscriptions', 'bl_client', { clientName: 'x', objectOperations: [{ objects: ['PROGRAM'], operations: ['READ'], callbackUrl: hook.url }] })
  const p = (await r.call('POST', '/programs', 'bl_client', { programName: 'read' })).json()
  await r.call('GET', `/programs/${p.id}`)
  await new Promise((done) => setTimeout(done, 100))
  await r.vtn.drain()
  t.same(hook.got.map((g) => g.body.operation), ['READ'])
})

t.test('REL-054 a receiver that is away for a day gets its notification, where the deployment says so; then it is broken', async (t) => {
  const day = await testVtn({ webhooks: { ...open, brokenAfter: 3, retryFor_h: 24 } })
  t.teardown(() => day.close())
  let status = 500
  const hook = await receiver((_q, r) => { r.statusCode = status; r.end() })
  await day.call('POST', '/subscriptions', 'bl_client', { clientName: 'x', objectOperations: [{ objects: ['PROGRAM'], operations: ['CREATE'], callbackUrl: hook.url }] })
  await day.call('POST', '/programs', 'bl_client', { programName: 'patience' })
  const pass = async (minutes: number): Promise<void> => { for (let i = 0; i < minutes; i += 10) { await day.vtn.drain(); await day.clock.advance(600_000) } }
  await pass(23 * 60)
  t.ok(hook.got.length >= 8 + 15 && hook.got.length < 60, `${hook.got.length} attempts in 23 hours`)
  t.same((await day.vtn.webhooks.endpoints()).filter((e) => e.broken), [])
  status = 200
  await pass(100)
  t.equal(hook.got.at(-1)?.body.object.programName, 'patience')
  t.equal((await day.vtn.webhooks.deliveries({ state: 'delivered' }, 0, 10)).length, 1)
  status = 500
  await day.call('POST', '/programs', 'bl_client', { programName: 'for ever' })
  await pass(26 * 60)
  t.match(await day.vtn.webhooks.endpoints(), [{ broken: true }])
})

t.test('OA-133 OA-130 more writers than database connections, all of objects that somebody subscribes to', async (t) => {
  const hook = await receiver((_q, r) => r.end())
  const w = await testVtn({ webhooks: open })
  t.teardown(() => w.close())
  t.equal((await w.call('POST', '/subscriptions', 'bl_client', { clientName: 'x', objectOperations: [{ objects: ['EVENT'], operations: ['CREATE'], callbackUrl: hook.url }] })).statusCode, 201)
  const p = (await w.call('POST', '/programs', 'bl_client', { programName: 'crowd' })).json()
  const made = await Promise.all(Array.from({ length: 60 }, (_, i) => w.call('POST', '/events', 'bl_client', { programID: p.id, eventName: `${i}`, targets: ['g1'] })))
  t.same([...new Set(made.map((m) => m.statusCode))], [201])
  // a receiver that is far behind gets its rows a little later
  for (let i = 0; i < 5; i += 1) { await w.vtn.drain(); await w.clock.advance(2000) }
  const told = new Set(hook.got.map((g) => g.body.object.id))
  t.same(made.map((m) => m.json().id as string).filter((id) => !told.has(id)), [])
})

t.test('OA-130 REL-054 more notifications at once than hands: the worker takes the rest when hands are free', async (t) => {
  const hook = await receiver((_q, r) => { setTimeout(() => r.end(), 30) })
  // A busy machine may answer late; that is not what this is about.
  const w = await testVtn({ webhooks: { ...open, timeout_ms: 30_000 } })
  t.teardown(() => w.close())
  for (let i = 0; i < 60; i += 1) await w.call('POST', '/subscriptions', 'bl_client', { clientName: `${i}`, objectOperations: [{ objects: ['EVENT'], operations: ['CREATE'], callbackUrl: `${hook.url}/${i}` }] })
  const p = (await w.call('POST', '/programs', 'bl_client', { programName: 'burst' })).json()
  for (let i = 0; i < 10; i += 1) await w.call('POST', '/events', 'bl_client', { programID: p.id, eventName: `${i}` })
  await w.vtn.start()
  // As long as it goes on, however slow the machine is.
  for (let idle = 0, seen = 0; hook.got.length < 600 && idle < 400; idle += 1) {
    if (hook.got.length > seen) { seen = hook.got.length; idle = 0 }
    await new Promise((done) => setTimeout(done, 25))
    await w.clock.advance(20)
  }
  t.equal(hook.got.length, 600)
})
