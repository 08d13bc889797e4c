import type { Procedure } from '#conformance/procedure.js'
import { ask, aus, control, discover, doc, operate, proc, refused, withdraw } from '#conformance/procedure/csip/steps.js'

/** What CSIP-AUS adds: its namespace, envelopes, connection points, and how aggregators register. */
const clause = 'SA TS 5573'
const needs = ['operator-csip']
const newest = ['csip-aus-1.3'], oldest = ['csip-aus-1.2']
const limits = ['opModImpLimW', 'opModExpLimW', 'opModGenLimW', 'opModLoadLimW']
const own = (element: string, inner: string): string => `<csipaus:${element} xmlns:csipaus="\${ausNs}">${inner}</csipaus:${element}>`
const watts = (element: string, value: number): string => own(element, `<multiplier>0</multiplier><value>${value}</value>`)
const point = (ns: string, inner: string): string => `<csipaus:ConnectionPoint xmlns:csipaus="${ns}" xmlns="urn:ieee:std:2030.5:ns">${inner}</csipaus:ConnectionPoint>`
const settings = '<setGradW>27</setGradW><setMaxW><multiplier>0</multiplier><value>5000</value></setMaxW><updatedTime>${now}</updatedTime>'
/** SEP-240: the limits in this order, after the last child of the base. */
const afterTheBase = ['opModMaxLimW', ...limits].map((name) => `${name}[ >]`).join('[\\s\\S]*')

export const australian: readonly Procedure[] = [
  proc(aus, 'csip.aus.limits', 'the four limits of CSIP-AUS stand together in one control, after the base’s own', 'SEP-133 SEP-240 SEP-241 SEP-242', `${clause} DERControlBase`, [
    discover(), operate('POST', '${it.own.DERControlListLink}', { status: 201 }, { text: control('limits', { base: `<opModMaxLimW>9000</opModMaxLimW>${limits.map((name, i) => watts(name, 1500 + i)).join('')}` }), save: { limits: 'headers.location' } }),
    ask('device-1', 'GET', '${limits}', { 'status': 200, ...Object.fromEntries(limits.map((name, i) => [`xml.DERControlBase[0].${name}[0].value[0]`, String(1500 + i)])), 'text': { all: [{ contains: 'xmlns:csipaus="${ausNs}"' }, { matches: afterTheBase }] } }),
  ], { needs, tags: ['aus', 'event'], ...withdraw('limits') }),
  proc(aus, 'csip.aus.default', 'the limits and the ramp stand in the default too', 'SEP-242 SEP-131 SEP-240', `${clause} DefaultDERControl`, [
    discover(), ask('device-1', 'GET', '${it.own.DefaultDERControlLink}', { status: 200 }, { save: { id: 'xml.mRID[0]' } }),
    operate('PUT', '${it.own.DefaultDERControlLink}', { status: { oneOf: [200, 204] } }, { text: doc('DefaultDERControl', `<mRID>\${id}</mRID><DERControlBase>${limits.map((name, i) => watts(name, 1600 + i)).join('')}</DERControlBase><setGradW>28</setGradW>`) }),
    ask('device-1', 'GET', '${it.own.DefaultDERControlLink}', { 'status': 200, 'xml.setGradW[0]': '28', ...Object.fromEntries(limits.map((name, i) => [`xml.DERControlBase[0].${name}[0].value[0]`, String(1600 + i)])) }),
  ], { needs, tags: ['aus', 'derp'] }),
  proc(aus, 'csip.aus.settings', 'DERSettings give back doeModesEnabled after the base’s own', 'SEP-143 SEP-240 SEP-241', `${clause} DERSettings`, [
    discover(), ask('device-1', 'PUT', '${it.der.DERSettingsLink}', { status: { oneOf: [201, 204] } }, { text: doc('DERSettings', `${settings}${own('doeModesEnabled', '03')}`) }),
    ask('device-1', 'GET', '${it.der.DERSettingsLink}', { status: 200, 'xml.doeModesEnabled[0]': '03', order: { inOrderOf: ['setGradW', 'setMaxW', 'updatedTime', 'doeModesEnabled'] }, text: { contains: '${ausNs}' } }),
  ], { tags: ['aus', 'der'] }),
  proc(newest, 'csip.aus13.settings', 'DERSettings give back vppModesEnabled and setMinWh too', 'SEP-143 SEP-241', 'CSIP-AUS 1.3 DERSettings', [
    discover(), ask('device-1', 'PUT', '${it.der.DERSettingsLink}', { status: { oneOf: [201, 204] } }, { text: doc('DERSettings', `${settings}${own('doeModesEnabled', '03')}${own('vppModesEnabled', '01')}${watts('setMinWh', 400)}`) }),
    ask('device-1', 'GET', '${it.der.DERSettingsLink}', { 'status': 200, 'xml.vppModesEnabled[0]': '01', 'xml.setMinWh[0].value[0]': '400' }),
  ], { tags: ['aus', 'der'] }),
  proc(aus, 'csip.aus.connection-point.id', 'the name that version 1.1 gave the connection point is read', 'SEP-112', `${clause} ConnectionPoint`, [
    discover('device-2'), ask('device-2', 'PUT', '${it.links.ConnectionPointLink}', { 'status': { oneOf: [201, 204] }, 'headers.location': { matches: '^/' } }, { text: point('${ausNs}', '<csipaus:id>4102123456</csipaus:id>') }), ask('device-2', 'GET', '${it.links.ConnectionPointLink}', { status: 200, 'xml.connectionPointId[0]': '4102123456' }), ask('device-1', 'GET', '${it.links.ConnectionPointLink}', { status: { oneOf: [403, 404] } }),
  ], { tags: ['aus'] }),
  proc(aus, 'csip.aus.duplicate', 'a second registration is a conflict that names the record one has; of another’s LFDI it is refused and names nothing', 'SEP-105 SEP-104', `${clause} registration`, [
    discover(), ...['1', '2'].map((n) => ({ say: 'arithmetic', do: 'sfdi', with: { lfdi: `\${lfdi${n}}` }, save: { [`sfdi${n}`]: 'sfdi' } })),
    ask('device-1', 'POST', '/edev', { ...refused(409), 'headers.location': '${it.edev}' }, { text: doc('EndDevice', '<lFDI>${lfdi1}</lFDI><sFDI>${sfdi1}</sFDI><changedTime>${now}</changedTime>'), keep: true }),
    ask('device-1', 'POST', '/edev', { ...refused(403), 'headers.location': { exists: false } }, { text: doc('EndDevice', '<lFDI>${lfdi2}</lFDI><sFDI>${sfdi2}</sFDI><changedTime>${now}</changedTime>'), keep: true }),
  ], { tags: ['aus', 'edev'] }),
  proc(aus, 'csip.aus.aggregator', 'an aggregator’s own EndDevice comes first for it, and it alone holds the subscriptions', 'SEP-246 SEP-153', `${clause} aggregators`, [
    discover('aggregator-1', 'agg', '${lfdiA}'), { say: 'its list', do: 'value', with: { first: '${agg.devices[0]}' }, expect: { first: '${lfdiA}' } }, ask('aggregator-1', 'GET', '${agg.edev}', { status: 200, 'xml.SubscriptionListLink': { exists: true } }),
    discover('aggregator-1', 'managed', '${lfdi3}'), ask('aggregator-1', 'GET', '${managed.edev}', { status: 200, 'xml.SubscriptionListLink': { exists: false } }),
  ], { needs: ['aggregator'], tags: ['aus', 'access'] }),
  proc(aus, 'csip.aus.poll-rates', 'the lists that a site polls tell their poll rate', 'SEP-243', `${clause} poll rates`, [
    discover(), ...['${dcap}', '${it.dcap.EndDeviceListLink}', '${it.links.FunctionSetAssignmentsListLink}', '${it.links.DERListLink}', '${it.dcap.MirrorUsagePointListLink}'].map((path) => ask('device-1', 'GET', path, { 'status': 200, 'xml.@pollRate': { matches: '^[1-9]\\d*$' } })),
    ask('device-1', 'GET', '${it.fsa[0].href}', { status: 200 }, { save: { programs: 'xml.DERProgramListLink[0].@href' } }), ask('device-1', 'GET', '${programs}', { 'status': 200, 'xml.@pollRate': { matches: '^[1-9]\\d*$' } }),
  ], { tags: ['aus'] }),
  proc(aus, 'csip.aus.mrid', 'an mRID ends in the maker’s number as eight decimal digits', 'SEP-063', `${clause} mRID`, [discover(), { say: 'programs', do: 'value', with: { ids: '${it.programs[*].mRID}' }, expect: { ids: { each: { matches: '^[0-9A-F]{24}[0-9]{8}$' } } } }], { needs: ['mrid-16'], tags: ['aus'] }),
  proc(aus, 'csip.aus.connection-point', 'ConnectionPoint: 404 before, 201 then 204, both with Location', 'SEP-042 SEP-112 SEP-240', 'SA TS 5573 ConnectionPoint', [
    discover('device-2'), ask('device-2', 'GET', '${it.links.ConnectionPointLink}', { status: { oneOf: [200, 404] } }), ask('device-2', 'PUT', '${it.links.ConnectionPointLink}', { status: { oneOf: [201, 204] }, 'headers.location': { matches: '^/' } }, { text: '<csipaus:ConnectionPoint xmlns:csipaus="${ausNs}" xmlns="urn:ieee:std:2030.5:ns"><csipaus:connectionPointId>4102123456</csipaus:connectionPointId></csipaus:ConnectionPoint>' }),
    ask('device-2', 'GET', '${it.links.ConnectionPointLink}', { status: 200, root: 'ConnectionPoint', namespace: '${ausNs}', 'xml.connectionPointId[0]': '4102123456' }), ask('device-2', 'PUT', '${it.links.ConnectionPointLink}', { ...refused(400), 'xml.reasonCode[0]': '1' }, { text: '<csipaus:ConnectionPoint xmlns:csipaus="${ausNs}"><csipaus:connectionPointId></csipaus:connectionPointId></csipaus:ConnectionPoint>' }),
  ], { tags: ['aus'], smoke: true }),
  proc(aus, 'csip.aus.capability', 'DERCapability needs doeModesSupported and gives it back after the base’s own', 'SEP-141 SEP-142 SEP-240 SEP-241', 'SA TS 5573 DERCapability', [
    discover(), ask('device-1', 'PUT', '${it.der.DERCapabilityLink}', { status: { oneOf: [201, 204] } }, { text: doc('DERCapability', '<modesSupported>00500000</modesSupported><rtgMaxW><multiplier>0</multiplier><value>5000</value></rtgMaxW><type>83</type><csipaus:doeModesSupported xmlns:csipaus="${ausNs}">0F</csipaus:doeModesSupported>') }),
    ask('device-1', 'GET', '${it.der.DERCapabilityLink}', { 'status': 200, 'xml.doeModesSupported[0]': '0F', 'order': { inOrderOf: ['modesSupported', 'rtgMaxW', 'type', 'doeModesSupported'] } }),
    ask('device-1', 'PUT', '${it.der.DERCapabilityLink}', refused(400), { text: doc('DERCapability', '<modesSupported>00500000</modesSupported><rtgMaxW><multiplier>0</multiplier><value>5000</value></rtgMaxW><type>83</type>') }),
  ], { tags: ['aus'] }),
  proc(oldest, 'csip.aus.no-well-known', '1.2 has no /.well-known/csipaus', 'SEP-016', 'SA TS 5573', [ask('device-1', 'GET', '/.well-known/csipaus', { status: { oneOf: [404, 410] } })], { tags: ['aus'] }),
  proc(aus, 'csip.aus.site', 'an aggregator registers a site by an LFDI of its own making, whose SFDI derives from it', 'SEP-067 SEP-104 SEP-244', 'SA TS 5573 registration', [
    { say: 'arithmetic', do: 'value', with: { site: '${mrid:site}' }, save: { site: 'site' } }, { say: 'arithmetic', do: 'sfdi', with: { lfdi: '${site}${aggregatorPen}' }, save: { sfdi: 'sfdi' } },
    ask('aggregator-1', 'POST', '/edev', refused([400, 403]), { text: doc('EndDevice', '<lFDI>${site}${aggregatorPen}</lFDI><sFDI>1</sFDI><changedTime>${now}</changedTime>') }), ask('aggregator-1', 'POST', '/edev', { status: 201, 'headers.location': { matches: '^/' } }, { text: doc('EndDevice', '<lFDI>${site}${aggregatorPen}</lFDI><sFDI>${sfdi}</sFDI><changedTime>${now}</changedTime>'), save: { made: 'headers.location' } }),
    ask('aggregator-1', 'GET', '${made}', { status: 200, 'xml.lFDI[0]': '${site}${aggregatorPen}' }), ask('device-1', 'GET', '${made}', { status: { oneOf: [403, 404] } }), ask('aggregator-1', 'POST', '/edev', { status: { all: [{ atLeast: 400 }, { atMost: 499 }] } }, { text: doc('EndDevice', '<lFDI>${site}${aggregatorPen}</lFDI><sFDI>${sfdi}</sFDI><changedTime>${now}</changedTime>') }),
  ], { needs: ['aggregator', 'aggregator-registers'], tags: ['aus', 'edev'], after: [operate('DELETE', '${made}', {})] }),
  proc(newest, 'csip.aus13.well-known', 'the versions and their DeviceCapability are announced', 'SEP-016 SEP-240', 'CSIP-AUS 1.3', [ask('device-1', 'GET', '/.well-known/csipaus', { status: 200, text: { all: [{ contains: '1.3' }, { contains: '${dcap}' }] } }), ask('device-1', 'GET', '${dcap}', { status: 200, root: 'DeviceCapability' })], { tags: ['aus'] }),
  proc(newest, 'csip.aus13.storage', 'a storage target stands in a control, after the base’s own', 'SEP-133 SEP-241 SEP-242', 'CSIP-AUS 1.3 DERControlBase', [
    discover(), operate('POST', '${it.own.DERControlListLink}', { status: 201 }, { text: doc('DERControl', '<mRID>${mrid:store}</mRID><creationTime>${now}</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>${now}</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>600</duration><start>${now}</start></interval><DERControlBase><csipaus:opModStorageTargetW xmlns:csipaus="${ausNs}"><multiplier>0</multiplier><value>-1500</value></csipaus:opModStorageTargetW></DERControlBase>'), save: { store: 'headers.location' } }),
    ask('device-1', 'GET', '${store}', { status: 200, 'xml.DERControlBase[0].opModStorageTargetW[0].value[0]': '-1500', text: { contains: '${ausNs}' } }),
  ], { needs: ['operator-csip'], tags: ['aus', 'event'], after: [operate('DELETE', '${store}', {})] }),
]
