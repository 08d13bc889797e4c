import { connect } from 'node:tls'
import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { Device, makePki, sep, serverUnderTest } from '#csip-server/fixture.js'
import { testDatabase } from '#prisma/test-database.js'

const clock = handClock(Date.UTC(2026, 10, 23, 22, 0, 0))
const pki = await makePki(), db = await testDatabase({ clock })
const { csip, close } = serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock, config: { prefix: '/sep2' } })
const port = await csip.listen({ port: 0, hosts: ['127.0.0.1'] })
const one = await pki.device('one')
await csip.provisioning.registerEndDevice({ lfdi: one.lfdi, groups: ['system', 'F1', 'one'] })
const client = new Device(one, port, pki.serca)
t.teardown(async () => { client.close(); await close(); await db.close() })

/** Whatever comes back for these bytes, until the server or we end it. */
const raw = (text: string, wait_ms = 4000): Promise<string> => new Promise((done) => {
  const socket = connect({ host: '127.0.0.1', port, ...one, ca: pki.serca, checkServerIdentity: () => undefined, ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', maxVersion: 'TLSv1.2' })
  let said = ''
  socket.on('secureConnect', () => socket.write(text))
  socket.on('data', (d: Buffer) => { said += d.toString() })
  socket.on('error', () => {})
  socket.on('close', () => done(said))
  socket.setTimeout(wait_ms, () => socket.destroy())
})
const framed = (said: string): { status: number; whole: boolean; error: boolean } => {
  const [head = '', body = ''] = said.split('\r\n\r\n')
  return { status: Number(head.split(' ')[1]), whole: Number(/content-length: (\d+)/i.exec(head)?.[1]) === Buffer.byteLength(body) && !/transfer-encoding/i.test(head), error: body.includes('<Error xmlns="urn:ieee:std:2030.5:ns"><reasonCode>0<') }
}

t.test('SEP-009, SEP-032, SEP-043 what is not HTTP is refused with an Error of known length', async (t) => {
  for (const [name, text, status] of [
    ['no request', 'HELO\r\n\r\n', 400], ['an unknown method', 'BREW /sep2/tm HTTP/1.1\r\nHost: x\r\n\r\n', 400], ['no Host', 'GET /sep2/tm HTTP/1.1\r\n\r\n', 400],
    ['a broken header', 'GET /sep2/tm HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n', 400], ['two lengths', 'PUT /sep2/tm HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    ['too many headers', `GET /sep2/tm HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(40_000)}\r\n\r\n`, 431], ['a very long target', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, 414],
  ] as const) t.match(framed(await raw(text, 1500)), { status, whole: true, error: true }, name)
})

t.test('SEP-033, SEP-043 an absolute request target is read; one of another host is not there', async (t) => {
  const get = async (target: string): Promise<number> => framed(await raw(`GET ${target} HTTP/1.1\r\nHost: utility:8443\r\nConnection: close\r\n\r\n`)).status
  t.same([await get('https://utility:8443/sep2/tm'), await get('https://UTILITY:8443/sep2/tm'), await get('https://other/sep2/tm'), await get('*')], [200, 200, 404, 404])
  t.same([(await client.get(`/${'a'.repeat(2047)}`)).status, (await client.get(`/${'a'.repeat(2048)}`)).status], [404, 414], '2,048 octets are the most')
})

t.test('SEP-041 the status and Location of every kind of write', async (t) => {
  const path = `/sep2/edev/${one.lfdi}`
  const status = sep('DeviceStatus', '<changedTime>1</changedTime>'), log = sep('LogEvent', '<createdDateTime>1</createdDateTime><functionSet>1</functionSet><logEventCode>1</logEventCode><logEventID>1</logEventID><logEventPEN>1</logEventPEN><profileID>2</profileID>')
  const first = await client.ask('PUT', `${path}/dstat`, status)
  t.match([first.status, first.headers.location, first.body], [201, `${path}/dstat`, ''], 'a PUT that creates')
  const again = await client.ask('PUT', `${path}/dstat`, status)
  t.match([again.status, again.headers.location ?? null, again.headers['content-length'] ?? null, again.body], [204, null, null, ''], 'a PUT that replaces')
  const posted = await client.ask('POST', `${path}/lel`, log)
  t.match([posted.status, posted.headers['content-length'], posted.body], [201, '0', ''])
  t.match(posted.headers.location, new RegExp(`^${path}/lel/[A-Za-z0-9]+$`))
  t.equal((await client.get(posted.headers.location!)).status, 200)
  t.same([(await client.ask('DELETE', posted.headers.location!)).status, (await client.ask('DELETE', posted.headers.location!)).status], [204, 404])
  const mup = sep('MirrorUsagePoint', `<mRID>0A01</mRID><roleFlags>0049</roleFlags><serviceCategoryKind>0</serviceCategoryKind><status>1</status><deviceLFDI>${one.lfdi}</deviceLFDI>`)
  const made = await client.ask('POST', '/sep2/mup', mup), known = await client.ask('POST', '/sep2/mup', mup)
  t.match([made.status, known.status, known.headers.location], [201, 204, made.headers.location], 'a POST that updates in place')
})

t.test('SEP-047, REL-047 a request cut at any byte changes nothing', async (t) => {
  const body = sep('DERStatus', '<readingTime>5</readingTime>'), path = `/sep2/edev/${one.lfdi}/der/1/ders`
  const whole = `PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/sep+xml\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  const cut = (at: number): Promise<void> => new Promise((done) => {
    const socket = connect({ host: '127.0.0.1', port, ...one, ca: pki.serca, checkServerIdentity: () => undefined, ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', maxVersion: 'TLSv1.2' }, () => { socket.write(whole.slice(0, at), () => socket.destroy()) })
    socket.on('error', () => {})
    socket.on('close', () => done())
  })
  for (let at = 1; at < whole.length; at += 9) await cut(at)
  await cut(whole.length - 1)
  t.equal((await client.get(path)).status, 404)
  t.equal((await client.ask('PUT', path, body)).status, 204)
})

t.test('SEP-247 what real clients do: prefix /sep2, Accept application/xml, HTTP/1.0', async (t) => {
  t.equal((await client.ask('GET', '/sep2/dcap', undefined, { Accept: 'application/xml' })).headers['content-type'], 'application/sep+xml')
  t.match(framed(await raw('GET /sep2/dcap HTTP/1.0\r\n\r\n')), { status: 200, whole: true })
})
