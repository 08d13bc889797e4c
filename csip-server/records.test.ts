import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { attributeOf, hear, makePki, sep, serverUnderTest, textOf } from '#csip-server/fixture.js'
import { devicePeer, type Peer } from '#csip-server/identity.js'
import { testDatabase } from '#prisma/test-database.js'

/** What a device says of itself and measures, and what becomes of it when the device goes. */
const clock = handClock(Date.UTC(2026, 10, 23, 22, 0, 0))
const pki = await makePki(), db = await testDatabase({ clock })
const heard = hear(), needs = { pki, documents: db.stores.documents, tenant: db.tenant, clock, heard }, { csip } = serverUnderTest(needs)
const [one, two] = [await pki.device('one'), await pki.device('two')]
await csip.provisioning.registerEndDevices([{ lfdi: one.lfdi, groups: ['system', 'F1', 'one'] }, { lfdi: two.lfdi, groups: ['system', 'F2', 'two'] }])
t.teardown(() => db.close())

const ask = (door: typeof csip.door) => (peer: Peer) => async (method: string, target: string, xml?: string) => {
  const a = await door.handle({ method, target, peer, contentType: 'application/sep+xml', ...(xml ? { body: Buffer.from(xml) } : {}) })
  return { status: a.status, body: a.body?.toString() ?? '', location: a.location ?? '' }
}
const as = ask(csip.door), first = as(devicePeer(one.lfdi, one.sfdi)), second = as(devicePeer(two.lfdi, two.sfdi))

t.test('SEP-110, SEP-111 what a device says about itself', async (t) => {
  const put = async (path: string, name: string, inner: string): Promise<void> => {
    const at = `/edev/${one.lfdi}/${path}`
    t.equal((await first('GET', at)).status, 404, `${name} before the first PUT`)
    t.equal((await first('PUT', at, sep(name, inner))).status, 201)
    t.match((await first('GET', at)).body.replace(/<\w+ListLink [^>]*\/>/g, ''), inner.replace(/\s/g, ''), 'beside the links, which are ours')
    t.equal((await second('GET', at)).status, 404)
    t.equal((await first('PUT', at, sep(name, ''))).status, 400)
  }
  await put('di', 'DeviceInformation', `<lFDI>${one.lfdi}</lFDI><mfDate>1</mfDate><mfHwVer>1</mfHwVer><mfID>32473</mfID><mfModel>M</mfModel><mfSerNum>S</mfSerNum><primaryPower>1</primaryPower><secondaryPower>0</secondaryPower><swActTime>2</swActTime><swVer>3</swVer>`)
  await put('cfg', 'Configuration', '<currentLocale>en</currentLocale><userDeviceName>roof</userDeviceName>')
  await put('ps', 'PowerStatus', '<batteryStatus>1</batteryStatus><changedTime>1</changedTime><currentPowerSource>1</currentPowerSource>')
})

t.test('SEP-171, SEP-172, SEP-173 the mirror is read as usage points, down to one reading', async (t) => {
  heard.known.set(one.lfdi, { id: 'r1', servicePoint: 'sp1' })
  const type = '<ReadingType><accumulationBehaviour>4</accumulationBehaviour><flowDirection>1</flowDirection><intervalLength>900</intervalLength><powerOfTenMultiplier>0</powerOfTenMultiplier><uom>72</uom></ReadingType>'
  const mup = (mRID: string, flags: string, series: string): string => sep('MirrorUsagePoint', `<mRID>${mRID}</mRID><description>site</description><roleFlags>${flags}</roleFlags><serviceCategoryKind>0</serviceCategoryKind><status>1</status><deviceLFDI>${one.lfdi}</deviceLFDI><MirrorMeterReading><mRID>${series}</mRID>${type}</MirrorMeterReading>`)
  const made = await first('POST', '/mup', mup('0101', '0003', '0201'))
  const start = Math.floor(clock.now() / 900) * 900 - 1800
  const set = (at: number, series: string): string => sep('MirrorMeterReading', `<mRID>${series}</mRID><MirrorReadingSet><mRID>0301</mRID><timePeriod><duration>900</duration><start>${at}</start></timePeriod><Reading><timePeriod><duration>900</duration><start>${at}</start></timePeriod><value>7</value><localID>02</localID></Reading><Reading><value>8</value><localID>01</localID></Reading></MirrorReadingSet>`)
  for (const at of [start, start + 900]) t.equal((await first('POST', made.location, set(at, '0201'))).status, 201)
  const list = await first('GET', attributeOf((await first('GET', '/dcap')).body, 'UsagePointListLink', 'href')! + '?l=5')
  t.match(list.body, /<UsagePointList [^>]*all="1"[^>]*><UsagePoint [^>]*><mRID>0101<\/mRID><description>site<\/description><roleFlags>0003<.*<deviceLFDI>\w+<\/deviceLFDI><MeterReadingListLink href="[^"]+" all="1"\/>/)
  const meters = await first('GET', `${attributeOf(list.body, 'MeterReadingListLink', 'href')!}?l=5`)
  t.equal(textOf((await first('GET', attributeOf(meters.body, 'ReadingTypeLink', 'href')!)).body, 'uom'), '72')
  const sets = await first('GET', `${attributeOf(meters.body, 'ReadingSetListLink', 'href')!}?l=5`)
  t.same([...sets.body.matchAll(/<start>(\d+)</g)].map((m) => Number(m[1])), [start + 900, start], 'newest first')
  const readings = await first('GET', `${attributeOf(sets.body, 'ReadingListLink', 'href')!}?l=5`)
  t.same([...readings.body.matchAll(/<localID>(\w+)</g)].map((m) => m[1]), ['01', '02'], 'by localID')
  t.equal(textOf((await first('GET', attributeOf(readings.body, 'Reading', 'href')!)).body, 'value'), '8')
  t.equal((await second('GET', attributeOf(list.body, 'UsagePoint', 'href')!)).status, 404)
  t.equal((await first('POST', '/upt', mup('0102', '0003', '0202'))).status, 405)
  const before = heard.rows.length
  const device = await first('POST', '/mup', mup('0103', '0049', '0203'))
  t.equal((await first('POST', device.location, set(start, '0203'))).status, 201)
  t.equal(heard.rows.length, before, 'SEP-171 beside a premises meter the DER’s own does not count')
  t.equal((await first('PUT', device.location, mup('0103', '0049', '0203').replace('site', 'roof'))).status, 204)
  t.match((await first('GET', device.location)).body, /<description>roof</)
  t.equal((await first('DELETE', device.location)).status, 204)
  t.equal((await first('GET', device.location)).status, 404)
})

t.test('SEP-188 alarms of a DER begin and end', async (t) => {
  const told: unknown[] = []
  const door = serverUnderTest(needs).csip
  ;(door.context as { alarm?: unknown }).alarm = (a: unknown) => told.push(a)
  const mine = ask(door.door)(devicePeer(one.lfdi, one.sfdi))
  const say = (at: number, code: number, set = 11) => mine('POST', `/edev/${one.lfdi}/lel`, sep('LogEvent', `<createdDateTime>${at}</createdDateTime><functionSet>${set}</functionSet><logEventCode>${code}</logEventCode><logEventID>1</logEventID><logEventPEN>1</logEventPEN><profileID>2</profileID>`))
  for (const [at, code, set] of [[100, 2, 11], [110, 2, 11], [105, 3, 11], [120, 3, 11], [130, 99, 11], [140, 4, 1]] as const) t.equal((await say(at, code, set)).status, 201)
  t.match(told, [{ alarm: 'over voltage', raised: true, at: 100 }, { alarm: 'over voltage', raised: false, at: 120 }])
})

t.test('SEP-106 a device changes and removes its own record, with everything below it', async (t) => {
  const goner = await pki.device('goner')
  await csip.provisioning.registerEndDevices([{ lfdi: goner.lfdi, groups: ['system', 'F1', 'goner'] }])
  const mine = as(devicePeer(goner.lfdi, goner.sfdi)), path = `/edev/${goner.lfdi}`
  const record = (more: string, sfdi = goner.sfdi): string => sep('EndDevice', `${more}<sFDI>${sfdi}</sFDI><changedTime>0</changedTime>`)
  t.equal((await mine('PUT', path, record('<deviceCategory>02</deviceCategory>'))).status, 204)
  t.equal(textOf((await mine('GET', path)).body, 'deviceCategory'), '02')
  t.equal((await mine('PUT', path, record(`<lFDI>${one.lfdi}</lFDI>`))).status, 400)
  t.equal((await mine('PUT', path, record('', one.sfdi))).status, 400)
  await mine('PUT', `${path}/dstat`, sep('DeviceStatus', '<changedTime>1</changedTime>'))
  t.equal((await mine('DELETE', path)).status, 204)
  for (const gone of [path, `${path}/dstat`, `${path}/rg`]) t.equal((await mine('GET', gone)).status, 404, gone)
  t.match((await mine('GET', '/edev')).body, /all="0"/)
  t.equal(await db.stores.documents.count(db.tenant, { kind: 'csip/DeviceStatus', parent: goner.lfdi }), 0)
})
