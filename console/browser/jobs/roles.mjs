import { equal, misdeeds, ok, openPage, settled, until, visit } from '../harness.mjs'

const roles = ['viewer', 'auditor', 'approver', 'settlement', 'dispatcher', 'operator', 'admin', 'caOfficer', 'dso']
/** What a page is there to make: whoever may not gets no form for it. */
const makes = { '/dispatches/new': '/dispatches', '/devices/new-charger': '/stations', '/programs/new': '/programs' }

/** "Roles decide what is seen": every page as everybody. What is hidden must be what the API refuses, and what is shown must work. */
export default async function rolesJob({ test, browser, base, token, api, id, named }) {
  const run = (await api.get('/settlement-runs')).items.at(-1), statement = (await api.get(`/statements?run=${run.id}`)).items[0], program = await api.get('/programs/peak'), dispute = (await api.get('/disputes')).items[0]
  const pages = ['/', '/dispatches', '/dispatches/new', `/dispatches/${id}`, '/devices', '/devices/new-charger', `/devices/${named('charger-004').id}`, `/devices/${named('home-001').id}`, `/readings/${named('site-001').servicePoint}`, '/find?q=charger-004', '/programs', '/programs/new', `/programs/${program.id}`, '/verification', `/verification/${id}`, '/baselines', '/settlement', `/settlement/${run.id}`, `/statements/${statement.id}`, ...(dispute ? [`/disputes/${dispute.id}`] : []), '/vendors', '/audit', '/webhooks', '/conformance', '/settings']
  const asked = new Map(), tokens = new Map()
  for (const role of roles) tokens.set(role, role === 'admin' ? { token } : await api.post('/tokens', { role, user: `walks as ${role}` }))
  const answerTo = async (role, method, path) => (await fetch(`${base}${path}`, { method, headers: { authorization: `Bearer ${tokens.get(role).token}`, ...(method === 'POST' ? { 'content-type': 'application/json' } : {}) }, ...(method === 'POST' ? { body: '{}' } : {}) })).status

  // an administrator sees everything: what each page asks the API for
  const p = await openPage(browser, base, { token, at: '/settings' }), seen = new Set()
  p.on('request', (r) => { const { pathname, search } = new URL(r.url()); if (r.method() === 'GET' && pathname.startsWith('/api/v1/') && !/\/(me|stop|live)$/.test(pathname)) seen.add(pathname + search) })
  await settled(p)
  for (const at of pages) {
    seen.clear()
    await visit(p, at)
    asked.set(at, [...seen])
  }
  await p.context().close()

  for (const role of roles) await test(`CORE-225, UX-052 ${role}: no page shows an error; what is not for this role says so, is not in the navigation, and is refused by the API`, async () => {
    const q = await openPage(browser, base, { token: tokens.get(role).token, at: '/settings' }), wrong = [], before = misdeeds.length
    await settled(q)
    const nav = await q.locator('nav.main a').evaluateAll((all) => all.map((a) => a.getAttribute('href').slice(1)))
    for (const at of pages) {
      await visit(q, at)
      const alerts = await q.locator('main [role="alert"]').allInnerTexts(), hidden = (await q.locator('[data-not-yours]').count()) === 1
      if (alerts.length > 0) wrong.push(`${at}: ${alerts[0].replace(/\s+/g, ' ').slice(0, 120)}`)
      if ((await q.locator('main h1, main .titlebar').count()) === 0) wrong.push(`${at}: no title`)
      if (nav.includes(at) && hidden) wrong.push(`${at}: in the navigation, but not for this role`)
      const refused = at in makes ? (await answerTo(role, 'POST', `/api/v1${makes[at]}`)) === 403 : (await Promise.all((asked.get(at) ?? []).map((path) => answerTo(role, 'GET', path)))).includes(403)
      if (hidden && !refused) wrong.push(`${at}: hidden, though the API refuses nothing of it`)
      if (!hidden && at in makes && refused) wrong.push(`${at}: a form that can only be refused`)
      // the first page of somebody whose home is another
      if (at === '/' && hidden) wrong.push('/: nothing to begin with')
    }
    equal([wrong, misdeeds.slice(before)], [[], []], 'what is wrong')
    if (role === 'viewer') {
      equal(await q.locator('header.top button.danger').count(), 0, 'no stop')
      ok(!nav.includes('/audit') && !nav.includes('/webhooks'), nav.join(' '))
      await visit(q, '/webhooks')
      ok(/It is for admin and operator/.test(await q.locator('[data-not-yours]').innerText()), 'it says for whom the page is')
    }
    await q.context().close()
  })

  await test('UX-052 a page that breaks says so in its place, and Stop stays within reach', async () => {
    const q = await openPage(browser, base, { token, at: '/settings' })
    await settled(q)
    await q.route('**/api/v1/programs?*', (route) => route.fulfill({ json: { items: [null], next: null } }))
    const before = misdeeds.length
    await q.evaluate(() => { location.hash = '/programs' })
    await q.locator('[data-broken]').waitFor()
    ok(await q.locator('header.top button.danger').isVisible(), 'stop')
    await until('it to be told to the browser', async () => misdeeds.length > before)
    misdeeds.splice(before)
    await q.context().close()
  })
  for (const [role, made] of tokens) if (role !== 'admin') await api.call('DELETE', `/tokens/${made.id}`)
}
