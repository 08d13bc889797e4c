import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { runAgent, type AgentOptions } from '#ven-client/agent.js'
import type { Device, Order } from '#ven-client/device.js'
import { vtnClient } from '#ven-client/openadr/client.js'
import { isVtnError } from '#ven-client/openadr/error.js'
import { place, stateOf } from '#ven-client/openadr/interval.js'
import type { Event } from '#ven-client/openadr/objects.js'
import { dialectOf, revisionOf } from '#ven-client/openadr/revision.js'
import { webhookReceiver } from '#ven-client/openadr/webhook.js'
import { startedAt, testVtn } from '#vtn/test-vtn.js'

const old = '/openadr3/3.0.1', minute = 60_000
const iso = (ms: number): string => new Date(ms).toISOString()
const kindOf = (p: Promise<unknown>): Promise<unknown> => p.then(() => 'no error', (e: unknown) => (isVtnError(e) ? e.kind : e))

/** Our own 3.0.1 door to the letter: everybody reads everything (OA-240), over a real socket, on a clock moved by hand. */
const v = await testVtn({ compat301: { openReads: true }, webhooks: { echo: 'off', allowHttp: true, allow: ['127.0.0.1'] } })
await v.app.listen({ host: '127.0.0.1', port: 0 })
const url = `http://127.0.0.1:${(v.app.server.address() as AddressInfo).port}${old}`
t.teardown(() => v.close())
const secrets: Record<string, string> = { ven_client: '999', ven_client2: '9999' }
const clientOf = (t: Test, clientID = 'ven_client', secret = secrets[clientID] ?? '') => {
  const client = vtnClient({ url, credentials: { clientID, clientSecret: secret }, clock: v.clock, attempts: 1 })
  t.teardown(() => client.close())
  return client
}
const bl = async (method: 'POST' | 'PUT', path: string, body: object) => {
  const answer = await v.call(method, old + path, 'bl_client', body)
  if (answer.statusCode >= 300) throw new Error(answer.body)
  return answer.json() as { id: string }
}
async function until(condition: () => unknown): Promise<void> {
  for (let i = 0; i < 1000 && !condition(); i++) { await new Promise((done) => { setTimeout(done, 5) }); await v.clock.advance(0) }
  if (!condition()) throw new Error(`never: ${condition.toString()}`)
}
function box(name: string) {
  const orders: Order[] = []
  return { name, orders, follow: (order: Order) => { orders.push(order); return 'follow' as const }, energy_Wh: (start: number, end: number) => (end - start) / 3600 } satisfies Device & { orders: Order[] }
}
async function running(t: Test, device: Device, options: Partial<AgentOptions> = {}) {
  const client = clientOf(t)
  const agent = runAgent(client, { venName: 'house', devices: [device], firstPollWithin_s: 0, reports: { within_s: 0 }, ...options })
  t.teardown(() => agent.stop())
  let registered = false
  void agent.ready.then(() => { registered = true })
  await until(() => registered)
  return { client, agent, ven: await agent.ready }
}
const program = await bl('POST', '/programs', { programName: 'old times' })
const event = (more: object) => bl('POST', '/events', {
  programID: program.id, intervalPeriod: { start: iso(startedAt - minute), duration: 'PT15M' }, intervals: [{ id: 3, payloads: [{ type: 'SIMPLE', values: [1] }] }], ...more,
})
await bl('POST', '/vens', { venName: 'somebody else', clientID: 'ven_client2', targets: [{ type: 'GROUP', values: ['south'] }] })

t.test('OA-004 the base path says which revision is spoken, and the option more loudly', async (t) => {
  for (const [base, revision] of [['https://v/openadr3/3.0.1', '3.0.1'], ['https://v/3.0', '3.0.1'], ['https://v/openadr3/3.0.1/', '3.0.1'], ['https://v/openadr3/3.1.1', '3.1.1'], ['https://v/', '3.1.1'], ['https://3.0.1/x', '3.1.1']] as const) t.equal(revisionOf(base), revision, base)
  const client = vtnClient({ url: 'https://vtn.example/api', revision: '3.0.1' })
  t.teardown(() => client.close())
  t.equal(client.dialect.revision, '3.0.1')
})

t.test('OA-202 OA-232 OA-233 OA-242 registers ven and resources in the forms of 3.0.1, once, with a token from the VTN\'s own endpoint', async (t) => {
  for (const [times, names] of [[1, ['house']], [2, ['house']]] as const) {
    const { agent, ven } = await running(t, box('heater'))
    t.match(ven, { venName: 'house', targets: ['VEN_NAME=house'] })
    t.same((await v.call('GET', '/vens', 'ven_client')).json().map((o: { venName: string }) => o.venName), names, `start ${times}`)
    t.same((await v.call('GET', '/resources', 'ven_client')).json().map((o: { resourceName: string; venID: string }) => [o.resourceName, o.venID]), [['heater', ven.id]])
    agent.stop()
  }
  const client = clientOf(t)
  t.same((await client.resources()).map((r) => r.resourceName), ['heater'], 'without a ven: those of all vens that are shown')
})

t.test('OA-202 OA-082 a ven of this client under another name is adopted where the VTN shows only that one', async (t) => {
  const priv = await testVtn()
  await priv.app.listen({ host: '127.0.0.1', port: 0 })
  const client = vtnClient({ url: `http://127.0.0.1:${(priv.app.server.address() as AddressInfo).port}${old}`, credentials: { clientID: 'ven_client', clientSecret: '999' }, clock: priv.clock, attempts: 1 })
  t.teardown(async () => { await client.close(); await priv.close() })
  const first = await client.registerVen('old name')
  t.same(await client.registerVen('new name'), first)
  t.equal(await kindOf(clientOf(t, 'ven_client2').registerVen('a third name')), 'conflict', 'among several nobody is taken for ours')
})

t.test('OA-230 OA-240 OA-246 it follows what is for everybody or for it, by group and by name, and nothing that is for others', async (t) => {
  const device = box('heater')
  await v.call('PUT', `/vens/${(await v.call('GET', '/vens?venName=house')).json()[0].id}`, 'bl_client', { objectType: 'BL_VEN_REQUEST', clientID: 'ven_client', venName: 'house', targets: ['GROUP=north'] })
  const { agent } = await running(t, device, { pollEvery_s: 1e6 })
  const levelOf = (): unknown => agent.order(device)?.says.get('SIMPLE')?.values[0]
  const level = (n: number, targets: unknown, priority: number) => event({ priority, intervals: [{ id: 0, payloads: [{ type: 'SIMPLE', values: [n] }] }], ...(targets ? { targets } : {}) })
  const table: [number, string, unknown, boolean][] = [
    [1, 'everybody', undefined, true], [2, 'another group', [{ type: 'GROUP', values: ['south'] }], false], [3, 'our group among others', [{ type: 'GROUP', values: ['south', 'north'] }], true],
    [1, 'another ven', [{ type: 'VEN_NAME', values: ['somebody else'] }], false], [2, 'our name', [{ type: 'VEN_NAME', values: ['house'] }], true], [3, 'our resource', [{ type: 'RESOURCE_NAME', values: ['heater'] }], true],
  ]
  for (const [i, [value, what, targets, ours]] of table.entries()) {
    const before = levelOf(), made = await level(value, targets, 100 - i)
    agent.poke()
    await until(() => agent.events().some((e) => e.event.id === made.id))
    await until(() => (ours ? levelOf() === value : levelOf() === before))
    t.equal(levelOf(), ours ? value : before, what)
  }
  t.equal((await v.call('GET', '/vens', 'ven_client')).json().length, 1)
})

t.test('OA-207 OA-238 a report names its program, and is found again before it is sent twice', async (t) => {
  const { agent, client } = await running(t, box('heater'))
  const made = await event({ targets: [{ type: 'VEN_NAME', values: ['house'] }], reportDescriptors: [{ payloadType: 'USAGE', units: 'KWH' }] })
  agent.poke()
  await until(() => agent.events().some((e) => e.event.id === made.id))
  await v.clock.advance(15 * minute)
  const stored = async () => (await v.call('GET', `${old}/reports?eventID=${made.id}`, 'bl_client')).json()
  let reports: { programID: string; eventID: string; clientName: string; resources: { resourceName: string; intervals: { id: number }[] }[] }[] = []
  for (let i = 0; i < 400 && reports.length === 0; i++) { reports = await stored(); await v.clock.advance(0) }
  t.match(reports, [{ programID: program.id, eventID: made.id, clientName: 'house', resources: [{ resourceName: 'heater', intervals: [{ id: 3 }] }] }])
  await agent.idle()
  const byHand = await client.createReport({ eventID: made.id, clientName: 'by hand', resources: [] })
  t.equal((byHand as { programID?: string }).programID, program.id, 'asked of the event when the caller does not say it')
})

t.test('OA-231 OA-239 OA-243 queries, subscriptions by program, no MQTT', async (t) => {
  const client = clientOf(t)
  t.ok((await client.events({ targets: ['GROUP=south', 'GROUP=north'], active: true })).every((e) => e.targets?.some((x) => x.startsWith('GROUP='))))
  t.equal(await kindOf(client.events({ targets: ['GROUP=a', 'b'] })), 'invalid')
  t.equal(await kindOf(client.subscribe({ clientName: 'c', objectOperations: [] })), 'invalid')
  t.same(await client.notifiers(), { WEBHOOK: true })
  const heard: string[] = []
  const hook = createServer(webhookReceiver({ bearerToken: 'tok', onNotification: (n) => { heard.push(`${n.operation} ${n.objectType}`) } }))
  await new Promise<void>((done) => { hook.listen(0, '127.0.0.1', done) })
  t.teardown(() => { hook.closeAllConnections(); hook.close() })
  const push = { webhook: { callbackUrl: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`, bearerToken: 'tok' }, mqtt: {} }
  for (const _ of [1, 2]) {
    const { agent } = await running(t, box('heater'), { push })
    await until(() => agent.pushedBy.length > 0)
    t.same(agent.pushedBy, ['webhook'])
    agent.stop()
  }
  t.match((await v.call('GET', `${old}/subscriptions?clientName=house`, 'ven_client')).json(), [{ programID: program.id }], 'one for each program, however often it starts')
  await event({})
  for (let i = 0; i < 3; i++) await v.vtn.drain()
  await until(() => heard.length > 0)
  t.same(heard, ['POST EVENT'], 'OA-241')
})

t.test('OA-237 without a duration the last interval is an instant or without end, by what it says', (t) => {
  const read = (more: Partial<Event>, type = 'PRICE') => {
    const placement = place(dialectOf('3.0.1').readEvent({ id: 'e', programID: 'p', intervals: [{ id: 0, payloads: [{ type, values: [1] }] }], ...more }), { venID: 'v', seen_ms: startedAt })
    return [stateOf(placement, startedAt + 10), placement.lifespan?.end ?? null]
  }
  const start = iso(startedAt)
  t.same(read({ intervalPeriod: { start } }), ['active', null])
  t.same(read({ intervalPeriod: { start, duration: 'PT0S' } }, 'IMPORT_CAPACITY_LIMIT'), ['active', null])
  t.same(read({ intervals: [{ id: 0, intervalPeriod: { start }, payloads: [{ type: 'PRICE', values: [1] }] }] }), ['active', null])
  t.same(read({ intervalPeriod: { start } }, 'ALERT_FIRE'), ['finished', startedAt])
  t.same(read({ intervalPeriod: { start, duration: 'PT5M' } }), ['active', startedAt + 5 * minute])
  t.same(read({ intervalPeriod: { start: '0001-01-01T00:00:00Z', duration: 'PT0S' } })[0], 'cancelled', 'OA-165 holds on both')
  t.end()
})

t.test('OA-027 OA-201 OA-242 a token that ended is 403 there and earns a new one; what is really forbidden is said at once', async (t) => {
  const client = clientOf(t)
  await client.events()
  const first = await client.bearer()
  await v.tokenClock.set(v.tokenClock.nowMs() + 2 * 3_600_000)
  await client.events()
  t.not(await client.bearer(), first)
  t.equal(await kindOf(client.send({ method: 'POST', path: '/programs', json: { programName: 'x' } })), 'forbidden')
  t.equal(await kindOf(clientOf(t, 'ven_client', 'wrong').events()), 'unauthenticated')
})
