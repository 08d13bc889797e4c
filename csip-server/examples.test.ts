import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { systemClock } from '#core/port/clock.js'
import { makePki, sep, serverUnderTest, type Identity } from '#csip-server/fixture.js'
import { operatorPeer } from '#csip-server/identity.js'
import { testDatabase } from '#prisma/test-database.js'
import { installedIn } from '#ven-client/test-package.js'

/** examples/csip-client as a device maker runs it: plain node, the tarball of `npm run pack:ven`, a server on the network. */
t.setTimeout(180_000)
const folder = mkdtempSync(join(tmpdir(), 'csip-examples-')), clock = systemClock
const pki = await makePki(), db = await testDatabase({ clock })
const server = serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock })
const port = await server.csip.listen({ port: 0, hosts: ['127.0.0.1'] })
t.teardown(async () => { await server.close(); await db.close(); rmSync(folder, { recursive: true, force: true }) })

t.before(() => installedIn(folder))

const operator = async (target: string, xml: string): Promise<string> => {
  const a = await server.csip.door.handle({ method: 'POST', target, peer: operatorPeer('op'), contentType: 'application/sep+xml', body: Buffer.from(xml) })
  if (a.status !== 201) throw new Error(`${target}: ${a.status}`)
  return a.location ?? ''
}
/** An event of this minute, on its way since a while. */
const event = (mRID: string, inner: string): string => `<mRID>${mRID}</mRID><creationTime>0</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>0</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>600</duration><start>${clock.now() - 5}</start></interval>${inner}`

/** Runs one until it has said all of this, then ends it as a person does. */
async function play(t: Test, path: string, device: Identity, wanted: readonly RegExp[]): Promise<void> {
  for (const [name, text] of [['key.pem', device.key], ['cert.pem', device.cert], ['ca.pem', pki.serca]] as const) writeFileSync(join(folder, name), text)
  const child = spawn(process.execPath, [join(folder, 'examples', path)], { cwd: folder, env: { PATH: process.env.PATH ?? '', CSIP_URL: `https://127.0.0.1:${port}/dcap`, KEY: 'key.pem', CERT: 'cert.pem', CA: 'ca.pem' } })
  const late = setTimeout(() => child.kill('SIGKILL'), 60_000)
  let text = '', asked = false
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (d: Buffer) => {
    text += d.toString()
    if (!asked && wanted.every((w) => w.test(text))) { asked = true; child.kill('SIGINT') }
  })
  const code = await new Promise((done) => { child.on('close', done) })
  clearTimeout(late)
  for (const w of wanted) t.match(text, w)
  t.equal(code, 0, 'SIGINT ends it, with nothing left behind')
}
type Said = { status: number; AppliedTargetReduction?: object }
const said = async (device: Identity, subject: string): Promise<Said[]> => (await db.stores.documents.list<Said>(db.tenant, { kind: 'csip/Response', owner: device.lfdi, where: { subject }, order: ['createdAt', 'id'] })).map((d) => d.body)

t.test('UX-031, SEP-196, SEP-197, SEP-200 the heat pump obeys load control, shows a message, knows the price, and says what it did', async (t) => {
  const pump = await pki.device('heat pump')
  await server.csip.provisioning.registerEndDevices([{ lfdi: pump.lfdi, groups: ['system', 'F1', 'pump'] }])
  const dr = await operator(`/edev/${pump.lfdi}/fsa/F1/dr`, sep('DemandResponseProgram', '<mRID>0A01</mRID><primacy>80</primacy>'))
  await operator(`${dr}/edc`, sep('EndDeviceControl', event('0A02', '<deviceCategory>01</deviceCategory><drProgramMandatory>true</drProgramMandatory><loadShiftForward>false</loadShiftForward><DutyCycle><normalValue>40</normalValue></DutyCycle>')))
  const msg = await operator('/msg', sep('MessagingProgram', '<mRID>0B01</mRID><locale>en</locale><primacy>80</primacy>'))
  await operator(`${msg}/txt`, sep('TextMessage', event('0B02', '<priority>2</priority><textMessage>Storm &amp; wind</textMessage>')))
  const tariff = await operator('/tp', sep('TariffProfile', '<mRID>0C01</mRID><currency>840</currency><pricePowerOfTenMultiplier>-3</pricePowerOfTenMultiplier><primacy>1</primacy><serviceCategoryKind>0</serviceCategoryKind>'))
  const rate = await operator(`${tariff}/rc`, sep('RateComponent', '<mRID>0C02</mRID><ReadingTypeLink href="/x"/><roleFlags>00</roleFlags><TimeTariffIntervalListLink href="/x"/>'))
  const interval = await operator(`${rate}/tti`, sep('TimeTariffInterval', event('0C03', '<touTier>1</touTier>')))
  await operator(`${interval}/cti`, sep('ConsumptionTariffInterval', '<consumptionBlock>0</consumptionBlock><price>185</price><startValue>0</startValue>'))
  await play(t, 'csip-client/heat-pump.mjs', pump, [
    new RegExp(`LFDI ${pump.lfdi}`), /load control \{ DutyCycle: \{ normalValue: 40 \} \}/, /message Storm & wind/, /price 0\.185 in currency 840/, /response 1 for 0A02/, /response 2 for 0A02/, /response 1 for 0B02/,
  ])
  t.match(await said(pump, '0A02'), [{ status: 1 }, { status: 2, AppliedTargetReduction: { type: 3, value: 10 } }])
})

t.test('UX-031, SEP-140, SEP-180 the battery says what it can and follows a DERControl', async (t) => {
  const battery = await pki.device('battery'), { documents } = db.stores
  await server.csip.provisioning.registerEndDevices([{ lfdi: battery.lfdi, groups: ['system', 'F1', 'battery'] }])
  await operator('/derp/battery/derc', sep('DERControl', event('0D02', '<DERControlBase><opModTargetW><multiplier>0</multiplier><value>1500</value></opModTargetW></DERControlBase>')).replace('<DERControl', '<DERControl responseRequired="03"'))
  await play(t, 'csip-client/battery.mjs', battery, [/opModTargetW 1500/, /response 1 for 0D02/, /response 2 for 0D02/])
  t.match(await said(battery, '0D02'), [{ status: 1 }, { status: 2 }])
  t.match((await documents.get(db.tenant, 'csip/DERCapability', `${battery.lfdi}/1`))?.body, { type: 80, rtgMaxW: { multiplier: 0, value: 5000 } })
  t.equal(await documents.count(db.tenant, { kind: 'csip/MirrorUsagePoint', owner: battery.lfdi }), 1)
})
