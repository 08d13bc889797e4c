import t from 'tap'
import { base, bl, namesOf, sceneOn, testVtn, ven } from '#vtn/test-vtn.js'

/** The HTTP side: paths, methods, media types, bodies, and what a refusal looks like. */
const v = await testVtn()
t.teardown(() => v.close())
const { fresh, program } = sceneOn(v)

t.test('OA-004 the aliases are the same server', async (t) => {
  for (const alias of ['/openadr3/3.1.0', '/openadr3/3.1']) t.equal((await v.call('GET', `${alias}/programs?limit=1`)).statusCode, 200)
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
  t.same(namesOf((await v.call('GET', '/programs?programName=never')).json()), [])
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

t.test('OA-053 SEC-046 ids: another form is 400, an unknown one 404', async (t) => {
  for (const id of ['x'.repeat(129), 'a%20b', 'a%2Fb', '..%2f..%2fetc', 'a%00', 'é', 'a;b', `x`.repeat(5000)]) t.equal((await v.call('GET', `/programs/${id}`)).statusCode, 400, id.slice(0, 20))
  t.equal((await v.call('GET', '/programs/%zz')).statusCode, 400)
  for (const noun of ['programs', 'events', 'reports', 'subscriptions', 'vens', 'resources']) {
    t.equal((await v.call('GET', `/${noun}/00000000-0000-7000-8000-000000000000`)).statusCode, 404)
    t.equal((await v.call('DELETE', `/${noun}/nobody`, noun === 'reports' ? ven : bl)).statusCode, 404)
  }
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

t.test('OA-010 openapi.json is what is served, on both revisions, and is read only', async (t) => {
  for (const at of [base, '/openadr3/3.0.1']) {
    const doc = (await v.call('GET', `${at}/openapi.json`, null)).json()
    t.ok(doc.paths[`${at}/programs/{programID}`].put)
    t.equal(Object.keys(doc.paths).filter((p) => p.includes('/mqtt/')).length, 0, 'no topics without a broker')
    const put = await v.call('PUT', `${at}/openapi.json`, null, {})
    t.match([put.statusCode, put.headers.allow], [405, 'GET, HEAD'])
  }
})
