import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Command } from 'commander'
import t from 'tap'
import { systemClock } from '#core/port/clock.js'
import { registerSim } from '#cli/sim.js'
import { registerVen } from '#cli/ven.js'
import { registerWebhook } from '#cli/webhook.js'
import { fakeVtn } from '#ven-client/openadr/fake-vtn.js'

const folder = await mkdtemp(join(tmpdir(), 'ven-cli-'))
const vtn = await fakeVtn({ clock: systemClock })
t.teardown(async () => { await vtn.close(); await rm(folder, { recursive: true }) })
const secret = join(folder, 'secret.txt')
await writeFile(secret, 's\n')

async function cli(...args: string[]): Promise<string> {
  const program = new Command('loadstone').exitOverride()
  registerVen(program)
  registerWebhook(program)
  registerSim(program)
  const out: string[] = [], write = process.stdout.write.bind(process.stdout), error = process.stderr.write.bind(process.stderr)
  process.stdout.write = ((text: string) => { out.push(text); return true }) as typeof process.stdout.write
  process.stderr.write = (() => true) as typeof process.stderr.write
  try { await program.parseAsync(['node', 'loadstone', ...args]) } finally { process.stdout.write = write; process.stderr.write = error; process.exitCode = 0 }
  return out.join('')
}
const connection = ['--url', vtn.url, '--client-id', 'v1', '--client-secret-file', secret]

t.test('UX-010 UX-011 ven events and report by hand, one JSON document each', async (t) => {
  const event = vtn.put({ programID: 'p', eventName: 'e', intervalPeriod: { start: '2026-07-01T12:00:00Z', duration: 'PT1H' }, intervals: [{ id: 0, payloads: [{ type: 'SIMPLE', values: [1] }] }] })
  t.match(JSON.parse(await cli('ven', 'events', ...connection, '--json')), [{ id: event.id, types: ['SIMPLE'] }])
  t.match(await cli('ven', 'events', ...connection), /SIMPLE/)
  t.match(JSON.parse(await cli('ven', 'report', ...connection, '--event', event.id, '--resource', 'r', '--value', '1.5', '--json')), { eventID: event.id, resources: [{ intervals: [{ payloads: [{ values: [1.5] }] }] }] })
})

t.test('UX-012 what goes wrong has its exit code', async (t) => {
  const code = (...args: string[]): Promise<number | string> => cli(...args).then(() => 0, (e: { code: number | string }) => e.code)
  await writeFile(join(folder, 'wrong.txt'), 'wrong')
  t.equal(await code('ven', 'events', '--url', vtn.url, '--client-id', 'v1', '--client-secret-file', join(folder, 'wrong.txt')), 4)
  t.equal(await code('ven', 'events', '--url', 'http://127.0.0.1:1', '--client-id', 'v1', '--client-secret-file', secret), 7)
  t.equal(await code('ven', 'report', ...connection, '--event', 'none', '--resource', 'r', '--value', '1'), 6)
  t.equal(await code('ven', 'run', ...connection, '--device', 'toaster'), 2)
  t.equal(await code('sim', 'ven', '--url', vtn.url, '--behave', 'rudely', '--client-secret', 's'), 2)
  t.equal(await code('sim', 'inverter', '--url', 'https://127.0.0.1:1/dcap', '--cert', 'none.pem', '--key', 'none.key', '--ca', 'none.pem'), 5)
})

t.test('UX-007 sim ven runs many against any VTN', async (t) => {
  const out = JSON.parse(await cli('sim', 'ven', '--count', '5', '--url', vtn.url, '--client-id', 'sim-%02d', '--client-secret', 's', '--for', '2', '--spread', '0.5', '--json')) as { devices: { connected: boolean }[]; meters: object }
  t.equal(out.devices.filter((d) => d.connected).length, 5)
  t.same([...vtn.objects.vens.values()].map((v) => v.venName).sort(), ['sim-01', 'sim-02', 'sim-03', 'sim-04', 'sim-05'])
})

t.test('UX-030 webhook listen subscribes while it runs, prints and forwards what comes, and takes the subscription back', async (t) => {
  const forwarded: string[] = []
  const server = createServer((request, response) => { let body = ''; request.on('data', (d) => { body += String(d) }).on('end', () => { forwarded.push(body); response.statusCode = 202; response.end() }) })
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
  t.teardown(() => server.close())
  const running = cli('webhook', 'listen', ...connection, '--for', '2', '--json', '--forward', `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`)
  const subscribed = () => [...vtn.objects.subscriptions.values()][0]?.objectOperations[0]
  for (let i = 0; i < 150 && !subscribed(); i++) await new Promise((done) => setTimeout(done, 10))
  const { callbackUrl, bearerToken } = subscribed() as { callbackUrl: string; bearerToken: string }
  // Nothing is asserted while the command runs: it shares this test's stdout, which carries the TAP.
  const echoed = await (await fetch(`${callbackUrl}?echo=abc`)).text()
  const notice = JSON.stringify({ objectType: 'EVENT', operation: 'CREATE', object: { id: 'e1' } })
  const stranger = (await fetch(callbackUrl, { method: 'POST', body: notice })).status
  const vtnItself = (await fetch(callbackUrl, { method: 'POST', body: notice, headers: { authorization: `Bearer ${bearerToken}` } })).status
  const out = (await running).split('\n').filter((line) => line.startsWith('{"operation"')).map((line) => JSON.parse(line) as object)
  t.equal(echoed, 'abc')
  t.same([stranger, vtnItself], [401, 200], 'only the VTN has the token')
  t.match(out, [{ operation: 'CREATE', objectType: 'EVENT', id: 'e1', forwarded: '202' }])
  t.same(forwarded, [notice])
  t.equal(vtn.objects.subscriptions.size, 0)
  const refused = await cli('webhook', 'listen', ...connection, '--objects', 'TOASTER').then(() => undefined, (error: { code?: number }) => error.code)
  t.equal(refused, 2)
})
