import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Fleet, FleetConfig, Ledger } from '#sim/fleet.js'
import type { Diary } from '#sim/device.js'
import type { FromChild, ToChild } from '#cli/story/fleet-child.js'

/** A fleet in a process of its own. */
export interface FleetProcess {
  meters(): Promise<Record<string, Ledger[]>>
  says(): Promise<Diary[]>
  connected(): Promise<ReturnType<Fleet['connected']>>
  /** Resolves when the process has loaded its code; no device is on the network yet. */
  loaded(): Promise<void>
  /** The devices go on the network. */
  begin(): void
  stop(): Promise<void>
  readonly pid: number | undefined
}

/** `story` names the order that the fleet serves: devices remember what they did for the same one. */
export function startFleetProcess(config: FleetConfig, diaryFile: string, story: string): FleetProcess {
  const child = fork(fileURLToPath(import.meta.resolve('#cli/story/fleet-child.js')), [], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced',
    // Hundreds of simulated devices need little heap; without a bound V8 takes much more than it uses.
    execArgv: [...process.execArgv.filter((a) => /^--(conditions|import|enable-source-maps)/.test(a)), '--max-semi-space-size=2', `--max-old-space-size=${Math.max(128, Math.ceil(config.devices.length / 2))}`],
  })
  const waiting = new Map<number, (answer: unknown) => void>()
  let asked = 0, gone = false
  const atExit = (): void => { child.kill('SIGKILL') }
  process.once('exit', atExit)
  child.on('message', (message: FromChild) => {
    waiting.get(message.id)?.(message.answer)
    waiting.delete(message.id)
  })
  child.on('exit', () => {
    gone = true
    process.off('exit', atExit)
    for (const answer of waiting.values()) answer(undefined)
    waiting.clear()
  })
  const send = (message: ToChild): void => { if (!gone) child.send(message) }
  const ask = (what: 'meters' | 'says' | 'connected' | 'stop'): Promise<unknown> => gone ? Promise.resolve(undefined) : new Promise((done) => {
    const id = ++asked
    waiting.set(id, done)
    send({ ask: what, id })
  })
  return {
    pid: child.pid,
    loaded: async () => { await ask('connected') },
    begin: () => send({ ask: 'start', config, diaryFile, story }),
    meters: async () => (await ask('meters') as Record<string, Ledger[]> | undefined) ?? {},
    says: async () => (await ask('says') as Diary[] | undefined) ?? [],
    connected: async () => (await ask('connected') as { up: number; of: number } | undefined) ?? { up: 0, of: 0 },
    async stop() {
      const ended = gone ? Promise.resolve() : new Promise<void>((done) => { child.once('exit', () => done()) })
      const late = setTimeout(() => child.kill('SIGKILL'), 4000)
      await Promise.race([ask('stop'), ended])
      await ended
      clearTimeout(late)
    },
  }
}
