import type { Availability } from '#core/availability/availability.js'
import type { AvailabilityTable } from '#core/port/store/index.js'
import { requireTenant, type Session } from '#prisma/session.js'

const numbers = ['start', 'end', 'down_W', 'up_W', 'down_P10_W', 'down_P90_W', 'up_P10_W', 'up_P90_W', 'expected_W', 'issuedAt'] as const
const columns = 'start, "end", down_w, up_w, down_p10_w, down_p90_w, up_p10_w, up_p90_w, expected_w, issued_at'

type Row = { resource: string; source: string } & Record<string, number | string | null>

function fromRow(row: Row): Availability {
  const out: Record<string, number | string> = { resource: row.resource, source: row.source }
  for (const field of numbers) {
    const value = row[field.toLowerCase().replace('issuedat', 'issued_at')]
    if (value !== null && value !== undefined) out[field] = value
  }
  return out as unknown as Availability
}

export function availabilityTable(session: Session): AvailabilityTable {
  return {
    async declare(tenant, rows) {
      requireTenant(tenant)
      if (rows.length === 0) return
      const types = numbers.map((_, i) => `$${i + 4}::bigint[]`).join(', ')
      await session.sql.count(`insert into availability (tenant, resource, source, ${columns}) select $1, * from unnest($2::text[], $3::text[], ${types})`,
        [tenant, rows.map((r) => r.resource), rows.map((r) => r.source), ...numbers.map((field) => rows.map((r) => r[field] ?? null))])
    },
    async believed(tenant, resources, from, to, asOf) {
      requireTenant(tenant)
      const found = await session.sql.rows<Row>(
        `select distinct on (resource, start, "end") resource, source, ${columns} from availability
         where tenant = $1 and resource = any($2) and "end" > $3 and start < $4 and issued_at <= $5
         order by resource, start, "end", issued_at desc, seq desc`, [tenant, resources, from, to, asOf])
      return found.map(fromRow)
    },
  }
}
