import * as fc from 'fast-check'
import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { attributeOf, makePki, sep, serverUnderTest, textOf } from '#csip-server/fixture.js'
import { devicePeer, operatorPeer, type Peer } from '#csip-server/identity.js'
import { mridOf, newMRID } from '#csip-server/mrid.js'
import { testDatabase } from '#prisma/test-database.js'

const clock = handClock(Date.UTC(2026, 10, 23, 22, 0, 0))
const pki = await makePki(), db = await testDatabase({ clock })
const { csip, heard } = serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock })
const one = await pki.device('one'), mine = `/edev/${one.lfdi}`
await csip.provisioning.registerEndDevice({ lfdi: one.lfdi, groups: ['system', 'F1', 'one'] })
t.teardown(() => db.close())
const as = (peer: Peer) => async (method: string, target: string, xml?: string) => {
  const a = await csip.door.handle({ method, target, peer, contentType: 'application/sep+xml', ...(xml ? { body: Buffer.from(xml) } : {}) })
  return { status: a.status, body: a.body?.toString() ?? '', location: a.location ?? '' }
}
const operator = as(operatorPeer('op')), device = as(devicePeer(one.lfdi, one.sfdi))
let n = 0
const control = (more: { start?: number; duration?: number; random?: string; base?: string; tail?: string } = {}): string => sep('DERControl', `<mRID>${(++n).toString(16).padStart(8, '0')}</mRID><creationTime>0</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>0</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>${more.duration ?? 600}</duration><start>${more.start ?? clock.now() + 60}</start></interval>${more.random ?? ''}<DERControlBase>${more.base ?? '<opModConnect>true</opModConnect>'}</DERControlBase>${more.tail ?? ''}`)

t.test('SEP-028 a TimeType of 64 bits comes back digit for digit; one more is refused, and so is a reading beyond Int48', async (t) => {
  const put = (value: string) => device('PUT', `${mine}/dstat`, sep('DeviceStatus', `<changedTime>${value}</changedTime>`))
  for (const value of ['9223372036854775807', '-9223372036854775808', '9007199254740993', '9007199254740991', '-1', '0']) {
    t.ok((await put(value)).status < 300, value)
    t.equal(textOf((await device('GET', `${mine}/dstat`)).body, 'changedTime'), value)
  }
  for (const value of ['9223372036854775808', '-9223372036854775809', '1e3', '1.0', '', '0x10', '99999999999999999999']) t.equal((await put(value)).status, 400, value)
  await fc.assert(fc.asyncProperty(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), async (value) => {
    await put(String(value))
    return textOf((await device('GET', `${mine}/dstat`)).body, 'changedTime') === String(value)
  }), { numRuns: 30 })
  const mup = (await device('POST', '/mup', sep('MirrorUsagePoint', `<mRID>0A01</mRID><roleFlags>0003</roleFlags><serviceCategoryKind>0</serviceCategoryKind><status>1</status><deviceLFDI>${one.lfdi}</deviceLFDI>`))).location
  const post = (value: string) => device('POST', mup, sep('MirrorMeterReading', `<mRID>0A02</mRID><Reading><value>${value}</value></Reading><ReadingType><uom>38</uom></ReadingType>`))
  t.same([(await post('140737488355328')).status, (await post('-140737488355328')).status, (await post('140737488355329')).status, (await post('-140737488355329')).status], [201, 201, 400, 400])
})

t.test('SEP-028, SEP-141, SEP-145 64 bits of every time that we only keep; what we reckon with has a date, and nothing is rounded in between', async (t) => {
  const two = await pki.device('two'), device = as(devicePeer(two.lfdi, two.sfdi)), mine = `/edev/${two.lfdi}`
  await csip.provisioning.registerEndDevice({ lfdi: two.lfdi, groups: ['system', 'F1', 'one'] })
  heard.known.set(two.lfdi, { id: 'r1', servicePoint: 'sp1' })
  const W = (value: number) => `<multiplier>0</multiplier><value>${value}</value>`, odd = ['9007199254740993', '9223372036854775807', '-9223372036854775807']
  const documents: readonly [path: string, root: string, field: string, before: string, after: string][] = [
    ['der/1/dera', 'DERAvailability', 'readingTime', '<availabilityDuration>900</availabilityDuration>', `<statWAvail>${W(700)}</statWAvail>`],
    ['der/1/ders', 'DERStatus', 'readingTime', '', ''],
    ['der/1/derg', 'DERSettings', 'updatedTime', `<setGradW>0</setGradW><setMaxW>${W(5)}</setMaxW>`, ''],
    ['di', 'DeviceInformation', 'mfDate', `<lFDI>${two.lfdi}</lFDI>`, '<mfHwVer>1</mfHwVer><mfID>1</mfID><mfModel>m</mfModel><mfSerNum>s</mfSerNum><primaryPower>1</primaryPower><secondaryPower>0</secondaryPower><swActTime>0</swActTime><swVer>1</swVer>'],
    ['ps', 'PowerStatus', 'changedTime', '<batteryStatus>0</batteryStatus>', '<currentPowerSource>1</currentPowerSource>'],
  ]
  for (const [path, root, field, before, after] of documents) for (const value of odd) {
    t.equal((await device('PUT', `${mine}/${path}`, sep(root, `${before}<${field}>${value}</${field}>${after}`))).status < 300, true, `${root} ${value}`)
    t.equal(textOf((await device('GET', `${mine}/${path}`)).body, field), value)
  }
  t.same(heard.declared, [], 'a reading of no hour says nothing about any hour')
  const available = (time: number | string) => device('PUT', `${mine}/der/1/dera`, sep('DERAvailability', `<availabilityDuration>900</availabilityDuration><readingTime>${time}</readingTime><statWAvail>${W(700)}</statWAvail>`))
  const latest = 8_640_000_000_000 - 2 ** 33
  for (const time of [latest + 1, 9_007_199_254_740_991, -latest - 1]) await available(time)
  t.same(heard.declared, [])
  for (const time of [clock.now(), latest]) await available(time)
  t.match(heard.declared, [{ start: clock.now(), end: clock.now() + 900, down_W: 700 }, { start: latest, end: latest + 900 }])
  t.same((await Promise.all([latest, latest + 1, '9007199254740993'].map((start) => operator('POST', '/derp/one/derc', control({ start: start as number }))))).map((a) => a.status), [201, 400, 400], 'an event has a date')

  const log = (time: string) => device('POST', `${mine}/lel`, sep('LogEvent', `<createdDateTime>${time}</createdDateTime><functionSet>11</functionSet><logEventCode>0</logEventCode><logEventID>1</logEventID><logEventPEN>1</logEventPEN><profileID>2</profileID>`))
  for (const value of odd) t.equal(textOf((await device('GET', (await log(value)).location)).body, 'createdDateTime'), value)
  const event = await operator('POST', '/derp/one/derc', control()), mRID = event.location.split('/').at(-1) ?? ''
  const say = (time: string) => device('POST', '/rsps/der/rsp', sep('DERControlResponse', `<createdDateTime>${time}</createdDateTime><endDeviceLFDI>${two.lfdi}</endDeviceLFDI><status>1</status><subject>${mRID}</subject>`))
  const said = [await say('9007199254740992'), await say('9007199254740993'), await say('9007199254740993')]
  t.same(said.map((s) => s.status), [201, 201, 204], 'two times that one float would hold are two words (SEP-183)')
  t.equal(textOf((await device('GET', said[1]!.location)).body, 'createdDateTime'), '9007199254740993')
})

t.test('SEP-188, REL-038 an alarm of a device whose clock is ahead ends when the device, its clock put right, says so', async (t) => {
  const log = (code: number, time: number) => device('POST', `${mine}/lel`, sep('LogEvent', `<createdDateTime>${time}</createdDateTime><functionSet>11</functionSet><logEventCode>${code}</logEventCode><logEventID>7</logEventID><logEventPEN>1</logEventPEN><profileID>2</profileID>`))
  const raised = async () => (await db.stores.documents.get<{ raised: boolean }>(db.tenant, 'csip/Alarm', `${one.lfdi}/1`))?.body.raised
  await log(2, clock.now() + 31_536_000)
  t.equal(await raised(), true)
  await clock.advance(60_000)
  await log(3, clock.now())
  t.equal(await raised(), false)
})

t.test('SEP-029 true, false, 1 and 0 are read, true and false are written; nothing else is a boolean', async (t) => {
  for (const [given, written] of [['true', 'true'], ['1', 'true'], ['false', 'false'], ['0', 'false'], [' 1 ', 'true']] as const) {
    const made = await operator('POST', '/derp/one/derc', control({ base: `<opModConnect>${given}</opModConnect>` }))
    t.equal(textOf((await device('GET', made.location)).body, 'opModConnect'), written, given)
  }
  for (const bad of ['TRUE', 'yes', '2', '']) t.equal((await operator('POST', '/derp/one/derc', control({ base: `<opModConnect>${bad}</opModConnect>` }))).status, 400, bad)
})

t.test('SEP-063 mRIDs: 1 to 16 bytes, kept as given, compared as numbers; ours end in the PEN, in binary or in decimal', async (t) => {
  const mup = (mRID: string) => device('POST', '/mup', sep('MirrorUsagePoint', `<mRID>${mRID}</mRID><roleFlags>0003</roleFlags><serviceCategoryKind>0</serviceCategoryKind><status>1</status><deviceLFDI>${one.lfdi}</deviceLFDI>`))
  const made = await mup('0b')
  t.equal(made.status, 201)
  t.equal(textOf((await device('GET', made.location)).body, 'mRID'), '0B')
  t.same([(await mup('0B')).status, (await mup('000B')).status, (await mup(`${'0'.repeat(30)}0b`)).status], [204, 204, 204], 'the same number')
  t.same([(await mup('')).status, (await mup('ABC')).status, (await mup('G0')).status, (await mup('A'.repeat(34))).status], [400, 400, 400, 400])
  const ids = { hex: (bytes: number) => 'ab'.repeat(bytes) } as never
  const binary = { config: { mridPen: 'binary', pen: 28_547 }, ids } as never, decimal = { config: { mridPen: 'decimal', pen: 28_547 }, ids } as never
  t.same([newMRID(binary), newMRID(decimal)].map((m) => [m.length, m.slice(-8)]), [[32, '00006F83'], [32, '00028547']])
  t.equal(mridOf(decimal, 'x').slice(-8), '00028547')
  t.notMatch(newMRID(binary), /^F{24}/)
})

t.test('SEP-077, SEP-078 an event lasts a second at least and randomizes within an hour', async (t) => {
  const status = async (more: Parameters<typeof control>[0]): Promise<number> => (await operator('POST', '/derp/F1/derc', control(more))).status
  t.same([await status({ duration: 0 }), await status({ duration: 1 }), await status({ duration: 4_294_967_295 }), await status({ duration: 4_294_967_296 })], [400, 201, 201, 400])
  for (const name of ['randomizeDuration', 'randomizeStart']) {
    t.same(await Promise.all([-3600, 3600, -3601, 3601].map((s) => status({ random: `<${name}>${s}</${name}>` }))), [201, 201, 400, 400], name)
  }
  const made = await operator('POST', '/derp/F1/derc', control({ random: '<randomizeDuration>30</randomizeDuration><randomizeStart>-20</randomizeStart>' }))
  t.match((await device('GET', made.location)).body, /<\/interval><randomizeDuration>30<\/randomizeDuration><randomizeStart>-20<\/randomizeStart><DERControlBase>/)
})

t.test('SEP-132, SEP-080 a DERControl: its attributes, its children in order, and the order of its list', async (t) => {
  await clock.advance(1000)
  const made = await operator('POST', '/derp/system/derc', control({ tail: '<deviceCategory>0800</deviceCategory>', start: clock.now() + 500 }).replace('<DERControl ', '<DERControl responseRequired="07" '))
  const { body } = await device('GET', made.location)
  t.match([attributeOf(body, 'DERControl', 'href'), attributeOf(body, 'DERControl', 'replyTo'), attributeOf(body, 'DERControl', 'responseRequired'), attributeOf(body, 'DERControl', 'subscribable')], [made.location, '/rsps/der/rsp', '07', '0'])
  t.same([...body.matchAll(/<(mRID|version|creationTime|EventStatus|interval|DERControlBase|deviceCategory)>/g)].map((m) => m[1]), ['mRID', 'version', 'creationTime', 'EventStatus', 'interval', 'DERControlBase', 'deviceCategory'])
  t.equal(textOf(body, 'creationTime'), String(clock.now()), 'the server dates it')
  const silent = await operator('POST', '/derp/system/derc', control({ start: clock.now() + 100 }).replace('<DERControl ', '<DERControl responseRequired="00" '))
  t.equal(attributeOf((await device('GET', silent.location)).body, 'DERControl', 'replyTo'), undefined, 'nobody is asked')
  const starts: number[] = []
  for (const start of [700, 100, 100]) { await clock.advance(1000); await operator('POST', '/derp/system/derc', control({ start: clock.now() + start - starts.length, base: `<opModFixedW>${starts.push(start)}</opModFixedW>` })) }
  const listed = [...(await device('GET', '/derp/system/derc?l=99')).body.matchAll(/<creationTime>(\d+)<.*?<start>(\d+)</gs)].map((m) => [Number(m[2]), Number(m[1])] as const)
  t.same(listed, listed.toSorted((a, b) => a[0] - b[0] || b[1] - a[1]), 'start ascending, newer first')
})

t.test('SEP-131 a default: its settings in their units and order, with or without a control in it', async (t) => {
  const settings = ['setESDelay', 'setESHighFreq', 'setESHighVolt', 'setESLowFreq', 'setESLowVolt', 'setESRampTms', 'setESRandomDelay', 'setGradW', 'setSoftGradW']
  const inner = settings.map((s, i) => `<${s}>${(i + 1) * 10}</${s}>`)
  t.equal((await operator('PUT', '/derp/one/dderc', sep('DefaultDERControl', `<mRID>0D01</mRID>${inner.toReversed().join('')}<DERControlBase/>`))).status, 204)
  const { body } = await device('GET', '/derp/one/dderc')
  t.match(body, new RegExp(`<DERControlBase></DERControlBase>${inner.join('')}</DefaultDERControl>|<DERControlBase/>${inner.join('')}</DefaultDERControl>`))
  t.equal((await operator('PUT', '/derp/one/dderc', sep('DefaultDERControl', '<mRID>0D01</mRID><setGradW>5</setGradW>'))).status, 400, 'DERControlBase must be there')
  t.equal((await operator('PUT', '/derp/one/dderc', sep('DefaultDERControl', '<mRID>0D01</mRID><DERControlBase/><setGradW>65536</setGradW>'))).status, 400)
})

t.test('SEP-140, SEP-146 one DER from registration on; every link of it leads somewhere once something is there', async (t) => {
  const list = (await device('GET', `${mine}/der?l=5`)).body
  t.match([attributeOf(list, 'DERList', 'all'), attributeOf(list, 'DER', 'href')], ['1', `${mine}/der/1`])
  const links = [...list.matchAll(/<(\w+Link) href="([^"]+)"/g)].map((m) => [m[1]!, m[2]!] as const)
  t.same(links.map(([name]) => name), ['AssociatedDERProgramListLink', 'CurrentDERProgramLink', 'DERAvailabilityLink', 'DERCapabilityLink', 'DERSettingsLink', 'DERStatusLink'])
  t.match((await device('GET', links[0]![1])).body, /<DERProgramList [^>]*all="3"/)
  t.match(await device('GET', links[1]![1]), { status: 200, body: /<DERProgram / })
  for (const [name, href] of links.slice(2)) t.match([(await device('GET', href)).status, (await device('POST', href, sep(name.replace('Link', ''), ''))).status], [404, 405], `${name}: nothing before the first PUT`)
})

t.test('SEP-144, SEP-142 states outside the standard’s lists are refused and change nothing', async (t) => {
  const put = async (inner: string): Promise<number> => (await device('PUT', `${mine}/der/1/ders`, sep('DERStatus', inner))).status
  const state = (name: string, value: string | number): string => `<${name}><dateTime>1</dateTime><value>${value}</value></${name}>`
  const good = `<alarmStatus>000007FF</alarmStatus>${state('genConnectStatus', '07')}${state('inverterStatus', 10)}${state('localControlModeStatus', 1)}${state('manufacturerStatus', 'ok')}${state('operationalModeStatus', 3)}<readingTime>7</readingTime>${state('stateOfChargeStatus', 10_000)}${state('storageModeStatus', 2)}${state('storConnectStatus', '1F')}`
  t.equal(await put(good), 204)
  for (const bad of [state('inverterStatus', 11), state('localControlModeStatus', 2), state('operationalModeStatus', 4), state('storageModeStatus', 3), state('stateOfChargeStatus', 10_001), state('genConnectStatus', '0100'), state('storConnectStatus', '7'), state('manufacturerStatus', 'toolong'), '<alarmStatus>0000000000</alarmStatus>']) t.equal(await put(`${bad}<readingTime>8</readingTime>`), 400, bad)
  t.equal(await put(state('inverterStatus', 1)), 400, 'no readingTime')
  t.match((await device('GET', `${mine}/der/1/ders`)).body, new RegExp(`>${good}</DERStatus>`), 'field for field')
  const type = async (value: number): Promise<number> => (await device('PUT', `${mine}/der/1/dercap`, sep('DERCapability', `<modesSupported>00</modesSupported><rtgMaxW><multiplier>0</multiplier><value>1</value></rtgMaxW><type>${value}</type>`))).status
  t.same(await Promise.all([0, 6, 80, 83, 7, 79, 84].map(type)), [204, 204, 204, 204, 400, 400, 400])
})

const mirror = (more: string, mRID = '0E01'): string => sep('MirrorUsagePoint', `<mRID>${mRID}</mRID><roleFlags>0003</roleFlags><serviceCategoryKind>0</serviceCategoryKind><status>1</status><deviceLFDI>${one.lfdi}</deviceLFDI>${more}`)
const energy = '<ReadingType><accumulationBehaviour>4</accumulationBehaviour><flowDirection>1</flowDirection><intervalLength>900</intervalLength><uom>72</uom></ReadingType>'

t.test('SEP-167 the server says how often to post, whatever the client wished', async (t) => {
  const { location } = await device('POST', '/mup', mirror('<postRate>1</postRate>'))
  t.equal(textOf((await device('GET', location)).body, 'postRate'), '300')
  await device('PUT', location, mirror('<postRate>2</postRate>'))
  t.equal(textOf((await device('GET', location)).body, 'postRate'), '300')
  await operator('PUT', mine, sep('EndDevice', `<sFDI>${one.sfdi}</sFDI><changedTime>0</changedTime><postRate>60</postRate>`))
  t.equal(textOf((await device('GET', location)).body, 'postRate'), '60', 'per device')
})

t.test('SEP-169, SEP-168 readings, alone and in sets, are read back child for child, and overwritten by the same key', async (t) => {
  const { location } = await device('POST', '/mup', mirror(`<MirrorMeterReading><mRID>0E12</mRID>${energy}</MirrorMeterReading>`, '0E11'))
  const start = clock.now() - 3600 - (clock.now() % 900)
  const reading = (value: number, id: string, at: number): string => `<consumptionBlock>0</consumptionBlock><qualityFlags>0001</qualityFlags><timePeriod><duration>900</duration><start>${at}</start></timePeriod><touTier>1</touTier><value>${value}</value><localID>${id}</localID>`
  const set = (value: number): string => sep('MirrorMeterReading', `<mRID>0E12</mRID><MirrorReadingSet><mRID>0E13</mRID><timePeriod><duration>1800</duration><start>${start}</start></timePeriod><Reading>${reading(7, '0001', start + 900)}</Reading><Reading>${reading(value, '00', start)}</Reading></MirrorReadingSet>`)
  t.same([(await device('POST', location, set(5))).status, (await device('POST', location, set(6))).status], [201, 201])
  const point = location.replace('mup', 'upt'), rs = attributeOf((await device('GET', `${point}/mr?l=1`)).body, 'ReadingSetListLink', 'href')!
  const sets = (await device('GET', `${rs}?l=9`)).body
  t.match([attributeOf(sets, 'ReadingSetList', 'all'), textOf(sets, 'mRID')], ['1', '0E13'])
  const list = (await device('GET', `${attributeOf(sets, 'ReadingListLink', 'href')}?l=9`)).body
  t.match(list, new RegExp(`all="2" results="2"><Reading [^>]*>${reading(6, '00', start)}</Reading><Reading [^>]*>${reading(7, '0001', start + 900)}</Reading>`), 'SEP-053 localID ascending')
})

t.test('SEP-175 readings older than the retention are accepted, dropped and counted; later than five minutes ahead is refused', async (t) => {
  const { location } = await device('POST', '/mup', mirror(`<MirrorMeterReading><mRID>0E22</mRID>${energy}</MirrorMeterReading>`, '0E21'))
  const post = async (start: number): Promise<number> => (await device('POST', location, sep('MirrorMeterReading', `<mRID>0E22</mRID><Reading><timePeriod><duration>900</duration><start>${start}</start></timePeriod><value>1</value></Reading>`))).status
  const stored = (): Promise<number> => db.stores.documents.count(db.tenant, { kind: 'csip/MirrorReadingSet', parent: `${'0'.repeat(28)}0E22` })
  const rows = heard.rows.length, oldest = clock.now() - 400 * 86_400
  t.same([await post(oldest - 1), await stored()], [201, 0])
  t.equal((await csip.samples()).find((s) => s.name === 'loadstone_csip_readings_too_old_total')?.value, 1)
  t.equal(heard.rows.length, rows)
  t.same([await post(oldest), await stored()], [201, 1])
  t.same([await post(clock.now() + 300), await post(clock.now() + 301), await stored()], [201, 400, 2])
})
