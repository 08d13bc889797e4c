import t from 'tap'
import { stampMs } from './time.js'

t.test('OCPP-072 every way to write a moment is read alike: without zone as UTC, nanoseconds cut, offsets, leap second', async (t) => {
  const at = Date.UTC(2026, 5, 1, 8, 0, 1)
  const written: [string, number][] = [
    ['2026-06-01T08:00:01Z', at], ['2026-06-01T08:00:01.000Z', at], ['2026-06-01T08:00:01.25Z', at + 250], ['2026-06-01T08:00:01', at], ['2026-06-01t08:00:01z', at],
    ['2026-06-01T08:00:01.123456789Z', at + 123], ['2026-06-01T10:00:01+02:00', at], ['2026-06-01T10:00:01.5+0200', at + 500], ['2026-06-01T02:30:01-05:30', at],
    ['2026-06-30T23:59:60Z', Date.UTC(2026, 5, 30, 23, 59, 59)],
  ]
  for (const [text, ms] of written) t.equal(stampMs(text), ms, text)
})
