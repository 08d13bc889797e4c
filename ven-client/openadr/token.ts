import type { Clock } from '#core/port/clock.js'
import { isVtnError, VtnError } from '#ven-client/openadr/error.js'
import type { Dialect } from '#ven-client/openadr/revision.js'
import type { Requester } from '#ven-client/openadr/request.js'

/** Client credentials (OA-200); without them requests carry no token. */
export interface Credentials {
  readonly clientID: string
  readonly clientSecret: string
  readonly scope?: string
  /** Where tokens come from; unset = asked at `/auth/server` (OA-201). */
  readonly tokenURL?: string
}

export interface Tokens {
  /** The token to send now; undefined without credentials. */
  bearer(signal?: AbortSignal): Promise<string | undefined>
  /** Forgets a token that the VTN refused. */
  refuse(token: string): void
}

/** OA-201: one token for all requests, renewed in good time, fetched once however many ask; it never reaches a log. */
export function tokens(send: Requester, clock: Clock, credentials: Credentials | undefined, dialect: Pick<Dialect, 'authServer'>): Tokens {
  let held: { token: string; renewAt_ms: number } | undefined
  let fetching: Promise<string> | undefined
  let tokenURL = credentials?.tokenURL ?? (dialect.authServer ? undefined : '/auth/token')

  async function fetch(own: Credentials, signal?: AbortSignal): Promise<string> {
    const withSignal = signal ? { signal } : {}
    if (tokenURL === undefined) {
      const { body } = await send({ method: 'GET', path: '/auth/server', ...withSignal })
      const named = (body as { tokenURL?: unknown }).tokenURL
      if (typeof named !== 'string') throw new VtnError('protocol', 'The VTN names no tokenURL at /auth/server.')
      tokenURL = named
    }
    try {
      const asked_ms = clock.nowMs()
      const { body } = await send({
        method: 'POST', path: tokenURL, ...withSignal,
        form: { grant_type: 'client_credentials', client_id: own.clientID, client_secret: own.clientSecret, ...(own.scope ? { scope: own.scope } : {}) },
      })
      const { access_token, expires_in } = body as { access_token?: unknown; expires_in?: unknown }
      if (typeof access_token !== 'string' || access_token === '') throw new VtnError('protocol', 'The token endpoint gave no access_token.')
      const life_ms = (typeof expires_in === 'number' && expires_in > 0 ? expires_in : 300) * 1000
      held = { token: access_token, renewAt_ms: asked_ms + life_ms - Math.min(60_000, life_ms * 0.2) }
      return access_token
    } catch (error) {
      // RFC 6749: a wrong id or secret is invalid_client, with 400 or 401, on 3.0.1 403 (OA-242): no waiting heals it
      if (isVtnError(error) && (error.status === 400 || error.status === 401 || (!dialect.authServer && error.status === 403))) {
        throw new VtnError('unauthenticated', `The token endpoint refused client '${own.clientID}'.`, { status: error.status, cause: error })
      }
      throw error
    }
  }

  return {
    async bearer(signal) {
      if (!credentials) return undefined
      if (held && clock.nowMs() < held.renewAt_ms) return held.token
      fetching ??= fetch(credentials, signal).finally(() => { fetching = undefined })
      return fetching
    },
    refuse(token) { if (held?.token === token) held = undefined },
  }
}
