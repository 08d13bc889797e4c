import { readFileSync } from 'node:fs'
import { actions } from '#conformance/driver/index.js'
import { withFreshSecrets } from '#conformance/fresh-secrets.js'
import { fromReady } from '#conformance/from-ready.js'
import { planted, type Planted } from '#conformance/fault/planted.js'
import { plantedVens } from '#conformance/fault/ven.js'
import { procedures } from '#conformance/registry.js'
import { runAll, type Tamper } from '#conformance/runner.js'
import { makeTarget } from '#conformance/target.js'

/**
 * `node build/conformance/fault/check.js READY [WORD] [REPORT.json …]`: each planted fault against the procedure that should see it; prints the share caught, exit 3 when
 * one escapes. WORD is a subject, a profile or a part of a fault's name; without it all but those of CSIP-AUS, which want a door of that profile.
 */
const [ready = '', word, ...reports] = process.argv.slice(2)
const only = word?.endsWith('.json') ? undefined : word
const chosen = [...planted, ...plantedVens].filter((f) => (only === undefined ? !f.profile.startsWith('csip-aus') : f.name.includes(only) || f.subject === only && !f.profile.startsWith('csip-aus') || f.profile === only))
const escaped: string[] = []
let caught = 0, runs = 0

async function verdictOf(fault: Planted, tamper: Tamper | undefined): Promise<{ verdict: string; detail: string }> {
  const procedure = procedures[fault.subject].find((p) => p.id === fault.caughtBy)
  if (!procedure) return { verdict: 'MISSING', detail: `there is no procedure ${fault.caughtBy}` }
  const nonce = `f${(Date.now() % 1e7).toString(36)}${runs++}`, begun = performance.now()
  const target = await withFreshSecrets(makeTarget(fault.subject, { profile: fault.profile, ready: fromReady(ready, fault.subject) }), nonce)
  const { results: [result] } = await runAll({
    procedures: [procedure], actions, target, seed: 0, startedAt: new Date().toISOString(), elapsed: () => performance.now() - begun, nowMs: () => Date.now(), nonce, ...(tamper ? { tamper } : {}),
  })
  return { verdict: result?.verdict ?? 'ERROR', detail: result?.detail ?? '' }
}

// A fault is caught when its procedure passes without it and fails with it: one that fails anyway sees nothing.
// Reports of the same target say so for those that they hold.
const sound = new Map<string, string>()
for (const file of [word, ...reports].filter((f) => f?.endsWith('.json'))) for (const r of (JSON.parse(readFileSync(String(file), 'utf8')) as { results: { id: string; verdict: string }[] }).results) if (r.verdict === 'PASSED') sound.set(r.id, '')

async function judge(fault: Planted): Promise<void> {
  if (!sound.has(fault.caughtBy)) { const plain = await verdictOf(fault, undefined); sound.set(fault.caughtBy, ['PASSED', 'PARTIAL'].includes(plain.verdict) ? '' : `${plain.verdict} ${plain.detail}`) }
  const unsound = sound.get(fault.caughtBy)
  const { verdict, detail } = unsound ? { verdict: 'fails without the fault too:', detail: unsound } : await verdictOf(fault, fault.tamper)
  if (verdict === 'FAILED') caught += 1
  else escaped.push(`${fault.subject}: '${fault.name}' was not caught by ${fault.caughtBy}: ${verdict} ${detail}`)
}

/** Servers are asked one thing at a time; clients under test mostly wait, and each has a VTN of its own. */
async function all(faults: readonly Planted[], lanes: number): Promise<void> {
  const left = [...faults]
  await Promise.all(Array.from({ length: lanes }, async () => { for (let next = left.shift(); next; next = left.shift()) await judge(next) }))
}
await all(chosen.filter((f) => f.subject !== 'ven'), 1)
await all(chosen.filter((f) => f.subject === 'ven'), 4)
for (const line of escaped) process.stdout.write(`${line}\n`)
const shares = [...new Set(chosen.map((f) => f.subject))].map((subject) => `${subject} ${chosen.filter((f) => f.subject === subject).length}`).join(', ')
process.stdout.write(`${caught} of ${chosen.length} planted faults caught (${((100 * caught) / Math.max(1, chosen.length)).toFixed(1)} %; ${shares})\n`)
process.exitCode = escaped.length || chosen.length === 0 ? 3 : 0
