import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Diary } from '#sim/device.js'
import type { FleetConfig, Ledger } from '#sim/fleet.js'
import type { Question, Reply } from '#sim/process.js'

/** A fleet in processes of its own: the same answers, later. */
export interface ForkedFleet {
  meters(): Promise<Record<string, Ledger[]>>
  says(): Promise<Diary[]>
  connected(): Promise<{ readonly up: number; readonly of: number }>
  stop(): Promise<void>
  readonly pids: readonly number[]
}

/** The child runs this room's `fleet-process` entry, from source or from the build, as its parent does. */
const entry = (): string => {
  const here = fileURLToPath(import.meta.url)
  return here.replace(/fork\.(ts|js)$/, 'fleet-process.$1')
}

/** Devices are dealt out in turn, so that each process has its share of every protocol. Log lines of the children go to stderr. */
export function forkFleet(config: FleetConfig, options: { processes?: number; maxOldSpace_MB?: number } = {}): ForkedFleet {
  const count = Math.max(1, options.processes ?? 1)
  const children = Array.from({ length: count }, (_, i) => {
    const devices = config.devices.filter((_d, n) => n % count === i)
    const child = fork(entry(), [], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [...process.execArgv, `--max-old-space-size=${options.maxOldSpace_MB ?? 256}`],
    })
    const one = talkTo(child)
    child.send({ start: { ...config, devices } })
    return one
  })
  const all = <T>(ask: Question['ask']): Promise<T[]> => Promise.all(children.map((c) => c.ask(ask) as Promise<T>))
  return {
    pids: children.map((c) => c.pid),
    async meters() { return Object.assign({}, ...await all<Record<string, Ledger[]>>('meters')) as Record<string, Ledger[]> },
    async says() { return (await all<Diary[]>('says')).flat() },
    async connected() {
      const parts = await all<{ up: number; of: number }>('connected')
      return { up: parts.reduce((sum, p) => sum + p.up, 0), of: parts.reduce((sum, p) => sum + p.of, 0) }
    },
    async stop() { await Promise.allSettled(children.map((c) => c.stop())) },
  }
}

function talkTo(child: ChildProcess): { ask(ask: Question['ask']): Promise<unknown>; stop(): Promise<void>; pid: number } {
  const waiting = new Map<number, { done: (value: unknown) => void; fail: (error: Error) => void }>()
  let n = 0
  child.on('message', (reply: Reply) => {
    const one = waiting.get(reply.n)
    waiting.delete(reply.n)
    if ('failed' in reply) one?.fail(new Error(reply.failed))
    else one?.done(reply.answer)
  })
  const ended = new Promise<void>((done) => { child.once('exit', () => done()) })
  void ended.then(() => { for (const one of waiting.values()) one.fail(new Error('the simulator process has ended')); return waiting.clear() })
  const ask = (what: Question['ask']): Promise<unknown> => new Promise((done, fail) => {
    if (!child.connected) { fail(new Error('the simulator process has ended')); return }
    const id = ++n
    waiting.set(id, { done, fail })
    child.send({ n: id, ask: what })
  })
  return {
    ask, pid: child.pid ?? 0,
    /** Asked kindly first; killed when it does not answer. */
    async stop() {
      const kill = setTimeout(() => child.kill('SIGKILL'), 5000)
      await ask('stop').catch(() => undefined)
      await ended
      clearTimeout(kill)
    },
  }
}
