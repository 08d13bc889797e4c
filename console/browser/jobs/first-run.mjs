import { apiOf, equal, openPage, settled } from '../harness.mjs'
import { bareServer } from '../bare-server.mjs'

/** A server on which nothing is yet. */
export default async function firstRun({ test, browser }) {
  const { base, token, stop } = await bareServer({}), api = apiOf(base, token)
  await test('UX-050 where nothing is yet, Home says what comes first, and the first step makes a program', async () => {
    const p = await openPage(browser, base, { token, at: '/' }), steps = p.locator('[data-part="first-steps"] a')
    await settled(p)
    equal(await steps.allInnerTexts(), ['Create a program', 'Add devices', 'Enrol service points', 'Order a dispatch'], 'steps')
    await steps.first().click()
    await p.locator('input[name="name"]').fill('evening')
    await p.getByRole('button', { name: 'Create program' }).click()
    await p.waitForURL(/#\/programs\/[0-9a-f-]{36}/)
    equal((await api.get('/programs')).items.map((x) => x.name), ['evening'], 'programs')
    await p.context().close()
  })
  await stop()
}
