import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { makePki, sep, serverUnderTest } from '#csip-server/fixture.js'
import { operatorPeer } from '#csip-server/identity.js'
import { runCsipAppliance, type Appliance, type CsipApplianceAgent, type CsipApplianceOptions } from '#ven-client/csip/appliance.js'
import { memoryCsipStore } from '#ven-client/csip/store.js'
import { testDatabase } from '#prisma/test-database.js'

/** The client of the function sets that are no DER control, against our server over real TLS; both live by one clock that the test moves. */
const clock = handClock(Date.UTC(2026, 10, 23, 22, 0, 0))
const pki = await makePki(), db = await testDatabase({ clock })
const server = serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock })
const port = await server.csip.listen({ port: 0, hosts: ['127.0.0.1'] })
const one = await pki.device('one')
await server.csip.provisioning.registerEndDevices([{ lfdi: one.lfdi, groups: ['system', 'F1', 'one'] }])
t.teardown(async () => { await server.close(); await db.close() })

const operator = async (method: string, target: string, xml?: string): Promise<string> => {
  const a = await server.csip.door.handle({ method, target, peer: operatorPeer('op'), contentType: 'application/sep+xml', ...(xml ? { body: Buffer.from(xml) } : {}) })
  if (a.status >= 300) throw new Error(`${method} ${target}: ${a.status}`)
  return a.location ?? ''
}
const event = (mRID: string, inner: string, start: number, duration: number, required = '03'): [string, string] => [` responseRequired="${required}"`, `<mRID>${mRID}</mRID><creationTime>0</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>0</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>${duration}</duration><start>${start}</start></interval>${inner}`]
const xmlOf = (name: string, [attributes, inner]: [string, string]): string => sep(name, inner).replace(`<${name}`, `<${name}${attributes}`)
const until = async (what: () => boolean | Promise<boolean>, step_ms = 0): Promise<boolean> => {
  for (let i = 0; i < 400; i++) { if (await what()) return true; await new Promise((r) => setTimeout(r, 5)); if (step_ms > 0) await clock.advance(step_ms) }
  return false
}
type Said = { status: number; subject: string; type?: string; AppliedTargetReduction?: object }
const said = async (subject: string): Promise<Said[]> => (await db.stores.documents.list<Said>(db.tenant, { kind: 'csip/Response', owner: one.lfdi, where: { subject }, order: ['createdAt', 'id'] })).map((d) => d.body)
const statuses = async (subject: string): Promise<number[]> => (await said(subject)).map((r) => r.status).sort((a, b) => a - b)
const run = (t: { teardown(f: () => unknown): void }, appliance: Appliance, more: Partial<CsipApplianceOptions> = {}): CsipApplianceAgent => {
  const agent = runCsipAppliance({ url: `https://127.0.0.1:${port}/dcap`, key: one.key, cert: one.cert, ca: pki.serca, clock, firstPollWithin_s: 0, appliance, ...more })
  t.teardown(() => agent.stop())
  agent.poke()
  return agent
}

t.test('SEP-196, SEP-197, SEP-180 load control: begins, is superseded by a program of lower primacy, ends; DrResponse says what was done', async (t) => {
  const programs = await Promise.all([['0A01', 80, 'system'], ['0A02', 60, 'F1']].map(([mRID, primacy, group]) => operator('POST', `/edev/${one.lfdi}/fsa/${group}/dr`, sep('DemandResponseProgram', `<mRID>${mRID}</mRID><primacy>${primacy}</primacy>`))))
  const control = (mRID: string, cooling: number, start: number, category = '00000004'): string =>
    xmlOf('EndDeviceControl', event(mRID, `<deviceCategory>${category}</deviceCategory><drProgramMandatory>true</drProgramMandatory><loadShiftForward>false</loadShiftForward><Offset><coolingOffset>${cooling}</coolingOffset></Offset>`, start, 600))
  const now = clock.now(), told: (number | undefined)[] = []
  await operator('POST', `${programs[0]}/edc`, control('0A11', 10, now + 60))
  await operator('POST', `${programs[1]}/edc`, control('0A12', 30, now + 300))
  await operator('POST', `${programs[0]}/edc`, control('0A13', 99, now + 60, '00000008'))
  const agent = run(t, {
    shed: (forms) => { told.push((forms.get('Offset')?.value.value as { coolingOffset?: number } | undefined)?.coolingOffset) },
    applied: () => ({ AppliedTargetReduction: { type: 3, value: 12 } }),
  }, { deviceCategory: '00000004' })
  t.ok(await until(() => agent.events().length === 2), 'of two categories ours')
  await clock.advance(60_000)
  t.ok(await until(async () => told.at(-1) === 10 && (await statuses('0A11')).includes(2)), 'its start')
  await clock.advance(240_000)
  t.ok(await until(async () => told.at(-1) === 30 && (await statuses('0A12')).includes(2)), 'the better program')
  t.ok(await until(async () => (await statuses('0A11')).includes(7)))
  await clock.advance(600_000)
  t.ok(await until(() => told.at(-1) === undefined), 'its end')
  t.ok(await until(async () => (await statuses('0A12')).includes(3)))
  t.same([await statuses('0A11'), await statuses('0A12'), await statuses('0A13')], [[1, 2, 7], [1, 2, 3], []])
  const [received, started] = await said('0A12')
  t.match([received?.type, received?.AppliedTargetReduction, started?.AppliedTargetReduction], ['DrResponse', undefined, { type: 3, value: 12 }])
})

t.test('SEP-200, SEP-181 messages: several at once, urgent first; acknowledged by the customer, said to be unshowable by the device, nothing twice', async (t) => {
  const program = await operator('POST', '/msg', sep('MessagingProgram', '<mRID>0B01</mRID><locale>en</locale><primacy>80</primacy>')), now = clock.now()
  const text = (mRID: string, priority: number, required: string): string => xmlOf('TextMessage', event(mRID, `<priority>${priority}</priority><textMessage>${mRID}</textMessage>`, now, 600, required))
  for (const [mRID, priority] of [['0B02', 1], ['0B03', 3], ['0B04', 0]] as const) await operator('POST', `${program}/txt`, text(mRID, priority, '07'))
  const store = memoryCsipStore()
  let shown: string[] = []
  const appliance: Appliance = { show: (m) => { shown = m.map((x) => x.textMessage) }, decide: ({ control }) => control.mRID === '0B04' ? 'reject' : 'follow' }
  const agent = run(t, appliance, { store })
  t.ok(await until(() => shown.join() === '0B03,0B02'), shown.join())
  agent.acknowledge('0B03')
  t.ok(await until(async () => (await statuses('0B03')).includes(11) && (await statuses('0B04')).includes(12)))
  await agent.stop()
  const again = run(t, appliance, { store })
  t.ok(await until(() => again.events().length === 3))
  again.acknowledge('0B02')
  t.ok(await until(async () => (await statuses('0B02')).includes(11)))
  t.same([await statuses('0B02'), await statuses('0B03'), await statuses('0B04')], [[1, 11], [1, 11], [1, 12]], 'the second process knows what was said')
  await clock.advance(600_000)
  t.ok(await until(() => shown.length === 0))
})

t.test('SEP-200 prices: those of now, by rate, as decimal numbers; the next interval begins by our clock', async (t) => {
  const tariff = await operator('POST', '/tp', sep('TariffProfile', '<mRID>0C01</mRID><currency>840</currency><pricePowerOfTenMultiplier>-3</pricePowerOfTenMultiplier><primacy>1</primacy><serviceCategoryKind>0</serviceCategoryKind>'))
  const rate = await operator('POST', `${tariff}/rc`, sep('RateComponent', '<mRID>0C02</mRID><ReadingTypeLink href="/x"/><roleFlags>00</roleFlags><TimeTariffIntervalListLink href="/x"/>')), now = clock.now()
  for (const [mRID, start, price] of [['0C03', now - 10, 123], ['0C04', now + 590, -45]] as const) {
    const interval = await operator('POST', `${rate}/tti`, xmlOf('TimeTariffInterval', event(mRID, '<touTier>1</touTier>', start, 600)))
    await operator('POST', `${interval}/cti`, sep('ConsumptionTariffInterval', `<consumptionBlock>1</consumptionBlock><price>${price + 100}</price><startValue>1000</startValue>`))
    await operator('POST', `${interval}/cti`, sep('ConsumptionTariffInterval', `<consumptionBlock>0</consumptionBlock><price>${price}</price><startValue>0</startValue>`))
  }
  const told: (readonly (number | undefined)[])[] = []
  run(t, { price: (prices) => { told.push(prices.get('0C02')?.value.blocks.map((b) => b.price) ?? []) } })
  t.ok(await until(() => told.length > 0 && told.at(-1)!.length > 0))
  t.same(told.at(-1), [0.123, 0.223])
  await clock.advance(590_000)
  t.ok(await until(() => told.at(-1)?.[0] === -0.045), 'without another read')
  t.ok(await until(async () => (await statuses('0C03')).includes(3)))
  t.match((await said('0C03'))[0]?.type, 'PriceResponse')
})

t.test('SEP-200 a car reserves, is granted, charges in its window; a wish said twice is one wish, one taken back ends', async (t) => {
  const told: { power_W: number; energy_Wh: number }[][] = [], start = clock.now() + 120
  const agent = run(t, { charge: (grants) => { told.push([...grants.values()].map((g) => g.value)) } })
  const wish = { energy_Wh: 40_000, power_W: 11_000, start, end: start + 14_400, duration_s: 13_100 }
  const { mRID } = await agent.reserve(wish)
  t.equal((await agent.reserve(wish)).mRID, mRID)
  t.equal(await db.stores.documents.count(db.tenant, { kind: 'csip/FlowReservationRequest' }), 1)
  t.ok(await until(() => agent.events().length === 1))
  await clock.advance(120_000)
  t.ok(await until(() => told.at(-1)?.length === 1))
  t.match(told.at(-1), [{ power_W: 11_000, energy_Wh: 40_000, request: mRID }])
  t.equal(await agent.withdraw(mRID), true)
  t.ok(await until(() => told.at(-1)?.length === 0, 1000), 'the grant is cancelled')
  t.equal(await agent.withdraw('FF'), false)
  t.not((await agent.reserve(wish)).mRID, mRID, 'wished anew: another request')
  const large = await agent.reserve({ ...wish, power_W: 150_000 })
  t.match((await db.stores.documents.list<{ mRID: string; powerRequested: object }>(db.tenant, { kind: 'csip/FlowReservationRequest' })).find((d) => d.body.mRID === large.mRID)?.body.powerRequested, { multiplier: 1, value: 15_000 }, 'SEP-030')
})
