import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exampleRun } from '#conformance/example.js'
import { packageRoot } from '#core/package-root.js'

/** `node build/conformance/example-write.js READY`: makes `conformance/example/` again, every format, from a run against a server of the conformance seed. */
const root = packageRoot(import.meta.url), folder = join(root, 'conformance/example'), keys = mkdtempSync(join(tmpdir(), 'loadstone-example-'))
const run = (...more: readonly string[]): string => spawnSync(process.execPath, [
  join(root, 'build/cli/loadstone.js'), 'conformance', 'run', exampleRun.subject, '--from', process.argv[2] ?? '', '--with', ...exampleRun.with, '--only', ...exampleRun.only, ...more,
], { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'inherit'] }).stdout
for (const old of readdirSync(folder)) rmSync(join(folder, old))
const at = (name: string): string => join(folder, name)
writeFileSync(at('report.txt'), run('--junit', at('report.xml'), '--json', at('report.json'), '--html', at('report.html'), '--tap', at('report.tap'), '--markdown', at('report.md'), '--evidence', at('evidence.json'), '--statement', at('statement.json'), '--statement-key', join(keys, 'key.pem')))
writeFileSync(at('annotations.txt'), run('--annotations').replace(/^(?!::).*\n/gm, ''))
rmSync(keys, { recursive: true })
