import { existsSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { passed, play, type Play, type PlayOptions } from '#cli/story/kill/play.js'
import { removeEmbedded } from '#prisma/embedded.js'

t.setTimeout(900_000)

const alive = (pid: number): boolean => {
  try {
    // a zombie has ended; its parent is not ours to hurry
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch { return false }
}

/** Everything that a process has started, and what those have. */
function family(pid: number): number[] {
  const parents = readdirSync('/proc').filter((p) => /^\d+$/.test(p)).flatMap((p) => {
    try { return [[Number(p), Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${p}/status`, 'utf8'))?.[1])] as const] } catch { return [] }
  })
  const of = (parent: number): number[] => parents.filter(([, p]) => p === parent).flatMap(([child]) => [child, ...of(child)])
  return of(pid)
}

interface Phase { readonly name: string; readonly reached: (run: Play, data: string) => boolean; readonly signals: readonly NodeJS.Signals[]; readonly code: number; readonly within_ms: number }

/** Each goes on where the one before was stopped. */
const phases: readonly Phase[] = [
  { name: 'while the servers start', reached: (r, data) => r.err().includes('servers start') && existsSync(join(data, 'database')), signals: ['SIGTERM'], code: 0, within_ms: 10_000 },
  { name: 'while history is imported', reached: (r) => r.err().includes('45 days of history'), signals: ['SIGTERM'], code: 0, within_ms: 10_000 },
  { name: 'while devices connect', reached: (r) => r.err().includes('devices connect'), signals: ['SIGTERM'], code: 0, within_ms: 10_000 },
  { name: 'during the event, Ctrl-C twice', reached: (_r, data) => passed(data) > 0.1, signals: ['SIGINT', 'SIGINT'], code: 130, within_ms: 2000 },
  { name: 'during the event', reached: (_r, data) => passed(data) > 0.2, signals: ['SIGTERM'], code: 0, within_ms: 10_000 },
  { name: 'while it is verified and settled', reached: (r) => r.err().includes('verification and settlement'), signals: ['SIGTERM'], code: 0, within_ms: 10_000 },
  { name: 'after the story', reached: (r) => r.out().trim().endsWith('}'), signals: ['SIGINT'], code: 130, within_ms: 10_000 },
]

t.test('REL-003 `up` ends within ten seconds of SIGTERM or Ctrl-C wherever it stands, its database and its devices with it; Ctrl-C twice ends it at once', { skip: !existsSync('/proc/self/status') && 'no /proc here' }, async (t) => {
  const work = mkdtempSync(join(tmpdir(), 'loadstone-stop-')), at: PlayOptions = { data: join(work, 'data'), ports: 21_000 + (process.pid % 1500) * 8, devices: Number(process.env.LOADSTONE_STOP_DEVICES ?? 12), rate: Number(process.env.LOADSTONE_STOP_RATE ?? 120) }
  let run: Play | undefined
  t.teardown(async () => {
    run?.child.kill('SIGKILL')
    if (existsSync(join(at.data, 'database'))) await removeEmbedded(at.data).catch(() => undefined)
    rmSync(work, { recursive: true, force: true })
  })
  for (const { name, reached, signals, code, within_ms } of phases) {
    const now = run = play(at, '--keep')
    await now.reach(name, () => reached(now, at.data))
    const children = family(now.child.pid!), asked = performance.now()
    for (const signal of signals) {
      now.child.kill(signal)
      await new Promise((done) => { setTimeout(done, 50) })
    }
    const ended = await now.ended, ms = Math.round(performance.now() - asked)
    t.equal(ended, code, `${name}: ${now.err().slice(-300)}`)
    t.ok(ms < within_ms, `${name}: ended after ${ms} ms`)
    // what was told to stop by a process that went at once is given the moment that it takes
    for (const end = performance.now() + 3000; performance.now() < end && children.some(alive);) await new Promise((done) => { setTimeout(done, 25) })
    t.same(children.filter(alive).map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').slice(0, 80)), [], `${name}: nothing of it lives`)
    t.notOk(existsSync(join(at.data, 'database')) && existsSync(join(realpathSync(join(at.data, 'database')), 'data', 'postmaster.pid')), `${name}: the database is down`)
    t.comment(`${name}: ${ms} ms`)
  }
})
