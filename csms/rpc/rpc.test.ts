import { connect } from 'node:net'
import { RPCClient } from 'ocpp-rpc'
import t from 'tap'
import type { WebSocket } from 'ws'
import { bench, HandStation, password, station, type Bench } from '#csms/fixture.js'
import { schemasOf } from './schema.js'
import { actions } from '#csms/wire/action.js'
import { checkedRandom, mutations } from './fixture-mutation.js'

t.setTimeout(300_000)

let b: Bench
t.before(async () => { b = await bench({ stations: ['CS001', 'CS002', 'CS003', 'CS004', 'CS005', 'CS006', 'CS007', 'CS008', 'CS009', 'CS010', 'CS 11'], config: { hideIdentities: false } }) })
t.teardown(() => b.close())

const boot = { reason: 'PowerUp', chargingStation: { model: 'M', vendorName: 'V' } }

/** One raw HTTP exchange; the text of the answer. */
const http = (request: string): Promise<string> => new Promise((done) => {
  const { port } = new URL(b.url)
  const socket = connect(Number(port), '127.0.0.1', () => socket.write(request))
  let text = ''
  socket.on('data', (d) => { text += d.toString() })
  socket.on('close', () => done(text))
  socket.on('error', () => done(text))
})
const upgrade = (path: string, headers: string[] = []): string =>
  [`GET ${path} HTTP/1.1`, 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', ...headers, '', ''].join('\r\n')

t.test('OCPP-002 a path that is no identity is refused and the process lives', async (t) => {
  for (const path of ['/ocpp/%E0%A4%A', '/x/%E0%A4%A', '/ocpp/', '/ocpp/a%2Fb', `/ocpp/${'x'.repeat(49)}`, '/ocpp/a%00b', '/', '/ocpp/<script>']) {
    t.match(await http(upgrade(path)), /^HTTP\/1.1 40[04] /, path)
  }
  t.match(await http('GET /ocpp/%E0%A4%A HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'), /^HTTP\/1.1 426/)
})

t.test('OCPP-003 unknown identity 404, wrong path 404; OCPP-004 wrong or missing credentials 401 with a challenge', async (t) => {
  t.match(await http(upgrade('/ocpp/NOBODY')), /^HTTP\/1.1 404/)
  t.match(await http(upgrade('/other/CS001')), /^HTTP\/1.1 404/)
  const none = await http(upgrade('/ocpp/CS001'))
  t.match(none, /^HTTP\/1.1 401/)
  t.match(none, /WWW-Authenticate: Basic realm="/)
  t.equal(await new HandStation(b.url, 'CS001', { password: 'wrong-wrong-wrong' }).open(), 401)
  t.equal(await new HandStation(b.url, 'CS001', { password: password('CS002'), user: 'CS002' }).open(), 401, 'SEC-004 the credential of another')
  t.equal(await new HandStation(b.url, 'CS 11', { password: password('CS 11') }).open(), 101, 'a percent-encoded space is one decode away')
})

t.test('OCPP-005 the station\'s order of subprotocols decides, unknown names are passed over', async (t) => {
  for (const [offered, got] of [[['ocpp2.1', 'ocpp2.0.1'], 'ocpp2.1'], [['foo', 'ocpp1.6', 'ocpp2.0.1'], 'ocpp1.6'], [['ocpp2.0.1'], 'ocpp2.0.1']] as const) {
    const s = await station(b, 'CS001', { protocols: [...offered], boot: false })
    t.equal(s.ws.protocol, got)
    await s.close()
  }
})

t.test('OCPP-006 without a common subprotocol the handshake ends without the header, then the socket closes', async (t) => {
  for (const header of [[], ['Sec-WebSocket-Protocol: OCPP2.0.1, ocpp3']]) {
    const text = await http(upgrade('/ocpp/CS001', [`Authorization: Basic ${Buffer.from(`CS001:${password('CS001')}`).toString('base64')}`, ...header]))
    t.match(text, /^HTTP\/1.1 101/)
    t.notMatch(text, /Sec-WebSocket-Protocol/i)
    t.ok(text.length > text.indexOf('\r\n\r\n') + 4, 'a close frame follows')
  }
})

t.test('OCPP-007 a repeated or empty list of subprotocols is a 400', async (t) => {
  const auth = `Authorization: Basic ${Buffer.from(`CS001:${password('CS001')}`).toString('base64')}`
  t.match(await http(upgrade('/ocpp/CS001', [auth, 'Sec-WebSocket-Protocol: ocpp2.0.1, ocpp2.0.1'])), /^HTTP\/1.1 400/)
  t.match(await http(upgrade('/ocpp/CS001', [auth, 'Sec-WebSocket-Protocol: ,'])), /^HTTP\/1.1 400/)
})

t.test('OCPP-008, 009 compression is negotiated, bounded, and not needed', async (t) => {
  const s = await station(b, 'CS001', { boot: false })
  t.match(s.ws.extensions, 'permessage-deflate')
  t.equal((await s.call('BootNotification', boot))[0], 3)
  await s.close()
  const plain = await station(b, 'CS001', { boot: false, ws: { perMessageDeflate: false } })
  t.equal(plain.ws.extensions, '')
  t.equal((await plain.call('BootNotification', boot))[0], 3)
  await plain.close()
})

t.test('OCPP-011, REL-041, SEC-002 a newer authenticated connection takes over, an impostor never', async (t) => {
  const old = await station(b, 'CS002')
  t.equal(await new HandStation(b.url, 'CS002', { password: 'x'.repeat(20) }).open(), 401)
  t.equal((await old.call('Heartbeat', {}))[0], 3, 'the genuine session lives on')
  const pending = b.csms.command('CS002', 'ClearCache', {})
  await old.until(() => old.heard.length === 1)
  const fresh = await station(b, 'CS002', { boot: false })
  await old.until(() => old.closed !== undefined)
  t.equal(old.closed?.code, 1000)
  t.equal((await pending).kind, 'offline', 'its pending call fails')
  t.equal((await fresh.call('Heartbeat', {}))[0], 3, 'OCPP-017 the registration of before holds without a boot')
  t.ok(b.csms.fleet.online().some((s) => s.identity === 'CS002'), 'the late close of the old one does not take the new one with it')
  await fresh.close()
})

t.test('OCPP-013, 015, SEC-043 too long, binary and bad UTF-8 close the socket with their codes', async (t) => {
  for (const [send, code] of [
    [(ws: WebSocket) => ws.send('x'.repeat((1 << 20) + 1)), 1009], [(ws: WebSocket) => ws.send(Buffer.from('[2,"1","Heartbeat",{}]'), { binary: true }), 1003],
    [(ws: WebSocket) => ws.send(Buffer.from([0xc3, 0x28]), { binary: false }), 1007],
  ] as const) {
    const s = await station(b, 'CS003')
    send(s.ws)
    await s.until(() => s.closed !== undefined)
    t.equal(s.closed?.code, code)
  }
})

t.test('OCPP-054…059 each bad frame has its code, nothing is echoed, and the connection lives', async (t) => {
  const two = await station(b, 'CS004')
  const expect2: [string, string, string][] = [
    ['not json SECRET', '-1', 'RpcFrameworkError'], ['{"a":1}', '-1', 'RpcFrameworkError'], ['[]', '-1', 'RpcFrameworkError'], ['["2","x"]', '-1', 'RpcFrameworkError'],
    ['[2,"","Heartbeat",{}]', '-1', 'RpcFrameworkError'], [`[2,"${'i'.repeat(37)}","Heartbeat",{}]`, '-1', 'RpcFrameworkError'], ['[2,7,"Heartbeat",{}]', '-1', 'RpcFrameworkError'],
    ['[2,"a1"]', 'a1', 'RpcFrameworkError'], ['[2,"a2",5,{}]', 'a2', 'RpcFrameworkError'], ['[9,"a3","Heartbeat",{}]', 'a3', 'MessageTypeNotSupported'], ['[5,"a4","X","",{}]', 'a4', 'MessageTypeNotSupported'],
    ['[2,"a5","Nonsense",{}]', 'a5', 'NotImplemented'], ['[2,"a6","__proto__",{}]', 'a6', 'NotImplemented'], ['[2,"a7","SetVariables",{}]', 'a7', 'NotSupported'], ['[2,"a8","Heartbeat-Signed",{}]', 'a8', 'FormatViolation'], ['[2,"a9","Reset-Signed",{}]', 'a9', 'NotSupported'],
    ['[2,"b1","Heartbeat",[]]', 'b1', 'FormatViolation'], ['[2,"b2","Heartbeat","SECRET"]', 'b2', 'FormatViolation'], ['[2,"b3","Authorize",{}]', 'b3', 'OccurrenceConstraintViolation'],
    ['[2,"b4","MeterValues",{"evseId":1,"meterValue":[]}]', 'b4', 'OccurrenceConstraintViolation'], ['[2,"b5","MeterValues",{"evseId":"SECRET","meterValue":[]}]', 'b5', 'TypeConstraintViolation'],
    ['[2,"b6","BootNotification",{"reason":"SECRET","chargingStation":{"model":"m","vendorName":"v"}}]', 'b6', 'PropertyConstraintViolation'],
    ['[2,"b7","Heartbeat",{"SECRET":1}]', 'b7', 'FormatViolation'], ['[2,"b8","StatusNotification",{"timestamp":"SECRET","connectorStatus":"Available","evseId":1,"connectorId":1}]', 'b8', 'PropertyConstraintViolation'],
    ['[2,"b9","Heartbeat",null]', 'b9', 'FormatViolation'],
  ]
  for (const [text, id, code] of expect2) {
    const frame = await two.raw(text)
    t.same(frame.slice(0, 3), [4, id, code], text)
    t.notMatch(JSON.stringify(frame), 'SECRET')
    t.same(frame[4], {})
  }
  t.equal((await two.call('Heartbeat', {}))[0], 3, 'the connection lives')
  await two.close()

  const old = await station(b, 'CS004', { protocols: ['ocpp1.6'], boot: false })
  t.equal((await old.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' }))[0], 3)
  for (const [text, id, code] of [
    ['nonsense', '-1', 'FormationViolation'], ['[2,"c1","Authorize",{}]', 'c1', 'OccurenceConstraintViolation'], ['[2,"c2","Heartbeat",{"x":1}]', 'c2', 'FormationViolation'],
    ['[2,"","Heartbeat",{}]', '-1', 'ProtocolError'], ['[2,"c3","TransactionEvent",{}]', 'c3', 'NotImplemented'],
  ] as const) t.same((await old.raw(text)).slice(0, 3), [4, id, code], text)
  old.ws.send('[9,"c4","Heartbeat",{}]')
  t.equal((await old.call('Heartbeat', {}))[0], 3, 'OCPP-056 1.6 ignores an unknown message type')
  t.equal(old.heard.length, 5)
  await old.close()
})

t.test('OCPP-050, 056, 066 2.1: SEND is never answered, CALLRESULTERROR is heard and sent', async (t) => {
  const s = await station(b, 'CS005', { protocols: ['ocpp2.1'] })
  s.ws.send('[6,"s1","NotifyPeriodicEventStream",{"id":1,"pending":0,"basetime":"2026-01-01T00:00:00Z","data":[{"t":0,"v":"1"}]}]')
  s.ws.send('[6,"s2","NotifyPeriodicEventStream",{"bad":1}]')
  s.ws.send('[5,"nope","GenericError","",{}]')
  s.ws.send('[9,"x","y",{}]')
  t.equal((await s.call('Heartbeat', {}))[0], 3)
  t.equal(s.heard.length, 0)
  s.replies['ClearCache'] = { status: 'Nonsense' }
  const result = await b.csms.command('CS005', 'ClearCache', {})
  t.match(result, { kind: 'callError', code: 'InvalidResponse' })
  await s.until(() => s.heard.length === 1)
  t.same(s.heard[0]?.[0], 5)
  await s.close()
})

t.test('OCPP-051, 052, REL-052 one CALL at a time; silence, a late, a double and a stranger\'s answer', async (t) => {
  const s = await station(b, 'CS006')
  const first = b.csms.command('CS006', 'ClearCache', {}), second = b.csms.command('CS006', 'GetLocalListVersion', {})
  await s.until(() => s.heard.length === 1)
  t.equal(s.heard.length, 1, 'the second waits')
  t.equal((await first).kind, 'silent')
  await s.until(() => s.heard.length === 2)
  const [, lateId] = s.heard[0] as [number, string], [, id, action] = s.heard[1] as [number, string, string]
  t.equal(action, 'GetLocalListVersion', 'the queue goes on after the time-out')
  s.ws.send(JSON.stringify([3, lateId, { status: 'Accepted' }]))
  s.ws.send(JSON.stringify([3, 'somebody-else', { status: 'Accepted' }]))
  s.ws.send(JSON.stringify([3, id, { versionNumber: 4 }]))
  s.ws.send(JSON.stringify([3, id, { versionNumber: 5 }]))
  t.match(await second, { kind: 'answered', payload: { versionNumber: 4 } })
  t.equal((await s.call('Heartbeat', {}))[0], 3)
  t.equal(s.heard.length, 2, 'no answer to an answer')
  s.replies['ClearCache'] = ['NotSupported', 'no', { a: 1 }]
  t.match(await b.csms.command('CS006', 'ClearCache', {}), { kind: 'callError', code: 'NotSupported', description: 'no', details: { a: 1 } })
  await s.close()
})

t.test('OCPP-064, REL-050 a repeated id has one effect and one answer', async (t) => {
  const s = await station(b, 'CS007')
  const frame = '[2,"dup","StatusNotification",{"timestamp":"2026-01-01T00:00:00Z","connectorStatus":"Available","evseId":1,"connectorId":1}]'
  const got: string[] = []
  s.ws.on('message', (d) => got.push((d as Buffer).toString()))
  s.ws.send(frame)
  s.ws.send(frame)
  s.ws.send(frame.replace('Available', 'Faulted'))
  await s.until(() => got.length === 2)
  t.same(got.map((g) => JSON.parse(g).slice(0, 3)).sort(), [[3, 'dup', {}], [4, 'dup', 'RpcFrameworkError']])
  s.ws.send(frame)
  await s.until(() => got.length === 3)
  t.equal(got[2], '[3,"dup",{}]', 'after completion it is answered from memory')
  await s.close()
  const again = await station(b, 'CS007', { boot: false })
  again.ws.send(frame)
  await again.until(() => again.heard.length === 1)
  t.same(again.heard[0], [3, 'dup', {}], 'on the next connection too')
  await again.close()
})

t.test('OCPP-067 the bad-frame budget closes the socket', async (t) => {
  const s = await station(b, 'CS008')
  for (let i = 0; i < 60; i += 1) s.ws.send('nonsense')
  await s.until(() => s.closed !== undefined)
  t.equal(s.closed?.code, 1008)
})

t.test('OCPP-083…085 before the boot only BootNotification; Heartbeat gets SecurityError', async (t) => {
  await b.csms.provision.add('test', [{ id: 'NEW01', securityProfile: 1, password: password('NEW01'), approved: false }])
  const s = new HandStation(b.url, 'NEW01', { password: password('NEW01') })
  await s.open()
  t.same((await s.call('Heartbeat', {})).slice(0, 1).concat((await s.call('Heartbeat', {}))[2] as never), [4, 'SecurityError'])
  const [, , pending] = await s.call('BootNotification', boot)
  t.match(pending, { status: 'Pending', statusInfo: { reasonCode: String } })
  t.ok((pending as { interval: number }).interval > 0)
  t.match(await b.csms.command('NEW01', 'RequestStartTransaction', { remoteStartId: 1, idToken: { idToken: 'A', type: 'ISO14443' }, evseId: 1 }), { kind: 'refused', checks: [{ check: 'OCPP-082' }] })
  s.replies['TriggerMessage'] = { status: 'Accepted' }
  t.equal((await b.csms.command('NEW01', 'TriggerMessage', { requestedMessage: 'Heartbeat' })).kind, 'answered')
  t.equal((await s.call('Heartbeat', {}))[0], 3, 'what we asked for is heard')
  const there = await b.csms.fleet.find('test', 'NEW01')
  if (there) await b.csms.provision.approve(there, 'rejected')
  t.match((await s.call('BootNotification', boot))[2], { status: 'Rejected', statusInfo: { reasonCode: String } })
  t.equal((await s.call('Heartbeat', {}))[2], 'SecurityError')
  if (there) await b.csms.provision.approve(there, 'accepted')
  t.match((await s.call('BootNotification', boot))[2], { status: 'Accepted', interval: 300 })
  await s.close()
})

t.test('OCPP §20 each schema has an entry in the action table, and the reverse', async (t) => {
  for (const version of ['1.6', '2.0.1', '2.1'] as const) {
    t.same(actions.filter((a) => a.in.includes(version)).map((a) => a.name).sort(), schemasOf(version).actions().sort(), version)
  }
  t.equal(actions.filter((a) => a.in.includes('2.0.1')).length, 64)
})

t.test('OCPP-270 ocpp-rpc in strict mode is a station like any other', async (t) => {
  // Its types ask for every option and for untyped handlers.
  const client = new RPCClient({ endpoint: b.url, identity: 'CS009', password: password('CS009'), protocols: ['ocpp2.0.1'], strictMode: true } as never)
  client.handle('ClearCache', (() => ({ status: 'Accepted' })) as never)
  await client.connect()
  t.match(await client.call('BootNotification', boot), { status: 'Accepted' })
  t.match(await client.call('Heartbeat', {}), { currentTime: /Z$/ })
  t.match(await b.csms.command('CS009', 'ClearCache', {}), { kind: 'answered', payload: { status: 'Accepted' } })
  await client.close()
})

/** LOADSTONE_TEST_SCALE=5 makes it the 100,000 frames of SEC-044. */
const frames = Math.round(20_000 * Number(process.env['LOADSTONE_TEST_SCALE'] ?? 1))
const codes = {
  '1.6': ['NotImplemented', 'NotSupported', 'InternalError', 'ProtocolError', 'SecurityError', 'FormationViolation', 'PropertyConstraintViolation', 'OccurenceConstraintViolation', 'TypeConstraintViolation', 'GenericError'],
  '2.x': ['NotImplemented', 'NotSupported', 'InternalError', 'ProtocolError', 'SecurityError', 'FormatViolation', 'PropertyConstraintViolation', 'OccurrenceConstraintViolation', 'TypeConstraintViolation', 'RpcFrameworkError', 'MessageTypeNotSupported'],
} as const

for (const [version, share] of [['1.6', 0.25], ['2.0.1', 0.5], ['2.1', 0.25]] as const) {
  t.test(`SEC-044, OCPP-058, 059, 061 ${frames * share} mutated frames of ${version}: each CALL is answered, in this version's words and without its payload; the process and the station live`, { timeout: 600_000 }, async (t) => {
    const wide = await bench({ stations: ['MUT01'], config: { badFramesPerMinute: 0 } })
    t.teardown(() => wide.close())
    const s = await station(wide, 'MUT01', { protocols: [`ocpp${version}`], boot: false })
    if (version === '1.6') await s.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' })
    else await s.boot()
    const known = await wide.csms.fleet.find('test', 'MUT01')
    const open = new Set<string>(), wrong: unknown[] = [], said: Record<string, number> = {}
    s.ws.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString('utf8')) as unknown[]
      open.delete(frame[1] as string)
      const what = frame[0] === 4 ? String(frame[2]) : String(frame[0])
      said[what] = (said[what] ?? 0) + 1
      if (frame[0] === 4 && (!(codes[version === '1.6' ? '1.6' : '2.x'] as readonly string[]).includes(frame[2] as string) || String(frame[3]).length > 255 || JSON.stringify(frame[4]) !== '{}')) wrong.push(frame)
    })
    for (const { text, id } of mutations(checkedRandom(20261121), Math.round(frames * share), version)) {
      if (id !== undefined) open.add(id)
      s.ws.send(text)
      if (open.size > 300) await s.until(() => open.size < 100, 120_000)
    }
    await s.until(() => open.size === 0, 120_000)
    t.equal(open.size, 0, 'no silence')
    t.same(wrong, [])
    t.equal(said['InternalError'] ?? 0, 0, 'SEC-041 nothing that a station says is our fault')
    t.comment(JSON.stringify(said))
    t.equal((await s.call('Heartbeat', {}))[0], 3)
    t.ok(known?.session.online)
  })
}
