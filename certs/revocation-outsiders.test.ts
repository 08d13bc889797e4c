import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { createIntermediate, createRoot, issueClient, serialFrom, type Authority } from '#certs/authority.js'
import { buildRevocation, type Ledger } from '#certs/revocation.js'
import type { RevokedEntry } from '#certs/x509/crl.js'
import { certificatePem } from '#certs/x509/pem.js'
import { keySigner, newEcKey, newRsaKey, spkiOf } from '#certs/x509/signer.js'
import { hasOpenssl } from '#certs/test-est.js'

const day = 86_400_000, startMs = Math.floor(Date.now() / 1000) * 1000
const clock = handClock(startMs), ids = randomIds(() => startMs), dir = mkdtempSync(join(tmpdir(), 'ls-crl-'))
t.teardown(() => rmSync(dir, { recursive: true, force: true }))
const serial = (): string => serialFrom(ids.hex(16)), validity = { fromMs: startMs - day, toMs: startMs + 365 * day }
const file = (name: string, content: string | Uint8Array): string => { writeFileSync(join(dir, name), content); return join(dir, name) }
/** All that openssl says, whatever its exit code; never blocking, since we are the server that it asks. */
const openssl = (...args: string[]): Promise<string> => new Promise((done) => { execFile('openssl', args, (_error, out, err) => done(out + err)) })
/** openssl's clock beside ours: `-attime` where it has one. */
const at = (ms: number): string[] => ['-attime', String(Math.floor(ms / 1000))]

interface Chain { readonly root: Authority; readonly sub: Authority; readonly ledgers: Record<string, Ledger>; readonly good: string; readonly bad: string; readonly badSerial: string }

async function chainOf(kind: 'EC' | 'RSA'): Promise<Chain> {
  const signer = async () => keySigner(kind === 'EC' ? newEcKey() : await newRsaKey())
  const plan = (CN: string) => ({ serial: serial(), subject: [{ CN: [CN] }], validity })
  const root = await createRoot(plan(`${kind} root`), await signer()), sub = await createIntermediate('MICA', root, plan(`${kind} stations`), await signer())
  const goodSerial = serial(), badSerial = serial(), revoked: RevokedEntry[] = [{ serial: badSerial, atMs: startMs - 60_000, reason: 'keyCompromise' }]
  const station = async (s: string): Promise<string> => file(`${kind}-${s}.pem`, certificatePem(await issueClient(sub, { serial: s, publicKey: spkiOf(kind === 'EC' ? newEcKey() : await newRsaKey()), commonName: `CS-${s}`, organization: 'Loadstone', validity })))
  return {
    root, sub, badSerial, good: await station(goodSerial), bad: await station(badSerial),
    ledgers: {
      [`${kind}-root`]: { authority: root, statusOf: async () => ({}), revoked: async () => [] },
      [`${kind}-sub`]: { authority: sub, statusOf: async (s) => s === badSerial ? { revoked: revoked[0]! } : s === goodSerial ? {} : undefined, revoked: async () => revoked },
    },
  }
}

const [ec, rsa] = [await chainOf('EC'), await chainOf('RSA')]
const app = Fastify()
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body) })
buildRevocation({ ...ec.ledgers, ...rsa.ledgers }, clock).routes(app)
const url = await app.listen({ port: 0, host: '127.0.0.1' })
t.teardown(() => app.close())

for (const [kind, chain] of [['EC', ec], ['RSA', rsa]] as const) {
  const root = file(`${kind}-root.pem`, certificatePem(chain.root.certificate)), sub = file(`${kind}-sub.pem`, certificatePem(chain.sub.certificate))
  const fetchCrl = async (name: string): Promise<Buffer> => {
    const answer = await fetch(`${url}/crl/${name}.crl`)
    t.match([answer.status, answer.headers.get('content-type')], [200, 'application/pkix-crl'])
    return Buffer.from(await answer.arrayBuffer())
  }
  const crlPem = async (name: string): Promise<string> => `-----BEGIN X509 CRL-----\n${(await fetchCrl(name)).toString('base64').replace(/.{64}/g, '$&\n')}\n-----END X509 CRL-----\n`

  t.test(`SEC-008, OCPP-037 ${kind}: openssl verify -crl_check believes the lists that we serve, for a week`, { skip: !hasOpenssl && 'no openssl here' }, async (t) => {
    const lists = file(`${kind}.crls`, await crlPem(`${kind}-sub`) + await crlPem(`${kind}-root`))
    const verify = (cert: string, ms: number, check = '-crl_check_all'): Promise<string> => openssl('verify', check, ...at(ms), '-CAfile', root, '-untrusted', sub, '-CRLfile', lists, cert)
    t.match(await verify(chain.good, startMs + 1000), /: OK$/m)
    t.match(await verify(chain.bad, startMs + 1000, '-crl_check'), /certificate revoked/)
    t.match(await verify(chain.good, startMs + 7 * day - 1000), /: OK$/m, 'up to nextUpdate')
    t.match(await verify(chain.good, startMs + 7 * day + 1000), /CRL has expired/, 'and no longer')
    const text = await openssl('crl', '-inform', 'DER', '-in', file(`${kind}.crl`, await fetchCrl(`${kind}-sub`)), '-noout', '-text', '-CAfile', sub)
    t.match(text, kind === 'EC' ? /ecdsa-with-SHA256/ : /sha256WithRSAEncryption/)
    t.match(text, new RegExp(`verify OK[^]*Serial Number: ${chain.badSerial}|Serial Number: ${chain.badSerial}[^]*verify OK`))
    t.match(text, /X509v3 CRL Number/)
    const [, last, next] = /Last Update: (.*)\n\s*Next Update: (.*)/.exec(text) ?? []
    t.same([Date.parse(last ?? ''), Date.parse(next ?? '')], [startMs, startMs + 7 * day])
    const other = file(`${kind}-other.crls`, await crlPem(`${kind === 'EC' ? 'RSA' : 'EC'}-sub`))
    t.match(await openssl('verify', '-crl_check', ...at(startMs + 1000), '-CAfile', root, '-untrusted', sub, '-CRLfile', other, chain.good), /unable to get certificate CRL/, 'another authority’s list says nothing')
  })

  t.test(`SEC-008, OCPP-037 ${kind}: openssl ocsp believes our answers, for an hour; what was never issued is unknown`, { skip: !hasOpenssl && 'no openssl here' }, async (t) => {
    const ask = (...more: string[]): Promise<string> => openssl('ocsp', '-issuer', sub, '-url', `${url}/ocsp`, '-CAfile', root, '-verify_other', sub, ...more)
    const both = await ask('-cert', chain.good, '-cert', chain.bad, '-resp_text')
    t.match(both, /Response verify OK/)
    t.notMatch(both, /WARNING: no nonce/i, 'the nonce comes back')
    t.match(both, new RegExp(`${chain.good}: good[^]*${chain.bad}: revoked[^]*Reason: keyCompromise`))
    t.match(both, kind === 'EC' ? /ecdsa-with-SHA256/ : /sha256WithRSAEncryption/)
    const [, from, to] = /This Update: (.*)\n\s*Next Update: (.*)/.exec(both) ?? []
    t.same([Date.parse(from ?? ''), Date.parse(to ?? '')], [startMs, startMs + 3_600_000])
    t.match(await ask('-sha256', '-serial', '0x1234'), /0x1234: unknown/, 'by SHA-256 of the issuer too')
    const request = file(`${kind}.req`, ''), got = await openssl('ocsp', '-issuer', sub, '-cert', chain.bad, '-no_nonce', '-reqout', request)
    t.equal(got, '')
    const byGet = await fetch(`${url}/ocsp/${encodeURIComponent(readFileSync(request).toString('base64'))}`)
    t.match([byGet.status, byGet.headers.get('content-type')], [200, 'application/ocsp-response'])
    const answer = Buffer.from(await byGet.arrayBuffer()), read = (name: string, der: Buffer): Promise<string> => openssl('ocsp', '-respin', file(name, der), '-issuer', sub, '-cert', chain.bad, '-CAfile', root, '-no_nonce')
    const told = await read(`${kind}.resp`, answer)
    t.match(told, /Response verify OK/, 'RFC 6960 Appendix A.1')
    t.match(told, /: revoked/)
    const bent = Buffer.from(answer)
    bent[answer.length - 9]! ^= 1
    t.match(await read(`${kind}-bent.resp`, bent), /Response Verify Failure/)
  })
}
