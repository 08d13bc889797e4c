// A fresh production server with nothing in it, only the operator's door: for what happens before there are people.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { portBase, root } from './harness.mjs'

export async function bareServer(env = {}) {
  const data = mkdtempSync(join(tmpdir(), 'console-bare-')), port = await portBase()
  const child = spawn(process.execPath, ['build/cli/loadstone.js', 'serve', '--only', 'operator', '--fresh', '--data', data], { cwd: root, env: { ...process.env, ...env, LOADSTONE_PORT_BASE: String(port), NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'ignore'] })
  const over = new Promise((done) => child.once('exit', done))
  const ready = await Promise.race([
    over.then((code) => { throw new Error(`the bare server ended (${code})`) }),
    new Promise((done) => createInterface({ input: child.stdout }).on('line', (line) => { if (line.includes('"ready":true')) done(JSON.parse(line)) })),
  ])
  return { base: ready.operator, setup: ready.setup, token: ready.operatorToken, stop: async () => { child.kill('SIGTERM'); await over; rmSync(data, { recursive: true, force: true }) } }
}
