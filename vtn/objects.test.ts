import t from 'tap'
import { buildVtn } from '#vtn/server.js'
import { base, bl, sceneOn, startedAt, testVtn, ven } from '#vtn/test-vtn.js'

/** The five verbs: what is kept of an object, what is unique, what it hangs on, what goes with it. */
const v = await testVtn()
t.teardown(() => v.close())
const { event, fresh, program } = sceneOn(v)

t.test('OA-051 OA-052 the VTN assigns metadata and ignores what a client sends for it', async (t) => {
  const answer = await v.call('POST', '/programs', bl, { programName: fresh('meta'), id: 'mine', createdDateTime: 'x', objectType: 'EVENT', modificationDateTime: 1 })
  t.equal(answer.statusCode, 201)
  const p = answer.json()
  t.match(p, { objectType: 'PROGRAM', createdDateTime: new Date(startedAt).toISOString(), modificationDateTime: new Date(startedAt).toISOString() })
  t.match(p.id, /^[a-zA-Z0-9_-]{1,128}$/)
  t.not(p.id, 'mine')
  t.equal((await v.call('GET', answer.headers['location'] as string)).json().id, p.id)
})

t.test('OA-054 PUT replaces the whole, keeps createdDateTime, advances modificationDateTime strictly', async (t) => {
  const p = await program(fresh('put'), { attributes: [{ type: 'LOCAL', values: [true] }] })
  const one = (await v.call('PUT', `/programs/${p.id}`, bl, { programName: p.programName })).json()
  const two = (await v.call('PUT', `/programs/${p.id}`, bl, { programName: p.programName })).json()
  t.equal(one.attributes, undefined)
  t.equal(one.createdDateTime, p.createdDateTime)
  t.ok(one.modificationDateTime > p.modificationDateTime && two.modificationDateTime > one.modificationDateTime)
})

t.test('OA-054 twenty PUTs of one object at once: the last one wins, none is refused, each advances the time', async (t) => {
  const p = await program(fresh('together'))
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => v.call('PUT', `/programs/${p.id}`, 'bl_client', { programName: p.programName, targets: [`t${i}`] })))
  t.same(answers.map((a) => a.statusCode), Array(20).fill(200))
  t.equal(new Set(answers.map((a) => a.json().modificationDateTime)).size, 20)
  const last = answers.map((a) => a.json()).sort((a, b) => (a.modificationDateTime < b.modificationDateTime ? 1 : -1))[0]
  t.same((await v.call('GET', `/programs/${p.id}`)).json(), last)
})

t.test('OA-070 OA-071 numbers, durations, times and order come back as written', async (t) => {
  const p = await program(fresh('literal'))
  const intervals = [
    { id: 7, intervalPeriod: { start: '0001-01-01', duration: 'P9999Y' }, payloads: [{ type: 'PRICE', values: [0.1, 60, -0.0000001] }, { type: 'private', values: [true, 'x', { x: 1, y: 2.5 }] }] },
    { id: -3, intervalPeriod: { start: '2026-01-01T00:00:00.120Z', duration: 'PT24H', randomizeStart: 'PT0S' }, payloads: [] },
    { id: 7, intervalPeriod: { duration: 'P2W' }, payloads: [{ type: 'CURVE', values: [] }] },
  ]
  const e = await event(p.id, { intervals, duration: 'P9999Y0M0DT0H0M0S', intervalPeriod: { start: '0001-01-01T00:00:00' } })
  t.same(e.intervals, intervals)
  t.equal(e.duration, 'P9999Y0M0DT0H0M0S')
  t.equal(e.intervalPeriod.start, '0001-01-01T00:00:00')
  t.same((await v.call('GET', `/events/${e.id}`)).json(), e)
  const offset = await event(p.id, { intervalPeriod: { start: '2026-01-01T01:00:00+01:00' } })
  t.equal(offset.intervalPeriod.start, '2026-01-01T00:00:00Z', 'answers are in UTC')
})

t.test('OA-084 report.clientID comes from the token', async (t) => {
  const p = await program(fresh('client')), e = await event(p.id)
  t.equal((await v.call('POST', '/reports', ven, { eventID: e.id, clientID: 'other', clientName: 'x', resources: [] })).json().clientID, ven)
})

t.test('OA-090 names are unique by constraint: 50 parallel creates give one 201 and 49 409', async (t) => {
  const programName = fresh('race')
  const answers = await Promise.all(Array.from({ length: 50 }, () => v.call('POST', '/programs', bl, { programName })))
  t.same(answers.map((a) => a.statusCode).sort(), [201, ...Array<number>(49).fill(409)])
  const other = await program(fresh('other'))
  t.equal((await v.call('PUT', `/programs/${other.id}`, bl, { programName })).statusCode, 409)
})

t.test('OA-091 OA-092 references: unknown ones are 409, events and reports do not move', async (t) => {
  const a = await program(fresh('ref')), b = await program(fresh('ref'))
  t.equal((await v.call('POST', '/events', bl, { programID: 'nobody' })).statusCode, 409)
  t.equal((await v.call('POST', '/reports', ven, { eventID: 'nobody', clientName: 'x', resources: [] })).statusCode, 409)
  t.equal((await v.call('POST', '/subscriptions', bl, { clientName: 'x', programID: 'nobody', objectOperations: [{ objects: ['EVENT'], operations: ['CREATE'], callbackUrl: 'https://example.com/' }] })).statusCode, 409)
  const e = await event(a.id)
  t.equal((await v.call('PUT', `/events/${e.id}`, bl, { programID: b.id })).statusCode, 400)
  const e2 = await event(a.id)
  const r = (await v.call('POST', '/reports', ven, { eventID: e.id, clientName: 'x', resources: [] })).json()
  t.equal((await v.call('PUT', `/reports/${r.id}`, ven, { eventID: e2.id, clientName: 'x', resources: [] })).statusCode, 400)
})

t.test('OA-093 OA-094 deletes answer the object, take what hangs on it along, and archive it', async (t) => {
  const p = await program(fresh('del')), e = await event(p.id)
  const r = (await v.call('POST', '/reports', ven, { eventID: e.id, clientName: 'x', resources: [] })).json()
  const gone = await v.call('DELETE', `/programs/${p.id}`)
  t.equal(gone.statusCode, 200)
  t.same(gone.json(), p)
  for (const path of [`/programs/${p.id}`, `/events/${e.id}`]) t.equal((await v.call('GET', path)).statusCode, 404, path)
  t.equal((await v.call('GET', `/reports/${r.id}`, ven)).statusCode, 404)
  t.ok(await v.db.stores.documents.get('test', 'vtn/archived-report', r.id))
  t.ok(await v.db.stores.documents.get('test', 'vtn/archived-event', e.id))
})

t.test('OA-093 no orphan survives creates that race with the deletion of their program', async (t) => {
  const p = await program(fresh('orphan'))
  await Promise.all([...Array.from({ length: 20 }, () => v.call('POST', '/events', bl, { programID: p.id })), v.call('DELETE', `/programs/${p.id}`)])
  t.same((await v.call('GET', `/events?programID=${p.id}`)).json(), [])
})

t.test('OA-065 Idempotency-Key: one effect, same answer; another body is a conflict', async (t) => {
  const p = await program(fresh('idem'))
  const send = (eventName: string, as = bl) => v.call('POST', '/events', as, { programID: p.id, eventName }, { 'idempotency-key': 'k1' })
  const a = await send('a'), b = await send('a')
  t.equal(a.json().id, b.json().id)
  t.equal((await send('b')).statusCode, 409)
  const together = await Promise.all(Array.from({ length: 10 }, () => v.call('POST', '/events', bl, { programID: p.id, eventName: 'c' }, { 'idempotency-key': 'k2' })))
  t.equal(new Set(together.map((a) => a.json().id)).size, 1, 'REL-050 also when they come together')
  await v.clock.advance(86_400_000)
  t.equal((await send('b')).statusCode, 201, 'forgotten after 24 hours')
})

t.test('OA-065 the key and the object are one transaction: when the key cannot be kept, nothing is made', async (t) => {
  const p = await program(fresh('crash'))
  const key = { 'idempotency-key': 'crash-key' }
  const broken = await testVtn({}, {})
  t.teardown(() => broken.close())
  const { unitOfWork } = broken.needs.database
  let fail = true
  const failing = { ...broken.needs.database, unitOfWork: { run: <T>(work: Parameters<typeof unitOfWork.run<T>>[0]) => unitOfWork.run<T>((stores) => work({ ...stores, idempotency: { get: stores.idempotency.get.bind(stores.idempotency), put: async (...a: Parameters<typeof stores.idempotency.put>) => { if (fail) throw new Error('killed'); await stores.idempotency.put(...a) } } })) } }
  const w = await buildVtn({ ...broken.needs, database: failing as typeof broken.needs.database })
  const app = await w.door()
  t.teardown(async () => { await w.stop(); await app.close() })
  const bearer = { authorization: `Bearer ${await broken.token()}` }
  const post = () => app.inject({ method: 'POST', url: `${base}/programs`, headers: { ...bearer, ...key }, payload: { programName: 'once' } })
  t.equal((await post()).statusCode, 500)
  t.same((await broken.call('GET', '/programs')).json(), [], 'nothing half-stored')
  fail = false
  t.equal((await post()).statusCode, 201)
  t.equal((await post()).statusCode, 201)
  t.equal((await broken.call('GET', '/programs')).json().length, 1)
  t.ok(p.id)
})
