import t from 'tap'
import { bl, namesOf, sceneOn, testVtn, ven, ven2 } from '#vtn/test-vtn.js'

/** Who may do what, and who sees what: roles, ownership, targets. The tests go on from each other's vens. */
const v = await testVtn()
t.teardown(() => v.close())
const { event, fresh, program } = sceneOn(v)

t.test('OA-080 OA-081 OA-082 ven bodies by role', async (t) => {
  const mine = await v.call('POST', '/vens', ven, { objectType: 'VEN_VEN_REQUEST', venName: 'v1', targets: ['g1'], clientID: 'bl_client' })
  t.equal(mine.statusCode, 201)
  t.match(mine.json(), { objectType: 'VEN', clientID: 'ven_client', venName: 'v1' })
  t.equal(mine.json().targets, undefined)
  const id = mine.json().id
  const refusals: [string, unknown, number][] = [
    [ven2, { objectType: 'BL_VEN_REQUEST', clientID: ven2, venName: 'v2' }, 400], [bl, { objectType: 'VEN_VEN_REQUEST', venName: 'v2' }, 400], [ven2, { venName: 'v2' }, 400],
    [ven2, { objectType: 'VEN_VEN_REQUEST', venName: 'v1' }, 409], [ven, { objectType: 'VEN_VEN_REQUEST', venName: 'other' }, 409],
  ]
  for (const [as, body, status] of refusals) t.equal((await v.call('POST', '/vens', as, body)).statusCode, status, JSON.stringify(body))
  t.equal((await v.call('PUT', `/vens/${id}`, bl, { objectType: 'BL_VEN_REQUEST', clientID: 'other', venName: 'v1' })).statusCode, 400)
  const granted = await v.call('PUT', `/vens/${id}`, bl, { objectType: 'BL_VEN_REQUEST', clientID: ven, venName: 'v1', targets: ['g1'] })
  t.same(granted.json().targets, ['g1'])
  const kept = await v.call('PUT', `/vens/${id}`, ven, { objectType: 'VEN_VEN_REQUEST', venName: 'v1', targets: ['g9'], attributes: [{ type: 'AREA', values: [1] }] })
  t.match(kept.json(), { targets: ['g1'], clientID: ven, attributes: [{ type: 'AREA' }] })
  await v.call('POST', '/vens', ven2, { objectType: 'VEN_VEN_REQUEST', venName: 'v2' })
})

t.test('OA-083 resources: drafts without clientID or venID, other VENs are as if absent', async (t) => {
  const [v1] = (await v.call('GET', '/vens?venName=v1')).json(), [v2] = (await v.call('GET', '/vens?venName=v2')).json()
  const byBl = await v.call('POST', '/resources', bl, { objectType: 'BL_RESOURCE_REQUEST', resourceName: 'r', venID: v1.id, targets: ['g2'] })
  t.match(byBl.json(), { objectType: 'RESOURCE', clientID: ven, venID: v1.id, targets: ['g2'] })
  const byVen = await v.call('POST', '/resources', ven2, { objectType: 'VEN_RESOURCE_REQUEST', resourceName: 'r', targets: ['g9'] })
  t.match(byVen.json(), { clientID: ven2, venID: v2.id })
  t.equal(byVen.json().targets, undefined)
  const refusals: [string, object, number][] = [
    [bl, { objectType: 'BL_RESOURCE_REQUEST', resourceName: 'r', venID: v1.id }, 409], [bl, { objectType: 'BL_RESOURCE_REQUEST', resourceName: 'q', venID: 'nobody' }, 404],
    [bl, { objectType: 'BL_RESOURCE_REQUEST', resourceName: 'q', venID: v1.id, clientID: ven2 }, 400], [ven2, { objectType: 'VEN_RESOURCE_REQUEST', resourceName: 'q', venID: v1.id }, 404],
    [ven2, { objectType: 'BL_RESOURCE_REQUEST', resourceName: 'q', venID: v2.id }, 400],
  ]
  for (const [as, body, status] of refusals) t.equal((await v.call('POST', '/resources', as, body)).statusCode, status, JSON.stringify(body))
  t.equal((await v.call('PUT', `/resources/${byBl.json().id}`, bl, { objectType: 'BL_RESOURCE_REQUEST', resourceName: 'r', venID: v2.id })).statusCode, 400)
})

t.test('OA-100 OA-060 OA-102 OA-103 OA-104 OA-105 OA-106 OA-107 OA-108 OA-109 OA-110 OA-033 SEC-033 object privacy and target hiding', async (t) => {
  const open = await program(fresh('open')), closed = await program(fresh('closed'), { targets: ['g1', 'g3'] }), foreign = await program(fresh('foreign'), { targets: ['g3'] })
  const visible = async (as: string, query = '') => namesOf((await v.call('GET', `/programs${query}`, as)).json()).filter((n) => [open, closed, foreign].some((p) => p.programName === n))
  t.same(await visible(ven), [open.programName, closed.programName])
  t.same(await visible(ven2), [open.programName])
  t.same(await visible(bl), [open.programName, closed.programName, foreign.programName])
  t.same(await visible(ven, '?targets=g1'), [closed.programName], 'with targets, untargeted ones are left out')
  t.same(await visible(ven, '?targets=g3'), [], 'an ungranted name grants nothing')
  t.same(await visible(ven, '?targets=g3&targets=g1'), [closed.programName], 'and is no error')
  t.same(await visible(bl, '?targets=g3'), [closed.programName, foreign.programName], 'a plain filter for business logic')
  t.same((await v.call('GET', `/programs/${closed.id}`, ven)).json().targets, ['g1'], 'hidden')
  t.same((await v.call('GET', `/programs/${closed.id}`)).json().targets, ['g1', 'g3'])
  t.equal((await v.call('GET', `/programs/${foreign.id}`, ven)).statusCode, 404)
  const inside = await event(foreign.id, { eventName: 'untargeted of a targeted program' })
  t.equal((await v.call('GET', `/events/${inside.id}`, ven2)).statusCode, 200, 'OA-108 only its own targets count')
  const byResource = await event(open.id, { targets: ['g2'], eventName: 'by resource' })
  t.equal((await v.call('GET', `/events/${byResource.id}`, ven)).statusCode, 200, 'OA-102 targets of resources count')
  t.equal((await v.call('GET', `/events/${byResource.id}`, ven2)).statusCode, 404)
  t.equal((await v.call('POST', '/reports', ven2, { eventID: byResource.id, clientName: 'x', resources: [] })).statusCode, 409, 'OA-108 an invisible event is unknown')
  const [mine] = (await v.call('GET', '/vens', ven)).json()
  await v.call('PUT', `/vens/${mine.id}`, bl, { objectType: 'BL_VEN_REQUEST', clientID: ven, venName: 'v1' })
  t.same(await visible(ven), [open.programName], 'OA-109 grants count at read time')
  await v.call('PUT', `/vens/${mine.id}`, bl, { objectType: 'BL_VEN_REQUEST', clientID: ven, venName: 'v1', targets: ['g1', 'a,b'] })
  t.equal((await v.call('GET', '/vens?targets=zz,g1')).json().length, 1, 'OA-110 any match')
  t.equal((await v.call('GET', '/vens?targets=a%2Cb')).json().length, 1, 'OA-060 a literal comma')
  t.equal((await v.call('GET', '/vens?targets=a,b')).json().length, 0)
  t.equal((await v.call('GET', '/vens?targets[]=g1')).json().length, 1)
})

t.test('OA-101 OA-063 OA-064 SEC-030 what belongs to another VEN is as if absent, for every verb and list', async (t) => {
  const p = await program(fresh('idor')), e = await event(p.id)
  const [venOf2] = (await v.call('GET', '/vens', ven2)).json(), [resourceOf2] = (await v.call('GET', '/resources', ven2)).json()
  const report = (await v.call('POST', '/reports', ven2, { eventID: e.id, clientName: 'two', resources: [] })).json()
  const subscription = (await v.call('POST', '/subscriptions', ven2, { clientName: 'two', objectOperations: [{ objects: ['EVENT'], operations: ['CREATE'], callbackUrl: 'https://example.com/x' }] })).json()
  const bodies: Record<string, object> = {
    vens: { objectType: 'VEN_VEN_REQUEST', venName: 'stolen' }, resources: { objectType: 'VEN_RESOURCE_REQUEST', resourceName: 'stolen' },
    reports: { eventID: e.id, clientName: 'stolen', resources: [] }, subscriptions: { clientName: 'stolen', objectOperations: [{ objects: ['EVENT'], operations: ['CREATE'], callbackUrl: 'https://example.com/x' }] },
  }
  for (const [noun, object] of Object.entries({ vens: venOf2, resources: resourceOf2, reports: report, subscriptions: subscription })) {
    for (const method of ['GET', 'PUT', 'DELETE'] as const) {
      t.equal((await v.call(method, `/${noun}/${object.id}`, ven, method === 'PUT' ? bodies[noun] : undefined)).statusCode, 404, `${method} ${noun}`)
    }
    t.notOk((await v.call('GET', `/${noun}`, ven)).json().some((o: { id: string }) => o.id === object.id), `list ${noun}`)
    t.same((await v.call('GET', `/${noun}/${object.id}`, ven2)).json().id, object.id)
  }
  t.same((await v.call('GET', '/reports?clientName=two', ven)).json(), [])
  t.equal((await v.call('GET', `/reports?clientName=two&programID=${p.id}&eventID=${e.id}`)).json().length, 1, 'OA-063 reports by program')
  t.equal((await v.call('GET', '/subscriptions?objects=PROGRAM&objects=EVENT', ven2)).json().length, 1, 'OA-064')
  t.equal((await v.call('GET', '/subscriptions?objects=PROGRAM', ven2)).json().length, 0)
  t.equal((await v.call('GET', '/subscriptions?objects=NOTHING', ven2)).statusCode, 400)
  t.equal((await v.call('PUT', `/subscriptions/${subscription.id}`, bl, bodies['subscriptions'])).statusCode, 404, 'subscriptions are written by their owner')
})

t.test('OA-028 OA-035 SEC-031 role × verb', async (t) => {
  const p = await program(fresh('role')), e = await event(p.id)
  const table: [string, 'POST' | 'PUT' | 'DELETE', string, object | undefined, number][] = [
    [ven, 'POST', '/programs', { programName: 'no' }, 403], [ven, 'PUT', `/programs/${p.id}`, { programName: 'no' }, 403], [ven, 'DELETE', `/programs/${p.id}`, undefined, 403],
    [ven, 'POST', '/events', { programID: p.id }, 403], [ven, 'PUT', `/events/${e.id}`, { programID: p.id }, 403], [ven, 'DELETE', `/events/${e.id}`, undefined, 403],
    [bl, 'POST', '/reports', { eventID: e.id, clientName: 'x', resources: [] }, 403],
  ]
  for (const [as, method, path, body, status] of table) t.equal((await v.call(method, path, as, body)).statusCode, status, `${as} ${method} ${path}`)
  const r = (await v.call('POST', '/reports', ven, { eventID: e.id, clientName: 'x', resources: [] })).json()
  t.equal((await v.call('PUT', `/reports/${r.id}`, bl, { eventID: e.id, clientName: 'x', resources: [] })).statusCode, 403)
  t.equal((await v.call('DELETE', `/reports/${r.id}`, bl)).statusCode, 200, 'business logic may remove reports here')
})

t.test('SEC-034 what is hidden and what is absent answer alike: status, body and time', async (t) => {
  const p = await program(fresh('probe'))
  const made = await Promise.all(Array.from({ length: 25 }, () => v.call('POST', '/events', bl, { programID: p.id, targets: ['nobody-here'] })))
  t.same(new Set(made.map((m) => m.statusCode)), new Set([201]))
  const hidden = made.map((m) => m.json().id as string)
  const absent = hidden.map((id) => id.slice(0, -4) + (id.endsWith('0000') ? 'ffff' : '0000'))
  const shape = (a: Awaited<ReturnType<typeof v.call>>, id: string) => [a.statusCode, a.body.replaceAll(id, '').replace(/urn:uuid:[0-9a-f-]+/, ''), Object.keys(a.headers).sort().join()]
  /** Mann-Whitney: |z| of the rank sum of a among a and b. */
  const z = (a: readonly number[], b: readonly number[]): number => {
    const ranked = [...a.map((x) => [x, 1] as const), ...b.map((x) => [x, 0] as const)].sort((x, y) => x[0] - y[0])
    const sum = ranked.reduce((s, [, mine], i) => s + (mine ? i + 1 : 0), 0), n = a.length, m = b.length
    return Math.abs((sum - n * (n + m + 1) / 2) / Math.sqrt(n * m * (n + m + 1) / 12))
  }
  const shapes = new Set<string>()
  async function round(): Promise<number> {
    const times: Record<'hidden' | 'absent', number[]> = { hidden: [], absent: [] }
    for (let i = 0; i < 500; i += 1) {
      for (const [kind, id] of (i % 2 ? [['hidden', hidden[i % 25]], ['absent', absent[i % 25]]] : [['absent', absent[i % 25]], ['hidden', hidden[i % 25]]]) as ['hidden' | 'absent', string][]) {
        const begun = process.hrtime.bigint()
        const answer = await v.call('GET', `/events/${id}`, 'ven_client')
        times[kind].push(Number(process.hrtime.bigint() - begun))
        shapes.add(JSON.stringify(shape(answer, id)))
      }
    }
    return z(times.hidden, times.absent)
  }
  const found: number[] = []
  // At p = 0.01 one round in a hundred errs; a machine that is busy with other things may make it two.
  do found.push(await round()); while ((found.at(-1) ?? 9) > 2.58 && found.length < 4)
  t.equal(shapes.size, 1, [...shapes].join(' | '))
  t.ok((found.at(-1) ?? 9) <= 2.58, `|z| ${found.map((x) => x.toFixed(2)).join(', ')}`)
})
