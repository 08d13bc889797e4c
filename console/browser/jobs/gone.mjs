import { equal, ok, until, visit } from '../harness.mjs'
import { shot } from '../look.mjs'

export default async function gone({ test, page, demo }) {
  if (!demo.own) return
  await test('UX-056 server gone: banner with age, read-only, nothing typed is lost, back by itself', async () => {
    await visit(page, '/dispatches/new')
    await page.locator('input[name="power"]').fill('77')
    await page.locator('input[name="start"]').fill('10:00')
    await page.locator('input[name="end"]').fill('11:00')
    await demo.stop()
    await page.waitForSelector('[data-banner="gone"]')
    ok(/\d+ (s|min)/.test(await page.locator('[data-banner="gone"]').innerText()), 'the age')
    ok(await page.getByRole('button', { name: 'Preview' }).isDisabled(), 'read-only')
    await shot(page, 'gone-1280-light')
    await demo.start()
    await until('the banner to go', async () => (await page.locator('[data-banner="gone"]').count()) === 0, { within: 120_000 })
    equal(await page.locator('input[name="power"]').inputValue(), '77', 'what was typed')
  })
}
