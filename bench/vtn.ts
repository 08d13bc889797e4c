// @ts-expect-error autocannon has no types of its own
import autocannon from 'autocannon'
import { connectAsync } from 'mqtt'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Client } from 'pg'
import type { FastifyInstance } from 'fastify'
import type { Emit } from '#bench/figure.js'
import { rounded } from '#bench/figure.js'
import { bareServer, type Bare } from '#bench/vtn-bare.js'
import { systemClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import { testDatabase, type TestDatabase } from '#prisma/test-database.js'
import type { VtnConfig } from '#vtn/config.js'
import { bases31, buildVtn, type Vtn } from '#vtn/server.js'

const base = bases31[0], connections = 10, seconds = 3
const fleet = 10_000

/** The VTN lines of stack.md and issue 4: lists of 50 from 10,000 stored events among 10,000 VENs, each beside a bare fastify that does the same work (`vtn-bare.ts`). */
export default async function vtnBench(emit: Emit): Promise<void> {
  const db = await testDatabase({ poolSize: 10 })
  const vtn = await made(db)
  const app = await vtn.door()
  const bl = await token(app, 'bl'), port = await listen(app)
  const program = await post(app, bl, '/programs', { programName: 'bench' })
  await fill(db, program)
  await analyzed(db)
  const list = `http://127.0.0.1:${port}${base}/events?programID=${program}`
  const first = await fetch(list, { headers: { authorization: `Bearer ${bl}` } })
  const body = await first.text(), etag = first.headers.get('etag') ?? ''
  const bare = await bareServer(db.url, db.tenant, body, program)
  try {
    const authorization = `Bearer ${bl}`
    const plain = await rate({ url: `${bare.url}/events` })
    const cached = await rate({ url: list, headers: { authorization } })
    emit({ name: 'vtn list cached', value: rounded(cached), unit: 'requests/s', n: fleet, baseline: rounded(plain), ratio: rounded(cached / plain) })
    const nothing = await rate({ url: `${bare.url}/nothing` })
    const unchanged = await rate({ url: list, headers: { authorization, 'if-none-match': etag } })
    emit({ name: 'vtn list 304', value: rounded(unchanged), unit: 'requests/s', n: fleet, baseline: rounded(nothing), ratio: rounded(unchanged / nothing) })
    await changed(emit, db, bare, list, authorization)
    await distinct(emit, bare, app, port)
    await posts(emit, bare, bl, port, program)
    await told(emit, db)
  } finally {
    await vtn.stop()
    await Promise.all([app.close(), bare.close()])
    await db.close()
  }
}

async function made(db: TestDatabase, more: Partial<VtnConfig> = {}): Promise<Vtn> {
  const nothing = async (): Promise<void> => {}
  return buildVtn({
    database: db.database, clock: systemClock, tokenClock: systemClock, ids: randomIds(() => systemClock.nowMs()), log: silent,
    config: { tenant: db.tenant, clients: [{ clientID: 'bl', clientSecret: 'bl', role: 'BL' }, ...Array.from({ length: fleet }, (_, i) => ({ clientID: `c${i}`, clientSecret: 's', role: 'VEN' as const }))], ...more },
    readings: { record: async () => ({ accepted: 0, duplicates: 0, corrected: 0 }) }, happenings: { happened: nothing }, availability: { declare: nothing }, optOuts: { optOut: nothing }, claims: { claim: nothing },
    directory: { byRemote: async () => undefined },
  })
}

async function listen(app: FastifyInstance): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as AddressInfo).port
}

async function token(app: FastifyInstance, id: string): Promise<string> {
  const answer = await app.inject({ method: 'POST', url: `${base}/auth/token`, headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: `grant_type=client_credentials&client_id=${id}&client_secret=${id === 'bl' ? 'bl' : 's'}` })
  return answer.json<{ access_token: string }>().access_token
}

const event = (programID: string, i: number): object => ({
  programID, eventName: `event ${i}`, targets: [`group-${i}`], intervalPeriod: { start: '2030-01-01T00:00:00Z', duration: 'PT15M' },
  intervals: Array.from({ length: 24 }, (_, id) => ({ id, payloads: [{ type: 'PRICE', values: [0.1 + id / 100] }] })),
})

async function post(app: FastifyInstance, bearer: string, path: string, body: object): Promise<string> {
  return (await app.inject({ method: 'POST', url: base + path, headers: { authorization: `Bearer ${bearer}` }, payload: body })).json<{ id: string }>().id
}

/** 10,000 VENs with a group each, 10,000 events aimed at one group each, straight into the store. */
async function fill(db: TestDatabase, programID: string): Promise<void> {
  const from = systemClock.nowMs() - fleet
  const batch = 50
  for (let at = 0; at < fleet; at += batch) {
    const n = Array.from({ length: batch }, (_, i) => at + i), now = from + at
    await db.stores.documents.insertMany(n.map((i) => ({ tenant: db.tenant, kind: 'vtn/ven', id: `ven-${i}`, parent: '', key: `v${i}`, owner: `c${i}`, targets: [`group-${i}`], body: { clientID: `c${i}`, venName: `v${i}`, targets: [`group-${i}`] } })), now)
    await db.stores.documents.insertMany(n.map((i) => ({ tenant: db.tenant, kind: 'vtn/event', id: `event-${i}`, parent: programID, targets: [`group-${i}`], sort1: 2e9, body: event(programID, i) })), now)
  }
}

/** After a bulk load PostgreSQL's own statistics come within a minute; a benchmark cannot wait for them. */
async function analyzed(db: TestDatabase): Promise<void> {
  const client = new Client({ connectionString: db.url })
  await client.connect()
  await client.query('analyze document')
  await client.end()
}

async function rate(options: { url: string; headers?: Record<string, string> }): Promise<number> {
  const result = await autocannon({ ...options, connections, duration: seconds, pipelining: 4, workers: 1 })
  if (result.errors) throw new Error(`${result.errors} requests failed`)
  return result.requests.average
}

/** Ten readers while one event of the list changes without pause: what they get is made anew for each change. */
async function changed(emit: Emit, db: TestDatabase, bare: Bare, list: string, authorization: string): Promise<void> {
  const { documents } = db.stores
  const one = await documents.get(db.tenant, 'vtn/event', 'event-7')
  if (!one) throw new Error('the event is gone')
  let running = true, changes = 0
  const writing = (async () => { while (running) { await documents.replace(one, systemClock.nowMs()); changes += 1 } })()
  const plain = await rate({ url: `${bare.url}/list` }), value = await rate({ url: list, headers: { authorization } })
  running = false
  await writing
  emit({ name: 'vtn list changed', value: rounded(value), unit: 'requests/s', n: changes, baseline: rounded(plain), ratio: rounded(value / plain) })
}

/**
 * Issue 4: targeted reads of distinct VENs, each with its own grants: the first read of each (token, grants, events: a signature, and questions
 * that are asked for many at once, beside one query of the bare server), then as they poll, when what did not change comes from memory.
 */
async function distinct(emit: Emit, bare: Bare, app: FastifyInstance, port: number): Promise<void> {
  const vens = Array.from({ length: 2000 }, (_, i) => i * 5)
  const bearers = await Promise.all(vens.map((i) => token(app, `c${i}`)))
  const ask = (url: string, requests: object[], more: object) => autocannon({ url, connections, requests, workers: 1, ...more })
  const atBare = served(bare.server), atOurs = served(app.server)
  const plain = await ask(bare.url, vens.map((i) => ({ method: 'GET', path: `/targeted/group-${i}` })), { amount: vens.length })
  const requests = bearers.map((bearer) => ({ method: 'GET', path: `${base}/events?active=true`, headers: { authorization: `Bearer ${bearer}` } }))
  const first = await ask(`http://127.0.0.1:${port}`, requests, { amount: vens.length })
  const least = atBare(), value = atOurs()
  emit({ name: 'vtn targeted first reads', value: rounded(value), unit: 'requests/s', n: first.requests.total, baseline: rounded(least), ratio: rounded(value / least) })
  emit({ name: 'vtn targeted first reads p99', value: first.latency.p99, unit: 'ms', n: first.requests.total, baseline: plain.latency.p99 })
  const polled = await ask(`http://127.0.0.1:${port}`, requests, { duration: seconds })
  emit({ name: 'vtn targeted distinct vens', value: rounded(polled.requests.average), unit: 'requests/s', n: polled.requests.total, baseline: rounded(least), ratio: rounded(polled.requests.average / least) })
  emit({ name: 'vtn targeted distinct vens p99', value: polled.latency.p99, unit: 'ms', n: polled.requests.total, baseline: plain.latency.p99 })
}

/** Answers a second from the first request to the last answer: of a short run the generator's own start would be the longest part. */
function served(server: Server): () => number {
  let first = Number.NaN, last = Number.NaN, answers = 0
  server.on('request', (_, response) => {
    if (Number.isNaN(first)) first = performance.now()
    response.once('finish', () => { last = performance.now(); answers += 1 })
  })
  return () => answers / ((last - first) / 1000)
}

async function posts(emit: Emit, bare: Bare, bearer: string, port: number, program: string): Promise<void> {
  const send = (url: string) => autocannon({
    url, connections, duration: seconds, method: 'POST', workers: 1,
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' }, body: JSON.stringify(event(program, 1)),
  })
  const plain = await send(`${bare.url}/events`), result = await send(`http://127.0.0.1:${port}${base}/events`)
  emit({ name: 'vtn post event', value: rounded(result.requests.average), unit: 'requests/s', n: result.requests.total, baseline: rounded(plain.requests.average), ratio: rounded(result.requests.average / plain.requests.average) })
  emit({ name: 'vtn post event p99', value: result.latency.p99, unit: 'ms', n: result.requests.total, baseline: plain.latency.p99 })
}

const receivers = 1000, orders = 20

/** One event after the other, so that a figure is what one writer waits. */
async function paced(port: number, bearer: string, programID: string, between: (i: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < orders; i += 1) {
    const begun = performance.now()
    const answer = await fetch(`http://127.0.0.1:${port}${base}/events`, { method: 'POST', headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' }, body: JSON.stringify({ programID, eventName: `told ${i}` }) })
    if (answer.status !== 201) throw new Error(`event ${i}: ${answer.status}`)
    await answer.arrayBuffer()
    times.push(performance.now() - begun)
    await between(i)
  }
  return times.toSorted((a, b) => a - b)
}
const soon = (): Promise<void> => new Promise((done) => { setTimeout(done, 25) })
/** Waits until everybody was told of what was posted so far, so that a POST meets a server at rest. */
async function reached(count: () => number, wanted: number): Promise<void> {
  const begun = performance.now()
  while (count() < wanted && performance.now() - begun < 60_000) await soon()
}
const middle = (sorted: readonly number[]): number => rounded(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN)

/** A local sink that answers at once and counts. */
async function sink(): Promise<{ url: string; count: () => number; close: () => void }> {
  let count = 0
  const server = createServer((request, response) => { request.resume().on('end', () => { count += 1; response.end() }) })
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, count: () => count, close: () => { server.closeAllConnections(); server.close() } }
}

/** Issue 4: what a POST costs while 1,000 webhooks, or 1,000 VENs on MQTT, want to hear of it; how fast webhooks leave; whether memory stays. */
async function told(emit: Emit, db: TestDatabase): Promise<void> {
  const hook = await sink()
  const webhooks = { allowHttp: true, echo: 'off' as const, allow: ['127.0.0.0/8'] }
  const vtn = await made(db, { webhooks, mqtt: { uris: ['mqtt://localhost'] } })
  const app = await vtn.door(), port = await listen(app), bl = await token(app, 'bl')
  const program = await post(app, bl, '/programs', { programName: 'told' })
  await vtn.start()
  try {
    const quiet = middle(await paced(port, bl, program, soon))
    await db.stores.documents.insertMany(Array.from({ length: receivers }, (_, i) => ({
      tenant: db.tenant, kind: 'vtn/subscription', id: `subscription-${i}`, parent: program, owner: 'bl', targets: [''],
      body: { clientName: `s${i}`, programID: program, clientID: 'bl', _role: 'BL', _surface: '3.1.1', objectOperations: [{ objects: ['EVENT'], operations: ['CREATE'], callbackUrl: `${hook.url}/${i}` }] },
    })), systemClock.nowMs())
    const withHooks = middle(await paced(port, bl, program, (i) => reached(hook.count, receivers * (i + 1))))
    emit({ name: 'vtn post event with 1000 webhooks p50', value: withHooks, unit: 'ms', n: orders, baseline: quiet, ratio: rounded(withHooks / quiet) })
    const before = process.memoryUsage().rss, begun = performance.now(), first = hook.count()
    await paced(port, bl, program, async () => {})
    await reached(hook.count, first + receivers * orders)
    emit({ name: 'vtn webhooks drained', value: rounded((hook.count() - first) / ((performance.now() - begun) / 1000)), unit: 'webhooks/s', n: hook.count() - first })
    emit({ name: 'vtn memory after webhooks', value: rounded((process.memoryUsage().rss - before) / 1_048_576), unit: 'MB more', n: hook.count() })
    await Promise.all(Array.from({ length: receivers }, (_, i) => db.stores.documents.remove(db.tenant, 'vtn/subscription', `subscription-${i}`)))
    await listening(emit, vtn, app, port, bl, program, quiet)
  } finally {
    await vtn.stop()
    await app.close()
    hook.close()
  }
}

/** 1,000 VENs, each on its own topics of the embedded broker; every event is for all of them. */
async function listening(emit: Emit, vtn: Vtn, app: FastifyInstance, port: number, bl: string, program: string, quiet: number): Promise<void> {
  const broker = vtn.broker?.()
  if (!broker) throw new Error('no broker')
  await new Promise<void>((done) => { broker.listen(0, '127.0.0.1', done) })
  const uri = `mqtt://127.0.0.1:${(broker.address() as AddressInfo).port}`
  let heard = 0
  const clients = []
  for (let at = 0; at < receivers; at += 50) {
    clients.push(...await Promise.all(Array.from({ length: 50 }, async (_, k) => {
      const i = at + k
      const client = await connectAsync(uri, { username: `c${i}`, password: await token(app, `c${i}`), clientId: `m${i}`, protocolVersion: 4 })
      client.on('message', () => { heard += 1 })
      await client.subscribeAsync(`events/vens/ven-${i}/+`, { qos: 1 })
      return client
    })))
  }
  const p50 = middle(await paced(port, bl, program, (i) => reached(() => heard, receivers * (i + 1))))
  emit({ name: 'vtn post event with 1000 mqtt vens p50', value: p50, unit: 'ms', n: orders, baseline: quiet, ratio: rounded(p50 / quiet) })
  const begun = performance.now(), first = heard
  await paced(port, bl, program, async () => {})
  await reached(() => heard, first + receivers * orders)
  emit({ name: 'vtn mqtt messages', value: rounded((heard - first) / ((performance.now() - begun) / 1000)), unit: 'messages/s', n: heard - first })
  await Promise.all(clients.map((c) => c.endAsync(true)))
}
