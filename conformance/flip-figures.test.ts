import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '#core/package-root.js'
import { better, figureOf, figuresText, type FlipFigure } from '#conformance/flip-figures.js'
import { makeBoard } from '#conformance/report/board.js'
import type { FlipRun } from '#conformance/flip-log.js'

const run = (seed: number, seconds: number, verdicts: FlipRun['verdicts']): FlipRun => ({ set: 'vtn 3.1.1 whole', procedures: 'd', seed, seconds, verdicts })

t.test('UX-038 what is kept of many runs: how many, of what, how long, and each flip in a sentence', async (t) => {
  const runs = [run(1, 40, { a: ['PASSED', ''], b: ['PARTIAL', 'no x'] }), run(2, 30, { a: ['PASSED', ''], b: ['FAILED', 'late'] })]
  t.same(figureOf('d', runs), { runs: 2, procedures: 2, verdicts: { PASSED: 1, PARTIAL: 1 }, seconds: { least: 30, most: 40, sum: 70 }, flips: ['b: PARTIAL, then FAILED with seed 2: late'], digest: 'd' })
  const [many, few] = [figureOf('d', [run(1, 1, {}), run(2, 1, {})]), figureOf('d', [run(1, 1, {})])]
  t.equal(better(many, few), many, 'a clone without the log begins again')
  t.equal(better(few, many), many)
  t.same(better({ ...many, digest: 'other' }, few), few, 'other procedures')
  t.same(better(many, { ...few, flips: ['a'] }).flips, ['a'], 'a flip is never passed over')
  const text = figuresText({ 'vtn 3.1.1 whole': figureOf('d', runs), 'csip csip whole': figureOf('d', runs.slice(0, 1)) })
  t.same(Object.keys(JSON.parse(text) as object), ['csip csip whole', 'vtn 3.1.1 whole'], 'a file of a line a set, in one order')
  t.equal(text.trim().split('\n').length, 4)
})

t.test('UX-014 sets that go side by side share one line of a terminal; a pipe sees finished runs only', async (t) => {
  const said: string[] = [], stream = (isTTY: boolean) => ({ isTTY, columns: 60, write: (text: string) => said.push(text) })
  const onTerminal = makeBoard(stream(true), { TERM: 'xterm' })
  onTerminal.told('vtn 3.1.1 whole', 2, 5, 193)
  onTerminal.told('csip csip whole', 1, 7, 175)
  t.equal(said.at(-1), '\r\u001B[2Kvtn 3.1.1 #2 5/193 · csip csip #1 7/175')
  onTerminal.told('vtn 3.1.1 whole', 2, 193, 193)
  t.equal(said.at(-1), '\r\u001B[2Kcsip csip #1 7/175', 'what is done leaves the line')
  said.length = 0
  const inPipe = makeBoard(stream(false), {})
  inPipe.told('vtn 3.1.1 whole', 2, 5, 193)
  inPipe.line('a run')
  inPipe.end()
  t.same(said, ['a run\n'])
})

t.test('UX-038 the figures that are kept tell of every whole set, and of no flip', async (t) => {
  const text = readFileSync(join(packageRoot(import.meta.url), 'conformance/flips.json'), 'utf8'), kept = JSON.parse(text) as Record<string, FlipFigure>
  t.same(Object.keys(kept), ['csip csip whole', 'csip csip-aus-1.2 whole', 'csip csip-aus-1.3 whole', 'csms 1.6 whole', 'csms 2.0.1 whole', 'csms 2.1 whole', 'est rfc7030 whole', 'ven 3.0.1 whole', 'ven 3.1.1 whole', 'vtn 3.0.1 whole', 'vtn 3.1.1 whole'])
  t.same(Object.values(kept).flatMap(({ flips }) => flips), [])
  t.equal(text, figuresText(kept), 'as `npm run conformance:flips` writes it')
})
