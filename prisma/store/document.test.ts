import t from 'tap'
import { handClock } from '#core/port/clock.js'
import type { AgendaEntry } from '#core/port/store/agenda.js'
import type { Document, NewDocument } from '#core/port/store/document.js'
import { openDatabase } from '#prisma/database.js'
import { silent } from '#core/port/log.js'
import { kindOf, testDatabase } from '#prisma/test-database.js'

const clock = handClock(Date.UTC(2026, 0, 5))
const db = await testDatabase({ clock, poolSize: 10 })
t.teardown(() => db.close())
const { stores, tenant, database } = db
const doc = (id: string, more: Partial<NewDocument> = {}): NewDocument => ({ tenant, kind: 'vtn/event', id, parent: '', body: { id }, ...more })
const ids = (documents: readonly Document[]): string[] => documents.map((d) => d.id)
const entry = (id: string, dueAt: number, more: Partial<AgendaEntry> = {}): Omit<AgendaEntry, 'attempts'> => ({ id, tenant, task: 'deliver', subject: id, dueAt, payload: { id }, ...more })

t.test('REL-026 of 50 parallel creates with one key one wins, the others are told', async (t) => {
  const outcomes = await Promise.all(Array.from({ length: 50 }, (_, i) => kindOf(stores.documents.insert(doc(`w${i}`, { kind: 'vtn/ven', key: 'name' }), 1))))
  t.equal(outcomes.filter((o) => o === 'done').length, 1)
  t.equal(outcomes.filter((o) => o === 'conflict').length, 49)
  t.equal(await stores.documents.count(tenant, { kind: 'vtn/ven' }), 1)
})

t.test('OA object privacy, order and paging of documents', async (t) => {
  const { documents } = stores
  const body = { z: 1, a: { n: 1.5, text: 'é"\\ \u2028' }, list: [1, null, true], programID: 'p1' }
  await documents.insertMany([
    doc('3', { body, targets: ['group:a', 'x'], sort1: 5, sort2: 1.5, owner: 'bl', createdAt: 1 } as Partial<NewDocument>), doc('1', { sort1: 5, key: 'B' }), doc('2', { sort1: 1, key: 'a', targets: ['group:b'] }),
  ], 10)
  const got = await documents.get<typeof body>(tenant, 'vtn/event', '3')
  t.equal(JSON.stringify(got?.body), JSON.stringify(body), 'member order and literals survive')
  t.same([got?.version, got?.createdAt, got?.sort2, got?.owner], [1, 10, 1.5, 'bl'])
  const list = (query: object): Promise<string[]> => documents.list(tenant, { kind: 'vtn/event', ...query }).then(ids)
  t.same(await list({}), ['1', '2', '3'])
  t.same(await list({ order: ['-sort1', 'id'] }), ['1', '3', '2'])
  t.same(await list({ order: ['key'] }), ['1', '2', '3'], 'keys by code point, none last')
  t.same(await list({ skip: 1, limit: 1 }), ['2'])
  t.same(await list({ visibleTo: ['group:a'] }), ['1', '3'])
  t.same(await list({ visibleTo: [] }), ['1'])
  t.same(await list({ withTargets: ['group:a', 'x'] }), ['3'])
  t.same(await list({ where: { programID: 'p1' } }), ['3'])
  t.same(await list({ where: { "x' or '1'='1": 'p1' } }), [], 'a member name is a value, not SQL')
  t.same(await list({ sort1From: 2, sort2To: 1 }), ['1'])
  t.same(await list({ ids: ['3', '1'], owner: 'bl' }), ['3'])
  t.same([await list({ createdFrom: 10, createdBefore: 11 }), await list({ createdFrom: 11 }), await list({ createdBefore: 10 })], [['1', '2', '3'], [], []], 'made from and before')
  t.equal(await documents.count(tenant, { kind: 'vtn/event', sort1To: 1 }), 1)
  const all = (await documents.list(tenant, { kind: 'vtn/event' })).flatMap((d) => d.targets)
  t.ok(all.length > 0)
  t.same((await documents.targetsOf(tenant, { kind: 'vtn/event' })).sort(), [...new Set(all)].sort())
  t.same((await documents.targetsOf(tenant, { kind: 'vtn/event', ids: ['1'] })), [], 'of these documents alone')
  t.same(await documents.targetsOf('b', { kind: 'vtn/event' }), [])
  t.same(ids([(await documents.byKey(tenant, 'vtn/event', '', 'a'))!]), ['2'])
  t.equal(await documents.get('b', 'vtn/event', '3'), undefined)
})

t.test('CORE-014 documents: versions, batches and removal', async (t) => {
  const { documents } = stores
  const first = await documents.insert(doc('v', { kind: 'k', key: 'v' }), 1)
  t.equal((await documents.replace({ ...doc('v', { kind: 'k' }), body: { n: 2 } }, 2, first.version)).version, 2)
  t.equal(await kindOf(documents.replace(doc('v', { kind: 'k' }), 3, first.version)), 'stale')
  t.equal(await kindOf(documents.replace(doc('u', { kind: 'k' }), 3)), 'notFound')
  t.same(ids(await documents.insertMany([doc('w', { kind: 'k' }), doc('v', { kind: 'k' }), doc('a', { kind: 'k' })], 4, { onConflict: 'skip' })), ['w', 'a'])
  t.equal(await kindOf(documents.insertMany([doc('n', { kind: 'k' }), doc('v', { kind: 'k' })], 4)), 'conflict')
  t.equal(await documents.get(tenant, 'k', 'n'), undefined, 'all or none')
  t.same((await documents.insertMany([doc('v', { kind: 'k', body: 9 })], 5, { onConflict: 'replace' })).map((d) => [d.version, d.body, d.createdAt, d.modifiedAt]), [[3, 9, 1, 5]])
  t.equal(await documents.remove(tenant, 'k', 'v'), true)
  t.equal(await documents.remove(tenant, 'k', 'v'), false)
  t.equal(await documents.removeAll(tenant, 'k', ''), 2)
  t.equal(await kindOf(documents.insert(doc('nul', { owner: 'a\u0000b' }), 1)), 'invalid', 'SEC-041 U+0000 is refused, not a fault')
})

t.test('a write raises the revision here at once and, by NOTIFY, in another process; a rollback raises nothing', async (t) => {
  const other = await openDatabase({ url: db.url, log: silent, clock })
  t.teardown(() => other.close())
  t.teardown(other.stores.documents.onChange(() => { throw new Error('a bad listener') }))
  const kind = 'csip/DERControl', seen: string[] = []
  const before = stores.documents.revision(tenant, kind), theirs = other.stores.documents.revision(tenant, kind)
  t.not(before, theirs, 'two lives never share a cache key')
  await t.rejects(database.unitOfWork.run(async (s) => { await s.documents.insert(doc('r', { kind }), 1); throw new Error('no') }))
  t.equal(stores.documents.revision(tenant, kind), before)
  const told = new Promise<void>((done) => other.stores.documents.onChange((change) => { seen.push(`${change.tenant} ${change.kind}`); done() }))
  await database.unitOfWork.run((s) => s.documents.insert(doc('r', { kind }), 1))
  t.ok(stores.documents.revision(tenant, kind) > before, 'read your own writes')
  await told
  t.same(seen, [`${tenant} ${kind}`])
  t.ok(other.stores.documents.revision(tenant, kind) > theirs)
  const woken = new Promise<void>((done) => { other.stores.agenda.onAdded(done) })
  await stores.agenda.add([entry('wake', 0)])
  await woken
  await stores.agenda.done(['wake'])
})
