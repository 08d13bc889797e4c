import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { certificatePem, createRoot, indefinite, issueDevice, keyPem, keySigner, lfdiOf, newEcKey, newRsaKey, Policy, readCertificate, serialFrom, sfdiOf, spkiOf } from '#certs/index.js'
import { otherSpelling } from '#certs/profile/spelling.js'
import { basicConstraintsExtension, hardwareModuleNameExtension, keyUsageExtension, policiesExtension } from '#certs/x509/extensions.js'
import { signCertificate, type NameParts } from '#certs/x509/issue.js'
import { readSettings } from '#cli/settings.js'
import { handClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent, type Log } from '#core/port/log.js'
import { build, type Loadstone } from '#main.js'
import { askByOpenssl } from '#main/test-openssl.js'
import { portBase } from '#main/test-ports.js'

/** SEP-208 over real TLS: a device whose certificate nobody vouches for but the configuration. */
t.setTimeout(120_000)
const noOpenssl = spawnSync('openssl', ['version']).status !== 0 && 'no openssl here'
const folder = mkdtempSync(join(tmpdir(), 'loadstone-pinned-')), at = (...parts: string[]): string => join(folder, ...parts), their = (name: string): string => at('theirs', name)
const clock = handClock(Date.now()), ids = randomIds(() => Date.now()), fromMs = Date.now() - 86_400_000, serial = (): string => serialFrom(ids.hex(16))
const said: { reason?: string; rule?: string; rules?: string[]; lfdi?: string; file?: string }[] = [], hear = (fields: object): void => { said.push(fields) }
const log: Log = { ...silent, warn: hear, error: hear, child: () => log }

interface Self { readonly der: Buffer; readonly cert: string; readonly key: string; readonly lfdi: string }
/** A certificate that signs itself, as a device profile would have it but for what is asked. */
async function selfSigned(name: string, { key = newEcKey(), subject, policies = [Policy.generic, Policy.selfSigned], ca = false }: { key?: ReturnType<typeof newEcKey>; subject?: NameParts; policies?: string[]; ca?: boolean } = {}): Promise<Self> {
  const signer = keySigner(key)
  const der = await signCertificate({
    serial: serial(), ...(subject ? { subject } : {}), publicKey: signer.publicKey, notBeforeMs: fromMs, notAfterMs: indefinite,
    extensions: [...ca ? [basicConstraintsExtension()] : [], keyUsageExtension('digitalSignature', 'keyAgreement', ...ca ? ['keyCertSign' as const, 'cRLSign' as const] : []), policiesExtension(policies), hardwareModuleNameExtension('1.3.6.1.4.1.32473.8', Buffer.from(name))],
  }, signer)
  writeFileSync(their(`${name}.pem`), certificatePem(der))
  writeFileSync(their(`${name}.key`), keyPem(key))
  return { der, cert: certificatePem(der), key: keyPem(key), lfdi: lfdiOf(der) }
}
const pin = (name: string, { cert }: Pick<Self, 'cert'>): void => writeFileSync(at('pki', 'pinned', `${name}.pem`), cert)

const sni = 'csip.example.org'
let server: Loadstone, base = 0, gateway: Self, named: Self
t.before(async () => {
  for (const dir of ['theirs', 'pki', 'pki/pinned']) mkdirSync(at(dir), { recursive: true })
  gateway = await selfSigned('gateway')
  named = await selfSigned('named', { subject: [{ CN: ['gateway'] }] })
  pin('gateway', gateway)
  pin('named', named)
  base = await portBase(20_000)
  const { settings, resolved } = await readSettings({ data: folder, portBase: base, csipSni: sni }, {}, { host: 'loopback', rateLimits: false })
  server = await build({ settings, resolved, data: { path: folder, at }, clock, log, seed: 'conformance', only: ['operator', 'csip', 'est', 'csms'] })
})
t.teardown(async () => { await server.stop(); rmSync(folder, { recursive: true, force: true }) })

const text = (file: string): string => readFileSync(at('pki', file), 'utf8')
const ccm8 = { ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', ecdhCurve: 'prime256v1', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', checkServerIdentity: () => undefined } as const
/** One GET: status and body, or 0 when the connection was refused or ended. */
const get = (path: string, who: { cert: string; key: string }, agent: https.Agent | false = false, more: https.RequestOptions = {}): Promise<{ status: number; body: string }> => new Promise((done) => {
  const asked = https.request({ host: '127.0.0.1', port: base + 4, path, agent, ...ccm8, ...who, ca: text('serca.pem'), ...more }, (answer) => {
    let body = ''
    answer.setEncoding('utf8').on('data', (part) => { body += part }).on('end', () => done({ status: answer.statusCode ?? 0, body }))
  })
  asked.on('error', () => done({ status: 0, body: '' }))
  asked.end()
})
const dcap = async (who: { cert: string; key: string }): Promise<number> => (await get('/dcap', who)).status
const call = async (path: string, body: object): Promise<any> => (await fetch(`${server.ready.operator}/api/v1/${path}`, { method: 'POST', headers: { authorization: `Bearer ${server.ready.operatorToken}`, 'content-type': 'application/json' }, body: JSON.stringify(body) })).json()
const why = async ({ cert }: Pick<Self, 'cert'>): Promise<string[]> => (await call('certificates/explain', { certificate: cert })).failures.map((f: { rule: string; clause: string }) => `${f.rule} ${f.clause.slice(0, 7)}`)
const until = async (holds: () => Promise<boolean> | boolean): Promise<boolean> => {
  for (let i = 0; i < 400; i++) { if (await holds()) return true; await new Promise((done) => { setTimeout(done, 25) }) }
  return false
}
const reload = (): void => { process.emit('SIGHUP') }

t.test('SEP-208, SEP-060 a pinned self-signed certificate comes in, and its EndDevice has the LFDI and SFDI of it', { skip: noOpenssl }, async (t) => {
  t.equal(await dcap(gateway), 200, 'an empty Subject')
  t.equal(await dcap(named), 200, 'a Subject, which RFC 5280 wants of an issuer')
  for (const name of ['gateway', 'named']) t.equal(await askByOpenssl({ port: base + 4, ca: at('pki', 'serca.pem'), cert: their(`${name}.pem`), key: their(`${name}.key`) }), 'HTTP/1.1 200 OK', `${name} by openssl s_client`)
  t.equal((await get('/dcap', gateway, false, { servername: sni, ca: text('tls-ca.pem') })).status, 200, 'by the ordinary certificate of SEP-210 too')
  t.same([await why(gateway), await why(named)], [[], []])
  t.equal((await get('/upt', gateway)).status, 403, 'trusted, not registered: the registration list still decides (SEP-209)')
  await server.csip.provisioning.registerEndDevices([{ lfdi: gateway.lfdi, sfdi: sfdiOf(gateway.lfdi) }])
  const { status, body } = await get('/edev?l=10', gateway)
  t.equal(status, 200)
  t.match(body, `<lFDI>${gateway.lfdi}</lFDI>`)
  t.match(body, `<sFDI>${sfdiOf(gateway.lfdi)}</sFDI>`)
  t.match(body, /results="1"/, 'its own record and no other')
})

t.test('SEP-208, SEP-005 that very certificate and none beside it', async (t) => {
  const key = newEcKey(), twin = otherSpelling(readCertificate(gateway.der)), again = await selfSigned('again', { key })
  pin('again', again)
  reload()
  t.ok(await until(async () => await dcap(again) === 200), 'pinned without a restart')
  const refused: [what: string, who: { cert: string; key: string }, rules: RegExp][] = [
    ['one that nobody pinned', await selfSigned('stranger'), /selfSigned SEP-208/],
    ['the same key, another certificate', await selfSigned('renewed', { key }), /selfSigned SEP-208/],
    ['the same certificate, its signature spelled otherwise', { cert: certificatePem(twin), key: gateway.key }, /selfSigned SEP-208/],
    ['without the policy', await selfSigned('claimless', { policies: [Policy.generic] }), /chain SEP-204/],
  ]
  for (const [what, who, rules] of refused) {
    said.length = 0
    t.equal(await dcap(who), 0, what)
    t.match((await why(who)).join(), rules, what)
    t.match(said.find((s) => s.reason !== undefined), { reason: 'DEPTH_ZERO_SELF_SIGNED_CERT', rule: 'selfSigned' }, `${what}: the log names the rule`)
  }
  t.equal(await askByOpenssl({ port: base + 4, ca: at('pki', 'serca.pem'), cert: their('stranger.pem'), key: their('stranger.key') }), '', 'by openssl s_client too')
})

t.test('SEP-208, SEC-013 whoever is pinned vouches for nobody, and what could stand as an authority is not taken', async (t) => {
  const key = newEcKey(), root = await createRoot({ serial: serial(), subject: [{ CN: ['pinned authority'] }], validity: { fromMs, toMs: indefinite } }, keySigner(key))
  const childKey = newEcKey(), below = async (issuer: Buffer, by = key): Promise<{ cert: string; key: string }> => ({ key: keyPem(childKey), cert: certificatePem(await issueDevice({ certificate: issuer, above: [], signer: keySigner(by) }, { serial: serial(), publicKey: spkiOf(childKey), hwType: '1.3.6.1.4.1.32473.8', hwSerialNum: 'child', validity: { fromMs, toMs: indefinite } })) })
  pin('root', { cert: certificatePem(root.certificate) })
  const caToo = await selfSigned('caToo', { ca: true, subject: [{ CN: ['ca too'] }] }), rsa = await selfSigned('rsa', { key: await newRsaKey() })
  pin('caToo', caToo)
  pin('rsa', rsa)
  writeFileSync(at('pki', 'pinned', 'broken.pem'), 'not a certificate')
  said.length = 0
  reload()
  t.ok(await until(() => said.some((s) => s.file?.endsWith('rsa.pem'))))
  t.ok(said.find((s) => s.file?.endsWith('root.pem'))?.rules?.includes('selfSigned'), 'told when it is read')
  t.match(said.find((s) => s.file?.endsWith('caToo.pem'))?.rules, ['basicConstraints'])
  t.match(said.find((s) => s.file?.endsWith('broken.pem'))?.reason, undefined)
  t.ok(said.some((s) => s.file?.endsWith('broken.pem')), 'what is no certificate is told too')
  t.equal(await dcap(await below(root.certificate)), 0, 'a device below an authority that somebody put there')
  t.equal(await dcap(caToo), 0)
  t.match((await why(caToo)).join(), /basicConstraints SEP-202/)
  t.equal(await dcap(rsa), 0)
  t.match((await why(rsa)).join(), /keyAlgorithm SEP-201/)
  t.equal(await dcap(gateway), 200, 'the good ones stay')
})

t.test('SEP-208 a pin is good on the 2030.5 door and on no other', async (t) => {
  const at = (port: number, method: string, path: string, headers: Record<string, string>): Promise<number> => new Promise((done) => {
    const asked = https.request({ host: '127.0.0.1', port, method, path, headers, agent: false, cert: gateway.cert, key: gateway.key, ca: text('tls-ca.pem') }, (answer) => { answer.resume(); done(answer.statusCode ?? 0) })
    asked.on('error', () => done(0))
    asked.end()
  })
  t.equal(await at(base + 5, 'POST', '/.well-known/est/simplereenroll', { 'content-type': 'application/pkcs10' }), 403, 'EST: renewing')
  t.equal(await at(base + 5, 'POST', '/.well-known/est/simpleenroll', { 'content-type': 'application/pkcs10' }), 401, 'EST: enrolling')
  t.equal(await at(base + 7, 'GET', '/ocpp/CS011', { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==', 'sec-websocket-protocol': 'ocpp2.0.1' }), 401, 'OCPP, profile 3')
})

t.test('SEP-208, SEP-213, SEC-007 revoked: the next request of a living connection is refused, and the next handshake', async (t) => {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  t.equal((await get('/tm', gateway, agent)).status, 200)
  await call(`certificates/${gateway.lfdi}/revoke`, { reason: 'keyCompromise' })
  t.equal((await get('/tm', gateway, agent)).status, 0)
  t.equal(await dcap(gateway), 0)
  t.same(await why(gateway), ['blocked SEP-213'])
  t.same(await call(`certificates/${gateway.lfdi}/unblock`, {}), { id: gateway.lfdi, state: 'unblocked' })
  t.equal(await dcap(gateway), 200, 'unblocked, it is the pinned one again')
})

t.test('SEP-208, SEC-007 taken out of the list: refused at once with its reason, and a silent connection is cut', async (t) => {
  const asking = new https.Agent({ keepAlive: true, maxSockets: 1 }), idle = new https.Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => { asking.destroy(); idle.destroy() })
  let cut = false
  idle.on('free', (socket) => socket.once('close', () => { cut = true }))
  t.same([(await get('/tm', gateway, asking)).status, (await get('/tm', gateway, idle)).status], [200, 200])
  rmSync(at('pki', 'pinned', 'gateway.pem'))
  reload()
  t.ok(await until(async () => await dcap(gateway) === 0), 'the next handshake')
  t.equal((await get('/tm', gateway, asking)).status, 0, 'the next request of a living connection')
  t.match((await why(gateway)).join(), /selfSigned SEP-208/)
  t.notOk(cut)
  await clock.advance(30_000)
  t.ok(await until(() => cut), 'who asks nothing is cut by the sweep, within a minute')
  t.equal(await dcap(named), 200, 'the others notice nothing')
})
