import { Aedes } from 'aedes'
import { connectAsync, type MqttClient } from 'mqtt'
import { createHash } from 'node:crypto'
import { createServer, type AddressInfo } from 'node:net'
import t from 'tap'
import { callbackSecret as secretOf } from '#vtn/mqtt/callback.js'
import { mosquittoAcl, publisherOf, withoutUserinfo } from '#vtn/mqtt/external.js'
import { base, testVtn } from '#vtn/test-vtn.js'
import { askedBy, topicSets } from '#vtn/mqtt/topic.js'

const uris = ['mqtts://localhost:8883']
const v = await testVtn({ mqtt: { uris, prefix: 'oa/' } })
async function listening(on: typeof v): Promise<number> {
  const server = on.vtn.broker?.()
  if (!server) throw new Error('no embedded broker')
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return (server.address() as AddressInfo).port
}
const port = await listening(v)
const bl = 'bl_client', ven = 'ven_client', ven2 = 'ven_client2'
const clients: MqttClient[] = []
t.teardown(async () => { for (const c of clients) c.end(true); await v.close() })

async function login(id: string, more: object = {}) {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { username: id, password: await v.token(id), reconnectPeriod: 0, clientId: 'same-for-all', ...more }, false)
  clients.push(client)
  const got: { topic: string; body: { operation: string; objectType: string; object: { id: string; targets?: string[]; eventName?: string } } }[] = []
  client.on('message', (topic, payload) => got.push({ topic, body: JSON.parse(String(payload)) }))
  client.on('error', () => {})
  return { client, got }
}
const granted = async (client: MqttClient, topic: string): Promise<boolean> => client.subscribeAsync(topic, { qos: 1 }).then((g) => (g[0]?.qos ?? 128) < 128, () => false)
const settled = async (ok: () => boolean): Promise<void> => { for (let i = 0; i < 100 && !ok(); i++) await new Promise((r) => setTimeout(r, 10)) }

const callbackSecret = 'f3c1b0a49d2e4c7b8a6f5e4d3c2b1a09'

t.test('OA-134 OA-135 OA-136 the notifier as REST tells it; off means 404', async (t) => {
  t.same((await v.call('GET', '/notifiers', ven)).json(), { WEBHOOK: true, MQTT: { URIS: uris, serialization: 'JSON', authentication: { method: 'OAUTH2_BEARER_TOKEN', username: '{clientID}' } } })
  t.equal((await v.call('GET', '/notifiers', null)).statusCode, 401)
  const off = await testVtn()
  t.teardown(() => off.close())
  t.same((await off.call('GET', '/notifiers', ven)).json(), { WEBHOOK: true })
  for (const path of ['programs', 'programs/x', 'programs/x/events', 'events', 'reports', 'subscriptions', 'vens', 'resources', 'vens/x', 'vens/x/events', 'vens/x/programs', 'vens/x/resources']) t.equal((await off.call('GET', `/notifiers/mqtt/topics/${path}`)).statusCode, 404, path)
})

const mine = (await v.call('POST', '/vens', bl, { objectType: 'BL_VEN_REQUEST', clientID: ven, venName: 'v1', targets: ['g1'] })).json()
const other = (await v.call('POST', '/vens', bl, { objectType: 'BL_VEN_REQUEST', clientID: ven2, venName: 'v2', targets: ['g2'] })).json()
const program = (await v.call('POST', '/programs', bl, { programName: 'p' })).json()

t.test('OA-034 OA-136 OA-137 OA-138 the twelve topic endpoints by role', async (t) => {
  const table: [string, number, number, boolean][] = [
    ['programs', 200, 403, true], [`programs/${program.id}`, 200, 403, false], [`programs/${program.id}/events`, 200, 403, true], ['events', 200, 403, true], ['reports', 200, 403, true],
    ['subscriptions', 200, 403, true], ['vens', 200, 403, true], ['resources', 200, 403, true], [`vens/${mine.id}`, 200, 200, false], [`vens/${mine.id}/events`, 200, 200, true],
    [`vens/${mine.id}/programs`, 200, 200, true], [`vens/${mine.id}/resources`, 200, 200, true], [`vens/${other.id}`, 200, 404, false], [`vens/${other.id}/events`, 200, 404, true],
    ['vens/nobody/events', 404, 404, true], ['programs/nobody', 404, 403, false],
  ]
  for (const [path, forBl, forVen, create] of table) {
    const answer = await v.call('GET', `/notifiers/mqtt/topics/${path}`, bl)
    t.equal(answer.statusCode, forBl, path)
    if (forBl === 200) t.same(Object.keys(answer.json().topics), create ? ['CREATE', 'UPDATE', 'DELETE', 'ALL'] : ['UPDATE', 'DELETE', 'ALL'], path)
    t.equal((await v.call('GET', `/notifiers/mqtt/topics/${path}`, ven)).statusCode, forVen, `ven ${path}`)
  }
  t.equal((await v.call('POST', '/notifiers/mqtt/topics/programs', bl, {})).statusCode, 405)
})

t.test('OA-137 the + of one set matches no topic of another', async (t) => {
  const sets = Object.values(topicSets).map((set) => set('vens'))
  const matches = (pattern: string, topic: string): boolean => { const p = pattern.split('/'), q = topic.split('/'); return p.length === q.length && p.every((l, i) => l === '+' || l === q[i]) }
  for (const a of sets) for (const b of sets) if (a !== b) t.notOk(matches(`${a}/+`, `${b}/create`), `${a} ${b}`)
  for (const pattern of ['#', '+/+', 'oa/#', 'oa/vens/+/+', 'oa/+/create', 'oa/events/vens/+/create', 'x/programs/create', 'oa//create', 'oa/events/vens/a/b/create']) t.equal(askedBy('oa/', pattern), undefined, pattern)
})

t.test('OA-138 OA-141 the broker refuses what REST refuses', async (t) => {
  for (const wrong of [{ password: 'x' }, { username: bl }, { username: undefined }, { password: undefined, username: undefined }]) await t.rejects(login(ven, wrong), JSON.stringify(wrong))
  const { client } = await login(ven)
  for (const topic of ['oa/programs/+', 'oa/events/+', 'oa/events/create', 'oa/reports/+', 'oa/vens/+', 'oa/#', '#', `oa/vens/${other.id}/+`, `oa/events/vens/${other.id}/create`, 'oa/vens/+/update', '$SYS/#', `oa/programs/${program.id}/update`]) t.notOk(await granted(client, topic), topic)
  for (const topic of [`oa/vens/${mine.id}/+`, `oa/events/vens/${mine.id}/create`, `oa/programs/vens/${mine.id}/+`, `oa/resources/vens/${mine.id}/+`]) t.ok(await granted(client, topic), topic)
  const boss = await login(bl)
  t.ok(await granted(boss.client, 'oa/events/+'))
  client.publish(`oa/events/vens/${mine.id}/create`, '{}', { qos: 1 })
  await settled(() => !client.connected)
  t.notOk(client.connected, 'a VEN that publishes is put out')
  t.ok(boss.client.connected, 'and another client of the same MQTT identifier stays')
  t.equal(boss.got.length, 0)
})

t.test('OA-139 OA-140 OA-106 one copy for each VEN that may see it, hidden targets, DELETE when sight is lost', async (t) => {
  await v.vtn.drain()
  const one = await login(ven), two = await login(ven2), boss = await login(bl)
  for (const [who, id] of [[one, mine.id], [two, other.id]] as const) await who.client.subscribeAsync([`oa/events/vens/${id}/+`, `oa/programs/vens/${id}/+`, `oa/vens/${id}/+`, `oa/resources/vens/${id}/+`], { qos: 1 })
  await v.vtn.drain()
  await boss.client.subscribeAsync(['oa/events/+', 'oa/programs/+', 'oa/resources/+'], { qos: 1 })
  const event = (await v.call('POST', '/events', bl, { programID: program.id, eventName: 'aimed', targets: ['g1', 'g3'] })).json()
  await v.call('POST', '/events', bl, { programID: program.id, eventName: 'open' })
  await v.vtn.drain()
  await settled(() => one.got.length >= 2 && two.got.length >= 1 && boss.got.length >= 2)
  t.same(one.got.map((g) => [g.topic, g.body.operation, g.body.object.eventName, g.body.object.targets]), [[`oa/events/vens/${mine.id}/create`, 'CREATE', 'aimed', ['g1']], [`oa/events/vens/${mine.id}/create`, 'CREATE', 'open', undefined]])
  t.same(two.got.map((g) => g.body.object.eventName), ['open'])
  t.same(boss.got[0]?.body.object, event)
  one.got.length = two.got.length = 0
  await v.call('PUT', `/events/${event.id}`, bl, { programID: program.id, eventName: 'moved', targets: ['g2'] })
  await v.vtn.drain()
  await settled(() => one.got.length >= 1 && two.got.length >= 1)
  t.same(one.got.map((g) => [g.topic, g.body.operation, g.body.object.eventName, g.body.object.targets]), [[`oa/events/vens/${mine.id}/delete`, 'DELETE', 'aimed', ['g1']]], 'told in the form seen last')
  t.same(two.got.map((g) => [g.body.operation, g.body.object.eventName]), [['UPDATE', 'moved']])
  one.got.length = 0
  await v.call('POST', '/resources', bl, { objectType: 'BL_RESOURCE_REQUEST', resourceName: 'r', venID: mine.id })
  await v.call('GET', '/events', ven)
  await v.vtn.drain()
  await settled(() => one.got.length >= 1)
  t.same(one.got.map((g) => g.topic), [`oa/resources/vens/${mine.id}/create`], 'no READ here')
})

t.test('OA-141 mqtts, and a listener for each address', async (t) => {
  const { makeTlsPair } = await import('#vtn/test-tls.js')
  const { key, cert, ca } = await makeTlsPair()
  const server = v.vtn.broker?.({ key, cert })
  if (!server) throw new Error('no embedded broker')
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address() as AddressInfo
  const client = await connectAsync(`mqtts://localhost:${address.port}`, { username: ven, password: await v.token(ven), reconnectPeriod: 0, ca, host: '127.0.0.1', servername: 'localhost' }, false)
  clients.push(client)
  t.ok(client.connected)
  await t.rejects(connectAsync(`mqtts://localhost:${address.port}`, { username: ven, password: 'x', reconnectPeriod: 0, ca, host: '127.0.0.1', servername: 'localhost' }, false))
})

t.test('SEC-010 a login ends when its client does', async (t) => {
  const [made] = await v.vtn.clients.add([{ clientID: 'short', role: 'VEN' }])
  const client = await connectAsync({ host: '127.0.0.1', port, username: 'short', password: await v.token('short', made?.clientSecret), reconnectPeriod: 0 })
  clients.push(client)
  await v.vtn.clients.remove('short')
  await v.tokenClock.advance(31_000)
  await settled(() => !client.connected)
  t.notOk(client.connected)
})

t.test('OA-034 OA-136 OA-261 public topics: anonymous clients hear what everybody may see', async (t) => {
  const p = await testVtn({ publicReads: true, mqtt: { uris, authentication: 'ANONYMOUS', publicTopics: true } })
  const client = await connectAsync(`mqtt://127.0.0.1:${await listening(p)}`, { reconnectPeriod: 0 }, false)
  t.teardown(async () => { client.end(true); await p.close() })
  const got: string[] = []
  client.on('message', (_topic, payload) => got.push(JSON.parse(String(payload)).object.programName))
  t.match((await p.call('GET', '/notifiers', null)).json(), { MQTT: { authentication: { method: 'ANONYMOUS' } } })
  t.equal((await p.call('GET', '/notifiers/mqtt/topics/programs', null)).statusCode, 200)
  t.ok(await granted(client, 'programs/+'))
  t.notOk(await granted(client, 'vens/+'))
  await p.call('POST', '/programs', bl, { programName: 'closed', targets: ['x'] })
  await p.call('POST', '/programs', bl, { programName: 'open' })
  await p.vtn.drain()
  await settled(() => got.length > 0)
  t.same(got, ['open'])
})

t.test('OA-141 callbacks for another broker use the same access code', async (t) => {
  const e = await testVtn({ mqtt: { uris, external: { url: 'mqtt://127.0.0.1:1', username: 'loadstone', callbackSecret } } })
  t.teardown(() => e.close())
  const own = (await e.call('POST', '/vens', ven, { objectType: 'VEN_VEN_REQUEST', venName: 'v' })).json()
  const ask = async (path: string, body: object) => (await e.app.inject({ method: 'POST', url: path, payload: body, headers: { authorization: `Bearer ${callbackSecret}` } })).statusCode
  t.equal(await ask('/mqtt/auth', { username: ven, password: await e.token(ven) }), 200)
  t.equal(await ask('/mqtt/auth', { username: ven2, password: await e.token(ven) }), 403)
  t.equal(await ask('/mqtt/acl', { username: ven, topic: `events/vens/${own.id}/+`, acc: 4 }), 200)
  t.equal(await ask('/mqtt/acl', { username: ven2, topic: `events/vens/${own.id}/+`, acc: 4 }), 403)
  t.equal(await ask('/mqtt/acl', { username: ven, topic: `events/vens/${own.id}/create`, acc: 2 }), 403)
  t.equal(await ask('/mqtt/acl', { username: 'loadstone', topic: 'events/create', acc: 2 }), 200)
  t.equal(await ask('/mqtt/acl', {}), 403)
  for (const acc of [undefined, 0, 3, 8, 'x']) t.equal(await ask('/mqtt/acl', { username: ven, topic: `events/vens/${own.id}/+`, acc }), 403, `acc ${acc}`)
  t.ok(base)
})

t.test('OA-141 SEC-011 callbacks answer the broker that shows its secret and nobody else; without a secret there are none', async (t) => {
  const asked = async (secret: string | undefined, headers: Record<string, string>, path = '/mqtt/acl'): Promise<number> => {
    const e = await testVtn({ mqtt: { uris, external: { url: 'mqtt://127.0.0.1:1', username: 'loadstone', ...(secret === undefined ? {} : { callbackSecret: secret }) } } })
    t.teardown(() => e.close())
    return (await e.app.inject({ method: 'POST', url: path, payload: { username: 'loadstone', topic: 'events/create', acc: 2 }, headers })).statusCode
  }
  const bearer = (text: string) => ({ authorization: `Bearer ${text}` }), basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })
  const hashed = `sha256:${createHash('sha256').update(callbackSecret).digest('hex')}`
  t.equal(await asked(undefined, {}), 404)
  t.equal(await asked(undefined, bearer('undefined'), '/mqtt/auth'), 404)
  for (const path of ['/mqtt/auth', '/mqtt/acl']) for (const wrong of [{}, bearer('x'), bearer(hashed), basic(callbackSecret), basic(`${callbackSecret}:x`), { authorization: callbackSecret }]) t.equal(await asked(hashed, wrong, path), 401, `${path} ${JSON.stringify(wrong)}`)
  for (const configured of [callbackSecret, hashed]) for (const right of [bearer(callbackSecret), basic(`mosquitto:${callbackSecret}`)]) t.equal(await asked(configured, right), 200)
  for (const weak of ['short', `sha256:${'a'.repeat(40)}`]) t.throws(() => secretOf(weak), /at least 32 characters/)
})

t.test('OA-138 OA-139 OA-141 another broker that asks us at every login, subscription and message: its clients hear their own topics and nobody writes', async (t) => {
  const broker = await Aedes.createBroker(), tcp = createServer(broker.handle)
  await new Promise<void>((done) => { tcp.listen(0, '127.0.0.1', done) })
  const url = `mqtt://127.0.0.1:${(tcp.address() as AddressInfo).port}`, publisher = 'loadstone', password = 'publisher-pass'
  const e = await testVtn({ mqtt: { uris: [url], external: { url, username: publisher, password, callbackSecret } }, clients: [['bl_client', '1001', 'BL'], ['ven_client', '999', 'VEN'], ['ven_client2', '9999', 'VEN'], [publisher, 'impostor-secret', 'VEN']].map(([clientID, clientSecret, role]) => ({ clientID, clientSecret, role })) as never })
  await e.app.listen({ host: '127.0.0.1', port: 0 })
  const door = `http://127.0.0.1:${(e.app.server.address() as AddressInfo).port}/mqtt`
  const ask = (path: string, body: object): Promise<boolean> => fetch(`${door}/${path}`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${callbackSecret}` }, body: JSON.stringify(body) }).then((r) => r.ok)
  const nameOf = (client: object | null): string => (client as { username?: string } | null)?.username ?? ''
  Object.assign(broker, {
    authenticate: (client: { username?: string }, username: string, secret: Buffer, answer: (error: Error | null, ok: boolean) => void) => {
      client.username = username
      void (username === publisher && String(secret) === password ? Promise.resolve(true) : ask('auth', { username, password: String(secret) })).then((ok) => answer(null, ok))
    },
    authorizeSubscribe: (client: object, wanted: { topic: string }, answer: (error: Error | null, ok: object | null) => void) => void ask('acl', { username: nameOf(client), topic: wanted.topic, acc: 4 }).then((ok) => answer(null, ok ? wanted : null)),
    authorizePublish: (client: object | null, packet: { topic: string }, answer: (error?: Error) => void) => void ask('acl', { username: nameOf(client), topic: packet.topic, acc: 2 }).then((ok) => answer(ok ? undefined : new Error('no'))),
  })
  t.teardown(async () => { await e.close(); await new Promise<void>((done) => { broker.close(() => done()) }); tcp.close() })
  const heard = new Map<string, string[]>()
  const enter = async (id: string, topics: string[], secret?: string) => {
    const client = await connectAsync(url, { username: id, password: secret ?? await e.token(id, id === publisher ? 'impostor-secret' : undefined), reconnectPeriod: 0, clientId: `${id}-there` }, false)
    clients.push(client)
    const got: string[] = []
    heard.set(id, got)
    client.on('message', (topic, payload) => got.push(`${topic.replace(/[0-9a-f-]{36}/, 'ID')} ${String(JSON.parse(String(payload)).object?.eventName)}`)).on('error', () => {})
    return Promise.all(topics.map((topic) => granted(client, topic)))
  }
  const register = async (as: string, venName: string): Promise<string> => (await e.call('POST', '/vens', as, { objectType: 'VEN_VEN_REQUEST', venName })).json().id
  const one = await register(ven, 'one'), two = await register(ven2, 'two')
  await e.call('PUT', `/vens/${one}`, bl, { objectType: 'BL_VEN_REQUEST', clientID: ven, venName: 'one', targets: ['g1'] })
  t.same(await enter(ven, [`events/vens/${one}/+`, `events/vens/${two}/+`, 'events/+', '#']), [true, false, false, false])
  t.same(await enter(ven2, [`events/vens/${two}/+`, `events/vens/${one}/create`]), [true, false])
  t.same(await enter(bl, ['events/+']), [true])
  await t.rejects(enter(ven2, [], 'nonsense'))
  await t.rejects(enter(publisher, []), 'a client named like our own login is not taken for it')
  const p = (await e.call('POST', '/programs', bl, { programName: 'p' })).json()
  const forger = await connectAsync(url, { username: ven, password: await e.token(ven), reconnectPeriod: 0, clientId: 'forger' }, false)
  clients.push(forger)
  forger.on('error', () => {}).publish(`events/vens/${two}/create`, JSON.stringify({ object: { eventName: 'forged' } }))
  for (const [eventName, targets] of [['aimed', ['g1', 'g2']], ['open', undefined]] as const) await e.call('POST', '/events', bl, { programID: p.id, eventName, targets })
  for (let i = 0; i < 200 && (heard.get(bl)?.length ?? 0) < 2; i++) { await e.vtn.drain(); await new Promise((done) => { setTimeout(done, 20) }) }
  await settled(() => heard.get(ven)?.length === 2 && heard.get(ven2)?.length === 1)
  t.same([ven, ven2, bl].map((id) => heard.get(id)), [['events/vens/ID/create aimed', 'events/vens/ID/create open'], ['events/vens/ID/create open'], ['events/create aimed', 'events/create open']])
})

t.test('OA-141 the ACL file for a Mosquitto: each VEN its own sets, the publisher alone writes; logins in addresses stay ours', async (t) => {
  t.equal(withoutUserinfo('mqtt://loadstone:secret@broker.example:1883'), 'mqtt://broker.example:1883')
  t.equal(publisherOf({ url: 'mqtt://loads%20tone:secret@b:1' }), 'loads tone')
  const lines = mosquittoAcl({ prefix: 'x/', publisher: 'loadstone', businessLogic: ['bl'], vens: [{ clientID: 'c1', venID: 'v1' }, { clientID: 'evil\nuser x', venID: 'v2' }, { clientID: 'loadstone', venID: 'v3' }], publicTopics: false })
  t.same(lines.trim().split('\n'), ['user loadstone', 'topic write x/#', 'user bl', 'topic read x/#', 'user c1', ...['vens/v1', 'events/vens/v1', 'programs/vens/v1', 'resources/vens/v1'].map((set) => `topic read x/${set}/+`)])
})
