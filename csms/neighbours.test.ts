import t from 'tap'
import type { DeliveryOrder } from '#core/port/dispatch-channel.js'
import { silent } from '#core/port/log.js'
import { postgresBus } from '#prisma/bus.js'
import { bench, HandStation, password, station } from './fixture.js'
import { listening } from './fixture-second.js'

t.setTimeout(300_000)

t.test('a station on process 1 is commanded from process 2, and moves between them with its orders', async (t) => {
  const b = await bench({ stations: ['CS001', 'CS002', 'CS003'], twin: true })
  t.teardown(() => b.close())
  const two = await listening(b)
  t.teardown(() => two.close())
  const s = await station(b, 'CS001')
  s.replies['ClearCache'] = { status: 'Accepted' }
  s.replies['SetChargingProfile'] = { status: 'Accepted' }
  s.replies['ClearChargingProfile'] = { status: 'Accepted' }

  await t.test('stack.md a command reaches a station on another process, and as many as are asked', async (t) => {
    const ask = (): Promise<unknown> => two.csms.command('CS001', 'ClearCache', {})
    await s.until(() => two.csms.fleet.online().length === 0)
    let first = await ask()
    for (let i = 0; i < 50 && (first as { kind: string }).kind !== 'answered'; i += 1) {
      await new Promise((turn) => setTimeout(turn, 20))
      first = await ask()
    }
    t.match(first, { kind: 'answered', payload: { status: 'Accepted' } })
    const many = await Promise.all(Array.from({ length: 40 }, ask))
    t.ok(many.every((r) => (r as { kind: string }).kind === 'answered'))
    s.replies['DataTransfer'] = (p) => ({ status: (p['data'] as string).length === 30_000 ? 'Accepted' : 'Rejected' })
    const big = await two.csms.command('CS001', 'DataTransfer', { vendorId: 'x', data: '€'.repeat(30_000) })
    t.match(big, { kind: 'answered', payload: { status: 'Accepted' } }, 'long words arrive whole')
  })

  const order = (id: string, station: string): DeliveryOrder => {
    const start = Math.floor(Date.now() / 1000) + 600, end = start + 3600
    return {
      id, tenant: 'test', dispatch: 'D', revision: 1, program: { id: 'p', name: 'peak' }, resource: { id: `res-${station}`, name: station, kind: 'evse', rated_W: 22_000, servicePoint: 'sp' },
      binding: { protocol: 'ocpp', remoteId: station, control: true, evseId: 1 }, start, end,
      intervals: [{ start, end, delta_W: -5000, expected_W: 7000, setpoint_W: 2000, limitImport_W: 2000 }], randomize_s: 0, expiry: end + 3600, priority: 1, reportEvery_s: 900, createdAt: 0,
    }
  }
  const states = (id: string): string[] => b.happenings.filter((h) => h.delivery === id).map((h) => h.state)

  await t.test('an order given on process 2 is carried by the process that has the station; its page comes from there', async (t) => {
    t.match(await two.csms.channel.send([order('far', 'CS001'), order('none', 'NOBODY')]), [{ id: 'far', outcome: 'sent' }, { id: 'none', outcome: 'refused' }])
    await s.until(() => states('far').includes('accepted'))
    t.match(await two.csms.viewElsewhere('test', 'CS001'), { id: 'CS001', online: true, profiles: [{ delivery: 'far', state: 'installed' }] })
    t.equal(await b.csms.viewElsewhere('test', 'CS001'), undefined, 'its own it has itself')
  })

  await t.test('OCPP-011, REL-041 the station connects to process 2: the older socket ends, the order can be taken back there', async (t) => {
    const again = new HandStation(two.url, 'CS001', { password: password('CS001') })
    again.replies['ClearChargingProfile'] = { status: 'Accepted' }
    t.equal(await again.open(), 101)
    await s.until(() => s.closed !== undefined)
    t.equal(s.closed?.code, 1000)
    t.equal((await again.call('Heartbeat', {}))[0], 3, 'still registered (OCPP-017)')
    t.match(await b.csms.channel.cancel([order('far', 'CS001')], 'x'), [{ id: 'far', outcome: 'sent' }])
    await again.until(() => states('far').includes('cancelled'))
    t.equal(again.calls.filter((c) => c.action === 'ClearChargingProfile').length, 1)
    await again.close()
  })

  await t.test('OCPP-068, 248 an order for an absent station reaches it wherever it comes back', async (t) => {
    for (const [i, url] of [b.url, two.url].entries()) {
      const id = `CS00${i + 2}`, name = `absent${i}`
      t.match(await (i === 0 ? two : b).csms.channel.send([order(name, id)]), [{ outcome: 'sent' }])
      const back = new HandStation(url, id, { password: password(id) })
      back.replies['SetChargingProfile'] = { status: 'Accepted' }
      await back.open()
      await back.boot()
      await back.until(() => states(name).includes('accepted'))
      t.same(states(name), ['accepted'])
      t.equal(back.calls.filter((c) => c.action === 'SetChargingProfile').length, 1, 'once')
      await back.close()
    }
  })
})

t.test('the bus: order of one sender, long words, a broken connection is told', async (t) => {
  const b = await bench({ stations: [] })
  t.teardown(() => b.close())
  const one = postgresBus({ connectionString: b.database.url }, silent), two = postgresBus({ connectionString: b.database.url }, silent)
  t.teardown(() => Promise.all([one.close(), two.close()]))
  const heard: unknown[] = []
  await two.subscribe('c', (m) => heard.push(m))
  const long = { text: '😀'.repeat(20_000) }
  await Promise.all([1, 2, 3].map((n) => one.publish('c', n)))
  await one.publish('c', long)
  await one.publish('c', 4)
  for (let i = 0; i < 500 && heard.length < 5; i += 1) await new Promise((turn) => setTimeout(turn, 10))
  t.same(heard, [1, 2, 3, long, 4])
  const gap = new Promise<void>((told) => two.onGap(told))
  await b.database.stores.documents.count('test', { kind: 'x' })
  const { Client } = await import('pg')
  const admin = new Client({ connectionString: b.database.url })
  await admin.connect()
  await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%' and pid <> pg_backend_pid()")
  await admin.end()
  await gap
  await one.publish('c', 'after')
  for (let i = 0; i < 500 && heard.length < 6; i += 1) await new Promise((turn) => setTimeout(turn, 10))
  t.equal(heard.at(-1), 'after')
})
