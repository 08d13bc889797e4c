import type { Matcher, Procedure, Step } from '#conformance/procedure.js'

type Expect = Readonly<Record<string, Matcher>>
const profiles = ['3.1.1']
const clause = 'OpenADR 3.1 Definition, VEN; requirement list §12'
const proc = (id: string, title: string, requirements: string, steps: readonly Step[], more: Partial<Procedure> = {}): Procedure => ({ id: `ven.${id}`, title, requirements: requirements.split(' '), clause, profiles, steps, ...more })
const vtn = (state: object = {}): Step => ({ say: 'a VTN waits', do: 'ven.vtn', with: { programs: [program], ...state }, save: { url: 'url' } })
const client: Step = { say: 'the client begins', do: 'ven.start' }
const saw = (method: string, path: string, expect: Expect = {}, more: Record<string, Matcher> = {}, timeout_ms = 8000): Step => ({ say: `it sends ${method} ${path}`, do: 'ven.saw', with: { where: { method, path: path.includes('\\') ? { matches: path } : path, ...more }, timeout_ms }, expect: { arrived: true, ...expect } })
const alive: Step = { say: 'it still runs and polls', do: 'ven.saw', with: { where: { method: 'GET', path: '/events' }, timeout_ms: 25_000 }, expect: { arrived: true, stillRunning: true } }
const program = { id: 'program-1', programName: 'conformance' }
const price = { programID: 'program-1', eventName: 'e', intervalPeriod: { start: '${iso-60}', duration: 'PT1H' }, intervals: [{ id: 0, payloads: [{ type: 'PRICE', values: [0.2] }] }] }
const reporting = { ...price, intervalPeriod: { start: '${iso+2}', duration: 'PT4S' }, intervals: [{ id: 4, payloads: [{ type: 'SIMPLE', values: [1] }] }], reportDescriptors: [{ payloadType: 'USAGE', readingType: 'DIRECT_READ', units: 'KWH' }] }
const withEvents = (...events: object[]): Step => vtn({ events })
/** A client reports what it metered, so the event comes when it is running; the report may wait a few seconds of its own after the end. */
const ask: Step = { say: 'an event asks for a report', do: 'ven.set', with: { events: [reporting] } }
const rude = (when: string, how: object, state: object = {}): Step => vtn({ events: [price], rude: [{ when, ...how }], ...state })

/** What a VTN may answer wrongly on GET /events: the client polls on. */
const insults: readonly [word: string, how: object][] = [
  ['500', { status: 500, times: 2 }], ['503', { status: 503, headers: { 'retry-after': '1' }, times: 2 }], ['429', { status: 429, headers: { 'retry-after': '1' }, times: 2 }], ['not-json', { status: 200, text: '<html>', times: 1 }], ['not-a-list', { status: 200, text: '{"a":1}', times: 1 }], ['null', { status: 200, text: 'null', times: 1 }],
  ['cut', { cut: true, times: 2 }], ['slow', { delay_ms: 1500, times: 1 }], ['empty', { status: 200, text: '', times: 1 }], ['list-of-nonsense', { status: 200, text: '[1,null,{"id":5},"x"]', times: 1 }], ['403', { status: 403, times: 2 }],
]
/** Events that are strange and legal. */
const strange: readonly [word: string, requirements: string, event: object][] = [
  ['unknown-payload', 'OA-206', { ...price, intervals: [{ id: 0, payloads: [{ type: 'X-PRIVATE', values: [{ x: 1, y: 2 }, 'z'] }] }] }], ['extra-fields', 'OA-206', { ...price, somethingNew: { a: 1 } }], ['do-it-now', 'OA-162 OA-205', { ...price, intervalPeriod: { start: '0001-01-01T00:00:00Z', duration: 'PT1H' } }], ['endless', 'OA-163 OA-205', { ...price, intervalPeriod: { start: '${iso-60}', duration: 'P9999Y' } }],
  ['looping', 'OA-164 OA-205', { ...price, duration: 'P9999Y' }], ['no-intervals', 'OA-205', { programID: 'program-1' }], ['no-start', 'OA-161 OA-205', { programID: 'program-1', intervals: [{ id: 0, payloads: [] }] }], ['many-values', 'OA-166 OA-205', { ...price, intervals: [{ id: 0, payloads: [{ type: 'PRICE', values: Array.from({ length: 288 }, (_, i) => i / 100) }] }] }],
  ['cancelled', 'OA-165 OA-205', { ...price, intervalPeriod: { start: '0001-01-01', duration: 'PT0S' } }], ['long', 'OA-205', { ...price, intervals: Array.from({ length: 500 }, (_, id) => ({ id, payloads: [{ type: 'PRICE', values: [id] }] })) }],
]

export const clientUnderTest: readonly Procedure[] = [
  proc('token', 'it asks for a token by client credentials, secret in the body or header and never in the address', 'OA-201 OA-020', [vtn(), client, saw('POST', '/auth/token', { 'body.grant_type': 'client_credentials', 'headers.content-type': { matches: 'application/x-www-form-urlencoded' }, query: { equals: {} } }), saw('GET', '^/(vens|programs|events)\\b', { 'headers.authorization': { matches: '^Bearer token-1$' }, query: { not: { contains: 'access_token' } } })], { smoke: true }),
  proc('register', 'it looks for its ven object and makes one', 'OA-202', [vtn(), client, saw('GET', '/vens'), saw('POST', '/vens', { 'body.objectType': 'VEN_VEN_REQUEST', 'body.venName': { matches: '.' }, 'body.targets': { exists: false }, 'body.clientID': { exists: false } })], { smoke: true }),
  proc('register.known', 'it makes no second ven object', 'OA-202', [vtn({ vens: [{ id: 'ven-1', venName: 'ven_client', clientID: 'ven_client' }] }), client, saw('GET', '/events'), { say: 'no POST of a ven', do: 'ven.saw', with: { where: { method: 'POST', path: '/vens' }, timeout_ms: 700 }, expect: { arrived: false } }]),
  proc('register.conflict', 'it adopts the ven object that was made a moment before', 'OA-202', [rude('POST /vens', { status: 409, times: 1 }), client, saw('POST', '/vens'), saw('GET', '/vens'), { say: 'it lives', do: 'ven.saw', with: { where: { method: 'GET' }, timeout_ms: 3000 }, expect: { stillRunning: true } }]),
  proc('resources', 'it registers its resources under its ven', 'OA-202', [vtn(), client, saw('POST', '/resources', { 'body.objectType': 'VEN_RESOURCE_REQUEST', 'body.venID': { matches: '.' }, 'body.resourceName': { matches: '.' } })]),
  proc('poll', 'it polls events again and again', 'OA-203', [withEvents(price), client, saw('GET', '/events'), saw('GET', '/events', { stillRunning: true }), saw('GET', '/events', { stillRunning: true })], { smoke: true }),
  proc('pages', 'it walks a list of more than fifty to its end', 'OA-203', [vtn({ events: Array.from({ length: 120 }, (_, i) => ({ ...price, id: `e${i}` })) }), client, ...['50', '100'].map((skip) => saw('GET', '/events', {}, { 'query.skip': skip }))]),
  proc('etag', 'it asks only for what has changed', 'OA-203 OA-012', [withEvents(price), client, saw('GET', '/events'), { ...saw('GET', '/events', { 'headers.if-none-match': { exists: true } }), should: true }]),
  proc('renew.401', 'after a 401 it takes a new token, once', 'OA-201', [rude('GET /events', { status: 401, times: 1 }), client, saw('POST', '/auth/token'), saw('GET', '/events'), saw('POST', '/auth/token'), saw('GET', '/events', { 'headers.authorization': 'Bearer token-2' })]),
  proc('renew.expiry', 'it renews the token before it expires', 'OA-201', [vtn({ events: [price], expires_in: 2 }), client, saw('POST', '/auth/token'), saw('POST', '/auth/token', {}, {}, 8000), saw('GET', '/events', { stillRunning: true })]),
  proc('auth-server', 'it finds the token endpoint at /auth/server', 'OA-201', [vtn(), client, { ...saw('GET', '/auth/server'), should: true }]),
  proc('redirect', 'it hands its token to no other host by a redirect', 'OA-201', [{ say: 'another host', do: 'receiver.listen', with: { name: 'other' }, save: { other: 'url' } }, rude('GET /events', { status: 302, headers: { location: '${other}' }, times: 1 }), client, saw('GET', '/events'), { say: 'nothing with a token came there', do: 'receiver.count', with: { name: 'other', where: { 'method': 'GET', 'headers.authorization': { exists: true } }, after_ms: 1500 }, expect: { count: 0 } }]),
  ...insults.map(([word, how]) => proc(`rude.${word}`, `it polls on after ${word}`, 'OA-203 OA-211', [rude('GET /events', how), client, saw('GET', '/events'), alive])),
  proc('rude.token', 'a token endpoint that fails for a moment does not end it', 'OA-201 OA-211', [rude('POST /auth/token', { status: 503, times: 1 }), client, saw('POST', '/auth/token'), saw('POST', '/auth/token', {}, {}, 9000)]),
  ...strange.map(([word, requirements, event]) => proc(`event.${word}`, `an event that is ${word.replace(/-/g, ' ')} does not stop it`, requirements, [withEvents(event, { ...price, id: 'other' }), client, saw('GET', '/events'), alive])),
  proc('event.deleted', 'an event that is gone is dropped without harm', 'OA-204', [withEvents(price), client, saw('GET', '/events'), { say: 'it is deleted', do: 'ven.set', with: { events: [] } }, saw('GET', '/events'), alive]),
  proc('report', 'it reports when an event asks for it, naming event, client and intervals', 'OA-207 OA-180', [vtn(), client, ask, saw('POST', '/reports', { 'body.eventID': 'event-1', 'body.clientName': { matches: '.' }, 'body.resources[0].resourceName': { matches: '.' }, 'body.resources[0].intervals[0].id': 4, 'body.resources[0].intervals[0].payloads[0].type': 'USAGE' }, {}, 20_000)], { smoke: true, needs: ['reports'] }),
  proc('report.retry', 'a report that fails is sent again, after a look whether it is stored', 'OA-207', [vtn({ rude: [{ when: 'POST /reports', status: 503, times: 1 }] }), client, ask, saw('POST', '/reports', {}, {}, 20_000), saw('GET', '/reports', {}, {}, 12_000), saw('POST', '/reports', {}, {}, 12_000)], { needs: ['reports'] }),
]
