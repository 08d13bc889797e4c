import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import t from 'tap'
import { isRefusal } from '#core/error.js'
import { silent } from '#core/port/log.js'
import { backup } from '#prisma/archive/backup.js'
import { restore } from '#prisma/archive/restore.js'
import { verifyAudit } from '#prisma/archive/verify-audit.js'
import { verifyPages } from '#prisma/archive/verify.js'
import * as make from '#prisma/store/samples.js'
import { testDatabase } from '#prisma/test-database.js'

const folder = mkdtempSync(join(tmpdir(), 'loadstone-archive-'))
const db = await testDatabase()
t.teardown(async () => { await db.close(); rmSync(folder, { recursive: true, force: true }) })
const { stores, tenant } = db
const file = join(folder, 'a.backup')
const sentence = (work: Promise<unknown>): Promise<string> => work.then(() => 'done', (error: unknown) => (isRefusal(error) ? `${error.kind}: ${error.message}` : String(error)))

await stores.programs.insert({ ...make.program(tenant, 'p'), rules: { text: 'tab\tnew\nline \\ "é"' } })
await stores.servicePoints.insert(make.servicePoint(tenant, 'sp'))
await stores.resources.insert(make.resource(tenant, 'r', 'sp'))
await stores.dispatches.insert(make.dispatch(tenant, 'd', 'p'))
await stores.deliveries.insert(make.delivery(tenant, 'dl', 'd', 'r'))
await stores.documents.insertMany(Array.from({ length: 3000 }, (_, i) => ({ tenant, kind: 'k', id: String(i), parent: '', body: { i, pad: 'x'.repeat(i % 200) } })), 1)
await stores.readings.record(tenant, [0, 1, 0].map((start, i) => ({ servicePoint: 'sp', channel: 'import' as const, start: start * 900, minutes: 15, Wh: i, quality: 'RAW' as const, source: 'ocpp:x' })), 1)
for (let i = 0; i < 5; i++) await stores.audit.append(tenant, '2026-01-01T00:00:00Z', [{ actor: 'u', action: 'a', entity: 'e', reason: String(i), before: '', after: '' }])

t.test('REL-090 a backup taken under load is one moment, and restores to the same rows', async (t) => {
  const writing = { on: true }
  const load = (async () => { for (let i = 0; writing.on; i++) await db.database.unitOfWork.run(async (s) => { await s.documents.insert({ tenant, kind: 'pair', id: `a${i}`, parent: '', body: 1 }, 1); await s.documents.insert({ tenant, kind: 'pair', id: `b${i}`, parent: '', body: 1 }, 1) }) })()
  const made = await backup(db.url, file)
  writing.on = false
  await load
  t.ok(made.rows > 3000)
  t.match(await sentence(backup(db.url, file)), /^conflict: .* exists already/)
  const empty = await testDatabase()
  t.teardown(() => empty.close())
  t.equal((await restore(empty.url, file, silent)).rows, made.rows)
  t.same(await empty.stores.programs.get(tenant, 'p'), await stores.programs.get(tenant, 'p'))
  t.same(await empty.stores.documents.list(tenant, { kind: 'k', limit: 300 }), await stores.documents.list(tenant, { kind: 'k', limit: 300 }))
  t.same(await empty.stores.readings.history(tenant, 'sp', 'import', 0), await stores.readings.history(tenant, 'sp', 'import', 0))
  t.equal(await empty.stores.documents.count(tenant, { kind: 'pair' }) % 2, 0, 'no half of a transaction')
  t.same(await verifyAudit(empty.url, silent), { tenants: 1, records: 5, faults: [] })
  await empty.stores.readings.record(tenant, [{ servicePoint: 'new', channel: 'import', start: 0, minutes: 15, Wh: 9, quality: 'RAW', source: 'ocpp:new' }], 1)
  t.equal((await empty.stores.readings.series(tenant, 'new', 'import', 0, 900))[0]?.Wh, 9, 'numbers go on')
  t.match(await sentence(restore(empty.url, file, silent)), /^conflict: the database is not empty/)
})

t.test('REL-090, REL-093 an encrypted backup shows nothing, wants its key, and no byte of it may change', async (t) => {
  const sealed = join(folder, 'sealed.backup'), secret = 'a long secret of ours', empty = await testDatabase()
  t.teardown(() => empty.close())
  const made = await backup(db.url, sealed, secret)
  const bytes = readFileSync(sealed)
  t.match(bytes.toString('latin1', 0, 24), 'loadstone-backup-sealed')
  for (const word of ['migrations', 'xxxxxxxx', 'audit']) t.notOk(bytes.includes(word), word)
  t.match(await sentence(restore(empty.url, sealed, silent)), /^invalid: .* is encrypted/)
  t.match(await sentence(restore(empty.url, sealed, silent, 'another')), /^invalid: .* the key is not its key/)
  const bad = join(folder, 'sealed-bad.backup')
  for (const at of [30, 60, 90, Math.floor(bytes.length / 2), bytes.length - 3]) {
    const flipped = Buffer.from(bytes)
    flipped.writeUInt8(flipped.readUInt8(at) ^ 1, at)
    writeFileSync(bad, flipped)
    t.match(await sentence(restore(empty.url, bad, silent, secret)), /^invalid/, `byte ${at}`)
  }
  writeFileSync(bad, bytes.subarray(0, bytes.length - 1000))
  t.match(await sentence(restore(empty.url, bad, silent, secret)), /^invalid/)
  t.equal((await restore(empty.url, sealed, silent, secret)).rows, made.rows)
  t.same(await empty.stores.programs.get(tenant, 'p'), await stores.programs.get(tenant, 'p'))
})

t.test('REL-093 a damaged backup is refused, nothing is restored', async (t) => {
  const empty = await testDatabase()
  t.teardown(() => empty.close())
  const whole = readFileSync(file), bad = join(folder, 'bad.backup')
  for (const at of [5, Math.floor(whole.length / 2), whole.length - 3]) {
    const flipped = Buffer.from(whole)
    flipped.writeUInt8(flipped.readUInt8(at) ^ 1, at)
    writeFileSync(bad, flipped)
    t.match(await sentence(restore(empty.url, bad, silent)), /^invalid: .* no whole backup/)
  }
  writeFileSync(bad, whole.subarray(0, whole.length / 2))
  t.match(await sentence(restore(empty.url, bad, silent)), /^invalid/)
  t.match(await sentence(restore(empty.url, join(folder, 'none'), silent)), /^notFound/)
  t.equal(await empty.stores.documents.count(tenant, { kind: 'k' }), 0)
})

t.test('SEC-063 verify finds a changed, a removed and a cut-off audit record, and names it', async (t) => {
  const client = new Client({ connectionString: db.url })
  await client.connect()
  t.teardown(() => client.end())
  t.match(await client.query('update audit set reason = $1 where seq = 3', ['x']).catch((error: Error) => error.message), /append-only/)
  t.match(await client.query('delete from audit').catch((error: Error) => error.message), /append-only/)
  // As somebody who owns the tables would do it.
  await client.query('alter table audit disable trigger all')
  const detail = async (): Promise<string | undefined> => (await verifyAudit(db.url, silent)).faults[0]?.detail
  t.equal(await detail(), undefined)
  await client.query(`update audit set reason = 'forged' where seq = 3`)
  t.match(await detail(), /record 3/)
  await client.query(`update audit set reason = '2' where seq = 3`)
  t.equal(await detail(), undefined)
  await client.query('delete from audit where seq = 5')
  t.match(await detail(), /ends at 4, its head says 5/)
  await client.query('delete from audit where seq = 2')
  t.match(await detail(), /record 3|missing/)
})

t.test('REL-010 verify reads every table and index of a healthy database', async (t) => {
  const found = await verifyPages(db.url, silent)
  t.same(found.faults, [])
  t.ok(found.tables >= 20 && found.rows > 3000)
})
