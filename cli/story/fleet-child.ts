import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { runFleet, type Fleet, type FleetConfig } from '#sim/fleet.js'

/** The fleet's own process: it knows the servers through the network only, and is told what to run, and asked what it did, by its parent. */
export type ToChild =
  | { readonly ask: 'start'; readonly config: FleetConfig; readonly diaryFile: string }
  | { readonly ask: 'meters' | 'says' | 'connected' | 'stop'; readonly id: number }
export interface FromChild { readonly id: number; readonly answer: unknown }

let fleet: Fleet | undefined
let keep: (() => void) | undefined

/** Devices keep their own books even when the server's process dies: the meters are written out, and at the end. */
function start(config: FleetConfig, file: string): void {
  const running = runFleet(config)
  fleet = running
  mkdirSync(dirname(file), { recursive: true })
  keep = () => { writeFileSync(file, JSON.stringify({ meters: running.meters(), says: running.says() })) }
  setInterval(keep, 2000).unref()
}

process.on('message', (message: ToChild) => {
  if (message.ask === 'start') return start(message.config, message.diaryFile)
  const tell = (answer: unknown): void => { process.send?.({ id: message.id, answer } satisfies FromChild) }
  if (message.ask === 'stop') {
    keep?.()
    void (fleet?.stop() ?? Promise.resolve()).finally(() => { tell(true); setTimeout(() => process.exit(0), 50) })
  } else tell(fleet?.[message.ask]())
})
process.on('disconnect', () => { keep?.(); process.exit(0) })
process.on('SIGINT', () => { /* the parent says when */ })
