import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { isRefusal } from '#core/error.js'
import { packageRoot } from '#core/package-root.js'
import { vtnEnvironment, vtnSettings } from '#vtn/environment.js'
import { base, testVtn } from '#vtn/test-vtn.js'

/** Every switch that openadr3.md asks for can be thrown by who runs a server, and wrong ones are refused before it starts. */
t.test('OA-027 OA-035 OA-087 OA-093 OA-121 OA-129 without a word everything is as the standard has it', (t) => {
  t.same(vtnEnvironment({ LOADSTONE_VTN_PAYLOADS: '' }), {
    ratePerMinute: 600, publicReads: false, discovery: false, auth: { invalidTokenStatus31: 401, invalidTokenStatus301: 403 }, reports: { blDelete: true }, refs: {}, delete: { policy: 'cascade' },
    compat301: { openReads: false }, validation: { payloads: 'warn', lenientDescriptors: false, lenientNulls: false, gridAwareCharging: false },
    webhooks: { echo: 'required', allowHttp: false, notifyReads: false, attempts: 8, retryFor_h: 0 }, mqtt: { publicTopics: false },
  })
  t.end()
})

t.test('OA-004 OA-022 OA-029 OA-091 OA-128 OA-135 OA-137 OA-248 OA-261 what is said arrives', (t) => {
  t.match(vtnEnvironment({
    LOADSTONE_VTN_BASE_PATH: '/', LOADSTONE_VTN_BASE_PATH_301: '/old/', LOADSTONE_VTN_PUBLIC_URL: 'https://vtn.example/', LOADSTONE_VTN_REFS_UNKNOWN_STATUS: '400', LOADSTONE_VTN_DELETE_POLICY: 'restrict',
    LOADSTONE_VTN_IDP_TOKEN_URL: 'https://idp.example/token', LOADSTONE_VTN_IDP_JWKS_URL: 'https://idp.example/keys?p=1', LOADSTONE_VTN_IDP_CLIENT_ID: 'client_id, azp', LOADSTONE_VTN_301_OPEN_READS: 'on',
    LOADSTONE_VTN_WEBHOOK_ALLOW: '10.0.0.0/8, hook.internal', LOADSTONE_VTN_MQTT_URIS: 'mqtts://mqtt.example:8883,wss://mqtt.example', LOADSTONE_VTN_MQTT_PREFIX: 'adr/', LOADSTONE_VTN_MQTT_ANONYMOUS: 'on',
  }), {
    basePath31: '', basePath301: '/old', publicUrl: 'https://vtn.example', refs: { unknownStatus: 400 }, delete: { policy: 'restrict' }, compat301: { openReads: true },
    auth: { externalIdp: { tokenURL: 'https://idp.example/token', jwksUrl: 'https://idp.example/keys?p=1', clientIdClaims: ['client_id', 'azp'] } }, webhooks: { allow: ['10.0.0.0/8', 'hook.internal'] },
    mqtt: { uris: ['mqtts://mqtt.example:8883', 'wss://mqtt.example'], prefix: 'adr/', authentication: 'ANONYMOUS' },
  })
  t.end()
})

t.test('UX-017 UX-013 what cannot be read is refused, all of it at once, by name', (t) => {
  const faults = (environment: Record<string, string>): string[] => {
    try { vtnEnvironment(environment); return [] } catch (error) { return isRefusal(error) ? (error.faults ?? []).map((f) => f.path) : [String(error)] }
  }
  const wrong = {
    LOADSTONE_VTN_PAYLOADS: 'lax', LOADSTONE_VTN_PUBLIC_READS: 'perhaps', LOADSTONE_VTN_BASE_PATH: 'openadr', LOADSTONE_VTN_INVALID_TOKEN_STATUS: '404', LOADSTONE_VTN_WEBHOOK_ATTEMPTS: 'many',
    LOADSTONE_VTN_IDP_TOKEN_URL: 'http://idp.example/token', LOADSTONE_VTN_MQTT_URIS: 'https://mqtt.example', LOADSTONE_VTN_IDP_CLIENT_ID: 'sub',
  }
  t.same(faults(wrong).sort(), Object.keys(wrong).sort())
  t.same(faults({ LOADSTONE_VTN_IDP_ISSUER: 'https://idp.example' }), ['LOADSTONE_VTN_IDP_TOKEN_URL'], 'an issuer without keys would let nobody in')
  t.same(faults({ LOADSTONE_VTN_IDP_TOKEN_URL: 'https://idp.example/token' }), ['LOADSTONE_VTN_IDP_JWKS_URL'])
  t.same(faults({ LOADSTONE_VTN_IDP_TOKEN_URL: 'https://idp.example/token', LOADSTONE_VTN_IDP_HS256_SECRET: 'short' }), ['LOADSTONE_VTN_IDP_HS256_SECRET'])
  t.end()
})

t.test('UX-002 each switch stands in the page of business logic developers, and no other', (t) => {
  const page = readFileSync(join(packageRoot(), 'docs/openadr-bl-developer.md'), 'utf8')
  t.same([...page.matchAll(/^\| `(LOADSTONE_VTN_\w+)` \|/gm)].map(([, name]) => name).sort(), Object.values(vtnSettings).map((s) => s.variable).sort())
  t.end()
})

t.test('OA-004 OA-021 OA-027 OA-135 at the door: paths, addresses and refusals of this deployment', async (t) => {
  const mqtt = { uris: ['mqtts://{host}:8883'] }, plain = await testVtn({ mqtt })
  t.teardown(() => plain.close())
  const uris = async (v: typeof plain, host: string): Promise<string[]> => (await v.call('GET', '/notifiers', 'ven_client', undefined, { host })).json().MQTT.URIS
  t.same(await uris(plain, 'vtn.example:8081'), ['mqtts://vtn.example:8883'], 'the broker is where the client found us')
  t.same(await uris(plain, '[2001:db8::1]:8081'), ['mqtts://[2001:db8::1]:8883'])
  const own = await testVtn({ ...vtnEnvironment({ LOADSTONE_VTN_BASE_PATH: '/', LOADSTONE_VTN_PUBLIC_URL: 'https://adr.example:4443', LOADSTONE_VTN_INVALID_TOKEN_STATUS: '403' }), mqtt })
  t.teardown(() => own.close())
  t.same(await uris(own, 'inside'), ['mqtts://adr.example:8883'])
  const get = (url: string, headers = {}) => own.app.inject({ method: 'GET', url, headers })
  t.equal((await get('/auth/server')).json().tokenURL, 'https://adr.example:4443/auth/token')
  t.equal((await get(`${base}/auth/server`)).json().tokenURL, `https://adr.example:4443${base}/auth/token`, 'the usual path stays')
  t.equal((await get('/programs', { authorization: 'Bearer nothing' })).statusCode, 403)
  t.equal((await get('/programs', { authorization: `Bearer ${await own.token()}` })).statusCode, 200)
  t.match((await get('/openapi.json')).json().paths, { '/programs/{programID}': Object })
})
