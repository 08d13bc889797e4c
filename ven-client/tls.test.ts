import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { vtnClient, type ClientOptions } from '#ven-client/openadr/client.js'
import { isVtnError } from '#ven-client/openadr/error.js'
import { eventFeed } from '#ven-client/openadr/feed.js'
import { makeTlsPair } from '#vtn/test-tls.js'

const ours = await makeTlsPair(), theirs = await makeTlsPair()
const servers: Server[] = []
t.teardown(() => Promise.all(servers.map((s) => new Promise((done) => { s.close(done); s.closeAllConnections() }))))

/** An https server with nothing but an empty list of events; `seen` counts requests that got through the handshake. */
async function server(options: object = {}): Promise<{ url: string; port: number; seen: () => number }> {
  let seen = 0
  const made = createServer({ key: ours.key, cert: ours.cert, ...options }, (_request, response) => { seen += 1; response.writeHead(200, { 'content-type': 'application/json' }).end('[]') })
  servers.push(made)
  await new Promise<void>((done) => { made.listen(0, '127.0.0.1', done) })
  const { port } = made.address() as AddressInfo
  return { url: `https://localhost:${port}`, port, seen: () => seen }
}
const warnings: string[] = []
const log = { debug() {}, info() {}, warn: (_fields: object, text?: string) => { warnings.push(text ?? '') }, error() {} }
const outcome = async (options: ClientOptions): Promise<unknown> => {
  const client = vtnClient({ attempts: 1, log, ...options })
  return client.events().then((list) => list.length, (error: unknown) => (isVtnError(error) ? error.kind : error)).finally(() => client.close())
}

t.test('OA-003 the certificate is verified: refused and told by default, good with our CA file, or with an explicit switch that warns', async (t) => {
  const vtn = await server()
  t.equal(await outcome({ url: vtn.url }), 'unreachable', 'a root that nobody knows')
  t.equal(await outcome({ url: vtn.url, ca: theirs.ca }), 'unreachable', 'somebody else’s root')
  t.equal(await outcome({ url: `https://127.0.0.2:${vtn.port}`, ca: ours.ca }), 'unreachable', 'another name than the certificate bears')
  t.equal(vtn.seen(), 0, 'not one request, so no token and no secret, left before the check')
  t.equal(await outcome({ url: vtn.url, ca: ours.ca }), 0, '(a)')
  t.same(warnings, [])
  t.equal(await outcome({ url: vtn.url, insecure: true }), 0, '(b)')
  t.match(warnings, [/not verified/])
})

t.test('OA-003 the refusal says why, so that a person can mend it, and is tried again later', async (t) => {
  const vtn = await server(), clock = handClock(Date.parse('2026-07-01T12:00:00Z')), told: object[] = []
  const client = vtnClient({ url: vtn.url, attempts: 1, clock, log: { ...log, warn: (fields: object) => { told.push(fields) } } })
  t.teardown(() => client.close())
  const message = await client.events().then(() => '', (error: Error) => error.message)
  t.match(message, /CERT|SELF_SIGNED|VERIFY/)
  const feed = eventFeed(client, { firstPollWithin_s: 0, onChanges: () => undefined, onStopped: () => t.fail('gave up') })
  t.teardown(() => feed.stop())
  for (let i = 0; i < 200 && told.length < 2; i++) { await clock.advance(1000); await new Promise((done) => setTimeout(done, 5)) }
  t.match(told, [{ kind: 'unreachable' }, { kind: 'unreachable' }])
})

t.test('OA-002 OA-001 a private CA of the site is enough, and nothing older than TLS 1.2 is spoken', async (t) => {
  const modern = await server({ minVersion: 'TLSv1.3' }), old = await server({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' })
  t.equal(await outcome({ url: modern.url, ca: ours.ca }), 0)
  t.equal(await outcome({ url: old.url, ca: ours.ca }), 'unreachable')
  t.equal(old.seen(), 0)
})
