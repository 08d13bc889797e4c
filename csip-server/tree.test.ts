import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { attributeOf, makePki, sep, serverUnderTest, textOf } from '#csip-server/fixture.js'
import { devicePeer, operatorPeer, type Peer } from '#csip-server/identity.js'
import { testDatabase } from '#prisma/test-database.js'

const clock = handClock(Date.UTC(2026, 10, 23, 22, 0, 0))
const pki = await makePki(), db = await testDatabase({ clock })
const { csip } = serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock, config: { notifyAllow: ['127.0.0.1'] } })
const [one, two, agg] = [await pki.device('one'), await pki.device('two'), await pki.device('agg')]
const path = ['system', 'subtransmission', 'substation', 'feeder', 'segment', 'transformer', 'servicePoint'] as const
await csip.provisioning.registerEndDevices([
  { lfdi: one.lfdi, manager: agg.lfdi, groups: [...path.map((level) => ({ name: level === 'system' ? 'system' : `${level}-1`, level })), ...Array.from({ length: 9 }, (_, i) => ({ name: `free-${i}`, level: 'free' as const }))] },
  { lfdi: two.lfdi, groups: ['system', 'F2', 'two'] }, { lfdi: agg.lfdi },
])
t.teardown(() => db.close())
const as = (peer: Peer) => async (method: string, target: string, xml?: string) => {
  const a = await csip.door.handle({ method, target, peer, contentType: 'application/sep+xml', ...(xml ? { body: Buffer.from(xml) } : {}) })
  return { status: a.status, body: a.body?.toString() ?? '', location: a.location ?? '' }
}
const operator = as(operatorPeer('op')), first = as(devicePeer(one.lfdi, one.sfdi)), second = as(devicePeer(two.lfdi, two.sfdi)), aggregator = as(devicePeer(agg.lfdi, agg.sfdi))
const mine = `/edev/${one.lfdi}`

t.test('SEP-100, SEP-101 the server fills the record: names, time of change, every link it serves, in schema order', async (t) => {
  const { body } = await first('GET', mine)
  t.match([textOf(body, 'lFDI'), textOf(body, 'sFDI'), textOf(body, 'changedTime'), textOf(body, 'enabled')], [one.lfdi, String(one.sfdi), String(clock.now()), 'true'])
  t.match([attributeOf(body, 'EndDevice', 'href'), attributeOf(body, 'EndDevice', 'subscribable')], [mine, '1'])
  const children = [...body.matchAll(/<(\w+)(?: href="[^"]*"(?: all="\d+")?\/>|>[^<]*<\/)/g)].map((m) => m[1])
  t.same(children, ['ConfigurationLink', 'DERListLink', 'DeviceInformationLink', 'DeviceStatusLink', 'FileStatusLink', 'IPInterfaceListLink', 'lFDI', 'LoadShedAvailabilityListLink', 'LogEventListLink', 'PowerStatusLink', 'sFDI', 'changedTime', 'enabled', 'FlowReservationRequestListLink', 'FlowReservationResponseListLink', 'FunctionSetAssignmentsListLink', 'postRate', 'RegistrationLink', 'SubscriptionListLink'])
  await clock.advance(60_000)
  const wish = sep('EndDevice', `<deviceCategory>0800</deviceCategory><lFDI>${one.lfdi}</lFDI><sFDI>${one.sfdi}</sFDI><changedTime>0</changedTime>`)
  t.equal((await first('PUT', mine, wish)).status, 204)
  t.match(textOf((await first('GET', mine)).body, 'changedTime'), String(clock.now()), 'ours, not the client’s')
  t.equal((await first('PUT', mine, wish.replace(one.lfdi, two.lfdi))).status, 400, 'SEP-106')
})

t.test('SEP-121, SEP-122 a leaf brings all its ancestors; sixteen groups of one device, the service point first', async (t) => {
  const list = await first('GET', `${mine}/fsa?l=99`)
  t.match([attributeOf(list.body, 'FunctionSetAssignmentsList', 'all'), attributeOf(list.body, 'FunctionSetAssignmentsList', 'results')], ['16', '16'])
  const mRIDs = [...list.body.matchAll(/<mRID>(\w+)</g)].map((m) => m[1]!)
  t.same(mRIDs, mRIDs.toSorted().reverse(), 'SEP-053 mRID descending')
  const programs = (await first('GET', '/derp?l=99')).body
  t.same([...programs.matchAll(/<primacy>(\d+)</g)].map((m) => Number(m[1])), [83, 84, 85, 86, 87, 88, ...Array.from({ length: 10 }, () => 89)])
  for (const fsa of list.body.matchAll(/<DERProgramListLink href="([^"]+)" all="1"/g)) t.match((await first('GET', `${fsa[1]}?l=5`)).body, /results="1"/)
})

t.test('SEP-124, SEP-125, SEP-064 below each of an aggregator’s devices hangs its own list; its own is there and empty', async (t) => {
  const seen = (await aggregator('GET', `${mine}/fsa?l=99`)).body, own = (await first('GET', `${mine}/fsa?l=99`)).body
  t.equal(seen, own, 'the same href and mRID for both')
  t.match(await aggregator('GET', `/edev/${agg.lfdi}/fsa`), { status: 200, body: /all="0" results="0"/ })
  t.match((await aggregator('GET', `/edev/${agg.lfdi}`)).body, /<FunctionSetAssignmentsListLink href="[^"]+" all="0"\/>/)
  t.equal((await aggregator('GET', '/derp/servicePoint-1')).body, (await first('GET', '/derp/servicePoint-1')).body)
})

t.test('SEP-093, SEP-082 an assignment names the Time that its programs go by: the clock handed in', async (t) => {
  const link = attributeOf((await first('GET', `${mine}/fsa/system`)).body, 'TimeLink', 'href')!
  t.equal(textOf((await first('GET', link)).body, 'currentTime'), String(clock.now()))
  const start = clock.now() + 100
  await operator('POST', '/derp/system/derc', sep('DERControl', `<mRID>0A01</mRID><creationTime>0</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>0</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>50</duration><start>${start}</start></interval><DERControlBase><opModConnect>true</opModConnect></DERControlBase>`))
  const state = async (): Promise<string | undefined> => textOf((await first('GET', '/derp/system/derc?l=9')).body, 'currentStatus')
  const seen: (string | undefined)[] = []
  for (const step of [99, 1, 49, 1]) { await clock.advance(step * 1000); seen.push(await state()) }
  t.same(seen, ['0', '1', '1', undefined], 'one second before and at each edge')
  t.equal(textOf((await first('GET', link)).body, 'currentTime'), String(start + 50))
})

t.test('SEP-137, SEP-191 programs of others, and everything below a foreign record, are not there, to read or to write', async (t) => {
  for (const p of ['/derp/F2', '/derp/F2/derc', '/derp/F2/actderc', '/derp/F2/dderc', '/derp/F2/dc', '/derp/two', '/derp/nobody']) t.equal((await first('GET', p)).status, 404, p)
  await first('PUT', `${mine}/der/1/ders`, sep('DERStatus', '<readingTime>1</readingTime>'))
  const status = sep('DERStatus', '<readingTime>2</readingTime>')
  for (const who of [second, as(devicePeer('F'.repeat(40), 1))]) for (const [method, p, xml] of [
    ['PUT', `${mine}/der/1/ders`, status], ['POST', `${mine}/lel`, sep('LogEvent', '')], ['POST', `${mine}/sub`, sep('Subscription', '')], ['DELETE', mine, undefined], ['PUT', mine, sep('EndDevice', '')],
  ] as const) {
    const here = await who(method, p, xml), nowhere = await who(method, p.replace(one.lfdi, 'E'.repeat(40)), xml)
    t.same(here, nowhere, `${method} ${p}: as if it were not there`)
    t.equal(here.status, 404)
  }
  t.equal(textOf((await first('GET', `${mine}/der/1/ders`)).body, 'readingTime'), '1', 'unchanged')
  const made = (await first('POST', '/mup', sep('MirrorUsagePoint', `<mRID>0B01</mRID><roleFlags>0049</roleFlags><serviceCategoryKind>0</serviceCategoryKind><status>1</status><deviceLFDI>${one.lfdi}</deviceLFDI>`))).location
  for (const [method, p] of [['GET', made], ['DELETE', made], ['GET', made.replace('mup', 'upt')]] as const) t.equal((await second(method, p)).status, 404, p)
  t.equal((await aggregator('GET', made)).status, 200, 'SEP-165')
  const subscription = (await first('POST', `${mine}/sub`, sep('Subscription', '<subscribedResource>/derp/system/derc</subscribedResource><encoding>0</encoding><level>+S1</level><limit>1</limit><notificationURI>https://127.0.0.1:1/x</notificationURI>'))).location
  for (const method of ['GET', 'DELETE'] as const) t.equal((await second(method, subscription)).status, 404)
})

t.test('SEP-055 a list that is allowed and holds nothing for the client is empty, and its link says so', async (t) => {
  await operator('POST', `${mine}/fsa/system/msg`, sep('MessagingProgram', '<mRID>0C01</mRID><locale>en</locale><primacy>1</primacy>'))
  await operator('POST', `${mine}/fsa/feeder-1/dr`, sep('DemandResponseProgram', '<mRID>0C02</mRID><primacy>1</primacy>'))
  for (const [name, p, firsts, seconds] of [['MessagingProgramList', '/msg', '1', '1'], ['DemandResponseProgramList', '/dr', '1', '0'], ['TariffProfileList', '/tp', '0', '0'], ['MirrorUsagePointList', '/mup', '1', '0'], ['UsagePointList', '/upt', '1', '0']] as const) {
    for (const [who, all] of [[first, firsts], [second, seconds]] as const) {
      const list = await who('GET', p)
      t.match([list.status, attributeOf(list.body, name, 'all')], [200, all], p)
      t.equal(attributeOf((await who('GET', '/dcap')).body, `${name}Link`, 'all'), all, `SEP-054 ${p}`)
    }
  }
})
