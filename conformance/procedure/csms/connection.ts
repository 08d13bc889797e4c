import type { Procedure, Step } from '#conformance/procedure.js'
import { any, boot, call, connect, error, proc, schemaErrors, step, tidy, up, v16, v2 } from '#conformance/procedure/csms/steps.js'

const handshake = (id: string, title: string, requirements: string, steps: readonly Step[], more: Partial<Procedure> = {}): Procedure => proc(any, `csms.handshake.${id}`, title, requirements, 'OCPP-J part 4 §3', steps, { tags: ['handshake'], ...more })
const basic = ['basic-auth']
const try_ = (args: object, expect: Procedure['steps'][number]['expect']): Step => step('ocpp.connect', `connect with ${JSON.stringify(args)}`, { as: 'cs', id: '${station}', password: '${password}', subprotocols: ['${subprotocol}'], ...args }, expect)

const handshakes: readonly Procedure[] = [
  handshake('ok', 'a known station with its password is let in', 'OCPP-001 OCPP-005', [try_({}, { status: 101, protocol: '${subprotocol}' })], { smoke: true }),
  handshake('unknown', 'an unknown identity is 404 (or 401 where identities are hidden)', 'OCPP-003', [try_({ id: '${unknown}' }, { status: { oneOf: [404, 401] } })], { smoke: true }),
  handshake('password', 'a wrong password is 401 with a Basic challenge', 'OCPP-004 OCPP-022', [try_({ password: 'not-the-password-at-all' }, { status: 401, 'headers.www-authenticate': { matches: '^Basic realm=' } })], { needs: basic, smoke: true }),
  handshake('no-password', 'no credentials are 401', 'OCPP-004', [try_({ password: undefined, noPassword: true }, { status: 401, 'headers.www-authenticate': { matches: '^Basic' } })].map((s) => ({ ...s, with: { as: 'cs', id: '${station}', subprotocols: ['${subprotocol}'] } })), { needs: basic }),
  handshake('other-user', 'the user name must be the identity of the address', 'OCPP-022', [try_({ user: '${station2}' }, { status: 401 })], { needs: basic }),
  handshake('other-password', 'another station’s password opens nothing', 'OCPP-022', [try_({ password: '${password2}' }, { status: 401 })], { needs: basic }),
  handshake('broken-basic', 'a broken Authorization header is 401 or 400, and harms nobody', 'OCPP-004', [
    ...['Basic', 'Basic !!!!', 'Basic OjpA', 'Bearer abc'].map((authorization): Step => ({ ...try_({ headers: { authorization } }, { status: { oneOf: [400, 401] } }), with: { as: 'cs', id: '${station}', subprotocols: ['${subprotocol}'], headers: { authorization } } })), try_({}, { status: 101 }),
  ], { needs: basic }),
  ...['%E0%A4%A', '%', 'a%20%2Fb', '..%2f..%2fetc', 'x'.repeat(49), 'a<b>', 'CS%00001', ''].map((rawId, i) => handshake(`bad-identity.${i}`, `the identity '${rawId.slice(0, 14)}' is refused and the server lives`, 'OCPP-002 OCPP-270', [try_({ rawId }, { status: { oneOf: [400, 401, 404] } }), try_({}, { status: 101 })])),
  handshake('preference', 'the first of the station’s subprotocols that both know is taken; unknown names are passed over', 'OCPP-005 OCPP-007', [try_({ subprotocols: ['ocpp9.9', '${subprotocol}'] }, { status: 101, protocol: '${subprotocol}' })]),
  handshake('both', 'a station that offers two versions gets the one that it names first', 'OCPP-005', [try_({ subprotocols: ['ocpp2.0.1', 'ocpp1.6'] }, { status: 101, protocol: 'ocpp2.0.1' }), step('ocpp.close', 'close', { as: 'cs' }), try_({ subprotocols: ['ocpp1.6', 'ocpp2.0.1'] }, { status: 101, protocol: 'ocpp1.6' })], { needs: ['2.0.1', '1.6'] }),
  handshake('no-common', 'without a common subprotocol the socket is closed at once and no message is answered', 'OCPP-006', [
    step('ocpp.bare', 'connect with ocpp9.9 and say Heartbeat', { id: '${station}', password: '${password}', subprotocols: ['ocpp9.9'], text: '[2,"h1","Heartbeat",{}]' }, { status: { oneOf: [101, 400] }, protocol: '', answered: false, closed: true, code: { oneOf: [1002, 1008, 1006, undefined] } }),
    step('ocpp.bare', 'connect with no subprotocol and say Heartbeat', { id: '${station}', password: '${password}', subprotocols: [], text: '[2,"h1","Heartbeat",{}]' }, { status: { oneOf: [101, 400] }, protocol: '', answered: false, closed: true }),
  ]),
  handshake('case', 'subprotocol names are compared letter for letter', 'OCPP-007', [try_({ subprotocols: ['OCPP2.0.1'] }, { status: { oneOf: [0, 101, 400] }, protocol: { not: 'OCPP2.0.1' } })]),
  handshake('compression', 'compression is negotiated when it is offered, and not needed', 'OCPP-008', [try_({ compression: true }, { status: 101, extensions: { matches: 'permessage-deflate' } }), boot_('again'), step('ocpp.close', 'close', { as: 'cs' }), try_({}, { status: 101, extensions: '' })]),
  handshake('replace', 'a newer connection of the same station takes the place of the older', 'OCPP-011', [try_({ as: 'first' }, { status: 101 }), try_({ as: 'second' }, { status: 101 }), step('ocpp.waitClosed', 'the first is closed', { as: 'first', timeout_ms: 5000 }, { closed: true, code: { oneOf: [1000, 1001, 1008] } }), step('ocpp.call', 'the second works', { as: 'second', action: 'Heartbeat', payload: {} }, { type: { oneOf: ['CALLRESULT', 'CALLERROR'] } })]),
  handshake('replace-refused', 'an unauthenticated connection throws nobody out', 'OCPP-011', [try_({ as: 'first' }, { status: 101 }), try_({ as: 'second', password: 'not-the-password-at-all' }, { status: 401 }), step('ocpp.ping', 'the first still answers', { as: 'first' }, { pong: true })], { needs: basic }),
  handshake('ping', 'a ping is answered with a pong', 'OCPP-014', [try_({}, { status: 101 }), step('ocpp.ping', 'ping', { as: 'cs' }, { pong: true })]),
  handshake('binary', 'binary frames close the socket', 'OCPP-015', [try_({}, { status: 101 }), step('ocpp.binary', 'a binary frame', { as: 'cs' }, { closed: true, code: { oneOf: [1003, 1006] } })]),
  handshake('huge', 'a message over the limit closes the socket with 1009', 'OCPP-013', [try_({}, { status: 101 }), step('ocpp.raw', 'two MiB', { as: 'cs', text: `[2,"big","Heartbeat",{"a":"${'x'.repeat(1_100_000)}"}]`, messageId: 'big', timeout_ms: 1500 }, { type: { oneOf: ['none', 'CALLERROR'] } }), step('ocpp.waitClosed', 'closed', { as: 'cs', timeout_ms: 3000 }, { closed: true, code: { oneOf: [1009, 1006] } })], { needs: ['message-limit'] }),
  handshake('reconnect', 'a station that reconnects without a boot goes on as before', 'OCPP-017 OCPP-010', [try_({}, { status: 101 }), boot_('first'), step('ocpp.close', 'close', { as: 'cs' }), try_({}, { status: 101 }), step('ocpp.call', 'Heartbeat', { as: 'cs', action: 'Heartbeat', payload: {} }, { type: 'CALLRESULT' })]),
]

function boot_(say: string): Step {
  return step('ocpp.call', `BootNotification (${say})`, { as: 'cs', action: 'BootNotification', payload: '${bootPayload}' }, { type: 'CALLRESULT', 'payload.status': 'Accepted' })
}

const secure: readonly Procedure[] = [
  proc(any, 'csms.tls.old', 'TLS below 1.2 is refused', 'OCPP-024', 'OCPP 2.0.1 A00.FR.313-315', [step('tls.connect', 'TLS 1.1', { url: '${tlsUrl}', minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }, { connected: false }), step('tls.connect', 'TLS 1.2', { url: '${tlsUrl}', maxVersion: 'TLSv1.2' }, { connected: true })], { needs: ['tls'], tags: ['security', 'profile-2'] }),
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'AES128-GCM-SHA256', 'AES256-GCM-SHA384'].map((ciphers) => proc(any, `csms.tls.${ciphers}`, `the suite ${ciphers} is offered`, 'OCPP-025', 'OCPP 2.0.1 A00.FR.318', [step('tls.connect', ciphers, { url: '${tlsUrl}', ciphers, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }, { connected: true, protocol: 'TLSv1.2' })], { needs: ['tls'], tags: ['security', 'profile-2'] })),
  ...['ECDHE-RSA-AES128-SHA', 'AES128-SHA', 'ECDHE-ECDSA-AES256-SHA'].map((ciphers) => proc(any, `csms.tls.weak.${ciphers}`, `the suite ${ciphers} is refused`, 'OCPP-025', 'OCPP 2.0.1 A00.FR.318', [step('tls.connect', ciphers, { url: '${tlsUrl}', ciphers, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }, { connected: false })], { needs: ['tls'], tags: ['security', 'profile-2'] })),
  proc(any, 'csms.profile-2', 'TLS with Basic authentication lets a station in, with a wrong password not', 'OCPP-020 OCPP-022', 'OCPP 2.0.1 A00', [try_({ url: '${tlsUrl}' }, { status: 101, protocol: '${subprotocol}' }), try_({ url: '${tlsUrl}', password: 'not-the-password-at-all' }, { status: 401 })], { needs: ['tls', 'basic-auth'], tags: ['security', 'profile-2'], smoke: true }),
  proc(any, 'csms.profile-3', 'a station of profile 3 comes with its certificate, and only with it', 'OCPP-020 OCPP-027 OCPP-028 OCPP-029', 'OCPP 2.0.1 A00.FR.401-429', [
    step('ocpp.connect', 'with its certificate', { id: '${certStation}', as: 'cs', url: '${tlsUrl}', identity: 'cs011', subprotocols: ['${subprotocol}'] }, { status: 101 }), step('ocpp.connect', 'without', { id: '${certStation}', as: 'b', url: '${tlsUrl}', subprotocols: ['${subprotocol}'] }, { status: { oneOf: [0, 401, 403] } }),
    step('ocpp.connect', 'over plain ws', { id: '${certStation}', as: 'c', subprotocols: ['${subprotocol}'] }, { status: { oneOf: [0, 401, 403, 404] } }), step('ocpp.connect', 'another station with that certificate', { id: '${station}', as: 'd', url: '${tlsUrl}', identity: 'cs011', subprotocols: ['${subprotocol}'] }, { status: { oneOf: [0, 401, 403] } }),
  ], { needs: ['client-certificate'], tags: ['security', 'profile-3'], smoke: true }),
  proc(any, 'csms.profile-3.stranger', 'a certificate of a CA that nobody trusts is refused', 'OCPP-027', 'OCPP 2.0.1 A00.FR.407', [step('pki.station', 'a certificate of a stranger', { as: 'stranger', cn: '${certStation}' }), step('ocpp.connect', 'with it', { id: '${certStation}', as: 'cs', url: '${tlsUrl}', identity: 'stranger', subprotocols: ['${subprotocol}'] }, { status: { oneOf: [0, 401, 403] } })], { needs: ['client-certificate'], tags: ['security', 'profile-3'] }),
  proc(any, 'csms.profile-3.other-name', 'a certificate of the right CA for another serial number is refused', 'OCPP-028', 'OCPP 2.0.1 A00.FR.404', [step('pki.station', 'a certificate of the CA for another', { as: 'other', cn: 'CS999', o: 'Loadstone', ca: 'ocppCa' }), step('ocpp.connect', 'with it', { id: '${certStation}', as: 'cs', url: '${tlsUrl}', identity: 'other', subprotocols: ['${subprotocol}'] }, { status: { oneOf: [0, 401, 403] } })], { needs: ['client-certificate', 'ocpp-ca'], tags: ['security', 'profile-3'] }),
]

/** Frames of OCPP-J that are wrong, for each version what they earn. */
const frames = (version: string): readonly Procedure[] => {
  const v = version === '1.6' ? v16 : v2, id = (word: string) => `csms${version === '1.6' ? '16' : ''}.rpc.${word}`
  const framework = version === '1.6' ? ['FormationViolation', 'ProtocolError', 'GenericError', 'FormatViolation'] : ['RpcFrameworkError']
  const raw = (say: string, text: string, expect: object, messageId?: string): Step => step('ocpp.raw', say, { as: 'cs', text, ...(messageId ? { messageId } : {}) }, expect as never)
  const rpc = (word: string, title: string, requirements: string, steps: readonly Step[], more: Partial<Procedure> = {}): Procedure => proc(v, id(word), title, requirements, 'OCPP-J part 4 §4', [...up(version), ...steps], { tags: ['rpc'], ...more })
  return [
    ...['this is not json', '{"a":1}', '[]', '"text"', '[2', 'null', '42'].map((text, i) => rpc(`not-a-message.${i}`, `'${text}' earns ${framework[0]} with id -1`, 'OCPP-055 OCPP-061', [raw(text, text, { type: 'CALLERROR', code: { oneOf: framework }, ...tidy, text: { exists: false } }), call('Heartbeat', {})], i === 0 ? { smoke: true } : {})),
    ...(version === '1.6' ? [] : ['7', '{}', '[2]'].map((id_, i) => rpc(`bad-id.${i}`, `a CALL whose id is ${id_} earns RpcFrameworkError`, 'OCPP-054', [raw(id_, `[2,${id_},"Heartbeat",{}]`, { type: 'CALLERROR', code: { oneOf: framework } }), call('Heartbeat', {})]))),
    rpc('long-id', 'an id of more than 36 characters is refused', 'OCPP-053 OCPP-054', [raw('37 characters', `[2,"${'x'.repeat(37)}","Heartbeat",{}]`, { type: 'CALLERROR', code: { oneOf: framework } }), raw('empty', '[2,"","Heartbeat",{}]', { type: 'CALLERROR', code: { oneOf: framework } })]),
    rpc('longest-id', 'an id of 36 characters is fine', 'OCPP-053', [raw('36 characters', `[2,"${'y'.repeat(36)}","Heartbeat",{}]`, { type: 'CALLRESULT' }, 'y'.repeat(36))]),
    ...(version === '1.6'
      ? [rpc('unknown-type', 'a frame of an unknown type is ignored', 'OCPP-056', [raw('type 9', '[9,"u1","Heartbeat",{}]', { type: 'none', open: true }, 'u1'), call('Heartbeat', {})])]
      : [rpc('unknown-type', 'a frame of an unknown type earns MessageTypeNotSupported', 'OCPP-056', [raw('type 9', '[9,"u1","Heartbeat",{}]', { type: 'CALLERROR', code: 'MessageTypeNotSupported' }, 'u1'), raw('type 6', '[6,"u2","Heartbeat",{}]', { type: 'CALLERROR', code: 'MessageTypeNotSupported' }, 'u2')])]),
    rpc('unknown-action', 'an unknown action is NotImplemented', 'OCPP-057', [error('MakeCoffee', {}, ['NotImplemented'])], { smoke: true }),
    rpc('wrong-direction', 'an action of the other direction is NotSupported', 'OCPP-057', [error(version === '1.6' ? 'RemoteStartTransaction' : 'SetVariables', version === '1.6' ? { idTag: 'x' } : { setVariableData: [] }, ['NotSupported', 'NotImplemented'])]),
    rpc('payload-not-object', 'a payload that is no object is a schema error', 'OCPP-058', ['[]', '"x"', '1', 'null'].map((p, i) => raw(`payload ${p}`, `[2,"p${i}","Heartbeat",${p}]`, { type: 'CALLERROR', code: { oneOf: [...schemaErrors(version), ...framework] } }, `p${i}`))),
    rpc('spelling', 'error names are spelt as the version prints them', 'OCPP-059', [error('BootNotification', {}, version === '1.6' ? ['OccurenceConstraintViolation', 'OccurrenceConstraintViolation', 'FormationViolation', 'ProtocolError'] : ['OccurrenceConstraintViolation', 'FormatViolation', 'ProtocolError'])]),
    rpc('echo', 'the wrong content is not echoed', 'OCPP-061 OCPP-055', [step('ocpp.call', 'a secret in a wrong place', { as: 'cs', action: 'Heartbeat', payload: { secretWord: 'hunter2-hunter2' } }, { type: 'CALLERROR', description: { not: { contains: 'hunter2' } } }), raw('not json', 'hunter2 is not json', { type: 'CALLERROR', description: { not: { contains: 'hunter2' } } })]),
    rpc('order', 'calls that come together are answered in order, each once', 'OCPP-050 OCPP-051 OCPP-065', [step('ocpp.burst', 'five at once', { as: 'cs', calls: Array.from({ length: 5 }, (_, i) => ({ messageId: `b${i}`, action: 'StatusNotification', payload: version === '1.6' ? { connectorId: 1, errorCode: 'NoError', status: 'Available' } : { timestamp: '${iso}', connectorStatus: 'Available', evseId: 1, connectorId: 1 } })) }, { order: { equals: ['b0', 'b1', 'b2', 'b3', 'b4'] }, types: { equals: [3, 3, 3, 3, 3] } })], { smoke: true }),
    rpc('repeat', 'a repeated id is answered again and not carried out twice', 'OCPP-064', [0, 1].map(() => step('ocpp.call', 'the same id', { as: 'cs', action: 'Heartbeat', payload: {}, messageId: 'same-id' }, { type: { oneOf: ['CALLRESULT', 'CALLERROR'] } }))),
    rpc('stray-answer', 'an answer to nothing is not answered', 'OCPP-066', [raw('a CALLRESULT', '[3,"nobody-asked",{}]', { type: 'none', open: true }, 'nobody-asked'), raw('a CALLERROR', '[4,"nobody-asked-2","GenericError","",{}]', { type: 'none', open: true }, 'nobody-asked-2'), call('Heartbeat', {})]),
    rpc('null', 'null in an optional field is a schema error', 'OCPP-062', [error('StatusNotification', version === '1.6' ? { connectorId: 1, errorCode: 'NoError', status: 'Available', info: null } : { timestamp: null, connectorStatus: 'Available', evseId: 1, connectorId: 1 }, schemaErrors(version))]),
    ...(version === '1.6' ? [] : [rpc('custom-data', 'customData with a vendorId fails no message', 'OCPP-063', [call('Heartbeat', { customData: { vendorId: 'org.example', anything: [1, { a: 2 }] } }), error('Heartbeat', { customData: { anything: 1 } }, schemaErrors(version))])]),
    rpc('offset', 'times with an offset or nanoseconds are read', 'OCPP-072', ['2026-01-01T12:00:00+02:00', '2026-01-01T10:00:00.123456789Z', '2026-01-01T10:00:00.1Z'].map((timestamp) => call('StatusNotification', version === '1.6' ? { connectorId: 1, errorCode: 'NoError', status: 'Available', timestamp } : { timestamp, connectorStatus: 'Available', evseId: 1, connectorId: 1 }))),
    rpc('time', 'currentTime is in UTC and right', 'OCPP-161 OCPP-072', [call('Heartbeat', {}, { 'payload.currentTime': { matches: 'Z$' } }, { save: { t: 'payload.currentTime' } })]),
  ]
}

/** The admission of stations: nobody speaks before an accepted boot. */
const admission: readonly Procedure[] = (['2.0.1', '1.6'] as const).map((version) => proc(version === '1.6' ? v16 : v2, `csms${version === '1.6' ? '16' : ''}.first-boot`, 'before its first accepted boot a station gets SecurityError for anything else', 'OCPP-085 OCPP-080', 'OCPP 2.0.1 B01.FR.10', [
  step('operator.request', 'a new station', { method: 'POST', path: '/stations', json: { id: '${run}', securityProfile: 1, password: 'a-long-enough-password-1' } }, { status: 201 }),
  connect(version, { id: '${run}', password: 'a-long-enough-password-1' }), error('StatusNotification', version === '1.6' ? { connectorId: 1, errorCode: 'NoError', status: 'Available' } : { timestamp: '${iso}', connectorStatus: 'Available', evseId: 1, connectorId: 1 }, version === '1.6' ? ['SecurityError', 'GenericError', 'ProtocolError'] : ['SecurityError']),
  boot(version), call('Heartbeat', {}),
], { needs: ['operator-stations'], tags: ['B'] }))

export const connection: readonly Procedure[] = [...handshakes, ...secure, ...frames('2.0.1'), ...frames('1.6'), ...admission]
