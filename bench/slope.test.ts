import t from 'tap'
import { perHour } from '#bench/slope.js'

const points = (value: (hour: number, i: number) => number): (readonly [number, number])[] => Array.from({ length: 40 }, (_, i) => [i / 40, value(i / 40, i)])

t.test('REL-072 what grows is told from what only sways', async (t) => {
  t.equal(perHour(points((h) => 50 + 3 * h)).middle, 3)
  t.ok(perHour(points((h, i) => 50 + 3 * h + (i % 2) * 0.2)).least > 1, 'growth under noise')
  t.ok(perHour(points((_h, i) => 50 + (i % 3))).least <= 1, 'noise alone')
  t.ok(Math.abs(perHour(points((_h, i) => (i === 20 ? 500 : 50))).middle) < 0.1, 'one outlier')
  t.same(perHour([]), { middle: 0, least: 0 })
})
