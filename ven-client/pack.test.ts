import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { systemClock } from '#core/port/clock.js'
import { fakeVtn } from '#ven-client/openadr/fake-vtn.js'

const run = promisify(execFile)

function packageRoot(): string {
  let at = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(at, 'package.json'))) at = dirname(at)
  return at
}

const root = packageRoot(), folder = await mkdtemp(join(tmpdir(), 'ven-pack-'))
t.teardown(() => rm(folder, { recursive: true, force: true }))

/** The tarball as npm would install it; its dependencies are those of this checkout, so that no network is needed. */
async function installed(): Promise<{ dependencies: Record<string, string>; files: string[] }> {
  // tap puts its own loaders into every child's NODE_OPTIONS; the compiler cannot bear them, so a shell takes them out.
  const { stdout } = await run('sh', ['-c', 'unset NODE_OPTIONS; exec "$@"', 'sh', process.execPath, join(root, 'scripts/pack-ven.js'), '--out', folder], { cwd: folder })
  const modules = join(folder, 'node_modules'), own = join(modules, '@loadstone/ven')
  await mkdir(own, { recursive: true })
  await run('tar', ['-xzf', join(folder, stdout.trim()), '-C', own, '--strip-components=1'])
  const { dependencies } = JSON.parse(await readFile(join(own, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
  for (const name of Object.keys(dependencies)) {
    await mkdir(dirname(join(modules, name)), { recursive: true })
    await symlink(join(root, 'node_modules', name), join(modules, name))
  }
  await cp(join(root, 'examples'), join(folder, 'examples'), { recursive: true, dereference: true })
  return { dependencies, files: (await run('tar', ['-tzf', join(folder, stdout.trim())])).stdout.split('\n') }
}

t.test('UX-028 the client packs alone: typed, small, no server and no native code in it', async (t) => {
  const { dependencies, files } = await installed()
  t.same(Object.keys(dependencies), ['mqtt', 'multicast-dns', 'saxes', 'typebox', 'undici'])
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
  const source = await readFile(join(root, 'examples/ven-first-event/first-event.mjs'), 'utf8')
  t.ok(source.trim().split('\n').length <= 15)
  const vtn = await fakeVtn({ clock: systemClock })
  t.teardown(() => vtn.close())
  vtn.put({ programID: 'p', eventName: 'hello', intervalPeriod: { start: '2026-07-01T12:00:00Z', duration: 'PT1H' }, intervals: [{ id: 0, payloads: [{ type: 'SIMPLE', values: [1] }] }] })
  const first = await example('ven-first-event/first-event.mjs', { VTN_URL: vtn.url })
  t.match(first.text, /registered as vens-\d+.*\nadded hello \[\{"type":"SIMPLE"/)
  t.equal(first.code, 0)
  t.match(await example('ven-unit-test/fake-vtn.mjs'), { code: 0, text: 'ok' })
})
