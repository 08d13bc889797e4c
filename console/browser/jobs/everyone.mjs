import { axeSource, equal, ok, openPage, settled, visit } from '../harness.mjs'
import { shot } from '../look.mjs'

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

/** Every page on a desk and on a phone, in the light and in the dark; the phone in the dark speaks a language that only shows what is not in the catalogue. */
export default async function everyone({ test, browser, base, token, api, id, named }) {
  const run = (await api.get('/settlement-runs')).items.at(-1), statement = (await api.get(`/statements?run=${run.id}`)).items[0], program = await api.get('/programs/peak'), dispute = (await api.get('/disputes')).items[0]
  const pages = ['/', '/dispatches', '/dispatches/new', `/dispatches/${id}`, '/devices', '/devices?view=map', '/devices/new-charger', `/devices/${named('charger-004').id}`, `/devices/${named('home-001').id}`, `/readings/${named('site-001').servicePoint}`, '/find?q=charger-004', '/programs', '/programs/new', `/programs/${program.id}`, '/verification', `/verification/${id}`, '/baselines', '/settlement', `/settlement/${run.id}`, `/statements/${statement.id}`, ...(dispute ? [`/disputes/${dispute.id}`] : []), '/vendors', '/audit', '/webhooks', '/conformance', '/settings', '/nowhere']

  /** The pages of the five jobs, as pictures for whoever reads the run. */
  const pictured = { '/': 'home', [`/dispatches/${id}`]: 'event', '/dispatches/new': 'new-dispatch', '/devices': 'devices', '/devices?view=map': 'map', [`/devices/${named('charger-004').id}`]: 'device', [`/programs/${program.id}`]: 'program', [`/verification/${id}`]: 'verification', [`/settlement/${run.id}`]: 'settlement', [`/statements/${statement.id}`]: 'statement', '/vendors': 'vendors', '/audit': 'audit', '/settings': 'settings' }

  async function sweep(options, each = async () => undefined) {
    const p = await openPage(browser, base, { token, at: '/', ...options }), found = { axe: [], raw: [], wide: [] }
    await settled(p)
    await p.evaluate(axeSource)
    for (const at of pages) {
      await visit(p, at)
      const { violations, passes } = await p.evaluate((runOnly) => window.axe.run(document, { runOnly }), rules)
      ok(passes.length > 5, `axe looked at ${at}`)
      for (const v of violations.filter((x) => ['serious', 'critical'].includes(x.impact))) found.axe.push(`${at}: ${v.id} ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 140)).join(' | ')}`)
      const over = await p.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      if (over > 1) found.wide.push(`${at}: ${over} px`)
      await each(p, at, found)
      if (pictured[at]) await shot(p, `${pictured[at]}-${options.width ?? 1280}-${options.scheme}`)
    }
    await p.context().close()
    return found
  }

  const raw = async (p, at, found) => {
    found.raw.push(...(await p.evaluate(() => {
      const out = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
      for (let n = walk.nextNode(); n; n = walk.nextNode()) {
        const text = n.textContent.trim()
        if (/\p{L}{2,}/u.test(text) && !/[⟦⟧]/.test(text) && !n.parentElement.closest('[translate="no"], noscript, script, pre, time')) out.push(text.slice(0, 80))
      }
      return out
    })).map((x) => `${at}: ${x}`))
  }
  for (const width of [1280, 390]) for (const scheme of ['light', 'dark']) {
    const pseudo = width === 390 && scheme === 'dark', found = await sweep({ width, scheme, ...(pseudo ? { language: 'pseudo' } : {}) }, pseudo ? raw : undefined)
    await test(`UX-053 axe finds nothing serious on any page, ${scheme}, ${width} px`, async () => equal(found.axe, [], 'violations'))
    await test(`UX-053 no page scrolls sideways, ${scheme}, ${width} px`, async () => equal(found.wide, [], 'too wide'))
    if (pseudo) await test('UX-054 the pseudo-locale shows no raw text on any page', async () => equal([...new Set(found.raw)].slice(0, 20), [], 'raw text'))
  }
}
