import { Client } from 'pg'
import t from 'tap'
import { testDatabase } from '#prisma/test-database.js'

const db = await testDatabase()
const client = new Client({ connectionString: db.url })
client.on('error', () => {})
await client.connect()
t.teardown(async () => { await client.end(); await db.close() })
const { documents } = db.stores, { tenant } = db

t.test('OA-101 a read by targets right after many writes looks at a few pages, not at all that was just written', async (t) => {
  const group = (n: number): string => `group-${n}-${'of a long name'.repeat(7)}`
  for (let at = 0; at < 4000; at += 500) {
    await documents.insertMany(Array.from({ length: 500 }, (_, k) => ({ tenant, kind: 'k', id: `d${at + k}`, parent: '', targets: [group(at + k)], body: {} })), at)
  }
  await client.query('analyze document')
  const { rows } = await client.query('explain (analyze, buffers, format json) select id from document where targets && $1::text[]', [[group(7), group(8)]])
  const [{ Plan: plan }] = rows[0]['QUERY PLAN'], pages = plan['Shared Hit Blocks'] + plan['Shared Read Blocks']
  t.ok(pages < 20, `${pages} pages`)
  t.same((await documents.list(tenant, { kind: 'k', withAnyTarget: [group(7), group(8)] })).map((d) => d.id), ['d7', 'd8'])
})

t.test('OA-102 CORE-012 documents of several owners in one question, of one tenant only', async (t) => {
  const rows = (['a', 'b', 'c'] as const).map((owner) => ({ kind: 'owned', id: owner, parent: '', owner, body: {} }))
  await documents.insertMany([...rows, { kind: 'owned', id: 'nobody', parent: '', body: {} }].map((row) => ({ ...row, tenant })), 1)
  await documents.insertMany(rows.map((row) => ({ ...row, tenant: 'other' })), 1)
  const of = async (owners: string[]): Promise<string[]> => (await documents.list(tenant, { kind: 'owned', owners })).map((d) => `${d.tenant} ${d.id}`)
  t.same(await of(['c', 'a', 'x']), ['test a', 'test c'])
  t.same(await of([]), [], 'nobody is not everybody')
})
