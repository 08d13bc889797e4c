import https from 'node:https'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { certificatePem } from '#certs/x509/pem.js'
import { handClock } from '#core/port/clock.js'
import { attributeOf, Device, makePki, sep, serverUnderTest, textOf } from '#csip-server/fixture.js'
import { mayBeNotified, resolve } from '#csip-server/notify/destination.js'
import { devicePeer, operatorPeer } from '#csip-server/identity.js'
import { testDatabase } from '#prisma/test-database.js'

const begin = Date.UTC(2026, 10, 23, 22, 0, 0)
const clock = handClock(begin)
const pki = await makePki()
const db = await testDatabase({ clock })
/** Holds back the answer to whoever reads the subscriptions, as a busy database does. */
let held: Promise<void> | undefined, reads = 0
const list: typeof db.stores.documents.list = async (...of) => {
  const found = await db.stores.documents.list(...of)
  if (of[1].kind === 'csip/Subscription' && of[1].limit === 5000) {
    await held
    reads++
  }
  return found as never
}
const documents = new Proxy(db.stores.documents, { get: (target, name) => (name === 'list' ? list : (target[name as keyof typeof target] as { bind(to: unknown): unknown }).bind(target)) })
const needs = { pki, documents, tenant: db.tenant, clock, config: { notifyAllow: ['127.0.0.1'], publicUrl: 'https://utility.example:8443' } }
const first = serverUnderTest(needs)
const port = await first.csip.listen({ port: 0, hosts: ['127.0.0.1'] })
const [agg, one, other] = await Promise.all(['agg', 'one', 'other'].map((s) => pki.device(s)))
await first.csip.provisioning.registerEndDevices([
  { lfdi: agg!.lfdi }, { lfdi: one!.lfdi, manager: agg!.lfdi, groups: ['system', 'F1', 'one'] }, { lfdi: other!.lfdi, groups: ['system', 'F2', 'other'] },
])
const client = new Device(agg!, port, pki.serca)

/** The subscriber's own server: mutual TLS, answers what it is told to. */
const got: { path: string; body: string }[] = []
let answer = 204, peer = ''
const sink = https.createServer({ key: agg!.key, cert: agg!.cert, ca: [pki.serca], requestCert: true, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0' }, (req, res) => {
  peer = (req.socket as import('node:tls').TLSSocket).getPeerX509Certificate()!.fingerprint256.replaceAll(':', '').slice(0, 40)
  let body = ''
  req.on('data', (p) => { body += p })
  req.on('end', () => { got.push({ path: req.url!, body }); res.writeHead(answer).end() })
})
await new Promise<void>((done) => sink.listen(0, '127.0.0.1', done))
const uri = `https://127.0.0.1:${(sink.address() as AddressInfo).port}/ntfy`
let running = first
t.teardown(async () => { client.close(); sink.closeAllConnections(); sink.close(); await running.close(); await db.close() })

const until = async (what: () => boolean): Promise<void> => { for (let i = 0; i < 400 && !what(); i++) await new Promise((r) => setTimeout(r, 5)) }
const subscription = (resource: string, to = uri, limit = 5): string => sep('Subscription', `<subscribedResource>${resource}</subscribedResource><encoding>0</encoding><level>+S1</level><limit>${limit}</limit><notificationURI>${to}</notificationURI>`)
const subs = `/edev/${agg!.lfdi}/sub`
const operator = (method: string, target: string, xml?: string) => running.csip.door.handle({ method, target, peer: operatorPeer('op'), contentType: 'application/sep+xml', ...(xml ? { body: Buffer.from(xml) } : {}) })
let n = 0
const control = (start: number, base = '<opModConnect>true</opModConnect>'): string => sep('DERControl', `<mRID>${(++n).toString(16).padStart(32, 'C')}</mRID><creationTime>0</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>0</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>600</duration><start>${start}</start></interval><DERControlBase>${base}</DERControlBase>`)

t.test('SEP-150, SEP-151, SEP-152, SEP-159 what may be subscribed', async (t) => {
  t.equal((await client.ask('POST', subs, subscription('/derp/one/derc'))).status, 201)
  const again = await client.ask('POST', subs, subscription('https://utility.example:8443/derp/one/derc', uri, 2))
  t.equal(again.status, 204, 'the same again')
  const kept = await client.get(again.headers.location!)
  t.match([textOf(kept.body, 'limit'), textOf(kept.body, 'level'), textOf(kept.body, 'subscribedResource')], ['2', '+S1', '/derp/one/derc'])
  t.equal((await client.ask('POST', subs, subscription('/tm'))).status, 400, 'not subscribable')
  t.equal((await client.ask('POST', subs, subscription('/derp/other/derc'))).status, 400, 'not visible')
  t.equal((await client.ask('POST', subs, subscription('/derp/one/derc').replace('<encoding>0', '<encoding>1'))).status, 400)
  const condition = await client.ask('POST', subs, subscription('/derp/one/derc').replace('<encoding>', '<Condition><attributeIdentifier>0</attributeIdentifier><lowerThreshold>0</lowerThreshold><upperThreshold>1</upperThreshold></Condition><encoding>'))
  t.match([condition.status, textOf(condition.body, 'reasonCode')], [400, '3'])
  for (const bad of ['https://10.0.0.1/x', 'https://[::1]/x', 'http://127.0.0.1/x', 'file:///etc/passwd', 'https://a:b@127.0.0.1/', 'ntfy', 'https://169.254.169.254/', 'https://2130706434/']) {
    const expected = bad.startsWith('http://127') ? 201 : 400
    t.equal((await client.ask('POST', subs, subscription('/derp/F1/derc', bad))).status, expected, bad)
  }
  t.equal(await mayBeNotified('https://[::ffff:10.0.0.1]/', []), false, 'SEC-060 mapped')
  t.match(await resolve('https://8.8.8.8/', []), { address: '8.8.8.8' })
})

t.test('SEP-012, SEP-154, SEP-156 a change is posted over mutual TLS with what a GET would give', async (t) => {
  t.equal((await operator('POST', '/derp/one/derc', control(clock.now() + 60))).status, 201)
  await until(() => got.length === 1)
  t.equal(got.length, 1)
  const { body } = got[0]!
  t.equal(peer, pki.server.lfdi, 'SEP-012 our own certificate')
  t.equal(textOf(body, 'subscribedResource'), '/derp/one/derc')
  t.equal(attributeOf(body, 'Resource', 'xsi:type'), 'DERControlList')
  t.match([attributeOf(body, 'Resource', 'all'), attributeOf(body, 'Resource', 'results')], ['1', '1'])
  t.match(textOf(body, 'subscriptionURI')!, /^https:\/\/utility\.example:8443\/edev\//)
  await clock.advance(60_000)
  await until(() => got.length === 2)
  t.equal(textOf(got[1]!.body, 'currentStatus'), '1', 'SEP-072 the clock is a change too')
})

t.test('SEP-012, SEP-212 after a reload the next notification shows the new certificate', async (t) => {
  const renewed = await pki.device('server-renewed'), other = await client.ask('POST', subs, subscription('/derp/one/dderc')), before = got.length
  running.csip.reload({ key: renewed.key, cert: renewed.cert, ca: [pki.serca, certificatePem(pki.mica.certificate)] })
  t.ok((await operator('PUT', '/derp/one/dderc', sep('DefaultDERControl', '<mRID>0DD1</mRID><DERControlBase/><setGradW>7</setGradW>'))).status < 300)
  await until(() => got.length > before)
  t.equal(peer, renewed.lfdi)
  t.equal((await client.ask('DELETE', other.headers.location!)).status, 204)
  got.length = before
  running.csip.reload({ key: pki.server.key, cert: pki.server.cert, ca: [pki.serca, certificatePem(pki.mica.certificate)] })
})

t.test('SEP-155, SEP-157, SEP-158 an outage leaves one pending notification with the last state', async (t) => {
  await until(() => running.csip.notifier.pending() === 0)
  answer = 503
  got.length = 0
  for (let i = 0; i < 5; i++) await operator('POST', '/derp/one/derc', control(clock.now() + 1000 + i * 1000))
  await until(() => got.length > 0 && running.csip.notifier.pending() === 1)
  answer = 204
  const failed = got.length
  for (let i = 0; i < 10; i++) { await clock.advance(60_000); await until(() => got.length > failed); if (got.length > failed) break }
  await until(() => running.csip.notifier.pending() === 0)
  const last = got.at(-1)!.body
  t.match([attributeOf(last, 'Resource', 'all'), attributeOf(last, 'Resource', 'results')], ['6', '2'], 'cut at its limit')
  t.equal(got.length, failed + 1, 'coalesced into one')
})

t.test('SEP-160 a pending change survives a restart', async (t) => {
  await clock.advance(2000)
  await until(() => running.csip.notifier.pending() === 0)
  await new Promise((r) => setTimeout(r, 50))
  answer = 503
  got.length = 0
  await operator('POST', '/derp/one/derc', control(clock.now() + 9000))
  await until(() => got.length > 0)
  await running.close()
  answer = 204
  got.length = 0
  running = serverUnderTest(needs)
  await running.csip.listen({ port: 0, hosts: ['127.0.0.1'] })
  await until(() => got.length > 0)
  t.equal(attributeOf(got[0]!.body, 'Resource', 'all'), '7')
})

t.test('SEP-157 a receiver that is gone three times is dropped', async (t) => {
  answer = 410
  for (let i = 0; i < 3; i++) {
    const before = got.length
    await operator('POST', '/derp/one/derc', control(clock.now() + 20_000 + i * 700))
    await until(() => got.length > before)
    await until(() => running.csip.notifier.pending() === 0)
  }
  await until(() => running.csip.notifier.counts.gone >= 3)
  await new Promise((r) => setTimeout(r, 50))
  t.equal(await db.stores.documents.count(db.tenant, { kind: 'csip/Subscription', where: { subscribedResource: '/derp/one/derc' } }), 0)
})

t.test('SEP-160 a subscription ends with its lease though nothing changes, later by a renewal, and with its EndDevice; its receiver hears so once', async (t) => {
  answer = 204
  const by = ({ lfdi, sfdi }: { lfdi: string; sfdi: number }) => (method: string, target: string, xml?: string) => running.csip.door.handle({ method, target, peer: devicePeer(lfdi, sfdi), contentType: 'application/sep+xml', ...(xml ? { body: Buffer.from(xml) } : {}) })
  const aggregator = by(agg!), leaving = by(other!), made = await aggregator('POST', subs, subscription('/derp/one/dderc', `${uri}/lease`)), lease_ms = 129_600_000, heard = () => got.filter((g) => g.path === '/ntfy/lease').map((g) => textOf(g.body, 'status'))
  t.equal(made.status, 201)
  const kept = () => db.stores.documents.count(db.tenant, { kind: 'csip/Subscription', where: { subscribedResource: '/derp/one/dderc' } })
  await clock.advance(lease_ms - 60_000)
  t.equal((await aggregator('POST', subs, subscription('/derp/one/dderc', `${uri}/lease`))).status, 204, 'a second POST renews it')
  await until(() => running.csip.notifier.pending() === 0)
  await clock.advance(120_000)
  t.same([await kept(), heard()], [1, []])
  await clock.advance(lease_ms)
  await until(() => heard().length > 0)
  t.same([await kept(), heard()], [0, ['1']])

  got.length = 0
  await running.csip.provisioning.registerEndDevice({ lfdi: other!.lfdi, groups: ['system'] })
  t.equal((await leaving('POST', `/edev/${other!.lfdi}/sub`, subscription('/derp/system/derc', `${uri}/leaving`))).status, 201)
  await until(() => running.csip.notifier.pending() === 0)
  t.equal((await leaving('DELETE', `/edev/${other!.lfdi}`)).status, 204)
  await until(() => got.some((g) => g.path === '/ntfy/leaving'))
  t.same(got.filter((g) => g.path === '/ntfy/leaving').map((g) => textOf(g.body, 'status')), ['1'])
  t.equal(await db.stores.documents.count(db.tenant, { kind: 'csip/Subscription', where: { subscribedResource: '/derp/system/derc' } }), 0)
})

t.test('SEP-160 a subscription that was still being read while it ended does not come back and end twice', async (t) => {
  got.length = 0
  await running.csip.provisioning.registerEndDevice({ lfdi: other!.lfdi, groups: ['system'] })
  const leaving = (method: string, target: string, xml?: string) => running.csip.door.handle({ method, target, peer: devicePeer(other!.lfdi, other!.sfdi), contentType: 'application/sep+xml', ...(xml ? { body: Buffer.from(xml) } : {}) })
  const heard = () => got.filter((g) => g.path === '/ntfy/late').length
  const begun = reads
  t.equal((await leaving('POST', `/edev/${other!.lfdi}/sub`, subscription('/derp/system/derc', `${uri}/late`))).status, 201)
  await until(() => reads > begun && running.csip.notifier.pending() === 0)
  await new Promise((done) => { setTimeout(done, 50) })
  let release = (): void => {}
  held = new Promise((done) => { release = done })
  t.equal((await leaving('POST', `/edev/${other!.lfdi}/sub`, subscription('/derp/system/dderc', `${uri}/second`))).status, 201, 'a change that has the subscriptions read again')
  await new Promise((done) => { setTimeout(done, 100) })
  t.equal((await leaving('DELETE', `/edev/${other!.lfdi}`)).status, 204)
  await operator('POST', '/derp/system/derc', control(clock.now() + 20_000))
  await until(() => heard() > 0)
  t.equal(heard(), 1, 'what changed was looked at, and its device is gone')
  const before = reads
  release()
  held = undefined
  await operator('POST', '/derp/system/derc', control(clock.now() + 40_000))
  await until(() => reads > before && running.csip.notifier.pending() === 0)
  await new Promise((done) => { setTimeout(done, 100) })
  t.equal(heard(), 1)
})
