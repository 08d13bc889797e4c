// A maker's device at the EST door, played by the command line: the door is where the demo puts it, five ports above the console.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './harness.mjs'

export const run = (file, args, env = {}) =>
  new Promise((done) => execFile(file, args, { cwd: root, env: { ...process.env, NO_COLOR: '1', ...env } }, (error, out, err) => done({ code: error ? (error.code ?? 1) : 0, out, err })))

/** A device with a key of its own that asks for a certificate as often as it is told to. */
export function deviceOf(demo, { serial, pen, secret }) {
  const out = mkdtempSync(join(tmpdir(), 'console-device-')), url = new URL(demo.base)
  const ask = () => run(process.execPath, ['build/cli/loadstone.js', 'cert', 'enroll', '--url', `https://localhost:${Number(url.port) + 5}`, '--ca', join(demo.data, 'pki', 'tls-ca.pem'), '--serial', serial, '--pen', String(pen), '--out', out, '--json'], { LOADSTONE_EST_SECRET: secret })
  return { out, ask, clean: () => rmSync(out, { recursive: true, force: true }) }
}
