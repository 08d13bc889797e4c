import { equal, ok, openPage, settled, until, visit } from '../harness.mjs'
import { deviceOf } from '../est.mjs'
import { downloaded, rows } from '../look.mjs'

const pen = () => 40_000 + (Date.now() % 900_000_000)

/** Adds a vendor on the page and makes secrets for these serial numbers; answers serial → secret. */
async function maker(page, api, { name, pen, approval, serials }) {
  await visit(page, '/vendors')
  await page.locator('input[name="vendor"]').fill(name)
  await page.locator('input[name="pen"]').fill(String(pen))
  await page.locator('select[name="approval"]').selectOption(approval)
  await page.locator('form[data-new-vendor]').getByRole('button', { name: 'Add vendor' }).click()
  await until('the vendor', async () => (await api.get('/vendors')).items.some((v) => v.name === name))
  await page.locator(`[data-table="ven"] tr[data-row="${name}"]`).waitFor()
  await page.locator('select[name="secret-vendor"]').selectOption(name)
  await page.locator('textarea[name="serials"]').fill(serials.join('\n'))
  await page.getByRole('button', { name: `Make ${serials.length} secret` }).click()
  await page.waitForSelector('.secret pre')
  return Object.fromEntries((await page.locator('.secret pre').innerText()).trim().split('\n').map((x) => x.split(',')))
}

/** A maker, its devices' requests, and what they were given. */
export default async function vendors({ test, page, api, demo, browser, base, token }) {
  const mark = Date.now().toString(36), hand = { name: `hand-${mark}`, pen: pen(), approval: 'manual', serials: [`H${mark}1`, `H${mark}2`] }, free = { name: `free-${mark}`, pen: pen() + 1, approval: 'automatic', serials: [`F${mark}1`, `F${mark}2`] }
  let secrets, good

  await test('SEP-226, SEC-024 vendors: an account as it was typed, a wrong fingerprint named beside its field, one-time secrets shown once and as a file, with their end', async () => {
    await visit(page, '/vendors')
    await page.locator('input[name="vendor"]').fill('nobody')
    await page.locator('input[name="pen"]').fill('1')
    await page.locator('textarea[name="fingerprints"]').fill('12:34')
    await page.locator('form[data-new-vendor]').getByRole('button', { name: 'Add vendor' }).click()
    await page.locator('form[data-new-vendor] label .wrong').waitFor()
    ok(/pattern/.test(await page.locator('label:has(textarea[name="fingerprints"]) .wrong').innerText()), 'the fingerprint')
    secrets = await maker(page, api, hand)
    const stored = (await api.get('/vendors')).items.find((v) => v.name === hand.name)
    equal([stored.pen, stored.approval, stored.policy, stored.fingerprints], [hand.pen, 'manual', 'factory', []], 'stored')
    equal((await rows(page, 'ven').filter({ hasText: hand.name }).innerText()).split('\t').map((x) => x.trim()), [hand.name, String(hand.pen), 'each by hand', 'in the factory', 'one-time secrets'], 'shown')
    equal(Object.keys(secrets), hand.serials, 'a secret for each')
    const { bytes } = await downloaded(page, () => page.getByRole('button', { name: 'Download as CSV' }).click())
    const lines = bytes.toString('utf8').split('\r\n').map((x) => x.split(','))
    equal(lines.slice(1).map(([serial, secret]) => [serial, secret]), Object.entries(secrets), 'the same in the file')
    // certificates are made in real time, also where a demo's program runs faster
    const hours = (Date.parse(lines[1][2]) - Date.now()) / 3_600_000
    ok(hours > 23 && hours <= 24, `they end in a day: ${hours} h`)
    await visit(page, '/audit')
    await visit(page, '/vendors')
    equal(await page.locator('.secret').count(), 0, 'not shown again')
  })

  await test('SEP-226 the approval queue: a request of a maker by hand waits; it is looked at and approved, and the device gets its certificate; another is rejected with a reason, and is told so', async () => {
    const [one, two] = hand.serials.map((serial) => deviceOf(demo, { serial, pen: hand.pen, secret: secrets[serial] }))
    const waits = (serial) => page.locator(`[data-waits="${hand.name}/${serial}"]`)
    try {
      for (const device of [one, two]) ok(/an operator has to approve this device first/.test((await device.ask()).err), 'the device is asked to wait')
      await visit(page, '/vendors')
      const asked = (await api.get('/enrolment-requests')).items.filter((r) => r.vendor === hand.name)
      equal(asked.map((r) => r.hwSerialNum).sort(), hand.serials, 'two wait')
      equal(await page.locator(`[data-waits^="${hand.name}/"]`).count(), 2, 'and both are on the page')
      ok((await waits(hand.serials[0]).innerText()).includes(`with the one-time secret for ${hand.serials[0]}`), 'it says how it asked')
      await waits(hand.serials[0]).getByRole('button', { name: 'What does it ask for?' }).click()
      await waits(hand.serials[0]).locator('[data-verdict="accepted"]').waitFor()
      ok((await waits(hand.serials[0]).innerText()).includes(`${hand.serials[0]} (1.3.6.1.4.1.${hand.pen}.1)`), 'its serial number and type')
      await waits(hand.serials[0]).getByRole('button', { name: 'Approve' }).click()
      await page.getByText(`${hand.serials[0]} approved`).waitFor()
      const got = await one.ask()
      equal(got.code, 0, `the device gets it: ${got.err}`)
      good = JSON.parse(got.out)
      await waits(hand.serials[1]).getByRole('button', { name: 'Reject' }).click()
      await page.locator('dialog input[name="reject-reason"]').fill('it is not ours')
      equal((await api.get('/enrolment-requests')).items.filter((r) => r.vendor === hand.name).length, 1, 'it asks first')
      await page.locator('dialog').getByRole('button', { name: 'Reject' }).click()
      await page.getByText(`${hand.serials[1]} rejected`).waitFor()
      equal((await api.get('/enrolment-requests')).items.filter((r) => r.vendor === hand.name), [], 'nothing of it waits')
      ok(/an operator rejected the request/.test((await two.ask()).err), 'the device is told')
    } finally {
      one.clean()
      two.clean()
    }
  })

  await test('UX-076 the expiry board: state, end and days left of every certificate are those of /certificates; revoked with a reason, a certificate says so', async () => {
    const devices = Object.entries(await maker(page, api, free)).map(([serial, secret]) => deviceOf(demo, { serial, pen: free.pen, secret }))
    try {
      for (const device of devices) equal((await device.ask()).code, 0, 'issued at once')
      await visit(page, '/programs')
      await visit(page, '/vendors?cert.n=1000')
      const shown = async () => Object.fromEntries(await rows(page, 'cert').evaluateAll((all) => all.map((r) => [r.dataset.row, ['device', 'vendor', 'state', 'until', 'days'].map((c) => r.querySelector(`[data-col="${c}"]`).innerText.trim())])))
      const word = { valid: '✓ valid', revoked: '✗ revoked', superseded: '! replaced', expired: '✗ expired' }
      const line = (c, now) => {
        const endless = c.notAfter.startsWith('9999-'), day = new Intl.DateTimeFormat('en-US', { timeZone: 'America/Denver', weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }).format(Date.parse(c.notAfter))
        return [c.hwSerialNum, c.vendor, word[c.state].replace(' ', ''), endless ? 'does not expire' : day, endless || c.state !== 'valid' ? '–' : String(Math.floor((Date.parse(c.notAfter) - now) / 86_400_000))]
      }
      const compare = async () => {
        const now = Date.parse((await api.get('/me')).now), all = (await api.get('/certificates?limit=1000')).items, found = await shown()
        ok(all.length >= 3, `there are some: ${all.length}`)
        // a demo's days are short: one may end between the page and here
        for (const c of all) {
          const seen = found[c.serial].map((x, i) => (i === 2 ? x.replace(/\s+/g, '') : x))
          if (JSON.stringify(seen) !== JSON.stringify(line(c, now - 3_600_000))) equal(seen, line(c, now), c.hwSerialNum)
        }
        equal(Object.keys(found).length, all.length, 'and no other')
        return all
      }
      const all = await compare(), mine = all.find((c) => c.hwSerialNum === free.serials[0])
      const row = page.locator(`[data-table="cert"] tr[data-row="${mine.serial}"]`)
      await row.getByRole('button', { name: 'Revoke certificate' }).click()
      await page.locator('dialog select[name="revoke-reason"]').selectOption('keyCompromise')
      await page.locator('dialog').getByRole('button', { name: 'Revoke certificate' }).click()
      await row.locator('[data-state="revoked"]').waitFor()
      const now = (await compare()).find((c) => c.serial === mine.serial)
      equal([now.state, now.reason], ['revoked', 'keyCompromise'], 'stored')
      ok((await row.innerText()).includes('its key may be known to others'), 'with its reason in words')
      const n = (state) => all.filter((c) => c.state === state).length, soon = all.filter((c) => c.state === 'valid' && c.serial !== mine.serial && Date.parse(c.notAfter) - Date.now() < 31 * 86_400_000).length
      ok((await page.locator('[data-cert-sum]').innerText()).startsWith(`${n('valid') - 1} valid, ${soon} of them for 30 days or less; ${n('expired')} expired, ${n('revoked') + 1} revoked, ${n('superseded')} replaced.`), await page.locator('[data-cert-sum]').innerText())
    } finally {
      for (const d of devices) d.clean()
    }
  })

  await test('UX-076 the expiry board where certificates end: the next to end is on top, what ends within 30 days is marked, what has ended has no days left', async () => {
    const all = (await api.get('/certificates?limit=1000')).items.filter((c) => c.state === 'valid').slice(0, 2), now = Date.parse((await api.get('/me')).now), day = 86_400_000
    // ours have no end: the same answer with ends
    const ends = [['valid', 31.5], ['valid', 29.5], ['expired', -2.5]].map(([state, days], i) => ({ ...all[0], id: `E${i}`, serial: `E${i}`, hwSerialNum: `ends-${i}`, state, notAfter: new Date(now + days * day).toISOString() }))
    await page.route('**/api/v1/certificates?*', (route) => route.fulfill({ json: { items: [...all, ...ends], next: null } }))
    await visit(page, '/programs')
    await visit(page, '/vendors')
    const seen = await rows(page, 'cert').evaluateAll((r) => r.map((x) => [x.dataset.row, x.querySelector('[data-col="days"]').innerText.replace(/\s+/g, ' ').trim()]))
    equal(seen.slice(0, 3), [['E2', '–'], ['E1', 'expires soon 29'], ['E0', '31']], 'in order')
    ok((await page.locator('[data-cert-sum]').innerText()).startsWith(`${all.length + 2} valid, 1 of them for 30 days or less; 1 expired`), 'counted')
    await page.unroute('**/api/v1/certificates?*')
  })

  await test('UX-053 390 px: the vendors’ page with rows in it does not scroll sideways, and each part can be reached by keyboard', async () => {
    const p = await openPage(browser, base, { token, at: '/vendors', width: 390, scheme: 'dark' })
    await settled(p)
    ok(good.lfdi.length === 40 && (await rows(p, 'cert').count()) > 0, 'there are rows')
    equal(await p.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, 'no wider than the phone')
    const stops = new Set()
    for (let i = 0; i < 120; i++) {
      await p.keyboard.press('Tab')
      stops.add(await p.evaluate(() => document.activeElement.getAttribute('name') ?? document.activeElement.textContent.trim().slice(0, 40)))
    }
    for (const stop of ['Revoke certificate', 'Why was a certificate refused?', 'vendor', 'pen', 'approval', 'policy', 'fingerprints', 'secret-vendor', 'serials', 'hours']) ok(stops.has(stop), `Tab comes to ${stop}`)
    await p.context().close()
  })
}
