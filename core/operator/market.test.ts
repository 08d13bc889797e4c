import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { assemble } from '#core/assemble.js'
import { system } from '#core/caller.js'
import { ispFaults, runsOf } from '#core/flex/flex.js'
import { buildOperator } from '#core/operator/door.js'
import { handClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import { createToken } from '#core/token/token.js'
import { guardedPost } from '#core/webhook/guarded-post.js'
import { webhookTask } from '#core/webhook/webhook.js'
import { testDatabase } from '#prisma/test-database.js'

// real databases on a machine that is shared with other tests
t.setTimeout(240_000)

t.test('CORE-056 ISP numbers start at 1 and appear once; equal neighbours are one event', async (t) => {
  t.strictSame(ispFaults([{ isp: 0, power_kW: 1 }, { isp: 2, power_kW: 1 }, { isp: 2, power_kW: 0 }]).map((f) => f.path), ['/isps/0/isp', '/isps/2/isp', '/isps/2/power_kW'])
  t.strictSame(runsOf([{ isp: 1, power_kW: 5 }, { isp: 2, power_kW: 5 }, { isp: 3, power_kW: 6 }, { isp: 5, power_kW: 6 }]), [{ from: 1, to: 3, power_kW: 5 }, { from: 3, to: 4, power_kW: 6 }, { from: 5, to: 6, power_kW: 6 }])
})

t.test('SEC-060 a receiver that may not be reached is refused before a connection is made', async (t) => {
  let connections = 0
  const server = createServer((q, a) => a.end(q.method)).on('connection', () => connections++)
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
  const { port } = server.address() as AddressInfo
  t.teardown(() => server.close())
  const never = guardedPost({ allows: () => false, allowHttp: true }), https = guardedPost({ allows: () => true })
  t.teardown(async () => { await never.close(); await https.close() })
  for (const url of [`http://127.0.0.1:${port}`, `http://localhost:${port}`, `http://2130706433:${port}`, `http://[::ffff:127.0.0.1]:${port}`]) {
    t.ok(await never.post(url, {}, '').then(() => false, () => true), url)
    t.ok(await never.getBytes(url, {}, 10).then(() => false, () => true), url)
  }
  t.match(await https.post(`http://127.0.0.1:${port}`, {}, '').catch((e: unknown) => e), { kind: 'forbidden' })
  t.equal(connections, 0)
  const may = guardedPost({ allows: () => true, allowHttp: true })
  t.teardown(() => may.close())
  t.same(await may.getBytes(`http://127.0.0.1:${port}`, {}, 10), { status: 200, body: Buffer.from('GET') })
})

t.test('webhooks and the DSO loop over the API', async (t) => {
  const { database, close } = await testDatabase(), clock = handClock(Date.UTC(2026, 6, 15, 18)), ids = randomIds(clock.nowMs)
  const outbound = guardedPost({ allows: () => true, allowHttp: true })
  const core = assemble({ database, clock, ids, log: silent, tasks: (transact) => ({ webhook: webhookTask(transact, outbound) }) })
  core.connect({ openadr: { protocol: 'openadr', send: async (o) => o.map(({ id }) => ({ id, outcome: 'sent' })), cancel: async (o) => o.map(({ id }) => ({ id, outcome: 'sent' })) } })
  const app = await buildOperator({ core, log: silent, version: '0' })
  const { token } = await core.transact((w) => createToken(w, system('default'), { role: 'admin', user: 'ada' }))
  const got: { headers: IncomingMessage['headers']; body: string }[] = []
  let status = 500
  const server = createServer((q, a) => {
    let body = ''
    q.on('data', (c) => { body += c }).on('end', () => {
      got.push({ headers: q.headers, body })
      a.writeHead(status).end('said')
    })
  })
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
  t.teardown(async () => {
    await core.timetable.stop()
    await outbound.close()
    server.close()
    await app.close()
    await close()
  })
  const call = async (method: string, path: string, body?: unknown): Promise<{ status: number; data: any }> => {
    const a = await app.inject({ method: method as 'GET', url: `/api/v1/${path}`, headers: { authorization: `Bearer ${token}` }, ...(body === undefined ? {} : { payload: body as object }) })
    return { status: a.statusCode, data: JSON.parse(a.body) }
  }
  const hook = (await call('POST', 'webhooks', { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`, events: ['dispatch.*', 'program.create'] })).data
  t.equal((await call('POST', 'webhooks', { url: 'file:///etc/passwd' })).status, 422)
  core.timetable.start()
  await call('POST', 'programs', { name: 'peak', timeZone: 'UTC', direction: 'down', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'portfolio' }, currency: 'USD', customerShare: '0.7' })
  await core.timetable.settled()

  await t.test('REL-054, UX-030 signed, retried later, kept in a log, sent again on request', async (t) => {
    t.equal(got.length, 1)
    const { headers, body } = got[0]!, [time, v1] = String(headers['loadstone-signature']).split(',')
    t.equal(v1, `v1=${createHmac('sha256', hook.secret).update(`${time!.slice(2)}.${body}`).digest('hex')}`)
    t.match(JSON.parse(body), { type: 'program.create', actor: 'ada' })
    t.match((await call('GET', `webhooks/${hook.id}/deliveries`)).data.items, [{ state: 'pending', attempts: [{ status: 500, answer: 'said' }] }])
    status = 204
    await clock.advance(10_000)
    await core.timetable.settled()
    const log = (await call('GET', `webhooks/${hook.id}/deliveries`)).data.items
    t.match(log, [{ state: 'delivered', attempts: [{ status: 500 }, { status: 204 }] }])
    t.equal((await call('POST', `webhooks/${hook.id}/deliveries/${log[0].id}/resend`, {})).status, 202)
    await core.timetable.settled()
    t.equal(got.length, 3)
    const rotated = (await call('PATCH', `webhooks/${hook.id}`, { rotateSecret: true })).data
    t.not(rotated.secret, hook.secret)
    await call('POST', 'programs', { name: 'second', timeZone: 'UTC', direction: 'down', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'portfolio' }, currency: 'USD', customerShare: '0.7' })
    await core.timetable.settled()
    t.equal(String(got.at(-1)?.headers['loadstone-signature']).split('v1=').length, 3, 'both secrets sign for a day')
  })

  await t.test('CORE-056 request, offer, order: an order is bound to an unexpired offer and becomes events', async (t) => {
    await call('POST', 'service-points', { name: 'sp' })
    await call('POST', 'resources', { name: 'r', servicePoint: 'sp', kind: 'battery', rated_kW: 10, bindings: [{ protocol: 'openadr', remoteId: 'v' }] })
    const e = (await call('POST', 'enrolments', { program: 'peak', servicePoint: 'sp' })).data
    for (const to of ['eligible', 'verified', 'active']) await call('POST', `enrolments/${e.id}/transitions`, { to })
    const isps = [{ isp: 1, power_kW: 4 }, { isp: 2, power_kW: 4 }, { isp: 3, power_kW: 8 }]
    const request = (await call('POST', 'flex-requests', { program: 'peak', periodStart: '2026-07-15T20:00:00Z', isps, expiresAt: '2026-07-15T19:30:00Z' })).data
    const offer = (await call('POST', 'flex-offers', { request: request.id, isps, price: '0.40', minActivationFactor: 0.5, expiresAt: '2026-07-15T19:00:00Z' })).data
    t.equal((await call('POST', 'flex-offers', { request: request.id, isps: [{ isp: 9, power_kW: 1 }], price: '1', expiresAt: '2026-07-15T19:00:00Z' })).status, 422)
    t.equal((await call('POST', 'flex-orders', { offer: offer.id, activationFactor: 0.2 })).status, 422)
    const order = await call('POST', 'flex-orders', { offer: offer.id, activationFactor: 0.5 })
    t.equal(order.status, 201)
    const dispatches = (await call('GET', 'dispatches')).data.items
    t.strictSame(dispatches.map((d: { power_kW: number; start: string }) => [d.power_kW, d.start]), [[2, '2026-07-15T20:00:00Z'], [4, '2026-07-15T20:30:00Z']])
    t.equal((await call('POST', 'flex-orders', { offer: offer.id })).status, 409)
  })

  await t.test('UX live: what changes is streamed from the audit trail', async (t) => {
    const base = await app.listen({ port: 0, host: '127.0.0.1' })
    const stop = new AbortController(), answer = await fetch(`${base}/api/v1/live`, { headers: { authorization: `Bearer ${token}` }, signal: stop.signal })
    t.match(answer.headers.get('content-type'), /event-stream/)
    await call('POST', 'service-points', { name: 'streamed' })
    await clock.advance(600)
    let seen = ''
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
      seen += Buffer.from(chunk).toString()
      if (seen.includes('servicePoint.create')) break
      await clock.advance(600)
    }
    t.match(seen, /event: servicePoint\.create\ndata: \{.*"entity"/)
    stop.abort()
  })
})
