import { equal, ok, settled, until, visit } from '../harness.mjs'
import { figure, money as shown, rows } from '../look.mjs'

/** From a payment to its readings; from a doubt to a decision. */
export default async function money({ test, page, api }) {
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
