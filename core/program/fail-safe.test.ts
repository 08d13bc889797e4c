import t from 'tap'
import { end, scene, start, until } from '#core/dispatch/test-scene.js'
import type { FailSafe, FailSafeAsk } from '#core/port/dispatch-channel.js'
import { every } from '#core/port/store/every.js'
import { apply, transition } from '#core/program/enrol.js'
import { judgeMany } from '#core/program/enrol-many.js'
import { keptOf } from '#core/program/fail-safe.js'
import { changeResource, createResource, createServicePoint } from '#core/program/manage-assets.js'
import type { Work } from '#core/work.js'

t.setTimeout(240_000)

const held = (limit_W: number): FailSafe => ({ held: true, by: 'TxDefaultProfile', at: 'stations/x', limit_W, limit_percent: null, confirmed: true })
const nothing: FailSafe = { held: false, reason: 'no station is known' }

t.test('CORE-202 the fail-safe of each device is verified when its enrolment becomes active, kept and audited', async (t) => {
  const { core, database, tenant, me, lines, resources } = await scene(t, { points: 3 }), { stores } = database
  t.match([...(await keptOf(stores, tenant, resources.map((r) => r.id))).values()].map((r) => r.failSafe), Array(3).fill({ held: true, by: 'end of the order' }), 'a channel without a default has the end of each order')
  const asked: FailSafeAsk[] = []
  lines.ocpp.channel.failSafe = async (_, of, asks) => {
    t.equal(of, tenant)
    asked.push(...asks)
    return asks.map((a) => (a.binding.remoteId === 'D-9' ? nothing : held(7000)))
  }
  const enrolled = async (remoteId: string) => await core.transact(async (w) => {
    const point = await createServicePoint(w, me, { name: `sp-${remoteId}`, timeZone: null, gridPath: [], importLimit_W: null, exportLimit_W: null, account: null })
    const resource = await createResource(w, me, { name: `r-${remoteId}`, servicePoint: point.id, kind: 'evse', rated_W: 22_000, cost: '0', minBlock_W: 0, bindings: [{ protocol: 'ocpp', remoteId, control: true }], constraints: {}, state: 'active' })
    const e = await apply(w, me, { program: 'peak', servicePoint: point.id })
    for (const to of ['eligible', 'verified'] as const) await transition(w, me, e.id, { to })
    t.equal((await keptOf(w.stores, tenant, [resource.id])).size, 0, 'not before')
    await transition(w, me, e.id, { to: 'active' })
    return { resource, enrolment: e.id }
  })
  const good = await enrolled('D-8'), bad = await enrolled('D-9')
  t.match(asked.map((a) => [a.resource, a.rated_W, a.binding.remoteId]), [[good.resource.id, 22_000, 'D-8'], [bad.resource.id, 22_000, 'D-9']])
  const kept = await keptOf(stores, tenant, [good.resource.id, bad.resource.id])
  t.match(kept.get(good.resource.id), { binding: { protocol: 'ocpp', remoteId: 'D-8' }, failSafe: held(7000) })
  t.match(kept.get(bad.resource.id), { failSafe: nothing })
  const trail = (await every((page) => stores.audit.list(tenant, {}, page))).filter((a) => a.action === 'failSafe.verify')
  t.match(trail.filter((a) => a.entity === bad.enrolment), [{ actor: 'olga', reason: `0 held, 1 missing: ${bad.resource.id}` }])
})

t.test('CORE-202 a device without a fail-safe is not dispatched, by name, until one is found; a dry run keeps nothing', async (t) => {
  const { core, database, tenant, me, lines, resources, order } = await scene(t, { points: 6 }), { stores } = database, last = resources[5]!
  let asked = 0, answer: FailSafe = nothing
  lines.ocpp.channel.failSafe = async (_, __, asks) => { asked += asks.length; return asks.map(() => answer) }
  t.match(await order({ delta_W: -60_000, dryRun: true }), { plan: { shortfall_W: 0 } })
  t.equal(asked, 0, 'what was verified at enrolment stands')
  // the device behind the point is exchanged: what was verified was another one
  await core.transact((w) => changeResource(w, me, last.id, { bindings: [{ protocol: 'ocpp', remoteId: 'D-new', control: true }] }))
  const dry = await order({ delta_W: -60_000, dryRun: true })
  t.match(dry, { outcome: 'dryRun', plan: { shortfall_W: 10_000, excluded: [{ resource: last.id, reason: 'noFailSafe' }] } })
  t.match((await keptOf(stores, tenant, [last.id])).get(last.id), { binding: { remoteId: 'D-5' } }, 'nothing was kept')
  const without = await order({ delta_W: -60_000 })
  if (without.outcome !== 'issued') return t.fail('not issued')
  t.notOk(without.dispatch.allocation.some((a) => a.resource === last.id))
  t.match((await keptOf(stores, tenant, [last.id])).get(last.id), { binding: { remoteId: 'D-new' }, failSafe: nothing })
  answer = held(3700)
  const later = await order({ delta_W: -10_000, scope: { resources: [last.id] } })
  t.match(later, { outcome: 'issued', dispatch: { allocation: [{ resource: last.id }] } })
  const before = asked
  await order({ delta_W: -1000, start: start - 7200, end: start, scope: { resources: [last.id] } })
  t.equal(asked, before, 'verified once')
})

t.test('CORE-202 a resource that comes after the enrolment, or data of before, is verified before its first order', async (t) => {
  const { core, clock, database, tenant, resources, lines, order } = await scene(t, { points: 3 }), { stores } = database
  for (const r of resources) await stores.documents.remove(tenant, 'core/FailSafe', r.id)
  core.timetable.start()
  t.match(await order({ delta_W: -30_000 }), { outcome: 'issued', plan: { shortfall_W: 0 } })
  t.equal((await keptOf(stores, tenant, resources.map((r) => r.id))).size, 3)
  await until(core, clock, end - 3600)
  t.equal(Object.values(lines).flatMap((l) => l.sent).length, 3)
})

t.test('CORE-021, CORE-202 a program may ask for a fail-safe before activation: reported with everything else that fails', async (t) => {
  const eligibility = { failSafeRequired: true, testRequired: true }
  const { core, me, database, tenant, lines } = await scene(t, { points: 0, program: { rules: { eligibility } } })
  lines.ieee2030_5.channel.failSafe = async (_, __, asks) => asks.map(() => nothing)
  const point = await core.transact(async (w: Work) => {
    const p = await createServicePoint(w, me, { name: 'home', timeZone: null, gridPath: [], importLimit_W: null, exportLimit_W: null, account: null })
    await createResource(w, me, { name: 'inverter', servicePoint: p.id, kind: 'inverter', rated_W: 5000, cost: '0', minBlock_W: 0, bindings: [{ protocol: 'ieee2030_5', remoteId: 'A'.repeat(40), control: true }], constraints: {}, state: 'active' })
    return p
  })
  const wanted = [{ path: 'failSafe', reason: "'inverter' has no fail-safe: no station is known" }, { path: 'test', reason: 'no test passed' }]
  t.match(await core.transact((w) => judgeMany(w, me, [{ program: 'peak', servicePoint: point.id, to: 'active' }])), [{ reasons: wanted }])
  const e = await core.transact((w) => apply(w, me, { program: 'peak', servicePoint: point.id }))
  for (const to of ['eligible', 'verified'] as const) await core.transact((w) => transition(w, me, e.id, { to }))
  t.match(await core.transact((w) => transition(w, me, e.id, { to: 'active' })).catch((x: unknown) => x), { kind: 'conflict', faults: wanted })
  lines.ieee2030_5.channel.failSafe = async (_, __, asks) => asks.map(() => held(0))
  t.match(await core.transact((w) => transition(w, me, e.id, { to: 'active', tested: true })), { state: 'active' })
  t.equal((await database.stores.enrolments.get(tenant, e.id))?.state, 'active')
})
