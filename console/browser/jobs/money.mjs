import { equal, ok, openPage, settled, until, visit } from '../harness.mjs'
import { figure, money as shown, rows } from '../look.mjs'

/** From a payment to its readings; from a doubt to a decision. */
export default async function money({ test, page, api, browser, base }) {
  const run = (await api.get('/settlement-runs')).items.at(-1)

  await test('UX-062 any payment leads to its readings in three clicks', async () => {
    await visit(page, `/settlement/${run.id}`)
    equal(await figure(page, 'settle.revenue'), `${shown(run.revenue)} ${run.currency}`, 'revenue')
    const statements = (await api.get(`/statements?run=${run.id}&limit=1000`)).items
    equal(await rows(page, 'st').count(), Math.min(50, statements.length), 'statements')
    await page.locator('[data-table="st"] tbody a').first().click()
    await page.waitForURL(/statements/)
    await settled(page)
    const mine = statements.find((s) => page.url().includes(s.id))
    ok((await figure(page, 'settle.amount')).startsWith(shown(mine.amount)), 'the amount')
    await page.locator('td a[href^="#/readings"]').first().click()
    await page.waitForURL(/readings/)
    await settled(page)
    const at = new URLSearchParams(page.url().split('?')[1]), readings = (await api.get(`/readings?servicePoint=${mine.servicePoint}&from=${encodeURIComponent(at.get('from'))}&to=${encodeURIComponent(at.get('to'))}&limit=1000`)).items
    equal(await rows(page, 'r').count(), Math.min(100, readings.length), 'readings')
  })

  await test('CORE-186 a run: calculated for the days chosen, approved by another person only, issued; its numbers are the API’s', async () => {
    const period = (r) => [r.from, r.to], before = (await api.get('/settlement-runs?limit=1000')).items.length, days = run.from.slice(0, 10)
    await visit(page, '/settlement')
    await page.locator('summary', { hasText: 'Calculate a run' }).click()
    await page.locator('input[name="from"]').fill(days)
    await page.locator('input[name="last"]').fill(days)
    await page.locator('input[name="reason"]').fill('played in a browser')
    await page.getByRole('button', { name: 'Calculate' }).click()
    await page.waitForURL(/#\/settlement\/[0-9a-f-]{36}/)
    await settled(page)
    const made = await api.get(`/settlement-runs/${page.url().split('/').at(-1)}`)
    equal([(await api.get('/settlement-runs?limit=1000')).items.length, period(made), made.supersedes !== null], [before + 1, period(run), true], 'the same day again')
    equal(await figure(page, 'settle.revenue'), `${shown(made.revenue)} ${made.currency}`, 'revenue')
    ok(/another user has to approve it/.test(await page.locator('main').innerText()), 'not by the one who calculated')
    const other = await api.post('/tokens', { role: 'approver', user: 'second-pair-of-eyes', expiresIn_s: 360_000 }), p = await openPage(browser, base, { token: other.token, at: `/settlement/${made.id}` })
    await p.getByRole('button', { name: 'Approve' }).click()
    await until('the approval', async () => (await api.get(`/settlement-runs/${made.id}`)).state === 'approved')
    await p.getByRole('button', { name: 'Issue' }).click()
    await until('it to be issued', async () => (await api.get(`/settlement-runs/${made.id}`)).state === 'issued')
    await p.locator('.row [data-state="issued"]').first().waitFor()
    await p.context().close()
    const day = new Intl.DateTimeFormat('en', { timeZone: 'America/Denver', weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }).format(new Date(run.from))
    await visit(page, '/settlement')
    equal(await page.locator(`[data-table="run"] tr[data-row="${made.id}"] a`).innerText(), day, 'one day is one day')
  })

  await test('UX-065 a dispute: opened from its statement with evidence, commented, decided; both sides see the same number', async () => {
    const statement = (await api.get(`/statements?run=${run.id}`)).items[0]
    await visit(page, `/statements/${statement.id}`)
    await page.locator('summary', { hasText: 'Dispute this statement' }).click()
    await page.locator('textarea[name="reason"]').fill('the meter was changed')
    await page.locator('textarea[name="evidence"]').fill('photo of the meter, 12 March')
    await page.getByRole('button', { name: 'Open dispute' }).click()
    await page.waitForURL(/disputes/)
    await settled(page)
    ok(/photo of the meter/.test(await page.locator('main').innerText()), 'evidence')
    await page.getByRole('button', { name: 'Take under review' }).click()
    await page.getByRole('button', { name: 'Reject', exact: true }).waitFor()
    await page.locator('input[name="comment"]').fill('the photo shows another meter')
    await page.getByRole('button', { name: 'Reject', exact: true }).click()
    const dispute = page.url().split('/').at(-1)
    await until('the decision', async () => (await api.get(`/disputes/${dispute}`)).state === 'rejected')
    await until('the comment', async () => (await page.locator('main').innerText()).includes('another meter'))
    await visit(page, `/statements/${statement.id}`)
    ok((await figure(page, 'settle.amount')).startsWith(shown((await api.get(`/statements/${statement.id}`)).amount)), 'the same number')
  })
}
