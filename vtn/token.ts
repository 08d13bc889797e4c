import { SignJWT, createLocalJWKSet, createRemoteJWKSet, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose'
import type { Clock } from '#core/port/clock.js'
import type { Ids } from '#core/port/ids.js'
import type { Client } from '#vtn/client.js'
import type { ExternalIdp } from '#vtn/config.js'
import { readScopes, type Scope, type VtnRole } from '#vtn/scope.js'
import type { Secrets } from '#vtn/secret.js'

/** What a good token says, before the client's record is asked. */
export interface TokenClaims {
  readonly clientID: string
  readonly scopes: ReadonlySet<Scope>
  /** Only a foreign token carries the role; ours takes it from the client's record at each use. */
  readonly role?: VtnRole
  readonly secretMark?: string
  /** Epoch seconds on the token clock. */
  readonly exp: number
}

export interface Tokens {
  issue(client: Client, scopes: readonly Scope[]): Promise<{ token: string; expiresIn: number }>
  /** Undefined for every kind of bad token; the reason stays with us (SEC-009). */
  verify(token: string): Promise<TokenClaims | undefined>
}

const hour = 3600

/** Our own token service: HS256 with a key that never leaves the server; algorithm and key are ours, not the token's (SEC-009). */
export function ownTokens(needs: { secrets: Secrets; tokenClock: Clock; ids: Ids; tenant: string; life_s?: number | undefined }): Tokens {
  const { secrets, tokenClock, ids } = needs
  const issuer = `urn:loadstone:vtn:${needs.tenant}`
  // SEC-011: an hour at most.
  const life = Math.min(needs.life_s ?? hour, hour)
  return {
    async issue(client, scopes) {
      const now = Math.floor(tokenClock.nowMs() / 1000)
      const token = await new SignJWT({ client_id: client.clientID, scope: scopes.join(' '), mark: client.secretMark })
        .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
        .setIssuer(issuer).setAudience(issuer).setSubject(client.clientID).setIssuedAt(now).setNotBefore(now).setExpirationTime(now + life).setJti(ids.uuid())
        .sign(secrets.tokenKey)
      return { token, expiresIn: life }
    },
    async verify(token) {
      const payload = await good(() => jwtVerify(token, secrets.tokenKey, {
        algorithms: ['HS256'], issuer, audience: issuer, typ: 'at+jwt', requiredClaims: ['exp', 'iat', 'sub', 'mark'], currentDate: new Date(tokenClock.nowMs()),
      }))
      if (!payload) return undefined
      const scopes = new Set(String(payload['scope'] ?? '').split(' ').filter(Boolean) as Scope[])
      return { clientID: String(payload.sub), scopes, secretMark: String(payload['mark']), exp: payload.exp as number }
    },
  }
}

const asymmetric = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']

/** Tokens of an external provider by its key set, with rotation (OA-029). */
export function externalTokens(idp: ExternalIdp, tokenClock: Clock): Tokens {
  const secret = idp.hs256Secret === undefined ? undefined : Buffer.from(idp.hs256Secret)
  if (secret && secret.length < 32) throw new Error('auth.externalIdp.hs256Secret needs 32 bytes or more (OA-029)')
  const keys: JWTVerifyGetKey | undefined = idp.jwks ? createLocalJWKSet(idp.jwks as never)
    : idp.jwksUrl ? createRemoteJWKSet(new URL(idp.jwksUrl), { timeoutDuration: 5000, cooldownDuration: idp.jwksCooldown_ms ?? 30_000 }) : undefined
  if (!secret && !keys) throw new Error('auth.externalIdp needs jwks, jwksUrl or hs256Secret (OA-029)')
  const options = () => ({
    algorithms: secret ? ['HS256'] : asymmetric, requiredClaims: ['exp'], currentDate: new Date(tokenClock.nowMs()),
    ...(idp.issuer ? { issuer: idp.issuer } : {}), ...(idp.audience ? { audience: idp.audience } : {}),
  })
  return {
    issue: () => Promise.reject(new Error('an external provider issues the tokens')),
    async verify(token) {
      const payload = await good(() => secret ? jwtVerify(token, secret, options()) : jwtVerify(token, keys as JWTVerifyGetKey, options()))
      return payload && foreign(payload, idp)
    },
  }
}

async function good(verify: () => Promise<{ payload: JWTPayload; protectedHeader: { typ?: string } }>): Promise<JWTPayload | undefined> {
  try {
    const { payload, protectedHeader } = await verify()
    // An ID token or a logout token is not an access token (RFC 9068 §4); absent typ is common in the field.
    const typ = protectedHeader.typ?.toLowerCase().replace(/^application\//, '')
    return typ === undefined || typ === 'jwt' || typ === 'at+jwt' ? payload : undefined
  } catch {
    return undefined
  }
}

function foreign(payload: JWTPayload, idp: ExternalIdp): TokenClaims | undefined {
  const named = idp.clientIdClaims?.map((claim) => payload[claim]).find((v) => typeof v === 'string')
  const clientID = named ?? payload.sub
  if (typeof clientID !== 'string' || clientID.length < 1 || clientID.length > 128) return undefined
  const claim = payload['scope'] ?? payload['scp'] ?? payload['roles']
  const names = Array.isArray(claim) ? claim.map(String) : typeof claim === 'string' ? claim.split(' ') : []
  return { clientID, ...readScopes(names), exp: payload.exp as number }
}
