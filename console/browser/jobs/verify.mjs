import { equal, ok, openPage, settled, until, visit } from '../harness.mjs'
import { downloaded, energy, figure, percent, shot } from '../look.mjs'

/** What would have been, what was, and which days say so. */
export default async function verify({ test, page, api, id, browser, base, token, named }) {
  const performance = () => api.get(`/dispatches/${id}/performance`)

  await test("UX-062 baseline, metered and delivered are the API's; days used and dropped with reasons, method with its version, factor and formula in words", async () => {
    const p = await performance(), { trace, adjustment } = p.baselineTrace
    await visit(page, `/verification/${id}`)
    equal([await figure(page, 'dispatch.baseline'), await figure(page, 'verify.metered'), await figure(page, 'dispatch.delivered')], [energy(p.baseline_kWh), energy(p.metered_kWh), energy(p.delivered_kWh)], 'figures')
    const text = await page.locator('main').innerText()
    ok(text.includes(`${p.method} v${p.methodVersion}`), 'method and version')
    if (adjustment !== null && adjustment !== undefined) ok(text.includes(new Intl.NumberFormat('en-US', { maximumFractionDigits: 4 }).format(adjustment)), `the factor ${adjustment}`)
    const days = await page.$$eval('[data-table="day"] tbody tr', (trs) => Object.fromEntries(trs.map((r) => [r.dataset.row, r.textContent.includes('✓')])))
    for (const d of trace.considered.slice(0, 15)) if (d.day in days) equal(days[d.day], d.verdict === 'kept', d.day)
    ok(Object.values(days).some((x) => x) && Object.values(days).some((x) => !x), 'days used and days dropped')
    await shot(page, 'verification-1280-light')
  })

  await test("UX-061 the chart as SVG, PNG and data: the data are the API's numbers", async () => {
    const p = await performance(), group = page.locator('.chart-box').first()
    const svg = await downloaded(page, () => group.getByRole('button', { name: 'Save SVG' }).click()), text = svg.bytes.toString('utf8')
    ok(text.startsWith('<svg') && text.includes('Baseline') && text.includes('#e3edeb'), 'a picture with the event band')
    const png = await downloaded(page, () => group.getByRole('button', { name: 'Save PNG' }).click())
    equal([...png.bytes.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47], 'a PNG')
    const csv = await downloaded(page, () => group.getByRole('button', { name: 'Save CSV' }).click()), [head, ...lines] = csv.bytes.toString('utf8').trim().split('\r\n'), at = head.split(',').indexOf('actual_kW')
    for (const i of p.intervals) {
      const line = lines.find((l) => Date.parse(l.split(',')[0]) === Date.parse(i.start))
      ok(line && Math.abs(Number(line.split(',')[at]) - i.actual_kW) < 1e-9, `${i.start}: ${line} for ${i.actual_kW}`)
    }
  })

  await test('UX-061 one service point alone: its baseline, adjusted and not, and its own readings, as the API has them', async () => {
    const p = await performance(), point = named('site-003').servicePoint, d = await api.get(`/dispatches/${id}`)
    await visit(page, `/verification/${id}`)
    await page.locator('[data-table="pt"] input[type="search"]').fill('site-003')
    await page.locator(`[data-table="pt"] tr[data-row="${point}"]`).getByRole('button', { name: /Show chart/ }).click()
    const box = page.locator(`[data-point="${point}"] .chart-box`)
    await box.locator('canvas').waitFor()
    ok(page.url().includes(`point=${point}`), 'the address has it')
    const { slots } = await api.post('/baselines/compute', { program: d.program, servicePoint: point, method: p.method, start: d.start, end: d.end, asOf: p.computedAt, excludedDays: p.baselineTrace.trace.considered.filter((x) => x.reason === 'EVENT_DAY').map((x) => x.day) })
    const { bytes } = await downloaded(page, () => box.getByRole('button', { name: 'Save CSV' }).click()), [head, ...lines] = bytes.toString('utf8').trim().split('\r\n').map((line) => line.split(',')), col = (name) => head.indexOf(name)
    equal(slots.length, p.intervals.length, 'slots')
    for (const s of slots) {
      const line = lines.find((l) => Date.parse(l[0]) === Date.parse(s.start))
      ok(line && [['baseline_kW', s.kW], ['unadjusted_kW', s.unadjusted_kW], ['actual_kW', s.actual_kW]].every(([name, kW]) => col(name) < 0 || Math.abs(Number(line[col(name)]) - kW) < 1e-6), `${s.start}: ${line} for ${JSON.stringify(s)}`)
    }
    await page.locator(`[data-point="${point}"]`).getByRole('button', { name: 'Close' }).click()
    await until('it to be closed', async () => (await page.locator('[data-point]').count()) === 0)
  })

  await test('UX-061 gaps are marked by a sign, and named', async () => {
    const p = await openPage(browser, base, { token, at: '/settings' })
    await settled(p)
    await p.route(`**/api/v1/dispatches/${id}/progress`, async (route) => {
      const answer = await route.fetch(), body = await answer.json(), event = body.intervals.filter((i) => i.phase === 'event')
      Object.assign(event[1], { reported: 3, points: 20 })
      return route.fulfill({ json: body })
    })
    await visit(p, `/verification/${id}`)
    ok(/▲ \d\d:\d\d 3 of 20 meters reported/.test((await p.locator('.marks').innerText()).replace(/\s+/g, ' ')), 'the gap in words')
    await p.context().close()
  })

  await test('UX-061 thirty days at five minutes are drawn within 1 s (best of five)', async () => {
    const { id: device, servicePoint } = named('site-001'), p = await openPage(browser, base, { token, at: '/settings' }), start = Date.parse((await api.get('/me')).now) - 30 * 86_400_000
    const items = Array.from({ length: 8640 }, (_, i) => ({ servicePoint, start: new Date(start + i * 300_000).toISOString(), minutes: 5, Wh: 8000 + 2000 * Math.sin(i / 40), channel: 'import', quality: 'RAW', source: 'x', receivedAt: new Date(start + i * 300_000).toISOString(), sourceVersion: 1 }))
    await settled(p)
    await p.route('**/api/v1/readings?*', (route) => { const at = Number(new URL(route.request().url()).searchParams.get('cursor') ?? 0); return route.fulfill({ json: { items: items.slice(at, at + 1000), next: at + 1000 < items.length ? String(at + 1000) : null } }) })
    const times = []
    for (let i = 0; i < 5 && !times.some((x) => x <= 1000); i++) {
      await visit(p, `/devices/${device}?window=days30`)
      const drawn = p.locator('.chart-box .chart')
      await drawn.waitFor()
      times.push(Number(await drawn.getAttribute('data-drawn-ms')))
      await visit(p, '/settings')
    }
    process.stdout.write(`  # 8,640 readings drawn in ${times.join(', ')} ms\n`)
    ok(Math.min(...times) <= 1000 && Math.min(...times) > 0, `${times}`)
    await p.context().close()
  })

  await test('UX-063 methods side by side: spread and bias as the API computes them', async () => {
    await visit(page, '/baselines?days=2')
    const compare = page.getByRole('button', { name: /Compare \d+ methods/ })
    const [request] = await Promise.all([page.waitForRequest((r) => r.url().endsWith('/baselines/backtest') && r.postDataJSON().method === 'CAISO_10IN10'), compare.click()])
    const wanted = await api.post('/baselines/backtest', request.postDataJSON()), row = page.locator('[data-table="cmp"] tbody tr[data-row="CAISO_10IN10"]')
    await row.waitFor()
    await until('two results', async () => (await page.locator('[data-table="cmp"] tbody tr').count()) >= 2)
    if (wanted.rrmse !== null) equal([await row.locator('[data-col="rrmse"]').innerText(), await row.locator('[data-col="bias"]').innerText()], [percent(wanted.rrmse), percent(wanted.bias)], 'spread and bias')
  })
}
