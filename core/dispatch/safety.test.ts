import t from 'tap'
import { commsCheckTask } from '#core/dispatch/moments.js'
import { cancelDispatch } from '#core/dispatch/cancel.js'
import { reviseDispatch } from '#core/dispatch/revise.js'
import { end, isConflict, protocols, scene, start, until } from '#core/dispatch/test-scene.js'
import { timetable } from '#core/dispatch/timetable.js'
import { every } from '#core/port/store/every.js'
import { handClock } from '#core/port/clock.js'
import { silent } from '#core/port/log.js'
import type { Agenda, AgendaEntry } from '#core/port/store/agenda.js'
import { changeProgram } from '#core/program/manage-program.js'

t.setTimeout(240_000)

t.test('CORE-200, CORE-201, REL-064 a device is told once, ahead, with its own end; with the server gone from then on nothing is missing', async (t) => {
  const { core, clock, order, lines, deliveries } = await scene(t, { points: 3 })
  core.timetable.start()
  const issued = await order({ delta_W: -30_000 })
  if (issued.outcome !== 'issued') return t.fail('not issued')
  await core.timetable.settled()
  await core.timetable.stop()
  const told = protocols.flatMap((p) => lines[p].sent)
  t.equal(told.length, 3, 'all of them before the start')
  for (const o of told) {
    t.equal(o.expiry, end)
    t.equal(o.intervals[0]!.start, start)
    t.equal(o.intervals.at(-1)!.end, end, 'the schedule reaches the end by itself')
    t.ok(o.intervals.every((i, n) => i.end > i.start && (n === 0 || i.start === o.intervals[n - 1]!.end)), 'without a hole')
  }
  await clock.set((end + 60) * 1000)
  t.equal(protocols.flatMap((p) => [...lines[p].sent, ...lines[p].cancelled]).length, 3, 'and no later word was needed')
  // back again: the books catch up, and still nobody is told
  core.timetable.start()
  await until(core, clock, end + 61)
  t.equal(protocols.flatMap((p) => [...lines[p].sent, ...lines[p].cancelled]).length, 3)
  t.ok((await deliveries(issued.dispatch.id)).every((d) => d.state === 'completed'))
})

t.test('CORE-205 on overload the cancel goes first, hands are bounded, and nothing is dropped', async (t) => {
  const clock = handClock(0), order: string[] = [], tasks = ['telemetry', 'deliver', 'cancel', 'report'] as const
  const rows = new Map<string, AgendaEntry & { lease: number }>()
  for (let i = 0; i < 400; i++) rows.set(`${i}`, { id: `${i}`, tenant: 't', task: tasks[i % 4]!, subject: `${i}`, dueAt: 0, attempts: 0, payload: null, lease: 0 })
  // the agenda's contract in memory, so that the order of claiming is the timetable's own
  const agenda = {
    claim: async (now: number, until: number, wanted: readonly string[], limit: number) => {
      const found = [...rows.values()].filter((r) => wanted.includes(r.task) && r.lease <= now).slice(0, limit)
      for (const r of found) r.lease = until
      return found
    },
    done: async (ids: readonly string[]) => { for (const id of ids) rows.delete(id) },
    nextDue: async (wanted: readonly string[]) => ([...rows.values()].some((r) => wanted.includes(r.task)) ? 0 : undefined),
    onAdded: () => () => {},
  } as unknown as Agenda
  let hands = 0, most = 0
  const work = async (entry: AgendaEntry): Promise<void> => {
    most = Math.max(most, ++hands)
    await new Promise((done) => setImmediate(done))
    order.push(entry.task)
    hands--
  }
  const service = timetable({ agenda, clock, log: silent, concurrency: 8, lease_ms: 60_000, tasks: { cancel: work, deliver: work, telemetry: work, report: work } })
  service.start()
  await service.settled()
  await service.stop()
  t.equal(order.length, 400, 'nothing is dropped')
  t.equal(rows.size, 0)
  t.ok(most <= 8, `${most} at once`)
  t.ok(order.lastIndexOf('cancel') < 100 + 8, `the hundred cancels were done by ${order.lastIndexOf('cancel')}`)
})

t.test('REL-011 an order 400 days ahead is told at once and starts on its day, not early', async (t) => {
  const { database, core, clock, tenant, me, resources, order } = await scene(t, { points: 1 })
  for (const days of [30, 90, 400]) {
    const from = start + days * 86_400
    await core.availability.declare(me, [{ resource: resources[0]!.id, start: from, end: from + 3600, down_W: 10_000, up_W: 0, expected_W: 12_000, source: 'test', issuedAt: clock.nowMs() }])
    t.match(await order({ delta_W: -5000, start: from, end: from + 3600 }), { outcome: 'issued' })
  }
  core.timetable.start()
  const states = async (): Promise<string[]> => (await every((page) => database.stores.dispatches.list(tenant, {}, page))).map((d) => (/completed|verified/.test(d.state) ? 'over' : d.state))
  for (const [day, want] of [[29, ['notified', 'notified', 'notified']], [31, ['over', 'notified', 'notified']], [89, ['over', 'notified', 'notified']], [399, ['over', 'over', 'notified']]] as const) {
    await until(core, clock, start + day * 86_400)
    await until(core, clock, start + day * 86_400 + 1)
    await core.timetable.settled()
    t.same(await states(), want, `on day ${day}`)
  }
  await until(core, clock, start + 400 * 86_400)
  await until(core, clock, start + 400 * 86_400 + 1)
  t.equal((await states())[2], 'active')
})

t.test('REL-065 a thousand loads that come back: no ten seconds bring more than a wave\'s share', async (t) => {
  const n = 1000, wave_kW = 400
  const { order } = await scene(t, { points: 1 })
  t.match(await order({ dryRun: true }), { outcome: 'dryRun' })
  const { plan } = await import('#core/dispatch/plan.js')
  const resources = Array.from({ length: n }, (_, i) => ({
    resource: { id: `r${String(i).padStart(4, '0')}`, name: `r${i}`, kind: 'heatPump', rated_W: 5000, cost: '0', minBlock_W: 0, bindings: [{ protocol: 'openadr', remoteId: `${i}`, control: true }], constraints: {}, state: 'active', servicePoint: `s${i}` },
    path: ['F1'], importLimit_W: null, exportLimit_W: null, dispatches: 0, promised: [], beliefs: [{ resource: '', start: start - 900, end: end + 900, down_W: 2000, up_W: 0, expected_W: 4000, source: '', issuedAt: 0 }],
  }))
  const made = plan({
    program: { id: 'p', tenant: 't', limits: {}, rules: { rebound: { recoveryMinutes: 30, waveMinutes: 10, limitPerWave_kW: wave_kW } }, timeZone: 'UTC', direction: 'down', intervalMinutes: 15 },
    order: { delta_W: -n * 2000, start, end, mode: 'merit', priority: 50 }, resources, caps_W: {}, now: start - 3600,
  } as never)
  t.equal(made.shares.length, n)
  const back = new Map<number, number>(), each = made.rebound.power_W / n
  for (const s of made.shares) {
    const at = Math.floor(s.intervals.at(-1)!.end / 10)
    back.set(at, (back.get(at) ?? 0) + each)
  }
  t.ok(Math.max(...back.values()) <= wave_kW * 1000, `${Math.max(...back.values())} W in ten seconds`)
  t.ok(back.size > 1, `${back.size} moments of release`)
})

t.test('REL-002, CORE-103, CORE-207 a server that was away from the order to the middle of its window tells it then; silence counts from the telling', async (t) => {
  const { core, clock, order, lines, deliveries } = await scene(t, { points: 3, answer: (o) => (o.resource.name === 'r-0' ? 'sent' : 'acknowledged') })
  const issued = await order({ delta_W: -30_000 })
  if (issued.outcome !== 'issued') return t.fail('not issued')
  await clock.set((start + 600) * 1000)
  core.timetable.start()
  await core.timetable.settled()
  await until(core, clock, start + 601)
  t.equal(protocols.flatMap((p) => lines[p].sent).length, 3, 'told, not given up')
  t.same((await deliveries(issued.dispatch.id)).map((d) => d.state).sort(), ['accepted', 'accepted', 'sent'])
  await until(core, clock, start + 600 + 302)
  t.same((await deliveries(issued.dispatch.id)).map((d) => d.state).sort(), ['accepted', 'accepted', 'noComms'], 'who does not answer within the response window')
})

t.test('CORE-103, REL-002 who is being told at this very moment is not silent, nor who cannot be reached by a server that looks late', async (t) => {
  const { database, core, clock, tenant, order, deliveries } = await scene(t, { points: 1 }), issued = await order({ delta_W: -10_000 })
  if (issued.outcome !== 'issued') return t.fail('not issued')
  await clock.set((start + 600) * 1000)
  const check = async (change: object, late_s: number): Promise<string> => {
    const [d] = await deliveries(issued.dispatch.id)
    await database.stores.deliveries.updateMany([{ ...d!, ...change }])
    await commsCheckTask(core.transact)({ id: '1', tenant, task: 'comms-check', subject: '', dueAt: clock.nowMs() - late_s * 1000, attempts: 1, payload: { dispatch: issued.dispatch.id } })
    return (await deliveries(issued.dispatch.id))[0]!.state
  }
  t.equal(await check({ attempts: 1 }, 0), 'queued', 'its telling is not recorded yet')
  t.equal(await check({ attempts: 2, reason: 'not connected' }, 300), 'queued', 'it may come back with us')
  t.equal(await check({ state: 'sent', sentAt: clock.nowMs() - 299_000 }, 0), 'sent', 'a second is left to answer in')
  t.equal(await check({ state: 'sent', sentAt: clock.nowMs() - 300_000 }, 0), 'noComms')
  t.equal(await check({ state: 'queued', sentAt: null, attempts: 3, reason: 'not connected' }, 0), 'noComms')
})

t.test('REL-068 limits that change while an event runs: it keeps what it was issued under, and both versions are in the trail', async (t) => {
  const { database, core, clock, tenant, me, program, order, deliveries } = await scene(t, { points: 3, program: { limits: { maxDuration_s: 7200 } } })
  core.timetable.start()
  const issued = await order({ delta_W: -30_000 })
  if (issued.outcome !== 'issued') return t.fail('not issued')
  await core.timetable.settled()
  await until(core, clock, start + 60)
  const before = (await deliveries(issued.dispatch.id)).map((d) => JSON.stringify(d.order))
  await core.transact((w) => changeProgram(w, me, 'peak', { limits: { maxDuration_s: 600, maxOrder_kW: 1 }, energyPrice: '9.99' }))
  await until(core, clock, start + 120)
  const now = await database.stores.dispatches.get(tenant, issued.dispatch.id)
  t.match(now, { state: 'active', programVersion: program.programVersion, allocated_W: -30_000, end })
  t.same((await deliveries(issued.dispatch.id)).map((d) => JSON.stringify(d.order)), before, 'to the byte')
  t.match(await order({ delta_W: -3000, start: end + 3600, end: end + 7200 }), { outcome: 'refused', checks: [{ check: 'maxDuration' }] }, 'the next order meets the new rules')
  const { items } = await database.stores.audit.list(tenant, { entity: program.id }, { limit: 100 })
  const changed = items.filter((r) => r.action === 'program.change')
  t.equal(changed.length, 1)
  t.ok(changed[0]!.before !== '' && changed[0]!.after !== '' && changed[0]!.before !== changed[0]!.after, 'before and after, by hash')
  const kept = await database.stores.documents.list(tenant, { kind: 'core/ProgramVersion', parent: program.id })
  t.equal(kept.length, 2, 'and both can be read')
})

t.test('CORE-051, CORE-052, REL-061 cancel against start: what is cancelled before its start never was an event; afterwards it was', async (t) => {
  const { database, core, clock, tenant, me, order } = await scene(t, { points: 2 })
  core.timetable.start()
  const early = await order({ delta_W: -10_000 })
  if (early.outcome !== 'issued') return t.fail('not issued')
  await until(core, clock, start - 1)
  await core.transact((w) => cancelDispatch(w, me, early.dispatch.id))
  await until(core, clock, start + 1)
  t.equal((await database.stores.dispatches.get(tenant, early.dispatch.id))?.state, 'cancelled', 'the start does not revive it')
  // an order for a window that has just begun needs no notice where nobody asks for any
  const late = await order({ delta_W: -10_000 })
  if (late.outcome !== 'issued') return t.fail(JSON.stringify('checks' in late ? late.checks : late.outcome))
  await until(core, clock, start + 2)
  await isConflict(t, core.transact((w) => reviseDispatch(w, me, late.dispatch.id, { delta_W: -5000 })))
  t.match(await core.transact((w) => cancelDispatch(w, me, late.dispatch.id)), { state: 'cancelled' })
})
