import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { Refusal } from '#core/error.js'
import type { Log } from '#core/port/log.js'

export interface Migration {
  readonly name: string
  readonly sql: string
  readonly checksum: string
}

/** The folder that holds package.json: tsc copies no SQL, so it is found from there, never from the working directory. */
export function projectRoot(): string {
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    if (existsSync(join(at, 'package.json'))) return at
    if (dirname(at) === at) throw new Refusal('unavailable', 'the folder with package.json was not found')
  }
}

export function readMigrations(folder = join(projectRoot(), 'prisma', 'migrations')): Migration[] {
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort()
  return names.map((name) => {
    const sql = readFileSync(join(folder, name, 'migration.sql'), 'utf8')
    return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
  })
}

/** The table as `prisma migrate deploy` makes it, so that either tool accepts the other's work. */
const ledger = `create table if not exists _prisma_migrations (
  id varchar(36) primary key not null, checksum varchar(64) not null, finished_at timestamptz, migration_name varchar(255) not null,
  logs text, rolled_back_at timestamptz, started_at timestamptz not null default now(), applied_steps_count integer not null default 0)`

/** Prisma's own lock number: one process migrates, the others wait (REL-005). */
const lock = 72707369

/**
 * Brings the schema up to date: each migration with its ledger row in one transaction, so a kill or a failure leaves the
 * old schema usable (REL-005). Returns the names that were applied.
 */
export async function migrate(url: string, log: Log, migrations: readonly Migration[] = readMigrations()): Promise<string[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  client.on('error', (error) => log.warn({ err: error }, 'the migration connection broke'))
  await client.connect().catch((error: unknown) => { throw new Refusal('unavailable', 'the database cannot be reached', { cause: error }) })
  const done: string[] = []
  try {
    await client.query('select pg_advisory_lock($1)', [lock])
    await client.query(ledger)
    const { rows } = await client.query<{ migration_name: string; checksum: string }>('select migration_name, checksum from _prisma_migrations where finished_at is not null and rolled_back_at is null')
    const applied = new Map(rows.map((row) => [row.migration_name, row.checksum]))
    for (const migration of migrations) {
      const before = applied.get(migration.name)
      if (before === migration.checksum) continue
      if (before !== undefined) throw new Refusal('conflict', `migration ${migration.name} was changed after it had been applied to this database`)
      await apply(client, migration)
      log.info({ migration: migration.name }, 'migration applied')
      done.push(migration.name)
    }
    return done
  } finally {
    await client.end().catch(() => {})
  }
}

/** What `migrate` would apply. */
export async function pending(url: string, migrations: readonly Migration[] = readMigrations()): Promise<string[]> {
  const applied = new Set(await appliedTo(url))
  return migrations.map((m) => m.name).filter((name) => !applied.has(name))
}

/** How many migrations a database has seen; 0 = it is empty. */
export const migrationsApplied = async (url: string): Promise<number> => (await appliedTo(url)).length

async function appliedTo(url: string): Promise<string[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  client.on('error', () => {})
  await client.connect().catch((error: unknown) => { throw new Refusal('unavailable', 'the database cannot be reached', { cause: error }) })
  try {
    const { rows: [there] } = await client.query<{ found: boolean }>(`select to_regclass('_prisma_migrations') is not null as found`)
    const { rows } = there?.found ? await client.query<{ migration_name: string }>('select migration_name from _prisma_migrations where finished_at is not null and rolled_back_at is null') : { rows: [] }
    return rows.map((row) => row.migration_name)
  } finally { await client.end().catch(() => {}) }
}

async function apply(client: Client, { name, sql, checksum }: Migration): Promise<void> {
  await client.query('begin')
  try {
    await client.query(sql)
    await client.query('insert into _prisma_migrations (id, checksum, finished_at, migration_name, started_at, applied_steps_count) values ($1, $2, now(), $3, now(), 1)', [randomUUID(), checksum, name])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw new Refusal('unavailable', `migration ${name} failed; the schema is as it was: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}
