import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { junitFaults } from '#conformance/report/junit-rules.js'
import { packageRoot } from '#core/package-root.js'

const root = packageRoot(import.meta.url)
const dir = mkdtempSync(join(tmpdir(), 'conformance-'))
let right = true
const server = createServer((_request, response) => { response.writeHead(right ? 200 : 404, { 'content-type': 'application/json' }).end(right ? '{"tokenURL":"http://localhost/token"}' : '{}') })
await new Promise<void>((ready) => { server.listen(0, '127.0.0.1', ready) })
const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
t.teardown(() => { server.close(); rmSync(dir, { recursive: true }) })

const entry = join(root, 'build/cli/loadstone.js')
const run = (...args: string[]): Promise<{ code: number; out: string; err: string }> => new Promise((resolve) => {
  execFile(process.execPath, [entry, 'conformance', ...args], { env: { ...process.env, NO_COLOR: '1' } }, (error, out, err) => resolve({ code: error ? Number(error.code) : 0, out, err }))
})
const one = ['run', 'vtn', '--target', target, '--only', 'vtn.auth.server']
const skip = existsSync(entry) ? false : 'not compiled'

t.test('UX-012 exit codes of a run: 0 passed, 3 failed, 2 wrong usage, 7 nobody there, and expected failures', { skip }, async (t) => {
  const junit = join(dir, 'r.xml'), known = join(dir, 'known.txt')
  writeFileSync(known, 'vtn.auth.server  # a reason\n')
  const passed = await run(...one, '--junit', junit, '--json', join(dir, 'r.json'), '--html', join(dir, 'r.html'), '--tap', join(dir, 'r.tap'), '--markdown', join(dir, 'r.md'), '--evidence', join(dir, 'e.json'))
  t.equal(passed.code, 0, passed.err)
  t.same(junitFaults(readFileSync(junit, 'utf8')), [])
  t.match(JSON.parse(readFileSync(join(dir, 'r.json'), 'utf8')), { target, profile: '3.1.1', seed: 0, summary: { PASSED: 1 }, results: [{ id: 'vtn.auth.server', clause: String, verdict: 'PASSED', detail: String }] })
  t.equal((await run(...one, '--expect-failures', known)).code, 3, 'an unexpected pass')
  right = false
  const failed = await run(...one, '--json')
  t.equal(failed.code, 3)
  t.match(JSON.parse(failed.out), { summary: { FAILED: 1 } }, 'stdout is one document')
  t.equal((await run(...one, '--expect-failures', known)).code, 0, 'an expected failure')
  t.match((await run(...one, '--annotations')).out, /^::error title=vtn\.auth\.server/)
  t.equal((await run('run', 'nothing')).code, 2)
  t.equal((await run('run', 'vtn', '--target', target, '--only', 'no-such-id')).code, 2)
  t.equal((await run('run', 'vtn', '--target', target, '--seed', 'x')).code, 2)
  t.equal((await run('run', 'vtn')).code, 2, 'no target')
  t.equal((await run('run', 'vtn', '--target', 'http://127.0.0.1:1')).code, 7)
})

t.test('UX-035 a capability that no procedure asks for is named: it is misspelled', { skip }, async (t) => {
  right = true
  const { code, err } = await run(...one, '--with', 'web-hook', 'etag')
  t.equal(code, 0, err)
  t.match(err, /No procedure of vtn asks for the capability 'web-hook'/)
  t.notMatch(err, /etag/)
})

t.test('UX-037 list names every procedure; artefact compares a file and says what differs', { skip }, async (t) => {
  t.match((JSON.parse((await run('list', 'est', '--json')).out) as { procedures: object[] }).procedures[0], { subject: 'est', id: String, requirements: Array })
  const schemas = join(dir, 'schemas.json')
  writeFileSync(schemas, JSON.stringify([{ $id: 'urn:Nothing' }]))
  const differs = await run('artefact', 'ocpp', '--file', schemas, '--json'), said = JSON.parse(differs.out) as { compared: number; differences: string[] }
  t.equal(differs.code, 3)
  t.equal(said.compared, 1)
  t.ok(said.differences.includes('NothingRequest: only there'))
  t.equal((await run('artefact', 'sep', '--file', schemas)).code, 2, 'not such a file')
  t.equal((await run('artefact', 'ocpp-schemas', '--file', join(dir, 'none'))).code, 5)
  t.equal((await run('artefact', 'nothing', '--file', schemas)).code, 2)
})

t.test('UX-036 a statement is written with a key that is made, and verified', { skip }, async (t) => {
  right = true
  const file = join(dir, 'statement.json'), key = join(dir, 'key.pem')
  t.equal((await run(...one, '--statement', file)).code, 2, 'a key is needed')
  t.equal((await run(...one, '--statement', file, '--statement-key', key)).code, 0)
  const verified = await run('verify', file, '--json')
  t.equal(verified.code, 0, verified.err)
  t.match(JSON.parse(verified.out), { signer: /^[\w-]{43}$/, statement: { target, profile: '3.1.1', summary: { PASSED: 1 } } })
  writeFileSync(file, readFileSync(file, 'utf8').replace('"signature":"', '"signature":"AAAA'))
  t.equal((await run('verify', file)).code, 3)
  t.equal((await run('verify', join(dir, 'none.json'))).code, 5)
  t.equal((await run(...one, '--config', join(dir, 'none.yaml'))).code, 5, 'a file that is not there')
})

t.test('UX-035 a client of 3.0.1 meets a VTN of 3.0.1, correct and rude', { skip }, async (t) => {
  const config = join(dir, 'ven301.json')
  writeFileSync(config, JSON.stringify({ target: 'fixture', profile: '3.0.1', capabilities: ['registers', 'registers-resources'], values: { command: [process.execPath, join(root, 'build/conformance/fixture-ven301.js'), '{url}', '{clientId}', '{secret}'] } }))
  const said = await run('run', 'ven', '--config', config, '--only', 'ven.register.301', 'ven.resources.301', 'ven.poll', 'ven.rude.500', 'ven.event.deleted', '--json')
  t.equal(said.code, 0, said.out + said.err)
  t.match(JSON.parse(said.out), { profile: '3.0.1', summary: { PASSED: 5 } })
})

/** The command under a terminal of its own, by util-linux; what it wrote, screen and all. */
const onTerminal = (environment: object, ...args: string[]): Promise<string> => new Promise((resolve) => {
  const command = [process.execPath, entry, ...args].map((word) => `'${word}'`).join(' ')
  execFile('script', ['-qec', command, '/dev/null'], { env: { ...process.env, NO_COLOR: '', TERM: 'xterm', ...environment } }, (_error, out) => resolve(out))
})

t.test('UX-014 colour and a line that is written over on a terminal only: none in a pipe, with NO_COLOR, --no-color or TERM=dumb', { skip: skip || (existsSync('/usr/bin/script') ? false : 'no script(1) here') }, async (t) => {
  right = true
  const ask = ['conformance', ...one], escape = '\u001B['
  t.match(await onTerminal({}, ...ask), '\u001B[32mPASSED\u001B[0m')
  t.match(await onTerminal({}, ...ask), '\r\u001B[2K1/1, ')
  for (const text of [await onTerminal({ NO_COLOR: '1' }, ...ask), await onTerminal({}, '--no-color', ...ask)]) t.notOk(text.includes('\u001B[32m'), 'no colour')
  t.notOk((await onTerminal({ TERM: 'dumb' }, ...ask)).includes(escape), 'nothing that a dumb terminal would show as rubbish')
  const { out, err } = await run(...one)
  t.notOk((out + err).includes(escape), 'none in a pipe')
})
