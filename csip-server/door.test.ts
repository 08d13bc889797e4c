import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import fastify from 'fastify'
import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { sample } from '#core/describe/sample.js'
import { attributeOf, Device, makePki, sep, serverUnderTest, textOf } from '#csip-server/fixture.js'
import { devicePeer, operatorPeer } from '#csip-server/identity.js'
import { csipOperator } from '#csip-server/operator.js'
import { makeRateLimit } from '#csip-server/rate-limit.js'
import { testDatabase } from '#prisma/test-database.js'

const begin = Date.UTC(2026, 10, 23, 22, 0, 0)
const clock = handClock(begin)
const pki = await makePki(), foreignPki = await makePki()
const db = await testDatabase({ clock })
const { csip, close } = serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock, config: { prefix: '/sep2', bodyMax: 20_000 } })
const port = await csip.listen({ port: 0, hosts: ['127.0.0.1'] })
const [one, agg, alien] = [await pki.device('one'), await pki.device('agg'), await foreignPki.device('alien')]
const managed = Array.from({ length: 23 }, (_, i) => (0xa0 + i).toString(16).toUpperCase().repeat(20))
await csip.provisioning.registerEndDevices([{ lfdi: one.lfdi, groups: ['system', 'F1', 'one'] }, { lfdi: agg.lfdi }])
await clock.advance(1000)
for (const lfdi of managed) { await csip.provisioning.registerEndDevice({ lfdi, manager: agg.lfdi, groups: ['system', 'F2'] }); await clock.advance(1000) }
const client = new Device(one, port, pki.serca), aggregator = new Device(agg, port, pki.serca)
t.teardown(async () => { client.close(); aggregator.close(); await close(); await db.close() })

const connect = (options: tls.ConnectionOptions): Promise<string> => new Promise((done) => {
  const socket = tls.connect({ host: '127.0.0.1', port, ca: pki.serca, checkServerIdentity: () => undefined, ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', maxVersion: 'TLSv1.2', ...options })
  let said = ''
  socket.on('secureConnect', () => socket.write('GET /sep2/dcap HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'))
  socket.on('data', (d: Buffer) => { said += d.toString() })
  socket.on('error', (e: NodeJS.ErrnoException) => done(`error ${e.code}`))
  socket.on('close', () => done(said.split('\r\n')[0] ?? ''))
})

t.test('SEP-001, SEP-002, SEP-003, SEP-004, SEP-005, SEP-201 only TLS 1.2, CCM_8, a P-256 device certificate of our root', async (t) => {
  t.equal(await connect(one), 'HTTP/1.1 200 OK')
  t.match(await connect({ ...one, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' }), /error/)
  t.match(await connect({ ...one, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }), /error/, 'strict mode')
  t.match(await connect({}), /error/, 'no certificate')
  t.notMatch(await connect({ ...alien }), /HTTP/, 'another root')
  t.match(await connect({ ...one, ca: foreignPki.serca }), /error/, 'the client checks us too')
  const lenient = serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock, config: { tls: 'compatible' } })
  const other = await lenient.csip.listen({ port: 0, hosts: ['127.0.0.1'] })
  t.equal(await connect({ ...one, port: other, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }), 'HTTP/1.1 404 Not Found', 'SEP-003 compatible mode')
  await lenient.close()
})

t.test('SEP-006, SEC-007 a leaf outside the profile, or one that ran out, reaches no handler', async (t) => {
  const verdicts = { now: true }
  const listenerNeeds = (leafRefusal: 'close' | 'forbid') => serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock, config: { leafRefusal, prefix: '/sep2' }, verdict: () => verdicts.now ? { ok: true } : { ok: false, reason: 'expired' } })
  for (const [mode, refused] of [['close', /^$|error/], ['forbid', /403/]] as const) {
    verdicts.now = false
    const server = listenerNeeds(mode), at = await server.csip.listen({ port: 0, hosts: ['127.0.0.1'] })
    t.match(await connect({ ...one, port: at }), refused, mode)
    verdicts.now = true
    await clock.advance(61_000)
    const live = new Device(one, at, pki.serca)
    t.equal((await live.get('/sep2/dcap')).status, 200)
    verdicts.now = false
    await clock.advance(61_000)
    const answer = await live.get('/sep2/dcap').then((r) => String(r.status), () => '')
    t.match(answer, refused, `${mode}: a live connection ends too`)
    live.close()
    await server.close()
  }
})

t.test('SEP-009, SEP-031, SEP-032 framing, HEAD and Error bodies', async (t) => {
  for (const path of ['/sep2/dcap', '/sep2/edev?l=1', '/sep2/nothing']) {
    const get = await client.get(path), head = await client.ask('HEAD', path)
    t.equal(get.headers['content-length'], String(Buffer.byteLength(get.body)), path)
    t.notOk(get.headers['transfer-encoding'] ?? get.headers['content-encoding'])
    t.match(head, { status: get.status, body: '', headers: { 'content-length': get.headers['content-length'], 'content-type': 'application/sep+xml' } })
  }
  const missing = await client.get('/sep2/nothing')
  t.match(missing.body, /^<\?xml[^>]*>\n<Error xmlns="urn:ieee:std:2030\.5:ns"><reasonCode>0<\/reasonCode><\/Error>$/)
})

t.test('SEP-010, SEP-034, SEP-045 prefix, encoding, slashes', async (t) => {
  t.match(attributeOf((await client.get('/sep2/dcap')).body, 'TimeLink', 'href'), /^\/sep2\/tm$/)
  t.equal((await client.get('/dcap')).status, 404)
  t.equal((await client.get('/sep2/%64cap')).status, 200)
  t.equal((await client.get('/sep2/x/../dcap')).status, 200)
  for (const path of ['/sep2/dcap/', '/sep2//dcap', '/sep2', '/', '/sep2/%zz']) t.ok([404, 400].includes((await client.get(path)).status), path)
  const walk = async (path: string, seen = new Set<string>()): Promise<Set<string>> => {
    if (seen.has(path)) return seen
    seen.add(path)
    const { body, status } = await client.get(`${path}?l=20`)
    if (status === 404) return seen
    for (const m of body.matchAll(/(?:href|replyTo)="([^"]+)"/g)) {
      t.match(m[1], /^\/sep2(\/[A-Za-z0-9_.-]+)+$/, 'printed hrefs')
      await walk(m[1]!, seen)
    }
    return seen
  }
  t.ok((await walk('/sep2/dcap')).size > 25, 'every link leads somewhere')
})

t.test('SEP-020, SEP-021, SEP-022 media types', async (t) => {
  for (const accept of ['*/*', 'application/*', 'application/sep+xml; level=-S1', 'application/xml', 'text/xml;q=0.5', 'application/sep-exi, application/sep+xml;q=0.1']) t.equal((await client.ask('GET', '/sep2/tm', undefined, { Accept: accept })).status, 200, accept)
  for (const accept of ['application/json', 'application/sep-exi', 'application/xml;q=0']) t.equal((await client.ask('GET', '/sep2/tm', undefined, { Accept: accept })).status, 406, accept)
  const path = `/sep2/edev/${one.lfdi}/dstat`, xml = sep('DeviceStatus', '<changedTime>1</changedTime>')
  t.equal((await client.ask('PUT', path, xml, { 'Content-Type': 'application/xml; charset=utf-8' })).status, 201)
  t.equal((await client.ask('PUT', path, xml)).status, 204)
  t.equal((await client.ask('PUT', path, xml, { 'Content-Type': 'application/json' })).status, 415)
  t.equal((await client.ask('PUT', path, '{}')).status, 400)
  t.equal((await client.ask('PUT', path, sep('PowerStatus', ''))).status, 400)
})

t.test('SEP-025, SEP-043, SEP-046, REL-044 limits', async (t) => {
  t.equal((await client.get(`/sep2/${'a'.repeat(2100)}`)).status, 414)
  const big = await client.ask('PUT', `/sep2/edev/${one.lfdi}/dstat`, 'x'.repeat(30_000)).catch(() => ({ status: 413 }))
  t.equal(big.status, 413)
  let now = 0
  const limit = makeRateLimit({ nowMs: () => now }, { perSecond: 2, burst: 3 })
  t.same([1, 2, 3, 4].map(() => limit.allows('a')), [true, true, true, false], 'SEP-046')
  t.ok(limit.allows('b'))
  now = 500
  t.same([limit.allows('a'), limit.allows('a')], [true, false])
  let asked = 0
  const shared = makeRateLimit({ nowMs: () => now }, { perSecond: 2, burst: 4 }, async (lfdi) => { asked++; return lfdi === 'aggregator' ? 3 : lfdi === 'huge' ? 1e6 : 1 })
  const burst = async (lfdi: string): Promise<number> => { let n = 0; for (let i = 0; i < 1000; i++) { if (shared.allows(lfdi)) n++; await undefined } return n }
  t.ok(shared.allows('quiet'))
  t.equal(asked, 0, 'who asks little costs no look-up')
  t.same([await burst('device'), await burst('aggregator'), await burst('huge')], [4, 12, 400], 'SEP-046 an aggregator’s is as many times that as it manages devices, capped')
  now += 1000
  t.same([await burst('device'), await burst('aggregator')], [2, 6])
})

t.test('SEP-040, SEP-190, SEC-030 every address: the wrong method is 405 with Allow, a stranger sees nothing', async (t) => {
  const stranger = devicePeer('F'.repeat(40), 687194767357), self = devicePeer(one.lfdi, one.sfdi)
  for (const served of csip.door.registry) {
    const href = served.resource.href
    if (!href) continue
    const own = `/sep2${href.print({ ...Object.fromEntries(href.names.map((n) => [n, 'x'])), edev: one.lfdi, fsa: 'one', derp: 'one', der: '1', rsps: 'der' })}`
    for (const method of ['PUT', 'POST', 'DELETE'] as const) {
      if (served.name === 'EndDevice' && method === 'DELETE') continue // works, and would end this test
      const answer = await csip.door.handle({ method, target: own, peer: self, contentType: 'application/sep+xml', body: Buffer.from('<') })
      if (served.resource.methods.includes(method)) t.not(answer.status, 405, `${method} ${own}`)
      else t.match(answer, { status: 405, allow: served.resource.methods.join(', ') }, `${method} ${own}`)
    }
    const seen = await csip.door.handle({ method: 'GET', target: own, peer: stranger })
    const open = ['/dcap', '/tm', '/sdev', '/sdev/di', '/sdev/lel', '/edev', '/mup'].includes(href.template)
    t.equal(seen.status === 200, open, `a stranger at ${own}: ${seen.status}`)
    const made = sample(served.resource.schema, { seed: 5, optional: true }) as Record<string, unknown>
    const foreign = await csip.door.handle({ method: served.resource.methods.includes('PUT') ? 'PUT' : 'POST', target: own, peer: stranger, contentType: 'application/sep+xml', body: csip.door.codec.write(served.resource, made) })
    t.ok(foreign.status >= 400 && foreign.status < 500, `a stranger writes ${own}: ${foreign.status}`)
  }
})

t.test('SEP-050, SEP-051, SEP-052, SEP-053, SEP-054, SEP-102, SEP-108, SEP-192 paging an aggregator’s devices', async (t) => {
  const all = 24, ids: string[] = []
  for (let s = 0; s < all; s += 5) {
    const { body } = await aggregator.get(`/sep2/edev?s=${s}&l=5`)
    t.equal(attributeOf(body, 'EndDeviceList', 'all'), String(all))
    ids.push(...[...body.matchAll(/<lFDI>(\w+)</g)].map((m) => m[1]!))
  }
  t.equal(new Set(ids).size, all)
  t.same(ids.slice(0, 23), managed.toReversed(), 'changedTime descending')
  t.equal(attributeOf((await aggregator.get('/sep2/dcap')).body, 'EndDeviceListLink', 'all'), String(all))
  const results = async (query: string): Promise<string | undefined> => attributeOf((await aggregator.get(`/sep2/edev?${query}`)).body, 'EndDeviceList', 'results')
  t.same([await results(''), await results('l=0'), await results('s=99&l=5'), await results('l=9999'), await results('l=2&l=9'), await results('x=1')], ['1', '0', '0', '24', '2', '1'])
  t.equal(await results(`l=99&a=${begin / 1000 + 20}`), '3', 'after: changed later')
  for (const bad of ['s=-1', 'l=x', 'a=1.5', 's=4294967296']) t.equal((await aggregator.get(`/sep2/edev?${bad}`)).status, 400, bad)
  t.equal((await aggregator.get(`/sep2/edev/${managed[0]}/fsa`)).status, 200)
  t.equal((await aggregator.get(`/sep2/edev/${managed[0]}/rg`)).status, 404, 'SEP-108 not the PIN')
  t.equal((await aggregator.ask('DELETE', `/sep2/edev/${managed[0]}`)).status, 403)
  t.equal((await client.get(`/sep2/edev/${managed[0]}`)).status, 404)
})

t.test('SEP-133, SEP-134, SEP-136, contract §6 an operator writes what a device may not', async (t) => {
  const app = fastify()
  await app.register(csipOperator, { prefix: '/api/v1/csip', door: csip.door, bodyMax: 20_000, callerOf: (request) => ({ tenant: db.tenant, subject: 'u', user: 'u', kind: 'user', roles: [request.headers.role as 'admin'] }) })
  t.teardown(() => app.close())
  const send = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, payload?: string, role = 'admin') => app.inject({ method, url: `/api/v1/csip/sep2${url}`, headers: { role, ...(payload ? { 'content-type': 'application/sep+xml' } : {}) }, ...(payload ? { payload } : {}) })
  const curve = sep('DERCurve', '<mRID>0C1</mRID>').replace('0C1', '0C01').replace('</mRID>', '</mRID><creationTime>0</creationTime><CurveData><xvalue>1</xvalue><yvalue>2</yvalue></CurveData><curveType>11</curveType><xMultiplier>0</xMultiplier><yMultiplier>0</yMultiplier><yRefType>3</yRefType>')
  const made = await send('POST', '/derp/one/dc', curve)
  t.equal(made.statusCode, 201)
  const href = String(made.headers.location)
  const control = (inner: string, mRID = '0D01'): string => sep('DERControl', `<mRID>${mRID}</mRID><creationTime>0</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>0</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>600</duration><start>${clock.now() + 60}</start></interval><DERControlBase>${inner}</DERControlBase>`)
  t.equal((await send('POST', '/derp/one/derc', control(`<opModVoltVar href="${href}"/>`))).statusCode, 201)
  t.equal((await send('POST', '/derp/one/derc', control(`<opModVoltWatt href="${href}"/>`, '0D02'))).statusCode, 400, 'SEP-134 wrong type')
  t.equal((await send('POST', '/derp/one/derc', control('', '0D03'))).statusCode, 400, 'SEP-133 nothing to do')
  t.equal((await send('POST', '/derp/one/derc', control('<opModConnect>true</opModConnect>', '0D04'), 'viewer')).statusCode, 403)
  t.equal((await client.ask('POST', '/sep2/derp/one/derc', control('<opModConnect>true</opModConnect>', '0D05'))).status, 405)
  const list = await client.get('/sep2/derp/one/derc?l=9')
  t.equal(attributeOf(list.body, 'opModVoltVar', 'href'), href)
  const event = attributeOf(list.body, 'DERControl', 'href')!
  t.equal((await send('DELETE', event.replace('/sep2', ''))).statusCode, 204)
  t.equal(textOf((await client.get(event)).body, 'currentStatus'), '2', 'a delete is a cancel')
  const otherwise = sep('DefaultDERControl', '<mRID>0E01</mRID><DERControlBase><opModMaxLimW>5000</opModMaxLimW></DERControlBase><setGradW>50</setGradW>')
  t.equal((await send('PUT', '/derp/one/dderc', otherwise)).statusCode, 204)
  t.match((await client.get('/sep2/derp/one/dderc')).body, /<version>1<\/version><DERControlBase><opModMaxLimW>5000</)
  t.equal((await send('POST', '/derp', sep('DERProgram', '<mRID>0F01</mRID><primacy>70</primacy>'))).statusCode, 201)
  t.match((await send('GET', '/edev?l=99')).body, /all="25"/)
  t.equal((await csip.door.handle({ method: 'GET', target: '/sep2/edev?l=1', peer: operatorPeer('x') })).status, 200)
})

t.test('SEP-187 log events, newest first, kept and deleted', async (t) => {
  const path = `/sep2/edev/${one.lfdi}/lel`
  const log = (at: number, id: number): string => sep('LogEvent', `<createdDateTime>${at}</createdDateTime><functionSet>11</functionSet><logEventCode>2</logEventCode><logEventID>${id}</logEventID><logEventPEN>37250</logEventPEN><profileID>2</profileID>`)
  const made = [await client.ask('POST', path, log(100, 1)), await client.ask('POST', path, log(300, 2)), await client.ask('POST', path, log(300, 3))]
  t.same(made.map((m) => m.status), [201, 201, 201])
  t.same([...(await client.get(`${path}?l=9`)).body.matchAll(/<logEventID>(\d)/g)].map((m) => m[1]), ['3', '2', '1'])
  t.equal(attributeOf((await client.get(`${path}?l=9&a=100`)).body, 'LogEventList', 'results'), '2')
  t.equal((await client.ask('DELETE', made[0]!.headers.location!)).status, 204)
  t.equal((await client.get(made[0]!.headers.location!)).status, 404)
})

const openssl = spawnSync('openssl', ['version']).status === 0
t.test('SEP-002 openssl s_client talks CCM_8 to us', { skip: openssl ? false : 'no openssl here' }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'csip-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  for (const [name, text] of [['c.pem', one.cert], ['k.pem', one.key], ['ca.pem', pki.serca]] as const) writeFileSync(join(dir, name), text)
  const { spawn } = await import('node:child_process')
  const said = await new Promise<string>((done) => {
    const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', '-cert', join(dir, 'c.pem'), '-cert_chain', join(dir, 'c.pem'), '-key', join(dir, 'k.pem'), '-CAfile', join(dir, 'ca.pem'), '-ign_eof'], { stdio: ['pipe', 'pipe', 'ignore'] })
    let out = ''
    child.stdout.on('data', (d: Buffer) => { out += d.toString() })
    child.on('close', () => done(out))
    child.stdin.write('GET /sep2/dcap HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  })
  t.match(said, /Cipher is ECDHE-ECDSA-AES128-CCM8/)
  t.match(said, /Verify return code: 0/)
  t.match(said, /<DeviceCapability /)
})
