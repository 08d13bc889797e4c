import type { Procedure, Step } from '#conformance/procedure.js'
import { call, decided, hours, makeEvent, makeProgram, newer, noVens, older, ours, problem, proc, venWith } from '#conformance/procedure/vtn/steps.js'

const seven: readonly Step[] = Array.from({ length: 7 }, (_, i) => makeEvent({}, `e${i}`))
const saved = Array.from({ length: 7 }, (_, i) => `\${e${i}}`)
const clause = 'OpenADR 3.1 YAML, query parameters'
const listPaths = ['/programs', '/events', '/reports', '/subscriptions', '/vens', '/resources']

export const lists: readonly Procedure[] = [
  proc(newer, 'vtn.list.walk', 'skip and limit walk a list completely, each member once', 'OA-057 OA-058', clause, [
    makeProgram(), ...seven,
    { say: 'walk by two', do: 'vtn.walk', with: { as: 'bl', path: '/events', query: { programID: '${program}' }, page: 2 }, expect: { allOk: true, ids: { sameSet: saved } } },
    { say: 'walk by three', do: 'vtn.walk', with: { as: 'bl', path: '/events', query: { programID: '${program}' }, page: 3 }, expect: { ids: { sameSet: saved } } },
  ], { smoke: true, tags: ['list'] }),
  proc(newer, 'vtn.list.order', 'lists are oldest first, however they are walked', 'OA-058', 'decision of the requirement list', [
    makeProgram(), ...seven, ...[2, 3].map((page): Step => ({ say: `walk by ${page}`, do: 'vtn.walk', with: { as: 'bl', path: '/events', query: { programID: '${program}' }, page }, expect: { ids: { equals: saved } } })),
  ], { ...ours, tags: ['list'] }),
  ...listPaths.map((path) => proc(newer, `vtn.list.limits${path.replace('/', '.')}`, `${path}: limit is 0…50, skip from 0`, 'OA-057', clause, [
    call('bl', 'GET', path, { status: 200, body: { equals: [] } }, { query: { limit: 0 } }), call('bl', 'GET', path, { status: 200, 'body.length': { atMost: 50 } }, { query: { limit: 50 } }),
    call('bl', 'GET', path, { status: 200, body: { equals: [] } }, { query: { skip: 1_000_000 } }),
    ...[{ limit: 51 }, { limit: -1 }, { limit: 'x' }, { limit: 1.5 }, { skip: -1 }, { skip: 'x' }].map((query) => call('bl', 'GET', path, problem(400), { query })), call('bl', 'GET', path, problem(400), { query: { limit: [1, 2] }, ...decided }),
    call('bl', 'GET', path, { status: 200 }, { query: { unheardOf: 'x' } }),
  ], { tags: ['list'] })),
  proc(newer, 'vtn.list.default', 'without a limit a list has at most 50', 'OA-057', clause, [
    makeProgram(), { say: '52 events', do: 'http.parallel', with: { count: 52, request: { method: 'POST', path: '/events', headers: { authorization: 'Bearer ${bl_token_now}' }, json: { programID: '${program}', eventName: 'e#{n}' } } }, expect: { 'counts.201': 52 } },
    call('bl', 'GET', '/events', { status: 200, 'body.length': 50 }, { query: { programID: '${program}' } }),
  ].toSpliced(1, 0, { say: 'a token', do: 'vtn.token', with: { as: 'bl' }, save: { bl_token_now: 'token' } }), { tags: ['list'] }),
  proc(newer, 'vtn.filter.program', 'events?programID= gives that program’s events, an unknown one an empty list', 'OA-059', clause, [
    makeProgram(), makeProgram({}, 'second'), makeEvent(), makeEvent({}, 'other', 'second'),
    call('bl', 'GET', '/events', { status: 200, 'body[*].id': { equals: ['${event}'] } }, { query: { programID: '${program}' } }), call('bl', 'GET', '/events', { status: 200, body: { equals: [] } }, { query: { programID: 'no-such-program' } }),
  ], { tags: ['filter'] }),
  proc(newer, 'vtn.filter.active', 'active=true leaves out what is over, keeps what is to come', 'OA-061 OA-163 OA-164 OA-165', 'OpenADR 3.1 YAML, GET /events active', [
    makeProgram(),
    makeEvent({ intervalPeriod: { start: '2020-01-01T00:00:00Z', duration: 'PT1H' } }, 'over'), makeEvent({ intervalPeriod: { start: '2999-01-01T00:00:00Z', duration: 'PT1H' } }, 'future'), makeEvent({}, 'running'),
    makeEvent({ intervalPeriod: { start: '2020-01-01T00:00:00Z', duration: 'P9999Y' } }, 'endless'), makeEvent({ intervalPeriod: { start: '2020-01-01T00:00:00Z', duration: 'PT1H' }, duration: 'P9999Y' }, 'looping'),
    call('bl', 'GET', '/events', { status: 200, 'body[*].id': { sameSet: ['${future}', '${running}', '${endless}', '${looping}'] } }, { query: { programID: '${program}', active: true } }),
    call('bl', 'GET', '/events', { status: 200, 'body.length': 5 }, { query: { programID: '${program}', active: false } }), call('bl', 'GET', '/events', problem(400), { query: { active: 'yes' } }),
  ], { tags: ['filter'], smoke: true }),
  proc(newer, 'vtn.filter.active-cut', 'event.duration shorter than the intervals ends the event early', 'OA-164 OA-165', 'OpenADR 3.1 Definition, event.duration', [
    makeProgram(), makeEvent({ ...hours(6), intervalPeriod: { start: '${iso-7200}', duration: 'PT1H' } }, 'long'), makeEvent({ ...hours(6), intervalPeriod: { start: '${iso-7200}', duration: 'PT1H' }, duration: 'PT1H' }, 'cut'),
    call('bl', 'GET', '/events', { status: 200, 'body[*].id': { equals: ['${long}'] } }, { query: { programID: '${program}', active: true } }),
  ], { tags: ['filter'] }),
  proc(newer, 'vtn.filter.targets', 'a BL filters by any of the targets, in each of the usual spellings', 'OA-060 OA-100', 'OpenADR 3.1 YAML, targets', [
    makeProgram(), makeEvent({ targets: ['t-a'] }, 'a'), makeEvent({ targets: ['t-b', 't-c'] }, 'b'), makeEvent({}, 'none'),
    call('bl', 'GET', '/events', { status: 200, 'body[*].id': { sameSet: ['${a}', '${b}'] } }, { query: { programID: '${program}', targets: ['t-a', 't-c'] } }),
    ...[{ targets: 't-a,t-c' }, { 'targets[]': ['t-a', 't-c'] }].map((query) => call('bl', 'GET', '/events', { status: 200, 'body[*].id': { sameSet: ['${a}', '${b}'] } }, { query: { programID: '${program}', ...query }, ...decided })),
    call('bl', 'GET', '/events', { status: 200, 'body[*].id': { equals: ['${a}'] } }, { query: { programID: '${program}', targets: 't-a' } }),
  ], { tags: ['filter'] }),
  proc(newer, 'vtn.filter.and', 'filters combine with AND', 'OA-059', clause, [
    noVens, venWith('ven', ['g']), venWith('ven2', ['g']),
    call('bl', 'GET', '/vens', { status: 200, 'body[*].id': { equals: ['${ven}'] } }, { query: { venName: '${run} ven', targets: 'g' } }), call('bl', 'GET', '/vens', { status: 200, body: { equals: [] } }, { query: { venName: '${run} ven', targets: 'other' } }),
  ], { tags: ['filter'] }),
  proc(newer, 'vtn.filter.reports', 'reports are found by program, event and client name', 'OA-063 OA-059', clause, [
    makeProgram(), makeEvent(), call('ven', 'POST', '/reports', { status: 201 }, { json: { eventID: '${event}', clientName: '${run} c', resources: [] }, save: { report: 'body.id' } }),
    ...[{ programID: '${program}' }, { eventID: '${event}' }, { clientName: '${run} c' }].map((query) => call('ven', 'GET', '/reports', { status: 200, 'body[*].id': { equals: ['${report}'] } }, { query })),
    call('ven', 'GET', '/reports', { status: 200, body: { equals: [] } }, { query: { eventID: '${event}', clientName: 'another' } }),
  ], { tags: ['filter'] }),

  proc(newer, 'vtn.unique.program', 'two programs cannot share a name', 'OA-090', 'OpenADR 3.1 Definition, uniqueness', [
    makeProgram(), call('bl', 'POST', '/programs', problem(409), { json: { programName: '${run} program' } }), makeProgram({}, 'second'), call('bl', 'PUT', '/programs/${second}', problem(409), { json: { programName: '${run} program' } }),
  ], { smoke: true, tags: ['unique'] }),
  proc(newer, 'vtn.unique.race', 'ten writers of one name: one 201 and nine 409', 'OA-090', 'OpenADR 3.1 Definition, uniqueness', [
    { say: 'a token', do: 'vtn.token', with: { as: 'bl' }, save: { bearer: 'token' } },
    { say: 'ten POSTs at once', do: 'http.parallel', with: { count: 10, request: { method: 'POST', path: '/programs', headers: { authorization: 'Bearer ${bearer}' }, json: { programName: '${run} race' } } }, expect: { 'counts.201': 1, 'counts.409': 9 } },
    call('bl', 'GET', '/programs', { status: 200, 'body.length': 1 }, { query: { programName: '${run} race' }, save: { mine: 'body[0].id' }, needs: 'program-name-filter' }),
  ], { tags: ['unique'], after: [call('bl', 'DELETE', '/programs/${mine}', {})] }),
  proc(newer, 'vtn.unique.ven', 'venName and clientID are unique', 'OA-090 OA-082', 'OpenADR 3.1 Definition, uniqueness', [
    noVens, venWith('ven', []), call('bl', 'POST', '/vens', problem(409), { json: { objectType: 'BL_VEN_REQUEST', clientID: '${ven2_id}', venName: '${run} ven' } }),
    call('bl', 'POST', '/vens', problem(409), { json: { objectType: 'BL_VEN_REQUEST', clientID: '${ven_id}', venName: '${run} another' }, ...decided }),
  ], { tags: ['unique'] }),
  proc(newer, 'vtn.unique.resource', 'resourceName is unique per ven only', 'OA-090', 'OpenADR 3.1 Definition, uniqueness', [
    noVens, venWith('ven', []), venWith('ven2', []),
    ...[['ven', 201], ['ven', 409], ['ven2', 201]].map(([ven, status]) => call('bl', 'POST', '/resources', { status: status as number }, { json: { objectType: 'BL_RESOURCE_REQUEST', clientID: `\${${ven}_id}`, venID: `\${${ven}}`, resourceName: 'meter' } })),
  ], { tags: ['unique'] }),
  proc(newer, 'vtn.reference', 'unknown program, event and ven are refused', 'OA-091 OA-083', 'OpenADR 3.1 YAML, 409', [
    makeProgram(), call('bl', 'POST', '/events', problem(409), { json: { programID: 'no-such-program' } }), call('ven', 'POST', '/reports', problem(409), { json: { eventID: 'no-such-event', clientName: 'c', resources: [] } }),
    call('bl', 'POST', '/resources', problem(400, 404, 409), { json: { objectType: 'BL_RESOURCE_REQUEST', clientID: '${ven_id}', venID: 'no-such-ven', resourceName: 'r' } }),
  ], { tags: ['reference'] }),
  proc(older, 'vtn301.reference', 'unknown references are refused on 3.0.1', 'OA-091', 'OpenADR 3.0.1 YAML, POST /events', [call('bl', 'POST', '/events', problem(400, 404, 409), { json: { programID: 'no-such-program', intervals: [] } })], { tags: ['reference'] }),
  proc(newer, 'vtn.cascade.program', 'deleting a program takes its events and reports along', 'OA-093', 'decision of the requirement list', [
    makeProgram(), makeEvent(), call('ven', 'POST', '/reports', { status: 201 }, { json: { eventID: '${event}', clientName: 'c', resources: [] }, save: { report: 'body.id' } }),
    call('bl', 'DELETE', '/programs/${program}', { status: 200 }), call('bl', 'GET', '/events/${event}', problem(404)), call('ven', 'GET', '/reports/${report}', problem(404)),
  ], { ...ours, tags: ['cascade'] }),
  proc(newer, 'vtn.cascade.ven', 'deleting a ven takes its resources along', 'OA-093', 'decision of the requirement list', [
    noVens, venWith('ven', []), call('bl', 'POST', '/resources', { status: 201 }, { json: { objectType: 'BL_RESOURCE_REQUEST', clientID: '${ven_id}', venID: '${ven}', resourceName: 'r' }, save: { resource: 'body.id' } }),
    call('bl', 'DELETE', '/vens/${ven}', { status: 200 }), call('bl', 'GET', '/resources/${resource}', problem(404)),
  ], { ...ours, tags: ['cascade'] }),
]
