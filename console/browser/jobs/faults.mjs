import { ok, visit } from '../harness.mjs'

const words = { optedOut: /opted out/, rejected: /refused/, noComms: /silent|not reached/, cancelled: /taken back/ }

/** "Why did it not respond?" names the cause: faults that the story planted, and more planted here. */
export default async function faults({ test, page, api, id }) {
  const said = async (device) => {
    await visit(page, `/devices/${device}`)
    return page.locator('.why p').first().innerText()
  }
  const stamp = Date.now(), point = async (name) => (await api.post('/service-points', { name })).id
  const resource = (name, bindings, servicePoint = name) => api.post('/resources', { name, servicePoint, kind: 'battery', rated_kW: 5, bindings })
  const enrol = async (servicePoint) => {
    const e = await api.post('/enrolments', { program: 'peak', servicePoint })
    for (const to of ['eligible', 'verified', 'active']) await api.post(`/enrolments/${e.id}/transitions`, { to })
  }
  const named = []
  const named_ = async (what, device, pattern) => {
    const text = await said(device)
    named.push({ what, right: pattern.test(text), text })
  }

  await test('UX-049 the cause of each fault of the story is named in a sentence', async () => {
    const all = (await api.get(`/dispatches/${id}/deliveries?limit=1000`)).items, found = all.filter((x) => words[x.state] && (x.state !== 'cancelled' || all.filter((y) => y.resource === x.resource).length === 1))
    ok(new Set(found.map((x) => x.state)).size >= 3, `${found.map((x) => x.state)}`)
    for (const x of found) await named_(`${x.resourceName} (${x.state})`, x.resource, words[x.state])
    ok(named.every((n) => n.right), JSON.stringify(named.filter((n) => !n.right)))
  })

  await test('UX-049 of ten planted faults at least eight are named, here all', async () => {
    const n = (what) => `fault-${what}-${stamp}`
    await point(n('unbound'))
    await named_('nothing bound to it', (await resource(n('unbound'), [])).id, /no protocol is bound/)
    await point(n('stranger'))
    await named_('not enrolled', (await resource(n('stranger'), [{ protocol: 'openadr', remoteId: n('stranger') }])).id, /not actively enrolled/)
    await point(n('unasked'))
    const unasked = await resource(n('unasked'), [{ protocol: 'openadr', remoteId: n('unasked') }])
    await enrol(n('unasked'))
    await named_('never asked', unasked.id, /no order has been sent/)
    await api.post('/opt-outs', { resource: unasked.id, from: (await api.get('/me')).now, to: new Date(Date.parse((await api.get('/me')).now) + 9e9).toISOString(), reason: 'on holiday' })
    await named_('its owner opted out', unasked.id, /owner opted out.*on holiday/)
    await api.post('/stations', { id: n('charger'), securityProfile: 1 })
    await point(n('charger'))
    await named_('a charger that never came', (await resource(n('charger'), [{ protocol: 'ocpp', remoteId: n('charger'), evseId: 1 }])).id, /has not connected once/)
    await point(n('stopped'))
    const stopped = await resource(n('stopped'), [{ protocol: 'openadr', remoteId: n('stopped') }])
    await enrol(n('stopped'))
    const stop = await api.post('/stop', { resource: stopped.id, reason: 'smoke seen' })
    await named_('stopped by a person', stopped.id, /stopped it.*smoke seen/)
    const active = (await api.get('/stop')).items.find((s) => s.active && s.subject === stopped.id)
    await api.post(`/stop/${active?.id ?? stop.id}/lift`)
    await point(n('late'))
    const late = await resource(n('late'), [{ protocol: 'openadr', remoteId: n('late') }])
    await enrol(n('late'))
    const last = await api.get(`/dispatches/${id}`), order = await api.post('/dispatches', { program: 'peak', power_kW: 2, start: new Date(Date.parse(last.start) + 9 * 86_400_000).toISOString(), duration: 'PT1H', scope: { resources: [late.id] } }, { 'idempotency-key': n('late') })
    await named_('its order waits', late.id, /waits to be sent|not answered yet|did respond|refused/)
    await api.post(`/dispatches/${order.id}/cancel`, {})
    await named_('its order was taken back', late.id, /taken back/)
    const wrong = named.filter((x) => !x.right)
    ok(named.length >= 10 && named.length - wrong.length >= Math.ceil(named.length * 0.8), JSON.stringify(wrong))
    for (const x of wrong) process.stdout.write(`  # not named: ${x.what}: ${x.text}\n`)
    for (const r of [unasked, stopped, late]) await api.call('PATCH', `/resources/${r.id}`, { state: 'retired', version: (await api.get(`/resources/${r.id}`)).version })
  })
}
