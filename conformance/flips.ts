import { actions } from '#conformance/driver/index.js'
import { fromReady } from '#conformance/from-ready.js'
import type { Subject } from '#conformance/procedure.js'
import { procedures } from '#conformance/registry.js'
import { runAll } from '#conformance/runner.js'
import { select } from '#conformance/select.js'
import { makeTarget } from '#conformance/target.js'

/**
 * `node build/conformance/flips.js READY [RUNS] [whole]`: the short set of each server (or the whole one) again and again, each time in another order; a verdict that
 * is not that of the first run is a flip (UX-038: none in 20 runs). One JSON line for each subject; exit 3 when one flips. EST is left out: its secrets work once.
 */
const [ready = '', count = '20', size = 'smoke'] = process.argv.slice(2)
let flips = 0
for (const subject of ['vtn', 'csip', 'csms'] as const satisfies readonly Subject[]) {
  const target = makeTarget(subject, { ready: fromReady(ready, subject) })
  const first = new Map<string, string>(), begun = performance.now(), flipped: string[] = []
  for (let seed = 1; seed <= Number(count); seed += 1) {
    const chosen = select(procedures[subject], { profile: target.profile, only: [], smoke: size !== 'whole', seed })
    const report = await runAll({ procedures: chosen, actions, target, seed, startedAt: new Date().toISOString(), elapsed: () => performance.now(), nowMs: () => Date.now(), nonce: `s${(Date.now() % 1e7).toString(36)}${seed}` })
    for (const { id, verdict, detail } of report.results) {
      if (!first.has(id)) first.set(id, verdict)
      else if (first.get(id) !== verdict) flipped.push(`${id}: ${String(first.get(id))}, then ${verdict} with seed ${seed}: ${detail}`)
    }
  }
  flips += flipped.length
  for (const line of flipped) process.stdout.write(`${line}\n`)
  process.stdout.write(`${JSON.stringify({ name: `conformance.flips.${subject}.${size}`, value: flipped.length, unit: 'flips', n: Number(count), seconds: Math.round((performance.now() - begun) / 1000), procedures: first.size })}\n`)
}
process.exitCode = flips ? 3 : 0
