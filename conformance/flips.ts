import { flipsOf } from '#conformance/flip-log.js'
import { runSet } from '#conformance/flip-set.js'
import type { Subject } from '#conformance/procedure.js'
import { defaultProfile } from '#conformance/target.js'

/**
 * `node build/conformance/flips.js READY [RUNS] [smoke|whole] [SUBJECT…]`: the short set of each subject (or the whole one) again and again against one seed, each time in
 * another order; a verdict that is not that of the first run is a flip (UX-038: none in 20 runs). The subjects are different doors and mostly wait, so they go side by
 * side. A line on stderr after each run, one JSON line for each subject; exit 3 when one flips. Every set and profile, with its own seeds: `npm run conformance:flips`.
 */
const [ready = '', count = '20', size = 'smoke', ...named] = process.argv.slice(2)
const subjects = (named.length ? named : ['vtn', 'csip', 'est', 'csms', 'ven']) as Subject[]

const flipped = await Promise.all(subjects.map(async (subject) => {
  const { name, runs } = await runSet({ subject, profile: defaultProfile[subject], whole: size === 'whole' }, ready, Number(count), {
    ended: (run, soFar) => process.stderr.write(`${run.set}: run ${run.seed} of ${count}, ${Object.keys(run.verdicts).length} procedures, ${run.seconds} s, ${flipsOf(soFar).length} flips so far\n`),
  })
  const lines = flipsOf(runs)
  for (const line of lines) process.stdout.write(`${name}: ${line}\n`)
  process.stdout.write(`${JSON.stringify({ name: `conformance.flips.${subject}.${size}`, value: lines.length, unit: 'flips', n: runs.length, seconds: runs.reduce((sum, r) => sum + r.seconds, 0), procedures: Object.keys(runs[0]?.verdicts ?? {}).length })}\n`)
  return lines.length
}))
process.exitCode = flipped.some((n) => n > 0) ? 3 : 0
