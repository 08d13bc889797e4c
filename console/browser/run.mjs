// The operator's jobs, played in a real browser on the running demo; every number that a page shows is compared with the API.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import {
  apiOf,
  axeSource,
  equal,
  misdeeds,
  ok,
  openBrowser,
  openPage,
  pause,
  root,
  settled,
  shots,
  startDemo,
  tests,
  until,
  visit,
} from './harness.mjs'

const { test, skip, sum } = tests()
for (const what of ['uncaughtException', 'unhandledRejection'])
  process.on(what, (error) => {
    process.stdout.write(`not ok - the run itself: ${error?.stack ?? error}\n`)
    sum()
    process.exit(1)
  })
const chrome = await openBrowser()
if (!chrome) {
  skip('browser tests', 'no Chromium on this machine')
  process.exit(sum())
}
const { browser } = chrome
const demo = await startDemo(24),
  { base, token } = demo,
  api = apiOf(base, token)

const number = (n, digits = 1) => new Intl.NumberFormat('en-US', { maximumFractionDigits: digits }).format(n === 0 ? 0 : n)
const power = (kW) => (Math.abs(kW) >= 1000 ? `${number(kW / 1000, 2)} MW` : `${number(kW)} kW`)
const energy = (kWh) => (kWh === null ? '–' : Math.abs(kWh) >= 1000 ? `${number(kWh / 1000, 3)} MWh` : `${number(kWh)} kWh`)
const figure = async (page, key) => (await page.locator(`[data-figure="${key}"]`).innerText()).replace(/\s+/g, ' ').trim()
/** A number that moves is right when it was the API's at some moment between two looks. */
async function moving(what, look, ask) {
  let last
  await until(
    `${what} to equal the API`,
    async () => {
      const wanted = await ask(),
        found = await look(),
        after = await ask()
      last = { found, wanted, after }
      return found === wanted || found === after
    },
    { within: 8000, every: 300 },
  ).catch(() => {
    throw new Error(`${what}: ${JSON.stringify(last)}`)
  })
}
const shot = (page, name, full = false) => page.screenshot({ path: join(shots, `${name}.png`), fullPage: full })
const newest = async () => {
  const o = await api.get('/overview')
  return o.live.at(-1)?.id ?? o.next[0]?.id ?? o.last?.id
}

const page = await openPage(browser, base, { token, at: '/live' })

await test('UX-001 the printed link signs in and the token leaves the address at once', async () => {
  await page.waitForSelector('header.top', { timeout: 10_000 })
  ok(!page.url().includes('token'), page.url())
  equal(
    await page.evaluate(() => Object.keys(localStorage).some((k) => localStorage.getItem(k).startsWith('lst_'))),
    false,
    'the token is not in localStorage',
  )
})

await test("UX-046 the page waits for the story's order and shows it by itself", async () => {
  await until('the event on the page', async () => (await page.locator('ol.steps').count()) === 1, { within: 120_000, every: 500 })
  await settled(page)
})

const id = await newest()

await test("UX-046 live: order, target, actual and parts are the API's; the cancel button is visible", async () => {
  await until(
    'the event to run',
    async () => {
      const d = await api.get(`/dispatches/${id}`)
      return ['active', 'completed', 'verified', 'settled'].includes(d.state)
    },
    { within: 60_000, every: 500 },
  )
  const d = await api.get(`/dispatches/${id}`)
  equal(await figure(page, 'dispatch.ordered'), power(d.power_kW), 'ordered')
  await moving(
    'placed',
    () => figure(page, 'dispatch.placed'),
    async () => power((await api.get(`/dispatches/${id}`)).allocated_kW),
  )
  if (d.state === 'active') ok(await page.locator('.cancel button').isVisible(), 'cancel is visible')
  await until('two measured intervals', async () => (await api.get(`/dispatches/${id}/progress`)).intervalsDone >= 2, { within: 60_000, every: 500 })
  await moving(
    'delivered',
    async () => figure(page, (await page.locator('[data-figure="dispatch.delivered"]').count()) ? 'dispatch.delivered' : 'dispatch.soFar'),
    async () => {
      const p = await api.get(`/dispatches/${id}/performance`)
      return energy(p.delivered_kWh ?? (await api.get(`/dispatches/${id}/progress`)).delivered_kWh)
    },
  )
  const states = async () => Object.fromEntries((await api.get(`/dispatches/${id}/deliveries?limit=1000`)).items.map((x) => [x.id, x.state]))
  await moving(
    'states of all parts',
    async () =>
      JSON.stringify(
        Object.fromEntries(
          Object.entries(
            await page.$$eval('[data-table="part"] tr[data-row]', (rows) =>
              Object.fromEntries(rows.map((r) => [r.dataset.row, r.querySelector('[data-state]').dataset.state])),
            ),
          ).sort(),
        ),
      ),
    async () => JSON.stringify(Object.fromEntries(Object.entries(await states()).sort())),
  )
  ok((await page.locator('.chart canvas').count()) > 0, 'a chart is drawn')
  await shot(page, 'live-1280-light')
})

await test('UX-046 the paragraph explains the event without the reader knowing a protocol', async () => {
  const text = await page.locator('.explain').innerText()
  for (const word of ['less consumption', 'buildings', 'home batteries', 'car chargers', 'dashed line', 'meters'])
    ok(text.includes(word), `it says “${word}”: ${text}`)
})

for (const [width, scheme] of [
  [1280, 'dark'],
  [390, 'light'],
  [390, 'dark'],
]) {
  const p = await openPage(browser, base, { token, at: `/dispatches/${id}`, width, scheme })
  await p.waitForSelector('.chart canvas', { timeout: 15_000 }).catch(() => undefined)
  if (width === 390 && scheme === 'light')
    await test('UX-053 on a phone an event can be watched and cancelled', async () => {
      const state = (await api.get(`/dispatches/${id}`)).state
      if (state === 'active') {
        const box = await p.locator('.cancel button').first().boundingBox()
        ok(box && box.y > 700 && box.y < 844, `cancel stays at the bottom of the screen: ${JSON.stringify(box)}`)
      }
      ok(await p.locator('header.top button.danger').isVisible(), 'stop all is visible')
    })
  await shot(p, `live-${width}-${scheme}`)
  await p.context().close()
}

await test("UX-045 home: enrolled, available, dispatched are the API's, each with its age", async () => {
  await visit(page, '/')
  await moving(
    'enrolled',
    () => figure(page, 'home.enrolled'),
    async () => power((await api.get('/overview')).enrolled.kW),
  )
  await moving(
    'available',
    () => figure(page, 'home.available'),
    async () => power((await api.get('/overview')).available.down_kW),
  )
  await moving(
    'dispatched',
    () => figure(page, 'home.dispatched'),
    async () => power((await api.get('/overview')).dispatched.kW),
  )
  equal(await page.locator('.cards .age').count(), 3, 'every number has an age')
  await shot(page, 'home-1280-light')
})

await test('UX-045 the story comes to its end: verified and settled', async () => {
  await until('the settlement', async () => (await api.get(`/dispatches/${id}`)).state === 'settled', { within: 120_000, every: 1000 })
  await visit(page, `/dispatches/${id}`)
  await until('the page to say so', async () => (await page.locator('li[data-step="settled"]').getAttribute('data-done')) === 'true')
  const p = await api.get(`/dispatches/${id}/performance`)
  equal(await figure(page, 'dispatch.delivered'), energy(p.delivered_kWh), 'delivered')
  await shot(page, 'settled-1280-light', true)
})

await test('CORE-070 re-allocation is visible: who gave back and who took over', async () => {
  const text = await page.locator('section:has(> h2)', { hasText: 'Re-allocation' }).last().innerText(),
    revisions = (await api.get(`/dispatches/${id}/revisions`)).items
  ok(revisions.length === 0 || /Gave back/.test(text) || /kept its part/.test(text), text)
})

const devices = (await api.get('/devices?limit=1000')).items,
  named = (name) => devices.find((d) => d.name === name)

await test('UX-049 the cause of each planted fault is named in a sentence', async () => {
  const words = { optedOut: /opted out/, rejected: /refused/, noComms: /silent|not reached/, cancelled: /taken back/ },
    deliveries = (await api.get(`/dispatches/${id}/deliveries?limit=1000`)).items.filter((x) => words[x.state])
  ok(deliveries.length >= 2, `${deliveries.length} faults`)
  for (const x of deliveries) {
    await visit(page, `/devices/${x.resource}`)
    const said = await page.locator('.why p').first().innerText()
    ok(words[x.state].test(said), `${x.resourceName} (${x.state}): ${said}`)
  }
})

await test("UX-049 a charger's page shows the last frames both ways", async () => {
  await visit(page, `/devices/${named('charger-001').id}`)
  const frames = (await api.get('/stations/charger-001')).frames
  await moving(
    'frames',
    async () => String(await page.locator('.frames details').count()),
    async () => String((await api.get('/stations/charger-001')).frames.length),
  )
  ok(frames.some((f) => f.direction === 'in') && frames.some((f) => f.direction === 'out'), 'both directions')
  await page.waitForSelector('.chart canvas')
})

await test('UX-050 devices: one list over three protocols; filter, sort and search live in the URL; export of what is shown', async () => {
  await visit(page, '/devices')
  equal(await page.locator('[data-table="dev"] tbody tr').count(), devices.length, 'rows')
  await page.locator('[data-table="dev"] .tools select').first().selectOption('ocpp')
  ok(page.url().includes('dev.protocol=ocpp'), page.url())
  equal(await page.locator('[data-table="dev"] tbody tr').count(), devices.filter((d) => d.protocol === 'ocpp').length, 'filtered')
  await page.getByRole('button', { name: /Rated/ }).click()
  ok(page.url().includes('dev.sort='), page.url())
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export CSV' }).click()])
  const csv = readFileSync(await download.path(), 'utf8')
    .trim()
    .split('\r\n')
  equal(csv.length - 1, devices.filter((d) => d.protocol === 'ocpp').length, 'exported rows')
  await page.reload()
  await settled(page)
  equal(
    await page.locator('[data-table="dev"] tbody tr').count(),
    devices.filter((d) => d.protocol === 'ocpp').length,
    'the filter survives a reload',
  )
})

await test('UX-047 the map shows every device that the filters leave', async () => {
  await visit(page, '/devices?view=map')
  await page.waitForSelector('canvas.map[data-points]')
  equal(await page.locator('canvas.map').getAttribute('data-points'), String(devices.length), 'points')
  await shot(page, 'map-1280-light')
})

await test('UX-047, UX-055 10,000 devices: first content in 1.5 s, the map pans smoothly', async () => {
  const many = Array.from({ length: 10_000 }, (_, i) => ({
    ...devices[i % devices.length],
    id: `d${i}`,
    name: `device-${i}`,
    gridPath: [`F${i % 40}`, 'substation-1'],
  }))
  const p = await openPage(browser, base, { token, at: '/settings' })
  await settled(p)
  await p.route('**/api/v1/devices?*', (route) => {
    const at = Number(new URL(route.request().url()).searchParams.get('cursor') ?? 0)
    return route.fulfill({
      json: {
        items: many.slice(at, at + 1000),
        next: at + 1000 < many.length ? String(at + 1000) : null,
        total: many.length,
        at: new Date().toISOString(),
      },
    })
  })
  const begun = Date.now()
  await p.evaluate(() => {
    location.hash = '/devices?view=map'
  })
  await p.waitForSelector('[data-table="dev"] tbody tr')
  const first = Date.now() - begun
  ok(first <= 1500, `first content after ${first} ms`)
  await until('all points', async () => (await p.locator('canvas.map').getAttribute('data-points')) === '10000')
  const box = await p.locator('canvas.map').boundingBox()
  await p.evaluate(() => {
    window.frames_ = []
    let last = performance.now()
    const tick = (now) => {
      window.frames_.push(now - last)
      last = now
      requestAnimationFrame(tick)
    }
    requestAnimationFrame(tick)
  })
  await p.mouse.move(box.x + 300, box.y + 200)
  await p.mouse.down()
  for (let i = 0; i < 40; i++) await p.mouse.move(box.x + 300 + i * 5, box.y + 200 + i * 2)
  await p.mouse.up()
  const times = (await p.evaluate(() => window.frames_)).sort((a, b) => a - b),
    median = times[Math.floor(times.length / 2)],
    p95 = times[Math.floor(times.length * 0.95)]
  process.stdout.write(`  # 10,000 points: first content ${first} ms, frame median ${median.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms (no GPU)\n`)
  ok(median <= 50, `median frame ${median} ms`)
  await p.context().close()
})

await test('UX-048 new dispatch: template, preview by dry run equal to the API, order, cancel', async () => {
  await visit(page, '/dispatches/new')
  await page.locator('select[name="template"]').selectOption('last')
  await page.locator('input[name="power"]').fill('50')
  await page.locator('input[name="reason"]').fill('browser test')
  await page.getByRole('button', { name: 'Preview' }).click()
  await page.waitForSelector('[data-preview]')
  const form = await page.evaluate(() => JSON.parse(sessionStorage.getItem('loadstone.draft'))),
    wanted = await api.post('/dispatches', {
      program: form.program,
      power_kW: 50,
      start: `${form.day}T${form.start}`,
      end: `${form.day}T${form.end}`,
      mode: form.mode,
      reason: 'browser test',
      dryRun: true,
    })
  equal(await page.locator('[data-preview]').getAttribute('data-preview'), String(wanted.allocated_kW), 'placed')
  ok((await page.locator('[data-preview]').innerText()).includes(`${wanted.allocation.byResource.length} devices would be told`), 'devices')
  ok((await page.locator('form').innerText()).includes('America/Denver'), 'the zone is shown')
  const before = (await api.get('/dispatches?limit=1000')).items.length
  await page.getByRole('button', { name: 'Order 50 kW' }).click()
  await page.waitForURL(/#\/dispatches\/[0-9a-f-]{36}/)
  await settled(page)
  equal((await api.get('/dispatches?limit=1000')).items.length, before + 1, 'one order more')
  await page.locator('.cancel > button').click()
  await page.locator('dialog button.danger').click()
  const made = page.url().split('/').at(-1)
  await until('the order to be cancelled', async () => (await api.get(`/dispatches/${made}`)).state === 'cancelled')
  await until('the page to say so', async () => (await page.locator('.titlebar [data-state="cancelled"]').count()) > 0, { within: 3000 })
})

await test('UX-048 a refused order names every failing check', async () => {
  await visit(page, '/dispatches/new')
  await page.locator('input[name="power"]').fill('50')
  await page.locator('input[name="day"]').fill('2020-01-02')
  await page.locator('input[name="start"]').fill('10:00')
  await page.locator('input[name="end"]').fill('11:00')
  await page.getByRole('button', { name: 'Preview' }).click()
  await page.waitForSelector('.problem li')
})

await test('UX-046 what another person does is on the page within 2 s', async () => {
  const last = await api.get(`/dispatches/${id}`),
    day = new Date(Date.parse(last.start) + 7 * 86_400_000).toISOString(),
    made = await api.post(
      '/dispatches',
      { program: last.program, power_kW: 20, start: day, duration: 'PT1H', reason: 'seen elsewhere' },
      { 'idempotency-key': `seen-${Date.now()}` },
    )
  await visit(page, `/dispatches/${made.id}`)
  await api.post(`/dispatches/${made.id}/cancel`, {})
  const begun = Date.now()
  await until('cancelled on the page', async () => (await page.locator('.titlebar [data-state="cancelled"]').count()) > 0, {
    within: 5000,
    every: 50,
  })
  process.stdout.write(`  # ${Date.now() - begun} ms behind\n`)
  ok(Date.now() - begun <= 2000, `${Date.now() - begun} ms`)
})

await test('CORE-203 two persons: an order above the threshold waits; its author cannot release it, another can', async () => {
  const program = await api.get('/programs/peak')
  await api.call('PATCH', `/programs/${program.id}`, { limits: { ...program.limits, twoPersonAbove_kW: 10 }, version: program.version })
  const last = await api.get(`/dispatches/${id}`),
    made = await api.post(
      '/dispatches',
      { program: program.id, power_kW: 30, start: new Date(Date.parse(last.start) + 8 * 86_400_000).toISOString(), duration: 'PT1H' },
      { 'idempotency-key': `two-${Date.now()}` },
    )
  equal(made.state, 'pendingRelease', 'state')
  await visit(page, `/dispatches/${made.id}`)
  await page.getByRole('button', { name: 'Release dispatch' }).click()
  await page.waitForSelector('.notice .problem, .notice + .problem, .problem')
  const other = await api.post('/tokens', { role: 'dispatcher', user: 'second', expiresIn_s: 3600 }),
    p = await openPage(browser, base, { token: other.token, at: `/dispatches/${made.id}` })
  await p.getByRole('button', { name: 'Release dispatch' }).click()
  await until('the release', async () => (await api.get(`/dispatches/${made.id}`)).state !== 'pendingRelease')
  await p.context().close()
  await api.post(`/dispatches/${made.id}/cancel`, {})
  const now = await api.get('/programs/peak')
  await api.call('PATCH', `/programs/${program.id}`, { limits: program.limits, version: now.version })
})

await test('CORE-204 stop all from any page: open, type, press; a banner says so until it is lifted', async () => {
  for (const at of ['/audit', '/settings']) {
    await visit(page, at)
    ok(await page.locator('header.top button.danger').isVisible(), `on ${at}`)
  }
  await page.locator('header.top button.danger').click()
  ok(await page.locator('dialog button.danger').isDisabled(), 'nothing without the word')
  await page.locator('input[name="stop-word"]').fill('STOP')
  await page.locator('dialog button.danger').click()
  await until('the stop', async () => (await api.get('/stop')).items.some((s) => s.active))
  await page.locator('dialog button', { hasText: 'Close' }).click()
  await page.waitForSelector('.banner.stop')
  await page.locator('.banner.stop button').click()
  await until('the stop to be lifted', async () => (await api.get('/stop')).items.every((s) => !s.active))
  await until('the banner to go', async () => (await page.locator('.banner.stop').count()) === 0)
})

await test('CORE-020 enrolment: a list is uploaded with a result per row; one is taken all the way to active', async () => {
  const name = `browser-${Date.now()}`
  await api.post('/service-points', { name })
  await visit(page, `/programs/${(await api.get('/programs/peak')).id}`)
  await page
    .locator('input[name="list"]')
    .setInputFiles({ name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from(`servicePoint,nominated_kW\n${name},5\nno-such-point,5\n`) })
  await page.getByRole('button', { name: 'Enrol 2 rows' }).click()
  await until(
    'results',
    async () =>
      (await page.locator('form tbody tr').count()) === 2 &&
      !(await page.locator('form tbody tr').allInnerTexts()).some((x) => x.trim().split('\t').length < 3),
  )
  const rows = await page.locator('form tbody tr').allInnerTexts()
  ok(/enrolled/.test(rows[0]) && !/enrolled/.test(rows[1]), rows.join(' | '))
  const made = (await api.get(`/enrolments?servicePoint=${name}`)).items[0]
  equal([made.state, made.nominated_kW], ['applied', 5], 'stored')
})

await test("UX-062 verification: numbers and days are the API's; any payment leads to its readings in three clicks", async () => {
  const p = await api.get(`/dispatches/${id}/performance`)
  await visit(page, `/verification/${id}`)
  equal(
    [await figure(page, 'dispatch.baseline'), await figure(page, 'verify.metered'), await figure(page, 'dispatch.delivered')],
    [energy(p.baseline_kWh), energy(p.metered_kWh), energy(p.delivered_kWh)],
    'figures',
  )
  await shot(page, 'verification-1280-light')
  const run = (await api.get('/settlement-runs')).items.at(-1)
  await visit(page, `/settlement/${run.id}`)
  equal(
    await figure(page, 'settle.revenue'),
    `${new Intl.NumberFormat('en-US', { minimumFractionDigits: 2 }).format(run.revenue)} ${run.currency}`,
    'revenue',
  )
  const statements = (await api.get(`/statements?run=${run.id}&limit=1000`)).items
  equal(await page.locator('[data-table="st"] tbody tr').count(), Math.min(50, statements.length), 'statements')
  await page.locator('[data-table="st"] tbody a').first().click()
  await page.waitForURL(/statements/)
  await settled(page)
  const mine = statements.find((s) => page.url().includes(s.id))
  ok((await figure(page, 'settle.amount')).startsWith(new Intl.NumberFormat('en-US', { minimumFractionDigits: 2 }).format(mine.amount)), 'the amount')
  await page.locator('td a[href^="#/readings"]').first().click()
  await page.waitForURL(/readings/)
  await settled(page)
  const at = new URLSearchParams(page.url().split('?')[1]),
    readings = (
      await api.get(
        `/readings?servicePoint=${mine.servicePoint}&from=${encodeURIComponent(at.get('from'))}&to=${encodeURIComponent(at.get('to'))}&limit=1000`,
      )
    ).items
  equal(await page.locator('[data-table="r"] tbody tr').count(), Math.min(100, readings.length), 'readings')
})

await test('UX-065 a dispute is opened from its statement, reviewed and rejected', async () => {
  const run = (await api.get('/settlement-runs')).items.at(-1),
    statement = (await api.get(`/statements?run=${run.id}`)).items[0]
  await visit(page, `/statements/${statement.id}`)
  await page.locator('summary', { hasText: 'Dispute this statement' }).click()
  await page.locator('textarea[name="reason"]').fill('the meter was changed')
  await page.getByRole('button', { name: 'Open dispute' }).click()
  await page.waitForURL(/disputes/)
  await page.getByRole('button', { name: 'Take under review' }).click()
  await page.getByRole('button', { name: 'Reject', exact: true }).click()
  const dispute = page.url().split('/').at(-1)
  await until('the decision', async () => (await api.get(`/disputes/${dispute}`)).state === 'rejected')
})

await test('UX-063 methods side by side: spread and bias as the API computes them', async () => {
  await visit(page, '/baselines?days=2')
  await page.getByRole('button', { name: /Compare \d+ methods/ }).click()
  await until('a result', async () => (await page.locator('[data-table="cmp"] tbody tr').count()) >= 2, { within: 30_000 })
  const row = page.locator('[data-table="cmp"] tbody tr[data-row="CAISO_10IN10"]'),
    [request] = await Promise.all([
      page.waitForRequest((r) => r.url().endsWith('/baselines/backtest') && r.postDataJSON().method === 'CAISO_10IN10', { timeout: 20_000 }),
      until('the button', async () => page.getByRole('button', { name: /Compare \d+ methods/ }).isEnabled(), { within: 30_000 }).then(() =>
        page.getByRole('button', { name: /Compare \d+ methods/ }).click(),
      ),
    ])
  const wanted = await api.post('/baselines/backtest', request.postDataJSON())
  await until('its row', async () => (await row.count()) === 1)
  if (wanted.rrmse !== null)
    equal(
      await row.locator('[data-col="rrmse"]').innerText(),
      new Intl.NumberFormat('en-US', { style: 'percent', maximumFractionDigits: 1 }).format(wanted.rrmse),
      'spread',
    )
})

await test('SEP-226 vendors: an account, one-time secrets shown once, why a certificate is refused', async () => {
  await visit(page, '/vendors')
  const name = `maker-${Date.now()}`
  await page.locator('input[name="vendor"]').fill(name)
  await page.locator('input[name="pen"]').fill('54321')
  await page.locator('form', { hasText: 'Add vendor' }).getByRole('button', { name: 'Add vendor' }).click()
  await until('the vendor', async () => (await api.get('/vendors')).items.some((v) => v.name === name))
  await page.locator('textarea[name="serials"]').waitFor()
  await page.locator('textarea[name="serials"]').fill('SN1\nSN2')
  await page.getByRole('button', { name: 'Make 2 secrets' }).click()
  await page.waitForSelector('.secret pre')
  equal((await page.locator('.secret pre').innerText()).trim().split('\n').length, 2, 'secrets')
})

await test('UX-051 audit: the badge counts what the API verifies', async () => {
  await visit(page, '/audit')
  await page.waitForSelector('[data-chain]')
  const wanted = await api.get('/audit/verify')
  equal(await page.locator('[data-chain]').getAttribute('data-chain'), String(wanted.verified), 'verified')
  const shown = Number(((await page.locator('[data-chain]').innerText()).match(/[\d,]+/)?.[0] ?? '').replaceAll(',', ''))
  ok(shown > 100 && shown <= wanted.records, `${shown} of ${wanted.records}`)
})

await test('UX-052 tokens: made, shown once, revoked; a revoked one is sent back to signing in', async () => {
  await visit(page, '/settings')
  await page.locator('input[name="user"]').fill('browser')
  await page.getByRole('button', { name: 'Make token' }).click()
  const secret = (await page.locator('.secret pre').innerText()).trim(),
    p = await openPage(browser, base, { token: secret, at: '/' })
  await settled(p)
  equal(await p.locator('nav.main a', { hasText: 'Audit' }).count(), 0, 'a viewer has no audit page')
  const made = (await api.get('/tokens')).items.find((x) => x.user === 'browser' && x.revokedAt === null)
  await api.call('DELETE', `/tokens/${made.id}`)
  await p.waitForSelector('main.login', { timeout: 10_000 })
  await p.context().close()
})

await test('UX-052 a person signs in with password and second factor', async () => {
  const { TOTP, Secret } = await import('otpauth'),
    name = `olga-${Date.now()}`
  await visit(page, '/settings')
  await page.locator('input[name="person"]').fill(name)
  await page.getByRole('button', { name: 'Add person' }).click()
  const secret = page.locator('form:has(input[name="person"]) .secret pre')
  await secret.waitFor()
  const [password, totp] = (await secret.innerText()).trim().split('\n'),
    p = await openPage(browser, base, { at: '/' })
  await p.locator('input[name="user"]').fill(name)
  await p.locator('input[name="password"]').fill(password)
  await p.locator('input[name="code"]').fill('000000')
  await p.getByRole('button', { name: 'Sign in' }).first().click()
  await p.waitForSelector('.problem')
  await p.locator('input[name="code"]').fill(new TOTP({ secret: Secret.fromBase32(totp) }).generate())
  await p.getByRole('button', { name: 'Sign in' }).first().click()
  await p.waitForSelector('[data-figure="home.enrolled"]')
  ok((await p.locator('footer').innerText()).includes(`${name}, operator`), 'signed in')
  await p.getByRole('button', { name: 'Sign out' }).click()
  await p.waitForSelector('main.login')
  await p.context().close()
})

await test('SEC-066 device strings are text: no script of theirs runs', async () => {
  const evil = `<img src=x onerror=alert(1)>${Date.now()}`
  await api.post('/service-points', { name: evil })
  const made = await api.post('/resources', { name: evil, servicePoint: evil, kind: '"><script>alert(2)</script>', rated_kW: 1, bindings: [] })
  await until('the new device in the list', async () => (await api.get('/devices?limit=1000')).items.some((d) => d.id === made.id))
  await visit(page, '/devices')
  await until('it on the page', async () => (await page.locator('main').innerText()).includes(evil))
  await visit(page, `/devices/${made.id}`)
  equal(await page.locator('h1').innerText(), evil, 'its name')
  await api.call('PATCH', `/resources/${made.id}`, { state: 'retired', version: made.version })
})

await test('SEC-066 strict CSP on the page and its scripts; nothing inline', async () => {
  const answer = await fetch(base),
    csp = answer.headers.get('content-security-policy') ?? '',
    html = await answer.text()
  for (const word of ["default-src 'self'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "object-src 'none'"])
    ok(csp.includes(word), `${word} in ${csp}`)
  ok(!/unsafe|\*/.test(csp), csp)
  ok(!/<script(?![^>]*src=)|<style|style=|\son\w+=/i.test(html), 'no inline code')
})

await test('UX-055 script at most 300 kB compressed', async () => {
  const folder = join(root, 'build', 'console', 'assets'),
    size = readdirSync(folder)
      .filter((f) => f.endsWith('.js'))
      .reduce((n, f) => n + gzipSync(readFileSync(join(folder, f))).length, 0)
  process.stdout.write(`  # ${Math.round(size / 1024)} kB\n`)
  ok(size <= 300 * 1024, `${size} bytes`)
})

await test('UX-055 first content within 1.5 s', async () => {
  const p = await openPage(browser, base, { token, at: '/' }),
    begun = Date.now()
  await p.reload()
  await p.waitForSelector('[data-figure="home.enrolled"]')
  process.stdout.write(`  # ${Date.now() - begun} ms to the numbers of Home\n`)
  ok(Date.now() - begun <= 1500, `${Date.now() - begun} ms`)
  await p.context().close()
})

const run = (await api.get('/settlement-runs')).items.at(-1),
  statement = (await api.get(`/statements?run=${run.id}`)).items[0],
  program = await api.get('/programs/peak')
const everyPage = [
  '/',
  '/dispatches',
  '/dispatches/new',
  `/dispatches/${id}`,
  '/devices',
  '/devices?view=map',
  `/devices/${named('charger-004').id}`,
  `/readings/${named('site-001').servicePoint}`,
  '/programs',
  '/programs/new',
  `/programs/${program.id}`,
  '/verification',
  `/verification/${id}`,
  '/baselines',
  '/settlement',
  `/settlement/${run.id}`,
  `/statements/${statement.id}`,
  '/vendors',
  '/audit',
  '/webhooks',
  '/conformance',
  '/settings',
  '/nowhere',
]

for (const scheme of ['light', 'dark'])
  await test(`UX-053 axe finds nothing serious on any page, ${scheme}`, async () => {
    const p = await openPage(browser, base, { token, at: '/', scheme }),
      found = []
    await settled(p)
    await p.evaluate(axeSource)
    for (const at of everyPage) {
      await p.evaluate((to) => {
        location.hash = to
      }, at)
      await p.waitForTimeout(at === '/nowhere' ? 200 : 900)
      const { violations, passes } = await p.evaluate(() =>
        window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }),
      )
      ok(passes.length > 5, `axe looked at ${at}`)
      for (const v of violations.filter((x) => x.impact === 'serious' || x.impact === 'critical'))
        found.push(
          `${at}: ${v.id} ${v.nodes
            .slice(0, 3)
            .map((n) => n.html.slice(0, 140))
            .join(' | ')}`,
        )
    }
    await p.context().close()
    equal(found, [], 'violations')
  })

await test('UX-054 the pseudo-locale shows no raw text on any page', async () => {
  const p = await openPage(browser, base, { token, at: '/', language: 'pseudo' }),
    raw = []
  await settled(p)
  for (const at of everyPage) {
    await p.evaluate((to) => {
      location.hash = to
    }, at)
    await p.waitForTimeout(700)
    raw.push(
      ...(
        await p.evaluate(() => {
          const out = [],
            walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
          for (let n = walk.nextNode(); n; n = walk.nextNode()) {
            const text = n.textContent.trim()
            if (/\p{L}{2,}/u.test(text) && !/[⟦⟧]/.test(text) && !n.parentElement.closest('[translate="no"], noscript, script, pre, time'))
              out.push(text.slice(0, 80))
          }
          return out
        })
      ).map((x) => `${at}: ${x}`),
    )
  }
  await shot(p, 'pseudo-1280-light')
  await p.context().close()
  equal([...new Set(raw)].slice(0, 20), [], 'raw text')
})

await test('UX-053, UX-054 the sign-in page: axe and catalogue', async () => {
  const p = await openPage(browser, base, { at: '/', language: 'pseudo' })
  await p.waitForSelector('main.login')
  await p.evaluate(axeSource)
  const { violations } = await p.evaluate(() => window.axe.run(document))
  equal(
    violations.filter((x) => ['serious', 'critical'].includes(x.impact)).map((v) => v.id),
    [],
    'violations',
  )
  ok(
    (await p.locator('main').innerText())
      .split('\n')
      .filter((x) => /\p{L}{2}/u.test(x))
      .every((x) => /[⟦⟧]/.test(x)),
    'all from the catalogue',
  )
  await p.context().close()
})

await test('UX-054 German is complete and numbers follow it', async () => {
  const p = await openPage(browser, base, { token, at: '/', language: 'de' })
  await settled(p)
  equal(await p.locator('h1').innerText(), 'Flexibilität jetzt', 'title')
  equal(await p.evaluate(() => document.documentElement.lang), 'de', 'lang')
  await p.context().close()
})

await test('UX-053 390 px: no page scrolls sideways', async () => {
  const p = await openPage(browser, base, { token, at: '/', width: 390 }),
    wide = []
  await settled(p)
  for (const at of everyPage) {
    await p.evaluate((to) => {
      location.hash = to
    }, at)
    await p.waitForTimeout(500)
    const over = await p.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    if (over > 1) wide.push(`${at}: ${over} px`)
  }
  await visit(p, '/')
  await shot(p, 'home-390-light')
  await p.context().close()
  equal(wide, [], 'too wide')
})

await test('UX-053 keyboard alone: skip link, navigation, stop dialog opens, Escape closes it and the focus comes back', async () => {
  const p = await openPage(browser, base, { token, at: '/' })
  await settled(p)
  await p.keyboard.press('Tab')
  equal(await p.evaluate(() => document.activeElement.className), 'skip', 'first stop')
  await p.keyboard.press('Enter')
  equal(await p.evaluate(() => document.activeElement.id), 'content', 'content')
  await p.locator('header.top button.danger').focus()
  await p.keyboard.press('Enter')
  equal(await p.evaluate(() => document.activeElement.getAttribute('name')), 'stop-word', 'the word is asked for')
  await p.keyboard.press('Escape')
  await until('the dialog to close', async () => (await p.locator('dialog').count()) === 0)
  equal(await p.evaluate(() => document.activeElement.className), 'danger', 'focus is back')
  await p.context().close()
})

if (demo.own)
  await test('UX-056 server gone: banner with age, read-only, nothing typed is lost, back by itself', async () => {
    await visit(page, '/dispatches/new')
    await page.locator('input[name="power"]').fill('77')
    await page.locator('input[name="start"]').fill('10:00')
    await page.locator('input[name="end"]').fill('11:00')
    await demo.stop()
    await page.waitForSelector('[data-banner="gone"]', { timeout: 10_000 })
    ok(await page.getByRole('button', { name: 'Preview' }).isDisabled(), 'read-only')
    await shot(page, 'gone-1280-light')
    await demo.start()
    await until('the banner to go', async () => (await page.locator('[data-banner="gone"]').count()) === 0, { within: 30_000 })
    equal(await page.locator('input[name="power"]').inputValue(), '77', 'what was typed')
  })

await test('UX-053 no external request, no CSP violation, no error in any page of this run', async () =>
  equal([...new Set(misdeeds)].slice(0, 10), [], 'misdeeds'))

await chrome.close()
await demo.stop()
demo.clean?.()
await pause(100)
process.exit(sum())
