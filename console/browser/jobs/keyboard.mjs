import { equal, openPage, settled, until } from '../harness.mjs'

/** No mouse: what can be done with Tab, Enter, arrows and Escape. */
export default async function keyboard({ test, browser, base, token, api }) {
  await test('UX-053 keyboard alone: skip link, navigation, stop dialog opens, Escape closes it and the focus comes back', async () => {
    const p = await openPage(browser, base, { token, at: '/' }), active = (what) => p.evaluate((w) => document.activeElement?.[w] ?? document.activeElement?.getAttribute(w), what)
    await settled(p)
    await p.keyboard.press('Tab')
    equal(await active('className'), 'skip', 'first stop')
    await p.keyboard.press('Enter')
    equal(await active('id'), 'content', 'content')
    await p.locator('header.top button.danger').focus()
    await p.keyboard.press('Enter')
    await p.locator('dialog').waitFor()
    equal(await active('name'), 'stop-word', 'the word is asked for')
    await p.keyboard.press('Escape')
    await until('the dialog to close', async () => (await p.locator('dialog').count()) === 0)
    equal(await active('className'), 'danger', 'focus is back')
    await p.context().close()
  })

  await test('UX-053 keyboard alone: a dispatch is previewed, ordered and cancelled', async () => {
    const p = await openPage(browser, base, { token, at: '/' }), press = (key) => p.keyboard.press(key)
    /** Goes on with Tab until what has the focus is wanted; what cannot be reached is said. */
    const tabTo = async (selector, words = '') => {
      for (let i = 0; i < 80; i++) {
        await press('Tab')
        if (await p.evaluate(([s, w]) => document.activeElement.matches(s) && document.activeElement.textContent.replace(/\s+/g, ' ').includes(w) && document.activeElement.matches(':focus-visible'), [selector, words])) return
      }
      throw new Error(`80 times Tab did not come to ${selector} ${words}`)
    }
    await settled(p)
    await tabTo('main a.button', 'New dispatch')
    await press('Enter')
    await p.locator('select[name="template"]').waitFor()
    await settled(p)
    await tabTo('select[name="template"]')
    await p.keyboard.type('the last')
    await until('the last order to be copied', async () => (await p.locator('select[name="template"]').inputValue()) === 'last')
    await tabTo('input[name="power"]')
    await press('Control+a')
    await p.keyboard.type('30')
    await tabTo('input[name="reason"]')
    await press('Control+a')
    await p.keyboard.type('by keyboard')
    await tabTo('main button', 'Preview')
    await press('Enter')
    await p.waitForSelector('[data-preview]')
    await tabTo('main button', 'Order 30 kW')
    await press('Enter')
    await p.waitForURL(/#\/dispatches\/[0-9a-f-]{36}/)
    await settled(p)
    const made = p.url().split('/').at(-1)
    equal([(await api.get(`/dispatches/${made}`)).reason, (await api.get(`/dispatches/${made}`)).power_kW], ['by keyboard', 30], 'what was ordered')
    await tabTo('.cancel > button')
    await press('Enter')
    await p.locator('dialog').waitFor()
    await tabTo('dialog button.danger')
    await press('Enter')
    await until('the order to be cancelled', async () => (await api.get(`/dispatches/${made}`)).state === 'cancelled')
    await p.context().close()
  })
}
