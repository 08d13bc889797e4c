import { verifyAuthenticationResponse, verifyRegistrationResponse, type AuthenticationResponseJSON, type RegistrationResponseJSON } from '@simplewebauthn/server'
import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { Refusal } from '#core/error.js'
import type { Document } from '#core/port/store/document.js'
import type { Stores } from '#core/port/store/index.js'
import { openSession, type SignedIn } from '#core/user/sign-in.js'
import { userKind, type Passkey, type User } from '#core/user/user.js'
import type { Work } from '#core/work.js'

/** Where a browser stood and what it was asked to sign (WebAuthn Level 3 §7). */
export interface Ceremony { readonly challenge: string; readonly origin: string; readonly rpID: string }

export const personOf = (stores: Stores, caller: Pick<Caller, 'tenant' | 'user'>): Promise<Document<User> | undefined> => stores.documents.byKey<User>(caller.tenant, userKind, '', caller.user)

const keysOf = (d: Document<User>): readonly Passkey[] => d.body.passkeys ?? []

async function save(work: Work, person: Document<User>, passkeys: readonly Passkey[]): Promise<void> {
  await work.stores.documents.replace<User>({ ...person, body: { ...person.body, passkeys } }, work.clock.nowMs(), person.version)
}

/** A passkey for the one who is signed in. WebAuthn Level 3 §7.1; the person's verification is demanded. */
export async function addPasskey(work: Work, caller: Caller, response: RegistrationResponseJSON, label: string, at: Ceremony): Promise<Passkey> {
  const person = await personOf(work.stores, caller)
  if (!person) throw new Refusal('conflict', 'only a person who signs in with a name has passkeys; this token belongs to nobody')
  const found = await verifyRegistrationResponse({ response, expectedChallenge: at.challenge, expectedOrigin: at.origin, expectedRPID: at.rpID, requireUserVerification: true })
    .catch((error: unknown) => { throw new Refusal('invalid', `the browser's answer cannot be used: ${error instanceof Error ? error.message : String(error)}`) })
  if (!found.verified) throw new Refusal('invalid', 'the browser’s answer does not verify')
  const { id, publicKey, counter, transports = [] } = found.registrationInfo.credential
  if (keysOf(person).some((k) => k.id === id)) throw new Refusal('conflict', 'this passkey is known already')
  const made: Passkey = { id, publicKey: Buffer.from(publicKey).toString('base64url'), counter, transports, label, createdAt: work.clock.nowMs() }
  await save(work, person, [...keysOf(person), made])
  await note(work, caller, [{ action: 'user.passkey.add', entity: person.id, reason: label }])
  return made
}

export async function removePasskey(work: Work, caller: Caller, id: string): Promise<void> {
  const person = await personOf(work.stores, caller)
  if (!person || !keysOf(person).some((k) => k.id === id)) throw new Refusal('notFound', 'there is no such passkey')
  await save(work, person, keysOf(person).filter((k) => k.id !== id))
  await note(work, caller, [{ action: 'user.passkey.remove', entity: person.id }])
}

/** Signing in by passkey alone: the key is the possession, its own check of the person the second factor. WebAuthn Level 3 §7.2. */
export async function signInByPasskey(work: Work, tenant: string, response: AuthenticationResponseJSON, at: Ceremony, agent: string): Promise<SignedIn> {
  const person = await work.stores.documents.get<User>(tenant, userKind, Buffer.from(response.response.userHandle ?? '', 'base64url').toString()), key = person && keysOf(person).find((k) => k.id === response.id)
  if (!person || !key || person.body.state !== 'active') return { outcome: 'refused' }
  const found = await verifyAuthenticationResponse({
    response, expectedChallenge: at.challenge, expectedOrigin: at.origin, expectedRPID: at.rpID, requireUserVerification: true,
    credential: { id: key.id, publicKey: new Uint8Array(Buffer.from(key.publicKey, 'base64url')), counter: key.counter },
  }).catch(() => ({ verified: false as const }))
  if (!found.verified) {
    await note(work, Object.freeze({ tenant, subject: person.id, user: person.body.name, kind: 'user', roles: [] }), [{ action: 'session.refused', entity: person.id }])
    return { outcome: 'refused' }
  }
  await save(work, person, keysOf(person).map((k) => (k.id === key.id ? { ...k, counter: found.authenticationInfo.newCounter } : k)))
  return openSession(work, tenant, { user: person.body.name, role: person.body.role, entity: person.id }, { by: 'passkey', agent })
}
