import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { archive, archiveEnded } from '#csip-server/ended-events.js'
import { makePki, sep, serverUnderTest, textOf } from '#csip-server/fixture.js'
import { devicePeer, operatorPeer, type Peer } from '#csip-server/identity.js'
import { testDatabase } from '#prisma/test-database.js'

const clock = handClock(Date.UTC(2026, 10, 23, 22, 0, 0)), day = 86_400
const pki = await makePki(), db = await testDatabase({ clock })
const { csip, close } = serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock, config: { eventRetention_s: 7 * day } })
const one = await pki.device('one')
await csip.provisioning.registerEndDevices([{ lfdi: one.lfdi, groups: ['system', 'F1'] }])
t.teardown(async () => { await close(); await db.close() })
const as = (peer: Peer) => async (method: string, target: string, xml?: string) => {
  const a = await csip.door.handle({ method, target, peer, contentType: 'application/sep+xml', ...(xml ? { body: Buffer.from(xml) } : {}) })
  return { status: a.status, body: a.body?.toString() ?? '' }
}
const operator = as(operatorPeer('op')), device = as(devicePeer(one.lfdi, one.sfdi))
const control = (mRID: string, start: number, duration: number): Promise<{ status: number }> => operator('POST', '/derp/F1/derc', sep('DERControl', `<mRID>${mRID}</mRID><creationTime>0</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>0</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>${duration}</duration><start>${start}</start></interval><DERControlBase><opModConnect>true</opModConnect></DERControlBase>`))
const at = (mRID: string): string => `/derp/F1/derc/${mRID.padStart(32, '0')}`
const response = (subject: string, status: number): string => sep('DERControlResponse', `<createdDateTime>${clock.now()}</createdDateTime><endDeviceLFDI>${one.lfdi}</endDeviceLFDI><status>${status}</status><subject>${subject}</subject>`)

t.test('SEP-056, SEP-182 an ended event keeps its address and its answers for the retention, then it is archived; its mRID is never used again', async (t) => {
  const now = clock.now()
  await control('0A01', now, 600)
  await clock.advance((600 + 7 * day - 1) * 1000)
  t.equal(await archiveEnded(csip.context), 0, 'one second before')
  t.equal((await device('GET', at('0A01'))).status, 200)
  t.equal((await device('POST', '/rsps/der/rsp', response('0A01', 3))).status, 201)
  await clock.advance(1000)
  t.equal(await archiveEnded(csip.context), 1)
  t.equal(await archiveEnded(csip.context), 0)
  t.equal((await device('GET', at('0A01'))).status, 404)
  t.equal((await device('POST', '/rsps/der/rsp', response('0A01', 2))).status, 404)
  t.match(await db.stores.documents.list(db.tenant, { kind: archive }), [{ parent: 'F1', body: { mRID: '0A01', interval: { start: now, duration: 600 } } }])
  t.equal((await control('0A01', clock.now() + 60, 60)).status, 409, 'SEP-063')
})

t.test('SEP-075 what superseded an event that still runs stays with it: superseded is for good', async (t) => {
  const now = clock.now()
  await control('0B01', now, 60 * day)
  await clock.advance(1000)
  await control('0B02', now + 10, 600)
  await clock.advance(1000)
  await control('0B03', now + 300, 600)
  await clock.advance(20 * day * 1000)
  const state = async (): Promise<string | undefined> => textOf((await device('GET', at('0B01'))).body, 'currentStatus')
  t.equal(await state(), '4')
  t.equal(await archiveEnded(csip.context), 0)
  t.equal(await state(), '4')
  await clock.advance(60 * day * 1000)
  t.equal(await archiveEnded(csip.context), 3, 'all at last')
})

t.test('SEP-056 a run that was cut short is finished by the next; the server looks every hour', async (t) => {
  await control('0C01', clock.now(), 60)
  await clock.advance(10 * day * 1000)
  const id = '0C01'.padStart(32, '0'), doc = (await db.stores.documents.get<object>(db.tenant, 'csip/DERControl', id))!
  await db.stores.documents.insert({ tenant: db.tenant, kind: archive, id: `csip/DERControl/${id}`, parent: 'F1', body: doc.body }, clock.nowMs())
  await csip.listen({ port: 0, hosts: ['127.0.0.1'] })
  await clock.advance(3_600_000)
  for (let i = 0; i < 200 && await db.stores.documents.get(db.tenant, 'csip/DERControl', id); i++) await new Promise((r) => setTimeout(r, 5))
  t.equal(await db.stores.documents.get(db.tenant, 'csip/DERControl', id), undefined)
})
