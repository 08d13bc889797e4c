import { ok, until, visit } from '../harness.mjs'

export default async function stop({ test, page, api }) {
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
}
