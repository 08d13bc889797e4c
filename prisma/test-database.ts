import { createHash, randomBytes } from 'node:crypto'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { isRefusal } from '#core/error.js'
import { systemClock, type Clock } from '#core/port/clock.js'
import { silent, type Log } from '#core/port/log.js'
import type { Database, Stores } from '#core/port/store/index.js'
import { openDatabase } from '#prisma/database.js'
import { startEmbedded } from '#prisma/embedded.js'
import { migrate, readMigrations } from '#prisma/migrate.js'

export interface TestDatabase {
  readonly database: Database
  readonly stores: Stores
  readonly tenant: string
  readonly url: string
  /** Closes the pool and drops the database. */
  close(): Promise<void>
}

const templateLock = 72707372

const named = (url: string, database: string): string => {
  const target = new URL(url)
  target.pathname = `/${database}`
  return target.toString()
}

/**
 * The server of all tests of this user: joined when it runs, else started and left running for the next file. LOADSTONE_TEST_DATABASE_URL
 * names another one, which must allow `create database`.
 */
export async function testServer(): Promise<string> {
  const given = process.env['LOADSTONE_TEST_DATABASE_URL']
  if (given) return given
  const dataDir = join(tmpdir(), `loadstone-test-${userInfo().username}`)
  return (await startEmbedded({ dataDir, log: silent, fsync: false, maxConnections: 400 })).url
}

async function asAdmin<T>(server: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: named(server, 'postgres') })
  client.on('error', () => {})
  await client.connect()
  try { return await work(client) } finally { await client.end() }
}

/** A database with all migrations, made once for each set of them; copies of it take 47 ms. */
async function template(server: string): Promise<string> {
  const migrations = readMigrations()
  const name = `loadstone_template_${createHash('sha256').update(migrations.map((m) => m.checksum).join()).digest('hex').slice(0, 12)}`
  await asAdmin(server, async (client) => {
    const made = async (): Promise<boolean> => (await client.query('select 1 from pg_database where datname = $1 and datistemplate', [name])).rowCount === 1
    if (await made()) return
    await client.query('select pg_advisory_lock($1)', [templateLock])
    if (await made()) return
    await client.query(`drop database if exists ${name} with (force)`)
    await client.query(`create database ${name}`)
    await migrate(named(server, name), silent, migrations)
    await client.query(`alter database ${name} with is_template true`)
  })
  return name
}

/** Drops what killed test runs of this machine left behind; another machine's are not ours to judge. */
async function sweep(client: Client): Promise<void> {
  if (process.env['LOADSTONE_TEST_DATABASE_URL']) return
  const { rows } = await client.query<{ name: string }>(`select datname as name from pg_database where datname ~ '^loadstone_test_[0-9]+_'`)
  for (const { name } of rows) if (!alive(Number(name.split('_')[2]))) await client.query(`drop database if exists ${name} with (force)`)
}

const alive = (pid: number): boolean => {
  try { return process.kill(pid, 0) } catch (error) { return (error as NodeJS.ErrnoException).code === 'EPERM' }
}

/** A database of its own for one test file, on the real PostgreSQL (style.md §8). */
export async function testDatabase(options: { clock?: Clock; log?: Log; poolSize?: number } = {}): Promise<TestDatabase> {
  const server = await testServer()
  const from = await template(server)
  const name = `loadstone_test_${process.pid}_${randomBytes(4).toString('hex')}`
  await asAdmin(server, async (client) => {
    await sweep(client)
    await client.query(`create database ${name} template ${from}`)
  })
  const url = named(server, name)
  const database = await openDatabase({ url, log: options.log ?? silent, clock: options.clock ?? systemClock, poolSize: options.poolSize ?? 5 })
  return {
    database, stores: database.stores, tenant: 'test', url,
    async close() {
      await database.close()
      await asAdmin(server, (client) => client.query(`drop database if exists ${name} with (force)`))
    },
  }
}

/** What became of some work: 'done', or the kind of its refusal. */
export const kindOf = (work: Promise<unknown>): Promise<string> => work.then(() => 'done', (error: unknown) => (isRefusal(error) ? error.kind : `not a refusal: ${String(error)}`))
