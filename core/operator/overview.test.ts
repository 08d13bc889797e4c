import t from 'tap'
import { assemble } from '#core/assemble.js'
import { system, type Role } from '#core/caller.js'
import { buildOperator } from '#core/operator/door.js'
import { handClock } from '#core/port/clock.js'
import type { DispatchChannel } from '#core/port/dispatch-channel.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import { createToken } from '#core/token/token.js'
import { testDatabase } from '#prisma/test-database.js'

t.setTimeout(240_000)
/** Noon in Denver on a Wednesday. */
const noon = Date.UTC(2026, 6, 15, 18)

t.test('what the console reads and how people sign in', async (t) => {
  const { database, close } = await testDatabase(), clock = handClock(noon), core = assemble({ database, clock, ids: randomIds(clock.nowMs), log: silent })
  const channel: DispatchChannel = { protocol: 'openadr', send: async (o) => o.map(({ id }) => ({ id, outcome: 'acknowledged' })), cancel: async (o) => o.map(({ id }) => ({ id, outcome: 'acknowledged' })) }
  core.connect({ openadr: channel })
  const app = await buildOperator({ core, log: silent, version: '0.0.0' })
  t.teardown(async () => { await app.close(); await core.timetable.stop(); await close() })
  const token = async (role: Role, user: string): Promise<string> => (await core.transact((w) => createToken(w, system('default'), { role, user }))).token
  const as = (secret: string) => async (method: 'GET' | 'POST' | 'PATCH', url: string, payload?: object) => {
    const answer = await app.inject({ method, url: url.startsWith('/') ? url : `/api/v1/${url}`, headers: { authorization: `Bearer ${secret}` }, ...(payload ? { payload } : {}) })
    return { status: answer.statusCode, data: answer.body ? answer.json() : undefined }
  }
  const admin = as(await token('admin', 'anna')), ids: string[] = []
  await admin('POST', 'programs', { name: 'peak', timeZone: 'America/Denver', direction: 'down', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'portfolio' }, currency: 'USD', energyPrice: '0.50', customerShare: '0.70' })
  for (let i = 0; i < 3; i++) {
    await admin('POST', 'service-points', { name: `home-${i}`, gridPath: ['F1'] })
    ids.push((await admin('POST', 'resources', { name: `battery-${i}`, servicePoint: `home-${i}`, kind: 'battery', rated_kW: 5, bindings: [{ protocol: 'openadr', remoteId: `ven-${i}` }] })).data.id)
    const e = (await admin('POST', 'enrolments', { program: 'peak', servicePoint: `home-${i}` })).data
    if (i < 2) for (const to of ['eligible', 'verified', 'active']) await admin('POST', `enrolments/${e.id}/transitions`, { to })
  }
  await admin('POST', 'availability', { resource: 'battery-0', start: '2026-07-15T00:00:00Z', end: '2026-07-17T00:00:00Z', down_W: 4000, up_W: 1000 })

  await t.test('UX-045 enrolled and available power count active enrolments; what nobody said is counted apart', async (t) => {
    const { status, data } = await admin('GET', 'overview')
    t.equal(status, 200)
    t.match(data, { enrolled: { kW: 10, devices: 2, byProtocol: { openadr: 10, ieee2030_5: 0, ocpp: 0 } }, available: { down_kW: 4, up_kW: 1, devices: 1, unknown: 1 }, dispatched: { kW: 0, dispatches: 0 }, live: [], next: [], last: null, trouble: [] })
    t.equal(data.at, new Date(noon).toISOString(), 'with its age')
  })

  await t.test('UX-045 devices of all enrolments, paged', async (t) => {
    const one = (await admin('GET', 'devices?limit=2')).data, two = (await admin('GET', `devices?limit=2&cursor=${one.next}`)).data
    t.same([one.items.length, two.items.length, two.next, one.total], [2, 1, null, 3])
    t.match([...one.items, ...two.items].find((d: { name: string }) => d.name === 'battery-0'), { protocol: 'openadr', remoteId: 'ven-0', enrolment: 'active', available_kW: 4, gridPath: ['F1'], delivery: null })
  })

  await t.test('UX-047 where a service point is: told, shown with its devices, taken back; half a place is none', async (t) => {
    const point = (await admin('GET', 'service-points/home-1')).data
    t.equal(point.location, null)
    t.equal((await admin('PATCH', `service-points/${point.id}`, { location: { latitude: 39.7392 } })).status, 422)
    t.equal((await admin('PATCH', `service-points/${point.id}`, { location: { latitude: 91, longitude: 0 } })).status, 422)
    const place = { latitude: 39.7392, longitude: -104.9903 }
    t.same((await admin('PATCH', `service-points/${point.id}`, { location: place, version: point.version })).data.location, place)
    t.same((await admin('PATCH', `service-points/${point.id}`, { account: 'a' })).data.location, place, 'another change leaves it')
    await clock.advance(4000)
    t.same((await admin('GET', 'devices')).data.items.map((d: { name: string; location: unknown }) => [d.name, d.location]).find(([name]: [string]) => name === 'battery-1'), ['battery-1', place], 'the list of devices, fresh after three seconds')
    t.equal((await admin('PATCH', `service-points/${point.id}`, { location: null })).data.location, null)
  })

  await t.test('UX-049 a device page: last words both ways, its parts of orders, notes that stay', async (t) => {
    core.words.add('default', 'openadr', 'ven-0', { at: noon, request: 'GET /events', status: 200, answer: '[]' })
    t.match((await admin('GET', `devices/${ids[0]}/words`)).data.items, [{ direction: 'out', text: '200\n[]', times: 1 }, { direction: 'in', text: 'GET /events', times: 1 }])
    t.same((await admin('GET', `devices/${ids[1]}/words`)).data.items, [])
    t.equal((await admin('POST', `devices/${ids[0]}/notes`, { text: '' })).status, 422)
    t.match((await admin('POST', `devices/${ids[0]}/notes`, { text: 'call first' })).data, { text: 'call first', by: 'anna' })
    const viewer = as(await token('viewer', 'vera'))
    t.match((await viewer('GET', `devices/${ids[0]}/notes`)).data.items, [{ text: 'call first', by: 'anna' }])
    t.equal((await viewer('POST', `devices/${ids[0]}/notes`, { text: 'x' })).status, 403)
    const order = (await admin('POST', 'dispatches', { program: 'peak', power_kW: 2, start: '2026-07-16T16:00:00-06:00', end: '2026-07-16T17:00:00-06:00' })).data, told = order.allocation.byResource[0].resource
    t.match((await admin('GET', `devices/${told}/deliveries`)).data.items, [{ dispatch: order.id, resource: told }])
    t.same((await admin('GET', `devices/${ids[2]}/deliveries`)).data.items, [])
    await admin('POST', `dispatches/${order.id}/cancel`)
    for (const what of ['words', 'notes', 'deliveries']) t.equal((await admin('GET', `devices/00000000-0000-7000-8000-000000000000/${what}`)).status, 404)
  })

  await t.test('UX-046 progress says that it is provisional, and why there is no baseline without history', async (t) => {
    const made = (await admin('POST', 'dispatches', { program: 'peak', power_kW: 3, start: '2026-07-15T16:00:00-06:00', end: '2026-07-15T17:00:00-06:00' })).data
    const { status, data } = await admin('GET', `dispatches/${made.id}/progress`)
    t.equal(status, 200)
    t.match(data, { provisional: true, status: 'INSUFFICIENT_DATA', ordered_kW: 3, delivered_kWh: null, intervalsDone: 0 })
    t.equal(data.intervals.filter((i: { phase: string }) => i.phase === 'event').length, 4)
    t.equal((await admin('GET', 'dispatches/00000000-0000-7000-8000-000000000000/progress')).status, 404)
  })
})
