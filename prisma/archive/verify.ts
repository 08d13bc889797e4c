import { Client } from 'pg'
import type { Log } from '#core/port/log.js'
import { quoted, tablesInOrder } from '#prisma/archive/tables.js'
import { toRefusal } from '#prisma/error-map.js'

export interface VerifyResult {
  readonly tables: number
  readonly rows: number
  /** How many indexes were compared with their tables; undefined when this PostgreSQL does not let us. */
  readonly indexes?: number
  readonly faults: readonly { readonly where: string; readonly detail: string }[]
}

/** REL-010: reads every page of every table, long values included, from disk where the server lets us; checks every index. */
export async function verifyPages(url: string, log: Log): Promise<VerifyResult> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000, application_name: 'loadstone verify' })
  client.on('error', () => {})
  await client.connect().catch((error: unknown) => { throw toRefusal(error) })
  const faults: { where: string; detail: string }[] = []
  const attempt = async <T>(where: string, work: () => Promise<T>): Promise<T | undefined> => {
    try { return await work() } catch (error) {
      faults.push({ where, detail: error instanceof Error ? error.message : String(error) })
      return undefined
    }
  }
  try {
    await emptyCache(client).catch((error: unknown) => { log.info({ err: error }, 'pages in the server\'s memory are not read from disk again') })
    const tables = await tablesInOrder(client)
    let rows = 0
    for (const { table } of tables) {
      // The text of a row needs all of its values, those stored out of line too.
      const read = await attempt(table, () => client.query<{ n: string }>(`select count(*) as n, sum(length(t::text)) from ${quoted(table)} t`))
      rows += Number(read?.rows[0]?.n ?? 0)
    }
    const indexes = await checkIndexes(client, attempt)
    return { tables: tables.length, rows, ...(indexes === undefined ? {} : { indexes }), faults }
  } finally {
    await client.end().catch(() => {})
  }
}

/** A page in memory hides what happened to it on disk. The extension is gone with the transaction. */
async function emptyCache(client: Client): Promise<void> {
  await client.query('checkpoint')
  await client.query('begin')
  try {
    await client.query('create extension if not exists pg_buffercache')
    await client.query('select count(*) from (select pg_buffercache_evict(bufferid) from pg_buffercache where reldatabase = (select oid from pg_database where datname = current_database())) b')
  } finally { await client.query('rollback') }
}

async function checkIndexes(client: Client, attempt: <T>(where: string, work: () => Promise<T>) => Promise<T | undefined>): Promise<number | undefined> {
  await client.query('begin')
  try {
    const allowed = await client.query('create extension if not exists amcheck').then(() => true, () => false)
    if (!allowed) return undefined
    const { rows } = await client.query<{ name: string }>(`
      select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'public' and a.amname = 'btree' and i.indisvalid`)
    for (const { name } of rows) {
      await client.query('savepoint one')
      await attempt(name, () => client.query('select bt_index_check(quote_ident($1)::regclass)', [name]))
      await client.query('rollback to savepoint one')
    }
    return rows.length
  } finally { await client.query('rollback') }
}
