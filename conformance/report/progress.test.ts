import t from 'tap'
import type { Result } from '#conformance/procedure.js'
import { inColour, makeProgress, mayColour } from '#conformance/report/progress.js'

const result = { id: 'csip.time' } as Result
function watched(isTTY: boolean, environment: Record<string, string>): { written: string[]; told: (at_ms: number, done: number) => void; end: () => void } {
  const written: string[] = []
  let now = 0
  const progress = makeProgress({ isTTY, write: (text: string) => written.push(text) }, environment, () => now)
  return { written, told: (at_ms, done) => { now = at_ms; progress.told(result, done, 100) }, end: () => progress.end() }
}

t.test('UX-014 on a terminal one line is written over: count, rate, time left; at the end it is gone', async (t) => {
  const { written, told, end } = watched(true, { TERM: 'xterm' })
  told(5000, 10)
  end()
  t.same(written, ['\r\u001B[2K10/100, 2.0 a second, 45 s left  csip.time', '\r\u001B[2K'])
})

for (const [where, isTTY, environment] of [['in a pipe', false, { TERM: 'xterm' }], ['on a dumb terminal', true, { TERM: 'dumb' }]] as const) {
  t.test(`UX-014 ${where} one plain line comes every ten seconds`, async (t) => {
    const { written, told, end } = watched(isTTY, { ...environment })
    for (const [at_ms, done] of [[1, 1], [9999, 50], [10_000, 51], [19_000, 60], [20_001, 61]] as const) told(at_ms, done)
    end()
    t.same(written, ['51/100, 5.1 a second, 10 s left, last csip.time\n', '61/100, 3.0 a second, 13 s left, last csip.time\n'])
  })
}

t.test('UX-014 colour on a terminal only, and not against anybody’s will', async (t) => {
  t.equal(mayColour({ isTTY: true }, { TERM: 'xterm' }, true), true)
  for (const [stream, environment, flag] of [[{ isTTY: false }, {}, true], [{}, {}, true], [{ isTTY: true }, { NO_COLOR: '1' }, true], [{ isTTY: true }, { TERM: 'dumb' }, true], [{ isTTY: true }, {}, false]] as const) t.equal(mayColour(stream, environment, flag), false)
  t.equal(mayColour({ isTTY: true }, { NO_COLOR: '' }, true), true, 'an empty NO_COLOR says nothing')
  t.equal(inColour('PASSED  a\nFAILED  b\n  it FAILED\n'), '\u001B[32mPASSED\u001B[0m  a\n\u001B[31mFAILED\u001B[0m  b\n  it FAILED\n')
})
