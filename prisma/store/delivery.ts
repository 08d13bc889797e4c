import { Refusal } from '#core/error.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import type { Clock } from '#core/port/clock.js'
import type { DeliveryTable } from '#core/port/store/index.js'
import { requireTenant, type Session } from '#prisma/session.js'
import { selected, stale, table, type Mapping } from '#prisma/store/table.js'

/** An order in one of these states has ended before its time: its resource owes nothing more. */
const endedEarly = ['rejected', 'optedOut', 'cancelled', 'superseded']

/** What becomes of a delivery; its order never changes (CORE-207), so a whole fleet's states are a small message. */
const tracked = { state: 'text', reason: 'text', attempts: 'int', remoteRef: 'text', sentAt: 'bigint', deliveredAt: 'bigint', acknowledgedAt: 'bigint', stateAt: 'bigint' } as const
const column = (field: string): string => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
const fields = Object.keys(tracked) as (keyof typeof tracked)[]
const states = `update delivery d set version = d.version + 1, modified_at = $4, ${fields.map((f) => `${column(f)} = n.${column(f)}`).join(', ')}
  from unnest($1::text[], $2::text[], $3::int[], ${fields.map((f, i) => `$${i + 5}::${tracked[f]}[]`).join(', ')}) n (tenant, id, version, ${fields.map(column).join(', ')})
  where d.tenant = n.tenant and d.id = n.id and d.version = n.version`

const windowOf = ({ order }: Pick<Delivery, 'order'>): { start: number; end: number } => ({ start: order.start, end: order.end })

export function deliveryTable(session: Session, clock: Clock): DeliveryTable {
  const mapping: Mapping<Delivery, { dispatch?: string; resource?: string; state?: string }> = {
    model: 'delivery', table: 'delivery',
    derived: { fields: ['start', 'end'], of: windowOf },
    where: ({ dispatch, resource, state }) => ({ dispatch, resource, state }),
  }
  const base = table(session, clock, mapping), select = `select ${selected(mapping)} from delivery`
  return {
    ...base,
    async of(tenant, dispatch) {
      requireTenant(tenant)
      return await session.sql.rows<Delivery>(`${select} where tenant = $1 and dispatch = $2 order by resource collate "C", id collate "C"`, [tenant, dispatch])
    },
    async promised(tenant, resources, from, to) {
      requireTenant(tenant)
      return await session.sql.rows<Delivery>(
        `${select} where tenant = $1 and resource = any($2) and "end" > $3 and start < $4 and state <> all($5) order by resource collate "C", id collate "C"`,
        [tenant, resources, from, to, endedEarly])
    },
    async updateMany(deliveries) {
      if (deliveries.length === 0) return []
      for (const { tenant } of deliveries) requireTenant(tenant)
      if (new Set(deliveries.map(({ tenant, id }) => `${tenant} ${id}`)).size !== deliveries.length) throw new Refusal('invalid', 'one delivery was given twice')
      const now = clock.nowMs()
      const entities = deliveries.map((delivery) => ({ ...delivery, modifiedAt: now }))
      return await session.atomically(async ({ sql }) => {
        // Locked in order of id first, so that two batches over the same rows queue instead of deadlocking.
        const ours = [entities.map(({ tenant }) => tenant), entities.map(({ id }) => id)]
        await sql.rows('select count(*) from (select from delivery where (tenant, id) in (select * from unnest($1::text[], $2::text[])) order by tenant, id for no key update) locked', ours)
        const changed = await sql.count(states, [...ours, entities.map(({ version }) => version), now, ...fields.map((f) => entities.map((d) => d[f]))])
        if (changed !== entities.length) throw stale('delivery')
        return entities.map((delivery) => ({ ...delivery, version: delivery.version + 1 }))
      })
    },
  }
}
