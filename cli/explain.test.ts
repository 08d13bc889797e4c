import { createECDH, createPrivateKey } from 'node:crypto'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { system } from '#core/caller.js'
import { systemClock } from '#core/port/clock.js'
import { certificateRoutes, deviceRequest, newEcKey, trustOf } from '#certs/index.js'
import { registerCert } from '#cli/cert.js'

/** UX J3: "why was this certificate refused" in one command and one call of the operator's API, of every vector and of requests alike. */
const root = ((): string => { let at = dirname(fileURLToPath(import.meta.url)); while (!existsSync(join(at, 'package.json'))) at = dirname(at); return at })()
const vectors = join(root, '..', 'shared', 'specs', 'ieee2030_5', 'pki-vectors'), at = (name: string): string => join(vectors, name)
const dir = mkdtempSync(join(tmpdir(), 'ls-why-')), hasOpenssl = spawnSync('openssl', ['version']).status === 0
t.teardown(() => rmSync(dir, { recursive: true, force: true }))

interface Answer { readonly verdict: string; readonly lfdi?: string; readonly request?: object; readonly failures: readonly { readonly rule: string; readonly clause: string; readonly sentence: string; readonly remedy: string }[] }

/** `cert inspect`, in this process: its JSON and the code it ends with. */
async function inspect(file: string, ...more: string[]): Promise<{ answer: Answer; code: number; text: string }> {
  const said = async (...flags: string[]): Promise<string> => {
    const program = new Command('loadstone').exitOverride()
    registerCert(program)
    const write = process.stdout.write.bind(process.stdout)
    let out = ''
    process.stdout.write = ((text: string) => { out += text; return true }) as typeof process.stdout.write
    try { await program.parseAsync(['node', 'loadstone', 'cert', 'inspect', file, ...more, ...flags]); return out } finally { process.stdout.write = write }
  }
  const answer = JSON.parse(await said('--json')) as Answer, code = Number(process.exitCode ?? 0), text = await said()
  process.exitCode = undefined
  return { answer, code, text }
}

function door(trust: ReturnType<typeof trustOf>, pinned: ReadonlySet<string> = new Set()) {
  const app = Fastify(), unused = {} as never
  const ready = app.register(certificateRoutes({ registry: { isBlocked: () => false } as never, vendors: unused, enrolment: unused, trust: () => trust, pinned: () => pinned, profile: 'csip', production: true, clock: systemClock, callerOf: () => system('t'), permit: () => {} }))
  t.teardown(() => app.close())
  return async (certificate: string): Promise<Answer> => { await ready; return (await app.inject({ method: 'POST', url: '/certificates/explain', payload: { certificate } })).json() }
}

async function same(t: Test, name: string, file: string, flags: readonly string[], explain: (pem: string) => Promise<Answer>, expected: readonly string[], clause: RegExp): Promise<void> {
  const { answer, code, text } = await inspect(file, ...flags), input = readFileSync(file)
  t.same(answer.failures.map((f) => f.rule), expected, name)
  t.same([answer.verdict, code], expected.length === 0 ? ['accepted', 0] : ['refused', 3], name)
  for (const f of answer.failures) t.match(text, new RegExp(`${f.rule} +\\[${f.clause.replaceAll(/[.[\]()]/g, '\\$&')}\\]`))
  if (expected.length > 0) t.match(answer.failures[0]?.clause, clause, `${name}: ${answer.failures[0]?.sentence}`)
  t.ok(answer.failures.every((f) => f.remedy.length > 20))
  const timeless = (a: Answer): unknown => JSON.parse(JSON.stringify(a).replaceAll(/; now it is [^"]*?Z\./g, '')) // a few ms lie between the two
  if (input[0] === 0x2d) t.same(timeless(await explain(input.toString())), timeless(answer), `${name}: the API says the same`)
}

t.test('SEP-201, SEP-202, SEP-203, SEP-204, SEP-224 every vector gets its rule and clause, by command and by call', { skip: existsSync(vectors) ? false : 'no vectors beside the repository' }, async (t) => {
  const trust = ['serca.crt', 'mca.crt', 'mica.crt'].map(at), explain = door(trustOf(...trust.map((f) => readFileSync(f))))
  const cases: readonly [string, readonly string[], RegExp][] = [
    ['device.crt', [], /./], ['server.crt', [], /./], ['csr-hwmodule.der', [], /./],
    ['server-dns.crt', ['subject', 'hardwareModuleName', 'subjectAltNameCritical'], /SEP-202/],
    ['bad-unknowncrit.crt', ['criticalExtension'], /SEP-203/], ['bad-policyforeign.crt', ['certificatePolicies'], /SEP-202/], ['bad-nosan.crt', ['hardwareModuleName'], /SEP-202/],
    ['bad-expired.crt', ['notAfter', 'indefinite'], /SEP-005/], ['bad-future.crt', ['notBefore'], /SEP-005/], ['bad-ekuserver.crt', ['extKeyUsage'], /SEP-203/], ['bad-ca.crt', ['basicConstraints'], /SEP-202/],
    ['bad-kusignonly.crt', ['keyUsage'], /SEP-202/], ['bad-kuagreeonly.crt', ['keyUsage'], /SEP-202/], ['bad-p384.crt', ['keyAlgorithm'], /SEP-201/], ['bad-rsa.crt', ['keyAlgorithm'], /SEP-201/],
  ]
  const listed = [...readFileSync(at('README.md'), 'utf8').matchAll(/^\| ([\w-]+\.crt) \|/gm)].map((m) => m[1]!)
  t.same(listed.filter((name) => !cases.some(([c]) => c === name)), [], 'no vector is left out')
  for (const [name, rules, clause] of cases) await same(t, name, at(name), ['--trust', ...trust], explain, rules, clause)
  await same(t, 'the chain is not known', at('device.crt'), ['--trust', at('serca.crt')], door(trustOf(readFileSync(at('serca.crt')))), ['chain'], /SEP-204/)
})

t.test('SEP-224, SEC-021 a request is explained by the rules that the EST door holds it to', { skip: !hasOpenssl && 'no openssl here' }, async (t) => {
  const explain = door(trustOf()), file = (name: string, content: string | Uint8Array): string => { writeFileSync(join(dir, name), content); return join(dir, name) }
  const made = (name: string, ...args: string[]): string => { execFileSync('openssl', ['req', '-new', '-nodes', '-keyout', join(dir, 'x.key'), '-subj', '/serialNumber=X1', '-out', join(dir, name), ...args], { stdio: 'ignore' }); return join(dir, name) }
  const p256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  const good = await deviceRequest(newEcKey(), { hwType: '1.3.6.1.4.1.32473.1', hwSerialNum: 'X1' }), bent = Buffer.from(good)
  bent[good.length - 1]! ^= 1
  const small = createECDH('prime256v1')
  small.setPrivateKey('3'.padStart(64, '0'), 'hex')
  const point = small.getPublicKey(), b64 = (b: Uint8Array): string => Buffer.from(b).toString('base64url')
  const guessable = createPrivateKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x: b64(point.subarray(1, 33)), y: b64(point.subarray(33)), d: b64(Buffer.from('3'.padStart(64, '0'), 'hex')) } })
  const cases: readonly [string, string, readonly string[], RegExp][] = [
    ['well made', file('good.der', good), [], /./], ['well made by openssl', made('good.pem', ...p256, '-sha256'), [], /./], ['as the vendor’s page sends it', file('good.b64', good.toString('base64')), [], /./],
    ['RSA', made('rsa.pem', '-newkey', 'rsa:2048'), ['keyAlgorithm', 'signatureAlgorithm'], /SEP-201/],
    ['P-384', made('p384.pem', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp384r1', '-sha256'), ['keyAlgorithm'], /SEP-201/],
    ['SHA-384', made('sha384.pem', ...p256, '-sha384'), ['signatureAlgorithm'], /SEP-201/],
    ['a foreign signature', file('bent.der', bent), ['possession'], /SEP-224/],
    ['a key that anybody finds', file('small.der', await deviceRequest(guessable, { hwType: '1.3.6.1.4.1.32473.1', hwSerialNum: 'X1' })), ['guessableKey'], /SEC-021/],
    ['cut short', file('short.pem', '-----BEGIN CERTIFICATE REQUEST-----\nMAMCAQA=\n-----END CERTIFICATE REQUEST-----\n'), ['malformed'], /RFC 2986/],
  ]
  for (const [name, path, rules, clause] of cases) await same(t, name, path, [], explain, rules, clause)
  t.match((await inspect(join(dir, 'good.der'))).answer.request, { key: 'EC P-256', hwSerialNum: 'X1', hwType: '1.3.6.1.4.1.32473.1' })
})

t.test('SEP-208 a self-signed certificate: refused by its rule until it is pinned, by command and by call', { skip: !hasOpenssl && 'no openssl here' }, async (t) => {
  const file = join(dir, 'self.pem'), conf = join(dir, 'self.cnf')
  writeFileSync(conf, `[req]\ndistinguished_name = n\n[n]\n[ca]\ndefault_ca = own\n[own]\ndatabase = ${join(dir, 'index')}\nnew_certs_dir = ${dir}\nrand_serial = yes\ndefault_md = sha256\npolicy = any\n[any]\nCN = optional\n[device]\nkeyUsage = critical, digitalSignature, keyAgreement\nsubjectAltName = critical, otherName:1.3.6.1.5.5.7.8.4;SEQ:module\ncertificatePolicies = critical, 1.3.6.1.4.1.40732.1.1, 1.3.6.1.4.1.40732.2.2\n[module]\nhwType = OID:1.3.6.1.4.1.32473.7\nhwSerialNum = FORMAT:ASCII,OCT:SELF-1\n`)
  writeFileSync(join(dir, 'index'), '')
  execFileSync('openssl', ['req', '-new', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', join(dir, 'self.key'), '-subj', '/CN=gateway', '-config', conf, '-out', join(dir, 'self.csr')], { stdio: 'ignore' })
  execFileSync('openssl', ['ca', '-batch', '-notext', '-config', conf, '-selfsign', '-keyfile', join(dir, 'self.key'), '-extensions', 'device', '-startdate', '20240101000000Z', '-enddate', '99991231235959Z', '-in', join(dir, 'self.csr'), '-out', file], { stdio: 'ignore' })
  await same(t, 'pinned', file, ['--pinned', file], door(trustOf(), new Set([(await inspect(file)).answer.lfdi!])), [], /./)
  await same(t, 'not pinned', file, [], door(trustOf()), ['subject', 'selfSigned', 'authorityKeyIdentifier', 'chain'], /SEP-202/)
  const [failure] = (await inspect(file)).answer.failures.filter((f) => f.rule === 'selfSigned')
  t.match(failure, { clause: 'SEP-208', sentence: /not pinned/, remedy: /LOADSTONE_CSIP_PINNED/ })
})
