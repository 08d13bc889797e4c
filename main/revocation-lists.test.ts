import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { certificateHash, certificatePem, createRoot, keySigner, longestCrl, newEcKey, issueClient, readCertificate, readCrl, serialFrom, spkiOf } from '#certs/index.js'
import { makeCrl } from '#certs/x509/crl.js'
import { systemClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import { guardedPost } from '#core/webhook/guarded-post.js'
import { chainStatus } from '#csms/chain-status.js'
import { crls } from '#csms/crl.js'
import { revocationFetches } from '#main/outbound.js'
import { Closing, type BuildOptions } from '#main/shape.js'

/** Long revocation lists from an http server to the answer of GetCertificateChainStatus (OCPP 2.1 M07), past the guard of SEC-060. */
const nowMs = Date.now(), ids = randomIds(() => nowMs), signer = keySigner(newEcKey()), validity = { fromMs: nowMs - 86_400_000, toMs: nowMs + 86_400_000 }
const root = await createRoot({ serial: serialFrom(ids.hex(16)), subject: [{ CN: ['R'] }], validity }, signer), issuer = readCertificate(root.certificate)
const serial = (i: number): string => `4${i.toString(16).toUpperCase().padStart(31, '0')}`
/** So many revoked certificates, the last one among them. */
const listOf = (n: number): Promise<Buffer> => makeCrl({
  issuerName: issuer.subject.raw, issuerKeyId: Buffer.alloc(20), number: 1, thisUpdateMs: nowMs - 60_000, nextUpdateMs: nowMs + 3_600_000, revoked: Array.from({ length: n }, (_, i) => ({ serial: serial(i), atMs: nowMs - 60_000, reason: 'keyCompromise' })),
}, signer)
// a signature is a few bytes longer or shorter each time, so the list next to the greatest is two entries away
const [twenty, thirty] = [(await listOf(20_000)).length, (await listOf(30_000)).length], each = Math.round((thirty - twenty) / 10_000), most = Math.floor((longestCrl - 8 - (twenty - 20_000 * each)) / each)
const lists: Record<string, Buffer> = { '/ten': await listOf(10_000), '/most': await listOf(most), '/over': await listOf(most + 2) }
let asked = 0
const server = createServer((request, answer) => {
  asked++
  const list = lists[request.url!.replace('/chunked', '')]!
  if (request.url?.startsWith('/chunked')) { answer.write(list.subarray(0, 100)); answer.end(list.subarray(100)) } else answer.writeHead(200, { 'content-length': list.length }).end(list)
})
await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
t.teardown(() => { server.closeAllConnections(); server.close() })

t.test('OCPP-260, SEC-040 a list of 10,000 and one of the greatest length are read, a longer one is Failed', async (t) => {
  const closing = new Closing(), { crlFetch } = revocationFetches({ settings: { webhookAllow: '' }, seed: 'conformance' } as BuildOptions, closing)
  t.teardown(() => closing.run(silent))
  t.ok(lists['/most']!.length <= longestCrl && lists['/over']!.length > longestCrl && longestCrl - lists['/most']!.length < 2 * each, `${lists['/most']!.length} and ${lists['/over']!.length} bytes, ${most} certificates`)
  const status = chainStatus({ ocsp: { ask: async () => undefined }, crls: crls({ fetch: crlFetch, clock: systemClock }), anchors: [certificatePem(root.certificate)], nowMs: () => nowMs })
  const leaf = await issueClient(root, { serial: serial(0), publicKey: spkiOf(newEcKey()), commonName: 'X', organization: 'L', validity }), hash = certificateHash(readCertificate(leaf), issuer)
  const of = async (path: string, ...serials: string[]): Promise<string[]> => (await status(serials.map((serialNumber) => ({ source: 'CRL' as const, urls: [url + path], certificateHashData: { ...hash, serialNumber } })))).map((s) => s.status)
  t.same(await of('/ten', serial(0), serial(9_999).toLowerCase(), serial(10_000)), ['Revoked', 'Revoked', 'Good'])
  t.equal(asked, 1, 'three questions at once, one fetch')
  t.same(await of('/most', serial(most - 1), serial(most)), ['Revoked', 'Good'])
  t.same(await of('/chunked/most', serial(most - 1)), ['Revoked'], 'without a length told before')
  t.same(await of('/over', serial(0)), ['Failed'])
  t.same(await of('/chunked/over', serial(0)), ['Failed'])
  t.throws(() => readCrl(lists['/over']!, root.certificate, nowMs), /longer than/)
})

t.test('SEC-040 long answers together are bounded too: what is over is refused, the short ones come', async (t) => {
  let ended = 0
  const part = Buffer.alloc(1 << 20), endless = createServer((request, answer) => {
    if (request.url === '/short') { answer.end('short'); return }
    answer.once('close', () => { ended++ })
    // five megabytes, and then nothing more is said
    for (let i = 0; i < 5; i++) answer.write(part)
  })
  await new Promise<void>((done) => { endless.listen(0, '127.0.0.1', done) })
  const at = `http://127.0.0.1:${(endless.address() as AddressInfo).port}`, outbound = guardedPost({ allows: () => true, allowHttp: true })
  t.teardown(async () => { endless.closeAllConnections(); endless.close(); await outbound.close() })
  const asking = Array.from({ length: 8 }, () => outbound.getBytes(at, {}, 8 << 20).then(() => 'taken', (e: { kind?: string }) => e.kind ?? 'cut'))
  t.equal(await Promise.race(asking), 'unavailable', 'forty megabytes are not held at once')
  endless.closeAllConnections()
  t.ok((await Promise.all(asking)).filter((kind) => kind === 'cut').length >= 5, 'and no more are refused than need be')
  t.equal(String((await outbound.getBytes(`${at}/short`, {}, 8 << 20)).body), 'short')
  const kindsAgain = await outbound.getBytes(at, {}, 4 << 20).catch((e: { kind?: string }) => e.kind)
  t.equal(kindsAgain, 'tooLarge', 'what was let go is free again')
  t.ok(ended > 0)
})
