import { rm } from 'node:fs/promises'
import { Client } from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { Refusal } from '#core/error.js'
import { frameWriter, magic } from '#prisma/archive/frame.js'
import { quoted, tablesInOrder } from '#prisma/archive/tables.js'
import { toRefusal } from '#prisma/error-map.js'

export interface BackupResult {
  readonly tables: number
  readonly rows: number
  readonly bytes: number
}

/** Everything as one transaction saw it, while the servers go on (REL-090). The file is whole or absent, and encrypted when there is a secret. */
export async function backup(url: string, file: string, secret?: string): Promise<BackupResult> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000, application_name: 'loadstone backup' })
  client.on('error', () => {})
  await client.connect().catch((error: unknown) => { throw toRefusal(error) })
  try {
    const out = await frameWriter(file, secret).catch((error: NodeJS.ErrnoException) => {
      throw new Refusal(error.code === 'EEXIST' ? 'conflict' : 'invalid', error.code === 'EEXIST' ? `${file} exists already` : `${file} cannot be written: ${error.message}`)
    })
    try {
      return await copyAll(client, out)
    } catch (error) {
      await rm(file, { force: true })
      throw toRefusal(error)
    }
  } finally {
    await client.end().catch(() => {})
  }
}

async function copyAll(client: Client, out: Awaited<ReturnType<typeof frameWriter>>): Promise<BackupResult> {
  await client.query('begin isolation level repeatable read read only')
  const { rows: migrations } = await client.query('select migration_name as name, checksum from _prisma_migrations where finished_at is not null and rolled_back_at is null order by 1')
  let bytes = 0, rows = 0
  await out.put(`${magic}\n${JSON.stringify({ migrations })}\n`)
  const tables = await tablesInOrder(client)
  for (const shape of tables) {
    await out.put(`${JSON.stringify(shape)}\n`)
    const stream = client.query(copyTo(`copy ${quoted(shape.table)} (${shape.columns.map(quoted).join(', ')}) to stdout`))
    for await (const piece of stream) {
      await out.put(`${(piece as Buffer).length}\n`)
      await out.put(piece as Buffer)
      bytes += (piece as Buffer).length
    }
    rows += (stream as unknown as { rowCount: number }).rowCount
    await out.put('0\n')
  }
  await out.put(`${JSON.stringify({ end: true, rows })}\n`)
  await client.query('commit')
  await out.close()
  return { tables: tables.length, rows, bytes }
}
