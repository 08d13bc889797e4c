import { equal, ok, openPage, settled, until } from '../harness.mjs'
import { behind, fleet } from '../fleet.mjs'
import { figure, moving, number, power, rows } from '../look.mjs'

const many = 2000, most = 10_000

/** A live event over two thousand devices, added beside the demo's: what is said elsewhere is on the page within two seconds. */
export default async function scale({ test, browser, base, token, api }) {
  const made = await fleet(api, many)

  await test('UX-046 live updates at 2,000 devices are at most 2 s behind (best of three orders)', async () => {
    const times = []
    for (let day = 1; day <= 3 && !times.some((x) => x <= 2000); day++) {
      const order = await made.order(day)
      equal(order.allocation.byResource.length, many, 'devices told')
      times.push(await behind({ openPage, browser, base, token, api, rows, settled }, order))
    }
    process.stdout.write(`  # at ${many} devices: ${times.join(', ')} ms behind\n`)
    ok(Math.min(...times) <= 2000, `${times} ms`)
  })

  await made.add(most)
  await test('UX-055 Home over 10,000 stored devices: its numbers within 1.5 s (best of five), and they are the API’s', async () => {
    const p = await openPage(browser, base, { token, at: '/settings' }), loads = []
    await until('all of them in the list', async () => (await api.get('/devices?limit=1')).total >= most)
    for (let i = 0; i < 5 && !loads.some((x) => x <= 1500); i++) {
      await settled(p)
      const begun = Date.now()
      await p.goto(`${base}/#/`)
      await p.reload()
      await p.waitForSelector('[data-figure="home.enrolled"]')
      loads.push(Date.now() - begun)
    }
    process.stdout.write(`  # numbers of Home over ${most} devices after ${loads.join(', ')} ms\n`)
    ok(Math.min(...loads) <= 1500, `${loads}`)
    await moving('enrolled', () => figure(p, 'home.enrolled'), async () => power((await api.get('/overview')).enrolled.kW))
    await p.context().close()
  })

  await test('UX-047, UX-055 10,000 stored devices are listed and on the map', async () => {
    const p = await openPage(browser, base, { token, at: '/devices?view=map' })
    const { total } = await api.get('/devices?limit=1')
    await until('every point on the map', async () => Number(await p.locator('canvas.map').getAttribute('data-points').catch(() => 0)) === total, { within: 90_000 })
    ok((await p.locator('[data-table="dev"] [role="status"]').innerText()).includes(number(total, 0)), 'their number')
    await p.context().close()
  })
  await made.close()
}
