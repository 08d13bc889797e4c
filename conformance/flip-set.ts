import { actions } from '#conformance/driver/index.js'
import { keepRun, keptRuns, type FlipRun } from '#conformance/flip-log.js'
import { withFreshSecrets } from '#conformance/fresh-secrets.js'
import { fromReady } from '#conformance/from-ready.js'
import type { Procedure, Subject } from '#conformance/procedure.js'
import { procedures } from '#conformance/registry.js'
import { digestOf } from '#conformance/report/statement.js'
import { runAll, type Target } from '#conformance/runner.js'
import { select } from '#conformance/select.js'
import { lanesOf, makeTarget } from '#conformance/target.js'

export interface FlipSet { readonly subject: Subject; readonly profile: string; readonly whole: boolean }
export interface SetRuns { readonly name: string; readonly digest: string; readonly runs: readonly FlipRun[] }

/** What is told while a set goes, and where its runs are kept. */
export interface FlipWatch {
  readonly log?: string
  told?(set: string, seed: number, done: number, of: number): void
  ended?(run: FlipRun, soFar: readonly FlipRun[]): void
  /** Says that the whole is being stopped: a run that this cuts off is none. */
  stopping?(): boolean
}

/** A set against a seed until it has had `count` runs, each with a seed, so an order, of its own; runs that the log holds of the same procedures count. */
export async function runSet(set: FlipSet, ready: string, count: number, watch: FlipWatch): Promise<SetRuns> {
  const { name, digest } = identityOf(set), target = makeTarget(set.subject, { profile: set.profile, ready: fromReady(ready, set.subject) })
  const runs = watch.log === undefined ? [] : keptRuns(watch.log, name, digest).slice(0, count)
  for (let seed = runs.length + 1; seed <= count; seed += 1) {
    const begun = performance.now()
    const verdicts = await once(target, inOrder(set, seed), seed, (done, of) => watch.told?.(name, seed, done, of))
    if (watch.stopping?.()) break
    const run = { set: name, procedures: digest, seed, seconds: Math.round((performance.now() - begun) / 1000), verdicts }
    if (watch.log !== undefined) keepRun(watch.log, run)
    runs.push(run)
    watch.ended?.(run, runs)
  }
  return { name, digest, runs }
}

/** A set's name in the log, and the digest of its procedures: runs of other procedures say nothing about these. */
export const identityOf = (set: FlipSet): { name: string; digest: string } => ({ name: `${set.subject} ${set.profile} ${set.whole ? 'whole' : 'smoke'}`, digest: digestOf(inOrder(set, 0)) })

const inOrder = ({ subject, profile, whole }: FlipSet, seed: number): Procedure[] => select(procedures[subject], { profile, only: [], smoke: !whole, seed })

async function once(target: Target, chosen: readonly Procedure[], seed: number, told: (done: number, of: number) => void): Promise<FlipRun['verdicts']> {
  const nonce = `s${(Date.now() % 1e7).toString(36)}${seed}`
  const report = await runAll({
    procedures: chosen, actions, target: await withFreshSecrets(target, nonce), seed, lanes: lanesOf(target), startedAt: new Date().toISOString(), elapsed: () => performance.now(), nowMs: () => Date.now(), nonce,
    onResult: (_result, done, of) => told(done, of),
  })
  return Object.fromEntries(report.results.map(({ id, verdict, detail }) => [id, [verdict, verdict === 'PASSED' ? '' : detail]] as const))
}
