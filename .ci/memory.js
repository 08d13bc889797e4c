// Memory of the whole story (issue 2): server, simulated devices and embedded database together, sampled while it runs. PSS counts a page that
// several processes share once. Usage: node .ci/memory.js [--devices 200] [--limit 1024]; one line of JSON on stdout, exit 0, or 3 above the limit.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const flag = (name, fallback) => { const at = process.argv.indexOf(name); return at < 0 ? fallback : process.argv[at + 1] }
const devices = flag('--devices', '200'), limit = Number(flag('--limit', '1024'))
const work = mkdtempSync(join(tmpdir(), 'loadstone-memory-')), data = join(work, 'data')
const child = spawn(process.execPath, [join(root, 'build/cli/loadstone.js'), 'up', '--exit', '--json', '--fresh', '--devices', devices, '--data', data], {
  cwd: work, env: { ...process.env, LOADSTONE_PORT_BASE: process.env.LOADSTONE_PORT_BASE ?? '18280' }, stdio: ['ignore', 'pipe', 'pipe'],
})
let out = '', err = ''
child.stdout.on('data', (d) => { out += d })
child.stderr.on('data', (d) => { err += d })

const read = (path) => { try { return readFileSync(path, 'utf8') } catch { return '' } }

/** The story's own processes: the program, its children, and the postmaster with its backends. */
function family() {
  const parents = new Map()
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const parent = /^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1]
    if (parent) parents.set(pid, parent)
  }
  const ours = new Set([String(child.pid), read(join(data, 'database', 'data', 'postmaster.pid')).split('\n')[0]].filter(Boolean))
  for (let grew = true; grew;) {
    grew = false
    for (const [pid, parent] of parents) if (!ours.has(pid) && ours.has(parent)) { ours.add(pid); grew = true }
  }
  return [...ours]
}

let peak = 0, parts = {}
const watch = setInterval(() => {
  const now = { server: 0, fleet: 0, database: 0 }
  for (const pid of family()) {
    const kB = Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0), command = read(`/proc/${pid}/cmdline`)
    now[/fleet-child/.test(command) ? 'fleet' : pid === String(child.pid) ? 'server' : 'database'] += kB / 1024
  }
  const sum = now.server + now.fleet + now.database
  if (sum > peak) { peak = sum; parts = now }
}, 1000)
child.once('exit', (code) => {
  clearInterval(watch)
  const round = Math.round
  const document = code === 0 || code === 3 ? JSON.parse(out.trim().split('\n').at(-1)) : undefined
  process.stdout.write(`${JSON.stringify({ name: `story.memory.${devices}`, value: round(peak), unit: 'MiB', n: Number(devices), limit, server: round(parts.server), fleet: round(parts.fleet), database: round(parts.database), elapsed_s: document?.elapsed_s, code })}\n`)
  if (code !== 0) process.stderr.write(`${err.slice(-3000)}\n${read(join(data, 'logs', 'up.jsonl')).split('\n').filter((l) => /"level":[56]0/.test(l)).slice(-12).map((l) => l.slice(0, 900)).join('\n')}\n`)
  rmSync(work, { recursive: true, force: true })
  process.exit(code !== 0 ? 1 : peak > limit ? 3 : 0)
})
