import { ok, until, visit } from '../harness.mjs'
import { rows } from '../look.mjs'

/** An authenticator that the browser itself pretends to have. */
export default async function passkey({ test, page, api, person }) {
  if (!person) return
  const p = person.page, devtools = await p.context().newCDPSession(p)
  await devtools.send('WebAuthn.enable')
  await devtools.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } })

  await test('UX-052 a person adds a passkey, signs out, and comes back with it alone', async () => {
    await visit(p, '/settings')
    await p.locator('input[name="passkey"]').fill('test machine')
    await p.getByRole('button', { name: 'Add passkey' }).click()
    await until('the passkey', async () => (await p.locator('main').innerText()).includes('test machine'))
    await p.getByRole('button', { name: 'Sign out' }).click()
    await p.waitForSelector('main.login')
    await p.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await p.waitForSelector('footer')
    ok((await p.locator('footer').innerText()).includes(`${person.name}, operator`), 'signed in')
    ok((await api.get('/users')).items.find((u) => u.name === person.name).passkeys === 1, 'one passkey')
  })

  await test('UX-052 an administrator ends that session: its page is back at signing in', async () => {
    await visit(page, '/settings')
    const mine = rows(page, 'ses').filter({ hasText: person.name })
    await until('the session', async () => (await mine.count()) >= 1)
    await mine.first().getByRole('button', { name: 'End session' }).click()
    await p.waitForSelector('main.login')
    await p.context().close()
  })
}
