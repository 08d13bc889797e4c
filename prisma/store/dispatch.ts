import type { Clock } from '#core/port/clock.js'
import type { DispatchTable } from '#core/port/store/index.js'
import { requireTenant, type Session } from '#prisma/session.js'
import { table } from '#prisma/store/table.js'

export function dispatchTable(session: Session, clock: Clock): DispatchTable {
  const base: Omit<DispatchTable, 'overlapping'> = table(session, clock, {
    model: 'dispatch', table: 'dispatch', nullableJson: ['scope'],
    where: ({ program, state, from, to }: { program?: string; state?: string; from?: number; to?: number }) => ({
      program, state,
      ...(from === undefined ? {} : { end: { gt: from } }),
      ...(to === undefined ? {} : { start: { lt: to } }),
    }),
  })
  return {
    ...base,
    async overlapping(tenant, from, to) {
      requireTenant(tenant)
      const found = await session.sql.rows<{ id: string }>(
        `select id from dispatch where tenant = $1 and "end" > $2 and start < $3 and state not in ('cancelled', 'rejected')`, [tenant, from, to])
      return await base.getMany(tenant, found.map(({ id }) => id))
    },
  }
}
