import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { WebSocket } from 'ws'
import { readSettings } from '#cli/settings.js'
import { systemClock } from '#core/port/clock.js'
import { silent } from '#core/port/log.js'
import { build, type Loadstone } from '#main.js'
import { portBase } from '#main/test-ports.js'

/**
 * OCPP-031, OCPP-037: a charging station's certificate says where to ask about it, and there somebody answers; openssl alone reads and asks.
 * SEP-209: certificates of 2030.5 say nothing of the kind, their access being the registration list's matter.
 */
t.setTimeout(180_000)
const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'no openssl here'
const folder = mkdtempSync(join(tmpdir(), 'loadstone-addresses-')), at = (...parts: string[]): string => join(folder, ...parts), pki = (file: string): string => at('pki', file)
const base = await portBase(20_000)
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
/** All that openssl says, whatever its exit code; never blocking, since we are the server that it asks. */
const openssl = (...args: string[]): Promise<string> => new Promise((done) => { execFile('openssl', args, { cwd: folder }, (_error, out, err) => done(out + err)) })
const addresses = async (file: string): Promise<{ crl: string | undefined; ocsp: string | undefined }> => {
  const text = await openssl('x509', '-in', file, '-noout', '-text')
  return { crl: /CRL Distribution Points:[^]*?URI:(\S+)/.exec(text)?.[1], ocsp: /OCSP - URI:(\S+)/.exec(text)?.[1] }
}
const none = { crl: undefined, ocsp: undefined }
async function started(more: object): Promise<Loadstone> {
  const { settings, resolved } = await readSettings({ data: folder, portBase: base, ...more }, {}, { host: 'loopback', rateLimits: false })
  return build({ settings, resolved, data: { path: folder, at }, clock: systemClock, log: silent, seed: 'conformance', only: ['operator', 'csip', 'est', 'csms'] })
}
/** One exchange with the EST door, trusting the ordinary root. */
const exchange = (url: string, body?: Buffer, headers: object = {}, who: object = {}): Promise<Buffer> => new Promise((done, fail) => {
  const asked = request(url, { method: body ? 'POST' : 'GET', headers: { ...headers }, ca: readFileSync(pki('tls-ca.pem')), agent: false, ...who }, (answer) => {
    const parts: Buffer[] = []
    answer.on('data', (part: Buffer) => parts.push(part)).on('end', () => (answer.statusCode === 200 ? done(Buffer.concat(parts)) : fail(new Error(`${answer.statusCode}`))))
  })
  asked.on('error', fail).end(body)
})
const revoke = async ({ ready }: Loadstone, file: string): Promise<void> => {
  const fingerprint = /Fingerprint=([0-9A-F:]+)/.exec(await openssl('x509', '-in', file, '-noout', '-fingerprint', '-sha256'))![1]!.replaceAll(':', '').slice(0, 40)
  const answer = await fetch(`${ready.operator}/api/v1/certificates/${fingerprint}/revoke`, { method: 'POST', headers: { authorization: `Bearer ${ready.operatorToken}`, 'content-type': 'application/json' }, body: '{"reason":"keyCompromise"}' })
  if (answer.status !== 200) throw new Error(`revoking answered ${answer.status}`)
}

t.test('OCPP-031, OCPP-037, SEP-209 without a configured address it is that of the EST door; 2030.5 and server certificates have none', { skip }, async (t) => {
  const server = await started({})
  t.teardown(() => server.stop())
  const { crl = '', ocsp = '' } = await addresses(pki('cs011.pem'))
  t.same([crl, ocsp], [`https://localhost:${base + 5}/crl/ocpp.crl`, `https://localhost:${base + 5}/ocsp`])
  writeFileSync(at('list.crl'), await exchange(crl))
  t.match(await openssl('crl', '-inform', 'DER', '-in', 'list.crl', '-noout', '-text', '-CAfile', pki('ocpp-ca.pem')), /verify OK[^]*No Revoked|No Revoked[^]*verify OK/)
  const status = async (): Promise<string> => {
    await openssl('ocsp', '-issuer', pki('ocpp-ca.pem'), '-cert', pki('cs011.pem'), '-no_nonce', '-reqout', 'ask.der')
    writeFileSync(at('answer.der'), await exchange(ocsp, readFileSync(at('ask.der')), { 'content-type': 'application/ocsp-request' }))
    return openssl('ocsp', '-respin', 'answer.der', '-issuer', pki('ocpp-ca.pem'), '-cert', pki('cs011.pem'), '-CAfile', pki('ocpp-ca.pem'), '-no_nonce')
  }
  t.match(await status(), /: good[^]*Response verify OK/)
  for (const name of ['device-1', 'aggregator-1', 'vendor-1', 'server', 'mica', 'serca', 'tls-server', 'tls-server-rsa']) t.same(await addresses(pki(`${name}.pem`)), none, name)

  const { secret, hwSerialNum } = JSON.parse(readFileSync(pki('est.json'), 'utf8')).secrets[0]
  writeFileSync(at('req.cnf'), `[req]\ndistinguished_name=n\nreq_extensions=e\n[n]\n[e]\nsubjectAltName=critical,otherName:1.3.6.1.5.5.7.8.4;SEQ:m\n[m]\nt=OID:1.3.6.1.4.1.32473.1\ns=FORMAT:ASCII,OCT:${hwSerialNum}\n`)
  await openssl('req', '-new', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', 'est.key', '-subj', '/', '-config', 'req.cnf', '-outform', 'DER', '-out', 'est.csr')
  const issued = await exchange(`${server.ready.est}/simpleenroll`, Buffer.from(readFileSync(at('est.csr')).toString('base64')), { 'content-type': 'application/pkcs10', authorization: `Basic ${Buffer.from(`${hwSerialNum}:${secret}`).toString('base64')}` })
  writeFileSync(at('est.p7'), Buffer.from(issued.toString(), 'base64'))
  writeFileSync(at('est.pem'), await openssl('pkcs7', '-inform', 'DER', '-in', 'est.p7', '-print_certs'))
  t.same(await addresses('est.pem'), none, 'enrolled over EST')
  t.match(await openssl('x509', '-in', 'est.pem', '-noout', '-text'), /1\.3\.6\.1\.4\.1\.40732\.1\.1/, 'it is the device that we asked for')
})

t.test('OCPP-031, OCPP-036, OCPP-037 LOADSTONE_EST_URL: a station that asks for a certificate gets one with that address; revoked, list and responder say so there', { skip }, async (t) => {
  // what stands before the door, on plain http
  const proxy = createServer((asked, answer) => {
    const parts: Buffer[] = []
    asked.on('data', (part: Buffer) => parts.push(part)).on('end', () => {
      exchange(`https://localhost:${base + 5}${asked.url!.replace('/pki', '')}`, asked.method === 'POST' ? Buffer.concat(parts) : undefined, { 'content-type': asked.headers['content-type'] ?? '' }).then((body) => answer.writeHead(200, { 'content-type': asked.method === 'POST' ? 'application/ocsp-response' : 'application/pkix-crl' }).end(body), () => answer.writeHead(502).end())
    })
  })
  await new Promise<void>((done) => { proxy.listen(0, '127.0.0.1', done) })
  t.teardown(() => { proxy.closeAllConnections(); proxy.close() })
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/pki`
  const server = await started({ estUrl: `${address}/` })
  t.teardown(() => server.stop())

  const socket = new WebSocket(`${server.ready.ocppTls}/CS011`, ['ocpp2.1'], { ca: readFileSync(pki('tls-ca.pem')), cert: readFileSync(pki('cs011.pem')), key: readFileSync(pki('cs011.key')) })
  await once(socket, 'open')
  t.teardown(() => { socket.terminate() })
  const answered = new Map<string, (payload: any) => void>()
  let chain = (_pem: string): void => {}
  const signed = new Promise<string>((done) => { chain = done })
  socket.on('message', (data) => {
    const [type, id, action, payload] = JSON.parse(String(data))
    if (type !== 2) { answered.get(id)?.(action); return }
    if (action === 'CertificateSigned') chain(payload.certificateChain)
    socket.send(JSON.stringify([3, id, { status: 'Accepted' }]))
  })
  let n = 0
  const call = (action: string, payload: object): Promise<any> => new Promise((done) => { answered.set(`m${++n}`, done); socket.send(JSON.stringify([2, `m${n}`, action, payload])) })
  t.match(await call('BootNotification', { reason: 'PowerUp', chargingStation: { model: 'M', vendorName: 'V', serialNumber: 'CS011' } }), { status: 'Accepted' })
  await openssl('req', '-new', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', 'new.key', '-subj', '/O=Loadstone/CN=CS011', '-out', 'new.csr')
  t.match(await call('SignCertificate', { csr: readFileSync(at('new.csr'), 'utf8'), certificateType: 'ChargingStationCertificate' }), { status: 'Accepted' })
  writeFileSync(at('new.pem'), await signed)
  t.same(await addresses('new.pem'), { crl: `${address}/crl/ocpp.crl`, ocsp: `${address}/ocsp` })

  const ask = (): Promise<string> => openssl('ocsp', '-issuer', pki('ocpp-ca.pem'), '-cert', 'new.pem', '-url', `${address}/ocsp`, '-CAfile', pki('ocpp-ca.pem'))
  const listed = async (): Promise<string> => {
    writeFileSync(at('now.crl'), Buffer.from(await (await fetch(`${address}/crl/ocpp.crl`)).arrayBuffer()))
    return openssl('crl', '-inform', 'DER', '-in', 'now.crl', '-noout', '-text')
  }
  const serial = /serial=([0-9A-F]+)/.exec(await openssl('x509', '-in', 'new.pem', '-noout', '-serial'))![1]!
  const view = async (source: 'CRL' | 'OCSP'): Promise<string> => {
    const hash = JSON.parse(await hashOf('new.pem'))
    return (await call('GetCertificateChainStatus', { certificateStatusRequests: [{ source, urls: [source === 'CRL' ? `${address}/crl/ocpp.crl` : `${address}/ocsp`], certificateHashData: hash }] })).certificateStatus[0].status
  }
  t.match(await ask(), /: good[^]*Response verify OK/)
  t.notMatch(await listed(), serial)
  t.same([await view('CRL'), await view('OCSP')], ['Good', 'Good'], 'the station may ask us too')
  await revoke(server, 'new.pem')
  t.match(await ask(), /: revoked[^]*Reason: keyCompromise/)
  t.match(await listed(), new RegExp(`Serial Number: ${serial}`), 'at once, though a list is written once a minute')
  await revoke(server, pki('cs011.pem'))
  t.match(await openssl('ocsp', '-issuer', pki('ocpp-ca.pem'), '-cert', pki('cs011.pem'), '-url', `${address}/ocsp`, '-CAfile', pki('ocpp-ca.pem')), /cs011.pem: revoked/, 'the seed’s own too')
})

async function hashOf(file: string): Promise<string> {
  const text = await openssl('ocsp', '-sha256', '-issuer', pki('ocpp-ca.pem'), '-cert', file, '-no_nonce', '-req_text')
  const field = (name: string): string => new RegExp(`${name}: ([0-9A-F]+)`, 'i').exec(text)?.[1] ?? ''
  return JSON.stringify({ hashAlgorithm: 'SHA256', issuerNameHash: field('Issuer Name Hash').toLowerCase(), issuerKeyHash: field('Issuer Key Hash').toLowerCase(), serialNumber: field('Serial Number').toLowerCase() })
}
