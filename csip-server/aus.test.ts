import t from 'tap'
import { sfdiOf } from '#certs/lfdi.js'
import { handClock } from '#core/port/clock.js'
import { attributeOf, makePki, sep, serverUnderTest, textOf } from '#csip-server/fixture.js'
import { devicePeer, operatorPeer, type Peer } from '#csip-server/identity.js'
import type { CsipConfig } from '#csip-server/config.js'
import { csipConfig } from '#csip-server/config.js'
import { testDatabase } from '#prisma/test-database.js'

const clock = handClock(Date.UTC(2026, 10, 23, 22, 0, 0))
const pki = await makePki(), db = await testDatabase({ clock })
const [one, agg] = [await pki.device('one'), await pki.device('agg')]
const at = (profile: CsipConfig['profile'], more: Partial<CsipConfig> = {}) => {
  const { csip } = serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock, config: { ...csipConfig({ LOADSTONE_CSIP_PROFILE: profile }), notifyAllow: ['127.0.0.1'], rateLimit: null, ...more } })
  const as = (peer: Peer) => async (method: string, target: string, xml?: string) => {
    const a = await csip.door.handle({ method, target, peer, contentType: 'application/sep+xml', ...(xml ? { body: Buffer.from(xml) } : {}) })
    return { status: a.status, body: a.body?.toString() ?? '', location: a.location ?? '' }
  }
  return { csip, operator: as(operatorPeer('op')), device: as(devicePeer(one.lfdi, one.sfdi)), aggregator: as(devicePeer(agg.lfdi, agg.sfdi)) }
}
const older = at('csip-aus-1.2'), newer = at('csip-aus-1.3'), plain = at('csip')
await older.csip.provisioning.registerEndDevices([{ lfdi: one.lfdi, groups: ['system', 'F1', 'one'] }, { lfdi: agg.lfdi }, { lfdi: 'C'.repeat(40), manager: agg.lfdi, groups: ['system', 'F1', 'site'] }])
t.teardown(() => db.close())

const namespace = { older: 'https://csipaus.org/ns', newer: 'https://csipaus.org/ns/v1.3' }
const watts = (name: string, value: number): string => `<c:${name}><multiplier>0</multiplier><value>${value}</value></c:${name}>`
const event = (name: string, mRID: string, inner: string, ns: string, start = clock.now()): string => `<${name} xmlns="urn:ieee:std:2030.5:ns" xmlns:c="${ns}"><mRID>${mRID}</mRID><creationTime>0</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>0</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>600</duration><start>${start}</start></interval>${inner}</${name}>`

t.test('SEP-240, SEP-241, SEP-242 the envelope: four limits at once, after the base children, in the namespace of the edition', async (t) => {
  const base = `<opModConnect>true</opModConnect><opModEnergize>true</opModEnergize><opModFixedW>-500</opModFixedW><rampTms>100</rampTms>${['opModLoadLimW', 'opModGenLimW', 'opModExpLimW', 'opModImpLimW', 'opModStorageTargetW'].map((n, i) => watts(n, i)).join('')}`
  for (const [name, server, names] of [
    ['older', older, ['opModImpLimW', 'opModExpLimW', 'opModGenLimW', 'opModLoadLimW']],
    ['newer', newer, ['opModImpLimW', 'opModExpLimW', 'opModGenLimW', 'opModLoadLimW', 'opModStorageTargetW']],
  ] as const) {
    const made = await server.operator('POST', '/derp/one/derc', event('DERControl', name === 'older' ? '0A01' : '0A02', `<DERControlBase>${base}</DERControlBase>`, namespace[name]))
    t.equal(made.status, 201, name)
    const { body } = await server.device('GET', made.location)
    t.equal(attributeOf(body, 'DERControl', 'xmlns:csipaus'), namespace[name])
    const children = [...body.slice(body.indexOf('<DERControlBase>')).matchAll(/<(csipaus:)?(opMod\w+|rampTms)[ >]/g)].map((m) => (m[1] ?? '') + m[2])
    t.same(children, ['opModConnect', 'opModEnergize', 'opModFixedW', 'rampTms', ...names.map((n) => `csipaus:${n}`)])
    t.equal((await server.operator('PUT', '/derp/one/dderc', `<DefaultDERControl xmlns="urn:ieee:std:2030.5:ns" xmlns:c="${namespace[name]}"><mRID>0A09</mRID><DERControlBase>${watts('opModImpLimW', 1500)}${watts('opModExpLimW', 0)}</DERControlBase><setGradW>27</setGradW></DefaultDERControl>`)).status, 204)
    t.match((await server.device('GET', '/derp/one/dderc')).body, /<csipaus:opModImpLimW>.*<csipaus:opModExpLimW>.*<setGradW>27</, 'and in the default')
  }
})

t.test('SEP-241 what a device says of envelope and storage modes comes back; 1.2 knows less of it', async (t) => {
  const path = `/edev/${one.lfdi}/der/1`
  const capability = (ns: string) => `<DERCapability xmlns="urn:ieee:std:2030.5:ns" xmlns:c="${ns}"><modesSupported>00</modesSupported><rtgMaxW><multiplier>0</multiplier><value>5000</value></rtgMaxW><type>83</type><c:doeModesSupported>0f</c:doeModesSupported><c:vppModesSupported>01</c:vppModesSupported></DERCapability>`
  const settings = (ns: string) => `<DERSettings xmlns="urn:ieee:std:2030.5:ns" xmlns:c="${ns}"><setGradW>1</setGradW><setMaxW><multiplier>0</multiplier><value>5000</value></setMaxW><updatedTime>1</updatedTime><c:doeModesEnabled>03</c:doeModesEnabled><c:vppModesEnabled>01</c:vppModesEnabled>${watts('setMinWh', 500)}</DERSettings>`
  t.same([(await newer.device('PUT', `${path}/dercap`, capability(namespace.newer))).status, (await newer.device('PUT', `${path}/derg`, settings(namespace.newer))).status], [204, 204])
  t.match((await newer.device('GET', `${path}/dercap`)).body, /<type>83<\/type><csipaus:doeModesSupported>0F<\/csipaus:doeModesSupported><csipaus:vppModesSupported>01</)
  t.match((await newer.device('GET', `${path}/derg`)).body, /<csipaus:doeModesEnabled>03<.*<csipaus:vppModesEnabled>01<.*<csipaus:setMinWh>/)
  t.same([(await older.device('PUT', `${path}/dercap`, capability(namespace.older))).status, (await older.device('PUT', `${path}/derg`, settings(namespace.older))).status], [204, 204])
  const said = (await older.device('GET', `${path}/dercap`)).body + (await older.device('GET', `${path}/derg`)).body
  t.match(said, /doeModesSupported>0F.*doeModesEnabled>03/s)
  t.notMatch(said, /vppModes|setMinWh/)
})

t.test('SEP-056, SEP-200, SEP-241 CSIP-AUS 1.3 pricing: all intervals of a tariff in one list, each with its prices and its component', async (t) => {
  const tariff = (await newer.operator('POST', '/tp', sep('TariffProfile', '<mRID>0B01</mRID><currency>36</currency><primacy>1</primacy><serviceCategoryKind>0</serviceCategoryKind>'))).location
  const components: string[] = []
  for (const [i, start] of [300, 0].entries()) {
    const rate = (await newer.operator('POST', `${tariff}/rc`, sep('RateComponent', `<mRID>0B1${i}</mRID><roleFlags>00</roleFlags>`))).location
    components.push(rate)
    const interval = (await newer.operator('POST', `${rate}/tti`, event('TimeTariffInterval', `0B2${i}`, '<touTier>1</touTier>', namespace.newer, clock.now() + start))).location
    t.equal((await newer.operator('POST', `${interval}/cti`, sep('ConsumptionTariffInterval', `<consumptionBlock>0</consumptionBlock><price>${100 + i}</price><startValue>0</startValue>`))).status, 201)
  }
  const link = attributeOf((await newer.device('GET', tariff)).body, 'csipaus:CombinedTimeTariffIntervalListLink', 'href')!
  const { body } = await newer.device('GET', `${link}?l=9`)
  t.match([attributeOf(body, 'TimeTariffIntervalList', 'all'), attributeOf(body, 'TimeTariffIntervalList', 'pollRate')], ['2', '900'])
  t.same([...body.matchAll(/<price>(\d+)</g)].map((m) => m[1]), ['101', '100'], 'by start, whichever component')
  t.same([...body.matchAll(/<RateComponentLink href="([^"]+)"/g)].map((m) => m[1]), components.toReversed())
  t.match(body, /<touTier>1<\/touTier><csipaus:ConsumptionTariffIntervalListSummary [^>]*all="1" results="1".*?<\/csipaus:ConsumptionTariffIntervalListSummary><RateComponentLink/)
  for (const href of body.matchAll(/<TimeTariffInterval href="([^"]+)"/g)) t.equal((await newer.device('GET', href[1]!)).status, 200, 'SEP-056')
  const second = await newer.device('GET', `${link}?s=1&l=1`)
  t.same([...second.body.matchAll(/<price>(\d+)</g)].map((m) => m[1]), ['100'])
  t.match((await newer.device('GET', `${tariff}/rc?l=9`)).body, /<RateComponentList [^>]*subscribable="1"/)
  t.equal((await newer.device('POST', `/edev/${one.lfdi}/sub`, sep('Subscription', `<subscribedResource>${link}</subscribedResource><encoding>0</encoding><level>+S1</level><limit>1</limit><notificationURI>https://127.0.0.1:1/</notificationURI>`))).status, 201, 'SEP-152')
  t.notMatch((await older.device('GET', tariff)).body, /Combined/, 'not in 1.2')
  t.equal((await older.device('GET', link)).status, 404)
})

t.test('SEP-243 rates are set per site and show on the next GET', async (t) => {
  const put = (path: string, name: string, seconds: number) => older.operator('PUT', path, sep(name, '').replace('>', ` all="0" results="0" pollRate="${seconds}">`))
  for (const [path, name] of [['/dcap', 'DeviceCapability'], ['/edev', 'EndDeviceList'], [`/edev/${one.lfdi}/fsa`, 'FunctionSetAssignmentsList'], ['/derp', 'DERProgramList'], [`/edev/${one.lfdi}/der`, 'DERList'], ['/mup', 'MirrorUsagePointList']] as const) {
    t.equal((await put(path, name, 77)).status, 204, path)
    t.equal(attributeOf((await older.device('GET', path)).body, name, 'pollRate'), '77', path)
  }
  const edev = sep('EndDevice', `<lFDI>${one.lfdi}</lFDI><sFDI>${one.sfdi}</sFDI><changedTime>0</changedTime><postRate>60</postRate>`)
  t.equal((await older.operator('PUT', `/edev/${one.lfdi}`, edev)).status, 204)
  t.equal(textOf((await older.device('GET', `/edev/${one.lfdi}`)).body, 'postRate'), '60')
})

t.test('SEP-244, SEP-067, SEP-104, SEP-105 registration in band: by the site’s aggregator, under its PEN, once', async (t) => {
  const open = at('csip-aus-1.2', { registration: 'open', aggregatorPens: [28547] }), site = (pen: string): string => 'AB'.repeat(16) + pen
  const register = (lfdi: string, who = open.aggregator, sfdi = sfdiOf(lfdi)) => who('POST', '/edev', sep('EndDevice', `<lFDI>${lfdi}</lFDI><sFDI>${sfdi}</sFDI><changedTime>0</changedTime>`))
  t.same([(await register(site('00028547'))).status, (await register(site('00028547'))).status], [201, 409])
  t.equal((await register(site('00028548'))).status, 403, 'another’s PEN')
  t.equal((await register(site('0002854A'))).status, 403, 'not decimal')
  t.equal((await register(site('00028547'), open.aggregator, 1)).status, 400)
  t.equal((await register(site('00028547'), open.device)).status, 403, 'somebody else’s')
  t.equal((await at('csip').aggregator('POST', '/edev', sep('EndDevice', `<lFDI>${site('00028547')}</lFDI><sFDI>${sfdiOf(site('00028547'))}</sFDI><changedTime>0</changedTime>`))).status, 403, 'not in csip')
  const seen = (await open.aggregator('GET', `/edev/${site('00028547')}`)).body
  t.match(seen, /<lFDI>ABAB/)
  t.notMatch(seen, /SubscriptionListLink|RegistrationLink/, 'SEP-153')
  t.match((await open.aggregator('GET', `/edev/${agg.lfdi}`)).body, /SubscriptionListLink/, 'SEP-246')
})

t.test('SEP-245, SEP-075, SEP-081 a superseded control stays to its end, and stays superseded', async (t) => {
  await clock.advance(700_000)
  const post = (mRID: string, start: number, duration: number) => older.operator('POST', '/derp/F1/derc', event('DERControl', mRID, `<DERControlBase>${watts('opModExpLimW', 5)}</DERControlBase>`, namespace.older, clock.now() + start).replace('<duration>600', `<duration>${duration}`))
  await post('0C01', 0, 3600)
  await clock.advance(1000)
  await post('0C02', 60, 120)
  await clock.advance(100_000)
  const statuses = async (): Promise<string[]> => [...(await older.device('GET', '/derp/F1/derc?l=9')).body.matchAll(/<currentStatus>(\d)</g)].map((m) => m[1]!)
  t.same(await statuses(), ['4', '1'])
  await clock.advance(100_000)
  t.same(await statuses(), ['4'], 'the newer one has gone')
  t.match((await older.device('GET', '/derp/F1/actderc?l=9')).body, /all="0"/)
  await clock.advance(3_500_000)
  t.same(await statuses(), [])
})

t.test('SEP-052 `a` means changed after in CSIP-AUS, later than the key elsewhere', async (t) => {
  const mark = clock.now()
  await clock.advance(10_000)
  await older.operator('POST', '/derp/F1/derc', event('DERControl', '0D01', `<DERControlBase>${watts('opModExpLimW', 5)}</DERControlBase>`, namespace.older, mark - 30))
  const results = async (server: typeof older, path: string, a: number): Promise<string | undefined> => /results="(\d+)"/.exec((await server.device('GET', `${path}?l=9&a=${a}`)).body)?.[1]
  t.same([await results(older, '/derp/F1/derc', mark), await results(older, '/derp/F1/derc', clock.now())], ['1', '0'])
  t.same([await results(plain, '/derp/F1/derc', mark - 31), await results(plain, '/derp/F1/derc', mark)], ['1', '0'])
  await older.device('POST', '/mup', sep('MirrorUsagePoint', `<mRID>0D02</mRID><roleFlags>0003</roleFlags><serviceCategoryKind>0</serviceCategoryKind><status>1</status><deviceLFDI>${one.lfdi}</deviceLFDI>`))
  t.same([await results(older, '/mup', mark), await results(older, '/mup', clock.now()), await results(plain, '/mup', clock.now())], ['1', '0', '1'])
})
