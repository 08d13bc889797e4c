import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { attributeOf, makePki, sep, serverUnderTest, textOf } from '#csip-server/fixture.js'
import { devicePeer, operatorPeer, type Peer } from '#csip-server/identity.js'
import { testDatabase } from '#prisma/test-database.js'

const clock = handClock(Date.UTC(2026, 10, 23, 22, 0, 0))
const pki = await makePki(), db = await testDatabase({ clock })
const { csip } = serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock, config: { prefix: '/sep2' } })
const [one, two, agg] = [await pki.device('one'), await pki.device('two'), await pki.device('agg')]
await csip.provisioning.registerEndDevices([{ lfdi: one.lfdi, manager: agg.lfdi, groups: ['system', 'F1', 'one'] }, { lfdi: two.lfdi }, { lfdi: agg.lfdi }])
t.teardown(() => db.close())
const as = (peer: Peer) => async (method: string, target: string, xml?: string) => {
  const a = await csip.door.handle({ method, target, peer, contentType: 'application/sep+xml', ...(xml ? { body: Buffer.from(xml) } : {}) })
  return { status: a.status, body: a.body?.toString() ?? '', location: a.location ?? '' }
}
const operator = as(operatorPeer('op')), first = as(devicePeer(one.lfdi, one.sfdi)), second = as(devicePeer(two.lfdi, two.sfdi)), aggregator = as(devicePeer(agg.lfdi, agg.sfdi))
const mine = `/sep2/edev/${one.lfdi}/der`
const linkOf = (body: string, name: string): string => attributeOf(body, name, 'href') ?? ''
const control = (mRID: string, start: number, duration: number): string => sep('DERControl', `<mRID>${mRID}</mRID><creationTime>0</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>0</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>${duration}</duration><start>${start}</start></interval><DERControlBase><opModConnect>true</opModConnect></DERControlBase>`)

t.test('SEP-146, SEP-076 CurrentDERProgram is the program that rules now: by its active event, else by its primacy', async (t) => {
  const now = clock.now()
  t.equal((await operator('POST', '/sep2/derp/system/derc', control('0A01', now + 100, 300))).status, 201)
  t.equal((await operator('POST', '/sep2/derp/F1/derc', control('0A02', now + 200, 100))).status, 201)
  const link = linkOf((await first('GET', `${mine}/1`)).body, 'CurrentDERProgramLink')
  t.equal(link, `${mine}/1/cdp`)
  const current = async (): Promise<string | undefined> => attributeOf((await first('GET', link)).body, 'DERProgram', 'href')
  const seen = [await current()]
  for (let i = 0; i < 4; i++) { await clock.advance(100_000); seen.push(await current()) }
  t.same(seen, ['one', 'system', 'F1', 'system', 'one'].map((p) => `/sep2/derp/${p}`), 'as the clock goes on, without another word')
  t.equal((await first('GET', link)).body, (await first('GET', '/sep2/derp/one')).body, 'SEP-064 the same thing under both addresses')
  t.equal((await aggregator('GET', link)).body, (await first('GET', link)).body)
  t.equal((await second('GET', link)).status, 404, 'SEP-191')
  for (const method of ['PUT', 'POST', 'DELETE']) t.equal((await first(method, link, sep('DERProgram', '<mRID>01</mRID><primacy>1</primacy>'))).status, 405, method)
  t.notMatch((await second('GET', `/sep2/edev/${two.lfdi}/der/1`)).body, /CurrentDERProgramLink/, 'in no group, in no program')
  t.equal((await second('GET', `/sep2/edev/${two.lfdi}/der/1/cdp`)).status, 404)
})

t.test('SEP-146, SEP-064 an event for another device of the group does not rule this one', async (t) => {
  await csip.provisioning.registerEndDevices([{ lfdi: 'B'.repeat(40), groups: ['system', 'F1', 'three'] }])
  await db.stores.documents.insertMany([{ tenant: db.tenant, kind: 'csip/DERControl', id: '0A03'.padStart(32, '0'), parent: 'F1', key: '0A03'.padStart(32, '0'), targets: ['B'.repeat(40)], sort1: clock.now(), body: { mRID: '0A03', version: 0, creationTime: clock.now(), interval: { start: clock.now(), duration: 500 }, DERControlBase: { opModConnect: false } } }], clock.nowMs())
  t.equal(attributeOf((await first('GET', `${mine}/1/cdp`)).body, 'DERProgram', 'href'), '/sep2/derp/one')
})

t.test('SEP-146, SEP-171, SEP-169 AssociatedUsagePoint measures the DER, not the site; its MeterReading links the latest value', async (t) => {
  const at = clock.now() - 1800
  const reading = (mRID: string, start: number, value: number): string => `<MirrorMeterReading><mRID>${mRID}</mRID><Reading><timePeriod><duration>0</duration><start>${start}</start></timePeriod><value>${value}</value></Reading><ReadingType><kind>37</kind><uom>38</uom></ReadingType></MirrorMeterReading>`
  const point = (mRID: string, flags: string, readings: string): string => sep('MirrorUsagePoint', `<mRID>${mRID}</mRID><roleFlags>${flags}</roleFlags><serviceCategoryKind>0</serviceCategoryKind><status>1</status><deviceLFDI>${one.lfdi}</deviceLFDI>${readings}`)
  t.equal((await first('POST', '/sep2/mup', point('0E01', '0003', ''))).status, 201)
  t.notMatch((await first('GET', `${mine}?l=1`)).body, /AssociatedUsagePointLink/, 'the site’s meter is no DER’s')
  t.equal((await first('GET', `${mine}/1/upt`)).status, 404)
  const { location } = await first('POST', '/sep2/mup', point('0E02', '0049', reading('0E03', at, 40)))
  const link = linkOf((await first('GET', `${mine}?l=1`)).body, 'AssociatedUsagePointLink'), path = location.replace('/mup/', '/upt/')
  const { body } = await first('GET', link)
  t.match([link, attributeOf(body, 'UsagePoint', 'href'), textOf(body, 'mRID')], [`${mine}/1/upt`, path, '0E02'])
  t.equal((await second('GET', link)).status, 404)
  const latest = async (): Promise<string | undefined> => textOf((await first('GET', linkOf((await first('GET', `${linkOf(body, 'MeterReadingListLink')}?l=1`)).body, 'ReadingLink'))).body, 'value')
  t.equal(await latest(), '40')
  t.equal((await first('POST', location, reading('0E03', at + 60, 55).replace('<MirrorMeterReading>', '<MirrorMeterReading xmlns="urn:ieee:std:2030.5:ns">'))).status, 201)
  t.equal(await latest(), '55')
  t.equal((await first('DELETE', location)).status, 204)
  t.notMatch((await first('GET', `${mine}/1`)).body, /AssociatedUsagePointLink/)
})
