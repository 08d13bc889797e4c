import type { IdempotencyTable } from '#core/port/store/index.js'
import { requireTenant, type Session } from '#prisma/session.js'

export function idempotencyTable({ sql }: Session): IdempotencyTable {
  return {
    async get(tenant, key) {
      requireTenant(tenant)
      const [row] = await sql.rows<{ body_hash: string; status: number; body: unknown }>('select body_hash, status, body from idempotency where tenant = $1 and key = $2', [tenant, key])
      return row && { bodyHash: row.body_hash, status: row.status, body: row.body }
    },
    /** The key is the table's: of two commands at once one commits and the other is refused with `conflict` (CORE-013). */
    async put(tenant, key, bodyHash, status, body, nowMs) {
      requireTenant(tenant)
      await sql.count('insert into idempotency (tenant, key, body_hash, status, body, created_at) values ($1, $2, $3, $4, $5::json, $6)',
        [tenant, key, bodyHash, status, JSON.stringify(body ?? null), nowMs])
    },
  }
}
