import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { connect as connectMqtt, type MqttClient } from 'mqtt'
import t from 'tap'
import { lfdiOf } from '#certs/index.js'
import type { FaultProxy } from '#conformance/fault-proxy.js'
import { lapseClock } from '#core/port/clock.js'
import { ask, serverBehindFaults } from '#main/test-wire.js'

/** What the server sends on its own account (webhooks, notifications, MQTT messages) through the fault proxy: lost is told again, told again is known by its id (REL-047). */
const clock = lapseClock(Date.now(), 5) // what is told again waits ten seconds and more
const { folder, pem, door, ready, through, client, vtnToken } = await serverBehindFaults(t, 31_200, clock)

interface Arrival { readonly text: string; readonly headers: Readonly<Record<string, unknown>> }
/** A receiver that keeps what arrives whole, and answers the challenge of OA-121. */
async function receiver() {
  const got: Arrival[] = [], waiting: (() => void)[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('error', () => {})
    request.on('data', (d: Buffer) => parts.push(d))
    request.on('end', () => {
      const echo = new URL(request.url ?? '/', 'http://receiver').searchParams.get('echo')
      if (request.method === 'GET') { response.end(echo ?? ''); return }
      const arrival = { text: Buffer.concat(parts).toString(), headers: request.headers }
      // A connection for each, told when it is over: what is set next does not strike the answer to this.
      request.socket.once('close', () => { got.push(arrival); for (const wake of waiting.splice(0)) wake() })
      response.writeHead(204, { connection: 'close' }).end()
    })
  })
  server.on('clientError', (_error, socket) => { socket.destroy() })
  await new Promise<void>((listening) => { server.listen(0, '127.0.0.1', listening) })
  t.teardown(() => { server.closeAllConnections(); server.close() })
  const of = (word: string): Arrival[] => got.filter((one) => one.text.includes(word))
  return {
    port: (server.address() as AddressInfo).port, of,
    /** Resolves when so many that hold the word have arrived. */
    async has(word: string, count = 1): Promise<Arrival[]> { while (of(word).length < count) await new Promise<void>((wake) => { waiting.push(wake) }); return of(word) },
  }
}

/** What may happen to a message on its way: what is set, and whether the receiver has seen it all the same. */
const mishaps: readonly [what: string, faults: Parameters<FaultProxy['set']>[0], seen: boolean][] = [
  ['cut in its headers', { cutIn: 30, direction: 'up' }, false], ['cut in its body', { cutIn: 400, direction: 'up' }, false], ['its answer cut', { cutIn: 10, direction: 'down' }, true], ['refused', { refuse: true }, false],
]

const authorization = `Bearer ${await vtnToken('bl_client', '1001')}`
const vtn = (method: string, path: string, body?: object): Promise<{ status: number; body: string }> => ask(door.vtn, `/openadr3/3.1.1${path}`, { method, headers: { authorization, 'content-type': 'application/json' }, ...(body ? { body: JSON.stringify(body) } : {}) })
const makeProgram = async (programName: string): Promise<void> => { t.equal((await vtn('POST', '/programs', { programName, attributes: [{ type: 'LONG', values: ['x'.repeat(300)] }] })).status, 201) }

t.test('REL-047 webhooks out: what is cut, refused or swallowed is told again; what was told twice carries one id', { timeout: 120_000 }, async (t) => {
  const far = await receiver(), near = await receiver(), proxy = await through(far.port)
  for (const port of [proxy.port, near.port]) t.equal((await vtn('POST', '/subscriptions', { clientName: `faults ${port}`, objectOperations: [{ objects: ['PROGRAM'], operations: ['CREATE'], callbackUrl: `http://127.0.0.1:${port}/hook` }] })).status, 201)
  for (const [what, faults, seen] of mishaps) {
    const name = `webhook ${what}`, struck = proxy.struck()
    await proxy.idle()
    proxy.set(faults)
    await makeProgram(name)
    await near.has(name)
    await struck
    proxy.set({})
    const arrivals = await far.has(name, seen ? 2 : 1)
    t.equal(arrivals.length, seen ? 2 : 1, `${what}: it arrives`)
    t.equal(new Set(arrivals.map((a) => a.text)).size, 1, 'the same words')
    t.ok(arrivals.every((a) => JSON.parse(a.text)), 'and whole')
  }
  await proxy.idle()
  proxy.set({ blackhole: true })
  await makeProgram('webhook swallowed')
  t.ok(await near.has('webhook swallowed'), 'another receiver is told at once')
  t.equal(far.of('webhook swallowed').length, 0)
  proxy.set({})
  proxy.cut()
  t.equal((await far.has('webhook swallowed')).length, 1, 'and this one when the hole is gone')
  proxy.set({ delay_ms: 60, bytesPerSecond: 20_000 })
  await makeProgram('webhook slowly')
  t.equal((await far.has('webhook slowly')).length, 1, 'a slow link carries it')
})

const topics = async (path: string): Promise<{ ALL: string }> => (JSON.parse((await vtn('GET', `/notifiers/mqtt/topics${path}`)).body) as { topics: { ALL: string } }).topics
const happens = (mqtt: MqttClient, what: 'connect' | 'close'): Promise<void> => new Promise((done) => { mqtt.once(what, () => done()) })
/** A subscriber of the embedded broker that keeps what it is told. */
async function listener(port: number, topic: string) {
  const got: string[] = [], waiting: (() => void)[] = []
  const mqtt: MqttClient = connectMqtt(`mqtts://127.0.0.1:${port}`, { username: 'bl_client', password: authorization.slice('Bearer '.length), ca: pem('tls-ca.pem'), servername: 'localhost', reconnectPeriod: 0, connectTimeout: 8000, rejectUnauthorized: true })
  mqtt.on('error', () => {})
  mqtt.on('message', (_topic, payload) => { got.push(payload.toString()); for (const wake of waiting.splice(0)) wake() })
  t.teardown(() => { mqtt.end(true) })
  await happens(mqtt, 'connect')
  await mqtt.subscribeAsync(topic, { qos: 1 })
  const of = (word: string): string[] => got.filter((one) => one.includes(word))
  return { mqtt, of, async has(word: string): Promise<string[]> { while (of(word).length < 1) await new Promise<void>((wake) => { waiting.push(wake) }); return of(word) } }
}

t.test('REL-047 MQTT: a message cut in the middle is no message, the subscriber comes back and hears the next; nobody else is touched', { timeout: 120_000 }, async (t) => {
  const proxy = await through(door.mqtt), { ALL } = await topics('/programs')
  const near = await listener(door.mqtt, ALL)
  for (const [what, faults] of [['cut at its beginning', { cutIn: 5, direction: 'down' }], ['cut in the middle', { cutIn: 200, direction: 'down' }], ['its acknowledgement cut', { cutIn: 5, direction: 'up' }]] as const) {
    const far = await listener(proxy.port, ALL), gone = happens(far.mqtt, 'close'), name = `mqtt ${what}`
    proxy.set(faults)
    await makeProgram(name)
    await gone
    t.ok(far.of(name).every((text) => JSON.parse(text)), `${what}: nothing half is told`)
    t.equal((await near.has(name)).length, 1, 'another subscriber hears it, once')
    proxy.set({})
    const back = await listener(proxy.port, ALL)
    await makeProgram(`${name}, later`)
    t.equal((await back.has(`${name}, later`)).length, 1, 'and this one hears the next')
    back.mqtt.end(true)
  }
  const slow = await listener(proxy.port, ALL)
  proxy.set({ delay_ms: 60, bytesPerSecond: 20_000 })
  await makeProgram('mqtt slowly')
  t.equal((await slow.has('mqtt slowly')).length, 1, 'a slow link carries it')
  proxy.set({ blackhole: true })
  await makeProgram('mqtt swallowed')
  t.equal((await near.has('mqtt swallowed')).length, 1, 'one that swallows everything holds up nobody')
})

t.test('REL-047 2030.5 notifications out: the same', { timeout: 120_000 }, async (t) => {
  const tls = client('aggregator-1'), headers = { 'content-type': 'application/sep+xml', 'accept': 'application/sep+xml' }, ns = 'xmlns="urn:ieee:std:2030.5:ns"'
  const get = async (path: string): Promise<string> => (await ask(door.csip, path, { tls, headers })).body
  const link = (text: string, name: string): string => new RegExp(`<${name}[^>]* href="([^"]+)"`).exec(text)?.[1] ?? ''
  const devices = await get(`${link(await get('/dcap'), 'EndDeviceListLink')}?l=255`)
  const device = (name: string): string => devices.split('<EndDevice ').find((one) => one.includes(lfdiOf(readFileSync(join(folder, 'pki', `${name}.der`))))) ?? ''
  const fsa = link(device('device-3'), 'FunctionSetAssignmentsListLink'), program = link(await get(`${fsa}?l=255`), 'DERProgramListLink'), controls = link(await get(`${program}?l=255`), 'DERControlListLink')
  const far = await receiver(), near = await receiver(), proxy = await through(far.port)
  for (const port of [proxy.port, near.port]) t.equal((await ask(door.csip, link(device('aggregator-1'), 'SubscriptionListLink'), { method: 'POST', tls, headers, body: `<Subscription ${ns}><subscribedResource>${controls}</subscribedResource><encoding>0</encoding><level>+S1</level><limit>100</limit><notificationURI>http://127.0.0.1:${port}/n</notificationURI></Subscription>` })).status, 201)
  let made = 0
  const issue = async (word: string): Promise<void> => {
    const now = clock.now(), mRID = `AB${String(++made).padStart(30, '0')}`
    const body = `<DERControl ${ns}><mRID>${mRID}</mRID><description>${word}</description><creationTime>${now}</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>${now}</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>60</duration><start>${now + 3600 * made}</start></interval><DERControlBase><opModMaxLimW>5000</opModMaxLimW></DERControlBase></DERControl>`
    const { status, body: answer } = await ask(door.operator, `/api/v1/csip${controls}`, { method: 'POST', headers: { ...headers, authorization: `Bearer ${ready.operatorToken}` }, body })
    t.equal(status, 201, answer)
  }
  for (const [what, faults, seen] of mishaps) {
    const word = what, struck = proxy.struck()
    await proxy.idle()
    proxy.set(faults)
    await issue(word)
    await near.has(word)
    await struck
    proxy.set({})
    t.ok((await far.has(word, seen ? 2 : 1)).every((a) => a.text.endsWith('</Notification>')), `${what}: it arrives whole`)
  }
  await proxy.idle()
  proxy.set({ blackhole: true })
  await issue('swallowed')
  t.ok(await near.has('swallowed'), 'another receiver is told at once')
  proxy.set({})
  proxy.cut()
  t.ok(await far.has('swallowed'), 'and this one when the hole is gone')
})
