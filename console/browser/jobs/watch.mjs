import { equal, ok, settled, until, visit } from '../harness.mjs'
import { energy, figure, moving, power, rows, shot } from '../look.mjs'

const running = ['active', 'completed', 'verified', 'settled']

/** `npm start` opens here: the event as it happens, for somebody who never heard of the three protocols. */
export default async function watch(w) {
  const { test, page, api } = w
  await test('UX-001 the printed link signs in; the token leaves the address and is nowhere that a script reads', async () => {
    await page.waitForSelector('header.top')
    ok(!page.url().includes('token'), page.url())
    equal(await page.evaluate(() => [...Object.values({ ...localStorage }), ...Object.values({ ...sessionStorage }), document.cookie].some((v) => v.includes('lst_'))), false, 'a token in reach')
  })

  await test("UX-046 the page waits for the story's order and shows it by itself", async () => {
    await until('the event on the page', async () => (await page.locator('ol.steps').count()) === 1, { within: 150_000, every: 500 })
    await settled(page)
  })
  w.id = await api.get('/overview').then((o) => o.live.at(-1)?.id ?? o.next[0]?.id ?? o.last?.id)
  const dispatch = () => api.get(`/dispatches/${w.id}`), progress = () => api.get(`/dispatches/${w.id}/progress`)

  await test("UX-046 live: order, target, actual and parts are the API's; the cancel button is visible", async () => {
    await until('the event to run', async () => running.includes((await dispatch()).state), { within: 120_000, every: 500 })
    equal(await figure(page, 'dispatch.ordered'), power((await dispatch()).power_kW), 'ordered')
    await moving('placed', () => figure(page, 'dispatch.placed'), async () => power((await dispatch()).allocated_kW))
    if ((await dispatch()).state === 'active') ok(await page.locator('.cancel button').isVisible(), 'cancel is visible')
    await until('two measured intervals', async () => (await progress()).intervalsDone >= 2, { within: 120_000, every: 500 })
    const shown = async () => figure(page, (await page.locator('[data-figure="dispatch.delivered"]').count()) ? 'dispatch.delivered' : 'dispatch.soFar')
    await moving('delivered', shown, async () => energy((await api.get(`/dispatches/${w.id}/performance`)).delivered_kWh ?? (await progress()).delivered_kWh))
    const onPage = () => page.$$eval('[data-table="part"] tr[data-row]', (trs) => trs.map((r) => `${r.dataset.row} ${r.querySelector('[data-state]').dataset.state}`).sort().join())
    await moving('states of all parts', onPage, async () => (await api.get(`/dispatches/${w.id}/deliveries?limit=1000`)).items.map((x) => `${x.id} ${x.state}`).sort().join())
    ok((await page.locator('.chart canvas').count()) > 0, 'a chart is drawn')
    await shot(page, 'live-1280-light')
  })

  await test('UX-046 the paragraph explains the event without the reader knowing a protocol', async () => {
    const text = await page.locator('.explain').innerText()
    for (const word of ['use less electricity', 'buildings', 'home batteries', 'car chargers', 'dashed line', 'meters']) ok(text.includes(word), `it says “${word}”: ${text}`)
  })

  await test("UX-045 home: enrolled, available, dispatched are the API's, each with its age", async () => {
    await visit(page, '/')
    const overview = () => api.get('/overview')
    await moving('enrolled', () => figure(page, 'home.enrolled'), async () => power((await overview()).enrolled.kW))
    await moving('available', () => figure(page, 'home.available'), async () => power((await overview()).available.down_kW))
    await moving('dispatched', () => figure(page, 'home.dispatched'), async () => power((await overview()).dispatched.kW))
    equal(await page.locator('.cards .age').count(), 3, 'every number has an age')
    await shot(page, 'home-1280-light')
  })

  await test('UX-045 the story comes to its end: verified and settled', async () => {
    await until('the settlement', async () => (await dispatch()).state === 'settled', { within: 400_000, every: 1000 })
    await visit(page, `/dispatches/${w.id}`)
    await until('the page to say so', async () => (await page.locator('li[data-step="settled"]').getAttribute('data-done')) === 'true')
    equal(await figure(page, 'dispatch.delivered'), energy((await api.get(`/dispatches/${w.id}/performance`)).delivered_kWh), 'delivered')
    await shot(page, 'settled-1280-light', true)
  })

  await test('UX-046 parts sort by shortfall, worst first, as the API’s numbers say', async () => {
    const p = await api.get(`/dispatches/${w.id}/performance`), by = new Map(p.points.map((x) => [x.servicePoint, x.delivered_kWh])), parts = (await api.get(`/dispatches/${w.id}/deliveries?limit=1000`)).items, hours = 2
    const shorts = parts.filter((x) => by.get(x.servicePoint) !== undefined && by.get(x.servicePoint) !== null).map((x) => ({ name: x.resourceName, short: (x.allocated_W / 1000) * hours - by.get(x.servicePoint) })).sort((a, b) => b.short - a.short)
    const first = await rows(page, 'part').first().innerText()
    if (shorts.length > 1 && shorts[0].short - shorts[1].short > 0.1) ok(first.includes(shorts[0].name) || /opted out|silent|refused/.test(first), `${shorts[0].name} first: ${first}`)
  })

  await test('CORE-070 re-allocation is visible: who gave back and who took over', async () => {
    const text = await page.locator('[data-part="moves"]').innerText(), revisions = (await api.get(`/dispatches/${w.id}/revisions`)).items
    ok(revisions.length === 0 ? /kept its part/.test(text) : /Gave back/.test(text), text)
  })
}
