import Fastify from 'fastify'
import { request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { system } from '#core/caller.js'
import { Refusal } from '#core/error.js'
import { operatorRoutes } from '#vtn/operator.js'
import { base, testVtn } from '#vtn/test-vtn.js'

const v = await testVtn()
t.teardown(() => v.close())

t.test('CORE-225 clients, webhooks and prices on the operator door, by right', async (t) => {
  const app = Fastify()
  let rights: readonly string[] = ['read', 'write']
  app.setErrorHandler((error, _request, reply) => reply.code(error instanceof Refusal ? { forbidden: 403, notFound: 404, conflict: 409, invalid: 422 }[error.kind as 'forbidden'] ?? 500 : (error as { statusCode?: number }).statusCode ?? 500).send({}))
  await app.register(operatorRoutes({ vtn: v.vtn, callerOf: () => system('test'), permit: (_c, right) => { if (!rights.includes(right)) throw new Refusal('forbidden', 'no') } }))
  const post = (url: string, payload?: object) => app.inject({ method: 'POST', url, ...(payload ? { payload } : {}) })
  const made = await post('/openadr/clients', [{ clientID: 'a', role: 'VEN' }, { clientID: 'b', role: 'VEN', clientSecret: 'chosen by a machine' }])
  t.equal(made.statusCode, 201)
  const [a] = made.json().items
  t.type(await v.token('a', a.clientSecret), 'string')
  t.same((await app.inject('/openadr/clients')).json().items.map((c: { clientID: string }) => c.clientID), ['a', 'b'])
  t.notOk((await app.inject('/openadr/clients')).body.includes(a.clientSecret))
  t.equal((await post('/openadr/clients', { clientID: 'a', role: 'VEN' })).statusCode, 409)
  t.equal((await post('/openadr/clients', { clientID: 'c' })).statusCode, 400)
  t.equal((await post('/openadr/clients/a/rotate')).statusCode, 200)
  t.equal(await v.token('a', a.clientSecret), undefined)
  t.equal((await app.inject({ method: 'DELETE', url: '/openadr/clients/a' })).statusCode, 204)
  t.equal((await app.inject({ method: 'DELETE', url: '/openadr/clients/a' })).statusCode, 404)
  t.same((await app.inject('/openadr/webhook-endpoints')).json().items, [])
  t.same((await app.inject('/openadr/webhook-deliveries?state=failed')).json().items, [])
  t.equal((await post('/openadr/webhook-deliveries/x/resend')).statusCode, 404)
  t.equal((await post('/openadr/prices', { program: 't', currency: 'USD', name: 'd', csv: 'start,price\n2026-01-01T00:00:00Z,0.1\n' })).statusCode, 201)
  rights = ['read']
  t.equal((await post('/openadr/clients', { clientID: 'x', role: 'VEN' })).statusCode, 403)
  await app.close()
})

t.test('REL-044 every connection has a deadline', async (t) => {
  t.ok(v.app.server.requestTimeout > 0 && v.app.server.requestTimeout <= 30_000)
  t.ok(v.app.server.headersTimeout > 0)
  t.ok(v.app.server.keepAliveTimeout > 0)
  t.ok(v.app.server.timeout > 0 && v.app.server.timeout <= 60_000)
})

t.test('SEC-041 SEC-040 half a million wrong values cost little and one answer', async (t) => {
  const program = (await v.call('POST', '/programs', 'bl_client', { programName: 'big' })).json()
  const body = `{"programID":"${program.id}","intervals":[{"id":0,"payloads":[{"type":"PRICE","values":[${'{},'.repeat(300_000)}{}]}]}]}`
  const began = performance.now()
  const answer = await v.call('POST', '/events', 'bl_client', body)
  t.equal(answer.statusCode, 400)
  t.ok(answer.body.length < 5000)
  t.ok(performance.now() - began < 1500)
  t.equal((await v.call('GET', '/programs?limit=1')).statusCode, 200)
})

t.test('OA-001 a door with TLS speaks 1.2 or later; tokenURL follows the scheme', async (t) => {
  const { makeTlsPair } = await import('#vtn/test-tls.js')
  const { key, cert, ca } = await makeTlsPair()
  const app = await v.vtn.door({ tls: { key, cert, minVersion: 'TLSv1.2' } })
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const get = (options: object) => new Promise<{ status: number; body: string; protocol: string | null }>((done, failed) => {
    const request = httpsRequest({ host: '127.0.0.1', port, path: `${base}/auth/server`, ca, servername: 'localhost', ...options }, (response) => {
      let body = ''
      const { socket } = response
      response.on('data', (d) => { body += String(d) }).on('end', () => done({ status: response.statusCode ?? 0, body, protocol: (socket as unknown as { getProtocol(): string | null }).getProtocol() }))
    })
    request.on('error', failed).end()
  })
  const answer = await get({})
  t.match(answer, { status: 200, protocol: 'TLSv1.3' })
  t.match(JSON.parse(answer.body).tokenURL, /^https:\/\/127\.0\.0\.1:\d+\/openadr3\/3\.1\.1\/auth\/token$/)
  await t.rejects(get({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }))
})
