import { createSocket } from 'node:dgram'
import * as fc from 'fast-check'
import t from 'tap'
import { silent } from '#core/port/log.js'
import { announce, recordsFor, type Announced } from '#csip-server/dns-sd/responder.js'
import { nameOf, questionsOf, types } from '#csip-server/dns-sd/message.js'

const site: Announced = { domain: 'local', host: 'loadstone', port: 8443, dcap: '/sep2/dcap', prefix: '/sep2', addresses: ['192.0.2.7', 'fe80::1'], endDevice: async (sfdi) => sfdi === 167_261_211_391 ? '/edev/AB' : undefined }
const ask = (name: string, type: number = types.PTR) => recordsFor({ name, type, unicast: false }, site)
const texts = (data: Buffer | undefined): string[] => { const out: string[] = []; for (let at = 0; data && at < data.length; at += 1 + data[at]!) out.push(data.toString('utf8', at + 1, at + 1 + data[at]!)); return out }
const query = (name: string, type: number = types.PTR): Buffer => Buffer.concat([Buffer.from([0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]), nameOf(name), Buffer.from([0, type, 0, 1])])

t.test('SEP-015 the service, its subtypes with the path of their function set, an EndDevice only if it is there', async (t) => {
  const { answers, additional } = await ask('_smartenergy._tcp.local')
  t.match(answers, [{ type: types.PTR, data: nameOf('loadstone._smartenergy._tcp.local') }])
  t.same(additional.map((r) => r.type), [types.SRV, types.TXT, types.A])
  t.same(texts(additional[1]?.data), ['txtvers=1', 'dcap=/sep2/dcap', 'https=8443', 'level=-S1'])
  t.equal(additional[0]?.data.readUInt16BE(4), 8443)
  for (const [subtype, path] of [['_derp', '/derp'], ['_edev', '/edev'], ['edev', '/edev'], ['_tm', '/tm'], ['edev-167261211391', '/edev/AB']] as const) {
    const found = await ask(`${subtype}._sub._smartenergy._tcp.local`)
    t.ok(texts(found.additional[1]?.data).includes(`path=/sep2${path}`), subtype)
  }
  for (const nobody of ['edev-017298934539', 'edev-1', '_bill', '_ppy', '_file', '_nothing', 'constructor']) t.same((await ask(`${nobody}._sub._smartenergy._tcp.local`)).answers, [], nobody)
  t.same((await ask('_smartenergy._tcp.site')).answers, [], 'another domain')
  t.equal((await ask('loadstone._smartenergy._tcp.local', types.TXT)).answers.length, 1)
  t.match((await ask('LOADSTONE.local', types.A)).answers, [{ data: Buffer.from([192, 0, 2, 7]) }])
  t.same(texts((await recordsFor({ name: '_smartenergy._tcp.local', type: types.PTR, unicast: false }, { ...site, port: 443 })).additional[1]?.data)[2], 'https=', 'empty = 443')
})

t.test('SEP-015 a query over UDP is answered to its asker; answers and noise are not', async (t) => {
  const heard: Buffer[] = [], server = await announce(site, silent, { port: 0, address: '127.0.0.1', multicast: false }), client = createSocket('udp4')
  t.teardown(() => { server.close(); client.close() })
  client.on('message', (m) => heard.push(m))
  for (const noise of [Buffer.from('x'), Buffer.alloc(12, 255), query('_other._tcp.local')]) client.send(noise, server.port, '127.0.0.1')
  client.send(query('_smartenergy._tcp.local'), server.port, '127.0.0.1')
  for (let i = 0; i < 400 && heard.length === 0; i++) await new Promise((r) => setTimeout(r, 5))
  t.equal(heard.length, 1)
  t.same([heard[0]?.readUInt16BE(0), heard[0]?.readUInt16BE(2), heard[0]?.readUInt16BE(6), heard[0]?.readUInt16BE(10)], [0x1234, 0x8400, 1, 3])
})

t.test('SEP-015 whatever comes is a list of questions or nothing: no throw, no endless name', (t) => {
  t.equal(questionsOf(Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12]), Buffer.alloc(4)])), undefined, 'a pointer to itself')
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => { const m = Buffer.from(bytes); if (m.length > 3) m[2] = 0; questionsOf(m); return true }), { numRuns: 2000 })
  fc.assert(fc.property(fc.array(fc.stringMatching(/^[a-z0-9_-]{1,20}$/), { minLength: 1, maxLength: 6 }), (labels) => questionsOf(query(labels.join('.')))?.[0]?.name === labels.join('.')))
  t.end()
})
