// `npm run measure:console`: what the pages cost with 10,000 devices, in a real browser on a server of its own; one JSON line for each figure, exit 1 when one misses its bound.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { answered, behind, fleet, panned } from './fleet.mjs'
import { apiOf, openBrowser, openPage, portBase, root, settled, until, visit } from './harness.mjs'
import { rows } from './look.mjs'

const many = 2000, most = 10_000
const data = mkdtempSync(join(tmpdir(), 'console-measure-'))
const server = spawn(process.execPath, ['build/cli/loadstone.js', 'serve', '--data', data, '--fresh'], { cwd: root, env: { ...process.env, LOADSTONE_PORT_BASE: String(await portBase()), LOADSTONE_RATE_LIMITS: 'off' }, stdio: ['ignore', 'pipe', 'ignore'] })
const said = await new Promise((done, fail) => {
  createInterface({ input: server.stdout }).on('line', (l) => { if (l.includes('"ready":true')) done(JSON.parse(l)) })
  server.once('exit', (code) => fail(new Error(`the server ended: ${code}`)))
})
const base = said.operator, token = said.operatorToken, api = apiOf(base, token), { browser, close } = await openBrowser()

let missed = 0
function figure(name, times, bound_ms) {
  const sorted = [...times].sort((a, b) => a - b), value = Math.round(sorted[Math.floor(sorted.length / 2)])
  if (value > bound_ms) missed++
  process.stdout.write(`${JSON.stringify({ name, value, unit: 'ms', n: times.length, worst: Math.round(sorted.at(-1)), bound: bound_ms })}\n`)
}
const times = async (n, each) => { const out = []; for (let i = 0; i < n; i++) out.push(await each(i)); return out }

const made = await fleet(api, many)
await made.add(most)
await until('all of them in the list', async () => (await api.get('/devices?limit=1')).total >= most)

/** Opened anew, with nothing kept by the browser. */
const opened = (at, selector) => times(5, async () => {
  const p = await openPage(browser, base, { token, at: '/settings' })
  await settled(p)
  await p.goto('about:blank')
  const begun = Date.now()
  await p.goto(`${base}/#${at}`)
  await p.waitForSelector(selector)
  const ms = Date.now() - begun
  await p.context().close()
  return ms
})
figure('console.home.firstContent', await opened('/', '[data-figure="home.enrolled"]'), 1500)
figure('console.devices.firstContent', await opened('/devices', '[data-table="dev"] tbody tr'), 1500)
figure('console.map.firstContent', await opened('/devices?view=map', 'canvas.map[data-points]'), 1500)
const orders = await times(3, (i) => made.order(i + 1))
figure('console.live.firstContent', await opened(`/dispatches/${orders[0].id}`, '[data-figure="dispatch.ordered"]'), 1500)

const p = await openPage(browser, base, { token, at: '/devices?view=map' })
await until('every point', async () => Number(await p.locator('canvas.map').getAttribute('data-points').catch(() => 0)) >= most, { within: 90_000 })
figure('console.map.frame', await panned(p), 50)

figure('console.live.behind', await times(3, (i) => behind({ openPage, browser, base, token, api, rows, settled }, orders[i])), 2000)

await visit(p, '/devices')
await until('the whole list', async () => (await p.locator('[data-table="dev"] [role="status"]').innerText()).includes('10,000'))
figure('console.devices.sort', await times(6, () => answered(p, '[data-table="dev"] th button')), 300)
figure('console.devices.search', await times(6, (i) => answered(p, '[data-table="dev"] input[type="search"]', `-${i}`)), 300)
await visit(p, '/devices')
figure('console.devices.filter', await times(4, (i) => answered(p, '[data-table="dev"] select', i % 2 ? '' : 'openadr')), 300)
for (const page of ['dispatches', 'devices', 'programs', 'verification', 'settlement', 'audit']) {
  figure(`console.go.${page}`, await times(3, async () => { await visit(p, '/settings'); return answered(p, `nav.main a[href="#/${page}"]`) }), 300)
  await settled(p)
}
figure('console.stop.dialog', await times(5, async () => { const ms = await answered(p, 'header.top button.danger'); await p.keyboard.press('Escape'); await p.waitForSelector('dialog', { state: 'detached' }); return ms }), 300)
await visit(p, '/dispatches/new')
await p.locator('select[name="template"]').selectOption('hour')
await p.locator('input[name="power"]').fill(String(many))
figure('console.preview.busy', await times(3, async () => { const ms = await answered(p, 'form button.primary, form .row button'); await p.waitForSelector('[data-preview], .problem'); return ms }), 300)

await close()
server.kill('SIGTERM')
await new Promise((done) => server.once('exit', done))
rmSync(data, { recursive: true, force: true })
process.exit(missed > 0 ? 1 : 0)
