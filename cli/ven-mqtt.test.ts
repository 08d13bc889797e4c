import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '#core/package-root.js'
import { systemClock } from '#core/port/clock.js'
import { makeTlsPair } from '#vtn/test-tls.js'
import { testVtn } from '#vtn/test-vtn.js'

const portOf = (server: Server): number => (server.address() as AddressInfo).port
const listening = async (server: Server, port = 0): Promise<Server> => { server.listen(port, '127.0.0.1'); await once(server, 'listening'); return server }

t.test('OA-203 OA-209 OA-135 ven run --mqtt, which polls once an hour, hears of events at once from the broker of its VTN', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ven-mqtt-')), tls = await makeTlsPair(), free = await listening(createServer()), port = portOf(free)
  free.close()
  const v = await testVtn({ mqtt: { uris: [`mqtts://{host}:${port}`] } }, { clock: systemClock })
  const broker = v.vtn.broker?.({ key: tls.key, cert: tls.cert })
  if (!broker) throw new Error('no embedded broker')
  await listening(broker, port)
  await v.app.listen({ host: '127.0.0.1', port: 0 })
  await v.vtn.start()
  for (const [name, content] of [['secret.txt', '999\n'], ['ca.pem', tls.ca]] as const) writeFileSync(join(folder, name), content)
  const { NODE_OPTIONS: _, LOADSTONE_VEN_SECRET: __, ...env } = process.env
  const child = spawn(process.execPath, [join(packageRoot(), 'build', 'cli', 'loadstone.js'), 'ven', 'run', '--url', `http://localhost:${portOf(v.app.server)}/openadr3/3.1.1`, '--client-id', 'ven_client', '--client-secret-file', 'secret.txt', '--ca', 'ca.pem', '--poll', '3600', '--json', '--mqtt'], { cwd: folder, env })
  t.teardown(async () => { child.kill('SIGKILL'); await v.close(); rmSync(folder, { recursive: true, force: true }) })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (d: Buffer) => { text += String(d) })
  const { id: programID } = (await v.call('POST', '/programs', 'bl_client', { programName: 'told' })).json()
  // Whatever the first polls find, the last one can only have been told.
  for (const eventName of ['first', 'second', 'third']) {
    const { id } = (await v.call('POST', '/events', 'bl_client', { programID, eventName, intervalPeriod: { start: '2031-01-01T00:00:00Z', duration: 'PT1H' }, intervals: [{ id: 0, payloads: [] }] })).json<{ id: string }>()
    for (let i = 0; i < 3000 && child.exitCode === null && !text.includes(`"event":"${id}","change":"added"`); i++) await new Promise((done) => { setTimeout(done, 10) })
    t.ok(text.includes(`"event":"${id}","change":"added"`), `${eventName}: ${text}`)
  }
  child.kill('SIGINT')
  const [code] = await once(child, 'close')
  t.equal(code, 0, text)
})
