import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rounded, type Emit } from '#bench/figure.js'
import { removeEmbedded } from '#prisma/embedded.js'

const program = fileURLToPath(import.meta.resolve('#cli/loadstone.js')), bareProgram = fileURLToPath(new URL('./load/bare-start.js', import.meta.url))
/** An empty node program: what no program of ours can be faster than. */
const bare = (): number => best(() => spawnSync(process.execPath, ['-e', '0']))

function best(run: () => unknown, times = 5): number {
  return Math.min(...Array.from({ length: times }, () => {
    const begun = performance.now()
    run()
    return performance.now() - begun
  }))
}

/** Milliseconds from the start of a server to its ready line; it is ended before this resolves. */
async function untilReady(args: readonly string[], port: number): Promise<number> {
  const begun = performance.now()
  const child = spawn(process.execPath, args, { env: { ...process.env, LOADSTONE_PORT_BASE: String(port) }, stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = new Promise((done) => { child.once('exit', done) })
  let said = ''
  const took = await new Promise<number>((done, failed) => {
    child.stdout.on('data', (d: Buffer) => {
      said += d.toString()
      if (said.includes('"ready":true')) done(performance.now() - begun)
    })
    child.once('exit', (code) => { if (!said.includes('"ready":true')) failed(new Error(`${args.join(' ')} ended with ${code} before it was ready`)) })
  })
  child.kill('SIGTERM')
  await ended
  return took
}

/** UX-019 and the start budgets: `--help`, the first start on an empty data folder (initdb, migrations, certificates), and a later one. */
export default async function start(emit: Emit): Promise<void> {
  const floor = bare(), help = best(() => spawnSync(process.execPath, [program, '--help']))
  emit({ name: 'help', value: rounded(help), unit: 'ms', n: 5, baseline: rounded(floor), ratio: rounded(help / floor) })
  const data = mkdtempSync(join(tmpdir(), 'loadstone-start-')), port = 20_000 + (process.pid % 1000) * 10
  const ours = (): Promise<number> => untilReady([program, 'serve', '--data', data], port), theirs = (): Promise<number> => untilReady([bareProgram, data], port)
  try {
    const first = await ours(), later: number[] = [], plain: number[] = []
    for (let i = 0; i < 3; i++) { later.push(await ours()); plain.push(await theirs()) }
    const best = Math.min(...later), least = Math.min(...plain)
    emit({ name: 'start first', value: rounded(first), unit: 'ms', n: 1, baseline: rounded(least), ratio: rounded(first / least) })
    emit({ name: 'start later', value: rounded(best), unit: 'ms', n: later.length, baseline: rounded(least), ratio: rounded(best / least) })
  } finally {
    await removeEmbedded(data)
    await rm(data, { recursive: true, force: true })
  }
}
