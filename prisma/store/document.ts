import { Refusal } from '#core/error.js'
import type { Document, DocumentQuery, DocumentStore, NewDocument } from '#core/port/store/document.js'
import type { Changes } from '#prisma/changes.js'
import { requireTenant, type Session } from '#prisma/session.js'
import { conditions, ordering } from '#prisma/store/document-query.js'
import { stale } from '#prisma/store/table.js'

interface Row {
  tenant: string
  kind: string
  id: string
  parent: string
  key: string | null
  targets: string[]
  owner: string | null
  sort1: number
  sort2: number
  version: number
  created_at: number
  modified_at: number
  body: unknown
}

const fromRow = <B>({ created_at, modified_at, ...row }: Row): Document<B> => ({ ...row, createdAt: created_at, modifiedAt: modified_at }) as Document<B>

const fields = ['tenant', 'kind', 'id', 'parent', 'key', 'targets', 'owner', 'sort1', 'sort2', 'version', 'created_at', 'modified_at', 'body'] as const
const list = fields.join(', ')
const typed = 'tenant text, kind text, id text, parent text, key text, targets text[], owner text, sort1 float8, sort2 float8, version int, created_at bigint, modified_at bigint'

/** Batches travel as one JSON text of rows: `targets` differ in length, which arrays of arrays may not. */
const record = (d: NewDocument, nowMs: number): object => ({
  tenant: d.tenant, kind: d.kind, id: d.id, parent: d.parent, key: d.key ?? null, targets: d.targets ?? [], owner: d.owner ?? null,
  sort1: d.sort1 ?? 0, sort2: d.sort2 ?? 0, version: 1, created_at: nowMs, modified_at: nowMs,
})

const place = (d: NewDocument): string => [d.tenant, d.kind, d.parent, d.key ?? '', d.id].join('\u0001')

const onConflict = {
  fail: '',
  skip: 'on conflict do nothing',
  replace: `on conflict (tenant, kind, id) do update set parent = excluded.parent, key = excluded.key, targets = excluded.targets, owner = excluded.owner,
    sort1 = excluded.sort1, sort2 = excluded.sort2, version = document.version + 1, modified_at = excluded.modified_at, body = excluded.body`,
}

export function documentStore(session: Session, changes: Changes): DocumentStore {
  const { sql } = session

  const insertMany: DocumentStore['insertMany'] = async <B>(documents: readonly NewDocument<B>[], nowMs: number, options: { onConflict?: keyof typeof onConflict; quiet?: boolean } = {}) => {
    if (documents.length === 0) return []
    for (const { tenant } of documents) requireTenant(tenant)
    // In order of place, so that two batches with the same keys queue instead of deadlocking.
    const sorted = documents.map((d) => ({ d, at: place(d) })).sort((a, b) => (a.at < b.at ? -1 : 1)).map(({ d }) => d)
    // Bodies go beside the records, so that their text stays as written: one a line, as JSON text has no line feed of its own. As elements of
    // an array each of their quotes would be escaped here and unescaped there, which cost more than the rest of the statement.
    const rows = await sql.rows<Row>(
      `insert into document (${list}) select ${fields.slice(0, -1).join(', ')}, body::json
       from rows from (json_to_recordset($1::json) as (${typed}), unnest(string_to_array($2, E'\\n'))) as r (${list})
       ${onConflict[options.onConflict ?? 'fail']} ${options.quiet ? '' : `returning ${list}`}`,
      [JSON.stringify(sorted.map((d) => record(d, nowMs))), sorted.map((d) => JSON.stringify(d.body ?? null)).join('\n')])
    for (const row of options.quiet ? documents : rows) session.touched(row.tenant, row.kind)
    if (options.quiet) return []
    const order = new Map(documents.map((d, i) => [`${d.tenant}\u0001${d.kind}\u0001${d.id}`, i]))
    const at = (d: Row): number => order.get(`${d.tenant}\u0001${d.kind}\u0001${d.id}`) ?? 0
    return rows.sort((a, b) => at(a) - at(b)).map((row) => fromRow<B>(row))
  }

  return {
    async get<B>(tenant: string, kind: string, id: string) {
      requireTenant(tenant)
      const [row] = await sql.rows<Row>(`select ${list} from document where tenant = $1 and kind = $2 and id = $3`, [tenant, kind, id])
      return row && fromRow<B>(row)
    },
    async byKey<B>(tenant: string, kind: string, parent: string, key: string) {
      requireTenant(tenant)
      const [row] = await sql.rows<Row>(`select ${list} from document where tenant = $1 and kind = $2 and parent = $3 and key = $4`, [tenant, kind, parent, key])
      return row && fromRow<B>(row)
    },
    async list<B>(tenant: string, query: DocumentQuery) {
      requireTenant(tenant)
      const { text, values } = conditions(tenant, query)
      const limit = query.limit === undefined ? '' : `limit $${values.push(query.limit)}`
      const skip = query.skip ? `offset $${values.push(query.skip)}` : ''
      const rows = await sql.rows<Row>(`select ${list} from document where ${text} order by ${ordering(query)} ${limit} ${skip}`, values)
      return rows.map((row) => fromRow<B>(row))
    },
    async count(tenant, query) {
      requireTenant(tenant)
      const { text, values } = conditions(tenant, query)
      const [row] = await sql.rows<{ n: number }>(`select count(*) as n from document where ${text}`, values)
      return row!.n
    },
    async targetsOf(tenant, query) {
      requireTenant(tenant)
      const { text, values } = conditions(tenant, query)
      const rows = await sql.rows<{ target: string }>(`select distinct unnest(targets) as target from document where ${text}`, values)
      return rows.map((r) => r.target)
    },
    async insert<B>(document: NewDocument<B>, nowMs: number) {
      const [stored] = await insertMany<B>([document], nowMs)
      return stored!
    },
    insertMany,
    async replace<B>(d: NewDocument<B>, nowMs: number, ifVersion?: number) {
      requireTenant(d.tenant)
      const [row] = await sql.rows<Row>(
        `update document set parent = $4, key = $5, targets = $6, owner = $7, sort1 = $8, sort2 = $9, body = $10::json, modified_at = $11, version = version + 1
         where tenant = $1 and kind = $2 and id = $3 and ($12::int is null or version = $12) returning ${list}`,
        [d.tenant, d.kind, d.id, d.parent, d.key ?? null, d.targets ?? [], d.owner ?? null, d.sort1 ?? 0, d.sort2 ?? 0, JSON.stringify(d.body ?? null), nowMs, ifVersion ?? null])
      if (row) {
        session.touched(d.tenant, d.kind)
        return fromRow<B>(row)
      }
      const there = await sql.rows('select 1 from document where tenant = $1 and kind = $2 and id = $3', [d.tenant, d.kind, d.id])
      throw there.length > 0 ? stale('object') : new Refusal('notFound', 'there is no such object')
    },
    async remove(tenant, kind, id) {
      requireTenant(tenant)
      const removed = await sql.count('delete from document where tenant = $1 and kind = $2 and id = $3', [tenant, kind, id])
      if (removed > 0) session.touched(tenant, kind)
      return removed > 0
    },
    async removeAll(tenant, kind, parent) {
      requireTenant(tenant)
      const removed = await sql.count('delete from document where tenant = $1 and kind = $2 and parent = $3', [tenant, kind, parent])
      if (removed > 0) session.touched(tenant, kind)
      return removed
    },
    revision: (tenant, kind) => changes.revision(tenant, kind),
    onChange: (listener) => changes.onDocuments(listener),
  }
}
