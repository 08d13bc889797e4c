import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { better, figureOf, figuresText, type FlipFigure } from '#conformance/flip-figures.js'
import { flipsOf, keptRuns } from '#conformance/flip-log.js'
import { identityOf, runSet, type FlipSet } from '#conformance/flip-set.js'
import type { Subject } from '#conformance/procedure.js'
import { makeBoard } from '#conformance/report/board.js'
import { seedServer, type SeedServer } from '#conformance/seed-server.js'
import { packageRoot } from '#core/package-root.js'

/**
 * `npm run conformance:flips [-- RUNS [WORD…]]`: the whole set of every subject and profile RUNS times (20), each time in another order, against seeds that this starts
 * itself; a verdict that is not that of the first run is a flip (UX-038). WORDs choose sets: `csip`, `ven 3.0.1`. Each finished run goes into `conformance/flips.log`, so that
 * it may be stopped (Ctrl-C) and continued; the figures go into `conformance/flips.json`, which is kept in the repository. Exit 3 when a verdict flipped.
 */
const [count = '20', ...words] = process.argv.slice(2), home = packageRoot(import.meta.url)
const log = join(home, 'conformance/flips.log'), kept = join(home, 'conformance/flips.json'), scratch = join(home, 'build/flips')
const base = Number(process.env['LOADSTONE_PORT_BASE'] ?? 18_400)

/** One door: its sets take turns, since they share stations, devices and clients; doors go side by side. */
type Door = readonly FlipSet[]
const door = (subject: Subject, ...profiles: string[]): Door => profiles.map((profile) => ({ subject, profile, whole: true }))
interface Seed { readonly name: string; readonly environment: Readonly<Record<string, string>>; readonly doors: readonly Door[] }
const seeds: readonly Seed[] = [
  { name: 'main', environment: {}, doors: [door('csms', '2.0.1', '2.1', '1.6'), door('ven', '3.1.1', '3.0.1'), door('csip', 'csip'), door('vtn', '3.1.1', '3.0.1'), door('est', 'rfc7030')] },
  ...['1.2', '1.3'].map((edition) => ({ name: `aus-${edition}`, environment: { LOADSTONE_CSIP_PROFILE: `csip-aus-${edition}` }, doors: [door('csip', `csip-aus-${edition}`)] })),
]

const wanted = (set: FlipSet): boolean => words.length === 0 || words.some((word) => `${set.subject} ${set.profile}`.includes(word))
const runsLeft = (set: FlipSet, round: number): boolean => { const { name, digest } = identityOf(set); return wanted(set) && keptRuns(log, name, digest).length < round }
const todo = seeds.filter((seed) => seed.doors.flat().some((set) => runsLeft(set, Number(count))))

const figures = new Map<string, FlipFigure>(existsSync(kept) ? Object.entries(JSON.parse(readFileSync(kept, 'utf8')) as Record<string, FlipFigure>) : [])
function keep(): void {
  for (const set of seeds.flatMap((seed) => seed.doors.flat())) {
    const { name, digest } = identityOf(set), runs = keptRuns(log, name, digest)
    if (runs.length) figures.set(name, better(figures.get(name), figureOf(digest, runs)))
  }
  writeFileSync(kept, figuresText(Object.fromEntries(figures)))
}

const board = makeBoard(process.stderr, process.env), servers: SeedServer[] = []
let stopping = false
const end = async (): Promise<void> => { board.end(); keep(); await Promise.all(servers.map((server) => server.stop())) }
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { stopping = true; void end().then(() => process.exit(130)) })

mkdirSync(scratch, { recursive: true })
const ready = new Map<string, string>()
for (const [n, seed] of todo.entries()) {
  const server = await seedServer(join(scratch, seed.name), base + n * 20, seed.environment)
  servers.push(server)
  ready.set(seed.name, server.ready)
}
for (let round = 1; round <= Number(count); round += 1) {
  await Promise.all(todo.flatMap((seed) => seed.doors.map(async (sets) => {
    for (const set of sets.filter((each) => runsLeft(each, round))) {
      if (stopping) return
      await runSet(set, ready.get(seed.name) as string, round, {
        log, told: board.told, stopping: () => stopping, ended: (run, soFar) => board.line(`${run.set}: run ${run.seed} of ${count}, ${Object.keys(run.verdicts).length} procedures, ${run.seconds} s, ${flipsOf(soFar).length} flips so far`),
      })
    }
  })))
  keep()
}
await end()
const flips = [...figures].flatMap(([name, { flips: lines }]) => lines.map((line) => `${name}: ${line}`))
for (const line of flips) process.stdout.write(`${line}\n`)
for (const [name, f] of figures) process.stdout.write(`${name}: ${f.flips.length} flips in ${f.runs} runs of ${f.procedures} procedures, ${f.seconds.least} to ${f.seconds.most} s each\n`)
process.exitCode = flips.length ? 3 : 0
