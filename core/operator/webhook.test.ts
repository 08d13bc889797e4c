import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { programTerms, testDoor } from '#core/operator/test-door.js'
import { guardedPost } from '#core/webhook/guarded-post.js'
import { webhookTask } from '#core/webhook/webhook.js'

// a real database on a machine that is shared with other tests
t.setTimeout(240_000)

const noon = Date.UTC(2026, 6, 15, 18), hour = 3_600_000

t.test('UX-030 a receiver’s log, tests, resends and disabling', async (t) => {
  const got: { headers: IncomingMessage['headers']; body: string }[] = [], outbound = guardedPost({ allows: () => true, allowHttp: true })
  let status = 204
  const server = createServer((q, a) => {
    let body = ''
    q.on('data', (c) => { body += c }).on('end', () => {
      got.push({ headers: q.headers, body })
      a.writeHead(status).end('said')
    })
  })
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
  const { core, clock, as } = await testDoor(t, { nowMs: noon, tasks: (transact) => ({ webhook: webhookTask(transact, outbound) }) }), call = await as('admin', 'ada')
  t.teardown(async () => {
    await outbound.close()
    server.close()
  })
  core.timetable.start()
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`, hook = (await call('POST', 'webhooks', { url, events: ['stop.*'] })).data
  const settled = (): Promise<void> => core.timetable.settled(), log = async (query = ''): Promise<any[]> => (await call('GET', `webhooks/${hook.id}/deliveries${query}`)).data.items

  await t.test('UX-030 a test event comes whatever the receiver listens to, and is in the trail', async (t) => {
    t.match(await call('POST', `webhooks/${hook.id}/test`, {}), { statusCode: 202, data: { state: 'pending', event: { type: 'webhook.test' } } })
    await settled()
    t.match([got.length, JSON.parse(got[0]!.body)], [1, { type: 'webhook.test', actor: 'ada', entity: hook.id }])
    t.ok((await call('GET', `audit?entity=${hook.id}`)).data.items.some((r: { action: string }) => r.action === 'webhook.test'))
    t.equal((await call('POST', 'webhooks/00000000-0000-7000-8000-000000000000/test', {})).statusCode, 404)
  })

  await t.test('UX-030 the log has the request as it went: address, headers, signature; the event is the body', async (t) => {
    const [d] = await log(), { request, status: answered, answer, ms } = d.attempts[0], { headers, body } = got[0]!
    t.same([request.url, answered, answer, typeof ms], [url, 204, '', 'number'])
    for (const [name, value] of Object.entries(request.headers)) t.equal(headers[name], value, name)
    t.equal(JSON.stringify(d.event), body)
    const [time, v1] = request.headers['loadstone-signature'].split(',')
    t.equal(v1, `v1=${createHmac('sha256', hook.secret).update(`${time.slice(2)}.${body}`).digest('hex')}`)
    t.notOk(JSON.stringify(await log()).includes(hook.secret), 'no secret')
  })

  await t.test('UX-030 after a bad hour the failed ones of a range are sent again, and only those', async (t) => {
    await clock.advance(hour)
    const stop = async (): Promise<void> => { await call('POST', 'stop', { scope: 'all', reason: 'drill' }) }
    status = 500
    await stop()
    await settled()
    status = 204
    const bad = { from: new Date(clock.nowMs()).toISOString(), to: new Date(clock.nowMs() + 1000).toISOString() }, { length } = got
    t.match(await log(`?from=${bad.from}&to=${bad.to}`), [{ state: 'pending', event: { type: 'stop.set' }, attempts: [{ status: 500 }] }], 'the range alone')
    t.same((await log('?order=newest')).map((d) => d.event.type), ['stop.set', 'webhook.test'], 'newest first')
    t.match(await call('POST', `webhooks/${hook.id}/resend`, { ...bad, state: 'pending' }), { statusCode: 202, data: { resent: 1 } })
    await settled()
    t.equal(got.length, length + 1)
    t.match(await log('?state=delivered&order=newest'), [{ attempts: [{ status: 500 }, { status: 204 }] }, { event: { type: 'webhook.test' } }])
    await clock.advance(hour)
    await settled()
    t.equal(got.length, length + 1, 'the retry that the resend overtook does not come as well')
    t.match(await call('POST', `webhooks/${hook.id}/resend`, { ...bad, state: 'failed' }), { data: { resent: 0 } })
    t.match(await call('POST', `webhooks/${hook.id}/resend`, {}), { data: { resent: 2 } }, 'without bounds: all')
    await settled()
    t.equal(got.length, length + 3)
    t.ok((await call('GET', `audit?entity=${hook.id}`)).data.items.filter((r: { action: string }) => r.action === 'webhook.resend').length === 2, 'both are in the trail')
  })

  await t.test('UX-030 a disabled receiver gets nothing; what waited is told as failed, and a resend is refused until it is enabled', async (t) => {
    await call('PATCH', `webhooks/${hook.id}`, { events: ['program.*'] })
    status = 500
    await call('POST', 'programs', programTerms)
    await settled()
    await call('PATCH', `webhooks/${hook.id}`, { state: 'disabled' })
    await clock.advance(hour)
    await settled()
    const { length } = got, [d] = await log('?order=newest&limit=1')
    t.match(d, { state: 'failed', event: { type: 'program.create' } })
    for (const path of [`deliveries/${d.id}/resend`, 'resend', 'test']) t.equal((await call('POST', `webhooks/${hook.id}/${path}`, {})).statusCode, 409, path)
    status = 204
    await call('PATCH', `webhooks/${hook.id}`, { state: 'active' })
    t.equal((await call('POST', `webhooks/${hook.id}/deliveries/${d.id}/resend`, {})).statusCode, 202)
    await settled()
    t.same([got.length, (await log('?order=newest&limit=1'))[0].state], [length + 1, 'delivered'])
  })

  await t.test('UX-030 while a rotation lasts the page can say until when the old secret signs too', async (t) => {
    t.equal(hook.oldSecretUntil, null)
    t.equal((await call('PATCH', `webhooks/${hook.id}`, { rotateSecret: true })).data.oldSecretUntil, new Date(clock.nowMs() + 24 * hour).toISOString())
  })
})
