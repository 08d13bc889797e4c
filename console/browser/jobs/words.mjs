import { axeSource, equal, ok, openPage, settled } from '../harness.mjs'
import { figure, shot } from '../look.mjs'

/** Languages. */
export default async function words({ test, browser, base, token, api }) {
  await test('UX-053, UX-054 the sign-in page: axe and catalogue', async () => {
    const p = await openPage(browser, base, { at: '/', language: 'pseudo' })
    await p.waitForSelector('main.login')
    await p.evaluate(axeSource)
    const { violations } = await p.evaluate(() => window.axe.run(document))
    equal(violations.filter((x) => ['serious', 'critical'].includes(x.impact)).map((v) => v.id), [], 'violations')
    ok((await p.locator('main').innerText()).split('\n').filter((x) => /\p{L}{2}/u.test(x)).every((x) => /[⟦⟧]/.test(x)), 'all from the catalogue')
    await p.context().close()
  })

  await test('UX-052 a single sign-on that failed says why on the sign-in page, in words of the catalogue alone', async () => {
    const p = await openPage(browser, base, { at: '/login?failed=noRole' })
    await p.locator('[role="alert"]').waitFor()
    ok(/none of your groups has a role/.test(await p.locator('[role="alert"]').innerText()), 'no role')
    const q = await openPage(browser, base, { at: '/login?failed=call+this+number' })
    await q.waitForSelector('main.login')
    equal(await q.locator('[role="alert"]').count(), 0, 'an address puts no sentence of its own on the page')
    await Promise.all([p.context().close(), q.context().close()])
  })

  await test('UX-054 German: the page, its language, its numbers', async () => {
    const p = await openPage(browser, base, { token, at: '/', language: 'de' })
    await settled(p)
    equal(await p.locator('h1').innerText(), 'Flexibilität jetzt', 'title')
    equal(await p.evaluate(() => document.documentElement.lang), 'de', 'lang')
    const { kW } = (await api.get('/overview')).enrolled, wanted = kW >= 1000 ? `${new Intl.NumberFormat('de-DE', { maximumFractionDigits: 2 }).format(kW / 1000)} MW` : `${new Intl.NumberFormat('de-DE', { maximumFractionDigits: 1 }).format(kW)} kW`
    equal(await figure(p, 'home.enrolled'), wanted, 'enrolled')
    await shot(p, 'home-de-1280-light')
    await p.context().close()
  })
}
