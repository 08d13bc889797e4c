import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { junitFaults } from '#conformance/report/junit-rules.js'
import { packageRoot } from '#core/package-root.js'

const root = packageRoot(import.meta.url)
const skip = existsSync(join(root, 'build/cli/loadstone.js')) ? false : 'not compiled'
interface Action {
  readonly name: string; readonly description: string; readonly inputs: Record<string, { description: string; required?: boolean; default?: string }>; readonly outputs?: object
  readonly runs: { using: string; steps: { shell: string; env: Record<string, string>; run: string }[] }
}
interface Job { readonly image: string; readonly variables: Record<string, string>; readonly before_script: string[]; readonly script: string[]; readonly artifacts: { when: string; paths: string[]; reports: { junit: string } } }
const read = (name: string): string => readFileSync(join(root, 'conformance/ci', name), 'utf8')
const action = parse(read('action.yml')) as Action, { conformance: job } = parse(read('gitlab.yml')) as { conformance: Job }

/** A stranger that is no EST server: every procedure but those of another capability fails at it. */
const server = createServer((_request, response) => { response.writeHead(404, { 'content-type': 'application/json' }).end('{}') })
await new Promise<void>((ready) => { server.listen(0, '127.0.0.1', ready) })
const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
/** A pipeline's folder: the checkout in it as `loadstone`, and what an engineer writes. */
const workspace = mkdtempSync(join(tmpdir(), 'kit-'))
symlinkSync(root, join(workspace, 'loadstone'))
writeFileSync(join(workspace, 'target.yaml'), `target: ${target}\nidentities: {}\n`)
t.teardown(() => { server.close(); rmSync(workspace, { recursive: true }) })

const shell = (text: string, environment: Record<string, string>): Promise<{ code: number; out: string; err: string }> => new Promise((resolve) => {
  execFile('sh', ['-e', '-c', text], { cwd: workspace, env: { PATH: process.env['PATH'] ?? '', ...environment } }, (error, out, err) => resolve({ code: error ? Number(error.code) : 0, out, err }))
})
/** What the job's pattern finds: `FOLDER/*.xml`. */
const reports = (): string[] => {
  const { junit } = job.artifacts.reports, folder = dirname(junit), end = basename(junit).slice(1)
  return readdirSync(join(workspace, folder)).filter((file) => file.endsWith(end)).map((file) => `${folder}/${file}`)
}

t.test('UX-040 the GitHub Action keeps the form of composite actions, and every input reaches the script', async (t) => {
  t.same(Object.keys(action).filter((key) => !['name', 'description', 'author', 'inputs', 'outputs', 'runs', 'branding'].includes(key)), [])
  t.equal(action.runs.using, 'composite')
  for (const [name, input] of Object.entries(action.inputs)) {
    t.type(input.description, 'string', name)
    t.ok(input.required === true || typeof input.default === 'string', `${name} is required or has a default`)
  }
  const used = action.runs.steps.flatMap((step) => Object.values(step.env)).map((value) => /^\$\{\{ inputs\.([a-z-]+) \}\}$/.exec(value)?.[1])
  t.same(used.toSorted(), Object.keys(action.inputs).toSorted())
  for (const step of action.runs.steps) {
    t.equal(step.shell, 'sh')
    t.notMatch(step.run, /\$\{\{/, 'no input is written into the script, where it could be a command')
    const known = read('run.sh')
    for (const name of Object.keys(step.env)) t.ok(known.includes(`$${name}`) || known.includes(`\${${name}`), `run.sh reads ${name}`)
  }
})

t.test('UX-006 UX-040 the Action’s step runs as it is written: annotations, a step summary, JUnit, the exit code', { skip }, async (t) => {
  const given: Record<string, string> = { subject: 'est', config: 'target.yaml', smoke: 'true', loadstone: 'loadstone' }
  for (const step of action.runs.steps) {
    const environment = Object.fromEntries(Object.entries(step.env).map(([name, value]) => { const input = /inputs\.([a-z-]+)/.exec(value)?.[1] ?? ''; return [name, given[input] ?? action.inputs[input]?.default ?? ''] }))
    const { code, out, err } = await shell(step.run, { ...environment, GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: join(workspace, 'summary.md') })
    t.equal(code, 3, err)
    t.match(out, /^::error title=est\.cacerts FAILED::/)
    t.match(out, /\nest rfc7030 at .*: [0-9]+ FAILED.*\n$/, 'and the sums, for who reads the log')
  }
  t.match(readFileSync(join(workspace, 'summary.md'), 'utf8'), /## Conformance: est/)
  t.same(reports().flatMap((file) => junitFaults(readFileSync(join(workspace, file), 'utf8'))), [])
})

t.test('UX-006 UX-040 the GitLab job runs as it is written, and its report lies where the job looks for it', { skip }, async (t) => {
  rmSync(join(workspace, 'conformance-report'), { recursive: true, force: true })
  t.same(Object.keys(job).toSorted(), ['artifacts', 'before_script', 'image', 'script', 'variables'])
  t.equal(job.artifacts.when, 'always', 'a failed job shows its report')
  const { code, err } = await shell([...job.before_script, ...job.script].join('\n'), { ...job.variables, SUBJECT: 'est', SMOKE: 'true' })
  t.equal(code, 3, err)
  t.same(reports(), ['conformance-report/est.xml'])
  t.match(readFileSync(join(workspace, 'conformance-report/est.xml'), 'utf8'), /<failure message="GET \/cacerts: status: expected 200, got 404/)
})

t.test('UX-012 UX-040 the script alone, from anywhere: it finds its Loadstone, and wrong usage is no report', { skip }, async (t) => {
  rmSync(join(workspace, 'conformance-report'), { recursive: true, force: true })
  t.equal((await shell('sh loadstone/conformance/ci/run.sh', { SUBJECT: 'est', TARGET: target, SMOKE: 'true', EXPECT: '' })).code, 3)
  writeFileSync(join(workspace, 'known.txt'), 'est.cacerts\nest.csrattrs\nest.unauthenticated  # all that is asked\n')
  t.equal((await shell('sh loadstone/conformance/ci/run.sh', { SUBJECT: 'est', TARGET: target, SMOKE: 'true', EXPECT: 'known.txt' })).code, 0, 'what is known to fail')
  const wrong = await shell('sh loadstone/conformance/ci/run.sh', { SUBJECT: 'est', OUT: 'nowhere', GITHUB_STEP_SUMMARY: join(workspace, 'none.md') })
  t.equal(wrong.code, 2)
  t.match(wrong.err, /Say what to test/)
  t.notOk(existsSync(join(workspace, 'none.md')))
})
