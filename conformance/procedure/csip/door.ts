import type { Procedure, Step } from '#conformance/procedure.js'
import { all, ask, aus, discover, goodLeaf, proc } from '#conformance/procedure/csip/steps.js'

const clause = 'IEEE 2030.5-2018 §6, CSIP 2.1'
/** SEP-206: what CSIP-AUS issuers may be forgiven. */
const lenient: readonly [kind: string, what: string][] = [['subject', 'has a Subject'], ['dns-san', 'names a host'], ['no-policy', 'has no policies'], ['finite', 'ends some day']]
const leaf = (kind: string): Step => ({ say: `a leaf of kind ${kind}`, do: 'pki.leaf', with: { as: 'bad', kind } })

export const door: readonly Procedure[] = [
  proc(all, 'csip.pipeline', 'requests on one connection are answered in order', 'SEP-008', clause, [discover(), { say: 'three at once', do: 'socket.pipeline', with: { as: 'device-1', paths: ['${dcap}', '${it.dcap.TimeLink}', '${it.edev}'] }, expect: { statuses: { equals: [200, 200, 200] }, roots: { equals: ['DeviceCapability', 'Time', 'EndDevice'] } } }], { tags: ['tls'] }),
  proc(all, 'csip.keep-alive', 'a connection that is silent for longer than six seconds still stands', 'SEP-008', clause, [{ say: 'silence', do: 'socket.idle', with: { as: 'device-1', path: '${dcap}', ms: 6500 }, expect: { statuses: { equals: [200, 200] } } }], { tags: ['tls'] }),
  proc(all, 'csip.resume', 'a resumed session is the same client', 'SEP-007', clause, [discover(), { say: 'resumption', do: 'socket.resume', with: { as: 'device-1', path: '${it.edev}' }, expect: { status: 200, body: { contains: '${lfdi1}' } } }, { say: 'and it was resumed', do: 'socket.resume', with: { as: 'device-1', path: '${it.edev}' }, expect: { resumed: true }, should: true }], { tags: ['tls'] }),
  proc(all, 'csip.prefix', 'every link carries the path prefix of DeviceCapability', 'SEP-010 SEP-014', clause, [discover(), ask('device-1', 'GET', '${dcap}', { status: 200, text: { not: { matches: 'href="(?!${prefix}/)' } } }), ask('device-1', 'GET', '${it.edev}', { status: 200, text: { not: { matches: 'href="(?!${prefix}/)' } } })], { tags: ['discovery'] }),
  proc(all, 'csip.cert.self-signed', 'a self-signed certificate that nobody pinned reaches no resource', 'SEP-208', 'IEEE 2030.5-2018 §6.11.8', [...goodLeaf, leaf('self-signed'), ask('bad', 'GET', '${dcap}', { status: { oneOf: [0, 403] } })], { needs: ['mica'], tags: ['certificate'] }),
  ...lenient.map(([kind, what]) => proc(aus, `csip.aus.cert.${kind}`, `a certificate that ${what} is forgiven in CSIP-AUS`, 'SEP-206', 'SA TS 5573 certificates', [leaf(kind), ask('bad', 'GET', '${dcap}', { status: 200 })], { needs: ['mica', 'lenient-issuers'], tags: ['certificate', 'aus'] })),
  proc(all, 'csip.limits', 'a client that asks without end is told to wait, with reasonCode 4', 'SEP-046', clause, [
    { say: 'three hundred requests', do: 'http.parallel', with: { count: 300, request: { method: 'GET', path: '${dcap}', as: 'device-2' } }, expect: { 'counts.429': { atLeast: 1 }, 'counts.200': { atLeast: 20 } } }, ask('device-2', 'GET', '${dcap}', { status: { oneOf: [200, 429] } }), ask('device-1', 'GET', '${dcap}', { status: 200 }),
  ], { needs: ['rate-limits'], tags: ['limits'] }),
]
