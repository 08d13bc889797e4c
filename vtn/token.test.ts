import { SignJWT, exportJWK, generateKeyPair, UnsecuredJWT } from 'jose'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { base, testVtn } from '#vtn/test-vtn.js'
import { scryptHash } from '#vtn/secret.js'

const v = await testVtn()
t.teardown(() => v.close())

const form = (fields: Record<string, string> | string, headers: Record<string, string> = {}, url = `${base}/auth/token`) => v.app.inject({
  method: 'POST', url, headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, payload: typeof fields === 'string' ? fields : new URLSearchParams(fields).toString(),
})
const good = { grant_type: 'client_credentials', client_id: 'ven_client', client_secret: '999' }

t.test('OA-021 OA-022 OA-024 where tokens come from, and what one looks like', async (t) => {
  const where = await v.call('GET', '/auth/server', null)
  t.equal(where.statusCode, 200)
  t.match(where.json().tokenURL, /^http:\/\/.*\/openadr3\/3\.1\.1\/auth\/token$/)
  const answer = await form(good)
  t.equal(answer.statusCode, 200)
  t.match(answer.json(), { access_token: String, token_type: 'Bearer', expires_in: 3600, scope: 'read_targets read_ven_objects write_reports write_subscriptions write_vens' })
  t.equal(answer.json().refresh_token, undefined)
  t.equal(answer.headers['cache-control'], 'no-store')
  t.equal(answer.headers['content-encoding'], undefined)
})

t.test('OA-023 OA-025 OA-026 SEC-012 token refusals, RFC 6749 codes and Problem in one body', async (t) => {
  const basic = (id: string, secret: string) => ({ authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` })
  const table: [string, Parameters<typeof form>, number, string][] = [
    ['no grant', [{ client_id: 'a', client_secret: 'b' }], 400, 'invalid_request'],
    ['other grant', [{ ...good, grant_type: 'password' }], 400, 'unsupported_grant_type'],
    ['no client', [{ grant_type: 'client_credentials' }], 400, 'invalid_request'],
    ['wrong secret', [{ ...good, client_secret: 'no' }], 401, 'invalid_client'],
    ['unknown client', [{ ...good, client_id: 'no' }], 401, 'invalid_client'],
    ['prototype', [{ ...good, client_id: '__proto__' }], 401, 'invalid_client'],
    ['scope not granted', [{ ...good, scope: 'read_targets write_events' }], 400, 'invalid_scope'],
    ['unknown scope', [{ ...good, scope: 'everything' }], 400, 'invalid_scope'],
    ['twice', ['grant_type=client_credentials&client_id=ven_client&client_id=x&client_secret=999'], 400, 'invalid_request'],
    ['Basic and form', [good, basic('ven_client', '999')], 400, 'invalid_request'],
    ['in the address', [good, {}, `${base}/auth/token?client_secret=999`], 400, 'invalid_request'],
    ['empty', [''], 400, 'invalid_request'],
  ]
  for (const [what, args, status, error] of table) {
    const answer = await form(...args)
    t.equal(answer.statusCode, status, what)
    t.match(answer.json(), { error, error_description: String, status, title: String }, what)
  }
  t.equal((await form({ grant_type: 'client_credentials' }, basic('ven_client', '999'))).statusCode, 200, 'Basic alone')
  t.equal((await form({ ...good, scope: 'read_targets' })).json().scope, 'read_targets', 'fewer scopes')
  t.equal((await v.app.inject({ method: 'POST', url: `${base}/auth/token`, headers: { 'content-type': 'application/json' }, payload: JSON.stringify(good) })).statusCode, 415)
})

t.test('OA-028 a narrowed token has only its scopes', async (t) => {
  const token = (await form({ ...good, scope: 'read_ven_objects' })).json().access_token
  const get = (path: string) => v.app.inject({ url: base + path, headers: { authorization: `Bearer ${token}` } })
  t.equal((await get('/vens')).statusCode, 200)
  t.match((await get('/programs')).json(), { status: 403 })
})

t.test('OA-027 missing, malformed, foreign and expired tokens are 401 with a challenge; 403 on 3.0.1', async (t) => {
  for (const authorization of [undefined, 'Bearer x', 'Bearer', 'Basic abc', 'Bearer a.b.c', `Bearer ${'x'.repeat(9000)}`, 'bearer  ']) {
    const answer = await v.app.inject({ url: `${base}/programs`, headers: authorization === undefined ? {} : { authorization } })
    t.equal(answer.statusCode, 401, authorization?.slice(0, 20) ?? 'none')
    t.match(answer.headers['www-authenticate'], /^Bearer realm="loadstone", error="invalid_token"/)
    t.equal(answer.json().status, 401)
    t.equal((await v.app.inject({ url: '/openadr3/3.0.1/programs', headers: authorization === undefined ? {} : { authorization } })).statusCode, 403)
  }
  const token = await v.token('ven_client')
  const get = () => v.app.inject({ url: `${base}/programs`, headers: { authorization: `Bearer ${token}` } })
  t.equal((await get()).statusCode, 200)
  await v.clock.advance(86_400_000 * 40)
  t.equal((await get()).statusCode, 200, 'the story clock does not age tokens')
  await v.tokenClock.advance(3_599_000)
  t.equal((await get()).statusCode, 200)
  await v.tokenClock.advance(2000)
  t.equal((await get()).statusCode, 401, 'machine time does')
})

t.test('SEC-010 removal, rotation and restart', async (t) => {
  const [made] = await v.vtn.clients.add([{ clientID: 'site-9', role: 'VEN' }])
  const token = async (secret: string) => (await form({ ...good, client_id: 'site-9', client_secret: secret })).json().access_token
  const first = await token(made?.clientSecret ?? '')
  const status = async (bearer: string) => (await v.app.inject({ url: `${base}/programs`, headers: { authorization: `Bearer ${bearer}` } })).statusCode
  t.equal(await status(first), 200)
  const rotated = await v.vtn.clients.rotate('site-9')
  t.equal(await status(first), 401, 'a token does not outlive its secret')
  const second = await token(rotated.clientSecret)
  t.equal(await status(second), 200)
  const { buildVtn } = await import('#vtn/server.js')
  const other = await (await buildVtn(v.needs)).door()
  t.equal((await other.inject({ url: `${base}/programs`, headers: { authorization: `Bearer ${second}` } })).statusCode, 200, 'another process knows the key')
  await other.close()
  t.equal(await v.vtn.clients.remove('site-9'), true)
  t.equal(await status(second), 401)
  t.rejects(v.vtn.clients.add([{ clientID: 'bl_client', role: 'BL' }]))
})

t.test('OA-026 secrets that people chose are scrypt hashes', async (t) => {
  const chosen = await testVtn({ clients: [{ clientID: 'bl_client', clientSecret: scryptHash('1001', '00'.repeat(16)), role: 'BL' }] })
  t.teardown(() => chosen.close())
  t.type(await chosen.token('bl_client', '1001'), 'string')
  t.equal(await chosen.token('bl_client', '1002'), undefined)
})

t.test('SEC-009 tricks with our own tokens', async (t) => {
  const token = await v.token('ven_client')
  const [h, p, s] = token.split('.') as [string, string, string]
  const part = (o: object) => Buffer.from(JSON.stringify(o)).toString('base64url')
  const header = JSON.parse(Buffer.from(h, 'base64url').toString()), payload = JSON.parse(Buffer.from(p, 'base64url').toString())
  const forged = await new SignJWT({ ...payload, scope: 'read_all' }).setProtectedHeader(header).sign(Buffer.alloc(32, 1))
  const table: [string, string][] = [
    ['none', new UnsecuredJWT(payload).encode()], ['nOnE', `${part({ ...header, alg: 'nOnE' })}.${p}.`], ['changed payload', `${h}.${part({ ...payload, scope: 'read_all' })}.${s}`],
    ['other key', forged], ['kid path', `${part({ ...header, kid: '../../dev/null' })}.${p}.${s}`], ['jwk', `${part({ ...header, jwk: { kty: 'oct', k: '' } })}.${p}.${s}`],
    ['crit', `${part({ ...header, crit: ['x'], x: 1 })}.${p}.${s}`], ['no signature', `${h}.${p}.`],
  ]
  for (const [what, bad] of table) t.equal((await v.app.inject({ url: `${base}/programs`, headers: { authorization: `Bearer ${bad}` } })).statusCode, 401, what)
})

t.test('OA-022 OA-029 OA-032 SEC-009 tokens of an external provider by JWKS', async (t) => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true }), stranger = await generateKeyPair('ES256')
  const jwk = { ...await exportJWK(publicKey), kid: 'k1', alg: 'ES256', use: 'sig' }
  const idp = { tokenURL: 'https://idp.example/token', jwks: { keys: [jwk] }, issuer: 'https://idp.example', audience: 'vtn', clientIdClaims: ['azp'] as const }
  const e = await testVtn({ auth: { externalIdp: idp } })
  t.teardown(() => e.close())
  const now = Math.floor(e.tokenClock.nowMs() / 1000)
  const sign = (claims: object, header: object = {}, key = privateKey) => new SignJWT({ iss: idp.issuer, aud: 'vtn', sub: 'subject', azp: 'site-1', iat: now, exp: now + 60, scope: 'read_targets read_ven_objects write_vens', ...claims }).setProtectedHeader({ alg: 'ES256', kid: 'k1', ...header }).sign(key)
  const get = (token: string, path = '/programs', method: 'GET' | 'POST' = 'GET', body?: object) => e.app.inject({ method, url: base + path, headers: { authorization: `Bearer ${token}` }, ...(body ? { payload: body } : {}) })
  t.equal((await get(await sign({}))).statusCode, 200)
  t.equal((await get(await sign({}), '/vens', 'POST', { objectType: 'VEN_VEN_REQUEST', venName: 'v' })).json().clientID, 'site-1')
  t.equal((await get(await sign({ scope: undefined, roles: ['read_all', 'write_programs', 'unknown'], azp: 'bl' }), '/programs', 'POST', { programName: 'p' })).statusCode, 201, 'roles make business logic')
  t.equal((await get(await sign({ scope: ['write_vens_bl', 'read_all'], azp: 'bl' }), '/vens', 'POST', { objectType: 'BL_VEN_REQUEST', venName: 'w', clientID: 'c' })).statusCode, 201, 'openleadr-rs names')
  const hs = await new SignJWT({ sub: 'x', exp: now + 60, iss: idp.issuer, aud: 'vtn' }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(JSON.stringify(jwk)))
  const bad: [string, string][] = [
    ['wrong issuer', await sign({ iss: 'x' })], ['wrong audience', await sign({ aud: 'x' })], ['no exp', await sign({ exp: undefined })], ['expired', await sign({ exp: now - 10 })], ['nbf ahead', await sign({ nbf: now + 600 })],
    ['stranger', await sign({}, {}, stranger.privateKey)], ['HS256 with the public key', hs], ['id token', await sign({}, { typ: 'logout+jwt' })], ['unknown kid', await sign({}, { kid: "' or 1=1" })], ['long subject', await sign({ azp: 'x'.repeat(129) })],
  ]
  for (const [what, token] of bad) t.equal((await get(token)).statusCode, 401, what)
  const token = await e.app.inject({ method: 'POST', url: `${base}/auth/token`, headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: 'grant_type=client_credentials' })
  t.match(token.json(), { status: 501, detail: /auth\/server/ })
  t.equal((await e.app.inject({ url: `${base}/auth/server` })).json().tokenURL, idp.tokenURL)
})

t.test('OA-030 OA-261 public reads: what a VEN without ven object sees; writes need a token', async (t) => {
  const p = await testVtn({ publicReads: true })
  t.teardown(() => p.close())
  await p.call('POST', '/programs', 'bl_client', { programName: 'open' })
  await p.call('POST', '/programs', 'bl_client', { programName: 'closed', targets: ['x'] })
  t.same((await p.call('GET', '/programs', null)).json().map((o: { programName: string }) => o.programName), ['open'])
  t.equal((await p.call('GET', '/events', null)).statusCode, 200)
  for (const path of ['/vens', '/reports', '/subscriptions', '/resources']) t.equal((await p.call('GET', path, null)).statusCode, 401, path)
  t.equal((await p.call('POST', '/programs', null, { programName: 'x' })).statusCode, 401)
  t.equal((await p.call('DELETE', '/programs/x', null)).statusCode, 401)
})

t.test('OA-031 SEC-065 rate limit by who asks, whatever the token or route', async (t) => {
  const r = await testVtn({ ratePerMinute: 5 })
  t.teardown(() => r.close())
  const statuses = []
  for (let i = 0; i < 7; i++) statuses.push((await r.app.inject({ url: `${base}/${['programs', 'events', 'PROGRAMS'][i % 2]}`, headers: { authorization: `Bearer ${await r.token('ven_client')}`, 'x-forwarded-for': `10.0.0.${i}` } })).statusCode)
  t.same(statuses, [200, 200, 200, 200, 200, 429, 429])
  const refused = await r.call('GET', '/programs', 'ven_client')
  t.ok(refused.headers['retry-after'])
  t.equal((await r.call('GET', '/programs', 'bl_client')).statusCode, 200)
})

t.test('OA-029 keys of a remote set rotate: a new one is fetched when it first appears, an old one ends with its removal', async (t) => {
  const pair = async (kid: string) => { const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true }); return { kid, privateKey, jwk: { ...await exportJWK(publicKey), kid, alg: 'RS256', use: 'sig' } } }
  const first = await pair('k1'), second = await pair('k2')
  let keys = [first.jwk], asked = 0
  const server = createServer((_request, response) => { asked += 1; response.setHeader('content-type', 'application/json'); response.end(JSON.stringify({ keys })) })
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
  t.teardown(() => server.close())
  const e = await testVtn({ auth: { externalIdp: { tokenURL: 'https://idp.example/token', jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`, jwksCooldown_ms: 0 } } })
  t.teardown(() => e.close())
  const now = Math.floor(e.tokenClock.nowMs() / 1000)
  const get = async (key: typeof first, claims: object = {}) => {
    const token = await new SignJWT({ sub: 'site-1', exp: now + 60, scope: 'read_targets', ...claims }).setProtectedHeader({ alg: 'RS256', kid: key.kid }).sign(key.privateKey)
    return (await e.app.inject({ url: `${base}/programs`, headers: { authorization: `Bearer ${token}` } })).statusCode
  }
  t.equal(await get(first), 200)
  t.equal(await get(first, { jti: 'again' }), 200)
  t.equal(asked, 1, 'kept in memory')
  keys = [first.jwk, second.jwk]
  t.equal(await get(second), 200, 'an unknown key id makes the set be read again')
  t.equal(asked, 2)
  t.equal(await get(first, { jti: 'overlap' }), 200, 'both count while both are offered')
  keys = [second.jwk]
  const stranger = { ...await pair('k3') }
  t.equal(await get(stranger), 401)
  t.equal(await get(first, { jti: 'late' }), 401, 'the old key is gone with the set that held it')
})

t.test('SEC-011 OA-020 a stolen token is of little use: an hour at most, bound to this server and its scopes, never in an address', async (t) => {
  const long = await testVtn({ tokenLife_s: 86_400 })
  t.teardown(() => long.close())
  const token = await long.token('ven_client')
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  t.ok(claims.exp - claims.iat <= 3600)
  t.ok(claims.aud && claims.scope && claims.jti)
  const at = (url: string, headers: Record<string, string> = {}) => long.app.inject({ url: base + url, headers })
  t.equal((await at(`/programs?access_token=${token}`)).statusCode, 401)
  t.equal((await at('/programs', { cookie: `access_token=${token}` })).statusCode, 401)
  t.equal((await at('/programs', { authorization: `Bearer ${token}` })).statusCode, 200)
  t.equal((await v.app.inject({ url: `${base}/programs`, headers: { authorization: `Bearer ${token}` } })).statusCode, 401, 'another server has other keys')
  await long.tokenClock.advance(3_600_000)
  t.equal((await at('/programs', { authorization: `Bearer ${token}` })).statusCode, 401)
})
