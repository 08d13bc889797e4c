import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { packageRoot } from '#core/package-root.js'

const at = (file: string): string => JSON.stringify(pathToFileURL(join(packageRoot(), 'build', 'cli', file)).href)

/** A process with our nets for what nobody caught, and a piece of work in it. */
async function run(work: string, stdout: 'pipe' | number = 'pipe'): Promise<{ code: number | null; out: string; err: string }> {
  const program = `const { outlive, untilSignal } = await import(${at('process.js')}); const { makeLog } = await import(${at('log.js')}); const log = makeLog('debug'); outlive(log); ${work}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', stdout, 'pipe'], env: { ...process.env, NODE_OPTIONS: '' } })
  let out = '', err = ''
  child.stdout?.on('data', (d: Buffer) => { out += String(d) })
  child.stderr?.on('data', (d: Buffer) => { err += String(d) })
  const late = setTimeout(() => child.kill('SIGKILL'), 30_000)
  const [code] = await once(child, 'close') as [number | null]
  clearTimeout(late)
  return { code, out, err }
}

t.test('REL-006 one promise or one socket fails: logged with its cause, the process goes on', async (t) => {
  const { code, out } = await run(`
    void Promise.reject(new Error('lost promise', { cause: new Error('the cause') }))
    setTimeout(() => { throw Object.assign(new Error('peer gone'), { code: 'ECONNRESET' }) }, 5)
    setTimeout(() => { console.log(JSON.stringify({ msg: 'still here' })) }, 60)`)
  t.equal(code, 0)
  const lines = out.trim().split('\n').map((line) => JSON.parse(line) as { msg: string; err?: { message: string; stack: string; cause?: { message: string } } })
  t.match(lines.find((l) => l.msg === 'unhandled rejection'), { err: { message: 'lost promise', stack: /at /, cause: { message: 'the cause' } } })
  t.match(lines.find((l) => l.msg === 'uncaught exception'), { err: { message: 'peer gone' } })
  t.ok(lines.some((l) => l.msg === 'still here'))
})

t.test('REL-006 a throw that leaves state in doubt ends the process, not silently, so that the supervisor starts it again', async (t) => {
  const { code, out } = await run(`setTimeout(() => { throw new TypeError('in a timer') }, 5); setTimeout(() => {}, 60_000)`)
  t.equal(code, 1)
  t.match(out, /"msg":"uncaught exception"/)
  t.match(out, /in a timer/)
})

t.test('REL-028 a full log disk stops nothing', { skip: !existsSync('/dev/full') && 'no /dev/full here' }, async (t) => {
  const { code, err } = await run(`
    for (let i = 0; i < 2000; i++) log.warn({ i, pad: 'x'.repeat(200) }, 'to a full disk')
    setTimeout(() => { log.error({}, 'again'); process.stderr.write('work went on') }, 100)`, openSync('/dev/full', 'w'))
  t.equal(code, 0, err.slice(0, 500))
  t.match(err, /work went on/)
})

t.test('UX-070 the level of the log changes while it runs, in children too; SEC-061 secrets never get into it', async (t) => {
  const { out } = await run(`
    log.setLevel('warn')
    const child = log.child({ room: 'x' })
    child.info({}, 'too little')
    log.setLevel('info')
    child.info({ password: 'canary-1', nested: { token: 'canary-2', secret: 'canary-3' }, headers: { authorization: 'canary-4' }, err: Object.assign(new Error('failed'), { request: { body: 'canary-5' }, config: { password: 'canary-6' } }) }, 'enough')`)
  const lines = out.trim().split('\n')
  t.equal(lines.length, 1)
  t.match(JSON.parse(lines[0]!), { msg: 'enough', room: 'x', password: '[secret]' })
  t.notMatch(out, /canary/)
})

t.test('SEC-068 secrets out of examples are refused, SEC-061 and not repeated', async (t) => {
  const check = (env: Record<string, string>): { code: number | null; text: string } => {
    const done = spawnSync(process.execPath, [join(packageRoot(), 'build', 'cli', 'loadstone.js'), 'config', 'check'], { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '', ...env } })
    return { code: done.status, text: done.stdout + done.stderr }
  }
  for (const [name, value] of [['LOADSTONE_SEAL_KEY', 'changeme'], ['LOADSTONE_SEAL_KEY', 'short-one'], ['LOADSTONE_DATABASE_URL', 'postgresql://app:change-me@db/loadstone'], ['LOADSTONE_SMS_SECRET', 'example']] as const) {
    const { code, text } = check({ [name]: value })
    t.equal(code, 2, `${name} ${text}`)
    t.match(text, name)
    if (value === 'short-one') t.notMatch(text, value)
  }
  t.equal(check({ LOADSTONE_SEAL_KEY: 'f'.repeat(8) + '0123456789abcdef', LOADSTONE_DATABASE_URL: 'postgresql://app@db/loadstone' }).code, 0)
})

t.test('REL-003 what was left open does not keep a process that was told to end and has closed', async (t) => {
  const { code } = await run(`
    setInterval(() => {}, 1000)
    setTimeout(() => process.kill(process.pid, 'SIGTERM'), 20)
    process.exitCode = await untilSignal(async () => {}, log)`)
  t.equal(code, 0)
})

t.test('REL-003 the second signal ends at once', async (t) => {
  const { code } = await run(`
    const ended = untilSignal(() => new Promise(() => {}), log)
    const alive = setInterval(() => {}, 1000)
    setTimeout(() => process.kill(process.pid, 'SIGTERM'), 20); setTimeout(() => process.kill(process.pid, 'SIGTERM'), 200)
    await ended`)
  t.equal(code, 1)
})
