import * as fc from 'fast-check'
import t from 'tap'
import { atEnd, deliveryStates, heard, lost } from '#core/dispatch/delivery-states.js'
import type { Delivery, DeliveryState, Happening } from '#core/dispatch/delivery.js'
import { dispatchStates } from '#core/dispatch/dispatch-states.js'
import { forecast } from '#core/dispatch/forecast.js'
import { guards } from '#core/dispatch/guard.js'
import { afterWord } from '#core/dispatch/happened.js'
import { freePower, plan, type PlanInput } from '#core/dispatch/plan.js'
import { violation } from '#core/dispatch/protection.js'
import { publishingChecks } from '#core/dispatch/publishing-checks.js'
import { changeable } from '#core/dispatch/revise.js'
import { enrolmentStates } from '#core/program/enrolment-states.js'
import type { Program } from '#core/program/program.js'
import { activation, screen, verdict } from '#core/program/screening.js'
import { disputeStates } from '#core/settlement/dispute-states.js'
import { runStates } from '#core/settlement/run-states.js'
import { advance, next } from '#core/state-table.js'
import { evaluate, evaluationPlan } from '#core/verification/evaluate.js'
import { resample } from '#core/verification/resample.js'

const words = Object.keys(deliveryStates) as DeliveryState[]

t.test('CORE-102, CORE-103, REL-051 a delivery never moves backwards, whatever comes in whatever order', async (t) => {
  const final: readonly DeliveryState[] = ['completed', 'rejected', 'cancelled'], order: readonly DeliveryState[] = ['queued', 'sent', 'delivered', 'received', 'accepted', 'started', 'completed']
  fc.assert(fc.property(fc.array(fc.constantFrom(...words), { maxLength: 12 }), (said) => {
    let state: DeliveryState = 'queued', reached = 0
    for (const word of said) {
      const before: DeliveryState = state
      state = heard(state, word) ?? state
      if (final.includes(before) && state !== before) return false
      if (before !== 'noComms' && before !== 'superseded' && before !== 'optedIn' && before !== 'optedOut' && before !== 'partial') {
        const place = order.indexOf(state)
        if (place >= 0 && place < reached) return false
      }
      reached = order.includes(state) ? order.indexOf(state) : 0
    }
    return true
  }))
  t.equal(atEnd('sent'), 'noComms')
  t.equal(atEnd('started'), 'completed')
  t.equal(atEnd('optedOut'), undefined)
  t.ok(lost.has('optedOut') && !lost.has('partial'))
})

t.test('REL-050 a word said twice changes nothing the second time', async (t) => {
  const delivery = { state: 'sent', reason: null, remoteRef: null, sentAt: 1, deliveredAt: null, acknowledgedAt: null, stateAt: 1 } as unknown as Delivery
  const word: Happening = { tenant: 't', delivery: 'd', state: 'accepted', at: 5 }
  const once = afterWord(delivery, word, 10)
  t.match(once, { state: 'accepted', acknowledgedAt: 5, deliveredAt: 5 })
  t.equal(afterWord(once, word, 11), once)
})

t.test('CORE-020 every transition of the enrolment table, and nothing else', async (t) => {
  const allowed = Object.entries(enrolmentStates).flatMap(([from, row]) => Object.keys(row).map((to) => `${from}>${to}`)).sort()
  t.strictSame(allowed, ['active>suspended', 'active>withdrawn', 'applied>eligible', 'applied>expired', 'applied>rejected', 'applied>withdrawn', 'eligible>expired', 'eligible>rejected', 'eligible>verified', 'eligible>withdrawn',
    'expired>withdrawn', 'suspended>active', 'suspended>withdrawn', 'verified>active', 'verified>expired', 'verified>withdrawn'])
  t.throws(() => advance(enrolmentStates, 'withdrawn', 'active', 'enrolment'), /withdrawn, which does not allow 'active'/)
})

t.test('core-dr.md §6, CORE-186, CORE-192 the other tables', async (t) => {
  t.equal(next(dispatchStates, 'active', 'cancel', 'dispatch'), 'cancelled')
  t.match(next(dispatchStates, 'completed', 'cancel', 'dispatch'), { kind: 'conflict' })
  t.match(next(dispatchStates, 'draft', 'cancel', 'dispatch'), { kind: 'conflict' })
  t.match(next(runStates, 'calculated', 'issue', 'settlement run'), { kind: 'conflict' })
  t.equal(next(runStates, 'issued', 'supersede', 'settlement run'), 'superseded')
  t.match(next(disputeStates, 'opened', 'upheld', 'dispute'), { kind: 'conflict' })
})

const program = (change: Partial<Program> = {}) => ({ limits: {}, timeZone: 'America/Denver', direction: 'down', intervalMinutes: 15, state: 'open', rules: {}, ...change }) as unknown as Program
const start = Date.UTC(2026, 6, 15, 22) / 1000

t.test('CORE-050, CORE-054 publishing checks: notice in seconds, limits in local days, an event over midnight counts on its start day', async (t) => {
  const ask = (limits: Program['limits'], earlier: { start: number; end: number }[] = [], change = {}) => publishingChecks({
    program: program({ limits }), window: { start, end: start + 7200 }, delta_W: -1000, now: start - 3600, earlier, available_W: 5000, ...change,
  }).failed.map((c) => c.check)
  t.strictSame(ask({}), [])
  t.strictSame(ask({ minNotice_s: 3600 }), [])
  t.strictSame(ask({ minNotice_s: 3601 }), ['minNotice'])
  t.strictSame(ask({ hours: [16, 18] }), [])
  t.strictSame(ask({ hours: [17, 24] }), ['allowedHours'])
  t.strictSame(ask({ seasonFrom: '2026-06-01', seasonTo: '2026-07-14' }), ['seasonDates'])
  // 23:30 local the day before until after midnight: counts yesterday
  const late = { start: start - 16.5 * 3600, end: start - 15 * 3600 }
  t.strictSame(ask({ maxEventsPerDay: 1 }, [late]), [])
  t.strictSame(ask({ maxEventsPerMonth: 1, minRest_s: 86_400 }, [late]), ['maxEventsPerMonth', 'minRest'])
  t.strictSame(ask({ maxShareOfAvailability: 0.1 }), ['availability'])
  t.strictSame(ask({}, [], { delta_W: 1000 }), ['direction'])
  const emergency = publishingChecks({ program: program({ limits: { minNotice_s: 9999, maxDuration_s: 1 } }), window: { start, end: start + 7200 }, delta_W: 1, now: start, earlier: [], available_W: 5 }, ['minNotice', 'maxDuration', 'direction'])
  t.strictSame([emergency.failed.map((c) => c.check), emergency.overridden.map((c) => c.check)], [['direction'], ['minNotice', 'maxDuration']])
  t.strictSame(guards(program({ limits: { maxOrder_kW: 1 }, rules: { maxInstructions: 5, maxRamp_kW_per_min: 1 } }), { delta_W: -2000, instructions: Array.from({ length: 6 }, () => ({ path: [] })) }).map((c) => c.check), ['maxOrder', 'maxRamp', 'maxInstructions'])
})

t.test('CORE-051 a running event can only be cancelled or end later', async (t) => {
  const now = { start: 0, end: 10, delta_W: -5 }
  t.equal(changeable('notified', now, { start: 1, end: 9, delta_W: -9 }), undefined)
  t.equal(changeable('active', now, { ...now, end: 20 }), undefined)
  t.ok(changeable('active', now, { ...now, end: 9 }))
  t.ok(changeable('active', now, { ...now, delta_W: -4 }))
  t.ok(changeable('completed', now, { ...now, end: 20 }))
})

t.test('CORE-021, CORE-022, CORE-023 screening is data and reports all at once', async (t) => {
  const point = { gridPath: ['F1'] }, resource = { kind: 'battery', rated_W: 500, bindings: [{ protocol: 'ocpp' }] }
  const failing = screen(program({ rules: { eligibility: { nodes: ['F2'], kinds: ['heatPump'], protocols: ['openadr'], minPower_W: 1000, minHistoryDays: 10, maxMeterMinutes: 15 } } }), { point, resources: [resource], historyDays: 3, meterMinutes: 60 } as never)
  t.strictSame(failing.map((f) => f.rule), ['node', 'kind', 'protocol', 'minPower', 'history', 'meterInterval'])
  t.strictSame(activation(program(), { consent: { purpose: 'x', grantedAt: 'x', withdrawnAt: 'y' } } as never, false).map((f) => f.rule), ['consent'])
  const a = { id: 'a', name: 'A', rules: { compatibility: { b: 'free' } } }, b = { id: 'b', name: 'B', rules: { compatibility: { A: 'stack-capacity' } } }
  t.equal(verdict(a, b), 'stack-capacity')
  t.equal(verdict(a, { ...b, rules: {} }), 'free')
  t.equal(verdict({ ...a, rules: {} }, { ...b, rules: {} }), 'exclusive')
})

t.test('CORE-035, CORE-072, REL-060, REL-061 random fleets: never beyond what is free, the caps or the order, to the watt', async (t) => {
  const fleet = fc.array(fc.record({ avail: fc.integer({ min: 0, max: 9000 }), held: fc.integer({ min: 0, max: 9000 }), feeder: fc.integer({ min: 0, max: 2 }), cost: fc.integer({ min: 0, max: 3 }) }), { minLength: 1, maxLength: 30 })
  fc.assert(fc.property(fleet, fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 0, max: 20_000 }), fc.constantFrom('merit' as const, 'proportional' as const, 'rotation' as const), fc.boolean(), (made, target, cap, mode, down) => {
    const sign = down ? -1 : 1, end = start + 3600
    const resources = made.map((m, i) => ({
      resource: { id: `r${String(i).padStart(2, '0')}`, kind: 'battery', rated_W: 9000, cost: String(m.cost), minBlock_W: 0, bindings: [{ protocol: 'ocpp', remoteId: `${i}`, control: true }], constraints: {}, state: 'active', servicePoint: 'p', name: '' },
      path: [`F${m.feeder}`], importLimit_W: null, exportLimit_W: null, dispatches: 0, promised: m.held === 0 ? [] : [{ start: start - 60, end: start + 60, delta_W: sign * m.held }],
      beliefs: [{ resource: '', start: start - 900, end, down_W: m.avail, up_W: m.avail, expected_W: 100, source: '', issuedAt: 0 }],
    }))
    const found = plan({ program: program(), order: { delta_W: sign * target, start, end, mode, priority: 5 }, resources, caps_W: { F0: cap }, now: start - 100 } as unknown as PlanInput)
    const total = found.shares.reduce((sum, s) => sum + s.allotment.delta_W, 0)
    const below = found.shares.filter((s) => s.of.path.includes('F0')).reduce((sum, s) => sum + Math.abs(s.allotment.delta_W), 0)
    return total === found.allocated_W && Math.abs(total) + found.shortfall_W === target && below <= cap
      && found.shares.every((s) => Math.abs(s.allotment.delta_W) <= Math.max(0, made[Number(s.allotment.resource.slice(1))]!.avail - made[Number(s.allotment.resource.slice(1))]!.held) && s.intervals.every((i) => i.delta_W === s.allotment.delta_W && (i.limitImport_W ?? 0) >= 0))
  }), { numRuns: 300 })
  t.equal(freePower(10, [{ start: 0, end: 5, delta_W: -4 }, { start: 5, end: 9, delta_W: -6 }, { start: 0, end: 9, delta_W: 3 }], { start: 0, end: 9 }, -1), 4, 'promises that follow one another do not add up')
})

t.test('CORE-030, CORE-206 what is believed, else the last belief, else the rating', async (t) => {
  const belief = (from: number, to: number, down_W: number, expected_W?: number) => ({ resource: 'r', start: from, end: to, down_W, up_W: 0, source: 's', issuedAt: 0, ...(expected_W === undefined ? {} : { expected_W }) })
  const window = { start: 100, end: 200 }, r = { kind: 'building', rated_W: 50 }
  t.match(forecast(r, [belief(0, 150, 9, 30), belief(150, 300, 7, 40)], window, 'down'), { avail_W: 7, source: 'believed', expected: [{ start: 100, end: 150, expected_W: 30 }, { start: 150, end: 200, expected_W: 40 }] })
  t.match(forecast(r, [belief(0, 90, 9)], window, 'down'), { avail_W: 9, source: 'persisted', expected: [{ expected_W: null }] })
  t.match(forecast(r, [], window, 'down'), { avail_W: 50, source: 'rating', expected: [{ expected_W: 50 }] })
  t.match(forecast({ ...r, kind: 'battery' }, [], window, 'down'), { expected: [{ expected_W: 0 }] })
})

t.test('CORE-208 the second look blocks what the first let through', async (t) => {
  const interval = (delta_W: number, setpoint_W: number | null) => [{ start: 0, end: 10, delta_W, expected_W: 0, setpoint_W, limitImport_W: null }]
  const limits = { resource: { rated_W: 100, constraints: {} }, importLimit_W: 80, exportLimit_W: 50 }
  t.equal(violation(interval(-40, -40), limits), undefined)
  t.match(violation(interval(-60, -60), limits), /export limit/)
  t.match(violation(interval(90, 90), limits), /import limit/)
  t.match(violation(interval(-201, null), limits), /rated/)
  t.match(violation(interval(-1, null), { ...limits, resource: { rated_W: 100, constraints: { medical: true } } }), /medical/)
})

t.test('CORE-152 meter before and after as the method of a program, with thin data as a result', async (t) => {
  const event = { start, end: start + 3600 }, from = start - 4 * 900, Wh = Float64Array.from([3000, 3000, 3000, 3000, 1000, 1000, 1000, 1000, 2000, 2000, 2000])
  const rules = (parameters = {}) => ({ baseline: { method: 'METER_BEFORE_AFTER', level: 'point' as const, parameters }, timeZone: 'America/Denver', intervalMinutes: 15, holidays: [] })
  t.match(evaluate(evaluationPlan(rules(), event), 'down', { from, step_s: 900, Wh }, []), { status: 'OK', baseline_kWh: 12, metered_kWh: 4, delivered_kWh: 8 })
  t.match(evaluate(evaluationPlan(rules({ interpolate: true }), event), 'down', { from, step_s: 900, Wh }, []), { status: 'OK', baseline_kWh: 10 })
  Wh[3] = NaN
  t.match(evaluate(evaluationPlan(rules(), event), 'down', { from, step_s: 900, Wh }, []), { status: 'INSUFFICIENT_DATA', delivered_kWh: null, reasons: [/missing/] })
})

t.test('CORE-121, CORE-124 five-minute readings become quarter hours by sum; a missing part makes the whole missing', async (t) => {
  t.strictSame([...resample([0, 300, 600, 900, 1500], [1, 2, 3, 4, 5], 0, 1800, 900)], [6, NaN])
  t.strictSame([...resample([0, 900], [7, 8], 0, 2700, 900)], [7, 8, NaN])
})
