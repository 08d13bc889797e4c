import t from 'tap'
import { certificateHash, certificatePem, createRoot, issueClient, keySigner, newEcKey, readCertificate, serialFrom, spkiOf } from '#certs/index.js'
import { makeCrl } from '#certs/x509/crl.js'
import { keyHashOfView } from '#certs/x509/key-hash.js'
import { ocspAnswer, readOcspRequest } from '#certs/x509/ocsp.js'
import { randomIds } from '#core/port/ids.js'
import { derMessages, type DerOrder } from './der-control.js'
import { event, handBench, iso, known, sent, T, token, willing } from './fixture-words.js'
import { notesOf } from './journal.js'
import { schemasOf } from './rpc/schema.js'
import { actions } from './wire/action.js'

t.setTimeout(120_000)
const two1 = { protocols: ['ocpp2.1'] }

t.test('OCPP-261 status comes by NotifyEvent or by the older message; both feed one state', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001', {}, two1)
  t.same((await s.call('StatusNotification', { timestamp: iso(T), connectorStatus: 'Available', evseId: 1, connectorId: 1 }))[2], {})
  await s.call('NotifyEvent', { generatedAt: iso(T), seqNo: 0, eventData: [{ eventId: 1, timestamp: iso(T + 1000), trigger: 'Delta', actualValue: 'Occupied', eventNotificationType: 'HardWiredNotification', component: { name: 'Connector', evse: { id: 1, connectorId: 1 } }, variable: { name: 'AvailabilityState' } }] })
  t.match((await known(b, 'CS001')).record.connectors, { '1/1': { status: 'Occupied' } })
  await s.call('StatusNotification', { timestamp: iso(T + 500), connectorStatus: 'Faulted', evseId: 1, connectorId: 1 })
  t.match((await known(b, 'CS001')).record.connectors, { '1/1': { status: 'Occupied' } }, 'the newest wins, whoever told it')
  await s.close()
})

const profile = (period: object, more: object = {}): object => ({ evseId: 1, chargingProfile: {
  id: 1_500_000, stackLevel: 0, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Absolute',
  chargingSchedule: [{ id: 1, startSchedule: iso(T), chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, ...period }] }], ...more,
} })

t.test('OCPP-262 a Dynamic profile: pushed values are those that are pulled; unknown and other kinds are Rejected', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001', { UpdateDynamicSchedule: { status: 'Accepted' } }, two1)
  const pull = async (chargingProfileId: number): Promise<unknown> => (await s.call('PullDynamicScheduleUpdate', { chargingProfileId }))[2]
  t.match(await pull(1_500_000), { status: 'Rejected' })
  t.match(await b.csms.command('CS001', 'SetChargingProfile', profile({ limit: 5000 }, { chargingProfileKind: 'Dynamic' })), { kind: 'answered' })
  t.same(await pull(1_500_000), { status: 'Accepted', scheduleUpdate: { limit: 5000 } })
  await b.csms.command('CS001', 'UpdateDynamicSchedule', { chargingProfileId: 1_500_000, scheduleUpdate: { limit: 3000 } })
  t.same(await pull(1_500_000), { status: 'Accepted', scheduleUpdate: { limit: 3000 } })
  await b.csms.command('CS001', 'SetChargingProfile', profile({ limit: 5000 }, { id: 1_500_000 }))
  t.match(await pull(1_500_000), { status: 'Rejected', statusInfo: { reasonCode: 'InvalidProfile' } })
  await s.close()
})

t.test('OCPP-263, 240 the numbers of a period fit its operation mode', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001', {}, two1)
  const check = async (period: object): Promise<string> => { const r = await b.csms.command('CS001', 'SetChargingProfile', profile(period)); return r.kind === 'refused' ? r.checks.map((c) => c.check).join() : r.kind }
  t.equal(await check({ limit: 5000, setpoint: 100 }), 'Q02.FR.02', 'charging only by default')
  t.equal(await check({ limit: 5000, dischargeLimit: -100, operationMode: 'ChargingOnly' }), 'Q02.FR.02')
  t.equal(await check({ operationMode: 'CentralSetpoint' }), 'Q03.FR.02')
  t.equal(await check({ operationMode: 'CentralSetpoint', setpoint: -5000, limit: 100 }), 'Q03.FR.02')
  t.equal(await check({ operationMode: 'ExternalLimits', limit: 5000, dischargeLimit: 100 }), 'PropertyConstraintViolation', 'the schema itself says at most 0')
  t.equal(await check({ operationMode: 'CentralSetpoint', setpoint: -5000 }), 'answered', 'negative = discharge')
  t.equal(await check({ operationMode: 'ExternalLimits', limit: 5000, limit_L2: 4000, dischargeLimit: -3000 }), 'answered')
  t.equal(await check({ limit: -1 }), 'OCPP-240')
  await s.close()
})

t.test('OCPP-265 period streams, DER messages, and the modes of IEEE 2030.5 as block R says them', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001', { SetDERControl: { status: 'Accepted' } }, two1)
  t.same((await s.call('OpenPeriodicEventStream', { constantStreamData: { id: 3, variableMonitoringId: 1, params: { interval: 5 } } }))[2], { status: 'Accepted' })
  const stream = (): Promise<number> => b.database.stores.documents.count('test', { kind: 'csms/EventStreamData' })
  s.ws.send(JSON.stringify([6, 'x', 'NotifyPeriodicEventStream', { id: 3, pending: 0, basetime: iso(T), data: [{ t: 0, v: '21.5' }] }]))
  for (let i = 0; i < 200 && await stream() === 0; i += 1) await new Promise((turn) => setTimeout(turn, 10))
  t.equal(await stream(), 1)
  t.same((await s.call('ClosePeriodicEventStream', { id: 3 }))[2], {})
  t.equal(await b.database.stores.documents.count('test', { kind: 'csms/EventStream' }), 0)
  for (const [action, payload] of [['NotifyDERStartStop', { controlId: 'c', started: true, timestamp: iso(T) }], ['NotifyDERAlarm', { controlType: 'VoltVar', timestamp: iso(T) }], ['ReportDERControl', { requestId: 1, tbc: false }]] as const) t.same((await s.call(action, payload))[2], {}, action)
  const curve = { points: [{ x: 95, y: 30 }, { x: 105, y: -30 }], yRefType: 2, openLoop_s: 5 }
  const order = (modes: DerOrder['modes'], more: Partial<DerOrder> = {}): DerOrder => ({ id: 'ctl', isDefault: false, priority: 83, start: T / 1000, duration: 3600, modes, ...more })
  const at = { evseId: 1, rated_W: 11_000, profileId: 1_000_000, stackLevel: 2 }, schema = schemasOf('2.1')
  const all = order({
    opModVoltVar: curve, opModVoltWatt: curve, opModWattVar: curve, opModWattPF: curve, opModFreqWatt: curve, opModHVRTMustTrip: curve, opModLVRTMomentaryCessation: curve, opModHFRTMayTrip: curve,
    opModFixedPFAbsorbW: { displacement: 0.95, excitation: true }, opModFixedPFInjectW: { displacement: 0.9, excitation: false }, opModFixedVar: { value: 20, refType: 2 },
    opModFreqDroop: { overFreq: 50.2, underFreq: 49.8, overDroop: 5, underDroop: 5, openLoop_s: 2 }, opModMaxLimW: 60, opModFixedW: 50,
    setESLowVolt: 90, setESHighVolt: 110, setESLowFreq: 49, setESHighFreq: 51, setESDelay: 60,
  })
  const messages = derMessages(all, at)
  for (const { action, payload } of messages) t.equal(schema.check(action, 'request', payload), undefined, JSON.stringify(payload))
  t.same(messages.map((m) => (m.payload as { controlType?: string }).controlType ?? m.action), ['VoltVar', 'VoltWatt', 'WattVar', 'WattPF', 'FreqWatt', 'HVMustTrip', 'LVMomCess', 'HFMayTrip', 'FixedPFAbsorb', 'FixedPFInject', 'FixedVar', 'FreqDroop', 'LimitMaxDischarge', 'EnterService', 'SetChargingProfile'])
  t.match(messages[0]?.payload, { isDefault: false, curve: { priority: 83, yUnit: 'PctMaxVar', startTime: iso(T), duration: 3600, responseTime: 5 } })
  t.match(messages.at(-1)?.payload, { chargingProfile: { validTo: iso(T + 3_660_000), chargingSchedule: [{ chargingSchedulePeriod: [{ operationMode: 'CentralSetpoint', setpoint: -5500 }] }] } }, 'out of the car is negative here')
  t.match(derMessages(order({ opModEnergize: false }), at)[0]?.payload, { chargingProfile: { chargingSchedule: [{ chargingSchedulePeriod: [{ limit: 0, dischargeLimit: 0 }] }] } })
  t.same(derMessages(order({ opModEnergize: true }), at), [])
  t.notMatch(JSON.stringify(derMessages(order({ opModVoltVar: curve }, { isDefault: true }), at)), /startTime|"duration"/, 'a default has no time')
  t.match(await b.csms.command('CS001', 'SetDERControl', messages[0]?.payload), { kind: 'answered' })
  await s.close()
})

t.test('OCPP-266, 260 a limit of the transaction where the token has one; what we do not offer is NotSupported', async (t) => {
  const { b } = await handBench(t)
  await b.csms.tokens.put('test', [{ idToken: 'PREPAID', type: 'ISO14443', status: 'Accepted', transactionLimit: { maxCost: 10, maxSoC: 80 } }])
  const s = await willing(b, 'CS001', {}, two1)
  t.same((await s.call('TransactionEvent', event('Started', 0, T, { evse: { id: 1 }, idToken: token('PREPAID') })))[2], { idTokenInfo: { status: 'Accepted' }, transactionLimit: { maxCost: 10, maxSoC: 80 } })
  t.same((await s.call('TransactionEvent', event('Updated', 1, T + 1)))[2], {})
  for (const [action, payload] of [['VatNumberValidation', { vatNumber: 'DE1' }], ['NotifySettlement', { pspRef: 'x', status: 'Settled', settlementAmount: 1, settlementTime: iso(T) }], ['BatterySwap', {}]] as const) t.same((await s.call(action, payload)).slice(2, 3), ['NotSupported'], action)
  await s.close()
  t.equal(actions.filter((a) => a.in.length === 1 && a.in[0] === '2.1').length, 27)
})

t.test('OCPP-266 with plug-ins: settlements are kept once and may earn a receipt; VAT numbers are checked; batteries are heard of', async (t) => {
  const settled: unknown[] = [], swapped: unknown[] = []
  const { b } = await handBench(t, { needs: { payments: {
    vat: async ({ vatNumber }) => (vatNumber === 'DE1' ? { valid: true, company: { name: 'ACME', address1: 'Way 1', city: 'Bonn', country: 'DE' } } : vatNumber === 'DOWN' ? Promise.reject(new Error('no')) : { valid: false, why: 'no such number' }),
    settled: async (s) => { settled.push(s); return s.status === 'Settled' ? { receiptUrl: 'https://receipts.example/1', receiptId: 'R1' } : undefined },
    swapped: async (s) => { swapped.push(s) },
  } } })
  const s = await willing(b, 'CS001', {}, two1)
  const paid = { transactionId: 'T1', pspRef: 'psp-1', status: 'Settled', settlementAmount: 12.34, settlementTime: iso(T) }
  t.same((await s.call('NotifySettlement', paid))[2], { receiptUrl: 'https://receipts.example/1', receiptId: 'R1' })
  t.same((await s.call('NotifySettlement', paid, 'again'))[2], { receiptUrl: 'https://receipts.example/1', receiptId: 'R1' }, 'REL-050 the same answer')
  t.same((await s.call('NotifySettlement', { ...paid, pspRef: 'psp-2', status: 'Failed' }))[2], {})
  const kept = await b.database.stores.documents.list<object>('test', { kind: 'csms/Settlement', parent: 'CS001', order: ['id'] })
  t.match(kept.map((d) => d.body), [{ ...paid, receivedAt: T }, { pspRef: 'psp-2', status: 'Failed' }])
  t.match(settled[0], { station: 'CS001', settlementAmount: 12.34 })
  t.same((await s.call('VatNumberValidation', { vatNumber: 'DE1', evseId: 1 }))[2], { vatNumber: 'DE1', evseId: 1, status: 'Accepted', company: { name: 'ACME', address1: 'Way 1', city: 'Bonn', country: 'DE' } })
  t.same((await s.call('VatNumberValidation', { vatNumber: 'XX9' }))[2], { vatNumber: 'XX9', status: 'Rejected', statusInfo: { reasonCode: 'InvalidValue', additionalInfo: 'no such number' } })
  t.match((await s.call('VatNumberValidation', { vatNumber: 'DOWN' }))[2], { status: 'Rejected', statusInfo: { reasonCode: 'Timeout' } }, 'nobody has checked it')
  const battery = { eventType: 'BatteryIn', requestId: 4, idToken: token('DEADBEEF'), batteryData: [{ evseId: 1, serialNumber: 'B', soC: 12, soH: 97 }] }
  t.same((await s.call('BatterySwap', battery))[2], {})
  t.match(swapped, [{ station: 'CS001', requestId: 4, eventType: 'BatteryIn' }])
  t.match(await notesOf(b.database.stores.documents, 'test', 'csms/BatterySwap', 'CS001'), [{ body: battery }])
  for (const [action, payload, reply] of [['NotifyWebPaymentStarted', { evseId: 1, timeout: 60 }, {}], ['RequestBatterySwap', { requestId: 5, idToken: token('DEADBEEF') }, { status: 'Accepted' }]] as const) {
    s.replies[action] = reply
    t.match(await b.csms.command('CS001', action, payload), { kind: 'answered', payload: reply }, action)
    t.same(sent(s, action), [payload])
    t.match(await b.csms.command('CS001', action, { ...payload, wrong: 1 }), { kind: 'refused' }, `${action} with a member that it does not have`)
  }
  await s.close()
})

t.test('M07, OCPP-260 GetCertificateChainStatus: each certificate by an answer that its issuer signed; else Failed', async (t) => {
  const ids = randomIds(() => T), key = newEcKey(), signer = keySigner(key), validity = { fromMs: T - 1, toMs: T + 864e5 }
  const root = await createRoot({ serial: serialFrom(ids.hex(16)), subject: [{ CN: ['R'] }], validity }, signer)
  const leaf = await issueClient(root, { serial: serialFrom(ids.hex(16)), publicKey: spkiOf(newEcKey()), commonName: 'X', organization: 'Loadstone', validity })
  const certificateHashData = certificateHash(readCertificate(leaf), readCertificate(root.certificate)), stranger = keySigner(newEcKey())
  const { b } = await handBench(t, { config: { mobilityRoots: [certificatePem(root.certificate)] }, needs: { ocspFetch: async (url, der) => {
    if (url.includes('down')) throw new Error('down')
    const status = url.includes('revoked') ? { status: 'revoked', atMs: T - 1000, reason: 'keyCompromise' } as const : { status: 'good' } as const
    return ocspAnswer(readOcspRequest(der).questions.map(({ certId }) => ({ certId, status })), url.includes('stranger') ? stranger : signer, { nowMs: T, nextUpdateMs: T + 3_600_000 })
  } } })
  const s = await willing(b, 'CS001', {}, two1)
  const of = (source: string, ...urls: string[]): object => ({ source, urls, certificateHashData })
  const ask = async (...certificateStatusRequests: object[]): Promise<{ certificateStatus: { status: string; nextUpdate: string; certificateHashData: object }[] }> => (await s.call('GetCertificateChainStatus', { certificateStatusRequests }))[2] as never
  const { certificateStatus: all } = await ask(of('OCSP', 'http://down/', 'http://good/'), of('OCSP', 'http://revoked/'), of('OCSP', 'http://stranger/'))
  t.same(all.map((c) => c.status), ['Good', 'Revoked', 'Failed'])
  t.same(all.map((c) => c.nextUpdate), [T + 3_600_000, T + 3_600_000, T + 60_000].map(iso))
  t.same(all[0]!.certificateHashData, certificateHashData)
  t.same((await ask({ ...of('OCSP', 'http://good/'), certificateHashData: { ...certificateHashData, issuerKeyHash: 'ab'.repeat(32) } })).certificateStatus[0]!.status, 'Failed', 'an issuer that is none of ours')
  await s.close()
})

t.test('M07, OCPP-260 GetCertificateChainStatus by revocation lists: signed by the issuer and current, read once until its nextUpdate', async (t) => {
  const ids = randomIds(() => T), key = newEcKey(), signer = keySigner(key), validity = { fromMs: T - 1, toMs: T + 864e5 }
  const root = await createRoot({ serial: serialFrom(ids.hex(16)), subject: [{ CN: ['R'] }], validity }, signer), view = readCertificate(root.certificate)
  const issue = async (): Promise<ReturnType<typeof readCertificate>> => readCertificate(await issueClient(root, { serial: serialFrom(ids.hex(16)), publicKey: spkiOf(newEcKey()), commonName: 'X', organization: 'Loadstone', validity }))
  const good = await issue(), revoked = await issue(), asked: string[] = []
  const { b, clock } = await handBench(t, { config: { mobilityRoots: [certificatePem(root.certificate)] }, needs: { crlFetch: async (url) => {
    asked.push(url)
    if (url.includes('down')) throw new Error('down')
    if (url.includes('junk')) return Buffer.from('<html>')
    const from = url.includes('old') ? T - 7_200_000 : clock.nowMs()
    return makeCrl({
      issuerName: view.subject.raw, issuerKeyId: Buffer.alloc(20), number: 1, thisUpdateMs: from, nextUpdateMs: from + 3_600_000, revoked: [{ serial: revoked.serial, atMs: T - 1000, reason: 'keyCompromise' }],
    }, url.includes('stranger') ? keySigner(newEcKey()) : signer)
  } } })
  const s = await willing(b, 'CS001', {}, two1)
  const of = (leaf: typeof good, ...urls: string[]): object => ({ source: 'CRL', urls, certificateHashData: { ...certificateHash(leaf, view), serialNumber: leaf.serial.toLowerCase().replace(/^0+/, '') } })
  const ask = async (...certificateStatusRequests: object[]): Promise<{ status: string; nextUpdate: string }[]> =>
    ((await s.call('GetCertificateChainStatus', { certificateStatusRequests }))[2] as { certificateStatus: { status: string; nextUpdate: string }[] }).certificateStatus
  t.match(await ask(of(good, 'http://down/', 'http://a/'), of(revoked, 'http://a/')), [{ status: 'Good', nextUpdate: iso(T + 3_600_000) }, { status: 'Revoked', nextUpdate: iso(T + 3_600_000) }])
  const before = asked.length
  t.match(await ask(of(revoked, 'http://a/')), [{ status: 'Revoked' }])
  t.equal(asked.length, before, 'from memory')
  await clock.advance(3_600_001)
  t.match(await ask(of(revoked, 'http://a/')), [{ status: 'Revoked' }])
  t.equal(asked.length, before + 1, 'its time is over')
  t.same((await ask(of(good, 'http://stranger/'), of(good, 'http://old/'), of(good, 'http://junk/'), of(good, 'file:///etc/passwd'))).map((c) => c.status), ['Failed', 'Failed', 'Failed', 'Failed'])
  const sha384 = keyHashOfView(view, 'SHA384')
  t.match(await ask({ source: 'CRL', urls: ['http://a/'], certificateHashData: { hashAlgorithm: 'SHA384', issuerNameHash: sha384.name, issuerKeyHash: sha384.key, serialNumber: revoked.serial } }), [{ status: 'Revoked' }])
  await s.close()
})
