import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '#core/package-root.js'
import { systemClock } from '#core/port/clock.js'
import { fakeVtn } from '#ven-client/openadr/fake-vtn.js'
import { installedIn } from '#ven-client/test-package.js'

const folder = await mkdtemp(join(tmpdir(), 'ven-pack-'))
t.teardown(() => rm(folder, { recursive: true, force: true }))

t.test('UX-028 the client packs alone: typed, small, no server and no native code in it', async (t) => {
  const { dependencies, files } = await installedIn(folder)
  t.same(dependencies, ['mqtt', 'multicast-dns', 'saxes', 'typebox', 'undici'])
  t.ok(files.includes('package/ven-client/index.d.ts'))
  t.notOk(files.some((f) => /test|prisma|csms|\/resource\/|registry|server\.js/.test(f)), files.filter((f) => /test|prisma|csms|server\.js/.test(f)).join())
})

/** An example as a stranger runs it: plain node, the package by its name. */
function example(path: string, env: Record<string, string> = {}): Promise<{ code: number | null; text: string }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [join(folder, 'examples', path)], { cwd: folder, env: { PATH: process.env.PATH ?? '', ...env } })
    let text = ''
    child.stdout.on('data', (d: Buffer) => { text += d.toString() })
    child.stderr.on('data', (d: Buffer) => { text += d.toString() })
    child.on('close', (code) => done({ code, text }))
    setTimeout(() => child.kill(), 20_000).unref()
  })
}

t.test('UX-003 UX-031 fifteen lines get the first event; the unit-test example passes', async (t) => {
  const source = await readFile(join(packageRoot(), 'examples/ven-first-event/first-event.mjs'), 'utf8')
  t.ok(source.trim().split('\n').length <= 15)
  const vtn = await fakeVtn({ clock: systemClock })
  t.teardown(() => vtn.close())
  vtn.put({ programID: 'p', eventName: 'hello', intervalPeriod: { start: '2026-07-01T12:00:00Z', duration: 'PT1H' }, intervals: [{ id: 0, payloads: [{ type: 'SIMPLE', values: [1] }] }] })
  const first = await example('ven-first-event/first-event.mjs', { VTN_URL: vtn.url })
  t.match(first.text, /registered as vens-\d+.*\nadded hello \[\{"type":"SIMPLE"/)
  t.equal(first.code, 0)
  t.match(await example('ven-unit-test/fake-vtn.mjs'), { code: 0, text: 'ok' })
})
