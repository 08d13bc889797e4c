import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { note } from '#core/audit/note.js'
import type { Caller, Role } from '#core/caller.js'
import { Refusal } from '#core/error.js'
import { present } from '#core/permission.js'
import type { Document } from '#core/port/store/document.js'
import type { Clock } from '#core/port/clock.js'
import type { Stores } from '#core/port/store/index.js'
import type { Work } from '#core/work.js'

export const roles: readonly Role[] = ['admin', 'operator', 'dispatcher', 'settlement', 'approver', 'auditor', 'viewer', 'caOfficer', 'vendor', 'dso', 'customer']

/** An operator's bearer token: kept as a hash, so a copy of the database opens no door. */
export interface Token {
  readonly role: Role
  readonly user: string
  readonly expiresAt: number | null
  readonly createdBy: string
  readonly revokedAt: number | null
  readonly programs?: readonly string[]
  /** Set where a person signed in: how, and with which browser. */
  readonly session?: Session
}

export interface Session { readonly by: 'password' | 'passkey' | 'oidc'; readonly agent: string }

export interface TokenWish {
  readonly role: Role
  readonly user?: string
  readonly expiresIn_s?: number
  /** Program ids that the token is limited to. */
  readonly programs?: readonly string[]
  readonly session?: Session
}

const kind = 'core/Token'
const hash = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** The secret is shown once, here. Tokens with different `user` are different people for two-person rules (contract §4). */
export async function createToken(work: Work, caller: Caller, wish: TokenWish): Promise<{ token: string; document: Document<Token> }> {
  const { stores, clock, ids } = work
  if (!roles.includes(wish.role)) throw new Refusal('invalid', `there is no role '${wish.role}'`, { faults: [{ path: '/role', reason: `must be one of ${roles.join(', ')}` }] })
  const id = ids.uuid(), token = `lst_${Buffer.from(caller.tenant).toString('base64url')}.${ids.hex(24)}`
  const body: Token = {
    role: wish.role, user: wish.user ?? `${wish.role}-${id.slice(-8)}`, expiresAt: wish.expiresIn_s === undefined ? null : clock.nowMs() + wish.expiresIn_s * 1000,
    createdBy: caller.user, revokedAt: null, ...(wish.programs ? { programs: wish.programs } : {}), ...(wish.session ? { session: wish.session } : {}),
  }
  const document = await stores.documents.insert<Token>({ tenant: caller.tenant, kind, id, parent: '', key: hash(token), body }, clock.nowMs())
  await note(work, caller, [{ action: 'token.create', entity: id, after: body }])
  return { token, document }
}

export const listTokens = (stores: Stores, tenant: string): Promise<Document<Token>[]> => stores.documents.list<Token>(tenant, { kind, limit: 10_000 })

/** SEC-035: the last administrator cannot be removed. */
export async function revokeToken(work: Work, caller: Caller, id: string): Promise<Document<Token>> {
  const { stores, clock } = work
  const found = present(await stores.documents.get<Token>(caller.tenant, kind, id), 'token', id)
  if (found.body.revokedAt !== null) return found
  const valid = (t: Token): boolean => t.role === 'admin' && t.revokedAt === null && (t.expiresAt === null || t.expiresAt > clock.nowMs())
  if (valid(found.body) && !(await listTokens(stores, caller.tenant)).some((d) => d.id !== id && valid(d.body))) throw new Refusal('conflict', 'this is the last administrator')
  const body: Token = { ...found.body, revokedAt: clock.nowMs() }
  const stored = await stores.documents.replace<Token>({ ...found, body }, clock.nowMs(), found.version)
  await note(work, caller, [{ action: 'token.revoke', entity: id, before: found.body, after: body }])
  return stored
}

/** Who is signed in with a browser: everybody for an administrator, oneself for anybody else. */
export async function listSessions(stores: Stores, caller: Caller): Promise<Document<Token>[]> {
  const all = caller.roles.includes('admin')
  return (await listTokens(stores, caller.tenant)).filter(({ body }) => body.session && body.revokedAt === null && (all || body.user === caller.user))
}

/** Signing out, here or on another machine. A token that was made for a program to use outlives the page that borrowed it. */
export async function endSession(work: Work, caller: Caller, id: string): Promise<void> {
  const { stores, clock } = work, found = await stores.documents.get<Token>(caller.tenant, kind, id)
  if (!found?.body.session) {
    if (id === caller.subject) return
    throw new Refusal('notFound', 'there is no such session')
  }
  if (found.body.user !== caller.user && !caller.roles.includes('admin')) throw new Refusal('notFound', 'there is no such session')
  if (found.body.revokedAt !== null) return
  await stores.documents.replace<Token>({ ...found, body: { ...found.body, revokedAt: clock.nowMs() } }, clock.nowMs(), found.version)
  await note(work, caller, [{ action: 'session.end', entity: id }])
}

export interface TokenBook {
  /** The caller that a bearer token stands for; undefined for anything that is not a valid token. */
  callerOf(token: string): Promise<Caller | undefined>
}

/** Validity is checked at every request; what the database said is remembered only while no token has changed anywhere (SEC-010). */
export function tokenBook(stores: Stores, clock: Clock): TokenBook {
  const cache = new LRUCache<string, { revision: number; at: number; found: Document<Token> | undefined }>({ max: 10_000 })
  return {
    async callerOf(token) {
      const match = /^lst_([A-Za-z0-9_-]{1,200})\.([0-9a-f]{16,128})$/.exec(token)
      const tenant = match ? Buffer.from(match[1]!, 'base64url').toString() : ''
      if (!match || tenant === '' || tenant.includes('\0')) return undefined
      const key = hash(token), revision = stores.documents.revision(tenant, kind), now = clock.nowMs()
      let hit = cache.get(key)
      if (!hit || hit.revision !== revision || now - hit.at > 30_000 * clock.rate) {
        hit = { revision, at: now, found: await stores.documents.byKey<Token>(tenant, kind, '', key) }
        cache.set(key, hit)
      }
      const body = hit.found?.body
      if (!body || body.revokedAt !== null || (body.expiresAt !== null && body.expiresAt <= now)) return undefined
      const granted: readonly Role[] = [body.role]
      return Object.freeze({ tenant, subject: hit.found!.id, user: body.user, kind: 'user', roles: granted, ...(body.programs ? { programs: body.programs } : {}) })
    },
  }
}
