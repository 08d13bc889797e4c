import { apiOf, equal, ok, openPage, settled, until, visit } from '../harness.mjs'
import { bareServer } from '../bare-server.mjs'
import { rows, scanned, shot } from '../look.mjs'
import { provider } from '../provider.mjs'

/** The first person, and the organisation's own sign-in, on a fresh server that has a small but real OpenID provider. */
export default async function entrance({ test, browser }) {
  const person = { name: 'olga@utility.example', groups: ['cooks', 'flex-ops'] }, there = await provider(person)
  const { base, setup, token, stop } = await bareServer({ LOADSTONE_OIDC_ISSUER: there.issuer, LOADSTONE_OIDC_ROLES: 'flex-admins=admin,flex-ops=dispatcher', LOADSTONE_OIDC_CLIENT_ID: 'console' }), api = apiOf(base, token)
  const link = setup.slice(setup.indexOf('#') + 1), enter = (p) => p.getByRole('button', { name: 'Sign in', exact: true }).first().click()

  await test('SEC-068, UX-001 the printed setup link makes the first person, an administrator, who signs in with what the page showed; the link works once', async () => {
    const { TOTP, Secret } = await import('otpauth'), p = await openPage(browser, base, { at: link })
    await p.locator('input[name="first"]').fill('ada')
    await p.getByRole('button', { name: 'Make first person' }).click()
    await p.locator('.secret pre').nth(1).waitFor()
    const [password, key] = (await p.locator('.secret pre').allInnerTexts()).map((x) => x.trim().split('\n')[0])
    equal(await scanned(p.locator('.qr svg')), (await p.locator('.secret pre').nth(1).innerText()).trim().split('\n')[1], 'the code for a telephone')
    await p.getByRole('link', { name: 'Sign in' }).click()
    await p.waitForSelector('main.login')
    await p.locator('input[name="user"]').fill('ada')
    await p.locator('input[name="password"]').fill(password)
    await p.locator('input[name="code"]').fill(new TOTP({ secret: Secret.fromBase32(key) }).generate())
    await enter(p)
    await p.waitForSelector('footer')
    ok((await p.locator('footer').innerText()).includes('ada, admin'), await p.locator('footer').innerText())
    equal((await api.get('/users')).items.map((u) => [u.name, u.role]), [['ada', 'admin']], 'people')
    const again = await openPage(browser, base, { at: link })
    await again.locator('input[name="first"]').fill('eve')
    await again.getByRole('button', { name: 'Make first person' }).click()
    await again.getByRole('alert').waitFor()
    equal((await api.get('/users')).items.length, 1, 'still one')
    await Promise.all([p.context().close(), again.context().close()])
  })

  const p = await openPage(browser, base, { at: '/', abroad: there.issuer }), signOn = async () => {
    await p.getByRole('link', { name: `Sign in with ${new URL(there.issuer).host}` }).click()
    await p.locator('#yes').click()
  }
  await test('UX-052 single sign-on: the provider’s page, back with a session; the group decides the role, and the address keeps neither code nor state', async () => {
    await p.waitForSelector('main.login')
    await shot(p, 'login-1280-light')
    await signOn()
    await p.waitForSelector('footer')
    await settled(p)
    ok((await p.locator('footer').innerText()).includes('olga@utility.example, dispatcher'), await p.locator('footer').innerText())
    ok(!/code=|state=/.test(p.url()), p.url())
    equal(await p.evaluate(() => document.cookie), '', 'no cookie that a script reads')
    equal((await api.get('/audit?limit=1000')).items.filter((r) => r.actor === 'olga@utility.example').length > 0, true, 'in the trail')
  })

  await test('UX-052 the session list says how they came in; an ended one is back at the sign-in page', async () => {
    await visit(p, '/settings')
    const mine = rows(p, 'ses').filter({ hasText: 'This one' })
    equal(await rows(p, 'ses').count(), 1, 'a dispatcher sees the own one alone')
    ok((await mine.innerText()).includes('single sign-on'), await mine.innerText())
    await mine.getByRole('button', { name: 'End session' }).click()
    await p.waitForSelector('main.login')
  })

  await test('UX-052 known to the provider, without a group that has a role here: the sign-in page says so, and nothing is open', async () => {
    person.groups = ['cooks']
    await signOn()
    await p.getByRole('alert').waitFor()
    ok(/none of your groups has a role/.test(await p.getByRole('alert').innerText()), 'why')
    equal(await p.evaluate(async () => (await (await fetch('/session')).json()).signedIn), false, 'signed in')
  })

  await test('UX-052 a provider that is away: the sign-in page says so, and the other ways in stay', async () => {
    const far = await bareServer({ LOADSTONE_OIDC_ISSUER: 'http://127.0.0.1:1', LOADSTONE_OIDC_ROLES: 'a=viewer' }), q = await openPage(browser, far.base, { at: '/' })
    await q.getByRole('link', { name: 'Sign in with 127.0.0.1:1' }).click()
    await q.getByRole('alert').waitFor()
    ok(/does not answer/.test(await q.getByRole('alert').innerText()), 'why')
    ok(await q.locator('input[name="user"]').isVisible(), 'name and password')
    await until('the sign-in by token', async () => (await q.locator('input[name="token"]').count()) === 1)
    await q.context().close()
    await far.stop()
  })

  await p.context().close()
  there.close()
  await stop()
}
