import { generateKeyPairSync, sign } from 'node:crypto'
import t from 'tap'
import { Refusal } from '#core/error.js'
import { homes, programTerms, testDoor, type Call } from '#core/operator/test-door.js'
import { bulkRows, enrolBulk, type InputRow } from '#core/program/bulk-enrol.js'
import { claimText } from '#core/program/claim.js'
import { accountAt } from '#core/program/move.js'
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
    const look = await call('POST', 'enrolments/bulk?dryRun=true', csv, { 'content-type': 'text/csv' })
    t.match(look, { statusCode: 200, data: { id: null, dryRun: true, rows: 10_000, refused: 3, byState: { active: 9997, refused: 3 } } }, 'a dry run says the same of every row')
    t.equal((await call('GET', 'enrolments?program=open')).data.items.length, 0, 'and stores nothing')
    const begun = performance.now(), answer = await call('POST', 'enrolments/bulk', csv, { 'content-type': 'text/csv' })
    t.comment(`${Math.round(performance.now() - begun)} ms`)
    t.match(answer.data, { rows: 10_000, done: 10_000, refused: 3, byState: { active: 9997, refused: 3 } })
    t.match(answer.data.items.filter((r: { state: string }) => r.state === 'refused'), [{ row: 78, reasons: [{ path: 'servicePoint' }] }, { row: 89, reasons: [{ path: 'to' }] }, { row: 100, reasons: [{ path: 'share' }] }])
    t.strictSame(look.data.items, answer.data.items.map(({ enrolment: _, ...r }: { enrolment?: string }) => r))
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

t.test('CORE-026 a known certificate and a claim code: applied to verified without staff, every step audited', async (t) => {
  const { as, core } = await testDoor(t, { nowMs: noon }), call = await as('admin', 'ada'), maker = await as('vendor', 'acme')
  await call('POST', 'programs', { ...programTerms, rules: { eligibility: { kinds: ['battery'] } } })
  await points(call, 3)
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' }), lfdi = 'A'.repeat(40)
  const certificate = (who: string): string => `${who} ${'-'.repeat(100)}`
  core.recognise(async (pem) => {
    if (!pem.startsWith('good')) throw new Refusal('forbidden', 'unknown')
    return { lfdi, maker: 'acme', serial: '7', publicKey: keys.publicKey.export({ type: 'spki', format: 'pem' }).toString() }
  })
  const claim = async (more = {}): Promise<string> => (await call('POST', 'claims', { program: 'peak', servicePoint: 'p0', kind: 'battery', rated_kW: 5, maker: 'acme', ...more })).data.code
  const proof = (code: string): string => sign('sha256', Buffer.from(claimText(code, lfdi)), keys.privateKey).toString('base64')
  const code = await claim()
  t.notMatch(JSON.stringify((await call('GET', 'claims')).data), code)
  const redeem = (c: string, p = proof(c), pem = certificate('good')) => maker('POST', 'claims/redeem', { code: c, certificate: pem, proof: p })
  t.equal((await redeem(code, proof('other'))).statusCode, 404, 'the certificate of another device is public')
  t.equal((await redeem(code, proof(code), certificate('bad'))).statusCode, 403)
  const elsewhere = await claim({ maker: 'other' })
  t.equal((await redeem(elsewhere)).statusCode, 404)
  const done = await redeem(code)
  t.match(done, { statusCode: 201, data: { resource: { rated_kW: 5, bindings: [{ remoteId: lfdi }] }, enrolment: { state: 'verified' }, failing: [] } })
  t.equal((await redeem(code)).statusCode, 404, 'used')
  t.strictSame((await call('GET', `audit?entity=${done.data.enrolment.id}`)).data.items.map((a: { actor: string; action: string }) => `${a.actor.slice(0, 8)} ${a.action}`), ['device:A enrolment.apply', 'device:A enrolment.eligible', 'device:A enrolment.verified'])
  await call('PATCH', 'resources/battery-AAAAAAAAAA', { bindings: [] })
  const wrongKind = await claim({ servicePoint: 'p1', kind: 'evse' })
  t.match((await redeem(wrongKind)).data, { enrolment: { state: 'applied' }, failing: [{ path: 'kind' }] }, 'a rule that fails waits for a person')
})

t.test('CORE-028 moves end-date the enrolment; history stays with the old account', async (t) => {
  const { as, core, clock, database } = await testDoor(t, { nowMs: noon }), call = await as('admin', 'ada')
  await homes(call, 2)
  await call('PATCH', 'service-points/home-0', { account: 'old-owner' })
  core.timetable.start()
  const made = await call('POST', 'service-points/home-0/moves', { what: 'ownershipChange', at: '2026-07-15T20:00:00Z', account: 'new-owner', reason: 'sold' })
  t.match(made, { statusCode: 201, data: { state: 'planned', accountBefore: 'old-owner' } })
  t.equal((await call('GET', 'enrolments?servicePoint=home-0')).data.items[0].state, 'active', 'until then it goes on')
  await clock.advance(2 * 3600_000 + 1000)
  await core.timetable.settled()
  t.match((await call('GET', 'enrolments?servicePoint=home-0')).data.items, [{ state: 'withdrawn', history: [{}, {}, {}, {}, { to: 'withdrawn', reason: 'ownershipChange: sold' }] }])
  t.equal((await call('GET', 'service-points/home-0')).data.account, 'new-owner')
  const id = (await call('GET', 'service-points/home-0')).data.id, at = Date.UTC(2026, 6, 15, 20) / 1000
  t.strictSame([await accountAt(database.stores, 'default', id, at - 1), await accountAt(database.stores, 'default', id, at)], ['old-owner', 'new-owner'], 'half-open')
  t.match((await call('POST', 'service-points/home-1/moves', { what: 'meterChange', at: '2026-07-15T18:00:00Z', meterBefore: 'm1', meterAfter: 'm2' })).data, { state: 'done', ended: { length: 1 } })
  t.equal((await call('POST', 'enrolments', { program: 'peak', servicePoint: 'home-0', to: 'active' })).statusCode, 201, 'the new owner may apply')
})

t.test('CORE-029 a market resource goes draft, submitted, accepted, retired; what a market would refuse never leaves', async (t) => {
  const { as } = await testDoor(t, { nowMs: noon }), call = await as('admin', 'ada')
  await homes(call, 2)
  await call('POST', 'aggregations', { name: 'portfolio', hierarchy: 'market', members: ['battery-0', 'battery-1'] })
  const wish = { name: 'DR_1', market: 'iso', aggregation: 'portfolio', direction: 'down', capability_kW: 10, method: 'CAISO_10IN10', metering: { intervalMinutes: 15, level: 'portfolio' } }
  t.match(await call('POST', 'market-resources', wish), { statusCode: 201, data: { state: 'draft', capability_kW: 10 } })
  t.equal((await call('POST', 'market-resources', wish)).statusCode, 409)
  const step = (name: string, to: string, more = {}) => call('POST', `market-resources/${name}/transitions`, { to, ...more })
  t.equal((await step('DR_1', 'accepted')).statusCode, 409)
  t.match((await step('DR_1', 'submitted')).data, { state: 'submitted' })
  t.match((await step('DR_1', 'accepted', { registration: 'ISO-42' })).data, { state: 'accepted', registration: 'ISO-42' })
  t.equal((await step('DR_1', 'submitted')).statusCode, 409)
  await call('POST', 'market-resources', { ...wish, name: 'DR_2', capability_kW: 11, testEvent: 'never-ran' })
  t.match((await step('DR_2', 'submitted')).data, { status: 409, faults: [{ path: '/capability_kW' }, { path: '/testEvent' }] })
  t.match((await step('DR_1', 'retired')).data.history.map((h: { to: string }) => h.to), ['draft', 'submitted', 'accepted', 'retired'])
})
