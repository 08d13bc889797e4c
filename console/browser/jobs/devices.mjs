import { equal, ok, settled, until, visit } from '../harness.mjs'
import { address, downloaded, exported, moving, rows } from '../look.mjs'

/** One list over three protocols, and the page of one device. */
export default async function devices(w) {
  const { test, page, api } = w
  w.devices = (await api.get('/devices?limit=1000')).items
  w.named = (name) => w.devices.find((d) => d.name === name)
  const { named } = w
  let charger

  for (const [name, protocol] of [['charger-001', 'OCPP'], ['site-001', 'OpenADR'], ['home-001', 'IEEE 2030.5']]) {
    await test(`UX-049 last words both ways over ${protocol}: raw, filtered, downloadable, as the API has them`, async () => {
      const { id, remoteId } = named(name), ask = async () => (name.startsWith('charger') ? (await api.get(`/stations/${remoteId}`)).frames : (await api.get(`/devices/${id}/words`)).items)
      await visit(page, `/devices/${id}`)
      await moving('frames', () => page.locator('[data-frames]').getAttribute('data-frames'), async () => String((await ask()).length))
      const frames = await ask()
      ok(frames.some((f) => f.direction === 'in') && frames.some((f) => f.direction === 'out'), 'both directions')
      await page.locator('input[name="frames"]').fill('no frame contains this')
      await until('none to be left', async () => (await page.locator('.frames details').count()) === 0)
      await page.locator('input[name="frames"]').fill('')
      const { bytes } = await downloaded(page, () => page.locator('[data-frames]').getByRole('button', { name: 'Download' }).click())
      ok(bytes.toString('utf8').split('\n').every((line) => ['in', 'out'].includes(JSON.parse(line).direction)), 'one frame a line')
    })
  }

  await test('UX-049 an answer of OCPP says what it answers', async () => {
    const { id, remoteId } = named('charger-001'), frames = (await api.get(`/stations/${remoteId}`)).frames.map((f) => JSON.parse(f.text)), asked = frames.find((f) => f[0] === 2 && frames.some((a) => a[0] === 3 && a[1] === f[1]))
    await visit(page, `/devices/${id}`)
    ok((await page.locator('.frames').innerText()).includes(`answer to ${asked[2]}`), `answer to ${asked[2]}`)
  })

  await test('UX-049 identity: the certificate with its days, the programs by name, as the API has them', async () => {
    const { id, remoteId } = named('home-001'), certificate = await api.get(`/certificates/${remoteId}`), text = async () => (await page.locator('main').innerText()).replace(/\s+/g, ' ')
    await visit(page, `/devices/${id}`)
    const day = (iso) => new Intl.DateTimeFormat('en', { timeZone: 'America/Denver', weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }).format(new Date(iso))
    equal([certificate.state, certificate.hwSerialNum], ['valid', 'home-001'], 'what the API says')
    for (const part of [`From ${day(certificate.notBefore)}`, `To ${day(certificate.notAfter)}`, `Vendor ${certificate.vendor}`, `Serial number ${certificate.serial}`, remoteId]) ok((await text()).includes(part), `${part} in ${(await text()).slice(0, 900)}`)
    equal(await page.locator('a[href^="#/programs/"]').allInnerTexts(), ['peak'], 'enrolled in')
    await visit(page, `/devices/${named('charger-001').id}`)
    ok((await text()).includes('password over TLS (profile 2)'), 'how a charger comes in')
  })

  await test('UX-077 one search finds a device of any protocol with its orders and frames', async () => {
    const { id, remoteId } = named('home-001')
    await visit(page, '/find')
    await page.locator('input[name="find"]').fill(remoteId)
    await page.getByRole('button', { name: 'Find', exact: true }).click()
    await address(page, 'q=')
    await rows(page, 'fd').first().waitFor()
    const found = await api.get(`/find?q=${remoteId}`)
    equal(await rows(page, 'fd').evaluateAll((trs) => trs.map((r) => r.dataset.row)), found.devices.map((d) => d.id), 'devices')
    equal(await rows(page, 'fo').count(), found.orders.length, 'orders')
    await moving('frames', () => page.locator('[data-frames]').getAttribute('data-frames'), async () => String((await api.get(`/devices/${id}/words`)).items.length))
    await visit(page, `/devices/${id}`)
  })

  await test('UX-049 readings of a device stand under its orders, and a note stays with it', async () => {
    await page.waitForSelector('.chart canvas')
    await page.locator('textarea[name="note"]').fill('call the owner first')
    await page.getByRole('button', { name: 'Write note' }).click()
    await until('the note', async () => (await api.get(`/devices/${named('home-001').id}/notes`)).items[0]?.text === 'call the owner first')
    await until('it on the page', async () => (await page.locator('main').innerText()).includes('call the owner first'))
  })

  await test('UX-050 devices: one list over three protocols; filter, sort and search live in the URL; export of what is shown', async () => {
    await visit(page, '/devices')
    equal(await rows(page, 'dev').count(), w.devices.length, 'rows')
    await page.locator('[data-table="dev"] .tools select').first().selectOption('ocpp')
    await address(page, 'dev.protocol=ocpp')
    const ocpp = w.devices.filter((d) => d.protocol === 'ocpp')
    equal(await rows(page, 'dev').count(), ocpp.length, 'filtered')
    await page.getByRole('button', { name: /Rated/ }).click()
    await address(page, 'dev.sort=')
    const csv = await exported(page, 'dev')
    equal(csv.slice(1).map((line) => line.split(',')[0]).sort(), ocpp.map((d) => d.name).sort(), 'exported rows')
    await page.reload()
    await settled(page)
    equal(await rows(page, 'dev').count(), ocpp.length, 'the filter survives a reload')
  })

  await test('UX-005 a new charger: URL, id and password to type in, and the page says when it is here', async () => {
    const name = `new-${Date.now()}`
    await visit(page, '/devices/new-charger')
    await page.locator('input[name="station"]').fill(name)
    await page.locator('select').selectOption('1')
    await page.getByRole('button', { name: 'Add charger' }).click()
    await page.waitForSelector('.secret pre')
    const text = await page.locator('[data-charger]').innerText(), password = (await page.locator('.secret pre').innerText()).trim(), url = /wss?:\/\/\S+/.exec(text)[0]
    ok(text.includes(name) && password.length >= 16, text)
    const { WebSocket } = await import('ws'), socket = new WebSocket(url, 'ocpp2.0.1', { headers: { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` } })
    await new Promise((done, no) => { socket.once('open', done); socket.once('error', no) })
    socket.send(JSON.stringify([2, '1', 'BootNotification', { reason: 'PowerUp', chargingStation: { model: 'm', vendorName: 'v' } }]))
    await page.locator('[data-charger] [data-state="online"]').waitFor()
    await until('it in the list', async () => (await api.get('/devices?limit=1000')).items.some((d) => d.name === name))
    w.devices = (await api.get('/devices?limit=1000')).items
    charger = { name, socket }
  })

  await test('UX-077 every frame of one device is captured while somebody looks, and forgotten after', async () => {
    const { id } = named(charger.name), kept = async () => (await api.get(`/devices/${id}/capture`)).items, captured = async () => Number(await page.locator('[data-capture]').getAttribute('data-capture'))
    const beat = (n) => charger.socket.send(JSON.stringify([2, `beat-${n}`, 'Heartbeat', {}]))
    await visit(page, `/devices/${id}`)
    beat(0)
    await page.getByRole('button', { name: 'Begin capture' }).click()
    await page.locator('[data-capture]').waitFor()
    beat(1)
    await until('the heartbeat and its answer', async () => (await kept()).filter((f) => f.text.includes('beat-1')).length === 2)
    await until('them on the page', async () => await captured() === (await kept()).length)
    const { bytes } = await downloaded(page, () => page.locator('[data-capture]').getByRole('button', { name: 'Download' }).click())
    const lines = bytes.toString('utf8').trim().split('\n').map((line) => JSON.parse(line)).filter((f) => f.text.includes('beat-'))
    equal(lines.map((f) => [f.direction, f.text.includes('beat-1')]), [['in', true], ['out', true]], 'what was said since, both ways')
    await page.getByRole('button', { name: 'End and forget' }).click()
    await page.getByRole('button', { name: 'Begin capture' }).waitFor()
    charger.socket.close()
  })
}
