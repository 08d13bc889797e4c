import { equal, ok, visit } from '../harness.mjs'
import { address, exported, rows } from '../look.mjs'

/** Every list has the same tools; each is tried. */
export default async function lists({ test, page, api }) {
  const places = [['/dispatches', 'd'], ['/verification', 'v'], ['/programs', 'pr'], ['/audit', 'a']]
  await test('UX-050 every list: search and sort in the URL, columns, export of what is shown, a word when nothing matches', async () => {
    for (const [at] of places) {
      await visit(page, at)
      const name = await page.locator('[data-table]').first().getAttribute('data-table'), box = page.locator(`[data-table="${name}"]`), before = await rows(page, name).count()
      ok(before > 0, `${at} has rows`)
      const heading = box.locator('th button').first()
      await heading.click()
      await address(page, `${name}.sort=`)
      await box.locator('details.menu > summary').first().click()
      await box.locator('details.menu input[type="checkbox"]').first().click()
      await address(page, `${name}.cols=`)
      await box.locator('details.menu > summary').first().click()
      const csv = await exported(page, name)
      ok(csv.length - 1 >= before, `${at}: ${csv.length} lines exported`)
      await box.locator('input[type="search"]').fill('nothing is called like this')
      await address(page, `${name}.q=`)
      await box.getByRole('button', { name: 'Clear filters' }).click()
      equal(await rows(page, name).count(), before, `${at}: all rows are back`)
    }
  })

  await test('UX-050 an empty list says what to do', async () => {
    const { length } = (await api.get('/webhooks')).items
    await visit(page, '/webhooks')
    if (length === 0) ok(/Add a URL/.test(await page.locator('main').innerText()), 'webhooks')
    await visit(page, '/baselines')
    ok(/Choose|Compare|choose/.test(await page.locator('main').innerText()), 'methods')
  })
}
