import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import { buildEnrolment, buildEst, buildRegistry, buildVendors, newEcKey, preparePki, seedVendor, spkiOf, trustOf } from '#certs/index.js'
import type { PkiFolder } from '#certs/index.js'
import { registerCa } from '#cli/ca.js'
import { registerCert } from '#cli/cert.js'
import { codeOf } from '#cli/exit-code.js'
import { testDatabase } from '#prisma/test-database.js'

const dir = mkdtempSync(join(tmpdir(), 'ls-cli-')), start = Date.UTC(2026, 10, 21), clock = handClock(start), ids = randomIds(() => start)
const at = (...names: string[]): string => join(dir, ...names)
let folder: PkiFolder, url = '', close = async (): Promise<void> => {}

/** Runs the command line in this process: what it printed, and the code it ends with. */
async function run(...words: string[]): Promise<{ out: string; code: number }> {
  const program = new Command('loadstone')
  registerCa(program)
  registerCert(program)
  const strict = (c: Command): void => { c.exitOverride().configureOutput({ writeErr: () => {} }); c.commands.forEach(strict) }
  strict(program)
  const write = process.stdout.write.bind(process.stdout)
  let out = ''
  process.exitCode = undefined
  process.stdout.write = ((text: string) => { out += text; return true }) as typeof process.stdout.write
  try {
    await program.parseAsync(['node', 'loadstone', ...words])
    return { out, code: Number(process.exitCode ?? 0) }
  } catch (error) {
    return { out: `${out}${(error as Error).message}`, code: (error as { exitCode?: number }).exitCode ?? codeOf(error) }
  } finally {
    process.stdout.write = write
    process.exitCode = undefined
  }
}

t.before(async () => {
  const db = await testDatabase({ clock })
  folder = await preparePki(at('pki'), { ids, nowMs: start, log: silent, seed: 'conformance', validity: { fromMs: Date.UTC(2020, 0), toMs: Date.UTC(2090, 0) } })
  const base = { documents: db.stores.documents, tenant: db.tenant, clock, ids, log: silent }, registry = buildRegistry(base), vendors = buildVendors(base)
  await registry.start()
  await seedVendor(folder, vendors)
  const enrolment = buildEnrolment({ ...base, registry, vendors, mica: () => folder.csip.mica, registration: { issued: async () => {} } })
  const app = buildEst({
    tls: folder.tls.ec, clientCas: folder.csip.trust, trust: () => trustOf(...folder.csip.trust), mica: () => folder.csip.mica, enrolment, vendors, registry, clock, log: silent,
    config: { profile: 'csip', production: true, rateLimits: false },
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  url = `https://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  close = async () => { await app.close(); registry.stop(); await db.close() }
})
t.teardown(async () => { await close(); rmSync(dir, { recursive: true, force: true }) })

t.test('SEP-230, UX-011, UX-012 ca init, issue-mica and export', async (t) => {
  writeFileSync(at('seal.txt'), 'a long enough passphrase')
  const common = ['--dir', at('ca'), '--sealing-key-file', at('seal.txt')]
  t.match(JSON.parse((await run('ca', 'init', ...common, '--json')).out), { serca: at('ca', 'serca.pem') })
  t.equal((await run('ca', 'init', ...common)).code, 6)
  t.match(await run('ca', 'issue-mica', ...common, '--mca'), { code: 0, out: /Next: copy the folder/ })
  t.equal((await run('ca', 'issue-mica', ...common)).code, 6)
  t.equal((await run('ca', 'export', '--dir', at('ca'))).out.match(/BEGIN CERTIFICATE/g)?.length, 3)
  t.match(await run('ca', 'export', '--dir', at('ca'), '--what', 'root', '--format', 'p7'), { code: 0, out: /BEGIN PKCS7/ })
  t.equal((await run('ca', 'export', '--dir', at('none'))).code, 5)
  t.equal((await run('ca', 'export', '--dir', at('ca'), '--what', 'x')).code, 2)
  for (const file of readdirSync(at('ca'), { recursive: true, encoding: 'utf8' })) if (statSync(at('ca', file)).isFile()) t.notMatch(readFileSync(at('ca', file), 'latin1'), /PRIVATE KEY/, 'SEC-026 no plain key')
})

t.test('UX-004 cert enroll gives key and chain, cert renew replaces them', async (t) => {
  const { secret, hwSerialNum } = folder.est!.secrets[0]!
  writeFileSync(at('secret.txt'), `${secret}\n`)
  writeFileSync(at('p12.txt'), 'pass')
  const enroll = ['cert', 'enroll', '--url', url, '--ca', at('pki', 'tls-ca.pem'), '--serial', hwSerialNum, '--pen', '32473', '--secret-file', at('secret.txt'), '--out', at('device'), '--p12-passphrase-file', at('p12.txt')]
  const first = await run(...enroll)
  t.match(first, { code: 0, out: /LFDI [0-9A-F]{40}\nSFDI \d{12}/ })
  t.equal(statSync(at('device', 'device.key')).mode & 0o777, 0o600)
  t.ok(statSync(at('device', 'device.p12')).size > 500)
  const again = JSON.parse((await run(...enroll, '--json')).out) as { lfdi: string }
  t.match(first.out, again.lfdi, 'run again: the same key, the same certificate')
  t.match(await run('cert', 'inspect', at('device', 'device.pem'), '--trust', at('device', 'chain.pem')), { code: 0, out: /accepted/ })
  const renewed = JSON.parse((await run('cert', 'renew', '--url', `${url}/.well-known/est`, '--ca', at('pki', 'tls-ca.pem'), '--cert', at('device', 'device.pem'), '--key', at('device', 'device.key'), '--out', at('renewed'), '--json')).out) as { lfdi: string }
  t.not(renewed.lfdi, again.lfdi)
  t.equal((await run(...enroll.map((w) => w === at('device') ? at('other') : w))).code, 4, 'the secret is used up')
  t.equal((await run('cert', 'enroll', '--url', url, '--serial', 'x')).code, 2)
  t.equal((await run('cert', 'enroll', '--url', 'https://127.0.0.1:1', '--serial', 'x', '--pen', '1', '--secret-file', at('secret.txt'), '--out', at('gone'))).code, 7)
})

t.test('SEP-232 cert batch', async (t) => {
  writeFileSync(at('devices.csv'), `hwSerialNum,publicKey\nC-1,${spkiOf(newEcKey()).toString('base64')}\nC-2,${spkiOf(newEcKey()).toString('base64')}\n`)
  const words = ['cert', 'batch', at('devices.csv'), '--url', url, '--ca', at('pki', 'tls-ca.pem'), '--vendor', 'vendor-1', '--cert', at('pki', 'vendor-1.pem'), '--key', at('pki', 'vendor-1.key'), '--out', at('batch.tar.gz')]
  t.match(await run(...words), { code: 0, out: /devices\.csv tells/ })
  t.match(execFileSync('tar', ['-xzOf', at('batch.tar.gz'), 'devices.csv'], { encoding: 'utf8' }), /^row,[^\n]*\n1,C-1,[0-9A-F]{40},\d{12},\d{6},[^\n]*\n2,C-2,/)
  t.equal((await run(...words.map((w) => w === 'vendor-1' ? 'nobody' : w))).code, 4)
})

t.test('UX-012 cert inspect and lfdi', async (t) => {
  const refused = await run('cert', 'inspect', at('pki', 'tls-server.pem'), '--trust', at('pki', 'chain.pem'), '--json')
  t.equal(refused.code, 3)
  t.match(JSON.parse(refused.out), { verdict: 'refused', failures: [{ clause: /SEP-/ }] })
  const lfdi = (JSON.parse(readFileSync(at('pki', 'lfdi.json'), 'utf8')) as Record<string, { lfdi: string }>)['device-1']!.lfdi
  t.match(JSON.parse((await run('cert', 'lfdi', at('pki', 'device-1.der'), '--json')).out), { lfdi })
  t.match((await run('cert', 'lfdi', at('pki', 'device-1.pem'))).out, `LFDI ${lfdi}`)
  t.equal((await run('cert', 'lfdi', at('none.pem'))).code, 5)
  t.equal((await run('cert', 'inspect', at('pki', 'device-1.pem'), '--profile', 'x')).code, 2)
})
