// Runs every ```sh block of README.md and of the rooms' pages as a reader would, from the clone's folder (UX-002). A block that cannot run
// alone says why in the line before it: <!-- not run here: REASON -->. `npm start` ends after its story; `npm test` has just been run.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const pages = ['README.md', ...readdirSync(root, { withFileTypes: true }).filter((e) => e.isDirectory() && !e.name.startsWith('.') && !['node_modules', 'build', 'examples'].includes(e.name)).map((e) => `${e.name}/README.md`)]
const work = mkdtempSync(join(tmpdir(), 'loadstone-readme-'))
const asRun = (line) => line.replace(/^npm start$/, `npm start -- --exit --data ${join(work, 'data')}`).replace(/^npm test$/, 'true # it has just been run')

let run = 0, failed = 0
for (const page of pages) {
  let text = ''
  try { text = readFileSync(join(root, page), 'utf8') } catch { continue }
  for (const [, before, block] of text.matchAll(/(^.*\n)?^```sh\n([\s\S]*?)^```/gm)) {
    if (/<!-- not run here/.test(before ?? '')) { process.stdout.write(`skipped: ${page}: ${before.trim()}\n`); continue }
    const script = block.split('\n').map((line) => asRun(line.trim())).join('\n')
    const done = spawnSync('bash', ['-euo', 'pipefail', '-c', script], { cwd: root, encoding: 'utf8', timeout: 600_000, env: { ...process.env, LOADSTONE_PORT_BASE: process.env.LOADSTONE_PORT_BASE ?? '18180', CI: 'true' } })
    run += 1
    if (done.status !== 0) {
      failed += 1
      process.stdout.write(`NOT OK ${page}: exit ${done.status}\n${block}${(done.stdout + done.stderr).slice(-2000)}\n`)
    } else process.stdout.write(`ok ${page}: ${block.trim().split('\n')[0]}\n`)
  }
}
rmSync(work, { recursive: true, force: true })
process.stdout.write(`${run} blocks run, ${failed} failed\n`)
process.exit(failed === 0 && run > 0 ? 0 : 1)
