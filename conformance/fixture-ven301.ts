/** The smallest client of OpenADR 3.0.1: what the profile `ven` 3.0.1 is tried on. `node fixture-ven301.js URL CLIENT_ID SECRET`. */
const [url = '', id = '', secret = ''] = process.argv.slice(2)
let token = ''

async function ask(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${url}${path}`, { method, headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) }, ...(body ? { body: JSON.stringify(body) } : {}) })
  return { status: response.status, body: await response.json().catch(() => undefined) }
}

async function login(): Promise<void> {
  const response = await fetch(`${url}/auth/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'client_credentials', client_id: id, client_secret: secret }) })
  token = ((await response.json()) as { access_token: string }).access_token
}

async function registered(): Promise<void> {
  const own = (await ask('GET', '/vens')).body as { id: string }[] | undefined
  const ven = own?.[0]?.id ?? ((await ask('POST', '/vens', { venName: id })).body as { id?: string } | undefined)?.id ?? own?.[0]?.id
  if (ven) await ask('POST', `/vens/${ven}/resources`, { resourceName: 'meter' })
}

const pause = (ms: number): Promise<void> => new Promise((wake) => { setTimeout(wake, ms) })
await login()
await registered()
for (;;) {
  try {
    const { status, body } = await ask('GET', '/events')
    if (status === 403 || status === 401) await login()
    void body
  } catch { /* a VTN that is away is asked again */ }
  await pause(1500)
}
