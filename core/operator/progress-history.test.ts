import * as fc from 'fast-check'
import t from 'tap'
import { History } from '#core/operator/progress-history.js'

t.test('UX-046 the sum of an order without some points is the sum of the others, gaps included', async () => {
  const Wh = fc.array(fc.oneof(fc.integer({ min: 0, max: 2 ** 24 }), fc.constant(NaN)), { minLength: 6, maxLength: 6 })
  fc.assert(fc.property(fc.array(fc.tuple(Wh, fc.boolean()), { maxLength: 6 }), (points) => {
    const history = new History(6)
    points.forEach(([own], i) => history.add(`p${i}`, own))
    const counted = points.filter(([, out]) => !out).map(([own]) => own), found = history.without(points.flatMap(([, out], i) => (out ? [`p${i}`] : [])))
    return [...found].every((w, k) => Object.is(w, counted.length === 0 ? NaN : counted.reduce((sum, own) => sum + own[k]!, 0)))
  }))
})

t.test('UX-046 a point that is not known is not missed', async (t) => {
  const history = new History(2)
  history.add('a', [1, 2])
  t.same([[...history.without(['x'])], history.has('a'), history.has('x')], [[1, 2], true, false])
})
