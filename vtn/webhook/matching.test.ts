import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { testVtn } from '#vtn/test-vtn.js'

/** One receiver whose answers are handed in: a status for each delivery, 200 when the list is used up. */
const answers: number[] = [], heard: { objectType: string; operation: string; object: { id: string; programName?: string; eventName?: string; clientName?: string } }[] = []
const server = createServer((request, response) => {
  let text = ''
  request.on('data', (d) => { text += String(d) }).on('end', () => { heard.push(JSON.parse(text)); response.writeHead(answers.shift() ?? 200).end() })
})
await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
const callbackUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
const v = await testVtn({ webhooks: { echo: 'off', allowHttp: true, allow: ['127.0.0.1'], timeout_ms: 1000 } })
t.teardown(async () => { await v.close(); server.closeAllConnections(); server.close() })
const subscribe = async (as: string, objects: string[], more: object = {}): Promise<{ id: string }> => (await v.call('POST', '/subscriptions', as, { clientName: as, objectOperations: [{ objects, operations: ['CREATE', 'UPDATE', 'DELETE'], callbackUrl }], ...more })).json()
const program = async (programName: string): Promise<{ id: string }> => (await v.call('POST', '/programs', 'bl_client', { programName })).json()
const event = async (programID: string, eventName: string, more: object = {}): Promise<{ id: string }> => (await v.call('POST', '/events', 'bl_client', { programID, eventName, ...more })).json()
const report = (eventID: string, clientName: string) => v.call('POST', '/reports', 'ven_client', { eventID, clientName, resources: [] })
const told = async (): Promise<string[]> => {
  await v.vtn.drain()
  return heard.splice(0).map(({ objectType, operation, object }) => `${operation} ${objectType} ${object.programName ?? object.eventName ?? object.clientName}`)
}

t.test('OA-124 a subscription to one program hears of that program, its events and the reports on them, of no other and of nothing without a program', async (t) => {
  const one = await program('one'), other = await program('other')
  const bound = await subscribe('bl_client', ['PROGRAM', 'EVENT', 'REPORT', 'VEN', 'SUBSCRIPTION'], { programID: one.id })
  await told()
  for (const [p, name] of [[one, 'one'], [other, 'other']] as const) {
    await v.call('PUT', `/programs/${p.id}`, 'bl_client', { programName: `${name} renamed` })
    await report((await event(p.id, `event of ${name}`)).id, `report on ${name}`)
  }
  await v.call('POST', '/vens', 'bl_client', { objectType: 'BL_VEN_REQUEST', clientID: 'somebody', venName: 'v' })
  t.same((await told()).toSorted(), ['CREATE EVENT event of one', 'CREATE REPORT report on one', 'UPDATE PROGRAM one renamed'])
  await v.call('DELETE', `/subscriptions/${bound.id}`, 'bl_client')
})

t.test('OA-125 a VEN that asks for targets is told of what has them and is its own, not of what is for everybody', async (t) => {
  const p = await program('aimed')
  await v.call('POST', '/vens', 'bl_client', { objectType: 'BL_VEN_REQUEST', clientID: 'ven_client', venName: 'mine', targets: ['a', 'b'] })
  const asking = await subscribe('ven_client', ['EVENT'], { targets: ['a', 'z'] })
  for (const [name, targets] of [['for a', ['a']], ['for b', ['b']], ['for z', ['z']], ['for all', undefined]] as const) await event(p.id, name, { targets })
  t.same(await told(), ['CREATE EVENT for a'])
  await v.call('DELETE', `/subscriptions/${asking.id}`, 'ven_client')
})

t.test('OA-129 408, 429 and 5xx are tried again, every other 4xx and a redirect is not', async (t) => {
  const p = await program('retries'), all = await subscribe('bl_client', ['EVENT'])
  for (const [status, again] of [[408, true], [429, true], [500, true], [503, true], [400, false], [404, false], [410, false], [302, false]] as const) {
    answers.push(status)
    await event(p.id, `answered ${status}`)
    t.equal((await told()).length, 1)
    await v.clock.advance(3000)
    t.equal((await told()).length, again ? 1 : 0, `${status}`)
    // A success in between, so that no row of failures makes the receiver count as broken.
    await event(p.id, 'well'); await told()
  }
  await v.call('DELETE', `/subscriptions/${all.id}`, 'bl_client')
})

t.test('OA-109 OA-102 targets of a resource count at once, whatever was read before', async (t) => {
  const p = await program('at once'), mine = (await v.call('GET', '/vens', 'ven_client')).json()[0].id
  const e = await event(p.id, 'for r', { targets: ['r'] }), sees = async (): Promise<number> => (await v.call('GET', `/events/${e.id}`, 'ven_client')).statusCode
  const { id } = (await v.call('POST', '/resources', 'bl_client', { objectType: 'BL_RESOURCE_REQUEST', clientID: 'ven_client', venID: mine, resourceName: 'meter' })).json()
  t.equal(await sees(), 404)
  const target = (targets: string[]) => v.call('PUT', `/resources/${id}`, 'bl_client', { objectType: 'BL_RESOURCE_REQUEST', clientID: 'ven_client', venID: mine, resourceName: 'meter', targets })
  t.equal((await target(['r'])).statusCode, 200)
  t.equal(await sees(), 200)
  await target(['other'])
  t.equal(await sees(), 404)
  await target(['r'])
  t.equal(await sees(), 200)
  await v.call('DELETE', `/resources/${id}`, 'bl_client')
  t.equal(await sees(), 404)
})

t.test('OA-125 OA-126 business logic that asks for targets is told of subscriptions that name them', async (t) => {
  const all = await subscribe('bl_client', ['SUBSCRIPTION'], { targets: ['a'] })
  await told()
  const naming = await subscribe('ven_client', ['EVENT'], { clientName: 'names a', targets: ['a'] }), other = await subscribe('ven_client', ['EVENT'], { clientName: 'names b', targets: ['b'] })
  t.same(await told(), ['CREATE SUBSCRIPTION names a'])
  for (const { id } of [naming, other]) await v.call('DELETE', `/subscriptions/${id}`, 'ven_client')
  await v.call('DELETE', `/subscriptions/${all.id}`, 'bl_client')
})

t.test('OA-121 the value in an answer other than 200 is no echo', async (t) => {
  for (const [code, wanted] of [[200, 201], [201, 400], [404, 400], [500, 400]] as const) {
    const hook = createServer((request, response) => { response.writeHead(code).end(new URL(request.url ?? '/', 'http://x').searchParams.get('echo')) })
    await new Promise<void>((done) => { hook.listen(0, '127.0.0.1', done) })
    const asking = await testVtn({ webhooks: { echo: 'required', allowHttp: true, allow: ['127.0.0.1'], timeout_ms: 1000 } })
    const made = await asking.call('POST', '/subscriptions', 'bl_client', { clientName: 'x', objectOperations: [{ objects: ['EVENT'], operations: ['CREATE'], callbackUrl: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/` }] })
    t.equal(made.statusCode, wanted, String(code))
    await asking.close()
    hook.closeAllConnections(); hook.close()
  }
})
