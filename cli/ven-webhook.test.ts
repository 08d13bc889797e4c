import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '#core/package-root.js'
import { systemClock } from '#core/port/clock.js'
import { makeTlsPair } from '#vtn/test-tls.js'
import { testVtn } from '#vtn/test-vtn.js'

/** `loadstone ven run --webhook-url` as a process that polls once an hour, against our own VTN that challenges, sends over TLS and signs. */
const folder = mkdtempSync(join(tmpdir(), 'ven-webhook-')), program = join(packageRoot(), 'build', 'cli', 'loadstone.js'), tls = await makeTlsPair()
for (const [name, text] of [['secret.txt', '999\n'], ['me.pem', tls.cert], ['me.key', tls.key]] as const) writeFileSync(join(folder, name), text)
const v = await testVtn({ webhooks: { echo: 'required', allow: ['127.0.0.0/8', '::1', 'localhost'] } }, { clock: systemClock, outbound: { ca: tls.ca } })
await v.app.listen({ host: '127.0.0.1', port: 0 })
await v.vtn.start()
t.teardown(async () => { await v.close(); rmSync(folder, { recursive: true, force: true }) })
const door = `http://127.0.0.1:${(v.app.server.address() as AddressInfo).port}/openadr3/3.1.1`

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
  const { port } = server.address() as AddressInfo
  await new Promise((done) => { server.close(done) })
  return port
}
function ven(...args: string[]): { child: ChildProcess; out: string; err: string; done: Promise<number | null> } {
  const { NODE_OPTIONS: _, LOADSTONE_VEN_SECRET: __, ...env } = process.env
  const child = spawn(process.execPath, [program, 'ven', 'run', '--url', door, '--client-id', 'ven_client', '--client-secret-file', 'secret.txt', '--poll', '3600', '--json', ...args], { cwd: folder, env })
  const running = { child, out: '', err: '', done: once(child, 'close').then(([code]) => code as number | null) }
  child.stdout.on('data', (d: Buffer) => { running.out += String(d) })
  child.stderr.on('data', (d: Buffer) => { running.err += String(d) })
  t.teardown(() => child.kill('SIGKILL'))
  return running
}
async function until(what: string, ok: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 3000 && !await ok(); i++) await new Promise((done) => { setTimeout(done, 10) })
  if (!await ok()) throw new Error(`never: ${what}`)
}
const knock = (port: number, headers: Record<string, string>): Promise<number> => new Promise((done, fail) => {
  const sent = request({ host: 'localhost', port, path: '/hook', method: 'POST', ca: tls.ca, headers }, (answer) => { answer.resume(); done(answer.statusCode ?? 0) })
  sent.on('error', fail).end(JSON.stringify({ objectType: 'EVENT', operation: 'CREATE', object: {} }))
})

t.test('OA-209 OA-121 OA-131 ven run hears of an event by its own HTTPS webhook long before it polls, challenged, with token and signature; strangers are refused', async (t) => {
  const port = await freePort(), run = ven('--webhook-url', `https://localhost:${port}/hook`, '--webhook-cert', 'me.pem', '--webhook-key', 'me.key', '--webhook-hmac')
  const own = async (): Promise<{ id: string; hmacSecret?: string; objectOperations: { bearerToken?: string }[] }[]> => (await v.call('GET', '/subscriptions', 'ven_client')).json()
  await until(`a subscription ${run.err}`, async () => (await own()).length === 1)
  const [{ hmacSecret, objectOperations: [{ bearerToken } = {}] } = { objectOperations: [] }] = await own()
  t.match([hmacSecret, bearerToken], [/^.{32}$/, /^.{32}$/])
  const { id: programID } = (await v.call('POST', '/programs', 'bl_client', { programName: 'told' })).json()
  const made = (await v.call('POST', '/events', 'bl_client', { programID, intervalPeriod: { start: '0001-01-01T00:00:00Z', duration: 'PT4H' }, intervals: [{ id: 0, payloads: [{ type: 'SIMPLE', values: [2] }] }] })).json()
  await until(`the event ${run.out} ${run.err}`, () => run.out.includes(made.id))
  t.equal(await knock(port, {}), 401, 'no token')
  t.equal(await knock(port, { authorization: 'Bearer guessed' }), 401, 'a wrong token')
  t.equal(await knock(port, { authorization: `Bearer ${bearerToken}` }), 401, 'no signature')
  await v.call('DELETE', `/events/${made.id}`)
  await until(`the end ${run.out}`, () => run.out.includes('"removed"'))
  run.child.kill('SIGINT')
  t.equal(await run.done, 0, run.err)
})

t.test('OA-209 UX-016 options of the receiver that make no sense are refused before anything is sent', async (t) => {
  for (const args of [['--webhook-port', '4443'], ['--webhook-hmac'], ['--webhook-url', 'https://localhost:1/hook', '--webhook-cert', 'me.pem'], ['--webhook-url', 'ftp://x/']]) {
    const run = ven(...args)
    t.equal(await run.done, 2, `${args.join(' ')}: ${run.err}`)
  }
  const run = ven('--webhook-url', 'https://localhost:4443/hook', '--webhook-cert', 'gone.pem', '--webhook-key', 'me.key')
  t.equal(await run.done, 5, run.err)
  const stranger = ven('--client-secret-file', 'me.pem', '--webhook-url', 'http://localhost:1/hook', '--webhook-port', '0')
  t.equal(await stranger.done, 4, `a client that is refused ends, receiver, device and all: ${stranger.err}`)
})
