import t from 'tap'
import { changesBetween, detailOf, hashOf, readable } from '#core/audit/detail.js'
import { homes, testDoor } from '#core/operator/test-door.js'

t.test('UX-051 a change is told member by member; what is kept has the hash of the chain, secrets and long lists apart', async (t) => {
  const before = { name: 'peak', limits: { twoPersonAbove_kW: 10 }, tags: ['a'], version: 1 }, after = { name: 'peak', limits: { twoPersonAbove_kW: 20 }, tags: ['a', 'b'], version: 2 }
  t.same(changesBetween(before, after), [{ path: 'limits.twoPersonAbove_kW', before: 10, after: 20 }, { path: 'tags.1', before: null, after: 'b' }])
  t.same(changesBetween('verified', { share: '0.70', state: 'active' }), [{ path: 'state', before: 'verified', after: 'active' }], 'a word and the whole that it became part of')
  t.same(changesBetween(null, { at: 1, name: 'n', state: 's' }).map((c) => c.path), ['state', 'name', 'at'])
  t.same(changesBetween('sent', 'accepted'), [{ path: '', before: 'sent', after: 'accepted' }])
  t.same(changesBetween({ limits: {} }, { limits: { a: false }, none: null }), [{ path: 'limits.a', before: null, after: false }], 'what fills an empty one is told')
  t.same(readable(hashOf(before), detailOf(before, null)!.before), { value: before, intact: true })
  t.same(readable(hashOf(before), detailOf({ ...before, name: 'forged' }, null)!.before).intact, false, 'altered beside the chain')
  t.equal(detailOf('sent', 'accepted'), null, 'words are told from their hash')
  t.same(readable(hashOf('accepted'), null), { value: 'accepted', intact: true })
  t.same(readable(hashOf({ x: 1 }), null), { value: null, intact: null })
  const hook = { url: 'https://x', secrets: [{ secret: 'canary' }], deliveries: Array.from({ length: 2000 }, (_, i) => i) }, kept = detailOf(null, hook)!
  t.notMatch(kept.after, /canary/, 'SEC-061')
  t.same(readable(hashOf(hook), kept.after), { value: { url: 'https://x', secrets: '***', deliveries: '2000 items' }, intact: null })
})

t.test('UX-051, CORE-224 the trail shows before and after of a change; who is forgotten is forgotten there too, and the chain still holds', async (t) => {
  const { as } = await testDoor(t, { nowMs: Date.UTC(2026, 6, 15, 18) }), call = await as('admin', 'ada'), viewer = await as('viewer', 'vera')
  await homes(call, 1)
  const program = (await call('GET', 'programs/peak')).data, point = (await call('GET', 'service-points/home-0')).data
  await call('PATCH', 'programs/peak', { limits: { ...program.limits, twoPersonAbove_kW: 77 }, version: program.version })
  const last = async (entity: string, action: string) => (await call('GET', `audit?entity=${entity}&limit=1000`)).data.items.findLast((r: { action: string }) => r.action === action)
  const found = (await call('GET', `audit/${(await last(program.id, 'program.change')).seq}`)).data
  t.match(found, { action: 'program.change', actor: 'ada', intact: true })
  t.match(found.changes, [{ path: 'limits.twoPersonAbove_kW', before: null, after: 77 }, { path: 'programVersion', before: 1, after: 2 }], 'what changed and nothing else')
  const made = await last(point.id, 'servicePoint.create')
  t.match((await call('GET', `audit/${made.seq}`)).data.changes.find((c: { path: string }) => c.path === 'name'), { before: null, after: 'home-0' })
  const newest = (await call('GET', 'audit?order=newest&limit=3&changes=true')).data
  t.same(newest.items.map((r: { seq: number }) => r.seq - newest.items[0].seq), [0, -1, -2])
  t.ok((await call('GET', `audit?order=newest&limit=1000&changes=true&cursor=${newest.next}`)).data.items.find((r: { seq: number }) => r.seq === made.seq).changes.length > 0)
  t.equal((await viewer('GET', `audit/${made.seq}`)).statusCode, 403)
  for (const nothing of ['0', '999999', 'x']) t.equal((await call('GET', `audit/${nothing}`)).statusCode, 404, nothing)
  t.equal((await call('POST', `service-points/${point.id}/erase`, { reason: 'he asked' })).statusCode, 200)
  t.match((await call('GET', `audit/${made.seq}`)).data, { changes: [], intact: null }, 'forgotten')
  t.match((await call('GET', 'audit/verify')).data, { verified: true })
})
