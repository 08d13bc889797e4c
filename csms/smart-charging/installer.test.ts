import * as fc from 'fast-check'
import t from 'tap'
import type { DeliveryOrder } from '#core/port/dispatch-channel.js'
import { handClock } from '#core/port/clock.js'
import { bench, HandStation, password, station, type HandStation as Hand } from '#csms/fixture.js'
import { leaseOf, staggered } from './lease.js'
import { shareSite, type Wish } from './site.js'

t.setTimeout(300_000)

const T = Date.UTC(2026, 5, 1, 8)
const order = (id: string, hours: number, more: Partial<DeliveryOrder> = {}): DeliveryOrder => {
  const start = T / 1000 + 600, end = start + hours * 3600
  return {
    id, tenant: 'test', dispatch: 'D', revision: 1, program: { id: 'p', name: 'peak' }, resource: { id: 'res-CS001', name: 'x', kind: 'evse', rated_W: 22_000, servicePoint: 'sp' },
    binding: { protocol: 'ocpp', remoteId: 'CS001', control: true, evseId: 1 }, start, end,
    intervals: [{ start, end, delta_W: -5000, expected_W: 7000, setpoint_W: 2000, limitImport_W: 2000 }], randomize_s: 0, expiry: end + 3600, priority: 1, reportEvery_s: 900, createdAt: 0, ...more,
  }
}
interface Sent { id: number; validTo: string; maxOfflineDuration?: number; chargingSchedule: { startSchedule: string; duration: number; chargingSchedulePeriod: { limit: number }[] }[] }
const profiles = (s: Hand): Sent[] => s.calls.filter((c) => c.action === 'SetChargingProfile').map((c) => c.payload['chargingProfile'] as Sent)
const ends = (p: Sent | undefined): number => p === undefined ? NaN : Date.parse(p.chargingSchedule[0]!.startSchedule) / 1000 + p.chargingSchedule[0]!.duration

t.test('OCPP-246 a long event is a lease of two hours, renewed every 30 minutes, over a restart of ours; a lost server ends it', async (t) => {
  const clock = handClock(T)
  const b = await bench({ stations: ['CS001'], clock })
  t.teardown(() => b.close())
  const states = (id: string): string[] => b.happenings.filter((h) => h.delivery === id).map((h) => h.state)
  const s = await station(b, 'CS001')
  s.replies['SetChargingProfile'] = { status: 'Accepted' }
  const o = order('long', 10)
  await b.csms.channel.send([o])
  await s.until(() => states('long').includes('accepted'))
  const [first] = profiles(s)
  t.equal(ends(first), o.start + 7200)
  t.equal(Date.parse(first!.validTo) / 1000, o.start + 7260, 'OCPP-188')
  await clock.set((o.start + 1800) * 1000)
  await s.until(() => profiles(s).length === 2)
  t.equal(profiles(s)[1]!.id, first!.id, 'the same profile, restated')
  t.equal(ends(profiles(s)[1]), o.start + 1800 + 7200)
  await s.until(() => states('long').includes('started'))
  await s.until(() => b.csms.fleet.online()[0]!.ledger.get(first!.id)!.state === 'installed')
  await b.restart()
  const again = new HandStation(b.url, 'CS001', { password: password('CS001') })
  again.replies['SetChargingProfile'] = { status: 'Accepted' }
  await again.open()
  await again.until(() => b.csms.fleet.online().length === 1)
  await clock.set((o.start + 3600) * 1000)
  await again.until(() => profiles(again).length === 1)
  t.equal(ends(profiles(again)[0]), o.start + 3600 + 7200)
  for (let n = 2; n * 1800 + 7200 < o.end - o.start; n += 1) {
    const before = profiles(again).length
    await clock.set((o.start + (n + 1) * 1800) * 1000)
    await again.until(() => profiles(again).length === before + 1)
    await again.until(() => b.csms.fleet.online()[0]!.ledger.get(first!.id)!.acceptedAt === clock.nowMs())
  }
  t.equal(ends(profiles(again).at(-1)), o.end, 'the last one ends with the event')
  t.notOk(states('long').includes('completed'))
  await clock.set(o.end * 1000 + 1000)
  await again.until(() => states('long').includes('completed'))
  await again.close()
})

t.test('OCPP-249 a rolling profile of a 2.1 station rests when the station loses us', async (t) => {
  const clock = handClock(T)
  const b = await bench({ stations: ['CS001'], clock })
  t.teardown(() => b.close())
  const s = await station(b, 'CS001', { protocols: ['ocpp2.1'] })
  s.replies['SetChargingProfile'] = { status: 'Accepted' }
  await s.call('NotifyReport', { requestId: 1, generatedAt: new Date(T).toISOString(), seqNo: 0, tbc: false, reportData: [{
    component: { name: 'SmartChargingCtrlr' }, variable: { name: 'SupportsFeature', instance: 'MaxOfflineDuration' }, variableAttribute: [{ value: 'true' }] }] })
  await b.csms.channel.send([order('rolling', 8)])
  await s.until(() => profiles(s).length === 1)
  t.match(profiles(s)[0], { maxOfflineDuration: 5400, invalidAfterOfflineDuration: true })
  await s.close()
})

t.test('OCPP-203 an accepted profile is not restated within 30 s; the newest wins; a cancel does not wait', async (t) => {
  const clock = handClock(T)
  const b = await bench({ stations: ['CS001'], clock, config: { profileEvery_s: 30 } })
  t.teardown(() => b.close())
  const s = await station(b, 'CS001')
  s.replies['SetChargingProfile'] = { status: 'Accepted' }
  s.replies['ClearChargingProfile'] = { status: 'Accepted' }
  const o = order('often', 2)
  const limited = (revision: number, W: number): DeliveryOrder => ({ ...o, revision, intervals: [{ ...o.intervals[0]!, limitImport_W: W }] })
  await b.csms.channel.send([o])
  await s.until(() => b.happenings.some((h) => h.state === 'accepted'))
  await clock.advance(10_000)
  await b.csms.channel.send([limited(2, 3000)])
  await clock.advance(1000)
  await b.csms.channel.send([limited(3, 4000)])
  await s.call('Heartbeat', {})
  t.equal(profiles(s).length, 1, 'it waits')
  await clock.advance(20_000)
  await s.until(() => profiles(s).length === 2)
  await s.call('Heartbeat', {})
  t.same(profiles(s).map((p) => p.chargingSchedule[0]!.chargingSchedulePeriod[0]!.limit), [2000, 4000])
  await b.csms.channel.cancel([o], 'x')
  await s.until(() => s.calls.some((c) => c.action === 'ClearChargingProfile'))
  t.pass('at once')
  await s.close()
})

t.test('OCPP-234, CORE-101 starts are staggered by a seeded hash, once, and the end stays', async (t) => {
  const ceilings = [{ start: 1000, end: 4600, W: 10 }, { start: 4600, end: 8200, W: 20 }]
  const starts = Array.from({ length: 500 }, (_, i) => staggered({ id: 'd', randomize_s: 300 }, `CS${i}`, ceilings)[0]!.start)
  t.same(starts, Array.from({ length: 500 }, (_, i) => staggered({ id: 'd', randomize_s: 300 }, `CS${i}`, ceilings)[0]!.start), 'the same each time')
  t.ok(Math.min(...starts) >= 1000 && Math.max(...starts) <= 1300)
  const mean = starts.reduce((a, n) => a + n - 1000, 0) / starts.length
  t.ok(mean > 120 && mean < 180, `spread evenly: ${mean}`)
  t.same(staggered({ id: 'd', randomize_s: 0 }, 'CS1', ceilings), ceilings)
  t.equal(staggered({ id: 'd', randomize_s: 300 }, 'CS1', ceilings).at(-1)!.end, 8200)
})

t.test('OCPP-246 leases: never beyond two hours or the order, always renewed before they end', async () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 86_400 }), fc.integer({ min: 1, max: 200_000 }), fc.integer({ min: 0, max: 300_000 }), (start, seconds, now) => {
    const o = { start, end: start + seconds }
    const lease = leaseOf(o, [{ start, end: o.end, W: 1 }], now)
    if (!lease) return seconds <= 21_600 || Math.max(now, start) + 7200 >= o.end
    return lease.until <= Math.max(now, start) + 7200 && lease.until < o.end && lease.renewAt < lease.until && lease.ceilings.at(-1)!.end === lease.until
  }))
})

t.test('OCPP-039, 143, 151 what no message tells: silence in a transaction, a start that never came, a certificate about to end', async (t) => {
  const clock = handClock(T)
  const b = await bench({ stations: ['CS001'], clock })
  t.teardown(() => b.close())
  const s = await station(b, 'CS001')
  s.replies['TriggerMessage'] = { status: 'Accepted' }
  s.replies['RequestStartTransaction'] = { status: 'Accepted' }
  const iso = (): string => new Date(clock.nowMs()).toISOString()
  const asked = (): unknown[] => s.calls.filter((c) => c.action === 'TriggerMessage').map((c) => c.payload)
  const token = { idToken: 'DEADBEEF', type: 'ISO14443' }
  for (const remoteStartId of [7, 8]) t.match(await b.csms.command('CS001', 'RequestStartTransaction', { remoteStartId, idToken: token, evseId: 1 }), { kind: 'answered' })
  await s.call('TransactionEvent', { eventType: 'Started', seqNo: 0, timestamp: iso(), triggerReason: 'RemoteStart', transactionInfo: { transactionId: 'T', remoteStartId: 7 }, evse: { id: 1 }, idToken: token })
  const known = b.csms.fleet.online()[0]!
  await clock.advance(120_000)
  t.same([...known.remoteStarts].map(([id, r]) => [id, r.state]), [[7, 'started'], [8, 'timedOut']])
  t.same(asked(), [])
  for (let minute = 0; minute < 15; minute += 1) await clock.advance(60_000)
  await s.until(() => asked().length === 1)
  t.same(asked(), [{ requestedMessage: 'TransactionEvent', evse: { id: 1 } }])
  await s.call('TransactionEvent', { eventType: 'Ended', seqNo: 1, timestamp: iso(), triggerReason: 'EVDeparted', transactionInfo: { transactionId: 'T' } })
  known.certificate = { fingerprint: 'x', notAfterMs: clock.nowMs() + 40 * 86_400_000 }
  for (let minute = 0; minute < 30; minute += 1) await clock.advance(60_000)
  await s.until(() => asked().length === 2)
  t.same(asked()[1], { requestedMessage: 'SignChargingStationCertificate' }, 'once a day')
  await s.close()
})

const three = { voltage: 230, phases: 3, current: 'AC' } as const
const wish = (key: string, more: Partial<Wish> = {}): Wish => ({ key, most_W: 11_000, electrical: three, pausedSince: undefined, changedAt: 0, ...more })

t.test('OCPP-241, 231 a site limit is split: never above it, nobody between 0 and 6 A, who waited longest is next', async (t) => {
  t.same([...shareSite(20_000, [wish('a'), wish('b')], 1e9).values()], [10_000, 10_000])
  t.same([...shareSite(20_000, [wish('a', { most_W: 5000 }), wish('b')], 1e9).values()], [5000, 11_000], 'what one cannot use goes to the other')
  const tight = shareSite(9000, [wish('a', { changedAt: 5 }), wish('b', { changedAt: 4 }), wish('c', { pausedSince: 1, changedAt: 1 })], 1e9)
  t.same([...tight], [['a', 4500], ['b', 0], ['c', 4500]], 'two of three; the paused one is in, the one that charged longest gives way')
  const soon = shareSite(5000, [wish('a', { changedAt: 1e9 - 1000 }), wish('c', { pausedSince: 1, changedAt: 1 })], 1e9)
  t.same([...soon], [['a', 5000], ['c', 0]], 'nobody is paused within 15 minutes of his turn')
  const wishes = fc.array(fc.record({ most_W: fc.integer({ min: 1, max: 50_000 }), paused: fc.boolean(), changedAt: fc.integer({ min: 0, max: 2_000_000 }) }), { maxLength: 12 })
  fc.assert(fc.property(fc.integer({ min: 0, max: 100_000 }), wishes, (limit, raw) => {
    const all = raw.map(({ paused, ...w }, i) => wish(`e${i}`, { ...w, pausedSince: paused ? w.changedAt : undefined }))
    const shares = shareSite(limit, all, 2_000_000)
    return [...shares.values()].reduce((a, b) => a + b, 0) <= limit
      && all.every((w) => { const W = shares.get(w.key) ?? -1; return W === 0 || (W >= Math.min(w.most_W, 4140) && W <= w.most_W) })
  }))
})

t.test('OCPP-241 two stations behind one connection: shares end by themselves, follow the cars, and rest during an event', async (t) => {
  const clock = handClock(T)
  const b = await bench({ stations: [], clock })
  t.teardown(() => b.close())
  await b.csms.provision.add('test', ['CS001', 'CS002'].map((id) => ({ id, securityProfile: 1, password: password(id), settings: { site: 'yard', siteLimit_W: 16_000 } })))
  const [one, two] = [await station(b, 'CS001'), await station(b, 'CS002')]
  for (const s of [one, two]) { s.replies['SetChargingProfile'] = { status: 'Accepted' }; s.replies['TriggerMessage'] = { status: 'Accepted' } }
  const limits = (s: Hand): number[] => profiles(s).map((p) => p.chargingSchedule[0]!.chargingSchedulePeriod[0]!.limit)
  const event = (s: Hand, eventType: string, seqNo: number, chargingState: string): Promise<unknown> => s.call('TransactionEvent', {
    eventType, seqNo, timestamp: new Date(clock.nowMs()).toISOString(), triggerReason: 'ChargingStateChanged', transactionInfo: { transactionId: 'T', chargingState }, evse: { id: 1 } })
  await event(one, 'Started', 0, 'Charging')
  await clock.advance(60_000)
  await one.until(() => limits(one).length === 1)
  t.same(limits(one), [16_000])
  t.equal(Date.parse(profiles(one)[0]!.validTo), clock.nowMs() + 900_000)
  await event(two, 'Started', 0, 'Charging')
  // The clock is moved by hand, the database is not: a turn that meets the last one still writing is left out.
  const turn = async (done: () => boolean): Promise<void> => { for (let i = 0; i < 10 && !done(); i += 1) { await clock.advance(60_000); await one.until(done, 300).catch(() => {}) } }
  await turn(() => limits(two).length === 1)
  t.same([limits(one), limits(two)], [[16_000, 8000], [8000]])
  const sent = (s: Hand): number => s.calls.filter((c) => c.action === 'SetChargingProfile').at(-1)!.at
  t.ok(sent(one) <= sent(two), 'who gives way goes first')
  await event(one, 'Ended', 1, 'Idle')
  await turn(() => limits(two).length === 2)
  t.same(limits(two), [8000, 16_000])
  await one.close()
  await two.close()
})
