import type { FastifyRequest } from 'fastify'
import type { Caller, Role } from '#core/caller.js'
import { Refusal } from '#core/error.js'
import type { TokenBook } from '#core/token/token.js'
import { cookieOf, guarded } from '#core/operator/session/cookie.js'

declare module 'fastify' {
  interface FastifyRequest {
    operator: Caller
  }
  interface FastifyContextConfig {
    /** Who may call; `open` = no token (health), `local` = no token on loopback only. Absent under /api/ = the route is refused at start. */
    roles?: readonly Role[] | 'open' | 'local'
  }
}

const loopback = /^(127\.|::1$|::ffff:127\.)/

export type Authenticate = (request: FastifyRequest) => Promise<Caller>

/**
 * The bearer token of a request, or the session cookie of the console, → a frozen caller, once per request (style.md §6). A header
 * decides alone when it is there; a token in the URL is never looked at (SEC-011); a cookie changes nothing unguarded (SEC-066).
 */
export const authenticator = (tokens: TokenBook): Authenticate => async (request) => {
  const header = request.headers.authorization, cookie = header === undefined ? cookieOf(request) : undefined
  const token = cookie ?? /^Bearer ([\x21-\x7e]{1,500})$/i.exec(header ?? '')?.[1]
  const caller = token === undefined ? undefined : await tokens.callerOf(token)
  if (!caller) throw new Refusal('unauthenticated', 'a valid bearer token is needed')
  if (cookie !== undefined) guarded(request, cookie)
  return caller
}

/** Deny by default: no roles, no entry. */
export function admit(caller: Caller, roles: readonly Role[]): void {
  if (!caller.roles.some((r) => roles.includes(r))) throw new Refusal('forbidden', `the role ${caller.roles.join(', ')} may not do this`)
}

/** Runs before anything of the body is read. */
export const doorkeeper = (authenticate: Authenticate) => async (request: FastifyRequest): Promise<void> => {
  const roles = request.routeOptions.config.roles
  if (roles === 'open' || (roles === 'local' && loopback.test(request.socket.remoteAddress ?? ''))) return
  // a path that does not exist tells nobody without a token that it does not
  request.operator = await authenticate(request)
  if (Array.isArray(roles)) admit(request.operator, roles)
}
