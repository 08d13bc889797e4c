import { randomBytes, scrypt } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'
import { note } from '#core/audit/note.js'
import type { Caller, Role } from '#core/caller.js'
import { Refusal } from '#core/error.js'
import { present } from '#core/permission.js'
import type { Document } from '#core/port/store/document.js'
import type { Stores } from '#core/port/store/index.js'
import { endSession, listSessions } from '#core/token/token.js'
import type { Work } from '#core/work.js'

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
  readonly passkeys?: readonly Passkey[]
}

/** A WebAuthn credential: possession and, since verification of the person is demanded, a second factor in one. */
export interface Passkey { readonly id: string; readonly publicKey: string; readonly counter: number; readonly transports: readonly string[]; readonly label: string; readonly createdAt: number }

export const userKind = 'core/User'
export const step_ms = 30_000

export const hashed = (password: string, salt: string): Promise<Buffer> => new Promise((done, fail) => scrypt(password.normalize('NFKC'), salt, 32, { N: 32_768, r: 8, p: 1, maxmem: 64 * 2 ** 20 }, (error, key) => (error ? fail(error) : done(key))))

export const codes = (user: Pick<User, 'name' | 'totp'>): TOTP => new TOTP({ issuer: 'Loadstone', label: user.name, secret: Secret.fromBase32(user.totp), algorithm: 'SHA1', digits: 6, period: step_ms / 1000 })

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

/** Disable or enable a person, change the role, or give new secrets; whoever is signed in under the old ones is signed out. Tokens that were made for programs are revoked under `tokens`. */
export async function changeUser(work: Work, caller: Caller, id: string, wish: { state?: User['state']; role?: Role; reset?: boolean }): Promise<{ document: Document<User>; secrets?: NewSecrets }> {
  const { stores, clock } = work, found = present(await stores.documents.get<User>(caller.tenant, userKind, id), 'user', id)
  const renewed = wish.reset ? await fresh(found.body.name) : undefined
  const body: User = { ...found.body, ...(wish.state ? { state: wish.state } : {}), ...(wish.role ? { role: wish.role } : {}), ...(renewed ? { ...renewed.stored, passkeys: [] } : {}) }
  const document = await stores.documents.replace<User>({ ...found, body }, clock.nowMs(), found.version)
  if (body.state === 'disabled' || renewed || body.role !== found.body.role) for (const s of await listSessions(stores, caller)) if (s.body.user === body.name) await endSession(work, caller, s.id)
  const shown = (u: User): object => ({ role: u.role, state: u.state })
  await note(work, caller, [{ action: wish.reset ? 'user.reset' : 'user.change', entity: id, before: shown(found.body), after: shown(body) }])
  return { document, ...(renewed ? { secrets: { password: renewed.password, totp: renewed.totp, otpauth: renewed.otpauth } } : {}) }
}
