import * as fc from 'fast-check'
import t from 'tap'
import type { DocumentQuery, DocumentStore } from '#core/port/store/document.js'
import { makePages } from '#csip-server/pages.js'
import type { Doc } from '#csip-server/served.js'
import { testDatabase } from '#prisma/test-database.js'

const db = await testDatabase(), { tenant } = db, kind = 'csip/EndDevice', count = 1500
t.teardown(() => db.close())
/** Few first numbers, few second ones: many share both, and pages end in the middle of them. */
await db.stores.documents.insertMany(Array.from({ length: count }, (_, i) => ({ tenant, kind, id: `d${(i * 7919) % count}`, parent: '', owner: 'agg', sort1: (i * 31) % 4, sort2: (i * 17) % 90, body: {} })), 1, { quiet: true })
const orders: readonly NonNullable<DocumentQuery['order']>[] = [['-sort1', 'sort2', 'id'], ['sort1', '-sort2', '-key', 'id'], ['-sort1', '-sort2', 'id'], ['sort1', 'sort2', '-id']]
const all = new Map(await Promise.all(orders.map(async (order) => [order, (await db.stores.documents.list(tenant, { kind, owner: 'agg', order })).map((d) => d.id)] as const)))

/** The store, and which of its queries skipped how far. */
function watched(): { documents: DocumentStore; skips: number[] } {
  const skips: number[] = []
  return { skips, documents: new Proxy(db.stores.documents, { get: (store, name) => name === 'list' ? (tenant: string, q: DocumentQuery) => { skips.push(q.skip ?? 0); return store.list(tenant, q) } : Reflect.get(store, name) }) }
}
const ids = (docs: readonly Doc[]): string[] => docs.map((d) => d.id)

t.test('SEP-053, SEP-057 whoever pages on sees each member once in the list’s order, whatever the page and the order, also with one more before', async (t) => {
  await fc.assert(fc.asyncProperty(fc.integer({ min: 60, max: 500 }), fc.constantFrom(...orders), fc.integer({ min: 0, max: 2 }), fc.nat(count), async (limit, order, back, from) => {
    const page = makePages({ documents: db.stores.documents, tenant }), query = { kind, owner: 'agg', order }
    for (let skip = from; skip < count; skip += limit) {
      const at = Math.max(0, skip - back)
      const seen = ids(await page(query, at, limit + back)), wanted = all.get(order)!.slice(at, at + limit + back)
      if (seen.join() !== wanted.join()) throw new Error(`${order.join()} from ${at}: ${seen.slice(0, 5).join()} and not ${wanted.slice(0, 5).join()}`)
    }
  }), { numRuns: 60 })
  t.pass()
})

t.test('SEP-057 pages that follow one another skip nothing but members that share both numbers; a change makes the next one walk again', async (t) => {
  const { documents, skips } = watched(), page = makePages({ documents, tenant }), query = { kind, owner: 'agg', order: orders[0]! }
  for (let skip = 0; skip < count; skip += 100) t.same(ids(await page(query, skip, 100)), all.get(orders[0]!)!.slice(skip, skip + 100))
  t.ok(skips.slice(11).every((s) => s < 10), `skipped ${skips.join()}`)
  const last = all.get(orders[0]!)!.at(-1)!
  await db.stores.documents.remove(tenant, kind, all.get(orders[0]!)![0]!)
  skips.length = 0
  t.equal(ids(await page(query, 1400, 100)).at(-1), last)
  t.same(skips, [1400], 'what was remembered is of another list')
})
