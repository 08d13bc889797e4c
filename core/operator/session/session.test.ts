import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { SignJWT, exportJWK, generateKeyPair } from 'jose'
import { Secret, TOTP } from 'otpauth'
import t from 'tap'
import { guardHeader } from '#core/operator/session/cookie.js'
import { rolesOf } from '#core/operator/session/oidc.js'
import { sessionRoutes, type SessionNeeds } from '#core/operator/session/routes.js'
import { softKey } from '#core/operator/session/soft-key.js'
import { offerSetup } from '#core/user/setup.js'
import { testDoor, type TestDoor } from '#core/operator/test-door.js'

t.setTimeout(240_000)
const noon = Date.UTC(2026, 6, 15, 18)

type Needs = Partial<Omit<SessionNeeds, 'core' | 'tenant' | 'machine'>>

const door = (t: Parameters<typeof testDoor>[0], more: Needs = {}): Promise<TestDoor> => testDoor(t, { nowMs: noon, extend: (app, { core, clock }) => sessionRoutes(app, { core, tenant: 'default', machine: clock, ...more }) })

/** A browser: keeps cookies, sends the guard that it was told. */
function browser(app: FastifyInstance, host = 'localhost:8080') {
  const jar = new Map<string, string>()
  let guard = ''
  return {
    jar,
    forgetGuard() { guard = '' },
    async ask(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, payload?: object, headers: Record<string, string> = {}): Promise<LightMyRequestResponse & { data: any }> {
      const cookie = [...jar].map(([k, v]) => `${k}=${v}`).join('; ')
      const answer = await app.inject({ method, url, headers: { host, ...(cookie ? { cookie } : {}), ...(guard ? { [guardHeader]: guard } : {}), ...headers }, ...(payload ? { payload } : {}) })
      for (const line of [answer.headers['set-cookie'] ?? []].flat()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        if (/Max-Age=0/.test(line)) jar.delete(name); else jar.set(name, value)
      }
      let data: any
      try { data = JSON.parse(answer.body) } catch { data = undefined }
      if (data?.guard) guard = data.guard
      return Object.assign(answer, { data })
    },
  }
}

const codeAt = (secret: string, ms: number): string => new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: ms })

t.test('signing in with password and code', async (t) => {
  const d = await door(t), admin = await d.as('admin', 'anna'), olga = (await admin('POST', 'users', { name: 'olga', role: 'dispatcher' })).data, { clock } = d
  const enter = (b: ReturnType<typeof browser>, change: object = {}) => b.ask('POST', '/session', { user: 'olga', password: olga.password, code: codeAt(olga.totp, clock.nowMs()), ...change })

  await t.test('UX-052 both factors or nothing; a code works once; five wrong answers lock the name', async (t) => {
    t.match(olga, { name: 'olga', otpauth: /^otpauth:\/\/totp\/Loadstone/, password: /.{16}/ })
    t.notMatch(JSON.stringify((await admin('GET', 'users')).data), olga.password)
    const b = browser(d.app), first = await enter(b)
    t.equal(first.statusCode, 201)
    t.match((await b.ask('GET', '/api/v1/me')).data, { user: 'olga', roles: ['dispatcher'] })
    t.equal((await enter(browser(d.app))).statusCode, 401, 'the same code again')
    clock.advance(60_000)
    t.equal((await enter(browser(d.app), { user: 'nobody' })).statusCode, 401)
    for (let i = 0; i < 3; i++) t.equal((await enter(browser(d.app), { password: 'wrong' })).statusCode, 401)
    t.equal((await enter(browser(d.app), { password: 'wrong' })).statusCode, 429, 'locked')
    t.equal((await enter(browser(d.app))).statusCode, 429, 'even with the right answer')
    clock.advance(901_000)
    t.equal((await enter(browser(d.app))).statusCode, 201, 'later it is open again')
  })

  await t.test('SEC-066 the session is a cookie that no script reads and no other site sends; the answer carries no token', async (t) => {
    clock.advance(60_000)
    const b = browser(d.app), answer = await enter(b), cookie = String(answer.headers['set-cookie'])
    t.match(cookie, /^loadstone-session-8080=[^;]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/)
    t.notMatch(answer.body, /lst_/)
    t.equal(answer.headers['access-control-allow-origin'], undefined)
  })

  await t.test('SEC-066 a change by cookie needs the guard, and is refused when it comes from another site', async (t) => {
    clock.advance(60_000)
    const b = browser(d.app), { guard } = (await enter(b)).data
    b.forgetGuard()
    t.equal((await b.ask('POST', '/api/v1/opt-outs', {})).statusCode, 403, 'no guard')
    t.equal((await b.ask('POST', '/api/v1/opt-outs', {}, { [guardHeader]: 'x'.repeat(guard.length) })).statusCode, 403, 'a wrong one')
    t.equal((await b.ask('POST', '/api/v1/opt-outs', {}, { [guardHeader]: guard, 'sec-fetch-site': 'cross-site' })).statusCode, 403, 'the right one from elsewhere')
    t.equal((await b.ask('POST', '/api/v1/opt-outs', {}, { [guardHeader]: guard })).statusCode, 422, 'past the guard, at the body')
    t.equal((await b.ask('GET', '/api/v1/programs')).statusCode, 200, 'looking needs none')
    t.same((await b.ask('GET', '/session')).data, { signedIn: true, guard, ways: { password: true, passkey: true, oidc: null } }, 'a page of this site may ask for it again')
  })

  await t.test('SEC-066 behind TLS the cookie is Secure', async (t) => {
    const other = await door(t, { url: 'https://flex.example.org' }), { token } = (await (await other.as('admin'))('POST', 'tokens', { role: 'viewer' })).data
    t.match(String((await browser(other.app, 'flex.example.org').ask('POST', '/session/token', { token })).headers['set-cookie']), /HttpOnly; SameSite=Strict; Secure$/)
  })

  await t.test('UX-052 sessions are listed with their browser, ended one by one; an administrator sees everybody’s', async (t) => {
    clock.advance(60_000)
    const desk = browser(d.app), phone = browser(d.app)
    await enter(desk)
    clock.advance(60_000)
    await phone.ask('POST', '/session', { user: 'olga', password: olga.password, code: codeAt(olga.totp, clock.nowMs()) }, { 'user-agent': 'a phone' })
    const mine = (await desk.ask('GET', '/session/list')).data.items, theirs = mine.find((x: { agent: string }) => x.agent === 'a phone')
    t.match(theirs, { user: 'olga', by: 'password', current: false })
    t.equal(mine.filter((x: { current: boolean }) => x.current).length, 1)
    t.equal((await desk.ask('DELETE', `/session/list/${theirs.id}`)).statusCode, 204)
    t.equal((await phone.ask('GET', '/api/v1/me')).statusCode, 401, 'ended at once')
    const vera = (await admin('POST', 'tokens', { role: 'viewer', user: 'vera' })).data.token, other = browser(d.app)
    await other.ask('POST', '/session/token', { token: vera })
    t.equal((await other.ask('DELETE', `/session/list/${mine[0].id}`)).statusCode, 404, 'another person’s session does not exist')
    t.ok((await admin('GET', '/session/list')).data.items.some((x: { user: string }) => x.user === 'olga'))
    t.equal((await desk.ask('DELETE', '/session')).statusCode, 204)
    t.equal(desk.jar.size, 0, 'the cookie is gone')
    await other.ask('DELETE', '/session')
    t.equal((await d.app.inject({ url: '/api/v1/me', headers: { authorization: `Bearer ${vera}` } })).statusCode, 200, 'a token made for a program outlives the page that borrowed it')
  })

  await t.test('UX-052 a disabled person is signed out at once, and stays out', async (t) => {
    clock.advance(60_000)
    const b = browser(d.app)
    await enter(b)
    await admin('PATCH', `users/${olga.id}`, { state: 'disabled' })
    t.equal((await b.ask('GET', '/api/v1/me')).statusCode, 401)
    clock.advance(60_000)
    t.equal((await enter(browser(d.app))).statusCode, 401)
    const renewed = (await admin('PATCH', `users/${olga.id}`, { state: 'active', reset: true })).data
    t.not(renewed.totp, olga.totp)
  })
})

t.test('SEC-068 the first person', async (t) => {
  const d = await door(t), offer = () => d.core.transact((work) => offerSetup(work, 'default')), take = (secret: string, name = 'ada') => browser(d.app).ask('POST', '/session/setup', { secret, name })
  await t.test('SEC-068 no name and no well-known password opens a fresh server', async (t) => {
    for (const user of ['admin', 'root', 'operator', 'loadstone']) t.equal((await browser(d.app).ask('POST', '/session', { user, password: user, code: '000000' })).statusCode, 401, user)
    t.equal((await take('')).statusCode, 422)
    t.equal((await take('guess')).statusCode, 401)
  })
  await t.test('SEC-068, UX-001 a one-time secret makes the first person; it works once, and an older one not at all', async (t) => {
    const old = (await offer())!, secret = (await offer())!
    t.equal((await take(old)).statusCode, 401, 'the secret of an earlier start')
    const made = await take(secret), b = browser(d.app)
    t.equal(made.statusCode, 201)
    t.equal((await b.ask('POST', '/session', { user: 'ada', password: made.data.password, code: codeAt(made.data.totp, d.clock.nowMs()) })).statusCode, 201)
    t.same((await b.ask('GET', '/api/v1/me')).data.roles, ['admin'])
    t.equal((await take(secret, 'eve')).statusCode, 401, 'a second time')
    t.equal(await offer(), undefined, 'no secret once there are people')
  })
  await t.test('SEC-068 of fifty who use it at once, one becomes the first person', async (t) => {
    const e = await door(t), secret = (await e.core.transact((work) => offerSetup(work, 'default')))!
    const all = await Promise.all(Array.from({ length: 50 }, (_, i) => browser(e.app).ask('POST', '/session/setup', { secret, name: `p${i}` })))
    t.equal(all.filter((a) => a.statusCode === 201).length, 1)
  })
})

t.test('UX-052 passkeys (WebAuthn Level 3 §7.1, §7.2)', async (t) => {
  const d = await door(t), admin = await d.as('admin', 'anna'), olga = (await admin('POST', 'users', { name: 'olga', role: 'operator' })).data, b = browser(d.app), key = softKey('http://localhost:8080', 'localhost')
  await b.ask('POST', '/session', { user: 'olga', password: olga.password, code: codeAt(olga.totp, d.clock.nowMs()) })

  await t.test('UX-052 a person adds one; its answer counts once', async (t) => {
    const options = (await b.ask('POST', '/session/passkeys/options')).data
    t.match(options, { rp: { id: 'localhost' }, user: { name: 'olga' }, authenticatorSelection: { userVerification: 'required', residentKey: 'required' } })
    const response = key.create(options)
    t.equal((await b.ask('POST', '/session/passkeys', { label: 'desk', response })).statusCode, 201)
    t.equal((await b.ask('POST', '/session/passkeys', { label: 'again', response })).statusCode, 401, 'the same answer again')
    t.match((await b.ask('GET', '/session/passkeys')).data, { person: true, items: [{ label: 'desk' }] })
  })

  const enter = async (change: object = {}) => {
    const c = browser(d.app), options = (await c.ask('POST', '/session/passkey/options')).data
    return { c, answer: await c.ask('POST', '/session/passkey', { ...key.get(options, change) }) }
  }
  await t.test('UX-052 it signs in alone, since it has checked the person', async (t) => {
    const { c, answer } = await enter()
    t.equal(answer.statusCode, 201, answer.body)
    t.match((await c.ask('GET', '/api/v1/me')).data, { user: 'olga', roles: ['operator'] })
    t.match((await c.ask('GET', '/session/list')).data.items.find((x: { current: boolean }) => x.current), { by: 'passkey' })
  })
  await t.test('SEC-066 another origin, an unverified person, an old counter or a foreign signature do not', async (t) => {
    for (const change of [{ origin: 'http://localhost:9999' }, { origin: 'https://evil.example' }, { verified: false }, { counter: 1 }, { spoil: true }]) t.equal((await enter(change)).answer.statusCode, 401, JSON.stringify(change))
    t.equal((await enter()).answer.statusCode, 201, 'and the right one still does')
    const options = (await browser(d.app).ask('POST', '/session/passkey/options')).data
    d.clock.advance(301_000)
    t.equal((await browser(d.app).ask('POST', '/session/passkey', key.get(options))).statusCode, 401, 'five minutes are enough')
  })
  await t.test('UX-052 removed, it opens nothing', async (t) => {
    t.equal((await b.ask('DELETE', `/session/passkeys/${encodeURIComponent(key.id)}`)).statusCode, 204)
    t.equal((await enter()).answer.statusCode, 401)
  })
})

/** An OpenID provider with one person, as small as the flow allows. */
async function provider(claims: () => object): Promise<{ issuer: string; server: Server; spoil: { nonce?: string } }> {
  const { privateKey, publicKey } = await generateKeyPair('RS256'), jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256', use: 'sig' }, codes = new Map<string, { nonce: string; challenge: string }>(), spoil: { nonce?: string } = {}
  let issuer = ''
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', issuer), send = (body: object): void => { response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body)) }
    if (url.pathname === '/.well-known/openid-configuration') return send({ issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks`, response_types_supported: ['code'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['RS256'] })
    if (url.pathname === '/jwks') return send({ keys: [jwk] })
    if (url.pathname === '/authorize') {
      codes.set('the-code', { nonce: url.searchParams.get('nonce')!, challenge: url.searchParams.get('code_challenge')! })
      return response.writeHead(302, { location: `${url.searchParams.get('redirect_uri')}?code=the-code&state=${url.searchParams.get('state')}` }).end()
    }
    let body = ''
    for await (const part of request) body += String(part)
    const asked = codes.get(new URLSearchParams(body).get('code') ?? '')!
    return send({ access_token: 'a', token_type: 'Bearer', id_token: await new SignJWT({ nonce: spoil.nonce ?? asked.nonce, ...claims() }).setProtectedHeader({ alg: 'RS256', kid: 'k' }).setIssuer(issuer).setAudience('loadstone').setIssuedAt().setExpirationTime('5m').setSubject('person-1').sign(privateKey) })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { issuer, server, spoil }
}

t.test('UX-052 single sign-on by configuration (OpenID Connect Core 1.0 §3.1)', async (t) => {
  let groups: string[] = ['flex-ops']
  const { issuer, server, spoil } = await provider(() => ({ preferred_username: 'olga@utility.example', groups }))
  t.teardown(() => server.close())
  const d = await door(t, { oidc: { issuer, clientId: 'loadstone', clientSecret: 'secret', claim: 'groups', roles: rolesOf('flex-admins=admin, flex-ops=operator') } })
  const go = async (b: ReturnType<typeof browser>): Promise<string> => {
    const begun = await b.ask('GET', '/session/oidc'), back = await fetch(String(begun.headers.location), { redirect: 'manual' }), there = new URL(back.headers.get('location')!)
    t.equal(there.origin, 'http://localhost:8080')
    return `${there.pathname}${there.search}`
  }
  await t.test('UX-052 the provider’s group decides the role', async (t) => {
    const b = browser(d.app), answer = await b.ask('GET', await go(b))
    t.same([answer.statusCode, answer.headers.location], [302, '/'])
    t.match((await b.ask('GET', '/api/v1/me')).data, { user: 'olga@utility.example', roles: ['operator'] })
    t.equal((await b.ask('GET', '/session')).data.ways.oidc, new URL(issuer).host)
  })
  await t.test('SEC-066 an answer that another browser asked for, that comes twice, or with a foreign nonce opens nothing', async (t) => {
    const b = browser(d.app), back = await go(b)
    t.equal((await browser(d.app).ask('GET', back)).statusCode, 401, 'another browser')
    t.equal((await b.ask('GET', back)).statusCode, 302)
    t.equal((await b.ask('GET', back)).statusCode, 401, 'twice')
    spoil.nonce = 'foreign'
    const c = browser(d.app)
    t.equal((await c.ask('GET', await go(c))).statusCode, 401, 'nonce')
    delete spoil.nonce
  })
  await t.test('UX-052 known there, but without a group that has a role here: no way in', async (t) => {
    groups = ['cooks']
    const b = browser(d.app)
    t.equal((await b.ask('GET', await go(b))).statusCode, 403)
    t.throws(() => rolesOf('flex-ops=king'), /group=role/)
  })
  await t.test('UX-052 a person whose single sign-on failed is back at the sign-in page, which says why', async (t) => {
    const html = { accept: 'text/html,application/xhtml+xml' }, b = browser(d.app), back = await go(b)
    const landed = async (who: typeof b, url: string): Promise<unknown> => { const a = await who.ask('GET', url, undefined, html); return [a.statusCode, a.headers.location] }
    t.same(await landed(browser(d.app), back), [302, '/#/login?failed=again'], 'begun in another browser')
    t.same(await landed(b, back), [302, '/#/login?failed=noRole'], 'no group with a role')
    const dead = await door(t, { oidc: { issuer: 'http://127.0.0.1:1', clientId: 'loadstone', clientSecret: 'secret', claim: 'groups', roles: [] } })
    t.same(await landed(browser(dead.app), '/session/oidc'), [302, '/#/login?failed=provider'])
    t.equal((await browser(dead.app).ask('GET', '/session/oidc')).statusCode, 503, 'a program gets the problem itself')
  })
})
