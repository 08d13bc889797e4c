import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import { createIntermediate, createSerca, indefinite, issueClient, issueDevice, serialFrom } from '#certs/authority.js'
import { buildEnrolment } from '#certs/enrol.js'
import type { Enrolment, EnrolmentNeeds, Registered } from '#certs/enrol.js'
import { operations } from '#certs/est.js'
import { connectionGuard } from '#certs/guard.js'
import { isPin, lfdiOf, sfdiOf } from '#certs/lfdi.js'
import { preparePki } from '#certs/pki-folder.js'
import type { PkiFolder } from '#certs/pki-folder.js'
import { checkDeviceCertificate } from '#certs/profile/device.js'
import { otherSpelling } from '#certs/profile/spelling.js'
import { trustOf } from '#certs/profile/trust.js'
import { guessableKey } from '#certs/profile/weak-key.js'
import { Kind } from '#certs/record.js'
import type { CertificateRecord } from '#certs/record.js'
import { buildRegistry, stateOf } from '#certs/registry.js'
import type { CertificateRegistry } from '#certs/registry.js'
import { buildRevocation } from '#certs/revocation.js'
import { seedVendor } from '#certs/seed.js'
import { buildEst } from '#certs/server.js'
import { buildVendors } from '#certs/vendor.js'
import type { Vendors } from '#certs/vendor.js'
import { hardwareModuleName, hwSerialText, keyUsage, basicConstraints, extKeyUsage, policies, readCertificate } from '#certs/x509/certificate.js'
import { readCrl } from '#certs/x509/crl.js'
import { basicConstraintsExtension, extKeyUsageExtension, hardwareModuleNameExtension, hostNamesExtension, keyIdentifierOf } from '#certs/x509/extensions.js'
import { library } from '#certs/x509/issue.js'
import { Oid } from '#certs/x509/oid.js'
import { certificatePem, toPem } from '#certs/x509/pem.js'
import { certificatesOf } from '#certs/x509/pkcs7.js'
import { deviceRequest, makeRequest } from '#certs/x509/request.js'
import { keyPem, keySigner, newEcKey, spkiOf } from '#certs/x509/signer.js'
import { testDatabase } from '#prisma/test-database.js'
import type { TestDatabase } from '#prisma/test-database.js'

const start = Date.UTC(2026, 10, 21)
const clock = handClock(start), ids = randomIds(() => start)
const dir = mkdtempSync(join(tmpdir(), 'ls-est-'))
const has = (tool: string, flag = 'version'): boolean => spawnSync(tool, [flag]).status === 0
const hasOpenssl = has('openssl'), hasCurl = has('curl', '--version')

let db: TestDatabase, folder: PkiFolder, registry: CertificateRegistry, vendors: Vendors, enrolment: Enrolment, app: FastifyInstance, port: number, needs: EnrolmentNeeds
const registered: Registered[] = []
const pen = 32473
const secretOf = (i: number): { secret: string; hwSerialNum: string } => folder.est!.secrets[i]!

t.before(async () => {
  db = await testDatabase({ clock })
  folder = await preparePki(dir, { ids, nowMs: start, log: silent, seed: 'conformance', validity: { fromMs: Date.UTC(2020, 0), toMs: Date.UTC(2090, 0) } })
  const base = { documents: db.stores.documents, tenant: db.tenant, clock, ids, log: silent }
  registry = buildRegistry(base)
  await registry.start()
  vendors = buildVendors(base)
  await seedVendor(folder, vendors)
  await seedVendor(folder, vendors)
  needs = { ...base, registry, vendors, mica: folder.csip.mica, registration: { issued: async (entries) => { registered.push(...entries) } } }
  enrolment = buildEnrolment(needs)
  app = door(false)
  await app.listen({ port: 0, host: '127.0.0.1' })
  port = (app.server.address() as AddressInfo).port
})
t.teardown(async () => {
  await app.close()
  registry.stop()
  await db.close()
  rmSync(dir, { recursive: true, force: true })
})

const door = (rateLimits: boolean): FastifyInstance => buildEst({
  tls: folder.tls.ec, clientCas: [...folder.csip.trust, folder.tls.ca], trust: () => trustOf(...folder.csip.trust), mica: folder.csip.mica, enrolment, vendors, registry, clock, log: silent,
  config: { profile: 'csip', production: true, rateLimits },
})

interface Ask { method?: string; path: string; body?: string | Buffer; type?: string | null; user?: { hwSerialNum: string; secret: string }; as?: { cert: string; key: string }; headers?: Record<string, string>; port?: number }
interface Answer { status: number; headers: Record<string, string | string[] | undefined>; body: string; raw: Buffer }
const ask = ({ method, path, body, type = 'application/pkcs10', user, as, headers = {}, port: to = port }: Ask): Promise<Answer> => new Promise((done, fail) => {
  const request = httpsRequest({
    port: to, host: '127.0.0.1', servername: 'localhost', ca: folder.tls.ca, method: method ?? (body === undefined ? 'GET' : 'POST'), path, agent: false, ...as,
    headers: { ...(body === undefined || type === null ? {} : { 'content-type': type }), ...(user ? { authorization: `Basic ${Buffer.from(`${user.hwSerialNum}:${user.secret}`).toString('base64')}` } : {}), ...headers },
  }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (c: Buffer) => chunks.push(c))
    response.on('end', () => { const raw = Buffer.concat(chunks); done({ status: response.statusCode ?? 0, headers: response.headers, body: raw.toString(), raw }) })
  })
  request.on('error', fail)
  request.end(body)
})
const est = '/.well-known/est'
const request = async (hwSerialNum: string, key = newEcKey(), hwType = `1.3.6.1.4.1.${pen}.1`): Promise<{ key: KeyObject; csr: Buffer; body: string }> => {
  const csr = await deviceRequest(key, { hwType, hwSerialNum })
  return { key, csr, body: csr.toString('base64') }
}
const leafOf = (answer: Answer): Buffer => certificatesOf(Buffer.from(answer.body, 'base64'))[0]!
const vendor1 = (): { cert: string; key: string } => ({ cert: readFileSync(join(dir, 'vendor-1.pem'), 'utf8'), key: readFileSync(join(dir, 'vendor-1.key'), 'utf8') })
const certificates = (): Promise<number> => db.stores.documents.count(db.tenant, { kind: Kind.certificate })

t.test('SEP-221, SEP-222 cacerts gives the whole chain in one line', async (t) => {
  const answer = await ask({ path: `${est}/cacerts` })
  t.equal(answer.status, 200)
  t.equal(answer.headers['content-type'], 'application/pkcs7-mime; smime-type=certs-only')
  t.equal(answer.headers['content-transfer-encoding'], 'base64')
  t.notMatch(answer.body, /[\r\n]/)
  const der = Buffer.from(answer.body, 'base64'), chain = certificatesOf(der).map((c) => new X509Certificate(c))
  t.equal(chain.length, 2)
  t.ok(chain.some((c) => c.subject === c.issuer), 'the root is in it')
  const { X509Certificates } = await library()
  t.equal(new X509Certificates(der).length, 2, 'another reader agrees')
  if (hasOpenssl) t.match(execFileSync('openssl', ['pkcs7', '-inform', 'DER', '-print_certs', '-noout'], { input: der, encoding: 'utf8' }), /IEEE 2030.5 MICA/)
  t.equal((await ask({ path: `${est}/vendor-1/cacerts` })).body, answer.body)
  t.equal((await ask({ path: `${est}/nobody/cacerts` })).status, 404)
})

t.test('SEP-228 csrattrs', async (t) => {
  const answer = await ask({ path: `${est}/csrattrs` })
  t.equal(answer.headers['content-type'], 'application/csrattrs')
  if (hasOpenssl) t.match(execFileSync('openssl', ['asn1parse', '-inform', 'DER'], { input: Buffer.from(answer.body, 'base64'), encoding: 'utf8' }), /id-ecPublicKey[^]*prime256v1[^]*ecdsa-with-SHA256[^]*Extension Request[^]*Subject Alternative Name/)
})

t.test('SEP-223, SEP-225, SEP-231 a one-time secret enrols a device', async (t) => {
  const user = secretOf(0), { body, key, csr } = await request(user.hwSerialNum)
  const answer = await ask({ path: `${est}/simpleenroll`, body, user })
  t.equal(answer.status, 200, answer.body)
  t.notMatch(answer.body, /[\r\n]/)
  const all = certificatesOf(Buffer.from(answer.body, 'base64'))
  t.equal(all.length, 1, 'the leaf alone')
  const der = all[0]!, view = readCertificate(der)
  const verdict = checkDeviceCertificate(der, { profile: 'csip', trust: trustOf(...folder.csip.trust), nowMs: clock.nowMs() })
  t.match(verdict, { ok: true, hwSerialNum: user.hwSerialNum, policies: ['1.3.6.1.4.1.40732.1.1'] })
  t.equal(view.notAfterMs, indefinite)
  t.equal(view.serial.length, 32)
  t.ok(view.key.spki.equals(spkiOf(key)))
  const told = registered.at(-1)!
  t.match(told, { lfdi: lfdiOf(der), sfdi: sfdiOf(lfdiOf(der)), vendor: 'vendor-1', hwSerialNum: user.hwSerialNum, replaces: null })
  t.ok(isPin(told.pin))
  t.match(await registry.byLfdi(lfdiOf(der)), { state: 'valid', serial: view.serial, requester: `secret:${user.hwSerialNum}` })
  t.equal((await registry.bySerial(view.serial))?.lfdi, lfdiOf(der))

  const again = await ask({ path: `${est}/simpleenroll`, body: csr, user })
  t.ok(leafOf(again).equals(der), 'SEP-226 the same key gets the same certificate; a DER body is read too')
  const wrapped = body.replaceAll(/(.{64})/g, '$1\r\n')
  t.ok(leafOf(await ask({ path: `${est}/simpleenroll`, body: wrapped, user })).equals(der), 'SEP-222 white space is ignored')
  const other = await request(user.hwSerialNum)
  const refused = await ask({ path: `${est}/simpleenroll`, body: other.body, user })
  t.equal(refused.status, 401, 'SEC-024 a used secret enrols no other key')
  t.equal(refused.headers['www-authenticate'], 'Basic realm="est"')
  t.match(await ask({ path: `${est}/simpleenroll`, body: other.body, as: vendor1() }), { status: 409 }, 'SEP-224 the serial is unique per vendor')
})

t.test('SEC-024 secrets: wrong, of another serial, expired', async (t) => {
  const mine = secretOf(1), { body } = await request(mine.hwSerialNum), before = await certificates()
  const cases: Ask['user'][] = [{ hwSerialNum: mine.hwSerialNum, secret: secretOf(2).secret }, { hwSerialNum: secretOf(2).hwSerialNum, secret: mine.secret }, { hwSerialNum: mine.hwSerialNum, secret: 'x' }, { hwSerialNum: '', secret: '' }, undefined]
  for (const user of cases) {
    const answer = await ask({ path: `${est}/simpleenroll`, body, ...(user ? { user } : {}) })
    t.equal(answer.status, 401)
    t.equal(answer.headers['www-authenticate'], 'Basic realm="est"')
  }
  t.equal((await ask({ path: `${est}/simpleenroll`, body: (await request('OTHER-1')).body, user: mine })).status, 400, 'SEC-020 a CSR for another serial')
  t.equal((await ask({ path: `${est}/simpleenroll`, body: (await request(mine.hwSerialNum, newEcKey(), '1.3.6.1.4.1.99999.1')).body, user: mine })).status, 400, 'a hwType of another vendor')
  const [brief] = await vendors.addSecrets('vendor-1', ['BRIEF-1'], 1000)
  await clock.advance(1000)
  t.equal((await ask({ path: `${est}/simpleenroll`, body: (await request('BRIEF-1')).body, user: brief! })).status, 401, 'expired')
  t.equal(await certificates(), before)
  t.equal((await ask({ path: `${est}/simpleenroll`, body, user: mine })).status, 200, 'a refused request did not use up the secret')
  const stored = JSON.stringify(await db.stores.documents.list(db.tenant, { kind: Kind.secret }))
  t.notOk(stored.includes(mine.secret), 'SEC-026 the secret is not kept')
})

t.test('SEP-224, SEC-020, SEC-021, SEC-027 bad requests are 400 with a reason, greedy ones get the profile', async (t) => {
  const user = secretOf(3), serial = user.hwSerialNum, before = await certificates()
  const hw = hardwareModuleNameExtension(`1.3.6.1.4.1.${pen}.1`, Buffer.from(serial))
  const good = await request(serial), forged = Buffer.from(good.csr)
  forged[forged.length - 5]! ^= 1
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey, rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const offCurve = Buffer.from(spkiOf(newEcKey()))
  offCurve[90]! ^= 1
  const small = (await import('node:crypto')).createECDH('prime256v1')
  small.setPrivateKey('7'.padStart(64, '0'), 'hex')
  const point = small.getPublicKey()
  const weak = await import('node:crypto').then(({ createPrivateKey }) => createPrivateKey({ key: { kty: 'EC', crv: 'P-256', d: Buffer.from('7'.padStart(64, '0'), 'hex').toString('base64url'), x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') }, format: 'jwk' }))
  const cases: readonly [string, string | Buffer, RegExp][] = [
    ['garbage', 'not base64 at all!', /neither base64 nor DER/], ['empty', '', /empty/], ['PEM', toPem('CERTIFICATE REQUEST', good.csr), /without the PEM/],
    ['cut', good.csr.subarray(0, 80), /DER/], ['trailing bytes', Buffer.concat([good.csr, Buffer.from([0])]), /after the end/],
    ['a certificate', folder.csip.mica.certificate, /.+/], ['proof of possession', forged, /signature/], ['P-384', await deviceRequest(p384, { hwType: '1.3.6.1.4.1.1', hwSerialNum: serial }), /P-256/],
    ['RSA', await makeRequest(rsa, { extensions: [hw] }), /P-256/], ['off the curve', await deviceRequest(newEcKey(), { hwType: '1.2', hwSerialNum: serial }).then((csr) => Buffer.from(csr.toString('hex').replace(spkiHex(csr), offCurve.toString('hex')), 'hex')), /key|signature/],
    ['guessable key', await makeRequest(weak, { extensions: [hw] }), /small number/],
    ['indefinite length', Buffer.concat([Buffer.from('3080', 'hex'), good.csr.subarray(4), Buffer.from('0000', 'hex')]), /DER/],
  ]
  for (const [name, body, reason] of cases) {
    const answer = await ask({ path: `${est}/simpleenroll`, body, user })
    t.equal(answer.status, 400, `${name}: ${answer.body}`)
    t.match(answer.headers['content-type'], /^text\/plain/)
    t.match(answer.body, reason, name)
  }
  t.equal((await ask({ path: `${est}/simpleenroll`, body: Buffer.alloc(70_000, 0x30), user })).status, 413)
  t.equal((await ask({ path: `${est}/simpleenroll`, body: good.body, user, type: 'text/plain' })).status, 415)
  t.equal((await ask({ path: `${est}/simpleenroll`, body: good.body, user, type: null })).status, 415)
  t.equal(await certificates(), before, 'nothing was issued')

  const greedy = await makeRequest(newEcKey(), { subject: [{ oid: Oid.commonName, text: 'root of all' }], extensions: [hw, basicConstraintsExtension(), extKeyUsageExtension(Oid.serverAuth, Oid.ocspSigning)] })
  const der = leafOf(await ask({ path: `${est}/simpleenroll`, body: greedy, user })), view = readCertificate(der)
  t.same([basicConstraints(view), extKeyUsage(view), [...keyUsage(view)!], policies(view), view.subject.empty], [undefined, undefined, ['digitalSignature', 'keyAgreement'], ['1.3.6.1.4.1.40732.1.1'], true])
  t.equal(hwSerialText(hardwareModuleName(view)!), serial)
})
const spkiHex = (csr: Buffer): string => { const hex = csr.toString('hex'), at = hex.indexOf('3059301306'); return hex.slice(at, at + 182) }

t.test('SEC-021 a key belongs to one device, a compromised key to none', async (t) => {
  const a = secretOf(4), b = secretOf(5), key = newEcKey()
  const first = await ask({ path: `${est}/simpleenroll`, body: (await request(a.hwSerialNum, key)).body, user: a })
  t.equal(first.status, 200)
  t.match(await ask({ path: `${est}/simpleenroll`, body: (await request(b.hwSerialNum, key)).body, user: b }), { status: 400, body: /belongs to another device/ })
  t.equal((await ask({ path: `${est}/simpleenroll`, body: (await request(b.hwSerialNum)).body, user: b })).status, 200, 'and the secret was not used up')
  await registry.revoke(lfdiOf(leafOf(first)), 'keyCompromise', 'alice')
  await registry.revoke(lfdiOf(leafOf(first)), 'keyCompromise', 'alice')
  t.match(await ask({ path: `${est}/simpleenroll`, body: (await request(a.hwSerialNum, key)).body, as: vendor1() }), { status: 400, body: /compromised/ })
  t.equal((await ask({ path: `${est}/simpleenroll`, body: (await request(a.hwSerialNum)).body, as: vendor1() })).status, 200, 'a new key is welcome')
  t.match(guessableKey({ spki: Buffer.from(createPublicKey({ key: { kty: 'RSA', e: 'AQAB', n: close() }, format: 'jwk' }).export({ type: 'spki', format: 'der' })), algorithm: Oid.rsaEncryption }), /close/)
})
const close = (): string => {
  const p = 2n ** 512n + 75n, n = p * (p + 10n)
  return Buffer.from(n.toString(16).padStart(258, '0'), 'hex').toString('base64url')
}

t.test('SEP-227, SEP-233, SEP-194, SEC-022 simplereenroll', async (t) => {
  const user = secretOf(6), first = await request(user.hwSerialNum)
  const old = leafOf(await ask({ path: `${est}/simpleenroll`, body: first.body, user })), as = { cert: certificatePem(old), key: keyPem(first.key) }
  const next = await request(user.hwSerialNum)
  t.equal((await ask({ path: `${est}/simplereenroll`, body: next.body })).status, 401)
  t.equal((await ask({ path: `${est}/simplereenroll`, body: next.body, user: secretOf(7) })).status, 403, 'a secret renews nothing')
  t.equal((await ask({ path: `${est}/simplereenroll`, body: next.body, as: vendor1() })).status, 403)
  t.equal((await ask({ path: `${est}/simplereenroll`, body: (await request('OTHER-2')).body, as })).status, 400, 'another subjectAltName')
  const named = await makeRequest(newEcKey(), { subject: [{ oid: Oid.commonName, text: 'x' }], extensions: [hardwareModuleNameExtension(`1.3.6.1.4.1.${pen}.1`, Buffer.from(user.hwSerialNum))] })
  t.equal((await ask({ path: `${est}/simplereenroll`, body: named, as })).status, 400, 'another Subject')
  t.equal((await ask({ path: `${est}/simplereenroll`, body: await makeRequest(newEcKey(), { extensions: [hostNamesExtension(['x.org'])] }), as })).status, 400)

  const answer = await ask({ path: `${est}/simplereenroll`, body: next.body, as })
  t.equal(answer.status, 200, answer.body)
  const fresh = leafOf(answer)
  t.match(registered.at(-1), { lfdi: lfdiOf(fresh), replaces: lfdiOf(old) }, 'old and new LFDI are linked')
  t.equal(registered.at(-1)!.pin, (await registry.byLfdi(lfdiOf(old)))!.pin, 'the PIN stays')
  t.ok(leafOf(await ask({ path: `${est}/simplereenroll`, body: next.body, as })).equals(fresh), 'a lost answer can be asked for again')
  t.equal((await ask({ path: `${est}/simplereenroll`, body: (await request(user.hwSerialNum)).body, as })).status, 403, 'a replaced certificate makes no third')
  t.equal((await registry.byLfdi(lfdiOf(old)))!.state, 'superseded')
  t.notOk(registry.isBlocked(lfdiOf(old)), 'the overlap')
  await clock.advance(8 * 86_400_000)
  t.ok(registry.isBlocked(lfdiOf(old)))
  t.equal((await ask({ path: `${est}/simplereenroll`, body: next.body, as })).status, 403)
  await registry.revoke(lfdiOf(fresh), 'cessationOfOperation', 'alice')
  t.match(await ask({ path: `${est}/simplereenroll`, body: (await request(user.hwSerialNum)).body, as: { cert: certificatePem(fresh), key: keyPem(next.key) } }), { status: 403, body: /SEP-213/ }, 'revoked')
})

t.test('SEC-022, SEC-024 a revoked device gets nothing by an older certificate, nor by the other spelling of the revoked one', async (t) => {
  const user = secretOf(11), first = await request(user.hwSerialNum)
  const old = leafOf(await ask({ path: `${est}/simpleenroll`, body: first.body, user })), next = await request(user.hwSerialNum), third = await request(user.hwSerialNum), before = await certificates()
  const fresh = leafOf(await ask({ path: `${est}/simplereenroll`, body: next.body, as: { cert: certificatePem(old), key: keyPem(first.key) } }))
  await registry.revoke(lfdiOf(fresh), 'cessationOfOperation', 'alice')
  const twin = otherSpelling(readCertificate(fresh))
  for (const as of [{ cert: certificatePem(old), key: keyPem(first.key) }, { cert: certificatePem(fresh), key: keyPem(next.key) }, { cert: certificatePem(twin), key: keyPem(next.key) }]) {
    for (const operation of ['simpleenroll', 'simplereenroll']) {
      const answer = await ask({ path: `${est}/${operation}`, body: third.body, as })
      t.ok(answer.status === 401 || answer.status === 403, `${operation} ${answer.status} ${answer.body}`)
    }
  }
  t.equal(await certificates(), before + 1)
  t.equal((await ask({ path: `${est}/simpleenroll`, body: third.body, as: vendor1() })).status, 200, 'its maker may enrol it again')
})

t.test('SEP-223 (c) a device certificate of an accepted manufacturer, and others', async (t) => {
  const serial = (): string => serialFrom(ids.hex(16)), key = newEcKey(), validity = { fromMs: start - 1000, toMs: indefinite }
  const mine = await issueDevice(folder.csip.mica, { serial: serial(), publicKey: spkiOf(key), hwType: `1.3.6.1.4.1.${pen}.1`, hwSerialNum: 'FACTORY-1', validity })
  const enrolled = await ask({ path: `${est}/simpleenroll`, body: (await request('FACTORY-1')).body, as: { cert: certificatePem(mine), key: keyPem(key) } })
  t.equal(enrolled.status, 200, enrolled.body)
  t.equal((await ask({ path: `${est}/simpleenroll`, body: (await request('FACTORY-2')).body, as: { cert: certificatePem(mine), key: keyPem(key) } })).status, 400, 'for itself only')
  const foreign = await issueDevice(folder.csip.mica, { serial: serial(), publicKey: spkiOf(key), hwType: '1.3.6.1.4.1.999.1', hwSerialNum: 'F', validity })
  t.equal((await ask({ path: `${est}/simpleenroll`, body: (await request('F')).body, as: { cert: certificatePem(foreign), key: keyPem(key) } })).status, 403, 'a maker nobody registered')
  const strangers = await createSerca({ serial: serial(), subject: [{ CN: ['stranger'] }], validity }, keySigner(newEcKey()))
  const stranger = await issueDevice(await createIntermediate('MICA', strangers, { serial: serial(), subject: [{ CN: ['s'] }], validity }, keySigner(newEcKey())), { serial: serial(), publicKey: spkiOf(key), hwType: `1.3.6.1.4.1.${pen}.1`, hwSerialNum: 'S', validity })
  t.match(await ask({ path: `${est}/simpleenroll`, body: (await request('S')).body, as: { cert: certificatePem(stranger), key: keyPem(key) } }), { status: 401, body: /SEP-204/ }, 'a chain nobody trusts')
  const expired = await issueClient(folder.tls.authority, { serial: serial(), publicKey: spkiOf(key), commonName: 'v', organization: 'o', validity: { fromMs: start - 9000, toMs: start - 1000 } })
  await vendors.put({ name: 'late', pen: 5, fingerprints: [lfdiOf(expired)], approval: 'automatic', policy: 'factory', active: true })
  t.equal((await ask({ path: `${est}/simpleenroll`, body: (await request('L')).body, as: { cert: certificatePem(expired), key: keyPem(key) } })).status, 403, 'an expired vendor certificate')
  t.equal((await ask({ path: `${est}/late/simpleenroll`, body: (await request('V-9')).body, as: vendor1() })).status, 403, 'a credential for another label')
  t.equal((await ask({ path: `${est}/vendor-1/simpleenroll`, body: (await request('V-9')).body, as: vendor1() })).status, 200, 'SEP-220 label')
})

t.test('SEP-226 manual approval: 202, then the certificate', async (t) => {
  await vendors.put({ name: 'slow', pen: 777, fingerprints: [], approval: 'manual', policy: 'postManufacture', active: true })
  const [user] = await vendors.addSecrets('slow', ['SLOW-1']), { body } = await request('SLOW-1', newEcKey(), '1.3.6.1.4.1.777.4')
  for (let i = 0; i < 2; i++) t.match(await ask({ path: `${est}/simpleenroll`, body, user: user! }), { status: 202, headers: { 'retry-after': '300' } })
  const [waiting] = await enrolment.waiting()
  t.match(waiting, { id: 'slow/SLOW-1', request: { hwType: '1.3.6.1.4.1.777.4' } })
  await enrolment.decide('slow/SLOW-1', 'approve', 'alice')
  await t.rejects(enrolment.decide('slow/SLOW-1', 'reject', 'bob'), { kind: 'conflict' } as unknown as Error)
  const answer = await ask({ path: `${est}/simpleenroll`, body, user: user! })
  t.equal(answer.status, 200)
  t.same(policies(readCertificate(leafOf(answer))), ['1.3.6.1.4.1.40732.1.3'], 'SEP-225 issued after manufacture')
  const [second] = await vendors.addSecrets('slow', ['SLOW-2']), rejected = await request('SLOW-2', newEcKey(), '1.3.6.1.4.1.777.4')
  t.equal((await ask({ path: `${est}/simpleenroll`, body: rejected.body, user: second! })).status, 202)
  await enrolment.decide('slow/SLOW-2', 'reject', 'alice', 'unknown device')
  t.equal((await ask({ path: `${est}/simpleenroll`, body: rejected.body, user: second! })).status, 403)
})

t.test('SEC-023, SEP-229 every path × method × type without a credential issues nothing', async (t) => {
  const before = await certificates(), { csr } = await request('NOBODY')
  const names = [...Object.keys(operations), 'simpleenrol', 'SIMPLEENROLL', '__proto__', 'constructor', 'toString', 'simpleenroll%2f']
  for (const path of names.flatMap((n) => [`${est}/${n}`, `${est}/vendor-1/${n}`, `${est}/vendor-1/x/${n}`, `/${n}`])) for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD']) {
    const { status } = await ask({ path, method, ...(method === 'GET' || method === 'HEAD' ? {} : { body: csr }) })
    t.ok(status >= 400 || /cacerts|csrattrs/.test(path), `${method} ${path} ${status}`)
    t.not(status, 500)
  }
  for (const type of ['application/pkcs10', 'application/pkcs7-mime', 'multipart/form-data', 'application/json', 'text/plain', '']) for (const operation of ['simpleenroll', 'simplereenroll']) {
    t.equal((await ask({ path: `${est}/${operation}`, body: csr, type })).status, type === '' ? 415 : 401)
  }
  t.equal((await ask({ path: `${est}/serverkeygen`, body: csr })).status, 501)
  t.equal((await ask({ path: `${est}/fullcmc`, body: csr })).status, 501)
  t.match(await ask({ path: `${est}/simpleenroll` }), { status: 405, headers: { allow: 'POST' } })
  for (const authorization of ['Basic', 'Basic !!!', 'Basic Og==', 'Bearer x', `Basic ${'A'.repeat(5000)}`]) t.equal((await ask({ path: `${est}/simpleenroll`, body: csr, headers: { authorization } })).status, 401)
  t.equal(await certificates(), before)
})

t.test('SEC-006 a resumed session without a certificate proves nothing', async (t) => {
  const { connect } = await import('node:tls')
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

t.test('SEP-232 a batch: requests and key lists, an archive back', async (t) => {
  const a = await request('B-1'), key = spkiOf(newEcKey()), twin = await request('B-1')
  const rows = [{ csr: a.body }, { hwSerialNum: 'B-2', publicKey: key.toString('base64') }, { csr: toPem('CERTIFICATE REQUEST', twin.csr) }, { hwSerialNum: 'B-3', publicKey: 'AAAA' }, { hwSerialNum: 'bad:serial', publicKey: spkiOf(newEcKey()).toString('base64') }, { csr: 'xx' }]
  t.equal((await ask({ path: '/vendors/vendor-1/batch', body: JSON.stringify({ rows }), type: 'application/json' })).status, 401)
  t.equal((await ask({ path: '/vendors/slow/batch', body: JSON.stringify({ rows }), type: 'application/json', as: vendor1() })).status, 403)
  t.equal((await ask({ path: '/vendors/vendor-1/batch', body: JSON.stringify({ rows: [{}] }), type: 'application/json', as: vendor1() })).status, 400)
  t.equal((await ask({ path: '/vendors/vendor-1/batch', body: '{', type: 'application/json', as: vendor1() })).status, 400)
  const json = await ask({ path: '/vendors/vendor-1/batch', body: JSON.stringify({ rows }), type: 'application/json', as: vendor1(), headers: { accept: 'application/json' } })
  t.equal(json.status, 200, json.body)
  const { results } = JSON.parse(json.body) as { results: { row: number; lfdi?: string; certificate?: string; refused?: string }[] }
  t.same(results.map((r) => r.refused === undefined), [true, true, false, false, false, false])
  t.match(results[2]!.refused, /twice/)
  const archive = await ask({ path: '/vendors/vendor-1/batch', body: JSON.stringify(rows), type: 'application/json', as: vendor1() })
  writeFileSync(join(dir, 'batch.tar.gz'), archive.raw)
  const listing = spawnSync('tar', ['-tzf', join(dir, 'batch.tar.gz')], { encoding: 'utf8' })
  if (listing.status === 0) t.same(listing.stdout.trim().split('\n').length, 4)
  const text = gunzipSync(archive.raw).toString('latin1')
  t.match(text, new RegExp(`1,B-1,${results[0]!.lfdi},\\d{12},\\d{6},certificates/${results[0]!.lfdi}\\.pem,`), 'repeated: the same certificate')
})

t.test('SEC-025 dying at any moment leaves one certificate on record', async (t) => {
  for (const [dieAt, committed] of [[1, false], [1, true], [2, false], [2, true], [3, false], [3, true]] as const) {
    const { documents } = db.stores
    let writes = 0
    const mortal = new Proxy(documents, { get: (target, name: keyof typeof documents) => name !== 'insertMany' && name !== 'replace' ? target[name] : async (...args: unknown[]) => {
      const dies = ++writes === dieAt
      if (dies && !committed) throw new Error('killed')
      const done = await (target[name] as (...a: unknown[]) => unknown)(...args)
      if (dies) throw new Error('killed')
      return done
    } })
    const hwSerialNum = `DIE-${dieAt}-${committed}`, { csr } = await request(hwSerialNum), requester = { kind: 'vendor' as const, vendor: (await vendors.get('vendor-1'))! }
    await t.rejects(buildEnrolment({ ...needs, documents: mortal }).enrol(csr, requester), /killed/)
    const unfinished = await db.stores.documents.list<CertificateRecord>(db.tenant, { kind: Kind.certificate, owner: hwSerialNum })
    const after = await enrolment.enrol(csr, requester)
    t.equal(after.kind, 'issued')
    const all = await db.stores.documents.list<CertificateRecord>(db.tenant, { kind: Kind.certificate, owner: hwSerialNum })
    t.equal(all.length, 1, `killed at write ${dieAt}`)
    if (unfinished.length > 0) t.equal(all[0]!.id, unfinished[0]!.id, 'the stored bytes were signed, nothing new')
    t.match(all[0]!.body, { state: 'valid', lfdi: after.kind === 'issued' ? after.lfdi : '' })
    t.equal(registered.at(-1)?.lfdi, after.kind === 'issued' ? after.lfdi : '', 'SEP-231 and it was told')
  }
  const { csr } = await request('RACE-1'), requester = { kind: 'vendor' as const, vendor: (await vendors.get('vendor-1'))! }
  const answers = await Promise.all(Array.from({ length: 20 }, () => enrolment.enrol(csr, requester)))
  t.equal(new Set(answers.map((a) => a.kind === 'issued' ? a.lfdi : '')).size, 1, 'twenty at once, one certificate')
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

t.test('SEP-220 … SEP-227 curl and openssl alone enrol and renew', { skip: !(hasOpenssl && hasCurl) && 'no openssl or curl here' }, async (t) => {
  const user = secretOf(10), at = (name: string): string => join(dir, name)
  const run = (tool: string, ...args: string[]): Promise<string> => new Promise((done, fail) => {
    const child = spawn(tool, args)
    let out = '', err = ''
    child.stdout.on('data', (d: Buffer) => { out += d.toString() })
    child.stderr.on('data', (d: Buffer) => { err += d.toString() })
    child.on('close', (code) => { if (code === 0) done(out); else fail(new Error(`${tool} ${code}: ${err}`)) })
  })
  await run('openssl', 'ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', at('x.key'))
  writeFileSync(at('x.cnf'), `[req]\ndistinguished_name=dn\nreq_extensions=ext\nprompt=no\n[dn]\n[ext]\nkeyUsage=critical,digitalSignature,keyAgreement\nsubjectAltName=critical,otherName:1.3.6.1.5.5.7.8.4;SEQ:hw\n[hw]\nhwType=OID:1.3.6.1.4.1.${pen}.1\nhwSerialNum=FORMAT:ASCII,OCT:${user.hwSerialNum}\n`)
  const csr = async (key: string): Promise<void> => { await run('openssl', 'req', '-new', '-key', at(key), '-subj', '/', '-config', at('x.cnf'), '-outform', 'DER', '-out', at('x.csr')); await run('openssl', 'base64', '-in', at('x.csr'), '-out', at('x.b64')) }
  await csr('x.key')
  const url = `https://localhost:${port}${est}`, common = ['-sS', '--fail-with-body', '--cacert', at('tls-ca.pem'), '-4', '-H', 'Content-Type: application/pkcs10', '--data-binary', `@${at('x.b64')}`]
  await run('curl', ...common, '-u', `${user.hwSerialNum}:${user.secret}`, '-o', at('x.p7.b64'), `${url}/simpleenroll`)
  const unpack = async (to: string): Promise<void> => { await run('openssl', 'base64', '-d', '-A', '-in', at('x.p7.b64'), '-out', at('x.p7')); await run('openssl', 'pkcs7', '-inform', 'DER', '-in', at('x.p7'), '-print_certs', '-out', at(to)) }
  await unpack('x.pem')
  t.match(await run('openssl', 'verify', '-CAfile', at('serca.pem'), '-untrusted', at('mica.pem'), at('x.pem')), /OK/)
  await run('openssl', 'ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', at('y.key'))
  await csr('y.key')
  await run('curl', ...common, '--cert', at('x.pem'), '--key', at('x.key'), '-o', at('x.p7.b64'), `${url}/simplereenroll`)
  await unpack('y.pem')
  t.not(readFileSync(at('y.pem'), 'utf8'), readFileSync(at('x.pem'), 'utf8'))
})

t.test('SEC-027 mutated requests: no crash, nothing issued', async (t) => {
  const { csr } = await request('FUZZ-1'), vendor = (await vendors.get('vendor-1'))!, before = await certificates(), times: number[] = []
  await fc.assert(fc.asyncProperty(fc.nat(csr.length - 1), fc.integer({ min: 1, max: 255 }), async (i, flip) => {
    const bent = Buffer.from(csr)
    bent[i]! ^= flip
    const at = performance.now()
    try {
      await enrolment.enrol(bent, { kind: 'vendor', vendor })
      return false
    } catch (error) {
      times.push(performance.now() - at)
      return (error as Error).name === 'Refusal'
    }
  }), { numRuns: 1500 * Number(process.env['LOADSTONE_TEST_SCALE'] ?? 1) }) // ×67 = the hundred thousand of SEC-027
  t.comment(`p99 ${times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)]?.toFixed(1)} ms`)
  t.equal(await certificates(), before)
})

t.test('SEP-232 issue rate', async (t) => {
  const rows = Array.from({ length: 500 }, (_, i) => ({ hwSerialNum: `R-${i}`, publicKey: spkiOf(newEcKey()).toString('base64') }))
  const begun = performance.now(), results = await enrolment.batch((await vendors.get('vendor-1'))!, rows, 'vendor:vendor-1')
  t.ok(results.every((r) => r.ok))
  t.comment(`${Math.round(500 / (performance.now() - begun) * 1000)} certificates/s stored`)
  const { csr } = await request('R-0')
  await t.rejects(enrolment.enrol(csr, { kind: 'vendor', vendor: (await vendors.get('vendor-1'))! }), { kind: 'conflict' } as unknown as Error)
})
