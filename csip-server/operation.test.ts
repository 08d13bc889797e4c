import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import t from 'tap'
import { certificatePem } from '#certs/x509/pem.js'
import { handClock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import { csipConfig } from '#csip-server/config.js'
import { attributeOf, Device, hear, makePki, sep, serverUnderTest, textOf } from '#csip-server/fixture.js'
import { devicePeer, operatorPeer } from '#csip-server/identity.js'
import { makeRefusalLog } from '#csip-server/refusal-log.js'
import { logOfOurs, watchClock } from '#csip-server/server-log.js'
import { testDatabase } from '#prisma/test-database.js'

const begin = Date.UTC(2026, 10, 23, 22, 0, 0)
const clock = handClock(begin)
const pki = await makePki(), db = await testDatabase({ clock })
const heard = hear()
const needs = { pki, documents: db.stores.documents, tenant: db.tenant, clock, heard }
const freePort = (): Promise<number> => new Promise((done) => { const s = createServer().listen(0, '127.0.0.1', () => { const { port } = s.address() as AddressInfo; s.close(() => done(port)) }) })
const proxyPort = await freePort()
const main = serverUnderTest({ ...needs, config: { formerPrefixes: ['/old'], publicUrl: 'https://utility.example', notifyAllow: ['127.0.0.1'], proxy: { port: proxyPort, header: 'x-client-cert', form: 'pem', from: ['127.0.0.1'] } } })
const { csip } = main
const port = await csip.listen({ port: 0, hosts: ['127.0.0.1', '::1'] })
const [one, two, agg] = [await pki.device('one'), await pki.device('two'), await pki.device('agg')]
await csip.provisioning.registerEndDevices([
  { lfdi: agg.lfdi }, { lfdi: one.lfdi, groups: ['system', 'F1', 'one'] }, { lfdi: two.lfdi, groups: ['system', 'F2', 'two'], edition: 2013 },
  ...['A', 'B', 'C', 'D', 'E'].map((c) => ({ lfdi: c.repeat(40), manager: agg.lfdi, groups: ['system', 'F2'] })),
])
const client = new Device(one, port, pki.serca)
t.teardown(async () => { client.close(); await main.close(); await db.close() })

const ask = (door: typeof csip.door) => (peer: ReturnType<typeof operatorPeer>) => async (method: string, target: string, xml?: string, host?: string) => {
  const a = await door.handle({ method, target, peer, contentType: 'application/sep+xml', host, ...(xml ? { body: Buffer.from(xml) } : {}) })
  return { status: a.status, body: a.body?.toString() ?? '', location: a.location ?? '', allow: a.allow }
}
const as = ask(csip.door)
const operator = as(operatorPeer('op')), first = as(devicePeer(one.lfdi, one.sfdi))

t.test('SEP-008, SEP-011 IPv4 and IPv6; an idle connection is not ended, pipelined requests are answered in order', async (t) => {
  t.ok(csipConfig().keepAlive_s >= Math.max(900, 2 * Math.max(...Object.values(csipConfig().pollRate))))
  const { connect } = await import('node:tls')
  for (const host of ['127.0.0.1', '::1']) {
    const said = await new Promise<string>((done, failed) => {
      const socket = connect({ host, port, ...one, ca: pki.serca, checkServerIdentity: () => undefined, ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', maxVersion: 'TLSv1.2' })
      let all = ''
      socket.on('secureConnect', () => socket.write(['/tm', '/dcap', '/edev'].map((p, i) => `GET ${p} HTTP/1.1\r\nHost: x\r\n${i === 2 ? 'Connection: close\r\n' : ''}\r\n`).join('')))
      socket.on('data', (d: Buffer) => { all += d.toString() })
      socket.on('close', () => done(all))
      socket.on('error', failed)
    })
    t.same([...said.matchAll(/<(Time|DeviceCapability|EndDeviceList) /g)].map((m) => m[1]), ['Time', 'DeviceCapability', 'EndDeviceList'], host)
    t.match(said, /Keep-Alive: timeout=1800/)
  }
})

t.test('SEP-011 a machine that lacks one of the addresses serves the others; one that lacks the first says so', async (t) => {
  const less = serverUnderTest(needs), none = serverUnderTest(needs)
  // TEST-NET-1 is nobody's, as ::1 is on a machine without IPv6
  const at = await less.csip.listen({ port: 0, hosts: ['127.0.0.1', '192.0.2.1'] }), one_ = new Device(one, at, pki.serca)
  t.equal((await one_.get('/tm')).status, 200)
  t.ok(less.csip.listening())
  one_.close()
  await less.close()
  await t.rejects(none.csip.listen({ port: 0, hosts: ['192.0.2.1'] }), { code: 'EADDRNOTAVAIL' })
  await none.close()
})

t.test('SEP-013 behind a proxy: one header, from one address, judged like a certificate on the door', async (t) => {
  const over = (headers: Record<string, string>, path = '/edev'): Promise<{ status: number; body: string }> => new Promise((done, failed) => {
    http.get({ host: '127.0.0.1', port: proxyPort, path, headers, agent: false }, (res) => { let body = ''; res.on('data', (d) => { body += d }); res.on('end', () => done({ status: res.statusCode ?? 0, body })) }).on('error', failed)
  })
  const pem = encodeURIComponent(certificatePem(one.der))
  t.match(await over({ 'x-client-cert': pem }), { status: 200, body: new RegExp(one.lfdi) })
  t.equal((await over({})).status, 403)
  t.equal((await over({ 'x-client-cert': 'nonsense' })).status, 403)
  t.equal((await over({ 'x-client-cert': one.lfdi })).status, 403, 'another form')
  const alien = await (await makePki()).device('alien')
  t.equal((await over({ 'x-client-cert': encodeURIComponent(certificatePem(alien.der)) })).status, 403)
  main.revoked.add(one.lfdi)
  t.equal((await over({ 'x-client-cert': pem })).status, 403)
  main.revoked.delete(one.lfdi)
  t.match((await client.ask('GET', '/edev', undefined, { 'X-Client-Cert': encodeURIComponent(certificatePem(two.der)) })).body, new RegExp(one.lfdi), 'the mTLS door does not read it')
  const far = serverUnderTest({ ...needs, config: { proxy: { port: await freePort(), header: 'x-lfdi', form: 'lfdi', from: ['10.0.0.0/8'] } } })
  await far.csip.listen({ port: 0, hosts: ['127.0.0.1'] })
  t.equal(await new Promise((done) => http.get({ host: '127.0.0.1', port: far.csip.context.config.proxy!.port, path: '/tm', headers: { 'x-lfdi': one.lfdi }, agent: false }, (res) => { res.resume(); done(res.statusCode) })), 403, 'not from this address')
  await far.close()
  t.throws(() => csipConfig({ LOADSTONE_CSIP_PROXY_PORT: '9' }))
})

t.test('SEP-016, SEP-246, SEP-153 CSIP-AUS 1.3: versions, the aggregator’s own record first, subscriptions below it', async (t) => {
  const aus = (profile: 'csip-aus-1.2' | 'csip-aus-1.3', prefix = '') => ask(serverUnderTest({ ...needs, config: { profile, prefix, notifyAllow: ['127.0.0.1'] } }).csip.door)(devicePeer(agg.lfdi, agg.sfdi))
  const newer = aus('csip-aus-1.3', '/v13')
  t.match((await newer('GET', '/.well-known/csipaus')).body, /<csipaus:VersionList xmlns="urn:ieee:std:2030.5:ns" xmlns:csipaus="https:\/\/csipaus.org\/ns\/v1.3" href="\/.well-known\/csipaus"><csipaus:Version href="\/v13\/dcap" version="1.3"\/>/)
  t.equal((await newer('GET', '/v13/.well-known/csipaus')).status, 404)
  t.equal((await aus('csip-aus-1.2')('GET', '/.well-known/csipaus')).status, 404)
  t.equal((await first('GET', '/.well-known/csipaus')).status, 404)
  const ids: string[] = []
  for (let s = 0; s < 6; s += 2) ids.push(...[...(await newer('GET', `/v13/edev?s=${s}&l=2`)).body.matchAll(/<lFDI>(\w+)</g)].map((m) => m[1]!))
  t.equal(ids[0], agg.lfdi)
  t.equal(new Set(ids).size, 6, 'each exactly once')
  t.match((await newer('GET', '/v13/edev?s=9&l=2')).body, /all="6" results="0"/)
  const subscription = sep('Subscription', `<subscribedResource>/v13/edev/${'A'.repeat(40)}/fsa</subscribedResource><encoding>0</encoding><level>+S1</level><limit>1</limit><notificationURI>https://127.0.0.1:1/x</notificationURI>`)
  t.equal((await newer('POST', `/v13/edev/${'A'.repeat(40)}/sub`, subscription)).status, 403)
  const made = await newer('POST', `/v13/edev/${agg.lfdi}/sub`, subscription)
  t.equal(made.status, 201)
  t.equal((await newer('DELETE', made.location)).status, 204)
})

t.test('SEP-033 an absolute address counts when it is ours', async (t) => {
  const peer = as(devicePeer(one.lfdi, one.sfdi))
  const to = (uri: string): string => sep('Subscription', `<subscribedResource>${uri}</subscribedResource><encoding>0</encoding><level>+S1</level><limit>1</limit><notificationURI>https://127.0.0.1:1/${uri.length}</notificationURI>`)
  const post = (uri: string) => peer('POST', `/edev/${one.lfdi}/sub`, to(uri), 'here:8443')
  t.same([(await post('https://utility.example/derp/one/derc')).status, (await post('https://here:8443/derp/one/derc')).status, (await post('https://elsewhere/derp/one/derc')).status, (await post('http://here:8443/derp/one/derc')).status, (await post('nonsense')).status], [201, 201, 400, 400, 400])
  t.equal(textOf((await peer('GET', `/edev/${one.lfdi}/sub?l=1`)).body, 'subscribedResource'), '/derp/one/derc')
})

t.test('SEP-044 what moved says where', async (t) => {
  t.match(await client.get('/old/edev?l=2'), { status: 301, headers: { location: '/edev?l=2' } })
  t.equal((await client.ask('HEAD', '/old/tm')).status, 301)
  t.equal((await client.ask('PUT', '/old/edev/x', sep('EndDevice', ''))).status, 404, 'GET and HEAD only')
})

t.test('SEP-243 poll rates while we run', async (t) => {
  t.equal(attributeOf((await first('GET', '/edev')).body, 'EndDeviceList', 'pollRate'), '300')
  t.equal((await operator('PUT', '/edev', '<EndDeviceList xmlns="urn:ieee:std:2030.5:ns" all="0" results="0" pollRate="60"/>')).status, 204)
  t.equal(attributeOf((await first('GET', '/edev')).body, 'EndDeviceList', 'pollRate'), '60', 'the next GET')
  t.equal((await operator('PUT', '/dcap', '<DeviceCapability xmlns="urn:ieee:std:2030.5:ns" pollRate="120"/>')).status, 204)
  t.equal(attributeOf((await first('GET', '/dcap')).body, 'DeviceCapability', 'pollRate'), '120')
  t.equal((await operator('PUT', '/edev', '<EndDeviceList xmlns="urn:ieee:std:2030.5:ns" all="0" results="0"/>')).status, 400)
  t.equal((await first('PUT', '/edev', '<EndDeviceList xmlns="urn:ieee:std:2030.5:ns" all="0" results="0" pollRate="1"/>')).status, 405)
  t.equal((await operator('PUT', `/edev/${one.lfdi}`, sep('EndDevice', `<sFDI>${one.sfdi}</sFDI><changedTime>0</changedTime><postRate>60</postRate>`))).status, 204)
  t.equal(textOf((await first('GET', '/edev')).body, 'postRate'), '60')
})

t.test('SEP-094, SEP-109 the server as a device: names, information, and steps of its clock', async (t) => {
  const self = await first('GET', '/sdev')
  t.equal(textOf(self.body, 'lFDI'), pki.server.lfdi)
  t.equal((await first('GET', attributeOf(self.body, 'DeviceInformationLink', 'href')!)).status, 200)
  const renewed = await pki.device('server-renewed'), ours = { ca: [pki.serca, certificatePem(pki.mica.certificate)] }
  csip.reload({ ...ours, key: renewed.key, cert: renewed.cert })
  t.equal(textOf((await first('GET', '/sdev')).body, 'lFDI'), renewed.lfdi, 'the names of the certificate that it shows now')
  csip.reload({ ...ours, key: pki.server.key, cert: pki.server.cert })
  const log = attributeOf(self.body, 'LogEventListLink', 'href')!
  t.equal((await first('POST', log, sep('LogEvent', ''))).status, 405)
  let machine = 0
  const watch = watchClock(csip.context, () => machine)
  for (let i = 0; i < 3; i++) { machine += 10_000; await clock.advance(10_000) }
  t.match((await first('GET', log)).body, /all="0"/)
  machine += 10_000
  await clock.advance(100_000)
  for (let i = 0; i < 100 && !/all="1"/.test((await first('GET', `${log}?l=1`)).body); i++) await new Promise((r) => setTimeout(r, 10))
  const event = await first('GET', `${log}?l=1`)
  t.match([textOf(event.body, 'functionSet'), textOf(event.body, 'logEventCode'), textOf(event.body, 'details')], ['12', '0', /clock step \d\d s/])
  watch.stop()
  await logOfOurs(csip.context, { functionSet: 12, logEventCode: 0, details: 'x'.repeat(60) })
  t.match((await first('GET', `${log}?l=5`)).body, /all="2"/)
})

t.test('SEP-195 refusals are logged by template, a line a minute for a client', async (t) => {
  const lines: object[] = []
  let now = 0
  const refused = makeRefusalLog({ now: () => now }, { info: (fields: object) => lines.push(fields) } as unknown as Log)
  for (let i = 0; i < 50; i++) refused({ caller: 'X', method: 'GET', href: '/edev/{edev}', status: 404 })
  now = 61
  refused({ caller: 'X', method: 'GET', href: '/edev/{edev}', status: 404 })
  t.match(lines, [{ href: '/edev/{edev}', clause: 'SEP-195' }, { leftOut: 49 }])
})

t.test('SEP-255 what /metrics shows', async (t) => {
  const samples = await csip.samples(), of = (name: string) => samples.filter((s) => s.name === `loadstone_csip_${name}`)
  t.ok(of('handshakes_total').some((s) => s.labels.result === 'accepted' && s.labels.suite === 'ECDHE-ECDSA-AES128-CCM8' && s.value > 0))
  t.ok(of('requests_total').some((s) => s.labels.route === '/tm' && s.labels.status === '200'))
  t.ok(of('devices_seen').every((s) => s.value >= 0))
  t.match(of('events').map((s) => s.labels.state), ['scheduled', 'active'])
  t.equal(of('notifications_total').length, 4)
})
