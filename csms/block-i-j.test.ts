import { createSign, generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { event, handBench, iso, known, meter, T, tells, token, willing } from './fixture-words.js'
import { notesOf } from './journal.js'
import type { KeptEvent } from './message/transaction-event.js'
import { configurationFor } from './post-boot.js'
import { costOf, onTheWire, type Tariff } from './tariff.js'
import { newTransaction } from './transaction.js'

t.setTimeout(120_000)

t.test('OCPP-166, 140 the cost runs with the transaction where the station shows it, and is final at its end; free is 0, unknown is absent', async (t) => {
  const { b } = await handBench(t, { config: { tariff: 'usual' } })
  await b.csms.tariffs.put('test', { name: 'usual', currency: 'EUR', perKWh: '0.333', perSession: '1' })
  await b.csms.tariffs.put('test', { name: 'gift', currency: 'EUR' })
  const s = await willing(b, 'CS001', { CostUpdated: {} })
  const start = (): Promise<unknown[]> => s.call('TransactionEvent', event('Started', 0, T, { evse: { id: 1 }, meterValue: [meter(T, 1000, 'Transaction.Begin')] }))
  t.same((await start())[2], {}, 'a station without a cost display is told nothing')
  await tells(s, { 'TariffCostCtrlr.Available[Cost]': 'true' })
  t.same((await s.call('TransactionEvent', event('Updated', 1, T + 60_000, { meterValue: [meter(T + 60_000, 2500)] })))[2], { totalCost: 1.5 }, '1 + 1.5 kWh at 0.333 is 1.4995, rounded once')
  t.same((await s.call('TransactionEvent', event('Ended', 2, T + 120_000, { meterValue: [meter(T + 120_000, 11_000, 'Transaction.End')] })))[2], { totalCost: 4.33 })
  t.equal((await known(b, 'CS001')).transactions.get('T1')!.cost, '4.33')
  await b.csms.change('test', 'CS001', { settings: { tariff: 'gift' } })
  t.same((await s.call('TransactionEvent', { ...event('Started', 0, T, { evse: { id: 1 } }), transactionInfo: { transactionId: 'T2' } }))[2], { totalCost: 0 })
  await b.csms.change('test', 'CS001', { settings: { tariff: 'usual' } })
  t.same((await s.call('TransactionEvent', { ...event('Started', 0, T, { evse: { id: 1 } }), transactionInfo: { transactionId: 'T3' } }))[2], {}, 'no energy known: unknown, not free')
  t.match(await b.csms.command('CS001', 'CostUpdated', { totalCost: 3.2, transactionId: 'T3' }), { kind: 'answered' })
  await tells(s, { 'TariffCostCtrlr.Available[Cost]': 'false' })
  t.match(await b.csms.command('CS001', 'CostUpdated', { totalCost: 3.2, transactionId: 'T3' }), { kind: 'refused', checks: [{ check: 'OCPP-166' }] })
  await s.close()
})

t.test('OCPP-167 the driver reads the tariff when he shows his card, and again when it has changed; fallback texts are set', async (t) => {
  const { b } = await handBench(t, { config: { tariff: 'usual', texts: { tariff: '0.50/kWh', cost: 'see app' } } })
  await b.csms.tariffs.put('test', { name: 'usual', currency: 'USD', perKWh: '0.50', text: '0.50 USD/kWh', language: 'en' })
  const s = await willing(b, 'CS001')
  const ask = async (): Promise<unknown> => ((await s.call('Authorize', { idToken: token('DEADBEEF') }))[2] as { idTokenInfo: { personalMessage?: unknown } }).idTokenInfo.personalMessage
  t.equal(await ask(), undefined)
  await tells(s, { 'TariffCostCtrlr.Available[Tariff]': 'true', 'TariffCostCtrlr.TariffFallbackMessage': 'old', 'TariffCostCtrlr.TotalCostFallbackMessage': 'old' })
  t.same(await ask(), { format: 'UTF8', content: '0.50 USD/kWh', language: 'en' })
  const update = async (seqNo: number): Promise<unknown> => (await s.call('TransactionEvent', event(seqNo === 0 ? 'Started' : 'Updated', seqNo, T + seqNo, { evse: { id: 1 } })))[2]
  t.same([await update(0), await update(1)], [{}, {}])
  await b.csms.tariffs.put('test', { name: 'usual', currency: 'USD', perKWh: '0.60', text: '0.60 USD/kWh' })
  t.same(await update(2), { updatedPersonalMessage: { format: 'UTF8', content: '0.60 USD/kWh' } })
  t.same(await update(3), {}, 'once')
  t.same(configurationFor(await known(b, 'CS001'), b.config.texts).map((d) => (d as { attributeValue: string }).attributeValue), ['0.50/kWh'], 'the cost text only where costs are shown')
  await s.close()
})

t.test('OCPP-168 money is exact inside and rounded once at the edge', async (t) => {
  const session = (Wh: number, minutes = 60) => ({ ...newTransaction('x', T), endedAt: T + minutes * 60_000, first: { at: T, Wh: 0, rank: 1 as const }, last: { at: T + 1, Wh, rank: 1 as const } })
  const cases: [Omit<Tariff, 'name'>, number, number, bigint][] = [
    [{ currency: 'USD', perKWh: '0.10' }, 3, 60, 0n], [{ currency: 'USD', perKWh: '0.105' }, 1000, 60, 11n], [{ currency: 'JPY', perKWh: '31.5' }, 1000, 60, 32n],
    [{ currency: 'KWD', perKWh: '0.0005' }, 1000, 60, 1n], [{ currency: 'EUR', perHour: '0.1', perSession: '0.2' }, 0, 60, 30n], [{ currency: 'EUR', perKWh: '0.00', perHour: '0' }, 99, 60, 0n],
  ]
  for (const [tariff, Wh, minutes, minor] of cases) t.equal(costOf({ name: 'x', ...tariff }, session(Wh, minutes), T), minor, JSON.stringify(tariff))
  t.equal(onTheWire(30n, 'EUR'), 0.3, 'and not 0.30000000000000004')
  const { b } = await handBench(t)
  await t.rejects(b.csms.tariffs.put('test', { name: 'x', currency: 'EUR', perKWh: '-1' }), /decimal text/)
  await t.rejects(b.csms.tariffs.put('test', { name: 'x', currency: 'euro' }), /currency/)
})

t.test('OCPP-171, 175 metering outside and inside a transaction feeds one store; what an Ended carries of history is spread over its time', async (t) => {
  const { b, clock } = await handBench(t)
  const s = await willing(b, 'CS001'), at = (minute: number): number => T + minute * 60_000
  await clock.advance(3_600_000)
  t.same((await s.call('MeterValues', { evseId: 1, meterValue: [meter(at(0), 0)] }))[2], {})
  t.same((await s.call('MeterValues', { evseId: 0, meterValue: [meter(at(0), 5)] }))[2], {})
  await s.call('TransactionEvent', event('Started', 0, at(15), { evse: { id: 1 }, meterValue: [meter(at(15), 1000)] }))
  t.same((await s.call('MeterValues', { evseId: 1, meterValue: [meter(at(30), 2000)] }))[2], {}, 'clock-aligned, by the other message')
  await s.call('TransactionEvent', event('Ended', 1, at(60), { meterValue: [meter(at(15), 1000), meter(at(45), 4000), meter(at(60), 4600)] }))
  const newest = new Map(b.readings.filter((r) => r.source === 'ocpp:CS001/1').map((r) => [r.start - T / 1000, r.Wh]))
  t.same([...newest].sort(([a], [c]) => a - c), [[0, 1000], [900, 1000], [1800, 2000], [2700, 600]])
  t.equal(await b.database.stores.documents.count('test', { kind: 'csms/MeterValues' }) > 0, true)
  await s.close()
})

t.test('OCPP-174 signed values are kept byte for byte; a signature that does not hold is flagged and drops nothing', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001')
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const payload = '{"FV":"1.0","RD":[{"RV":12.5}]}', signature = createSign('sha256').update(payload).sign(privateKey).toString('hex')
  const signed = (text: string, key: string): object => ({ signedMeterData: Buffer.from(`OCMF|${text}|{"SD":"${signature}"}`).toString('base64'), signingMethod: 'ECDSA-secp256r1-SHA256', encodingMethod: 'OCMF', publicKey: key })
  const value = (n: number, signedMeterValue: object): object => ({ evse: { id: 1 }, meterValue: [{ timestamp: iso(T + n), sampledValue: [{ value: 12_500 + n, signedMeterValue }] }] })
  const key = publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
  await s.call('TransactionEvent', event('Started', 0, T, value(0, signed(payload, key))))
  const tx = (await known(b, 'CS001')).transactions.get('T1')!
  t.same(tx.flags, [])
  await s.call('TransactionEvent', event('Updated', 1, T + 1, value(1, signed(payload.replace('12.5', '99.5'), ''))))
  t.same(tx.flags, ['badMeterSignature'], 'with the key told before')
  const odd = { signedMeterData: 'b2RkIGJ5dGVzIA0KAA==', signingMethod: '', encodingMethod: 'nobody knows', publicKey: '' }
  await s.call('TransactionEvent', event('Updated', 2, T + 2, value(2, odd)))
  const stored = await notesOf<KeptEvent>(b.database.stores.documents, 'test', 'csms/TransactionEvent', 'CS001/T1')
  t.same(stored[2]!.body.payload.meterValue![0]!.sampledValue[0], { value: 12_502, signedMeterValue: odd })
  t.match(await s.call('MeterValues', { evseId: 1, meterValue: [{ timestamp: iso(T + 3), sampledValue: [{ value: 1, signedMeterValue: signed(payload, '') }] }] }), [3])
  await s.close()
})

t.test('OCPP-177 what is acknowledged is stored: many stations at once, each within two seconds', async (t) => {
  const { b } = await handBench(t, { stations: Array.from({ length: 10 }, (_, i) => `MV${i}`) })
  const stations = await Promise.all(Array.from({ length: 10 }, (_, i) => willing(b, `MV${i}`)))
  const late: number[] = []
  await Promise.all(stations.flatMap((s) => Array.from({ length: 10 }, async (_, n) => {
    const begun = performance.now()
    t.equal((await s.call('MeterValues', { evseId: 1, meterValue: [meter(T + n * 60_000, n)] }))[0], 3)
    late.push(performance.now() - begun)
  })))
  t.ok(late.sort((x, y) => x - y)[Math.floor(late.length * 0.99)]! < 2000)
  const kept = await b.database.stores.documents.list<{ notes: unknown[] }>('test', { kind: 'csms/MeterValues' })
  t.equal(kept.reduce((sum, d) => sum + d.body.notes.length, 0), 100)
  t.ok(kept.length < 100, 'many share a row')
  for (const s of stations) await s.close()
})
