import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { makePki, sep, serverUnderTest } from '#csip-server/fixture.js'
import { operatorPeer } from '#csip-server/identity.js'
import { runCsipAgent, type CsipAgent, type CsipAgentOptions, type DerDevice } from '#ven-client/csip/agent.js'
import { EndDevice } from '#csip-server/wire/end-device.js'
import { Time } from '#csip-server/wire/time.js'
import { runCsipAggregator, sharing } from '#ven-client/csip/aggregator.js'
import { notificationServer, type Hint } from '#ven-client/csip/receiver.js'
import { diskCsipStore } from '#ven-client/csip/store.js'
import { CsipError, csipWire, type CsipWire } from '#ven-client/csip/transport.js'
import { testDatabase } from '#prisma/test-database.js'

/** Our client against our server over real sockets; both live by one clock that the test moves. */
const clock = handClock(Date.UTC(2026, 10, 23, 22, 0, 0))
const pki = await makePki(), db = await testDatabase({ clock })
const server = serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock, config: { notifyAllow: ['127.0.0.1'], publicUrl: 'https://utility.example:8443' } })
const port = await server.csip.listen({ port: 0, hosts: ['127.0.0.1'] })
const [one, late, agg] = [await pki.device('one'), await pki.device('late'), await pki.device('agg')]
const sites = ['A', 'B', 'C'].map((c) => c.repeat(40))
await server.csip.provisioning.registerEndDevices([{ lfdi: one.lfdi, pin: 123455, groups: ['system', 'F1', 'one'] }, { lfdi: agg.lfdi }, ...sites.map((lfdi) => ({ lfdi, manager: agg.lfdi, groups: ['system', 'F2', lfdi.slice(0, 4)] }))])
await server.csip.provisioning.allowEndDevice({ lfdi: late.lfdi, groups: ['system', 'F1', 'late'] })
const folder = mkdtempSync(join(tmpdir(), 'csip-client-'))
t.teardown(async () => { await server.close(); await db.close(); rmSync(folder, { recursive: true, force: true }) })

const operator = async (method: string, target: string, xml?: string) => server.csip.door.handle({ method, target, peer: operatorPeer('op'), contentType: 'application/sep+xml', ...(xml ? { body: Buffer.from(xml) } : {}) })
let n = 0
const control = async (program: string, watts: number, start = clock.now() + 60, duration = 600, more = ''): Promise<string> => {
  const mRID = (++n).toString(16).padStart(32, 'D').toUpperCase()
  const answer = await operator('POST', `/derp/${program}/derc`, sep('DERControl', `<mRID>${mRID}</mRID><creationTime>0</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>0</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>${duration}</duration><start>${start}</start></interval><DERControlBase><opModFixedW>${watts}</opModFixedW></DERControlBase>${more}`))
  if (answer.status !== 201) throw new Error(`control: ${answer.status}`)
  return mRID
}
function device() {
  const told: (string | undefined)[] = []
  const der: DerDevice & { told: typeof told } = {
    told, capability: () => ({ modesSupported: '80', rtgMaxW: { multiplier: 0, value: 5000 }, type: 80 }), settings: (now) => ({ setGradW: 0, setMaxW: { multiplier: 0, value: 5000 }, updatedTime: now }),
    status: (now) => ({ readingTime: now }), follow: (modes) => { told.push(modes.get('opModFixedW')?.value.value as string | undefined) },
    series: [{ name: 'import', flowDirection: 1, interval_Wh: (start) => start / 1000 % 1000 }],
  }
  return der
}
const until = async (what: () => boolean | Promise<boolean>, step_ms = 0): Promise<boolean> => {
  for (let i = 0; i < 400; i++) { if (await what()) return true; await new Promise((r) => setTimeout(r, 5)); if (step_ms > 0) await clock.advance(step_ms) }
  return false
}
const base = (who: typeof one): Omit<CsipAgentOptions, 'device'> => ({ url: `https://127.0.0.1:${port}/dcap`, key: who.key, cert: who.cert, ca: pki.serca, clock, firstPollWithin_s: 0, postWithin_s: 1 })
const answers = async (lfdi: string): Promise<number[]> => (await db.stores.documents.list<{ status: number }>(db.tenant, { kind: 'csip/Response', owner: lfdi, order: ['createdAt', 'id'] })).map((d) => d.body.status)
const run = (t: { teardown(f: () => unknown): void }, options: CsipAgentOptions): CsipAgent => { const agent = runCsipAgent(options); t.teardown(() => agent.stop()); return agent }

t.test('SEP-103, SEP-244 a device on the allow list registers itself; another is told to register; a wrong PIN ends it', async (t) => {
  const log: string[] = [], say = (o: object): void => { log.push(String((o as { error?: string }).error)) }
  const listening = { debug: say, info: say, warn: say, error: say } as never
  run(t, { ...base(late), device: device(), log: listening })
  t.ok(await until(() => log.some((l) => /register its LFDI/.test(l)), 1000))
  const der = device(), agent = run(t, { ...base(late), device: der, register: { deviceCategory: '0800' } })
  t.ok(await until(async () => (await db.stores.documents.byKey(db.tenant, 'csip/EndDevice', '', late.lfdi)) !== undefined, 1000))
  await control('late', 500, clock.now())
  agent.poke()
  t.ok(await until(() => der.told.at(-1) === 500 as never, 1000), 'and follows its programs')
  run(t, { ...base(one), device: device(), pin: 111115, log: listening })
  t.ok(await until(() => log.some((l) => /another PIN/.test(l)), 1000))
})

t.test('SEP-150, SEP-153, SEP-156, REL-053 told at once where subscribed; with every notification lost the next poll comes to the same', async (t) => {
  const hints: Hint[] = [], der = device()
  let lose = false
  let agent: CsipAgent | undefined
  const receiver = await notificationServer({ key: one.key, cert: one.cert, ca: pki.serca, host: '127.0.0.1', onNotification: (hint) => { hints.push(hint); if (!lose) agent?.poke() } })
  t.teardown(() => receiver.close())
  agent = run(t, { ...base(one), device: der, pin: 123455, push: { uri: `https://127.0.0.1:${receiver.port}/ntfy` } })
  t.ok(await until(() => agent.pushedBy.length === 7, 100), 'groups, three lists of programs, three of controls')
  const soon = clock.nowMs()
  await control('one', 1000, clock.now())
  t.ok(await until(() => der.told.at(-1) === 1000 as never))
  t.equal(clock.nowMs(), soon, 'without a poll interval')
  t.ok(await until(() => hints.length === 2))
  t.same(hints.map((h) => h.subscribedResource).sort(), ['/derp/one/derc', `/edev/${one.lfdi}/fsa/one/derp`].sort(), 'the list, and the program that counts it')
  lose = true
  await control('one', 2000, clock.now())
  t.ok(await until(() => hints.length > 2))
  t.not(der.told.at(-1), 2000)
  await clock.advance(75_000)
  t.ok(await until(() => der.told.at(-1) === 2000 as never), 'one poll later')
  await agent.stop()
  t.equal(await db.stores.documents.count(db.tenant, { kind: 'csip/Subscription' }), 0, 'a client that stops takes its subscriptions along')
})

t.test('SEP-192, SEP-102, SEP-180 an aggregator: one connection, each device follows its own programs and speaks under its own name', async (t) => {
  const ders = sites.map(() => device())
  const fleet = runCsipAggregator({ ...base(agg), devices: sites.map((lfdi, i) => ({ lfdi, device: ders[i]! })), interval_s: 60 })
  t.teardown(() => fleet.stop())
  t.ok(await until(async () => await db.stores.documents.count(db.tenant, { kind: 'csip/MirrorUsagePoint' }) >= 3, 200))
  const start = clock.now()
  const mRIDs = [await control('AAAA', 100, start), await control('BBBB', 200, start), await control('F2', 300, start + 1200)]
  fleet.poke()
  t.ok(await until(() => ders[0]!.told.at(-1) === 100 as never && ders[1]!.told.at(-1) === 200 as never, 100))
  t.equal(ders[2]!.told.at(-1), undefined)
  t.ok(await until(async () => (await answers(sites[0]!)).includes(2) && (await answers(sites[1]!)).includes(2), 100))
  t.same(await db.stores.documents.count(db.tenant, { kind: 'csip/Response', owner: sites[2]!, where: { subject: mRIDs[0]! } }), 0)
  const points = await db.stores.documents.list<{ deviceLFDI: string }>(db.tenant, { kind: 'csip/MirrorUsagePoint', owner: agg.lfdi })
  t.same(points.map((p) => p.body.deviceLFDI).sort(), sites)
})

t.test('SEP-102 what one of an aggregator’s devices has just read is not read again for the next, until it is old or a device is added', async (t) => {
  const asked: string[] = [], stub = { start: '/dcap', read: async (_d: unknown, href: string) => { asked.push(href); if (href === '/bad') throw new Error('no'); return href }, write: async () => ({ status: 201, location: undefined }), remove: async () => {}, close: async () => {} } as unknown as CsipWire
  const { wire, forget } = sharing(stub, clock, 5000)
  await Promise.all([wire.read(Time, '/a'), wire.read(Time, '/a'), wire.read(Time, '/b')])
  await clock.advance(4000)
  await wire.read(Time, '/a')
  t.same(asked.splice(0), ['/a', '/b'])
  await clock.advance(2000)
  await wire.read(Time, '/a')
  t.same(asked.splice(0), ['/a'])
  await wire.write('PUT', Time, '/x', {})
  await wire.read(Time, '/a')
  await wire.write('POST', EndDevice, '/edev', {})
  await wire.read(Time, '/a')
  forget()
  await wire.read(Time, '/a')
  t.same(asked.splice(0), ['/a', '/a'])
  for (let i = 0; i < 2; i++) await t.rejects(wire.read(Time, '/bad'))
  t.same(asked, ['/bad', '/bad'], 'a failure is not kept')
})

t.test('SEP-166, SEP-168, SEP-183 what waits on disk is posted by the next process, and no response is given twice', async (t) => {
  const store = (): ReturnType<typeof diskCsipStore> => diskCsipStore(join(folder, 'one'))
  const mRID = await control('one', 700, clock.now(), 3600)
  const own = async (): Promise<number[]> => (await db.stores.documents.list<{ status: number }>(db.tenant, { kind: 'csip/Response', owner: one.lfdi, where: { subject: mRID }, order: ['createdAt', 'id'] })).map((d) => d.body.status)
  const first = runCsipAgent({ ...base(one), device: device(), store: store(), interval_s: 60 })
  t.ok(await until(async () => (await own()).length === 2, 200))
  t.same((await own()).sort(), [1, 2])
  await server.csip.provisioning.enableEndDevice(one.lfdi, false)
  t.ok(await until(() => readdirSync(join(folder, 'one', 'readings')).length >= 2, 5000), 'readings wait')
  await first.stop()
  const waiting = (await store().readings.all()).map((w) => w.start)
  await server.csip.provisioning.enableEndDevice(one.lfdi, true)
  const second = run(t, { ...base(one), device: device(), store: store(), interval_s: 60 })
  const posted = async (): Promise<number[]> => (await db.stores.documents.list<object>(db.tenant, { kind: 'csip/MirrorReadingSet', owner: one.lfdi })).map((d) => d.sort1)
  t.ok(await until(async () => { const p = await posted(); return waiting.every((s) => p.includes(s)) }, 1000), `${waiting.length} intervals arrive`)
  t.ok(await until(() => second.waitingReadings === 0, 1000))
  second.poke()
  await clock.advance(90_000)
  t.ok(await until(() => second.events().some((e) => e.control.mRID === mRID)))
  t.same((await own()).sort(), [1, 2], 'the second process knows what was said')
})

t.test('SEP-123, SEP-132 a program that is lost is no longer followed, and events of another category are not ours', async (t) => {
  const der = device(), agent = run(t, { ...base(one), device: der, deviceCategory: '0800' })
  await control('F1', 900, clock.now(), 3600, '<deviceCategory>0001</deviceCategory>')
  t.ok(await until(() => agent.events().length > 0, 1000))
  t.notOk(der.told.includes(900 as never))
  await server.csip.provisioning.moveEndDevice(one.lfdi, ['system', 'F3', 'elsewhere'])
  t.ok(await until(() => agent.events().length === 0, 5000), 'and the events of the old service point are gone')
  t.equal(der.told.at(-1), undefined)
})

t.test('SEP-014, SEP-032 the transport: typed errors with the server’s reason, links that leave the server are not followed', async (t) => {
  const wire = csipWire(base(one))
  t.teardown(() => wire.close())
  t.match(await wire.read(Time, '/tm'), { currentTime: clock.now() })
  t.match(await wire.read(Time, '/nothing').catch((error: unknown) => error), { status: 404, reasonCode: 0 })
  await t.rejects(wire.read(Time, '/dcap'), CsipError)
  await t.rejects(wire.read(Time, 'https://elsewhere.example/tm'), /leaves the server/)
})
