import t from 'tap'
import { eventLines, modeClaims, scaled } from '#ven-client/csip/control.js'
import type { DERControlValue, Program } from '#ven-client/csip/discover.js'
import { dueStatuses, status, type Decision } from '#ven-client/csip/response.js'
import { timeline } from '#ven-client/timeline.js'

const T = 1_795_560_000, lfdi = '3E4F45AB31EDFE5B67E343E5E4562E31984E23E5'
let n = 0
const control = (more: Partial<DERControlValue> & { start?: number; duration?: number; status?: number; at?: number } = {}): DERControlValue => {
  const { start = T, duration = 3600, status = 0, at = T - 600, ...rest } = more
  return {
    mRID: (++n).toString(16).padStart(4, '0'), creationTime: T - 600, interval: { start, duration }, replyTo: '/rsps/1/rsp', responseRequired: '03',
    EventStatus: { currentStatus: status, dateTime: at, potentiallySuperseded: false }, DERControlBase: { opModTargetW: { multiplier: 0, value: 3000 } }, ...rest,
  } as DERControlValue
}
const program = (primacy: number, controls: DERControlValue[], fallback?: number): Program => ({
  program: { mRID: `P${primacy}`, primacy } as Program['program'], controls,
  defaultControl: fallback === undefined ? undefined : { mRID: `D${primacy}`, DERControlBase: { opModTargetW: { multiplier: 0, value: fallback } } } as Program['defaultControl'],
})
const target = (programs: Program[], at: number): unknown => scaled(timeline(modeClaims(eventLines(programs, lfdi), programs)).at(at * 1000).get('opModTargetW')?.value.value)

t.test('SEP-073 randomizeStart and randomizeDuration draw within their range, both signs, the same after a restart', (t) => {
  for (const range of [600, -600]) {
    const offsets = Array.from({ length: 400 }, (_, i) => {
      const c = control({ mRID: i.toString(16).padStart(8, '0'), randomizeStart: range, randomizeDuration: range })
      const [line] = eventLines([program(1, [c])], lfdi), [again] = eventLines([program(1, [c])], lfdi)
      t.equal(line?.start, again?.start)
      t.equal(line?.end, again?.end)
      const length = ((line?.end ?? 0) - (line?.start ?? 0)) / 1000 - 3600
      t.ok(Math.min(0, range) <= length && length <= Math.max(0, range))
      return (line?.start ?? 0) / 1000 - T
    })
    t.ok(offsets.every((o) => Math.min(0, range) <= o && o <= Math.max(0, range)))
    t.ok(Math.max(...offsets) - Math.min(...offsets) > 550)
  }
  t.end()
})

t.test('SEP-075 a newer event of the same program ends the older one where it starts, for good', (t) => {
  const older = control({ duration: 7200 }), newer = control({ start: T + 1800, duration: 1800, creationTime: T - 10, DERControlBase: { opModTargetW: { multiplier: 1, value: 50 } } })
  const programs = [program(5, [older, newer], 0)]
  t.same([T, T + 1800, T + 3600].map((at) => target(programs, at)), [3000, 500, 0], 'after both the default, not the older one again')
  const lines = eventLines(programs, lfdi)
  t.equal(lines.find((l) => l.control === older)?.supersededAt, (T + 1800) * 1000)
  const other = control({ start: T + 60, creationTime: T, DERControlBase: { opModMaxLimW: 5000 } })
  t.equal(eventLines([program(5, [older, other])], lfdi).find((l) => l.control === older)?.supersededAt, undefined, 'other modes do not supersede')
  t.end()
})

t.test('SEP-076 between programs the lower primacy wins; SEP-064 one mRID is one event', (t) => {
  const feeder = control(), own = control({ creationTime: T - 900, DERControlBase: { opModTargetW: { multiplier: 0, value: 100 } } })
  t.equal(target([program(86, [feeder], 7), program(83, [own], 8)], T + 1), 100)
  t.equal(target([program(86, [feeder], 7), program(83, [own], 8)], T + 3601), 8, 'the better program has the default')
  t.equal(eventLines([program(86, [feeder]), program(83, [feeder])], lfdi).length, 1)
  t.end()
})

t.test('SEP-074 a cancelled event acts no more, its program’s default does', (t) => {
  t.equal(target([program(1, [control({ status: 2, at: T + 60 })], 9)], T + 30), 3000)
  t.equal(target([program(1, [control({ status: 2, at: T + 60 })], 9)], T + 61), 9)
  t.equal(target([program(1, [control({ status: 4, at: T + 60 })], 9)], T + 61), 9)
  t.end()
})

t.test('SEP-080 SEP-181 each status is due once, in order, as the event asks', (t) => {
  const line = (c: DERControlValue) => eventLines([program(1, [c])], lfdi)[0]!
  const life = (c: DERControlValue, times: number[], decision: Decision = 'follow'): number[][] => {
    const said = new Set<number>()
    return times.map((at) => { const due = dueStatuses(line(c), said, decision, at * 1000); due.forEach((s) => said.add(s)); return due })
  }
  const { received, started, completed, optedOut, cancelled, superseded, invalid, late } = status
  t.same(life(control(), [T - 100, T - 50, T, T + 10, T + 3600, T + 4000]), [[received], [], [started], [], [completed], []])
  t.same(life(control({ responseRequired: '01' }), [T - 100, T, T + 3600]), [[received], [], []])
  t.same(life(control({ responseRequired: '00' }), [T - 100, T]), [[], []])
  t.same(life(control(), [T - 100, T, T + 3600], 'optOut'), [[received, optedOut], [], []])
  t.same(life(control(), [T - 100, T], 'reject'), [[received, invalid], []])
  t.same(life(control(), [T + 3601]), [[late]])
  t.same(life(control({ status: 2, at: T + 60 }), [T, T + 60, T + 61]), [[received, started], [cancelled], []])
  t.same(life(control({ status: 4, at: T + 60 }), [T + 61]), [[received, superseded]])
  t.same(life(control({ replyTo: undefined } as never), [T]), [[]])
  t.end()
})
