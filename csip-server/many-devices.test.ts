import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { attributeOf, makePki, sep, serverUnderTest, textOf } from '#csip-server/fixture.js'
import { devicePeer, operatorPeer } from '#csip-server/identity.js'
import { testDatabase } from '#prisma/test-database.js'
import { Client } from 'pg'

/** The rules of SEP-057 and SEP-252 on a tenth of the devices; the figures for 100,000 are those of bench/csip-devices.ts. */
const clock = handClock(Date.UTC(2026, 10, 23, 22, 0, 0)), count = 10_000
const pki = await makePki(), db = await testDatabase({ clock })
const { csip, close } = serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock })
const lfdis = Array.from({ length: count }, (_, i) => (i + 1).toString(16).padStart(8, '0').repeat(5).toUpperCase()), agg = 'A'.repeat(40)
await csip.provisioning.registerEndDevices([{ lfdi: agg }, ...lfdis.map((lfdi, i) => ({ lfdi, manager: agg, groups: ['system', `F${i % 20}`] }))])
t.teardown(async () => { await close(); await db.close() })
const get = async (target: string, lfdi = agg): Promise<string> => {
  const answer = await csip.door.handle({ method: 'GET', target, peer: devicePeer(lfdi, 0) })
  if (answer.status !== 200) throw new Error(`${target}: ${answer.status}`)
  return answer.body?.toString() ?? ''
}

t.test('SEP-252, SEP-053 every device of an aggregator is on exactly one page', async (t) => {
  const seen: string[] = []
  for (let s = 0; s <= count; s += 500) {
    const body = await get(`/edev?s=${s}&l=500`)
    t.equal(attributeOf(body, 'EndDeviceList', 'all'), String(count + 1), `page at ${s}`)
    seen.push(...[...body.matchAll(/<lFDI>(\w+)</g)].map((m) => m[1]!))
  }
  t.equal(seen.length, count + 1)
  t.equal(new Set(seen).size, count + 1)
})

t.test('SEP-252 one control to all of them is seen by each at once', async (t) => {
  const answer = await csip.door.handle({
    method: 'POST', target: '/derp/system/derc', peer: operatorPeer('op'), contentType: 'application/sep+xml',
    body: Buffer.from(sep('DERControl', `<mRID>AB01</mRID><creationTime>0</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>0</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>60</duration><start>${clock.now()}</start></interval><DERControlBase><opModConnect>true</opModConnect></DERControlBase>`)),
  })
  t.equal(answer.status, 201)
  for (const lfdi of [lfdis[0]!, lfdis[count / 2]!, lfdis[count - 1]!]) t.equal(textOf(await get('/derp/system/actderc?l=5', lfdi), 'mRID'), 'AB01')
})

t.test('SEP-057 a page in the middle is read by an index, not by reading the table', async (t) => {
  const client = new Client({ connectionString: db.url })
  await client.connect()
  t.teardown(() => client.end())
  await client.query('analyze document')
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(
    'explain select * from document where tenant = $1 and kind = $2 and owner = $3 order by sort1 desc, sort2 asc, id collate "C" limit 500 offset 1000', [db.tenant, 'csip/EndDevice', agg])
  const plan = rows.map((r) => r['QUERY PLAN']).join('\n')
  t.match(plan, /Index Scan/)
  t.notMatch(plan, /Seq Scan/)
})
