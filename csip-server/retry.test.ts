import t, { type Test } from 'tap'
import { Refusal } from '#core/error.js'
import { handClock } from '#core/port/clock.js'
import type { DocumentStore } from '#core/port/store/document.js'
import { attributeOf, hear, makePki, sep, serverUnderTest, textOf } from '#csip-server/fixture.js'
import { devicePeer, operatorPeer } from '#csip-server/identity.js'
import { testDatabase } from '#prisma/test-database.js'

/** SEP-047, SEP-198, SEP-200: what a device says is stored first and told to core second. When the second step fails the device hears 503 and says it again. */
const clock = handClock(Date.UTC(2026, 10, 23, 22, 0, 0))
const pki = await makePki(), db = await testDatabase({ clock })
t.teardown(() => db.close())
const down = (): never => { throw new Refusal('unavailable', 'The database is away.') }

/** Fails each named door of core, or writes of a kind of document, for the next time only. */
const failing = { once: '' }
const fails = (name: string): void => { if (name !== '' && failing.once === name) { failing.once = ''; down() } }
const told = hear()
const heard = {
  ...told,
  readings: { record: (caller, rows) => { fails('readings'); return told.readings.record(caller, rows) } },
  availability: { declare: (caller, rows) => { fails('availability'); return told.availability.declare(caller, rows) } },
  happenings: { happened: async (more) => { fails('happenings'); await told.happenings.happened(more) } },
} satisfies typeof told
const documents: DocumentStore = new Proxy(db.stores.documents, {
  get(store, name) {
    const real = Reflect.get(store, name) as unknown
    if (typeof real !== 'function') return real
    return (...given: unknown[]): unknown => {
      const [first] = given, written = String(name).startsWith('insert') || name === 'replace' ? (Array.isArray(first) ? first[0] as { kind: string } : first as { kind: string }).kind : ''
      fails(written)
      return (real as (...g: unknown[]) => unknown).apply(store, given)
    }
  },
})
const { csip } = serverUnderTest({ pki, documents, tenant: db.tenant, clock, heard })
const one = await pki.device('one'), mine = `/edev/${one.lfdi}`
told.known.set(one.lfdi, { id: 'r1', servicePoint: 'sp1' })
await csip.provisioning.registerEndDevices([{ lfdi: one.lfdi, groups: ['system', 'F1', 'one'] }])

const ask = async (method: string, target: string, xml?: string): Promise<{ status: number; location: string; body: string; retryAfter: number | undefined }> => {
  const a = await csip.door.handle({ method, target, peer: devicePeer(one.lfdi, one.sfdi), contentType: 'application/sep+xml', ...(xml ? { body: Buffer.from(xml) } : {}) })
  return { status: a.status, location: a.location ?? '', body: a.body?.toString() ?? '', retryAfter: a.retryAfter }
}
/** The same words three times: refused once by what stands behind us, taken, and said once more by a device that never heard the answer. */
async function persist(t: Test, step: string, method: string, target: string, xml: string): Promise<string> {
  failing.once = step
  t.match(await ask(method, target, xml), { status: 503, retryAfter: 5 }, `${step} fails`)
  t.equal(failing.once, '', `${step} was reached`)
  const again = await ask(method, target, xml)
  t.ok([201, 204].includes(again.status), `retry: ${again.status}`)
  const third = await ask(method, target, xml)
  t.match(third, { status: method === 'POST' && target.startsWith('/mup/') ? 201 : 204, location: again.location })
  return again.location
}
const members = async (list: string): Promise<string | undefined> => attributeOf((await ask('GET', list)).body, '\\w+List', 'all')

t.test('SEP-047, SEP-198 what a device can shed reaches core by the retry, and stands in the list once', async (t) => {
  const shed = sep('LoadShedAvailability', '<availabilityDuration>1800</availabilityDuration><sheddablePower><multiplier>1</multiplier><value>250</value></sheddablePower>')
  told.declared.length = 0
  await persist(t, 'availability', 'POST', `${mine}/lsl`, shed)
  t.match(told.declared.at(-1), { resource: 'r1', down_W: 2500 })
  t.equal(await members(`${mine}/lsl`), '1')
  t.equal((await ask('POST', `${mine}/lsl`, shed.replace('250', '251'))).status, 201, 'another word is another member')
  t.equal(await members(`${mine}/lsl`), '2')
})

t.test('SEP-047, SEP-145 availability of a DER reaches core by the retry', async (t) => {
  told.declared.length = 0
  await persist(t, 'availability', 'PUT', `${mine}/der/1/dera`, sep('DERAvailability', `<availabilityDuration>900</availabilityDuration><readingTime>${clock.now()}</readingTime><statWAvail><multiplier>0</multiplier><value>4000</value></statWAvail>`))
  t.match(told.declared.at(-1), { down_W: 4000, end: clock.now() + 900 })
})

const start = clock.now() + 3600
const request = (mRID: string, status = 0, power = 7000): string => sep('FlowReservationRequest', `<mRID>${mRID}</mRID><creationTime>0</creationTime><durationRequested>3600</durationRequested><energyRequested><multiplier>3</multiplier><value>20</value></energyRequested><intervalRequested><duration>7200</duration><start>${start}</start></intervalRequested><powerRequested><multiplier>0</multiplier><value>${power}</value></powerRequested><RequestStatus><dateTime>${clock.now()}</dateTime><requestStatus>${status}</requestStatus></RequestStatus>`)
for (const [mRID, step] of [['0D01', 'csip/FlowReservationResponse'], ['0D02', 'availability']] as const) {
  t.test(`SEP-047, SEP-200 a wish is granted once and known to core by the retry after ${step} failed; so is taking it back`, async (t) => {
    told.declared.length = 0
    const before = Number(await members(`${mine}/frp`))
    const location = await persist(t, step, 'POST', `${mine}/frq`, request(mRID))
    t.match(told.declared.at(-1), { down_W: 7000, start })
    t.equal(Number(await members(`${mine}/frp`)), before + 1, 'one grant')
    t.equal((await ask('POST', `${mine}/frq`, request(mRID, 0, 8000))).status, 409, 'another wish under the same mRID')
    const [grant] = [...(await ask('GET', `${mine}/frp?l=9`)).body.matchAll(/<FlowReservationResponse .*?<\/FlowReservationResponse>/g)].map((m) => m[0]).filter((g) => textOf(g, 'subject') === mRID)
    t.match(grant, /<currentStatus>0</)
    await persist(t, step, 'PUT', location, request(mRID, 1))
    t.match(told.declared.at(-1), { down_W: 0, start })
    t.match((await ask('GET', `${mine}/frp?l=9`)).body, new RegExp(`<currentStatus>2<.*<subject>${mRID}<`))
    const heardSoFar = told.declared.length
    t.equal((await ask('PUT', location, request(mRID))).status, 409, 'what was taken back does not come back')
    t.equal((await ask('POST', `${mine}/frq`, request(mRID))).location, location)
    t.notOk(told.declared.slice(heardSoFar).some((d) => d.down_W > 0))
    t.equal(textOf((await ask('GET', location)).body, 'requestStatus'), '1')
  })
}

t.test('SEP-047, SEP-168 readings of a mirror reach core by the retry, in a new point and in a known one', async (t) => {
  const at = clock.now() - 1800
  const reading = (value: number, from = at): string => `<MirrorMeterReading><mRID>0E02</mRID><MirrorReadingSet><mRID>0E03</mRID><timePeriod><duration>900</duration><start>${from}</start></timePeriod><Reading><timePeriod><duration>900</duration><start>${from}</start></timePeriod><value>${value}</value></Reading></MirrorReadingSet><ReadingType><accumulationBehaviour>4</accumulationBehaviour><commodity>1</commodity><flowDirection>1</flowDirection><intervalLength>900</intervalLength><kind>12</kind><powerOfTenMultiplier>0</powerOfTenMultiplier><uom>72</uom></ReadingType></MirrorMeterReading>`
  const location = await persist(t, 'readings', 'POST', '/mup', sep('MirrorUsagePoint', `<mRID>0E01</mRID><roleFlags>0003</roleFlags><serviceCategoryKind>0</serviceCategoryKind><status>1</status><deviceLFDI>${one.lfdi}</deviceLFDI>${reading(250)}`))
  t.match(told.rows.at(-1), { servicePoint: 'sp1', start: at, Wh: 250 })
  t.equal(await members('/mup'), '1')
  const later = reading(300, at + 900).replace('<MirrorMeterReading>', '<MirrorMeterReading xmlns="urn:ieee:std:2030.5:ns">')
  await persist(t, 'readings', 'POST', location, later)
  t.match(told.rows.at(-1), { start: at + 900, Wh: 300 })
})

t.test('SEP-047, SEP-188 an alarm is raised by the retry, and its LogEvent stands once', async (t) => {
  await persist(t, 'csip/Alarm', 'POST', `${mine}/lel`, sep('LogEvent', `<createdDateTime>${clock.now()}</createdDateTime><functionSet>11</functionSet><logEventCode>2</logEventCode><logEventID>7</logEventID><logEventPEN>32473</logEventPEN><profileID>2</profileID>`))
  t.match((await db.stores.documents.list(db.tenant, { kind: 'csip/Alarm' })).map((d) => d.body), [{ alarm: 'over voltage', raised: true }])
  t.equal(await members(`${mine}/lel`), '1')
})

t.test('SEP-047, SEP-112 a device moves to its connection point by the retry', async (t) => {
  const aus = serverUnderTest({ pki, documents, tenant: db.tenant, clock, heard, config: { profile: 'csip-aus-1.2' } }).csip
  const put = () => aus.door.handle({ method: 'PUT', target: `${mine}/cp`, peer: devicePeer(one.lfdi, one.sfdi), contentType: 'application/sep+xml', body: Buffer.from('<c:ConnectionPoint xmlns:c="https://csipaus.org/ns"><c:connectionPointId>2001985732</c:connectionPointId></c:ConnectionPoint>') })
  failing.once = 'csip/EndDevice'
  t.equal((await put()).status, 503)
  t.equal((await put()).status, 204)
  t.ok((await db.stores.documents.get(db.tenant, 'csip/EndDevice', one.lfdi))?.targets.includes('2001985732'))
})

t.test('SEP-200, SEP-047 an operator who takes a grant back or gives a smaller one changes what the core counts on, whatever the car says afterwards', async (t) => {
  const operator = async (method: string, target: string, xml?: string): Promise<number> => (await csip.door.handle({ method, target, peer: operatorPeer('op'), contentType: 'application/sep+xml', ...(xml ? { body: Buffer.from(xml) } : {}) })).status
  const { location } = await ask('POST', `${mine}/frq`, request('0D09'))
  t.match(told.declared.at(-1), { down_W: 7000, start })
  const [grant] = [...(await ask('GET', `${mine}/frp?l=9`)).body.matchAll(/<FlowReservationResponse .*?<\/FlowReservationResponse>/g)].map((m) => m[0]).filter((g) => textOf(g, 'subject') === '0D09')
  const href = attributeOf(grant ?? '', 'FlowReservationResponse', 'href') ?? ''
  failing.once = 'availability'
  t.same([await operator('DELETE', href), await operator('DELETE', href)], [503, 204], 'by the retry too')
  t.match(told.declared.at(-1), { down_W: 0, start })
  t.equal((await ask('PUT', location, request('0D09'))).status, 204)
  t.match(told.declared.at(-1), { down_W: 0 }, 'the car repeats its wish: what was taken back stays so')
  t.equal(await operator('POST', `${mine}/frp`, sep('FlowReservationResponse', `<mRID>0D10</mRID><creationTime>0</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>0</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>7200</duration><start>${start}</start></interval><energyAvailable><multiplier>3</multiplier><value>6</value></energyAvailable><powerAvailable><multiplier>0</multiplier><value>3000</value></powerAvailable><subject>0D09</subject>`)), 201)
  t.match(told.declared.at(-1), { down_W: 3000, start, end: start + 3600 })
  t.equal((await ask('PUT', location, request('0D09', 1))).status, 204)
  t.match(told.declared.at(-1), { down_W: 0 }, 'a wish that is taken back takes every grant with it')
  t.match((await ask('GET', `${mine}/frp/0D10`)).body, /<currentStatus>2</)
})

t.test('SEP-185, REL-025 a Response whose word did not reach the core is refused with 503; said again, it gets there, once more, it changes nothing', async (t) => {
  const now = clock.now(), interval = { start: now, end: now + 600, delta_W: -1000, expected_W: 2500, setpoint_W: 1500, limitImport_W: null }
  await csip.channel.send([{
    id: 'o1', tenant: db.tenant, dispatch: 'd', revision: 1, program: { id: 'p', name: 'p' }, resource: { id: 'r1', name: 'r', kind: 'battery', rated_W: 5000, servicePoint: 'sp1' },
    binding: { protocol: 'ieee2030_5', remoteId: one.lfdi, control: true }, start: now, end: now + 600, intervals: [interval], randomize_s: 0, expiry: now + 600, priority: 1, reportEvery_s: 900, createdAt: clock.nowMs(),
  }])
  const [control] = await db.stores.documents.list<{ mRID: string }>(db.tenant, { kind: 'csip/DERControl' })
  await persist(t, 'happenings', 'POST', '/rsps/der/rsp', sep('DERControlResponse', `<createdDateTime>${now}</createdDateTime><endDeviceLFDI>${one.lfdi}</endDeviceLFDI><status>2</status><subject>${String(control?.body.mRID)}</subject>`))
  t.match(told.happened, [{ delivery: 'o1', state: 'started' }])
  t.equal(told.happened.length, 1, 'the core hears it once')
  t.equal(textOf((await ask('GET', '/rsps/der/rsp?l=9')).body, 'status'), '2')
  t.equal(await members('/rsps/der/rsp'), '1', 'and is kept once')
})
