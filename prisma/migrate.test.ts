import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Client } from 'pg'
import t from 'tap'
import { systemClock } from '#core/port/clock.js'
import { silent } from '#core/port/log.js'
import { backup } from '#prisma/archive/backup.js'
import { restore } from '#prisma/archive/restore.js'
import { openDatabase } from '#prisma/database.js'
import { drift } from '#prisma/drift.js'
import { migrate, pending, readMigrations, type Migration } from '#prisma/migrate.js'
import { testServer } from '#prisma/test-database.js'

const migrations = readMigrations()
let count = 0

/** An empty database. */
async function empty(t: Tap): Promise<string> {
  const url = new URL(await testServer()), name = `loadstone_migrate_${process.pid}_${++count}`
  const admin = new URL(url)
  admin.pathname = '/postgres'
  await ask(admin.toString(), `create database ${name}`)
  t.teardown(() => ask(admin.toString(), `drop database ${name} with (force)`))
  url.pathname = `/${name}`
  return url.toString()
}
type Tap = Pick<typeof t, 'teardown'>

async function ask(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try { return (await client.query(text)).rows as Record<string, unknown>[] } finally { await client.end() }
}

const extra = (name: string, sql: string): Migration => ({ name, sql, checksum: `sum-of-${name}` })

t.test('REL-005 the migrations make exactly what schema.prisma describes', async (t) => {
  t.equal(await drift(migrations.map((m) => m.sql)), '')
  t.not(await drift([...migrations.map((m) => m.sql), 'alter table program drop column currency']), '', 'and a difference would show')
})

t.test('REL-005 many at once on an old schema: applied once, the others wait', async (t) => {
  const url = await empty(t)
  t.same(await pending(url), migrations.map((m) => m.name))
  const done = await Promise.all(Array.from({ length: 8 }, () => migrate(url, silent)))
  t.equal(done.filter((names) => names.length > 0).length, 1)
  t.same(await pending(url), [])
  t.equal((await ask(url, 'select * from _prisma_migrations')).length, migrations.length)
})

t.test('REL-005 a failed migration leaves the old schema usable, and a second run goes on', async (t) => {
  const url = await empty(t)
  await migrate(url, silent)
  const bad = extra('0002_bad', 'create table half (n int); insert into half values (1); select 1/0;')
  await t.rejects(migrate(url, silent, [...migrations, bad]), /0002_bad failed; the schema is as it was/)
  t.same(await ask(url, `select to_regclass('half') as found`), [{ found: null }])
  t.same(await migrate(url, silent, [...migrations, extra('0002_good', 'create table whole (n int)')]), ['0002_good'])
})

t.test('REL-005 killed in the middle: the re-run succeeds', async (t) => {
  const url = await empty(t)
  await migrate(url, silent)
  const slow = extra('0002_slow', 'create table slow (n int); select pg_sleep(30);')
  const running = migrate(url, silent, [...migrations, slow]).then(() => 'done', () => 'killed')
  for (let n = 0; n < 200; n++) {
    const rows = await ask(url, `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like '%pg_sleep(30)%' and pid <> pg_backend_pid()`)
    if (rows.length > 0) break
    await new Promise((done) => setTimeout(done, 25))
  }
  t.equal(await running, 'killed')
  t.same(await ask(url, `select to_regclass('slow') as found`), [{ found: null }])
  t.same(await migrate(url, silent, [...migrations, extra('0002_slow', 'create table slow (n int)')]), ['0002_slow'])
})

t.test('REL-005 a migration that was changed after it had been applied stops with its name', async (t) => {
  const url = await empty(t)
  await migrate(url, silent)
  await t.rejects(migrate(url, silent, migrations.map((m) => ({ ...m, checksum: 'other' }))), { kind: 'conflict', message: /0001_init/ })
})

t.test('REL-092 what an older version stored opens in this one, in place and out of its backup; a failed step can be left', async (t) => {
  for (const upTo of [1, Math.max(1, migrations.length - 1)]) {
    const old = await empty(t), older = migrations.slice(0, upTo), file = join(mkdtempSync(join(tmpdir(), 'loadstone-older-')), 'older.backup')
    t.teardown(() => rmSync(dirname(file), { recursive: true, force: true }))
    await migrate(old, silent, older)
    await ask(old, `insert into document (tenant, kind, id, parent, key, sort1, sort2, version, created_at, modified_at, body) select 't', 'k', n::text, '', n::text, n, 0, 1, 5, 5, '{"n":1}' from generate_series(1, 50) n`)
    await backup(old, file)
    const fresh = await empty(t)
    await restore(fresh, file, silent)
    t.same(await migrate(old, silent), migrations.slice(upTo).map((m) => m.name), `from migration ${upTo}`)
    for (const url of [old, fresh]) {
      const database = await openDatabase({ url, log: silent, clock: systemClock, poolSize: 2 })
      const rows = await database.stores.documents.list<{ n: number }>('t', { kind: 'k', limit: 100 })
      t.equal(rows.length, 50)
      t.match(rows[0], { version: 1, body: { n: 1 } })
      await database.close()
    }
    // one step back: the older version takes the backup that was made before the upgrade
    t.same(await pending(old, older), [])
  }
  const newer = await empty(t), file = join(tmpdir(), `loadstone-newer-${process.pid}.backup`)
  t.teardown(() => rmSync(file, { force: true }))
  await migrate(newer, silent, [...migrations, extra('9999_future', 'create table future (n int)')])
  await backup(newer, file)
  await t.rejects(restore(await empty(t), file, silent), /newer version/, 'data of a newer version is refused, not mangled')
})
