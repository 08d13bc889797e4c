import t from 'tap'
import { Refusal } from '#core/error.js'
import { handClock } from '#core/port/clock.js'
import { hear, makePki, sep, serverUnderTest, textOf } from '#csip-server/fixture.js'
import { devicePeer } from '#csip-server/identity.js'
import { testDatabase } from '#prisma/test-database.js'

const clock = handClock(Date.UTC(2026, 10, 23, 22, 0, 0))
const pki = await makePki(), db = await testDatabase({ clock }), heard = hear(), device = await pki.device('one')
const words = heard.happenings
let busy = false
const { csip } = serverUnderTest({
  pki, documents: db.stores.documents, tenant: db.tenant, clock,
  heard: { ...heard, happenings: { happened: async (more) => { if (busy) throw new Refusal('unavailable', 'busy'); await words.happened(more) } } },
})
await csip.provisioning.registerEndDevices([{ lfdi: device.lfdi, groups: ['system'] }])
t.teardown(() => db.close())

t.test('SEP-185, REL-025 a Response whose word did not reach the core is refused with 503; said again, it gets there, once more, it changes nothing', async (t) => {
  const now = clock.now(), interval = { start: now, end: now + 600, delta_W: -1000, expected_W: 2500, setpoint_W: 1500, limitImport_W: null }
  await csip.channel.send([{
    id: 'o1', tenant: db.tenant, dispatch: 'd', revision: 1, program: { id: 'p', name: 'p' }, resource: { id: 'r1', name: 'r', kind: 'battery', rated_W: 5000, servicePoint: 'sp1' },
    binding: { protocol: 'ieee2030_5', remoteId: device.lfdi, control: true }, start: now, end: now + 600, intervals: [interval], randomize_s: 0, expiry: now + 600, priority: 1, reportEvery_s: 900, createdAt: clock.nowMs(),
  }])
  const ask = async (method: string, target: string, xml?: string): Promise<{ status: number; body: string }> => {
    const a = await csip.door.handle({ method, target, peer: devicePeer(device.lfdi, device.sfdi), contentType: 'application/sep+xml', ...(xml ? { body: Buffer.from(xml) } : {}) })
    return { status: a.status, body: a.body?.toString() ?? '' }
  }
  const [control] = await db.stores.documents.list<{ mRID: string }>(db.tenant, { kind: 'csip/DERControl' })
  const response = sep('DERControlResponse', `<createdDateTime>${now}</createdDateTime><endDeviceLFDI>${device.lfdi}</endDeviceLFDI><status>2</status><subject>${String(control?.body.mRID)}</subject>`)
  busy = true
  t.equal((await ask('POST', '/rsps/der/rsp', response)).status, 503)
  busy = false
  t.ok((await ask('POST', '/rsps/der/rsp', response)).status < 300)
  t.ok((await ask('POST', '/rsps/der/rsp', response)).status < 300)
  t.match(heard.happened, [{ delivery: 'o1', state: 'started' }])
  t.equal(heard.happened.length, 1, 'the core hears it once')
  t.equal(textOf((await ask('GET', '/rsps/der/rsp?l=9')).body, 'status'), '2')
  t.match((await ask('GET', '/rsps/der/rsp?l=9')).body, /all="1"/, 'and is kept once')
})
