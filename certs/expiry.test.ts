import t from 'tap'
import { handClock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import { markOf, watchExpiry, type ExpiryAlarm } from '#certs/expiry.js'

const day = 86_400_000

t.test('UX-076 alarms at 30, 14, 7 and 1 days and at the end, once each; a renewed certificate is silent', async (t) => {
  t.same([31, 30, 15, 14, 8, 7, 2, 1, 0.5, 0, -3].map((d) => markOf(d * day, 0)), [undefined, 30, 30, 14, 14, 7, 7, 1, 1, 0, 0])
  const clock = handClock(0), heard: ExpiryAlarm[] = [], lines: string[] = []
  const log = { warn: () => lines.push('warn'), error: () => lines.push('error') } as unknown as Log
  let ends = 40 * day
  const watch = watchExpiry({ list: () => [{ name: 'tls-server', notAfterMs: ends }, { name: 'device', notAfterMs: Date.UTC(9999, 11, 31) }], clock, log, alarm: (a) => heard.push(a) })
  for (let h = 0; h < 41 * 24; h++) await clock.advance(3_600_000)
  t.same(heard.map((a) => [a.name, a.days]), [['tls-server', 30], ['tls-server', 14], ['tls-server', 7], ['tls-server', 1], ['tls-server', 0]])
  t.same(lines, ['warn', 'warn', 'warn', 'error', 'error'])
  ends = 100 * day
  for (let h = 0; h < 48; h++) await clock.advance(3_600_000)
  t.equal(heard.length, 5)
  watch.stop()
  const late = watchExpiry({ list: () => [{ name: 'x', notAfterMs: clock.nowMs() + 5 * day }], clock, log, alarm: (a) => heard.push(a) })
  await clock.advance(0)
  t.match(heard.at(-1), { name: 'x', days: 7 }, 'a mark that was slept through')
  late.stop()
})
