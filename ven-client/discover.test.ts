import t from 'tap'
import { silent } from '#ven-client/log.js'
import { discoverVtns, vtnsOf } from '#ven-client/openadr/discover.js'
import { announce } from '#vtn/discovery.js'
import { fromTxt, toTxt, type LocalVtn } from '#vtn/wire/discovery.js'

const said: LocalVtn = { version: '3.1.1', base_path: '/openadr3/3.1.1', local_url: 'https://site.local:8081/openadr3/3.1.1', program_names: ['peak', 'day-ahead'], requires_auth: true, openapi_url: 'https://site.local:8081/openadr3/3.1.1/openapi.json' }
// Loopback only, away from the machine's own mDNS.
const mdns = (port: number) => ({ port, interface: '127.0.0.1', bind: '0.0.0.0' })
const log = { ...silent, child: () => log } as never

t.test('OA-220 OA-212 a VTN on the site announces itself, a client finds it by its .local name, and no more after its goodbye', async (t) => {
  const port = 23_053
  const announced = await announce({ instance: 'Site', host: 'site.local', port: 8081, addresses: () => ['127.0.0.1', '::1'], say: async () => said, log, mdns: mdns(port) })
  const found = await discoverVtns({ within_ms: 600, mdns: mdns(port) })
  t.same(found, [{ ...said, instance: 'Site', host: 'site.local', port: 8081, addresses: ['127.0.0.1', '::1'], url: 'https://site.local:8081/openadr3/3.1.1' }])
  await announced.stop()
  t.same(await discoverVtns({ within_ms: 300, mdns: mdns(port) }), [])
})

t.test('OA-220 the keys of the TXT record, as the User Guide spells them', (t) => {
  t.same(toTxt(said), ['version=3.1.1', 'base_path=/openadr3/3.1.1', 'local_url=https://site.local:8081/openadr3/3.1.1', 'program_names=peak,day-ahead', 'requires_auth=True', 'openapi_url=https://site.local:8081/openadr3/3.1.1/openapi.json'])
  t.same(toTxt({ ...said, requires_auth: false })[4], 'requires_auth=False')
  t.same(fromTxt(toTxt(said).map((s) => Buffer.from(s))), said)
  t.same(fromTxt(['REQUIRES_AUTH=False', 'program_names=', 'strange', '=x', 'other=1']), { requires_auth: false, program_names: [] })
  const many = toTxt({ ...said, program_names: Array.from({ length: 100 }, (_, i) => `program-${i}`) })
  t.ok(many.every((s) => Buffer.byteLength(s) <= 255), 'RFC 6763 §6.1')
  t.match(many[3], /^program_names=program-0,program-1,.*\d$/)
  t.end()
})

t.test('OA-212 the .local name is preferred to an address, https to anything else', (t) => {
  const records = (txt: string[], target = 'site.local') => [
    { name: '_openadr3._tcp.local', type: 'PTR' as const, ttl: 120, data: 'Site._openadr3._tcp.local' }, { name: 'Site._openadr3._tcp.local', type: 'SRV' as const, ttl: 120, data: { target, port: 8081 } },
    { name: 'Site._openadr3._tcp.local', type: 'TXT' as const, ttl: 120, data: txt },
  ]
  const url = (...txt: string[]): string | undefined => vtnsOf(records(txt))[0]?.url
  t.equal(url('local_url=https://192.168.1.9:8081/x'), 'https://site.local:8081/x')
  t.equal(url('local_url=http://site.local:8082/x', 'base_path=/x/'), 'https://site.local:8081/x', 'never plain HTTP (OA-001)')
  t.equal(url('base_path='), 'https://site.local:8081')
  t.equal(url(), 'https://site.local:8081')
  t.equal(vtnsOf(records(['local_url=https://192.168.1.9/x'], '192.168.1.9'))[0]?.url, 'https://192.168.1.9/x')
  t.same(vtnsOf([...records([]), { name: '_openadr3._tcp.local', type: 'PTR', ttl: 0, data: 'Site._openadr3._tcp.local' }]), [], 'said goodbye')
  t.same(vtnsOf(records([]).slice(0, 1)), [], 'without a place it is none')
  t.end()
})
