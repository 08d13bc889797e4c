import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import type { AddressInfo } from 'node:net'
import { X509Certificate } from 'node:crypto'
import * as fc from 'fast-check'
import t from 'tap'
import { countingIds, randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import { indefinite, serialFrom } from '#certs/authority.js'
import { isLfdi, isPin, isSfdi, lfdiOf, lfdiOfFingerprint, pinFromHex, pinOf, sfdiOf, sfdiText } from '#certs/lfdi.js'
import { preparePki } from '#certs/pki-folder.js'
import type { PkiFolder } from '#certs/pki-folder.js'
import { sealFrom } from '#certs/seal.js'
import { hardwareModuleName, hwSerialText, readCertificate } from '#certs/x509/certificate.js'
import { integer, oid, oidText, readDer, sequence, time, timeMs } from '#certs/x509/der.js'
import { addressBytes, hardwareModuleNameExtension, keyUsageExtension, policiesExtension } from '#certs/x509/extensions.js'
import { builtByLibrary, writtenStraight } from '#certs/x509/issue.js'
import { certificatesFrom } from '#certs/x509/pem.js'

const refusal = (kind: string): Error => ({ kind }) as unknown as Error
const nowMs = Date.UTC(2026, 10, 21)
/** Whatever the machine's clock says when this runs. */
const validity = { fromMs: Date.UTC(2020, 0), toMs: Date.UTC(2090, 0) }
const ids = randomIds(() => nowMs)
const scratch = (): string => { const dir = mkdtempSync(join(tmpdir(), 'ls-certs-')); t.teardown(() => rmSync(dir, { recursive: true, force: true })); return dir }
const hasOpenssl = spawnSync('openssl', ['version']).status === 0
const openssl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

t.test('SEP-060, SEP-061 SFDI derives from the LFDI', async (t) => {
  t.equal(sfdiOf('3E4F45AB31EDFE5B67E343E5E4562E31984E23E5'), 167261211391)
  t.equal(sfdiOf('0671C144D27DC9E612AFE7DC6C79EC089ED3DCC5'), 17298934539)
  t.equal(sfdiText(17298934539), '017298934539')
  t.equal(sfdiOf('5509D69F8B353595206AD71B47E27906318EA367'), 228273300409)
  t.equal(sfdiOf('F'.repeat(40)), 687194767357)
  t.equal(sfdiOf('0'.repeat(40)), 0)
  t.throws(() => sfdiOf('12'))
  t.ok(isSfdi('017298934539'))
  t.notOk(isSfdi(17298934538))
  t.notOk(isSfdi('687194767366'), 'beyond 36 bits')
  fc.assert(fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (bytes) => isSfdi(sfdiOf(Buffer.from(bytes).toString('hex')))))
})

t.test('SEP-066 the PIN ends in the sum of its digits', async (t) => {
  t.same([pinOf(12345), pinOf(11111), pinOf(12344)], [123455, 111115, 123444])
  t.ok(isPin(123455))
  t.notOk(isPin(123454))
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (n) => isPin(pinFromHex(n.toString(16)))))
})

t.test('SEC-027 strict DER', async (t) => {
  const bad: readonly [string, string][] = [
    ['3080020101000', 'indefinite'], ['30030201', 'cut'], ['300302010100', 'trailing'], ['308103020101', 'length not minimal'],
    ['30040202007f', 'integer not minimal'], ['30030101 05'.replace(' ', ''), 'boolean'], ['3f8101', 'high tag'], ['300406028001', 'oid'],
  ]
  for (const [hex, why] of bad) t.throws(() => readDer(Buffer.from(hex, 'hex')), { name: 'Refusal' }, why)
  let deep = integer(1)
  for (let i = 0; i < 30; i++) deep = sequence(deep)
  t.throws(() => readDer(deep), /nested/)
  t.throws(() => readDer(sequence(...Array.from({ length: 3000 }, () => integer(1)))), /too many/)
  t.throws(() => readDer(Buffer.alloc(70_000)), refusal('tooLarge'))
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    try { return readDer(bytes).raw.length === bytes.length } catch (error) { return (error as Error).name === 'Refusal' }
  }), { numRuns: 5000 })
  fc.assert(fc.property(fc.array(fc.bigInt({ min: 0n, max: 2n ** 90n }), { minLength: 1, maxLength: 4 }), (rest) => {
    const text = ['2', ...rest].join('.')
    return oidText(readDer(oid(text))) === text
  }))
  t.equal(timeMs(readDer(time(indefinite))), indefinite, 'REL-037 the end of year 9999')
  t.equal(timeMs(readDer(time(nowMs))), nowMs)
  t.equal(addressBytes('::1').toString('hex'), '0'.repeat(31) + '1')
  t.equal(addressBytes('2001:db8::10.0.0.1').toString('hex'), '20010db800000000000000000a000001')
})

t.test('SEP-225 serials are 16 octets, positive', async (t) => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
    const serial = serialFrom(Buffer.from(bytes).toString('hex'))
    const first = Number.parseInt(serial.slice(0, 2), 16)
    return serial.length === 32 && first >= 0x40 && first < 0x80
  }))
  t.throws(() => serialFrom('12'))
})

t.test('SEC-026 sealed files', async (t) => {
  const seal = sealFrom('a passphrase that is long'), text = seal.seal('mica.key', 'secret')
  t.equal(seal.open('mica.key', text), 'secret')
  t.notMatch(text, /secret/)
  t.throws(() => seal.open('other.key', text), refusal('unavailable'), 'bound to its name')
  t.throws(() => sealFrom('another passphrase').open('mica.key', text), refusal('unavailable'))
  t.throws(() => sealFrom('short'), refusal('invalid'))
  t.throws(() => seal.open('mica.key', 'nonsense'), refusal('unavailable'))
})

const conformance = scratch()
let folder: PkiFolder
t.before(async () => { folder = await preparePki(join(conformance, 'pki'), { ids, nowMs, log: silent, seed: 'conformance', validity }) })
const at = (name: string): string => join(conformance, 'pki', name)

t.test('contract §4: the conformance seed writes the files it names', async (t) => {
  const files = new Set(readdirSync(at('')))
  const names = ['device-1', 'device-2', 'device-3', 'device-4', 'device-5', 'aggregator-1', 'vendor-1']
  for (const file of ['tls-ca.pem', 'serca.pem', 'mica.pem', 'mica.key', 'chain.pem', 'server.pem', 'server.key', 'lfdi.json', 'est.json', 'ocpp-ca.pem', 'ocpp-ca.key', 'cs011.pem', 'cs011.key',
    ...names.flatMap((n) => [`${n}.pem`, `${n}.key`, `${n}.der`])]) t.ok(files.has(file), file)
  const lfdi = JSON.parse(readFileSync(at('lfdi.json'), 'utf8')) as Record<string, { lfdi: string; sfdi: number; pin: number }>
  t.same(Object.keys(lfdi), names)
  for (const name of names) {
    const der = readFileSync(at(`${name}.der`)), entry = lfdi[name]!
    t.equal(entry.lfdi, lfdiOf(der))
    t.equal(entry.lfdi, lfdiOfFingerprint(new X509Certificate(readFileSync(at(`${name}.pem`))).fingerprint256), 'SEP-062')
    t.ok(isLfdi(entry.lfdi) && isSfdi(entry.sfdi) && isPin(entry.pin))
  }
  const est = JSON.parse(readFileSync(at('est.json'), 'utf8')) as { vendor: string; pen: number; secrets: { secret: string; hwSerialNum: string }[] }
  t.equal(est.secrets.length, 20)
  t.equal(new Set(est.secrets.map((s) => s.secret)).size, 20)
  t.equal(statSync(at('')).mode & 0o777, 0o700)
  for (const file of files) if (/\.key|est\.json/.test(file)) t.equal(statSync(at(file)).mode & 0o777, 0o600, file)
  t.equal(certificatesFrom(readFileSync(at('chain.pem'), 'utf8')).length, 2)
  const cs011 = new X509Certificate(readFileSync(at('cs011.pem')))
  t.match(cs011.subject, /O=Loadstone\nCN=CS011/)
})

t.test('the folder is read again, not made again', async (t) => {
  const again = await preparePki(join(conformance, 'pki'), { ids, nowMs: nowMs + 86_400_000, log: silent, seed: 'conformance', validity })
  t.same(again.devices, folder.devices)
  t.same(again.tls.ec, folder.tls.ec)
  t.same(again.csip, { ...folder.csip, mica: again.csip.mica })
  const named = await preparePki(join(conformance, 'pki'), { ids, nowMs, log: silent, seed: 'conformance', validity, names: ['vtn.example.org'] })
  t.match(new X509Certificate(named.tls.ec.cert).subjectAltName ?? '', /vtn\.example\.org/, 'a new name gives a new server certificate')
  t.equal(named.tls.ca, folder.tls.ca)
})

t.test('SEC-026 no plain key in a folder that is not the conformance seed', async (t) => {
  const dir = scratch()
  await preparePki(dir, { ids, nowMs, log: silent, sealingKey: 'ab'.repeat(32) })
  const all = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((f) => statSync(join(dir, f)).isFile())
  t.ok(all.includes('mica.key.sealed') && all.includes(join('offline', 'serca.key.sealed')) && !all.includes('seal.key'))
  for (const file of all) t.notMatch(readFileSync(join(dir, file), 'latin1'), /PRIVATE KEY/, file)
  await t.rejects(preparePki(dir, { ids, nowMs, log: silent, sealingKey: 'cd'.repeat(32) }), refusal('unavailable'))
})

t.test('SEP-202, SEP-204 openssl agrees with what was issued', { skip: !hasOpenssl && 'no openssl here' }, async (t) => {
  t.match(openssl('verify', '-x509_strict', '-CAfile', at('serca.pem'), '-untrusted', at('mica.pem'), at('device-1.pem'), at('server.pem'), at('aggregator-1.pem')), /device-1.pem: OK/)
  t.match(openssl('verify', '-x509_strict', '-policy_check', '-CAfile', at('serca.pem'), '-untrusted', at('mica.pem'), at('device-1.pem'), at('aggregator-1.pem')), /aggregator-1.pem: OK/)
  t.match(openssl('verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname', 'localhost', '-CAfile', at('tls-ca.pem'), at('tls-server.pem'), at('tls-server-rsa.pem')), /rsa.pem: OK/)
  t.match(openssl('verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', at('ocpp-ca.pem'), at('cs011.pem')), /OK/)
  const device = openssl('x509', '-in', at('device-1.pem'), '-noout', '-text')
  t.match(device, /Subject: *\n/)
  t.match(device, /Not After : Dec 31 23:59:59 9999 GMT/)
  t.match(device, /Key Usage: critical\s+Digital Signature, Key Agreement/)
  t.match(device, /Certificate Policies: critical\s+Policy: 1\.3\.6\.1\.4\.1\.40732\.1\.1\n/)
  t.match(device, /Subject Alternative Name: critical\s+othername: 1\.3\.6\.1\.5\.5\.7\.8\.4/)
  t.notMatch(device, /Basic Constraints/)
  const mica = openssl('x509', '-in', at('mica.pem'), '-noout', '-text')
  t.match(mica, /Basic Constraints: critical\s+CA:TRUE, pathlen:0/)
  t.match(mica, /Key Usage: critical\s+Certificate Sign, CRL Sign/)
  const name = hardwareModuleName(readCertificate(readFileSync(at('device-1.der'))))!
  t.equal(hwSerialText(name), 'device-1')
  t.equal(name.hwType, '1.3.6.1.4.1.32473.1')
  t.match(openssl('x509', '-in', at('tls-server.pem'), '-noout', '-text'), /DNS:localhost, IP Address:127\.0\.0\.1, IP Address:0:0:0:0:0:0:0:1/)
})

t.test('SEP-001, SEP-002, SEP-205 a mutual handshake over CCM8 with the leaf alone', async (t) => {
  const server = createServer({
    key: folder.csip.server.key, cert: folder.csip.server.cert, ca: [...folder.csip.trust], requestCert: true, rejectUnauthorized: true,
    minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', ecdhCurve: 'prime256v1',
  })
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
  t.teardown(() => server.close())
  const seen = new Promise<string>((done) => { server.once('secureConnection', (socket) => done(lfdiOf(socket.getPeerX509Certificate()!.raw))) })
  const socket = tls.connect({
    port: (server.address() as AddressInfo).port, host: '127.0.0.1', ca: folder.csip.serca, cert: readFileSync(at('device-1.pem')), key: readFileSync(at('device-1.key')),
    ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', maxVersion: 'TLSv1.2', checkServerIdentity: () => undefined,
  })
  await new Promise<void>((done, fail) => { socket.once('secureConnect', done); socket.once('error', fail) })
  t.equal(socket.getCipher().standardName, 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8')
  t.equal(lfdiOf(socket.getPeerX509Certificate()!.raw), folder.csip.serverLfdi)
  t.equal(await seen, folder.devices['device-1']!.lfdi)
  socket.destroy()
})

t.test('OCPP-025, OCPP-026 the ordinary door serves EC and RSA on one port', async (t) => {
  const server = createServer({ key: [folder.tls.ec.key, folder.tls.rsa.key], cert: [folder.tls.ec.cert, folder.tls.rsa.cert], ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:AES128-GCM-SHA256', maxVersion: 'TLSv1.2' })
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
  t.teardown(() => server.close())
  for (const ciphers of ['ECDHE-ECDSA-AES128-GCM-SHA256', 'AES128-GCM-SHA256']) {
    const socket = tls.connect({ port: (server.address() as AddressInfo).port, host: 'localhost', servername: 'localhost', ca: folder.tls.ca, ciphers, maxVersion: 'TLSv1.2' })
    await new Promise<void>((done, fail) => { socket.once('secureConnect', done); socket.once('error', fail) })
    t.ok(socket.authorized)
    t.equal(socket.getCipher().name, ciphers)
    socket.destroy()
  }
})

t.test('a fleet is issued fast, each device another', async (t) => {
  const begun = process.cpuUsage()
  const made = await folder.issueDevices(Array.from({ length: 300 }, (_, i) => `INV-${i}`))
  // the machine may be busy with other tests: the processor time of our own is what counts
  const { user, system } = process.cpuUsage(begun), rate = 300 / (user + system) * 1e6
  t.comment(`${Math.round(rate)} device certificates in a second of processor time`)
  t.ok(rate > 100, `${Math.round(rate)} in a second of processor time`)
  t.equal(new Set(made.map((m) => m.lfdi)).size, 300)
  t.equal(new Set(made.map((m) => readCertificate(m.der).serial)).size, 300, 'SEC-025')
  t.ok(made.every((m) => new X509Certificate(m.certificate).verify(new X509Certificate(folder.csip.trust[0]!).publicKey)))
})

t.test('SEP-234 device certificates written straight are byte for byte what the library builds', async () => {
  const issuer = readCertificate(folder.csip.mica.certificate).subject.raw, publicKey = readCertificate(folder.csip.mica.certificate).key.spki
  await fc.assert(fc.asyncProperty(
    fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.integer({ min: 0, max: 4e9 }), fc.boolean(), fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.boolean(),
    async (random, from, finite, serialNum, critical) => {
      const plan = {
        serial: serialFrom(Buffer.from(random).toString('hex')), issuer, publicKey, notBeforeMs: from * 1000, notAfterMs: finite ? from * 1000 + 5e10 : indefinite,
        extensions: [keyUsageExtension('digitalSignature', 'keyAgreement'), policiesExtension(['1.3.6.1.4.1.40732.1.1'], critical), hardwareModuleNameExtension('1.3.6.1.4.1.32473.1', serialNum)],
      }
      return (await builtByLibrary(plan, 'ecdsa-p256-sha256')).equals(writtenStraight(plan, 'ecdsa-p256-sha256'))
    }), { numRuns: 200 })
})

t.test('counting ids make a folder too', async (t) => {
  const made = await preparePki(scratch(), { ids: countingIds(), nowMs, log: silent, seed: 'demo', validity: { fromMs: Date.UTC(2020, 0), toMs: Date.UTC(2040, 0) } })
  t.same(made.devices, {})
  t.equal(new X509Certificate(made.tls.ec.cert).validTo, 'Jan  1 00:00:00 2040 GMT')
})
