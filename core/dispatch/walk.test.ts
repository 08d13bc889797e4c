import t from 'tap'
import { assemble } from '#core/assemble.js'
import { cancelDispatch } from '#core/dispatch/cancel.js'
import { releaseDispatch } from '#core/dispatch/release.js'
import { caller, end, isConflict, protocols, scene, start, until } from '#core/dispatch/test-scene.js'
import type { SendOutcome } from '#core/port/dispatch-channel.js'
import { silent } from '#core/port/log.js'
import { every } from '#core/port/store/every.js'
import { createAggregation } from '#core/program/manage-assets.js'
import type { ReadingInput } from '#core/reading/reading.js'
import { approveRun, calculateRun, issueRun } from '#core/settlement/close.js'
import type { PerformanceBody } from '#core/verification/verify.js'
import { verifyChain } from '#core/audit/chain.js'

// real databases on a machine that is shared with other tests
t.setTimeout(240_000)

function history(points: readonly string[], kW: (day: number, slot: number, point: number) => number): ReadingInput[] {
  const rows: ReadingInput[] = []
  points.forEach((servicePoint, p) => {
    for (let at = start - 46 * 86_400; at < end + 6 * 3600; at += 900)
      rows.push({ servicePoint, channel: 'import', start: at, minutes: 15, Wh: Math.round(kW(Math.floor((at - start) / 86_400), Math.floor((at % 86_400) / 900), p) * 250), quality: 'VALID', source: 'import:test' })
  })
  return rows
}

t.test('the walk of the core, on a real database with a clock moved by hand', async (t) => {
  await t.test('CORE-090, CORE-102, CORE-170, CORE-183, CORE-186, CORE-230 an order goes out over three protocols, is measured, verified and settled', async (t) => {
    const { database, core, clock, tenant, me, resources, lines, order, deliveries } = await scene(t)
    const issued = await order()
    if (issued.outcome !== 'issued') return t.fail(JSON.stringify(issued))
    t.equal(issued.dispatch.allocated_W, -30_000)
    core.timetable.start()
    await core.timetable.settled()
    const told = protocols.flatMap((p) => lines[p].sent)
    t.equal(told.length, 3, 'merit takes three of six in full')
    t.strictSame(told[0]?.intervals, [{ start, end, delta_W: -10_000, expected_W: 12_000, setpoint_W: 2_000, limitImport_W: 2_000 }])
    t.ok(told.every((o) => o.expiry === end), 'CORE-200 every order ends')
    t.equal((await database.stores.dispatches.get(tenant, issued.dispatch.id))?.state, 'notified')
    t.ok((await deliveries(issued.dispatch.id)).every((d) => d.state === 'accepted' && d.remoteRef === `ref-${d.id}`))
    await until(core, clock, start)
    t.equal((await database.stores.dispatches.get(tenant, issued.dispatch.id))?.state, 'active')
    const busy = new Set(told.map((o) => o.resource.servicePoint))
    await core.readings.record(me, history([...busy], (day, slot) => (day === 0 && slot >= 88 ? 2 : 12)))
    await until(core, clock, end)
    t.ok((await deliveries(issued.dispatch.id)).every((d) => d.state === 'completed'))
    await until(core, clock, end + 900)
    const dispatch = await database.stores.dispatches.get(tenant, issued.dispatch.id)
    t.equal(dispatch?.state, 'verified')
    const body = (await database.stores.verifications.list(tenant, { dispatch: issued.dispatch.id, kind: 'performance' }, { limit: 10 })).items[0]?.body as PerformanceBody
    t.match(body, { status: 'OK', baseline_kWh: 72, metered_kWh: 12, delivered_kWh: 60, performance: 1 })
    const run = await core.transact((w) => calculateRun(w, me, { program: 'peak', from: start - 86_400, to: start + 86_400 }))
    t.match(run, { state: 'calculated', revenue: '30.00', customerPool: '21.00', aggregator: '9.00', runNumber: 1 })
    await isConflict(t, core.transact((w) => approveRun(w, me, run.id)))
    await core.transact((w) => approveRun(w, caller(tenant, 'paul'), run.id))
    t.equal((await core.transact((w) => issueRun(w, me, run.id))).state, 'issued')
    const statements = (await database.stores.statements.list(tenant, { run: run.id }, { limit: 10 })).items
    t.strictSame(statements.map((s) => s.amount), ['7.00', '7.00', '7.00'])
    t.equal((await database.stores.dispatches.get(tenant, issued.dispatch.id))?.state, 'settled')
    const rerun = await core.transact((w) => calculateRun(w, me, { program: 'peak', from: start - 86_400, to: start + 86_400 }))
    t.match(rerun, { runNumber: 2, supersedes: run.id, resultHash: run.resultHash, inputHash: run.inputHash }, 'CORE-188 same inputs, same result')
    const records: { record: Record<string, string | number>; hash: string }[] = []
    await database.stores.audit.walk(tenant, (batch) => { for (const { hash, ...record } of batch) records.push({ record, hash }) })
    t.ok(records.length > 20 && verifyChain(records).ok, 'the audit chain holds')
    t.equal(resources.length, 6)
  })

  await t.test('CORE-035 the second ask gets the rest; REL-026 then a conflict; CORE-052 cancel gives it back', async (t) => {
    const { core, clock, order, lines, deliveries, me } = await scene(t, { points: 3 })
    core.timetable.start()
    const [first, second] = [await order({ delta_W: -20_000 }), await order({ delta_W: -20_000 })]
    t.match(second, { outcome: 'issued', dispatch: { allocated_W: -10_000, shortfall_W: 10_000 } })
    t.match(await order(), { outcome: 'guarded', checks: [{ check: 'capacity' }] })
    await core.timetable.settled()
    if (first.outcome !== 'issued') return t.fail('not issued')
    await core.transact((w) => cancelDispatch(w, me, first.dispatch.id))
    await core.transact((w) => cancelDispatch(w, me, first.dispatch.id))
    await core.timetable.settled()
    t.equal(protocols.flatMap((p) => lines[p].cancelled).length, 2, 'each device is told once')
    t.ok((await deliveries(first.dispatch.id)).every((d) => d.state === 'cancelled'))
    t.match(await order({ delta_W: -20_000 }), { outcome: 'issued', dispatch: { shortfall_W: 0 } })
    await until(core, clock, end)
  })

  await t.test('REL-026 parallel orders never sell a watt twice', async (t) => {
    const { order } = await scene(t, { points: 4 })
    const answers = await Promise.all(Array.from({ length: 12 }, () => order({ delta_W: -7_000 })))
    const sold = answers.reduce((sum, a) => sum + (a.outcome === 'issued' ? Math.abs(a.dispatch.allocated_W) : 0), 0)
    t.equal(sold, 40_000)
    t.equal(answers.filter((a) => a.outcome === 'guarded').length, 6)
  })

  await t.test('CORE-050 every failing check at once, CORE-203 two persons, REL-067 the confirmation expires', async (t) => {
    const { database, core, clock, order, lines, tenant, me } = await scene(t, { program: { limits: { minNotice_s: 86_400, maxDuration_s: 3600, weekdays: [6, 7], twoPersonAbove_kW: 25 } } })
    const refused = await order()
    if (refused.outcome !== 'refused') return t.fail('not refused')
    t.strictSame(refused.checks.map((c) => c.check), ['minNotice', 'maxDuration', 'allowedWeekdays'])
    const emergency = ['minNotice', 'maxDuration', 'allowedWeekdays']
    const held = await order({ emergency })
    if (held.outcome !== 'pendingRelease') return t.fail('not held')
    core.timetable.start()
    await core.timetable.settled()
    t.equal(protocols.flatMap((p) => lines[p].sent).length, 0, 'nothing is sent')
    await isConflict(t, core.transact((w) => releaseDispatch(w, me, held.dispatch.id)))
    t.equal((await core.transact((w) => releaseDispatch(w, caller(tenant, 'paul'), held.dispatch.id))).state, 'scheduled')
    await core.timetable.settled()
    t.equal(protocols.flatMap((p) => lines[p].sent).length, 3)
    const late = await order({ emergency, delta_W: -26_000, start: end, end: end + 3600 })
    if (late.outcome !== 'pendingRelease') return t.fail('not held')
    await until(core, clock, Math.floor(clock.nowMs() / 1000) + 3600)
    t.equal((await database.stores.dispatches.get(tenant, late.dispatch.id))?.state, 'rejected')
  })

  await t.test('CORE-070, CORE-103, REL-062 refusals and silence are made good once by others, then shown as shortfall', async (t) => {
    const answers: Record<string, SendOutcome['outcome']> = { 'r-0': 'refused', 'r-1': 'sent' }
    const { database, core, clock, order, lines, deliveries, tenant } = await scene(t, { answer: (o) => answers[o.resource.name] ?? 'acknowledged' })
    core.timetable.start()
    const issued = await order()
    if (issued.outcome !== 'issued') return t.fail('not issued')
    await core.timetable.settled()
    await until(core, clock, Math.floor(clock.nowMs() / 1000) + 2)
    let dispatch = await database.stores.dispatches.get(tenant, issued.dispatch.id)
    t.match(dispatch, { revision: 2, allocated_W: -30_000, shortfall_W: 0 })
    await until(core, clock, start - 60)
    await until(core, clock, start - 55)
    dispatch = await database.stores.dispatches.get(tenant, issued.dispatch.id)
    t.match(dispatch, { revision: 3, allocated_W: -30_000, shortfall_W: 0 })
    const states = (await deliveries(issued.dispatch.id)).map((d) => d.state).sort()
    t.strictSame(states, ['accepted', 'accepted', 'accepted', 'noComms', 'rejected'])
    const running = (await deliveries(issued.dispatch.id)).filter((d) => d.state === 'accepted')
    await until(core, clock, start + 60)
    await core.happenings.happened(running.map((d) => ({ tenant, delivery: d.id, state: 'optedOut', at: clock.nowMs() })))
    await core.happenings.happened(running.map((d) => ({ tenant, delivery: d.id, state: 'accepted', at: clock.nowMs() })))
    await until(core, clock, start + 70)
    dispatch = await database.stores.dispatches.get(tenant, issued.dispatch.id)
    t.match(dispatch, { allocated_W: -10_000, shortfall_W: 20_000 }, 'only one is left')
    t.equal(lines.openadr.cancelled.length + lines.ieee2030_5.cancelled.length, 1, 'the silent one is taken back')
  })

  await t.test('CORE-070 headroom of those that obey: the same device gets a restated order and the old one is taken back', async (t) => {
    const answers: Record<string, SendOutcome['outcome']> = { 'r-0': 'refused' }
    const { database, core, clock, order, lines, deliveries, tenant } = await scene(t, { points: 3, program: { mode: 'proportional' }, answer: (o) => answers[o.resource.name] ?? 'acknowledged' })
    core.timetable.start()
    const issued = await order({ delta_W: -15_000 })
    if (issued.outcome !== 'issued') return t.fail('not issued')
    await core.timetable.settled()
    await until(core, clock, Math.floor(clock.nowMs() / 1000) + 5)
    t.match(await database.stores.dispatches.get(tenant, issued.dispatch.id), { revision: 2, allocated_W: -15_000, shortfall_W: 0 })
    await until(core, clock, clock.now() + 5)
    const now = (await deliveries(issued.dispatch.id)).filter((d) => d.state === 'accepted')
    t.strictSame(now.map((d) => d.order.intervals[0]?.delta_W), [-7_500, -7_500])
    t.strictSame(now.map((d) => d.order.intervals[0]?.setpoint_W), [4_500, 4_500])
    t.equal(protocols.flatMap((p) => lines[p].cancelled).length, 2)
  })

  await t.test('REL-002, CORE-207 a worker that dies between saving and telling is replaced; nothing goes into a dead window', async (t) => {
    const { database, core, clock, order, lines, tenant } = await scene(t, { points: 3 })
    const issued = await order(), { agenda } = database.stores
    if (issued.outcome !== 'issued') return t.fail('not issued')
    // the dead one: claimed and never done
    const dead = await agenda.claim(clock.nowMs(), clock.nowMs() + 5000, ['deliver'], 10)
    t.ok(dead.filter((e) => e.tenant === tenant).length === 3)
    core.timetable.start()
    await core.timetable.settled()
    t.equal(protocols.flatMap((p) => lines[p].sent).length, 0, 'leased to the dead one')
    await until(core, clock, clock.now() + 6)
    await core.timetable.settled()
    t.equal(protocols.flatMap((p) => lines[p].sent).length, 3)
    await core.timetable.stop()
    const late = await order({ start: end, end: end + 900, delta_W: -5000 })
    if (late.outcome !== 'issued') return t.fail('not issued')
    await clock.set((end + 1000) * 1000)
    core.timetable.start()
    await core.timetable.settled()
    t.equal(protocols.flatMap((p) => lines[p].sent).length, 3, 'never late')
    t.match((await database.stores.deliveries.of(tenant, late.dispatch.id)).map((d) => d.state), ['noComms'])
  })

  await t.test('CORE-204 stop: everything, one node, then lifted', async (t) => {
    const { core, order, lines, me, deliveries } = await scene(t, { points: 4 })
    core.timetable.start()
    const issued = await order({ delta_W: -40_000 })
    if (issued.outcome !== 'issued') return t.fail('not issued')
    await core.timetable.settled()
    const node = await core.stop.stop(me, { scope: 'node', subject: 'F0', reason: 'smoke' })
    await core.timetable.settled()
    t.match(node, { stored: true, devices: 2 })
    t.equal((await deliveries(issued.dispatch.id)).filter((d) => d.state === 'cancelled').length, 2)
    const begun = performance.now(), all = await core.stop.stop(me, { scope: 'all', reason: 'fire' })
    t.ok(performance.now() - begun < 1000, 'within a second')
    await core.timetable.settled()
    t.ok((await deliveries(issued.dispatch.id)).every((d) => d.state === 'cancelled'))
    t.ok(protocols.flatMap((p) => lines[p].cancelled).length >= 4)
    t.match(await order(), { outcome: 'guarded' })
    await core.stop.lift(me, node.id!, 'clear')
    await core.stop.lift(me, all.id!, 'clear')
    t.match(await order(), { outcome: 'issued' })
  })

  await t.test('CORE-204, REL-066 stop works while the database is read-only, and is stored when it is not', async (t) => {
    const { database, core: writable, clock, order, lines, me, deliveries, ids } = await scene(t, { points: 2 })
    writable.timetable.start()
    const issued = await order({ delta_W: -20_000 })
    if (issued.outcome !== 'issued') return t.fail('not issued')
    await writable.timetable.settled()
    let readOnly = true
    const core = assemble({ database: { ...database, unitOfWork: { run: (work, options) => (readOnly ? Promise.reject(new Error('25006 read-only')) : database.unitOfWork.run(work, options)) } }, clock, ids, log: silent })
    core.connect(Object.fromEntries(protocols.map((p) => [p, lines[p].channel])))
    t.match(await core.stop.stop(me, { scope: 'all', reason: 'fire' }), { stored: false, id: null, devices: 2 })
    t.equal(protocols.flatMap((p) => lines[p].cancelled).length, 2, 'told all the same')
    t.ok(core.stop.stopped(me.tenant, 'any', 'any'), 'and held in memory')
    readOnly = false
    await clock.advance(1000)
    while ((await core.stop.list(me.tenant)).length === 0) await clock.advance(100)
    await writable.timetable.settled()
    t.ok((await deliveries(issued.dispatch.id)).every((d) => d.state === 'cancelled'))
  })

  await t.test('CORE-061, CORE-065 mode optimal names its solver, or says that merit answered', async (t) => {
    const { order } = await scene(t, { points: 4 })
    const solved = await order({ delta_W: -25_000, mode: 'optimal', dryRun: true })
    if (solved.outcome !== 'dryRun') return t.fail('not planned')
    t.equal(solved.dispatch.allocated_W, -25_000)
    t.equal(solved.dispatch.mode, 'optimal')
    t.ok(solved.plan.allocation.solver === 'highs' || solved.dispatch.warnings.some((w) => /SOLVER_.*merit/.test(w)))
    t.comment(solved.plan.allocation.solver)
  })

  await t.test('CORE-068 feeder caps hold over all programs', async (t) => {
    const { database, core, order, me } = await scene(t, { points: 6 })
    await core.transact((w) => createAggregation(w, me, { name: 'F0', hierarchy: 'grid', parent: null, cap_W: 12_000, members: [] }))
    const first = await order({ delta_W: -60_000 })
    t.match(first, { outcome: 'issued', dispatch: { allocated_W: -42_000, shortfall_W: 18_000 } })
    t.equal((await every((page) => database.stores.dispatches.list(me.tenant, {}, page))).length, 1)
  })
})
