import * as fc from 'fast-check'
import t from 'tap'
import { Refusal } from '#core/error.js'
import { randomIds } from '#core/port/ids.js'
import type { DocumentQuery, DocumentStore, NewDocument } from '#core/port/store/document.js'
import { testDatabase } from '#prisma/test-database.js'
import { makeAccess } from '#vtn/access.js'
import { listTogether, type Page } from '#vtn/list-together.js'
import { everybody, kindOf } from '#vtn/stored.js'

/** First reads of many VENs are asked together: what each gets is what it would get alone. On the real store, with its questions counted. */
const db = await testDatabase()
t.teardown(() => db.close())
const { documents } = db.stores, ids = randomIds(() => 0), at = Date.parse('2026-06-01T12:00:00Z')
let asked: DocumentQuery[] = [], broken = false
const counted: DocumentStore = {
  ...documents,
  list: (tenant, query) => {
    asked.push(query)
    return broken ? Promise.reject(new Refusal('unavailable', 'the database does not answer')) : documents.list(tenant, query)
  },
}
/** A tenant of its own for each run, with these documents. */
async function stored(rows: readonly Omit<NewDocument, 'tenant' | 'id' | 'parent'>[]): Promise<string> {
  const tenant = ids.uuid()
  await documents.insertMany(rows.map((row, i) => ({ tenant, id: `d${i}`, parent: '', ...row })), at)
  return tenant
}

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e'), names = fc.uniqueArray(name, { maxLength: 3 })

t.test('OA-101 OA-102 OA-109 grants asked together are those asked alone, another tenant\'s and another client\'s never among them', async (t) => {
  const owned = fc.array(fc.record({ kind: fc.constantFrom(kindOf.VEN, kindOf.RESOURCE), owner: name, targets: names }), { maxLength: 12 })
  await fc.assert(fc.asyncProperty(owned, fc.array(name, { minLength: 1, maxLength: 8 }), async (docs, clients) => {
    const rows = docs.map((d, i) => ({ ...d, key: `n${i}`, body: {} }))
    await stored(rows.map((r) => ({ ...r, targets: ['other'] })))
    const tenant = await stored(rows), access = makeAccess(counted, tenant)
    asked = []
    const together = await Promise.all(clients.map((c) => access.grants(c)))
    t.equal(asked.length, 2, 'vens and resources, once for all')
    for (const [i, client] of clients.entries()) {
      const own = rows.filter((r) => r.owner === client).flatMap((r) => [...r.targets, `${r.kind === kindOf.VEN ? 'VEN' : 'RESOURCE'}_NAME=${r.key}`])
      t.same(together[i], [...new Set(own)].sort())
    }
  }), { numRuns: 40 })
})

t.test('OA-109 SEC-010 a change between two reads is seen; a failed round fails its readers and is not remembered', async (t) => {
  const ven = { kind: kindOf.VEN, owner: 'a', key: 'house', body: {} }
  const tenant = await stored([{ ...ven, targets: ['before'] }]), access = makeAccess(counted, tenant)
  broken = true
  const failed = await Promise.allSettled(['a', 'b', 'c'].map(async (c) => access.grants(c)))
  t.same(failed.map((f) => (f.status === 'rejected' ? f.reason.kind : f.value)), ['unavailable', 'unavailable', 'unavailable'])
  broken = false
  t.same(await Promise.all(['a', 'b'].map((c) => access.grants(c))), [['VEN_NAME=house', 'before'], []])
  asked = []
  t.same(await access.grants('a'), ['VEN_NAME=house', 'before'])
  t.equal(asked.length, 0, 'from memory while nothing changes')
  await documents.replace({ tenant, id: 'd0', parent: '', ...ven, targets: ['after'] }, at + 1)
  t.same(await Promise.all(['a', 'b'].map((c) => access.grants(c))), [['VEN_NAME=house', 'after'], []])
})

const event = fc.record({ targets: fc.oneof(fc.constant([...everybody]), fc.uniqueArray(name, { minLength: 1, maxLength: 3 })), sort1: fc.integer({ min: 1, max: 3 }) })
const reader = fc.record({ targets: names, skip: fc.constantFrom(0, 0, 0, 1), limit: fc.constantFrom(1, 2, 50), sort1From: fc.integer({ min: 1, max: 3 }) })

t.test('OA-057 OA-100 OA-101 pages asked together are those asked alone: the same objects, order and cut for each reader', async (t) => {
  await fc.assert(fc.asyncProperty(fc.array(event, { maxLength: 25 }), fc.array(reader, { minLength: 1, maxLength: 20 }), async (events, readers) => {
    const tenant = await stored(events.map((e) => ({ kind: kindOf.EVENT, ...e, body: {} })))
    const pages: Page[] = readers.map(({ targets, ...page }) => ({ kind: kindOf.EVENT, ...page, withAnyTarget: [...everybody, ...targets] }))
    const { ask } = listTogether(counted, tenant)
    const together = await Promise.all(pages.map(ask)), alone = await Promise.all(pages.map((page) => documents.list(tenant, page)))
    t.same(together.map((docs) => docs.map((d) => d.id)), alone.map((docs) => docs.map((d) => d.id)))
  }), { numRuns: 60 })
})

t.test('OA-100 readers who ask the same are one question, whether few objects are for each or many for all', async (t) => {
  const readers = ['a', 'b', 'c', 'd', 'e'].map((target): Page => ({ kind: kindOf.EVENT, withAnyTarget: [...everybody, target], limit: 2 }))
  const one = async (events: readonly (readonly string[])[]): Promise<string[][]> => {
    const { ask } = listTogether(counted, await stored(events.map((targets) => ({ kind: kindOf.EVENT, targets, body: {} }))))
    asked = []
    return (await Promise.all(readers.map(ask))).map((docs) => docs.map((d) => d.id))
  }
  t.same(await one([['a'], ['c'], ['x']]), [['d0'], [], ['d1'], [], []])
  t.equal(asked.length, 1)
  t.same(await one(Array.from({ length: 40 }, () => [...everybody])), Array.from({ length: 5 }, () => ['d0', 'd1']))
  t.equal(asked.length, 1, 'cut off, but every page is full')
  t.same(await one([...Array.from({ length: 40 }, () => ['a']), ['b']]), [['d0', 'd1'], ['d40'], [], [], []])
  t.equal(asked.length, 5, 'whose page may go on behind the cut is asked for alone')
})
