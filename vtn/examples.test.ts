import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { systemClock } from '#core/port/clock.js'
import { installedIn } from '#ven-client/test-package.js'
import { testVtn } from '#vtn/test-vtn.js'

/** examples/ven-device as docs/openadr-ven-developer.md has it run: plain node, the tarball of `npm run pack:ven`, a VTN on the network. */
t.setTimeout(180_000)
const folder = mkdtempSync(join(tmpdir(), 'vtn-examples-')), v = await testVtn({}, { clock: systemClock })
await v.app.listen({ host: '127.0.0.1', port: 0 })
t.teardown(async () => { await v.close(); rmSync(folder, { recursive: true, force: true }) })
t.before(() => installedIn(folder))

t.test('UX-031 OA-202 OA-205 OA-207 the thermostat registers, obeys the event and its end, reports from its queue on disk, and ends at Ctrl-C', async (t) => {
  const { id: programID } = (await v.call('POST', '/programs', 'bl_client', { programName: 'demo' })).json()
  const event = (await v.call('POST', '/events', 'bl_client', {
    programID, eventName: 'hello', intervalPeriod: { start: new Date(systemClock.nowMs()).toISOString(), duration: 'PT1H' },
    reportDescriptors: [{ payloadType: 'OPERATING_STATE', frequency: 0 }], intervals: [{ id: 0, payloads: [{ type: 'SIMPLE', values: [2] }] }],
  })).json<{ id: string }>()
  const child = spawn(process.execPath, [join(folder, 'examples/ven-device/thermostat.mjs')], {
    cwd: folder, env: { PATH: process.env.PATH ?? '', VTN_URL: `http://127.0.0.1:${(v.app.server.address() as AddressInfo).port}/openadr3/3.1.1`, CLIENT_ID: 'ven_client', CLIENT_SECRET: '999' },
  })
  t.teardown(() => child.kill('SIGKILL'))
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (d: Buffer) => { text += String(d) })
  const until = async (true_: () => Promise<boolean> | boolean): Promise<void> => {
    for (let i = 0; i < 2400 && child.exitCode === null && !await true_(); i++) await new Promise((done) => { setTimeout(done, 25) })
  }
  const states = async (): Promise<string[]> => (await v.call('GET', `/reports?eventID=${event.id}`)).json<{ resources: { intervals: { payloads: { values: string[] }[] }[] }[] }[]>()
    .flatMap((r) => r.resources.flatMap((x) => x.intervals.flatMap((i) => i.payloads.flatMap((p) => p.values))))

  await until(() => /told SIMPLE 2 -> target/.test(text))
  await until(async () => (await states()).includes('RUNNING_CURTAILED'))
  await v.call('DELETE', `/events/${event.id}`)
  await until(() => /told nothing/.test(text))
  child.kill('SIGINT')
  const [code] = child.exitCode === null ? await once(child, 'close') : [child.exitCode]

  t.equal(code, 0, text)
  t.match(text, /^registered as [\w-]+$/m)
  t.match(text, /^told SIMPLE 2 -> target \d+(\.\d+)?$/m)
  t.match(text, /^told nothing -> target \d+(\.\d+)?$/m)
  t.match((await v.call('GET', '/vens', 'ven_client')).json(), [{ venName: 'house-1' }])
  t.match((await v.call('GET', '/resources', 'ven_client')).json(), [{ resourceName: 'living-room' }])
  t.same(readdirSync(join(folder, 'reports')), [], 'every report has left the queue')
})
