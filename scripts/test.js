// `npm test [files]`: lint, type check and every test; the last line is `N passed, N failed`.
import { spawn, spawnSync } from 'node:child_process'
import { createWriteStream, existsSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { compile, generate, install, buildConsole, root } from './prepare.js'

install()
generate()
compile()
buildConsole()
process.chdir(root)

const require = createRequire(join(root, 'package.json'))
const bin = (name, file) => join(dirname(require.resolve(`${name}/package.json`)), file)
const files = process.argv.slice(2).map((f) => f.replace(/\.ts$/, '.js').replace(/^(?!build\/)/, 'build/'))

/** Lint and type check count as one test each. */
function check(title, args) {
  const done = spawnSync(process.execPath, args, { stdio: ['ignore', 2, 2] })
  process.stdout.write(`${done.status === 0 ? 'ok' : 'not ok'} - ${title}\n`)
  return done.status === 0
}
const checks = files.length ? [] : [
  check('lint', [bin('oxlint', 'bin/oxlint'), '--quiet']),
  check('types', [bin('typescript', 'bin/tsc'), '--noEmit', '--incremental', 'false']),
]

const tap = require.resolve('tap/package.json').replace(/package\.json$/, 'dist/esm/run.mjs')
if (!existsSync('node_modules/.tap-built')) { // else the first run after an install fails
  spawnSync(process.execPath, [tap, 'build'], { stdio: ['ignore', 2, 2] })
  writeFileSync('node_modules/.tap-built', '')
}

/** The whole TAP goes to build/test.tap; the terminal gets one line a file and everything about a failure. */
const whole = createWriteStream('build/test.tap')
const run = spawn(process.execPath, [tap, '--reporter=tap', ...files], { stdio: ['ignore', 'pipe', 'inherit'] })
let counts = {}, failing = 0
createInterface({ input: run.stdout }).on('line', (line) => {
  whole.write(`${line}\n`)
  const total = /^# \{ ([^}]*) \}$/.exec(line)
  if (total) counts = Object.fromEntries(total[1].split(', ').map((p) => p.split(': ')).map(([k, v]) => [k, Number(v)]))
  if (/^ok |^not ok /.test(line)) process.stdout.write(`${line.replace(/ \{$/, '')}\n`)
  const bad = /^\s+not ok /.test(line) && !/# (TODO|SKIP)/i.test(line)
  if (bad) failing = 25
  if (failing > 0) { process.stdout.write(`${line}\n`); failing -= 1 }
})
run.on('close', (code) => {
  whole.end()
  const skipped = (counts.skip ?? 0) + (counts.todo ?? 0)
  const failed = (counts.fail ?? 0) || (code ? 1 : 0)
  const passed = (counts.pass ?? 0) + checks.filter(Boolean).length, refused = failed + checks.filter((ok) => !ok).length
  process.stdout.write(`\n${passed} passed, ${refused} failed${skipped ? `, ${skipped} skipped` : ''}\n`)
  process.exitCode = refused || !passed ? 1 : 0
})
