import { Client } from 'pg'
import t from 'tap'
import { homes, testDoor } from '#core/operator/test-door.js'
import type { DeliveryOrder, DispatchChannel } from '#core/port/dispatch-channel.js'

t.setTimeout(240_000)

const fleet = 300

t.test(`CORE-204, REL-066 ${fleet} orders and a database that takes no writes: POST /stop answers 201, every device is told, and it is stored when writing is possible again`, async (t) => {
  const { core, clock, url, as } = await testDoor(t, { nowMs: Date.UTC(2026, 6, 15, 18) }), call = await as('admin'), told = new Set<string>()
  const channel: DispatchChannel = {
    protocol: 'openadr', send: async (o) => o.map(({ id }) => ({ id, outcome: 'acknowledged' })),
    cancel: async (orders: readonly DeliveryOrder[]) => {
      for (const o of orders) told.add(o.id)
      return orders.map(({ id }) => ({ id, outcome: 'acknowledged' }))
    },
  }
  core.connect({ openadr: channel })
  await homes(call, fleet)
  const window = { start: '2026-07-15T20:00:00Z', duration: 'PT1H' }
  const order = await call('POST', 'dispatches', { program: 'peak', power_kW: fleet * 5, ...window })
  t.equal(order.statusCode, 201)
  core.timetable.start()
  await core.timetable.settled()

  // one that is stopped in its tracks at the database itself: the default of every new transaction
  const admin = new Client({ connectionString: url }), database = new URL(url).pathname.slice(1)
  await admin.connect()
  t.teardown(() => admin.end())
  await admin.query(`alter database "${database}" set default_transaction_read_only = on`)
  await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()', [database])
  t.match((await call('POST', 'service-points', { name: 'late' })).statusCode, 503, 'it takes no writes')
  const stopped = await call('POST', 'stop', { scope: 'all', reason: 'fire' })
  t.equal(stopped.statusCode, 201)
  t.match(stopped.data, { id: null, stored: false, devices: fleet })
  t.equal(told.size, fleet, 'each of them over its own channel')
  t.ok(core.stop.stopped('default', 'any', 'any'), 'and nothing new goes out of this process')

  await admin.query(`set default_transaction_read_only = off; alter database "${database}" set default_transaction_read_only = off`)
  await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()', [database])
  for (let i = 0; i < 200 && (await core.stop.list('default').catch(() => [])).length === 0; i++) {
    await clock.advance(1000)
    await new Promise((done) => setTimeout(done, 20))
  }
  t.equal((await call('GET', `dispatches/${order.data.id}`)).data.state, 'cancelled')
  const trail = (await call('GET', `audit?entity=${(await core.stop.list('default'))[0]!.id}`)).data.items.filter((r: { action: string }) => r.action === 'stop.set')
  t.equal(trail.length, 1, 'itself audited, once')
  t.match(await call('POST', 'dispatches', { program: 'peak', power_kW: 5, ...window }), { statusCode: 409, data: { checks: [{ check: 'stop' }] } })
})

t.test('CORE-204 a stop of a node, a program or a resource ends control there and nowhere else; lifting lets new orders in', async (t) => {
  const { core, as } = await testDoor(t, { nowMs: Date.UTC(2026, 6, 15, 18) }), call = await as('admin')
  await homes(call, 4)
  const window = { start: '2026-07-15T20:00:00Z', duration: 'PT1H' }
  const order = (await call('POST', 'dispatches', { program: 'peak', power_kW: 20, ...window })).data
  core.timetable.start()
  await core.timetable.settled()
  const states = async (): Promise<Record<string, string>> => Object.fromEntries((await call('GET', `dispatches/${order.id}/deliveries`)).data.items.map((d: { resourceName: string; state: string }) => [d.resourceName, d.state]))
  t.match((await call('POST', 'stop', { node: 'F0', reason: 'work on the line' })).data, { scope: 'node', stored: true, devices: 2 })
  await core.timetable.settled()
  t.match(await states(), { 'battery-0': 'cancelled', 'battery-1': 'accepted', 'battery-2': 'cancelled', 'battery-3': 'accepted' })
  const one = (await call('POST', 'stop', { resource: 'battery-1' })).data
  await core.timetable.settled()
  t.match(await states(), { 'battery-1': 'cancelled', 'battery-3': 'accepted' })
  const later = { start: '2026-07-16T20:00:00Z', duration: 'PT1H', dryRun: true }
  const left = async (): Promise<number> => (await call('POST', 'dispatches', { program: 'peak', power_kW: 20, ...later })).data.allocation.byResource.length
  t.equal(await left(), 1, 'what is stopped is not asked')
  t.equal((await call('POST', `stop/${one.id}/lift`, {})).statusCode, 200)
  t.equal(await left(), 2)
  t.equal((await call('POST', 'stop', { program: 'nobody' })).statusCode, 404)
  t.equal((await call('POST', 'stop', { scope: 'resource', resource: 'nobody' })).statusCode, 404)
})
