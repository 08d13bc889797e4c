import t from 'tap'
import { flood } from '#bench/flood.js'

t.setTimeout(120_000)

t.test('REL-044, REL-045 honest stations live and log in beside slow connections, which are ended, and beside a crowd from one address', async (t) => {
  const f = await flood(40, 60, 5, 1)
  t.ok(f.freed < 30, `all ended in ${f.freed} s`)
  for (const beside of [f.quiet, f.slow, f.many]) t.ok(beside.asked > 0 && beside.joined > 0)
  t.equal(f.held + f.refused, 60)
})
