import type { Procedure, Step } from '#conformance/procedure.js'
import { ask, comes, fresh, heard, made, stations } from '#conformance/procedure/csms/fresh.js'
import { any, boot, call, connect, proc, step, v2 } from '#conformance/procedure/csms/steps.js'

const tries = (say: string, args: object, expect: Step['expect']): Step => step('ocpp.connect', say, { as: 'again', id: '${run}', subprotocols: ['${subprotocol}'], ...args }, expect)
const old = 'a-long-enough-password-1', next = 'another-long-password-22'
const change = { setVariableData: [{ attributeValue: next, component: { name: 'SecurityCtrlr' }, variable: { name: 'BasicAuthPassword' } }] }
const changed = (attributeStatus: string): object => ({ setVariableResult: [{ attributeStatus, component: { name: 'SecurityCtrlr' }, variable: { name: 'BasicAuthPassword' } }] })
const leave = step('ocpp.close', 'it leaves', { as: 'cs' })
const request = (more: object = {}): Step => step('pki.csr', 'a certificate request of the station', { as: 'csr', cn: '${short:serial}', o: '${organization}', ...more }, undefined, { save: { csr: 'pem' } })
const sign = (status: string): Step => call('SignCertificate', { csr: '${csr}', certificateType: 'ChargingStationCertificate' }, { 'payload.status': status })
const named: Step = made({ serialNumber: '${short:serial}' })

export const security: readonly Procedure[] = [
  proc(any, 'csms.handshake.compression-bounded', 'compression is bounded: no context is kept from message to message', 'OCPP-009', 'RFC 7692 §7.1', [connect({ compression: true }, { status: 101, extensions: { all: [{ matches: 'permessage-deflate' }, { matches: 'server_no_context_takeover' }, { matches: 'client_no_context_takeover' }] } })], { tags: ['handshake'], needs: ['bounded-compression'] }),
  proc(any, 'csms.handshake.big-header', 'a handshake whose headers pass 8 KiB is refused, and the server lives', 'OCPP-012', 'OCPP-J part 4 §3', [connect({ as: 'big', headers: { 'x-long': 'x'.repeat(20_000) } }, { status: { oneOf: [0, 400, 413, 431] } }), connect()], { tags: ['handshake'], needs: ['decisions'] }),
  proc(any, 'csms.tls.certificate', 'the server’s certificate names its host and its owner, with an EC and an RSA key that are long enough', 'OCPP-026', 'OCPP 2.0.1 A00.FR.501-510', [
    step('tls.connect', 'EC', { url: '${tlsUrl}', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' }, { connected: true, 'certificate.type': 'ec', 'certificate.subject': { matches: 'CN=\\S+' }, 'certificate.organization': { exists: true }, 'certificate.namesHost': true, 'certificate.serial': { matches: '^[0-9A-F]{2,}$' } }),
    step('tls.connect', 'RSA', { url: '${tlsUrl}', ciphers: 'AES128-GCM-SHA256', maxVersion: 'TLSv1.2' }, { connected: true, 'certificate.type': 'rsa', 'certificate.bits': { atLeast: 2048 }, 'certificate.namesHost': true, 'certificate.organization': { exists: true } }),
  ], { needs: ['tls'], tags: ['security', 'profile-2'] }),
  proc(any, 'csms.profile-only', 'a station of TLS with Basic is not let in over plain ws, whatever its password', 'OCPP-020 OCPP-021', 'OCPP 2.0.1 A00.FR.001, A05.FR.07', [made({ securityProfile: 2 }), tries('over plain ws', { password: old }, { status: { oneOf: [401, 403, 404] } }), tries('over TLS', { password: old, url: '${tlsUrl}' }, { status: 101 })], { needs: ['tls', 'operator-stations'], tags: ['security'] }),
  proc(v2, 'csms.upgrade', 'after an upgrade the lower profile is refused for good', 'OCPP-021 OCPP-041', 'OCPP 2.0.1 A05', [
    ...fresh('2.0.1', { own: ['SetNetworkProfile', 'SetVariables', 'Reset'] }), ask('SetNetworkProfile', { configurationSlot: 2, connectionData: { ocppVersion: 'OCPP20', ocppTransport: 'JSON', ocppCsmsUrl: '${tlsUrl}', messageTimeout: 30, securityProfile: 2, ocppInterface: 'Wired0' } }), comes('SetNetworkProfile', { status: 'Accepted' }), heard('SetNetworkProfile'),
    leave, tries('over TLS', { password: old, url: '${tlsUrl}', as: 'cs' }, { status: 101 }), boot('2.0.1'), leave, tries('over plain ws again', { password: old }, { status: { oneOf: [401, 403, 404] } }), tries('over TLS again', { password: old, url: '${tlsUrl}' }, { status: 101 }),
  ], { ...stations, needs: ['tls', 'operator-stations', 'operator-ocpp', 'profile-upgrade'], tags: ['security'] }),
  proc(v2, 'csms.password', 'a password that the station took replaces the old one', 'OCPP-034 OCPP-023', 'OCPP 2.0.1 A01.FR.02-04', [
    ...fresh('2.0.1', { own: ['SetVariables'] }), ask('SetVariables', change), comes('SetVariables', changed('Accepted'), { 'payload.setVariableData[0].attributeValue': next }), heard('SetVariables'), leave,
    tries('with the new one', { password: next }, { status: 101 }), tries('with the old one', { password: old }, { status: 401 }),
  ], { ...stations, tags: ['A', 'security'] }),
  proc(v2, 'csms.password.refused', 'a password that the station did not take leaves the old one in force', 'OCPP-034', 'OCPP 2.0.1 A01.FR.04', [
    ...fresh('2.0.1', { own: ['SetVariables'] }), ask('SetVariables', change), comes('SetVariables', changed('Rejected')), heard('SetVariables'), leave, tries('with the old one', { password: old }, { status: 101 }), tries('with the new one', { password: next }, { status: 401 }),
  ], { ...stations, tags: ['A', 'security'] }),
  proc(v2, 'csms.certificate', 'a right request is accepted and answered by CertificateSigned, leaf first, for the key that asked', 'OCPP-036 OCPP-037', 'OCPP 2.0.1 A02', [
    named, connect({ id: '${run}', password: old, own: ['CertificateSigned'] }), boot('2.0.1'), request(), sign('Accepted'),
    comes('CertificateSigned', { status: 'Accepted' }, { 'payload.certificateType': 'ChargingStationCertificate', 'payload.certificateChain': { matches: '^-----BEGIN CERTIFICATE-----[\\s\\S]{100,10000}$' } }, { save: { chain: 'payload.certificateChain' } }), step('pki.chain', 'it is for that key', { of: 'csr', pem: '${chain}' }, { sameKey: true, cn: '${short:serial}', o: '${organization}' }),
  ], { ...stations, needs: ['operator-stations', 'operator-ocpp', 'signs-certificates'], tags: ['A', 'security'] }),
  proc(v2, 'csms.certificate.again', 'the same request again is accepted and makes no second certificate; a rejected one is not sent again', 'OCPP-038', 'OCPP 2.0.1 A02.FR.07, 17-20', [
    named, connect({ id: '${run}', password: old, own: ['CertificateSigned'] }), boot('2.0.1'), request(), sign('Accepted'), sign('Accepted'), comes('CertificateSigned', { status: 'Rejected' }), step('ocpp.quiet', 'no second one comes', { as: 'cs', ms: 1200 }, { calls: { equals: [] } }),
  ], { ...stations, needs: ['operator-stations', 'operator-ocpp', 'signs-certificates'], tags: ['A', 'security'] }),
  proc(v2, 'csms.certificate.wrong', 'a request for another serial number, another owner or with a broken signature is Rejected', 'OCPP-037', 'OCPP 2.0.1 A02.FR.04', [
    named, connect({ id: '${run}', password: old }), boot('2.0.1'), ...[{ cn: 'somebody-else' }, { o: 'Another' }, { broken: true }].flatMap((more) => [request(more), sign('Rejected')]),
  ], { ...stations, needs: ['operator-stations', 'operator-ocpp', 'signs-certificates'], tags: ['A', 'security'] }),
  proc(any, 'csms.limits.bad-frames', 'a station that sends nonsense without end is closed', 'OCPP-067', 'decision of the requirement list', [
    made(), connect({ id: '${run}', password: old }), step('ocpp.flood', 'sixty frames of nonsense', { as: 'cs', text: 'nonsense', count: 60 }, { closed: true, code: { oneOf: [1008, 1006] } }),
  ], { needs: ['operator-stations', 'rate-limits'], tags: ['limits'] }),
  proc(any, 'csms.limits.handshakes', 'who fails again and again is told to wait', 'OCPP-012', 'decision of the requirement list', [
    made(), step('ocpp.knock', 'twenty wrong passwords', { id: '${run}', password: 'not-the-password-at-all', count: 20, subprotocols: ['${subprotocol}'] }, { 'counts.401': { atLeast: 1 }, 'counts.429': { atLeast: 1 }, retryAfter: { matches: '^\\d+$' } }),
  ], { needs: ['operator-stations', 'rate-limits'], tags: ['limits'] }),
]
