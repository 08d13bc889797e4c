import t from 'tap'
import { assemble } from '#core/assemble.js'
import { clockWatch } from '#core/dispatch/clock-watch.js'
import type { Happening } from '#core/dispatch/delivery.js'
import { issueDispatch } from '#core/dispatch/issue.js'
import { solvedPlan } from '#core/dispatch/solve.js'
import type { PlanInput } from '#core/dispatch/plan.js'
import { end, protocols, scene, start, until } from '#core/dispatch/test-scene.js'
import { verifyTask } from '#core/verification/verify.js'
import { Refusal } from '#core/error.js'
import { silent } from '#core/port/log.js'

t.setTimeout(240_000)

t.test('CORE-209, REL-062 half of the fleet silent on a stress day: shown and made good within one response window, without a loop', async (t) => {
  const mute = new Set(['r-0', 'r-1', 'r-2', 'r-3', 'r-4', 'r-5'])
  const { database, core, clock, tenant, order, deliveries } = await scene(t, { points: 12, answer: (o) => (mute.has(o.resource.name) ? 'sent' : 'acknowledged') })
  core.timetable.start()
  const issued = await order({ delta_W: -80_000 })
  if (issued.outcome !== 'issued') return t.fail('not issued')
  await core.timetable.settled()
  await until(core, clock, start - 60)
  await until(core, clock, start - 50)
  const now = await database.stores.dispatches.get(tenant, issued.dispatch.id), all = await deliveries(issued.dispatch.id)
  t.match(now, { allocated_W: -60_000, shortfall_W: 20_000 }, 'the six that answer, and the rest is said')
  t.same(all.filter((d) => d.state === 'noComms').length, 6)
  t.ok(now!.revision <= 3, 'no loop')
  await until(core, clock, end + 1)
  t.ok((await deliveries(issued.dispatch.id)).every((d) => d.state === 'completed' || d.state === 'noComms'))
})

t.test('CORE-209, REL-050, REL-051 duplicate, late and reordered words of devices change nothing twice', async (t) => {
  const { core, clock, tenant, order, deliveries } = await scene(t, { points: 2 })
  core.timetable.start()
  const issued = await order({ delta_W: -20_000 })
  if (issued.outcome !== 'issued') return t.fail('not issued')
  await until(core, clock, start + 60)
  const [d] = await deliveries(issued.dispatch.id), word = (state: Happening['state'], at: number): Happening => ({ tenant, delivery: d!.id, state, at: at * 1000 })
  await core.happenings.happened([word('started', start + 5), word('received', start - 900), word('started', start + 5)])
  await Promise.all([core.happenings.happened([word('completed', start + 50)]), core.happenings.happened([word('started', start + 5)]), core.happenings.happened([word('completed', start + 50)])])
  await core.happenings.happened([word('accepted', start - 800), word('sent', start - 1000)])
  t.match((await deliveries(issued.dispatch.id))[0], { state: 'completed' })
})

t.test('CORE-207, REL-002 a verification that comes before the end was executed waits for it and is not lost', async (t) => {
  const { database, core, clock, tenant, order } = await scene(t, { points: 2 })
  core.timetable.start()
  const issued = await order({ delta_W: -10_000 })
  if (issued.outcome !== 'issued') return t.fail('not issued')
  await until(core, clock, start + 60)
  const state = async () => (await database.stores.dispatches.get(tenant, issued.dispatch.id))?.state
  const early = await verifyTask(core.transact)({ id: 'early', tenant, task: 'verify', subject: 'early', dueAt: 0, attempts: 1, payload: { dispatch: issued.dispatch.id } })
  t.match(early, /its end comes first/, 'it is asked again')
  t.equal(await state(), 'active')
  // an outage over the end and the verification: all moments are due at once, in whatever order they are taken
  await until(core, clock, end + 4 * 3600)
  for (let s = 1; s < 600 && await state() !== 'verified'; s += 30) await until(core, clock, end + 4 * 3600 + s)
  t.equal(await state(), 'verified')
})

t.test('OCPP-141, CORE-120 verification waits for devices that still have measurements to tell, and not longer than was said', async (t) => {
  const { database, core, clock, tenant, order } = await scene(t, { points: 2 })
  core.timetable.start()
  const issued = await order({ delta_W: -10_000 })
  if (issued.outcome !== 'issued') return t.fail('not issued')
  const resource = issued.dispatch.allocation[0]!.resource, hour = 3600
  const state = async () => (await database.stores.dispatches.get(tenant, issued.dispatch.id))?.state
  const verify = () => verifyTask(core.transact)({ id: 'v', tenant, task: 'verify', subject: 'v', dueAt: 0, attempts: 1, payload: { dispatch: issued.dispatch.id } })
  await core.untold.untold(tenant, resource, end + 10 * hour)
  await until(core, clock, end + 4 * hour)
  t.equal(await state(), 'completed', 'the queue is not empty')
  t.match(await verify(), /1 of its devices still have measurements to tell/)
  await core.untold.untold('other', resource, null)
  t.match(await verify(), /1 of its devices/, 'another tenant does not speak for it')
  await core.untold.untold(tenant, resource, null)
  for (let s = 1; s < 600 && await state() !== 'verified'; s += 30) await until(core, clock, end + 4 * hour + s)
  t.equal(await state(), 'verified', 'when all is told')
  await core.untold.untold(tenant, resource, end + 5 * hour)
  t.match(await verify(), /1 of its devices/)
  await until(core, clock, end + 5 * hour)
  t.equal(await verify(), undefined, 'its time is over')
})

t.test('CORE-209, CORE-207, REL-035 the clock jumps an hour ahead in mid-event: what was missed happens once, in its order', async (t) => {
  const { database, core, clock, tenant, order, lines, deliveries } = await scene(t, { points: 3 })
  core.timetable.start()
  const running = await order({ delta_W: -10_000 }), later = await order({ delta_W: -10_000, start: end - 1800, end: end - 900 })
  if (running.outcome !== 'issued' || later.outcome !== 'issued') return t.fail('not issued')
  await until(core, clock, start + 1800)
  const told = protocols.flatMap((p) => lines[p].sent).length
  await until(core, clock, start + 1800 + 3600)
  await until(core, clock, start + 1800 + 3601)
  t.equal(protocols.flatMap((p) => lines[p].sent).length, told, 'nothing is sent twice')
  t.equal((await database.stores.dispatches.get(tenant, later.dispatch.id))?.state, 'active')
  await until(core, clock, end + 3600)
  await until(core, clock, end + 3601)
  for (const d of [running, later]) t.match((await database.stores.dispatches.get(tenant, d.dispatch.id))?.state, /completed|verified/)
  t.ok([...await deliveries(running.dispatch.id), ...await deliveries(later.dispatch.id)].every((d) => d.state === 'completed'))
})

t.test('CORE-209, REL-020 the database pauses: nothing is half done, and the clockwork goes on when it is back', async (t) => {
  const { database, core: sound, clock, tenant, me, ids, lines, order } = await scene(t, { points: 2 })
  let paused = false
  const core = assemble({ database: { ...database, unitOfWork: { run: (work, options) => (paused ? Promise.reject(new Refusal('unavailable', 'the database does not answer')) : database.unitOfWork.run(work, options)) } }, clock, ids, log: silent })
  core.connect(Object.fromEntries(protocols.map((p) => [p, lines[p].channel])))
  const issued = await order({ delta_W: -20_000 })
  if (issued.outcome !== 'issued') return t.fail('not issued')
  paused = true
  core.timetable.start()
  t.teardown(() => core.timetable.stop())
  await new Promise((done) => setImmediate(done))
  t.match(await core.transact((w) => issueDispatch(w, me, { program: 'peak', delta_W: -1000, start, end })).catch((e: unknown) => e), { kind: 'unavailable' })
  await clock.advance(3000)
  t.equal(protocols.flatMap((p) => lines[p].sent).length, 0)
  paused = false
  for (let i = 0; i < 40 && protocols.flatMap((p) => lines[p].sent).length < 2; i++) {
    await clock.advance(5000)
    await core.timetable.settled()
  }
  t.equal(protocols.flatMap((p) => lines[p].sent).length, 2)
  t.equal(sound.stop.stopped(tenant, 'x', 'y'), false)
})

t.test('CORE-065, CORE-067, CORE-206 the solver out of time: merit answers and says so; in time it names what binds', async (t) => {
  const resources = Array.from({ length: 3000 }, (_, i): PlanInput['resources'][number] => ({
    resource: { id: `r${String(i).padStart(5, '0')}`, name: '', kind: 'battery', rated_W: 5000, cost: String((i * 7919) % 101), minBlock_W: 0, bindings: [{ protocol: 'ocpp', remoteId: `${i}`, control: true }], constraints: { energy_Wh: 4000 }, state: 'active', servicePoint: `p${i}` } as unknown as PlanInput['resources'][number]['resource'],
    path: [`F${i % 10}`], importLimit_W: null, exportLimit_W: null, dispatches: 0, promised: [], beliefs: [{ resource: '', start, end, down_W: 4000, up_W: 0, expected_W: 0, source: '', issuedAt: 0 }],
  }))
  const input = { program: { limits: {}, rules: {}, timeZone: 'UTC' }, order: { delta_W: -3_000_000, start, end, mode: 'optimal', priority: 50 }, resources, caps_W: { F0: 100_000 }, now: start - 100 } as unknown as PlanInput
  const late = await solvedPlan(input, 1)
  t.match(late.warnings.join(), /SOLVER_TIMEOUT: allocated by merit/)
  t.equal(late.allocation.solver, 'greedy')
  t.equal(late.unproven.length, 0)
  const found = await solvedPlan(input, 60_000)
  t.match(found, { allocated_W: -3_000_000, unproven: [], allocation: { solver: 'highs' } })
  t.match((await solvedPlan({ ...input, order: { ...input.order, delta_W: -9_000_000 } }, 60_000)).bindingConstraints.join(), /energy of|cap of F0|availability/, 'CORE-067 what binds is named')
})

t.test('CORE-206, CORE-209, REL-035 a clock that jumped: no new order until it has been steady for a minute', async (t) => {
  let wall = 1e12, machine = 0
  const fault = clockWatch(() => wall, () => machine)
  const pass = (ms: number, slip = 0): void => {
    machine += ms
    wall += ms + slip
  }
  pass(10_000, 1500)
  t.equal(fault(), undefined, 'drift')
  pass(1000, -3_600_000)
  t.match(fault(), /jumped by -3600 s/)
  const { database, clock, me, ids } = await scene(t, { points: 1 }), core = assemble({ database, clock, ids, log: silent, clockFault: fault })
  const order = () => core.transact((w) => issueDispatch(w, me, { program: 'peak', delta_W: -1000, start, end }))
  t.match(await order(), { outcome: 'guarded', checks: [{ check: 'clock' }] })
  pass(60_000)
  t.match(await order(), { outcome: 'issued' })
})
