import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { perHour } from '#bench/slope.js'
import { inspected, type Health } from '#bench/load/inspected.js'
import { removeEmbedded } from '#prisma/embedded.js'

/**
 * REL-072: `npm run soak -- [minutes]` (1440 is the requirement's day, 15 the short form). A whole server; the conformance runner's short sets come
 * and go on every door, each time with new connections; after each round the heap is collected and looked at. A line of JSON a round, then the
 * slopes after warm-up (the first fifth); exit 3 when the heap grows by more than 1 MB an hour beyond its own noise, or handles, timers or files grow.
 *
 * REL-007: `npm run soak -- [minutes] [MB]` bounds the old generation (`--max-old-space-size`) and lets the whole sets of all doors come at once, without
 * end; what counts then is that the server is still there, exit 3 when it is not.
 */
const minutes = Number(process.argv[2] ?? 15), bound_MB = Number(process.argv[3] ?? 0), port = 21_000 + (process.pid % 900) * 10
const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const data = mkdtempSync(join(tmpdir(), 'loadstone-soak-')), ready = join(data, 'ready.json')
const server = spawn(process.execPath, [`--inspect=127.0.0.1:${port + 9}`, ...(bound_MB > 0 ? [`--max-old-space-size=${bound_MB}`] : []), file('../cli/loadstone.js'), 'serve', '--data', join(data, 'data'), '--seed', 'conformance'], {
  cwd: data, env: { ...process.env, LOADSTONE_PORT_BASE: String(port) }, stdio: ['ignore', 'pipe', 'ignore'],
})

const readyLine = new Promise<string>((done, failed) => {
  let said = ''
  server.stdout.on('data', (d: Buffer) => {
    said += d.toString()
    const line = said.split('\n').find((l) => l.includes('"ready":true'))
    if (line !== undefined) done(line)
  })
  server.once('exit', (code) => failed(new Error(`the server ended with ${code}`)))
})

/** One round of churn: the sets of three doors. Its verdicts are not the matter here. */
const sets = (size: 'smoke' | 'whole'): Promise<void> => new Promise((done) => {
  spawn(process.execPath, [file('../conformance/flips.js'), ready, '1', size, 'vtn', 'csip', 'est', 'csms'], { cwd: data, stdio: 'ignore' }).once('exit', () => done())
})
const round = async (): Promise<void> => {
  if (bound_MB === 0) await sets('smoke')
  else await Promise.all([sets('whole'), sets('whole'), sets('smoke'), sets('smoke')])
}

interface Sample extends Health { readonly hour: number; readonly files: number }
const samples: Sample[] = [], begun = performance.now()
let code = 0
try {
  writeFileSync(ready, await readyLine)
  const look = await inspected(port + 9)
  while (performance.now() - begun < minutes * 60_000) {
    await round()
    if (server.exitCode !== null || server.signalCode !== null) break
    const sample = { hour: (performance.now() - begun) / 3_600_000, ...await look(), files: readdirSync(`/proc/${server.pid}/fd`).length }
    samples.push(sample)
    process.stdout.write(`${JSON.stringify(sample)}\n`)
  }
  const settled = samples.filter((s) => s.hour > (minutes / 60) * 0.2), of = (key: keyof Sample): readonly (readonly [number, number])[] => settled.map((s) => [s.hour, s[key]])
  const slopes = { heap_MB: perHour(of('heap_MB')), handles: perHour(of('handles')), timers: perHour(of('timers')), files: perHour(of('files')) }
  const died = server.exitCode !== null || server.signalCode !== null
  const grows = bound_MB > 0 ? [] : Object.entries(slopes).filter(([, s]) => s.least > 1).map(([name, s]) => `${name} grows by at least ${s.least.toFixed(1)} an hour`)
  process.stdout.write(`${JSON.stringify({ name: 'soak', minutes, rounds: samples.length, ...(bound_MB > 0 ? { bound_MB } : {}), died, ...slopes, grows })}\n`)
  if (died || grows.length > 0) code = 3
} finally {
  if (server.exitCode === null && server.signalCode === null) {
    const ended = new Promise((done) => { server.once('exit', done) })
    server.kill('SIGTERM')
    await ended
  }
  await removeEmbedded(join(data, 'data'))
  await rm(data, { recursive: true, force: true })
}
process.exitCode = code
