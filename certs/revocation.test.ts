import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { connect } from 'node:tls'
import t from 'tap'
import { silent } from '#core/port/log.js'
import { indefinite, issueClient, serialFrom } from '#certs/authority.js'
import { connectionGuard } from '#certs/guard.js'
import { lfdiOf } from '#certs/lfdi.js'
import { buildRegistry, stateOf } from '#certs/registry.js'
import { buildRevocation } from '#certs/revocation.js'
import { readCertificate } from '#certs/x509/certificate.js'
import { readCrl } from '#certs/x509/crl.js'
import { keyIdentifierOf } from '#certs/x509/extensions.js'
import { certificatePem } from '#certs/x509/pem.js'
import { newEcKey, spkiOf } from '#certs/x509/signer.js'
import { estUnderTest, start, est, hasOpenssl, leafOf, request } from '#certs/test-est.js'

const under = await estUnderTest(), { clock, ids, dir, db, folder, registry, door, port, ask, secretOf } = under
t.teardown(() => under.close())

t.test('SEC-006 a resumed session without a certificate proves nothing', async (t) => {
  const sessions: Buffer[] = []
  const first = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: folder.tls.ca })
  first.on('session', (s: Buffer) => sessions.push(s))
  await new Promise<void>((done) => { first.once('secureConnect', done) })
  first.write('GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  await new Promise<void>((done) => { first.once('close', done); first.resume() })
  const second = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: folder.tls.ca, session: sessions.at(-1) })
  await new Promise<void>((done) => { second.once('secureConnect', done) })
  second.write(`POST /.well-known/est/simplereenroll HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/pkcs10\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
  const text = await new Promise<string>((done) => { let all = ''; second.on('data', (d: Buffer) => { all += d.toString() }); second.once('close', () => done(all)) })
  t.match(text, /^HTTP\/1\.1 401/)
})

t.test('SEC-003 guesses are slowed', async (t) => {
  const limited = door(true)
  await limited.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => limited.close())
  const at = (limited.server.address() as AddressInfo).port, { body } = await request('GUESS')
  const statuses: number[] = []
  for (let i = 0; i < 12; i++) statuses.push((await ask({ path: `${est}/simpleenroll`, body, user: { hwSerialNum: 'GUESS', secret: String(i) }, port: at })).status)
  t.same(statuses, [...Array<number>(10).fill(401), 429, 429])
  await clock.advance(61_000)
  t.equal((await ask({ path: `${est}/simpleenroll`, body: (await request(secretOf(8).hwSerialNum)).body, user: secretOf(8), port: at })).status, 200, 'the owner gets in')
})

t.test('SEC-007, SEP-213 a kept-alive connection of the EST door ends when its certificate, or the authority above it, is revoked', async (t) => {
  const connected = async (n: number): Promise<{ lfdi: string; closed: Promise<void>; open(): boolean }> => {
    const user = secretOf(n), { key, body } = await request(user.hwSerialNum), der = leafOf(await ask({ path: `${est}/simpleenroll`, body, user }))
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: folder.tls.ca, key: key.export({ type: 'pkcs8', format: 'pem' }) as string, cert: certificatePem(der) })
    await new Promise((done) => { socket.once('secureConnect', done) })
    socket.write('GET /.well-known/est/csrattrs HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await new Promise((done) => { socket.once('data', done) })
    return { lfdi: lfdiOf(der), closed: new Promise((done) => { socket.once('close', () => done()) }), open: () => !socket.destroyed }
  }
  const [one, two] = [await connected(10), await connected(11)]
  await registry.revoke(one.lfdi, 'unspecified', 'alice')
  await one.closed
  t.ok(two.open(), 'the other one stays')
  const mica = keyIdentifierOf(readCertificate(folder.csip.mica.certificate).key.spki).toString('hex').toUpperCase()
  await registry.block({ id: mica, what: 'authority', reason: 'stolen', by: 'alice' })
  await two.closed
  await registry.unblock(mica)
})

t.test('SEC-007, SEP-007, SEP-213 revocation cuts connections, here and in another process', async (t) => {
  const other = buildRegistry({ documents: db.stores.documents, tenant: db.tenant, clock, log: silent })
  await other.start()
  t.teardown(() => other.stop())
  const user = secretOf(9), der = leafOf(await ask({ path: `${est}/simpleenroll`, body: (await request(user.hwSerialNum)).body, user })), lfdi = lfdiOf(der)
  const guard = connectionGuard(other, clock), closed: string[] = []
  const mica = keyIdentifierOf(readCertificate(folder.csip.mica.certificate).key.spki).toString('hex').toUpperCase()
  const peer = { lfdi, issuers: [mica], notAfterMs: indefinite }, brief = { lfdi: 'A'.repeat(40), notAfterMs: clock.nowMs() + 5000 }
  guard.watch(peer, (why) => closed.push(`device ${why}`))
  guard.watch(brief, (why) => closed.push(`brief ${why}`))
  const released = guard.watch({ ...peer, issuers: [] }, () => closed.push('never'))
  released()
  t.equal(guard.watched, 2)
  t.ok(guard.holds(peer))
  const told = new Promise<void>((done) => { other.onRevoked(({ id }) => { if (id === lfdi) done() }) })
  const begun = performance.now()
  await registry.revoke(lfdi.toLowerCase(), 'unspecified', 'alice')
  await told
  t.comment(`other process told after ${(performance.now() - begun).toFixed(0)} ms`)
  t.notOk(guard.holds(peer))
  t.same(closed, ['device revoked'])
  await clock.advance(4999)
  t.ok(guard.holds(brief))
  await clock.advance(2)
  t.same(closed, ['device revoked', 'brief expired'])
  t.notOk(guard.holds(brief))
  t.equal(guard.watched, 0)
  t.equal((await registry.byLfdi(lfdi))!.state, 'revoked')
  await t.rejects(registry.unblock(lfdi), { kind: 'conflict' } as unknown as Error)
  await t.rejects(registry.revoke('B'.repeat(40), 'unspecified', 'x'), { kind: 'notFound' } as unknown as Error)
  const heard = new Promise<void>((done) => { other.onRevoked(({ id }) => { if (id === mica) done() }) })
  await registry.block({ id: mica, what: 'authority', reason: 'stolen', by: 'alice' })
  t.ok(registry.isBlocked(mica), 'here at once')
  await heard
  t.notOk(guard.holds({ lfdi: 'C'.repeat(40), issuers: [mica], notAfterMs: indefinite }), 'and in the other process')
  await registry.unblock(mica)
  t.notOk(registry.isBlocked(mica))
  t.equal(stateOf({ ...(await registry.list({ state: 'valid', limit: 1 }))[0]!, notAfterMs: 1 }, 2), 'expired')
  guard.stop()
})

t.test('SEP-209, SEC-008 CRL and OCSP of the ordinary authorities', { skip: !hasOpenssl && 'no openssl here' }, async (t) => {
  const serial = serialFrom(ids.hex(16)), good = serialFrom(ids.hex(16)), validity = { fromMs: start - 1000, toMs: start + 9e10 }
  const station = (s: string): Promise<Buffer> => issueClient(folder.ocpp.authority, { serial: s, publicKey: spkiOf(newEcKey()), commonName: 'CS1', organization: 'Loadstone', validity })
  const entry = { serial, atMs: start, reason: 'keyCompromise' }
  const now = { ...clock, nowMs: () => Date.now() }
  const revocation = buildRevocation({ ocpp: { authority: folder.ocpp.authority, statusOf: async (s) => s === serial ? { revoked: entry } : s === good ? {} : undefined, revoked: async () => [entry] } }, now)
  const file = (name: string, content: string | Buffer): string => { writeFileSync(join(dir, name), content); return join(dir, name) }
  const ca = file('o-ca.pem', certificatePem(folder.ocpp.authority.certificate)), bad = file('o-bad.pem', certificatePem(await station(serial))), fine = file('o-good.pem', certificatePem(await station(good)))
  const crl = await revocation.crl('ocpp')
  t.match(execFileSync('openssl', ['crl', '-inform', 'DER', '-CAfile', ca, '-noout', '-text'], { input: crl, encoding: 'utf8' }), new RegExp(`Serial Number: ${serial}[^]*Key Compromise`))
  const checked = readCrl(crl, folder.ocpp.authority.certificate, Date.now())
  t.same([...checked.revoked], [serial])
  t.throws(() => readCrl(crl, folder.tls.authority.certificate, Date.now()), /another issuer/)
  t.throws(() => readCrl(crl, folder.ocpp.authority.certificate, Date.now() + 8 * 86_400_000), /not current/)
  const bent = Buffer.from(crl)
  bent[crl.length - 4]! ^= 1
  t.throws(() => readCrl(bent, folder.ocpp.authority.certificate, Date.now()), /signature/)
  await t.rejects(revocation.crl('constructor'), { kind: 'notFound' } as unknown as Error)
  const { default: Fastify } = await import('fastify'), plain = Fastify()
  plain.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body) })
  revocation.routes(plain)
  t.teardown(() => plain.close())
  const url = await plain.listen({ port: 0, host: '127.0.0.1' })
  const shown = await new Promise<string>((done) => {
    const child = spawn('openssl', ['ocsp', '-issuer', ca, '-cert', fine, '-cert', bad, '-url', `${url}/ocsp`, '-CAfile', ca, '-VAfile', ca])
    let all = ''
    child.stdout.on('data', (d: Buffer) => { all += d.toString() })
    child.stderr.on('data', (d: Buffer) => { all += d.toString() })
    child.on('close', () => done(all))
  })
  t.match(shown, /Response verify OK/, 'the nonce comes back too')
  t.match(shown, /o-good\.pem: good[^]*o-bad\.pem: revoked[^]*Reason: keyCompromise/)
  t.equal((await plain.inject('/crl/ocpp.crl')).headers['content-type'], 'application/pkix-crl')
  t.equal((await revocation.ocsp(Buffer.from('junk'))).toString('hex'), '30030a0101')
  execFileSync('openssl', ['ocsp', '-issuer', file('t-ca.pem', folder.tls.ca), '-serial', '0x1234', '-reqout', join(dir, 'o2.req')])
  t.equal((await revocation.ocsp(readFileSync(join(dir, 'o2.req')))).toString('hex'), '30030a0106')
})
