import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readSettings } from '#cli/settings.js'
import { systemClock } from '#core/port/clock.js'
import { silent } from '#core/port/log.js'
import { build } from '#main.js'

t.setTimeout(240_000)

/** Any free port; the operator's door is the only one that is opened, the channels of the others exist all the same. */
const freePort = (): Promise<number> => new Promise((done) => {
  const probe = createServer().listen(0, '127.0.0.1', () => { const { port } = probe.address() as { port: number }; probe.close(() => done(port)) })
})

t.test('CORE-202, CORE-097, OCPP-245 what each kind of device falls back to is verified at enrolment, through its own channel, and shown', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'loadstone-safe-')), at = (...parts: string[]): string => join(folder, ...parts)
  const { settings, resolved } = await readSettings({ data: folder }, { LOADSTONE_OPERATOR_PORT: String(await freePort()) }, { host: 'loopback', rateLimits: false })
  const server = await build({ settings, resolved, data: { path: folder, at }, clock: systemClock, log: silent, seed: 'conformance', only: ['operator'] })
  t.teardown(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  const call = async (method: string, path: string, body?: unknown): Promise<any> => {
    const answer = await fetch(`${server.ready.operator}/api/v1/${path}`, { method, headers: { authorization: `Bearer ${server.ready.operatorToken}`, 'content-type': 'application/json' }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    return await answer.json()
  }
  const resource = async (name: string): Promise<any> => (await call('GET', `resources/${name}`)).failSafe
  const inverter = await resource('device-1')
  t.match(inverter, { held: true, by: 'DefaultDERControl', at: /^\/derp\/.+\/dderc$/, limit_kW: null, limit_percent: null, protocol: 'ieee2030_5', verifiedAt: String })
  t.match(await resource('CS001'), { held: true, by: 'end of the ChargingProfile', limit_kW: 22, confirmed: false, protocol: 'ocpp' })

  await call('POST', 'service-points', ['a', 'b', 'c', 'd'].map((name) => ({ name })))
  await call('POST', 'stations', { id: 'CS077', securityProfile: 1, password: 'a-password-of-cs077', settings: { normalLimit_W: 7400 } })
  const made = await call('POST', 'resources', [
    { name: 'site', servicePoint: 'a', kind: 'building', rated_kW: 100, bindings: [{ protocol: 'openadr', remoteId: 'ven-later' }] },
    { name: 'CS077', servicePoint: 'b', kind: 'evse', rated_kW: 22, bindings: [{ protocol: 'ocpp', remoteId: 'CS077', evseId: 1 }] },
    { name: 'CS404', servicePoint: 'c', kind: 'evse', rated_kW: 22, bindings: [{ protocol: 'ocpp', remoteId: 'CS404' }] },
    { name: 'stranger', servicePoint: 'd', kind: 'inverter', rated_kW: 5, bindings: [{ protocol: 'ieee2030_5', remoteId: 'F'.repeat(40) }] },
  ])
  t.same(await resource('site'), { held: false, reason: 'not verified yet' })
  const enrolled = await call('POST', 'enrolments', ['a', 'b', 'c', 'd'].map((servicePoint) => ({ program: 'conformance', servicePoint, to: 'active' })))
  t.match(await resource('site'), { held: true, by: 'event end', at: null, protocol: 'openadr' })
  t.match(await resource('CS077'), { held: true, by: 'TxDefaultProfile', at: 'stations/CS077', limit_kW: 7.4, confirmed: false })
  t.match(await resource('CS404'), { held: false, reason: "no station 'CS404' is known" })
  t.match(await resource('stranger'), { held: false, reason: /no such EndDevice/ })
  t.match(await call('GET', `enrolments/${enrolled.items[2].id}`), { state: 'active', failSafes: [{ resource: made.items[2].id, held: false }] })

  const names = ['device-1', 'CS077', 'CS404', 'stranger'], now = Math.floor(Date.now() / 1000)
  await call('POST', 'availability', { availability: names.map((name) => ({ resource: name, start: new Date(now * 1000).toISOString(), end: new Date((now + 86_400) * 1000).toISOString(), down_kW: 3, up_kW: 0, expected_kW: 3 })) })
  const order = { program: 'conformance', power_kW: 12, start: new Date((now + 3600) * 1000).toISOString(), duration: 'PT1H', scope: { resources: names }, dryRun: true }
  const dry = await call('POST', 'dispatches', order), id = (i: number): string => made.items[i].id
  t.match(dry.excluded, [{ resource: id(2), reason: 'noFailSafe' }, { resource: id(3), reason: 'noFailSafe' }], JSON.stringify(dry).slice(0, 400))

  // a default that limits: the words of the standard, in the words of the core
  const program = inverter.at.split('/')[2], put = await fetch(`${server.ready.operator}/api/v1/csip/derp/${program}/dderc`, { headers: { authorization: `Bearer ${server.ready.operatorToken}`, accept: 'application/sep+xml' } })
  const xml = (await put.text()).replace('</DERControlBase>', '<opModMaxLimW>4000</opModMaxLimW></DERControlBase>')
  const changed = await fetch(`${server.ready.operator}/api/v1/csip/derp/${program}/dderc`, { method: 'PUT', headers: { authorization: `Bearer ${server.ready.operatorToken}`, 'content-type': 'application/sep+xml' }, body: xml })
  t.ok(changed.ok, `${changed.status} ${await changed.text()}`)
  const first = await call('GET', 'resources/device-1')
  await call('PATCH', 'resources/device-1', { state: 'retired', bindings: [] })
  await call('POST', 'service-points', { name: 'again' })
  await call('POST', 'resources', { name: 'again', servicePoint: 'again', kind: 'battery', rated_kW: 5, bindings: first.bindings })
  await call('POST', 'enrolments', [{ program: 'conformance', servicePoint: 'again', to: 'active' }])
  t.match(await resource('again'), { by: 'DefaultDERControl', limit_percent: 40, limit_kW: null })
})
