import { actions } from '#conformance/driver/index.js'
import { flipsOf, keepRun, keptRuns, type FlipRun } from '#conformance/flip-log.js'
import { withFreshSecrets } from '#conformance/fresh-secrets.js'
import { fromReady } from '#conformance/from-ready.js'
import type { Procedure, Subject } from '#conformance/procedure.js'
import { procedures } from '#conformance/registry.js'
import { digestOf } from '#conformance/report/statement.js'
import { runAll, type Target } from '#conformance/runner.js'
import { select } from '#conformance/select.js'
import { makeTarget } from '#conformance/target.js'

/**
 * `node build/conformance/flips.js READY [RUNS] [whole] [LOG]`: the short set of each server (or the whole one) again and again, each time in another order; a verdict
 * that is not that of the first run is a flip (UX-038: none in 20 runs). A line on stderr after each run; with LOG each run is written down as it ends, and a later call
 * with the same LOG goes on from there. One JSON line for each subject; exit 3 when one flips.
 */
const [ready = '', count = '20', size = 'smoke', log] = process.argv.slice(2)
const whole = size === 'whole'

async function once(target: Target, chosen: readonly Procedure[], seed: number): Promise<FlipRun['verdicts']> {
  const nonce = `s${(Date.now() % 1e7).toString(36)}${seed}`
  const report = await runAll({ procedures: chosen, actions, target: await withFreshSecrets(target, nonce), seed, startedAt: new Date().toISOString(), elapsed: () => performance.now(), nowMs: () => Date.now(), nonce })
  return Object.fromEntries(report.results.map(({ id, verdict, detail }) => [id, [verdict, verdict === 'PASSED' ? '' : detail]] as const))
}

async function runsOf(subject: Subject): Promise<FlipRun[]> {
  const target = makeTarget(subject, { ready: fromReady(ready, subject) })
  const inOrder = (seed: number): Procedure[] => select(procedures[subject], { profile: target.profile, only: [], smoke: !whole, seed })
  const set = `${subject} ${target.profile} ${whole ? 'whole' : 'smoke'}`, digest = digestOf(inOrder(0))
  const runs = log === undefined ? [] : keptRuns(log, set, digest).slice(0, Number(count))
  for (let seed = runs.length + 1; seed <= Number(count); seed += 1) {
    const begun = performance.now(), verdicts = await once(target, inOrder(seed), seed)
    const run = { set, procedures: digest, seed, seconds: Math.round((performance.now() - begun) / 1000), verdicts }
    if (log !== undefined) keepRun(log, run)
    runs.push(run)
    process.stderr.write(`${set}: run ${seed} of ${count}, ${Object.keys(verdicts).length} procedures, ${run.seconds} s, ${flipsOf(runs).length} flips so far\n`)
  }
  return runs
}

let flips = 0
for (const subject of ['vtn', 'csip', 'est', 'csms'] as const satisfies readonly Subject[]) {
  const runs = await runsOf(subject), flipped = flipsOf(runs)
  flips += flipped.length
  for (const line of flipped) process.stdout.write(`${line}\n`)
  process.stdout.write(`${JSON.stringify({ name: `conformance.flips.${subject}.${whole ? 'whole' : 'smoke'}`, value: flipped.length, unit: 'flips', n: runs.length, seconds: runs.reduce((sum, r) => sum + r.seconds, 0), procedures: Object.keys(runs[0]?.verdicts ?? {}).length })}\n`)
}
process.exitCode = flips ? 3 : 0
