import type { ReadingInput } from '#core/reading/reading.js'
import type { Session } from '#prisma/session.js'
import type { NumberBook } from '#prisma/store/reading-numbers.js'
import { channels, qualities } from '#prisma/store/reading-codes.js'

/**
 * CORE-115 in one statement: a new interval is inserted; another value for a known one supersedes it, and the table's trigger keeps
 * the old; the same value changes nothing. Keys go in sorted, so two batches over the same intervals queue instead of deadlocking.
 */
// Interpretation: energy, length and a quality other than RAW are the value. The same energy sent again as RAW says nothing new about
// an interval that was validated meanwhile, from whatever source it comes.
const statement = `with stored as (
  insert into reading (tenant, received_at, point, channel, start, minutes, wh, quality, source, lineage, source_version)
  select $1, $2, r.*, 1 from unnest($3::int[], $4::smallint[], $5::bigint[], $6::int[], $7::bigint[], $8::smallint[], $9::int[], $10::text[])
    as r (point, channel, start, minutes, wh, quality, source, lineage) order by r.point, r.channel, r.start
  on conflict (tenant, point, channel, start) do update set received_at = excluded.received_at, minutes = excluded.minutes, wh = excluded.wh,
    quality = excluded.quality, source = excluded.source, lineage = excluded.lineage, source_version = reading.source_version + 1
  where reading.wh <> excluded.wh or reading.minutes <> excluded.minutes or (excluded.quality <> 0 and excluded.quality <> reading.quality)
  returning source_version)
select count(*) filter (where source_version = 1) as accepted, count(*) filter (where source_version > 1) as corrected from stored`

/** An array of numbers as PostgreSQL writes it: the driver's own way, quoting each, takes as long as the insert. */
const numbers = (values: readonly number[]): string => `{${values.join(',')}}`

export async function recordRound(session: Session, book: NumberBook, tenantName: string, rows: readonly ReadingInput[], receivedAt: number): Promise<{ accepted: number; corrected: number }> {
  const tenant = await book.tenantOrNew(session, tenantName)
  const points = await book.pointsOrNew(session, tenant, rows.map((r) => r.servicePoint))
  const sources = await book.sourcesOrNew(session, tenant, rows.map((r) => r.source))
  const lineage = rows.some((r) => r.lineage !== undefined) ? rows.map((r) => r.lineage ?? null) : []
  const [counts] = await session.sql.rows<{ accepted: number; corrected: number }>(statement, [
    tenant, receivedAt, numbers(rows.map((r) => points.get(r.servicePoint)!)), numbers(rows.map((r) => channels.indexOf(r.channel))), numbers(rows.map((r) => r.start)),
    numbers(rows.map((r) => r.minutes)), numbers(rows.map((r) => r.Wh)), numbers(rows.map((r) => qualities.indexOf(r.quality))),
    numbers(rows.map((r) => sources.get(r.source)!)), lineage,
  ])
  return counts!
}

/** A batch may name one interval twice: each next mention goes into the next round, so that the later one corrects the earlier. */
export function inRounds(rows: readonly ReadingInput[]): ReadingInput[][] {
  const mentions = new Map<string, number>(), rounds: ReadingInput[][] = []
  for (const row of rows) {
    const key = `${row.servicePoint} ${row.channel} ${row.start}`
    const round = mentions.get(key) ?? 0
    mentions.set(key, round + 1)
    ;(rounds[round] ??= []).push(row)
  }
  return rounds
}
