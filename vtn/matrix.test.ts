import t from 'tap'
import { base, testVtn } from '#vtn/test-vtn.js'

/** Every route of both revisions, as our own openapi.json lists them, asked by a VEN and by nobody for what belongs to another VEN (SEC-030, SEC-033). */
const v = await testVtn({ mqtt: { uris: ['mqtts://localhost:8883'] }, webhooks: { echo: 'off' } })
t.teardown(() => v.close())
const bl = 'bl_client', owner = 'ven_client', other = 'ven_client2', mark = 'MARKED'
const made = async (as: string, path: string, body: object): Promise<{ id: string }> => (await v.call('POST', path, as, body)).json()

const program = await made(bl, '/programs', { programName: `${mark}-program`, targets: [`${mark}-target`] })
const event = await made(bl, '/events', { programID: program.id, eventName: `${mark}-event`, targets: [`${mark}-target`], intervals: [] })
const mine = await made(owner, '/vens', { objectType: 'VEN_VEN_REQUEST', venName: `${mark}-ven` })
await v.call('PUT', `/vens/${mine.id}`, bl, { objectType: 'BL_VEN_REQUEST', clientID: owner, venName: `${mark}-ven`, targets: [`${mark}-target`] })
const theirs = await made(other, '/vens', { objectType: 'VEN_VEN_REQUEST', venName: 'the-other-ven' })
const resource = await made(owner, '/resources', { objectType: 'VEN_RESOURCE_REQUEST', resourceName: `${mark}-resource`, venID: mine.id })
const report = await made(owner, '/reports', { eventID: event.id, clientName: `${mark}-client`, resources: [] })
const subscription = await made(owner, '/subscriptions', { clientName: `${mark}-client`, objectOperations: [{ objects: ['EVENT'], operations: ['CREATE'], callbackUrl: `https://example.com/${mark}`, bearerToken: mark }] })
const ids: Record<string, string> = { programID: program.id, eventID: event.id, venID: mine.id, resourceID: resource.id, reportID: report.id, subscriptionID: subscription.id }

/** A body that would be good of its owner, by the collection it is for. */
const bodies: Record<string, (old: boolean) => object> = {
  programs: () => ({ programName: `${mark}-x` }), events: () => ({ programID: program.id, intervals: [] }), reports: (old) => ({ eventID: event.id, ...(old ? { programID: program.id } : {}), clientName: 'c', resources: [] }),
  subscriptions: (old) => ({ clientName: 'c', ...(old ? { programID: program.id } : {}), objectOperations: [{ objects: ['EVENT'], operations: ['CREATE'], callbackUrl: 'https://example.com/' }] }),
  vens: (old) => (old ? { venName: 'stolen' } : { objectType: 'VEN_VEN_REQUEST', venName: 'stolen' }), resources: (old) => (old ? { resourceName: 'stolen' } : { objectType: 'VEN_RESOURCE_REQUEST', resourceName: 'stolen', venID: mine.id }),
}
interface Asked { readonly version: string; readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'; readonly path: string; readonly url: string; readonly body: object | undefined }

async function everyRoute(): Promise<Asked[]> {
  const out: Asked[] = []
  for (const version of ['3.1.1', '3.0.1']) {
    const { paths } = (await v.call('GET', `/openadr3/${version}/openapi.json`, null)).json() as { paths: Record<string, Record<string, unknown>> }
    for (const [path, methods] of Object.entries(paths)) for (const method of Object.keys(methods)) {
      if (path.includes('/auth/')) continue
      const url = path.replace(/\{(\w+)\}/g, (_all, name: string) => ids[name] ?? 'nobody'), verb = method.toUpperCase() as Asked['method']
      const collection = path.split('/').reverse().find((part) => bodies[part]) ?? ''
      out.push({ version, method: verb, path, url, body: verb === 'POST' || verb === 'PUT' ? bodies[collection]?.(version === '3.0.1') : undefined })
    }
  }
  return out
}
const routes = await everyRoute()
const uuid = /[0-9a-f-]{36}/g, unnamed = (text: string): string => text.replace(uuid, 'nobody')
const stolen = (text: string): boolean => text.includes(mark)

t.test('SEC-030 SEC-033 every route × another VEN: as if absent, and not a word of the owner’s in the answer', async (t) => {
  t.equal(routes.length, 43 + 30, 'all operations but those of tokens')
  const before = JSON.stringify(await everything())
  for (const { version, method, path, url, body } of routes) {
    const answer = await v.call(method, url, other, body), what = `${version} ${method} ${path}`
    t.notOk(stolen(answer.body.replaceAll(body ? JSON.stringify(body) : '\0', '')), `${what}: ${answer.body.slice(0, 200)}`)
    if (path.includes('{')) t.ok([403, 404].includes(answer.statusCode), `${what}: ${answer.statusCode}`)
    // SEC-034: the same words as of what never was, but for the id.
    if (path.includes('{') && answer.statusCode === 404) t.equal(unnamed(answer.json().detail), unnamed((await v.call(method, url.replace(uuid, 'nobody'), other, body)).json().detail), what)
  }
  t.equal(JSON.stringify(await everything()), before, 'and nothing of the owner’s has changed')
})

t.test('SEC-030 filters and searches are no way round', async (t) => {
  for (const query of [`programs?programName=${mark}-program`, `programs?targets=${mark}-target`, `events?programID=${program.id}`, `events?targets=${mark}-target`, `reports?eventID=${event.id}`, `reports?programID=${program.id}`, `reports?clientName=${mark}-client`,
    `subscriptions?clientName=${mark}-client`, `vens?venName=${mark}-ven`, `vens?targets=${mark}-target`, `resources?venID=${mine.id}`, `resources?resourceName=${mark}-resource`]) {
    t.same((await v.call('GET', `/${query}`, other)).json(), [], query)
    t.equal((await v.call('GET', `/${query}`, bl)).json().length, 1, `${query}: business logic finds it`)
  }
  for (const query of [`programs?targetType=TARGET&targetValues=${mark}-target`, `events?targetType=TARGET&targetValues=${mark}-target`, `vens?venName=${mark}-ven`]) t.same((await v.call('GET', `/openadr3/3.0.1/${query}`, other)).json(), [], query)
})

t.test('SEC-030 SEC-031 every route × nobody: refused before anything is looked at', async (t) => {
  for (const { version, method, path, url, body } of routes) {
    if (path.endsWith('openapi.json')) continue
    const answer = await v.call(method, url, null, body)
    t.equal(answer.statusCode, version === '3.1.1' ? 401 : 403, `${version} ${method} ${path}`)
    t.notOk(stolen(answer.body))
  }
})

t.test('SEC-030 every route × the owner: what is its own it may read', async (t) => {
  for (const { version, method, path, url } of routes.filter((r) => r.method === 'GET' && r.path.includes('{'))) {
    if (path.includes('topics/programs')) continue
    t.equal((await v.call(method, url, owner)).statusCode, 200, `${version} ${path}`)
  }
  t.equal((await v.call('GET', `${base}/vens/${theirs.id}`, owner)).statusCode, 404)
})

/** What business logic sees of the owner's things. */
async function everything(): Promise<unknown[]> {
  const paths = [`/programs/${program.id}`, `/events/${event.id}`, `/vens/${mine.id}`, `/resources/${resource.id}`, `/reports/${report.id}`, `/subscriptions/${subscription.id}`]
  return Promise.all(paths.map(async (path) => (await v.call('GET', path, bl)).json()))
}
