import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { makeCodec } from '#csip-server/codec.js'
import { makePki, serverUnderTest } from '#csip-server/fixture.js'
import { devicePeer, type Peer } from '#csip-server/identity.js'
import { DERControlBase } from '#csip-server/wire/der-control.js'
import { DERCapability } from '#csip-server/wire/der-capability.js'
import { EndDevice } from '#csip-server/wire/end-device.js'
import { testDatabase } from '#prisma/test-database.js'

const clock = handClock(Date.UTC(2026, 10, 23, 22, 0, 0))
const pki = await makePki(), db = await testDatabase({ clock })
const { csip } = serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock })
const [one, two] = [await pki.device('one'), await pki.device('two')]
await csip.provisioning.registerEndDevices([{ lfdi: one.lfdi, groups: ['system'] }, { lfdi: two.lfdi, groups: ['system'], edition: 2013 }])
t.teardown(() => db.close())

const as = (peer: Peer) => async (method: string, target: string, xml?: string) => {
  const a = await csip.door.handle({ method, target, peer, contentType: 'application/sep+xml', ...(xml ? { body: Buffer.from(xml) } : {}) })
  return { status: a.status, body: a.body?.toString() ?? '' }
}
const first = as(devicePeer(one.lfdi, one.sfdi)), second = as(devicePeer(two.lfdi, two.sfdi))

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
