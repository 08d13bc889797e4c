import t from 'tap'
import { testDoor } from '#core/operator/test-door.js'
import { outranks } from '#core/settlement/stacking.js'

// real databases on a machine that is shared with other tests
t.setTimeout(300_000)

const noon = Date.UTC(2026, 6, 15, 18), start = Date.UTC(2026, 6, 15, 22) / 1000, day = 86_400, hour = 3600
const stacked = ['stack-capacity', 'stack-energy-once', 'free'] as const

/** 15-minute rows from 12:00 to 20:00 in Denver on a day counted from the event's. */
const rows = (point: string, offset: number, Wh: (at: number) => number): object[] => Array.from({ length: 32 }, (_, i) => {
  const at = start - 4 * hour + offset * day + i * 900
  return { servicePoint: point, start: new Date(at * 1000).toISOString(), minutes: 15, Wh: Wh(at) }
})

t.test('CORE-023, CORE-189 all four verdicts from enrolment to settlement: refused, capacity once, energy once, everything', async (t) => {
  const { as, core, clock } = await testDoor(t, { nowMs: noon }), ada = await as('admin', 'ada'), sofia = await as('settlement', 'sofia'), amir = await as('approver', 'amir')
  const ok = async (answer: Promise<{ statusCode: number; body: string; data: any }>): Promise<any> => {
    const a = await answer
    if (a.statusCode >= 300) throw new Error(`${a.statusCode} ${a.body.slice(0, 900)}`)
    return a.data
  }
  const program = (name: string, other: string, verdict: string, priority: number) => ok(ada('POST', 'programs', {
    name, timeZone: 'America/Denver', direction: 'down', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'point' }, currency: 'USD', energyPrice: '0.50', capacityPrice: '10', customerShare: '1', rules: { priority, compatibility: { [other]: verdict } },
  }))
  const home = async (name: string): Promise<void> => {
    await ok(ada('POST', 'service-points', { name, gridPath: ['F1'] }))
    await ok(ada('POST', 'resources', { name, servicePoint: name, kind: 'building', rated_kW: 20, bindings: [{ protocol: 'openadr', remoteId: `ven-${name}` }] }))
    await ok(ada('POST', 'availability', { availability: [{ resource: name, start: '2026-07-15T18:00:00Z', end: '2026-07-16T06:00:00Z', down_kW: 12, up_kW: 0, expected_W: 12_000 }] }))
    await ok(ada('POST', 'readings', { readings: [-1, -2, -5, -6, -7, -8, -9, -12, -13, -14].flatMap((d) => rows(name, d, () => 3000)) }))
  }
  const enrol = (name: string, to: string) => ada('POST', 'enrolments', { program: to, servicePoint: name, nominated_kW: 4, to: 'active', consent: { purpose: 'settlement', grantedAt: '2026-01-01T00:00:00Z' } })

  await program('first-exclusive', 'second-exclusive', 'exclusive', 10)
  await program('second-exclusive', 'first-exclusive', 'free', 50)
  await home('both-exclusive')
  await ok(enrol('both-exclusive', 'first-exclusive'))
  t.match(await enrol('both-exclusive', 'second-exclusive').then((a) => ({ status: a.statusCode, body: a.body })), { status: 409, body: /exclusive with first-exclusive/ }, 'exclusive: the stricter of the two tables')
  t.equal((await ada('PATCH', 'programs/second-exclusive', { rules: { compatibility: { x: 'sometimes' } } })).statusCode, 422)

  // `first` has the higher priority and runs 16-18, `second` 17-19; the home `alone` is in the second only
  for (const v of stacked) {
    await program(`first-${v}`, `second-${v}`, v, 10)
    await program(`second-${v}`, `first-${v}`, v, 50)
    for (const name of [`both-${v}`, `alone-${v}`]) await home(name)
    await ok(enrol(`both-${v}`, `first-${v}`))
    for (const name of [`both-${v}`, `alone-${v}`]) await ok(enrol(name, `second-${v}`))
  }
  core.timetable.start()
  const dispatches: { id: string }[] = []
  for (const v of stacked) for (const [which, at, power_kW] of [['first', 0, 4], ['second', hour, 8]] as const) {
    dispatches.push(await ok(ada('POST', 'dispatches', { program: `${which}-${v}`, power_kW, start: new Date((start + at) * 1000).toISOString(), duration: 'PT2H', mode: 'proportional' })))
  }
  await core.timetable.settled()
  // 4 kW less from 16 to 19 in all homes
  await ok(ada('POST', 'readings', { readings: stacked.flatMap((v) => [`both-${v}`, `alone-${v}`]).flatMap((n) => rows(n, 0, (at) => (at < start || at >= start + 3 * hour ? 3000 : 2000))) }))
  await clock.advance((start + 4 * hour) * 1000 - noon)
  await core.timetable.settled()
  for (let n = 0; n < 60 && (await Promise.all(dispatches.map((d) => ok(ada('GET', `dispatches/${d.id}`))))).some((d) => d.state !== 'verified'); n++) {
    await clock.advance(600_000)
    await core.timetable.settled()
  }
  const points = new Map<string, string>((await ok(ada('GET', 'service-points?limit=1000'))).items.map((p: { id: string; name: string }) => [p.id, p.name]))
  const settle = async (name: string): Promise<{ energy: Record<string, number>; capacity: Record<string, string>; kW: string | undefined; flags: Record<string, string[]>; revenue: string }> => {
    const run = await ok(sofia('POST', 'settlement-runs', { program: name, from: '2026-07-01T00:00:00-06:00', to: '2026-08-01T00:00:00-06:00' }))
    await ok(amir('POST', `settlement-runs/${run.id}/approve`, {}))
    const issued = await ok(sofia('POST', `settlement-runs/${run.id}/issue`, {})), out = { energy: {} as Record<string, number>, capacity: {} as Record<string, string>, kW: undefined as string | undefined, flags: {} as Record<string, string[]>, revenue: issued.revenue as string }
    for (const s of (await ok(sofia('GET', `statements?run=${run.id}&limit=1000`))).items) for (const l of s.body.lines) {
      const who = points.get(s.servicePoint)!.split('-')[0]!
      if (l.kind === 'energy') {
        out.energy[who] = l.paid_kWh
        out.flags[who] = l.flags.filter((f: string) => f === 'ENERGY_PAID_ELSEWHERE')
      } else if (l.kind === 'period') {
        out.capacity[who] = l.amount
        out.kW = l.components.find((c: { kind: string }) => c.kind === 'capacity')?.inputs.kW
      }
    }
    return out
  }
  // 4 kW for two hours each; capacity 10 per kW and month at a factor of 1
  for (const v of stacked) t.match(await settle(`first-${v}`), { energy: { both: 8 }, capacity: { both: '40.00' }, kW: '4', revenue: '44.00', flags: { both: [] } }, `${v}: the program of higher priority pays everything`)
  t.match(await settle('second-free'), { energy: { both: 8, alone: 8 }, capacity: { both: '40.00', alone: '40.00' }, kW: '8', revenue: '88.00' }, 'free: both pay')
  const once = await settle('second-stack-energy-once')
  t.match(once, { energy: { both: 4, alone: 8 }, capacity: { both: '40.00', alone: '40.00' }, kW: '8', revenue: '86.00', flags: { both: ['ENERGY_PAID_ELSEWHERE'], alone: [] } }, 'stack-energy-once: 17-18 is paid by the first')
  const capacity = await settle('second-stack-capacity')
  t.match(capacity, { energy: { both: 8, alone: 8 }, kW: '4', revenue: '48.00' }, 'stack-capacity: energy twice, capacity of one home only')
  t.same(capacity.capacity, { alone: '40.00' }, 'and it goes to the home that has no other')
  t.match((await ok(sofia('GET', 'ledger/trial-balance'))).items, [{ balanced: true }])

  // a table that becomes stricter after the fact: what both claim stops the run, also one that was calculated before
  const waiting = await ok(sofia('POST', 'settlement-runs', { program: 'second-free', from: '2026-07-01T00:00:00-06:00', to: '2026-08-01T00:00:00-06:00' }))
  await ok(amir('POST', `settlement-runs/${waiting.id}/approve`, {}))
  await ok(ada('PATCH', 'programs/first-free', { rules: { priority: 10, compatibility: { 'second-free': 'exclusive' } } }))
  const again = await sofia('POST', 'settlement-runs', { program: 'second-free', from: '2026-07-01T00:00:00-06:00', to: '2026-08-01T00:00:00-06:00' })
  t.match(again.data, { status: 409, faults: [{ reason: /claimed by/ }] })
  t.match((await sofia('POST', `settlement-runs/${waiting.id}/issue`, {})).data, { status: 409, detail: /claimed by two programs/ })
})

t.test('CORE-023, CORE-008 priority: lower wins, 50 where nothing is said, ties by id', (t) => {
  const p = (id: string, priority?: number) => ({ id, rules: priority === undefined ? {} : { priority } })
  t.same([outranks(p('b', 10), p('a')), outranks(p('a'), p('b', 10)), outranks(p('a'), p('b', 50)), outranks(p('b'), p('a'))], [true, false, true, false])
  t.end()
})
