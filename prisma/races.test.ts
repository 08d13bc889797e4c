import * as make from '#prisma/store/samples.js'
import t from 'tap'
import { verifyChain } from '#core/audit/chain.js'
import { systemClock } from '#core/port/clock.js'
import { silent } from '#core/port/log.js'
import type { Stores } from '#core/port/store/index.js'
import { openDatabase } from '#prisma/database.js'
import { kindOf, testDatabase } from '#prisma/test-database.js'

/** Units of work that want the same thing at the same time. */
const db = await testDatabase({ poolSize: 8 })
t.teardown(() => db.close())
const { stores, tenant, database } = db

t.test('REL-025 32 writers on one program: no lost update, nothing surfaces', async (t) => {
  await stores.programs.insert(make.program(tenant, 'counted'))
  // how long 32 wait for five places is the machine's matter; that none of them loses its race for good is ours
  const patient = await openDatabase({ url: db.url, log: silent, clock: systemClock, poolSize: 5, queue_ms: 60_000 })
  t.teardown(() => patient.close())
  await Promise.all(Array.from({ length: 32 }, (_, i) => patient.unitOfWork.run(async (s) => {
    const program = (await s.programs.get(tenant, 'counted'))!
    await s.programs.update({ ...program, programVersion: program.programVersion + 1 })
    await s.audit.append(tenant, '2026-01-01T00:00:00Z', [{ actor: 'u', action: 'raise', entity: 'counted', reason: String(i), before: '', after: '' }])
  }, { isolation: 'serializable' })))
  t.equal((await stores.programs.get(tenant, 'counted'))?.programVersion, 33)
})

t.test('REL-025 serializable commands get through beside ordinary ones that append to the same audit chain', async (t) => {
  const append = (s: Stores): Promise<void> => s.audit.append(tenant, '2026-01-01T00:00:00Z', [{ actor: 'u', action: 'x', entity: 'x', reason: '', before: '', after: '' }])
  const outcomes = await Promise.all(Array.from({ length: 60 }, (_, i) => kindOf(database.unitOfWork.run(append, { isolation: i % 2 ? 'serializable' : 'readCommitted' }))))
  t.same(new Set(outcomes), new Set(['done']))
})

const noted = (entity: string) => [{ actor: 'u', action: 'x', entity, reason: '', before: '', after: '' }]
function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => {}
  return { opened: new Promise<void>((done) => { open = done }), open: () => { open() } }
}

t.test('REL-025 the chain is the last lock: who notes something early and works on holds up nobody, and the trail is in the order of commits', async (t) => {
  const at = '2026-01-01T00:00:00Z', early = gate(), go = gate()
  const slow = database.unitOfWork.run(async (s) => {
    await s.audit.append('last', at, noted('slow'))
    early.open()
    await go.opened
    await s.audit.append('last', at, noted('slow, later'))
  })
  await early.opened
  await database.unitOfWork.run((s) => s.audit.append('last', at, noted('quick')))
  await t.rejects(database.unitOfWork.run(async (s) => {
    await s.audit.append('last', at, noted('never'))
    throw new Error('no')
  }), /no/)
  go.open()
  await slow
  const { items } = await stores.audit.list('last', {}, { limit: 10 })
  t.same(items.map((r) => [r.seq, r.entity]), [[1, 'quick'], [2, 'slow'], [3, 'slow, later']])
  t.same(verifyChain(items.map(({ hash, ...record }) => ({ record: { ...record }, hash }))), { ok: true, count: 3, head: (await stores.audit.head('last')).hash })
})

t.test('REL-025 noting before a row and noting after it do not deadlock', async (t) => {
  let races = 0
  const watched = await openDatabase({ url: db.url, log: { ...silent, debug: (_, message) => { if (message?.includes('lost a race')) races++ } }, clock: systemClock, poolSize: 2 })
  t.teardown(() => watched.close())
  const at = '2026-01-01T00:00:00Z', row = { tenant, kind: 'core/Test', id: 'row', parent: '', key: 'row', body: {} }, first = gate(), second = gate()
  const write = (s: Stores): Promise<unknown> => s.documents.insertMany([row], 1, { onConflict: 'replace' })
  const a = watched.unitOfWork.run(async (s) => {
    await s.audit.append(tenant, at, noted('before the row'))
    first.open()
    await second.opened
    await write(s)
  })
  await first.opened
  await Promise.all([a, watched.unitOfWork.run(async (s) => {
    await write(s)
    second.open()
    await s.audit.append(tenant, at, noted('after the row'))
  })])
  t.equal(races, 0)
})

t.test('REL-026 a ledger is held by one unit of work at a time, one for each tenant and matter', async (t) => {
  const held = gate(), go = gate(), order: string[] = []
  const first = database.unitOfWork.run(async (s) => {
    await s.ledger.hold(tenant)
    await s.ledger.hold(tenant)
    held.open()
    await go.opened
    order.push('first')
  })
  await held.opened
  const second = database.unitOfWork.run(async (s) => {
    await s.ledger.hold(tenant)
    order.push('second')
  })
  await database.unitOfWork.run(async (s) => { await s.ledger.hold('somebody else') })
  await database.unitOfWork.run(async (s) => { await s.ledger.hold(tenant, 'money') })
  order.push('others')
  go.open()
  await Promise.all([first, second])
  t.same(order, ['others', 'first', 'second'])
  await t.rejects(stores.ledger.hold(tenant), /inside a unit of work/)
})

t.test('REL-026 the last megawatt is sold once', async (t) => {
  await stores.programs.insert(make.program(tenant, 'market'))
  const sell = (n: number): Promise<boolean> => database.unitOfWork.run(async (s) => {
    const sold = (await s.dispatches.overlapping(tenant, 3600, 10_800)).reduce((sum, d) => sum - d.delta_W, 0)
    if (sold + 1_000_000 > 3_000_000) return false
    await s.dispatches.insert({ ...make.dispatch(tenant, `sale-${n}`, 'market'), delta_W: -1_000_000 })
    return true
  }, { isolation: 'serializable' })
  const sold = await Promise.all(Array.from({ length: 16 }, (_, n) => sell(n)))
  t.equal(sold.filter(Boolean).length, 3)
})
