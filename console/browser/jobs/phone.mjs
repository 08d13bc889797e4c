import { ok, openPage, settled } from '../harness.mjs'
import { shot } from '../look.mjs'

/** Watch and cancel on a phone, and the same page in the dark. */
export default async function phone({ test, browser, base, token, api, id }) {
  const last = await api.get(`/dispatches/${id}`), start = new Date(Date.parse(last.start) + 6 * 86_400_000).toISOString()
  const made = await api.post('/dispatches', { program: last.program, power_kW: 20, start, duration: 'PT1H', reason: 'seen on a phone' }, { 'idempotency-key': `phone-${id}` })
  for (const [width, scheme] of [[1280, 'dark'], [390, 'light'], [390, 'dark']]) {
    const p = await openPage(browser, base, { token, at: `/dispatches/${id}`, width, scheme })
    await settled(p)
    await shot(p, `live-${width}-${scheme}`)
    if (width === 390 && scheme === 'light') await test('UX-053 on a phone an event can be watched and cancelled', async () => {
      await p.evaluate((to) => { location.hash = to }, `/dispatches/${made.id}`)
      await p.locator('.cancel > button').waitFor()
      const box = await p.locator('.cancel > button').boundingBox()
      ok(box && box.y > 700 && box.y + box.height <= 844, `cancel stays at the bottom of the screen: ${JSON.stringify(box)}`)
      ok(await p.locator('header.top button.danger').isVisible(), 'stop all is visible')
      await p.locator('.cancel > button').click()
      await p.locator('dialog button.danger').click()
      await p.locator('.titlebar [data-state="cancelled"]').waitFor()
      ok((await api.get(`/dispatches/${made.id}`)).state === 'cancelled', 'cancelled')
    })
    await p.context().close()
  }
}
