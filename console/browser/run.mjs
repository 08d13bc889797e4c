// The operator's jobs, played in a real browser on the running demo; every number that a page shows is compared with the API.
import { apiOf, equal, misdeeds, openBrowser, openPage, startDemo, tests } from './harness.mjs'

const { test, skip, sum } = tests()
for (const what of ['uncaughtException', 'unhandledRejection']) process.on(what, (error) => { process.stdout.write(`not ok - the run itself: ${error?.stack ?? error}\n`); sum(); process.exit(1) })
const chrome = await openBrowser()
if (!chrome) { skip('browser tests', 'no Chromium on this machine'); process.exit(sum()) }
const demo = await startDemo(Number(process.env.CONSOLE_DEVICES ?? 24)), { base, token } = demo, { browser } = chrome

/** What all jobs share; the first adds `id`, the story's event, and the second `devices`. */
const world = { test, browser, demo, base, token, api: apiOf(base, token), page: await openPage(browser, base, { token, at: '/live' }) }
const jobs = ['watch', 'phone', 'devices', 'faults', 'map', 'lists', 'order', 'stop', 'enrol', 'bulk', 'kpis', 'verify', 'money', 'print', 'numbers', 'vendors', 'refused', 'audit', 'webhooks', 'conformance', 'people', 'passkey', 'accounts', 'roles', 'entrance', 'safety', 'speed', 'everyone', 'keyboard', 'first-run', 'words', 'scale', 'gone']
const only = process.env.CONSOLE_ONLY?.split(',') ?? jobs
for (const name of jobs) if (name === 'watch' || name === 'devices' || only.includes(name)) await (await import(`./jobs/${name}.mjs`)).default(world)

await test('UX-053, SEC-066 no external request, no CSP violation, no error in any page of this run', async () => equal([...new Set(misdeeds)].slice(0, 10), [], 'misdeeds'))

await chrome.close()
await demo.stop()
demo.clean?.()
process.exit(sum())
