import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { WebSocket } from 'ws'
import { readSettings } from '#cli/settings.js'
import { handClock } from '#core/port/clock.js'
import { silent } from '#core/port/log.js'
import { build } from '#main.js'
import { portBase } from '#main/test-ports.js'

t.setTimeout(600_000)

const until = async (what: () => Promise<boolean> | boolean): Promise<void> => {
  for (const end = performance.now() + 60_000; performance.now() < end; await new Promise((done) => setTimeout(done, 25))) if (await what()) return
  throw new Error('it did not come to be')
}

const day = 86_400, customers = 100

t.test('CORE-193, §17.5 the five steps through all three doors: 100 customers of 2 MW, the market resource, 200 MW offered for 16:00-20:00, dispatched on the wire, settled', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'loadstone-193-')), at = (...parts: string[]): string => join(folder, ...parts), pem = (file: string): string => readFileSync(at('pki', file), 'utf8')
  const clock = handClock(Date.now()), { settings, resolved } = await readSettings({ data: folder, portBase: await portBase(30_000) }, {}, { host: 'loopback', vtnHttpPort: 8082, rateLimits: false })
  const server = await build({ settings, resolved, data: { path: folder, at }, clock, log: silent, seed: 'conformance' }), { ready, core } = server
  t.teardown(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  const call = async (method: string, path: string, body?: unknown, token = ready.operatorToken): Promise<any> => {
    const text = typeof body === 'string', answer = await fetch(`${ready.operator}/api/v1/${path}`, { method, headers: { authorization: `Bearer ${token}`, 'content-type': text ? 'application/x-ndjson' : 'application/json' }, ...(body === undefined ? {} : { body: text ? body : JSON.stringify(body) }) })
    const data = await answer.json()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(data).slice(0, 500)}`)
    return data
  }
  const vtn = async (method: string, path: string, token: string, body?: unknown): Promise<any> => {
    const answer = await fetch(`${ready.vtnHttp}${path}`, { method, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${(await answer.text()).slice(0, 300)}`)
    return answer.json()
  }
  const tokenOf = async (client_id: string, client_secret: string): Promise<string> => ((await (await fetch(`${ready.vtnHttp}/auth/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret }) })).json()) as { access_token: string }).access_token
  const csip = (method: string, path: string, body = ''): Promise<{ status: number; body: string; location: string }> => new Promise((done, fail) => {
    const sent = request(new URL(path, ready.csip), {
      method, agent: false, ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', ecdhCurve: 'prime256v1', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', key: pem('device-1.key'), cert: pem('device-1.pem') + pem('chain.pem'), ca: pem('serca.pem'), checkServerIdentity: () => undefined,
      headers: { 'accept': 'application/sep+xml', 'content-type': 'application/sep+xml', 'content-length': String(Buffer.byteLength(body)) },
    } as object, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (d: Buffer) => parts.push(d)).on('end', () => done({ status: answer.statusCode ?? 0, body: Buffer.concat(parts).toString(), location: String(answer.headers.location ?? '') })).on('error', fail)
    })
    sent.on('error', fail).end(body)
  })

  // the event: 16:00 to 20:00 on a Wednesday at least two days ahead
  const midnight = Math.floor(clock.now() / day) * day, weekday = new Date(midnight * 1000).getUTCDay(), eventDay = midnight + (2 + ((8 - weekday) % 7)) * day
  const start = eventDay + 16 * 3600, end = start + 4 * 3600, iso = (s: number): string => new Date(s * 1000).toISOString()
  const { lfdi } = (JSON.parse(pem('lfdi.json')) as Record<string, { lfdi: string }>)['device-1']!, names = Array.from({ length: customers }, (_, i) => `plant-${i}`)
  const bindings = (i: number): object[] => (i === 1 ? [{ protocol: 'ieee2030_5', remoteId: lfdi }] : i === 2 ? [{ protocol: 'ocpp', remoteId: 'CS001', evseId: 1 }] : [{ protocol: 'openadr', remoteId: names[i] }])

  await clock.set((eventDay + 11 * 3600) * 1000)

  // 1. the customers: a plant with a VEN, a store behind an inverter, a depot behind a charging station, and 97 more plants
  for (const seeded of ['device-1', 'CS001']) await call('PATCH', `resources/${seeded}`, { state: 'retired', bindings: [] })
  const sites = names.filter((_, i) => i === 0 || i > 2), vens = new Map<string, { id: string; secret: string }>()
  const { items: clients } = await call('POST', 'openadr/clients', sites.map((clientID) => ({ clientID, role: 'VEN' }))) as { items: { clientID: string; clientSecret: string }[] }
  for (const { clientID, clientSecret } of clients) vens.set(clientID, { secret: clientSecret, id: (await vtn('POST', '/vens', await tokenOf(clientID, clientSecret), { objectType: 'VEN_VEN_REQUEST', venName: clientID })).id })
  const socket = new WebSocket(`${ready.ocpp}/CS001`, ['ocpp2.0.1'], { headers: { authorization: `Basic ${Buffer.from('CS001:loadstone-CS001-pass').toString('base64')}` } }), profiles: any[] = [], answered: string[] = []
  socket.on('message', (data) => {
    const [kind, id, action, payload] = JSON.parse(String(data)) as [number, string, string, any]
    if (kind === 3) answered.push(id)
    if (kind !== 2) return
    if (action === 'SetChargingProfile') profiles.push(payload)
    socket.send(JSON.stringify(action === 'SetChargingProfile' || action === 'ClearChargingProfile' ? [3, id, { status: 'Accepted' }] : [4, id, 'NotSupported', '', {}]))
  })
  await once(socket, 'open')
  socket.send(JSON.stringify([2, 'boot', 'BootNotification', { reason: 'PowerUp', chargingStation: { model: 'depot', vendorName: 'test' } }]))
  await until(() => answered.includes('boot'))
  await call('POST', 'programs', { name: 'market', timeZone: 'UTC', direction: 'down', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'portfolio' }, currency: 'USD', energyPrice: '0.50', customerShare: '0.70' })
  await call('POST', 'service-points', names.map((name) => ({ name, gridPath: ['F9'] })))
  await call('POST', 'resources', names.map((name, i) => ({ name, servicePoint: name, kind: i === 1 ? 'battery' : i === 2 ? 'evse' : 'building', rated_kW: 2000, bindings: bindings(i) })))
  await call('POST', 'enrolments', names.map((name) => ({ program: 'market', servicePoint: name, nominated_kW: 2000, to: 'active', consent: { purpose: 'settlement', grantedAt: '2026-01-01T00:00:00Z' } })))
  await call('POST', 'availability', { availability: names.map((name) => ({ resource: name, start: iso(start), end: iso(end), down_kW: 2000, up_kW: 0, expected_W: 3_000_000 })) })
  const rows = (name: string, offset: number, Wh: (s: number) => number): string[] => Array.from({ length: 32 }, (_, q) => eventDay + offset * day + 12 * 3600 + q * 900).map((s) => JSON.stringify({ servicePoint: name, start: iso(s), minutes: 15, Wh: Wh(s) }))
  await call('POST', 'readings', names.flatMap((n) => Array.from({ length: 20 }, (_, d) => rows(n, -d - 1, () => 750_000)).flat()).join('\n'))

  // 2. the market resource
  await call('POST', 'aggregations', { name: 'portfolio', hierarchy: 'market', members: names })
  await call('POST', 'market-resources', { name: 'DR_200', market: 'iso', aggregation: 'portfolio', direction: 'down', capability_kW: 200_000, method: 'CAISO_10IN10', metering: { intervalMinutes: 15, level: 'portfolio' } })
  for (const to of ['submitted', 'accepted']) await call('POST', 'market-resources/DR_200/transitions', { to })

  // 3. the offer, 4. the dispatch
  const isps = Array.from({ length: 16 }, (_, i) => ({ isp: i + 1, power_kW: 200_000 }))
  const need = await call('POST', 'flex-requests', { program: 'market', periodStart: iso(start), isps, expiresAt: iso(start - 3600) })
  const offer = await call('POST', 'flex-offers', { request: need.id, isps, price: '0.50', expiresAt: iso(start - 3600) })
  const order = await call('POST', 'flex-orders', { offer: offer.id })
  t.equal(order.dispatches.length, 1)
  const dispatch = await call('GET', `dispatches/${order.dispatches[0]}`)
  t.match(dispatch, { power_kW: 200_000, allocation: { total_kW: 200_000, shortfall_kW: 0, byProtocol: { openadr: 196_000, ieee2030_5: 2000, ocpp: 2000 } } })
  await core.timetable.settled()
  // every plant asks for its events: what nobody fetches in time is noComms (CORE-103)
  const seen = new Map<string, any[]>()
  for (const [name, { secret }] of vens) seen.set(name, await vtn('GET', '/events', await tokenOf(name, secret)))
  const ordered = (events: any[]): any[] => events.filter((e) => e.intervals?.[0]?.payloads?.[0]?.type === 'DISPATCH_SETPOINT_RELATIVE')
  t.ok([...seen.values()].every((events) => ordered(events).length === 1), 'one order for each, and nobody else\'s')
  const [mine] = ordered(seen.get('plant-0')!)
  t.match(mine, { intervalPeriod: { start: /T16:00:00/ } })
  t.same(mine.intervals.map((x: { payloads: { values: number[] }[] }) => x.payloads[0]!.values[0]), Array(mine.intervals.length).fill(-2000), 'OpenADR: 2 MW less …')
  const minutes = (s: string): number => Number(/(\d+)H/.exec(s)?.[1] ?? 0) * 60 + Number(/(\d+)M/.exec(s)?.[1] ?? 0)
  t.equal(minutes(mine.intervalPeriod.duration) * mine.intervals.length, 240, '… for four hours')
  const place = (await call('GET', `resources/plant-1`)).failSafe.at.replace('/dderc', '/derc'), controls = (await csip('GET', `${place}?l=50`)).body
  t.match(controls, new RegExp(`<duration>14400</duration><start>${start}</start>`), '2030.5: one control, four hours')
  const power = /<opModTargetW><multiplier>(-?\d+)<\/multiplier><value>(-?\d+)<\/value>/.exec(controls)
  t.equal(Number(power?.[2]) * 10 ** Number(power?.[1]), -1_000_000, 'of 3 MW one is left, and consumption is negative there')
  await until(() => profiles.length > 0)
  t.match(profiles.at(-1), { evseId: 1, chargingProfile: { chargingSchedule: [{ chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit: 1_000_000 }] }] } }, 'OCPP: a ceiling of what is left')
  t.equal(Date.parse(profiles.at(-1).chargingProfile.validTo) >= end * 1000, true)

  // the event passes; each door brings what it measured
  await clock.set((end + 60) * 1000)
  await core.timetable.settled()
  t.ok(seen.get('plant-0')!.some((e) => String(e.eventName).endsWith('metering')), 'it was asked for its energy')
  const later = await tokenOf('plant-0', vens.get('plant-0')!.secret)
  await vtn('POST', '/reports', later, { programID: mine.programID, eventID: mine.id, clientName: 'plant-0', payloadDescriptors: [{ objectType: 'REPORT_PAYLOAD_DESCRIPTOR', payloadType: 'USAGE', units: 'KWH' }], resources: [{ resourceName: 'plant-0', intervalPeriod: { start: iso(start), duration: 'PT15M' }, intervals: Array.from({ length: 16 }, (_, id) => ({ id, payloads: [{ type: 'USAGE', values: [250] }] })) }] })
  const xml = (name: string, inner: string): string => `<${name} xmlns="urn:ieee:std:2030.5:ns">${inner}</${name}>`
  const type = '<ReadingType><accumulationBehaviour>4</accumulationBehaviour><flowDirection>1</flowDirection><intervalLength>900</intervalLength><powerOfTenMultiplier>3</powerOfTenMultiplier><uom>72</uom></ReadingType>'
  const mirror = await csip('POST', '/mup', xml('MirrorUsagePoint', `<mRID>0193</mRID><description>store</description><roleFlags>0003</roleFlags><serviceCategoryKind>0</serviceCategoryKind><status>1</status><deviceLFDI>${lfdi}</deviceLFDI><MirrorMeterReading><mRID>0194</mRID>${type}</MirrorMeterReading>`))
  const set = await csip('POST', mirror.location, xml('MirrorMeterReading', `<mRID>0194</mRID><MirrorReadingSet><mRID>0195</mRID><timePeriod><duration>14400</duration><start>${start}</start></timePeriod>${Array.from({ length: 16 }, (_, i) => `<Reading><timePeriod><duration>900</duration><start>${start + i * 900}</start></timePeriod><value>250</value></Reading>`).join('')}</MirrorReadingSet>`))
  t.equal(set.status, 201, set.body)
  await call('POST', 'readings', names.flatMap((n, i) => rows(n, 0, (s) => (s < start ? 750_000 : 250_000)).filter((r) => i > 1 || Date.parse((JSON.parse(r) as { start: string }).start) / 1000 < start)).join('\n'))
  const sources = async (name: string): Promise<string[]> => [...new Set(((await call('GET', `readings?servicePoint=${name}&from=${iso(start)}&to=${iso(end)}`)).items as { source: string }[]).map((r) => r.source.split(':')[0]!))]
  await until(async () => (await sources('plant-0')).length > 0 && (await sources('plant-1')).length > 0)
  t.same([await sources('plant-0'), await sources('plant-1'), await sources('plant-2')], [['openadr'], ['ieee2030_5'], ['import']])
  await call('POST', `dispatches/${dispatch.id}/verify`, {})
  t.match(await call('GET', `dispatches/${dispatch.id}/performance`), { status: 'OK', baseline_kWh: 1_200_000, metered_kWh: 400_000, delivered_kWh: 800_000, performance: 1 })

  // 5. the settlement, with an aggregator share of 30 %
  const token = async (role: string, user: string): Promise<string> => (await call('POST', 'tokens', { role, user })).token
  const sofia = await token('settlement', 'sofia'), amir = await token('approver', 'amir'), run = await call('POST', 'settlement-runs', { program: 'market', from: iso(eventDay), to: iso(eventDay + day) }, sofia)
  await call('POST', `settlement-runs/${run.id}/approve`, {}, amir)
  t.match(await call('POST', `settlement-runs/${run.id}/issue`, {}, sofia), { state: 'issued', revenue: '400000.00', customerPool: '280000.00', aggregator: '120000.00' })
  t.match((await call('GET', `statements?run=${run.id}&limit=1000`)).items.map((s: { amount: string }) => s.amount), Array(customers).fill('2800.00'))
  t.match(await call('GET', 'audit/verify'), { verified: true })
  socket.close()
})
