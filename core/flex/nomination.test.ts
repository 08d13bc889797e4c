import t from 'tap'
import { caller, homes, testDoor, type Call } from '#core/operator/test-door.js'
import { system } from '#core/caller.js'
import { createToken } from '#core/token/token.js'

t.setTimeout(240_000)

const noon = Date.UTC(2026, 6, 15, 18), at = (hour: number): string => `2026-07-15T${hour}:00:00Z`

t.test('core-dr.md §3 Nomination: offered, then accepted, withdrawn or expired; never more than the owner has (CORE-035)', async (t) => {
  const { as, core, clock } = await testDoor(t, { nowMs: noon }), call = await as('admin', 'ada')
  await homes(call, 2)
  await call('POST', 'aggregations', { name: 'market-1', hierarchy: 'market', members: ['battery-0', 'battery-1'] })
  const enrolment = (await call('GET', 'enrolments')).data.items[0].id
  const offer = (body: object) => call('POST', 'nominations', { program: 'peak', start: at(20), duration: 'PT1H', ...body })
  const first = await offer({ enrolment, power_kW: 3, price: '0.40' })
  t.equal(first.statusCode, 201)
  t.match(first.headers['location'], `/api/v1/nominations/${first.data.id}`)
  t.match(first.data, { state: 'offered', power_kW: 3, price: '0.40', start: at(20), end: at(21), expiresAt: at(20), version: 1, owner: { kind: 'enrolment', id: enrolment } })
  const move = (id: string, to: string, more: object = {}) => call('POST', `nominations/${id}/transitions`, { to, ...more })
  t.equal((await move(first.data.id, 'accepted', { version: 9 })).statusCode, 412)
  t.match((await move(first.data.id, 'accepted')).data, { state: 'accepted', version: 2, history: [{ to: 'offered' }, { from: 'offered', to: 'accepted', by: 'ada' }] })
  t.equal((await move(first.data.id, 'withdrawn')).statusCode, 409, 'accepted is a commitment')

  const second = (await offer({ enrolment, power_kW: 3, start: '2026-07-15T20:30:00Z' })).data
  t.match(await move(second.id, 'accepted'), { statusCode: 409, data: { faults: [{ reason: '2 kW are left' }] } }, '5 kW are installed')
  t.equal((await move((await offer({ enrolment, power_kW: 2, start: '2026-07-15T20:30:00Z' })).data.id, 'accepted')).statusCode, 200)
  t.equal((await move((await offer({ enrolment, power_kW: 5, start: at(22) })).data.id, 'accepted')).statusCode, 200, 'another hour')
  t.equal((await move((await offer({ aggregation: 'market-1', power_kW: 10 })).data.id, 'accepted')).statusCode, 200, 'a portfolio promises what its members have')
  t.equal((await move((await offer({ aggregation: 'market-1', power_kW: 1 })).data.id, 'accepted')).statusCode, 409)

  t.equal((await move(second.id, 'withdrawn', { reason: 'changed my mind' })).data.state, 'withdrawn')
  t.equal((await move(second.id, 'accepted')).statusCode, 409)
  const late = (await offer({ enrolment, power_kW: 1, start: at(23), expiresAt: at(19) })).data
  t.equal((await move(late.id, 'expired')).statusCode, 409, 'its time is not over')
  core.timetable.start()
  await clock.set(Date.parse(at(19)) + 1)
  await core.timetable.settled()
  t.match((await call('GET', `nominations/${late.id}`)).data, { state: 'expired', history: [{}, { by: 'system' }] })
  t.equal((await call('GET', 'nominations?state=accepted')).data.items.length, 4)
  t.equal((await call('GET', `nominations?program=peak&owner=${enrolment}`)).data.items.length, 5)
  t.same((await call('GET', 'nominations?limit=2')).data.next, '2')
})

t.test('what cannot be promised is refused: nobody or two owners, no power, off the program\'s intervals, in the past, not active', async (t) => {
  const { as } = await testDoor(t, { nowMs: noon }), call = await as('admin', 'ada')
  await homes(call, 1)
  const enrolment = (await call('GET', 'enrolments')).data.items[0].id
  const status = async (body: object): Promise<number> => (await call('POST', 'nominations', { program: 'peak', enrolment, start: at(20), duration: 'PT1H', power_kW: 1, ...body })).statusCode
  t.same([await status({ enrolment: undefined }), await status({ aggregation: 'x' }), await status({ power_kW: 0 }), await status({ start: '2026-07-15T20:07:00Z' }), await status({ start: at(10) }), await status({ expiresAt: at(23) })], [422, 422, 422, 422, 422, 422])
  t.same([await status({ enrolment: 'nobody' }), await status({ program: 'nobody' })], [404, 404])
  await call('POST', `enrolments/${enrolment}/transitions`, { to: 'suspended' })
  t.equal(await status({}), 409)
})

t.test('CORE-056, SEC-030 the flex loop: offers expire and can be revoked, a covered need closes, and a token for other programs sees none of it', async (t) => {
  const { as, app, core, clock } = await testDoor(t, { nowMs: noon }), call = await as('admin', 'ada')
  await homes(call, 4)
  await call('POST', 'programs', { name: 'other', timeZone: 'UTC', direction: 'down', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'portfolio' }, currency: 'USD', customerShare: '0.7' })
  const limited = async (program: string): Promise<Call> => caller(app, (await core.transact(async (w) => createToken(w, system('default'), { role: 'operator', programs: [(await w.stores.programs.find('default', program))!.id] }))).token)
  const mine = await limited('peak'), theirs = await limited('other')
  const isps = [{ isp: 1, power_kW: 8 }, { isp: 2, power_kW: 8 }]
  const request = (await mine('POST', 'flex-requests', { program: 'peak', periodStart: at(20), isps, expiresAt: at(19) })).data
  t.equal((await theirs('POST', 'flex-requests', { program: 'peak', periodStart: at(20), isps, expiresAt: at(19) })).statusCode, 404)
  const offer = async (power_kW: number, by = mine) => await by('POST', 'flex-offers', { request: request.id, isps: isps.map((i) => ({ ...i, power_kW })), price: '0.40', expiresAt: at(19) })
  t.equal((await offer(4, theirs)).statusCode, 404)
  const [a, b, c] = [(await offer(4)).data, (await offer(4)).data, (await offer(4)).data]
  t.same([(await theirs('GET', 'flex-requests')).data.items.length, (await theirs('GET', 'flex-offers')).data.items.length, (await theirs('GET', `flex-offers/${a.id}`)).statusCode, (await theirs('POST', `flex-offers/${a.id}/revoke`, {})).statusCode, (await theirs('POST', 'flex-orders', { offer: a.id })).statusCode], [0, 0, 404, 404, 404])
  t.equal((await mine('GET', 'flex-offers')).data.items.length, 3)
  t.equal((await mine('GET', 'flex-requests?program=peak')).data.items.length, 1, 'by name')
  t.equal((await mine('POST', `flex-offers/${c.id}/revoke`, { reason: 'rain' })).data.state, 'revoked')
  t.equal((await mine('POST', 'flex-orders', { offer: c.id })).statusCode, 409)
  t.equal((await mine('POST', 'flex-orders', { offer: a.id })).statusCode, 201)
  t.equal((await mine('GET', `flex-requests/${request.id}`)).data.state, 'open', 'half of it is covered')
  t.equal((await mine('POST', 'flex-orders', { offer: b.id })).statusCode, 201)
  t.equal((await mine('GET', `flex-requests/${request.id}`)).data.state, 'ordered')
  t.equal((await offer(1)).statusCode, 409, 'and takes no more offers')
  const open = (await mine('POST', 'flex-requests', { program: 'peak', periodStart: at(22), isps, expiresAt: at(19) })).data
  await clock.set(Date.parse(at(19)))
  t.equal((await mine('GET', `flex-requests/${open.id}`)).data.state, 'expired')
  t.equal((await mine('POST', 'stop', { scope: 'all' })).statusCode, 403, 'SEC-031 a token for one program does not stop the others')
  t.equal((await theirs('POST', 'stop', { program: 'peak' })).statusCode, 404)
  t.equal((await mine('POST', 'stop', { program: 'peak' })).statusCode, 201)
})
