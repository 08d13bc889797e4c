import { equal, ok, settled, visit } from '../harness.mjs'
import { address, exported, rows } from '../look.mjs'

/** Every list has the same tools; each is tried. */
export default async function lists({ test, page, api, id, named }) {
  const run = (await api.get('/settlement-runs')).items.at(-1), program = await api.get('/programs/peak')
  const places = ['/dispatches', `/dispatches/${id}`, '/devices', `/devices/${named('charger-004').id}`, '/verification', `/verification/${id}`, '/programs', `/programs/${program.id}`, '/settlement', `/settlement/${run.id}`, `/readings/${named('site-001').servicePoint}`, '/find?q=charger-004', '/audit', '/settings']
  for (const at of places) await test(`UX-050 ${at.replace(/[0-9a-f-]{36}/, ':id')}: search and sort in the URL, columns, export of what is shown, a word when nothing matches`, async () => {
    await visit(page, at)
    const names = await page.$$eval('[data-table]', (all) => all.map((x) => x.dataset.table))
    ok(names.length > 0, 'a list')
    for (const name of names) {
      const box = page.locator(`[data-table="${name}"]`), before = await rows(page, name).count()
      ok(before > 0, `${name} has rows`)
      await box.locator('th button').first().click()
      await address(page, `${name}.sort=`)
      await box.locator('details.menu > summary').first().click()
      await box.locator('details.menu input[type="checkbox"]').first().click()
      await address(page, `${name}.cols=`)
      await box.locator('details.menu > summary').first().click()
      const csv = await exported(page, name)
      ok(csv.length - 1 >= before, `${name}: ${csv.length} lines exported`)
      await box.locator('input[type="search"]').fill('nothing is called like this')
      await address(page, `${name}.q=`)
      await box.getByRole('button', { name: 'Clear filters' }).click()
      equal(await rows(page, name).count(), before, `${name}: all rows are back`)
    }
  })

  await test('UX-050 an order of a list leaves the page where it is; another page begins at its top', async () => {
    const at = () => page.evaluate(() => scrollY)
    await visit(page, `/dispatches/${id}`)
    await page.evaluate(() => scrollTo(0, 700))
    const before = await at()
    ok(before > 0, 'the page is longer than the screen')
    await page.evaluate(() => document.querySelector('[data-table="part"] th button').click())
    await address(page, 'part.sort=')
    await settled(page)
    equal(await at(), before, 'after sorting')
    await visit(page, '/devices')
    equal(await at(), 0, 'on another page')
  })

  await test('UX-050 an empty list says what to do', async () => {
    const { length } = (await api.get('/webhooks')).items
    await visit(page, '/webhooks')
    if (length === 0) ok(/Add a URL/.test(await page.locator('main').innerText()), 'webhooks')
    await visit(page, '/baselines')
    ok(/Choose|Compare|choose/.test(await page.locator('main').innerText()), 'methods')
  })
}
