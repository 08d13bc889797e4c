import { actions } from '#conformance/driver/index.js'
import { fromReady } from '#conformance/from-ready.js'
import { planted } from '#conformance/fault/planted.js'
import { procedures } from '#conformance/registry.js'
import { runAll } from '#conformance/runner.js'
import { makeTarget } from '#conformance/target.js'

/** `node build/conformance/fault/check.js READY`: each planted fault against the procedure that should see it; prints the share caught, exit 3 when one escapes. */
const [ready = '', only] = process.argv.slice(2)
let caught = 0
const chosen = planted.filter((f) => only === undefined || f.name.includes(only) || f.subject === only)
const escaped: string[] = []
for (const [i, fault] of chosen.entries()) {
  const target = makeTarget(fault.subject, { profile: fault.profile, ready: fromReady(ready, fault.subject) })
  const procedure = procedures[fault.subject].find((p) => p.id === fault.caughtBy)
  if (!procedure) { escaped.push(`${fault.name}: there is no procedure ${fault.caughtBy}`); continue }
  const begun = performance.now()
  const report = await runAll({
    procedures: [procedure], actions, target, seed: 0, startedAt: new Date().toISOString(), elapsed: () => performance.now() - begun, nowMs: () => Date.now(), nonce: `f${(Date.now() % 1e7).toString(36)}${i}`, tamper: fault.tamper,
  })
  const verdict = report.results[0]?.verdict
  if (verdict === 'FAILED') caught += 1
  else escaped.push(`${fault.subject}: '${fault.name}' was not caught by ${fault.caughtBy}: ${verdict} ${report.results[0]?.detail}`)
}
for (const line of escaped) process.stdout.write(`${line}\n`)
process.stdout.write(`${caught} of ${chosen.length} planted faults caught (${((100 * caught) / chosen.length).toFixed(1)} %)\n`)
process.exitCode = escaped.length ? 3 : 0
