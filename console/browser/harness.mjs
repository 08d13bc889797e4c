import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const require = createRequire(join(root, 'package.json'))
const { chromium } = require('playwright-core')
export const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')

export const shots = process.env.CI_ARTIFACTS ? join(process.env.CI_ARTIFACTS, 'console') : join(root, 'build', 'screenshots')
mkdirSync(shots, { recursive: true })

export const pause = (ms) => new Promise((done) => setTimeout(done, ms))

/** Asks until the answer is true, or says what it waited for. The bound is for a machine with other work; what is asked for comes when it comes. */
export async function until(what, ask, { within = 60_000, every = 100 } = {}) {
  const end = Date.now() + within
  for (;;) {
    const answer = await ask()
    if (answer) return answer
    if (Date.now() > end) throw new Error(`waited ${within / 1000} s for: ${what}`)
    await pause(every)
  }
}

const free = (port) =>
  new Promise((done) => {
    const s = createServer()
    s.once('error', () => done(false))
    s.listen(port, '127.0.0.1', () => s.close(() => done(true)))
  })

/** Eight ports in a row that nobody uses. */
export async function portBase() {
  for (let base = 24_600 + (process.pid % 300) * 10; ; base = base + 10 > 32_000 ? 24_600 : base + 10)
    if ((await Promise.all(Array.from({ length: 8 }, (_, i) => free(base + i)))).every(Boolean)) return base
}

/** The demo as `npm start` runs it, on ports of its own; or one that already runs (`CONSOLE_URL`, `CONSOLE_DATA`). */
export async function startDemo(devices) {
  if (process.env.CONSOLE_URL)
    return {
      base: process.env.CONSOLE_URL,
      data: process.env.CONSOLE_DATA,
      token: readFileSync(join(process.env.CONSOLE_DATA, 'operator.token'), 'utf8').trim(),
      stop: async () => undefined,
      start: async () => undefined,
      own: false,
    }
  const port = await portBase(),
    data = mkdtempSync(join(tmpdir(), 'console-demo-')),
    base = `http://localhost:${port}`
  let child,
    ending = false
  const start = async (keep) => {
    ending = false
    const env = { ...process.env, LOADSTONE_PORT_BASE: String(port), NO_COLOR: '1' }
    child = spawn(process.execPath, ['build/cli/loadstone.js', 'up', '--devices', String(devices), '--data', data, keep ? '--keep' : '--fresh'], {
      cwd: root,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr.on('data', (d) => {
      said = (said + d).slice(-4000)
    })
    const gone = new Promise((_, no) => child.once('exit', (code) => no(new Error(`the demo ended (${code}): ${said}`))))
    gone.catch((error) => {
      if (!ending) process.stdout.write(`# ${error.message}\n`)
    })
    await Promise.race([
      gone,
      until(
        'the demo to be ready',
        async () => existsSync(join(data, 'operator.token')) && (await fetch(`${base}/readyz`).catch(() => undefined))?.ok,
        { within: 180_000, every: 300 },
      ),
    ])
  }
  const stop = async () => {
    if (!child || child.exitCode !== null) return
    ending = true
    const over = new Promise((done) => child.once('exit', done))
    child.kill('SIGTERM')
    await Promise.race([over, pause(15_000).then(() => child.kill('SIGKILL'))])
  }
  await start(false)
  return {
    base,
    data,
    token: readFileSync(join(data, 'operator.token'), 'utf8').trim(),
    start: () => start(true),
    stop,
    own: true,
    clean: () => rmSync(data, { recursive: true, force: true }),
  }
}

export function apiOf(base, token) {
  const call = async (method, path, body, headers = {}) => {
    const answer = await fetch(`${base}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text(),
      value = text ? JSON.parse(text) : undefined
    if (!answer.ok) throw Object.assign(new Error(`${method} ${path}: ${answer.status} ${value?.detail ?? ''}`), { status: answer.status, problem: value })
    return value
  }
  return { get: (path) => call('GET', path), post: (path, body = {}, headers) => call('POST', path, body, headers), call }
}

export async function openBrowser() {
  const profile = mkdtempSync(join(tmpdir(), 'console-chromium-'))
  const executablePath =
    process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) => existsSync(p))
  if (!executablePath) return undefined
  const args = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ]
  // one profile folder per run, empty at its beginning
  const browser = await chromium.launch({ executablePath, headless: true, args, env: { ...process.env, HOME: profile } })
  return {
    browser,
    close: async () => {
      await browser.close()
      rmSync(profile, { recursive: true, force: true })
    },
  }
}

/** What every page of a run did that it must not do. */
export const misdeeds = []
/** Requests of a page that have no answer yet; the live stream never has one. */
const open = new WeakMap()

/** `abroad`: the one other place that this page is meant to go to, an identity provider. */
export async function openPage(browser, base, { token, at = '/', width = 1280, scheme = 'light', language = 'en', quiet = false, abroad } = {}) {
  const context = await browser.newContext({ viewport: { width, height: width > 600 ? 800 : 844 }, colorScheme: scheme, locale: 'en-US', timezoneId: 'Europe/Berlin', acceptDownloads: true })
  context.setDefaultTimeout(60_000)
  await context.addInitScript((l) => localStorage.setItem('loadstone.language', l), language)
  const page = await context.newPage(),
    home = new URL(base).origin,
    waiting = new Set()
  open.set(page, waiting)
  page.on('request', (r) => {
    if (!r.url().startsWith(home) && !(abroad && r.url().startsWith(abroad)) && !/^(blob|data|about):/.test(r.url())) misdeeds.push(`request to ${r.url()}`)
    if (!r.url().includes('/api/v1/live')) waiting.add(r)
  })
  for (const over of ['requestfinished', 'requestfailed']) page.on(over, (r) => waiting.delete(r))
  page.on('pageerror', (e) => misdeeds.push(`error in the page at ${page.url()}: ${e.message}`))
  page.on('console', (m) => { if (/Content Security Policy|Refused to/i.test(m.text()) && !quiet) misdeeds.push(`CSP: ${m.text().slice(0, 200)}`) })
  page.on('dialog', (d) => { misdeeds.push(`a dialog opened: ${d.message()}`); void d.dismiss() })
  await page.goto(token === undefined ? `${base}/#${at}` : `${base}/#/login?token=${token}&to=${encodeURIComponent(at)}`)
  return page
}

/** Goes to a page of the console and waits until it has all that it asked for. */
export async function visit(page, at) {
  // a page that is shown already would not ask again
  await page.evaluate((to) => { if (location.hash === `#${to}`) location.hash = '/nowhere' }, at)
  await page.evaluate((to) => { location.hash = to }, at)
  await settled(page)
}

const twoFrames = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))

/** A page is settled when nothing says "Loading…", nothing is on its way, and what came has been drawn. */
export async function settled(page) {
  await page.waitForSelector('main h1, main.login, main .card')
  await twoFrames(page)
  await until('the page to be loaded', async () => open.get(page).size === 0 && (await page.locator('[data-loading]').count()) === 0, { within: 60_000, every: 40 })
  await twoFrames(page)
}

export function tests() {
  let passed = 0,
    failed = 0,
    skipped = 0
  return {
    async test(title, run) {
      const begun = Date.now()
      try {
        await run()
        passed++
        process.stdout.write(`ok - ${title} (${((Date.now() - begun) / 1000).toFixed(1)} s)\n`)
      } catch (error) {
        failed++
        process.stdout.write(
          `not ok - ${title}\n  ${String(error?.stack ?? error)
            .split('\n')
            .slice(0, 6)
            .join('\n  ')}\n`,
        )
      }
    },
    skip(title, why) {
      skipped++
      process.stdout.write(`skip - ${title}: ${why}\n`)
    },
    sum() {
      process.stdout.write(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}\n`)
      return failed === 0 ? 0 : 1
    },
  }
}

export const equal = (found, wanted, what = '') => {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) throw new Error(`${what}: found ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`)
}
export const ok = (held, what) => {
  if (!held) throw new Error(what)
}
