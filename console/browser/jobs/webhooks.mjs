import { equal, ok, settled, until, visit } from '../harness.mjs'
import { receiver, signers } from '../receiver.mjs'
import { rows, shot } from '../look.mjs'

/** Receivers of events, with a real one on this machine (UX-030). */
export default async function webhooks({ test, page, api }) {
  const there = await receiver(), hookRow = () => rows(page, 'wh').filter({ hasText: there.url }), press = (name, at = hookRow()) => at.getByRole('button', { name, exact: true }).click()
  const secretShown = async () => (await page.locator('[data-secret-of] pre').innerText()).trim()
  const hook = async () => (await api.get('/webhooks?limit=1000')).items.find((h) => h.url === there.url), log = async () => (await api.get(`/webhooks/${(await hook()).id}/deliveries?order=newest`)).items
  const newest = async (what, judge) => { let found; await until(what, async () => judge(found = (await log())[0])); return found }
  const openAttempt = (n) => page.locator(`[data-attempt="${n}"]`)
  let first, second

  await test('UX-030 a webhook is added; its secret is shown once, and not again after a reload', async () => {
    await visit(page, '/webhooks')
    await page.locator('input[name="url"]').fill(there.url)
    await page.locator('input[name="events"]').fill('program.*')
    await press('Add webhook', page)
    await page.locator('[data-secret-of]').waitFor()
    first = await secretShown()
    equal((await hook()).events, ['program.*'], 'events')
    await page.reload()
    await settled(page)
    await hookRow().waitFor()
    equal(await page.locator('[data-secret-of]').count(), 0, 'shown again')
    ok(!(await page.content()).includes(first), 'the secret is nowhere on the page')
  })

  await test('UX-030 a test event that is answered with 500 and then with 200: the log has request, answers, attempts and times as the API and the receiver have them', async () => {
    Object.assign(there.how, { status: 500, answer: 'the database is away' })
    await press('Send test event')
    await newest('the first attempt', (d) => d?.attempts.length >= 1)
    Object.assign(there.how, { status: 200, answer: 'thank you' })
    const d = await newest('the retry', (x) => x.state === 'delivered'), row = page.locator(`tr[data-row="${d.id}"]`), failed = d.attempts.length - 1
    ok(failed >= 1 && d.attempts.every((a, i) => a.status === (i < failed ? 500 : 200)), JSON.stringify(d.attempts.map((a) => a.status)))
    await row.locator('[data-state="delivered"]').waitFor()
    equal(await row.locator('[data-col="attempts"]').innerText(), String(d.attempts.length), 'attempts')
    equal(await row.locator('[data-col="type"]').innerText(), 'webhook.test', 'event')
    ok((await row.locator('[data-col="answer"]').innerText()).includes('200 thank you'), 'last answer')
    equal(await row.locator('[data-col="ms"]').innerText(), `${new Intl.NumberFormat('en-US').format(d.attempts.at(-1).ms)} ms`, 'took')
    await row.getByRole('button', { name: 'Details' }).click()
    for (const [i, a] of d.attempts.entries()) {
      const box = openAttempt(i + 1), came = there.got[i]
      if (!(await box.evaluate((x) => x.open))) await box.locator('summary').click()
      const [request, answer] = [await box.locator('[data-part="request"]').innerText(), await box.locator('[data-part="answer"]').innerText()]
      equal(request.split('\n')[0], `POST ${there.url}`, 'request line')
      for (const name of ['content-type', 'loadstone-event', 'loadstone-delivery', 'loadstone-signature']) ok(request.includes(`${name}: ${came.headers[name]}`), `${name} as it came: ${request}`)
      equal(request.split('\n').at(-1), came.body, 'body as it came')
      equal(answer.split('\n'), [String(a.status), a.answer], 'answer')
      ok((await box.locator('summary').innerText()).includes(`${new Intl.NumberFormat('en-US').format(a.ms)} ms`), 'time')
      equal(signers(came, [first]), [first], 'signed with the secret that the page showed')
    }
    await shot(page, 'webhooks-1280-light', true)
  })

  await test('UX-030 Send again sends that delivery once more, and the receiver counts it', async () => {
    const { length } = there.got, [d] = await log()
    await press('Send again', page.locator(`tr[data-row="${d.id}"]`))
    await until('it to come', async () => there.got.length === length + 1)
    equal(there.got.at(-1).headers['loadstone-delivery'], d.id, 'the same delivery')
    await until('the log to tell', async () => (await page.locator(`tr[data-row="${d.id}"] [data-col="attempts"]`).innerText()) === String(d.attempts.length + 1))
  })

  await test('UX-030 a rotated secret is shown once with how long the old one signs along, and both sign', async () => {
    await press('Rotate secret')
    await until('another secret', async () => (await page.locator('[data-secret-of]').count()) === 1 && (await secretShown()) !== first)
    second = await secretShown()
    const box = page.locator('[data-secret-of]'), { oldSecretUntil } = await hook()
    ok(/old secret signs along/.test(await box.innerText()), 'the overlap is explained')
    equal(await box.locator('time').getAttribute('datetime'), oldSecretUntil, 'until when')
    await hookRow().getByText('The old secret signs along until').waitFor()
    const { length } = there.got
    await press('Send test event')
    await until('it to come', async () => there.got.length === length + 1)
    equal(signers(there.got.at(-1), [first, second]), [first, second], 'both')
  })

  await test('UX-030 all of a range is sent again: what failed in it, and no more', async () => {
    const program = await api.get('/programs/peak'), { length } = there.got
    Object.assign(there.how, { status: 503, answer: 'later' })
    const changed = await api.call('PATCH', `/programs/${program.id}`, { limits: { ...program.limits, maxEventsPerDay: 8 }, version: program.version })
    await newest('a failing one', (d) => d.event.type === 'program.change' && d.attempts.length >= 1)
    await page.locator('select[name="was"]').selectOption('pending')
    await until('the range', async () => page.url().includes('was=pending'))
    await until('the list to be the range', async () => (await rows(page, 'log').count()) === 1)
    Object.assign(there.how, { status: 200, answer: '' })
    await press('Send all 1 again', page)
    await page.getByText('1 sent again.').waitFor()
    const d = await newest('it to arrive', (x) => x.state === 'delivered')
    equal([...new Set(there.got.slice(length).map((g) => g.headers['loadstone-delivery']))], [d.id], 'what came')
    await page.getByText('Nothing was sent in this range.').waitFor()
    await api.call('PATCH', `/programs/${program.id}`, { limits: program.limits, version: changed.version })
    await newest('the change back', (x) => x.state === 'delivered' && x.id !== d.id)
  })

  await test('UX-030 a range of time in the page’s zone: the list and the API agree, and without a range nothing is sent again at once', async () => {
    const all = await log(), oldest = all.at(-1), zone = await page.locator('label:has(input[name="from"]) .soft').innerText()
    // the first second after the first delivery, on a clock in that zone
    const local = new Date(Math.ceil((Date.parse(oldest.createdAt) + 1) / 1000) * 1000).toLocaleString('sv-SE', { timeZone: zone }).replace(' ', 'T')
    await page.locator('select[name="was"]').selectOption('')
    await page.locator('input[name="to"]').fill(local)
    await page.locator('input[name="to"]').blur()
    await until('the oldest alone', async () => (await rows(page, 'log').count()) >= 1 && (await rows(page, 'log').last().getAttribute('data-row')) === oldest.id && (await rows(page, 'log').count()) < all.length)
    await page.locator('input[name="to"]').fill('')
    await page.locator('input[name="to"]').blur()
    await until('all of them', async () => (await rows(page, 'log').count()) === all.length)
    ok(await page.getByRole('button', { name: /^Send all/ }).isDisabled(), 'no range, no button')
  })

  await test('UX-030 a disabled webhook hears nothing and says so; enabled, it hears again', async () => {
    await press('Disable')
    await hookRow().locator('[data-state="disabled"]').waitFor()
    ok(await hookRow().getByRole('button', { name: 'Send test event' }).isDisabled(), 'no test')
    ok(await page.getByRole('button', { name: 'Send again', exact: true }).first().isDisabled(), 'no resend')
    await page.getByText('enable it to send again').waitFor()
    const { length } = there.got, program = await api.get('/programs/peak')
    const changed = await api.call('PATCH', `/programs/${program.id}`, { limits: { ...program.limits, maxEventsPerDay: 9 }, version: program.version })
    await api.call('PATCH', `/programs/${program.id}`, { limits: program.limits, version: changed.version })
    await press('Enable')
    await hookRow().locator('[data-state="active"]').waitFor()
    await press('Send test event')
    await until('the test', async () => there.got.length > length)
    equal(there.got.slice(length).map((g) => g.event.type), ['webhook.test'], 'what came')
  })

  await test('UX-053 webhooks by keyboard alone: a row is opened and closed where it stands', async () => {
    const [d] = await log(), button = page.locator(`tr[data-row="${d.id}"]`).getByRole('button', { name: 'Details' })
    await button.focus()
    const before = await page.evaluate(() => scrollY)
    await page.keyboard.press('Enter')
    await page.locator(`[data-detail="${d.id}"]`).waitFor()
    equal([await button.getAttribute('aria-expanded'), await page.evaluate(() => scrollY)], ['true', before], 'open, and the page stands still')
    await page.keyboard.press('Space')
    await until('it to close', async () => (await page.locator(`[data-detail="${d.id}"]`).count()) === 0)
  })

  await api.call('PATCH', `/webhooks/${(await hook()).id}`, { state: 'disabled' })
  there.close()
}
