import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import { connect } from 'node:tls'
import t from 'tap'
import { createRoot, createSerca, indefinite, issueDevice, issueTlsServer, serialFrom, tlsIdentity } from '#certs/authority.js'
import { lfdiOf } from '#certs/lfdi.js'
import { certificatePem } from '#certs/x509/pem.js'
import { keySigner, newEcKey, spkiOf } from '#certs/x509/signer.js'
import { handClock } from '#core/port/clock.js'
import { Device, makePki, serverUnderTest } from '#csip-server/fixture.js'
import { testDatabase } from '#prisma/test-database.js'

const clock = handClock(Date.UTC(2026, 10, 23, 22, 0, 0))
const pki = await makePki(), db = await testDatabase({ clock })
const main = serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock }), { csip } = main
const port = await csip.listen({ port: 0, hosts: ['127.0.0.1'] })
const [one, two] = [await pki.device('one'), await pki.device('two')]
t.teardown(async () => { await main.close(); await db.close() })

t.test('SEP-207, SEP-208, SEP-209, SEP-210, SEP-212, SEP-213, SEC-013 certificates at the door', async (t) => {
  const opens = async (identity: { key: string; cert: string }, at = port): Promise<boolean> => {
    const device = new Device(identity, at, pki.serca)
    try { return (await device.get('/tm')).status === 200 } catch { return false } finally { device.close() }
  }
  const serial = (): string => serialFrom(randomBytes(16).toString('hex')), validity = { fromMs: Date.UTC(2020, 0, 1), toMs: indefinite }
  const made = async (more: object, issuer = pki.mica): Promise<{ key: string; cert: string }> => {
    const key = newEcKey(), der = await issueDevice(issuer, { serial: serial(), publicKey: spkiOf(key), hwType: '1.3.6.1.4.1.32473.1', hwSerialNum: 'x', validity, ...more })
    return { ...tlsIdentity(issuer, key, der) }
  }
  t.ok(await opens(await made({})))
  t.notOk(await opens(await made({ validity: { fromMs: Date.UTC(2020, 0, 1), toMs: Date.UTC(2021, 0, 1) } })), 'ran out')
  t.notOk(await opens(await made({ policies: ['1.3.6.1.4.1.40732.1.1', '1.3.6.1.4.1.40732.2.1'] })), 'SEP-207 a test certificate in production')
  const key = newEcKey(), own = await createSerca({ serial: serial(), subject: [{ CN: ['self'] }], validity }, keySigner(key))
  t.notOk(await opens({ key: key.export({ type: 'pkcs8', format: 'pem' }).toString(), cert: certificatePem(own.certificate) }), 'SEP-208 self-signed')
  const elsewhere = await makePki(), guest = await elsewhere.device('guest')
  t.notOk(await opens(guest))
  const lasting = new Device(one, port, pki.serca)
  t.equal((await lasting.get('/tm')).status, 200)
  csip.reload({ key: pki.server.key, cert: pki.server.cert, ca: [pki.serca, certificatePem(pki.mica.certificate), elsewhere.serca, certificatePem(elsewhere.mica.certificate)] })
  t.equal((await lasting.get('/tm')).status, 200, 'SEP-212 old connections stay')
  lasting.close()
  t.ok(await opens(one), 'CCM_8 is spoken after a reload as before')
  t.notOk(await opens(guest), 'TLS would take it now; the profile check has not the root yet')
  const root = await createRoot({ serial: serial(), subject: [{ CN: ['ordinary'] }], validity }, keySigner(newEcKey())), named = newEcKey()
  const shown = tlsIdentity(root, named, await issueTlsServer(root, { serial: serial(), publicKey: spkiOf(named), names: ['csip.example.org'], organization: 'o', validity, rsa: false }))
  csip.reload({ key: pki.server.key, cert: pki.server.cert, ca: [pki.serca, certificatePem(pki.mica.certificate)], named: { hosts: ['csip.example.org'], key: shown.key, cert: shown.cert } })
  const asked = async (servername: string, more: object = {}): Promise<string> => {
    const socket = connect({ port, host: '127.0.0.1', servername, ...one, rejectUnauthorized: false, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', ecdhCurve: 'prime256v1', ...more })
    await once(socket, 'secureConnect')
    const leaf = socket.getPeerX509Certificate()
    socket.destroy()
    return leaf?.checkHost('csip.example.org') ?? leaf?.subject ?? 'no subject'
  }
  t.same([await asked('csip.example.org'), await asked('CSIP.example.org'), await asked('localhost')], ['csip.example.org', 'csip.example.org', 'no subject'], 'SEP-210 by name')
  await t.rejects(asked('csip.example.org', { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }), 'the suites are the same under each name')
  t.equal(lfdiOf(guest.der).length, 40)
})

t.test('SEC-007, SEP-193 an idle connection of a revoked client ends within a minute', async (t) => {
  const idle = new Device(two, port, pki.serca)
  t.equal((await idle.get('/tm')).status, 200)
  const before = csip.connections()
  main.revoked.add(two.lfdi)
  await clock.advance(60_000)
  for (let i = 0; i < 100 && csip.connections() >= before; i++) await new Promise((r) => setTimeout(r, 5))
  t.ok(csip.connections() < before)
  main.revoked.delete(two.lfdi)
  idle.close()
})

t.test('SEP-007, SEC-007 a resumed session is the same client, and of no use to one that is revoked', async (t) => {
  const once_ = (session?: Buffer): Promise<{ status: string; session: Buffer | undefined; reused: boolean }> => new Promise((done) => {
    let said = '', kept: Buffer | undefined, reused = false
    const socket = connect({ host: '127.0.0.1', port, ...two, ca: pki.serca, checkServerIdentity: () => undefined, ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', ecdhCurve: 'prime256v1', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ...(session ? { session } : {}) }, () => { reused = socket.isSessionReused(); socket.write('GET /tm HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n') })
    socket.on('session', (s) => { kept = s }).on('data', (d) => { said += String(d) }).on('error', () => {})
    socket.on('close', () => done({ status: said.split('\r\n')[0] ?? '', session: kept, reused }))
  })
  const first = await once_()
  t.match([first.status, first.reused], ['HTTP/1.1 200 OK', false])
  t.match(await once_(first.session), { status: 'HTTP/1.1 200 OK', reused: true })
  main.revoked.add(two.lfdi)
  t.match(await once_(first.session), { status: '', reused: true }, 'TLS knows it; the door does not let it in')
  main.revoked.delete(two.lfdi)
})
