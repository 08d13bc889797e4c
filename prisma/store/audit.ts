import { genesis, link } from '#core/audit/chain.js'
import { auditKind, type AuditRecord, type AuditStore } from '#core/port/store/audit.js'
import { requireTenant, type Session, type Sql } from '#prisma/session.js'
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

export function auditStore(session: Session): AuditStore {
  return {
    async append(tenant, at, drafts) {
      requireTenant(tenant)
      if (drafts.length === 0) return
      await session.atomically(async ({ sql, touched }) => {
        let { seq, hash } = await head(sql, tenant)
        const records = drafts.map(({ actor, action, entity, reason, before, after }): AuditRecord => {
          const record = { seq: ++seq, at, actor, action, entity, reason, before, after }
          hash = link(hash, record)
          return { ...record, hash }
        })
        const types = columns.map((c, i) => `$${i + 2}::${c === 'seq' ? 'bigint' : 'text'}[]`).join(', ')
        // Every question asked while the chain is held makes all appenders wait: records and head go in one statement.
        await sql.count(`with written as (insert into audit (tenant, ${list}) select $1, * from unnest(${types}))
          update audit_chain set seq = $${columns.length + 2}, hash = $${columns.length + 3} where tenant = $1 and (select pg_notify('loadstone_document', $${columns.length + 4})) is not null`, [tenant, ...columns.map((c) => records.map((r) => r[c])), seq, hash, JSON.stringify([tenant, auditKind])])
        touched(tenant, auditKind)
      })
    },
    async list(tenant, { entity, from, after: since }, { limit, cursor }) {
      requireTenant(tenant)
      const after = readCursor(cursor, 1)?.[0] ?? since ?? 0
      const found = await session.sql.rows<AuditRecord>(
        `select ${list} from audit where tenant = $1 and seq > $2 and ($3::text is null or entity = $3) and ($4::text is null or at >= $4) order by seq limit $5`,
        [tenant, after, entity ?? null, from ?? null, limit + 1])
      return pageOf(found, limit, (record) => [record.seq])
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
