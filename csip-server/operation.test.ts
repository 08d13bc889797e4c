import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createRoot, createSerca, indefinite, issueDevice, issueTlsServer, serialFrom, tlsIdentity } from '#certs/authority.js'
import { lfdiOf } from '#certs/lfdi.js'
import { certificatePem } from '#certs/x509/pem.js'
import { keySigner, newEcKey, spkiOf } from '#certs/x509/signer.js'
import { handClock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import { makeCodec } from '#csip-server/codec.js'
import { csipConfig } from '#csip-server/config.js'
import { attributeOf, Device, hear, makePki, sep, serverUnderTest, textOf } from '#csip-server/fixture.js'
import { devicePeer, operatorPeer } from '#csip-server/identity.js'
import { makeRefusalLog } from '#csip-server/refusal-log.js'
import { logOfOurs, watchClock } from '#csip-server/server-log.js'
import { DERControlBase } from '#csip-server/wire/der-control.js'
import { DERSettings } from '#csip-server/wire/der-settings.js'
import { DERCapability } from '#csip-server/wire/der-capability.js'
import { EndDevice } from '#csip-server/wire/end-device.js'
import { testDatabase } from '#prisma/test-database.js'

const begin = Date.UTC(2026, 10, 23, 22, 0, 0)
const clock = handClock(begin)
const pki = await makePki(), db = await testDatabase({ clock })
const heard = hear()
const needs = { pki, documents: db.stores.documents, tenant: db.tenant, clock, heard }
const freePort = (): Promise<number> => new Promise((done) => { const s = createServer().listen(0, '127.0.0.1', () => { const { port } = s.address() as AddressInfo; s.close(() => done(port)) }) })
const proxyPort = await freePort()
const main = serverUnderTest({ ...needs, config: { formerPrefixes: ['/old'], publicUrl: 'https://utility.example', notifyAllow: ['127.0.0.1'], proxy: { port: proxyPort, header: 'x-client-cert', form: 'pem', from: ['127.0.0.1'] } } })
const { csip } = main
const port = await csip.listen({ port: 0, hosts: ['127.0.0.1', '::1'] })
const [one, two, agg] = [await pki.device('one'), await pki.device('two'), await pki.device('agg')]
await csip.provisioning.registerEndDevices([
  { lfdi: agg.lfdi }, { lfdi: one.lfdi, groups: ['system', 'F1', 'one'] }, { lfdi: two.lfdi, groups: ['system', 'F2', 'two'], edition: 2013 },
  ...['A', 'B', 'C', 'D', 'E'].map((c) => ({ lfdi: c.repeat(40), manager: agg.lfdi, groups: ['system', 'F2'] })),
])
const client = new Device(one, port, pki.serca)
t.teardown(async () => { client.close(); await main.close(); await db.close() })

const ask = (door: typeof csip.door) => (peer: ReturnType<typeof operatorPeer>) => async (method: string, target: string, xml?: string, host?: string) => {
  const a = await door.handle({ method, target, peer, contentType: 'application/sep+xml', host, ...(xml ? { body: Buffer.from(xml) } : {}) })
  return { status: a.status, body: a.body?.toString() ?? '', location: a.location ?? '', allow: a.allow }
}
const as = ask(csip.door)
const operator = as(operatorPeer('op')), first = as(devicePeer(one.lfdi, one.sfdi)), second = as(devicePeer(two.lfdi, two.sfdi))
const event = (mRID: string, base: string, start: number, duration = 600): string => sep('DERControl', `<mRID>${mRID}</mRID><creationTime>0</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>0</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>${duration}</duration><start>${start}</start></interval><DERControlBase>${base}</DERControlBase>`)

t.test('SEP-008, SEP-011 IPv4 and IPv6; an idle connection is not ended, pipelined requests are answered in order', async (t) => {
  t.ok(csipConfig().keepAlive_s >= Math.max(900, 2 * Math.max(...Object.values(csipConfig().pollRate))))
  const { connect } = await import('node:tls')
  for (const host of ['127.0.0.1', '::1']) {
    const said = await new Promise<string>((done, failed) => {
      const socket = connect({ host, port, ...one, ca: pki.serca, checkServerIdentity: () => undefined, ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', maxVersion: 'TLSv1.2' })
      let all = ''
      socket.on('secureConnect', () => socket.write(['/tm', '/dcap', '/edev'].map((p, i) => `GET ${p} HTTP/1.1\r\nHost: x\r\n${i === 2 ? 'Connection: close\r\n' : ''}\r\n`).join('')))
      socket.on('data', (d: Buffer) => { all += d.toString() })
      socket.on('close', () => done(all))
      socket.on('error', failed)
    })
    t.same([...said.matchAll(/<(Time|DeviceCapability|EndDeviceList) /g)].map((m) => m[1]), ['Time', 'DeviceCapability', 'EndDeviceList'], host)
    t.match(said, /Keep-Alive: timeout=1800/)
  }
})

t.test('SEP-013 behind a proxy: one header, from one address, judged like a certificate on the door', async (t) => {
  const over = (headers: Record<string, string>, path = '/edev'): Promise<{ status: number; body: string }> => new Promise((done, failed) => {
    http.get({ host: '127.0.0.1', port: proxyPort, path, headers, agent: false }, (res) => { let body = ''; res.on('data', (d) => { body += d }); res.on('end', () => done({ status: res.statusCode ?? 0, body })) }).on('error', failed)
  })
  const pem = encodeURIComponent(certificatePem(one.der))
  t.match(await over({ 'x-client-cert': pem }), { status: 200, body: new RegExp(one.lfdi) })
  t.equal((await over({})).status, 403)
  t.equal((await over({ 'x-client-cert': 'nonsense' })).status, 403)
  t.equal((await over({ 'x-client-cert': one.lfdi })).status, 403, 'another form')
  const alien = await (await makePki()).device('alien')
  t.equal((await over({ 'x-client-cert': encodeURIComponent(certificatePem(alien.der)) })).status, 403)
  main.revoked.add(one.lfdi)
  t.equal((await over({ 'x-client-cert': pem })).status, 403)
  main.revoked.delete(one.lfdi)
  t.match((await client.ask('GET', '/edev', undefined, { 'X-Client-Cert': encodeURIComponent(certificatePem(two.der)) })).body, new RegExp(one.lfdi), 'the mTLS door does not read it')
  const far = serverUnderTest({ ...needs, config: { proxy: { port: await freePort(), header: 'x-lfdi', form: 'lfdi', from: ['10.0.0.0/8'] } } })
  await far.csip.listen({ port: 0, hosts: ['127.0.0.1'] })
  t.equal(await new Promise((done) => http.get({ host: '127.0.0.1', port: far.csip.context.config.proxy!.port, path: '/tm', headers: { 'x-lfdi': one.lfdi }, agent: false }, (res) => { res.resume(); done(res.statusCode) })), 403, 'not from this address')
  await far.close()
  t.throws(() => csipConfig({ LOADSTONE_CSIP_PROXY_PORT: '9' }))
})

t.test('SEP-016, SEP-246, SEP-153 CSIP-AUS 1.3: versions, the aggregator’s own record first, subscriptions below it', async (t) => {
  const aus = (profile: 'csip-aus-1.2' | 'csip-aus-1.3', prefix = '') => ask(serverUnderTest({ ...needs, config: { profile, prefix, notifyAllow: ['127.0.0.1'] } }).csip.door)(devicePeer(agg.lfdi, agg.sfdi))
  const newer = aus('csip-aus-1.3', '/v13')
  t.match((await newer('GET', '/.well-known/csipaus')).body, /<csipaus:VersionList xmlns="urn:ieee:std:2030.5:ns" xmlns:csipaus="https:\/\/csipaus.org\/ns\/v1.3" href="\/.well-known\/csipaus"><csipaus:Version href="\/v13\/dcap" version="1.3"\/>/)
  t.equal((await newer('GET', '/v13/.well-known/csipaus')).status, 404)
  t.equal((await aus('csip-aus-1.2')('GET', '/.well-known/csipaus')).status, 404)
  t.equal((await first('GET', '/.well-known/csipaus')).status, 404)
  const ids: string[] = []
  for (let s = 0; s < 6; s += 2) ids.push(...[...(await newer('GET', `/v13/edev?s=${s}&l=2`)).body.matchAll(/<lFDI>(\w+)</g)].map((m) => m[1]!))
  t.equal(ids[0], agg.lfdi)
  t.equal(new Set(ids).size, 6, 'each exactly once')
  t.match((await newer('GET', '/v13/edev?s=9&l=2')).body, /all="6" results="0"/)
  const subscription = sep('Subscription', `<subscribedResource>/v13/edev/${'A'.repeat(40)}/fsa</subscribedResource><encoding>0</encoding><level>+S1</level><limit>1</limit><notificationURI>https://127.0.0.1:1/x</notificationURI>`)
  t.equal((await newer('POST', `/v13/edev/${'A'.repeat(40)}/sub`, subscription)).status, 403)
  const made = await newer('POST', `/v13/edev/${agg.lfdi}/sub`, subscription)
  t.equal(made.status, 201)
  t.equal((await newer('DELETE', made.location)).status, 204)
})

t.test('SEP-033 an absolute address counts when it is ours', async (t) => {
  const peer = as(devicePeer(one.lfdi, one.sfdi))
  const to = (uri: string): string => sep('Subscription', `<subscribedResource>${uri}</subscribedResource><encoding>0</encoding><level>+S1</level><limit>1</limit><notificationURI>https://127.0.0.1:1/${uri.length}</notificationURI>`)
  const post = (uri: string) => peer('POST', `/edev/${one.lfdi}/sub`, to(uri), 'here:8443')
  t.same([(await post('https://utility.example/derp/one/derc')).status, (await post('https://here:8443/derp/one/derc')).status, (await post('https://elsewhere/derp/one/derc')).status, (await post('http://here:8443/derp/one/derc')).status, (await post('nonsense')).status], [201, 201, 400, 400, 400])
  t.equal(textOf((await peer('GET', `/edev/${one.lfdi}/sub?l=1`)).body, 'subscribedResource'), '/derp/one/derc')
})

t.test('SEP-035, SEP-102 a client of 2013 is answered in its edition', async (t) => {
  const settings = '<DERSettings xmlns="http://ieee.org/2030.5"><setGradW>1</setGradW><setMaxW><multiplier>0</multiplier><value>5</value></setMaxW><setMinPF><displacement>900</displacement><multiplier>-3</multiplier></setMinPF><updatedTime>1</updatedTime></DERSettings>'
  const put = await second('PUT', `/edev/${two.lfdi}/der/1/derg`, settings)
  if (put.status !== 204) t.comment(put.body)
  const codec = makeCodec('csip')
  const old = codec.write(DERCapability, { modesSupported: '09', rtgMaxA: { multiplier: 0, value: 1 }, rtgMaxV: { multiplier: 0, value: 240 }, rtgMaxW: { multiplier: 0, value: 5 }, rtgOverExcitedW: { multiplier: 0, value: 5 }, type: 4 }, 2013).toString()
  t.match(old, /^<\?xml[^>]*>\n<DERCapability xmlns="http:\/\/ieee.org\/2030.5"><modesSupported>09<\/modesSupported><rtgA>.*<\/rtgA><rtgOverExcitedW>.*<\/rtgOverExcitedW><rtgW>.*<\/rtgW><type>4</)
  t.notMatch(old, /rtgMax|rtgV/)
  t.match(codec.write(EndDevice, { href: '/edev/1', deviceCategory: '01', lFDI: one.lfdi, LoadShedAvailabilityListLink: { href: '/x', all: 0 }, sFDI: 1, changedTime: 1, postRate: 60 }, 2013).toString(), /<LoadShedAvailabilityListLink [^>]*\/><loadShedDeviceCategory>01<\/loadShedDeviceCategory><sFDI>1<\/sFDI><changedTime>1<\/changedTime><\/EndDevice>/)
  const list = await second('GET', '/edev')
  t.match(list.body, /<EndDeviceList xmlns="http:\/\/ieee.org\/2030.5"/)
  t.notMatch(list.body, /postRate/)
  t.match((await first('GET', '/edev')).body, /xmlns="urn:ieee:std:2030.5:ns"/)
  t.ok(DERControlBase)
})

t.test('SEP-044 what moved says where', async (t) => {
  t.match(await client.get('/old/edev?l=2'), { status: 301, headers: { location: '/edev?l=2' } })
  t.equal((await client.ask('HEAD', '/old/tm')).status, 301)
  t.equal((await client.ask('PUT', '/old/edev/x', sep('EndDevice', ''))).status, 404, 'GET and HEAD only')
})

t.test('SEP-026 strictSchema refuses order, unknown and repeated children', async (t) => {
  const strict = makeCodec('csip', true), loose = makeCodec('csip')
  const good = '<setGradW>1</setGradW><setMaxW><multiplier>0</multiplier><value>5</value></setMaxW><updatedTime>1</updatedTime>'
  t.ok(strict.read(Buffer.from(sep('DERSettings', good)), [DERSettings]))
  for (const bad of [`<updatedTime>1</updatedTime>${good.replace('<updatedTime>1</updatedTime>', '')}`, `${good}<new>1</new>`, good.replace('<setGradW>1</setGradW>', '<setGradW>1</setGradW><setGradW>2</setGradW>'), good.replace('<multiplier>0</multiplier><value>5</value>', '<value>5</value><multiplier>0</multiplier>')]) {
    t.throws(() => strict.read(Buffer.from(sep('DERSettings', bad)), [DERSettings]), { name: 'Refusal' })
    t.ok(loose.read(Buffer.from(sep('DERSettings', bad)), [DERSettings]))
  }
  t.throws(() => strict.read(Buffer.from(sep('DERSettings', good).replace('<DERSettings', '<DERSettings color="red"')), [DERSettings]))
})

t.test('SEP-243 poll rates while we run', async (t) => {
  t.equal(attributeOf((await first('GET', '/edev')).body, 'EndDeviceList', 'pollRate'), '300')
  t.equal((await operator('PUT', '/edev', '<EndDeviceList xmlns="urn:ieee:std:2030.5:ns" all="0" results="0" pollRate="60"/>')).status, 204)
  t.equal(attributeOf((await first('GET', '/edev')).body, 'EndDeviceList', 'pollRate'), '60', 'the next GET')
  t.equal((await operator('PUT', '/dcap', '<DeviceCapability xmlns="urn:ieee:std:2030.5:ns" pollRate="120"/>')).status, 204)
  t.equal(attributeOf((await first('GET', '/dcap')).body, 'DeviceCapability', 'pollRate'), '120')
  t.equal((await operator('PUT', '/edev', '<EndDeviceList xmlns="urn:ieee:std:2030.5:ns" all="0" results="0"/>')).status, 400)
  t.equal((await first('PUT', '/edev', '<EndDeviceList xmlns="urn:ieee:std:2030.5:ns" all="0" results="0" pollRate="1"/>')).status, 405)
  t.equal((await operator('PUT', `/edev/${one.lfdi}`, sep('EndDevice', `<sFDI>${one.sfdi}</sFDI><changedTime>0</changedTime><postRate>60</postRate>`))).status, 204)
  t.equal(textOf((await first('GET', '/edev')).body, 'postRate'), '60')
})

t.test('SEP-094, SEP-109 the server as a device: names, information, and steps of its clock', async (t) => {
  const self = await first('GET', '/sdev')
  t.equal(textOf(self.body, 'lFDI'), pki.server.lfdi)
  t.equal((await first('GET', attributeOf(self.body, 'DeviceInformationLink', 'href')!)).status, 200)
  const log = attributeOf(self.body, 'LogEventListLink', 'href')!
  t.equal((await first('POST', log, sep('LogEvent', ''))).status, 405)
  let machine = 0
  const watch = watchClock(csip.context, () => machine)
  for (let i = 0; i < 3; i++) { machine += 10_000; await clock.advance(10_000) }
  t.match((await first('GET', log)).body, /all="0"/)
  machine += 10_000
  await clock.advance(100_000)
  for (let i = 0; i < 100 && !/all="1"/.test((await first('GET', `${log}?l=1`)).body); i++) await new Promise((r) => setTimeout(r, 10))
  const event = await first('GET', `${log}?l=1`)
  t.match([textOf(event.body, 'functionSet'), textOf(event.body, 'logEventCode'), textOf(event.body, 'details')], ['12', '0', /clock step \d\d s/])
  watch.stop()
  await logOfOurs(csip.context, { functionSet: 12, logEventCode: 0, details: 'x'.repeat(60) })
  t.match((await first('GET', `${log}?l=5`)).body, /all="2"/)
})

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

t.test('SEP-135 curves: one to ten points, reference voltage for volt-var alone', async (t) => {
  const curve = (mRID: string, points: number, type: number, more = ''): string => sep('DERCurve', `<mRID>${mRID}</mRID><creationTime>0</creationTime>${'<CurveData><xvalue>1</xvalue><yvalue>2</yvalue></CurveData>'.repeat(points)}<curveType>${type}</curveType>${more}<xMultiplier>0</xMultiplier><yMultiplier>0</yMultiplier><yRefType>3</yRefType>`)
  const statuses = [curve('0C01', 10, 11, '<vRef>100</vRef>'), curve('0C02', 0, 11), curve('0C03', 11, 11), curve('0C04', 2, 12, '<vRef>100</vRef>'), curve('0C05', 2, 15)]
  t.same((await Promise.all(statuses.map((c) => operator('POST', '/derp/F1/dc', c)))).map((a) => a.status), [201, 400, 400, 400, 400])
})

t.test('SEP-076 events of two programs overlap: nothing changes, operators are told', async (t) => {
  const warned: unknown[] = []
  const log = { ...csip.context.log, warn: (fields: object) => warned.push(fields) } as unknown as Log
  const door = serverUnderTest(needs).csip
  ;(door.context as { log: Log }).log = log
  const op = ask(door.door)(operatorPeer('op')), start = clock.now() + 60
  t.equal((await op('POST', '/derp/F1/derc', event('0E01', '<opModTargetW><multiplier>0</multiplier><value>1</value></opModTargetW>', start))).status, 201)
  t.equal((await op('POST', '/derp/system/derc', event('0E02', '<opModTargetW><multiplier>0</multiplier><value>2</value></opModTargetW>', start + 10))).status, 201)
  t.match(warned, [{ clause: 'SEP-076', wins: '0E01'.padStart(32, '0') }])
  t.equal(textOf((await first('GET', '/derp/F1/derc')).body, 'currentStatus'), '0')
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

t.test('SEP-195 refusals are logged by template, a line a minute for a client', async (t) => {
  const lines: object[] = []
  let now = 0
  const refused = makeRefusalLog({ now: () => now }, { info: (fields: object) => lines.push(fields) } as unknown as Log)
  for (let i = 0; i < 50; i++) refused({ caller: 'X', method: 'GET', href: '/edev/{edev}', status: 404 })
  now = 61
  refused({ caller: 'X', method: 'GET', href: '/edev/{edev}', status: 404 })
  t.match(lines, [{ href: '/edev/{edev}', clause: 'SEP-195' }, { leftOut: 49 }])
})

t.test('SEP-207, SEP-208, SEP-209, SEP-210, SEP-212, SEP-213, SEC-013 certificates at the door', async (t) => {
  const opens = async (identity: { key: string; cert: string }, at = port): Promise<boolean> => {
    const device = new Device(identity, at, pki.serca)
    try { return (await device.get('/tm')).status === 200 } catch { return false } finally { device.close() }
  }
  const serial = (): string => serialFrom(randomBytes(16).toString('hex')), validity = { fromMs: Date.UTC(2020, 0, 1), toMs: indefinite }
  const made = async (more: object, issuer = pki.mica): Promise<{ key: string; cert: string }> => {
    const key = newEcKey(), der = await issueDevice(issuer, { serial: serial(), publicKey: spkiOf(key), hwType: '1.3.6.1.4.1.32473.1', hwSerialNum: 'x', validity, ...more })
    return { ...tlsIdentity(issuer, key, der) }
  }
  t.ok(await opens(await made({})))
  t.notOk(await opens(await made({ validity: { fromMs: Date.UTC(2020, 0, 1), toMs: Date.UTC(2021, 0, 1) } })), 'ran out')
  t.notOk(await opens(await made({ policies: ['1.3.6.1.4.1.40732.1.1', '1.3.6.1.4.1.40732.2.1'] })), 'SEP-207 a test certificate in production')
  const key = newEcKey(), own = await createSerca({ serial: serial(), subject: [{ CN: ['self'] }], validity }, keySigner(key))
  t.notOk(await opens({ key: key.export({ type: 'pkcs8', format: 'pem' }).toString(), cert: certificatePem(own.certificate) }), 'SEP-208 self-signed')
  const elsewhere = await makePki(), guest = await elsewhere.device('guest')
  t.notOk(await opens(guest))
  const lasting = new Device(one, port, pki.serca)
  t.equal((await lasting.get('/tm')).status, 200)
  csip.reload({ key: pki.server.key, cert: pki.server.cert, ca: [pki.serca, certificatePem(pki.mica.certificate), elsewhere.serca, certificatePem(elsewhere.mica.certificate)] })
  t.equal((await lasting.get('/tm')).status, 200, 'SEP-212 old connections stay')
  lasting.close()
  t.ok(await opens(one), 'CCM_8 is spoken after a reload as before')
  t.notOk(await opens(guest), 'TLS would take it now; the profile check has not the root yet')
  const root = await createRoot({ serial: serial(), subject: [{ CN: ['ordinary'] }], validity }, keySigner(newEcKey())), named = newEcKey()
  const shown = tlsIdentity(root, named, await issueTlsServer(root, { serial: serial(), publicKey: spkiOf(named), names: ['csip.example.org'], organization: 'o', validity, rsa: false }))
  csip.reload({ key: pki.server.key, cert: pki.server.cert, ca: [pki.serca, certificatePem(pki.mica.certificate)], named: { hosts: ['csip.example.org'], key: shown.key, cert: shown.cert } })
  const asked = async (servername: string, more: object = {}): Promise<string> => {
    const { connect } = await import('node:tls')
    const socket = connect({ port, host: '127.0.0.1', servername, ...one, rejectUnauthorized: false, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', ecdhCurve: 'prime256v1', ...more })
    await once(socket, 'secureConnect')
    const leaf = socket.getPeerX509Certificate()
    socket.destroy()
    return leaf?.checkHost('csip.example.org') ?? leaf?.subject ?? 'no subject'
  }
  t.same([await asked('csip.example.org'), await asked('CSIP.example.org'), await asked('localhost')], ['csip.example.org', 'csip.example.org', 'no subject'], 'SEP-210 by name')
  await t.rejects(asked('csip.example.org', { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }), 'the suites are the same under each name')
  t.equal(lfdiOf(guest.der).length, 40)
})

t.test('SEC-007, SEP-193 an idle connection of a revoked client ends within a minute', async (t) => {
  const idle = new Device(two, port, pki.serca)
  t.equal((await idle.get('/tm')).status, 200)
  const before = csip.connections()
  main.revoked.add(two.lfdi)
  await clock.advance(60_000)
  for (let i = 0; i < 100 && csip.connections() >= before; i++) await new Promise((r) => setTimeout(r, 5))
  t.ok(csip.connections() < before)
  main.revoked.delete(two.lfdi)
  idle.close()
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

t.test('SEP-255 what /metrics shows', async (t) => {
  const samples = await csip.samples(), of = (name: string) => samples.filter((s) => s.name === `loadstone_csip_${name}`)
  t.ok(of('handshakes_total').some((s) => s.labels.result === 'accepted' && s.labels.suite === 'ECDHE-ECDSA-AES128-CCM8' && s.value > 0))
  t.ok(of('requests_total').some((s) => s.labels.route === '/tm' && s.labels.status === '200'))
  t.ok(of('devices_seen').every((s) => s.value >= 0))
  t.match(of('events').map((s) => s.labels.state), ['scheduled', 'active'])
  t.equal(of('notifications_total').length, 4)
})
