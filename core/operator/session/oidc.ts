import * as client from 'openid-client'
import type { Role } from '#core/caller.js'
import { Refusal } from '#core/error.js'
import { roles as allRoles } from '#core/token/token.js'

/** Single sign-on by configuration (UX-052): OpenID Connect Core 1.0, authorization code flow with PKCE (RFC 7636). */
export interface OidcConfig {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** The claim of the ID token that names groups or roles. */
  readonly claim: string
  /** `group=role` pairs; the first pair whose group the person has decides. */
  readonly roles: readonly { readonly group: string; readonly role: Role }[]
}

/** `flex-admins=admin,flex-ops=operator` */
export function rolesOf(text: string): OidcConfig['roles'] {
  return text.split(',').map((x) => x.trim()).filter((x) => x !== '').map((pair) => {
    const cut = pair.lastIndexOf('='), group = pair.slice(0, cut).trim(), role = pair.slice(cut + 1).trim()
    if (cut < 1 || !(allRoles as readonly string[]).includes(role)) throw new Refusal('invalid', `'${pair}' of LOADSTONE_OIDC_ROLES is not group=role, with a role of ${allRoles.join(', ')}`)
    return { group, role: role as Role }
  })
}

export interface Begun { readonly verifier: string; readonly nonce: string; readonly back: string }
export interface Known { readonly user: string; readonly role: Role; readonly subject: string }

const loopback = /^(localhost|127\.0\.0\.1|\[::1\])$/

export class Oidc {
  readonly #config: OidcConfig
  #found: Promise<client.Configuration> | undefined
  constructor(config: OidcConfig) {
    this.#config = config
  }

  /** Asked once it is needed, and again after a failure: a provider that is down at our start must not keep people out for ever. */
  async #provider(): Promise<client.Configuration> {
    const { issuer, clientId, clientSecret } = this.#config, url = new URL(issuer), plain = url.protocol === 'http:' && loopback.test(url.hostname)
    this.#found ??= client.discovery(url, clientId, clientSecret || undefined, clientSecret ? undefined : client.None(), plain ? { execute: [client.allowInsecureRequests] } : undefined)
    return this.#found.catch((error: unknown) => {
      this.#found = undefined
      throw new Refusal('unavailable', `the identity provider ${url.host} does not answer: ${error instanceof Error ? error.message : String(error)}`)
    })
  }

  async begin(origin: string, remember: (begun: Begun) => string): Promise<{ url: string; state: string }> {
    const provider = await this.#provider(), verifier = client.randomPKCECodeVerifier(), nonce = client.randomNonce(), back = `${origin}/session/oidc/callback`, state = remember({ verifier, nonce, back })
    const url = client.buildAuthorizationUrl(provider, { redirect_uri: back, scope: 'openid profile email', code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', state, nonce })
    return { url: url.href, state }
  }

  async finish(begun: Begun, query: string, state: string): Promise<Known> {
    const provider = await this.#provider()
    const answer = await client.authorizationCodeGrant(provider, new URL(`${begun.back}?${query}`), { pkceCodeVerifier: begun.verifier, expectedNonce: begun.nonce, expectedState: state, idTokenExpected: true })
      .catch((error: unknown) => { throw new Refusal('unauthenticated', `the identity provider's answer cannot be used: ${error instanceof Error ? error.message : String(error)}`) })
    const claims = answer.claims()!, groups = [claims[this.#config.claim]].flat().filter((g): g is string => typeof g === 'string'), found = this.#config.roles.find((r) => groups.includes(r.group))
    if (!found) throw new Refusal('forbidden', `the identity provider knows you, but no group of yours (${groups.join(', ') || 'none'}) has a role here`)
    const user = [claims.preferred_username, claims.email, claims.sub].find((x): x is string => typeof x === 'string' && x.length > 0 && x.length <= 200)
    return { user: user ?? claims.sub.slice(0, 200), role: found.role, subject: claims.sub }
  }
}
