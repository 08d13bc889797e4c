import t from 'tap'
import { buildVtn } from '#vtn/server.js'
import { base, startedAt, testVtn, type TestVtn } from '#vtn/test-vtn.js'

const v = await testVtn()
t.teardown(() => v.close())
const bl = 'bl_client', ven = 'ven_client', ven2 = 'ven_client2'

const program = async (programName: string, more: object = {}, on: TestVtn = v) => (await on.call('POST', '/programs', bl, { programName, ...more })).json()
const event = async (programID: string, more: object = {}, on: TestVtn = v) => (await on.call('POST', '/events', bl, { programID, ...more })).json()
const names = (list: { eventName?: string; programName?: string }[]) => list.map((o) => o.eventName ?? o.programName)
let made = 0
const fresh = (stem: string): string => `${stem}-${++made}`

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

t.test('OA-007 OA-055 OA-056 OA-072 SEC-041 bad bodies are Problems that name the pointer, and nothing is stored', async (t) => {
  const p = await program(fresh('bad'))
  const before = (await v.call('GET', '/events', bl)).json().length
  const table: [string, string, unknown, number, string?][] = [
    ['missing required', '/programs', {}, 400, '/programName'],
    ['wrong type', '/programs', { programName: 7 }, 400, '/programName'],
    ['too long', '/programs', { programName: 'x'.repeat(129) }, 400, '/programName'],
    ['empty name', '/programs', { programName: '' }, 400, '/programName'],
    ['empty body', '/programs', '', 400, '/'],
    ['not JSON', '/programs', '{"a":', 400],
    ['an array', '/programs', [], 400],
    ['null', '/programs', 'null', 400],
    ['intervals null', '/events', { programID: p.id, intervals: null }, 400, '/intervals'],
    ['intervalPeriod null', '/programs', { programName: 'n', intervalPeriod: null }, 400, '/intervalPeriod'],
    ['bad duration', '/programs', { programName: 'n', intervalPeriod: { duration: 'P' } }, 400, '/intervalPeriod/duration'],
    ['day that does not exist', '/programs', { programName: 'n', intervalPeriod: { start: '2026-02-30T00:00:00Z' } }, 400, '/intervalPeriod/start'],
    ['hour 24', '/programs', { programName: 'n', intervalPeriod: { start: '2026-01-01T24:00:00Z' } }, 400, '/intervalPeriod/start'],
    ['no zone', '/programs', { programName: 'n', intervalPeriod: { start: '2026-02-03T00:00:00' } }, 400, '/intervalPeriod/start'],
    ['negative priority', '/events', { programID: p.id, priority: -1 }, 400, '/priority'],
    ['negative duration, OA-072', '/events', { programID: p.id, intervalPeriod: { start: '2026-01-01T00:00:00Z', duration: '-PT1H' } }, 400, '/intervalPeriod/duration'],
    ['descriptor without objectType, OA-085', '/events', { programID: p.id, payloadDescriptors: [{ payloadType: 'PRICE' }] }, 400],
    ['infinite number, SEC-041', '/events', `{"programID":"${p.id}","intervals":[{"id":0,"payloads":[{"type":"PRICE","values":[1e999]}]}]}`, 400],
    ['lone surrogate, SEC-041', '/programs', '{"programName":"a\\ud800"}', 400, '/programName'],
    ['U+0000, SEC-041', '/programs', '{"programName":"a\\u0000"}', 400, '/programName'],
    ['interval id beyond int32', '/events', { programID: p.id, intervals: [{ id: 2 ** 53, payloads: [] }] }, 400, '/intervals/0/id'],
    ['deep nesting, SEC-041', '/programs', `{"programName":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, 400, '/programName'],
    ['over the limit', '/programs', JSON.stringify({ programName: 'x', attributes: 'y'.repeat(1_100_000) }), 413],
  ]
  for (const [what, path, body, status, pointer] of table) {
    const answer = await v.call('POST', path, bl, body)
    t.equal(answer.statusCode, status, what)
    t.match(answer.json(), { status, title: String, detail: String, type: 'about:blank', instance: /^urn:uuid:/ }, what)
    if (pointer) t.equal(answer.json().faults?.[0]?.path, pointer, `${what}: pointer`)
    t.match(answer.headers['content-type'], /^application\/json/)
  }
  t.equal((await v.call('GET', '/events', bl)).json().length, before)
})

t.test('OA-050 OA-011 every refusal is a Problem of its status, of JSON, that names the request and nothing of our inside', async (t) => {
  const p = await program(fresh('problem')), long = 'x'.repeat(200)
  const table: [number, 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH', string, string | null, unknown?][] = [
    [400, 'POST', '/programs', 'bl_client', {}], [400, 'POST', '/programs', 'bl_client', '{"programName":'], [400, 'POST', '/programs', 'bl_client', ''], [400, 'GET', '/events?limit=51', 'bl_client'],
    [400, 'GET', `/programs/${long}`, 'bl_client'], [400, 'GET', '/programs/a%2Fb', 'bl_client'], [400, 'GET', '/events?targets=%ff', 'bl_client'], [400, 'GET', '/programs/%zz', 'bl_client'],
    [401, 'GET', '/programs', null], [403, 'POST', '/programs', 'ven_client', { programName: 'x' }], [404, 'GET', '/programs/nobody', 'bl_client'], [404, 'GET', '/nothing/here', 'bl_client'], [404, 'GET', '/../..', null],
    [405, 'PATCH', '/programs', 'bl_client', {}], [405, 'DELETE', '/auth/server', null], [409, 'POST', '/programs', 'bl_client', { programName: p.programName }], [413, 'POST', '/programs', 'bl_client', `{"programName":"${'x'.repeat(1_100_000)}"}`],
  ]
  for (const [status, method, path, as, body] of table) {
    const what = `${status} ${method} ${path.slice(0, 40)}`, answer = await v.call(method, path, as, body), problem = answer.json()
    t.equal(answer.statusCode, status, what)
    t.match(problem, { type: 'about:blank', title: /^[A-Z]/, status, detail: /\w/, instance: `urn:uuid:${answer.headers['x-request-id']}` }, what)
    t.match(answer.headers['content-type'], /^application\/json/, what)
    t.notMatch(answer.body, /\.[jt]s:|at .*\(|node_modules|select |insert /, what)
    if (body === '') continue
    const asked = await v.call(method, path, as, body, { accept: 'application/problem+json' })
    t.match(asked.headers['content-type'], /^application\/problem\+json/, what)
  }
})

t.test('OA-005 objects travel as application/json, the token request as a form and nothing else', async (t) => {
  const p = await program(fresh('media'))
  for (const path of ['/programs', `/programs/${p.id}`, '/auth/server', '/notifiers']) t.match((await v.call('GET', path)).headers['content-type'], /^application\/json/, path)
  for (const type of ['application/x-www-form-urlencoded', 'text/json', 'application/xml']) t.equal((await v.call('POST', '/programs', 'bl_client', 'programName=x', { 'content-type': type })).statusCode, 415, type)
  const token = (payload: string, type: string) => v.app.inject({ method: 'POST', url: `${base}/auth/token`, headers: { 'content-type': type }, payload })
  const form = 'grant_type=client_credentials&client_id=bl_client&client_secret=1001'
  t.match((await token(form, 'application/x-www-form-urlencoded; charset=utf-8')).headers['content-type'], /^application\/json/)
  t.equal((await token(JSON.stringify(Object.fromEntries(new URLSearchParams(form))), 'application/json')).statusCode, 415)
})

t.test('OA-007 SEC-045 media types: only application/json, however it is dressed up', async (t) => {
  const send = (type: string | undefined, encoding?: string) => v.call('POST', '/programs', bl, undefined, { ...(type === undefined ? {} : { 'content-type': type }), ...(encoding ? { 'content-encoding': encoding } : {}) })
  for (const type of ['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx', 'application/json\tx', 'application/ json']) {
    const token = await v.token()
    const answer = await v.app.inject({ method: 'POST', url: `${base}/programs`, headers: { authorization: `Bearer ${token}`, 'content-type': type }, payload: '{"programName":"never"}' })
    t.equal(answer.statusCode, 415, JSON.stringify(type))
    t.equal(answer.json().status, 415)
  }
  const token = await v.token()
  const none = await v.app.inject({ method: 'POST', url: `${base}/programs`, headers: { authorization: `Bearer ${token}` }, payload: Buffer.from('{"programName":"never"}') })
  t.equal(none.statusCode, 415, 'missing')
  for (const type of ['application/json; charset=utf-8', 'APPLICATION/JSON']) {
    const answer = await v.app.inject({ method: 'POST', url: `${base}/programs`, headers: { authorization: `Bearer ${token}`, 'content-type': type }, payload: JSON.stringify({ programName: fresh('ct') }) })
    t.equal(answer.statusCode, 201, type)
  }
  t.equal((await send('application/json', 'gzip')).statusCode, 415, 'compressed bodies, SEC-040')
  t.same(names((await v.call('GET', '/programs?programName=never')).json()), [])
})

t.test('OA-008 unknown path 404; known path with another method 405 with Allow; both Problems', async (t) => {
  const p = await program(fresh('405'))
  const table: ['GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH', string, string][] = [
    ['POST', `/programs/${p.id}`, 'GET, HEAD, PUT, DELETE'], ['PUT', '/programs', 'GET, HEAD, POST'], ['DELETE', '/programs', 'GET, HEAD, POST'], ['PATCH', '/events', 'GET, HEAD, POST'],
    ['POST', '/reports/x', 'GET, HEAD, PUT, DELETE'], ['PUT', '/subscriptions', 'GET, HEAD, POST'], ['DELETE', '/vens', 'GET, HEAD, POST'], ['PATCH', '/resources/x', 'GET, HEAD, PUT, DELETE'],
    ['GET', '/auth/token', 'POST'], ['POST', '/auth/server', 'GET, HEAD'], ['POST', '/notifiers', 'GET, HEAD'],
  ]
  for (const [method, path, allow] of table) {
    const answer = await v.call(method, path, bl, method === 'GET' || method === 'DELETE' ? undefined : {})
    t.equal(answer.statusCode, 405, `${method} ${path}`)
    t.equal(answer.headers['allow'], allow)
    t.equal(answer.json().status, 405)
  }
  for (const path of ['/nothing', '/programs/', '//programs', '/programs/a/b', '/openadr3/9.9/programs']) {
    const answer = await v.call('GET', path)
    t.equal(answer.statusCode, 404, path)
    t.match(answer.json(), { status: 404, instance: /^urn:uuid:/ })
  }
})

t.test('OA-004 the aliases are the same server', async (t) => {
  for (const alias of ['/openadr3/3.1.0', '/openadr3/3.1']) t.equal((await v.call('GET', `${alias}/programs?limit=1`)).statusCode, 200)
})

t.test('OA-053 SEC-046 ids: another form is 400, an unknown one 404', async (t) => {
  for (const id of ['x'.repeat(129), 'a%20b', 'a%2Fb', '..%2f..%2fetc', 'a%00', 'é', 'a;b', `x`.repeat(5000)]) t.equal((await v.call('GET', `/programs/${id}`)).statusCode, 400, id.slice(0, 20))
  t.equal((await v.call('GET', '/programs/%zz')).statusCode, 400)
  for (const noun of ['programs', 'events', 'reports', 'subscriptions', 'vens', 'resources']) {
    t.equal((await v.call('GET', `/${noun}/00000000-0000-7000-8000-000000000000`)).statusCode, 404)
    t.equal((await v.call('DELETE', `/${noun}/nobody`, noun === 'reports' ? ven : bl)).statusCode, 404)
  }
})

t.test('OA-057 OA-059 skip and limit', async (t) => {
  for (const query of ['limit=51', 'limit=-1', 'skip=-1', 'limit=1.5', 'limit=a', 'limit=1&limit=2', 'skip=', 'skip=99999999999', 'programID=a%20b']) t.equal((await v.call('GET', `/events?${query}`)).statusCode, 400, query)
  t.same((await v.call('GET', '/programs?limit=0')).json(), [])
  t.same((await v.call('GET', '/programs?skip=100000')).json(), [])
  t.equal((await v.call('GET', '/programs?whatever=1&limit=1')).statusCode, 200)
  t.equal((await v.call('GET', '/events?active=yes')).statusCode, 400)
})

t.test('OA-058 walking 120 objects made in one second by 50s yields each once, oldest first', async (t) => {
  const p = await program(fresh('walk'))
  await Promise.all(Array.from({ length: 120 }, (_, i) => event(p.id, { eventName: `w${i}` })))
  const seen: string[] = []
  for (let skip = 0; ; skip += 50) {
    const page = (await v.call('GET', `/events?programID=${p.id}&skip=${skip}&limit=50`)).json()
    if (!page.length) break
    seen.push(...page.map((e: { id: string }) => e.id))
  }
  t.equal(new Set(seen).size, 120)
  t.equal(seen.length, 120)
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

t.test('OA-009 SEC-032 unknown properties are accepted and dropped, at every depth', async (t) => {
  const p = await v.call('POST', '/programs', bl, `{"programName":"${fresh('extra')}","tenant":"other","clientID":"x","_secret":1,"nested":{"a":1},"intervalPeriod":{"duration":"PT1H","odd":1},"constructor":{"a":1}}`)
  t.equal(p.statusCode, 201)
  t.same(Object.keys(p.json()).sort(), ['createdDateTime', 'id', 'intervalPeriod', 'modificationDateTime', 'objectType', 'programName'])
  t.same(p.json().intervalPeriod, { duration: 'PT1H' })
  const proto = await v.call('POST', '/programs', bl, `{"programName":"${fresh('proto')}","__proto__":{"polluted":true}}`)
  t.equal(proto.statusCode, 201)
  t.equal(({} as { polluted?: boolean }).polluted, undefined)
})

t.test('OA-061 OA-165 active leaves out what has ended', async (t) => {
  const p = await program(fresh('active'))
  const at = (start: string, duration: string) => ({ intervalPeriod: { start, duration }, intervals: [{ id: 0, payloads: [] }] })
  await event(p.id, { eventName: 'past', ...at('2026-06-01T10:00:00Z', 'PT1H') })
  await event(p.id, { eventName: 'ends now', ...at('2026-06-01T11:00:00Z', 'PT1H') })
  await event(p.id, { eventName: 'running', ...at('2026-06-01T11:30:00Z', 'PT1H') })
  await event(p.id, { eventName: 'future', ...at('2026-06-02T11:30:00Z', 'PT1H') })
  await event(p.id, { eventName: 'endless', ...at('2026-01-02T11:30:00Z', 'P9999Y') })
  await event(p.id, { eventName: 'looped', duration: 'P1Y', ...at('2026-01-02T11:30:00Z', 'PT1H') })
  await event(p.id, { eventName: 'cut', duration: 'PT1H', ...at('2026-06-01T10:00:00Z', 'PT8H') })
  await event(p.id, { eventName: 'cancelled', ...at('0001-01-01', 'PT0S') })
  await event(p.id, { eventName: 'unplaced' })
  const active = async () => names((await v.call('GET', `/events?programID=${p.id}&active=true`)).json())
  t.same(await active(), ['running', 'future', 'endless', 'looped', 'unplaced'])
  t.equal((await v.call('GET', `/events?programID=${p.id}&active=false`)).json().length, 9)
  const second = async () => names((await v.call('GET', `/events?programID=${p.id}&active=true&skip=1&limit=2`)).json())
  t.same(await second(), ['future', 'endless'])
  await v.clock.advance(1_799_000)
  t.same(await active(), ['running', 'future', 'endless', 'looped', 'unplaced'], 'from memory, to its last second')
  await v.clock.advance(1000)
  t.same(await active(), ['future', 'endless', 'looped', 'unplaced'], 'and not one second longer')
  t.same(await second(), ['endless', 'looped'], 'a later page moves as well')
  await v.clock.set(v.clock.nowMs() - 60_000)
  t.equal((await active())[0], 'running', 'a clock that was put back tells the truth of then')
  await v.clock.advance(1_860_000)
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

t.test('OA-080 OA-081 OA-082 ven bodies by role', async (t) => {
  const mine = await v.call('POST', '/vens', ven, { objectType: 'VEN_VEN_REQUEST', venName: 'v1', targets: ['g1'], clientID: 'bl_client' })
  t.equal(mine.statusCode, 201)
  t.match(mine.json(), { objectType: 'VEN', clientID: 'ven_client', venName: 'v1' })
  t.equal(mine.json().targets, undefined)
  const id = mine.json().id
  const refusals: [string, unknown, number][] = [
    [ven2, { objectType: 'BL_VEN_REQUEST', clientID: ven2, venName: 'v2' }, 400], [bl, { objectType: 'VEN_VEN_REQUEST', venName: 'v2' }, 400], [ven2, { venName: 'v2' }, 400],
    [ven2, { objectType: 'VEN_VEN_REQUEST', venName: 'v1' }, 409], [ven, { objectType: 'VEN_VEN_REQUEST', venName: 'other' }, 409],
  ]
  for (const [as, body, status] of refusals) t.equal((await v.call('POST', '/vens', as, body)).statusCode, status, JSON.stringify(body))
  t.equal((await v.call('PUT', `/vens/${id}`, bl, { objectType: 'BL_VEN_REQUEST', clientID: 'other', venName: 'v1' })).statusCode, 400)
  const granted = await v.call('PUT', `/vens/${id}`, bl, { objectType: 'BL_VEN_REQUEST', clientID: ven, venName: 'v1', targets: ['g1'] })
  t.same(granted.json().targets, ['g1'])
  const kept = await v.call('PUT', `/vens/${id}`, ven, { objectType: 'VEN_VEN_REQUEST', venName: 'v1', targets: ['g9'], attributes: [{ type: 'AREA', values: [1] }] })
  t.match(kept.json(), { targets: ['g1'], clientID: ven, attributes: [{ type: 'AREA' }] })
  await v.call('POST', '/vens', ven2, { objectType: 'VEN_VEN_REQUEST', venName: 'v2' })
})

t.test('OA-083 resources: drafts without clientID or venID, other VENs are as if absent', async (t) => {
  const [v1] = (await v.call('GET', '/vens?venName=v1')).json(), [v2] = (await v.call('GET', '/vens?venName=v2')).json()
  const byBl = await v.call('POST', '/resources', bl, { objectType: 'BL_RESOURCE_REQUEST', resourceName: 'r', venID: v1.id, targets: ['g2'] })
  t.match(byBl.json(), { objectType: 'RESOURCE', clientID: ven, venID: v1.id, targets: ['g2'] })
  const byVen = await v.call('POST', '/resources', ven2, { objectType: 'VEN_RESOURCE_REQUEST', resourceName: 'r', targets: ['g9'] })
  t.match(byVen.json(), { clientID: ven2, venID: v2.id })
  t.equal(byVen.json().targets, undefined)
  const refusals: [string, object, number][] = [
    [bl, { objectType: 'BL_RESOURCE_REQUEST', resourceName: 'r', venID: v1.id }, 409], [bl, { objectType: 'BL_RESOURCE_REQUEST', resourceName: 'q', venID: 'nobody' }, 404],
    [bl, { objectType: 'BL_RESOURCE_REQUEST', resourceName: 'q', venID: v1.id, clientID: ven2 }, 400], [ven2, { objectType: 'VEN_RESOURCE_REQUEST', resourceName: 'q', venID: v1.id }, 404],
    [ven2, { objectType: 'BL_RESOURCE_REQUEST', resourceName: 'q', venID: v2.id }, 400],
  ]
  for (const [as, body, status] of refusals) t.equal((await v.call('POST', '/resources', as, body)).statusCode, status, JSON.stringify(body))
  t.equal((await v.call('PUT', `/resources/${byBl.json().id}`, bl, { objectType: 'BL_RESOURCE_REQUEST', resourceName: 'r', venID: v2.id })).statusCode, 400)
})

t.test('OA-100 OA-060 OA-102 OA-103 OA-104 OA-105 OA-106 OA-107 OA-108 OA-109 OA-110 OA-033 SEC-033 object privacy and target hiding', async (t) => {
  const open = await program(fresh('open')), closed = await program(fresh('closed'), { targets: ['g1', 'g3'] }), foreign = await program(fresh('foreign'), { targets: ['g3'] })
  const visible = async (as: string, query = '') => names((await v.call('GET', `/programs${query}`, as)).json()).filter((n) => [open, closed, foreign].some((p) => p.programName === n))
  t.same(await visible(ven), [open.programName, closed.programName])
  t.same(await visible(ven2), [open.programName])
  t.same(await visible(bl), [open.programName, closed.programName, foreign.programName])
  t.same(await visible(ven, '?targets=g1'), [closed.programName], 'with targets, untargeted ones are left out')
  t.same(await visible(ven, '?targets=g3'), [], 'an ungranted name grants nothing')
  t.same(await visible(ven, '?targets=g3&targets=g1'), [closed.programName], 'and is no error')
  t.same(await visible(bl, '?targets=g3'), [closed.programName, foreign.programName], 'a plain filter for business logic')
  t.same((await v.call('GET', `/programs/${closed.id}`, ven)).json().targets, ['g1'], 'hidden')
  t.same((await v.call('GET', `/programs/${closed.id}`)).json().targets, ['g1', 'g3'])
  t.equal((await v.call('GET', `/programs/${foreign.id}`, ven)).statusCode, 404)
  const inside = await event(foreign.id, { eventName: 'untargeted of a targeted program' })
  t.equal((await v.call('GET', `/events/${inside.id}`, ven2)).statusCode, 200, 'OA-108 only its own targets count')
  const byResource = await event(open.id, { targets: ['g2'], eventName: 'by resource' })
  t.equal((await v.call('GET', `/events/${byResource.id}`, ven)).statusCode, 200, 'OA-102 targets of resources count')
  t.equal((await v.call('GET', `/events/${byResource.id}`, ven2)).statusCode, 404)
  t.equal((await v.call('POST', '/reports', ven2, { eventID: byResource.id, clientName: 'x', resources: [] })).statusCode, 409, 'OA-108 an invisible event is unknown')
  const [mine] = (await v.call('GET', '/vens', ven)).json()
  await v.call('PUT', `/vens/${mine.id}`, bl, { objectType: 'BL_VEN_REQUEST', clientID: ven, venName: 'v1' })
  t.same(await visible(ven), [open.programName], 'OA-109 grants count at read time')
  await v.call('PUT', `/vens/${mine.id}`, bl, { objectType: 'BL_VEN_REQUEST', clientID: ven, venName: 'v1', targets: ['g1', 'a,b'] })
  t.equal((await v.call('GET', '/vens?targets=zz,g1')).json().length, 1, 'OA-110 any match')
  t.equal((await v.call('GET', '/vens?targets=a%2Cb')).json().length, 1, 'OA-060 a literal comma')
  t.equal((await v.call('GET', '/vens?targets=a,b')).json().length, 0)
  t.equal((await v.call('GET', '/vens?targets[]=g1')).json().length, 1)
})

t.test('OA-101 OA-063 OA-064 SEC-030 what belongs to another VEN is as if absent, for every verb and list', async (t) => {
  const p = await program(fresh('idor')), e = await event(p.id)
  const [venOf2] = (await v.call('GET', '/vens', ven2)).json(), [resourceOf2] = (await v.call('GET', '/resources', ven2)).json()
  const report = (await v.call('POST', '/reports', ven2, { eventID: e.id, clientName: 'two', resources: [] })).json()
  const subscription = (await v.call('POST', '/subscriptions', ven2, { clientName: 'two', objectOperations: [{ objects: ['EVENT'], operations: ['CREATE'], callbackUrl: 'https://example.com/x' }] })).json()
  const bodies: Record<string, object> = {
    vens: { objectType: 'VEN_VEN_REQUEST', venName: 'stolen' }, resources: { objectType: 'VEN_RESOURCE_REQUEST', resourceName: 'stolen' },
    reports: { eventID: e.id, clientName: 'stolen', resources: [] }, subscriptions: { clientName: 'stolen', objectOperations: [{ objects: ['EVENT'], operations: ['CREATE'], callbackUrl: 'https://example.com/x' }] },
  }
  for (const [noun, object] of Object.entries({ vens: venOf2, resources: resourceOf2, reports: report, subscriptions: subscription })) {
    for (const method of ['GET', 'PUT', 'DELETE'] as const) {
      t.equal((await v.call(method, `/${noun}/${object.id}`, ven, method === 'PUT' ? bodies[noun] : undefined)).statusCode, 404, `${method} ${noun}`)
    }
    t.notOk((await v.call('GET', `/${noun}`, ven)).json().some((o: { id: string }) => o.id === object.id), `list ${noun}`)
    t.same((await v.call('GET', `/${noun}/${object.id}`, ven2)).json().id, object.id)
  }
  t.same((await v.call('GET', '/reports?clientName=two', ven)).json(), [])
  t.equal((await v.call('GET', `/reports?clientName=two&programID=${p.id}&eventID=${e.id}`)).json().length, 1, 'OA-063 reports by program')
  t.equal((await v.call('GET', '/subscriptions?objects=PROGRAM&objects=EVENT', ven2)).json().length, 1, 'OA-064')
  t.equal((await v.call('GET', '/subscriptions?objects=PROGRAM', ven2)).json().length, 0)
  t.equal((await v.call('GET', '/subscriptions?objects=NOTHING', ven2)).statusCode, 400)
  t.equal((await v.call('PUT', `/subscriptions/${subscription.id}`, bl, bodies['subscriptions'])).statusCode, 404, 'subscriptions are written by their owner')
})

t.test('OA-028 OA-035 SEC-031 role × verb', async (t) => {
  const p = await program(fresh('role')), e = await event(p.id)
  const table: [string, 'POST' | 'PUT' | 'DELETE', string, object | undefined, number][] = [
    [ven, 'POST', '/programs', { programName: 'no' }, 403], [ven, 'PUT', `/programs/${p.id}`, { programName: 'no' }, 403], [ven, 'DELETE', `/programs/${p.id}`, undefined, 403],
    [ven, 'POST', '/events', { programID: p.id }, 403], [ven, 'PUT', `/events/${e.id}`, { programID: p.id }, 403], [ven, 'DELETE', `/events/${e.id}`, undefined, 403],
    [bl, 'POST', '/reports', { eventID: e.id, clientName: 'x', resources: [] }, 403],
  ]
  for (const [as, method, path, body, status] of table) t.equal((await v.call(method, path, as, body)).statusCode, status, `${as} ${method} ${path}`)
  const r = (await v.call('POST', '/reports', ven, { eventID: e.id, clientName: 'x', resources: [] })).json()
  t.equal((await v.call('PUT', `/reports/${r.id}`, bl, { eventID: e.id, clientName: 'x', resources: [] })).statusCode, 403)
  t.equal((await v.call('DELETE', `/reports/${r.id}`, bl)).statusCode, 200, 'business logic may remove reports here')
})

t.test('OA-084 report.clientID comes from the token', async (t) => {
  const p = await program(fresh('client')), e = await event(p.id)
  t.equal((await v.call('POST', '/reports', ven, { eventID: e.id, clientID: 'other', clientName: 'x', resources: [] })).json().clientID, ven)
})

t.test('OA-012 OA-006 OA-011 ETag and 304, gzip, headers, request ids', async (t) => {
  const p = await program(fresh('etag'), { programDescriptions: [{ URL: `https://example.com/${'x'.repeat(2000)}` }] })
  const one = await v.call('GET', `/programs/${p.id}`)
  const etag = one.headers['etag'] as string
  t.match(one.headers, { 'cache-control': 'private, no-cache', vary: /Authorization/, 'x-request-id': /^[0-9a-f-]{36}$/ })
  const again = await v.call('GET', `/programs/${p.id}`, bl, undefined, { 'if-none-match': etag })
  t.equal(again.statusCode, 304)
  t.equal(again.body, '')
  t.equal((await v.call('GET', `/programs/${p.id}`, bl, undefined, { 'if-none-match': '"other"' })).statusCode, 200)
  const packed = await v.call('GET', `/programs/${p.id}`, bl, undefined, { 'accept-encoding': 'gzip, br' })
  t.equal(packed.headers['content-encoding'], 'gzip')
  await v.call('PUT', `/programs/${p.id}`, bl, { programName: p.programName })
  const changed = await v.call('GET', `/programs/${p.id}`, bl, undefined, { 'if-none-match': etag })
  t.equal(changed.statusCode, 200)
  const bad = await v.call('GET', '/nothing')
  t.equal(bad.json().instance, `urn:uuid:${bad.headers['x-request-id']}`)
  t.match((await v.call('GET', '/nothing', bl, undefined, { accept: 'application/problem+json' })).headers['content-type'], /problem\+json/)
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

t.test('OA-010 openapi.json is what is served, on both revisions, and is read only', async (t) => {
  for (const at of [base, '/openadr3/3.0.1']) {
    const doc = (await v.call('GET', `${at}/openapi.json`, null)).json()
    t.ok(doc.paths[`${at}/programs/{programID}`].put)
    t.equal(Object.keys(doc.paths).filter((p) => p.includes('/mqtt/')).length, 0, 'no topics without a broker')
    const put = await v.call('PUT', `${at}/openapi.json`, null, {})
    t.match([put.statusCode, put.headers.allow], [405, 'GET, HEAD'])
  }
})

t.test('OA-062 programName look-up', async (t) => {
  const p = await program(fresh('lookup'))
  t.same(names((await v.call('GET', `/programs?programName=${p.programName}`, ven)).json()), [p.programName])
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

t.test('SEC-034 what is hidden and what is absent answer alike: status, body and time', async (t) => {
  const p = await program(fresh('probe'))
  const made = await Promise.all(Array.from({ length: 25 }, () => v.call('POST', '/events', bl, { programID: p.id, targets: ['nobody-here'] })))
  t.same(new Set(made.map((m) => m.statusCode)), new Set([201]))
  const hidden = made.map((m) => m.json().id as string)
  const absent = hidden.map((id) => id.slice(0, -4) + (id.endsWith('0000') ? 'ffff' : '0000'))
  const shape = (a: Awaited<ReturnType<typeof v.call>>, id: string) => [a.statusCode, a.body.replaceAll(id, '').replace(/urn:uuid:[0-9a-f-]+/, ''), Object.keys(a.headers).sort().join()]
  /** Mann-Whitney: |z| of the rank sum of a among a and b. */
  const z = (a: readonly number[], b: readonly number[]): number => {
    const ranked = [...a.map((x) => [x, 1] as const), ...b.map((x) => [x, 0] as const)].sort((x, y) => x[0] - y[0])
    const sum = ranked.reduce((s, [, mine], i) => s + (mine ? i + 1 : 0), 0), n = a.length, m = b.length
    return Math.abs((sum - n * (n + m + 1) / 2) / Math.sqrt(n * m * (n + m + 1) / 12))
  }
  const shapes = new Set<string>()
  async function round(): Promise<number> {
    const times: Record<'hidden' | 'absent', number[]> = { hidden: [], absent: [] }
    for (let i = 0; i < 500; i += 1) {
      for (const [kind, id] of (i % 2 ? [['hidden', hidden[i % 25]], ['absent', absent[i % 25]]] : [['absent', absent[i % 25]], ['hidden', hidden[i % 25]]]) as ['hidden' | 'absent', string][]) {
        const begun = process.hrtime.bigint()
        const answer = await v.call('GET', `/events/${id}`, 'ven_client')
        times[kind].push(Number(process.hrtime.bigint() - begun))
        shapes.add(JSON.stringify(shape(answer, id)))
      }
    }
    return z(times.hidden, times.absent)
  }
  const found: number[] = []
  // At p = 0.01 one round in a hundred errs; a machine that is busy with other things may make it two.
  do found.push(await round()); while ((found.at(-1) ?? 9) > 2.58 && found.length < 4)
  t.equal(shapes.size, 1, [...shapes].join(' | '))
  t.ok((found.at(-1) ?? 9) <= 2.58, `|z| ${found.map((x) => x.toFixed(2)).join(', ')}`)
})
