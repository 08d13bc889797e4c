import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
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

/** Memory of a process that stands in real pages, in MB; undefined where the system does not say. */
const memoryOf = (pid: number | undefined): number | undefined => {
  const file = `/proc/${pid}/status`, kB = existsSync(file) ? /^VmRSS:\s+(\d+)/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined
  return kB === undefined ? undefined : Number(kB) / 1024
}

interface Started { readonly ms: number; readonly memory_MB: number | undefined }

/** Milliseconds from the start of a server to its ready line, and its memory then; it is ended before this resolves. */
async function untilReady(args: readonly string[], port: number): Promise<Started> {
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
  const memory_MB = memoryOf(child.pid)
  child.kill('SIGTERM')
  await ended
  return { ms: took, memory_MB }
}

/** UX-019 and the start budgets: `--help`, the first start on an empty data folder (initdb, migrations, certificates), and a later one. */
export default async function start(emit: Emit): Promise<void> {
  const floor = bare(), help = best(() => spawnSync(process.execPath, [program, '--help']))
  emit({ name: 'help', value: rounded(help), unit: 'ms', n: 5, baseline: rounded(floor), ratio: rounded(help / floor) })
  const data = mkdtempSync(join(tmpdir(), 'loadstone-start-')), port = 20_000 + (process.pid % 1000) * 10
  const ours = (): Promise<Started> => untilReady([program, 'serve', '--data', data], port), theirs = (): Promise<Started> => untilReady([bareProgram, data], port)
  try {
    const first = (await ours()).ms, later: number[] = [], plain: number[] = []
    let memory_MB: number | undefined
    for (let i = 0; i < 3; i++) {
      const again = await ours()
      later.push(again.ms)
      memory_MB = again.memory_MB
      plain.push((await theirs()).ms)
    }
    const best = Math.min(...later), least = Math.min(...plain)
    emit({ name: 'start first', value: rounded(first), unit: 'ms', n: 1, baseline: rounded(least), ratio: rounded(first / least) })
    emit({ name: 'start later', value: rounded(best), unit: 'ms', n: later.length, baseline: rounded(least), ratio: rounded(best / least) })
    if (memory_MB !== undefined) emit({ name: 'server memory idle', value: rounded(memory_MB), unit: 'MB', n: 1 })
  } finally {
    await removeEmbedded(data)
    await rm(data, { recursive: true, force: true })
  }
}
