import { once } from 'node:events'
import { Client } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { Refusal } from '#core/error.js'
import type { Log } from '#core/port/log.js'
import { checkFrame, FrameReader, magic } from '#prisma/archive/frame.js'
import { quoted, tablesInOrder, type TableShape } from '#prisma/archive/tables.js'
import { toRefusal } from '#prisma/error-map.js'
import { migrate, readMigrations } from '#prisma/migrate.js'

/** Puts a backup into an empty database, in one transaction: all of it or nothing. A damaged file is refused before it begins (REL-093). */
export async function restore(url: string, file: string, log: Log, secret?: string): Promise<{ tables: number; rows: number }> {
  await checkFrame(file, secret)
  const reader = new FrameReader(file, secret)
  try {
    if ((await reader.line()) !== magic) throw new Refusal('invalid', `${file} is no backup of this version`)
    const { migrations } = JSON.parse(await reader.line()) as { migrations: { name: string; checksum: string }[] }
    const known = new Set(readMigrations().map((m) => `${m.name} ${m.checksum}`))
    const newer = migrations.find((m) => !known.has(`${m.name} ${m.checksum}`))
    if (newer) throw new Refusal('conflict', `the backup was made by a newer version (it has migration ${newer.name}); install that one first`)
    await migrate(url, log)
    return await fill(url, reader)
  } finally {
    await reader.close()
  }
}

async function fill(url: string, reader: FrameReader): Promise<{ tables: number; rows: number }> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000, application_name: 'loadstone restore' })
  client.on('error', () => {})
  await client.connect().catch((error: unknown) => { throw toRefusal(error) })
  try {
    await client.query('begin')
    const own = await tablesInOrder(client)
    for (const { table } of own) {
      const { rows } = await client.query(`select 1 from ${quoted(table)} limit 1`)
      if (rows.length > 0) throw new Refusal('conflict', `the database is not empty (${table} has rows); restore into an empty one`)
    }
    let tables = 0
    for (;;) {
      const head = JSON.parse(await reader.line()) as TableShape | { end: true; rows: number }
      if ('end' in head) {
        await continueNumbers(client)
        await client.query('commit')
        return { tables, rows: head.rows }
      }
      if (!own.some(({ table }) => table === head.table)) throw new Refusal('conflict', `the backup has a table ${head.table} that this version does not know`)
      await copyIn(client, head, reader)
      tables += 1
    }
  } catch (error) {
    throw toRefusal(error)
  } finally {
    await client.end().catch(() => {})
  }
}

async function copyIn(client: Client, { table, columns }: TableShape, reader: FrameReader): Promise<void> {
  const stream = client.query(copyFrom(`copy ${quoted(table)} (${columns.map(quoted).join(', ')}) from stdin`))
  const finished = once(stream, 'finish')
  finished.catch(() => {})
  for (let length: number; (length = Number(await reader.line())) > 0;) {
    const piece = await reader.bytes(length)
    if (!stream.write(piece)) await Promise.race([once(stream, 'drain'), finished])
  }
  stream.end()
  await finished
}

/** Counters of numbered tables go on after the highest number that was restored. */
async function continueNumbers(client: Client): Promise<void> {
  const { rows } = await client.query<{ table: string; column: string; sequence: string }>(`
    select table_name as table, column_name as column, pg_get_serial_sequence(quote_ident(table_name), column_name) as sequence
    from information_schema.columns where table_schema = 'public' and column_default like 'nextval(%'`)
  for (const { table, column, sequence } of rows) await client.query(`select setval($1, greatest((select max(${quoted(column)}) from ${quoted(table)}), 1))`, [sequence])
}
