import { spawn } from 'node:child_process'
import { chownSync, cpSync, lchownSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import t from 'tap'
import { system } from '#core/caller.js'
import { isRefusal } from '#core/error.js'
import { systemClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import { createToken, revokeToken, tokenBook } from '#core/token/token.js'
import { transactions } from '#core/work.js'
import { openDatabase } from '#prisma/database.js'
import { binaries } from '#prisma/embedded/binaries.js'
import { embeddedHome, foreignOwner } from '#prisma/embedded/home.js'
import { removeEmbedded, startEmbedded } from '#prisma/embedded.js'
import { migrate } from '#prisma/migrate.js'

t.setTimeout(240_000)

const owner = foreignOwner()
function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'loadstone-replica-'))
  t.teardown(async () => { await removeEmbedded(dir); rmSync(dir, { recursive: true, force: true }) })
  return dir
}
const give = (path: string): void => {
  if (!owner) return
  lchownSync(path, owner.uid, owner.gid)
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) give(join(path, entry.name))
    else chownSync(join(path, entry.name), owner.uid, owner.gid)
  }
}
async function ask<R extends object>(url: string, text: string): Promise<R[]> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try { return (await client.query<R>(text)).rows } finally { await client.end() }
}
const eventually = async (what: () => Promise<boolean>): Promise<void> => {
  for (const until = performance.now() + 60_000; performance.now() < until; await new Promise((done) => setTimeout(done, 20))) if (await what().catch(() => false)) return
  throw new Error('it did not come to be')
}

t.test('REL-027 a standby that lags by 30 s is never asked: what is revoked on the primary is revoked at once, and 0 decisions come from the copy', async (t) => {
  const a = folder(), b = folder(), ids = randomIds(() => systemClock.nowMs()), home = embeddedHome(b, owner), source = embeddedHome(a, owner)
  const first = await startEmbedded({ dataDir: a, log: silent, fsync: false })
  await migrate(first.url, silent)
  const before = await openDatabase({ url: first.url, log: silent, clock: systemClock, poolSize: 3 })
  const make = (database: typeof before) => transactions(database, { clock: systemClock, ids, log: silent })
  const { token, document } = await make(before)((w) => createToken(w, system('default'), { role: 'operator', user: 'olga' }))
  await before.close()
  await first.stop()
  // the copy follows the primary half a minute behind
  cpSync(source.data, home.data, { recursive: true })
  writeFileSync(join(home.data, 'standby.signal'), '')
  writeFileSync(join(home.data, 'postgresql.auto.conf'), `primary_conninfo = 'host=${source.socketDir} user=app'\nrecovery_min_apply_delay = '30s'\n`)
  give(home.data)
  const primary = await startEmbedded({ dataDir: a, log: silent, fsync: false })
  const standby = spawn(join(binaries(owner, undefined).bin, 'postgres'), ['-D', home.data, '-c', 'listen_addresses=', '-c', `unix_socket_directories=${home.socketDir}`, '-c', 'fsync=off'], { cwd: '/', stdio: 'ignore', ...owner })
  t.teardown(async () => {
    standby.kill('SIGINT')
    await new Promise((done) => (standby.exitCode === null ? standby.once('exit', done) : done(undefined)))
    await primary.stop()
  })
  const url = primary.url.replace(encodeURIComponent(source.socketDir), encodeURIComponent(home.socketDir))
  await eventually(async () => (await ask(url, 'select 1')).length === 1)
  await eventually(async () => (await ask(url, `select 1 from pg_stat_wal_receiver where status = 'streaming'`)).length === 1)

  const real = await openDatabase({ url: primary.url, log: silent, clock: systemClock, poolSize: 3 }), copy = await openDatabase({ url, log: silent, clock: systemClock, poolSize: 3 })
  t.teardown(async () => { await real.close(); await copy.close() })
  const book = tokenBook(real.stores, systemClock), stale = tokenBook(copy.stores, systemClock)
  t.match(await book.callerOf(token), { user: 'olga' })
  await make(real)((w) => revokeToken(w, system('default'), document.id))
  const count = `select count(*)::int as n from document where kind = 'core/Token' and body::json ->> 'revokedAt' is null`
  t.same([await ask(primary.url, count), await ask(url, count)], [[{ n: 0 }], [{ n: 1 }]], 'the copy still believes the token')
  t.equal(await tokenBook(real.stores, systemClock).callerOf(token), undefined, 'revoked')
  let decided = 0
  for (let n = 0; n < 20; n++) {
    const answer = await stale.callerOf(token).catch((error: unknown) => error)
    if (!isRefusal(answer) || answer.kind !== 'unavailable') decided++
  }
  t.equal(decided, 0, 'nobody is let in on what the copy knows')
  t.notOk(await copy.ping(), 'and it is not ready')
  t.equal(await copy.unitOfWork.run((s) => s.programs.get('default', 'x')).catch((e: unknown) => (isRefusal(e) ? e.kind : e)), 'unavailable', 'nor does a transaction begin there')

  // REL-021: what is promoted is a primary, and it knows everything that it had received
  const [{ at } = { at: '' }] = await ask<{ at: string }>(primary.url, 'select pg_current_wal_insert_lsn()::text as at')
  await eventually(async () => (await ask(url, `select 1 where pg_last_wal_receive_lsn() >= '${at}'::pg_lsn`)).length === 1)
  await ask(url, 'select pg_promote(true, 60)')
  await eventually(() => copy.ping())
  t.same(await ask(url, count), [{ n: 0 }])
  t.equal(await stale.callerOf(token), undefined)
})
