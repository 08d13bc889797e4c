import { genesis, link } from '#core/audit/chain.js'
import { auditKind, type AuditDetail, type AuditRecord, type AuditStore } from '#core/port/store/audit.js'
import { requireTenant, type Session, type Sql, type Trail } from '#prisma/session.js'
import { pageOf, readCursor } from '#prisma/store/cursor.js'

const columns = ['seq', 'at', 'actor', 'action', 'entity', 'reason', 'before', 'after', 'hash'] as const
const list = columns.map((c) => `"${c}"`).join(', ')

/** The end of a tenant's chain, locked until the transaction ends. */
async function head(sql: Sql, tenant: string): Promise<{ seq: number; hash: string }> {
  const locked = (): Promise<{ seq: number; hash: string }[]> => sql.rows('select seq, hash from audit_chain where tenant = $1 for update', [tenant])
  const [found] = await locked()
  if (found) return found
  await sql.count('insert into audit_chain (tenant, seq, hash) values ($1, 0, $2) on conflict do nothing', [tenant, genesis])
  return (await locked())[0]!
}

/**
 * REL-025: the last thing a unit of work does before COMMIT. Whoever notes something early and works on holds nobody up, and as the chain's
 * row comes after every other one, it is in no deadlock; several tenants' chains go in order of their names.
 */
export async function writeTrail(session: Session): Promise<void> {
  const noted = [...session.trail].sort(([a], [b]) => (a < b ? -1 : 1))
  session.trail.clear()
  for (const [tenant, drafts] of noted) await appendNow(session, tenant, drafts)
}

async function appendNow({ sql, touched }: Session, tenant: string, drafts: NonNullable<ReturnType<Trail['get']>>): Promise<void> {
  let { seq, hash } = await head(sql, tenant)
  const details: { seq: number; before: string | null; after: string | null }[] = []
  const records = drafts.map(({ at, draft: { actor, action, entity, reason, before, after, detail } }): AuditRecord => {
    const record = { seq: ++seq, at, actor, action, entity, reason, before, after }
    if (detail) details.push({ seq, ...detail })
    hash = link(hash, record)
    return { ...record, hash }
  })
  const types = columns.map((c, i) => `$${i + 2}::${c === 'seq' ? 'bigint' : 'text'}[]`).join(', ')
  // Every question asked while the chain is held makes all appenders wait: records and head go in one statement.
  const n = columns.length + 2, kept = details.length === 0 ? '' : `, kept as (insert into audit_detail (tenant, seq, before, after) select $1, * from unnest($${n + 3}::bigint[], $${n + 4}::text[], $${n + 5}::text[]))`
  await sql.count(`with written as (insert into audit (tenant, ${list}) select $1, * from unnest(${types}))${kept}
    update audit_chain set seq = $${n}, hash = $${n + 1} where tenant = $1 and (select pg_notify('loadstone_document', $${n + 2})) is not null`, [tenant, ...columns.map((c) => records.map((r) => r[c])), seq, hash, JSON.stringify([tenant, auditKind]), ...(details.length === 0 ? [] : [details.map((d) => d.seq), details.map((d) => d.before), details.map((d) => d.after)])])
  touched(tenant, auditKind)
}

export function auditStore(session: Session): AuditStore {
  return {
    async append(tenant, at, drafts) {
      requireTenant(tenant)
      if (drafts.length === 0) return
      await session.atomically(async ({ trail }) => {
        trail.set(tenant, [...trail.get(tenant) ?? [], ...drafts.map((draft) => ({ at, draft }))])
      })
    },
    async list(tenant, { entity, actor, action, from, before, after: since, newest = false }, { limit, cursor }) {
      requireTenant(tenant)
      const beyond = readCursor(cursor, 1)?.[0] ?? since ?? (newest ? Number.MAX_SAFE_INTEGER : 0)
      const found = await session.sql.rows<AuditRecord>(
        `select ${list} from audit where tenant = $1 and seq ${newest ? '<' : '>'} $2 and ($3::text is null or entity = $3) and ($4::text is null or at >= $4) and ($5::text is null or actor = $5) and ($6::text is null or action = $6) and ($7::text is null or at < $7) order by seq ${newest ? 'desc' : 'asc'} limit $8`,
        [tenant, beyond, entity ?? null, from ?? null, actor ?? null, action ?? null, before ?? null, limit + 1])
      return pageOf(found, limit, (record) => [record.seq])
    },
    async details(tenant, seqs) {
      requireTenant(tenant)
      const found = await session.sql.rows<AuditDetail & { seq: number }>('select seq, before, after from audit_detail where tenant = $1 and seq = any($2::bigint[])', [tenant, seqs])
      return new Map(found.map(({ seq, before, after }) => [seq, { before, after }]))
    },
    async get(tenant, seq) {
      requireTenant(tenant)
      const [found] = await session.sql.rows<AuditRecord>(`select ${list} from audit where tenant = $1 and seq = $2`, [tenant, seq])
      return found
    },
    async forget(tenant, entities) {
      requireTenant(tenant)
      // what this unit of work noted itself is to be forgotten too
      await writeTrail(session)
      return session.sql.count('delete from audit_detail d using audit a where d.tenant = $1 and a.tenant = $1 and a.seq = d.seq and a.entity = any($2::text[])', [tenant, entities])
    },
    async count(tenant) {
      requireTenant(tenant)
      const [row] = await session.sql.rows<{ n: number }>('select count(*) as n from audit where tenant = $1', [tenant], { patience_ms: 15_000 })
      return row!.n
    },
    async head(tenant) {
      requireTenant(tenant)
      const [found] = await session.sql.rows<{ seq: number; hash: string }>('select seq, hash from audit_chain where tenant = $1', [tenant])
      return found ?? { seq: 0, hash: genesis }
    },
    async walk(tenant, batch) {
      requireTenant(tenant)
      for (let after = 0; ;) {
        const records = await session.sql.rows<AuditRecord>(`select ${list} from audit where tenant = $1 and seq > $2 order by seq limit 1000`, [tenant, after])
        const last = records.at(-1)
        if (!last) return
        batch(records)
        after = last.seq
      }
    },
  }
}
