import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { StoryPlan } from '#cli/story/plan.js'

const program = fileURLToPath(import.meta.resolve('#cli/loadstone.js'))
const pause = (ms: number): Promise<void> => new Promise((done) => { setTimeout(done, ms) })

export interface PlayOptions {
  readonly data: string
  readonly ports: number
  readonly devices: number
  readonly rate: number
  /** A PostgreSQL of its own; undefined: the embedded one. */
  readonly db?: string | undefined
}

/** One start of `loadstone up` on the story's data. */
export interface Play {
  readonly child: ChildProcess
  readonly out: () => string
  readonly err: () => string
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
  /** Resolves when `test` holds; throws with what the program said when it ended before, or after `patience_ms`. */
  reach(what: string, test: () => boolean, patience_ms?: number): Promise<void>
}

export function play({ data, ports, devices, rate, db }: PlayOptions, ...flags: string[]): Play {
  const args = ['up', '--json', '--devices', String(devices), '--rate', String(rate), '--data', data, ...(db ? ['--db', db] : []), ...flags]
  const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, NODE_OPTIONS: '', LOADSTONE_PORT_BASE: String(ports) }, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = '', err = '', code: number | string | undefined
  child.stdout.on('data', (d: Buffer) => { out += d.toString() })
  child.stderr.on('data', (d: Buffer) => { err += d.toString() })
  const ended = new Promise<number | string>((done) => { child.once('exit', (status, signal) => done(code = status ?? signal ?? 1)) })
  return {
    child, ended, out: () => out, err: () => err,
    async reach(what, test, patience_ms = 300_000) {
      for (const until = performance.now() + patience_ms; performance.now() < until; await pause(30)) {
        if (test()) return
        if (code !== undefined) throw new Error(`it ended (${code}) before: ${what}\n${err.slice(-2000)}`)
      }
      throw new Error(`it never came to: ${what}\n${err.slice(-2000)}`)
    },
  }
}

/** How much of the event has passed, by the story's own books: 0 at its start, 1 at its end; below 0 before. */
export function passed(data: string): number {
  try {
    const { start, end } = (JSON.parse(readFileSync(join(data, 'story.json'), 'utf8')) as { plan: StoryPlan }).plan
    return (Number(readFileSync(join(data, 'story.json.clock'), 'utf8')) / 1000 - start) / (end - start)
  } catch { return -1 }
}

/** The story's database: the embedded one answers on its socket for as long as its postmaster lives. */
export const databaseOf = ({ data, db }: PlayOptions): string => db ?? `postgresql://app@localhost/loadstone?host=${encodeURIComponent(join(realpathSync(join(data, 'database')), 'run'))}`
