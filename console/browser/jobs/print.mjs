import { equal, ok, openPage, pause, settled, visit } from '../harness.mjs'
import { shot } from '../look.mjs'

/** Between the margins of A4: 182 mm at 96 pixels an inch. */
const paper = { width: 688, height: 1017 }

/** What a browser prints of the pages that go to others. */
export default async function print({ test, browser, base, token, api, id }) {
  const run = (await api.get('/settlement-runs')).items.at(-1), statement = (await api.get(`/statements?run=${run.id}`)).items[0]
  const p = await openPage(browser, base, { token, at: '/settings', scheme: 'dark' }), cut = [], few = []
  await settled(p)
  for (const [name, at] of [['statement', `/statements/${statement.id}`], ['verification', `/verification/${id}`], ['run', `/settlement/${run.id}`], ['event', `/dispatches/${id}`]]) {
    await visit(p, at)
    const pdf = await p.pdf({ format: 'A4', preferCSSPageSize: true })
    if (pdf.subarray(0, 5).toString() !== '%PDF-' || pdf.length < 5000) few.push(`${name}: ${pdf.length} bytes`)
    await p.emulateMedia({ media: 'print' })
    await p.setViewportSize(paper)
    await p.evaluate(() => dispatchEvent(new Event('beforeprint')))
    await pause(200) // the chart is drawn anew for its new width
    cut.push(...(await p.evaluate((where) => [...document.querySelectorAll('main *')].filter((e) => e.getClientRects().length > 0 && e.getBoundingClientRect().right > innerWidth + 1).slice(0, 3).map((e) => `${where}: ${e.tagName} ${e.textContent.slice(0, 40)}`), name)))
    const buttons = await p.evaluate(() => [...document.querySelectorAll('main button, main .button, main input, header.top')].filter((e) => e.checkVisibility() && !e.closest('th')).map((e) => e.textContent))
    if (buttons.length > 0) few.push(`${name} prints ${buttons.slice(0, 3)}`)
    await shot(p, `print-${name}`, true)
    await p.evaluate(() => dispatchEvent(new Event('afterprint')))
    await p.emulateMedia({ media: null })
    await p.setViewportSize({ width: 1280, height: 800 })
  }
  await test('UX-064, UX-061 on paper nothing is cut off at the right edge', async () => equal(cut, [], 'cut'))
  await test('UX-064 on paper there are no buttons, and every page makes a PDF', async () => equal(few, [], 'too few or too many'))
  await test('UX-064 a list on paper has all its rows', async () => {
    await visit(p, `/dispatches/${id}`)
    await p.evaluate(() => dispatchEvent(new Event('beforeprint')))
    const wanted = new Set((await api.get(`/dispatches/${id}/deliveries?limit=1000`)).items.map((d) => d.resource)).size
    ok((await p.locator('[data-table="part"] tbody tr').count()) === wanted, 'parts')
    await p.evaluate(() => dispatchEvent(new Event('afterprint')))
  })
  await p.context().close()
}
