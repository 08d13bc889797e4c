import { equal, until, visit } from '../harness.mjs'

export default async function vendors({ test, page, api }) {
  await test('SEP-226 vendors: an account, one-time secrets shown once, why a certificate is refused', async () => {
    await visit(page, '/vendors')
    const name = `maker-${Date.now()}`
    await page.locator('input[name="vendor"]').fill(name)
    await page.locator('input[name="pen"]').fill('54321')
    await page.locator('form', { hasText: 'Add vendor' }).getByRole('button', { name: 'Add vendor' }).click()
    await until('the vendor', async () => (await api.get('/vendors')).items.some((v) => v.name === name))
    await page.locator('textarea[name="serials"]').waitFor()
    await page.locator('textarea[name="serials"]').fill('SN1\nSN2')
    await page.getByRole('button', { name: 'Make 2 secrets' }).click()
    await page.waitForSelector('.secret pre')
    equal((await page.locator('.secret pre').innerText()).trim().split('\n').length, 2, 'secrets')
  })
}
