import { equal, ok, until, visit } from '../harness.mjs'
import { address, rows } from '../look.mjs'

const step = (page, row) => row.locator('details > summary').click()

/** A program from its form to its first active service point, by keyboard where a keyboard is enough. */
export default async function enrol({ test, page, api }) {
  const mark = Date.now().toString(36), name = `browser ${mark}`
  let program

  await test('UX-026, CORE-003 a new program: fields that the API refuses are named beside the field; corrected, what is stored is what was typed; its New dispatch chooses it', async () => {
    await visit(page, '/programs/new')
    const zones = await page.locator('#zones option').count()
    ok(zones > 300, `the zones of the browser are offered: ${zones}`)
    await page.locator('input[name="name"]').fill(name)
    await page.locator('input[name="timeZone"]').fill('Mars/Olympus')
    await page.locator('input[name="customerShare"]').fill('1.5')
    await page.locator('input[name="currency"]').fill('EUR')
    await page.locator('input[name="energyPrice"]').fill('0.25')
    await page.locator('input[name="notice"]').fill('30')
    await page.locator('input[name="maxOrder"]').fill('-5')
    await page.getByRole('button', { name: 'Create program' }).click()
    await page.locator('[aria-invalid="true"]').first().waitFor()
    const wrong = () => page.locator('[aria-invalid="true"]').evaluateAll((fields) => fields.map((f) => [f.name, document.getElementById(f.getAttribute('aria-describedby')).textContent]))
    equal(await wrong(), [['maxOrder', 'must be >= 0']], 'what the schema refuses')
    await page.locator('input[name="maxOrder"]').fill('500')
    await page.getByRole('button', { name: 'Create program' }).click()
    await until('the next two', async () => (await wrong()).length === 2)
    const refused = await api.post('/programs', { name: 'x', timeZone: 'Mars/Olympus', direction: 'down', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'portfolio' }, currency: 'EUR', customerShare: '1.5' }).then(() => undefined, (error) => error.problem)
    equal(await wrong(), ['timeZone', 'customerShare'].map((f) => [f, refused.faults.find((x) => x.path === `/${f}`).reason]), 'the words of the API')
    await until('the focus on the first of them', async () => (await page.evaluate(() => document.activeElement.name)) === 'timeZone')
    await page.locator('input[name="timeZone"]').fill('Europe/Vienna')
    await page.locator('input[name="customerShare"]').fill('0.6')
    await page.locator('input[name="customerShare"]').press('Enter')
    await page.waitForURL(/#\/programs\/[0-9a-f-]{36}/)
    program = await api.get(`/programs/${page.url().split('/').at(-1)}`)
    equal(
      [program.name, program.timeZone, program.direction, program.intervalMinutes, program.baseline.method, program.baseline.level, program.currency, Number(program.energyPrice), Number(program.customerShare), program.limits.maxOrder_kW, program.limits.minNotice_s, Object.keys(program.limits).length],
      [name, 'Europe/Vienna', 'down', 15, 'CAISO_10IN10', 'portfolio', 'EUR', 0.25, 0.6, 500, 1800, 2],
      'stored',
    )
    await page.locator('main a', { hasText: 'New dispatch' }).click()
    await page.waitForURL(/dispatches\/new/)
    await page.locator('select[name="program"]').waitFor()
    equal(await page.locator('select[name="program"]').inputValue(), program.id, 'the program that it came from')
  })

  await test('CORE-020, CORE-022 one is invited by keyboard, without a consent that nobody gave, and taken all the way to active; every step is in its history; suspending asks first, and keeps the reason', async () => {
    const points = [`point ${mark} 1`, `point ${mark} 2`]
    await api.post('/service-points', points.map((x) => ({ name: x })))
    await visit(page, `/programs/${program.id}`)
    equal(await page.locator('input[name="consent"]').isChecked(), false, 'consent is not assumed')
    await page.locator('input[name="point"]').focus()
    await page.keyboard.type(points[0])
    await page.keyboard.press('Tab')
    await page.keyboard.type('4.5')
    await page.keyboard.press('Enter')
    const row = (point) => rows(page, 'en').filter({ hasText: point })
    await row(points[0]).waitFor()
    await page.locator('input[name="point"]').fill(points[1])
    await page.locator('input[name="consent"]').check()
    await page.getByRole('button', { name: 'Invite service point' }).click()
    await row(points[1]).waitFor()
    const stored = async (point) => (await api.get(`/enrolments?servicePoint=${encodeURIComponent(point)}`)).items[0]
    const [one, two] = [await stored(points[0]), await stored(points[1])]
    equal([one.program, one.state, one.nominated_kW, one.consent], [program.id, 'applied', 4.5, null], 'the first, without consent')
    const now = Date.parse((await api.get('/me')).now)
    ok(two.consent.purpose === 'demand-response' && Math.abs(Date.parse(two.consent.grantedAt) - now) < 12 * 3_600_000, `consent by the server's clock: ${JSON.stringify(two.consent)}`)
    ok((await row(points[0]).innerText()).includes('none stored'), 'and the list says so')

    await step(page, row(points[0]))
    ok((await row(points[0]).innerText()).includes('Eligible, verified, active: stops at the first step that fails.'), 'the step says what it does')
    await row(points[0]).getByRole('button', { name: 'Take all the way to active' }).click()
    await row(points[0]).locator('[data-state="active"]').waitFor()
    equal((await stored(points[0])).history.map((h) => [h.from, h.to]), [[null, 'applied'], ['applied', 'eligible'], ['eligible', 'verified'], ['verified', 'active']], 'its history')
    await until('the count', async () => (await page.locator('[data-count="active"]').innerText()).replace(/\s+/g, ' ').endsWith('active 1'))

    await row(points[0]).getByRole('button', { name: 'Suspend' }).click()
    await page.locator('dialog').waitFor()
    equal((await stored(points[0])).state, 'active', 'it asks first')
    await page.locator('dialog input[name="step-reason"]').fill('the meter is being changed')
    await page.locator('dialog').getByRole('button', { name: 'Suspend' }).click()
    await row(points[0]).locator('[data-state="suspended"]').waitFor()
    const last = (await stored(points[0])).history.at(-1)
    equal([last.to, last.reason], ['suspended', 'the meter is being changed'], 'stored with the reason')
  })

  await test('CORE-021 a step that the program’s rules forbid says which rule and why, and changes nothing', async () => {
    await api.call('PATCH', `/programs/${program.id}`, { rules: { eligibility: { kinds: ['battery'] } } })
    await visit(page, `/programs/${program.id}?en.q=${encodeURIComponent(`point ${mark} 2`)}`)
    const row = rows(page, 'en').first()
    await step(page, row)
    await row.getByRole('button', { name: 'Mark eligible' }).click()
    await row.locator('[role="alert"]').waitFor()
    ok((await row.locator('[role="alert"]').innerText()).includes('no resource of kind battery'), await row.innerText())
    equal((await api.get(`/enrolments?servicePoint=${encodeURIComponent(`point ${mark} 2`)}`)).items[0].state, 'applied', 'unchanged')
    await api.call('PATCH', `/programs/${program.id}`, { rules: {} })
  })

  await test('UX-050 a filter far down the page leaves the page where it is, and is in its address', async () => {
    await page.setViewportSize({ width: 1280, height: 400 })
    await visit(page, `/programs/${program.id}`)
    const filter = page.locator('[data-table="en"] .tools select').first()
    await filter.scrollIntoViewIfNeeded()
    const before = await page.evaluate(() => scrollY)
    ok(before > 200, `the list is below: ${before}`)
    await filter.selectOption('suspended')
    await address(page, 'en.state=suspended')
    equal(await rows(page, 'en').count(), 1, 'one is suspended')
    ok((await page.evaluate(() => scrollY)) > 200, 'and the page did not jump to its beginning')
    await page.setViewportSize({ width: 1280, height: 800 })
  })
}
