import * as fc from 'fast-check'
import t from 'tap'
import { controlFor, declaredBy, type Declared } from '#csip-server/mode.js'
import { effectOn, eventsAt, effectiveEnd, type EventRecord } from '#csip-server/event-status.js'
import { energiesOf } from '#csip-server/energy.js'
import { scaledInt16, wattsOf } from '#csip-server/power.js'
import { zoneOf } from '#csip-server/resource/time.js'

let n = 0
const event = (more: Partial<EventRecord> = {}): EventRecord => ({
  mRID: `E${String(++n).padStart(3, '0')}`, creationTime: 0, interval: { start: 1000, duration: 600 }, controls: ['opModTargetW'], addressees: [], ...more,
})
const at = (events: EventRecord[], now: number, e: EventRecord) => eventsAt(events, now).status.get(e.mRID)

t.test('SEP-070, SEP-071, SEP-073 scheduled, active, gone', async (t) => {
  const e = event()
  t.match(at([e], 999, e), { currentStatus: 0, dateTime: 0, potentiallySuperseded: false })
  t.match(at([e], 1000, e), { currentStatus: 1, dateTime: 1000 })
  t.match(at([e], 1599, e), { currentStatus: 1 })
  t.equal(at([e], 1600, e), undefined)
  t.same([eventsAt([e], 0).nextChange, eventsAt([e], 1000).nextChange, eventsAt([e], 1600).nextChange], [1000, 1600, Infinity])
  const late = event({ creationTime: 1200 })
  t.match(at([late], 1200, late), { currentStatus: 1, dateTime: 1200 }, 'made in its own interval: active at once')
  const spread = event({ randomizeStart: -60, randomizeDuration: 30 })
  t.match(at([spread], 940, spread), { currentStatus: 1, dateTime: 940 })
  t.equal(effectiveEnd(spread), 1630)
  t.equal(effectiveEnd(event({ randomizeStart: 60, randomizeDuration: -30 })), 1660)
})

t.test('SEP-075 of two events of the same second the later arrival supersedes, whatever their mRIDs', async (t) => {
  const [first, second] = [event({ mRID: 'F2', arrival: 1000, creationTime: 1 }), event({ mRID: 'F1', arrival: 1001, creationTime: 1 })]
  t.same([first, second].map((e) => at([first, second], 1100, e)?.currentStatus), [4, 1])
})

t.test('SEP-074 a cancelled event stays until its end', async (t) => {
  const e = event({ cancelled: { at: 1100, status: 2 } })
  t.match(at([e], 1099, e), { currentStatus: 1 })
  t.match(at([e], 1100, e), { currentStatus: 2, dateTime: 1100 })
  t.match(at([e], 1599, e), { currentStatus: 2 })
  t.equal(at([e], 1600, e), undefined)
})

t.test('SEP-075, SEP-077 superseding inside a program', async (t) => {
  const older = event(), newer = event({ creationTime: 500, interval: { start: 1200, duration: 600 } })
  t.match(at([older, newer], 1199, older), { currentStatus: 1, potentiallySuperseded: true, potentiallySupersededTime: 500 })
  t.match(at([older, newer], 1200, older), { currentStatus: 4, dateTime: 1200 })
  t.equal(at([older, newer], 1600, older), undefined, 'until its own end')
  const long = event({ interval: { start: 1000, duration: 3000 } })
  t.match(at([long, newer], 1800, long), { currentStatus: 4, dateTime: 1200 }, 'for good: it does not come back when the newer one has ended')
  const third = event({ creationTime: 600, interval: { start: 1100, duration: 150 } }), tail = event({ interval: { start: 1250, duration: 3000 } })
  t.match(at([tail, newer, third], 1900, tail), { currentStatus: 1 }, 'a newer one that was itself superseded before its start took nothing')
  t.match(at([older, newer], 1200, newer), { currentStatus: 1, potentiallySuperseded: false })
  const withdrawn = { ...newer, cancelled: { at: 1100, status: 2 as const } }
  t.match(at([older, withdrawn], 1300, older), { currentStatus: 1, potentiallySuperseded: false }, 'a newer one that never ran takes nothing')
  const stopped = { ...newer, cancelled: { at: 1300, status: 2 as const } }
  t.match(at([older, stopped], 1400, older), { currentStatus: 4, dateTime: 1200 }, 'one that ran did')
  t.equal(effectOn(older, event({ creationTime: 5, interval: { start: 1600, duration: 5 } })), 'none', 'adjacent')
  t.equal(effectOn(older, event({ controls: ['opModVoltVar'] })), 'none', 'other controls')
  t.equal(effectOn(older, event({ controls: ['opModTargetW', 'opModConnect'] })), 'potential')
  t.equal(effectOn(older, event({ deviceCategory: '01' })), 'potential')
  t.equal(effectOn(event({ addressees: ['A'] }), event({ addressees: ['B'] })), 'none', 'for other devices')
  t.equal(effectOn(event({ neverSuperseded: true }), event()), 'none', 'SEP-200 text messages')
})

t.test('SEP-072 the next change is never missed and never late', async (t) => {
  const record = fc.record({
    creationTime: fc.integer({ min: 0, max: 500 }), start: fc.integer({ min: 0, max: 500 }), duration: fc.integer({ min: 1, max: 300 }),
    randomizeStart: fc.integer({ min: -50, max: 50 }), randomizeDuration: fc.integer({ min: -50, max: 50 }), controls: fc.subarray(['a', 'b'], { minLength: 1 }),
    cancelled: fc.option(fc.integer({ min: 0, max: 500 })),
  })
  fc.assert(fc.property(fc.array(record, { maxLength: 8 }), (rows) => {
    const events = rows.map(({ start, duration, cancelled, ...r }) => event({ ...r, interval: { start, duration }, ...(cancelled === null ? {} : { cancelled: { at: Math.max(cancelled, r.creationTime), status: 2 as const } }) }))
    const newest = Math.max(0, ...events.map((e) => Math.max(e.creationTime, e.cancelled?.at ?? 0)))
    let now = newest
    for (let steps = 0; steps < 60; steps++) {
      const { status, nextChange } = eventsAt(events, now)
      for (const s of status.values()) if (s.dateTime > now) throw new Error('a status dated in the future')
      if (nextChange === Infinity) return
      const before = JSON.stringify([...eventsAt(events, nextChange - 1).status])
      if (before !== JSON.stringify([...status])) throw new Error('changed before its time')
      now = nextChange
    }
    throw new Error('no end')
  }), { numRuns: 300 })
  t.pass('300 programs walked to their end')
})

t.test('SEP-030, CORE-095 value and multiplier', async (t) => {
  t.match(scaledInt16(100_000, 'halfUp'), { multiplier: 1, value: 10_000, exact: true })
  t.match(scaledInt16(123_456, 'towardsZero'), { multiplier: 1, value: 12_345, exact: false })
  t.match(scaledInt16(-123_456, 'towardsZero'), { multiplier: 1, value: -12_345, exact: false })
  t.match(scaledInt16(32_767, 'halfUp'), { multiplier: 0, value: 32_767 })
  t.match(scaledInt16(0, 'halfUp'), { multiplier: 0, value: 0 })
  fc.assert(fc.property(fc.integer({ min: -2_000_000_000, max: 2_000_000_000 }), (w) => Math.abs(wattsOf(scaledInt16(w, 'towardsZero'))) <= Math.abs(w)))
})

t.test('SEP-147, CORE-090, CORE-094 the mode that the device has', async (t) => {
  const down = { delta_W: -5000, setpoint_W: -6000, limitImport_W: 0 }
  const base = (wanted: typeof down | { delta_W: number; setpoint_W: number | null; limitImport_W: number | null }, d: Declared, profile: 'csip' | 'csip-aus-1.2' = 'csip') => {
    const c = controlFor(wanted, d, profile)
    return c.ok ? c.base : c.reason
  }
  t.same(base(down, {}), { opModTargetW: { multiplier: 0, value: 6000 } }, 'nothing declared: absolute')
  t.same(base(down, { modes: 2 ** 22 }), { opModTargetW: { multiplier: 0, value: 6000 } })
  t.same(base(down, { modes: 2 ** 7, setMaxW: 10_000 }), { opModFixedW: 6000 }, 'percent of setMaxW')
  t.same(base(down, { modes: 2 ** 7, setMaxW: 10_000, setMaxDischargeRateW: 8000 }), { opModFixedW: 7500 })
  t.same(base({ delta_W: 5000, setpoint_W: 4000, limitImport_W: 4000 }, { modes: 2 ** 7, setMaxChargeRateW: 8000 }), { opModFixedW: -5000 }, 'negative of setMaxChargeRateW')
  t.same(base({ delta_W: 1000, setpoint_W: -3333, limitImport_W: 0 }, { modes: 2 ** 20, setMaxW: 10_000 }), { opModMaxLimW: 3333 })
  t.match(base(down, { modes: 2 ** 20, setMaxW: 10_000 }), /no mode/, 'a ceiling on output cannot ask for more of it')
  t.same(base({ delta_W: -500, setpoint_W: 1500, limitImport_W: 1500 }, { doeModes: 2 }, 'csip-aus-1.2'), { opModImpLimW: { multiplier: 0, value: 1500 } })
  t.same(base({ delta_W: 500, setpoint_W: -123_456, limitImport_W: 0 }, { doeModes: 1 }, 'csip-aus-1.2'), { opModExpLimW: { multiplier: 1, value: 12_345 } })
  t.match(base({ delta_W: -5, setpoint_W: null, limitImport_W: null }, { modes: 2 ** 22 }), /forecast/, 'CORE-090')
  t.same(base({ delta_W: -500, setpoint_W: null, limitImport_W: null }, { modes: 2 ** 7, setMaxW: 1000 }), { opModFixedW: 5000 })
  t.same(declaredBy({ modesSupported: '00400080' }, { modesEnabled: '00400000', setMaxW: { multiplier: 1, value: 500 } }), { modes: 2 ** 22, setMaxW: 5000 })
})

t.test('SEP-170, SEP-174 readings to energy and direction', async (t) => {
  const r = (value: number, duration = 900) => [{ value, timePeriod: { start: 900, duration } }]
  t.match(energiesOf({ uom: 72, flowDirection: 1, accumulationBehaviour: 4 }, r(250), false), [{ channel: 'import', Wh: 250, minutes: 15, start: 900 }])
  t.match(energiesOf({ uom: 72, flowDirection: 19 }, r(250), false), [{ channel: 'export', Wh: 250 }])
  t.match(energiesOf({ uom: 72, flowDirection: 1 }, r(-250), false), [{ channel: 'export', Wh: 250 }])
  t.match(energiesOf({ uom: 72, powerOfTenMultiplier: 3 }, r(2), false), [{ channel: 'import', Wh: 2000 }])
  t.match(energiesOf({ uom: 72, powerOfTenMultiplier: -1 }, r(25), false), [{ Wh: 3 }], 'half up')
  t.match(energiesOf({ uom: 38, dataQualifier: 2, flowDirection: 1 }, r(1000), false), [{ Wh: 250 }])
  t.match(energiesOf({ uom: 72 }, r(40), true), [{ channel: 'export' }], 'a DER counts generation positive')
  t.same(energiesOf({ uom: 38, dataQualifier: 12 }, r(1000), false), [], 'a momentary power is no energy')
  t.same(energiesOf({ uom: 72, accumulationBehaviour: 9 }, r(1000), false), [], 'a register is no interval')
})

t.test('SEP-092 summer time of the current year', async (t) => {
  const denver = zoneOf('America/Denver', Date.UTC(2026, 6, 1) / 1000)
  t.same(denver, { tzOffset: -25_200, dstOffset: 3600, dstStartTime: Date.UTC(2026, 2, 8, 9) / 1000, dstEndTime: Date.UTC(2026, 10, 1, 8) / 1000 })
  const sydney = zoneOf('Australia/Sydney', Date.UTC(2026, 6, 1) / 1000)
  t.match(sydney, { tzOffset: 36_000, dstOffset: 3600 })
  t.ok(sydney.dstStartTime > sydney.dstEndTime)
  t.same(zoneOf('UTC', 1_790_000_000), { tzOffset: 0, dstOffset: 0, dstStartTime: 0, dstEndTime: 0 })
})
