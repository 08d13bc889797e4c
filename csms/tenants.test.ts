import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { Refusal } from '#core/error.js'
import { silent } from '#core/port/log.js'
import type { ReadingInput } from '#core/reading/reading.js'
import { testDatabase } from '#prisma/test-database.js'
import { csmsConfig } from './config.js'
import { bench, resourceFor, station } from './fixture.js'
import { listening } from './fixture-second.js'
import { event, T } from './fixture-words.js'
import { intake as makeIntake } from './intake.js'
import { samplesOf } from './metering.js'
import { newRecord, Station } from './station.js'
import { tokens as makeTokens } from './tokens.js'

t.setTimeout(120_000)
const at = (quarter: number): number => T + quarter * 900_000
const samples = (quarter: number, value: number) => samplesOf([{ timestamp: new Date(at(quarter)).toISOString(), sampledValue: [{ value }] }])

async function metered(t: { teardown(fn: () => unknown): void }, refuses: (row: ReadingInput) => boolean = () => false) {
  const clock = handClock(at(4)), database = await testDatabase({ clock }), heard: [string, number, number][] = []
  t.teardown(() => database.close())
  const intake = makeIntake({
    documents: database.stores.documents, clock, log: silent, config: csmsConfig({}, { tenant: 'a', secret: Buffer.alloc(32) }),
    readings: { record: async (caller, rows) => {
      if (rows.some(refuses)) throw new Refusal('invalid', 'a row is wrong')
      for (const r of rows) heard.push([caller.tenant, (r.start - T / 1000) / 900, r.Wh])
      return { accepted: rows.length, duplicates: 0, corrected: 0 }
    } },
    availability: { declare: async () => {} },
    directory: { byRemote: async (_tenant, _protocol, id, evseId) => (evseId === undefined ? undefined : { ...resourceFor(id, evseId), servicePoint: 'sp' }) },
  })
  const of = (tenant: string, id = 'CS001'): Station => new Station(tenant, id, newRecord(), {} as never)
  return { intake, heard, of }
}

t.test('CORE-012 two tenants have a station of one name: each has its own meters', async (t) => {
  const { intake, heard, of } = await metered(t)
  const a = of('a'), b = of('b')
  await intake.take(a, 1, samples(0, 1000), false, '')
  await intake.take(b, 1, samples(0, 50_000), false, '')
  await intake.take(a, 1, samples(1, 1700), false, '')
  await intake.take(b, 1, samples(1, 50_030), false, '')
  intake.forget(b, 1)
  await intake.take(a, 1, samples(2, 1800), false, '')
  t.same(heard, [['a', 0, 700], ['b', 0, 30], ['a', 1, 100]])
})

t.test('OCPP-171 a message that was not committed is forgotten, and a neighbour behind the same service point counts on', async (t) => {
  const { intake, heard, of } = await metered(t)
  const one = of('a'), two = of('a', 'CS002')
  await intake.take(one, 1, samples(0, 0), false, '')
  await intake.take(two, 1, samples(0, 0), false, '')
  await intake.take(one, 1, samples(1, 70), false, '')
  intake.forget(one, 1)
  await intake.take(two, 1, samples(1, 500), false, '')
  t.same(heard, [['a', 0, 70], ['a', 0, 500]])
})

t.test('OCPP-171 an interval that the core refuses takes no other with it', async (t) => {
  const { intake, heard, of } = await metered(t, (row) => row.start === at(1) / 1000)
  const one = of('a')
  await intake.take(one, 1, samples(0, 0), false, '')
  await intake.take(one, 1, samples(3, 300), false, '')
  t.same(heard, [['a', 0, 100], ['a', 2, 100]])
})

t.test('REL-038, CORE-119 a meter value that lies ahead of us is not counted and never stands for the time that comes; the station page says why', async (t) => {
  const { intake, heard, of } = await metered(t)
  const one = of('a')
  await intake.take(one, 1, samples(0, 0), false, '')
  await intake.take(one, 1, [...samples(6, 900), ...samples(1, 70)], false, '')
  const W = (timestamp: string, value: number) => samplesOf([{ timestamp, sampledValue: [{ value, measurand: 'Power.Active.Import' }] }])
  await intake.take(one, 1, [...samplesOf([{ timestamp: '2099-01-01T00:00:00Z', sampledValue: [{ value: 901 }] }]), ...W('2099-01-01T00:00:00Z', 9000)], false, '')
  await intake.take(one, 1, W(new Date(at(2)).toISOString(), 4000), false, '')
  t.equal(one.power.get(1)?.W, 4000, 'its power is what it says of now')
  await intake.take(one, 1, samplesOf([{ timestamp: '1970-01-01T00:00:09Z', sampledValue: [{ value: 902 }] }]), false, '')
  await intake.take(one, 1, samples(2, 90), false, '')
  t.same(heard, [['a', 0, 70], ['a', 1, 20]])
  t.match(one.record.flags.map((f) => f.flag), [/^clock ahead: meter values of EVSE 1/, /^wrong time: meter values of EVSE 1/], 'each said once')
})

t.test('CORE-012, OCPP-111 a token that another process blocked is blocked, whatever the other tenants change', async (t) => {
  const clock = handClock(T), database = await testDatabase({ clock }), revisions: Record<string, number> = { a: 1, b: 2 }
  t.teardown(() => database.close())
  // Revisions of two tenants as another process may have raised them.
  const documents = { ...database.stores.documents, revision: (tenant: string) => revisions[tenant] as number }
  const tokens = makeTokens({ documents, clock, config: { authorizationFails: 'closed', masterGroup: undefined }, elsewhere: async () => false })
  const put = (tenant: string, status: string) => documents.insertMany([{ tenant, kind: 'csms/IdToken', id: 'x|Local', parent: 'x', body: { idToken: 'x', type: 'Local', status } }], T, { onConflict: 'replace' })
  const status = async (tenant: string): Promise<string> => (await tokens.info(tenant, 'CS001', { idToken: 'x', type: 'Local' }, 1, [1])).status
  await put('a', 'Accepted')
  await put('b', 'Accepted')
  t.same([await status('a'), await status('b')], ['Accepted', 'Accepted'])
  await put('a', 'Blocked')
  revisions['a'] = 2
  t.equal(await status('a'), 'Blocked')
})

t.test('OCPP-115, REL-026 stations on two processes start with one token in the same moment: one transaction has it', async (t) => {
  const b = await bench({ twin: true })
  t.teardown(() => b.close())
  const two = await listening(b)
  t.teardown(() => two.close())
  const s1 = await station(b, 'CS001'), s2 = await station({ ...b, url: two.url }, 'CS002'), idToken = { idToken: 'single01', type: 'ISO14443' }
  const start = async (s: typeof s1, transactionId: string): Promise<string> =>
    ((await s.call('TransactionEvent', event('Started', 0, T, { evse: { id: 1 }, idToken }, { transactionId })))[2] as { idTokenInfo: { status: string } }).idTokenInfo.status
  for (let i = 0; i < 5; i += 1) {
    const both = await Promise.all([start(s1, `A${i}`), start(s2, `B${i}`)])
    t.same(both.sort(), ['Accepted', 'ConcurrentTx'], `round ${i}`)
    for (const [s, id] of [[s1, `A${i}`], [s2, `B${i}`]] as const) await s.call('TransactionEvent', event('Ended', 1, T, {}, { transactionId: id }))
  }
  await Promise.all([s1.close(), s2.close()])
})
