import { readFileSync } from 'node:fs'
import { axeSource, equal, ok, openPage, settled, until, visit } from '../harness.mjs'
import { address, exported, rows, shot } from '../look.mjs'
import { twoReports } from '../report.mjs'

const columns = async (page, table, ...cols) => rows(page, table).evaluateAll((all, wanted) => all.map((r) => [r.dataset.row, ...wanted.map((c) => r.querySelector(`[data-col="${c}"] [data-state]`)?.dataset.state ?? r.querySelector(`[data-col="${c}"]`)?.textContent)]), cols)
const sumsOf = (card) => card.locator('[data-sum]').evaluateAll((all) => Object.fromEntries(all.map((x) => [x.dataset.sum, Number(x.querySelector('[translate]').textContent)])))

/** Reports of real runs against this demo's VTN, of which the second meets a planted fault. */
export default async function conformance({ test, browser, page, api, base, token }) {
  const { before, after, notOne, secrets, clean } = await twoReports(api, base), choose = (p, ...files) => p.locator('input[type="file"]').setInputFiles(files)
  // a page that is opened anew holds no report
  const fresh = async () => {
    await visit(page, '/conformance')
    await page.reload()
    await settled(page)
  }
  const failed = after.report.results.find((r) => r.verdict === 'FAILED'), chosen = rows(page, 'cf')

  await test('UX-035 a saved report: target, sums, verdicts, titles and clauses are the file’s', async () => {
    equal([before.code, after.code, after.report.summary.FAILED], [0, 3, 1], 'the runs themselves')
    await fresh()
    await choose(page, after.path)
    await chosen.first().waitFor()
    const card = page.locator('[data-report="tonight.json"]')
    ok((await card.innerText()).includes(after.report.target), 'target')
    equal(await sumsOf(card), after.report.summary, 'sums')
    equal(await columns(page, 'cf', 'verdict', 'title', 'clause'), after.report.results.map((r) => [r.id, r.verdict, r.title, r.clause]), 'rows')
  })

  await test('UX-035 of what failed it shows the exchange seen and what was expected, readable; the filter by verdict is in the URL', async () => {
    await page.locator('[data-table="cf"] select').selectOption('FAILED')
    await address(page, 'cf.verdict=FAILED')
    equal(await columns(page, 'cf'), [[failed.id]], 'the failed one alone')
    await page.getByRole('button', { name: 'Details' }).click()
    const detail = page.locator(`[data-detail="${failed.id}"]`), last = detail.locator('[data-step]').last(), exchange = failed.exchanges.at(-1)
    ok((await detail.locator('.problem').innerText()) === failed.detail && failed.detail.includes('expected 201, got 200'), 'expected and seen')
    equal(await detail.locator('[data-step]').count(), failed.exchanges.length, 'steps')
    const [sent, got] = [await last.locator('[data-part="sent"]').innerText(), await last.locator('[data-part="got"]').innerText()]
    equal(sent.split('\n')[0], `${exchange.sent.method} ${exchange.sent.path}`, 'request line')
    equal(JSON.parse(sent.slice(sent.indexOf('{'))), exchange.sent.json, 'what was sent')
    ok(got.startsWith('HTTP 200\n') && Object.entries(exchange.got.headers).every(([k, v]) => got.includes(`${k}: ${v}`)), 'status and headers')
    equal(JSON.parse(got.slice(got.indexOf('{'))), exchange.got.body, 'what came back')
    const content = await page.content()
    ok(secrets.length === 3 && !secrets.some((s) => content.includes(s) || readFileSync(after.path, 'utf8').includes(s)), 'no secret of the run')
    await shot(page, 'conformance-1280-light', true)
  })

  await test('UX-035, UX-041 an evidence file brings the exchanges of what passed, too', async () => {
    await fresh()
    await choose(page, before.evidence)
    const passed = JSON.parse(readFileSync(before.evidence, 'utf8')).report.results.find((r) => r.verdict === 'PASSED' && r.exchanges.length > 1)
    await page.locator(`tr[data-row="${passed.id}"]`).getByRole('button', { name: 'Details' }).click()
    equal(await page.locator(`[data-detail="${passed.id}"] [data-step]`).count(), passed.exchanges.filter((e) => !e.after).length, 'steps')
  })

  await test('UX-035 last night’s and tonight’s report side by side, dropped on the page: what got worse', async () => {
    await fresh()
    const files = [after, before].map(({ path, name }) => ({ name: `${name}.json`, text: readFileSync(path, 'utf8') }))
    const transfer = await page.evaluateHandle((all) => { const d = new DataTransfer(); for (const { name, text } of all) d.items.add(new File([text], name, { type: 'application/json' })); return d }, files)
    await page.locator('[data-drop]').dispatchEvent('drop', { dataTransfer: transfer })
    await page.locator('[data-reports="2"]').waitFor()
    for (const { name, report } of [before, after]) equal(await sumsOf(page.locator(`[data-report="${name}.json"]`)), report.summary, name)
    const was = new Map(before.report.results.map((r) => [r.id, r.verdict]))
    equal(await columns(page, 'cf', 'verdict', 'before'), after.report.results.map((r) => [r.id, r.verdict, was.get(r.id)]), 'now and before, whatever the order they were opened in')
    equal(await page.locator('[data-change="worse"]').count(), 1, 'worse')
    await page.locator('[data-table="cf"] label', { hasText: 'Change' }).locator('select').selectOption('worse')
    await address(page, 'cf.change=worse')
    equal(await columns(page, 'cf', 'verdict', 'before'), [[failed.id, 'FAILED', 'PASSED']], 'the one that got worse')
    equal((await exported(page, 'cf')).length - 1, 1, 'exported as shown')
    await page.locator('[data-report="last-night.json"]').getByRole('button', { name: 'Close report' }).click()
    await until('one report', async () => (await page.locator('[data-report]').count()) === 1)
  })

  await test('UX-035 a file that is no report is named, and changes nothing', async () => {
    await fresh()
    await choose(page, notOne, before.path)
    await page.getByRole('alert').waitFor()
    ok((await page.getByRole('alert').innerText()).includes('target.json'), 'named')
    equal(await page.locator('[data-report]').count(), 1, 'the other is there')
  })

  await test('UX-053, UX-054 an opened result at 390 px, dark, pseudo-locale: axe, no sideways scroll, words of the catalogue', async () => {
    const p = await openPage(browser, base, { token, at: '/conformance', width: 390, scheme: 'dark', language: 'pseudo' })
    await settled(p)
    await choose(p, before.path, after.path)
    await p.locator(`tr[data-row="${failed.id}"] button`).click()
    await p.locator(`[data-detail="${failed.id}"]`).waitFor()
    await p.evaluate(axeSource)
    equal((await p.evaluate(() => window.axe.run(document))).violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => `${v.id} ${v.nodes[0].html.slice(0, 120)}`), [], 'violations')
    ok((await p.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 1, 'sideways')
    ok((await p.locator('[data-detail] h3').allInnerTexts()).every((x) => /⟦/.test(x)) && (await p.locator('[data-row] .state').allInnerTexts()).every((x) => /⟦/.test(x)), 'all from the catalogue')
    await shot(p, 'conformance-390-dark')
    await p.context().close()
  })
  clean()
}
