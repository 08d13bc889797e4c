import t from 'tap'
import { behind, pointSoFar, sumSoFar, type PointSoFar } from '#core/verification/progress.js'

const NO = NaN
const point = (servicePoint: string, Wh: number[], more: Partial<PointSoFar> = {}): PointSoFar => ({ servicePoint, Wh: Float64Array.from(Wh), baseline_kW: [4, 4], allocated_W: 2000, ...more })

t.test('UX-046, CORE-118 silence never looks like a reduction', async (t) => {
  const all = [point('a', [1000, 500, 500]), point('b', [1000, 500, NO]), point('c', [1000, NO, NO])]
  t.same(behind(all, 1, 3), [], 'one interval late is only late')
  const later = [point('a', [1000, 500, 500, 500]), point('b', [1000, 500, 500, NO]), point('c', [1000, NO, NO, NO])]
  t.same(behind(later, 1, 4), ['c'], 'further behind leaves both sides')
  t.same(behind([], 0, 3), [])
  t.same(behind([point('a', [NO, NO])], 0, 2), [], 'nobody is behind when nobody is ahead')
})

t.test('UX-046 a sum is said only when every counted point has reported; baseline only inside the event', async (t) => {
  const slots = sumSoFar([point('a', [1000, 500, 250]), point('b', [1000, 500, NO])], { start: 0, step_s: 900, length: 3 }, { start: 900, end: 2700 }, [8, 8])
  t.match(slots, [
    { phase: 'before', actual_kW: 8, baseline_kW: null, reported: 2, points: 2 }, { phase: 'event', actual_kW: 4, baseline_kW: 8, reported: 2 }, { phase: 'event', actual_kW: null, baseline_kW: 8, reported: 1 },
  ])
  t.equal(sumSoFar([], { start: 0, step_s: 900, length: 1 }, { start: 0, end: 900 }, [1])[0]!.actual_kW, null, 'no points, no sum')
})

t.test('UX-046 one point so far: asked and delivered over the intervals it has reported, in either direction', async (t) => {
  t.same(pointSoFar(point('a', [1000, 500, NO]), 'down', 1, 900), { servicePoint: 'a', reported: 1, asked_kWh: 0.5, delivered_kWh: 0.5 })
  t.same(pointSoFar(point('a', [1000, 1500, 1500]), 'up', 1, 900), { servicePoint: 'a', reported: 2, asked_kWh: 1, delivered_kWh: 1 })
  t.same(pointSoFar(point('a', [1000, NO, NO]), 'down', 1, 900), { servicePoint: 'a', reported: 0, asked_kWh: 0, delivered_kWh: null })
  t.equal(pointSoFar(point('a', [1000, 500, 500], { baseline_kW: [] }), 'down', 1, 900).delivered_kWh, null, 'a thin history gives no number')
})
