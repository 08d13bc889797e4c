import t from 'tap'
import type { Availability } from '#core/availability/availability.js'
import type { Happening } from '#core/dispatch/delivery.js'
import { Refusal } from '#core/error.js'
import type { ReadingInput } from '#core/reading/reading.js'
import { event, handBench, iso, known, meter, orderTo, sent, T, token, willing } from './fixture-words.js'

t.setTimeout(120_000)

/** A core that is down when `down` says so, and what it heard otherwise. */
function core() {
  const heard = { availability: [] as Availability[], happenings: [] as Happening[], readings: [] as ReadingInput[], untold: [] as unknown[] }
  let left = 0, refused = 0
  const up = (): void => {
    if (left <= 0) return
    left -= 1
    refused += 1
    throw new Refusal('unavailable', 'the core is down')
  }
  return {
    heard,
    get refused() { return refused },
    down(times = Infinity) { left = times },
    needs: {
      availability: { declare: async (_: unknown, rows: readonly Availability[]) => { up(); heard.availability.push(...rows) } },
      happenings: { happened: async (some: readonly Happening[]) => { up(); heard.happenings.push(...some) } },
      readings: { record: async (_: unknown, rows: readonly ReadingInput[]) => { up(); heard.readings.push(...rows); return { accepted: rows.length, duplicates: 0, corrected: 0 } } },
      untold: { untold: async (...said: unknown[]) => { up(); heard.untold.push(said) } },
    },
  }
}
const began = event('Started', 0, T, { evse: { id: 1, connectorId: 1 } }, { chargingState: 'Charging' })
const charges = (rows: readonly Availability[]): boolean => rows.some((r) => r.down_W > 0)
const needs = { evseId: 1, chargingNeeds: { requestedEnergyTransfer: 'AC_three_phase', acChargingParameters: { energyAmount: 20_000, evMinCurrent: 6, evMaxCurrent: 32, evMaxVoltage: 230 } } }

t.test('REL-020, OCPP-131, 238 an event is acknowledged when the core heard of it too: the repetition tells it, over a restart of ours as well', async (t) => {
  const c = core(), { b } = await handBench(t, { needs: c.needs })
  let s = await willing(b, 'CS001')
  c.down()
  t.match(await s.call('TransactionEvent', began), [4, String, 'InternalError'])
  t.equal((await b.database.stores.documents.list('test', { kind: 'csms/Transaction' })).length, 1, 'it is committed')
  c.down(0)
  t.match(await s.call('TransactionEvent', began), [3])
  t.ok(charges(c.heard.availability))
  c.down()
  t.match(await s.call('TransactionEvent', event('Ended', 1, T + 1)), [4, String, 'InternalError'])
  c.down(0)
  await b.restart()
  s = await willing(b, 'CS001')
  const before = c.heard.availability.length
  t.match(await s.call('TransactionEvent', event('Ended', 1, T + 1)), [3])
  t.ok(c.heard.availability.length > before)
  t.notOk(charges(c.heard.availability.slice(before)))
  const told = c.heard.availability.length
  t.match(await s.call('TransactionEvent', event('Ended', 1, T + 1)), [3])
  t.equal(c.heard.availability.length, told, 'REL-050 once more changes nothing')
  await s.close()
})

t.test('REL-020, OCPP-238 a station that gives up is not needed: the core is told as soon as it listens', async (t) => {
  const c = core(), { b, clock } = await handBench(t, { needs: c.needs })
  const s = await willing(b, 'CS001')
  c.down()
  await s.call('TransactionEvent', began)
  await s.until(() => c.refused === 2)
  c.down(0)
  t.notOk(charges(c.heard.availability))
  await clock.advance(250)
  await s.until(() => charges(c.heard.availability))
  await s.close()
})

t.test('REL-020, OCPP-197 charging needs are said once: kept with the transaction, told to the core and scheduled after a restart of ours', async (t) => {
  const c = core(), { b, clock } = await handBench(t, { needs: c.needs })
  let s = await willing(b, 'CS001')
  await s.call('TransactionEvent', began)
  c.down()
  t.match((await s.call('NotifyEVChargingNeeds', needs))[2], { status: 'Accepted' })
  await b.restart()
  c.down(0)
  const before = c.heard.availability.length
  s = await willing(b, 'CS001', {}, { boot: false })
  await clock.advance(0)
  await s.until(() => sent(s, 'SetChargingProfile').length === 1)
  t.match(sent(s, 'SetChargingProfile')[0], { evseId: 1, chargingProfile: { chargingProfilePurpose: 'TxProfile', transactionId: 'T1' } })
  await s.until(() => charges(c.heard.availability.slice(before)))
  const energy = c.heard.availability.slice(before).reduce((sum, r) => sum + (r.expected_W ?? 0) / 4, 0)
  t.equal(Math.round(energy), 20_000, 'Wh that the car asked for')
  await s.close()
})

t.test('REL-020, OCPP-171 a MeterValues whose reading the core did not take is not acknowledged; the repetition loses nothing', async (t) => {
  const c = core(), { b } = await handBench(t, { needs: c.needs })
  const s = await willing(b, 'CS001')
  const say = (at: number, Wh: number) => s.call('MeterValues', { evseId: 1, meterValue: [meter(at, Wh)] })
  t.match(await say(T, 1000), [3])
  c.down(1)
  t.match(await say(T + 900_000, 2500), [4, String, 'InternalError'])
  t.match(await say(T + 900_000, 2500), [3])
  t.match(c.heard.readings, [{ start: T / 1000, Wh: 1500 }])
  await s.close()
})

t.test('REL-020, CORE-102 what a station answered to a charging profile reaches ledger and core in its order, late and after a restart of ours', async (t) => {
  const c = core(), { b, clock } = await handBench(t, { needs: c.needs })
  const s = await willing(b, 'CS001')
  c.down()
  await b.csms.channel.send([orderTo('CS001', 1, 4000, { start: T / 1000 + 10 })])
  await s.until(() => c.refused === 1)
  await clock.advance(100)
  c.down(0)
  await clock.advance(150)
  await s.until(() => c.heard.happenings.length === 1)
  t.match(c.heard.happenings, [{ delivery: 'd-CS001', state: 'accepted', at: T, remoteRef: /^1/ }], 'with the time at which it happened')
  c.down()
  await clock.advance(11_000)
  await s.until(() => c.refused >= 2)
  await b.restart()
  c.down(0)
  const again = await willing(b, 'CS001', {}, { boot: false })
  await clock.advance(0)
  await again.until(() => c.heard.happenings.some((h) => h.state === 'started'))
  t.same(c.heard.happenings.slice(1).map((h) => h.state), ['accepted', 'started'])
  c.down()
  await clock.advance(3_700_000)
  await b.restart()
  c.down(0)
  const last = await willing(b, 'CS001', {}, { boot: false })
  await last.until(() => c.heard.happenings.some((h) => h.state === 'completed'))
  await last.close()
})

t.test('REL-020, OCPP-227 the last rung was refused while the core was down: it hears so after a restart of ours', async (t) => {
  const c = core(), { b } = await handBench(t, { needs: c.needs })
  const s = await willing(b, 'CS001', { SetChargingProfile: ['NotSupported', '', {}] })
  c.down()
  await b.csms.channel.send([orderTo('CS001', 1, 4000)])
  await s.until(() => c.refused >= 1)
  await b.restart()
  c.down(0)
  const again = await willing(b, 'CS001', {}, { boot: false })
  await again.until(() => c.heard.happenings.length > 0)
  t.match(c.heard.happenings, [{ delivery: 'd-CS001', state: 'rejected', reason: 'NotSupported' }])
  await again.close()
})

t.test('REL-020, OCPP-236 an opt-out at the station is acknowledged when the core knows it', async (t) => {
  const c = core(), { b } = await handBench(t, { needs: c.needs })
  const s = await willing(b, 'CS001', {}, { protocols: ['ocpp2.1'] })
  await s.call('TransactionEvent', { ...began, idToken: token('DEADBEEF') })
  await b.csms.channel.send([orderTo('CS001', 1, 4000)])
  await s.until(() => c.heard.happenings.some((h) => h.state === 'accepted'))
  c.down(1)
  t.match(await s.call('NotifyPriorityCharging', { transactionId: 'T1', activated: true }), [4, String, 'InternalError'])
  t.match(await s.call('NotifyPriorityCharging', { transactionId: 'T1', activated: true }), [3])
  t.equal(c.heard.happenings.at(-1)?.state, 'optedOut')
  await s.close()
})

t.test('REL-020, OCPP-141 an empty queue counts when the core knows that nothing is held up', async (t) => {
  const c = core(), { b } = await handBench(t, { needs: c.needs })
  const s = await willing(b, 'CS001', { GetTransactionStatus: { messagesInQueue: true } })
  await s.call('TransactionEvent', began)
  c.down(1)
  await t.rejects(b.csms.command('CS001', 'GetTransactionStatus', {}))
  t.type((await b.database.stores.documents.get<{ messagesInQueueSince?: string }>('test', 'csms/Station', 'CS001'))?.body.messagesInQueueSince, 'string', 'stored before the core is told: what holds up is always asked about again')
  await b.csms.command('CS001', 'GetTransactionStatus', {})
  t.match(c.heard.untold, [['test', 'res-CS001-1', Number]])
  s.replies['GetTransactionStatus'] = { messagesInQueue: false }
  c.down(1)
  await t.rejects(b.csms.command('CS001', 'GetTransactionStatus', {}))
  t.type((await known(b, 'CS001')).record.messagesInQueueSince, 'string', 'it is asked again')
  await b.csms.command('CS001', 'GetTransactionStatus', {})
  t.same(c.heard.untold.at(-1), ['test', 'res-CS001-1', null])
  await s.close()
})

t.test('REL-020, OCPP-136 a 1.6 car that pauses has nothing to shed', async (t) => {
  const c = core(), { b, clock } = await handBench(t, { needs: c.needs })
  const s = await willing(b, 'CS001', {}, { protocols: ['ocpp1.6'] })
  await s.call('StartTransaction', { connectorId: 1, idTag: 'DEADBEEF', meterStart: 0, timestamp: iso(T) })
  t.ok(charges(c.heard.availability))
  const before = c.heard.availability.length
  c.down(1)
  await s.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'SuspendedEV', timestamp: iso(T + 1000) })
  await s.until(() => c.refused === 1)
  await clock.advance(250)
  await s.until(() => c.heard.availability.length > before)
  t.notOk(charges(c.heard.availability.slice(before)))
  await s.close()
})
