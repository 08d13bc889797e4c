import t from 'tap'
import { programTerms, testDoor, type Call } from '#core/operator/test-door.js'
import { bulkRows, enrolBulk, type InputRow } from '#core/program/bulk-enrol.js'
import { every } from '#core/port/store/every.js'
import { system } from '#core/caller.js'

// real databases on a machine that is shared with other tests
t.setTimeout(240_000)

const noon = Date.UTC(2026, 6, 15, 18)
const points = (call: Call, n: number) => call('POST', 'service-points', Array.from({ length: n }, (_, i) => ({ name: `p${i}` })))

t.test('CORE-020 … 025 many enrolments at once', async (t) => {
  const { as, core, database } = await testDoor(t, { nowMs: noon }), call = await as('admin', 'ada')
  await call('POST', 'programs', { ...programTerms, rules: { eligibility: { kinds: ['battery'] } } })

  await t.test('CORE-025 arrays of service points, resources and enrolments are created all or none', async (t) => {
    t.match(await points(call, 2000), { statusCode: 201 })
    const clash = await call('POST', 'service-points', [{ name: 'fresh' }, { name: 'p7' }])
    t.equal(clash.statusCode, 409)
    t.equal((await call('GET', 'service-points/fresh')).statusCode, 404, 'none of them')
    t.match((await call('POST', 'service-points', [{ name: 'ok' }, { nome: 'x' }])).data.faults, [{ path: '/1/name', reason: 'is missing' }, { path: '/1/nome' }])
    const made = await call('POST', 'resources', Array.from({ length: 2000 }, (_, i) => ({ name: `r${i}`, servicePoint: `p${i}`, kind: i === 5 ? 'evse' : 'battery', rated_kW: 5, bindings: [{ protocol: 'openadr', remoteId: `v${i}` }] })))
    t.match(made, { statusCode: 201, data: { items: { length: 2000 } } })
    const bound = await call('POST', 'resources', [{ name: 'x1', servicePoint: 'p0', kind: 'battery', rated_kW: 1, bindings: [{ protocol: 'openadr', remoteId: 'new' }] }, { name: 'x2', servicePoint: 'nowhere', kind: 'battery', rated_kW: 1, bindings: [] }])
    t.match(bound, { statusCode: 404, data: { faults: [{ path: '/1/servicePoint' }] } })
    t.match(await call('POST', 'resources', [0, 1].map((i) => ({ name: `y${i}`, servicePoint: 'p0', kind: 'battery', rated_kW: 1, bindings: [{ protocol: 'openadr', remoteId: 'same' }] }))), { statusCode: 409, data: { faults: [{ path: '/1/bindings/0' }] } })
    const refused = await call('POST', 'enrolments', [{ program: 'peak', servicePoint: 'p1', to: 'active' }, { program: 'peak', servicePoint: 'p5', to: 'active' }, { program: 'peak', servicePoint: 'p1' }])
    t.match(refused, { statusCode: 409, data: { faults: [{ path: '/1/kind' }, { path: '/2/dualEnrolment' }] } })
    t.equal((await call('GET', 'enrolments')).data.items.length, 0)
    const all = await call('POST', 'enrolments', Array.from({ length: 100 }, (_, i) => ({ program: 'peak', servicePoint: `p${i + 10}`, to: 'active', consent: { purpose: 'dr', grantedAt: '2026-01-01T00:00:00Z' } })))
    t.equal(all.statusCode, 201)
    t.match(all.data.items[0], { state: 'active', version: 1, history: [{ from: null, to: 'applied', by: 'ada' }, { to: 'eligible' }, { to: 'verified' }, { from: 'verified', to: 'active' }] })
    t.strictSame((await call('GET', `audit?entity=${all.data.items[0].id}`)).data.items.map((a: { action: string }) => a.action), ['enrolment.apply', 'enrolment.eligible', 'enrolment.verified', 'enrolment.active'], 'every step is audited')
  })

  await t.test('CORE-025 10,000 rows: each its own result; the same file again changes nothing', async (t) => {
    for (let i = 0; i < 5; i++) await call('POST', 'service-points', Array.from({ length: 2000 }, (_, k) => ({ name: `q${i * 2000 + k}` })))
    await call('POST', 'programs', { ...programTerms, name: 'open' })
    const csv = ['program,servicePoint,share,to', ...Array.from({ length: 10_000 }, (_, i) => `open,${i === 77 ? 'nobody' : `q${i}`},${i === 99 ? '1.5' : '0.6'},${i === 88 ? 'flying' : 'active'}`)].join('\n')
    const begun = performance.now(), answer = await call('POST', 'enrolments/bulk', csv, { 'content-type': 'text/csv' })
    t.comment(`${Math.round(performance.now() - begun)} ms`)
    t.match(answer.data, { rows: 10_000, done: 10_000, refused: 3, byState: { active: 9997, refused: 3 } })
    t.match(answer.data.items.filter((r: { state: string }) => r.state === 'refused'), [{ row: 78, reasons: [{ path: 'servicePoint' }] }, { row: 89, reasons: [{ path: 'to' }] }, { row: 100, reasons: [{ path: 'share' }] }])
    const again = await call('POST', 'enrolments/bulk', csv, { 'content-type': 'text/csv' })
    t.equal(again.data.id, answer.data.id)
    t.strictSame(again.data.items, answer.data.items)
    t.equal((await every((page) => database.stores.enrolments.list('default', { state: 'active' }, page), 5000)).filter((e) => e.share === '0.6').length, 9997)
    const listed = await call('GET', `enrolments/bulk/${answer.data.id}?state=refused&limit=2`)
    t.match(listed.data, { items: { length: 2 }, next: '2' })
    t.match(await call('POST', 'enrolments/bulk', 'program,colour\n', { 'content-type': 'text/csv' }), { statusCode: 200, data: { rows: 0 } })
    t.match(await call('POST', 'enrolments/bulk', 'program,colour\nopen,red\n', { 'content-type': 'text/csv' }), { statusCode: 422 })
    t.match((await call('POST', 'enrolments/bulk', '{"program":"open","servicePoint":"p0"}\n{', { 'content-type': 'application/x-ndjson' })).data, { rows: 2, refused: 1, items: [{ state: 'applied' }, { row: 2, state: 'refused' }] })
  })

  await t.test('CORE-025 an interruption leaves no half row, and the next call goes on', async (t) => {
    const rows: InputRow[] = Array.from({ length: 1200 }, (_, i) => ({ row: i + 1, wish: { program: 'peak', servicePoint: `p${i + 500}` } }))
    let parts = 0
    const failing: typeof core.transact = (command, isolation) => {
      if (++parts === 3) throw new Error('the process dies')
      return core.transact(command, isolation)
    }
    const me = system('default')
    await t.rejects(enrolBulk(failing, me, 'k', 'h', rows), /dies/)
    const job = await enrolBulk(core.transact, me, 'k', 'h', rows), results = await bulkRows(database, 'default', job.id)
    t.strictSame(results.map((r) => r.row), rows.map((r) => r.row))
    t.equal((await every((page) => database.stores.enrolments.list('default', { state: 'applied' }, page), 5000)).filter((e) => e.history[0]?.by === 'system').length, 1200)
    t.match(await enrolBulk(core.transact, me, 'k', 'other', rows).catch((e: unknown) => e), { kind: 'conflict' })
  })
})
