import t from 'tap'
import { testVtn } from '#vtn/test-vtn.js'
import { fromTxt, serviceType } from '#vtn/wire/discovery.js'
import { openMdns, type DnsPacket } from '#vtn/wire/mdns.js'

t.test('OA-220 off unless configured; then PTR, SRV, addresses and TXT, and no program that is not for everybody', async (t) => {
  const quiet = await testVtn()
  t.teardown(() => quiet.close())
  t.equal(quiet.vtn.discovery, undefined)
  const v = await testVtn({ discovery: true })
  t.teardown(() => v.close())
  await v.call('POST', '/programs', 'bl_client', { programName: 'open' })
  await v.call('POST', '/programs', 'bl_client', { programName: 'for-some', targets: ['group'] })
  const mdns = { port: 23_054, interface: '127.0.0.1', bind: '0.0.0.0' }
  const net = await openMdns(mdns), heard: DnsPacket[] = []
  t.teardown(() => new Promise<void>((done) => net.destroy(done)))
  net.on('response', (packet: DnsPacket) => heard.push(packet))
  await new Promise((ready) => net.once('ready', ready))
  const announced = await v.vtn.discovery?.({ host: 'house.local', port: 8081, addresses: () => ['192.0.2.7'], mdns })
  const instance = 'Loadstone on house._openadr3._tcp.local'
  const asked = async (name: string, type: string): Promise<DnsPacket | undefined> => {
    heard.length = 0
    for (let i = 0; i < 100 && !heard.some((p) => p.answers?.some((a) => a.name === name && a.type === type)); i++) { if (i % 20 === 0) net.query({ questions: [{ name, type }] }); await new Promise((r) => setTimeout(r, 20)) }
    return heard.find((p) => p.answers?.some((a) => a.name === name && a.type === type))
  }
  const ptr = await asked(serviceType, 'PTR')
  t.match(ptr?.answers?.find((a) => a.name === serviceType), { type: 'PTR', data: instance })
  t.match((await asked('house.local', 'A'))?.answers?.find((a) => a.type === 'A'), { data: '192.0.2.7' })
  t.match((await asked(instance, 'SRV'))?.answers?.find((a) => a.type === 'SRV'), { data: { target: 'house.local', port: 8081 } })
  const txt = (await asked(instance, 'TXT'))?.answers?.find((a) => a.type === 'TXT')
  t.same(txt?.type === 'TXT' && fromTxt(txt.data), {
    version: '3.1.1', base_path: '/openadr3/3.1.1', local_url: 'https://house.local:8081/openadr3/3.1.1', program_names: ['open'], requires_auth: true, openapi_url: 'https://house.local:8081/openadr3/3.1.1/openapi.json',
  })
  t.ok(await asked('_services._dns-sd._udp.local', 'PTR'))
  heard.length = 0
  await announced?.stop()
  for (let i = 0; i < 50 && !heard.length; i++) await new Promise((r) => setTimeout(r, 20))
  t.match(heard[0]?.answers, [{ ttl: 0 }], 'goodbye')
})
