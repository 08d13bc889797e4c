import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { attributeOf, hear, makePki, sep, serverUnderTest, textOf } from '#csip-server/fixture.js'
import { devicePeer, operatorPeer } from '#csip-server/identity.js'
import { isNMI, nmiChecksum } from '#csip-server/resource/connection-point.js'
import { testDatabase } from '#prisma/test-database.js'

const clock = handClock(Date.UTC(2026, 10, 23, 22, 0, 0))
const pki = await makePki(), db = await testDatabase({ clock })
const heard = hear()
const needs = { pki, documents: db.stores.documents, tenant: db.tenant, clock, heard }
const { csip } = serverUnderTest(needs)
const [one, two] = [await pki.device('one'), await pki.device('two')]
heard.known.set(one.lfdi, { id: 'r1', servicePoint: 'sp1' })
await csip.provisioning.registerEndDevices([{ lfdi: one.lfdi, groups: ['system', 'F1', 'one'] }, { lfdi: two.lfdi, groups: ['system', 'F2', 'two'] }])
t.teardown(() => db.close())

interface Said { status: number; body: string; location: string }
const asking = (door: typeof csip.door) => (peer: ReturnType<typeof operatorPeer>) => async (method: string, target: string, xml?: string): Promise<Said> => {
  const a = await door.handle({ method, target, peer, contentType: 'application/sep+xml', ...(xml ? { body: Buffer.from(xml) } : {}) })
  return { status: a.status, body: a.body?.toString() ?? '', location: a.location ?? '' }
}
const as = asking(csip.door)
const operator = as(operatorPeer('op')), first = as(devicePeer(one.lfdi, one.sfdi)), second = as(devicePeer(two.lfdi, two.sfdi))
const event = (mRID: string, inner: string, start = clock.now() + 600): string => `<mRID>${mRID}</mRID><creationTime>0</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>0</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>600</duration><start>${start}</start></interval>${inner}`
const answerTo = (name: string, mRID: string, status: number): string => sep(name, `<createdDateTime>${clock.now()}</createdDateTime><endDeviceLFDI>${one.lfdi}</endDeviceLFDI><status>${status}</status><subject>${mRID}</subject>`)

t.test('SEP-184, SEP-196, SEP-197, SEP-198 demand response and load control', async (t) => {
  const made = await operator('POST', `/edev/${one.lfdi}/fsa/F1/dr`, sep('DemandResponseProgram', '<mRID>0A01</mRID><description>cool</description><primacy>70</primacy>'))
  t.equal(made.status, 201)
  t.match((await first('GET', '/dcap')).body, /DemandResponseProgramListLink href="\/dr" all="1"/)
  t.match((await first('GET', `/edev/${one.lfdi}/fsa?l=9`)).body, /DemandResponseProgramListLink href="[^"]+\/fsa\/F1\/dr" all="1"/)
  t.equal((await second('GET', made.location)).status, 404)
  const control = sep('EndDeviceControl', event('0A02', '<deviceCategory>01</deviceCategory><drProgramMandatory>true</drProgramMandatory><loadShiftForward>false</loadShiftForward><Offset><coolingOffset>20</coolingOffset></Offset>'))
  t.equal((await operator('POST', `${made.location}/edc`, control.replace(/<Offset>.*<\/Offset>/, ''))).status, 400)
  t.equal((await operator('POST', `${made.location}/edc`, control)).status, 201)
  const list = await first('GET', `${made.location}/edc?l=5`)
  t.equal(textOf(list.body, 'coolingOffset'), '20')
  const replyTo = attributeOf(list.body, 'EndDeviceControl', 'replyTo')!
  t.equal((await first('POST', replyTo, answerTo('DrResponse', '0A02', 1))).status, 201)
  t.equal((await second('GET', `${replyTo}?l=5`)).body.includes(one.lfdi), false, 'SEP-184')
  t.match((await first('GET', `${replyTo}?l=5`)).body, /all="1"/)
  const shed = await first('POST', `/edev/${one.lfdi}/lsl`, sep('LoadShedAvailability', '<availabilityDuration>1800</availabilityDuration><sheddablePower><multiplier>1</multiplier><value>250</value></sheddablePower>'))
  t.equal(shed.status, 201)
  t.match(heard.declared, [{ resource: 'r1', down_W: 2500, end: clock.now() + 1800 }])
})

t.test('SEP-145 availability of a battery', async (t) => {
  t.equal((await first('PUT', `/edev/${one.lfdi}/der/1/dera`, sep('DERAvailability', `<availabilityDuration>900</availabilityDuration><readingTime>${clock.now()}</readingTime><statWAvail><multiplier>0</multiplier><value>4000</value></statWAvail>`))).status, 204)
  t.match(heard.declared.at(-1), { down_W: 4000, start: clock.now(), end: clock.now() + 900 })
})

t.test('SEP-200 messages: several at once, for everybody', async (t) => {
  const { location } = await operator('POST', '/msg', sep('MessagingProgram', '<mRID>0B01</mRID><locale>en</locale><primacy>80</primacy>'))
  for (const [mRID, start] of [['0B02', clock.now()], ['0B03', clock.now() - 60]] as const) {
    t.equal((await operator('POST', `${location}/txt`, sep('TextMessage', event(mRID, '<priority>1</priority><textMessage>Storm &amp; wind</textMessage>', start)))).status, 201)
  }
  const active = await second('GET', `${location}/acttxt?l=9`)
  t.match(active.body, /<TextMessageList [^>]*all="2" results="2"/)
  t.same([...active.body.matchAll(/<mRID>(\w+)</g)].map((m) => m[1]), ['0B02', '0B03'], 'newest start first')
  t.equal((await first('POST', attributeOf(active.body, 'TextMessage', 'replyTo')!, answerTo('TextResponse', '0B02', 11))).status, 201)
  await clock.advance(600_000)
  t.match((await second('GET', `${location}/txt`)).body, /all="0"/)
})

t.test('SEP-200 prices down to the consumption interval', async (t) => {
  const tariff = await operator('POST', '/tp', sep('TariffProfile', '<mRID>0C11</mRID><currency>840</currency><pricePowerOfTenMultiplier>-5</pricePowerOfTenMultiplier><primacy>1</primacy><rateCode>TOU</rateCode><serviceCategoryKind>0</serviceCategoryKind>'))
  const rate = await operator('POST', `${tariff.location}/rc`, sep('RateComponent', '<mRID>0C12</mRID><ReadingTypeLink href="/rt"/><roleFlags>00</roleFlags><TimeTariffIntervalListLink href="/wrong"/>'))
  t.equal(rate.status, 201)
  const interval = await operator('POST', `${rate.location}/tti`, sep('TimeTariffInterval', event('0C13', '<touTier>1</touTier>', clock.now())))
  t.equal(interval.status, 201)
  t.equal((await operator('POST', `${interval.location}/cti`, sep('ConsumptionTariffInterval', '<consumptionBlock>0</consumptionBlock><price>-1250</price><startValue>0</startValue>'))).status, 201)
  const component = await first('GET', `${tariff.location}/rc?l=1`)
  const link = attributeOf(component.body, 'ActiveTimeTariffIntervalListLink', 'href')!
  t.equal(attributeOf(component.body, 'TimeTariffIntervalListLink', 'href'), `${rate.location}/tti`, 'our links, not a writer’s')
  const active = await first('GET', link)
  t.equal(textOf((await first('GET', attributeOf(active.body, 'ConsumptionTariffIntervalListLink', 'href')!)).body, 'price'), '-1250')
})

t.test('SEP-200 a car reserves energy, and gives it back', async (t) => {
  const start = clock.now() + 3600
  const request = (status: number, creation = 0): string => sep('FlowReservationRequest', `<mRID>0D01</mRID><creationTime>${creation}</creationTime><durationRequested>3600</durationRequested><energyRequested><multiplier>3</multiplier><value>20</value></energyRequested><intervalRequested><duration>7200</duration><start>${start}</start></intervalRequested><powerRequested><multiplier>0</multiplier><value>7000</value></powerRequested><RequestStatus><dateTime>${clock.now()}</dateTime><requestStatus>${status}</requestStatus></RequestStatus>`)
  const made = await first('POST', `/edev/${one.lfdi}/frq`, request(0))
  t.equal(made.status, 201)
  const granted = await first('GET', `/edev/${one.lfdi}/frp?l=5`)
  t.match([textOf(granted.body, 'subject'), textOf(granted.body, 'currentStatus'), attributeOf(granted.body, 'FlowReservationResponseList', 'pollRate')], ['0D01', '0', '30'])
  t.equal((await second('GET', `/edev/${one.lfdi}/frp`)).status, 404)
  t.equal((await first('PUT', made.location, request(1))).status, 204)
  t.equal(textOf((await first('GET', `/edev/${one.lfdi}/frp?l=5`)).body, 'currentStatus'), '2')
  t.equal((await first('POST', `/edev/${one.lfdi}/frq`, request(0).replace('0D01', '0D02').replace('<durationRequested>3600', '<durationRequested>9000'))).status, 400)
})

t.test('SEP-112, SEP-042, SEP-142, SEP-240 CSIP-AUS: connection point, envelopes, registration', async (t) => {
  t.equal(nmiChecksum('2001985732'), 8)
  t.same(['2001985732', '20019857328', '20019857327', '', '123', 'QAAAVZZZZZ3'].map(isNMI), [true, true, false, false, false, true])
  const aus = serverUnderTest({ ...needs, config: { profile: 'csip-aus-1.2', registration: 'open', aggregatorsRegister: true, duplicateEndDevice: 'conflict' } }).csip
  const mine = asking(aus.door)(devicePeer(one.lfdi, one.sfdi)), path = `/edev/${one.lfdi}`
  t.match((await mine('GET', path)).body, /<csipaus:ConnectionPointLink href="[^"]+\/cp"\/><\/EndDevice>/)
  t.match((await mine('GET', path)).body, /xmlns:csipaus="https:\/\/csipaus\.org\/ns"/)
  t.notMatch((await first('GET', path)).body, /csipaus/, 'not in the other profile')
  t.equal((await first('GET', `${path}/cp`)).status, 404)
  const point = (id: string, name = 'connectionPointId'): string => `<c:ConnectionPoint xmlns:c="https://csipaus.org/ns"><c:${name}>${id}</c:${name}></c:ConnectionPoint>`
  t.equal((await mine('GET', `${path}/cp`)).status, 404)
  t.match(await mine('PUT', `${path}/cp`, point('2001985732')), { status: 201, location: `${path}/cp` })
  t.match(await mine('PUT', `${path}/cp`, point('20019857328', 'id')), { status: 204, location: `${path}/cp` })
  t.equal((await mine('PUT', `${path}/cp`, point('20019857327'))).status, 400)
  t.match((await mine('GET', `${path}/cp`)).body, /<csipaus:ConnectionPoint xmlns="urn:ieee:std:2030.5:ns" xmlns:csipaus="https:\/\/csipaus.org\/ns" href="[^"]+"><csipaus:connectionPointId>20019857328</)
  t.same((await db.stores.documents.get(db.tenant, 'csip/EndDevice', one.lfdi))?.targets, ['system', 'F1', '20019857328'], 'SEP-120')
  const capability = (more: string): string => `<DERCapability xmlns="urn:ieee:std:2030.5:ns" xmlns:a="https://csipaus.org/ns"><modesSupported>00</modesSupported><rtgMaxW><multiplier>0</multiplier><value>5000</value></rtgMaxW><type>83</type>${more}</DERCapability>`
  t.equal((await mine('PUT', `${path}/der/1/dercap`, capability(''))).status, 400)
  t.equal((await mine('PUT', `${path}/der/1/dercap`, capability('<a:doeModesSupported>03</a:doeModesSupported>'))).status, 204)
  const order = { id: 'o1', tenant: db.tenant, dispatch: 'd', revision: 1, program: { id: 'p', name: 'p' }, resource: { id: 'r1', name: 'r', kind: 'battery', rated_W: 5000, servicePoint: 'sp1' }, binding: { protocol: 'ieee2030_5' as const, remoteId: one.lfdi, control: true }, start: clock.now(), end: clock.now() + 600, intervals: [{ start: clock.now(), end: clock.now() + 600, delta_W: -1000, expected_W: 2500, setpoint_W: 1500, limitImport_W: 1500 }], randomize_s: 0, expiry: clock.now() + 600, priority: 1, reportEvery_s: 900, createdAt: clock.nowMs() }
  t.match(await aus.channel.send([order]), [{ outcome: 'sent' }])
  t.match((await mine('GET', '/derp/20019857328/derc?l=5')).body, /<DERControlBase><csipaus:opModImpLimW><multiplier>0<\/multiplier><value>1500<\/value><\/csipaus:opModImpLimW><\/DERControlBase>/)
  t.equal((await mine('POST', '/edev', sep('EndDevice', `<lFDI>${one.lfdi}</lFDI><sFDI>${one.sfdi}</sFDI><changedTime>0</changedTime>`))).status, 409, 'SEP-105')
  const site = `${'AB'.repeat(16)}00028547`
  const made = await mine('POST', '/edev', sep('EndDevice', `<lFDI>${site}</lFDI><sFDI>${(await import('#certs/lfdi.js')).sfdiOf(site)}</sFDI><changedTime>0</changedTime>`))
  t.equal(made.status, 201, 'SEP-067, SEP-104')
  t.match((await mine('GET', '/edev?l=9')).body, /all="2"/)
})

t.test('SEP-194, SEP-123 a renewed certificate keeps the record; a moved device loses its programs', async (t) => {
  const renewed = await pki.device('two again')
  t.equal(await csip.provisioning.rekeyEndDevice('C'.repeat(40), 'D'.repeat(40)), false, 'a device without a record')
  for (const time of ['once', 'told again']) t.equal(await csip.provisioning.rekeyEndDevice(two.lfdi, renewed.lfdi), true, time)
  const again = as(devicePeer(renewed.lfdi, renewed.sfdi))
  t.match((await again('GET', '/edev')).body, new RegExp(`href="/edev/${two.lfdi}".*<lFDI>${renewed.lfdi}<`))
  t.equal((await again('GET', '/derp/F2')).status, 200)
  await csip.provisioning.moveEndDevice(renewed.lfdi, ['system', 'F1', 'two'])
  t.equal((await again('GET', '/derp/F2')).status, 404)
  t.equal((await again('GET', '/derp/F1')).status, 200)
})
