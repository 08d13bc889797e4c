import { generateAuthenticationOptions, generateRegistrationOptions, type AuthenticationResponseJSON, type RegistrationResponseJSON } from '@simplewebauthn/server'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type, type Static } from 'typebox'
import type { Core } from '#core/assemble.js'
import { isRefusal, Refusal, type RefusalKind } from '#core/error.js'
import type { Clock } from '#core/port/clock.js'
import { endSession, listSessions, roles as allRoles } from '#core/token/token.js'
import { addPasskey, personOf, removePasskey, signInByPasskey } from '#core/user/passkey.js'
import { takeSetup } from '#core/user/setup.js'
import { openSession, signIn, type SignedIn } from '#core/user/sign-in.js'
import { Pending } from '#core/operator/session/ceremony.js'
import { clearCookie, cookieName, cookieOf, guardOf, setCookie } from '#core/operator/session/cookie.js'
import { Oidc, type Begun, type OidcConfig } from '#core/operator/session/oidc.js'
import { placeOf, type Place } from '#core/operator/session/place.js'
import { closed, name } from '#core/operator/schema.js'
import { stamp } from '#core/operator/wire.js'

export interface SessionNeeds {
  readonly core: Core
  readonly tenant: string
  /** Real time: authenticators and identity providers know no demo clock. */
  readonly machine: Clock
  /** Where people find the console; '' = localhost. */
  readonly url?: string
  readonly oidc?: OidcConfig
}

const password = closed({ user: name, password: Type.String({ minLength: 1, maxLength: 200 }), code: Type.String({ pattern: '^\\d{6}$' }) })
const byToken = closed({ token: Type.String({ minLength: 1, maxLength: 500 }) })
const credential = Type.Object({ id: Type.String({ maxLength: 2000 }), rawId: Type.String({ maxLength: 2000 }), type: Type.Literal('public-key'), response: Type.Object({}, { additionalProperties: true }) }, { additionalProperties: true })
const setup = closed({ secret: Type.String({ minLength: 1, maxLength: 100 }), name })
const newPasskey = closed({ label: name, response: credential })
const open = { config: { roles: 'open' as const }, schema: { hide: true } }
const own = { config: { roles: allRoles }, schema: { hide: true } }

/** Passwords are costly to check on purpose: more than this many at once are told to wait. */
const mostAtOnce = 4
const agentOf = (request: FastifyRequest): string => (request.headers['user-agent'] ?? '').slice(0, 200)

/** Below `/session`: how people come in and go out. No answer carries a token; the browser keeps it where no script reads it (SEC-066). */
export function sessionRoutes(app: FastifyInstance, needs: SessionNeeds): void {
  const { core, machine } = needs, place = (request: FastifyRequest): Place => placeOf(needs.url ?? '', request)
  const admitted = (request: FastifyRequest, reply: FastifyReply, found: SignedIn): FastifyReply => {
    if (found.outcome !== 'in') throw found.outcome === 'locked' ? new Refusal('rateLimited', 'too many wrong answers: this name is locked for a quarter of an hour') : new Refusal('unauthenticated', 'name, password and code do not fit together')
    return setCookie(reply, cookieName(request), found.token, place(request)).code(201).header('cache-control', 'no-store').send({ user: found.user, role: found.role, guard: guardOf(found.token) })
  }

  app.get('/session', open, async (request, reply) => {
    const token = cookieOf(request), caller = token === undefined ? undefined : await core.tokens.callerOf(token)
    return reply.header('cache-control', 'no-store').send({ signedIn: caller !== undefined, ...(caller ? { guard: guardOf(token!) } : {}), ways: { password: true, passkey: true, oidc: needs.oidc ? new URL(needs.oidc.issuer).host : null } })
  })

  let checking = 0
  app.post('/session', { ...open, schema: { hide: true, body: password } }, async (request, reply) => {
    if (checking >= mostAtOnce) throw new Refusal('rateLimited', 'too many people sign in at this moment')
    checking++
    try {
      return admitted(request, reply, await signIn(core.transact, needs.tenant, { ...(request.body as Static<typeof password>), agent: agentOf(request) }, machine.nowMs()))
    } finally {
      checking--
    }
  })

  // the link that a server prints, or a token typed in: it moves from the page into the cookie at once
  app.post('/session/token', { ...open, schema: { hide: true, body: byToken } }, async (request, reply) => {
    const { token } = request.body as Static<typeof byToken>, caller = await core.tokens.callerOf(token)
    if (!caller) throw new Refusal('unauthenticated', 'this token is not valid')
    return admitted(request, reply, { outcome: 'in', token, user: caller.user, role: caller.roles[0]! })
  })

  app.post('/session/setup', { ...open, schema: { hide: true, body: setup } }, async (request, reply) => {
    const { secret, name: who } = request.body as Static<typeof setup>
    return reply.code(201).header('cache-control', 'no-store').send({ name: who, ...(await core.transact((work) => takeSetup(work, needs.tenant, secret, who))) })
  })

  app.delete('/session', own, async (request, reply) => {
    await core.transact((work) => endSession(work, request.operator, request.operator.subject))
    return clearCookie(reply, cookieName(request), place(request).secure).code(204).send()
  })

  app.get('/session/list', own, async (request) => ({
    items: (await listSessions(core.database.stores, request.operator)).map((d) => ({ id: d.id, user: d.body.user, by: d.body.session!.by, agent: d.body.session!.agent, createdAt: stamp(d.createdAt), expiresAt: d.body.expiresAt === null ? null : stamp(d.body.expiresAt), current: d.id === request.operator.subject })), next: null,
  }))
  app.delete<{ Params: { id: string } }>('/session/list/:id', own, async (request, reply) => {
    await core.transact((work) => endSession(work, request.operator, request.params.id))
    return reply.code(204).send()
  })

  passkeyRoutes(app, needs, place, admitted)
  if (needs.oidc) oidcRoutes(app, needs, new Oidc(needs.oidc), place)
}

type Admitted = (request: FastifyRequest, reply: FastifyReply, found: SignedIn) => FastifyReply

function passkeyRoutes(app: FastifyInstance, { core, tenant, machine }: SessionNeeds, place: (request: FastifyRequest) => Place, admitted: Admitted): void {
  const asked = new Pending<{ for: string }>(machine), anyone = 'sign in'
  const take = (response: { response: object }, whom: string): string => {
    const challenge = challengeOf(response), { for: whose } = asked.take(challenge)
    if (challenge === undefined || whose !== whom) throw new Refusal('unauthenticated', 'this passkey was asked for by somebody else')
    return challenge
  }
  app.post('/session/passkey/options', open, async (request) => generateAuthenticationOptions({ rpID: place(request).rpID, userVerification: 'required', challenge: Buffer.from(asked.ask({ for: anyone }), 'base64url') }))
  app.post('/session/passkey', { ...open, schema: { hide: true, body: credential } }, async (request, reply) => {
    const response = request.body as unknown as AuthenticationResponseJSON, { origin, rpID } = place(request), challenge = take(response, anyone)
    return admitted(request, reply, await core.transact((work) => signInByPasskey(work, tenant, response, { challenge, origin, rpID }, agentOf(request))))
  })

  app.get('/session/passkeys', own, async (request) => {
    const person = await personOf(core.database.stores, request.operator)
    return { person: person !== undefined, items: (person?.body.passkeys ?? []).map((k) => ({ id: k.id, label: k.label, createdAt: stamp(k.createdAt) })), next: null }
  })
  app.post('/session/passkeys/options', own, async (request) => {
    const person = await personOf(core.database.stores, request.operator)
    if (!person) throw new Refusal('conflict', 'only a person who signs in with a name has passkeys; this token belongs to nobody')
    return generateRegistrationOptions({
      rpName: 'Loadstone', rpID: place(request).rpID, userName: person.body.name, userID: new Uint8Array(Buffer.from(person.id)), attestationType: 'none', challenge: Buffer.from(asked.ask({ for: person.id }), 'base64url'),
      excludeCredentials: (person.body.passkeys ?? []).map((k) => ({ id: k.id })), authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    })
  })
  app.post('/session/passkeys', { ...own, schema: { hide: true, body: newPasskey } }, async (request, reply) => {
    const { label, response } = request.body as unknown as { label: string; response: RegistrationResponseJSON }, person = await personOf(core.database.stores, request.operator), { origin, rpID } = place(request)
    const challenge = take(response, person?.id ?? '')
    const made = await core.transact((work) => addPasskey(work, request.operator, response, label, { challenge, origin, rpID }))
    return reply.code(201).send({ id: made.id, label: made.label, createdAt: stamp(made.createdAt) })
  })
  app.delete<{ Params: { id: string } }>('/session/passkeys/:id', own, async (request, reply) => {
    await core.transact((work) => removePasskey(work, request.operator, request.params.id))
    return reply.code(204).send()
  })
}

/** The challenge that the browser says it signed; whether it is one of ours, unused and young, is judged next. */
function challengeOf({ response }: { response: object }): string | undefined {
  try {
    return String((JSON.parse(Buffer.from(String((response as { clientDataJSON?: unknown }).clientDataJSON), 'base64url').toString()) as { challenge?: unknown }).challenge)
  } catch {
    return undefined
  }
}

/** What the sign-in page says of a single sign-on that failed: a word of ours, so that no address can put a sentence on it. */
const failedBecause: Readonly<Partial<Record<RefusalKind, string>>> = { forbidden: 'noRole', unavailable: 'provider' }

function oidcRoutes(app: FastifyInstance, { core, tenant, machine }: SessionNeeds, oidc: Oidc, place: (request: FastifyRequest) => Place): void {
  const begun = new Pending<Begun>(machine), binding = 'loadstone-oidc'
  // the cookie binds the answer to the browser that asked, so nobody can be signed in as somebody else (OpenID Connect Core 1.0 §3.1.2.1)
  app.get('/session/oidc', open, async (request, reply) => {
    const { origin, secure } = place(request), { url, state } = await oidc.begin(origin, (b) => begun.ask(b)).catch((error: unknown) => told(request, error))
    return url === undefined ? reply.redirect(state) : setCookie(reply, binding, state, { secure, sameSite: 'Lax', life_s: 300 }).redirect(url)
  })
  app.get<{ Querystring: { state?: string } }>('/session/oidc/callback', open, async (request, reply) => {
    const { state } = request.query, { secure } = place(request)
    try {
      return await back(request, reply, state, secure)
    } catch (error) {
      return reply.redirect(told(request, error).state)
    }
  })

  async function back(request: FastifyRequest, reply: FastifyReply, state: string | undefined, secure: boolean): Promise<FastifyReply> {
    if (state === undefined || cookieOf(request, binding) !== state) throw new Refusal('unauthenticated', 'this sign-in was begun in another browser: begin again')
    const known = await oidc.finish(begun.take(state), request.url.split('?')[1] ?? '', state)
    const found = await core.transact((work) => openSession(work, tenant, { user: known.user, role: known.role, entity: `oidc:${known.subject}` }, { by: 'oidc', agent: agentOf(request) }))
    if (found.outcome !== 'in') throw new Refusal('unauthenticated', 'no session could be opened')
    clearCookie(reply, binding, secure)
    return setCookie(reply, cookieName(request), found.token, { secure }).redirect('/')
  }

  /** A person in a browser is sent back to the sign-in page with the reason (UX-052); anybody else gets the problem itself. */
  function told(request: FastifyRequest, error: unknown): { url?: undefined; state: string } {
    if (!isRefusal(error) || !String(request.headers.accept ?? '').includes('text/html')) throw error
    core.means.log.info({ kind: error.kind, cause: error.message, clause: 'UX-052' }, 'single sign-on failed')
    return { state: `/#/login?failed=${failedBecause[error.kind] ?? 'again'}` }
  }
}
