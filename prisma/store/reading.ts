import type { Quality, Reading } from '#core/reading/reading.js'
import type { ReadingStore, SummedValue } from '#core/port/store/reading.js'
import { requireTenant, type Session } from '#prisma/session.js'
import { pageOf, readCursor } from '#prisma/store/cursor.js'
import { channels, qualities } from '#prisma/store/reading-codes.js'
import type { NumberBook } from '#prisma/store/reading-numbers.js'
import { inRounds, recordRound } from '#prisma/store/reading-record.js'

interface Row {
  start: number
  wh: number
  received_at: number
  point: number
  source: number
  minutes: number
  channel: number
  quality: number
  source_version: number
  lineage: string | null
}

const columns = 'start, wh, received_at, point, source, minutes, channel, quality, source_version, lineage'
const longRead = { patience_ms: 15_000 }

/** Net energy of each point and start: $1 tenant, $2 points, $3 from, $4 to, $5 net, $6 usable qualities. */
// Interpretation (CORE-121): with `net`, an interval counts only when all its channels are usable, and a point that has
// an import channel needs its import value there: a missing import is not zero.
const nettedFrom = (source: string): string => `with v as (
    select point, start, sum(case channel when 0 then wh else -wh end)::bigint as wh, bool_or(channel = 0) as imported, bool_and(quality = any($6)) as usable
    from ${source} where tenant = $1 and point = any($2) and start >= $3 and start < $4 and (channel = 0 or $5) group by point, start),
  u as (select point, start, wh from (select *, bool_or(imported) over (partition by point) as imports from v) w where usable and (imported or not imports))`

const netted = nettedFrom('reading')
/** CORE-011: of every interval the newest value that had been received by $7, current or superseded since. */
const nettedAsOf = nettedFrom(`(select distinct on (point, channel, start) * from (
    select tenant, point, channel, start, wh, quality, source_version from reading where tenant = $1 and point = any($2) and start >= $3 and start < $4 and received_at <= $7
    union all select tenant, point, channel, start, wh, quality, source_version from reading_history where tenant = $1 and point = any($2) and start >= $3 and start < $4 and received_at <= $7) known
  order by point, channel, start, source_version desc) r`)

export function readingStore(session: Session, book: NumberBook): ReadingStore {
  const { sql } = session

  async function toReadings(tenant: number, rows: Row[]): Promise<Reading[]> {
    const out: Reading[] = []
    for (const r of rows) {
      out.push({
        servicePoint: await book.pointName(session, tenant, r.point), channel: channels[r.channel]!, start: r.start, minutes: r.minutes, Wh: r.wh,
        quality: qualities[r.quality]!, source: await book.sourceName(session, tenant, r.source), receivedAt: r.received_at, sourceVersion: r.source_version,
        ...(r.lineage === null ? {} : { lineage: r.lineage }),
      })
    }
    return out
  }

  /** The numbers behind a tenant and a point; undefined when nothing was ever recorded for it. */
  async function locate(tenant: string, servicePoint: string): Promise<{ tenant: number; point: number } | undefined> {
    requireTenant(tenant)
    const number = await book.tenant(session, tenant)
    const point = number === undefined ? undefined : (await book.points(session, number, [servicePoint])).get(servicePoint)
    return number === undefined || point === undefined ? undefined : { tenant: number, point }
  }

  async function netValues(tenant: string, servicePoints: readonly string[], from: number, to: number, options: { net: boolean; qualities?: readonly Quality[]; asOf?: number }): Promise<{ tenant: number; values: unknown[] } | undefined> {
    requireTenant(tenant)
    const number = await book.tenant(session, tenant)
    if (number === undefined) return undefined
    const points = await book.points(session, number, servicePoints)
    const usable = (options.qualities ?? qualities).map((q) => qualities.indexOf(q))
    return { tenant: number, values: [number, [...points.values()], from, to, options.net, usable, ...(options.asOf === undefined ? [] : [options.asOf])] }
  }

  return {
    async record(tenant, rows, receivedAt) {
      requireTenant(tenant)
      const total = { accepted: 0, duplicates: 0, corrected: 0 }
      if (rows.length === 0) return total
      const rounds = inRounds(rows)
      const store = async (within: Session): Promise<void> => {
        for (const round of rounds) {
          const { accepted, corrected } = await recordRound(within, book, tenant, round, receivedAt)
          total.accepted += accepted
          total.corrected += corrected
        }
      }
      // One statement is its own transaction; a batch that corrects itself needs several in one.
      if (rounds.length === 1) await store(session)
      else await session.atomically(store)
      return { ...total, duplicates: rows.length - total.accepted - total.corrected }
    },

    async series(tenant, servicePoint, channel, from, to) {
      const at = await locate(tenant, servicePoint)
      if (!at) return []
      const rows = await sql.rows<Row>(`select ${columns} from reading where tenant = $1 and point = $2 and channel = $3 and start >= $4 and start < $5 order by start`,
        [at.tenant, at.point, channels.indexOf(channel), from, to], longRead)
      return await toReadings(at.tenant, rows)
    },

    async list(tenant, where, { limit, cursor }) {
      requireTenant(tenant)
      const number = await book.tenant(session, tenant)
      const after = readCursor(cursor, 3)
      const point = where.servicePoint === undefined ? undefined : (await locate(tenant, where.servicePoint))?.point ?? -1
      if (number === undefined || point === -1) return { items: [], next: null }
      const rows = await sql.rows<Row>(
        `select ${columns} from reading where tenant = $1 and ($2::int is null or point = $2) and ($3::int is null or channel = $3)
         and ($4::bigint is null or start >= $4) and ($5::bigint is null or start < $5) ${after ? 'and (point, channel, start) > ($7, $8, $9)' : ''}
         order by point, channel, start limit $6`,
        [number, point ?? null, where.channel === undefined ? null : channels.indexOf(where.channel), where.from ?? null, where.to ?? null, limit + 1, ...(after ?? [])])
      const page = pageOf(rows, limit, (row) => [row.point, row.channel, row.start])
      return { items: await toReadings(number, [...page.items]), next: page.next }
    },

    async net(tenant, servicePoints, from, to, options) {
      const asked = await netValues(tenant, servicePoints, from, to, options)
      const out = new Map<string, { start: number[]; Wh: number[] }>()
      if (!asked) return out
      // One JSON text per point: a million rows as objects would hold the event loop for a second.
      const rows = await sql.rows<{ point: number; start: number[]; wh: number[] }>(
        `${options.asOf === undefined ? netted : nettedAsOf} select point, array_to_json(array_agg(start order by start)) as start, array_to_json(array_agg(wh order by start)) as wh from u group by point`, asked.values, longRead)
      const byPoint = new Map(rows.map((row) => [row.point, row]))
      for (const [name, point] of await book.points(session, asked.tenant, servicePoints)) {
        const row = byPoint.get(point)
        if (row) out.set(name, { start: row.start, Wh: row.wh })
      }
      return out
    },

    async netSum(tenant, servicePoints, from, to, options) {
      const asked = await netValues(tenant, servicePoints, from, to, options)
      if (!asked) return []
      const rows = await sql.rows<{ start: number; wh: number; points: number }>(`${options.asOf === undefined ? netted : nettedAsOf} select start, sum(wh)::bigint as wh, count(*) as points from u group by start order by start`, asked.values, longRead)
      return rows.map((row): SummedValue => ({ start: row.start, Wh: row.wh, points: row.points }))
    },

    async countBySource(tenant, from, to) {
      requireTenant(tenant)
      const number = await book.tenant(session, tenant)
      if (number === undefined) return {}
      const rows = await sql.rows<{ prefix: string; n: number }>(
        `select split_part(s.source, ':', 1) as prefix, sum(r.n)::bigint as n
         from (select source, count(*) as n from reading where tenant = $1 and start >= $2 and start < $3 group by source) r
         join reading_source s on s.tenant = $1 and s.number = r.source group by 1 order by 1`, [number, from, to], longRead)
      return Object.fromEntries(rows.map((row) => [row.prefix, row.n]))
    },

    async erase(tenant, servicePoint) {
      const at = await locate(tenant, servicePoint)
      if (!at) return 0
      return await session.atomically(async ({ sql: within }) => {
        const gone = await within.count('delete from reading where tenant = $1 and point = $2', [at.tenant, at.point])
        await within.count('delete from reading_history where tenant = $1 and point = $2', [at.tenant, at.point])
        return gone
      })
    },

    async history(tenant, servicePoint, channel, start) {
      const at = await locate(tenant, servicePoint)
      if (!at) return []
      const rows = await sql.rows<Row>(`select ${columns} from reading_history where tenant = $1 and point = $2 and channel = $3 and start = $4 order by source_version`,
        [at.tenant, at.point, channels.indexOf(channel), start])
      return await toReadings(at.tenant, rows)
    },
  }
}
