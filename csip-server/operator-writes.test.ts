import t from 'tap'
import { handClock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import { attributeOf, makePki, sep, serverUnderTest, textOf } from '#csip-server/fixture.js'
import { devicePeer, operatorPeer, type Peer } from '#csip-server/identity.js'
import { testDatabase } from '#prisma/test-database.js'

const clock = handClock(Date.UTC(2026, 10, 23, 22, 0, 0))
const pki = await makePki(), db = await testDatabase({ clock })
const { csip } = serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock })
const one = await pki.device('one'), edev = `/edev/${one.lfdi}`
await csip.provisioning.registerEndDevice({ lfdi: one.lfdi, groups: ['system', 'F1', 'one'] })
t.teardown(() => db.close())

const as = (peer: Peer, door = csip.door) => async (method: string, target: string, xml?: string) => {
  const a = await door.handle({ method, target, peer, contentType: 'application/sep+xml', ...(xml ? { body: Buffer.from(xml) } : {}) })
  return { status: a.status, body: a.body?.toString() ?? '', location: a.location ?? '' }
}
const operator = as(operatorPeer('op')), device = as(devicePeer(one.lfdi, one.sfdi))
const event = (name: string, mRID: string, inner: string, start = clock.now() + 60): string => sep(name, `<mRID>${mRID}</mRID><creationTime>0</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>0</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>600</duration><start>${start}</start></interval>${inner}`)
const curve = (mRID: string, type: number, more = ''): string => sep('DERCurve', `<mRID>${mRID}</mRID><creationTime>0</creationTime><CurveData><xvalue>1</xvalue><yvalue>2</yvalue></CurveData><curveType>${type}</curveType>${more}<xMultiplier>0</xMultiplier><yMultiplier>0</yMultiplier><yRefType>3</yRefType>`)
const mode = (name: string, href: string): string => `<DERControlBase><${name} href="${href}"/></DERControlBase>`

t.test('SEP-136, SEP-121, SEP-123 an operator makes a group, gives it a program, puts a device in and takes it out', async (t) => {
  const before = (await device('GET', edev)).body
  await clock.advance(5000)
  const made = await operator('POST', `${edev}/fsa`, sep('FunctionSetAssignments', '<mRID>AB01</mRID><description>early adopters</description>'))
  t.equal(made.status, 201)
  const fsa = await device('GET', made.location)
  t.match([textOf(fsa.body, 'mRID'), textOf(fsa.body, 'description')], ['AB01', 'early adopters'])
  t.ok(Number(textOf((await device('GET', edev)).body, 'changedTime')) > Number(textOf(before, 'changedTime')))
  const programs = attributeOf(fsa.body, 'DERProgramListLink', 'href')!
  t.match(await operator('POST', programs, sep('DERProgram', '<mRID>AB02</mRID><primacy>40</primacy>')), { status: 201, location: '/derp/0000000000000000000000000000AB02' })
  t.match((await device('GET', `${programs}?l=9`)).body, /all="2".*<primacy>40<.*<primacy>89</s)
  t.equal((await device('GET', '/derp/0000000000000000000000000000AB02')).status, 200)
  t.match(await operator('POST', `${edev}/fsa`, sep('FunctionSetAssignments', '<mRID>ab01</mRID>')), { status: 204, location: made.location }, 'in it already')
  t.equal((await operator('DELETE', made.location)).status, 204)
  t.equal((await device('GET', made.location)).status, 404)
  t.equal((await device('GET', '/derp/0000000000000000000000000000AB02')).status, 404, 'SEP-137')
  t.match(await operator('POST', `${edev}/fsa`, sep('FunctionSetAssignments', '<mRID>AB02</mRID>')), { status: 201, location: made.location }, 'by the mRID of its program too')
  t.equal((await device('POST', `${edev}/fsa`, sep('FunctionSetAssignments', '<mRID>AB03</mRID>'))).status, 405)
  t.equal((await device('DELETE', made.location)).status, 405)
})

t.test('SEP-134 a curve that a default or a control names stays', async (t) => {
  const made = await operator('POST', '/derp/one/dc', curve('0C01', 11))
  t.equal((await operator('PUT', '/derp/one/dderc', sep('DefaultDERControl', `<mRID>0D01</mRID>${mode('opModVoltWatt', made.location)}`))).status, 400, 'another curve type')
  t.equal((await operator('PUT', '/derp/one/dderc', sep('DefaultDERControl', `<mRID>0D01</mRID>${mode('opModVoltVar', made.location)}`))).status, 204)
  t.equal((await operator('DELETE', made.location)).status, 409)
  t.equal((await operator('PUT', '/derp/one/dderc', sep('DefaultDERControl', '<mRID>0D01</mRID><DERControlBase/>'))).status, 204)
  t.equal((await operator('POST', '/derp/one/derc', event('DERControl', '0D02', mode('opModVoltVar', made.location)))).status, 201)
  t.equal((await operator('DELETE', made.location)).status, 409)
  await clock.advance(700_000)
  t.equal((await operator('DELETE', made.location)).status, 204, 'the control has ended')
  t.equal((await operator('DELETE', made.location)).status, 404)
  t.equal((await operator('POST', '/derp/one/dc', curve('0C02', 12, '<vRef>1</vRef>'))).status, 400, 'SEP-135')
})

t.test('SEP-136 what hangs below a program goes with it', async (t) => {
  const { location } = await operator('POST', '/derp', sep('DERProgram', '<mRID>0E01</mRID><primacy>70</primacy>'))
  await operator('POST', `${location}/dc`, curve('0E02', 11))
  const control = await operator('POST', `${location}/derc`, event('DERControl', '0E03', '<DERControlBase><opModConnect>true</opModConnect></DERControlBase>'))
  t.equal((await operator('DELETE', location)).status, 204)
  for (const path of ['', '/derc', '/dc', '/dderc', '/actderc']) t.equal((await operator('GET', location + path)).status, 404, path)
  t.equal((await operator('GET', control.location)).status, 404)
  t.equal((await operator('DELETE', location)).status, 404)
  t.equal(await db.stores.documents.count(db.tenant, { kind: 'csip/DERControl', parent: location.split('/').at(-1)! }), 0)
})

t.test('SEP-065 each change of what keeps its mRID raises its version', async (t) => {
  const version = async (path: string): Promise<string | undefined> => textOf((await operator('GET', path)).body, 'version')
  const put = async (path: string, xml: string): Promise<string | undefined> => { t.equal((await operator('PUT', path, xml)).status, 204, path); return version(path) }
  const program = (await operator('POST', '/derp', sep('DERProgram', '<mRID>1A01</mRID><primacy>70</primacy>'))).location
  t.equal(await version(program), '0')
  t.same([await put(program, sep('DERProgram', '<mRID>1A01</mRID><primacy>71</primacy>')), await put(program, sep('DERProgram', '<mRID>1A01</mRID><version>9</version><primacy>72</primacy>'))], ['1', '2'])
  const made = (await operator('POST', `${program}/dc`, curve('1A02', 11))).location
  t.equal(await put(made, curve('1A02', 12)), '1')
  t.equal(await put(`${program}/dderc`, sep('DefaultDERControl', '<mRID>1A03</mRID><DERControlBase/>')), '1')
  const control = (await operator('POST', `${program}/derc`, event('DERControl', '1A04', '<DERControlBase><opModConnect>true</opModConnect></DERControlBase>'))).location
  t.equal((await operator('DELETE', control)).status, 204)
  t.equal(await version(control), '1', 'a cancel')
})

t.test('SEP-066 a PIN with a wrong last digit is refused', async (t) => {
  const pin = (n: number): Promise<{ status: number }> => operator('PUT', `${edev}/rg`, sep('Registration', `<dateTimeRegistered>1</dateTimeRegistered><pIN>${n}</pIN>`))
  t.same([(await pin(123455)).status, (await pin(123456)).status, (await pin(1_000_000)).status], [204, 400, 400])
  t.equal(textOf((await device('GET', `${edev}/rg`)).body, 'pIN'), '123455')
})

t.test('SEP-200 a rate component: links are ours, its ReadingType can be read and set', async (t) => {
  const { location } = await operator('POST', '/tp', sep('TariffProfile', '<mRID>2A01</mRID><primacy>1</primacy><serviceCategoryKind>0</serviceCategoryKind>'))
  const rate = await operator('POST', `${location}/rc`, sep('RateComponent', '<mRID>2A02</mRID><roleFlags>00</roleFlags>'))
  t.equal(rate.status, 201, 'required links that we print need not be sent')
  const { body } = await device('GET', rate.location), type = attributeOf(body, 'ReadingTypeLink', 'href')!
  t.match((await device('GET', type)).body, /<powerOfTenMultiplier>3<.*<uom>72</s, 'kWh')
  t.equal((await operator('PUT', type, sep('ReadingType', '<powerOfTenMultiplier>0</powerOfTenMultiplier><uom>72</uom>'))).status < 300, true)
  t.equal(textOf((await device('GET', type)).body, 'powerOfTenMultiplier'), '0')
  const interval = await operator('POST', `${rate.location}/tti`, event('TimeTariffInterval', '2A03', '<ConsumptionTariffIntervalListLink href="/wrong"/><touTier>1</touTier>'))
  t.equal(attributeOf((await device('GET', interval.location)).body, 'ConsumptionTariffIntervalListLink', 'href'), `${interval.location}/cti`)
  await operator('POST', `${interval.location}/cti`, sep('ConsumptionTariffInterval', '<consumptionBlock>0</consumptionBlock><price>5</price><startValue>0</startValue>'))
  t.equal((await operator('DELETE', location)).status, 204)
  for (const kind of ['TariffProfile', 'RateComponent', 'TimeTariffInterval', 'ConsumptionTariffInterval', 'ReadingType']) t.equal(await db.stores.documents.count(db.tenant, { kind: `csip/${kind}` }), 0, kind)
})

t.test('SEP-107, SEP-090 a disabled device sees its record, time, and no link that would be refused', async (t) => {
  const switched = (enabled: boolean) => operator('PUT', edev, sep('EndDevice', `<lFDI>${one.lfdi}</lFDI><sFDI>${one.sfdi}</sFDI><changedTime>0</changedTime><enabled>${enabled}</enabled>`))
  t.equal((await switched(false)).status, 204)
  t.match((await device('GET', edev)).body, /<enabled>false</)
  for (const path of ['/fsa', '/der', '/der/1/ders', '/rg', '/lel', '/sub']) t.equal((await device('GET', edev + path)).status, 403, path)
  const links = [...(await device('GET', '/dcap')).body.matchAll(/href="(\/[^"]+)"/g)].map((m) => m[1]!)
  t.notOk(links.includes('/derp'))
  for (const path of links) t.equal((await device('GET', path)).status, 200, path)
  t.equal((await device('POST', '/mup', sep('MirrorUsagePoint', `<mRID>0A01</mRID><roleFlags>0049</roleFlags><serviceCategoryKind>0</serviceCategoryKind><status>1</status><deviceLFDI>${one.lfdi}</deviceLFDI>`))).status, 403)
  t.equal((await switched(true)).status, 204)
  t.equal((await device('GET', `${edev}/fsa`)).status, 200)
})

t.test('SEP-135 curves: one to ten points, reference voltage for volt-var alone', async (t) => {
  const curveOf = (mRID: string, points: number, type: number, more = ''): string => sep('DERCurve', `<mRID>${mRID}</mRID><creationTime>0</creationTime>${'<CurveData><xvalue>1</xvalue><yvalue>2</yvalue></CurveData>'.repeat(points)}<curveType>${type}</curveType>${more}<xMultiplier>0</xMultiplier><yMultiplier>0</yMultiplier><yRefType>3</yRefType>`)
  const statuses = [curveOf('0C01', 10, 11, '<vRef>100</vRef>'), curveOf('0C02', 0, 11), curveOf('0C03', 11, 11), curveOf('0C04', 2, 12, '<vRef>100</vRef>'), curveOf('0C05', 2, 15)]
  t.same((await Promise.all(statuses.map((c) => operator('POST', '/derp/F1/dc', c)))).map((a) => a.status), [201, 400, 400, 400, 400])
})

t.test('SEP-076 events of two programs overlap: nothing changes, operators are told', async (t) => {
  const warned: unknown[] = []
  const log = { ...csip.context.log, warn: (fields: object) => warned.push(fields) } as unknown as Log
  const door = serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock }).csip
  ;(door.context as { log: Log }).log = log
  const op = as(operatorPeer('op'), door.door), start = clock.now() + 60
  t.equal((await op('POST', '/derp/F1/derc', event('DERControl', '0E01', '<DERControlBase><opModTargetW><multiplier>0</multiplier><value>1</value></opModTargetW></DERControlBase>', start))).status, 201)
  t.equal((await op('POST', '/derp/system/derc', event('DERControl', '0E02', '<DERControlBase><opModTargetW><multiplier>0</multiplier><value>2</value></opModTargetW></DERControlBase>', start + 10))).status, 201)
  t.match(warned, [{ clause: 'SEP-076', wins: '0E01'.padStart(32, '0') }])
  t.equal(textOf((await device('GET', '/derp/F1/derc')).body, 'currentStatus'), '0')
})
