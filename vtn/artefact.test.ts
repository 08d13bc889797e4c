import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { openapiDifferences, readApi, type Api } from '#conformance/artefact/openapi.js'
import { eventPayloads, operatingStates, reportPayloads } from '#vtn/payload-rules.js'
import { testVtn } from '#vtn/test-vtn.js'

/** The folder that holds package.json; the official files lie beside the checkout, where they are at hand. */
function packageRoot(at: string): string {
  return existsSync(join(at, 'package.json')) ? at : packageRoot(dirname(at))
}
const root = packageRoot(dirname(fileURLToPath(import.meta.url)))
const official = (version: string): string => join(root, '..', 'shared', 'specs', 'openadr', version, 'openadr3.yaml')
const skip = ['3.1.1', '3.0.1'].every((version) => existsSync(official(version))) ? false : 'the official files are not here'

const load = (version: string): Api => readApi(official(version))

t.test('OA-055 every description agrees with the official YAML, but for the listed divergences', { skip }, async (t) => {
  const found = (['3.1.1', '3.0.1'] as const).flatMap((version) => openapiDifferences(load(version), version))
  const listed = [...readFileSync(join(root, 'vtn', 'divergences.md'), 'utf8').matchAll(/^\| `(3\.[01]\.1 [^`]+)` \|/gm)].map((m) => m[1] as string)
  t.same(found.filter((d) => !listed.includes(d)), [], 'not listed')
  t.same(listed.filter((d) => !found.includes(d)), [], 'listed, but no longer so')
})

t.test('OA-004 OA-263 every operation of both YAML files is served, under its scope', { skip }, async (t) => {
  const v = await testVtn({ mqtt: { uris: ['mqtts://localhost:8883'] } })
  t.teardown(() => v.close())
  for (const version of ['3.1.1', '3.0.1']) {
    let operations = 0
    for (const [path, methods] of Object.entries(load(version).paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        if (!operation.operationId) continue
        operations += 1
        const url = `/openadr3/${version}${path.replace(/\{\w+\}/g, 'nobody')}`
        const answer = await v.call(method.toUpperCase() as 'GET', url, null)
        const refused = path.startsWith('/auth') ? [200, 400, 415] : version === '3.1.1' ? [401] : [403]
        t.ok(refused.includes(answer.statusCode), `${version} ${method} ${path}: ${answer.statusCode}`)
        t.match(answer.headers['content-type'], /^application\/json(; charset=utf-8)?$/, `${version} ${method} ${path}`)
        if (answer.statusCode >= 400) t.match(answer.json(), { status: answer.statusCode, title: String })
        const scope = operation.security?.[0]?.oAuth2ClientCredentials?.[0]
        if (!scope?.startsWith('write')) continue
        const wrong = scope === 'write_reports' ? 'bl_client' : 'ven_client'
        if (['write_programs', 'write_events', 'write_reports'].includes(scope) && !(scope === 'write_reports' && method === 'delete')) t.equal((await v.call(method.toUpperCase() as 'PUT', url, wrong, method === 'delete' ? undefined : {})).statusCode, 403, `${method} ${path}`)
      }
    }
    t.equal(operations, version === '3.1.1' ? 45 : 31)
  }
})

/** Statuses and parameters that we describe beyond the YAML, each with its reason in `divergences.md` or openadr3.md. */
const beyond: Readonly<Record<string, string>> = {
  'put /programs/{programID} 401': 'OA-027', 'post /vens 409': 'OA-090', 'get /notifiers 401': 'OA-034', 'get /notifiers 403': 'OA-034', 'get /notifiers 500': 'OA-034',
  'get /notifiers/mqtt/topics/programs 403': 'OA-034', 'get /notifiers/mqtt/topics/programs/{programID} 403': 'OA-034', 'get /notifiers/mqtt/topics/programs/{programID}/events 403': 'OA-034',
  'get /programs ?programName': 'OA-062', 'post /auth/token 501': 'OA-022', 'get /notifiers': 'OA-034',
}

t.test('OA-010 OA-050 our openapi.json has every operation of the YAML, with its scope, parameters and statuses', { skip }, async (t) => {
  const v = await testVtn({ mqtt: { uris: ['mqtts://localhost:8883'] } })
  t.teardown(() => v.close())
  for (const version of ['3.1.1', '3.0.1']) {
    const ours = (await v.call('GET', `/openadr3/${version}/openapi.json`, null)).json() as Api, used = new Set<string>()
    const more = (key: string): boolean => { if (beyond[key] !== undefined) used.add(key); return beyond[key] !== undefined }
    let described = 0
    for (const [path, methods] of Object.entries(load(version).paths)) {
      for (const [method, official] of Object.entries(methods)) {
        if (!official.operationId) continue
        const own = ours.paths[`/openadr3/${version}${path}`]?.[method], key = `${method} ${path}`
        if (!own) { t.fail(`${version} ${key} is not described`); continue }
        described += 1
        t.same(Object.keys(official.responses).filter((s) => !own.responses[s]), [], `${version} ${key}: statuses there, not here`)
        t.same(Object.keys(own.responses).filter((s) => !official.responses[s] && !more(`${key} ${s}`)), [], `${version} ${key}: statuses here, not there`)
        // The YAML keeps most answers as references; what stands behind them is compared, media type by media type.
        const answers = (api: Api, o: typeof own): [string, string[]][] => Object.entries(o.responses).map(([s, r]) => [s, mediaTypes(api, r)])
        const there = new Map(answers(load(version), official))
        for (const [s, types] of answers(ours, own)) if (there.has(s)) t.same(types, there.get(s), `${version} ${key} ${s}: media types`)
        const names = (o: typeof own): string[] => (o.parameters ?? []).map((p) => `?${p.name}`).sort()
        const shared = (methods as { parameters?: { name: string }[] }).parameters ?? []
        t.same(names(own).filter((p) => !more(`${key} ${p}`)), names({ ...official, parameters: [...official.parameters ?? [], ...shared] }), `${version} ${key}: parameters`)
        if (!more(key)) t.same(own.security?.[0]?.oAuth2ClientCredentials, official.security?.[0]?.oAuth2ClientCredentials, `${version} ${key}: scope`)
      }
    }
    t.equal(Object.values(ours.paths).reduce((n, methods) => n + Object.keys(methods).length, 0), described, 'and none that the YAML does not have')
    if (version === '3.1.1') t.same(Object.keys(beyond).filter((key) => !used.has(key) && key !== 'post /auth/token 501'), [], 'reasons that no longer hold')
  }
})

/** Media types of an answer, behind its reference when it is one. */
function mediaTypes(api: Api, answer: unknown): string[] {
  const { $ref, content } = answer as { $ref?: string; content?: object }
  const [, name = ''] = /^#\/components\/responses\/(\w+)$/.exec($ref ?? '') ?? []
  return $ref === undefined ? Object.keys(content ?? {}) : mediaTypes(api, (api.components as { responses?: Record<string, unknown> }).responses?.[name] ?? {})
}

t.test('OA-086 the broken default of the YAML reaches no object: what was left out stays out', { skip }, async (t) => {
  const broken = load('3.1.1').components.schemas['BlVenRequest'] as { properties: { targets: { default?: unknown } } }
  t.type(broken.properties.targets.default, 'string', 'the bug is still in the YAML')
  const v = await testVtn()
  t.teardown(() => v.close())
  const made = (await v.call('POST', '/vens', 'bl_client', { objectType: 'BL_VEN_REQUEST', clientID: 'c', venName: 'without-targets' })).json()
  t.notOk('targets' in made)
  t.same((await v.call('GET', '/vens?targets=null')).json(), [])
  const event = (await v.call('POST', '/events', 'bl_client', { programID: (await v.call('POST', '/programs', 'bl_client', { programName: 'p' })).json().id, reportDescriptors: [{ payloadType: 'USAGE' }] })).json()
  t.same(event.reportDescriptors, [{ payloadType: 'USAGE' }], 'no default is written into an object')
})

t.test('OA-087 the payload types of the enumerations are known', { skip }, async (t) => {
  const folder = join(root, '..', 'shared', 'specs', 'openadr', '3.1.1', 'enumerations')
  const words = (file: string): Set<string> => new Set([...readFileSync(join(folder, file), 'utf8').matchAll(/\b[A-Z][A-Z0-9_]{2,}\b/g)].map((m) => m[0]))
  const events = words('event-interval-payloads.schema.yaml'), reports = words('report-payloads.schema.yaml')
  t.equal(eventPayloads.size, 38)
  t.equal(reportPayloads.size, 24)
  t.same([...eventPayloads.keys()].filter((k) => !events.has(k)), [])
  t.same([...reportPayloads.keys()].filter((k) => !reports.has(k)), [])
  t.same(operatingStates.filter((s) => !reports.has(s)), [])
})
