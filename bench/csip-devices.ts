import { rounded, type Emit } from '#bench/figure.js'
import { systemClock } from '#core/port/clock.js'
import { attributeOf, Device, makePki, sep, serverUnderTest, textOf } from '#csip-server/fixture.js'
import { operatorPeer } from '#csip-server/identity.js'
import { testDatabase } from '#prisma/test-database.js'

/**
 * SEP-252, SEP-254: one aggregator with 100,000 EndDevices reads all of them, 500 a page, over its mTLS connection; one DERControl to all of them; a new server
 * on the same data. LOADSTONE_BENCH_DEVICES scales it.
 */
export default async function csipDevices(emit: Emit): Promise<void> {
  const count = Number(process.env['LOADSTONE_BENCH_DEVICES'] ?? 100_000), page = 500
  const pki = await makePki(), db = await testDatabase({ poolSize: 8 })
  const needs = { pki, documents: db.stores.documents, tenant: db.tenant, clock: systemClock }
  const first = serverUnderTest(needs)
  let running = first
  try {
    const agg = await pki.device('agg')
    await first.csip.provisioning.registerEndDevices([{ lfdi: agg.lfdi }])
    await first.csip.provisioning.registerEndDevices(Array.from({ length: count }, (_, i) => ({ lfdi: (i + 1).toString(16).padStart(8, '0').repeat(5).toUpperCase(), manager: agg.lfdi, groups: ['system', `F${i % 20}`] })))
    const port = await first.csip.listen({ port: 0, hosts: ['127.0.0.1'] })
    const client = new Device(agg, port, pki.serca)
    const seen = new Set<string>(), begun = performance.now()
    for (let s = 0; s <= count; s += page) {
      const { status, body } = await client.get(`/edev?s=${s}&l=${page}`)
      if (status !== 200 || attributeOf(body, 'EndDeviceList', 'all') !== String(count + 1)) throw new Error(`page ${s}: ${status}`)
      for (const m of body.matchAll(/<lFDI>(\w+)</g)) seen.add(m[1] as string)
    }
    if (seen.size !== count + 1) throw new Error(`${seen.size} of ${count + 1} devices seen`)
    emit({ name: 'csip 100000 devices paged', value: rounded((performance.now() - begun) / 1000), unit: 's', n: count })

    const now = systemClock.now(), posted = performance.now()
    const made = await first.csip.door.handle({
      method: 'POST', target: '/derp/system/derc', peer: operatorPeer('bench'), contentType: 'application/sep+xml',
      body: Buffer.from(sep('DERControl', `<mRID>AB01</mRID><creationTime>0</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>0</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>3600</duration><start>${now}</start></interval><DERControlBase><opModConnect>true</opModConnect></DERControlBase>`)),
    })
    if (made.status !== 201) throw new Error(`control answered ${made.status}`)
    // As the aggregator finds it for any of them: device, group, program, list.
    for (let i = 0; i < 100; i++) {
      const lfdi = [...seen][Math.floor(i * seen.size / 100)] as string
      if (lfdi === agg.lfdi) continue
      const programs = await client.get(`/edev/${lfdi}/fsa/system/derp?l=1`), list = await client.get(`${attributeOf(programs.body, 'ActiveDERControlListLink', 'href')}?l=5`)
      if (textOf(list.body, 'mRID') !== 'AB01') throw new Error(`${lfdi} does not see the control`)
    }
    emit({ name: 'csip 100000 devices, one control visible', value: rounded((performance.now() - posted) / 1000), unit: 's', n: 100 })
    emit({ name: 'csip 100000 devices, memory', value: Math.round(process.memoryUsage().rss / 2 ** 20), unit: 'MiB', n: count })
    client.close()
    await first.close()

    const restarted = performance.now()
    running = serverUnderTest(needs)
    const again = new Device(agg, await running.csip.listen({ port: 0, hosts: ['127.0.0.1'] }), pki.serca)
    if ((await again.get('/edev?l=500')).status !== 200) throw new Error('not ready')
    emit({ name: 'csip 100000 devices, ready again', value: rounded((performance.now() - restarted) / 1000), unit: 's', n: count })
    again.close()
  } finally {
    await running.close()
    await db.close()
  }
}
