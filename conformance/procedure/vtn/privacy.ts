import type { Procedure } from '#conformance/procedure.js'
import { call, decided, hidden, makeEvent, makeProgram, newer, noVens, older, ours, problem, proc, venWith } from '#conformance/procedure/vtn/steps.js'

const clause = 'OpenADR 3.1 Definition, object privacy'
const privacy_ = (id: string, title: string, requirements: string, steps: Parameters<typeof proc>[5], more: Partial<Procedure> = {}): Procedure =>
  proc(newer, `vtn.privacy.${id}`, title, requirements, clause, steps, { tags: ['privacy'], ...more })
const mine = { query: { programID: '${program}' } }
const resource = (ven: 'ven' | 'ven2', targets: string[], save: string) => call('bl', 'POST', '/resources', { status: 201 }, { json: { objectType: 'BL_RESOURCE_REQUEST', clientID: `\${${ven}_id}`, venID: `\${${ven}}`, resourceName: save, targets }, save: { [save]: 'body.id' } })
const report = (as: string, save: string) => call(as, 'POST', '/reports', { status: 201 }, { json: { eventID: '${event}', clientName: 'c', resources: [] }, save: { [save]: 'body.id' } })

export const privacy: readonly Procedure[] = [
  privacy_('untargeted', 'what has no targets is for every VEN, also one without a ven object', 'OA-103', [
    noVens, makeProgram(), makeEvent(), makeEvent({ targets: [] }, 'empty'), call('ven', 'GET', '/events', { status: 200, 'body[*].id': { sameSet: ['${event}', '${empty}'] } }, mine), call('ven', 'GET', '/programs/${program}', { status: 200 }),
  ], { smoke: true }),
  privacy_('targeted', 'each VEN sees the events of its own targets only', 'OA-102 OA-104 OA-107', [
    noVens, venWith('ven', ['a']), venWith('ven2', ['b']), makeProgram(), makeEvent({ targets: ['a'] }, 'forA'), makeEvent({ targets: ['b'] }, 'forB'),
    call('ven', 'GET', '/events', { status: 200, 'body[*].id': { equals: ['${forA}'] } }, mine), call('ven2', 'GET', '/events', { status: 200, 'body[*].id': { equals: ['${forB}'] } }, mine), call('bl', 'GET', '/events', { status: 200, 'body.length': 2 }, mine),
    call('ven', 'GET', '/events/${forA}', { status: 200 }), call('ven', 'GET', '/events/${forB}', hidden), call('ven2', 'GET', '/events/${forA}', hidden),
  ], { smoke: true }),
  privacy_('hiding', 'a VEN sees of the targets only its own, a BL sees all', 'OA-106 OA-100', [
    noVens, venWith('ven', ['a']), makeProgram({ targets: ['a', 'secret-program'] }), makeEvent({ targets: ['a', 'secret'] }),
    call('ven', 'GET', '/events/${event}', { status: 200, 'body.targets': { equals: ['a'] }, text: { lacks: 'secret' } }), call('ven', 'GET', '/events', { status: 200, 'body[0].targets': { equals: ['a'] }, text: { lacks: 'secret' } }, mine),
    call('ven', 'GET', '/programs/${program}', { status: 200, 'body.targets': { equals: ['a'] }, text: { lacks: 'secret' } }), call('bl', 'GET', '/events/${event}', { status: 200, 'body.targets': { sameSet: ['a', 'secret'] } }),
  ], { smoke: true }),
  privacy_('resource-grant', 'the targets of its resources are granted to a VEN as well', 'OA-102', [
    noVens, venWith('ven', ['a']), resource('ven', ['r'], 'res'), makeProgram(), makeEvent({ targets: ['r'] }), call('ven', 'GET', '/events', { status: 200, 'body[*].id': { equals: ['${event}'] } }, mine),
    call('bl', 'DELETE', '/resources/${res}', { status: 200 }), call('ven', 'GET', '/events', { status: 200, body: { equals: [] } }, mine),
  ]),
  privacy_('query', 'targets in the query narrow to any of the granted ones and leave untargeted objects out', 'OA-105', [
    noVens, venWith('ven', ['a', 'b']), makeProgram(), makeEvent({ targets: ['a'] }, 'forA'), makeEvent({ targets: ['b'] }, 'forB'), makeEvent({ targets: ['c'] }, 'forC'), makeEvent({}, 'forAll'),
    call('ven', 'GET', '/events', { status: 200, 'body[*].id': { equals: ['${forA}'] } }, { query: { programID: '${program}', targets: ['a', 'c'] } }), call('ven', 'GET', '/events', { status: 200, 'body[*].id': { sameSet: ['${forA}', '${forB}'] } }, { query: { programID: '${program}', targets: ['a', 'b'] } }),
    call('ven', 'GET', '/events', { status: 200, body: { equals: [] } }, { query: { programID: '${program}', targets: 'c' } }),
  ]),
  privacy_('page', 'privacy is applied before the page is cut', 'OA-058', [
    noVens, venWith('ven', ['a']), makeProgram(), ...Array.from({ length: 6 }, (_, i) => makeEvent({ targets: [i % 2 ? 'a' : 'z'] }, `e${i}`)),
    call('ven', 'GET', '/events', { 'status': 200, 'body.length': 2 }, { query: { programID: '${program}', limit: 2 } }), call('ven', 'GET', '/events', { 'status': 200, 'body.length': 1 }, { query: { programID: '${program}', limit: 2, skip: 2 } }),
    { say: 'a walk by two', do: 'vtn.walk', with: { as: 'ven', path: '/events', query: { programID: '${program}' }, page: 2 }, expect: { allOk: true, ids: { sameSet: ['${e1}', '${e3}', '${e5}'] } } },
  ]),
  privacy_('at-once', 'a changed grant takes effect at once', 'OA-109', [
    noVens, venWith('ven', ['a']), makeProgram(), makeEvent({ targets: ['b'] }), call('ven', 'GET', '/events/${event}', hidden),
    call('bl', 'PUT', '/vens/${ven}', { status: 200 }, { json: { objectType: 'BL_VEN_REQUEST', clientID: '${ven_id}', venName: '${run} ven', targets: ['b'] } }), call('ven', 'GET', '/events/${event}', { status: 200 }),
  ], ours),
  privacy_('own-targets', 'only the object’s own targets count: an untargeted event of a targeted program is seen', 'OA-108', [
    noVens, venWith('ven', ['a']), makeProgram({ targets: ['z'] }), makeEvent(), call('ven', 'GET', '/events/${event}', { status: 200 }), call('ven', 'GET', '/programs/${program}', hidden),
  ], ours),
  privacy_('no-grant-by-itself', 'a VEN cannot give itself targets', 'OA-080 OA-081', [
    noVens, call('ven', 'POST', '/vens', { status: 201, 'body.targets': { oneOf: [undefined, null, []] }, 'body.clientID': '${ven_id}' }, { json: { objectType: 'VEN_VEN_REQUEST', venName: '${run}', targets: ['a'], clientID: 'somebody-else' }, save: { ven: 'body.id' } }),
    call('bl', 'PUT', '/vens/${ven}', { status: 200 }, { json: { objectType: 'BL_VEN_REQUEST', clientID: '${ven_id}', venName: '${run}', targets: ['b'] } }),
    call('ven', 'PUT', '/vens/${ven}', { status: 200, 'body.targets': { equals: ['b'] }, 'body.clientID': '${ven_id}' }, { json: { objectType: 'VEN_VEN_REQUEST', venName: '${run} renamed', targets: ['a'] } }),
    call('ven', 'PUT', '/vens/${ven}', problem(400), { json: { objectType: 'BL_VEN_REQUEST', clientID: '${ven_id}', venName: '${run}', targets: ['a'] }, ...decided }),
  ]),
  privacy_('vens', 'a VEN sees its own ven object and no other', 'OA-101', [
    noVens, venWith('ven', ['a']), venWith('ven2', ['b']), call('ven', 'GET', '/vens', { status: 200, 'body[*].id': { equals: ['${ven}'] } }), call('ven', 'GET', '/vens/${ven2}', hidden), call('ven', 'DELETE', '/vens/${ven2}', hidden),
    call('ven', 'PUT', '/vens/${ven2}', hidden, { json: { objectType: 'VEN_VEN_REQUEST', venName: '${run} taken' } }), call('bl', 'GET', '/vens/${ven2}', { status: 200, 'body.venName': '${run} ven2' }),
  ], { smoke: true }),
  privacy_('resources', 'a VEN sees its own resources and no other', 'OA-101 OA-083', [
    noVens, venWith('ven', []), venWith('ven2', []), resource('ven', [], 'r1'), resource('ven2', [], 'r2'), call('ven', 'GET', '/resources', { status: 200, 'body[*].id': { equals: ['${r1}'] } }), call('ven', 'GET', '/resources/${r2}', hidden), call('ven', 'DELETE', '/resources/${r2}', hidden),
    call('ven', 'POST', '/resources', problem(400, 403, 404), { json: { objectType: 'VEN_RESOURCE_REQUEST', venID: '${ven2}', resourceName: 'x' } }),
  ]),
  privacy_('reports', 'a VEN sees its own reports and no other', 'OA-101 OA-084', [
    noVens, makeProgram(), makeEvent(), report('ven', 'one'), report('ven2', 'two'), call('ven', 'GET', '/reports', { status: 200, 'body[*].id': { equals: ['${one}'] }, 'body[0].clientID': '${ven_id}' }, { query: { eventID: '${event}' } }),
    call('ven', 'GET', '/reports/${two}', hidden), call('ven', 'PUT', '/reports/${two}', hidden, { json: { eventID: '${event}', clientName: 'c', resources: [] } }), call('ven', 'DELETE', '/reports/${two}', hidden), call('bl', 'GET', '/reports', { status: 200, 'body.length': 2 }, { query: { eventID: '${event}' } }),
  ]),
  privacy_('reports-do-not-leak', 'a report for an event that the VEN cannot see is answered like an unknown event', 'OA-108', [
    noVens, venWith('ven', ['a']), makeProgram(), makeEvent({ targets: ['b'] }), call('ven', 'POST', '/reports', problem(400, 404, 409), { json: { eventID: '${event}', clientName: 'c', resources: [] }, save: { answer: 'status' } }), call('ven', 'POST', '/reports', { status: '${answer}' }, { json: { eventID: 'no-such-event', clientName: 'c', resources: [] } }),
  ], ours),
  privacy_('no-ven-no-resource', 'a VEN without a ven object has nothing to hang a resource on', 'OA-083', [noVens, call('ven', 'POST', '/resources', problem(403), { json: { objectType: 'VEN_RESOURCE_REQUEST', resourceName: 'x' } })], ours),
  privacy_('client-id', 'clientID of a ven does not change, and a resource does not move', 'OA-082 OA-083', [
    noVens, venWith('ven', []), venWith('ven2', []), resource('ven', [], 'r1'), call('bl', 'PUT', '/vens/${ven}', problem(400), { json: { objectType: 'BL_VEN_REQUEST', clientID: 'another', venName: '${run} ven' } }),
    call('bl', 'PUT', '/resources/${r1}', problem(400), { json: { objectType: 'BL_RESOURCE_REQUEST', clientID: '${ven2_id}', venID: '${ven2}', resourceName: 'r1' } }),
  ], ours),
  proc(older, 'vtn301.privacy.targets', '3.0.1 targets are type and values, and survive', 'OA-230 OA-246', 'OpenADR 3.0.1 YAML, targets', [
    makeProgram({ targets: [{ type: 'GROUP', values: ['g1', 'g2'] }] }), call('bl', 'GET', '/programs/${program}', { status: 200, 'body.targets': { equals: [{ type: 'GROUP', values: ['g1', 'g2'] }] } }),
    call('bl', 'GET', '/programs', problem(400), { query: { targetType: 'GROUP' } }), call('bl', 'GET', '/programs', { status: 200, 'body[*].id': { contains: '${program}' } }, { query: { targetType: 'GROUP', targetValues: ['g1'] } }), call('bl', 'GET', '/programs', { status: 200, 'body[*].id': { lacks: '${program}' } }, { query: { targetType: 'GROUP', targetValues: ['g9'] } }),
  ], { tags: ['privacy'] }),
  proc(older, 'vtn301.program.fields', '3.0.1 programs carry their flat fields', 'OA-235 OA-247', 'OpenADR 3.0.1 YAML, program', [
    call('bl', 'POST', '/programs', { status: 201, 'body.programLongName': 'long', 'body.retailerName': 'ret', 'body.country': 'US', 'body.principalSubdivision': 'CO', 'body.timeZoneOffset': 'PT1H', 'body.bindingEvents': true, 'body.localPrice': false }, { json: { programName: '${run}', programLongName: 'long', retailerName: 'ret', country: 'US', principalSubdivision: 'CO', timeZoneOffset: 'PT1H', bindingEvents: true, localPrice: false } }),
  ], { tags: ['program'] }),
  proc(older, 'vtn301.event.start', '3.0.1 requires the start of an intervalPeriod', 'OA-237 OA-236', 'OpenADR 3.0.1 YAML, intervalPeriod', [makeProgram(), call('bl', 'POST', '/events', problem(400), { json: { programID: '${program}', intervalPeriod: { duration: 'PT1H' }, intervals: [] } })], { tags: ['event'] }),
  proc(older, 'vtn301.descriptor', '3.0.1 asks of a descriptor only its payloadType', 'OA-085', 'OpenADR 3.0.1 YAML, payloadDescriptors', [makeProgram({ payloadDescriptors: [{ payloadType: 'PRICE' }] })], { tags: ['program'] }),
  proc(older, 'vtn301.no-notifiers', '3.0.1 has no notifiers and no top-level resources', 'OA-243 OA-232', 'OpenADR 3.0.1 YAML, paths', [call('bl', 'GET', '/notifiers', problem(404)), call('bl', 'GET', '/resources', problem(404))]),
  proc(older, 'vtn301.report.client', '3.0.1 reports name their program', 'OA-238', 'OpenADR 3.0.1 YAML, report', [
    makeProgram(), makeEvent(), call('ven', 'POST', '/reports', { status: 201, 'body.programID': '${program}', 'body.clientName': 'c' }, { json: { programID: '${program}', eventID: '${event}', clientName: 'c', resources: [] } }),
  ], { tags: ['report'] }),
]
