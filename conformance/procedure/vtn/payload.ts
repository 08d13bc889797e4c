import type { Procedure, Step } from '#conformance/procedure.js'
import { call, decided, makeEvent, makeProgram, newer, noVens, older, ours, problem, proc, venWith } from '#conformance/procedure/vtn/steps.js'

const clause = 'OpenADR 3.1 Definition, enumerations'
const decision = 'decision of the requirement list'
const period = { start: '2030-01-01T00:00:00Z', duration: 'PT1H' }
const carrying = (...payloads: object[]): object => ({ programID: '${program}', intervalPeriod: period, intervals: [{ id: 0, payloads }] })
const event = (json: object, expect: object = {}, more: object = {}): Step => call('bl', 'POST', '/events', { status: 201, ...(expect as Record<string, never>) }, { json, ...more })
const one = (type: string, ...values: unknown[]): object => ({ type, values })
/** One right payload of each event type of the enumeration, with an edge where it has one. */
const typed: readonly (readonly [type: string, ...values: unknown[]])[] = [
  ['SIMPLE', 3], ['PRICE', 0.17], ['PRICE', 0.1, 0.2, 0.3], ['EXPORT_PRICE', -0.02], ['GHG', 250], ['CHARGE_STATE_SETPOINT', 0.8], ['DISPATCH_SETPOINT', 12.5], ['DISPATCH_SETPOINT_RELATIVE', -30], ['DISPATCH_INSTRUCTION', 'start', 'stop'], ['CONTROL_SETPOINT', { x: 1, y: 2 }], ['CONTROL_LEVEL_OFFSET', -10],
  ['CONTROL_LEVEL_OFFSET_PERCENT', -0.5], ['CURVE', { x: 0, y: 1 }, { x: 1, y: 0.5 }], ['OLS', 0.1, 0.9], ['IMPORT_CAPACITY_SUBSCRIPTION', 10], ['IMPORT_CAPACITY_RESERVATION', 5], ['IMPORT_CAPACITY_AVAILABLE', 3], ['IMPORT_CAPACITY_LIMIT', 7.4], ['EXPORT_CAPACITY_LIMIT', 0], ['ALERT_GRID_EMERGENCY', 'storm'], ['CTA2045_REBOOT', 0],
]
const topicPaths = ['programs', 'events', 'reports', 'subscriptions', 'vens', 'resources']

export const payloads: readonly Procedure[] = [
  proc(newer, 'vtn.payload.types', 'every payload type of the enumeration is stored and comes back as written', 'OA-070 OA-166 OA-087', clause, [makeProgram(), ...typed.map(([type, ...values]) => event(carrying(one(type, ...values)), { 'body.intervals[0].payloads': { same: [one(type, ...values)] } }))], { tags: ['event'] }),
  proc(newer, 'vtn.payload.warn', 'a value outside its enumeration is taken with a warning, not refused', 'OA-087', decision, [makeProgram(), event(carrying(one('SIMPLE', 9)), { 'body.intervals[0].payloads[0].values': { equals: [9] } }), event(carrying(one('GHG', -5)))], { needs: ['payload-warn'], tags: ['event'] }),
  proc(newer, 'vtn.payload.unplaced', 'an interval that cannot be placed in time is taken, not refused', 'OA-088', decision, [makeProgram(), event({ programID: '${program}', intervals: [{ id: 0, payloads: [one('PRICE', 1)] }, { id: 1, payloads: [one('PRICE', 2)] }] }, { 'body.intervals.length': 2 })], { needs: ['payload-warn'], tags: ['event'] }),
  proc(newer, 'vtn.envelope', 'dynamic operating envelopes: limits, subscriptions and a reservation asked for by a report with its own intervals', 'OA-262', 'OpenADR 3 User Guide §8.10', [
    makeProgram(), event({ programID: '${program}', intervalPeriod: period, intervals: [{ id: 0, payloads: [one('IMPORT_CAPACITY_SUBSCRIPTION', 10), one('IMPORT_CAPACITY_LIMIT', 7)] }], reportDescriptors: [{ payloadType: 'IMPORT_RESERVATION_CAPACITY', reportIntervals: 'OPEN_INTERVALS', historical: false }] }, { 'body.reportDescriptors[0].reportIntervals': 'OPEN_INTERVALS' }, { save: { asked: 'body.id' } }),
    call('ven', 'POST', '/reports', { status: 201, 'body.resources[0].intervals[0].id': 77 }, { json: { eventID: '${asked}', clientName: 'c', resources: [{ resourceName: 'AGGREGATED_REPORT', intervals: [{ id: 77, intervalPeriod: { start: '2030-01-01T06:00:00Z', duration: 'PT15M' }, payloads: [one('IMPORT_RESERVATION_CAPACITY', 2.5)] }] }] } }),
  ], { tags: ['event', 'report'] }),
  proc(newer, 'vtn.descriptor', 'a payload descriptor names its objectType, payload type and units; defaults of a program are kept', 'OA-085', 'OpenADR 3.1 YAML, descriptors', [
    makeProgram({ payloadDescriptors: [{ objectType: 'EVENT_PAYLOAD_DESCRIPTOR', payloadType: 'PRICE', units: 'KWH', currency: 'USD' }, { objectType: 'REPORT_PAYLOAD_DESCRIPTOR', payloadType: 'USAGE', readingType: 'DIRECT_READ', units: 'KWH', accuracy: 0.5, confidence: 95 }] }), call('bl', 'GET', '/programs/${program}', { 'body.payloadDescriptors[0].currency': 'USD', 'body.payloadDescriptors[1].confidence': 95 }),
    call('bl', 'POST', '/programs', problem(400), { json: { programName: '${run} bad', payloadDescriptors: [{ payloadType: 'PRICE' }] }, ...decided }), call('bl', 'POST', '/programs', problem(400), { json: { programName: '${run} bad', payloadDescriptors: [{ objectType: 'REPORT_PAYLOAD_DESCRIPTOR', payloadType: 'USAGE', confidence: 101 }] } }),
  ], { tags: ['program'] }),
  proc(newer, 'vtn.report-descriptor', 'report descriptors keep every field of their schedule, and refuse what is none', 'OA-071 OA-056', 'OpenADR 3.1 YAML, reportDescriptor', [
    makeProgram(), makeEvent({ reportDescriptors: [{ payloadType: 'USAGE', startInterval: 1, numIntervals: 2, frequency: 2, repeat: 3, historical: false, aggregate: true, reportIntervals: 'SUB_INTERVALS' }] }), call('bl', 'GET', '/events/${event}', { status: 200, 'body.reportDescriptors[0].startInterval': 1, 'body.reportDescriptors[0].numIntervals': 2, 'body.reportDescriptors[0].frequency': 2, 'body.reportDescriptors[0].repeat': 3, 'body.reportDescriptors[0].historical': false, 'body.reportDescriptors[0].aggregate': true, 'body.reportDescriptors[0].reportIntervals': 'SUB_INTERVALS' }),
    ...[{ payloadType: 'USAGE', repeat: 1.5 }, { payloadType: 'USAGE', reportIntervals: 'SOME' }, { payloadType: 'USAGE', historical: 'yes' }, {}].map((descriptor) => call('bl', 'POST', '/events', problem(400), { json: { programID: '${program}', reportDescriptors: [descriptor] } })),
  ], { tags: ['event'] }),
  proc(newer, 'vtn.ven.no-targets', 'a ven made without targets has none, and no words of the schema in their place', 'OA-086', 'OpenADR 3.1 YAML, BlVenRequest', [noVens, call('bl', 'POST', '/vens', { status: 201, 'body.targets': { oneOf: [undefined, null, []] } }, { json: { objectType: 'BL_VEN_REQUEST', clientID: '${ven_id}', venName: '${run}' } })], { tags: ['ven'] }),
  proc(newer, 'vtn.roles', 'one scope serves both roles: each role has its own form of a ven, and only a BL writes for others', 'OA-032 OA-081 OA-084', decision, [
    noVens, call('ven', 'POST', '/vens', problem(400), { json: { objectType: 'BL_VEN_REQUEST', clientID: '${ven_id}', venName: '${run}' } }), call('bl', 'POST', '/vens', problem(400), { json: { objectType: 'VEN_VEN_REQUEST', venName: '${run}' } }), call('bl', 'POST', '/vens', problem(400), { json: { clientID: '${ven_id}', venName: '${run}' } }),
    call('ven', 'POST', '/vens', { status: 201, 'body.clientID': '${ven_id}' }, { json: { objectType: 'VEN_VEN_REQUEST', venName: '${run} own' } }), call('bl', 'POST', '/vens', { status: 201, 'body.clientID': '${ven2_id}' }, { json: { objectType: 'BL_VEN_REQUEST', clientID: '${ven2_id}', venName: '${run} other' } }),
  ], { ...ours, tags: ['scope'] }),
  proc(newer, 'vtn.moves', 'events, reports and resources do not move', 'OA-092 OA-083', decision, [
    makeProgram(), makeEvent(), makeEvent({}, 'second'), call('ven', 'POST', '/reports', { status: 201 }, { json: { eventID: '${event}', clientName: 'c', resources: [] }, save: { report: 'body.id' } }), call('ven', 'PUT', '/reports/${report}', problem(400), { json: { eventID: '${second}', clientName: 'c', resources: [] } }),
  ], { ...ours, tags: ['reference'] }),
  proc(newer, 'vtn.mqtt.disjoint', 'no topic filter of one set catches the topics of another', 'OA-137 OA-138', decision, [
    noVens, venWith('ven', []), venWith('ven2', []), makeProgram(), ...topicPaths.map((path) => call('bl', 'GET', `/notifiers/mqtt/topics/${path}`, { status: 200 }, { save: { [path]: 'body.topics' } })),
    call('bl', 'GET', '/notifiers/mqtt/topics/programs/${program}', { status: 200, 'body.topics.CREATE': { exists: false } }, { save: { one: 'body.topics' } }), call('bl', 'GET', '/notifiers/mqtt/topics/programs/${program}/events', { status: 200 }, { save: { its: 'body.topics' } }),
    ...['ven', 'ven2'].flatMap((v) => [call('bl', 'GET', `/notifiers/mqtt/topics/vens/\${${v}}`, { status: 200 }, { save: { [`of_${v}`]: 'body.topics' } }), ...['events', 'programs', 'resources'].map((of) => call('bl', 'GET', `/notifiers/mqtt/topics/vens/\${${v}}/${of}`, { status: 200 }, { save: { [`${of}_${v}`]: 'body.topics' } }))]),
    { say: 'they are apart', do: 'mqtt.apart', with: { sets: [...topicPaths, 'one', 'its', ...['ven', 'ven2'].flatMap((v) => [`of_${v}`, `events_${v}`, `programs_${v}`, `resources_${v}`])].map((name) => `\${${name}}`) }, expect: { caught: { equals: [] }, sets: 16 } },
  ], { needs: ['mqtt', 'decisions'], tags: ['mqtt'] }),
  proc(newer, 'vtn.gzip', 'answers are compressed for those who ask', 'OA-006', 'RFC 9110 §8.4', [makeProgram({ attributes: [{ type: 'LONG', values: ['x'.repeat(3000)] }] }), call('bl', 'GET', '/programs', { status: 200, 'headers.content-encoding': 'gzip' }, { headers: { 'accept-encoding': 'gzip' }, should: true })], { tags: ['list'] }),
  proc(newer, 'vtn.limits', 'a client that asks without end is told to wait', 'OA-031', decision, [
    { say: 'a token', do: 'vtn.token', with: { as: 'ven2' }, save: { bearer: 'token' } }, { say: 'many requests', do: 'http.parallel', with: { count: 700, request: { method: 'GET', path: '/programs', headers: { authorization: 'Bearer ${bearer}' } } }, expect: { 'counts.429': { atLeast: 1 }, 'counts.200': { atLeast: 20 } } },
  ], { needs: ['rate-limits'], tags: ['limits'] }),
  proc(older, 'vtn301.resources', '3.0.1 resources hang below their ven, and in it', 'OA-232', 'OpenADR 3.0.1 YAML, ven', [
    noVens, call('ven', 'POST', '/vens', { status: 201 }, { json: { venName: '${run}' }, save: { ven: 'body.id' } }), call('ven', 'POST', '/vens/${ven}/resources', { status: 201 }, { json: { resourceName: 'meter' }, save: { meter: 'body.id' } }), call('ven', 'GET', '/vens/${ven}/resources', { status: 200, 'body[*].id': { equals: ['${meter}'] } }), call('ven', 'GET', '/vens/${ven}', { status: 200, 'body.resources[*].resourceName': { equals: ['meter'] } }),
  ], { tags: ['ven'] }),
  proc(older, 'vtn301.event.fields', '3.0.1 events need intervals', 'OA-236', 'OpenADR 3.0.1 YAML, event', [makeProgram(), call('bl', 'POST', '/events', problem(400), { json: { programID: '${program}' } }), call('bl', 'POST', '/events', { status: 201 }, { json: { programID: '${program}', intervals: [{ id: 0, payloads: [one('PRICE', 1)] }], intervalPeriod: period } })], { tags: ['event'] }),
]
