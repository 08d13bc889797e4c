import { Refusal } from '#core/error.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import type { Clock } from '#core/port/clock.js'
import type { DeliveryTable } from '#core/port/store/index.js'
import { requireTenant, type Session } from '#prisma/session.js'
import { asRecords, stale, table } from '#prisma/store/table.js'

/** An order in one of these states has ended before its time: its resource owes nothing more. */
const endedEarly = ['rejected', 'optedOut', 'cancelled', 'superseded']

const columns = `dispatch = n.dispatch, resource = n.resource, service_point = n.service_point, "order" = n."order", start = n.start, "end" = n."end",
  state = n.state, reason = n.reason, attempts = n.attempts, remote_ref = n.remote_ref, sent_at = n.sent_at, delivered_at = n.delivered_at,
  acknowledged_at = n.acknowledged_at, state_at = n.state_at, modified_at = n.modified_at`

const windowOf = ({ order }: Pick<Delivery, 'order'>): { start: number; end: number } => ({ start: order.start, end: order.end })

export function deliveryTable(session: Session, clock: Clock): DeliveryTable {
  const base = table<Delivery, { dispatch?: string; resource?: string; state?: string }>(session, clock, {
    model: 'delivery', table: 'delivery',
    derived: { fields: ['start', 'end'], of: windowOf },
    where: ({ dispatch, resource, state }) => ({ dispatch, resource, state }),
  })
  const byIds = async (tenant: string, found: { id: string }[]): Promise<Delivery[]> => {
    const deliveries = await base.getMany(tenant, found.map(({ id }) => id))
    return deliveries.sort((a, b) => (a.resource < b.resource ? -1 : a.resource > b.resource ? 1 : a.id < b.id ? -1 : 1))
  }
  return {
    ...base,
    async of(tenant, dispatch) {
      requireTenant(tenant)
      return await byIds(tenant, await session.sql.rows('select id from delivery where tenant = $1 and dispatch = $2', [tenant, dispatch]))
    },
    async promised(tenant, resources, from, to) {
      requireTenant(tenant)
      return await byIds(tenant, await session.sql.rows(
        `select id from delivery where tenant = $1 and resource = any($2) and "end" > $3 and start < $4 and state <> all($5)`,
        [tenant, resources, from, to, endedEarly]))
    },
    async updateMany(deliveries) {
      if (deliveries.length === 0) return []
      for (const { tenant } of deliveries) requireTenant(tenant)
      if (new Set(deliveries.map(({ tenant, id }) => `${tenant} ${id}`)).size !== deliveries.length) throw new Refusal('invalid', 'one delivery was given twice')
      const now = clock.nowMs()
      const entities = deliveries.map((delivery) => ({ ...delivery, modifiedAt: now }))
      return await session.atomically(async ({ sql }) => {
        // Locked in order of id first, so that two batches over the same rows queue instead of deadlocking.
        await sql.rows('select 1 from delivery where (tenant, id) in (select * from unnest($1::text[], $2::text[])) order by tenant, id for no key update',
          [entities.map(({ tenant }) => tenant), entities.map(({ id }) => id)])
        const changed = await sql.count(
          `update delivery d set version = d.version + 1, ${columns} from json_populate_recordset(null::delivery, $1::json) n
           where d.tenant = n.tenant and d.id = n.id and d.version = n.version`, [asRecords(entities, windowOf)])
        if (changed !== entities.length) throw stale('delivery')
        return entities.map((delivery) => ({ ...delivery, version: delivery.version + 1 }))
      })
    },
  }
}
