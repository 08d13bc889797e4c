import t from 'tap'
import { handClock } from '#core/port/clock.js'
import type { DeliveryOrder } from '#core/port/dispatch-channel.js'
import { attributeOf, Device, makePki, sep, serverUnderTest, textOf } from '#csip-server/fixture.js'
import { testDatabase } from '#prisma/test-database.js'

const begin = Date.UTC(2026, 10, 23, 22, 0, 0)
const clock = handClock(begin)
const now = (): number => clock.now()
const pki = await makePki()
const db = await testDatabase({ clock })
const { csip, heard, revoked, close } = serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock })
const port = await csip.listen({ port: 0, hosts: ['127.0.0.1'] })
const [one, two, stranger] = await Promise.all(['one', 'two', 'stranger'].map((s) => pki.device(s)))
const first = new Device(one!, port, pki.serca), second = new Device(two!, port, pki.serca), outsider = new Device(stranger!, port, pki.serca)
t.teardown(async () => { first.close(); second.close(); outsider.close(); await close(); await db.close() })
heard.known.set(one!.lfdi, { id: 'r1', servicePoint: 'sp1' })
await csip.provisioning.registerEndDevices([
  { lfdi: one!.lfdi, pin: 123455, groups: ['system', 'F1', 'home 1'] },
  { lfdi: two!.lfdi, groups: ['system', 'F1', 'home 2'] },
])
await csip.provisioning.allowEndDevice({ lfdi: stranger!.lfdi, groups: ['system', 'F2', 'home 5'] })

const order = (more: Partial<DeliveryOrder> = {}): DeliveryOrder => {
  const start = now() + 3600, end = start + 7200
  return {
    id: 'order-1', tenant: db.tenant, dispatch: 'd1', revision: 1, program: { id: 'p', name: 'peak' },
    resource: { id: 'r1', name: 'battery 1', kind: 'battery', rated_W: 5000, servicePoint: 'sp1' },
    binding: { protocol: 'ieee2030_5', remoteId: one!.lfdi, control: true }, start, end,
    intervals: [0, 1].map((i) => ({ start: start + i * 3600, end: start + (i + 1) * 3600, delta_W: -5000, expected_W: -1000, setpoint_W: -6000, limitImport_W: 0 })),
    randomize_s: 0, expiry: end, priority: 5, reportEvery_s: 900, createdAt: clock.nowMs(), ...more,
  }
}

t.test('SEP-090, SEP-092, SEP-102 a device discovers time and its own record', async (t) => {
  const dcap = await first.get('/dcap')
  t.equal(dcap.status, 200)
  t.match(dcap.headers, { 'content-type': 'application/sep+xml', 'content-length': String(dcap.body.length) })
  t.equal(attributeOf(dcap.body, 'EndDeviceListLink', 'all'), '1')
  const tm = await first.get(attributeOf(dcap.body, 'TimeLink', 'href')!)
  t.equal(textOf(tm.body, 'currentTime'), String(now()))
  const list = await first.get('/edev?l=10')
  t.equal(attributeOf(list.body, 'EndDeviceList', 'all'), '1')
  t.equal(textOf(list.body, 'lFDI'), one!.lfdi)
  t.equal(textOf(list.body, 'sFDI'), String(one!.sfdi))
  const registration = await first.get(attributeOf(list.body, 'RegistrationLink', 'href')!)
  t.equal(textOf(registration.body, 'pIN'), '123455')
})

t.test('SEP-190 another device is not there', async (t) => {
  for (const path of [`/edev/${one!.lfdi}`, `/edev/${one!.lfdi}/rg`, `/edev/${one!.lfdi}/der/1/dercap`, '/edev/0000']) t.equal((await second.get(path)).status, 404, path)
  t.equal((await second.get('/derp/home-1')).status, 404)
})

t.test('SEP-120, SEP-122, SEP-130 programs by group and primacy', async (t) => {
  const fsa = await first.get(`/edev/${one!.lfdi}/fsa?l=10`)
  t.equal(attributeOf(fsa.body, 'FunctionSetAssignmentsList', 'all'), '3')
  const derp = await first.get('/derp?l=10')
  t.same([...derp.body.matchAll(/<primacy>(\d+)</g)].map((m) => m[1]), ['83', '86', '89'])
  const dderc = await first.get(attributeOf(derp.body, 'DefaultDERControlLink', 'href')!)
  t.equal(dderc.status, 200)
  t.match(dderc.body, /<opModConnect>true</)
  const own = [...fsa.body.matchAll(/<DERProgramListLink href="([^"]+)" all="1"/g)].map((m) => m[1]!)
  t.equal(own.length, 3)
  t.equal((await first.get(`${own[0]}?l=5`)).status, 200)
})

t.test('SEP-141, SEP-143 what a device PUTs comes back; a bad one changes nothing', async (t) => {
  const path = `/edev/${one!.lfdi}/der/1`
  t.equal((await first.get(`${path}/derg`)).status, 404)
  const capability = sep('DERCapability', '<modesSupported>00500088</modesSupported><rtgMaxW><multiplier>0</multiplier><value>5000</value></rtgMaxW><type>83</type>')
  t.equal((await first.ask('PUT', `${path}/dercap`, capability)).status, 204)
  const settings = sep('DERSettings', '<modesEnabled>00400088</modesEnabled><setGradW>100</setGradW><setMaxChargeRateW><multiplier>0</multiplier><value>5000</value></setMaxChargeRateW><setMaxW><multiplier>0</multiplier><value>5000</value></setMaxW><updatedTime>1795230000</updatedTime>')
  t.equal((await first.ask('PUT', `${path}/derg`, settings)).status, 204)
  t.match((await first.get(`${path}/derg`)).body, /<modesEnabled>00400088<\/modesEnabled><setGradW>100</)
  t.equal((await first.ask('PUT', `${path}/derg`, sep('DERSettings', '<setGradW>100</setGradW>'))).status, 400)
  t.equal((await first.ask('PUT', `${path}/derg`, settings.replace('5000', '99999'))).status, 400)
  t.equal((await first.ask('POST', `${path}/derg`, settings)).status, 405)
  t.match((await first.get(`${path}/derg`)).body, /<value>5000</)
})

t.test('SEP-147, CORE-094 an order becomes one addressed DERControl, once, and answers come back', async (t) => {
  const [sent] = await csip.channel.send([order()])
  t.match(sent, { id: 'order-1', outcome: 'sent' })
  await csip.channel.send([order()])
  const path = '/derp?l=1'
  const list = attributeOf((await first.get(path)).body, 'DERControlListLink', 'href')!
  const derc = await first.get(`${list}?l=10`)
  t.equal(attributeOf(derc.body, 'DERControlList', 'all'), '1', 'equal stretches are one event')
  t.match(derc.body, /<opModTargetW><multiplier>0<\/multiplier><value>6000<\/value><\/opModTargetW>/, 'output is positive')
  t.match(derc.body, /<interval><duration>7200<\/duration><start>\d+<\/start><\/interval>/)
  t.equal(textOf(derc.body, 'currentStatus'), '0')
  const replyTo = attributeOf(derc.body, 'DERControl', 'replyTo')!, mRID = textOf(derc.body, 'mRID')!
  const word = (status: number): string => sep('DERControlResponse', `<createdDateTime>${now()}</createdDateTime><endDeviceLFDI>${one!.lfdi}</endDeviceLFDI><status>${status}</status><subject>${mRID}</subject>`)
  const posted = await first.ask('POST', replyTo, word(1))
  t.equal(posted.status, 201)
  t.equal((await first.get(posted.headers.location!)).status, 200)
  t.equal((await first.ask('POST', replyTo, word(1))).headers.location, posted.headers.location, 'SEP-183')
  t.equal((await second.ask('POST', replyTo, word(1))).status, 403, 'SEP-182 foreign LFDI')
  t.equal((await second.ask('POST', replyTo, word(1).replaceAll(one!.lfdi, two!.lfdi))).status, 404, 'an event it could not see')
  t.equal((await first.ask('POST', replyTo, word(99))).status, 400, 'SEP-181')
  await clock.advance(3_600_000)
  t.equal(textOf((await first.get(`${list}?l=10`)).body, 'currentStatus'), '1', 'SEP-071')
  t.equal(attributeOf((await first.get(list.replace('/derc', '/actderc'))).body, 'DERControlList', 'all'), '1', 'SEP-081')
  await first.ask('POST', replyTo, word(2))
  await csip.channel.cancel([order()], 'test')
  t.equal(textOf((await first.get(`${list}?l=10`)).body, 'currentStatus'), '2', 'SEP-074 stays listed')
  await first.ask('POST', replyTo, word(6))
  t.same(heard.happened.map((h) => h.state), ['received', 'started', 'cancelled'], 'SEP-185')
  await clock.advance(7_200_000)
  t.equal(attributeOf((await first.get(`${list}?l=10`)).body, 'DERControlList', 'all'), '0', 'SEP-073')
  t.equal((await first.get(`${list}/${mRID}`)).status, 200, 'SEP-056')
})

t.test('SEP-165, SEP-168, SEP-174 mirrored energy reaches core', async (t) => {
  const type = (flow: number): string => `<ReadingType><accumulationBehaviour>4</accumulationBehaviour><commodity>1</commodity><flowDirection>${flow}</flowDirection><intervalLength>900</intervalLength><powerOfTenMultiplier>0</powerOfTenMultiplier><uom>72</uom></ReadingType>`
  const mup = sep('MirrorUsagePoint', `<mRID>A1000000000000000000000100000001</mRID><roleFlags>0003</roleFlags><serviceCategoryKind>0</serviceCategoryKind><status>1</status><deviceLFDI>${one!.lfdi}</deviceLFDI><MirrorMeterReading><mRID>A2000000000000000000000100000001</mRID>${type(1)}</MirrorMeterReading>`)
  const created = await first.ask('POST', '/mup', mup)
  t.equal(created.status, 201)
  t.equal((await first.ask('POST', '/mup', mup)).status, 204, 'SEP-166 in place')
  const location = created.headers.location!
  const start = now() - 1800
  const reading = (i: number, value: number): string => `<Reading><timePeriod><duration>900</duration><start>${start + i * 900}</start></timePeriod><value>${value}</value></Reading>`
  const set = sep('MirrorMeterReading', `<mRID>A2000000000000000000000100000001</mRID><MirrorReadingSet><mRID>A3000000000000000000000100000001</mRID><timePeriod><duration>1800</duration><start>${start}</start></timePeriod>${reading(0, 250)}${reading(1, -40)}</MirrorReadingSet>`)
  t.equal((await first.ask('POST', location, set)).status, 201)
  t.match(heard.rows, [{ servicePoint: 'sp1', channel: 'import', Wh: 250, minutes: 15, start, source: `ieee2030_5:${one!.lfdi}` }, { channel: 'export', Wh: 40 }])
  t.equal((await second.ask('POST', location, set)).status, 404)
  t.equal((await second.ask('POST', '/mup', mup)).status, 403)
  t.equal((await first.ask('POST', location, set.replaceAll('A2000', 'A2999'))).status, 400, 'a new series needs its ReadingType')
  t.equal((await first.ask('POST', location, set.replace(`<start>${start + 900}`, `<start>${now() + 900}`))).status, 400, 'SEP-175')
  t.match((await first.get('/mup?l=5')).body, /<postRate>300</)
  const before = heard.rows.length
  t.equal((await first.ask('POST', location, set.replaceAll(String(start), String(start - 7)))).status, 201, 'an interval off the grid is mirror data all the same')
  t.equal(heard.rows.length, before + 1, 'and only what lies on the grid reaches core')
})

t.test('SEP-091, SEP-103, SEP-105 a trusted stranger may register when listed', async (t) => {
  t.equal((await outsider.get('/dcap')).status, 200)
  t.equal(attributeOf((await outsider.get('/edev')).body, 'EndDeviceList', 'all'), '0')
  t.equal((await outsider.get('/derp')).status, 403)
  const body = (sfdi: number): string => sep('EndDevice', `<sFDI>${sfdi}</sFDI><changedTime>0</changedTime>`)
  t.equal((await outsider.ask('POST', '/edev', body(one!.sfdi))).status, 400)
  t.equal((await outsider.ask('POST', '/edev', sep('EndDevice', `<lFDI>${one!.lfdi}</lFDI><sFDI>${one!.sfdi}</sFDI><changedTime>0</changedTime>`))).status, 403)
  const made = await outsider.ask('POST', '/edev', body(stranger!.sfdi))
  t.equal(made.status, 201)
  t.equal((await outsider.ask('POST', '/edev', body(stranger!.sfdi))).headers.location, made.headers.location)
  t.equal(attributeOf((await outsider.get('/edev')).body, 'EndDeviceList', 'all'), '1')
  t.equal(attributeOf((await outsider.get('/derp')).body, 'DERProgramList', 'all'), '3')
})

t.test('SEC-007, SEP-193 a revoked device is cut at once', async (t) => {
  revoked.add(two!.lfdi)
  await t.rejects(second.get('/dcap'))
  revoked.delete(two!.lfdi)
  await csip.provisioning.enableEndDevice(two!.lfdi, false)
  t.equal((await second.get(`/edev/${two!.lfdi}/fsa`)).status, 403, 'SEP-107')
  t.match((await second.get('/edev')).body, /<enabled>false</)
})
