import { equal, ok, openPage, settled, until, visit } from '../harness.mjs'
import { rows } from '../look.mjs'

/** Tokens, people, sessions. */
export default async function people(w) {
  const { test, page, api, browser, base } = w
  await test('UX-052 tokens: made, shown once, revoked on the page; a revoked one is sent back to signing in', async () => {
    await visit(page, '/settings')
    await page.locator('input[name="user"]').fill('browser')
    await page.getByRole('button', { name: 'Make token' }).click()
    const secret = (await page.locator('.secret pre').innerText()).trim(), p = await openPage(browser, base, { token: secret, at: '/' })
    await settled(p)
    ok((await p.locator('footer').innerText()).includes('browser, viewer'), 'signed in as a viewer')
    await page.reload()
    await settled(page)
    ok(!(await page.content()).includes(secret), 'shown again')
    const made = (await api.get('/tokens?limit=1000')).items.find((x) => x.user === 'browser' && x.revokedAt === null)
    await page.locator(`[data-table="tok"] tr[data-row="${made.id}"]`).getByRole('button', { name: 'Revoke' }).click()
    await page.locator(`[data-table="tok"] tr[data-row="${made.id}"] [data-state="revoked"]`).waitFor()
    ok((await api.get('/tokens?limit=1000')).items.find((x) => x.id === made.id).revokedAt !== null, 'revoked')
    await p.waitForSelector('main.login')
    await p.context().close()
  })

  await test('UX-052 a person that was added on the page signs in with password and second factor, not with a wrong code, and sees the own session alone', async () => {
    const { TOTP, Secret } = await import('otpauth'), name = `olga-${Date.now()}`
    await visit(page, '/settings')
    await page.locator('input[name="person"]').fill(name)
    await page.getByRole('button', { name: 'Add person' }).click()
    const shown = page.locator('form:has(input[name="person"]) .secret pre')
    await shown.waitFor()
    const [password, totp] = (await shown.innerText()).trim().split('\n'), p = await openPage(browser, base, { at: '/' })
    Object.assign(w, { person: { name, password, totp, page: p } })
    await p.locator('input[name="user"]').fill(name)
    await p.locator('input[name="password"]').fill(password)
    await p.locator('input[name="code"]').fill('000000')
    const enter = p.getByRole('button', { name: 'Sign in', exact: true }).first()
    await enter.click()
    await p.waitForSelector('.problem')
    await p.locator('input[name="code"]').fill(new TOTP({ secret: Secret.fromBase32(totp) }).generate())
    await enter.click()
    await p.waitForSelector('[data-figure="home.enrolled"]')
    ok((await p.locator('footer').innerText()).includes(`${name}, operator`), 'signed in')
    await visit(p, '/settings')
    equal(await rows(p, 'ses').count(), 1, 'one session, the own one')
    ok((await rows(p, 'ses').first().innerText()).includes('This one'), 'said so')
  })
}
