import type { Procedure } from '#conformance/procedure.js'
import { all, ask, aus, doc, discover, goodLeaf, proc, refused, serves, us } from '#conformance/procedure/csip/steps.js'

const ccm8 = 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0'
const tls = (say: string, args: object, expect: Procedure['steps'][number]['expect']): Procedure['steps'][number] => ({ say, do: 'tls.connect', with: args as Record<string, unknown>, ...(expect ? { expect } : {}) })

/** Leaves with one thing wrong (SEP-202, SEP-203): whoever has one reaches no resource. */
const badLeaves: readonly [kind: string, what: string, requirement: string][] = [
  ['expired', 'has expired', 'SEP-005'], ['future', 'is not yet valid', 'SEP-005'], ['unknown-critical', 'carries an unknown critical extension', 'SEP-005 SEP-203'], ['no-san', 'names no hardware module', 'SEP-202'],
  ['san-not-critical', 'has a subjectAltName that is not critical', 'SEP-202'], ['dns-san', 'names a host instead of a device', 'SEP-202'], ['subject', 'has a Subject', 'SEP-202'], ['no-policy', 'has no policy', 'SEP-202'], ['foreign-policy', 'has a foreign policy', 'SEP-202'],
  ['sign-only', 'may not agree keys', 'SEP-202'], ['ca', 'is a CA certificate', 'SEP-202'], ['server-only', 'is for servers only', 'SEP-203'], ['rsa', 'has an RSA key', 'SEP-201'], ['p384', 'has a P-384 key', 'SEP-201'],
]
/** SEP-206 lets CSIP-AUS issuers be forgiven these. */
const forgiven = ['subject', 'dns-san', 'no-policy', 'san-not-critical', 'foreign-policy']

export const transport: readonly Procedure[] = [
  proc(all, 'csip.tls.suite', 'TLS 1.2 with ECDHE-ECDSA-AES128-CCM-8 on P-256', 'SEP-001 SEP-002', 'IEEE 2030.5-2018 §6.7, §8.11', [tls('handshake', { as: 'device-1', ciphers: ccm8 }, { connected: true, protocol: 'TLSv1.2', cipher: 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8', 'certificate.type': 'ec', 'certificate.ec': 'prime256v1' })], { smoke: true, tags: ['tls'] }),
  proc(all, 'csip.tls.old', 'TLS 1.1 and 1.0 are refused', 'SEP-001', 'IEEE 2030.5-2018 §6.7', [serves(), tls('TLS 1.1', { as: 'device-1', minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }, { connected: false })], { tags: ['tls'] }),
  proc(us, 'csip.tls.only-1.3', 'a hello that offers only TLS 1.3 or other suites fails', 'SEP-001 SEP-003', 'CSIP 2.1 security', [
    tls('TLS 1.3 only', { as: 'device-1', minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' }, { connected: false }), tls('RSA suites only', { as: 'device-1', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }, { connected: false }),
    tls('GCM only in strict mode', { as: 'device-1', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }, { connected: false }),
  ], { tags: ['tls'] }),
  proc(aus, 'csip.tls.compat', 'compatibility mode also takes AES-GCM, but prefers CCM-8', 'SEP-003', 'SA TS 5573 security', [
    tls('GCM only', { as: 'device-1', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }, { connected: true }),
    tls('GCM first, CCM-8 too', { as: 'device-1', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }, { connected: true, cipher: 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8' }),
  ], { tags: ['tls'] }),
  proc(all, 'csip.tls.no-certificate', 'without a client certificate there is no answer', 'SEP-004', 'IEEE 2030.5-2018 §8.11', [serves(), ask('none', 'GET', '${dcap}', { status: 0 }), serves()], { smoke: true, tags: ['tls'] }),
  proc(all, 'csip.tls.plain', 'plain HTTP is not spoken', 'SEP-004', 'IEEE 2030.5-2018 §8.11', [{ say: 'http on the port of https', do: 'http.request', with: { method: 'GET', url: '${plainUrl}' }, expect: { status: { oneOf: [0, 400] } } }], { needs: ['plain-url'], tags: ['tls'] }),
  proc(all, 'csip.cert.good', 'a fresh leaf of the MICA reaches DeviceCapability and Time, and nobody else’s things', 'SEP-091 SEP-202 SEP-204', 'IEEE 2030.5-2018 §6.11', [
    { say: 'a leaf', do: 'pki.leaf', with: { as: 'fresh', kind: 'good' } }, ask('fresh', 'GET', '${dcap}', { status: 200, root: 'DeviceCapability' }), discover(), ask('fresh', 'GET', '${it.edev}', { status: { oneOf: [403, 404] } }),
  ], { needs: ['mica'], tags: ['certificate'] }),
  ...badLeaves.map(([kind, what, requirement]) => proc(forgiven.includes(kind) || kind === 'sign-only' ? us : all, `csip.cert.${kind}`, `a certificate that ${what} reaches no resource`, `${requirement} SEP-006`, 'IEEE 2030.5-2018 §6.11.8', [
    ...goodLeaf, { say: `a leaf that ${what}`, do: 'pki.leaf', with: { as: 'bad', kind } }, ask('bad', 'GET', '${dcap}', { status: { oneOf: [0, 403] } }), serves('good'),
  ], { needs: ['mica'], tags: ['certificate'] })),
  proc(aus, 'csip.aus.cert.sign-only', 'a certificate that may not agree keys reaches no resource: SEP-206 does not forgive it', 'SEP-202', 'IEEE 2030.5-2018 §6.11.8', [
    ...goodLeaf, { say: 'a leaf that may not agree keys', do: 'pki.leaf', with: { as: 'bad', kind: 'sign-only' } }, ask('bad', 'GET', '${dcap}', { status: { oneOf: [0, 403] } }),
  ], { needs: ['mica'], tags: ['certificate', 'aus'] }),
  proc(all, 'csip.cert.stranger', 'a certificate of a CA that nobody trusts reaches no resource', 'SEP-005 SEP-204', 'IEEE 2030.5-2018 §6.11', [...goodLeaf, { say: 'a leaf of a stranger', do: 'pki.leaf', with: { as: 'bad', issuer: 'stranger' } }, ask('bad', 'GET', '${dcap}', { status: { oneOf: [0, 403] } })], { needs: ['mica'], tags: ['certificate'], smoke: true }),

  ...['application/sep+xml', 'application/sep+xml; level=-S1', 'application/sep+xml;level=+S1', 'application/xml', 'text/xml', '*/*', 'application/*', 'application/sep-exi, application/sep+xml;q=0.5'].map((accept, i) =>
    proc(all, `csip.accept.${i}`, `Accept: ${accept} gets XML`, 'SEP-020 SEP-021', 'IEEE 2030.5-2018 §6.5', [ask('device-1', 'GET', '${dcap}', { status: 200, 'headers.content-type': { matches: '^application/sep\\+xml' } }, { headers: { accept } })], { tags: ['negotiation'] })),
  ...['application/json', 'application/sep-exi', 'image/png'].map((accept, i) => proc(all, `csip.accept.none.${i}`, `Accept: ${accept} alone is 406`, 'SEP-020 SEP-021', 'IEEE 2030.5-2018 §6.5', [ask('device-1', 'GET', '${dcap}', refused(406), { headers: { accept } })], { tags: ['negotiation'] })),
  ...['application/sep-exi', 'application/json', ''].map((type, i) => proc(all, `csip.content-type.${i}`, `a body of type '${type}' is 415`, 'SEP-022', 'IEEE 2030.5-2018 §6.5', [discover(), ask('device-1', 'PUT', '${it.der.DERStatusLink}', refused(415), { text: doc('DERStatus', '<readingTime>${now}</readingTime>'), headers: { 'content-type': type } })], { tags: ['negotiation'] })),
  proc(all, 'csip.framing', 'Content-Length, no chunks, no coding, and the 2018 namespace', 'SEP-009 SEP-023', 'IEEE 2030.5-2018 §6.5', [
    ask('device-1', 'GET', '${dcap}', { status: 200, 'headers.content-length': { matches: '^[0-9]+$' }, 'headers.transfer-encoding': { exists: false }, 'headers.content-encoding': { exists: false }, namespace: 'urn:ieee:std:2030.5:ns', text: { matches: '^<\\?xml version' } }, { headers: { 'accept-encoding': 'gzip, br' } }),
  ], { smoke: true, tags: ['negotiation'] }),
  proc(all, 'csip.head', 'HEAD answers what GET would, without the body', 'SEP-031', 'RFC 9110 §9.3.2', [discover(), ...['${dcap}', '${it.dcap.TimeLink}', '${it.dcap.EndDeviceListLink}', '${it.edev}', '${it.links.FunctionSetAssignmentsListLink}', '${it.own.href}'].map((path) => ask('device-1', 'HEAD', path, { status: 200, length: 0, 'headers.content-type': { matches: 'sep\\+xml' }, 'headers.content-length': { matches: '^[1-9]' } }))], { tags: ['method'] }),
  proc(all, 'csip.paths', 'what is not there is 404, with slashes too many as well', 'SEP-043 SEP-045 SEP-032', 'IEEE 2030.5-2018 §6.5', [discover(), ask('device-1', 'GET', '/nothing-here', refused(404)), ask('device-1', 'GET', '${it.dcap.EndDeviceListLink}/', refused(404)), ask('device-1', 'GET', '/${it.dcap.EndDeviceListLink}', { status: { oneOf: [400, 404] } })], { tags: ['method'] }),
  proc(all, 'csip.long-target', 'a request target over 2,048 octets is 414', 'SEP-043', 'RFC 9110 §15.5.15', [ask('device-1', 'GET', `/${'x'.repeat(2100)}`, { status: 414 })], { tags: ['method'] }),
  proc(all, 'csip.absolute', 'hrefs in answers are absolute paths of plain characters', 'SEP-033 SEP-034', 'IEEE 2030.5-2018 §4.4', [ask('device-1', 'GET', '${dcap}', { 'xml.@href': { matches: '^/[A-Za-z0-9/_.-]*$' }, 'xml.TimeLink[0].@href': { matches: '^/[A-Za-z0-9/_.-]+$' } })], { tags: ['method'] }),
]
