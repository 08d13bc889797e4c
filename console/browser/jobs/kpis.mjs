import { equal, ok, until, visit } from '../harness.mjs'
import { exported, figure, money, number, percent, power, rows } from '../look.mjs'

const quick = (ms) => (ms === null ? '–' : ms < 90_000 ? `${number(ms / 1000)} s` : ms < 5_400_000 ? `${Math.round(ms / 60_000)} min` : `${number(ms / 3_600_000)} h`)
const share = (n) => (n === null ? '–' : percent(n))

/** Each figure as its label, its value and what it is over, written apart from the page's own code. */
function wanted(k, currency) {
  const calls = Object.values(k.deliveries).reduce((a, b) => a + b, 0), paid = (amount) => (amount === null || k.settlementDays === null ? '–' : `${money(amount)} ${currency}`)
  return {
    events: [number(k.events), `${k.tests.events} test event`],
    active: [number(k.active), `of ${number(k.enrolled)} ever applied`],
    participation: [share(k.participationRate), calls ? `${number(k.responded)} of ${number(calls)} calls to devices were acknowledged` : 'No event has called a device yet.'],
    optOut: [share(k.optOutRate), calls ? `${number(k.deliveries.optedOut ?? 0)} of ${number(calls)} calls to devices` : 'No event has called a device yet.'],
    comms: [share(k.commsLossRate), calls ? `${number(k.deliveries.noComms ?? 0)} of ${number(calls)} calls to devices got no answer` : 'No event has called a device yet.'],
    latency: [quick(k.latency_ms.p95), k.latency_ms.p95 === null ? 'No call has arrived at a device yet.' : `half within ${quick(k.latency_ms.p50)}, 99 of 100 within ${quick(k.latency_ms.p99)}`],
    ratio: [share(k.deliveryRatio), k.deliveryRatio === null ? 'No event has been verified yet.' : `${power(k.delivered_kW)} measured of ${power(k.committed_kW)} placed, ${number(k.verified)} verified event`],
    reliability: [share(k.reliability), k.reliability === null ? 'No event has been verified yet.' : `of ${number(k.verified)} verified event`],
    cost: [paid(k.costPerMW), k.settlementDays === null ? 'No settlement has been issued yet.' : `issued settlements, over ${power(k.delivered_kW)} delivered`],
    perAsset: [paid(k.costPerAsset), k.settlementDays === null ? 'No settlement has been issued yet.' : `issued settlements, over ${number(k.active)} active`],
    days: [k.settlementDays === null ? '–' : number(k.settlementDays), k.settlementDays === null ? 'No settlement has been issued yet.' : 'from the end of a period to its issue'],
    disputes: [share(k.disputeRate), k.disputeRate === null ? 'No settlement has been issued yet.' : 'of all issued statements'],
    retention: [share(k.retention), k.retention === null ? 'Nobody was active a year ago.' : 'of those that were active a year ago'],
    forecast: [k.forecastError === null ? '–' : power(k.forecastError), k.forecastError === null ? 'No forecast can be compared yet.' : 'mean, over forecasts'],
  }
}

/** The key figures of a page equal the API's, taken before and after it was drawn; what moves meanwhile is looked at again. */
async function compare(page, api, program) {
  const ask = async () => { const { at: _, ...k } = await api.get(`/kpis?program=${program.id}`); return k }
  await until(`the key figures of ${program.name} to hold still`, async () => {
    const before = await ask()
    await visit(page, `/programs/${program.id}`)
    const found = {}, want = wanted(before, program.currency)
    for (const key of Object.keys(want)) found[key] = [await figure(page, `kpi.${key}`), (await page.locator(`[data-of="kpi.${key}"]`).innerText()).replace(/\s+/g, ' ')]
    if (JSON.stringify(before) !== JSON.stringify(await ask())) return false
    for (const [key, [value, of]] of Object.entries(want)) {
      equal(found[key][0], value.replace(/\s+/g, ' '), key)
      ok(found[key][1].includes(of.replace(/\s+/g, ' ')), `${key} is over: ${found[key][1]}, wanted ${of}`)
    }
    return true
  }, { within: 60_000, every: 500 })
}

export default async function kpis({ test, page, api }) {
  const peak = await api.get('/programs/peak')

  await test('CORE-195 the key figures of a program are those of /kpis, each with what it is over and its age', async () => {
    await compare(page, api, peak)
    const cards = page.locator('[data-of]')
    equal(await cards.count(), 14, 'figures')
    for (const text of await page.locator('.card:has([data-of])').allInnerTexts()) ok(/as of (just now|\d+ (s|min|h|days?) ago)/.test(text), `an age: ${text}`)
  })

  await test('CORE-196 a program that nothing has happened in shows – and why, never 0', async () => {
    const fresh = await api.post('/programs', { name: `fresh ${Date.now().toString(36)}`, timeZone: 'America/Denver', direction: 'down', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'portfolio' }, currency: 'USD', customerShare: '0.70' })
    await compare(page, api, fresh)
    const shown = await page.locator('[data-figure]').evaluateAll((all) => all.map((x) => x.textContent.trim()))
    equal([shown.filter((x) => x === '–').length, shown.filter((x) => x === '0').length], [12, 2], 'none but the counts of events and of enrolments is 0')
    ok((await page.locator('main').innerText()).includes('No event has run yet.'), 'and no curve')
  })

  await test('CORE-195 the opt-out curve: each event’s row and the export are what its deliveries say', async () => {
    await visit(page, `/programs/${peak.id}`)
    const ran = (await api.get(`/dispatches?program=${peak.id}&limit=1000`)).items.filter((d) => ['completed', 'verified', 'settled'].includes(d.state) && !d.test)
    ok(ran.length > 0, 'an event has run')
    for (const d of ran.slice(-20)) {
      const list = (await api.get(`/dispatches/${d.id}/deliveries?limit=1000`)).items, n = (state) => list.filter((x) => x.state === state).length, lost = n('optedOut') + n('rejected') + n('noComms')
      const cell = (col) => page.locator(`[data-table="opt"] tr[data-row="${d.id}"] td[data-col="${col}"]`).innerText()
      equal([await cell('told'), await cell('optedOut'), await cell('refused'), await cell('silent'), await cell('share')], [list.length, n('optedOut'), n('rejected'), n('noComms')].map((x) => number(x)).concat(percent(lost / list.length)), d.start)
    }
    equal((await exported(page, 'opt')).length, (await rows(page, 'opt').count()) + 1, 'the export has every row')
  })

  await test('CORE-195 the opt-out curve is drawn through its events: from nobody at the bottom to all at the top, as time went; tests and orders that never ran are not in it', async () => {
    // one event has run in the demo: an answer with others
    const deliveries = { e1: { completed: 2, accepted: 1, received: 1 }, e2: { optedOut: 1, completed: 3 }, e3: { optedOut: 1, rejected: 1, noComms: 2 }, test: { noComms: 1 }, gone: { cancelled: 4 } }
    const made = [['e3', 3, 'completed'], ['e1', 1, 'settled'], ['e2', 2, 'verified'], ['test', 4, 'completed'], ['gone', 5, 'cancelled']].map(([id, day, state]) => ({ dispatch: id, state, test: id === 'test', start: `2026-07-0${day}T22:00:00Z`, deliveries: deliveries[id] }))
    await page.route('**/api/v1/kpis/events?*', (route) => route.fulfill({ json: { items: made, next: null } }))
    await visit(page, '/programs')
    await visit(page, `/programs/${peak.id}`)
    equal(await rows(page, 'opt').evaluateAll((all) => all.map((r) => r.dataset.row)), ['e1', 'e2', 'e3'], 'oldest first')
    const points = (await page.locator('[data-opt-out] polyline').getAttribute('points')).split(' ').map((p) => p.split(',').map(Number)), lines = await page.locator('[data-opt-out] .rule').evaluateAll((all) => all.map((l) => [Number(l.getAttribute('x1')), Number(l.getAttribute('x2')), Number(l.getAttribute('y1'))]))
    const [[left, right, bottom], , [, , top]] = lines
    ok(bottom > top, 'nobody is at the bottom')
    equal(points.map(([x, y]) => [Math.round(((x - left) / (right - left)) * 100), Math.round(((bottom - y) / (bottom - top)) * 100)]), [[0, 0], [50, 25], [100, 100]], 'through 0, 25 and 100 %')
    equal(await page.locator('[data-opt-out] title').allTextContents(), ['Wed, Jul 1, 16:00: 0% (0 of 4)', 'Thu, Jul 2, 16:00: 25% (1 of 4)', 'Fri, Jul 3, 16:00: 100% (4 of 4)'], 'each point in words')
    await page.unrouteAll({ behavior: 'ignoreErrors' })
  })
}
