import { equal, ok, openPage, settled, until, visit } from '../harness.mjs'
import { rows } from '../look.mjs'

/** What an administrator does with people, and what each person keeps in the own browser. */
export default async function accounts({ test, browser, base, token, api, page }) {
  const { TOTP, Secret } = await import('otpauth'), name = `mara-${Date.now()}`, mine = () => rows(page, 'who').filter({ hasText: name }), user = async () => (await api.get('/users')).items.find((u) => u.name === name)
  const secrets = async () => (await page.locator('form:has(input[name="person"]) .secret pre').innerText()).trim().split('\n')
  const uses = new Map()
  // each code works once, and half a minute early or late: three of them, in order, need no waiting
  const code = async (key) => {
    const n = uses.get(key) ?? -1
    uses.set(key, n + 1)
    return new TOTP({ secret: Secret.fromBase32(key) }).generate({ timestamp: Date.now() + n * 30_000 })
  }
  const p = await openPage(browser, base, { at: '/' }), enter = async ([password, key]) => {
    await p.waitForSelector('main.login')
    await p.locator('input[name="user"]').fill(name)
    await p.locator('input[name="password"]').fill(password)
    await p.locator('input[name="code"]').fill(await code(key))
    await p.getByRole('button', { name: 'Sign in', exact: true }).first().click()
  }
  let first

  await test('UX-052 another role: chosen, then given; the person is signed out and comes back with it', async () => {
    await visit(page, '/settings')
    await page.locator('input[name="person"]').fill(name)
    await page.locator('select[name="person-role"]').selectOption('viewer')
    await page.getByRole('button', { name: 'Add person' }).click()
    await mine().waitFor()
    first = await secrets()
    await enter(first)
    await p.waitForSelector('footer')
    await mine().locator('select').selectOption('auditor')
    equal((await user()).role, 'viewer', 'nothing is given by choosing')
    await mine().getByRole('button', { name: 'Give role auditor' }).click()
    await until('the role', async () => (await user()).role === 'auditor')
    await enter(first)
    await p.locator('footer', { hasText: `${name}, auditor` }).waitFor()
    ok(await p.locator('nav.main a', { hasText: 'Audit' }).isVisible(), 'an auditor has the trail')
  })

  await test('UX-052 new secrets end the old ones, the session too; a disabled person does not come in', async () => {
    await mine().getByRole('button', { name: 'New secrets' }).click()
    await until('other secrets', async () => (await secrets())[0] !== first[0])
    const second = await secrets()
    await enter(first)
    await p.getByRole('alert').waitFor()
    await p.reload()
    await enter(second)
    await p.waitForSelector('footer')
    await mine().getByRole('button', { name: 'Disable' }).click()
    await mine().locator('[data-state="disabled"]').waitFor()
    await p.waitForSelector('main.login')
    await p.reload()
    await enter(second)
    await p.getByRole('alert').waitFor()
    await p.context().close()
  })

  const q = await openPage(browser, base, { token, at: '/settings' }), theme = () => q.evaluate(() => [document.documentElement.dataset.theme, getComputedStyle(document.documentElement).colorScheme, getComputedStyle(document.body).backgroundColor])
  await test('UX-053 appearance: dark and light by choice, as the system otherwise; kept when the page is opened again', async () => {
    await settled(q)
    const light = (await theme())[2]
    await q.locator('select[name="theme"]').selectOption('dark')
    const dark = await until('another ground', async () => { const now = await theme(); return now[2] !== light && now })
    equal(dark.slice(0, 2), ['dark', 'dark'], 'dark')
    await q.reload()
    await settled(q)
    equal([await theme(), await q.locator('select[name="theme"]').inputValue()], [dark, 'dark'], 'kept')
    await q.locator('select[name="theme"]').selectOption('auto')
    for (const [colorScheme, ground] of [['dark', dark[2]], ['light', light]]) {
      await q.emulateMedia({ colorScheme })
      await until(`${colorScheme} as the system`, async () => (await theme())[2] === ground)
    }
  })

  await test('UX-054 time zone: chosen under Settings, every list tells its times in it, UTC on hover; kept when the page is opened again', async () => {
    const { createdAt } = (await api.get('/tokens?limit=1000')).items.find((x) => x.revokedAt === null), cell = q.locator(`[data-table="tok"] time[datetime="${createdAt}"]`).first()
    const shown = (timeZone) => new Intl.DateTimeFormat('en-US', { timeZone, weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(createdAt))
    await visit(q, '/settings?tok.n=1000')
    const before = await cell.innerText()
    await q.locator('select[name="zone"]').selectOption('UTC')
    await until('UTC', async () => (await cell.innerText()) === shown('UTC'))
    ok(before === shown('America/Denver') && before !== shown('UTC'), before)
    ok((await cell.getAttribute('title')).endsWith('UTC · UTC'), 'hover')
    await q.reload()
    await settled(q)
    equal([await cell.innerText(), await q.locator('select[name="zone"]').inputValue()], [shown('UTC'), 'UTC'], 'kept')
  })

  await test('UX-054 language: chosen under Settings, at once and kept when the page is opened again', async () => {
    // what the harness itself writes before each page of this browser would win
    const other = await browser.newContext({ locale: 'en-US' }), r = await other.newPage()
    await r.goto(`${base}/#/login?token=${token}&to=/settings`)
    await r.locator('select[name="language"]').waitFor()
    const title = () => r.locator('h1').innerText()
    equal(await title(), 'Settings', 'English')
    await r.locator('select[name="language"]').selectOption('de')
    await until('German', async () => (await title().catch(() => '')) === 'Einstellungen')
    await r.reload()
    await r.locator('select[name="language"]').waitFor()
    equal([await title(), await r.evaluate(() => document.documentElement.lang)], ['Einstellungen', 'de'], 'kept')
    await other.close()
  })
  await q.context().close()

  await test('UX-052 a token whose time is over is told as expired, and has nothing to revoke', async () => {
    const { id } = await api.post('/tokens', { role: 'viewer', user: 'brief', expiresIn_s: 1 }), row = page.locator(`[data-table="tok"] tr[data-row="${id}"]`)
    await until('it to be over', async () => Date.parse((await api.get('/me')).now) > Date.parse((await api.get('/tokens?limit=1000')).items.find((x) => x.id === id).expiresAt))
    await visit(page, '/settings?tok.q=brief')
    await row.locator('[data-state="expired"]').waitFor()
    equal(await row.getByRole('button').count(), 0, 'buttons')
  })

  await test('CORE-204 the list of stops says how far, who, why; one of a feeder is lifted there', async () => {
    const { id } = await api.post('/stop', { scope: 'node', node: 'a feeder of nobody', reason: 'drill of the accounts' })
    await visit(page, '/settings')
    const row = page.locator(`[data-table="stop"] tr[data-row="${id}"]`)
    await row.waitFor()
    const stop = (await api.get('/stop')).items.find((s) => s.id === id)
    for (const word of [stop.scope, stop.by, stop.reason]) ok((await row.innerText()).includes(word), word)
    await row.getByRole('button', { name: 'Lift' }).click()
    await until('it to be lifted', async () => !(await api.get('/stop')).items.find((s) => s.id === id)?.active)
    await until('the page to tell', async () => (await row.locator('[data-state="active"]').count()) === 0)
  })
}
