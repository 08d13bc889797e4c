import * as fc from 'fast-check'
import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { meter } from '#sim/meter.js'
import { protocolClock } from '#sim/protocol-clock.js'

const T = Date.parse('2026-07-01T12:00:00Z')

t.test('UX-007 a protocol clock follows what the server says, at its own rate, and never trusts a cut second backwards', async (t) => {
  const base = handClock(1_000_000), clock = protocolClock(base, 120)
  clock.sample(T)
  t.equal(clock.nowMs(), T)
  await base.advance(500)
  t.equal(clock.nowMs(), T + 60_000)
  clock.sample(T + 59_000)                       // the same second, cut: no reason to move
  t.equal(clock.nowMs(), T + 60_000)
  clock.sample(T + 61_000)                       // a said time is a lower bound
  t.equal(clock.nowMs(), T + 61_000)
  clock.sample(T - 3_600_000)                    // the server's clock was set back
  t.ok(Math.abs(clock.nowMs() - (T - 3_600_000)) <= 1000)
})

t.test('UX-007 one timer serves any number of waits, in order, also when the time moves under them', async (t) => {
  const base = handClock(0), done: string[] = []
  let armed = 0
  const counting = { ...base, nowMs: base.nowMs, after: (ms: number, task: () => void) => { armed += 1; const timer = base.after(ms, () => { armed -= 1; task() }); return { cancel: () => { armed -= 1; timer.cancel() } } } }
  const clock = protocolClock(counting, 60)
  for (let i = 0; i < 200; i++) clock.after(60_000 + i, () => done.push('early'))
  clock.after(600_000, () => done.push('late'))
  const gone = clock.after(120_000, () => done.push('cancelled'))
  gone.cancel()
  t.equal(armed, 1)
  clock.sample(T)                                // waits that began before the first sample keep their length
  await base.advance(1_100)
  t.equal(done.length, 200)
  clock.sample(clock.nowMs() + 530_000)          // the server is ahead: what is due by its time runs
  await base.advance(200)
  t.equal(done.at(-1), 'late')
  t.equal(armed, 0)
})

t.test('UX-007 energy is the integral of power, however the meter is asked', (t) => {
  const power = (ms: number): number => Math.round(5000 * Math.sin(Math.floor(ms / 300_000)))
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 4_000_000 }), { minLength: 1, maxLength: 30 }), (jumps) => {
    const one = meter(T + 1234, power), other = meter(T + 1234, power)
    let at = T + 1234
    for (const jump of jumps) { at += jump; one.advance(at); one.advance(at - 5) }
    other.advance(at)
    const close = (a: number, b: number): boolean => Math.abs(a - b) < 1e-6 * (1 + Math.abs(a))
    const sum = one.finished().reduce((x, f) => x + f.import_Wh, 0)
    return close(one.register().import_Wh, other.register().import_Wh) && close(one.register().export_Wh, other.register().export_Wh) &&
      close(one.registerAt(Math.floor(at / 900_000) * 900_000) ?? 0, sum)
  }))
  const whole = meter(T + 1, () => 4000)
  t.ok(Math.abs((whole.interval(T, T + 900_000)?.import_Wh ?? 0) - 1000) < 1e-9, 'the interval that it began in is whole')
  t.equal(whole.interval(T - 900_000, T), undefined)
  t.end()
})
