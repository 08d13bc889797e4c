import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { readSettings } from '#cli/settings.js'
import { systemClock } from '#core/port/clock.js'
import { silent, type Log } from '#core/port/log.js'
import { build } from '#main.js'
import { askByOpenssl } from '#main/test-openssl.js'

/**
 * SEP-204, SEP-206: the `generic` profile below authorities that we never made. Everything on the other side, CA, certificates and
 * client, is openssl; what we see is a folder, a socket and the operator's door.
 */
t.setTimeout(240_000)
const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'no openssl here'
const folder = mkdtempSync(join(tmpdir(), 'loadstone-foreign-')), at = (...parts: string[]): string => join(folder, ...parts), their = (name: string): string => at('theirs', name)
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const freePort = (): Promise<number> => new Promise((done) => {
  const probe = createServer().listen(0, '127.0.0.1', () => { const { port } = probe.address() as { port: number }; probe.close(() => done(port)) })
})
const openssl = async (...args: string[]): Promise<string> => (await promisify(execFile)('openssl', args, { cwd: at('theirs') })).stdout

const config = `
[ca]
default_ca = own
[own]
database = index
new_certs_dir = .
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
copy_extensions = none
[any]
CN = optional
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[conforming_root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = 0102030405060708
certificatePolicies = critical, 2.5.29.32.0
[usual]
keyUsage = critical, digitalSignature, keyAgreement
subjectAltName = DNS:inverter.example.org
authorityKeyIdentifier = keyid
[signs_only]
keyUsage = critical, digitalSignature
subjectAltName = DNS:inverter.example.org
authorityKeyIdentifier = keyid
[for_servers]
keyUsage = critical, digitalSignature, keyAgreement
extendedKeyUsage = serverAuth
subjectAltName = DNS:inverter.example.org
authorityKeyIdentifier = keyid
[unnamed]
keyUsage = critical, digitalSignature, keyAgreement
authorityKeyIdentifier = keyid
[is_a_ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, digitalSignature, keyAgreement, keyCertSign
subjectAltName = DNS:inverter.example.org
authorityKeyIdentifier = keyid
[device]
keyUsage = critical, digitalSignature, keyAgreement
subjectAltName = critical, otherName:1.3.6.1.5.5.7.8.4;SEQ:module
certificatePolicies = critical, 1.3.6.1.4.1.40732.1.1
authorityKeyIdentifier = keyid
[module]
hwType = OID:1.3.6.1.4.1.32473.7
hwSerialNum = FORMAT:ASCII,OCT:FOREIGN-1
`
interface Made { readonly ca: string; readonly extensions: string; readonly subject?: string; readonly key?: readonly string[]; readonly from?: string; readonly to?: string }
const ec = ['ecparam', '-name', 'prime256v1', '-genkey', '-noout']

async function issue(name: string, { ca, extensions, subject = '/CN=inverter', key = ec, from = '20240101000000Z', to = '20400101000000Z' }: Made): Promise<void> {
  await openssl(...key, '-out', `${name}.key`)
  await openssl('req', '-new', '-config', 'openssl.cnf', '-key', `${name}.key`, '-subj', subject, '-out', `${name}.csr`)
  await openssl('ca', '-batch', '-notext', '-config', 'openssl.cnf', ...(ca === name ? ['-selfsign', '-keyfile', `${name}.key`] : ['-cert', `${ca}.pem`, '-keyfile', `${ca}.key`]), '-extensions', extensions, '-startdate', from, '-enddate', to, '-in', `${name}.csr`, '-out', `${name}.pem`)
}

const indefinite = '99991231235959Z'
t.before(async () => {
  mkdirSync(at('theirs'), { recursive: true })
  mkdirSync(at('pki', 'trusted'), { recursive: true })
  writeFileSync(their('openssl.cnf'), config)
  writeFileSync(their('index'), '')
  if (skip) return
  for (const name of ['ordinary', 'strict', 'stranger']) await issue(name, { ca: name, extensions: 'root', subject: `/CN=${name} CA` })
  await issue('conforming', { ca: 'conforming', extensions: 'conforming_root', subject: '/CN=conforming CA', to: indefinite })
  for (const [file, ca] of [['ordinary.lenient.pem', 'ordinary'], ['strict.pem', 'strict'], ['conforming.pem', 'conforming']] as const) writeFileSync(at('pki', 'trusted', file), readFileSync(their(`${ca}.pem`)))
})

t.test('SEP-204, SEP-206, SEP-211, SEP-213, SEP-006 generic: devices of a foreign CA come in by their profile, and every refusal names its rule, in the log and by one call', { skip }, async (t) => {
  const said: { reason?: string; rule?: string }[] = [], log: Log = { ...silent, warn: (fields) => { said.push(fields) }, child: () => log }
  const [operatorPort, csipPort] = [await freePort(), await freePort()]
  const { settings, resolved } = await readSettings({ data: folder, operatorPort, csipPort, csipProfile: 'generic' }, {}, { host: 'loopback' })
  const server = await build({ settings, resolved, data: { path: folder, at }, clock: systemClock, log, seed: 'conformance', only: ['operator', 'csip'] })
  t.teardown(() => server.stop())

  const dcap = (name: string): Promise<string> => askByOpenssl({ port: csipPort, ca: at('pki', 'serca.pem'), cert: their(`${name}.pem`), key: their(`${name}.key`) })
  const call = async (path: string, body: object): Promise<any> => {
    const answer = await fetch(`${server.ready.operator}/api/v1/${path}`, { method: 'POST', headers: { authorization: `Bearer ${server.ready.operatorToken}`, 'content-type': 'application/json' }, body: JSON.stringify(body) })
    return answer.json()
  }
  const explain = async (name: string): Promise<{ verdict: string; lfdi: string; rules: string[]; clauses: string[] }> => {
    const e = await call('certificates/explain', { certificate: readFileSync(their(`${name}.pem`), 'utf8') })
    return { verdict: e.verdict, lfdi: e.lfdi, rules: e.failures.map((f: { rule: string }) => f.rule), clauses: e.failures.map((f: { clause: string }) => f.clause) }
  }

  const cases: readonly [name: string, made: Made, rules: readonly string[], byTls?: string][] = [
    ['usual', { ca: 'ordinary', extensions: 'usual' }, []],
    ['conformingDevice', { ca: 'conforming', extensions: 'device', subject: '/', to: indefinite }, []],
    ['signsOnly', { ca: 'ordinary', extensions: 'signs_only' }, ['keyUsage']],
    ['forServers', { ca: 'ordinary', extensions: 'for_servers' }, ['extKeyUsage'], 'INVALID_PURPOSE'],
    ['unnamed', { ca: 'ordinary', extensions: 'unnamed' }, ['hardwareModuleName']],
    ['isCA', { ca: 'ordinary', extensions: 'is_a_ca' }, ['basicConstraints']],
    ['rsa', { ca: 'ordinary', extensions: 'usual', key: ['genrsa', '-traditional'] }, ['keyAlgorithm'], 'peer did not return a certificate'],
    ['p384', { ca: 'ordinary', extensions: 'usual', key: ['ecparam', '-name', 'secp384r1', '-genkey', '-noout'] }, ['keyAlgorithm'], 'wrong curve'],
    ['ended', { ca: 'ordinary', extensions: 'usual', to: '20250101000000Z' }, ['notAfter'], 'CERT_HAS_EXPIRED'],
    ['early', { ca: 'ordinary', extensions: 'usual', from: '20390101000000Z' }, ['notBefore'], 'CERT_NOT_YET_VALID'],
    ['underStrict', { ca: 'strict', extensions: 'usual' }, ['indefinite', 'subject', 'hardwareModuleName', 'subjectAltNameCritical', 'certificatePolicies', 'issuer']],
    ['foreign', { ca: 'stranger', extensions: 'usual' }, ['indefinite', 'subject', 'hardwareModuleName', 'subjectAltNameCritical', 'certificatePolicies', 'chain'], 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ]
  for (const [name, made, rules, byTls] of cases) {
    await issue(name, made)
    said.length = 0
    const status = await dcap(name), why = await explain(name)
    t.equal(status, rules.length === 0 ? 'HTTP/1.1 200 OK' : '', `${name}: ${status}`)
    t.same([why.verdict, why.rules], [rules.length === 0 ? 'accepted' : 'refused', rules], name)
    t.ok(why.clauses.every((c) => /SEP-\d{3}|RFC/.test(c)))
    if (rules.length === 0) continue
    const line = said.find((s) => s.reason !== undefined)
    t.match(line?.reason, byTls ?? new RegExp(why.clauses[0]!.split(';')[0]!), `${name} in the log: ${line?.reason}`)
    if (byTls?.startsWith('CERT_') || byTls?.startsWith('UNABLE') || byTls?.startsWith('INVALID')) t.ok(rules.includes(line?.rule ?? ''), `${name}: TLS refuses it, and the log says the rule: ${line?.rule}`)
  }

  const read = async (lfdi: string): Promise<any> => (await fetch(`${server.ready.operator}/api/v1/certificates/${lfdi}`, { headers: { authorization: `Bearer ${server.ready.operatorToken}` } })).json()
  const { lfdi } = await explain('conformingDevice')
  t.match(await read(lfdi), { id: lfdi, state: 'foreign', hwType: '1.3.6.1.4.1.32473.7', hwSerialNum: 'FOREIGN-1', vendor: 'vendor-1' }, 'SEP-211 its hardware, and its maker by the enterprise number')
  t.match(await read('F'.repeat(40)), { status: 404 })
  await call(`certificates/${lfdi}/revoke`, { reason: 'cessationOfOperation' })
  t.match(await read(lfdi), { state: 'revoked', reason: 'cessationOfOperation', revokedAt: /Z$/ })
  await call(`certificates/${lfdi}/unblock`, {})

  t.equal(await dcap('usual'), 'HTTP/1.1 200 OK')
  await call(`certificates/${(await explain('usual')).lfdi}/revoke`, {})
  t.equal(await dcap('usual'), '', 'a foreign certificate that an operator blocked')
  t.same((await explain('usual')).rules, ['blocked'])
  const [, ski] = /Subject Key Identifier:\s*\n\s*([0-9A-F:]+)/.exec(await openssl('x509', '-in', 'conforming.pem', '-noout', '-ext', 'subjectKeyIdentifier')) ?? []
  await call(`certificates/${ski!.replaceAll(':', '')}/revoke`, {})
  t.equal(ski, '01:02:03:04:05:06:07:08')
  t.equal(await dcap('conformingDevice'), '', 'SEP-213 its whole authority, by a key identifier of eight octets, at once')
  t.same((await explain('conformingDevice')).rules, ['blocked'])
  t.same(await call('certificates/0102030405060708/unblock', {}), { id: '0102030405060708', state: 'unblocked' })
  t.equal(await dcap('conformingDevice'), 'HTTP/1.1 200 OK', 'and back, when it was a mistake')
  t.match(await call('certificates/0102030405060708/unblock', {}), { status: 404 })
})
