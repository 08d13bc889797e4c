// A fleet beside the demo's, stored through the operator API: for what has to hold at a size.
import { until } from './harness.mjs'

/** `add(to)` stores devices up to that many; the first `enrolled` of them are active in a program of their own. */
export async function fleet(api, enrolled) {
  const stamp = Date.now(), program = `many-${stamp}`, name = (i) => `many-${stamp}-${i}`
  const batch = async (path, make, from, to) => {
    for (let i = from; i < to; i += 500) {
      const rows = Array.from({ length: 500 }, (_, k) => make(i + k)), headers = { 'idempotency-key': `${path}-${stamp}-${i}` }
      // a machine with other work may answer 503; the key makes asking again harmless
      await until(`${path} ${i}`, () => api.post(path, rows, headers).then(() => true, (error) => { if (error.status !== 503) throw error }), { every: 1000 })
    }
  }
  const point = (i) => ({ name: name(i), gridPath: [`many-${i % 20}`] }), device = (i) => ({ name: name(i), servicePoint: name(i), kind: 'battery', rated_kW: 5, bindings: [{ protocol: 'openadr', remoteId: name(i) }] })
  let stored = 0
  const add = async (to) => {
    await batch('/service-points', point, stored, to)
    await batch('/resources', device, stored, to)
    stored = to
  }
  await api.post('/programs', { name: program, timeZone: 'America/Denver', direction: 'both', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'portfolio' }, currency: 'USD', energyPrice: '0.50', customerShare: '0.70' })
  await add(enrolled)
  await api.post('/enrolments/bulk', { rows: Array.from({ length: enrolled }, (_, i) => ({ program, servicePoint: name(i), to: 'active' })) })
  await until('all of them enrolled', async () => (await api.get(`/enrolments?program=${program}&state=active&limit=1000`)).items.length === Math.min(1000, enrolled))
  const now = Date.parse((await api.get('/me')).now), hour = 3_600_000
  /** An order to all that are enrolled, some days ahead. */
  const order = (day) => api.post('/dispatches', { program, power_kW: enrolled, mode: 'proportional', start: new Date(Math.ceil(now / hour) * hour + day * 24 * hour).toISOString(), duration: 'PT1H', reason: `${enrolled} devices` }, { 'idempotency-key': `${program}-${day}` })
  const close = async () => {
    const made = await api.get(`/programs/${program}`)
    await api.call('PATCH', `/programs/${made.id}`, { state: 'closed', version: made.version }).catch(() => undefined)
  }
  return { program, add, order, close }
}

/** How far behind the page is: an order to the whole fleet is cancelled elsewhere, and the page says so. */
export async function behind({ openPage, browser, base, token, api, rows, settled }, order) {
  const p = await openPage(browser, base, { token, at: `/dispatches/${order.id}` })
  await settled(p)
  await until('its parts', async () => (await rows(p, 'part').count()) >= 50)
  await api.post(`/dispatches/${order.id}/cancel`, {})
  const begun = Date.now()
  await p.locator('.titlebar [data-state="cancelled"]').waitFor()
  const ms = Date.now() - begun
  await p.context().close()
  return ms
}

/** Times of frames in ms while the map is dragged, from the shortest. */
export async function panned(p) {
  const box = await p.locator('canvas.map').boundingBox()
  await p.evaluate(() => { window.frames_ = []; window.over_ = false; let last = performance.now(); const tick = (now) => { window.frames_.push(now - last); last = now; if (!window.over_) requestAnimationFrame(tick) }; requestAnimationFrame(tick) })
  await p.mouse.move(box.x + 300, box.y + 200)
  await p.mouse.down()
  for (let i = 0; i < 30; i++) await p.mouse.move(box.x + 300 + i * 5, box.y + 200 + i * 2)
  await p.mouse.up()
  return p.evaluate(() => { window.over_ = true; return window.frames_.slice(1).sort((a, b) => a - b) })
}

/** From an action to the first frame that shows an answer to it, in ms. */
export const answered = (p, selector, act) => p.evaluate(([where, what]) => new Promise((done, fail) => {
  const el = document.querySelector(where)
  if (!el) return fail(new Error(`no ${where}`))
  const seen = new MutationObserver(() => { seen.disconnect(); requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun))) })
  seen.observe(document, { childList: true, subtree: true, attributes: true, characterData: true })
  const begun = performance.now()
  if (what === null) el.click()
  else {
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(el), 'value').set.call(el, what)
    el.dispatchEvent(new Event(el.tagName === 'SELECT' ? 'change' : 'input', { bubbles: true }))
  }
}), [selector, act ?? null])
