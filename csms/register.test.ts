import t from 'tap'
import * as fc from 'fast-check'
import { count, newRegister, type Register } from './register.js'

const T = Date.UTC(2026, 6, 15, 12), quarter = 900_000, day = 86_400_000
const told = (register: Register, at: number, value: number): [number, number][] => count(register, [{ at, value }], 900, false).map(({ start, Wh }) => [(start * 1000 - T) / quarter, Wh])
const running = (): Register => {
  const register = newRegister()
  for (const [i, value] of [[0, 1000], [1, 1100], [2, 1300]] as const) told(register, T + i * quarter, value)
  return register
}

t.test('REL-038, OCPP-173 a sample of the past that says more than later ones has a wrong time: nothing is counted twice, nothing is put in place of what others measured', async (t) => {
  for (const [name, at, value] of [
    ['a minute ago', T + quarter + 60_000, 1350], ['before all that is known', T - 3600_000, 1350], ['since 1970', 0, 1350], ['since 1970, and nothing flowed', 0, 1000],
    ['a day and more ago, and nothing flowed', T - day - 1000, 1000], ['less than one before it', T + quarter + 60_000, 900],
  ] as const) {
    const register = running(), before = structuredClone(register.samples)
    t.same(told(register, at, value), [], name)
    t.same([register.samples, register.resets, register.doubted], [before, 0, 1], name)
    t.same(told(register, T + 3 * quarter, 1400), [[2, 100]], `${name}: the meter counts on`)
  }
})

t.test('OCPP-173, REL-051 what waited and fits is counted: before all, between two, and on either side of an exchange', async (t) => {
  t.same(told(running(), T - quarter, 950), [[-1, 50], [0, 100], [1, 200]])
  t.same(told(running(), T + 1.5 * quarter, 1250), [[1, 200]])
  const exchanged = running()
  told(exchanged, T + 4 * quarter, 20)
  t.equal(exchanged.resets, 1)
  t.same(told(exchanged, T + 3 * quarter, 1500), [[2, 200], [3, 0]], 'of the old meter')
  const other = running()
  told(other, T + 4 * quarter, 20)
  t.same(told(other, T + 3 * quarter, 5), [[2, 0], [3, 15]], 'of the new one')
  t.equal(other.doubted, undefined)
})

t.test('REL-038 a clock that began at 1970 and was put right: no energy is spread over a month and more, and no million intervals are made', async (t) => {
  const register = newRegister()
  t.same(told(register, 0, 1000), [])
  t.same(told(register, T + 60_000, 1010), [])
  t.same(told(register, T + quarter, 1050), [], 'the interval that was under way')
  t.same(told(register, T + 2 * quarter, 1150), [[1, 100]])
})

t.test('REL-038 no wrong time of one sample changes what the meter counted', async () => {
  await fc.assert(fc.property(fc.array(fc.nat(500), { minLength: 3, maxLength: 30 }), fc.integer({ min: -40 * day, max: 0 }), (steps, ago) => {
    const register = newRegister(), intervals = new Map<number, number>()
    let value = 1000
    steps.forEach((step, i) => { for (const [n, Wh] of told(register, T + i * quarter, value += step + 1)) intervals.set(n, Wh) })
    const before = new Map(intervals)
    for (const [n, Wh] of told(register, T + steps.length * quarter + ago - 1, value + 1)) intervals.set(n, Wh)
    return [...before].every(([n, Wh]) => intervals.get(n) === Wh) && intervals.size === before.size
  }))
})
