import type { KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { WebSocket } from 'ws'
import { certificatePem, certificatesFrom, certificatesOf, deviceRequest, keyPem, lfdiOf, newEcKey, sfdiOf } from '#certs/index.js'
import { readSettings } from '#cli/settings.js'
import { systemClock } from '#core/port/clock.js'
import { silent } from '#core/port/log.js'
import { build, type Loadstone } from '#main.js'
import { portBase } from '#main/test-ports.js'

const folder = mkdtempSync(join(tmpdir(), 'loadstone-main-'))
const at = (...parts: string[]): string => join(folder, ...parts)
const text = (file: string): string => readFileSync(at('pki', file), 'utf8')

interface Answer { readonly status: number; readonly type: string; readonly body: string; readonly headers: NodeJS.Dict<string | string[]>; json<T = any>(): T }
interface Ask { method?: string; body?: string | Buffer; headers?: Record<string, string>; tls?: Record<string, unknown> }

/** One request on a connection of its own; whatever comes before a status is the connection's error. */
function ask(url: string, { method = 'GET', body, headers = {}, tls = {} }: Ask = {}): Promise<Answer> {
  return new Promise((done, fail) => {
    const secure = url.startsWith('https:')
    const sent = (secure ? httpsRequest : httpRequest)(url, { method, headers: { ...headers, ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }) }, agent: false, ...(secure ? { ca: text('tls-ca.pem'), ...tls } : {}) }, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (d: Buffer) => parts.push(d))
      answer.on('end', () => {
        const whole = Buffer.concat(parts).toString()
        done({ status: answer.statusCode ?? 0, type: String(answer.headers['content-type'] ?? ''), body: whole, headers: answer.headers, json: () => JSON.parse(whole) })
      })
      answer.on('error', fail)
    })
    sent.on('error', fail)
    sent.end(body)
  })
}

const base = await portBase(20_000)
const { settings, resolved } = await readSettings({ data: folder, portBase: base }, {}, { host: 'loopback', vtnHttpPort: 8082, rateLimits: false })
const server: Loadstone = await build({ settings, resolved, data: { path: folder, at }, clock: systemClock, log: silent, seed: 'conformance' })
t.teardown(async () => {
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
})
const { ready } = server
const operator = `${ready.operator}/api/v1`, bearer = { authorization: `Bearer ${ready.operatorToken}`, 'content-type': 'application/json' }
const api = (method: string, path: string, body?: unknown): Promise<Answer> => ask(`${operator}${path}`, { method, headers: bearer, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
const ccm8 = { ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', ecdhCurve: 'prime256v1', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }
const device = (name: string): Record<string, unknown> => ({ ...ccm8, key: text(`${name}.key`), cert: text(`${name}.pem`) + text('chain.pem'), ca: text('serca.pem'), checkServerIdentity: () => undefined })
const csip = (name: string, path: string, more: Ask = {}): Promise<Answer> => ask(new URL(path, ready.csip).href, { ...more, tls: device(name), headers: { accept: 'application/sep+xml', ...more.headers } })
const vtnToken = async (id: string, secret: string): Promise<Answer> => ask(`${ready.vtn}/auth/token`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `grant_type=client_credentials&client_id=${id}&client_secret=${secret}` })

t.test('contract §3 the ready line, every door on 127.0.0.1 and ::1', async (t) => {
  t.match(ready, {
    ready: true, operator: `http://localhost:${base}`, vtn: `https://localhost:${base + 1}/openadr3/3.1.1`, vtnHttp: `http://localhost:${base + 2}/openadr3/3.1.1`, mqtt: `mqtts://localhost:${base + 3}`,
    csip: `https://localhost:${base + 4}/dcap`, est: `https://localhost:${base + 5}/.well-known/est`, ocpp: `ws://localhost:${base + 6}/ocpp`, ocppTls: `wss://localhost:${base + 7}/ocpp`, pki: at('pki'), operatorToken: /^\S+$/,
  })
  for (let port = base; port < base + 8; port++) {
    for (const host of ['127.0.0.1', '::1']) {
      const socket = connect({ port, host })
      await once(socket, 'connect')
      socket.destroy()
    }
  }
  t.equal((await ask(`${ready.operator}/healthz`)).status, 200)
  t.match((await ask(`${ready.operator}/readyz`)).json(), { ready: true, parts: { database: { ok: true } } })
  t.equal((await ask(`${ready.operator}/version`)).json().name, 'loadstone')
  t.match((await ask(`${ready.operator}/openapi.json`)).json().openapi, /^3\.1/)
})

t.test('contract §4 the seed: keys, devices, secrets, clients, stations', async (t) => {
  for (const name of ['tls-ca.pem', 'serca.pem', 'mica.pem', 'mica.key', 'chain.pem', 'server.pem', 'cs011.pem', 'cs011.key', 'ocpp-ca.pem', 'ocpp-ca.key', 'lfdi.json', 'est.json']) t.ok(existsSync(at('pki', name)), name)
  const names = ['device-1', 'device-2', 'device-3', 'device-4', 'device-5', 'aggregator-1', 'vendor-1']
  for (const name of names) for (const ending of ['pem', 'key', 'der']) t.ok(existsSync(at('pki', `${name}.${ending}`)), `${name}.${ending}`)
  const lfdi = JSON.parse(text('lfdi.json')) as Record<string, { lfdi?: string; LFDI?: string }>
  for (const name of names.slice(0, 6)) t.match(JSON.stringify(lfdi[name]), /[0-9A-F]{40}/, name)
  const est = JSON.parse(text('est.json')) as { vendor: string; pen: unknown; secrets: { secret: string; hwSerialNum: string }[] }
  t.equal(est.vendor, 'vendor-1')
  t.equal(est.secrets.length, 20)
  t.equal(new Set(est.secrets.map((s) => s.hwSerialNum)).size, 20)

  for (const [id, secret] of [['bl_client', '1001'], ['ven_client', '999'], ['ven_client2', '9999']] as const) {
    const token = await vtnToken(id, secret)
    t.equal(token.status, 200, id)
    t.same((await ask(`${ready.vtn}/programs`, { headers: { authorization: `Bearer ${token.json().access_token}` } })).json(), [], 'the VTN starts with no object')
  }
  const stations = (await api('GET', '/stations?limit=100')).json<{ items: { id: string }[] }>().items.map((s) => s.id).sort()
  t.same(stations, [...Array.from({ length: 10 }, (_, i) => `CS${String(i + 1).padStart(3, '0')}`), 'CS011'])
  const program = (await api('GET', '/programs/conformance')).json()
  t.match(program, { name: 'conformance', direction: 'both', limits: {} })
  const made = await api('POST', '/tokens', { role: 'viewer', user: 'vera', expiresIn_s: 60 })
  t.equal(made.status, 201)
  t.match(made.json(), { token: /^\S+$/ })
  t.equal((await ask(`${operator}/programs`, { method: 'POST', headers: { authorization: `Bearer ${made.json().token}`, 'content-type': 'application/json' }, body: '{}' })).status, 403, 'a viewer changes nothing')
})

const hrefs = (xml: string, element: string): string[] => [...xml.matchAll(new RegExp(`<${element} href="([^"]+)"`, 'g'))].map((m) => m[1] as string)

/** The DERControls that a device finds on its own walk: dcap → EndDevice → FSA → DERPrograms → controls. */
async function controlsOf(name: string): Promise<{ program: string; xml: string }[]> {
  const dcap = (await csip(name, '/dcap')).body
  const edev = await csip(name, `${hrefs(dcap, 'EndDeviceListLink')[0]}?l=255`)
  const fsas = (await Promise.all(hrefs(edev.body, 'FunctionSetAssignmentsListLink').map((h) => csip(name, `${h}?l=255`)))).map((a) => a.body)
  const lists = new Set(fsas.flatMap((xml) => hrefs(xml, 'DERProgramListLink')))
  const programs = (await Promise.all([...lists].map((h) => csip(name, `${h}?l=255`)))).flatMap((a) => a.body.match(/<DERProgram\b[\s\S]*?<\/DERProgram>/g) ?? [])
  const found = []
  for (const program of programs) {
    for (const href of hrefs(program, 'DERControlListLink')) {
      const list = (await csip(name, `${href}?l=255`)).body
      for (const xml of list.match(/<DERControl\b[\s\S]*?<\/DERControl>/g) ?? []) found.push({ program: /<primacy>(\d+)</.exec(program)?.[1] ?? '', xml })
    }
  }
  return found
}

t.test('contract §4 an order to device-1 alone stands in its service-point program, and nobody else sees it', async (t) => {
  const start = Math.floor(Date.now() / 1000) + 120, when = (s: number): string => new Date(s * 1000).toISOString()
  const dispatch = await api('POST', '/dispatches', { program: 'conformance', power_kW: 3, start: when(start), end: when(start + 3600), scope: { resources: ['device-1'] } })
  t.equal(dispatch.status, 201, dispatch.body.slice(0, 400))
  await t.resolves(until(async () => (await controlsOf('device-1')).length === 1), 'device-1 finds it')
  const [control] = await controlsOf('device-1')
  t.equal(control?.program, '83', 'in the program of its own service point')
  t.match(control?.xml, new RegExp(`<start>${start}</start>`))
  for (const other of ['device-2', 'device-3']) t.same(await controlsOf(other), [], other)
  const deliveries = (await api('GET', `/dispatches/${dispatch.json().id}/deliveries`)).json<{ items: { protocol: string; resourceName: string }[] }>().items
  t.match(deliveries, [{ protocol: 'ieee2030_5', resourceName: 'device-1' }])
})

const until = async (test: () => Promise<boolean>, patience_ms = 15_000): Promise<void> => {
  for (const end = performance.now() + patience_ms; performance.now() < end;) {
    if (await test()) return
    await new Promise((done) => { setTimeout(done, 50) })
  }
  throw new Error('it did not come')
}

/** A station without any library: frames as text. */
async function station(id: string, password = `loadstone-${id}-pass`): Promise<{ socket: WebSocket; call: (action: string, payload: unknown) => Promise<unknown[]>; heard: unknown[][]; raw: (frame: string) => void }> {
  const socket = new WebSocket(`${ready.ocpp}/${id}`, ['ocpp2.0.1'], { headers: { authorization: `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}` } })
  const heard: unknown[][] = []
  let asked = 0
  socket.on('message', (data) => { heard.push(JSON.parse(String(data)) as unknown[]) })
  await once(socket, 'open')
  return {
    socket, heard, raw: (frame) => socket.send(frame),
    async call(action, payload) {
      const key = `q${++asked}`
      socket.send(JSON.stringify([2, key, action, payload]))
      await until(async () => heard.some((m) => m[1] === key))
      return heard.find((m) => m[1] === key) as unknown[]
    },
  }
}
const boot = { reason: 'PowerUp', chargingStation: { model: 'raw', vendorName: 'test' } }

t.test('contract §4 an order to CS001 arrives as SetChargingProfile on a raw station', async (t) => {
  const { socket, call, heard } = await station('CS001')
  t.match(await call('BootNotification', boot), [3, /.+/, { status: 'Accepted' }])
  await call('StatusNotification', { timestamp: new Date().toISOString(), connectorStatus: 'Available', evseId: 1, connectorId: 1 })
  const start = Math.floor(Date.now() / 1000) + 60, when = (s: number): string => new Date(s * 1000).toISOString()
  const dispatch = await api('POST', '/dispatches', { program: 'conformance', power_kW: 10, start: when(start), end: when(start + 1800), scope: { resources: ['CS001'] } })
  t.equal(dispatch.status, 201, dispatch.body.slice(0, 400))
  const profile = (): unknown[] | undefined => heard.find((m) => m[0] === 2 && m[2] === 'SetChargingProfile')
  await t.resolves(until(async () => profile() !== undefined), 'the station is asked')
  const asked = profile() as [number, string, string, object]
  t.match(asked[3], { evseId: 1, chargingProfile: { chargingSchedule: [{ duration: 1800, chargingRateUnit: /^[WA]$/ }] } })
  socket.send(JSON.stringify([3, asked[1], { status: 'Accepted' }]))
  await t.resolves(until(async () => (await api('GET', `/dispatches/${dispatch.json().id}/deliveries`)).json().items[0]?.state === 'accepted'), 'its word becomes the delivery')
  socket.close()
})

const counts = async (): Promise<Record<string, number>> => {
  const size = async (path: string): Promise<number> => (await api('GET', `${path}?limit=1000`)).json<{ items: unknown[] }>().items.length
  const [programs, points, dispatches, stations] = [await size('/programs'), await size('/service-points'), await size('/dispatches'), await size('/stations')]
  const ven = (await vtnToken('bl_client', '1001')).json().access_token as string
  const events = (await ask(`${ready.vtn}/events`, { headers: { authorization: `Bearer ${ven}` } })).json<unknown[]>().length
  return { programs, points, dispatches, stations, events }
}

t.test('issue 2 bad input at each door is refused in its own form, nothing is half-stored, the process lives', async (t) => {
  const before = await counts()
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`

  t.test('operator: problem+json', async (t) => {
    const post = (path: string, body: string, headers: Record<string, string> = bearer): Promise<Answer> => ask(`${operator}${path}`, { method: 'POST', headers, body })
    const cases: [string, Answer, number][] = [
      ['malformed JSON', await post('/programs', '{"name":'), 400], ['nested JSON', await post('/programs', deep), 422], ['wrong body', await post('/programs', '{"name":5}'), 422],
      ['no token', await post('/programs', '{}', { 'content-type': 'application/json' }), 401], ['wrong token', await post('/programs', '{}', { ...bearer, authorization: 'Bearer nonsense' }), 401],
      ['unknown id', await api('GET', '/programs/no-such'), 404], ['unknown path', await api('GET', '/no-such'), 404], ['other content', await post('/programs', '<x/>', { ...bearer, 'content-type': 'text/xml' }), 415],
      ['half-good readings', await api('POST', '/readings', { readings: [{ servicePoint: 'device-1', start: '2026-01-01T00:00:00Z', minutes: 15, Wh: 5 }, { servicePoint: 'nobody', start: 'x', minutes: 15, Wh: 5 }] }), 422],
    ]
    for (const [what, answer, status] of cases) {
      t.equal(answer.status, status, what)
      t.match(answer.type, /application\/problem\+json/, what)
      t.match(answer.json(), { type: /./, title: /./, status }, what)
    }
    t.same((await api('GET', '/readings?servicePoint=device-1&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z')).json().items, [], 'of half-good readings none is stored')
  })

  t.test('OpenADR: its problem object', async (t) => {
    const token = (await vtnToken('bl_client', '1001')).json().access_token as string
    const post = (body: string, headers: Record<string, string> = {}): Promise<Answer> => ask(`${ready.vtn}/events`, { method: 'POST', body, headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json', ...headers } })
    const cases: [string, Answer, number][] = [
      ['malformed JSON', await post('{"programID":'), 400], ['nested JSON', await post(deep), 400], ['wrong body', await post('{"programID":5}'), 400],
      ['no token', await ask(`${ready.vtn}/events`), 401], ['wrong token', await post('{}', { authorization: 'Bearer nonsense' }), 401],
      ['unknown id', await ask(`${ready.vtn}/events/no-such-event`, { headers: { authorization: `Bearer ${token}` } }), 404],
    ]
    for (const [what, answer, status] of cases) {
      t.equal(answer.status, status, what)
      t.match(answer.json(), { status, title: /./ }, what)
    }
    t.equal((await vtnToken('bl_client', 'wrong')).status, 401, 'wrong secret')
    const big = await post(JSON.stringify({ programID: 'x'.repeat(2_000_000) })).catch(() => undefined)
    t.ok(big === undefined || big.status === 413, `oversize: ${big?.status ?? 'cut'}`)
  })

  t.test('2030.5: status and Error, unknown certificates at the handshake or 403', async (t) => {
    const post = (body: string, path = '/mup', name = 'device-1'): Promise<Answer> => csip(name, path, { method: 'POST', body, headers: { 'content-type': 'application/sep+xml' } })
    for (const [what, answer] of [['malformed XML', await post('<MirrorUsagePoint')], ['DOCTYPE', await post('<!DOCTYPE x [<!ENTITY a "a">]><x>&a;</x>')], ['nested XML', await post('<a>'.repeat(5000))], ['other namespace', await post('<MirrorUsagePoint xmlns="urn:x"/>')]] as const) {
      t.equal(answer.status, 400, what)
      t.match(answer.body, /<Error[\s>]/, what)
    }
    t.equal((await csip('device-1', '/edev/nobody')).status, 404, 'unknown id')
    const huge = await post(`<MirrorUsagePoint>${'x'.repeat(4_000_000)}</MirrorUsagePoint>`).catch(() => undefined)
    t.ok(huge === undefined || huge.status === 413, `oversize: ${huge?.status ?? 'cut'}`)
    await t.rejects(ask(ready.csip as string, { tls: { ...ccm8, ca: text('serca.pem'), checkServerIdentity: () => undefined } }), 'no certificate')
    const stranger = await ask(ready.csip as string, { tls: { ...device('device-1'), key: text('cs011.key'), cert: text('cs011.pem') } }).then((a) => a.status, () => 'refused')
    t.ok(stranger === 'refused' || stranger === 403, `a certificate of another authority: ${stranger}`)
  })

  t.test('OCPP: 401 and 404 before the upgrade, CALLERROR after it', async (t) => {
    const upgrade = async (id: string, password: string): Promise<number> => {
      const socket = new WebSocket(`${ready.ocpp}/${id}`, ['ocpp2.0.1'], { headers: { authorization: `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}` } })
      socket.on('error', () => undefined)
      const [, response] = await once(socket, 'unexpected-response') as [unknown, { statusCode: number }]
      socket.terminate()
      return response.statusCode
    }
    t.equal(await upgrade('CS002', 'wrong'), 401)
    t.equal(await upgrade('NOBODY', 'x'), 404)
    const { socket, call, heard, raw } = await station('CS003')
    await call('BootNotification', boot)
    for (const frame of ['{"not":"a frame"}', '[2,"x"]', '[2,"u1","NoSuchAction",{}]', '[2,"u2","MeterValues",{"evseId":"one"}]', '[', deep]) raw(frame)
    await t.resolves(until(async () => heard.filter((m) => m[0] === 4).length >= 4), 'each is answered by CALLERROR')
    t.match(heard.find((m) => m[0] === 4 && m[1] === 'u1'), [4, 'u1', 'NotImplemented'])
    t.match(heard.find((m) => m[0] === 4 && m[1] === 'u2'), [4, 'u2', /Violation/])
    t.match(await call('Heartbeat', {}), [3, /.+/, { currentTime: /Z$/ }], 'the connection lives')
    socket.close()
  })

  t.test('EST: 401 for a wrong secret, 400 for no request', async (t) => {
    const est = JSON.parse(text('est.json')) as { secrets: { secret: string; hwSerialNum: string }[] }
    const [first] = est.secrets
    const post = (secret: string, body: string): Promise<Answer> => ask(`${ready.est}/simpleenroll`, { method: 'POST', body, headers: { 'content-type': 'application/pkcs10', 'authorization': `Basic ${Buffer.from(`${first?.hwSerialNum}:${secret}`).toString('base64')}` } })
    t.equal((await post('wrong', 'AAAA')).status, 401)
    t.equal((await post(first?.secret ?? '', 'not a request')).status, 400)
    t.equal((await ask(`${ready.est}/cacerts`)).status, 200)
  })

  t.same(await counts(), before, 'nothing was stored')
  t.equal((await ask(`${ready.operator}/healthz`)).status, 200, 'the process lives')
})

t.test('SEP-227, SEP-231, SEP-233 a device renews before and after it registers; the record and the PIN stay', async (t) => {
  const { secrets: [{ hwSerialNum, secret }] } = JSON.parse(text('est.json')) as { secrets: [{ secret: string; hwSerialNum: string }] }
  const post = async (operation: string, key: KeyObject, more: Ask): Promise<string> => {
    const csr = await deviceRequest(key, { hwType: '1.3.6.1.4.1.32473.1', hwSerialNum })
    const answer = await ask(`${ready.est}/${operation}`, { method: 'POST', body: csr.toString('base64'), ...more, headers: { 'content-type': 'application/pkcs10', ...more.headers } })
    t.equal(answer.status, 200, `${operation}: ${answer.body.slice(0, 120)}`)
    return certificatePem(certificatesOf(Buffer.from(answer.body, 'base64'))[0]!)
  }
  const as = (cert: string, key: KeyObject): Record<string, unknown> => ({ key: keyPem(key), cert }), keys = [newEcKey(), newEcKey(), newEcKey()] as const
  const asDevice = (cert: string, key: KeyObject, path: string, more: Ask = {}): Promise<Answer> => ask(new URL(path, ready.csip).href, { ...more, tls: { ...device('device-1'), ...as(cert, key) } })
  const first = await post('simpleenroll', keys[0], { headers: { authorization: `Basic ${Buffer.from(`${hwSerialNum}:${secret}`).toString('base64')}` } })
  const second = await post('simplereenroll', keys[1], { tls: as(first, keys[0]) })
  t.equal(await post('simplereenroll', keys[1], { tls: as(first, keys[0]) }), second, 'a lost answer may be asked for again')
  const lfdi = lfdiOf(certificatesFrom(second)[0]!)
  const registered = await asDevice(second, keys[1], '/edev', { method: 'POST', headers: { 'content-type': 'application/sep+xml' }, body: `<EndDevice xmlns="urn:ieee:std:2030.5:ns"><sFDI>${sfdiOf(lfdi)}</sFDI><changedTime>0</changedTime></EndDevice>` })
  t.equal(registered.status, 201, 'the allow list knows the new certificate')
  const at = String(registered.headers.location), pin = /<pIN>\d+</.exec((await asDevice(second, keys[1], `${at}/rg`)).body)?.[0]
  t.equal(pin, `<pIN>${Number((await api('GET', `/certificates/${lfdi}`)).json<{ pin: string }>().pin)}<`)
  const third = await post('simplereenroll', keys[2], { tls: as(second, keys[1]) })
  t.equal(await post('simplereenroll', keys[2], { tls: as(second, keys[1]) }), third)
  t.match((await asDevice(third, keys[2], at)).body, new RegExp(`<lFDI>${lfdiOf(certificatesFrom(third)[0]!)}<`), 'the EndDevice keeps its address')
})
