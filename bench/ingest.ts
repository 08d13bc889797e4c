import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Pool } from 'pg'
import { rounded, type Emit } from '#bench/figure.js'
import { systemClock } from '#core/port/clock.js'
import { silent } from '#core/port/log.js'
import type { ReadingInput } from '#core/reading/reading.js'
import { openDatabase } from '#prisma/database.js'
import { removeEmbedded, startEmbedded } from '#prisma/embedded.js'
import { migrate } from '#prisma/migrate.js'

const batch = 1000, batches = 200, lanes = 4, points = 500

/** Readings through `ReadingStore.record`, acknowledged after a synced commit, against a bare `unnest` insert of the same rows. */
export default async function ingest(emit: Emit): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'loadstone-bench-'))
  const server = await startEmbedded({ dataDir, log: silent })
  await migrate(server.url, silent)
  const database = await openDatabase({ url: server.url, log: silent, clock: systemClock })
  const pool = new Pool({ connectionString: server.url, max: lanes })
  pool.on('error', () => {})
  try {
    await pool.query('create table bare (tenant smallint, point int, channel smallint, start bigint, minutes int, wh bigint, quality smallint, source int, received_at bigint, primary key (tenant, point, channel, start))')
    const rows = Array.from({ length: batches }, (_, n) => batchOf(n))
    await database.stores.readings.record('warm', batchOf(0), 1)
    const baseline = await perSecond(rows, (some) => bare(pool, some))
    const loop = monitorEventLoopDelay({ resolution: 1 })
    loop.enable()
    const value = await perSecond(rows, (some) => database.stores.readings.record('bench', some, 1))
    loop.disable()
    emit({ name: 'readings ingest', value: rounded(value), unit: 'readings/s', n: batch * batches, baseline: rounded(baseline), ratio: rounded(value / baseline) })
    emit({ name: 'readings ingest event loop p99', value: rounded(loop.percentile(99) / 1e6), unit: 'ms', n: loop.count })
    const { rows: [disk] } = await pool.query<{ bytes: string; readings: string }>(`select (select sum(pg_total_relation_size(oid)) from pg_class where relkind = 'r' and relname ~ '^reading(_|$)') as bytes, (select count(*) from reading) as readings`)
    emit({ name: 'reading on disk', value: rounded(Number(disk!.bytes) / Number(disk!.readings)), unit: 'bytes', n: Number(disk!.readings) })
    const again = await perSecond(rows, (some) => database.stores.readings.record('bench', some, 2))
    emit({ name: 'readings ingest repeated', value: rounded(again), unit: 'readings/s', n: batch * batches })
  } finally {
    await pool.end()
    await database.close()
    await server.stop()
    await removeEmbedded(dataDir)
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** Every point of a slice for a few intervals, as a day's upload of many meters looks. */
function batchOf(n: number): ReadingInput[] {
  return Array.from({ length: batch }, (_, i) => ({
    servicePoint: `point-${(n * 7 + i) % points}`, channel: 'import', start: 1_700_000_000 + 900 * (n * 2 + Math.floor(i / points)), minutes: 15, Wh: (n * 31 + i) % 5000,
    quality: 'RAW', source: `openadr:ven-${(n * 7 + i) % points}`,
  }))
}

async function perSecond(work: readonly ReadingInput[][], store: (rows: readonly ReadingInput[]) => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  let next = 0
  await Promise.all(Array.from({ length: lanes }, async () => { while (next < work.length) await store(work[next++]!) }))
  return (work.length * batch) / ((performance.now() - begun) / 1000)
}

const bare = (pool: Pool, rows: readonly ReadingInput[]): Promise<unknown> => pool.query(
  'insert into bare select * from unnest($1::smallint[], $2::int[], $3::smallint[], $4::bigint[], $5::int[], $6::bigint[], $7::smallint[], $8::int[], $9::bigint[])',
  [rows.map(() => 1), rows.map((r) => Number(r.servicePoint.slice(6))), rows.map(() => 0), rows.map((r) => r.start), rows.map((r) => r.minutes), rows.map((r) => r.Wh), rows.map(() => 0), rows.map(() => 1), rows.map(() => 1)])
