import { get } from 'node:http'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { bench, HandStation, password, station } from './fixture.js'
import { handBench, iso, known, T, willing } from './fixture-words.js'
import { plainServer } from './listen.js'
import type { AddressInfo } from 'node:net'

t.setTimeout(300_000)

t.test('OCPP-001 identity = the last segment, decoded once, on as many doors as there are', async (t) => {
  const { b } = await handBench(t, { stations: ['A B|C=1', 'A%20B'.replace('%', '*')] })
  const s = await willing(b, 'A B|C=1')
  t.match(await known(b, 'A B|C=1'), { identity: 'A B|C=1' })
  const second = plainServer()
  b.csms.attach(second)
  await new Promise<void>((ready) => second.listen(0, '127.0.0.1', ready))
  const other = new HandStation(`ws://127.0.0.1:${(second.address() as AddressInfo).port}/ocpp`, 'A*20B', { password: password('A*20B') })
  t.equal(await other.open(), 101)
  await other.close()
  await s.close()
  second.closeAllConnections()
  second.close()
})

t.test('OCPP-010 who comes back with another version goes on with it: its transactions and tokens are the same', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001')
  await s.call('TransactionEvent', { eventType: 'Started', seqNo: 0, timestamp: iso(T), triggerReason: 'CablePluggedIn', transactionInfo: { transactionId: '7' }, evse: { id: 1 } })
  await s.close()
  const old = await willing(b, 'CS001', {}, { protocols: ['ocpp1.6'] })
  t.equal((await known(b, 'CS001')).session.version, '1.6')
  t.equal((await known(b, 'CS001')).running(1)?.id, '7')
  t.same((await old.call('StopTransaction', { transactionId: 7, meterStop: 5, timestamp: iso(T + 1) }))[2], {})
  t.match((await known(b, 'CS001')).transactions.get('7'), { ended: true })
  await old.close()
})

t.test('OCPP-060…063, 065 a business failure is a status; errors hold no payload; nothing empty is sent; customData passes; order is kept', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001')
  t.match(await s.call('Authorize', { idToken: { idToken: 'nobody', type: 'Local' } }), [3, String, { idTokenInfo: { status: 'Unknown' } }])
  const [, , , description, details] = await s.call('StatusNotification', { timestamp: 'SECRET', connectorStatus: 'Available', evseId: 1, connectorId: 1 }) as [number, string, string, string, object]
  t.ok(description.length <= 255)
  t.notMatch(description, /SECRET/)
  t.same(details, {})
  t.notMatch(JSON.stringify(await s.call('TransactionEvent', { eventType: 'Started', seqNo: 0, timestamp: iso(T), triggerReason: 'CablePluggedIn', transactionInfo: { transactionId: 'T' } })), /null|\{\}.*\{\}|\[\]/)
  t.equal((await s.call('Heartbeat', { customData: { vendorId: 'me', anything: [1, { x: null }] } }))[0], 3)
  t.equal((await s.call('StatusNotification', { timestamp: iso(T), connectorStatus: 'Available', evseId: 1, connectorId: 1, statusInfo: null }))[0], 4, 'null is no value')
  await b.csms.change('test', 'CS001', { settings: { dropNulls: true } })
  t.equal((await s.call('StatusNotification', { timestamp: iso(T), connectorStatus: 'Available', evseId: 1, connectorId: 1, customData: null }))[0], 3, 'unless its quirk is known')
  const answered: string[] = []
  await Promise.all(Array.from({ length: 8 }, async (_, i) => { await s.call('TransactionEvent', { eventType: 'Updated', seqNo: i + 1, timestamp: iso(T + i), triggerReason: 'MeterValuePeriodic', transactionInfo: { transactionId: 'T' } }); answered.push(String(i)) }))
  t.equal(answered.join(''), '01234567')
  await s.close()
})

t.test('OCPP-071 a signed message is unwrapped and done; one that is no JWS, or of another action, is not', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001'), part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = (header: object, payload: unknown): object => ({ protected: part(header), payload: part(payload), signature: 'AAAA' })
  t.match(await s.call('Authorize-Signed', signed({ alg: 'ES256', OCPPAction: 'Authorize' }, { idToken: { idToken: 'DEADBEEF', type: 'ISO14443' } })), [3, String, { idTokenInfo: { status: 'Accepted' } }])
  t.equal((await s.call('Authorize-Signed', signed({ OCPPAction: 'Heartbeat' }, { idToken: { idToken: 'DEADBEEF', type: 'ISO14443' } })))[2], 'FormatViolation')
  t.equal((await s.call('Authorize-Signed', signed({}, {})))[2], 'OccurrenceConstraintViolation', 'what is inside is checked like the rest')
  t.equal((await s.call('Reset-Signed', signed({}, {})))[2], 'NotSupported')
  t.match(await s.call('Nonsense-Signed', {}), [4, String, 'NotImplemented', /no action of OCPP 2\.0\.1/])
  await s.close()
})

const slow = (port: number, text: string): Promise<Socket> => new Promise((done) => { const socket = connect(port, '127.0.0.1', () => { socket.write(text); done(socket) }); socket.on('error', () => {}) })

/** LOADSTONE_TEST_SCALE=5 makes it the thousand and more of REL-044. */
const attackers = Math.round(300 * Number(process.env['LOADSTONE_TEST_SCALE'] ?? 1))

t.test(`REL-044, REL-045 ${attackers} slow and idle connections end by themselves, and others are served meanwhile`, async (t) => {
  const b = await bench()
  t.teardown(() => b.close())
  b.server.headersTimeout = 2000
  b.server.requestTimeout = 2000
  const { port } = new URL(b.url), all = await Promise.all(Array.from({ length: attackers }, (_, i) => slow(Number(port), i % 2 === 0 ? 'GET /ocpp/CS001 HTTP/1.1\r\nHost: x\r\nX-Slow: ' : '')))
  let alive = all.length
  const begun = performance.now(), ended = Promise.all(all.map((socket) => new Promise<void>((done) => { socket.resume().on('close', () => { alive -= 1; done() }) })))
  // Each says a little all the time, so that no silence ends it.
  const drip = setInterval(() => { for (const socket of all) if (socket.writable) socket.write('x') }, 100)
  t.teardown(() => clearInterval(drip))
  const s = await station(b, 'CS001')
  t.equal((await s.call('Heartbeat', {}))[0], 3)
  t.ok(alive > 0, 'while they hold on')
  await ended
  t.ok(performance.now() - begun < 30_000, `all freed after ${Math.round(performance.now() - begun)} ms`)
  t.equal((await s.call('Heartbeat', {}))[0], 3, 'the station lives')
  await s.close()
  t.ok(plainServer().headersTimeout <= 10_000 && plainServer().requestTimeout <= 10_000, 'ten seconds for headers and request')
})

t.test('REL-048, OCPP-016, 017 a restart closes with 1001 over its window; the stations come back and a dispatch goes on', async (t) => {
  const b = await bench({ stations: Array.from({ length: 12 }, (_, i) => `R${i}`), config: { drainMs: 400 } })
  t.teardown(() => b.close())
  const all = await Promise.all(Array.from({ length: 12 }, (_, i) => station(b, `R${i}`)))
  const ended: number[] = [], begun = performance.now()
  for (const s of all) s.ws.on('close', () => ended.push(performance.now() - begun))
  await b.restart()
  await all[0]!.until(() => ended.length === 12)
  t.same([...new Set(all.map((s) => s.closed?.code))], [1001])
  t.ok(Math.max(...ended) - Math.min(...ended) >= 200, `spread over ${Math.max(...ended) - Math.min(...ended)} ms`)
  const back = await Promise.all(Array.from({ length: 12 }, (_, i) => station(b, `R${i}`, { boot: false })))
  t.same(await Promise.all(back.map(async (s) => (await s.call('Heartbeat', {}))[0])), Array.from({ length: 12 }, () => 3), 'OCPP-017 without a new boot')
  for (const s of back) await s.close()
})

t.test('SEC-030…033 a station reads and writes its own: no other tenant\'s, no other station\'s, no property that is not its to set', async (t) => {
  const { b } = await handBench(t, { stations: ['CS001', 'CS002'] })
  const [one, two] = [await willing(b, 'CS001'), await willing(b, 'CS002')]
  const start = (s: typeof one, transactionId: string): Promise<unknown> => s.call('TransactionEvent', { eventType: 'Started', seqNo: 0, timestamp: iso(T), triggerReason: 'CablePluggedIn', transactionInfo: { transactionId }, evse: { id: 1 } })
  await start(one, 'SAME')
  await start(two, 'SAME')
  await two.call('TransactionEvent', { eventType: 'Ended', seqNo: 1, timestamp: iso(T + 1), triggerReason: 'EVDeparted', transactionInfo: { transactionId: 'SAME' } })
  t.match([(await known(b, 'CS001')).transactions.get('SAME'), (await known(b, 'CS002')).transactions.get('SAME')], [{ ended: false }, { ended: true }], 'SEC-030 the same id is another transaction')
  t.equal(await b.csms.fleet.find('other', 'CS001'), undefined, 'another tenant does not see it')
  t.match(await b.csms.command('CS001', 'ClearCache', {}, 'other'), { kind: 'unknownStation' })
  t.match(await one.call('ReportChargingProfiles', { requestId: 999, chargingLimitSource: 'CSO', evseId: 1, chargingProfile: [{ id: 1_000_000, stackLevel: 9, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Absolute', chargingSchedule: [{ id: 1, chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit: 1e6 }] }] }] }), [3], 'SEC-031')
  t.equal((await known(b, 'CS001')).ledger.size, 0, 'a station cannot put a profile into our ledger')
  for (const extra of [{ approved: true }, { tenant: 'x' }, { constructor: 1 }, JSON.parse('{"__proto__":{"a":1}}') as object]) t.equal((await one.call('BootNotification', { reason: 'PowerUp', chargingStation: { model: 'M', vendorName: 'V' }, ...extra }))[0], 4, 'SEC-032')
  t.match((await known(b, 'CS001')).record, { approved: true, securityProfiles: [1, 2] })
  const frames = JSON.stringify([...one.heard, await one.call('GetCertificateStatus', { ocspRequestData: { hashAlgorithm: 'SHA256', issuerNameHash: 'a', issuerKeyHash: 'b', serialNumber: 'c', responderURL: 'http://10.0.0.1/' } })])
  t.notMatch(frames, /stack|Error:|\.ts|\.js|test |10\.0\.0\.1/, 'SEC-033 nothing of our inside')
  await one.close()
  await two.close()
})

t.test('SEC-034, SEC-001 a thousand probes: known and unknown ids are refused with the same bytes', async (t) => {
  const b = await bench({ stations: Array.from({ length: 50 }, (_, i) => `K${i}`), config: { hideIdentities: true, refusalDelayMs: 0 } })
  t.teardown(() => b.close())
  const { port } = new URL(b.url)
  const probe = (id: string): Promise<string> => new Promise((done) => {
    let text = ''
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(`GET /ocpp/${id} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ocpp2.0.1\r\n\r\n`))
    socket.on('data', (data) => { text += data.toString() }).on('close', () => done(text)).on('error', () => {})
  })
  const answers = new Set<string>()
  for (let round = 0; round < 50; round += 1) for (const text of await Promise.all(Array.from({ length: 10 }, (_, i) => [probe(`K${(round * 10 + i) % 50}`), probe(`U${round}-${i}`)]).flat())) answers.add(text)
  t.equal(answers.size, 1)
  t.match([...answers][0], /^HTTP\/1\.1 401 Unauthorized\r\n/)
})

t.test('OCPP-002, 003, 004 who is refused is told in a sentence what to look at, in the same one whoever it is', async (t) => {
  const b = await bench({ config: { hideIdentities: false, refusalDelayMs: 0 } })
  t.teardown(() => b.close())
  const ask = async (path: string, headers: Record<string, string> = {}): Promise<[number, string]> => new Promise((done) => {
    get(`${new URL(b.url).origin.replace('ws', 'http')}${path}`, { headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', ...headers } }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => { text += part }).on('end', () => done([answer.statusCode as number, text]))
    })
  })
  t.match(await ask('/ocpp/CS001/'), [400, /identity.*nothing after it/])
  t.match(await ask('/elsewhere/CS001'), [404, /path/])
  t.match(await ask('/ocpp/NOBODY'), [404, /identity that it knows/])
  const wrong = await ask('/ocpp/CS001', { Authorization: `Basic ${Buffer.from('CS001:wrong').toString('base64')}` })
  t.match(wrong, [401, /user name is the identity.*wss/])
  t.same(await ask('/ocpp/CS002'), wrong)
})

t.test('SEC-043 what RFC 6455 forbids closes with its code, and the door lives', async (t) => {
  const b = await bench()
  t.teardown(() => b.close())
  const { port } = new URL(b.url), auth = Buffer.from(`CS001:${password('CS001')}`).toString('base64')
  const open = (): Promise<Socket> => new Promise((done) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(`GET /ocpp/CS001 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ocpp2.0.1\r\nAuthorization: Basic ${auth}\r\n\r\n`))
    socket.once('data', () => done(socket)).on('error', () => {})
  })
  const masked = (first: number, payload: Buffer, bit = 0x80): Buffer => Buffer.concat([Buffer.from([first, bit | payload.length, ...(bit ? [0, 0, 0, 0] : [])]), payload])
  const cases: [string, Buffer, number][] = [
    ['unmasked', masked(0x81, Buffer.from('[]'), 0), 1002], ['a reserved bit', masked(0xb1, Buffer.from('[]')), 1002], ['an unknown opcode', masked(0x83, Buffer.from('[]')), 1002], ['a fragmented ping', masked(0x09, Buffer.alloc(0)), 1002],
    ['a continuation of nothing', masked(0x80, Buffer.from('x')), 1002], ['invalid UTF-8', masked(0x81, Buffer.from([0xc3, 0x28])), 1007], ['a split code point', Buffer.concat([masked(0x01, Buffer.from([0xe2, 0x82])), masked(0x80, Buffer.from([0x28]))]), 1007],
    ['binary', masked(0x82, Buffer.from('[]')), 1003], ['a close of one byte', masked(0x88, Buffer.from([3])), 1002], ['a frame above the limit', Buffer.concat([Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0])]), 1009],
  ]
  for (const [what, bytes, code] of cases) {
    const socket = await open()
    const got = await new Promise<number>((done) => {
      socket.on('data', (data: Buffer) => { const at = data.indexOf(0x88); if (at >= 0 && data.length >= at + 4) done(data.readUInt16BE(at + 2)) })
      socket.on('close', () => done(0))
      socket.write(bytes)
    })
    t.equal(got, code, what)
    socket.destroy()
  }
  const flood = await open()
  for (let i = 0; i < 2000; i += 1) flood.write(masked(0x89, Buffer.alloc(0)))
  flood.destroy()
  const s = await station(b, 'CS001')
  t.equal((await s.call('Heartbeat', {}))[0], 3)
  await s.close()
})
