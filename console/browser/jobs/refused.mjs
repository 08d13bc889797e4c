import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { axeSource, equal, ok, visit } from '../harness.mjs'
import { deviceOf, run } from '../est.mjs'

/** A maker with a PKI of its own, and a device of it as good as any, but for who signed it. */
const wishes = `[req]
distinguished_name = nothing
[nothing]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[device]
keyUsage = critical,digitalSignature
certificatePolicies = critical,1.3.6.1.4.1.40732.1.1
subjectAltName = critical,otherName:1.3.6.1.5.5.7.8.4;SEQ:module
[module]
hwType = OID:1.3.6.1.4.1.99999.1
hwSerialNum = FORMAT:ASCII,OCT:FOREIGN-1
`

async function foreign(dir) {
  const at = (name) => join(dir, name), openssl = async (...args) => { const { code, err } = await run('openssl', args); if (code !== 0) throw new Error(`openssl ${args[0]}: ${err}`) }
  const key = (name) => ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', at(name)]
  writeFileSync(at('wishes.cnf'), wishes)
  await openssl(...key('ca.key'))
  await openssl('req', '-x509', '-new', '-sha256', '-key', at('ca.key'), '-subj', '/O=Foreign Works/CN=Foreign Root', '-days', '3650', '-config', at('wishes.cnf'), '-extensions', 'ca', '-out', at('ca.pem'))
  await openssl(...key('device.key'))
  await openssl('req', '-new', '-sha256', '-key', at('device.key'), '-subj', '/', '-config', at('wishes.cnf'), '-out', at('device.csr'))
  await openssl('x509', '-req', '-sha256', '-in', at('device.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-set_serial', '77', '-days', '365', '-extfile', at('wishes.cnf'), '-extensions', 'device', '-out', at('device.pem'))
  await openssl('req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', at('rsa.key'), '-subj', '/CN=wrong', '-config', at('wishes.cnf'), '-out', at('rsa.csr'))
  return Object.fromEntries(['ca.pem', 'device.pem', 'rsa.csr'].map((f) => [f, readFileSync(at(f), 'utf8')]))
}

/** Why was it refused: asked by pasting it, answered by the server's own rules. */
export default async function refused({ test, page, api, demo }) {
  const dir = mkdtempSync(join(tmpdir(), 'console-foreign-')), made = await foreign(dir)
  const ask = async (pem) => {
    await page.locator('textarea[name="pem"]').fill(pem)
    await page.locator('[data-explain]').getByRole('button', { name: 'Explain' }).click()
    await page.locator('[data-explain] [data-verdict]').waitFor()
    const box = page.locator('[data-explain] [data-verdict]')
    return { verdict: await box.getAttribute('data-verdict'), text: (await box.innerText()).replace(/\s+/g, ' '), failures: await box.locator('.failure').evaluateAll((all) => all.map((x) => [...x.querySelectorAll('dt')].map((dt) => [dt.textContent, dt.nextElementSibling.textContent]))) }
  }
  const wanted = (answer) => answer.failures.map((f) => [['What was found', f.sentence], ['What to do', f.remedy], ['Rule', f.rule], ['Clause', f.clause]])

  await test('SEP-211, UX-049 why a certificate is refused: one of a foreign maker; each broken rule as what was found, what to do, rule and clause, in the API’s words', async () => {
    await visit(page, '/vendors')
    await page.locator('[data-explain] > summary').press('Enter')
    for (const pem of [made['device.pem'] + made['ca.pem'], made['ca.pem']]) {
      const answer = await api.post('/certificates/explain', { certificate: pem }), seen = await ask(pem)
      ok(answer.failures.length > 0, 'the API refuses it')
      equal([seen.verdict, seen.failures], ['refused', wanted(answer)], 'the page says the same')
      ok(seen.text.includes(`This certificate is refused: ${answer.failures.length} rule`) && seen.text.includes(answer.lfdi) && seen.text.includes('Foreign Root'), seen.text)
    }
    await page.evaluate(axeSource)
    const bad = (await page.evaluate(() => window.axe.run('[data-explain]', { runOnly: ['wcag2a', 'wcag2aa', 'wcag22aa'] }))).violations.filter((v) => ['serious', 'critical'].includes(v.impact))
    equal(bad.map((v) => v.id), [], 'axe')
    const chain = (await ask(made['device.pem'])).text
    ok(/FOREIGN-1 \(1\.3\.6\.1\.4\.1\.99999\.1\)/.test(chain), `the device is named: ${chain}`)
  })

  await test('SEP-224 a certificate request is explained too: one with an RSA key', async () => {
    const answer = await api.post('/certificates/explain', { certificate: made['rsa.csr'] }), seen = await ask(made['rsa.csr'])
    equal([seen.verdict, seen.failures], ['refused', wanted(answer)], 'the page says what the API says')
    ok(seen.text.startsWith('✗ This request is refused') && seen.text.includes('RSA'), seen.text)
  })

  await test('SEP-211 a certificate that this server issued is accepted, and what is no certificate says so', async () => {
    const name = `own-${Date.now().toString(36)}`, pen = 50_000 + (Date.now() % 900_000_000)
    await api.post('/vendors', { name, pen })
    const { secret } = (await api.post(`/vendors/${name}/secrets`, { hwSerialNums: [name] })).items[0], device = deviceOf(demo, { serial: name, pen, secret })
    try {
      const got = await device.ask()
      equal(got.code, 0, `issued: ${got.err}`)
      const seen = await ask(readFileSync(join(device.out, 'device.pem'), 'utf8'))
      equal([seen.verdict, seen.failures], ['accepted', []], 'accepted')
      ok(seen.text.startsWith('✓ ') && seen.text.includes('it fulfils every rule of the profile') && seen.text.includes(JSON.parse(got.out).lfdi) && seen.text.includes(`${name} (1.3.6.1.4.1.${pen}.1)`) && seen.text.includes('does not expire'), seen.text)
    } finally {
      device.clean()
    }
    await page.locator('textarea[name="pem"]').fill('hello')
    equal(await page.locator('[data-explain] [data-verdict]').count(), 0, 'an old answer goes with what it was about')
    await page.locator('[data-explain]').getByRole('button', { name: 'Explain' }).click()
    await page.locator('[data-explain] [role="alert"]').waitFor()
    ok(/This was not done.*neither a PEM nor a DER certificate/.test(await page.locator('[data-explain] [role="alert"]').innerText()), 'a sentence')
    rmSync(dir, { recursive: true, force: true })
  })
}
