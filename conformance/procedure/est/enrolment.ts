import type { Matcher, Procedure, Step } from '#conformance/procedure.js'

type Expect = Readonly<Record<string, Matcher>>
const profiles = ['rfc7030']
const proc = (id: string, title: string, requirements: string, clause: string, steps: readonly Step[], more: Partial<Procedure> = {}): Procedure => ({ id: `est.${id}`, title, requirements: requirements.split(' '), clause, profiles, steps, ...more })
const get = (path: string, expect: Expect, more: Partial<Step> = {}): Step => ({ say: `GET ${path}`, do: 'http.request', with: { method: 'GET', path }, expect, ...more })
const enroll = (say: string, args: object, expect: Expect, more: Partial<Step> = {}): Step => ({ say, do: 'est.enroll', with: { path: '/simpleenroll', ...args }, expect, ...more })
/** The n-th of the target's one-time secrets; a procedure uses its own, since each works once. */
const secret = (n: number): object => ({ serial: `\${secrets[${n}].hwSerialNum}`, password: `\${secrets[${n}].secret}` })
const once = { needs: ['one-time-secret'] }
const issued: Expect = { status: 200, 'headers.content-type': { matches: '^application/pkcs7-mime' }, 'certificates.length': 1, sameKey: true }
const bad: Expect = { status: { oneOf: [400, 403] }, 'headers.content-type': { matches: '^text/plain' }, text: { matches: '^[\\s\\S]{1,500}$' } }
const rfc = 'RFC 7030 §4.2, RFC 8951'

export const enrolment: readonly Procedure[] = [
  proc('cacerts', 'cacerts hands out the whole chain to anybody, in one line of base64', 'SEP-221 SEP-222', 'RFC 7030 §4.1, RFC 8951 §3', [
    get('/cacerts', { status: 200, 'headers.content-type': { matches: '^application/pkcs7-mime *(;|$)' } }), get('/cacerts', { text: { matches: '^[A-Za-z0-9+/]+=*\\n?$' } }, { needs: 'single-line' }), get('/cacerts', { 'headers.content-transfer-encoding': 'base64' }, { should: true }),
    { say: 'its certificates', do: 'est.certs', with: { path: '/cacerts' }, expect: { 'certificates.length': { atLeast: 1 }, 'certificates[*].selfSigned': { contains: true }, 'certificates[*].subjectEmpty': { each: false } } },
  ], { smoke: true }),
  proc('csrattrs', 'csrattrs answers what a request should hold, or 204', 'SEP-228', 'RFC 7030 §4.5', [get('/csrattrs', { status: { oneOf: [200, 204] } })], { smoke: true }),
  proc('unauthenticated', 'without credentials enrolment is 401 with a challenge', 'SEP-223', 'RFC 7030 §3.2.3', [enroll('no credentials', { serial: 'X' }, { status: 401, 'headers.www-authenticate': { matches: '^[Bb]asic realm=' } })], { smoke: true }),
  proc('wrong-secret', 'a wrong secret is 401, an unknown device the same', 'SEP-223', 'RFC 7030 §3.2.3', [enroll('a wrong secret', { serial: '${secrets[0].hwSerialNum}', password: 'not-the-secret' }, { status: 401 }), enroll('an unknown device', { serial: 'nobody-of-that-name', password: 'x' }, { status: 401 }), enroll('another device’s secret', { serial: '${secrets[0].hwSerialNum}', password: '${secrets[1].secret}' }, { status: 401 })], once),
  proc('enroll', 'a one-time secret earns a device certificate of the 2030.5 profile, alone in its answer', 'SEP-202 SEP-223 SEP-224 SEP-225 SEP-222', rfc, [
    enroll('with its secret', { ...secret(2) }, { ...issued, 'certificates[0].subjectEmpty': true, 'certificates[0].hwSerial': '${secrets[2].hwSerialNum}', 'certificates[0].usage': { equals: ['digitalSignature', 'keyAgreement'] }, 'certificates[0].policies[0]': { matches: '^1\\.3\\.6\\.1\\.4\\.1\\.40732\\.1\\.[123]$' }, 'certificates[0].critical': { all: [{ contains: '2.5.29.15' }, { contains: '2.5.29.17' }, { contains: '2.5.29.32' }] }, 'certificates[0].notAfter': { matches: '^(9999|20[3-9])' }, 'certificates[0].serialBits': { atLeast: 64 } }),
  ], { ...once, smoke: true }),
  proc('once', 'a one-time secret works once; the same key gets the same certificate again', 'SEP-223 SEP-226', rfc, [
    enroll('the first time', { ...secret(3), key: 'a' }, issued, { save: { first: 'certificates[0].lfdi' } }), enroll('the same key again', { ...secret(3), key: 'a' }, { status: { oneOf: [200, 401, 403] } }, { save: { again: 'status' } }), enroll('another key', { ...secret(3), key: 'b' }, { status: { oneOf: [400, 401, 403, 409] } }),
  ], once),
  proc('wrapped', 'wrapped base64 in a request is read, and no Content-Transfer-Encoding is needed', 'SEP-222', 'RFC 8951 §3', [enroll('lines of 64', { ...secret(4), coding: 'wrapped', encoding: false }, issued)], once),
  proc('bad-signature', 'a request whose signature does not hold is 400', 'SEP-224', rfc, [enroll('a broken signature', { ...secret(5), kind: 'bad-signature' }, bad), enroll('the secret was not used up', { ...secret(5), key: 'b' }, issued)], once),
  proc('rsa', 'an RSA key is refused', 'SEP-224 SEP-201', rfc, [enroll('an RSA key', { ...secret(6), kind: 'rsa' }, bad), enroll('it was the key: one on P-256 is taken', { ...secret(6), key: 'b' }, issued)], once),
  proc('p384', 'a P-384 key is refused', 'SEP-224 SEP-201', rfc, [enroll('a P-384 key', { ...secret(1), kind: 'p384' }, bad), enroll('it was the key: one on P-256 is taken', { ...secret(1), key: 'b' }, issued)], once),
  proc('garbage', 'what is no request is 400 with a short reason', 'SEP-224', rfc, [enroll('no DER', { ...secret(7), kind: 'garbage' }, bad), enroll('no base64', { ...secret(7), kind: 'not-base64' }, bad), enroll('a request', { ...secret(7), key: 'b' }, issued)], once),
  proc('other-serial', 'a request for another device than the secret’s is refused', 'SEP-224', rfc, [enroll('another serial number', { ...secret(8), kind: 'other-serial' }, bad)], once),
  proc('no-name', 'a request without a hardwareModuleName gets the one of its record', 'SEP-224', rfc, [enroll('no name asked for', { ...secret(9), kind: 'no-name' }, { ...issued, 'certificates[0].hwSerial': '${secrets[9].hwSerialNum}' })], once),
  proc('type', 'a body of another type is refused', 'SEP-223', 'RFC 7030 §4.2.1', [enroll('text/plain', { ...secret(10), type: 'text/plain' }, { status: { oneOf: [400, 415] } }), enroll('as it should be', { ...secret(10), key: 'b' }, issued)], once),
  proc('reenroll', 'a device renews its certificate with the one it has, with a new key, for itself', 'SEP-227', 'RFC 7030 §4.2.2', [
    enroll('enrol', { ...secret(11), key: 'a', identity: 'enrolled' }, issued, { save: { old: 'certificates[0].lfdi' } }),
    enroll('renew with a new key', { path: '/simplereenroll', serial: '${secrets[11].hwSerialNum}', key: 'b', as: 'enrolled' }, { ...issued, 'certificates[0].hwSerial': '${secrets[11].hwSerialNum}', 'certificates[0].lfdi': { not: '${old}' } }),
    enroll('renew as another', { path: '/simplereenroll', serial: '${secrets[12].hwSerialNum}', key: 'c', as: 'enrolled' }, bad),
  ], { ...once, smoke: true }),
  proc('reenroll.stranger', 'nobody renews without a certificate', 'SEP-227', 'RFC 7030 §4.2.2', [enroll('no certificate', { path: '/simplereenroll', serial: 'X' }, { status: { oneOf: [401, 403] } }), enroll('a secret instead', { path: '/simplereenroll', ...secret(12) }, { status: { oneOf: [401, 403] } })], once),
  proc('vendor', 'a vendor’s certificate enrols its devices', 'SEP-223', 'RFC 7030 §3.3.2', [enroll('as the vendor', { serial: '${run}', as: 'vendor-1' }, { status: { oneOf: [200, 202] } })], { needs: ['vendor-certificate'] }),
  proc('not-built', 'serverkeygen and fullcmc say that they are not there', 'SEP-229', 'RFC 7030 §4.3, §4.4', ['/serverkeygen', '/fullcmc'].map((path) => enroll(path, { path, serial: 'X' }, { status: { oneOf: [401, 404, 501] } })), { needs: ['leaf-enrolment-only'] }),
  proc('label', 'an unknown label is 404', 'SEP-220', 'RFC 7030 §3.2.2', [get('/no-such-label/cacerts', { status: 404 })], { needs: ['labels'] }),
  proc('open.enroll', 'a server that asks for no secret certifies the key of the request', 'SEP-222 SEP-225', rfc, [enroll('a request', { serial: '${run}', kind: 'no-name' }, { status: 200, 'headers.content-type': { matches: '^application/pkcs7-mime' }, 'certificates.length': 1, sameKey: true }), enroll('in lines of 64', { serial: '${run}', kind: 'no-name', coding: 'wrapped', key: 'b' }, { status: 200, sameKey: true })], { needs: ['open-enrolment'] }),
  proc('open.bad', 'what is no request, or is not signed by its key, is 400', 'SEP-224', rfc, [enroll('no DER', { serial: 'x', kind: 'garbage' }, { status: { oneOf: [400, 403] } }), enroll('a broken signature', { serial: 'x', kind: 'bad-signature', key: 'c' }, { status: { oneOf: [400, 403] } }), enroll('another type', { serial: 'x', kind: 'no-name', key: 'd', type: 'text/plain' }, { status: { oneOf: [400, 415] } })], { needs: ['open-enrolment'] }),
  proc('methods', 'GET of simpleenroll and POST of cacerts are not there', 'SEP-220', 'RFC 7030 §3.2.2', [get('/simpleenroll', { status: { oneOf: [401, 404, 405] } }), { say: 'POST /cacerts', do: 'http.request', with: { method: 'POST', path: '/cacerts', text: 'x' }, expect: { status: { oneOf: [400, 404, 405, 415] } } }]),
  proc('tls', 'TLS 1.2 or later, with a certificate of a host', 'SEP-220', 'RFC 7030 §3.3', [{ say: 'TLS', do: 'tls.connect', with: {}, expect: { connected: true, protocol: { oneOf: ['TLSv1.2', 'TLSv1.3'] } } }, { say: 'TLS 1.1', do: 'tls.connect', with: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }, expect: { connected: false } }]),
]
