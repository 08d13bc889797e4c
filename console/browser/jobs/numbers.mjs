import { equal, ok, openPage, settled, visit } from '../harness.mjs'
import { energy, figure, money, percent, power } from '../look.mjs'

const clean = (text) => text.replace(/\s+/g, ' ').trim()
const count = (n) => new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 }).format(n)
const told = (n, one, more) => `${count(n)} ${n === 1 ? one : more}`

/** What an event is worth is its own line of the run, not the run's sum. */
async function worth(api, d) {
  const last = (await api.get(`/settlement-runs?program=${d.program}&limit=1000`)).items.filter((r) => r.state !== 'superseded' && Date.parse(r.from) <= Date.parse(d.start) && Date.parse(d.start) < Date.parse(r.to)).at(-1), run = await api.get(`/settlement-runs/${last.id}`)
  return { revenue: run.result.events.find((e) => e.dispatch === d.id).revenue, currency: run.currency }
}

/** Every number of four pages beside what the API says: what is looked at, what is shown, what should be. */
async function differences(page, api, id) {
  const out = [], seen = []
  // a dash is no number
  const look = (what, wanted) => { if (/\d/.test(wanted)) seen.push(what) }
  const same = (what, found, wanted) => { look(what, wanted); if (clean(found) !== clean(wanted)) out.push(`${what}: ${clean(found)} for ${clean(wanted)}`) }
  // the whole number, not the end of a longer one
  const holds = (what, text, part) => { look(what, part); if (!` ${clean(text)}`.includes(` ${clean(part)}`)) out.push(`${what}: no ${part} in ${clean(text)}`) }
  const card = async (key) => clean(await page.locator('.card', { has: page.locator(`[data-figure="${key}"]`) }).innerText())
  const cells = async (table, col) => Object.fromEntries(await page.locator(`[data-table="${table}"] tbody tr`).evaluateAll((trs, c) => trs.map((r) => [r.dataset.row, r.querySelector(`[data-col="${c}"]`)?.textContent ?? '']), col))
  const column = async (table, col, rows, keyOf, wanted) => { const shown = await cells(table, col); for (const r of rows) if (keyOf(r) in shown) same(`${table}.${col} of ${keyOf(r)}`, shown[keyOf(r)], wanted(r)) }

  await visit(page, '/')
  const o = await api.get('/overview')
  same('enrolled', await figure(page, 'home.enrolled'), power(o.enrolled.kW))
  holds('devices enrolled', await card('home.enrolled'), told(o.enrolled.devices, 'device', 'devices'))
  for (const [name, kW] of [['OpenADR', o.enrolled.byProtocol.openadr], ['IEEE 2030.5', o.enrolled.byProtocol.ieee2030_5], ['OCPP', o.enrolled.byProtocol.ocpp]]) holds(`enrolled over ${name}`, await card('home.enrolled'), `${name} ${power(kW)}`)
  same('available', await figure(page, 'home.available'), power(o.available.down_kW))
  holds('devices that can give', await card('home.available'), told(o.available.devices, 'device', 'devices'))
  same('dispatched', await figure(page, 'home.dispatched'), power(o.dispatched.kW))
  holds('dispatches running', await card('home.dispatched'), `${told(o.dispatched.dispatches, 'dispatch', 'dispatches')} running`)

  await visit(page, `/dispatches/${id}`)
  const d = await api.get(`/dispatches/${id}`), p = await api.get(`/dispatches/${id}/performance`), parts = (await api.get(`/dispatches/${id}/deliveries?limit=1000`)).items, own = new Map(p.points.map((x) => [x.servicePoint, x.delivered_kWh])), hours = (Date.parse(d.end) - Date.parse(d.start)) / 3_600_000
  same('ordered', await figure(page, 'dispatch.ordered'), power(d.power_kW))
  holds('ordered energy', await card('dispatch.ordered'), energy(d.power_kW * hours))
  same('placed', await figure(page, 'dispatch.placed'), power(d.allocated_kW))
  same('delivered', await figure(page, 'dispatch.delivered'), energy(p.delivered_kWh))
  holds('share of the order', await card('dispatch.delivered'), percent(p.delivered_kWh / p.ordered_kWh))
  await column('part', 'allocated', parts, (x) => x.id, (x) => power(x.allocated_W / 1000))
  await column('part', 'short', parts, (x) => x.id, (x) => { const wanted = x.allocated_W / 1000 * hours, got = own.get(x.servicePoint); return wanted === 0 ? '–' : energy(Math.max(0, wanted - (got ?? 0))) })
  await column('part', 'delivered', parts, (x) => x.id, (x) => energy(own.get(x.servicePoint) ?? null))
  for (const [key, kW] of Object.entries(d.allocation.byProtocol)) holds(`split ${key}`, await page.locator(`[data-protocol="${key}"]`).innerText(), power(kW))

  const paid = await worth(api, d)
  same('worth', await figure(page, 'dispatch.revenue'), `${money(paid.revenue)} ${paid.currency}`)

  await visit(page, `/verification/${id}`)
  for (const [key, kWh] of [['dispatch.baseline', p.baseline_kWh], ['verify.metered', p.metered_kWh], ['dispatch.delivered', p.delivered_kWh], ['dispatch.ordered', p.ordered_kWh]]) same(`verification ${key}`, await figure(page, key), energy(kWh))
  holds('verification share', await card('dispatch.delivered'), percent(p.performance))
  await column('pt', 'delivered', p.points, (x) => x.servicePoint, (x) => energy(x.delivered_kWh))
  await column('day', 'mean', p.baselineTrace.trace.considered.filter((x) => x.mean_kW !== undefined), (x) => x.day, (x) => power(x.mean_kW))

  const run = (await api.get('/settlement-runs')).items.at(-1), statements = (await api.get(`/statements?run=${run.id}&limit=1000`)).items, cash = (amount) => `${money(amount)} ${run.currency}`
  await visit(page, `/settlement/${run.id}`)
  for (const [key, amount] of [['settle.revenue', run.revenue], ['settle.pool', run.customerPool], ['settle.aggregator', run.aggregator]]) same(key, await figure(page, key), cash(amount))
  await column('st', 'amount', statements, (s) => s.id, (s) => cash(s.amount))
  await column('st', 'delivered_kWh', statements, (s) => s.id, (s) => energy(s.delivered_kWh))

  const [s] = statements
  await visit(page, `/statements/${s.id}`)
  same('statement amount', await figure(page, 'settle.amount'), cash(s.amount))
  same('statement energy', await figure(page, 'statement.paid'), energy(s.delivered_kWh))
  for (const [i, l] of s.body.lines.entries()) for (const [n, wanted] of [[1, energy(l.paid_kWh)], [2, energy(l.own_kWh)], [3, cash(l.amount)]]) same(`line ${i}.${n}`, await page.locator('article tbody tr').nth(i).locator('td').nth(n).innerText(), wanted)
  return { out, seen }
}

const counted = /(kW|kWh|_W|devices|dispatches|performance)$|^(openadr|ieee2030_5|ocpp)$/, paid = /^(amount|revenue|customerPool|aggregator)$/
/** The same answer with every number that a page shows made another. */
const falsified = (value, name = '') => Array.isArray(value) ? value.map((v) => falsified(v, name)) : value !== null && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, falsified(v, k)])) : typeof value === 'number' && /^delivered/.test(name) ? value / 2 - 7 : typeof value === 'number' && counted.test(name) ? value + (value < 0 ? -1 : 1) * (Math.abs(value) / 2 + 7) : typeof value === 'string' && paid.test(name) ? (Number(value) + 7.77).toFixed(2) : value

export default async function numbers({ test, browser, base, token, api, id }) {
  const p = await openPage(browser, base, { token, at: '/settings' })
  await settled(p)
  await test('every number of Home, dispatch, verification, run and statement is the API’s', async () => {
    let { out, seen } = await differences(p, api, id)
    // what moved between two looks is looked at again; what is wrong stays wrong
    for (let tries = 0; out.length > 0 && tries < 3; tries++) ({ out, seen } = await differences(p, api, id))
    process.stdout.write(`  # ${seen.length} numbers compared\n`)
    equal(out.slice(0, 5), [], 'numbers')
  })
  await test('and each of those comparisons fails when the page shows another number', async () => {
    await p.route(/\/api\/v1\/(overview|dispatches|settlement-runs|statements)/, async (route) => {
      const answer = await route.fetch().catch(() => undefined)
      return answer ? route.fulfill({ response: answer, json: falsified(await answer.json()) }) : route.abort()
    })
    const { out, seen } = await differences(p, api, id), blind = seen.filter((what) => !out.some((x) => x.startsWith(`${what}:`)))
    ok(out.length > 20, `${out.length} found`)
    equal(blind.filter((what) => !/share/.test(what)), [], 'numbers that nothing would have noticed')
  })
  await p.context().close()
}
