import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'
import { note } from '#core/audit/note.js'
import { system, type Caller, type Role } from '#core/caller.js'
import { Refusal } from '#core/error.js'
import { present } from '#core/permission.js'
import type { Document } from '#core/port/store/document.js'
import type { Stores } from '#core/port/store/index.js'
import { createToken } from '#core/token/token.js'
import type { Transact, Work } from '#core/work.js'

/** A person with a password and a second factor; what they get for both is an ordinary token, so every door rule stays the tokens' own. */
export interface User {
  readonly name: string
  readonly role: Role
  readonly password: { readonly salt: string; readonly hash: string }
  /** TOTP secret (RFC 6238), base32. The server has to be able to compute with it. */
  readonly totp: string
  /** The last time step that was used: a code works once. */
  readonly usedStep: number
  readonly failures: number
  readonly lockedUntil: number
  readonly state: 'active' | 'disabled'
}

export interface SignIn { readonly user: string; readonly password: string; readonly code: string }
export type SignedIn = { readonly outcome: 'in'; readonly token: string; readonly user: string; readonly role: Role } | { readonly outcome: 'refused' | 'locked' }

export const userKind = 'core/User'
/** Interpretation (UX-052, SEC-011): five wrong answers lock a name for a quarter of an hour; a session lasts a working day. */
const mostFailures = 5, lock_ms = 900_000, session_s = 12 * 3600
const step_ms = 30_000

const hashed = (password: string, salt: string): Promise<Buffer> => new Promise((done, fail) => scrypt(password.normalize('NFKC'), salt, 32, { N: 32_768, r: 8, p: 1, maxmem: 64 * 2 ** 20 }, (error, key) => (error ? fail(error) : done(key))))

const codes = (user: Pick<User, 'name' | 'totp'>): TOTP => new TOTP({ issuer: 'Loadstone', label: user.name, secret: Secret.fromBase32(user.totp), algorithm: 'SHA1', digits: 6, period: step_ms / 1000 })

export interface NewSecrets { readonly password: string; readonly otpauth: string; readonly totp: string }

async function fresh(name: string): Promise<NewSecrets & { stored: Pick<User, 'password' | 'totp' | 'usedStep' | 'failures' | 'lockedUntil'> }> {
  // secrets, not names of things: from the machine's own randomness, never from the Ids port
  const password = randomBytes(12).toString('base64url'), salt = randomBytes(16).toString('hex'), totp = new Secret({ size: 20 }).base32
  return { password, totp, otpauth: codes({ name, totp }).toString(), stored: { password: { salt, hash: (await hashed(password, salt)).toString('hex') }, totp, usedStep: 0, failures: 0, lockedUntil: 0 } }
}

/** Password and TOTP secret are shown this once. */
export async function createUser(work: Work, caller: Caller, wish: { name: string; role: Role }): Promise<{ document: Document<User>; secrets: NewSecrets }> {
  const { stores, clock, ids } = work
  if (await stores.documents.byKey<User>(caller.tenant, userKind, '', wish.name)) throw new Refusal('conflict', `user ${wish.name} exists`)
  const { stored, ...secrets } = await fresh(wish.name)
  const document = await stores.documents.insert<User>({ tenant: caller.tenant, kind: userKind, id: ids.uuid(), parent: '', key: wish.name, body: { ...wish, ...stored, state: 'active' } }, clock.nowMs())
  await note(work, caller, [{ action: 'user.create', entity: document.id, after: { name: wish.name, role: wish.role } }])
  return { document, secrets }
}

export const listUsers = (stores: Stores, tenant: string): Promise<Document<User>[]> => stores.documents.list<User>(tenant, { kind: userKind, limit: 10_000 })

/** Disable or enable a person, change the role, or give new secrets. Tokens that were given out are revoked under `tokens`. */
export async function changeUser(work: Work, caller: Caller, id: string, wish: { state?: User['state']; role?: Role; reset?: boolean }): Promise<{ document: Document<User>; secrets?: NewSecrets }> {
  const { stores, clock } = work, found = present(await stores.documents.get<User>(caller.tenant, userKind, id), 'user', id)
  const renewed = wish.reset ? await fresh(found.body.name) : undefined
  const body: User = { ...found.body, ...(wish.state ? { state: wish.state } : {}), ...(wish.role ? { role: wish.role } : {}), ...(renewed ? renewed.stored : {}) }
  const document = await stores.documents.replace<User>({ ...found, body }, clock.nowMs(), found.version)
  const shown = (u: User): object => ({ role: u.role, state: u.state })
  await note(work, caller, [{ action: wish.reset ? 'user.reset' : 'user.change', entity: id, before: shown(found.body), after: shown(body) }])
  return { document, ...(renewed ? { secrets: { password: renewed.password, totp: renewed.totp, otpauth: renewed.otpauth } } : {}) }
}

/**
 * Both factors or nothing, and never which one was wrong. The failure is committed before it is told, so it counts even if the
 * caller hangs up. `machineMs` is real time: an authenticator knows no demo clock.
 */
export async function signIn(transact: Transact, tenant: string, given: SignIn, machineMs: number): Promise<SignedIn> {
  const nobody = 'a name that nobody has takes as long'
  return transact(async (work): Promise<SignedIn> => {
    const { stores, clock } = work, found = await stores.documents.byKey<User>(tenant, userKind, '', given.user)
    const key = await hashed(given.password, found?.body.password.salt ?? nobody)
    if (!found || found.body.state !== 'active') return { outcome: 'refused' }
    const { body } = found
    if (body.lockedUntil > machineMs) return { outcome: 'locked' }
    const delta = codes(body).validate({ token: given.code, window: 1, timestamp: machineMs }), step = Math.floor(machineMs / step_ms) + (delta ?? 0)
    const right = timingSafeEqual(key, Buffer.from(body.password.hash, 'hex')) && delta !== null && step > body.usedStep
    const caller: Caller = Object.freeze({ ...system(tenant), user: body.name, kind: 'user' })
    if (!right) {
      const failures = body.failures + 1, locked = failures >= mostFailures
      await stores.documents.replace<User>({ ...found, body: { ...body, failures: locked ? 0 : failures, lockedUntil: locked ? machineMs + lock_ms : 0 } }, clock.nowMs(), found.version)
      await note(work, caller, [{ action: locked ? 'session.locked' : 'session.refused', entity: found.id }])
      return { outcome: locked ? 'locked' : 'refused' }
    }
    await stores.documents.replace<User>({ ...found, body: { ...body, usedStep: step, failures: 0, lockedUntil: 0 } }, clock.nowMs(), found.version)
    const { token } = await createToken(work, caller, { role: body.role, user: body.name, expiresIn_s: session_s })
    await note(work, caller, [{ action: 'session.begin', entity: found.id }])
    return { outcome: 'in', token, user: body.name, role: body.role }
  })
}
