import { equal, ok, until, visit } from '../harness.mjs'

export default async function enrol({ test, page, api }) {
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
}
