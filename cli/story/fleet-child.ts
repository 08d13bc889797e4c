import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { runFleet, type Fleet, type FleetConfig } from '#sim/fleet.js'

/** The fleet's own process: it knows the servers through the network only, and is told what to run, and asked what it did, by its parent. */
export type ToChild =
  | { readonly ask: 'start'; readonly config: FleetConfig; readonly diaryFile: string; readonly story: string }
  | { readonly ask: 'meters' | 'says' | 'connected' | 'stop'; readonly id: number }
export interface FromChild { readonly id: number; readonly answer: unknown }

let fleet: Fleet | undefined
let keep: (() => void) | undefined

/** What the file says: whose story, and what every device knew. */
interface Book { readonly story: string; readonly memories: NonNullable<FleetConfig['remembered']> }

/**
 * Devices keep their own books even when the server's process dies: they are written out now and then, and at the end. A story that goes on
 * finds its devices as they were: registers, diaries, installed profiles.
 */
function start(config: FleetConfig, file: string, story: string): void {
  mkdirSync(dirname(file), { recursive: true })
  const before = readBook(file)
  const running = runFleet(before?.story === story ? { ...config, remembered: before.memories } : config)
  fleet = running
  keep = () => {
    writeFileSync(`${file}.part`, JSON.stringify({ story, memories: running.memories() } satisfies Book), { mode: 0o600 })
    renameSync(`${file}.part`, file)
  }
  setInterval(keep, 2000).unref()
}

function readBook(file: string): Book | undefined {
  try { return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) as Book : undefined } catch { return undefined }
}

process.on('message', (message: ToChild) => {
  if (message.ask === 'start') return start(message.config, message.diaryFile, message.story)
  const tell = (answer: unknown): void => { process.send?.({ id: message.id, answer } satisfies FromChild) }
  if (message.ask === 'stop') {
    keep?.()
    void (fleet?.stop() ?? Promise.resolve()).finally(() => { tell(true); setTimeout(() => process.exit(0), 50) })
  } else tell(fleet?.[message.ask]())
})
process.on('disconnect', () => { keep?.(); process.exit(0) })
process.on('SIGINT', () => { /* the parent says when */ })
