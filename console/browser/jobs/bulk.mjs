import { axeSource, equal, ok, openPage, settled, until, visit } from '../harness.mjs'
import { downloaded, exported, rows } from '../look.mjs'

const file = (page, name, text) => page.locator('input[name="list"]').setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(text) })
const sum = (page) => page.locator('[data-bulk-sum]').getAttribute('data-bulk-sum')
const check = async (page, wanted) => {
  await page.getByRole('button', { name: 'Check the list' }).click()
  await until(`${wanted} after the check`, async () => (await page.locator('[data-bulk-sum]').count()) === 1 && (await sum(page)) === wanted)
}

/** Lists of service points, as spreadsheets write them and as they are too long for one look. */
export default async function bulk({ test, page, api, browser, base, token }) {
  const mark = Date.now().toString(36), made = 1150
  const program = await api.post('/programs', { name: `list ${mark}`, timeZone: 'America/Denver', direction: 'down', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'portfolio' }, currency: 'USD', customerShare: '0.70' })
  await api.post('/service-points', Array.from({ length: made }, (_, i) => ({ name: `l-${mark}-${i + 1}` })))
  await api.post('/service-points', [{ name: `a, b ${mark}` }, { name: `say "hi" ${mark}` }])
  const enrolled = async () => (await api.get(`/kpis?program=${program.id}`)).enrolled
  const of = async (point) => (await api.get(`/enrolments?servicePoint=${encodeURIComponent(point)}`)).items[0]

  await test('CORE-025 a list as spreadsheets write it (semicolons, quotes, decimal commas, CR): checked first with nothing stored, then enrolled; each row’s result is the API’s; no consent that nobody gave', async () => {
    await visit(page, `/programs/${program.id}`)
    await file(page, 'liste.csv', `\uFEFFservicePoint;nominated_kW;share\r"a, b ${mark}";3,5;0,6\r"say ""hi"" ${mark}";7;\r"no such point";5;\r"l-${mark}-1";much;\r`)
    await check(page, '2,2')
    equal(await enrolled(), 0, 'the check stores nothing')
    const first = await rows(page, 'list').allInnerTexts()
    ok(first.length === 4 && /Service point: there is no service point 'no such point'/.test(first[0]) && /^5\t/.test(first[1]) && /\tPledged \(kW\): must be number$/.test(first[1].trim()), `the refused ones first, with line and reasons: ${first.join(' | ')}`)
    await page.getByRole('button', { name: 'Enrol 2 rows' }).click()
    await page.getByText('Done: 2 enrolled, 2 refused.').waitFor()
    const [one, two] = [await of(`a, b ${mark}`), await of(`say "hi" ${mark}`)]
    equal([one.program, one.state, one.nominated_kW, one.share, one.consent], [program.id, 'applied', 3.5, '0.6', null], 'the first row')
    equal([two.state, two.nominated_kW, two.share, two.consent], ['applied', 7, null, null], 'the second row')
    equal(await enrolled(), 2, 'and no other')
    await rows(page, 'en').filter({ hasText: `a, b ${mark}` }).waitFor()
  })

  await test('CORE-025 the refused rows come down with their reasons, and go up again when they were mended', async () => {
    const { name, bytes } = await downloaded(page, () => page.getByRole('button', { name: 'Download the refused rows' }).click())
    equal(name, 'refused.csv', 'file')
    const text = bytes.toString('utf8')
    equal(text.split('\r\n')[0], 'servicePoint,nominated_kW,share,why', 'its header')
    await file(page, name, text.replace('no such point', `l-${mark}-2`).replace('much', '4'))
    await check(page, '2,0')
    await page.getByRole('button', { name: 'Enrol 2 rows' }).click()
    await page.getByText('Done: 2 enrolled, 0 refused.').waitFor()
    equal((await of(`l-${mark}-1`)).nominated_kW, 4, 'as mended')
  })

  await test('CORE-025, CORE-022 1,150 rows at once: the one that fails, line 1,102, is on top; the filter, the counts and the export are the API’s; consent only where it was ticked; as far as was chosen', async () => {
    const lines = Array.from({ length: made - 2 }, (_, i) => (i === 1100 ? 'nobody,5' : `l-${mark}-${i + 3},5`))
    await visit(page, `/programs/${program.id}`)
    await file(page, 'long.csv', `servicePoint,nominated_kW\n${lines.join('\n')}\n`)
    equal(await page.locator('input[name="list-consent"]').isChecked(), false, 'consent is not assumed')
    await check(page, '1147,1')
    await page.locator('input[name="list-consent"]').check()
    await page.locator('select[name="to"]').selectOption('active')
    ok(await page.getByRole('button', { name: 'Enrol 1,147 rows' }).isDisabled(), 'another choice needs another check')
    await check(page, '1147,1')
    await page.getByRole('button', { name: 'Enrol 1,147 rows' }).click()
    await page.getByText('Done: 1,147 enrolled, 1 refused.').waitFor()
    equal((await rows(page, 'list').first().innerText()).split('\t').slice(0, 2), ['1,102', 'nobody'], 'the failing line is the first')
    await page.locator('[data-table="list"] .tools select').selectOption('refused')
    await until('the filter', async () => (await rows(page, 'list').count()) === 1)
    await page.locator('[data-table="list"] .tools select').selectOption('')
    const out = await exported(page, 'list')
    equal([out.length, out[1].split(',').slice(0, 2), out.filter((x) => x.includes(',active,')).length], [made - 1, ['1102', 'nobody'], 1147], 'the export has every row')
    const kpis = await api.get(`/kpis?program=${program.id}`)
    equal([kpis.enrolled, kpis.active], [1151, 1147], 'stored')
    const last = await of(`l-${mark}-${made}`)
    equal([last.state, last.consent.purpose, last.history.length], ['active', 'demand-response', 4], 'the last of them')
    await until('the list of enrolments', async () => (await page.locator('[data-count="active"]').innerText()).includes('1,147'))
  })

  await test('UX-053, UX-054 a list on a phone in the dark: checked by keyboard alone, nothing sideways, axe finds nothing serious, every word from a catalogue', async () => {
    const p = await openPage(browser, base, { token, at: '/', width: 390, scheme: 'dark', language: 'pseudo' })
    await settled(p)
    await visit(p, `/programs/${program.id}`)
    await p.getByText(/Hów énrólmént góés/).press('Enter')
    await file(p, 'phone.csv', `servicePoint\nnobody\nl-${mark}-1\n`)
    await p.locator('input[name="list-consent"]').press('Space')
    await p.locator('[data-bulk] button.primary').press('Enter')
    await p.locator('[data-bulk-sum="0,2"]').waitFor()
    equal(await p.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, 'no wider than the phone')
    await p.evaluate(axeSource)
    const bad = (await p.evaluate(() => window.axe.run('[data-bulk]', { runOnly: ['wcag2a', 'wcag2aa', 'wcag22aa'] }))).violations.filter((v) => ['serious', 'critical'].includes(v.impact))
    equal(bad.map((v) => v.id), [], 'axe')
    const raw = await p.locator('main').evaluate((main) => {
      const out = [], walk = document.createTreeWalker(main, NodeFilter.SHOW_TEXT)
      for (let n = walk.nextNode(); n; n = walk.nextNode()) if (/\p{L}{2,}/u.test(n.textContent) && !/[⟦⟧]/.test(n.textContent) && !n.parentElement.closest('[translate="no"], time, pre')) out.push(n.textContent.trim())
      return out
    })
    equal(raw, [], 'raw text')
    await p.context().close()
  })

  await test('CORE-025 a connection that is lost half way: the page says so, the same click goes on where it stopped, and no row is tried twice', async () => {
    const points = [`torn ${mark} 1`, `torn ${mark} 2`]
    await api.post('/service-points', points.map((x) => ({ name: x })))
    await visit(page, '/programs')
    await visit(page, `/programs/${program.id}`)
    await file(page, 'torn.csv', ['servicePoint', points[0], ...Array.from({ length: 4999 }, (_, i) => `nobody-${i}`), points[1]].join('\n'))
    await check(page, '2,4999')
    let parts = 0
    await page.route('**/api/v1/enrolments/bulk', (route) => (++parts === 2 ? route.abort() : route.continue()))
    await page.getByRole('button', { name: 'Enrol 2 rows' }).click()
    await page.locator('[data-bulk] [role="alert"]').waitFor()
    ok((await page.locator('[data-bulk] [role="alert"]').innerText()).includes('This was not done The server cannot be reached.'), await page.locator('[data-bulk] [role="alert"]').innerText())
    equal([parts, (await of(points[0])).state, await of(points[1])], [2, 'applied', undefined], 'the first part is stored')
    await page.getByRole('button', { name: 'Enrol 2 rows' }).click()
    await page.getByText('Done: 2 enrolled, 4,999 refused.').waitFor()
    await page.unrouteAll({ behavior: 'ignoreErrors' })
    equal([parts, (await of(points[1])).state, (await api.get(`/enrolments?servicePoint=${encodeURIComponent(points[0])}`)).items.length], [4, 'applied', 1], 'and then the rest')
    const listed = await rows(page, 'list').first().innerText()
    ok(/^3\tnobody-0\t/.test(listed), `lines are those of the file: ${listed}`)
  })

  await test('CORE-025 a file that cannot be meant is not sent: each fault is a sentence with its line or column', async () => {
    const before = await enrolled(), fault = async (text) => {
      await file(page, 'wrong.csv', text)
      await page.locator('[data-bulk] [role="alert"]').waitFor()
      equal(await page.getByRole('button', { name: 'Check the list' }).count(), 0, 'it cannot be checked')
      const said = await page.locator('[data-bulk] [role="alert"]').innerText()
      await file(page, 'right.csv', 'servicePoint\nx\n')
      await page.getByRole('button', { name: 'Check the list' }).waitFor()
      return said
    }
    ok(/“colour” is not a column that is known/.test(await fault('servicePoint,colour\nx,red\n')), 'an unknown column')
    ok(/There is no column servicePoint/.test(await fault('nominated_kW\n5\n')), 'no service point')
    ok(/Line 3: a quoted cell begins there and never ends/.test(await fault('servicePoint\nx\n"y\nz\n')), 'an open quote')
    ok(/Line 3 is for the program “peak”/.test(await fault(`servicePoint,program\nx,${program.name}\ny,peak\n`)), 'another program')
    ok(/no rows below its header/.test(await fault('servicePoint\n\n')), 'nothing in it')
    equal(await enrolled(), before, 'nothing was stored')
  })
}
