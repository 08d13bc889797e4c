import net from 'node:net'
import * as make from '#prisma/store/samples.js'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import t from 'tap'
import { systemClock } from '#core/port/clock.js'
import { silent } from '#core/port/log.js'
import type { Stores } from '#core/port/store/index.js'
import { openDatabase } from '#prisma/database.js'
import { removeEmbedded, startEmbedded } from '#prisma/embedded.js'
import { migrate } from '#prisma/migrate.js'
import { kindOf, testDatabase } from '#prisma/test-database.js'

const db = await testDatabase({ poolSize: 8 })
t.teardown(() => db.close())
const { stores, tenant, database } = db

async function admin(text: string, url = db.url): Promise<void> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try { await client.query(text) } finally { await client.end() }
}

const killOthers = `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and application_name = 'loadstone'`

/** A TCP link to the database that can be silenced (packets dropped, no RST) or cut when a COMMIT has gone through. */
async function link(): Promise<{ url: string; silence(on: boolean): void; cutAfterCommit(on: boolean): void; close(): void }> {
  const target = new URL(db.url), { hostname, port } = target, socket = target.searchParams.get('host')
  const upstream = (): net.Socket => (socket?.startsWith('/') ? net.connect(`${socket}/.s.PGSQL.5432`) : net.connect(Number(port || 5432), hostname))
  let dropping = false, cutting = false
  const open = new Set<net.Socket>()
  const server = net.createServer((near) => {
    const far = upstream()
    let cut = false
    for (const s of [near, far]) { open.add(s); s.on('error', () => {}).on('close', () => { near.destroy(); far.destroy(); open.delete(s) }) }
    near.on('data', (bytes) => {
      if (dropping) return
      if (cutting && bytes.includes('commit')) cut = true
      far.write(bytes)
    })
    far.on('data', (bytes) => {
      if (cut) near.destroy()
      else if (!dropping) near.write(bytes)
    })
  })
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
  target.searchParams.delete('host')
  target.hostname = '127.0.0.1'
  target.port = String((server.address() as net.AddressInfo).port)
  return {
    url: target.toString(), silence: (on) => { dropping = on }, cutAfterCommit: (on) => { cutting = on },
    close: () => { server.close(); for (const s of open) s.destroy() },
  }
}

t.test('CORE-015 a unit of work is kept whole or not at all, Prisma and raw SQL in one transaction', async (t) => {
  const point = make.servicePoint(tenant, 'uow')
  const both = async (s: Stores): Promise<void> => {
    await s.servicePoints.insert(point)
    await s.documents.insert({ tenant, kind: 'k', id: 'uow', parent: '', body: 1 }, 1)
    await s.agenda.add([{ id: 'uow', tenant, task: 'deliver', subject: 's', dueAt: 0, payload: null }])
    await s.audit.append(tenant, '2026-01-01T00:00:00Z', [{ actor: 'u', action: 'a', entity: 'e', reason: '', before: '', after: '' }])
    t.equal((await s.servicePoints.get(tenant, 'uow'))?.id, 'uow', 'it sees its own writes')
    t.equal(await stores.servicePoints.get(tenant, 'uow'), undefined, 'nobody else does')
  }
  await t.rejects(database.unitOfWork.run(async (s) => { await both(s); throw new Error('crash between two writes') }), /crash/)
  t.equal(await stores.servicePoints.get(tenant, 'uow'), undefined)
  t.equal(await stores.documents.get(tenant, 'k', 'uow'), undefined)
  t.equal(await stores.audit.count(tenant), 0)
  t.equal(await stores.agenda.nextDue(['deliver']), undefined)
  await database.unitOfWork.run(both)
  t.equal((await stores.servicePoints.get(tenant, 'uow'))?.id, 'uow')
  t.equal(await stores.audit.count(tenant), 1)
})

t.test('CORE-015 an error that the work swallowed is not a success; a store used too late is refused', async (t) => {
  let late: Stores | undefined
  t.equal(await kindOf(database.unitOfWork.run(async (s) => {
    late = s
    await s.servicePoints.insert(make.servicePoint(tenant, 'uow')).catch(() => {})
  })), 'unavailable')
  await t.rejects(late!.servicePoints.get(tenant, 'uow'), /had ended/)
})

t.test('REL-023 connections killed idle and in use: the process lives and errors stay rare', async (t) => {
  // a kill may cost each worker the query that it waits for: twelve kills among enough work, however fast the machine is
  let asked = 0, failed = 0, kills = 0
  const worker = async (): Promise<void> => {
    while (kills < 12) {
      asked += 1
      const outcome = await kindOf(asked % 2 ? stores.programs.get(tenant, 'counted') : database.unitOfWork.run((s) => s.programs.get(tenant, 'counted')))
      if (outcome !== 'done') failed += 1
      if (outcome.startsWith('not')) t.fail(outcome)
    }
  }
  const killer = async (): Promise<void> => {
    for (let next = 0; kills < 12; await new Promise((done) => setTimeout(done, 5))) {
      if (asked < next) continue
      await admin(killOthers)
      kills += 1
      next = asked + 400
    }
  }
  await Promise.all([worker(), worker(), worker(), killer()])
  t.ok(failed / asked <= 0.01, `${failed} of ${asked} failed`)
  t.ok(await database.ping())
})

t.test('REL-021 a primary that turned read-only is left; writing goes on when a primary is back', async (t) => {
  const name = new URL(db.url).pathname.slice(1)
  await admin(`alter database ${name} set default_transaction_read_only = on`)
  await admin(killOthers)
  t.equal(await kindOf(stores.servicePoints.insert(make.servicePoint(tenant, 'ro'))), 'unavailable')
  t.equal(await kindOf(stores.programs.get(tenant, 'counted')), 'done', 'reading goes on')
  await admin(`begin read write; alter database ${name} reset default_transaction_read_only; commit`)
  const begun = performance.now()
  while (await kindOf(stores.servicePoints.insert(make.servicePoint(tenant, 'ro'))) !== 'done') if (performance.now() - begun > 15_000) break
  t.ok(performance.now() - begun < 15_000, 'writes are back')
  await admin(killOthers)
})

t.test('REL-022 a silent link: the query fails in time, its client is thrown away, the pool is whole after healing', async (t) => {
  const wire = await link()
  const far = await openDatabase({ url: wire.url, log: silent, clock: systemClock, poolSize: 3, patience_ms: 700 })
  t.teardown(async () => { await far.close(); wire.close() })
  t.ok(await far.ping())
  wire.silence(true)
  const begun = performance.now()
  t.equal(await kindOf(far.stores.programs.get(tenant, 'counted')), 'unavailable')
  t.equal(await kindOf(far.stores.documents.get(tenant, 'k', 'x')), 'unavailable')
  t.ok(performance.now() - begun < 10_000)
  wire.silence(false)
  t.same(await Promise.all([1, 2, 3].map(() => far.ping())), [true, true, true])
})

t.test('REL-024 COMMIT sent, link cut before the answer: the key tells what happened', async (t) => {
  const wire = await link()
  const far = await openDatabase({ url: wire.url, log: silent, clock: systemClock, poolSize: 2 })
  t.teardown(async () => { await far.close(); wire.close() })
  const command = (key: string): Promise<unknown> => far.unitOfWork.run(async (s) => {
    const before = await s.idempotency.get('cut', key)
    if (before) return before.body
    await s.audit.append('cut', '2026-01-01T00:00:00Z', [{ actor: 'u', action: 'order', entity: key, reason: '', before: '', after: '' }])
    await s.idempotency.put('cut', key, 'h', 201, { key }, 1)
    return { key }
  })
  for (let n = 0; n < 60; n++) {
    wire.cutAfterCommit(true)
    t.equal(await kindOf(command(`k${n}`)), 'unavailable')
    wire.cutAfterCommit(false)
    t.same(await command(`k${n}`), { key: `k${n}` })
  }
  t.equal(await stores.audit.count('cut'), 60, 'none doubled, none lost')
})

t.test('REL-029 waiting for a connection is bounded', async (t) => {
  const small = await openDatabase({ url: db.url, log: silent, clock: systemClock, poolSize: 1 })
  t.teardown(() => small.close())
  let release = (): void => {}
  const held = small.unitOfWork.run(() => new Promise<void>((done) => { release = done }))
  const begun = performance.now()
  t.equal(await kindOf(small.stores.programs.get(tenant, 'counted')), 'unavailable')
  t.ok(performance.now() - begun < 4000)
  release()
  await held
  t.ok(await small.ping())
})

t.test('REL-020 database stopped and started again: refused fast, nothing lost, back by itself', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'loadstone-rel020-'))
  const options = { dataDir, log: silent, fsync: false }
  const first = await startEmbedded(options)
  await migrate(first.url, silent)
  const own = await openDatabase({ url: first.url, log: silent, clock: systemClock })
  t.teardown(async () => { await own.close(); await removeEmbedded(dataDir); rmSync(dataDir, { recursive: true, force: true }) })
  await own.stores.programs.insert(make.program(tenant, 'kept'))
  await first.stop()
  const begun = performance.now()
  t.equal(await kindOf(own.stores.programs.get(tenant, 'kept')), 'unavailable')
  t.equal(await kindOf(own.unitOfWork.run((s) => s.programs.insert(make.program(tenant, 'never')))), 'unavailable')
  t.equal(await own.ping(), false)
  t.ok(performance.now() - begun < 1000, `refused within 1 s, took ${performance.now() - begun} ms`)
  const before = own.stores.documents.revision(tenant, 'k')
  t.not(own.stores.documents.revision(tenant, 'k'), before, 'no cache is trusted while nobody tells of changes')
  const second = await startEmbedded(options)
  t.teardown(() => second.stop())
  t.equal((await own.stores.programs.get(tenant, 'kept'))?.id, 'kept')
  t.equal(await own.stores.programs.get(tenant, 'never'), undefined)
  const told = new Promise<void>((done) => { own.stores.agenda.onAdded(done) })
  await own.stores.agenda.add([{ id: 'a', tenant, task: 't', subject: 's', dueAt: 0, payload: null }])
  await told
  t.pass('it listens again')
})
