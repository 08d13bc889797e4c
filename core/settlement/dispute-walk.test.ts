import t from 'tap'
import { hashOf } from '#core/audit/note.js'
import { homes, testDoor, type Call } from '#core/operator/test-door.js'
import { calculate, type RunInput } from '#core/settlement/run.js'

t.setTimeout(240_000)
const noon = Date.UTC(2026, 6, 15, 18), start = Date.UTC(2026, 6, 15, 22) / 1000
const at = (s: number): string => new Date(s * 1000).toISOString()
const period = { program: 'peak', from: '2026-07-01T00:00:00Z', to: '2026-08-01T00:00:00Z' }

const good = async (answer: ReturnType<Call>): Promise<any> => {
  const a = await answer
  if (a.statusCode >= 300) throw new Error(`${a.statusCode} ${a.body.slice(0, 300)}`)
  return a.data
}

t.test('REL-081, REL-084 from a wrong reading to a settled dispute: nothing moves without a version, everything can be recomputed', async (t) => {
  const { as, core, clock, database } = await testDoor(t, { nowMs: noon }), ada = await as('admin', 'ada'), sofia = await as('settlement', 'sofia'), amir = await as('approver', 'amir')
  await homes(ada, 2)
  core.timetable.start()
  const rows = (home: number, d: number) => Array.from({ length: 32 }, (_, i) => ({ servicePoint: `home-${home}`, start: at(start - 14_400 + d * 86_400 + i * 900), minutes: 15, Wh: d === 0 && i >= 16 && i < 24 ? 500 : 1500 }))
  const dispatch = await good(ada('POST', 'dispatches', { program: 'peak', power_kW: 8, start: at(start), duration: 'PT2H' }))
  await core.timetable.settled()
  await clock.advance((start + 7260) * 1000 - noon)
  for (const home of [0, 1]) await good(ada('POST', 'readings', { readings: [0, -1, -2, -5, -6, -7, -8, -9, -12, -13, -14].flatMap((d) => rows(home, d)) }))
  await core.timetable.settled()
  await good(ada('POST', `dispatches/${dispatch.id}/verify`, {}))
  const settle = async (): Promise<any> => {
    const run = await good(sofia('POST', 'settlement-runs', { ...period, reason: 'July' }))
    await good(amir('POST', `settlement-runs/${run.id}/approve`, {}))
    return await good(sofia('POST', `settlement-runs/${run.id}/issue`, {}))
  }
  const first = await settle(), home = (await good(ada('GET', 'service-points/home-0'))).id
  const statementOf = async (run: string) => (await good(sofia('GET', `statements?run=${run}&servicePoint=${home}`))).items[0]
  const statement = await statementOf(first.id), paid = first.revenue
  const firstText = JSON.stringify(await good(sofia('GET', `settlement-runs/${first.id}`)))

  // opened from the statement, with evidence; its line waits in the books
  const dispute = await good(ada('POST', 'disputes', { statement: statement.id, line: dispatch.id, reason: 'the meter stood still from 22:00 to 22:30', evidence: ['work order 4711'], party: 'home-0' }))
  t.match((await good(sofia('GET', `statements/${statement.id}`))).disputes, [{ id: dispute.id, line: dispatch.id, state: 'opened' }], 'the settlement shows it')
  t.match((await good(sofia('GET', 'ledger/trial-balance'))).items[0], { balanced: true, accounts: { [`held:${home}`]: statement.amount } })
  t.match(await good(sofia('POST', `disputes/${dispute.id}/comments`, { text: 'seen in the log', evidence: ['log of 15 July'] })), { evidence: ['work order 4711', 'log of 15 July'], state: 'opened' }, 'UX-065 attach and comment')
  await good(sofia('POST', `disputes/${dispute.id}/transitions`, { to: 'underReview' }))
  t.equal((await sofia('POST', `disputes/${dispute.id}/transitions`, { to: 'closed' })).statusCode, 409, 'no step is skipped')
  await good(sofia('POST', `disputes/${dispute.id}/transitions`, { to: 'upheld', reason: 'the meter was replaced' }))
  t.equal((await sofia('POST', `disputes/${dispute.id}/transitions`, { to: 'closed' })).statusCode, 409, 'upheld closes only with a re-run or an adjustment')

  // the correction: the old value stays, the dispatch is verified again, the next run shows the difference
  const corrected = rows(0, 0).slice(16, 18).map((r) => ({ ...r, Wh: 100, quality: 'EDITED' }))
  t.match(await good(ada('POST', 'readings', { readings: corrected })), { corrected: 2 })
  t.match(await database.stores.readings.history('default', home, 'import', start), [{ Wh: 500, sourceVersion: 1 }], 'raw is kept for ever')
  t.equal(JSON.stringify(await good(sofia('GET', `settlement-runs/${first.id}`))), firstText, 'nothing that was issued moved')
  await good(ada('POST', `dispatches/${dispatch.id}/verify`, {}))
  const second = await settle(), changed = await statementOf(second.id)
  t.match(second, { runNumber: 2, supersedes: first.id })
  t.equal(Math.round((Number(changed.amount) - Number(statement.amount)) * 100), Math.round(Number(changed.delta) * 100))
  t.not(changed.delta, '0.00', 'the new statement carries the difference')
  const closed = await good(sofia('POST', `disputes/${dispute.id}/transitions`, { to: 'closed' }))
  t.same(closed.history.map((h: { to: string }) => h.to), ['opened', 'opened', 'underReview', 'upheld', 'closed'])
  t.ok((closed.history as { by: string; at: string }[]).every((h) => h.by !== '' && h.at !== ''), 'who and when')

  // both can be recomputed from what they froze, byte for byte
  for (const id of [first.id, second.id]) {
    const run = (await database.stores.settlementRuns.get('default', id))!
    t.equal(hashOf(run.input), run.inputHash)
    t.equal(hashOf(calculate(run.input as RunInput)), run.resultHash)
  }
  const again = JSON.parse(firstText) as { result: unknown }
  t.same((await good(sofia('GET', `settlement-runs/${first.id}`))).result, again.result)
  t.equal((await good(sofia('GET', `settlement-runs/${first.id}`))).state, 'superseded')
  const book = (await good(sofia('GET', 'ledger/trial-balance'))).items[0]
  t.match(book, { balanced: true, total: '0.00', accounts: { buyer: `-${second.revenue}` } })
  t.not(second.revenue, paid)
  t.notOk(Number(book.accounts[`held:${home}`] ?? 0), 'the hold is gone')
  const trail = (await good(ada('GET', `audit?entity=${dispute.id}`))).items.map((r: { action: string }) => r.action)
  t.same(trail.filter((a: string) => a !== 'command.refused'), ['dispute.open', 'dispute.comment', 'dispute.underReview', 'dispute.upheld', 'dispute.closed'], 'every step is audited')
  t.ok(trail.includes('command.refused'), 'and what was refused')
  t.match(await good(ada('GET', 'audit/verify')), { verified: true })

  // UX-062: one call from the number to its readings
  const lineage = await good(sofia('GET', `lineage?statement=${changed.id}&line=${dispatch.id}`))
  t.match(JSON.stringify(lineage), /EDITED|reading/i)
})

t.test('UX-062 a baseline says its days, why others were dropped, its adjustment and cap, its method and version', async (t) => {
  const { as } = await testDoor(t, { nowMs: noon }), ada = await as('admin', 'ada')
  await homes(ada, 1)
  const rows = [-1, -2, -5, -6, -7, -8, -9, -12].flatMap((d) => Array.from({ length: 32 }, (_, i) => ({ servicePoint: 'home-0', start: at(start - 14_400 + d * 86_400 + i * 900), minutes: 15, Wh: 1500 })))
  await good(ada('POST', 'readings', { readings: [...rows.filter((_, i) => i !== 20), ...Array.from({ length: 32 }, (_, i) => ({ servicePoint: 'home-0', start: at(start - 14_400 + i * 900), minutes: 15, Wh: 3000 }))] }))
  const b = await good(ada('POST', 'baselines', { program: 'peak', start: at(start), duration: 'PT2H', excludedDays: ['2026-07-13'] }))
  t.match(b, { status: 'OK', method: 'CAISO_10IN10', adjustment: 1.2, flags: ['ADJ_CAPPED'], trace: { version: 1, assumed: ['window', 'lookback'], adjustment: { kind: 'multiplicative', uncapped: 2 } } })
  t.equal(b.days.length, 6)
  const why = new Map((b.dropped as { day: string; reason: string }[]).map((d) => [d.day, d.reason]))
  t.same([why.get('2026-07-12'), why.get('2026-07-13'), why.get('2026-07-14'), why.get('2026-06-30')], ['DAY_TYPE', 'EVENT_DAY', 'INCOMPLETE', 'INCOMPLETE'])
  t.match(b.slots[0], { unadjusted_kW: 6, actual_kW: 12 })
  t.ok(Math.abs(b.slots[0].kW - 7.2) < 1e-9)
})
