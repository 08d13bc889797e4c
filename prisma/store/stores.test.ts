import * as fc from 'fast-check'
import * as make from '#prisma/store/samples.js'
import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { countingIds } from '#core/port/ids.js'
import type { AgendaEntry } from '#core/port/store/agenda.js'
import type { AuditRecord } from '#core/port/store/audit.js'
import type { Stores } from '#core/port/store/index.js'
import type { ReadingInput } from '#core/reading/reading.js'
import { genesis, link } from '#core/audit/chain.js'
import { kindOf, testDatabase } from '#prisma/test-database.js'

const clock = handClock(Date.UTC(2026, 0, 5))
const db = await testDatabase({ clock, poolSize: 10 })
t.teardown(() => db.close())
const { stores, tenant, database } = db

async function site(at: Stores, of: string, name: string): Promise<void> {
  await at.programs.insert(make.program(of, `program-${name}`))
  await at.servicePoints.insert(make.servicePoint(of, `point-${name}`))
  await at.resources.insert(make.resource(of, `resource-${name}`, `point-${name}`))
  await at.dispatches.insert(make.dispatch(of, `dispatch-${name}`, `program-${name}`))
}

/** `name` is for named tables only. */
const strip = (draft: { name: string }, like: object): object => {
  const { name, ...rest } = draft
  return 'name' in like ? { ...rest, name } : rest
}
const reading = (start: number, Wh: number, more: Partial<ReadingInput> = {}): ReadingInput => ({ servicePoint: 'sp', channel: 'import', start, minutes: 15, Wh, quality: 'RAW', source: 'openadr:ven', ...more })
const entry = (id: string, dueAt: number, more: Partial<AgendaEntry> = {}): Omit<AgendaEntry, 'attempts'> => ({ id, tenant, task: 'deliver', subject: id, dueAt, payload: { id }, ...more })
const draft = (n: number): Omit<AuditRecord, 'seq' | 'hash' | 'at'> => ({ actor: 'u', action: 'a', entity: `e${n % 3}`, reason: `r${n}`, before: '', after: '' })

t.test('CORE-012 an id, a name or a reference of another tenant does not exist', async (t) => {
  await site(stores, 'a', 'x')
  await site(stores, 'b', 'y')
  t.equal((await stores.programs.get('a', 'program-x'))?.name, 'program-x')
  t.equal(await stores.programs.get('b', 'program-x'), undefined)
  t.equal(await stores.programs.find('b', 'program-x'), undefined)
  t.same(await stores.programs.getMany('b', ['program-x']), [])
  t.equal(await kindOf(stores.resources.insert(make.resource('a', 'r2', 'point-y'))), 'invalid', 'a foreign key crosses tenants never')
  t.equal(await kindOf(stores.enrolments.insert(make.enrolment('b', 'e1', 'program-x', 'point-y'))), 'invalid')
  t.equal(await stores.resources.byRemote('b', 'ocpp', 'resource-x'), undefined)
  t.equal((await stores.resources.byRemote('a', 'ocpp', 'resource-x'))?.id, 'resource-x')
})

t.test('CORE-012 a call without a tenant is an error, not "all"', async (t) => {
  for (const missing of ['', undefined as unknown as string]) {
    t.equal(await kindOf(stores.programs.list(missing, {}, { limit: 10 })), 'invalid')
    t.equal(await kindOf(stores.programs.get(missing, 'program-x')), 'invalid')
    t.equal(await kindOf(stores.documents.list(missing, { kind: 'k' })), 'invalid')
    t.equal(await kindOf(stores.readings.series(missing, 'p', 'import', 0, 1)), 'invalid')
    t.equal(await kindOf(stores.audit.count(missing)), 'invalid')
    t.equal(await kindOf(stores.idempotency.get(missing, 'k')), 'invalid')
    t.equal(await kindOf(stores.deliveries.promised(missing, [], 0, 1)), 'invalid')
    t.equal(await kindOf(stores.availability.believed(missing, [], 0, 1, 1)), 'invalid')
  }
})

t.test('CORE-014 every table gives back what it was given; a stale version changes nothing', async (t) => {
  const of = 'tables'
  await site(stores, of, 'z')
  const drafts = {
    enrolments: make.enrolment(of, 'e', 'program-z', 'point-z'), aggregations: make.aggregation(of, 'feeder'),
    deliveries: make.delivery(of, 'd', 'dispatch-z', 'resource-z'), verifications: make.verification(of, 'v', 'dispatch-z'),
    settlementRuns: make.settlementRun(of, 'run', 'program-z'), statements: make.statement(of, 's', 'run'),
  } as const
  for (const [name, draft] of Object.entries(drafts)) {
    const table = stores[name as keyof typeof drafts] as unknown as Stores['programs']
    const stored = await table.insert(draft as never)
    t.same(stored, { ...draft, version: 1, createdAt: clock.nowMs(), modifiedAt: clock.nowMs() }, name)
    t.same(await table.get(of, stored.id), stored)
    await clock.advance(1000)
    const changed = await table.update(stored)
    t.same([changed.version, changed.createdAt, changed.modifiedAt], [2, stored.createdAt, clock.nowMs()])
    t.equal(await kindOf(table.update(stored)), 'stale')
    t.same(await table.get(of, stored.id), changed, 'and nothing changed')
    t.equal(await kindOf(table.update({ ...stored, id: 'nobody' })), 'notFound')
    const more = await table.insertMany([{ ...draft, id: 'm1', name: 'm1' }, { ...draft, id: 'm2', name: 'm2' }].map((d) => strip(d, draft)) as never)
    t.same(await table.getMany(of, ['m1', 'm2']), more, `${name} in one statement`)
  }
  t.equal(await kindOf(stores.programs.insert({ ...make.program(of, 'other'), name: 'program-z' })), 'conflict')
  t.equal((await stores.dispatches.overlapping(of, 0, 4_000_000_000)).length, 1)
  t.equal((await stores.dispatches.list(of, { state: 'scheduled', from: 0, to: 1 }, { limit: 5 })).items.length, 0)
})

t.test('CORE-014 many deliveries are stored at once or not at all; promises end with an early end', async (t) => {
  const of = 'many'
  await site(stores, of, 'm')
  const all = await stores.deliveries.insertMany(['c', 'a', 'b'].map((id) => make.delivery(of, id, 'dispatch-m', 'resource-m')))
  t.same((await stores.deliveries.of(of, 'dispatch-m')).map((d) => d.id), ['a', 'b', 'c'])
  const sent = await stores.deliveries.updateMany(all.map((d) => ({ ...d, state: 'sent' as const })))
  t.same(sent.map((d) => [d.id, d.version, d.state]), [['c', 2, 'sent'], ['a', 2, 'sent'], ['b', 2, 'sent']])
  t.equal(await kindOf(stores.deliveries.updateMany([{ ...sent[0]!, state: 'accepted' }, { ...all[1]!, state: 'accepted' }])), 'stale')
  t.equal((await stores.deliveries.get(of, 'c'))?.state, 'sent', 'the fresh one was not stored either')
  await stores.deliveries.updateMany([{ ...sent[0]!, state: 'optedOut' }])
  const { start, end } = sent[0]!.order
  t.same((await stores.deliveries.promised(of, ['resource-m'], start, end)).map((d) => d.id), ['a', 'b'])
  t.same(await stores.deliveries.promised(of, ['resource-m'], end, end + 1), [], 'half-open')
})

t.test('CORE-030 the newest belief at the asked time counts, older ones are kept', async (t) => {
  const row = { resource: 'r', start: 0, end: 900, down_W: 100, up_W: 0, source: 'forecast' }
  await stores.availability.declare(tenant, [{ ...row, issuedAt: 10 }, { ...row, start: 900, end: 1800, issuedAt: 10, expected_W: 7 }])
  await stores.availability.declare(tenant, [{ ...row, down_W: 50, issuedAt: 20 }])
  await stores.availability.declare(tenant, [{ ...row, down_W: 40, issuedAt: 20 }])
  t.same((await stores.availability.believed(tenant, ['r'], 0, 900, 15)).map((a) => a.down_W), [100])
  t.same((await stores.availability.believed(tenant, ['r'], 0, 900, 99)).map((a) => a.down_W), [40])
  t.same(await stores.availability.believed(tenant, ['r'], 900, 901, 99), [{ ...row, start: 900, end: 1800, issuedAt: 10, expected_W: 7 }])
  t.same(await stores.availability.believed(tenant, ['r'], 0, 900, 9), [])
})

t.test('CORE-013 the first answer of a key is kept; a second writer is refused', async (t) => {
  await stores.idempotency.put(tenant, 'k', 'h1', 201, { id: 1 }, 5)
  t.same(await stores.idempotency.get(tenant, 'k'), { bodyHash: 'h1', status: 201, body: { id: 1 } })
  t.equal(await kindOf(stores.idempotency.put(tenant, 'k', 'h2', 201, {}, 6)), 'conflict')
  t.equal(await stores.idempotency.get('another', 'k'), undefined)
})

t.test('CORE-115 the same value is counted, another supersedes it and keeps the old', async (t) => {
  const { readings } = stores
  t.same(await readings.record('r1', [reading(0, 5), reading(900, 6, { lineage: 'report-1' })], 1), { accepted: 2, duplicates: 0, corrected: 0 })
  t.same(await readings.record('r1', [reading(0, 5), reading(900, 7)], 2), { accepted: 0, duplicates: 1, corrected: 1 })
  t.same((await readings.series('r1', 'sp', 'import', 0, 1800)).map((r) => [r.start, r.Wh, r.sourceVersion, r.receivedAt]), [[0, 5, 1, 1], [900, 7, 2, 2]])
  t.same(await readings.history('r1', 'sp', 'import', 900), [{ ...reading(900, 6, { lineage: 'report-1' }), receivedAt: 1, sourceVersion: 1 }])
  t.same(await readings.record('r1', [reading(0, 5, { quality: 'SUSPECT' })], 3), { accepted: 0, duplicates: 0, corrected: 1 }, 'a new judgement is a correction')
  t.same(await readings.record('r1', [reading(0, 5)], 4), { accepted: 0, duplicates: 1, corrected: 0 }, 'a repeat does not undo it')
  t.same(await readings.record('r1', [reading(1800, 1), reading(1800, 2), reading(1800, 2)], 5), { accepted: 1, duplicates: 1, corrected: 1 }, 'twice in one batch')
  t.same((await readings.history('r1', 'sp', 'import', 1800)).map((r) => r.Wh), [1])
  t.same(await readings.series('r2', 'sp', 'import', 0, 1800), [], 'another tenant has none')
  t.same(await readings.countBySource('r1', 0, 1800), { openadr: 2 })
})

t.test('CORE-011 what was known at a recorded time is in the current value and its history', async (t) => {
  await fc.assert(fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 8 }), fc.uuid(), async (values, point) => {
    for (const [i, Wh] of values.entries()) await stores.readings.record('bi', [reading(0, Wh, { servicePoint: point })], i)
    const known = [...await stores.readings.history('bi', point, 'import', 0), ...await stores.readings.series('bi', point, 'import', 0, 1)]
    for (const [i, Wh] of values.entries()) if (known.filter((r) => r.receivedAt <= i).at(-1)?.Wh !== Wh) return false
    return known.every((r, i) => r.sourceVersion === i + 1)
  }), { numRuns: 25 })
  t.pass('every past answer can be given again')
})

t.test('CORE-115 concurrent batches over the same intervals, in any order, neither deadlock nor lose', async (t) => {
  const rows = Array.from({ length: 200 }, (_, i) => reading(i * 900, i))
  const results = await Promise.all(Array.from({ length: 8 }, (_, k) => stores.readings.record('race', k % 2 ? rows : rows.toReversed(), k)))
  t.equal(results.reduce((sum, r) => sum + r.accepted, 0), 200)
  t.equal(results.reduce((sum, r) => sum + r.duplicates, 0), 1400)
})

t.test('CORE-121 net energy is import minus export; a missing import is not zero', async (t) => {
  const { readings } = stores
  const out = (start: number, Wh: number, more: Partial<ReadingInput> = {}): ReadingInput => reading(start, Wh, { channel: 'export', ...more })
  await readings.record('net', [reading(0, 10), out(0, 3), reading(900, 8), out(1800, 5), out(0, 4, { servicePoint: 'pv' }), reading(900, 9, { servicePoint: 'sus', quality: 'SUSPECT' })], 1)
  t.same(Object.fromEntries(await readings.net('net', ['sp', 'pv', 'none'], 0, 2700, { net: true })), { sp: { start: [0, 900], Wh: [7, 8] }, pv: { start: [0], Wh: [-4] } })
  t.same(await readings.netSum('net', ['sp', 'pv', 'sus'], 0, 2700, { net: true, qualities: ['RAW'] }), [{ start: 0, Wh: 3, points: 2 }, { start: 900, Wh: 8, points: 1 }])
  t.same(await readings.netSum('net', ['sp', 'pv'], 0, 2700, { net: false }), [{ start: 0, Wh: 10, points: 1 }, { start: 900, Wh: 8, points: 1 }])
  const first = await readings.list('net', { servicePoint: 'sp' }, { limit: 2 })
  t.same(first.items.map((r) => [r.channel, r.start]), [['import', 0], ['import', 900]])
  t.same((await readings.list('net', { servicePoint: 'sp' }, { limit: 2, cursor: first.next! })).items.map((r) => [r.channel, r.start]), [['export', 0], ['export', 1800]])
  t.equal(await kindOf(readings.list('net', {}, { limit: 2, cursor: 'rubbish' })), 'invalid')
})

t.test('CORE-015 numbers given in a transaction that is rolled back are nobody\'s', async (t) => {
  await t.rejects(database.unitOfWork.run(async (s) => {
    await s.readings.record('rolled', [reading(0, 1)], 1)
    await s.readings.record('rolled', [reading(900, 1)], 1)
    throw new Error('changed my mind')
  }))
  t.same(await stores.readings.record('rolled2', [reading(0, 1, { servicePoint: 'other', source: 'ocpp:x' })], 1), { accepted: 1, duplicates: 0, corrected: 0 })
  t.same(await stores.readings.record('rolled', [reading(0, 1)], 1), { accepted: 1, duplicates: 0, corrected: 0 })
  t.same((await stores.readings.series('rolled', 'sp', 'import', 0, 1800)).map((r) => [r.servicePoint, r.source]), [['sp', 'openadr:ven']])
})

t.test('REL-002 agenda: leased to one, again after a crash, in order within a subject', async (t) => {
  const { agenda } = stores
  const take = async (now: number, lease: number, tasks = ['deliver', 'cancel'], limit = 10): Promise<string[]> => (await agenda.claim(now, lease, tasks, limit)).map((e) => `${e.id}:${e.attempts}`)
  t.equal(await agenda.nextDue(['deliver']), undefined)
  await agenda.add([entry('2', 100, { subject: 's', task: 'cancel' }), entry('1', 200, { subject: 's' }), entry('3', 900), entry('4', 100, { task: 'other' })])
  t.equal(await agenda.nextDue(['deliver', 'cancel']), 100)
  t.same(await take(200, 500), ['1:1', '2:1'], 'by time, but a subject\'s own by id')
  t.same(await take(300, 600), [], 'leased')
  t.equal(await agenda.nextDue(['deliver', 'cancel']), 500)
  t.same(await take(500, 800), ['1:2', '2:2'], 'the lease ran out: a crash')
  await agenda.done(['1'])
  await agenda.retry('2', 850, 'offline')
  t.same(await take(849, 2000), [])
  t.same(await take(1000, 2000), ['2:3', '3:1'])
  await agenda.add([entry('5', 0, { subject: '3' })])
  t.same(await take(1001, 2000), [], 'not while an earlier entry of its subject is out')
  await agenda.done(['3'])
  t.same(await take(1001, 2000), ['5:1'])
  await agenda.add([entry('6', 5000, { subject: 'gone' }), entry('7', 5000, { subject: 'gone', tenant: 'b' })])
  await agenda.withdraw(tenant, 'deliver', 'gone')
  t.same(await take(6000, 7000, ['deliver']), ['5:2', '7:1'])
})

t.test('REL-002 agenda: many workers never hold one entry twice', async (t) => {
  await stores.agenda.add(Array.from({ length: 200 }, (_, i) => entry(`m${String(i).padStart(3, '0')}`, 0, { task: 'many', subject: `s${i % 20}` })))
  const seen: string[] = [], open = new Set<string>()
  const worker = async (): Promise<void> => {
    for (;;) {
      const got = await stores.agenda.claim(1, 10_000, ['many'], 7)
      if (got.length === 0) { if (await stores.agenda.nextDue(['many']) === undefined) return; continue }
      const subjects = new Set(got.map((e) => e.subject))
      for (const subject of subjects) {
        if (open.has(subject)) t.fail('two workers on one subject')
        open.add(subject)
      }
      seen.push(...got.map((e) => e.id))
      await stores.programs.get(tenant, 'work')
      for (const subject of subjects) open.delete(subject)
      await stores.agenda.done(got.map((e) => e.id))
    }
  }
  await Promise.all([worker(), worker(), worker(), worker()])
  t.equal(seen.length, 200)
  t.equal(new Set(seen).size, 200)
})

t.test('CORE-230 the audit chain holds under concurrent appends and is append-only', async (t) => {
  await Promise.all(Array.from({ length: 30 }, (_, i) => (i % 3 ? stores.audit.append(tenant, '2026-01-01T00:00:00Z', [draft(i), draft(i + 100)]) : database.unitOfWork.run((s) => s.audit.append(tenant, '2026-01-02T00:00:00Z', [draft(i)])))))
  await stores.audit.append('b', '2026-01-01T00:00:00Z', [draft(0)])
  const all: AuditRecord[] = []
  await stores.audit.walk(tenant, (records) => all.push(...records))
  t.same(all.map((r) => r.seq), Array.from({ length: 50 }, (_, i) => i + 1))
  let hash = genesis
  for (const { hash: stored, ...record } of all) t.equal(stored, (hash = link(hash, record)))
  t.equal(await stores.audit.count(tenant), 50)
  const page = await stores.audit.list(tenant, { entity: 'e1' }, { limit: 3 })
  t.same(page.items.map((r) => r.entity), ['e1', 'e1', 'e1'])
  t.ok((await stores.audit.list(tenant, { entity: 'e1' }, { limit: 3, cursor: page.next! })).items[0]!.seq > page.items[2]!.seq)
  t.ok((await stores.audit.list(tenant, { from: '2026-01-02T00:00:00Z' }, { limit: 100 })).items.every((r) => r.at >= '2026-01-02'))
})

t.test('REL-030 pages neither skip nor repeat while rows are inserted', async (t) => {
  const next = countingIds()
  const insert = (n: number): Promise<unknown> => stores.aggregations.insertMany(Array.from({ length: n }, () => make.aggregation('pages', next.uuid())))
  await insert(500)
  const seen: string[] = []
  for (let cursor: string | undefined; ;) {
    const page = await stores.aggregations.list('pages', {}, { limit: 70, cursor })
    seen.push(...page.items.map((a) => a.id))
    if (!page.next) break
    cursor = page.next
    if (seen.length < 500) await insert(20)
  }
  t.equal(new Set(seen).size, seen.length)
  t.same(seen, seen.toSorted())
  t.ok(seen.length >= 500 + 20 * 7)
})
