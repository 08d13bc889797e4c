import t from 'tap'
import { backoff } from '#ven-client/backoff.js'
import { randomFrom } from '#ven-client/random.js'

/** Waits that spread. */
t.test('REL-043 the waits of 1,000 clients spread by themselves, Retry-After obeyed', (t) => {
  const perSecond = new Map<number, number>()
  for (let c = 0; c < 1000; c++) {
    const random = randomFrom(`client-${c}`), wait = backoff(random)
    let at = random() * 60_000                                  // polls are spread to begin with
    while (at < 900_000) { at += wait.next(); if (at > 300_000 && at < 900_000) { const s = Math.floor(at / 10_000); perSecond.set(s, (perSecond.get(s) ?? 0) + 1) } }
  }
  const counts = [...perSecond.values()], mean = counts.reduce((a, b) => a + b, 0) / 60
  t.ok(Math.max(...counts) <= 3 * mean, `peak ${Math.max(...counts)} mean ${mean}`)
  const told = Array.from({ length: 500 }, (_, c) => backoff(randomFrom(`x${c}`)).next(10_000))
  t.ok(told.every((ms) => ms >= 10_000 && ms <= 16_000))
  t.ok(Math.max(...told) - Math.min(...told) > 3000, 'not together')
  t.end()
})
