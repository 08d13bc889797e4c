import t from 'tap'
import { handClock } from '#core/port/clock.js'
import type { ReadingInput } from '#core/reading/reading.js'
import { sourceClocks } from '#core/reading/source-clock.js'

const noon = Date.UTC(2026, 6, 15, 12) / 1000
const row = (end: number, change: Partial<ReadingInput> = {}): ReadingInput => ({ servicePoint: 'p', channel: 'import', start: end - 900, minutes: 15, Wh: 100, quality: 'RAW', source: 'ocpp:cs/1', ...change })

t.test('CORE-119, REL-038 a source ahead of us by more than 30 s is kept and flagged, by more than one interval refused with the reason', async (t) => {
  const at = (ahead: number, change: Partial<ReadingInput> = {}) => sourceClocks(handClock((noon - ahead) * 1000))([row(noon, change)])
  t.same([at(0)[0]!.quality, at(30)[0]!.quality, at(31)[0]!.quality, at(300)[0]!.quality, at(900)[0]!.quality], ['RAW', 'RAW', 'SUSPECT', 'SUSPECT', 'SUSPECT'])
  t.match(at(300)[0], { start: noon - 900, Wh: 100, lineage: 'vee:CLOCK_SKEW' }, 'not moved')
  t.equal(at(300, { quality: 'EDITED', lineage: 'm1' })[0]!.lineage, 'm1')
  for (const ahead of [901, 3600, 365 * 86_400]) t.throws(() => at(ahead), /rows cannot be stored/, `${ahead} s`)
})

t.test('CORE-119 the offset of a source is the median of its last messages; another source is not touched; what comes late says nothing', async (t) => {
  const clock = handClock(noon * 1000), look = sourceClocks(clock), quality = (r: ReadingInput) => look([r])[0]!.quality
  for (let i = 0; i < 3; i++) t.equal(quality(row(noon)), 'RAW')
  t.equal(quality(row(noon + 300, { start: noon - 600 })), 'RAW', 'one message is not a clock')
  for (let i = 0; i < 2; i++) quality(row(noon + 300, { start: noon - 600 }))
  t.equal(quality(row(noon + 300, { start: noon - 600 })), 'SUSPECT', 'most of the last five are')
  t.equal(quality(row(noon, { source: 'ocpp:cs/2' })), 'RAW')
  t.equal(quality(row(noon - 86_400, { source: 'ocpp:cs/3' })), 'RAW', 'a day in a queue')
  t.equal(quality(row(noon + 7200, { source: 'import:ada' })), 'RAW', 'a file has no clock')
})

t.test('CORE-119 in a time lapse the tolerance is machine time', async (t) => {
  const lapse = { nowMs: () => (noon - 600) * 1000, rate: 60 }
  t.equal(sourceClocks(lapse)([row(noon)])[0]!.quality, 'RAW')
})
