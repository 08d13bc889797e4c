import { axeSource, equal, ok, openPage, settled, until, visit } from '../harness.mjs'
import { shot } from '../look.mjs'

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

/** Every page twice: on a desk in the light, in English; on a phone in the dark, in a language that only shows what is not in the catalogue. */
export default async function everyone({ test, browser, base, token, api, id, named }) {
  const run = (await api.get('/settlement-runs')).items.at(-1), statement = (await api.get(`/statements?run=${run.id}`)).items[0], program = await api.get('/programs/peak'), dispute = (await api.get('/disputes')).items[0]
  const pages = ['/', '/dispatches', '/dispatches/new', `/dispatches/${id}`, '/devices', '/devices?view=map', '/devices/new-charger', `/devices/${named('charger-004').id}`, `/devices/${named('home-001').id}`, `/readings/${named('site-001').servicePoint}`, '/find?q=charger-004', '/programs', '/programs/new', `/programs/${program.id}`, '/verification', `/verification/${id}`, '/baselines', '/settlement', `/settlement/${run.id}`, `/statements/${statement.id}`, ...(dispute ? [`/disputes/${dispute.id}`] : []), '/vendors', '/audit', '/webhooks', '/conformance', '/settings', '/nowhere']

  async function sweep(options, each) {
    const p = await openPage(browser, base, { token, at: '/', ...options }), found = { axe: [], raw: [], wide: [] }
    await settled(p)
    await p.evaluate(axeSource)
    for (const at of pages) {
      await visit(p, at)
      const { violations, passes } = await p.evaluate((runOnly) => window.axe.run(document, { runOnly }), rules)
      ok(passes.length > 5, `axe looked at ${at}`)
      for (const v of violations.filter((x) => ['serious', 'critical'].includes(x.impact))) found.axe.push(`${at}: ${v.id} ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 140)).join(' | ')}`)
      await each(p, at, found)
    }
    await shot(p, `${options.language ?? 'en'}-${options.width ?? 1280}-${options.scheme}`)
    await p.context().close()
    return found
  }

  const desk = await sweep({ scheme: 'light' }, async () => undefined)
  await test('UX-053 axe finds nothing serious on any page, light, 1280 px', async () => equal(desk.axe, [], 'violations'))

  const phone = await sweep({ scheme: 'dark', width: 390, language: 'pseudo' }, async (p, at, found) => {
    const over = await p.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    if (over > 1) found.wide.push(`${at}: ${over} px`)
    found.raw.push(...(await p.evaluate(() => {
      const out = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
      for (let n = walk.nextNode(); n; n = walk.nextNode()) {
        const text = n.textContent.trim()
        if (/\p{L}{2,}/u.test(text) && !/[⟦⟧]/.test(text) && !n.parentElement.closest('[translate="no"], noscript, script, pre, time')) out.push(text.slice(0, 80))
      }
      return out
    })).map((x) => `${at}: ${x}`))
  })
  await test('UX-053 axe finds nothing serious on any page, dark, 390 px', async () => equal(phone.axe, [], 'violations'))
  await test('UX-053 390 px: no page scrolls sideways', async () => equal(phone.wide, [], 'too wide'))
  await test('UX-054 the pseudo-locale shows no raw text on any page', async () => equal([...new Set(phone.raw)].slice(0, 20), [], 'raw text'))

  await test('UX-053 keyboard alone: skip link, navigation, stop dialog opens, Escape closes it and the focus comes back', async () => {
    const p = await openPage(browser, base, { token, at: '/' }), active = (what) => p.evaluate((w) => document.activeElement?.[w] ?? document.activeElement?.getAttribute(w), what)
    await settled(p)
    await p.keyboard.press('Tab')
    equal(await active('className'), 'skip', 'first stop')
    await p.keyboard.press('Enter')
    equal(await active('id'), 'content', 'content')
    await p.locator('header.top button.danger').focus()
    await p.keyboard.press('Enter')
    await p.locator('dialog').waitFor()
    equal(await active('name'), 'stop-word', 'the word is asked for')
    await p.keyboard.press('Escape')
    await until('the dialog to close', async () => (await p.locator('dialog').count()) === 0)
    equal(await active('className'), 'danger', 'focus is back')
    await p.context().close()
  })
}
