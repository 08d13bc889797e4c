import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Aedes } from 'aedes'
import { createServer as createTcp } from 'node:net'
import { connectAsync } from 'mqtt'
import t from 'tap'
import { handClock, systemClock } from '#core/port/clock.js'
import { battery } from '#ven-client/device/battery.js'
import { evCharger } from '#ven-client/device/ev-charger.js'
import { thermostat } from '#ven-client/device/thermostat.js'
import type { Order, Say } from '#ven-client/device.js'
import type { VtnClient } from '#ven-client/openadr/client.js'
import { mqttReceiver } from '#ven-client/openadr/mqtt.js'
import type { Notification } from '#ven-client/openadr/objects.js'
import { webhookReceiver } from '#ven-client/openadr/webhook.js'
import { silent } from '#ven-client/log.js'

t.test('OA-209 the webhook receiver answers the challenge, checks token and signature, and takes a repetition as a hint', async (t) => {
  const heard: Notification[] = []
  const server = createServer(webhookReceiver({ bearerToken: 'tok', hmacSecret: 'sec', onNotification: (n) => heard.push(n) }))
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
  t.teardown(() => { server.closeAllConnections(); server.close() })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  const challenge = await fetch(`${url}?a=1&echo=r%20andom`)
  t.same([challenge.status, await challenge.text()], [200, 'r andom'])
  const post = async (body: string, token = 'tok', secret = 'sec'): Promise<number> => (await fetch(url, {
    method: 'POST', body, headers: { authorization: `Bearer ${token}`, 'x-openadr-signature': createHmac('sha256', secret).update(body).digest('hex') },
  })).status
  const good = JSON.stringify({ objectType: 'EVENT', operation: 'CREATE', object: { id: 'e' } })
  t.same([await post(good), await post(good)], [200, 200])
  t.same([await post(good, 'wrong'), await post(good, 'tok', 'wrong'), await post('"text"'), await post('{'), await post('x'.repeat(1_100_000))], [401, 401, 400, 400, 413])
  t.equal((await fetch(url, { method: 'DELETE' })).status, 405)
  t.equal(heard.length, 2)
})

t.test('UX-031 a stopped example device leaves no timer, so that `ven run` ends when it is told to', (t) => {
  const waiting = new Set<object>(), clock = { ...handClock(0), after: () => { const timer = { cancel: () => { waiting.delete(timer) } }; waiting.add(timer); return timer } }
  const store = battery({ name: 'b', clock }), charger = evCharger({ name: 'c', clock }), heater = thermostat({ name: 't', clock })
  store.follow({ at: 0, until: null, says: new Map([['DISPATCH_SETPOINT', { type: 'DISPATCH_SETPOINT', values: [3], units: 'KW', start: 0, end: null, source: 'e' }]]) })
  charger.plugIn(40_000)
  t.equal(waiting.size, 3)
  for (const device of [store, charger, heater]) device.stop()
  t.equal(waiting.size, 0)
  t.end()
})

t.test('OA-209 REL-054 a receiver that minds the time refuses a recorded notification, and one whose time was changed', async (t) => {
  const clock = handClock(Date.parse('2026-07-01T12:00:00Z')), heard: Notification[] = []
  const server = createServer(webhookReceiver({ hmacSecret: 'sec', maxAge_s: 300, clock, onNotification: (n) => heard.push(n) }))
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
  t.teardown(() => { server.closeAllConnections(); server.close() })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, body = JSON.stringify({ objectType: 'EVENT', operation: 'CREATE', object: { id: 'e' } })
  const signed = (at: number, said = at): Promise<number> => fetch(url, {
    method: 'POST', body, headers: { 'x-openadr-timestamp': String(said), 'x-openadr-signature-timestamped': `sha256=${createHmac('sha256', 'sec').update(`${at}.${body}`).digest('hex')}` },
  }).then((r) => r.status)
  const now = clock.now()
  t.same([await signed(now), await signed(now - 299), await signed(now - 301), await signed(now + 301), await signed(now - 1000, now)], [200, 200, 401, 401, 401])
  t.equal((await fetch(url, { method: 'POST', body, headers: { 'x-openadr-signature': createHmac('sha256', 'sec').update(body).digest('hex') } })).status, 401, 'without a time')
  t.equal(heard.length, 2)
})

t.test('OA-209 OA-142 the MQTT receiver takes topics from the VTN, gives hints, and hints again after a reconnection', async (t) => {
  const broker = await Aedes.createBroker()
  const logins: [string | undefined, string | undefined][] = []
  broker.authenticate = (_client, username, password, done) => { logins.push([username, password?.toString()]); done(null, true) }
  const tcp = createTcp(broker.handle)
  await new Promise<void>((done) => { tcp.listen(0, '127.0.0.1', done) })
  const uri = `mqtt://127.0.0.1:${(tcp.address() as AddressInfo).port}`
  let token = 'token-1'
  const client = {
    clientID: 'ven-1', clock: systemClock, log: silent, random: () => 0, bearer: () => Promise.resolve(token),
    notifiers: () => Promise.resolve({ WEBHOOK: true, MQTT: { URIS: [uri], serialization: 'JSON', authentication: { method: 'OAUTH2_BEARER_TOKEN', username: '{clientID}' } } }),
    topics: (path: string) => Promise.resolve({ topics: { UPDATE: `x/${path}/update`, DELETE: `x/${path}/delete`, ALL: `x/${path}/+` } }),
  } as unknown as VtnClient
  const hints: (Notification | undefined)[] = []
  const receiver = await mqttReceiver(client, { venID: 'v1', onHint: (n) => hints.push(n) })
  t.same(logins, [['ven-1', 'token-1']])
  t.ok(receiver?.topics.includes('x/vens/v1/events/+'))
  const other = await connectAsync(uri)
  await other.publishAsync('x/vens/v1/events/create', 'no json')
  await other.publishAsync('x/vens/v1/events/create', JSON.stringify({ objectType: 'EVENT', operation: 'CREATE', object: {} }))
  for (let i = 0; i < 100 && hints.length < 1; i++) await new Promise((done) => setTimeout(done, 10))
  t.equal(hints[0]?.operation, 'CREATE')
  token = 'token-2'
  const clients = (broker as unknown as { clients: Record<string, { close(): void }> }).clients
  Object.values(clients).forEach((c) => c.close())
  for (let i = 0; i < 300 && hints.length < 2; i++) await new Promise((done) => setTimeout(done, 10))
  t.equal(hints[1], undefined)
  t.same(logins.filter(([u]) => u === 'ven-1').at(-1), ['ven-1', 'token-2'], 'the new token is the new password')
  await other.endAsync(true); await receiver?.close()
  await new Promise<void>((done) => { broker.close(() => done()) })
  tcp.close()
  t.equal(await mqttReceiver({ ...client, notifiers: () => Promise.resolve({ WEBHOOK: true }) } as unknown as VtnClient, { venID: 'v', onHint: () => undefined }), undefined)
})

const order = (at: number, ...says: Partial<Say>[]): Order => ({ at, until: null, says: new Map(says.map((s) => [s.type ?? '', { values: [], units: 'KW', start: at, end: null, source: 'e', ...s } as Say])) })

t.test('UX-031 the example devices obey, measure and return to normal', async (t) => {
  const start = Date.parse('2026-07-01T12:00:00Z'), hour = 3_600_000, clock = handClock(start)
  const cell = battery({ name: 'b', clock, rated_W: 5000, capacity_Wh: 10_000, stored_Wh: 7500 })
  cell.follow(order(start, { type: 'DISPATCH_SETPOINT', values: [-5] }))
  await clock.advance(hour)
  t.same([cell.export_Wh?.(start, start + hour), cell.energy_Wh(start, start + hour), Math.round(cell.stored_Wh)], [5000, 0, 2500])
  await clock.advance(hour)
  t.equal(Math.round(cell.export_Wh?.(start + hour, start + 2 * hour) ?? 0), 2500, 'empty after half an hour')
  t.equal(cell.report?.({ payloadType: 'STORAGE_CHARGE_LEVEL' }, 0, 1), 0)

  const car = evCharger({ name: 'c', clock })
  car.plugIn(22_000)
  t.equal(car.power_W, 11_000)
  car.follow(order(clock.nowMs(), { type: 'IMPORT_CAPACITY_LIMIT', values: [3] }))
  t.same([car.power_W, car.operatingState?.()], [0, 'IDLE_CURTAILED'], 'below 6 A it pauses')
  car.follow(order(clock.nowMs()))
  t.equal(car.power_W, 11_000)
  car.chargeNow(true)
  t.equal(car.follow(order(clock.nowMs(), { type: 'IMPORT_CAPACITY_LIMIT', values: [5] })), 'optOut')
  await clock.advance(3 * hour)
  t.equal(car.power_W, 0, 'full')

  const heater = thermostat({ name: 't', clock, outdoor_C: () => 0 })
  await clock.advance(4 * hour)
  t.ok(Math.abs(heater.indoor_C - 20) < 1, `${heater.indoor_C}`)
  t.equal(heater.follow(order(clock.nowMs(), { type: 'SIMPLE', values: [2] })), 'follow')
  t.equal(heater.target_C, 18)
  t.equal(heater.follow(order(clock.nowMs(), { type: 'CONTROL_LEVEL_OFFSET', values: [-9] })), 'optOut')
  heater.stop()
})
