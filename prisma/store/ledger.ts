import type { Ledger } from '#core/port/store/index.js'
import { requireTenant, type Session } from '#prisma/session.js'

const ledgerLock = 72707373

/** One lock for each tenant and all processes. Tenants whose names hash alike wait for each other, no more. */
export const ledger = ({ sql, transactional }: Session): Ledger => ({
  async hold(tenant, of = 'capacity') {
    requireTenant(tenant)
    if (!transactional) throw new Error('a ledger is held inside a unit of work')
    await sql.rows('select pg_advisory_xact_lock($1, hashtext($2))', [ledgerLock, `${of} ${tenant}`])
  },
})
