import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { attributeOf, makePki, sep, serverUnderTest, textOf } from '#csip-server/fixture.js'
import { devicePeer, operatorPeer, type Peer } from '#csip-server/identity.js'
import { testDatabase } from '#prisma/test-database.js'

const clock = handClock(Date.UTC(2026, 10, 23, 22, 0, 0))
const pki = await makePki(), db = await testDatabase({ clock })
const { csip } = serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock })
const [one, two, agg] = [await pki.device('one'), await pki.device('two'), await pki.device('agg')]
await csip.provisioning.registerEndDevices([{ lfdi: one.lfdi, manager: agg.lfdi, groups: ['system'] }, { lfdi: two.lfdi, groups: ['system'] }, { lfdi: agg.lfdi }])
t.teardown(() => db.close())
const as = (peer: Peer) => async (method: string, target: string, xml?: string) => {
  const a = await csip.door.handle({ method, target, peer, contentType: 'application/sep+xml', ...(xml ? { body: Buffer.from(xml) } : {}) })
  return { status: a.status, body: a.body?.toString() ?? '', location: a.location ?? '' }
}
const operator = as(operatorPeer('op')), first = as(devicePeer(one.lfdi, one.sfdi)), second = as(devicePeer(two.lfdi, two.sfdi)), aggregator = as(devicePeer(agg.lfdi, agg.sfdi))
const mine = `/edev/${one.lfdi}`

const information = (more = ''): string => sep('DeviceInformation', `<lFDI>${one.lfdi}</lFDI><mfDate>0</mfDate><mfHwVer>1</mfHwVer><mfID>32473</mfID><mfModel>M</mfModel><mfSerNum>7</mfSerNum><primaryPower>1</primaryPower><secondaryPower>0</secondaryPower>${more}<swActTime>0</swActTime><swVer>1</swVer>`)

t.test('SEP-110 locales hang below the device’s information, which links them whatever a client wrote', async (t) => {
  t.equal((await first('GET', `${mine}/di`)).status, 404, 'before the first PUT')
  t.equal((await first('PUT', `${mine}/di`, information('<SupportedLocaleListLink href="/elsewhere" all="9"/>'))).status, 201)
  const { href, all } = { href: attributeOf((await first('GET', `${mine}/di`)).body, 'SupportedLocaleListLink', 'href')!, all: attributeOf((await first('GET', `${mine}/di`)).body, 'SupportedLocaleListLink', 'all') }
  t.same([href, all], [`${mine}/di/loc`, '0'])
  const made = await first('POST', href, sep('SupportedLocale', '<locale>en-US</locale>'))
  t.equal(made.status, 201)
  await first('POST', href, sep('SupportedLocale', '<locale>de</locale>'))
  t.equal(attributeOf((await first('GET', `${mine}/di`)).body, 'SupportedLocaleListLink', 'all'), '2', 'SEP-054')
  t.equal((await first('PUT', made.location, sep('SupportedLocale', '<locale>en-GB</locale>'))).status, 204)
  t.same([...(await aggregator('GET', `${href}?l=9`)).body.matchAll(/<locale>([^<]+)</g)].map((m) => m[1]).sort(), ['de', 'en-GB'])
  t.equal((await second('GET', href)).status, 404, 'SEP-191')
  t.equal((await first('POST', href, sep('SupportedLocale', ''))).status, 400)
  t.equal((await first('DELETE', made.location)).status, 204)
  t.equal((await first('GET', made.location)).status, 404)
})

t.test('SEP-111 thresholds for prices name a rate that the device can see', async (t) => {
  const tariff = await operator('POST', '/tp', sep('TariffProfile', '<mRID>0C11</mRID><primacy>1</primacy><serviceCategoryKind>0</serviceCategoryKind>'))
  const rate = await operator('POST', `${tariff.location}/rc`, sep('RateComponent', '<mRID>0C12</mRID><ReadingTypeLink href="/rt"/><roleFlags>00</roleFlags><TimeTariffIntervalListLink href="/x"/>'))
  t.equal((await first('PUT', `${mine}/cfg`, sep('Configuration', '<currentLocale>en</currentLocale><userDeviceName>cellar</userDeviceName>'))).status, 201)
  const list = attributeOf((await first('GET', `${mine}/cfg`)).body, 'PriceResponseCfgListLink', 'href')!
  const cfg = (href: string): string => sep('PriceResponseCfg', `<consumeThreshold>100</consumeThreshold><maxReductionThreshold>900</maxReductionThreshold><RateComponentLink href="${href}"/>`)
  for (const wrong of ['/tp/none/rc/none', tariff.location, 'nonsense']) t.equal((await first('POST', list, cfg(wrong))).status, 400, wrong)
  const made = await first('POST', list, cfg(rate.location))
  t.equal(made.status, 201)
  t.match(attributeOf((await first('GET', made.location)).body, 'RateComponentLink', 'href'), rate.location)
})

t.test('SEP-100, SEP-106 network status down to routes and neighbours; what hangs below goes with it', async (t) => {
  const list = attributeOf((await first('GET', mine)).body, 'IPInterfaceListLink', 'href')!
  const eth = await first('POST', list, sep('IPInterface', '<ifDescr>eth</ifDescr><ifInOctets>4294967295</ifInOctets><lastUpdatedTime>1795471200</lastUpdatedTime>'))
  const shown = await first('GET', eth.location)
  const addresses = attributeOf(shown.body, 'IPAddrListLink', 'href')!, links = attributeOf(shown.body, 'LLInterfaceListLink', 'href')!
  const address = await first('POST', addresses, sep('IPAddr', '<address>20010DB8000000000000000000000001</address>'))
  const rpl = await first('POST', attributeOf((await first('GET', address.location)).body, 'RPLInstanceListLink', 'href')!, sep('RPLInstance', '<DODAGid>1</DODAGid><DODAGroot>false</DODAGroot><flags>0</flags><groundedFlag>true</groundedFlag><MOP>1</MOP><PRF>0</PRF><rank>256</rank><RPLInstanceID>1</RPLInstanceID><versionNumber>1</versionNumber>'))
  const route = await first('POST', attributeOf((await first('GET', rpl.location)).body, 'RPLSourceRoutesListLink', 'href')!, sep('RPLSourceRoutes', '<DestAddress>01</DestAddress><SourceRoute>02</SourceRoute>'))
  const radio = await first('POST', links, sep('LLInterface', '<CRCerrors>0</CRCerrors><EUI64>0011223344556677</EUI64><IEEE_802_15_4><capabilityInfo>8E</capabilityInfo><shortAddress>7</shortAddress></IEEE_802_15_4><linkLayerType>1</linkLayerType>'))
  const neighbours = attributeOf((await first('GET', radio.location)).body, 'NeighborListLink', 'href')!
  const neighbour = await first('POST', neighbours, sep('Neighbor', '<isChild>true</isChild><linkQuality>200</linkQuality><shortAddress>9</shortAddress>'))
  const all = [eth, address, rpl, route, radio, neighbour]
  for (const { status, location } of all) t.same([status, (await first('GET', location)).status, (await second('GET', location)).status], [201, 200, 404], location)
  t.equal(attributeOf((await first('GET', radio.location)).body, 'NeighborListLink', 'all'), '1')
  t.equal((await first('POST', links, sep('LLInterface', '<CRCerrors>0</CRCerrors><EUI64>001122334455667788</EUI64><linkLayerType>1</linkLayerType>'))).status, 400, 'nine bytes')
  t.equal((await first('DELETE', eth.location)).status, 204)
  for (const kind of ['IPInterface', 'IPAddr', 'RPLInstance', 'RPLSourceRoutes', 'LLInterface', 'Neighbor']) t.equal(await db.stores.documents.count(db.tenant, { kind: `csip/${kind}` }), 0, kind)
})

t.test('SEP-040, SEC-033 files: announced by operators, seen by whom they are for; a device says how far it is', async (t) => {
  const image = (more = ''): string => sep('File', `<fileURI>https://files.example/a.bin</fileURI>${more}<mfID>32473</mfID><mfModel>M</mfModel><mfVer>2.0</mfVer><size>4096</size><type>00</type>`)
  t.equal((await first('POST', '/file', image())).status, 405)
  const [general, own] = [await operator('POST', '/file', image()), await operator('POST', '/file', image(`<lFDI>${one.lfdi}</lFDI>`))]
  t.same([general.status, own.status], [201, 201])
  for (const [who, seen] of [[first, '2'], [aggregator, '2'], [second, '1'], [operator, '2']] as const) {
    t.equal(attributeOf((await who('GET', '/file?l=9')).body, 'FileList', 'all'), seen)
    t.equal(attributeOf((await who('GET', '/dcap')).body, 'FileListLink', 'all'), seen, 'SEP-090')
    t.equal((await who('GET', own.location)).status, seen === '2' ? 200 : 404)
  }
  t.equal((await first('PUT', `${mine}/fs`, sep('FileStatus', `<FileLink href="${own.location}"/><loadPercent>40</loadPercent><nextRequestAttempt>0</nextRequestAttempt><request503Count>0</request503Count><requestFailCount>0</requestFailCount><status>1</status><statusTime>0</statusTime>`))).status, 201)
  t.same([attributeOf((await first('GET', mine)).body, 'FileStatusLink', 'href'), textOf((await aggregator('GET', `${mine}/fs`)).body, 'loadPercent')], [`${mine}/fs`, '40'])
  t.equal((await operator('PUT', own.location, image().replace('2.0', '2.1'))).status, 204)
  t.equal((await second('GET', own.location)).status, 200, 'now for everybody')
  t.equal((await operator('DELETE', own.location)).status, 204)
  t.equal((await first('GET', own.location)).status, 404)
})

t.test('SEP-180, SEP-197 a Response comes back as the kind it was posted as, alone and in its list', async (t) => {
  const program = await operator('POST', `${mine}/fsa/system/dr`, sep('DemandResponseProgram', '<mRID>0A01</mRID><primacy>70</primacy>'))
  await operator('POST', `${program.location}/edc`, sep('EndDeviceControl', `<mRID>0A02</mRID><creationTime>0</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>0</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>600</duration><start>${clock.now()}</start></interval><deviceCategory>01</deviceCategory><drProgramMandatory>true</drProgramMandatory><loadShiftForward>false</loadShiftForward><Offset><coolingOffset>20</coolingOffset></Offset>`))
  const said = (status: number, more = ''): string => `<createdDateTime>${clock.now()}</createdDateTime><endDeviceLFDI>${one.lfdi}</endDeviceLFDI><status>${status}</status><subject>0A02</subject>${more}`
  const full = await first('POST', '/rsps/dr/rsp', sep('DrResponse', said(2, '<AppliedTargetReduction><type>3</type><value>40</value></AppliedTargetReduction><Offset><coolingOffset>15</coolingOffset></Offset><overrideDuration>5</overrideDuration>')))
  const plain = await first('POST', '/rsps/dr/rsp', sep('Response', said(1)))
  t.match((await first('GET', full.location)).body, /<DrResponse [^>]*>.*<subject>0A02<\/subject><AppliedTargetReduction><type>3<\/type><value>40<\/value><\/AppliedTargetReduction><Offset><coolingOffset>15<\/coolingOffset><\/Offset><overrideDuration>5<\/overrideDuration><\/DrResponse>/)
  t.match((await first('GET', plain.location)).body, /<Response xmlns="[^"]+" href="[^"]+"><createdDateTime>/)
  const list = (await first('GET', '/rsps/dr/rsp?l=9')).body
  t.match(list, /xmlns:xsi=/)
  t.match(list, /<Response xsi:type="DrResponse" href="[^"]+">.*?<coolingOffset>15</)
  t.match(list, /<Response href="[^"]+">/)
})

t.test('SEP-090, SEP-091 every link of /dcap answers 200: to a device, an aggregator, and one that nobody registered', async (t) => {
  const stranger = as(devicePeer('F'.repeat(40), 687194767357))
  for (const [who, least] of [[first, 9], [aggregator, 9], [stranger, 4]] as const) {
    const links = [...(await who('GET', '/dcap')).body.matchAll(/Link href="([^"]+)"/g)].map((m) => m[1]!)
    t.ok(links.length >= least, links.join(' '))
    for (const link of links) t.equal((await who('GET', link)).status, 200, link)
  }
})

t.test('SEP-106 nothing of a device is left when it goes', async (t) => {
  await first('POST', `${mine}/ns`, sep('IPInterface', ''))
  await first('POST', `${mine}/lel`, sep('LogEvent', '<createdDateTime>1</createdDateTime><functionSet>11</functionSet><logEventCode>0</logEventCode><logEventID>1</logEventID><logEventPEN>32473</logEventPEN><profileID>2</profileID>'))
  t.equal((await first('DELETE', mine)).status, 204)
  for (const kind of ['Registration', 'DeviceInformation', 'SupportedLocale', 'Configuration', 'PriceResponseCfg', 'IPInterface', 'FileStatus', 'LogEvent', 'Alarm']) {
    t.equal((await db.stores.documents.list(db.tenant, { kind: `csip/${kind}` })).filter((d) => d.parent.startsWith(one.lfdi)).length, 0, kind)
  }
})
