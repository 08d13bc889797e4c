import { execFileSync, spawnSync } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import Fastify from 'fastify'
import t from 'tap'
import { isRefusal } from '#core/error.js'
import { system } from '#core/caller.js'
import { handClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import {
  buildEnrolment, buildRegistry, buildRevocation, buildStationCa, buildVendors, certificateRoutes, checkStationCertificate, deviceRequest, explainCertificate, explanationText, issueMica, initSerca, keyPem,
  lfdiOf, makeRequest, newEcKey, pkcs12, preparePki, trustOf, wholeChain,
} from '#certs/index.js'
import type { PkiFolder, StationCa } from '#certs/index.js'
import { statusOf } from '#certs/error-map.js'
import { readCrl } from '#certs/x509/crl.js'
import { Oid } from '#certs/x509/oid.js'
import { certificatePem, certificatesFrom, toPem } from '#certs/x509/pem.js'
import { testDatabase } from '#prisma/test-database.js'
import type { TestDatabase } from '#prisma/test-database.js'

const start = Date.UTC(2026, 10, 21), clock = handClock(start), ids = randomIds(() => start)
const dir = mkdtempSync(join(tmpdir(), 'ls-op-'))
const hasOpenssl = spawnSync('openssl', ['version']).status === 0
const needs = { ids, nowMs: start, log: silent, validity: { fromMs: Date.UTC(2020, 0), toMs: Date.UTC(2090, 0) } }
let db: TestDatabase, folder: PkiFolder, stationCa: StationCa, base: { documents: TestDatabase['stores']['documents']; tenant: string; clock: typeof clock; ids: typeof ids; log: typeof silent }
let registry: ReturnType<typeof buildRegistry>
t.before(async () => {
  db = await testDatabase({ clock })
  folder = await preparePki(join(dir, 'pki'), { ...needs, seed: 'conformance' })
  base = { documents: db.stores.documents, tenant: db.tenant, clock, ids, log: silent }
  registry = buildRegistry(base)
  await registry.start()
  stationCa = buildStationCa({ ...base, authority: folder.ocpp.authority, registry, organization: 'Loadstone', publicUrl: 'http://localhost:1' })
})
t.teardown(async () => { registry.stop(); await db.close(); rmSync(dir, { recursive: true, force: true }) })

const stationRequest = async (commonName: string, organization = 'Loadstone', key = newEcKey()): Promise<string> =>
  toPem('CERTIFICATE REQUEST', await makeRequest(key, { subject: [{ oid: Oid.organizationName, text: organization }, { oid: Oid.commonName, text: commonName }] }))
const ask = (csr: string, more: object = {}) => stationCa.sign({ csr, station: 'CS011', serialNumber: undefined, kind: 'ChargingStationCertificate', ...more })

t.test('OCPP-036, OCPP-037, OCPP-038 the built-in CA signs station requests', async (t) => {
  const csr = await stationRequest('CS011'), answer = await ask(csr)
  t.ok('chain' in answer)
  const [leaf] = certificatesFrom('chain' in answer ? answer.chain : '')
  t.match(checkStationCertificate(leaf!, { trust: trustOf(folder.ocpp.ca), nowMs: start, serialNumber: 'CS011', organization: 'Loadstone' }), { ok: true })
  t.same(await ask(csr), answer, 'a repeated request gets no second certificate')
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  t.ok('chain' in await ask(await stationRequest('SER1', 'Loadstone', rsa), { serialNumber: 'SER1' }), 'RSA and a serial number')
  const shared = newEcKey()
  t.ok('chain' in await ask(await stationRequest('CS011', 'Loadstone', shared)))
  const refusals: readonly [string, object, RegExp][] = [
    [await stationRequest('CS012'), {}, /CN/], [await stationRequest('CS011', 'Other'), {}, /O of/], ['junk', {}, /PEM/], [csr, { kind: 'V2GCertificate' }, /V2G/],
    [await stationRequest('CS011', 'Loadstone', generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey), {}, /1024 bits/],
    [await stationRequest('CS012', 'Loadstone', shared), { station: 'CS012' }, /another station/], [toPem('CERTIFICATE REQUEST', Buffer.from('3003020100', 'hex')), {}, /.+/],
  ]
  for (const [request, more, why] of refusals) t.match(await ask(request, more), { refused: why })
  const fingerprint = lfdiOf(leaf!)
  const revocation = buildRevocation({ ocpp: stationCa.ledger }, clock)
  t.same([...readCrl(await revocation.crl('ocpp'), folder.ocpp.authority.certificate, start).revoked], [])
  t.ok(await stationCa.revoke(fingerprint, 'keyCompromise', 'alice'))
  t.notOk(await stationCa.revoke('F'.repeat(40), 'unspecified', 'alice'))
  t.ok(registry.isBlocked(fingerprint), 'SEC-007')
  t.same([...readCrl(await revocation.crl('ocpp'), folder.ocpp.authority.certificate, start).revoked], [new X509Certificate(leaf!).serialNumber])
  t.match(await ask(csr), { refused: /compromised/ })
})

t.test('UX J3 why a certificate was refused, in one call', async (t) => {
  const check = { profile: 'csip' as const, trust: trustOf(...folder.csip.trust), nowMs: start }
  const good = explainCertificate(certificatePem((await folder.issueDevices(['INV-9']))[0]!.der), check)
  t.match(good, { verdict: 'accepted', certificate: { hwSerialNum: 'INV-9', subject: '(empty)', key: 'EC P-256' }, failures: [] })
  t.match(explanationText(good), /accepted: it fulfils every rule/)
  const bad = explainCertificate(folder.tls.ec.cert, check), text = explanationText(bad)
  t.match(bad.failures.map((f) => f.rule), ['indefinite', 'subject', 'hardwareModuleName'])
  t.match(text, /refused: \d+ rules failed[^]*hardwareModuleName +\[SEP-202; RFC 4108 §5\][^]*What to do:/)
  t.match(explainCertificate(Buffer.from('30030201ff', 'hex'), check).failures, [{ rule: 'malformed' }])
  t.throws(() => explainCertificate('junk', check), /neither a PEM nor a DER/)
})

t.test('PKCS#12 export is read by node and openssl', async (t) => {
  const key = newEcKey(), [device] = await folder.issueDevices(['P12'])
  const own = createPrivateKey(device!.key), file = pkcs12(own, [device!.der, ...wholeChain(folder.csip.mica)], 'pass phrase')
  t.ok(createSecureContext({ pfx: file, passphrase: 'pass phrase' }))
  t.throws(() => createSecureContext({ pfx: file, passphrase: 'wrong' }))
  t.ok(key)
  if (!hasOpenssl) return
  writeFileSync(join(dir, 'd.p12'), file)
  const shown = execFileSync('openssl', ['pkcs12', '-in', join(dir, 'd.p12'), '-passin', 'pass:pass phrase', '-nodes', '-info'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  t.equal(certificatesFrom(shown).length, 3)
  t.equal(keyPem(createPrivateKey(shown)), device!.key)
})

t.test('contract §6 certificates, vendors and enrolment requests of the operator API', async (t) => {
  const vendors = buildVendors(base)
  const enrolment = buildEnrolment({ ...base, registry, vendors, mica: () => folder.csip.mica, registration: { issued: async () => {} } })
  const app = Fastify(), caller = system(db.tenant)
  let may = true
  app.setErrorHandler((error, _request, reply) => reply.code(isRefusal(error) ? statusOf(error.kind) : (error as { statusCode?: number }).statusCode ?? 500).send({ detail: (error as Error).message }))
  await app.register(certificateRoutes({
    registry, vendors, enrolment, stationCa, trust: () => trustOf(...folder.csip.trust), profile: 'csip', production: true, clock, callerOf: () => caller,
    permit: () => { if (!may) throw Object.assign(new Error('no'), { statusCode: 403 }) },
  }))
  t.teardown(() => app.close())
  const post = (url: string, payload: object) => app.inject({ method: 'POST', url, payload })
  const made = await post('/vendors', { name: 'acme', pen: 555, approval: 'manual' })
  t.equal(made.statusCode, 201)
  t.equal(made.headers.location, 'vendors/acme')
  t.match(made.json(), { id: 'acme', version: 1, pen: 555 })
  t.equal((await post('/vendors', { name: 'acme', pen: 555 })).statusCode, 409)
  t.equal((await post('/vendors', { name: 'a b', pen: 0 })).statusCode, 400)
  const secrets = (await post('/vendors/acme/secrets', { hwSerialNums: ['A-1'] })).json() as { items: { secret: string; hwSerialNum: string }[] }
  t.match(secrets.items[0]?.secret, /^[0-9a-f]{32}$/)
  t.equal((await post('/vendors/nobody/secrets', { hwSerialNums: ['A-1'] })).statusCode, 404)
  const acme = (await vendors.get('acme'))!, csr = await deviceRequest(newEcKey(), { hwType: '1.3.6.1.4.1.555.1', hwSerialNum: 'A-1' })
  t.equal((await enrolment.enrol(csr, { kind: 'vendor', vendor: acme })).kind, 'pending')
  t.match((await app.inject('/enrolment-requests')).json(), { items: [{ id: 'acme/A-1', hwSerialNum: 'A-1' }], next: null })
  t.match((await post('/enrolment-requests/acme/A-1/decision', { decision: 'approve' })).json(), { state: 'approved', decidedBy: 'system' })
  const issued = await enrolment.enrol(csr, { kind: 'vendor', vendor: acme })
  const lfdi = issued.kind === 'issued' ? issued.lfdi : ''
  const list = (await app.inject('/certificates')).json() as { items: { lfdi: string; state: string; certificate: string }[]; next: string | null }
  t.match(list, { items: [{ lfdi, state: 'valid' }], next: null })
  t.match((await post('/certificates/explain', { certificate: list.items[0]!.certificate })).json(), { verdict: 'accepted' })
  t.match((await post(`/certificates/${lfdi}/revoke`, { reason: 'cessationOfOperation' })).json(), { state: 'revoked', reason: 'cessationOfOperation' })
  t.ok(registry.isBlocked(lfdi))
  t.match((await post('/certificates/explain', { certificate: list.items[0]!.certificate })).json(), { verdict: 'refused', failures: [{ rule: 'blocked', clause: 'SEP-213' }] })
  t.match((await app.inject(`/certificates/${lfdi}`)).json(), { state: 'revoked' })
  t.equal((await post('/certificates/1234/revoke', {})).statusCode, 404)
  t.match((await post(`/certificates/${'d'.repeat(40)}/revoke`, {})).json(), { state: 'revoked' }, 'an LFDI of another issuer is blocked')
  t.ok(registry.isBlocked('D'.repeat(40)))
  may = false
  for (const [method, url] of [['GET', '/certificates'], ['POST', `/certificates/${lfdi}/revoke`], ['GET', '/vendors'], ['GET', '/enrolment-requests']] as const) t.equal((await app.inject({ method, url, ...(method === 'POST' ? { payload: {} } : {}) })).statusCode, 403)
})

t.test('SEP-230 an offline root, an MCA and a MICA, then a server on that folder', async (t) => {
  const at = join(dir, 'offline-pki'), sealed = { ...needs, sealingKey: 'a long enough passphrase' }
  await initSerca(at, sealed)
  await t.rejects(initSerca(at, sealed), { kind: 'conflict' } as unknown as Error)
  const mica = await issueMica(at, sealed, { mca: true, replace: false })
  t.equal(wholeChain(mica).length, 3)
  await t.rejects(issueMica(at, sealed, { mca: false, replace: false }), { kind: 'conflict' } as unknown as Error)
  rmSync(join(at, 'offline'), { recursive: true })
  const served = await preparePki(at, sealed)
  t.equal(served.csip.trust.length, 3, 'the server runs without the root key')
  const [device] = await served.issueDevices(['DEEP-1'])
  t.match(explainCertificate(device!.certificate, { profile: 'csip', trust: trustOf(served.csip.serca), nowMs: start, sent: [mica.certificate, ...mica.above] }), { verdict: 'accepted' }, 'four levels')
  await t.rejects(issueMica(join(dir, 'nowhere'), sealed, { mca: false, replace: false }), { kind: 'notFound' } as unknown as Error)
})
