import { equal, ok, openPage, settled, until, visit } from '../harness.mjs'

/** What a browser protects, seen from a browser. */
export default async function safety({ test, page, api, base, token, browser }) {
  await test('SEC-066 device strings are text: no script of theirs runs', async () => {
    const evil = `<img src=x onerror=alert(1)>${Date.now()}`
    await api.post('/service-points', { name: evil })
    const made = await api.post('/resources', { name: evil, servicePoint: evil, kind: '"><script>alert(2)</script>', rated_kW: 1, bindings: [] })
    await until('the new device in the list', async () => (await api.get('/devices?limit=1000')).items.some((d) => d.id === made.id))
    await visit(page, '/devices')
    await until('it on the page', async () => (await page.locator('main').innerText()).includes(evil))
    await visit(page, `/devices/${made.id}`)
    equal(await page.locator('h1').innerText(), evil, 'its name')
    await api.call('PATCH', `/resources/${made.id}`, { state: 'retired', version: made.version })
  })

  await test('SEC-066 strict CSP on the page and its scripts; nothing inline; no frames', async () => {
    const answer = await fetch(base), csp = answer.headers.get('content-security-policy') ?? '', html = await answer.text()
    for (const word of ["default-src 'self'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "object-src 'none'"]) ok(csp.includes(word), `${word} in ${csp}`)
    ok(!/unsafe|\*/.test(csp), csp)
    ok(!/<script(?![^>]*src=)|<style|style=|\son\w+=/i.test(html), 'no inline code')
    equal(answer.headers.get('access-control-allow-origin'), null, 'no CORS')
  })

  await test('SEC-066 the session cookie is out of reach for scripts and other sites, and changes nothing without the guard', async () => {
    const p = await openPage(browser, base, { token, at: '/' })
    await settled(p)
    const cookie = (await p.context().cookies()).find((c) => c.name.startsWith('loadstone-session'))
    equal([cookie.httpOnly, cookie.sameSite], [true, 'Strict'], 'HttpOnly and SameSite')
    equal(await p.evaluate(() => document.cookie), '', 'nothing for scripts')
    equal(await p.evaluate(async () => (await fetch('/api/v1/programs', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })).status), 403, 'no guard, no change')
    await p.context().close()
  })

  await test('SEC-066 a page of another site cannot use the session', async () => {
    const p = await openPage(browser, base, { token, at: '/' })
    await settled(p)
    const elsewhere = base.replace('localhost', '127.0.0.1'), tried = await p.context().newPage()
    await tried.goto(elsewhere)
    const status = await tried.evaluate(async (url) => fetch(`${url}/api/v1/stop`, { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{}' }).then((r) => r.type, () => 'blocked'), base)
    ok(['opaque', 'blocked'].includes(status), status)
    ok((await api.get('/stop')).items.every((s) => !s.active), 'nothing was stopped')
    await p.context().close()
  })

  await test('SEC-068 nobody comes in with a default: without token, cookie or name the API is shut, and well-known names do not fit', async () => {
    for (const path of ['/programs', '/devices', '/me']) equal((await fetch(`${base}/api/v1${path}`)).status, 401, path)
    for (const [user, password] of [['admin', 'admin'], ['admin', 'password'], ['operator', 'loadstone'], ['root', '']]) {
      const answer = await fetch(`${base}/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ user, password: password || 'x', code: '000000' }) })
      ok([401, 429].includes(answer.status), `${user}: ${answer.status}`)
    }
  })
}
