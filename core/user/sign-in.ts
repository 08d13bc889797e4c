import { timingSafeEqual } from 'node:crypto'
import { note } from '#core/audit/note.js'
import { system, type Caller, type Role } from '#core/caller.js'
import type { Document } from '#core/port/store/document.js'
import { createToken, type Session } from '#core/token/token.js'
import { codes, hashed, step_ms, userKind, type User } from '#core/user/user.js'
import type { Transact, Work } from '#core/work.js'

export interface SignIn { readonly user: string; readonly password: string; readonly code: string; readonly agent: string }
export type SignedIn = { readonly outcome: 'in'; readonly token: string; readonly user: string; readonly role: Role } | { readonly outcome: 'refused' | 'locked' }

/** Interpretation (UX-052, SEC-011): five wrong answers lock a name for a quarter of an hour; a session lasts a working day of real time. */
const mostFailures = 5, lock_ms = 900_000, session_s = 12 * 3600

/** A person's own caller, for what they do to themselves. */
const selfOf = (tenant: string, user: string): Caller => Object.freeze({ ...system(tenant), user, kind: 'user' })

/** Every way in ends here: an ordinary token, so every rule of the door stays the tokens' own, and a record of who came how. */
export async function openSession(work: Work, tenant: string, who: { user: string; role: Role; entity: string }, session: Session): Promise<SignedIn> {
  const caller = selfOf(tenant, who.user), { token } = await createToken(work, caller, { role: who.role, user: who.user, expiresIn_s: session_s * work.clock.rate, session })
  await note(work, caller, [{ action: 'session.begin', entity: who.entity, reason: session.by }])
  return { outcome: 'in', token, user: who.user, role: who.role }
}

/** Counts a wrong answer; the count is committed before the refusal is told, so it holds even if the caller hangs up. */
export async function refuse(work: Work, found: Document<User>, machineMs: number): Promise<SignedIn> {
  const { stores, clock } = work, { body } = found, failures = body.failures + 1, locked = failures >= mostFailures
  await stores.documents.replace<User>({ ...found, body: { ...body, failures: locked ? 0 : failures, lockedUntil: locked ? machineMs + lock_ms : 0 } }, clock.nowMs(), found.version)
  await note(work, selfOf(found.tenant, body.name), [{ action: locked ? 'session.locked' : 'session.refused', entity: found.id }])
  return { outcome: locked ? 'locked' : 'refused' }
}

/** Both factors or nothing, and never which one was wrong. `machineMs` is real time: an authenticator knows no demo clock. */
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
    if (!right) return refuse(work, found, machineMs)
    await stores.documents.replace<User>({ ...found, body: { ...body, usedStep: step, failures: 0, lockedUntil: 0 } }, clock.nowMs(), found.version)
    return openSession(work, tenant, { user: body.name, role: body.role, entity: found.id }, { by: 'password', agent: given.agent })
  })
}
