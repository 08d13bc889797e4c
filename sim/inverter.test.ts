import { randomBytes } from 'node:crypto'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { createIntermediate, createSerca, indefinite, issueDevice, serialFrom, tlsIdentity } from '#certs/authority.js'
import { lfdiOf } from '#certs/lfdi.js'
import { certificatePem } from '#certs/x509/pem.js'
import { keySigner, newEcKey, spkiOf } from '#certs/x509/signer.js'
import { handClock, type HandClock } from '#core/port/clock.js'
import type { Resource } from '#core/describe/resource.js'
import { xmlWriter } from '#core/describe/xml-writer.js'
import { DERControlList, DefaultDERControl } from '#csip-server/wire/der-control.js'
import { DERProgramList } from '#csip-server/wire/der-program.js'
import { DERList } from '#csip-server/wire/der.js'
import { DeviceCapability } from '#csip-server/wire/device-capability.js'
import { EndDeviceList } from '#csip-server/wire/end-device.js'
import { FunctionSetAssignmentsList } from '#csip-server/wire/function-set-assignments.js'
import { Time } from '#csip-server/wire/time.js'
import { silent } from '#ven-client/log.js'
import type { Behaviour } from '#sim/device.js'
import { simInverter } from '#sim/inverter.js'
import { loadModel, type Site } from '#sim/load-model.js'
import { protocolClock } from '#sim/protocol-clock.js'

const T = Date.parse('2026-07-01T21:50:00Z'), minute = 60_000
const site: Site = { name: 'home-001', kind: 'home', rated_W: 5000, seed: 1, timeZone: 'America/Denver' }

async function pki() {
  const validity = { fromMs: Date.UTC(2020, 0, 1), toMs: indefinite }, serial = (): string => serialFrom(randomBytes(16).toString('hex'))
  const root = await createSerca({ serial: serial(), subject: [{ CN: ['SERCA'] }], validity }, keySigner(newEcKey()))
  const mica = await createIntermediate('MICA', root, { serial: serial(), subject: [{ CN: ['MICA'] }], validity }, keySigner(newEcKey()))
  const device = async (hwSerialNum: string) => {
    const key = newEcKey()
    const der = await issueDevice(mica, { serial: serial(), publicKey: spkiOf(key), hwType: '1.3.6.1.4.1.32473.1', hwSerialNum, validity })
    return { ...tlsIdentity(mica, key, der), lfdi: lfdiOf(der) }
  }
  return { ca: certificatePem(root.certificate), device }
}
const made = await pki(), serverIdentity = await made.device('server'), own = await made.device('home-001')

/** A 2030.5 server with one device, one program, and a memory: mutual TLS with CCM_8 alone. */
async function fakeServer(clock: HandClock) {
  const heard: { method: string; path: string; body: string }[] = []
  const controls: object[] = []
  let broken = false
  const page = (name: string, members: object[], more: object = {}): object => ({ all: members.length, results: members.length, ...more, [name]: members })
  const documents: Record<string, () => [Resource, object]> = {
    '/dcap': () => [DeviceCapability, { href: '/dcap', TimeLink: { href: '/tm' }, EndDeviceListLink: { href: '/edev', all: 1 }, MirrorUsagePointListLink: { href: '/mup', all: 0 }, pollRate: 900 }],
    '/tm': () => [Time, { currentTime: clock.now(), dstEndTime: 0, dstOffset: 0, dstStartTime: 0, quality: 3, tzOffset: 0 }],
    '/edev': () => [EndDeviceList, page('EndDevice', [{ href: '/edev/1', DERListLink: { href: '/edev/1/der', all: 1 }, lFDI: own.lfdi, sFDI: 1, changedTime: 1, FunctionSetAssignmentsListLink: { href: '/edev/1/fsa', all: 1 } }])],
    '/edev/1/der': () => [DERList, page('DER', [{ DERAvailabilityLink: { href: '/edev/1/der/1/dera' }, DERCapabilityLink: { href: '/edev/1/der/1/dercap' }, DERSettingsLink: { href: '/edev/1/der/1/derg' }, DERStatusLink: { href: '/edev/1/der/1/ders' } }])],
    '/edev/1/fsa': () => [FunctionSetAssignmentsList, page('FunctionSetAssignments', [{ DERProgramListLink: { href: '/derp', all: 1 }, mRID: 'AA' }])],
    '/derp': () => [DERProgramList, page('DERProgram', [{ href: '/derp/1', mRID: 'BB', DefaultDERControlLink: { href: '/derp/1/dderc' }, DERControlListLink: { href: '/derp/1/derc', all: controls.length }, primacy: 83 }], { pollRate: 60 })],
    '/derp/1/derc': () => [DERControlList, page('DERControl', controls)],
    '/derp/1/dderc': () => [DefaultDERControl, { mRID: 'DD', DERControlBase: { opModConnect: true } }],
  }
  const server = https.createServer({
    key: serverIdentity.key, cert: serverIdentity.cert, ca: made.ca, requestCert: true, rejectUnauthorized: true,
    minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', ecdhCurve: 'prime256v1',
  }, (request, response) => {
    let body = ''
    request.on('data', (d: Buffer) => { body += d.toString() })
    request.on('end', () => {
      const path = (request.url ?? '').replace(/\?.*/, '')
      heard.push({ method: request.method ?? '', path, body })
      if (broken) { response.writeHead(503, { 'retry-after': '60' }).end(); return }
      const found = documents[path]
      if (request.method === 'GET' && found) {
        const [description, value] = found()
        response.writeHead(200, { 'content-type': 'application/sep+xml' }).end(xmlWriter(description.name, description.schema, { namespace: 'urn:ieee:std:2030.5:ns' })(value))
      } else if (request.method === 'POST') response.writeHead(201, { location: path === '/mup' ? '/mup/7' : `${path}/1` }).end()
      else response.writeHead(request.method === 'PUT' ? 204 : 404).end()
    })
  })
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/dcap`, heard, controls,
    break: (yes: boolean) => { broken = yes },
    close: () => new Promise<void>((done) => { server.close(() => done()); server.closeAllConnections() }),
  }
}

const control = (mRID: string, start: number, watts: number, more: object = {}): object => ({
  mRID, creationTime: T / 1000, EventStatus: { currentStatus: 0, dateTime: T / 1000, potentiallySuperseded: false }, interval: { duration: 7200, start: start / 1000 },
  DERControlBase: { opModTargetW: { multiplier: 0, value: watts } }, replyTo: '/rsps/1/rsp', responseRequired: '03', ...more })

async function scene(t: { teardown(f: () => unknown): void }, behaviour: Behaviour = 'well-behaved') {
  const base = handClock(T), server = await fakeServer(base), clock = protocolClock(base)
  server.controls.push(control('00C1', T + 10 * minute, 3000))
  const inverter = simInverter({ site, servicePoint: 'home-001', url: server.url, key: own.key, cert: own.cert, ca: made.ca, clock, log: silent, behaviour, spread_s: 0 })
  t.teardown(async () => { await inverter.stop(); await server.close() })
  const settle = async (): Promise<void> => { for (let i = 0; i < 6; i++) { await new Promise((done) => setTimeout(done, 2)); await base.advance(0) } }
  const pass = async (minutes: number): Promise<void> => { for (let m = 0; m < minutes; m += 1) { await base.advance(minute); await settle() } }
  for (let i = 0; i < 60 && !server.heard.some((h) => h.path === '/rsps/1/rsp'); i++) await settle()
  const said = (): string[] => server.heard.filter((h) => h.path === '/rsps/1/rsp').map((h) => `${/<status>(\d+)</.exec(h.body)?.[1]} ${/<subject>(\w+)</.exec(h.body)?.[1]}`)
  return { server, inverter, pass, said }
}

t.test('SEP-014 SEP-141 SEP-165 discovers from /dcap over CCM_8, declares its DER, announces its mirror', async (t) => {
  const { server } = await scene(t)
  const done = server.heard.map((h) => `${h.method} ${h.path}`)
  for (const step of ['GET /dcap', 'GET /tm', 'GET /edev', 'PUT /edev/1/der/1/dercap', 'PUT /edev/1/der/1/derg', 'PUT /edev/1/der/1/ders', 'PUT /edev/1/der/1/dera', 'POST /mup', 'GET /derp/1/derc', 'GET /derp/1/dderc']) t.ok(done.includes(step), step)
  t.match(server.heard.find((h) => h.path === '/mup')?.body, new RegExp(`<deviceLFDI>${own.lfdi}</deviceLFDI>.*<flowDirection>1</flowDirection>.*<flowDirection>19</flowDirection>`))
})

t.test('SEP-180 REL-064 received, started, completed; the meter is the integral; the end comes although the server is gone', async (t) => {
  const { server, inverter, pass, said } = await scene(t)
  t.same(said(), ['1 00C1'])
  await pass(27)
  t.same(said(), ['1 00C1', '2 00C1'])
  const quarter = inverter.meter.interval(T + 10 * minute, T + 25 * minute)
  t.ok(Math.abs((quarter?.export_Wh ?? 0) - 750) < 1 && (quarter?.import_Wh ?? 1) < 1, '3 kW at the connection point')
  const sent = server.heard.filter((h) => h.path === '/mup/7' && h.body.includes(`<start>${(T + 10 * minute) / 1000}</start>`))
  t.equal(sent.length, 1)
  t.match(sent[0]?.body, /<value>750<\/value>/)
  server.break(true)
  await pass(120)
  const after = inverter.meter.interval(T + 130 * minute, T + 145 * minute)
  const usual = [0, 5, 10].reduce((sum, m) => sum + loadModel(site)(T / 1000 + (130 + m) * 60) / 12, 0)
  t.ok(Math.abs((after?.import_Wh ?? 0) - usual) < 1, 'home alone again')
  server.break(false)
  await pass(35)
  t.ok(said().includes('3 00C1'), 'completed is told when the server is back')
  const starts = new Set(server.heard.filter((h) => h.path === '/mup/7').flatMap((h) => [...h.body.matchAll(/<MirrorReadingSet>.*?<start>(\d+)</g)].map((m) => m[1])))
  t.ok(starts.size >= 10, 'no reading is lost over the outage')
})

t.test('SEP-185 opt-out and rejection are said once, and the battery stays as it was', async (t) => {
  for (const [behaviour, word] of [['optout', '4 00C1'], ['reject', '253 00C1']] as const) {
    const { inverter, pass, said } = await scene(t, behaviour)
    await pass(26)
    t.same(said(), ['1 00C1', word])
    t.equal(inverter.meter.interval(T + 10 * minute, T + 25 * minute)?.export_Wh, 0)
  }
})
