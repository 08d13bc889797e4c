import { Worker } from 'node:worker_threads'
import { Refusal } from '#core/error.js'
import { checkOrder, type BindingConstraint } from '#core/dispatch/candidate.js'
import { CapRoom } from '#core/dispatch/caps.js'
import { meritPlan, type OptimalInput, type OptimalPlan } from '#core/dispatch/optimal-model.js'
import type { PackedPlan, WorkerWord } from '#core/dispatch/highs-worker.js'
import type { W } from '#core/quantity/power.js'

export type { OptimalCandidate, OptimalInput } from '#core/dispatch/optimal-model.js'

export interface OptimalAllocation {
  readonly mode: 'optimal'
  readonly solver: 'highs' | 'greedy'
  readonly flags: readonly ('SOLVER_TIMEOUT' | 'SOLVER_FAILED')[]
  /** Watts by interval of each resource that is asked for anything. */
  readonly allocation: ReadonlyMap<string, readonly W[]>
  readonly allocated_W: readonly W[]
  readonly shortfall_W: readonly W[]
  readonly bindingConstraints: readonly BindingConstraint[]
}

const source = import.meta.url.endsWith('.ts')

/** The built program starts the file as it is; in source form a thread does not inherit the TypeScript loader and asks for it first. */
function start(file: 'highs-worker' | 'lp-worker', workerData: object): Worker {
  const workerFile = new URL(`./${file}${source ? '.ts' : '.js'}`, import.meta.url)
  if (!source) return new Worker(workerFile, { workerData, execArgv: [] })
  const code = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(workerFile.href)}) })`
  return new Worker(code, { eval: true, workerData })
}

/**
 * CORE-065: LP over all intervals in a worker thread. The time box is the machine's, not the story's, so it is a plain
 * timer: when it ends, the worker ends, and the merit answer stands with the flag SOLVER_TIMEOUT (CORE-206).
 */
export async function allocateOptimal(input: OptimalInput, timeLimit_ms = 10_000): Promise<OptimalAllocation> {
  if (input.targets_W.length !== input.hours.length || input.hours.some((h) => !(h > 0))) throw new Refusal('invalid', 'each target needs an interval of a length above 0')
  for (const target of input.targets_W) checkOrder(target, input.caps_W ?? {}, [])
  checkOrder(0, input.caps_W ?? {}, input.candidates)
  const answer = await ask(input, timeLimit_ms)
  return result(input, answer.plan ? unpack(answer.plan, input.hours.length) : meritPlan(input), answer.flag)
}

interface Answer {
  readonly plan?: PackedPlan | undefined
  readonly flag?: 'SOLVER_TIMEOUT' | 'SOLVER_FAILED'
}

/** The first of: the solver's plan, its failure, the end of the time box. The worker ends in any case. */
async function ask(input: OptimalInput, timeLimit_ms: number): Promise<Answer> {
  const worker = start('highs-worker', { input, seconds: timeLimit_ms / 1000 })
  let merit: PackedPlan | undefined, timer: NodeJS.Timeout | undefined
  const heard = new Promise<Answer>((done) => {
    worker.on('message', (word: WorkerWord) => {
      if (word.kind === 'merit') merit = word.plan
      else if (word.kind === 'optimal') done({ plan: word.plan })
      else done({ flag: word.status === 'Time limit reached' ? 'SOLVER_TIMEOUT' : 'SOLVER_FAILED' })
    })
  })
  const broken = new Promise<Answer>((done) => {
    const failed = (): void => done({ flag: 'SOLVER_FAILED' })
    worker.on('error', failed).on('exit', failed)
  })
  const late = new Promise<Answer>((done) => {
    timer = setTimeout(() => done({ flag: 'SOLVER_TIMEOUT' }), timeLimit_ms)
  })
  const answer = await Promise.race([heard, broken, late])
  clearTimeout(timer)
  void worker.terminate()
  return answer.plan ? answer : { ...answer, plan: merit }
}

/** The first word of a worker, or undefined when it fails or its time is over. */
export async function inWorker<R>(file: 'lp-worker', workerData: object, timeLimit_ms: number): Promise<R | undefined> {
  const worker = start(file, workerData)
  let timer: NodeJS.Timeout | undefined
  const answer = await new Promise<R | undefined>((done) => {
    worker.on('message', (word: R) => done(word)).on('error', () => done(undefined)).on('exit', () => done(undefined))
    timer = setTimeout(() => done(undefined), timeLimit_ms)
  })
  clearTimeout(timer)
  void worker.terminate()
  return answer
}

const unpack = (p: PackedPlan, intervals: number): OptimalPlan =>
  ({ ids: p.ids, shortfall_W: p.shortfall_W, power_W: p.ids.map((_, i) => Array.from(p.power_W.subarray(i * intervals, (i + 1) * intervals))) })

function result(input: OptimalInput, plan: OptimalPlan, flag: 'SOLVER_TIMEOUT' | 'SOLVER_FAILED' | undefined): OptimalAllocation {
  const allocation = new Map<string, readonly W[]>()
  plan.ids.forEach((id, i) => {
    if (plan.power_W[i]!.some((w) => w > 0)) allocation.set(id, plan.power_W[i]!)
  })
  const allocated_W = input.targets_W.map((target, t) => target - plan.shortfall_W[t]!)
  return {
    mode: 'optimal', solver: flag ? 'greedy' : 'highs', flags: flag ? [flag] : [], allocation, allocated_W, shortfall_W: plan.shortfall_W,
    bindingConstraints: plan.shortfall_W.some((w) => w > 0) ? binding(input, plan) : [],
  }
}

/** What holds the plan down where it is short: caps in full use, energy used up, ramps at their limit, else availability (CORE-067). */
function binding(input: OptimalInput, plan: OptimalPlan): BindingConstraint[] {
  const found = new Map<string, BindingConstraint>(), of = new Map(input.candidates.map((c) => [c.id, c]))
  plan.shortfall_W.forEach((short, t) => {
    if (short === 0) return
    const room = new CapRoom(input.caps_W)
    plan.ids.forEach((id, i) => room.take(of.get(id)!.path ?? [], plan.power_W[i]![t]!))
    for (const node of room.nodes()) if (room.left(node) <= 0) found.set(`cap ${node}`, { kind: 'cap', node, limit_W: input.caps_W![node]! })
    plan.ids.forEach((id, i) => {
      const c = of.get(id)!, row = plan.power_W[i]!
      const used = row.reduce((sum, w, k) => sum + w * input.hours[k]!, 0)
      if (c.energy_Wh !== undefined && row[t]! < c.avail_W && c.energy_Wh - used < input.hours[t]!) found.set(`energy ${id}`, { kind: 'energy', id, limit_Wh: c.energy_Wh })
      if (c.ramp_W !== undefined && t > 0 && row[t]! < c.avail_W && row[t]! - row[t - 1]! >= c.ramp_W) found.set(`ramp ${id}`, { kind: 'ramp', id, limit_W: c.ramp_W })
    })
  })
  const available_W = input.candidates.reduce((sum, c) => sum + c.avail_W, 0)
  if (found.size === 0 || input.targets_W.some((target) => target > available_W)) found.set('availability', { kind: 'availability', available_W })
  return [...found.entries()].sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([, c]) => c)
}
