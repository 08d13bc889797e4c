import { LRUCache } from 'lru-cache'
import type { Caller, Role } from '#core/caller.js'
import { Refusal } from '#core/error.js'
import type { Clock } from '#core/port/clock.js'
import type { Client, Clients } from '#vtn/client.js'
import { widen, type Scope, type VtnRole } from '#vtn/scope.js'
import type { TokenClaims, Tokens } from '#vtn/token.js'

/** Who asks on this door; frozen. `subject` is the clientID, '' for a reader without a token (OA-030). */
export interface VtnCaller extends Caller {
  readonly role: VtnRole
  readonly scopes: ReadonlySet<Scope>
}

export interface Identity {
  /** The caller of an Authorization header; synchronous when token and client are known. Throws `unauthenticated`. */
  of(authorization: string | undefined): VtnCaller | Promise<VtnCaller>
  ofToken(token: string): VtnCaller | Promise<VtnCaller>
}

const noRoles: readonly Role[] = []

const callerOf = (tenant: string, clientID: string, role: VtnRole, scopes: ReadonlySet<Scope>): VtnCaller => Object.freeze({
  tenant, subject: clientID, user: clientID, kind: role === 'BL' ? 'businessLogic' as const : 'ven' as const, roles: noRoles, role, scopes,
})

/** A known client with all its scopes, where another broker asks about a login that it has checked with us before. */
export const clientCaller = (tenant: string, client: Client): VtnCaller => callerOf(tenant, client.clientID, client.role, client.scopes)

const refused = (): Refusal => new Refusal('unauthenticated', 'the access token is missing, unknown or no longer valid')

/**
 * A verified token is remembered until it ends; the client's record is looked at on every request (from memory, until it
 * changes), so that removal, rotation and a change of role count at once (SEC-007, SEC-010).
 */
export function makeIdentity(needs: { tokens: Tokens; clients: Clients; tokenClock: Clock; tenant: string; external: boolean; publicReads: boolean }): Identity {
  const { tokens, clients, tokenClock, tenant } = needs
  const verified = new LRUCache<string, { claims: TokenClaims; made?: { by: unknown; caller: VtnCaller } }>({ max: 20_000 })
  const anonymous = callerOf(tenant, '', 'VEN', new Set<Scope>(['read_targets']))

  const toCaller = (entry: { claims: TokenClaims; made?: { by: unknown; caller: VtnCaller } }, client: Awaited<ReturnType<Clients['find']>>): VtnCaller => {
    if (entry.made?.by === (client ?? entry)) return entry.made.caller
    const { claims } = entry
    const caller = needs.external && claims.role
      ? callerOf(tenant, claims.clientID, claims.role, claims.scopes)
      : own(claims, client)
    entry.made = { by: client ?? entry, caller }
    return caller
  }

  function own(claims: TokenClaims, client: Awaited<ReturnType<Clients['find']>>): VtnCaller {
    if (!client || client.secretMark !== claims.secretMark) throw refused()
    return callerOf(tenant, client.clientID, client.role, widen([...claims.scopes].filter((s) => client.scopes.has(s))))
  }

  async function first(token: string): Promise<VtnCaller> {
    const claims = token.length > 4096 ? undefined : await tokens.verify(token)
    if (!claims) throw refused()
    const entry = { claims }
    verified.set(token, entry)
    return toCaller(entry, needs.external ? undefined : await clients.find(claims.clientID))
  }

  function ofToken(token: string): VtnCaller | Promise<VtnCaller> {
    const entry = verified.get(token)
    if (!entry) return first(token)
    if (entry.claims.exp * 1000 <= tokenClock.nowMs()) { verified.delete(token); throw refused() }
    if (needs.external) return toCaller(entry, undefined)
    const client = clients.cached(entry.claims.clientID)
    return client === 'unknown' ? clients.find(entry.claims.clientID).then((c) => toCaller(entry, c)) : toCaller(entry, client)
  }

  return {
    ofToken,
    of(authorization) {
      if (authorization === undefined) {
        if (needs.publicReads) return anonymous
        throw refused()
      }
      // Nearly every request says it exactly so; the pattern is for the others (RFC 9110 §11.1).
      const usual = authorization.startsWith('Bearer ') && !authorization.includes(' ', 7)
      const token = usual ? authorization.slice(7) : /^bearer +([^\s]+)$/i.exec(authorization)?.[1]
      if (token === undefined) throw refused()
      return ofToken(token)
    },
  }
}

/** OA-028: a valid token without the scope is 403. */
export function demand(caller: VtnCaller, scope: Scope): void {
  if (!caller.scopes.has(scope)) {
    throw caller.subject === '' ? refused() : new Refusal('forbidden', `this needs the scope ${scope}, which the token does not have`)
  }
}
