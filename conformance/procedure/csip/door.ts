import type { Procedure, Step } from '#conformance/procedure.js'
import { all, ask, aus, discover, doc, operate, proc, refused } from '#conformance/procedure/csip/steps.js'

const clause = 'IEEE 2030.5-2018 §6, CSIP 2.1'
/** SEP-206: what CSIP-AUS issuers may be forgiven. */
const lenient: readonly [kind: string, what: string][] = [['subject', 'has a Subject'], ['dns-san', 'names a host'], ['no-policy', 'has no policies'], ['finite', 'ends some day']]
const leaf = (kind: string): Step => ({ say: `a leaf of kind ${kind}`, do: 'pki.leaf', with: { as: 'bad', kind } })

export const door: readonly Procedure[] = [
  proc(all, 'csip.pipeline', 'requests on one connection are answered in order', 'SEP-008', clause, [discover(), { say: 'three at once', do: 'socket.pipeline', with: { as: 'device-1', paths: ['${dcap}', '${it.dcap.TimeLink}', '${it.edev}'] }, expect: { statuses: { equals: [200, 200, 200] }, roots: { equals: ['DeviceCapability', 'Time', 'EndDevice'] } } }], { tags: ['tls'] }),
  proc(all, 'csip.keep-alive', 'a connection that is silent for longer than six seconds still stands', 'SEP-008', clause, [{ say: 'silence', do: 'socket.idle', with: { as: 'device-1', path: '${dcap}', ms: 6500 }, expect: { statuses: { equals: [200, 200] } } }], { tags: ['tls'] }),
  proc(all, 'csip.resume', 'a resumed session is the same client', 'SEP-007', clause, [discover(), { say: 'resumption', do: 'socket.resume', with: { as: 'device-1', path: '${it.edev}' }, expect: { status: 200, body: { contains: '${lfdi1}' } } }, { say: 'and it was resumed', do: 'socket.resume', with: { as: 'device-1', path: '${it.edev}' }, expect: { resumed: true }, should: true }], { tags: ['tls'] }),
  proc(all, 'csip.prefix', 'every link carries the path prefix of DeviceCapability', 'SEP-010 SEP-014', clause, [discover(), ask('device-1', 'GET', '${dcap}', { status: 200, text: { not: { matches: 'href="(?!${prefix}/)' } } }), ask('device-1', 'GET', '${it.edev}', { status: 200, text: { not: { matches: 'href="(?!${prefix}/)' } } })], { tags: ['discovery'] }),
  proc(all, 'csip.cert.self-signed', 'a self-signed certificate that nobody pinned reaches no resource', 'SEP-208', 'IEEE 2030.5-2018 §6.11.8', [leaf('self-signed'), ask('bad', 'GET', '${dcap}', { status: { oneOf: [0, 403] } })], { needs: ['mica'], tags: ['certificate'] }),
  ...lenient.map(([kind, what]) => proc(aus, `csip.aus.cert.${kind}`, `a certificate that ${what} is forgiven in CSIP-AUS`, 'SEP-206', 'SA TS 5573 certificates', [leaf(kind), ask('bad', 'GET', '${dcap}', { status: 200 })], { needs: ['mica', 'lenient-issuers'], tags: ['certificate', 'aus'] })),
  proc(aus, 'csip.aus.site', 'an aggregator registers a site by an LFDI of its own making, whose SFDI derives from it', 'SEP-067 SEP-104 SEP-244', 'SA TS 5573 registration', [
    { say: 'arithmetic', do: 'value', with: { site: '${mrid:site}' }, save: { site: 'site' } }, { say: 'arithmetic', do: 'sfdi', with: { lfdi: '${site}${aggregatorPen}' }, save: { sfdi: 'sfdi' } },
    ask('aggregator-1', 'POST', '/edev', refused([400, 403]), { text: doc('EndDevice', '<lFDI>${site}${aggregatorPen}</lFDI><sFDI>1</sFDI><changedTime>${now}</changedTime>') }), ask('aggregator-1', 'POST', '/edev', { status: 201, 'headers.location': { matches: '^/' } }, { text: doc('EndDevice', '<lFDI>${site}${aggregatorPen}</lFDI><sFDI>${sfdi}</sFDI><changedTime>${now}</changedTime>'), save: { made: 'headers.location' } }),
    ask('aggregator-1', 'GET', '${made}', { status: 200, 'xml.lFDI[0]': '${site}${aggregatorPen}' }), ask('device-1', 'GET', '${made}', { status: { oneOf: [403, 404] } }), ask('aggregator-1', 'POST', '/edev', { status: { all: [{ atLeast: 400 }, { atMost: 499 }] } }, { text: doc('EndDevice', '<lFDI>${site}${aggregatorPen}</lFDI><sFDI>${sfdi}</sFDI><changedTime>${now}</changedTime>') }),
  ], { needs: ['aggregator', 'aggregator-registers'], tags: ['aus', 'edev'], after: [operate('DELETE', '${made}', {})] }),
  proc(all, 'csip.limits', 'a client that asks without end is told to wait, with reasonCode 4', 'SEP-046', clause, [
    { say: 'three hundred requests', do: 'http.parallel', with: { count: 300, request: { method: 'GET', path: '${dcap}', as: 'device-2' } }, expect: { 'counts.429': { atLeast: 1 }, 'counts.200': { atLeast: 20 } } }, ask('device-2', 'GET', '${dcap}', { status: { oneOf: [200, 429] } }), ask('device-1', 'GET', '${dcap}', { status: 200 }),
  ], { needs: ['rate-limits'], tags: ['limits'] }),
  proc(['csip-aus-1.3'], 'csip.aus13.well-known', 'the versions and their DeviceCapability are announced', 'SEP-016 SEP-240', 'CSIP-AUS 1.3', [ask('device-1', 'GET', '/.well-known/csipaus', { status: 200, text: { matches: '1\\.3[\\s\\S]*|[\\s\\S]*1\\.3' } }), ask('device-1', 'GET', '${dcap}', { status: 200 })], { tags: ['aus'] }),
  proc(['csip-aus-1.3'], 'csip.aus13.storage', 'a storage target stands in a control, after the base’s own', 'SEP-133 SEP-241 SEP-242', 'CSIP-AUS 1.3 DERControlBase', [
    discover(), operate('POST', '${it.own.DERControlListLink}', { status: 201 }, { text: doc('DERControl', '<mRID>${mrid:store}</mRID><creationTime>${now}</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>${now}</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>600</duration><start>${now}</start></interval><DERControlBase><csipaus:opModStorageTargetW xmlns:csipaus="${ausNs}"><multiplier>0</multiplier><value>-1500</value></csipaus:opModStorageTargetW></DERControlBase>'), save: { store: 'headers.location' } }),
    ask('device-1', 'GET', '${store}', { status: 200, 'xml.DERControlBase[0].opModStorageTargetW[0].value[0]': '-1500', text: { contains: '${ausNs}' } }),
  ], { needs: ['operator-csip'], tags: ['aus', 'event'], after: [operate('DELETE', '${store}', {})] }),
]
