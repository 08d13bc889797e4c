import { spawnSync } from 'node:child_process'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import t from 'tap'
import { buildEnrolment } from '#certs/enrol.js'
import { lfdiOf } from '#certs/lfdi.js'
import { otherSpelling } from '#certs/profile/spelling.js'
import { guessableKey } from '#certs/profile/weak-key.js'
import { Kind } from '#certs/record.js'
import type { CertificateRecord } from '#certs/record.js'
import { hardwareModuleName, hwSerialText, keyUsage, basicConstraints, extKeyUsage, policies, readCertificate } from '#certs/x509/certificate.js'
import { basicConstraintsExtension, extKeyUsageExtension, hardwareModuleNameExtension } from '#certs/x509/extensions.js'
import { Oid } from '#certs/x509/oid.js'
import { certificatePem, toPem } from '#certs/x509/pem.js'
import { deviceRequest, makeRequest } from '#certs/x509/request.js'
import { keyPem, newEcKey, spkiOf } from '#certs/x509/signer.js'
import { estUnderTest, pen, est, leafOf, request } from '#certs/test-est.js'

const under = await estUnderTest(), { dir, db, registered, folder, registry, vendors, enrolment, needs, ask, secretOf, vendor1, certificates } = under
t.teardown(() => under.close())

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
