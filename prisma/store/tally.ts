import type { TallyStore } from '#core/port/store/index.js'
import { servedSince } from '#prisma/store/served.js'
import { requireTenant, type Session } from '#prisma/session.js'

/** A counted answer may look at a season of deliveries. */
const patience = { patience_ms: 15_000 }

export function tallyStore({ sql }: Session): TallyStore {
  return {
    async enrolments(tenant, program) {
      requireTenant(tenant)
      const rows = await sql.rows<{ state: string; n: number }>('select state, count(*) as n from enrolment where tenant = $1 and ($2::text is null or program = $2) group by state order by state', [tenant, program ?? null], patience)
      return Object.fromEntries(rows.map((r) => [r.state, r.n]))
    },
    async deliveries(tenant, dispatches) {
      requireTenant(tenant)
      const rows = await sql.rows<{ state: string; n: number; acknowledged: number }>('select state, count(*) as n, count(acknowledged_at) as acknowledged from delivery where tenant = $1 and dispatch = any($2) group by state order by state', [tenant, dispatches], patience)
      const [late] = await sql.rows<{ p50: number | null; p95: number | null; p99: number | null }>(
        `select percentile_disc(0.5) within group (order by ms) as p50, percentile_disc(0.95) within group (order by ms) as p95, percentile_disc(0.99) within group (order by ms) as p99
         from (select delivered_at - created_at as ms from delivery where tenant = $1 and dispatch = any($2) and delivered_at is not null) d`, [tenant, dispatches], patience)
      const lost = new Set(['rejected', 'optedOut', 'noComms'])
      return {
        byState: Object.fromEntries(rows.map((r) => [r.state, r.n])), responded: rows.filter((r) => !lost.has(r.state)).reduce((sum, r) => sum + r.acknowledged, 0),
        latency_ms: { p50: late?.p50 ?? null, p95: late?.p95 ?? null, p99: late?.p99 ?? null },
      }
    },
    async deliveriesOf(tenant, dispatches) {
      requireTenant(tenant)
      const rows = await sql.rows<{ dispatch: string; state: string; n: number }>('select dispatch, state, count(*) as n from delivery where tenant = $1 and dispatch = any($2) group by dispatch, state order by dispatch, state', [tenant, dispatches], patience)
      const out = new Map<string, Record<string, number>>()
      for (const { dispatch, state, n } of rows) out.set(dispatch, { ...out.get(dispatch), [state]: n })
      return out
    },
    async served(tenant, from, to) {
      requireTenant(tenant)
      return await servedSince(sql, tenant, from, to)
    },
    async performances(tenant, dispatches) {
      requireTenant(tenant)
      return await sql.rows<{ dispatch: string; delivered_kWh: number; allocated_kW: number }>(
        `select dispatch, (body ->> 'delivered_kWh')::float8 as "delivered_kWh", (body ->> 'allocated_kW')::float8 as "allocated_kW"
         from (select distinct on (dispatch) dispatch, body from verification_result where tenant = $1 and dispatch = any($2) and kind = 'performance' order by dispatch, id desc) v
         where body ->> 'delivered_kWh' is not null order by dispatch`, [tenant, dispatches], patience)
    },
  }
}
