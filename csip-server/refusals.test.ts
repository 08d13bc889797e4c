import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { attributeOf, hear, makePki, sep, serverUnderTest, textOf } from '#csip-server/fixture.js'
import { eventsAt, type EventRecord } from '#csip-server/event-status.js'
import { devicePeer, operatorPeer, type Peer } from '#csip-server/identity.js'
import { sfdiOf } from '#certs/lfdi.js'
import { testDatabase } from '#prisma/test-database.js'

/** What must not happen: each was found by changing the code, and seeing the tests that stand beside it pass. */
const clock = handClock(Date.UTC(2026, 10, 23, 22, 0, 0))
const pki = await makePki(), db = await testDatabase({ clock }), heard = hear(), { documents } = db.stores
const needs = { pki, documents, tenant: db.tenant, clock, heard }
const { csip } = serverUnderTest(needs), aus = serverUnderTest({ ...needs, config: { profile: 'csip-aus-1.2', notifyAllow: ['127.0.0.1'] } }).csip
const [one, two, agg, stranger] = [await pki.device('one'), await pki.device('two'), await pki.device('agg'), await pki.device('stranger')]
heard.known.set(one.lfdi, { id: 'r1', servicePoint: 'sp1' })
await csip.provisioning.registerEndDevices([{ lfdi: one.lfdi, manager: agg.lfdi, groups: ['system', 'F1', 'one'] }, { lfdi: two.lfdi, groups: ['system', 'two'] }, { lfdi: agg.lfdi }])
t.teardown(() => db.close())
const asking = (door: typeof csip.door) => (peer: Peer) => async (method: string, target: string, xml?: string) => {
  const a = await door.handle({ method, target, peer, contentType: 'application/sep+xml', ...(xml ? { body: Buffer.from(xml) } : {}) })
  return { status: a.status, body: a.body?.toString() ?? '', location: a.location ?? '' }
}
const as = asking(csip.door), operator = as(operatorPeer('op')), first = as(devicePeer(one.lfdi, one.sfdi)), second = as(devicePeer(two.lfdi, two.sfdi)), aggregator = as(devicePeer(agg.lfdi, agg.sfdi))
const mine = `/edev/${one.lfdi}`
const control = (mRID: string, start: number, duration = 600, more = ''): string => sep('DERControl', `<mRID>${mRID}</mRID><creationTime>0</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>0</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>${duration}</duration><start>${start}</start></interval>${more}<DERControlBase><opModConnect>true</opModConnect></DERControlBase>`)

t.test('SEP-074, SEP-075 what was superseded is not cancelled any more: the call is a conflict, and a cancel that came too late changes nothing', async (t) => {
  const start = clock.now() + 100
  t.equal((await operator('POST', '/derp/F1/derc', control('0A01', start))).status, 201)
  await clock.advance(1000)
  t.equal((await operator('POST', '/derp/F1/derc', control('0A02', start))).status, 201)
  await clock.advance(200_000)
  const statuses = async (): Promise<(string | undefined)[]> => Promise.all(['0A01', '0A02'].map(async (m) => textOf((await first('GET', `/derp/F1/derc/${m}`)).body, 'currentStatus')))
  t.same(await statuses(), ['4', '1'])
  t.equal((await operator('DELETE', '/derp/F1/derc/0A01')).status, 409)
  t.same(await statuses(), ['4', '1'])
  const event = (mRID: string, creationTime: number, more: Partial<EventRecord> = {}): EventRecord => ({ mRID, creationTime, interval: { start: 100, duration: 100 }, controls: ['opModConnect'], addressees: [], ...more })
  const at = (cancelledAt: number): unknown => eventsAt([event('A', 1, { cancelled: { at: cancelledAt, status: 2 } }), event('B', 2)], 150).status.get('A')
  t.match(at(120), { currentStatus: 4, dateTime: 100 }, 'superseded at 100, cancelled at 120')
  t.match(at(90), { currentStatus: 2, dateTime: 90 }, 'cancelled before')
})

const order = (id: string, more: object = {}) => ({
  id, tenant: db.tenant, dispatch: 'd', revision: 1, program: { id: 'p', name: 'p' }, resource: { id: 'r1', name: 'r', kind: 'battery', rated_W: 5000, servicePoint: 'sp1' }, binding: { protocol: 'ieee2030_5' as const, remoteId: one.lfdi, control: true },
  start: clock.now(), end: clock.now() + 1200, intervals: [{ start: clock.now(), end: clock.now() + 600, delta_W: -1000, expected_W: 0, setpoint_W: -1000, limitImport_W: null }, { start: clock.now() + 600, end: clock.now() + 1200, delta_W: -2000, expected_W: 0, setpoint_W: -2000, limitImport_W: null }],
  randomize_s: 0, expiry: clock.now() + 1200, priority: 1, reportEvery_s: 900, createdAt: clock.nowMs(), ...more,
}) as never

t.test('SEP-078 a device is never asked to randomize by more than an hour', async (t) => {
  t.match(await csip.channel.send([order('wide', { randomize_s: 7200 })]), [{ outcome: 'sent' }])
  t.equal(textOf((await first('GET', '/derp/one/derc?l=9')).body, 'randomizeStart'), '3600')
  await csip.channel.cancel([order('wide')], 'test')
})

t.test('SEP-185 an order in two events is over with the last of them, and cancelled only when we cancelled it', async (t) => {
  await clock.advance(8_000_000)
  heard.happened.length = 0
  await csip.channel.send([order('two')])
  const mRIDs = [...(await first('GET', '/derp/one/derc?l=9')).body.matchAll(/<mRID>(\w+)</g)].map((m) => m[1]!)
  t.equal(mRIDs.length, 2)
  const say = (subject: string, status: number) => first('POST', '/rsps/der/rsp', sep('DERControlResponse', `<createdDateTime>${clock.now()}</createdDateTime><endDeviceLFDI>${one.lfdi}</endDeviceLFDI><status>${status}</status><subject>${subject}</subject>`))
  for (const [i, status] of [[0, 2], [0, 3], [0, 6]] as const) t.equal((await say(mRIDs[i]!, status)).status, 201)
  t.same(heard.happened.map((h) => h.state), ['started'], 'neither its first completion nor a cancel that nobody gave')
  await say(mRIDs[1]!, 3)
  t.same(heard.happened.map((h) => h.state), ['started', 'completed'])
})

t.test('SEP-150, SEP-153, SEP-159 subscriptions: no plain http to the world, and in CSIP-AUS none of an aggregator below a device of its', async (t) => {
  const to = (uri: string): string => sep('Subscription', `<subscribedResource>/derp/F1/derc</subscribedResource><encoding>0</encoding><level>+S1</level><limit>1</limit><notificationURI>${uri}</notificationURI>`)
  t.equal((await first('POST', `${mine}/sub`, to('http://8.8.8.8/x'))).status, 400)
  t.equal((await first('POST', `${mine}/sub`, to('https://8.8.8.8/x'))).status, 201)
  const inAus = asking(aus.door)(devicePeer(agg.lfdi, agg.sfdi))
  t.equal((await inAus('POST', `${mine}/sub`, to('https://8.8.8.8/y'))).status, 403)
  t.equal((await inAus('POST', `/edev/${agg.lfdi}/sub`, to('https://8.8.8.8/y'))).status, 201)
})

t.test('SEP-103, SEP-104, SEP-192 registration: not unlisted, not with a name that does not derive; nobody deletes what it manages', async (t) => {
  const unlisted = as(devicePeer(stranger.lfdi, stranger.sfdi)), me = sep('EndDevice', `<lFDI>${stranger.lfdi}</lFDI><sFDI>${stranger.sfdi}</sFDI><changedTime>0</changedTime>`)
  t.equal((await unlisted('POST', '/edev', me)).status, 403)
  await t.rejects(csip.provisioning.allowEndDevice({ lfdi: stranger.lfdi, sfdi: stranger.sfdi + 1 }), { kind: 'invalid' } as unknown as Error)
  await csip.provisioning.allowEndDevice({ lfdi: stranger.lfdi, sfdi: sfdiOf(stranger.lfdi) })
  t.equal((await unlisted('POST', '/edev', me)).status, 201)
  t.equal((await aggregator('DELETE', mine)).status, 403)
  t.equal((await first('GET', mine)).status, 200)
})

const mirror = (mRID: string, flags: string, series: string, lfdi: string, seconds = 900, at = Math.floor(clock.now() / 900) * 900 - 1800): string => sep('MirrorUsagePoint', `<mRID>${mRID}</mRID><roleFlags>${flags}</roleFlags><serviceCategoryKind>0</serviceCategoryKind><status>1</status><deviceLFDI>${lfdi}</deviceLFDI><MirrorMeterReading><mRID>${series}</mRID><MirrorReadingSet><mRID>AA</mRID><timePeriod><duration>${seconds}</duration><start>${at}</start></timePeriod><Reading><timePeriod><duration>${seconds}</duration><start>${at}</start></timePeriod><value>250</value></Reading></MirrorReadingSet><ReadingType><accumulationBehaviour>4</accumulationBehaviour><flowDirection>1</flowDirection><intervalLength>${seconds}</intervalLength><uom>72</uom></ReadingType></MirrorMeterReading>`)

t.test('SEP-166, SEP-174 mirrors: a DER’s own meter counts as long as there is no meter of the premises; nobody writes into a foreign series; half minutes stay in the mirror', async (t) => {
  const rows = async (xml: string): Promise<number> => { heard.rows.length = 0; t.ok([201, 204].includes((await first('POST', '/mup', xml)).status)); return heard.rows.length }
  const der = (at?: number): string => mirror('0E01', '0049', '0E11', one.lfdi, 900, at)
  t.equal(await rows(der()), 1, 'alone')
  t.equal(await rows(mirror('0E02', '0003', '0E12', one.lfdi, 90)), 0, 'ninety seconds are no interval of the core')
  t.equal(await rows(mirror('0E02', '0003', '0E12', one.lfdi)), 1, 'the premises')
  t.equal(await rows(der(Math.floor(clock.now() / 900) * 900 - 900)), 0, 'not counted twice')
  t.equal((await second('POST', '/mup', mirror('0E03', '0003', '0E11', two.lfdi))).status, 403)
  t.equal(await documents.count(db.tenant, { kind: 'csip/MirrorUsagePoint', owner: two.lfdi }), 0, 'and nothing of it stays')
})

t.test('SEP-187 the newest thousand log events of a device are kept, the oldest go first', async (t) => {
  const list = `/edev/${two.lfdi}/lel`, body = (at: number): object => ({ createdDateTime: at, functionSet: 1, logEventCode: 0, logEventID: 0, logEventPEN: 1, profileID: 2 })
  await documents.insertMany(Array.from({ length: 1000 }, (_, i) => ({ tenant: db.tenant, kind: 'csip/LogEvent', id: `L${i}`, parent: two.lfdi, sort1: i + 1, body: body(i + 1) })), clock.nowMs(), { quiet: true })
  t.equal((await second('POST', list, sep('LogEvent', '<createdDateTime>5000</createdDateTime><functionSet>1</functionSet><logEventCode>0</logEventCode><logEventID>0</logEventID><logEventPEN>1</logEventPEN><profileID>2</profileID>'))).status, 201)
  const { body: seen } = await second('GET', `${list}?l=1`)
  t.same([attributeOf(seen, 'LogEventList', 'all'), textOf(seen, 'createdDateTime')], ['1000', '5000'])
  t.equal(textOf((await second('GET', `${list}?s=999&l=1`)).body, 'createdDateTime'), '2')
})

t.test('SEP-107, SEP-140 a disabled device is refused at every address, not below its own record alone; there is one DER', async (t) => {
  t.equal((await first('GET', `${mine}/der/2`)).status, 404)
  t.equal((await first('GET', `${mine}/der/2/dercap`)).status, 404)
  await csip.provisioning.enableEndDevice(one.lfdi, false)
  for (const path of ['/derp', '/derp/F1', '/rsps', '/upt']) t.equal((await first('GET', path)).status, 403, path)
  await csip.provisioning.enableEndDevice(one.lfdi, true)
  t.equal((await first('GET', '/derp')).status, 200)
})

t.test('SEP-191, SEC-030 a foreign thing is not reached through one’s own address', async (t) => {
  const foreign = await second('POST', `/edev/${two.lfdi}/di/loc`, sep('SupportedLocale', '<locale>de</locale>')), through = `${mine}/di/loc/${foreign.location.split('/').at(-1)}`
  t.equal(foreign.status, 201)
  for (const [method, xml] of [['GET', undefined], ['PUT', sep('SupportedLocale', '<locale>fr</locale>')], ['DELETE', undefined]] as const) t.equal((await first(method, through, xml)).status, 404, method)
  t.equal(textOf((await second('GET', foreign.location)).body, 'locale'), 'de')
})

t.test('SEP-112 where connection points may not change, another one is a conflict and the same one is not', async (t) => {
  const fixed = serverUnderTest({ ...needs, config: { profile: 'csip-aus-1.2', nmiUpdates: false } }).csip, put = (id: string) => asking(fixed.door)(devicePeer(one.lfdi, one.sfdi))('PUT', `${mine}/cp`, `<c:ConnectionPoint xmlns:c="https://csipaus.org/ns"><c:connectionPointId>${id}</c:connectionPointId></c:ConnectionPoint>`)
  t.same([(await put('2001985732')).status, (await put('2001985732')).status, (await put('2001985733')).status], [201, 204, 409])
})

t.test('SEP-079, SEP-063 an event that stands is not changed: another content is a conflict, and a cancel changes its status and version alone', async (t) => {
  const start = clock.now() + 5000, made = await operator('POST', '/derp/F1/derc', control('0F79', start)), at = made.location
  t.equal(made.status, 201)
  const content = async (): Promise<string> => (await operator('GET', at)).body.replace(/<EventStatus>.*?<\/EventStatus>|<version>.*?<\/version>/g, '')
  const before = await content(), other = control('0F79', start + 1, 900).replace('<opModConnect>true', '<opModConnect>false')
  t.equal((await operator('PUT', at, other)).status, 409)
  t.equal((await operator('POST', '/derp/F1/derc', other)).status, 409, 'nor by another one with its mRID')
  t.equal((await operator('PUT', at, other.replace('<currentStatus>0', '<currentStatus>2'))).status, 204)
  const after = (await operator('GET', at)).body
  t.equal(await content(), before)
  t.match([textOf(after, 'currentStatus'), textOf(after, 'version')], ['2', '1'])
})
