import t from 'tap'
import { storm } from '#bench/storm.js'

t.setTimeout(300_000)

t.test('REL-042, OCPP-239, 271 a small fleet comes back over TLS, gets one order, and its silent twentieth is reported', async (t) => {
  const s = await storm(60)
  t.ok(s.seconds < 60, `all back in ${s.seconds} s`)
  t.equal(s.noComms, 3, 'the silent ones are known as such')
  t.ok(s.prompt > 0 && s.prompt < 30, `the others have their profile in ${s.prompt} s`)
})
