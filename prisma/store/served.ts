import type { Served } from '#core/kpi/service-level.js'
import type { Sql } from '#prisma/session.js'

/** Counted answers may look at three days. */
const patience = { patience_ms: 15_000 }
/** Points looked at for the ingest link: a sample is enough for a share, and never a scan of all readings. */
const sample = 200

/**
 * CORE-197 by link, in buckets of five minutes. $1 tenant, $2 from, $3 to (epoch seconds). A thing is counted when its promise falls due.
 * Interpretation (ingest): of the points that reported in the three days before, each interval of theirs is owed; what never came is not served.
 */
const queries = {
  ingest: `with points as (
      select p.number, t.number as tenant from reading_point p join reading_tenant t on t.number = p.tenant
      where t.tenant = $1 and exists (select 1 from reading r where r.tenant = p.tenant and r.point = p.number and r.channel = 0 and r.start >= $2::bigint - 259200 and r.start < $3::bigint) order by p.number limit ${sample}),
    rows as (select r.point, r.start, r.minutes, r.received_at from points p join reading r on r.tenant = p.tenant and r.point = p.number and r.channel = 0
      where r.start >= $2::bigint - 7200 and r.start < $3::bigint),
    step as (select point, min(minutes) as minutes from rows group by point),
    owed as (select s.point, g as start, s.minutes from step s, lateral generate_series((($2::bigint - 1800) / (s.minutes * 60)) * s.minutes * 60, $3::bigint, s.minutes * 60) g
      where g + s.minutes * 60 + 1800 > $2::bigint and g + s.minutes * 60 + 1800 <= $3::bigint)
    select ((o.start + o.minutes * 60 + 1800) / 300) * 300 as at, count(*) as total, count(*) filter (where r.received_at <= (o.start + o.minutes * 60 + 1800) * 1000) as good
    from owed o left join rows r on r.point = o.point and r.start = o.start group by 1`,
  forecast: `select (start / 300) * 300 as at, count(*) as total, count(*) filter (where known <= start * 1000) as good
    from (select resource, start, min(issued_at) as known from availability where tenant = $1 and start > $2::bigint and start <= $3::bigint group by resource, start) a group by 1`,
  bid: `select ((q.due)::bigint / 300) * 300 as at, count(*) as total, count(*) filter (where exists (
      select 1 from document o where o.tenant = $1 and o.kind = 'core/FlexOffer' and o.body ->> 'request' = q.id and o.created_at <= q.due * 1000)) as good
    from (select id, (body ->> 'expiresAt')::float8 as due from document where tenant = $1 and kind = 'core/FlexRequest') q where q.due > $2::bigint and q.due <= $3::bigint group by 1`,
  dispatch: `select (due / 300) * 300 as at, count(*) as total, count(*) filter (where delivered_at is not null and delivered_at <= due * 1000) as good
    from (select delivered_at, greatest(created_at / 1000 + 60, start) as due from delivery where tenant = $1 and created_at > ($2::bigint - 2592000) * 1000 and (attempts > 0 or state not in ('cancelled', 'superseded'))) d
    where due > $2::bigint and due <= $3::bigint group by 1`,
  settle: `select (("end" + 172800) / 300) * 300 as at, count(*) as total, count(*) filter (where exists (
      select 1 from verification_result v where v.tenant = $1 and v.dispatch = d.id and v.created_at <= (d."end" + 172800) * 1000)) as good
    from dispatch d where tenant = $1 and "end" + 172800 > $2::bigint and "end" + 172800 <= $3::bigint and state in ('completed', 'verified', 'settled') group by 1`,
} as const

export async function servedSince(sql: Sql, tenant: string, from: number, to: number): Promise<Served[]> {
  const out: Served[] = []
  for (const link of Object.keys(queries) as (keyof typeof queries)[]) {
    for (const r of await sql.rows<{ at: number; good: number; total: number }>(queries[link], [tenant, from, to], patience)) out.push({ link, at: r.at, good: r.good, total: r.total })
  }
  return out
}
