import type { Procedure, Step } from '#conformance/procedure.js'
import { call, hours, listen, makeEvent, makeProgram, newer, noVens, older, ours, problem, proc } from '#conformance/procedure/vtn/steps.js'

/** The six objects of OpenADR 3 as a table: from each row follow the same cases. */
interface Kind {
  readonly name: string
  readonly objectType: string
  readonly path: string
  readonly writer: 'bl' | 'ven'
  readonly setup: readonly Step[]
  readonly body: Readonly<Record<string, unknown>>
  /** Another legal content. */
  readonly other: Readonly<Record<string, unknown>>
  readonly required: readonly string[]
  /** A property that PUT may leave out, so that it returns to its default. */
  readonly optional: Readonly<Record<string, unknown>>
  /** Bodies that are wrong, by what is wrong with them. */
  readonly wrong: Readonly<Record<string, unknown>>
  readonly needs?: readonly string[]
}

const interval = { id: 0, payloads: [{ type: 'PRICE', values: [0.17] }] }
const period = { start: '2030-01-01T00:00:00Z', duration: 'PT1H' }
const objectOperations = [{ objects: ['PROGRAM'], operations: ['CREATE'], callbackUrl: '${receiver}' }]

const shared = (v301: boolean): readonly Kind[] => [
  {
    name: 'program', objectType: 'PROGRAM', path: '/programs', writer: 'bl', setup: [], required: ['programName'],
    body: { programName: '${run}', intervalPeriod: period }, other: { programName: '${run} renamed' }, optional: { intervalPeriod: period },
    wrong: { 'name-empty': { programName: '' }, 'name-long': { programName: 'x'.repeat(129) }, 'name-number': { programName: 7 }, 'descriptors-word': { programName: '${run}', payloadDescriptors: 'KW' }, 'period-bad-duration': { programName: '${run}', intervalPeriod: { ...period, duration: '1 hour' } } },
  },
  {
    name: 'event', objectType: 'EVENT', path: '/events', writer: 'bl', setup: [makeProgram()], required: v301 ? ['programID', 'intervals'] : ['programID'],
    body: { programID: '${program}', eventName: '${run}', priority: 3, intervalPeriod: period, intervals: [interval] }, other: { programID: '${program}', eventName: 'another', intervalPeriod: period, intervals: [interval, { ...interval, id: 1 }] }, optional: { priority: 3 },
    wrong: {
      'priority-negative': { programID: '${program}', priority: -1, intervals: [interval] }, 'interval-without-id': { programID: '${program}', intervals: [{ payloads: [] }] }, 'payload-without-type': { programID: '${program}', intervals: [{ id: 0, payloads: [{ values: [1] }] }] },
      'values-not-list': { programID: '${program}', intervals: [{ id: 0, payloads: [{ type: 'PRICE', values: 1 }] }] }, 'start-not-a-time': { programID: '${program}', intervalPeriod: { start: 'tomorrow' }, intervals: [interval] },
    },
  },
  {
    name: 'report', objectType: 'REPORT', path: '/reports', writer: 'ven', setup: [makeProgram(), makeEvent()], required: v301 ? ['programID', 'eventID', 'clientName', 'resources'] : ['eventID', 'clientName', 'resources'],
    body: { ...(v301 ? { programID: '${program}' } : {}), eventID: '${event}', clientName: '${run}', reportName: 'r', resources: [{ resourceName: 'site', intervals: [{ id: 0, payloads: [{ type: 'USAGE', values: [12.5] }] }] }] },
    other: { ...(v301 ? { programID: '${program}' } : {}), eventID: '${event}', clientName: '${run}', resources: [] }, optional: { reportName: 'r' },
    wrong: { 'resources-word': { programID: '${program}', eventID: '${event}', clientName: 'c', resources: 'none' }, 'resource-without-intervals': { programID: '${program}', eventID: '${event}', clientName: 'c', resources: [{ resourceName: 's' }] }, 'client-name-empty': { programID: '${program}', eventID: '${event}', clientName: '', resources: [] } },
  },
  {
    name: 'subscription', objectType: 'SUBSCRIPTION', path: '/subscriptions', writer: 'bl', setup: [makeProgram(), listen()], required: v301 ? ['clientName', 'programID', 'objectOperations'] : ['clientName', 'objectOperations'], needs: ['webhook-loopback'],
    body: { clientName: '${run}', programID: '${program}', objectOperations }, other: { clientName: '${run} b', programID: '${program}', objectOperations }, optional: {},
    wrong: { 'no-objects': { clientName: 'c', programID: '${program}', objectOperations: [{ objects: ['NOTHING'], operations: ['CREATE'], callbackUrl: '${receiver}' }] }, 'no-such-operation': { clientName: 'c', programID: '${program}', objectOperations: [{ objects: ['EVENT'], operations: ['PATCH'], callbackUrl: '${receiver}' }] }, 'no-callback': { clientName: 'c', programID: '${program}', objectOperations: [{ objects: ['EVENT'], operations: ['CREATE'] }] } },
  },
]

const kinds31: readonly Kind[] = [
  ...shared(false),
  {
    name: 'ven', objectType: 'VEN', path: '/vens', writer: 'bl', setup: [noVens], required: ['objectType', 'clientID', 'venName'],
    body: { objectType: 'BL_VEN_REQUEST', clientID: '${ven_id}', venName: '${run}', targets: ['a'], attributes: [{ type: 'DESCRIPTION', values: ['x'] }] }, other: { objectType: 'BL_VEN_REQUEST', clientID: '${ven_id}', venName: '${run} b', targets: ['b'] }, optional: { attributes: [{ type: 'DESCRIPTION', values: ['x'] }] },
    wrong: { 'targets-word': { objectType: 'BL_VEN_REQUEST', clientID: '${ven_id}', venName: '${run}', targets: 'a' } },
  },
  {
    name: 'resource', objectType: 'RESOURCE', path: '/resources', writer: 'bl', required: ['objectType', 'resourceName', 'venID'],
    setup: [noVens, call('bl', 'POST', '/vens', { status: 201 }, { json: { objectType: 'BL_VEN_REQUEST', clientID: '${ven_id}', venName: '${run} ven' }, save: { ven: 'body.id' } })],
    body: { objectType: 'BL_RESOURCE_REQUEST', clientID: '${ven_id}', venID: '${ven}', resourceName: '${run}', targets: ['r'], attributes: [{ type: 'MAX_POWER_EXPORT', values: [5] }] }, other: { objectType: 'BL_RESOURCE_REQUEST', clientID: '${ven_id}', venID: '${ven}', resourceName: '${run} b' }, optional: { attributes: [{ type: 'MAX_POWER_EXPORT', values: [5] }] },
    wrong: { 'name-long': { objectType: 'BL_RESOURCE_REQUEST', clientID: '${ven_id}', venID: '${ven}', resourceName: 'x'.repeat(129) } },
  },
]

const kinds301: readonly Kind[] = [
  ...shared(true),
  { name: 'ven', objectType: 'VEN', path: '/vens', writer: 'ven', setup: [noVens], required: ['venName'], body: { venName: '${run}', attributes: [{ type: 'DESCRIPTION', values: ['x'] }] }, other: { venName: '${run} b' }, optional: { attributes: [{ type: 'DESCRIPTION', values: ['x'] }] }, wrong: { 'name-empty': { venName: '' } } },
  {
    name: 'resource', objectType: 'RESOURCE', path: '/vens/${ven}/resources', writer: 'ven', setup: [noVens, call('ven', 'POST', '/vens', { status: 201 }, { json: { venName: '${run} ven' }, save: { ven: 'body.id' } })], required: ['resourceName'],
    body: { resourceName: '${run}', attributes: [{ type: 'MAX_POWER_EXPORT', values: [5] }] }, other: { resourceName: '${run} b' }, optional: { attributes: [{ type: 'MAX_POWER_EXPORT', values: [5] }] }, wrong: { 'name-long': { resourceName: 'x'.repeat(129) } },
  },
]

const without = (body: Readonly<Record<string, unknown>>, key: string): object => Object.fromEntries(Object.entries(body).filter(([k]) => k !== key))
const stamp = { matches: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)$' }
const echo = (body: Readonly<Record<string, unknown>>): Record<string, { same: unknown }> =>
  Object.fromEntries(Object.entries(body).filter(([k]) => k !== 'objectType' && k !== 'objectOperations').map(([k, v]) => [`body.${k}`, { same: v }]))

function cases(kind: Kind, profiles: readonly string[], prefix: string): Procedure[] {
  const { path, writer, setup, body, other } = kind
  const clause = `OpenADR 3 YAML, ${path.replace(/\$\{.*?\}/, '{venID}')}`
  const one = `${path}/\${id}`
  const make = call(writer, 'POST', path, { status: 201 }, { json: body, save: { id: 'body.id', created: 'body.createdDateTime', modified: 'body.modificationDateTime' } })
  const make_ = (id: string, title: string, requirements: string, steps: readonly Step[], more: Partial<Procedure> = {}): Procedure =>
    proc(profiles, `${prefix}.${kind.name}.${id}`, `${kind.name}: ${title}`, requirements, clause, [...setup, ...steps], { tags: [kind.name], ...(kind.needs ? { needs: kind.needs } : {}), ...more })
  return [
    make_('create', 'POST stores it and answers with what the VTN adds', 'OA-051 OA-052 OA-053 OA-005 OA-070 OA-071', [
      call(writer, 'POST', path, { status: 201, 'headers.content-type': { matches: '^application/json' }, 'body.id': { matches: '^[a-zA-Z0-9_-]{1,128}$' }, 'body.objectType': kind.objectType, 'body.createdDateTime': stamp, 'body.modificationDateTime': stamp, ...echo(body) }, { json: body, save: { id: 'body.id' } }),
      call(writer, 'GET', one, { status: 200, 'body.objectType': kind.objectType, ...echo(body) }),
    ], { smoke: true }),
    make_('assigned', 'ids and times that a client sends are ignored', 'OA-051', [
      call(writer, 'POST', path, { status: 201, 'body.id': { not: 'mine' }, 'body.createdDateTime': { not: '2001-01-01T00:00:00Z' } }, { json: { ...body, id: 'mine', createdDateTime: '2001-01-01T00:00:00Z', modificationDateTime: '2001-01-01T00:00:00Z' } }),
    ]),
    make_('extra', 'unknown properties do no harm', 'OA-009', [call(writer, 'POST', path, { status: 201 }, { json: { ...body, somethingElse: { a: [1, 2] } } })]),
    make_('replace', 'PUT replaces the whole content and advances the time of change', 'OA-054', [
      make,
      call(writer, 'PUT', one, { status: 200, 'body.id': '${id}', 'body.createdDateTime': { same: '${created}' }, 'body.modificationDateTime': { not: '${modified}' }, ...echo(other), ...Object.fromEntries(Object.keys(kind.optional).map((k) => [`body.${k}`, { oneOf: [undefined, null] }])) }, { json: other, save: { later: 'body.modificationDateTime' } }),
      call(writer, 'GET', one, { status: 200, 'body.modificationDateTime': { same: '${later}' }, ...echo(other) }),
    ]),
    make_('delete', 'DELETE answers the object, and it is gone', 'OA-093', [
      make, call(writer, 'DELETE', one, { status: 200, 'body.id': '${id}', 'body.objectType': kind.objectType }), call(writer, 'GET', one, problem(404)), call(writer, 'DELETE', one, problem(404)),
    ]),
    make_('unknown', 'an unknown id is 404, an impossible one 400 or 404', 'OA-053 OA-050', [
      call(writer, 'GET', `${path}/no-such-object`, problem(404)), call(writer, 'PUT', `${path}/no-such-object`, problem(404), { json: body }), call(writer, 'DELETE', `${path}/no-such-object`, problem(404)),
      call(writer, 'GET', `${path}/not%20an%20id`, problem(400, 404)), call(writer, 'GET', `${path}/${'x'.repeat(129)}`, problem(400, 404)),
    ]),
    make_('required', `each of ${kind.required.join(', ')} is required, and nothing is stored without`, 'OA-055', kind.required.map((key) => call(writer, 'POST', path, problem(400), { json: without(body, key) }))),
    ...(Object.keys(kind.wrong).length ? [make_('wrong', 'wrong values are 400', 'OA-055 OA-056 OA-050', Object.entries(kind.wrong).map(([, json]) => call(writer, 'POST', path, problem(400), { json })))] : []),
    make_('empty', 'an empty body, broken JSON or a list is 400', 'OA-055 OA-007', [
      call(writer, 'POST', path, problem(400), { text: '', headers: { 'content-type': 'application/json' } }), call(writer, 'POST', path, problem(400), { text: '{"a":', headers: { 'content-type': 'application/json' } }), call(writer, 'POST', path, problem(400), { json: [body] }),
      make, call(writer, 'PUT', one, problem(400), { json: {} }),
    ]),
    make_('type', 'a foreign or missing Content-Type is refused', 'OA-007', [
      call(writer, 'POST', path, problem(400, 415), { text: '<a/>', headers: { 'content-type': 'application/xml' } }), call(writer, 'POST', path, problem(400, 415), { text: JSON.stringify({ programName: 'x' }), headers: { 'content-type': '' } }),
    ]),
    make_('methods', 'methods that the path does not have are 405 with Allow', 'OA-008', [
      ...['PUT', 'DELETE', 'PATCH'].map((method) => call(writer, method, path, { ...problem(405), 'headers.allow': { matches: 'GET' } }, method === 'DELETE' ? {} : { json: body })),
      make, call(writer, 'POST', one, { ...problem(405), 'headers.allow': { matches: 'GET.*' } }, { json: body }),
    ]),
    make_('etag', 'a read carries an ETag that If-None-Match honours', 'OA-012', [
      make, call(writer, 'GET', one, { status: 200, 'headers.etag': { exists: true }, 'headers.cache-control': { matches: 'private' }, 'headers.vary': { matches: '[Aa]uthorization' } }, { save: { etag: 'headers.etag' }, should: true }),
      call(writer, 'GET', one, { status: 304, length: 0 }, { headers: { 'if-none-match': '${etag}' }, should: true }),
      call(writer, 'PUT', one, { status: 200 }, { json: other }), call(writer, 'GET', one, { status: 200 }, { headers: { 'if-none-match': '${etag}' } }),
    ], { needs: [...(kind.needs ?? []), 'etag'] }),
  ]
}

/** Content that comes back exactly as written. */
const literal: readonly Procedure[] = [
  proc(newer, 'vtn.event.literal', 'event: durations, numbers and intervals come back as they were meant', 'OA-070 OA-071', 'OpenADR 3.1 Definition, events', [
    makeProgram(),
    call('bl', 'POST', '/events', {
      status: 201, 'body.duration': { same: 'P9999Y' }, 'body.intervalPeriod': { same: { start: '2030-01-01T00:00:00Z', duration: 'PT24H', randomizeStart: 'PT5M' } }, 'body.intervals[*].id': { equals: [7, 3, 5] }, 'body.intervals[1].intervalPeriod': { same: { start: '2030-01-02T00:00:00Z', duration: 'P1W' } }, 'body.intervals[0].payloads[0].values': { equals: [0.1, 60, -1.5, 'word', true, { x: 0, y: 1.25 }] }, 'body.intervals[2].payloads': { equals: [] },
    }, { json: { programID: '${program}', duration: 'P9999Y', intervalPeriod: { start: '2030-01-01T00:00:00Z', duration: 'PT24H', randomizeStart: 'PT5M' }, intervals: [{ id: 7, payloads: [{ type: 'CURVE', values: [0.1, 60, -1.5, 'word', true, { x: 0, y: 1.25 }] }] }, { id: 3, intervalPeriod: { start: '2030-01-02T00:00:00Z', duration: 'P1W' }, payloads: [{ type: 'X-PRIVATE', values: [] }] }, { id: 5, payloads: [] }] } }),
  ], { tags: ['event'], smoke: true }),
  proc(newer, 'vtn.event.letters', 'event: durations and times come back letter for letter', 'OA-071 OA-162 OA-163', 'decision of the requirement list', [
    makeProgram(),
    call('bl', 'POST', '/events', { 'status': 201, 'body.duration': 'P9999Y', 'body.intervalPeriod.start': '0001-01-01', 'body.intervalPeriod.duration': 'PT24H', 'body.createdDateTime': { matches: 'Z$' } }, { json: { programID: '${program}', duration: 'P9999Y', intervalPeriod: { start: '0001-01-01', duration: 'PT24H' }, intervals: [interval] } }),
  ], { ...ours, tags: ['event'] }),
  proc(newer, 'vtn.event.now', 'event: the year 0001 is accepted as start and stays it', 'OA-162', 'OpenADR 3.1 Definition, intervalPeriod', ['0001-01-01', '0001-01-01T00:00:00', '0001-01-01T00:00:00Z'].flatMap((start, i) => [
    ...(i === 0 ? [makeProgram()] : []), call('bl', 'POST', '/events', { status: 201, 'body.intervalPeriod.start': { same: start } }, { json: { programID: '${program}', intervalPeriod: { start, duration: 'PT1H' }, intervals: [interval] } }),
  ]), { tags: ['event'] }),
  proc(newer, 'vtn.event.no-intervals', 'event: intervals are optional', 'OA-055', 'OpenADR 3.1 YAML, event', [makeProgram(), call('bl', 'POST', '/events', { status: 201 }, { json: { programID: '${program}' } })], { tags: ['event'] }),
  proc(newer, 'vtn.event.null', 'event: null is legal for nullable properties and for no others', 'OA-056', 'OpenADR 3.1 YAML, event', [
    makeProgram(), call('bl', 'POST', '/events', { status: 201 }, { json: { programID: '${program}', eventName: null, priority: null, targets: null, reportDescriptors: null, payloadDescriptors: null } }),
    ...['intervals', 'intervalPeriod', 'duration'].map((key) => call('bl', 'POST', '/events', problem(400), { json: { programID: '${program}', [key]: null } })),
  ], { tags: ['event'] }),
  proc(newer, 'vtn.event.negative-duration', 'event: a negative duration has no meaning', 'OA-072', 'OpenADR 3.1 YAML, duration', [makeProgram(), call('bl', 'POST', '/events', problem(400), { json: { programID: '${program}', intervalPeriod: { start: '2030-01-01T00:00:00Z', duration: '-PT1H' }, intervals: [interval] } })], { ...ours, tags: ['event'] }),
  proc(newer, 'vtn.event.move', 'event: it does not move to another program', 'OA-092', 'OpenADR 3.1 Definition, events', [
    makeProgram(), makeProgram({}, 'second'), makeEvent(), call('bl', 'PUT', '/events/${event}', problem(400), { json: { programID: '${second}', ...hours(1) } }),
  ], { ...ours, tags: ['event'] }),
  proc(newer, 'vtn.big-body', 'a body over the limit is 413', 'OA-007', 'RFC 9110 §15.5.14', [call('bl', 'POST', '/programs', { status: 413 }, { json: { programName: '${run}', attributes: [{ type: 'LONG', values: ['x'.repeat(2_200_000)] }] } })], { needs: ['body-limit'] }),
  proc(newer, 'vtn.unknown-path', 'an unknown path is a 404 Problem', 'OA-008 OA-050', 'OpenADR 3.1 YAML, paths', [call('bl', 'GET', '/nothing-here', problem(404))]),
  proc(newer, 'vtn.request-id', 'every answer names its request', 'OA-011 OA-050', 'decision of the requirement list', [
    call('bl', 'GET', '/programs', { status: 200, 'headers.x-request-id': { exists: true } }, { should: true }), call('bl', 'GET', '/programs/no-such-object', { ...problem(404), 'body.instance': { matches: '^[a-z]+:' } }, { should: true }),
  ]),
]

export const objects: readonly Procedure[] = [...kinds31.flatMap((kind) => cases(kind, newer, 'vtn')), ...kinds301.flatMap((kind) => cases(kind, older, 'vtn301')), ...literal]
