import { setTimeout as pause } from 'node:timers/promises'
import * as fc from 'fast-check'
import t from 'tap'
import { judged, type Doing, type Habit } from '#core/audit/habit.js'
import { registry } from '#core/operator/registry.js'
import { homes, testDoor } from '#core/operator/test-door.js'

t.setTimeout(300_000)

const noon = Date.UTC(2026, 6, 15, 18)

t.test('SEC-064 every route that changes something leaves a record: who and what when it is done; who, from where and why not when it is refused', async (t) => {
  const { as, core, database } = await testDoor(t, { nowMs: noon }), call = await as('admin', 'ada'), viewer = await as('viewer', 'vera')
  await homes(call, 3)
  await call('POST', 'dispatches', { program: 'peak', power_kW: 5, start: '2026-07-15T20:00:00Z', duration: 'PT1H' })
  const ids: Record<string, string> = { programs: 'peak', 'service-points': 'home-0', resources: 'battery-0', dispatches: (await call('GET', 'dispatches')).data.items[0].id, enrolments: (await call('GET', 'enrolments')).data.items[0].id }
  const count = (): Promise<number> => database.stores.audit.count('default')
  const grows = async (from: number): Promise<boolean> => {
    for (let i = 0; i < 100; i++) {
      if (await count() > from) return true
      await pause(20)
    }
    return false
  }
  const silent: string[] = []
  // what asks and changes nothing, though it is a POST
  const questions = new Set(['POST baselines', 'POST baselines/compute', 'POST baselines/backtest', 'POST baselines/control-group', 'POST service-points/:id/schedule'])
  const bodyOf = (r: (typeof registry)[number]): unknown => (r.path === 'readings' ? { readings: [{ servicePoint: 'home-0', start: '2026-07-01T00:00:00Z', minutes: 15, Wh: 250 }] } : r.example ? { ...r.example as object, ...(r.path === 'dispatches' ? { dryRun: false } : {}) } : {})
  let covered = 0
  for (const r of registry) {
    if (r.method === 'GET') continue
    const url = r.path.replace(/:\w+/g, () => ids[r.path.split('/')[0]!] ?? '00000000-0000-7000-8000-000000000000'), what = `${r.method} ${r.path}`
    covered++
    if (!r.roles.includes('viewer')) {
      const before = await count()
      if ((await viewer(r.method, url, {})).statusCode !== 403) silent.push(`${what} by a viewer`)
      else if (!await grows(before)) silent.push(`${what} refused`)
    }
    const before = await count(), answer = await call(r.method, url, bodyOf(r))
    if (!questions.has(what) && answer.statusCode !== 400 && !await grows(before)) silent.push(`${what} ${answer.statusCode}`)
  }
  t.same(silent, [])
  t.equal(covered, registry.filter((r) => r.method !== 'GET').length, `${covered} routes`)
  const refused = (await call('GET', `audit?entity=${ids.dispatches}&limit=1000`)).data.items.filter((r: { action: string }) => r.action === 'command.refused')
  t.match(refused[0], { actor: 'vera', reason: /^403 POST \/api\/v1\/dispatches\/:id\/\w+ from 127\.0\.0\.1$/ })
  const auditor = await as('auditor', 'otto')
  t.equal((await auditor('GET', 'audit')).statusCode, 200, 'an auditor reads it')
  t.same(await Promise.all(registry.filter((r) => r.method !== 'GET' && r.roles.includes('auditor')).map((r) => r.path)).then((paths) => paths.filter((p) => !p.startsWith('baselines') && p !== 'aggregates')), [], 'and can change nothing')
  t.equal((await call('GET', 'audit/verify')).data.verified, true)
  await core.timetable.stop()
})

const empty: Habit = { sizes_W: [], hours: Array.from({ length: 24 }, () => 0), recent: {}, alarmed: {} }
const after = (doings: readonly Doing[], habit = empty): { habit: Habit; unusual: string[] } => doings.reduce<{ habit: Habit; unusual: string[] }>((so, d) => {
  const { habit: next, unusual } = judged(so.habit, d)
  return { habit: next, unusual: [...so.unusual, ...unusual] }
}, { habit, unusual: [] })
const day = 86_400_000, order = (n: number, size_W = 1000, at = noon): Doing => ({ what: 'order', size_W, at: at + n * day })

t.test('SEC-069 unusual size, hour and rate, each once in ten minutes; the usual raises nothing', async (t) => {
  t.same(after(Array.from({ length: 60 }, (_, n) => order(n, 1000 + (n % 7) * 300))).unusual, [], 'two months of the same')
  const used = after(Array.from({ length: 30 }, (_, n) => order(n))).habit
  t.match(judged(used, order(30, 3001)).unusual, ['order of unusual size: 3001 W, the largest so far were 1000 W'])
  t.same(judged(used, order(30, 3000)).unusual, [])
  t.match(judged(used, order(30, 1000, noon + 9 * 3_600_000)).unusual, ['order of unusual hour: 3:00 UTC, never before near that hour'])
  t.same(judged(used, order(30, 1000, noon + 3_600_000)).unusual, [], 'an hour later is near')
  t.same(judged(after([order(0), order(1), order(2)]).habit, order(3, 1_000_000)).unusual, [], 'of a newcomer nothing is known yet')
  const mass = after(Array.from({ length: 40 }, (_, n): Doing => ({ what: 'cancel', at: noon + n * 1000 })))
  t.same(mass.unusual, ['cancel of unusual rate: 11 cancels in ten minutes'], 'forty cancels, one alarm')
  t.same(after(Array.from({ length: 40 }, (_, n): Doing => ({ what: 'cancel', at: noon + n * 61_000 }))).unusual, [], 'one a minute is work')
  fc.assert(fc.property(fc.array(fc.record({ what: fc.constantFrom<Doing['what']>('order', 'cancel', 'export'), size_W: fc.integer({ min: 1, max: 1e7 }), step: fc.integer({ min: 0, max: 1e6 }) }), { maxLength: 120 }), (list) => {
    let at = noon
    const { habit } = after(list.map(({ what, size_W, step }) => ({ what, at: (at += step), ...(what === 'order' ? { size_W } : {}) })))
    return habit.sizes_W.length <= 50 && Object.values(habit.recent).every((r) => (r?.length ?? 0) <= 21)
  }))
})

t.test('SEC-069 over the API: a mass cancel and a bulk export raise an alarm at once, with a name, that webhooks can hear; the export itself is in the trail', async (t) => {
  const { as } = await testDoor(t, { nowMs: noon }), call = await as('operator', 'mallory'), admin = await as('admin', 'ada')
  await homes(call, 1)
  for (let i = 0; i < 11; i++) {
    const d = await call('POST', 'dispatches', { program: 'peak', power_kW: 1, start: '2026-07-15T20:00:00Z', duration: 'PT1H' })
    await call('POST', `dispatches/${d.data.id}/cancel`, { reason: 'x' })
  }
  for (let i = 0; i < 11; i++) t.equal((await admin('GET', 'exports/readings?format=csv')).statusCode, 200)
  const trail = (await admin('GET', 'audit?limit=1000')).data.items as { action: string; actor: string; reason: string }[]
  t.same(trail.filter((r) => r.action === 'alarm.unusual').map((r) => [r.actor, r.reason]), [['mallory', 'cancel of unusual rate: 11 cancels in ten minutes'], ['ada', 'export of unusual rate: 11 exports in ten minutes']])
  t.equal(trail.filter((r) => r.action === 'reading.export').length, 11)
  t.equal((await (await as('viewer'))('GET', 'exports/readings')).statusCode, 403, 'it needs a role')
})
