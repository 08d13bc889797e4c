import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, readSync, rmSync, statSync, writeFileSync, writeSync, closeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import t from 'tap'
import { isRefusal } from '#core/error.js'
import { systemClock } from '#core/port/clock.js'
import { silent } from '#core/port/log.js'
import { verifyPages } from '#prisma/archive/verify.js'
import { openDatabase } from '#prisma/database.js'
import { removeEmbedded, startEmbedded } from '#prisma/embedded.js'
import { migrate, projectRoot, readMigrations } from '#prisma/migrate.js'

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'loadstone-embedded-'))
  t.teardown(async () => { await removeEmbedded(dir); rmSync(dir, { recursive: true, force: true }) })
  return dir
}

/** Another process of ours that starts or joins the database, says so, and stays until it is told to end. */
async function another(dataDir: string): Promise<{ started: boolean; child: ChildProcess; end(): Promise<void> }> {
  const code = `const { startEmbedded } = await import('#prisma/embedded.js'); const { silent } = await import('#core/port/log.js')
    const e = await startEmbedded({ dataDir: process.argv[1], log: silent, fsync: false })
    process.stdout.write(e.started + '\\n'); process.stdin.on('data', async () => { await e.stop(); process.exit(0) })`
  const tsx = process.execArgv.some((a) => a.includes('tsx')) ? ['--conditions=source', '--import=tsx'] : []
  const child = spawn(process.execPath, [...tsx, '--input-type=module', '-e', code, dataDir], { cwd: projectRoot(), stdio: ['pipe', 'pipe', 'inherit'] })
  const said = await new Promise<string>((done, fail) => { child.stdout.once('data', (d) => done(String(d))); child.once('exit', (c) => fail(new Error(`ended with ${c}`))) })
  return { started: said.trim() === 'true', child, end: () => new Promise((done) => { child.once('exit', () => done()); child.stdin.write('end\n') }) }
}

async function ask<R extends object>(url: string, text: string): Promise<R[]> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try { return (await client.query<R>(text)).rows } finally { await client.end() }
}

t.test('launcher: first start, settings, stop, start again with the data kept', async (t) => {
  const dataDir = folder()
  const first = await startEmbedded({ dataDir, log: silent })
  t.ok(first.started)
  const [settings] = await ask<Record<string, string>>(first.url, `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit, current_setting('data_checksums') as checksums, current_setting('listen_addresses') as tcp, current_setting('server_encoding') as encoding`)
  t.same(settings, { fsync: 'on', commit: 'on', checksums: 'on', tcp: '', encoding: 'UTF8' }, 'REL-009, REL-010')
  t.equal(statSync(join(dataDir, 'database')).mode & 0o777, 0o700)
  const socket = new URL(first.url).searchParams.get('host')!
  t.ok(Buffer.byteLength(socket) + 15 < 100)
  t.equal(statSync(socket).mode & 0o777, 0o700)
  await ask(first.url, 'create table kept (n int)')
  await first.stop()
  await t.rejects(ask(first.url, 'select 1'))
  const second = await startEmbedded({ dataDir, log: silent })
  t.same(await ask(second.url, 'select count(*)::int as n from kept'), [{ n: 0 }])
  await second.stop()
})

t.test('REL-009 an acknowledged commit was synced to the log first', async (t) => {
  const server = await startEmbedded({ dataDir: folder(), log: silent })
  t.teardown(() => server.stop())
  await ask(server.url, 'create table ledger (n int)')
  const client = new Client({ connectionString: server.url })
  await client.connect()
  const [version] = (await client.query<{ v: number }>(`select current_setting('server_version_num')::int as v`)).rows
  const syncs = async (): Promise<number> => Number((await ask<{ n: string }>(server.url, version!.v >= 180_000 ? `select sum(fsyncs) as n from pg_stat_io where object = 'wal'` : 'select wal_sync as n from pg_stat_wal'))[0]!.n)
  const before = await syncs()
  for (let i = 0; i < 20; i++) await client.query('insert into ledger values (1)')
  await client.end()
  await new Promise((done) => setTimeout(done, 300))
  t.ok(await syncs() - before >= 20, 'at least one a commit')
})

t.test('root and parents that are 0700: PostgreSQL runs as nobody, data and binaries where it can reach them', { skip: process.getuid?.() !== 0 && 'not root' }, async (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'loadstone-closed-'))
  chmodSync(parent, 0o700)
  const dataDir = join(parent, 'data')
  t.teardown(async () => { await removeEmbedded(dataDir); rmSync(parent, { recursive: true, force: true }) })
  const server = await startEmbedded({ dataDir, log: silent, fsync: false })
  const [row] = await ask<{ dir: string }>(server.url, `select current_setting('data_directory') as dir`)
  t.notOk(row!.dir.startsWith(parent))
  t.equal(statSync(row!.dir).uid, 65534)
  const pid = Number.parseInt(readFileSync(join(row!.dir, 'postmaster.pid'), 'utf8'), 10)
  t.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^Uid:\s+65534\s+65534/m)
  await server.stop()
  await removeEmbedded(dataDir)
  t.notOk(existsSync(row!.dir), '--fresh removes it there too')
})

t.test('a path too long for a socket gets a short one', async (t) => {
  const base = folder(), dataDir = join(base, 'x'.repeat(60), 'y'.repeat(60))
  const open = process.getuid?.() === 0 ? '/var/lib/loadstone' : base
  const long = process.getuid?.() === 0 ? mkdtempSync(join(open, `test-${'z'.repeat(70)}-`)) : dataDir
  if (long !== dataDir) chmodSync(long, 0o755)
  t.teardown(async () => { await removeEmbedded(long); rmSync(long, { recursive: true, force: true }) })
  const server = await startEmbedded({ dataDir: long, log: silent, fsync: false })
  const socket = new URL(server.url).searchParams.get('host')!
  t.notOk(socket.startsWith(long))
  t.ok(Buffer.byteLength(socket) + 15 < 100)
  await server.stop()
})

t.test('REL-008 two processes at once: one starts, the other joins; only the starter stops', async (t) => {
  const dataDir = folder()
  const both = await Promise.all([another(dataDir), another(dataDir)])
  t.same(both.map((b) => b.started).sort(), [false, true])
  const here = await startEmbedded({ dataDir, log: silent, fsync: false })
  t.notOk(here.started)
  await here.stop()
  await both.find((b) => !b.started)!.end()
  t.same(await ask(here.url, 'select 1 as n'), [{ n: 1 }], 'still there when those who joined have gone')
  await both.find((b) => b.started)!.end()
  await t.rejects(ask(here.url, 'select 1'))
})

t.test('REL-008 the server of a killed parent is joined', async (t) => {
  const dataDir = folder()
  const first = await another(dataDir)
  t.ok(first.started)
  first.child.kill('SIGKILL')
  const here = await startEmbedded({ dataDir, log: silent, fsync: false })
  t.notOk(here.started)
  t.same(await ask(here.url, 'select 1 as n'), [{ n: 1 }])
})

t.test('REL-001 a killed server comes back by itself with every acknowledged row', async (t) => {
  const server = await startEmbedded({ dataDir: folder(), log: silent })
  t.teardown(() => server.stop())
  await ask(server.url, 'create table ledger (n int)')
  for (let i = 0; i < 10; i++) await ask(server.url, `insert into ledger values (${i})`)
  const [row] = await ask<{ dir: string }>(server.url, `select current_setting('data_directory') as dir`)
  process.kill(Number.parseInt(readFileSync(join(row!.dir, 'postmaster.pid'), 'utf8'), 10), 'SIGKILL')
  const begun = performance.now()
  let rows: object[] | undefined
  while (!rows && performance.now() - begun < 20_000) {
    rows = await ask(server.url, 'select count(*)::int as n from ledger').catch(() => undefined)
    if (!rows) await new Promise((done) => setTimeout(done, 50))
  }
  t.same(rows, [{ n: 10 }])
})

const debians = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql').filter((v) => Number(v) >= 15 && existsSync(`/usr/lib/postgresql/${v}/bin/initdb`)) : []

t.test('without the npm package Debian\'s PostgreSQL is used, and again for the folder that it wrote', { skip: debians.length === 0 && 'no Debian PostgreSQL here' }, async (t) => {
  const options = { dataDir: folder(), log: silent, fsync: false }, { arch } = process
  Object.defineProperty(process, 'arch', { value: 'none' })
  t.teardown(() => Object.defineProperty(process, 'arch', { value: arch }))
  const first = await startEmbedded(options)
  t.same(await migrate(first.url, silent), readMigrations().map((m) => m.name))
  const version = async (url: string): Promise<unknown> => (await ask<{ v: string }>(url, `select current_setting('server_version') as v`))[0]?.v
  const was = await version(first.url)
  await first.stop()
  Object.defineProperty(process, 'arch', { value: arch })
  const second = await startEmbedded(options)
  t.equal(await version(second.url), was)
  await second.stop()
})

function flip(file: string, at: number, length: number): void {
  const fd = openSync(file, 'r+'), bytes = Buffer.alloc(length)
  readSync(fd, bytes, 0, length, at)
  writeSync(fd, bytes.map((b) => b ^ 0xff), 0, length, at)
  closeSync(fd)
}

t.test('REL-010 a damaged page is an error that names the remedy, never data; verify finds it', async (t) => {
  const dataDir = folder(), options = { dataDir, log: silent, fsync: false }
  let server = await startEmbedded(options)
  await migrate(server.url, silent)
  let db = await openDatabase({ url: server.url, log: silent, clock: systemClock })
  await db.stores.documents.insertMany(Array.from({ length: 500 }, (_, i) => ({ tenant: 'a', kind: 'k', id: String(i), parent: '', body: 'x'.repeat(300) })), 1)
  const [where] = await ask<{ path: string }>(server.url, `select current_setting('data_directory') || '/' || pg_relation_filepath('document') as path`)
  t.same((await verifyPages(server.url, silent)).faults, [])
  await db.close()
  await server.stop()
  flip(where!.path, 8192 + 4000, 64)
  server = await startEmbedded(options)
  t.teardown(() => server.stop())
  db = await openDatabase({ url: server.url, log: silent, clock: systemClock })
  const outcome = await db.stores.documents.list('a', { kind: 'k', order: ['-sort1'] }).then(() => 'data', (error: unknown) => (isRefusal(error) ? error.message : String(error)))
  t.match(outcome, /damaged page.*db restore/)
  t.match((await verifyPages(server.url, silent)).faults.map((f) => f.where), ['document'])
  await db.close()
})

t.test('REL-010 damage that PostgreSQL refuses at start: a sentence with the remedy, and nothing is changed', async (t) => {
  const dataDir = folder(), options = { dataDir, log: silent, fsync: false }
  const server = await startEmbedded(options)
  const [row] = await ask<{ dir: string }>(server.url, `select current_setting('data_directory') as dir`)
  await server.stop()
  const control = join(row!.dir, 'global', 'pg_control')
  flip(control, 20, 16)
  const before = readFileSync(control)
  const refused = async (): Promise<string> => startEmbedded(options).then(async (s) => { await s.stop(); return 'started' }, (error: Error) => error.message)
  const begun = performance.now()
  t.match(await refused(), /refuses the data in .*db restore/s)
  t.ok(performance.now() - begun < 5000)
  t.same(readFileSync(control), before)
  rmSync(join(row!.dir, 'PG_VERSION'))
  t.match(await refused(), /PG_VERSION is missing/, 'never an empty database in its place')
  writeFileSync(join(row!.dir, 'PG_VERSION'), '99\n')
  t.match(await refused(), /written by PostgreSQL 99/)
})
