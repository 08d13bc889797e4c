import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { flipsOf, keepRun, keptRuns, type FlipRun } from '#conformance/flip-log.js'

const run = (seed: number, verdicts: FlipRun['verdicts'], more: Partial<FlipRun> = {}): FlipRun => ({ set: 'vtn 3.1.1 whole', procedures: 'd1', seed, seconds: 1, verdicts, ...more })

t.test('UX-038 a verdict that is not that of the first run is a flip, told with its seed', async (t) => {
  t.same(flipsOf([run(1, { a: ['PASSED', ''], b: ['FAILED', 'no'] }), run(2, { b: ['FAILED', 'other words'], a: ['PASSED', ''] })]), [], 'order and words do not count')
  t.same(flipsOf([run(1, { a: ['PASSED', ''] }), run(2, { a: ['ERROR', 'late'] }), run(3, { a: ['PASSED', ''] })]), ['a: PASSED, then ERROR with seed 2: late'])
})

t.test('UX-038 twenty runs may be done in parts: the log gives back its own set and procedures only, and survives a kill', async (t) => {
  const file = join(t.testdir({}), 'flips.ndjson')
  t.same(keptRuns(file, 'vtn 3.1.1 whole', 'd1'), [], 'nothing yet')
  const one = run(1, { a: ['PASSED', ''] })
  for (const each of [one, run(1, {}, { set: 'csip csip whole' }), run(2, {}, { procedures: 'd0' })]) keepRun(file, each)
  appendFileSync(file, '{"set":"vtn 3.1.1 whole","proced')
  t.same(keptRuns(file, 'vtn 3.1.1 whole', 'd1'), [one])
})
