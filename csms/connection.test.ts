import t from 'tap'
import { bench, HandStation, password, station, type Bench } from './fixture.js'
import { event, iso, order, profileOf, sent, twenty } from './fixture-twenty.js'
import { notesOf } from './journal.js'

t.setTimeout(300_000)

let b: Bench
t.before(async () => { b = await twenty() })
t.teardown(() => b.close())

const states = (id: string): string[] => b.happenings.filter((h) => h.delivery === id).map((h) => h.state)

t.test('OCPP-094 GetVariables goes in pieces the station takes, answers are joined; OCPP-090, 092 reports fill the device model', async (t) => {
  const s = await station(b, 'CS017')
  const item = (component: string, variable: string, instance: string | undefined, value: string, more: object = {}): object => ({
    component: { name: component }, variable: { name: variable, ...(instance === undefined ? {} : { instance }) }, variableAttribute: [{ value }], ...more,
  })
  const answer = (p: Record<string, unknown>): object => ({ getVariableResult: (p['getVariableData'] as object[]).map((d) => ({ ...d, attributeStatus: 'Accepted', attributeValue: '7' })) })
  s.replies['GetVariables'] = answer
  const three = { getVariableData: ['a', 'b', 'c'].map((name) => ({ component: { name: 'C' }, variable: { name } })) }
  t.match(await b.csms.command('CS017', 'GetVariables', three), { kind: 'answered', payload: { getVariableResult: [{ variable: { name: 'a' } }, { variable: { name: 'b' } }, { variable: { name: 'c' } }] } })
  t.equal(sent(s, 'GetVariables').length, 3, 'one each until the limit is known')
  await s.call('NotifyReport', { requestId: 9, generatedAt: iso(0), seqNo: 1, tbc: false, reportData: [item('DeviceDataCtrlr', 'ItemsPerMessage', 'GetVariables', '2')] })
  await s.call('NotifyReport', { requestId: 9, generatedAt: iso(0), seqNo: 0, tbc: true, reportData: [item('SmartChargingCtrlr', 'RateUnit', undefined, 'A'), item('smartchargingctrlr', 'ProfileStackLevel', undefined, '5'), item('Vendor', 'Thing', 'x', '1')] })
  await b.csms.command('CS017', 'GetVariables', three)
  t.equal(sent(s, 'GetVariables').length, 5)
  s.replies['SetChargingProfile'] = { status: 'Accepted' }
  const o = order('CS017', undefined, 1000)
  await b.csms.channel.send([o])
  await s.until(() => states(o.id).length === 1)
  t.match(profileOf(sent(s, 'SetChargingProfile')[0]), { stackLevel: 4, chargingProfilePurpose: 'ChargingStationMaxProfile', chargingSchedule: [{ chargingRateUnit: 'A', chargingSchedulePeriod: [{ limit: 0 }] }] }, 'OCPP-231 below 6 A is a pause')
  await s.close()
})

t.test('OCPP-034, A01 a password change: both work until it is answered, then one; OCPP-070 it is not in the frames', async (t) => {
  const s = await station(b, 'CS018')
  const change = (value: string): object => ({ setVariableData: [{ attributeValue: value, component: { name: 'SecurityCtrlr' }, variable: { name: 'BasicAuthPassword' } }] })
  const result = (status: string): object => ({ setVariableResult: [{ attributeStatus: status, component: { name: 'SecurityCtrlr' }, variable: { name: 'BasicAuthPassword' } }] })
  const opens = async (secret: string): Promise<number> => {
    const other = new HandStation(b.url, 'CS018', { password: secret })
    const status = await other.open()
    await other.close().catch(() => {})
    return status
  }
  s.replies['SetVariables'] = result('Rejected')
  await b.csms.command('CS018', 'SetVariables', change('a-new-password-1'))
  t.equal(await opens('a-new-password-1'), 401)
  const again = await station(b, 'CS018', { boot: false })
  again.replies['SetVariables'] = result('Accepted')
  t.match(await b.csms.command('CS018', 'SetVariables', change('a-new-password-2')), { kind: 'answered' })
  t.equal(await opens(password('CS018')), 401)
  t.equal(await opens('a-new-password-2'), 101)
  t.notMatch(JSON.stringify(b.csms.recorder.of('test CS018', 50)), 'a-new-password')
  await again.close()
})

t.test('OCPP-245, 086, 142, 164 baseline once, open transactions asked for after a power cut, orphans, clock skew', async (t) => {
  await b.csms.provision.add('test', [{ id: 'BASE1', securityProfile: 1, password: password('BASE1'), settings: { normalLimit_W: 11_000 } }])
  const s = new HandStation(b.url, 'BASE1', { password: password('BASE1') })
  s.replies['SetChargingProfile'] = { status: 'Accepted' }
  s.replies['GetChargingProfiles'] = { status: 'NoProfiles' }
  s.replies['GetTransactionStatus'] = (p) => ({ ongoingIndicator: p['transactionId'] === 'live', messagesInQueue: false })
  await s.open()
  await s.boot()
  await s.until(() => sent(s, 'SetChargingProfile').length === 1)
  const baseline = profileOf(sent(s, 'SetChargingProfile')[0])
  t.match(baseline, { stackLevel: 0, chargingProfilePurpose: 'TxDefaultProfile', chargingSchedule: [{ chargingSchedulePeriod: [{ limit: 11_000 }] }] })
  t.equal(baseline['validTo'], undefined)
  const known = await b.csms.fleet.find('test', 'BASE1')
  await s.call('TransactionEvent', event('Started', 0, iso(Date.now() - 600_000), { evse: { id: 2 } }, 'lost'))
  t.ok(known?.skewed)
  await s.call('TransactionEvent', event('Started', 0, iso(Date.now()), { evse: { id: 1 } }, 'live'))
  await s.boot()
  await s.until(() => sent(s, 'GetTransactionStatus').length === 2)
  await s.until(() => known?.transactions.get('lost')?.orphaned === true)
  t.equal(known?.transactions.get('live')?.orphaned, false)
  await s.call('TransactionEvent', event('Started', 0, iso(Date.now() + 1000), { evse: { id: 1 } }, 'second'))
  t.equal(known?.transactions.get('live')?.orphaned, true)
  t.equal(known?.running(1)?.id, 'second')
  await s.until(() => [...known?.ledger.values() ?? []].every((e) => e.state === 'installed'))
  const o = order('BASE1', 1, 15_000)
  await b.csms.channel.send([o])
  await s.until(() => states(o.id).length === 1)
  t.match(profileOf(s.calls.findLast((c) => c.action === 'SetChargingProfile' && profileOf(c)['stackLevel'] !== 0)).chargingSchedule, [{ chargingRateUnit: 'A', chargingSchedulePeriod: [{ limit: 15.9 }] }], 'OCPP-229 an event never raises the limit; OCPP-228 the unit that this model took before')
  await s.close()
})

t.test('REL-046, OCPP-069 a station that stops reading is not buffered without end', async (t) => {
  const s = await station(b, 'CS019')
  const known = await b.csms.fleet.find('test', 'CS019')
  s.ws.pause()
  const text = 'x'.repeat(60_000)
  for (let i = 0; i < 400; i += 1) known?.session.send('NotifyPeriodicEventStream', { text })
  await new Promise((turn) => setTimeout(turn, 50))
  t.equal(known?.session.online, false, 'closed past the bound')
  s.ws.terminate()
})

t.test('REL-047 a frame cut at any byte changes nothing', async (t) => {
  const { connect } = await import('node:net')
  const port = Number(new URL(b.url).port)
  const payload = Buffer.from(JSON.stringify([2, 'cut', 'TransactionEvent', event('Started', 0, iso(0), { evse: { id: 1 } }, 'CUT')]))
  const frame = Buffer.concat([Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 255, 0, 0, 0, 0]), payload])
  const auth = Buffer.from(`CS020:${password('CS020')}`).toString('base64')
  for (let cut = 1; cut < frame.length; cut += 29) {
    await new Promise<void>((done) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(`GET /ocpp/CS020 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ocpp2.0.1\r\nAuthorization: Basic ${auth}\r\n\r\n`))
      socket.once('data', () => { socket.write(frame.subarray(0, cut)); socket.resetAndDestroy() })
      socket.on('close', () => done())
      socket.on('error', () => {})
    })
  }
  t.same(await notesOf(b.database.stores.documents, 'test', 'csms/TransactionEvent', 'CS020/CUT'), [])
  t.equal(await b.database.stores.documents.get('test', 'csms/Transaction', 'CS020/CUT'), undefined)
  const s = await station(b, 'CS020')
  t.equal((await s.call('Heartbeat', {}))[0], 3)
  await s.close()
})

t.test('UX-077 every frame passes by whoever captures it, both ways, its secrets masked', async (t) => {
  const heard: [string, string, string][] = [], b = await bench({ needs: { heard: (_tenant, station, _at, direction, text) => heard.push([station, direction, text()]) } })
  t.teardown(() => b.close())
  const s = new HandStation(b.url, 'CS001', { password: password('CS001') })
  t.equal(await s.open(), 101)
  await s.boot()
  await s.call('Authorize', { idToken: { idToken: 'canary-1234', type: 'KeyCode' } })
  await s.close()
  t.match(heard.filter(([, , text]) => text.includes('BootNotification')), [['CS001', 'in', /^\[2,/]])
  t.ok(heard.some(([, direction, text]) => direction === 'out' && text.startsWith('[3,')), 'our answers too')
  t.ok(heard.some(([, , text]) => text.includes('KeyCode')) && !heard.some(([, , text]) => text.includes('canary')), 'SEC-061')
})
