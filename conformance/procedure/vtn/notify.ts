import type { Procedure } from '#conformance/procedure.js'
import { arrives, call, decided, hidden, listen, makeEvent, makeProgram, newer, noVens, older, problem, proc, staysAway, subscribe, venWith } from '#conformance/procedure/vtn/steps.js'

const clause = 'OpenADR 3.1 Definition, subscriptions and notifications'
const hook = (id: string, title: string, requirements: string, steps: Parameters<typeof proc>[5], more: Partial<Procedure> = {}): Procedure =>
  proc(newer, `vtn.webhook.${id}`, title, requirements, clause, steps, { tags: ['webhook'], needs: ['webhook-loopback'], ...more })
const operations = (callbackUrl: string) => ({ objectOperations: [{ objects: ['PROGRAM'], operations: ['CREATE'], callbackUrl }] })
const uncreated = (callbackUrl: string) => call('bl', 'POST', '/subscriptions', problem(400), { json: { clientName: '${run}', ...operations(callbackUrl) } })

const webhooks: readonly Procedure[] = [
  hook('https', 'a callback that is not HTTPS is refused', 'OA-120', [uncreated('http://198.51.100.7/hook'), uncreated('ftp://example.org/hook'), uncreated('not a url')]),
  hook('private', 'callbacks to private addresses are refused', 'OA-128', ['https://10.1.2.3/h', 'https://169.254.169.254/latest', 'https://[fd00::1]/h', 'https://192.168.1.1/h'].map((url) => ({ ...uncreated(url), should: true }))),
  hook('echo', 'the callback is challenged before the subscription stands', 'OA-121', [
    makeProgram(), listen(), subscribe('bl', ['EVENT'], { programID: '${program}' }),
    { say: 'the challenge came', do: 'receiver.expect', with: { where: { method: 'GET' } }, expect: { arrived: true, url: { matches: '[?&]echo=.{4,}' } } },
  ], { smoke: true }),
  hook('echo-wrong', 'a callback that answers the challenge wrongly makes no subscription', 'OA-121', [
    listen('receiver', { mode: 'wrong' }), uncreated('${receiver}'), listen('refusing', { mode: 'refuse', code: 404 }), uncreated('${refusing}'), call('bl', 'GET', '/subscriptions', { status: 200, 'body[*].clientName': { lacks: '${run}' } }),
  ]),
  hook('echo-redirect', 'the challenge follows no redirect', 'OA-127 OA-121', [listen('receiver', { mode: 'redirect' }), { ...uncreated('${receiver}'), should: true }]),
  hook('event', 'create, update and delete of an event are told, once each, as an object', 'OA-122 OA-123 OA-005', [
    makeProgram(), listen(), subscribe('bl', ['EVENT'], { programID: '${program}' }), makeEvent(),
    arrives({ 'body.operation': 'CREATE' }, { 'body.objectType': 'EVENT', 'body.object.id': '${event}', 'body.object.objectType': 'EVENT', 'body.object.createdDateTime': { exists: true }, 'headers.authorization': 'Bearer a-bearer-token', 'headers.content-type': { matches: '^application/json' } }),
    call('bl', 'PUT', '/events/${event}', { status: 200 }, { json: { programID: '${program}', eventName: 'changed' } }), arrives({ 'body.operation': 'UPDATE' }, { 'body.object.eventName': 'changed' }),
    call('bl', 'DELETE', '/events/${event}', { status: 200 }), arrives({ 'body.operation': 'DELETE' }, { 'body.object.id': '${event}' }), staysAway({ 'body.objectType': { exists: true } }),
  ], { smoke: true }),
  hook('operations', 'only the operations and objects that were asked for are told', 'OA-124', [
    makeProgram(), listen(), subscribe('bl', ['EVENT'], { programID: '${program}' }, ['DELETE']), makeEvent(), call('bl', 'PUT', '/programs/${program}', { status: 200 }, { json: { programName: '${run} program', programDescriptions: [{ URL: 'https://example.org/' }] } }), call('bl', 'DELETE', '/events/${event}', { status: 200 }),
    arrives({ 'body.operation': 'DELETE' }), staysAway({ 'body.objectType': { exists: true } }),
  ]),
  hook('program-bound', 'a subscription to one program hears nothing of another', 'OA-124', [
    makeProgram(), makeProgram({}, 'second'), listen(), subscribe('bl', ['EVENT', 'PROGRAM'], { programID: '${program}' }), makeEvent({}, 'other', 'second'), makeEvent(), arrives({ 'body.object.id': '${event}' }), staysAway({ 'body.object.id': '${other}' }),
  ]),
  hook('privacy', 'a VEN hears of an event only when it may see it, with the other targets hidden', 'OA-125 OA-126 OA-106', [
    noVens, venWith('ven', ['a']), makeProgram(), listen(), subscribe('ven', ['EVENT'], { programID: '${program}' }), makeEvent({ targets: ['b'] }, 'forB'), makeEvent({ targets: ['a', 'secret'] }, 'forA'),
    arrives({ 'body.object.id': '${forA}' }, { 'body.object.targets': { equals: ['a'] }, text: { lacks: 'secret' } }), staysAway({ 'body.object.id': '${forB}' }),
  ], { smoke: true }),
  hook('other-vens', 'a VEN hears nothing of another VEN’s ven, resource, report or subscription', 'OA-126', [
    noVens, venWith('ven', ['a']), venWith('ven2', ['b']), makeProgram(), makeEvent(), listen(), subscribe('ven', ['VEN', 'RESOURCE', 'REPORT', 'SUBSCRIPTION']),
    call('bl', 'PUT', '/vens/${ven2}', { status: 200 }, { json: { objectType: 'BL_VEN_REQUEST', clientID: '${ven2_id}', venName: '${run} ven2', targets: ['c'] } }), call('ven2', 'POST', '/resources', { status: 201 }, { json: { objectType: 'VEN_RESOURCE_REQUEST', venID: '${ven2}', resourceName: 'hidden' } }),
    call('ven2', 'POST', '/reports', { status: 201 }, { json: { eventID: '${event}', clientName: 'hidden', resources: [] } }), call('ven', 'POST', '/reports', { status: 201 }, { json: { eventID: '${event}', clientName: 'own', resources: [] } }),
    arrives({ 'body.objectType': 'REPORT' }, { 'body.object.clientName': 'own' }), staysAway({ 'body.object.clientID': '${ven2_id}' }),
  ]),
  hook('targets', 'targets of a BL subscription are a plain filter', 'OA-125', [
    makeProgram(), listen(), subscribe('bl', ['EVENT'], { programID: '${program}', targets: ['a'] }), makeEvent({ targets: ['b'] }, 'forB'), makeEvent({ targets: ['a'] }, 'forA'), arrives({ 'body.object.id': '${forA}' }), staysAway({ 'body.object.id': '${forB}' }),
  ]),
  hook('retry', 'a receiver that fails is tried again', 'OA-129 OA-130', [
    makeProgram(), listen(), subscribe('bl', ['EVENT'], { programID: '${program}' }), { say: 'the receiver fails', do: 'receiver.become', with: { mode: 'refuse', code: 503 } }, makeEvent(), arrives({ 'body.object.id': '${event}' }),
    { say: 'the receiver is well again', do: 'receiver.become', with: { mode: 'echo' } }, { say: 'it comes again', do: 'receiver.expect', with: { where: { 'body.object.id': '${event}' }, timeout_ms: 12_000 }, expect: { arrived: true }, should: true },
  ]),
  hook('slow', 'a dead callback does not slow the writer down', 'OA-133', [
    makeProgram(), listen(), subscribe('bl', ['EVENT'], { programID: '${program}' }), { say: 'the receiver goes silent', do: 'receiver.become', with: { mode: 'silent' } }, makeEvent({}, 'first'), makeEvent({}, 'second'), call('bl', 'GET', '/events/${second}', { status: 200, elapsed_ms: { atMost: 2000 } }),
  ], { needs: ['webhook-loopback', 'decisions'] }),
  hook('owner', 'a subscription belongs to its client, whatever the body says', 'OA-084 OA-101 OA-132', [
    listen(), call('ven', 'POST', '/subscriptions', { status: 201, 'body.clientID': '${ven_id}' }, { json: { clientID: 'another', clientName: '${run}', ...operations('${receiver}') }, save: { id: 'body.id' } }),
    call('ven2', 'GET', '/subscriptions/${id}', hidden), call('ven2', 'DELETE', '/subscriptions/${id}', hidden), call('ven2', 'GET', '/subscriptions', { status: 200, 'body[*].id': { lacks: '${id}' } }),
  ]),
  hook('objects-filter', 'subscriptions are found by the objects they name; an unknown type is 400', 'OA-064', [
    makeProgram(), listen(), subscribe('bl', ['EVENT'], { programID: '${program}' }), call('bl', 'GET', '/subscriptions', { status: 200, 'body[*].id': { contains: '${subscription_bl}' } }, { query: { programID: '${program}', objects: ['EVENT', 'VEN'] } }),
    call('bl', 'GET', '/subscriptions', { status: 200, body: { equals: [] } }, { query: { programID: '${program}', objects: 'REPORT' } }), call('bl', 'GET', '/subscriptions', problem(400), { query: { objects: 'NOTHING' } }),
  ]),
  hook('cascade', 'each object that goes with a program is told of', 'OA-093', [
    makeProgram(), listen(), subscribe('bl', ['EVENT', 'PROGRAM']), makeEvent(), call('bl', 'DELETE', '/programs/${program}', { status: 200 }),
    arrives({ 'body.objectType': 'EVENT', 'body.operation': 'DELETE', 'body.object.id': '${event}' }), arrives({ 'body.objectType': 'PROGRAM', 'body.operation': 'DELETE', 'body.object.id': '${program}' }),
  ], { needs: ['webhook-loopback', 'decisions'] }),
  hook('no-change', 'a PUT that changes nothing is not told', 'OA-054', [
    makeProgram(), listen(), subscribe('bl', ['PROGRAM'], { programID: '${program}' }), call('bl', 'PUT', '/programs/${program}', { status: 200 }, { json: { programName: '${run} program' } }), staysAway({ 'body.objectType': 'PROGRAM' }),
  ], { needs: ['webhook-loopback', 'decisions'] }),
  proc(older, 'vtn301.webhook.operation', '3.0.1 notifications name HTTP methods', 'OA-241 OA-123', 'OpenADR 3.0.1 YAML, notification', [
    makeProgram(), listen(), subscribe('bl', ['EVENT'], { programID: '${program}' }), makeEvent(), arrives({ 'body.objectType': 'EVENT' }, { 'body.operation': 'POST', 'body.object.id': '${event}' }),
  ], { tags: ['webhook'], needs: ['webhook-loopback'] }),
]

const topics = ['/programs', '/events', '/reports', '/subscriptions', '/vens', '/resources']
const mqtt = { needs: ['mqtt'], tags: ['mqtt'] }
const mqttClause = 'OpenADR 3.1 Definition, notifiers, MQTT binding'

const notifiers: readonly Procedure[] = [
  proc(newer, 'vtn.notifiers', '/notifiers says that webhooks work', 'OA-134 OA-034', mqttClause, [call('bl', 'GET', '/notifiers', { status: 200, 'body.WEBHOOK': true }), call('ven', 'GET', '/notifiers', { status: 200, 'body.WEBHOOK': true }, decided)], { smoke: true, tags: ['notifier'] }),
  proc(newer, 'vtn.mqtt.describe', '/notifiers describes the MQTT broker in full', 'OA-135', mqttClause, [
    call('ven', 'GET', '/notifiers', { status: 200, 'body.MQTT.URIS': { exists: true }, 'body.MQTT.serialization': 'JSON', 'body.MQTT.authentication.method': { oneOf: ['ANONYMOUS', 'OAUTH2_BEARER_TOKEN', 'CERTIFICATE'] } }),
  ], mqtt),
  ...topics.map((topic) => proc(newer, `vtn.mqtt.topics${topic.replace('/', '.')}`, `topic names of all ${topic.slice(1)}, for a BL only`, 'OA-136 OA-138', mqttClause, [
    call('bl', 'GET', `/notifiers/mqtt/topics${topic}`, { status: 200, 'body.topics.CREATE': { matches: '.' }, 'body.topics.UPDATE': { matches: '.' }, 'body.topics.DELETE': { matches: '.' } }), call('bl', 'GET', `/notifiers/mqtt/topics${topic}`, { 'body.topics.ALL': { matches: '.' } }, decided), call('ven', 'GET', `/notifiers/mqtt/topics${topic}`, problem(403)),
  ], mqtt)),
  proc(newer, 'vtn.mqtt.topics.ven', 'a VEN gets the names of its own topics and nobody else’s', 'OA-136 OA-138', mqttClause, [
    noVens, venWith('ven', []), venWith('ven2', []), call('ven', 'GET', '/notifiers/mqtt/topics/vens/${ven}', { status: 200, 'body.topics.CREATE': { exists: false }, 'body.topics.UPDATE': { exists: true } }),
    ...['events', 'programs', 'resources'].map((of) => call('ven', 'GET', `/notifiers/mqtt/topics/vens/\${ven}/${of}`, { status: 200, 'body.topics.CREATE': { exists: true } })), call('ven', 'GET', '/notifiers/mqtt/topics/vens/${ven2}', hidden), call('ven', 'GET', '/notifiers/mqtt/topics/vens/${ven2}/events', hidden),
    call('bl', 'GET', '/notifiers/mqtt/topics/vens/no-such-ven', problem(404)),
  ], mqtt),
  proc(newer, 'vtn.mqtt.deliver', 'a VEN gets its events by MQTT, others hidden; it cannot listen wider or publish', 'OA-139 OA-140 OA-141 OA-142 OA-106', mqttClause, [
    noVens, venWith('ven', ['a']), makeProgram(),
    call('ven', 'GET', '/notifiers', { status: 200 }, { save: { broker: 'body.MQTT.URIS[0]' } }), call('ven', 'GET', '/notifiers/mqtt/topics/vens/${ven}/events', { status: 200 }, { save: { topic: 'body.topics.ALL', create: 'body.topics.CREATE' } }),
    { say: 'connect', do: 'mqtt.connect', with: { as: 'ven', url: '${broker}' }, expect: { connected: true } }, { say: 'subscribe to its own events', do: 'mqtt.subscribe', with: { as: 'ven', topic: '${topic}' }, expect: { granted: true } },
    makeEvent({ targets: ['b'] }, 'forB'), makeEvent({ targets: ['a', 'secret'] }, 'forA'),
    { say: 'the event comes', do: 'mqtt.expect', with: { as: 'ven', where: { 'body.object.id': '${forA}' } }, expect: { arrived: true, 'body.objectType': 'EVENT', 'body.operation': 'CREATE', 'body.object.targets': { equals: ['a'] } } },
    { say: 'the other one does not', do: 'mqtt.expect', with: { as: 'ven', where: { 'body.object.id': '${forB}' }, timeout_ms: 500 }, expect: { arrived: false } },
    { say: 'it cannot publish', do: 'mqtt.publish', with: { as: 'ven', topic: '${create}', json: { forged: true } } }, { say: 'nothing forged comes back', do: 'mqtt.expect', with: { as: 'ven', where: { 'body.forged': true }, timeout_ms: 500 }, expect: { arrived: false } },
  ], { ...mqtt, smoke: true }),
  proc(newer, 'vtn.mqtt.all', 'a VEN cannot subscribe to everything', 'OA-138 OA-141', mqttClause, [
    call('ven', 'GET', '/notifiers', { status: 200 }, { save: { broker: 'body.MQTT.URIS[0]' } }), { say: 'connect', do: 'mqtt.connect', with: { as: 'ven', url: '${broker}' }, expect: { connected: true } }, { say: 'subscribe to #', do: 'mqtt.subscribe', with: { as: 'ven', topic: '#' }, expect: { granted: false } },
  ], mqtt),
  proc(newer, 'vtn.mqtt.password', 'the broker refuses a wrong token', 'OA-135 OA-141', mqttClause, [
    call('ven', 'GET', '/notifiers', { status: 200 }, { save: { broker: 'body.MQTT.URIS[0]' } }), { say: 'connect with a wrong token', do: 'mqtt.connect', with: { as: 'ven', url: '${broker}', wrongPassword: true }, expect: { connected: false } },
  ], mqtt),
  proc(newer, 'vtn.mqtt.lost', 'a VEN that loses sight of an event is told DELETE', 'OA-139', mqttClause, [
    noVens, venWith('ven', ['a']), makeProgram(), makeEvent({ targets: ['a'] }), call('ven', 'GET', '/notifiers', { status: 200 }, { save: { broker: 'body.MQTT.URIS[0]' } }), call('ven', 'GET', '/notifiers/mqtt/topics/vens/${ven}/events', { status: 200 }, { save: { topic: 'body.topics.ALL' } }),
    { say: 'connect', do: 'mqtt.connect', with: { as: 'ven', url: '${broker}' }, expect: { connected: true } }, { say: 'subscribe', do: 'mqtt.subscribe', with: { as: 'ven', topic: '${topic}' }, expect: { granted: true } },
    call('bl', 'PUT', '/events/${event}', { status: 200 }, { json: { programID: '${program}', targets: ['b'] } }), { say: 'DELETE comes', do: 'mqtt.expect', with: { as: 'ven', where: { 'body.operation': 'DELETE' } }, expect: { arrived: true, 'body.object.id': '${event}' } },
  ], { ...mqtt, needs: ['mqtt', 'decisions'] }),
]

export const notify: readonly Procedure[] = [...webhooks, ...notifiers]
