import { Refusal } from '#core/error.js'
import type { Clock } from '#core/port/clock.js'
import type { DispatchTable } from '#core/port/store/index.js'
import type { Dispatch } from '#core/dispatch/dispatch.js'
import { requireTenant, type Session } from '#prisma/session.js'
import { asRecords, columnsOf, selected, stale, table, type Mapping } from '#prisma/store/table.js'

export function dispatchTable(session: Session, clock: Clock): DispatchTable {
  const mapping: Mapping<Dispatch, Parameters<DispatchTable['list']>[1]> = {
    model: 'dispatch', table: 'dispatch', nullableJson: ['scope'],
    where: ({ program, state, from, to }) => ({ program, state, end: from === undefined ? undefined : { gt: from }, start: to === undefined ? undefined : { lt: to } }),
  }
  const base = table(session, clock, mapping), kept = new Set(['tenant', 'id', 'version', 'created_at'])
  const columns = columnsOf(mapping).filter((c) => !kept.has(c)).map((c) => `"${c}" = n."${c}"`).join(', ')
  return {
    ...base,
    // an allocation names a whole fleet: a megabyte that Prisma would take apart and put together again
    insert: async (draft) => (await base.insertMany([draft]))[0]!,
    async update(dispatch) {
      requireTenant(dispatch.tenant)
      const after = { ...dispatch, modifiedAt: clock.nowMs() }
      const changed = await session.sql.count(`update dispatch d set version = d.version + 1, ${columns} from json_populate_recordset(null::dispatch, $1::json) n
        where d.tenant = n.tenant and d.id = n.id and d.version = n.version`, [asRecords([after])])
      if (changed === 1) return { ...after, version: dispatch.version + 1 }
      throw (await base.get(dispatch.tenant, dispatch.id)) ? stale('dispatch') : new Refusal('notFound', 'there is no such dispatch')
    },
    async overlapping(tenant, from, to) {
      requireTenant(tenant)
      return await session.sql.rows<Dispatch>(
        `select ${selected(mapping)} from dispatch where tenant = $1 and "end" > $2 and start < $3 and state not in ('cancelled', 'rejected') order by id`, [tenant, from, to])
    },
  }
}
