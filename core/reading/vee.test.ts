import * as fc from 'fast-check'
import t from 'tap'
import { clockOffset, clockVerdict, estimateGaps, mayRank, resample, spikeCheck, sumAgrees, validate } from '#core/reading/vee.js'

t.test('CORE-116 only measured values may rank a baseline day', async (t) => {
  t.same((['RAW', 'VALID', 'EDITED', 'SUSPECT', 'EST_LINEAR', 'EST_LIKEDAY', 'EST_PROFILE', 'MISSING'] as const).map(mayRank), [true, true, true, false, false, false, false, false])
})

t.test('CORE-117 every finding of a stretch is named with its place', async (t) => {
  const row = (start: number, Wh: number, seconds = 900) => ({ start, seconds, Wh })
  t.same(validate([row(0, 100), row(900, 100)], { intervalSeconds: 900 }), [])
  const found = validate([row(0, 100), row(450, -5, 600), row(1800, 9000), row(2700, 0), row(3600, 0)], { intervalSeconds: 900, rating_W: 10_000, importOnly: true, zeroRun: 2 })
  t.same(found.map((f) => `${f.index} ${f.finding}`), ['1 LENGTH', '1 ALIGNMENT', '1 OVERLAP', '1 NEGATIVE_IMPORT', '2 GAP', '2 RANGE', '4 ZERO_RUN'])
  t.ok(validate([1, 1, 1, 9, 1].map((v, i) => row(i * 900, v)), { intervalSeconds: 900 }).some((f) => f.index === 3 && f.finding === 'SPIKE'))
  t.same(spikeCheck([5, 1]), { ratio: null, spike: false })
  t.same([sumAgrees(1000, 500, 1502), sumAgrees(1000, 500, 1503)], [true, false])
})

t.test('CORE-118 up to 2 h linear, then like days, never inside an event, never beyond 7 days', async (t) => {
  t.same(estimateGaps({ series: [1, null, null, 4], intervalMinutes: 60 }).map((g) => [g.value, g.quality]), [[2, 'EST_LINEAR'], [3, 'EST_LINEAR']])
  const long = { series: [1, null, null, null, 4], intervalMinutes: 60 }
  t.same(estimateGaps(long).map((g) => g.quality), ['MISSING', 'MISSING', 'MISSING'])
  t.same(estimateGaps({ ...long, likeDays: [[0, 6, 2, 3, 0], [0, 2, null, 3, 0], [0, 4, 4, 3, 0], [0, 99, 99, 99, 0]] }).map((g) => g.value), [4, 35, 3])
  t.same(estimateGaps({ series: [1, null, 3], intervalMinutes: 60, eventSlots: new Set([1]) }).map((g) => g.quality), ['MISSING'])
  t.equal(estimateGaps({ series: [1, ...Array.from({ length: 8 * 24 }, () => null), 3], intervalMinutes: 60, likeDays: [Array.from({ length: 200 }, () => 1)] })[0]!.quality, 'MISSING')
  t.same(estimateGaps({ series: [null, 2], intervalMinutes: 15 }).map((g) => g.quality), ['MISSING'], 'no neighbour on one side')
})

t.test('CORE-119 clock offset is the median; 30 s flags, one interval rejects', async (t) => {
  t.equal(clockOffset([{ device: 10, received: 0 }, { device: 12, received: 0 }, { device: -900, received: 0 }]), 10)
  t.equal(clockOffset([]), null)
  t.same([30, 31, 900, 901, -901].map((s) => clockVerdict(s, 900)), ['ok', 'flagged', 'flagged', 'rejected', 'rejected'])
})

t.test('CORE-121 finer to coarser sums exactly; coarser to finer is a flagged flat profile that keeps the energy', async (t) => {
  const quarters = [1, 2, 3, 4, 5].map((Wh, i) => ({ start: i * 900, seconds: 900, Wh }))
  t.same(resample(quarters, 3600), { intervals: [{ start: 0, seconds: 3600, Wh: 10 }], quality: 'VALID' }, 'an hour with a hole is not made')
  t.equal(resample(quarters, 1000), undefined)
  fc.assert(fc.property(fc.integer({ min: -100_000, max: 100_000 }), (Wh) => {
    const r = resample([{ start: 0, seconds: 3600, Wh }], 300)!
    return r.quality === 'EST_PROFILE' && r.intervals.length === 12 && r.intervals.reduce((s, i) => s + i.Wh, 0) === Wh
  }))
})
