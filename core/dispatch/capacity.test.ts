import t from 'tap'
import { capacityHistory, doings } from '#core/dispatch/capacity-history.js'

t.setTimeout(1_800_000)

/** `npm run bench history` runs it with 10,000 operations; LOADSTONE_TEST_SCALE makes this one larger. */
const operations = Math.round(400 * Number(process.env['LOADSTONE_TEST_SCALE'] ?? 1))

t.test(`REL-026, CORE-035 history of ${operations} concurrent orders, cancels, reallocations, nominations, enrolments and opt-outs: capacity is never sold twice, nobody is refused what is free`, async (t) => {
  const { answers, unexpected, races, violations, replayed, seconds } = await capacityHistory(t, { operations, operators: 16, points: 3, seed: 11 })
  t.same(unexpected, [])
  t.equal(races, 0, 'REL-025: no deadlock')
  t.same(violations.slice(0, 10), [])
  t.equal(Object.values(answers).reduce((sum, n) => sum + n, 0), operations)
  t.equal(replayed.published, answers['order issued'])
  t.equal(replayed.cancelled, answers['cancel done'])
  for (const what of doings) t.ok(Object.entries(answers).some(([name, n]) => name.startsWith(`${what} `) && !name.endsWith('nothing') && n > 0), `${what} took part`)
  t.ok((answers['order guarded'] ?? 0) > 0, 'there was less than was asked for')
  t.comment(`${seconds.toFixed(1)} s ${JSON.stringify(answers)} ${JSON.stringify(replayed)}`)
})
