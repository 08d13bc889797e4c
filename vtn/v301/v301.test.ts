import * as fc from 'fast-check'
import t from 'tap'
import { sample } from '#core/describe/sample.js'
import { testVtn } from '#vtn/test-vtn.js'
import { targetsTo301, targetsTo31 } from '#vtn/wire/target301.js'
import { Event301, Program301, Report301 } from '#vtn/wire/v301.js'

const v = await testVtn({ webhooks: { echo: 'off' } })
t.teardown(() => v.close())
const old = '/openadr3/3.0.1', bl = 'bl_client', ven = 'ven_client', ven2 = 'ven_client2'
const program301 = async (programName: string, more: object = {}) => (await v.call('POST', `${old}/programs`, bl, { programName, ...more })).json()

t.test('OA-246 targets map to strings and back without loss', async (t) => {
  t.same(targetsTo31([{ type: 'GROUP', values: ['a', 'b'] }, { type: 'TARGET', values: ['x'] }]), ['GROUP=a', 'GROUP=b', 'x'])
  t.same(targetsTo301(['x', 'GROUP=a', 'GROUP=b']), [{ type: 'TARGET', values: ['x'] }, { type: 'GROUP', values: ['a', 'b'] }])
  const type = fc.string({ minLength: 1, maxLength: 12 }).filter((s) => s !== 'TARGET' && !/%(3D|25)/.test(s))
  fc.assert(fc.property(fc.uniqueArray(fc.record({ type, values: fc.uniqueArray(fc.string({ maxLength: 12 }), { minLength: 1, maxLength: 3 }) }), { selector: (g) => g.type, maxLength: 4 }),
    (groups) => JSON.stringify(targetsTo301(targetsTo31(groups))) === JSON.stringify(groups)))
  fc.assert(fc.property(fc.uniqueArray(fc.string({ minLength: 1 }).filter((s) => !s.includes('=')), { maxLength: 5 }), (names) => JSON.stringify(targetsTo31(targetsTo301(names))) === JSON.stringify(names)))
})

t.test('OA-235 OA-247 OA-249 a program written on 3.0.1 is the same on both surfaces', async (t) => {
  const flat = { programLongName: 'Long', retailerName: 'R', retailerLongName: 'RL', programType: 'T', country: 'US', principalSubdivision: 'CO', timeZoneOffset: '-PT6H', bindingEvents: true, localPrice: false,
    targets: [{ type: 'GROUP', values: ['b', 'a'] }, { type: 'AREA', values: [5] }], payloadDescriptors: [{ payloadType: 'PRICE', units: 'KWH' }], programDescriptions: [{ URL: 'https://example.com/' }] }
  const p = await program301('flat', flat)
  t.match(p, { objectType: 'PROGRAM', ...flat })
  t.same((await v.call('GET', `${old}/programs/${p.id}`)).json(), p)
  const seen = (await v.call('GET', `/programs/${p.id}`)).json()
  t.same(seen.targets, ['GROUP=b', 'GROUP=a', 'AREA=5'])
  t.same(seen.attributes.find((a: { type: string }) => a.type === 'TIME_ZONE_OFFSET').values, ['-PT6H'])
  t.equal(seen.programLongName, undefined)
  t.equal(seen.payloadDescriptors[0].objectType, 'EVENT_PAYLOAD_DESCRIPTOR')
  const { id: _, createdDateTime: _c, modificationDateTime: _m, objectType: _o, ...body } = seen
  await v.call('PUT', `/programs/${p.id}`, bl, body)
  const back = (await v.call('GET', `${old}/programs/${p.id}`)).json()
  t.match(back, { programLongName: 'Long', timeZoneOffset: '-PT6H', bindingEvents: true, targets: [{ type: 'GROUP', values: ['b', 'a'] }, { type: 'AREA', values: ['5'] }] })
})

t.test('OA-249 what 3.0.1 has no word for is carried along', async (t) => {
  const p = (await v.call('POST', '/programs', bl, { programName: 'new', attributes: [{ type: 'COUNTRY', values: ['NL'] }, { type: 'PRIVATE', values: [1, 2] }] })).json()
  const seen = (await v.call('GET', `${old}/programs/${p.id}`)).json()
  t.match(seen, { country: 'NL', attributes: [{ type: 'PRIVATE', values: [1, 2] }] })
  await v.call('PUT', `${old}/programs/${p.id}`, bl, seen)
  t.same((await v.call('GET', `/programs/${p.id}`)).json().attributes, p.attributes)
  const e = (await v.call('POST', '/events', bl, { programID: p.id, duration: 'P9999Y', intervalPeriod: { start: '2026-01-01T00:00:00Z', duration: 'PT1H' }, intervals: [{ id: 0, payloads: [] }], reportDescriptors: [{ payloadType: 'USAGE', reportIntervals: 'OPEN_INTERVALS', targets: ['a'] }] })).json()
  const e301 = (await v.call('GET', `${old}/events/${e.id}`)).json()
  t.same(e301.reportDescriptors[0].targets, [{ type: 'TARGET', values: ['a'] }])
  const put = await v.call('PUT', `${old}/events/${e.id}`, bl, e301)
  t.equal(put.statusCode, 200)
  const { modificationDateTime: _a, ...after } = (await v.call('GET', `/events/${e.id}`)).json(), { modificationDateTime: _b, ...before } = e
  t.same(after, before)
  const bare = (await v.call('POST', '/events', bl, { programID: p.id })).json()
  t.same((await v.call('GET', `${old}/events/${bare.id}`)).json().intervals, [], 'OA-236 intervals are always there')
})

t.test('OA-249 generated 3.0.1 objects come back as written', async (t) => {
  const p = await program301('generated')
  for (let seed = 1; seed <= 15; seed++) {
    const strip = ({ id: _, createdDateTime: _c, modificationDateTime: _m, ...rest }: Record<string, unknown>) => rest
    const body = strip(sample(Program301.schema, { seed, optional: true }) as Record<string, unknown>)
    const wanted = { ...body, programName: `gen-${seed}`, timeZoneOffset: '-PT6H' }
    const made = await v.call('POST', `${old}/programs`, bl, wanted)
    t.equal(made.statusCode, 201, made.body)
    t.match(strip(made.json()), JSON.parse(JSON.stringify(wanted, (_k, x) => (x === null ? undefined : x))), `program ${seed}`)
    const event = strip({ ...(sample(Event301.schema, { seed, optional: true }) as Record<string, unknown>), programID: p.id })
    const stored = await v.call('POST', `${old}/events`, bl, event)
    t.equal(stored.statusCode, 201, stored.body)
    t.same(stored.json().intervals, event['intervals'])
  }
})

t.test('OA-231 targetType and targetValues go together', async (t) => {
  t.equal((await v.call('GET', `${old}/programs?targetType=GROUP`)).statusCode, 400)
  t.equal((await v.call('GET', `${old}/programs?targetValues=a`)).statusCode, 400)
  t.same((await v.call('GET', `${old}/programs?targetType=GROUP&targetValues=a&targetValues=zz`)).json().map((p: { programName: string }) => p.programName), ['flat'])
})

t.test('OA-232 OA-233 vens and nested resources', async (t) => {
  const mine = (await v.call('POST', `${old}/vens`, ven, { venName: 'v1' })).json()
  t.match(mine, { objectType: 'VEN', venName: 'v1' })
  t.equal(mine.clientID, undefined)
  const made = await v.call('POST', `${old}/vens/${mine.id}/resources`, ven, { resourceName: 'r1' })
  t.equal(made.statusCode, 201)
  t.match(made.json(), { objectType: 'RESOURCE', venID: mine.id })
  t.match((await v.call('GET', `${old}/vens/${mine.id}`, ven)).json().resources, [{ id: made.json().id, resourceName: 'r1' }])
  t.equal((await v.call('GET', `${old}/vens/${mine.id}/resources`, ven)).json().length, 1)
  t.equal((await v.call('GET', `/resources/${made.json().id}`, ven)).json().clientID, ven)
  const byBl = (await v.call('POST', `${old}/vens`, bl, { venName: ven2, targets: [{ type: 'GROUP', values: ['g'] }] })).json()
  t.equal((await v.call('GET', `/vens/${byBl.id}`, bl)).json().clientID, ven2)
  for (const [as, path, status] of [[ven2, `/vens/${mine.id}`, 404], [ven2, `/vens/${mine.id}/resources`, 404], [ven2, `/vens/${mine.id}/resources/${made.json().id}`, 404], [bl, `/vens/${byBl.id}/resources/${made.json().id}`, 404], [bl, `/vens/nobody/resources`, 404]] as const) {
    t.equal((await v.call('GET', old + path, as)).statusCode, status, `${as} ${path}`)
  }
  const put = (await v.call('PUT', `${old}/vens/${mine.id}`, bl, { venName: 'v1', targets: [{ type: 'GROUP', values: ['mine'] }] })).json()
  t.same(put.targets, [{ type: 'GROUP', values: ['mine'] }])
  const kept = (await v.call('PUT', `${old}/vens/${mine.id}`, ven, { venName: 'v1', targets: [{ type: 'GROUP', values: ['stolen'] }] })).json()
  t.same(kept.targets, [{ type: 'GROUP', values: ['mine'] }], 'OA-080 holds here as well')
})

t.test('OA-232 OA-249 resources that come with a ven are made with it or not at all, and a PUT of what was read changes nothing', async (t) => {
  const body = (names: string[]) => ({ venName: 'with resources', clientID: 'owner of several', targets: [{ type: 'GROUP', values: ['x'] }], resources: names.map((resourceName) => ({ resourceName, targets: [{ type: 'GROUP', values: [resourceName] }], attributes: [{ type: 'AREA', values: [1] }] })) })
  t.equal((await v.call('POST', `${old}/vens`, bl, body(['a', 'a']))).statusCode, 409)
  t.same((await v.call('GET', '/vens?venName=with%20resources')).json(), [], 'nothing half-made')
  const made = await v.call('POST', `${old}/vens`, bl, body(['a', 'b']))
  t.equal(made.statusCode, 201, made.body)
  t.match(made.json().resources, [{ resourceName: 'a', objectType: 'RESOURCE', targets: [{ type: 'GROUP', values: ['a'] }] }, { resourceName: 'b', venID: made.json().id }])
  const modern = async () => (await v.call('GET', `/resources?venID=${made.json().id}`)).json()
  t.match(await modern(), [{ resourceName: 'a', clientID: 'owner of several', targets: ['GROUP=a'], attributes: [{ type: 'AREA' }] }, { resourceName: 'b' }])
  const before = await modern(), read = (await v.call('GET', `${old}/vens/${made.json().id}`)).json()
  t.match((await v.call('PUT', `${old}/vens/${made.json().id}`, bl, read)).json(), { resources: read.resources, targets: read.targets })
  t.same(await modern(), before)
  await v.call('DELETE', `${old}/vens/${made.json().id}`)
  t.same(await modern(), [])
})

t.test('OA-246 OA-248 privacy holds on 3.0.1, also for objects aimed by VEN_NAME and RESOURCE_NAME', async (t) => {
  const p = await program301('aimed')
  const event = async (targets: object[], eventName: string) => (await v.call('POST', `${old}/events`, bl, { programID: p.id, eventName, targets, intervals: [] })).json()
  await event([{ type: 'VEN_NAME', values: ['v1', 'someone else'] }], 'by ven')
  await event([{ type: 'RESOURCE_NAME', values: ['r1'] }], 'by resource')
  await event([{ type: 'GROUP', values: ['other'] }], 'foreign')
  const seen = (await v.call('GET', `${old}/events?programID=${p.id}`, ven)).json()
  t.same(seen.map((e: { eventName: string }) => e.eventName), ['by ven', 'by resource'])
  t.same(seen[0].targets, [{ type: 'VEN_NAME', values: ['v1'] }], 'names of others are hidden')
  t.same((await v.call('GET', `${old}/events?programID=${p.id}`, ven2)).json(), [])
  t.equal((await v.call('GET', `/events?programID=${p.id}`, ven)).json().length, 2, 'and the same on 3.1')
  const letter = await testVtn({ compat301: { openReads: true } })
  t.teardown(() => letter.close())
  await letter.call('POST', `${old}/programs`, bl, { programName: 'p', targets: [{ type: 'GROUP', values: ['x'] }] })
  t.equal((await letter.call('GET', `${old}/programs`, ven)).json().length, 1, 'the letter of 3.0.1 for conformance runs')
  t.equal((await letter.call('GET', '/programs', ven)).json().length, 0)
})

t.test('OA-234 OA-236 OA-237 OA-238 OA-239 OA-085 what 3.0.1 requires and accepts', async (t) => {
  const p = await program301('bodies'), q = await program301('bodies2')
  const table: [string, string, string, unknown, number][] = [
    ['wrong objectType', bl, '/programs', { programName: 'x', objectType: 'EVENT' }, 400], ['right objectType', bl, '/programs', { programName: 'typed', objectType: 'PROGRAM' }, 201],
    ['event without intervals', bl, '/events', { programID: p.id }, 400], ['period without start', bl, '/events', { programID: p.id, intervals: [], intervalPeriod: { duration: 'PT1H' } }, 400],
    ['string targets', bl, '/events', { programID: p.id, intervals: [], targets: ['a'] }, 400], ['unknown program, OA-091', bl, '/events', { programID: 'nobody', intervals: [] }, 400],
    ['bare descriptor', bl, '/events', { programID: p.id, intervals: [], payloadDescriptors: [{ payloadType: 'PRICE' }] }, 201],
    ['subscription without program', bl, '/subscriptions', { clientName: 'x', objectOperations: [{ objects: ['EVENT'], operations: ['CREATE'], callbackUrl: 'https://example.com/' }] }, 400],
    ['subscription', bl, '/subscriptions', { clientName: 'x', programID: p.id, objectOperations: [{ objects: ['EVENT'], operations: ['CREATE'], callbackUrl: 'https://example.com/' }] }, 201],
    ['taken name', bl, '/programs', { programName: 'bodies' }, 409],
  ]
  for (const [what, as, path, body, status] of table) t.equal((await v.call('POST', old + path, as, body)).statusCode, status, what)
  const e = (await v.call('POST', `${old}/events`, bl, { programID: p.id, intervals: [] })).json()
  const report = (programID?: string) => v.call('POST', `${old}/reports`, ven, { programID, eventID: e.id, clientName: 'c', resources: [] })
  t.equal((await report()).statusCode, 400)
  t.equal((await report(q.id)).statusCode, 400)
  const made = (await report(p.id)).json()
  t.match(made, { programID: p.id, objectType: 'REPORT' })
  t.equal(made.clientID, undefined)
  t.equal((await v.call('GET', `/reports/${made.id}`, ven)).json().programID, undefined)
  t.equal((await v.call('DELETE', `${old}/reports/${made.id}`, bl)).statusCode, 403, 'OA-035 off on this surface')
  t.ok(sample(Report301.schema))
})

t.test('OA-241 OA-242 OA-243 words, tokens and what is not there', async (t) => {
  t.equal((await v.call('GET', `${old}/auth/server`, null)).statusCode, 404)
  t.equal((await v.call('GET', `${old}/notifiers`)).statusCode, 404)
  const form = (fields: Record<string, string>) => v.app.inject({ method: 'POST', url: `${old}/auth/token`, headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: new URLSearchParams(fields).toString() })
  t.match((await form({ grant_type: 'client_credentials', client_id: ven, client_secret: '999', scope: 'read_all write_reports' })).json(), { scope: 'read_targets read_ven_objects write_reports' }, 'OA-240')
  t.equal((await form({ grant_type: 'client_credentials', client_id: ven, client_secret: 'no' })).statusCode, 403)
  t.equal((await v.call('PATCH', `${old}/programs`, bl, {})).statusCode, 405)
})

t.test('OA-230 the same targets are lists of {type, values} here and names on 3.1, whichever surface wrote them', async (t) => {
  const p = await program301('aimed-by-type', { targets: [{ type: 'GROUP', values: ['a', 'b'] }, { type: 'SERVICE_AREA', values: ['north'] }] })
  t.same((await v.call('GET', `/programs/${p.id}`)).json().targets, ['GROUP=a', 'GROUP=b', 'SERVICE_AREA=north'])
  const q = (await v.call('POST', '/programs', bl, { programName: 'named-bare', targets: ['bare', 'GROUP=c'] })).json()
  t.same((await v.call('GET', `${old}/programs/${q.id}`)).json().targets, [{ type: 'TARGET', values: ['bare'] }, { type: 'GROUP', values: ['c'] }])
  t.equal((await v.call('POST', `${old}/programs`, bl, { programName: 'strings', targets: ['GROUP=a'] })).statusCode, 400)
  t.equal((await v.call('POST', '/programs', bl, { programName: 'maps', targets: [{ type: 'GROUP', values: ['a'] }] })).statusCode, 400)
})

t.test('OA-237 OA-249 an inherited start is shown to 3.0.1 readers, who must have one, and is gone again when they write it back', async (t) => {
  const p = (await v.call('POST', '/programs', bl, { programName: 'inheriting', intervalPeriod: { duration: 'PT1H' } })).json()
  const body = { programID: p.id, intervalPeriod: { start: '0001-01-01', duration: 'PT15M' }, intervals: [{ id: 0, payloads: [] }, { id: 1, intervalPeriod: { duration: 'PT1H' }, payloads: [] }] }
  const e = (await v.call('POST', '/events', bl, body)).json()
  for (const [path, made] of [[`programs/${p.id}`, p], [`events/${e.id}`, e]] as const) {
    const seen = (await v.call('GET', `${old}/${path}`)).json()
    t.match(seen.intervals?.[1] ?? seen, { intervalPeriod: { start: /^0001-01-01T/, duration: 'PT1H' } })
    t.equal((await v.call('PUT', `${old}/${path}`, bl, seen)).statusCode, 200)
    const { modificationDateTime: _a, ...after } = (await v.call('GET', `/${path}`)).json(), { modificationDateTime: _b, ...before } = made
    t.same(after, before)
  }
})

t.test('OA-239 subscriptions are found by the targets they are for, and by objects and targets together', async (t) => {
  const p = await program301('watched')
  const subscribe = (clientName: string, objects: string[], targets?: object[]) => v.call('POST', `${old}/subscriptions`, bl, { clientName, programID: p.id, objectOperations: [{ objects, operations: ['CREATE'], callbackUrl: 'https://example.com/' }], targets })
  await subscribe('one', ['EVENT'], [{ type: 'GROUP', values: ['a'] }])
  await subscribe('two', ['PROGRAM', 'EVENT'], [{ type: 'GROUP', values: ['b', 'c'] }])
  await subscribe('three', ['PROGRAM'])
  const names = async (query: string): Promise<string[]> => (await v.call('GET', `${old}/subscriptions?programID=${p.id}&${query}`)).json().map((s: { clientName: string }) => s.clientName)
  t.same(await names('targetType=GROUP&targetValues=a'), ['one'])
  t.same(await names('targetType=GROUP&targetValues=a&targetValues=c'), ['one', 'two'])
  t.same(await names('targetType=GROUP&targetValues=a&targetValues=c&objects=PROGRAM'), ['two'])
  t.same(await names('objects=PROGRAM'), ['two', 'three'])
  t.same(await names('targetType=AREA&targetValues=a'), [])
})

t.test('OA-240 a VEN reads under read_all here, and what it asks for is what a VEN may see', async (t) => {
  const answer = await v.app.inject({ method: 'POST', url: `${old}/auth/token`, headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: new URLSearchParams({ grant_type: 'client_credentials', client_id: ven2, client_secret: '9999', scope: 'read_all' }).toString() })
  const authorization = `Bearer ${answer.json().access_token}`
  for (const path of ['/programs', '/events', '/reports', '/subscriptions', '/vens']) t.equal((await v.app.inject({ url: old + path, headers: { authorization } })).statusCode, 200, path)
  const hidden = await program301('for-somebody-else', { targets: [{ type: 'GROUP', values: ['else'] }] })
  t.equal((await v.app.inject({ url: `${old}/programs/${hidden.id}`, headers: { authorization } })).statusCode, 404)
  t.equal((await v.app.inject({ method: 'POST', url: `${old}/programs`, headers: { authorization, 'content-type': 'application/json' }, payload: '{"programName":"mine"}' })).statusCode, 403)
})

t.test('OA-244 OA-245 3.0.1 has no parameter active and needs no reportIntervals', async (t) => {
  const p = await program301('past')
  const past = { programID: p.id, intervalPeriod: { start: '2020-01-01T00:00:00Z', duration: 'PT1H' }, intervals: [{ id: 0, payloads: [] }], reportDescriptors: [{ payloadType: 'USAGE' }] }
  const e = (await v.call('POST', `${old}/events`, bl, past)).json()
  for (const active of ['true', 'false', 'no-boolean']) t.same((await v.call('GET', `${old}/events?programID=${p.id}&active=${active}`)).json().map((x: { id: string }) => x.id), [e.id], active)
  t.same((await v.call('GET', `/events?programID=${p.id}&active=true`)).json(), [], '3.1 filters')
  t.same(e.reportDescriptors, [{ payloadType: 'USAGE' }], 'nothing is added that 3.0.1 does not have')
  t.same((await v.call('GET', `/events/${e.id}`)).json().reportDescriptors, [{ payloadType: 'USAGE' }])
})
