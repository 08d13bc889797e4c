import t from 'tap'
import { storm } from '#bench/storm.js'

t.setTimeout(300_000)

t.test('REL-042, REL-048, OCPP-239, 271 a small fleet comes back over TLS, gets one order, its silent twentieth is reported, and all of it is back after a restart', async (t) => {
  const s = await storm(60)
  t.ok(s.seconds < 60, `all back in ${s.seconds} s`)
  t.equal(s.noComms, 3, 'the silent ones are known as such')
  t.ok(s.prompt > 0 && s.prompt < 30, `the others have their profile in ${s.prompt} s`)
  t.ok(s.restarted > 0 && s.restarted < 120, `back at the next server in ${s.restarted} s`)
})

t.test('REL-042 the same with a certificate for each station', async (t) => {
  const s = await storm(40, true)
  t.ok(s.seconds < 90, `all back in ${s.seconds} s`)
  t.ok(s.restarted < 120)
})
