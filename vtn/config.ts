/** What `main.ts` hands in, checked there; every member has its default here. */
export interface VtnClientConfig {
  readonly clientID: string
  readonly clientSecret: string
  readonly role: 'BL' | 'VEN'
  /** Fewer scopes than the role gives; default all of the role. */
  readonly scopes?: readonly string[]
}

/** Tokens of somebody else's identity provider (OA-029); with one of these, `POST /auth/token` answers 501. */
export interface ExternalIdp {
  readonly tokenURL: string
  /** Where its keys are; or the keys themselves. */
  readonly jwksUrl?: string
  /** How soon after one fetch an unknown key id may cause the next; default 30,000. */
  readonly jwksCooldown_ms?: number
  readonly jwks?: { readonly keys: readonly object[] }
  /** HS256 with a shared secret of at least 32 bytes, instead of a key set. */
  readonly hs256Secret?: string
  readonly issuer?: string
  readonly audience?: string
  /** Claims that may hold the clientID, before `sub`. */
  readonly clientIdClaims?: readonly ('client_id' | 'azp')[]
}

export interface VtnConfig {
  readonly tenant: string
  /** Configured clients; more may be stored (`Vtn.clients`). */
  readonly clients?: readonly VtnClientConfig[]
  /** Hex key of 32 bytes that seals secrets at rest; without it one is made and kept in the database. */
  readonly sealKey?: string
  /** Address that clients see, e.g. https://vtn.example:8081; default: from the request. */
  readonly publicUrl?: string
  readonly basePath31?: string
  readonly basePath301?: string
  readonly bodyLimit?: number
  readonly tokenLife_s?: number
  readonly auth?: {
    readonly externalIdp?: ExternalIdp
    /** OA-027; default 401 on 3.1 and 403 on 3.0.1. */
    readonly invalidTokenStatus31?: 401 | 403
    readonly invalidTokenStatus301?: 401 | 403
  }
  /** OA-030, OA-261: reads of untargeted programs and events without a token. */
  readonly publicReads?: boolean
  /** OA-031: requests a minute and client; default no limit. */
  readonly ratePerMinute?: number
  readonly reports?: { /** OA-035; default true on 3.1, always false on 3.0.1. */ readonly blDelete?: boolean }
  readonly refs?: { /** OA-091; default 409 on 3.1 and 400 on 3.0.1. */ readonly unknownStatus?: 400 | 409 }
  readonly delete?: { readonly policy?: 'cascade' | 'restrict' }
  readonly validation?: {
    /** OA-087, OA-088; default warn. */
    readonly payloads?: 'off' | 'warn' | 'strict'
    /** OA-085. */
    readonly lenientDescriptors?: boolean
    /** OA-056 makes a null where the YAML has none a 400; some clients in the field send it for every member left out. Then it counts as absent. */
    readonly lenientNulls?: boolean
    /** OA-260: programs of this PROGRAM_TYPE are checked by the profile's rules. */
    readonly gridAwareCharging?: boolean
  }
  readonly webhooks?: {
    readonly allowHttp?: boolean
    readonly echo?: 'required' | 'warn' | 'off'
    readonly notifyReads?: boolean
    readonly timeout_ms?: number
    /** Host names, addresses or CIDR blocks that the SSRF guard lets through. */
    readonly allow?: readonly string[]
    readonly attempts?: number
    /** REL-054: after the attempts above a notification is tried hourly until this long after the first one; 0 = the letter of OA-129, which ends there. */
    readonly retryFor_h?: number
    /** Consecutive failures after which an endpoint counts as broken. */
    readonly brokenAfter?: number
  }
  /** Off when absent or without addresses. */
  readonly mqtt?: {
    /** Addresses given to clients (OA-135); `{host}` is the one that the client asked, or that of `publicUrl`. */
    readonly uris: readonly string[]
    readonly authentication?: 'OAUTH2_BEARER_TOKEN' | 'ANONYMOUS'
    readonly prefix?: string
    /** OA-034, OA-136: program topics open to every VEN; program and event objects without targets are published there. */
    readonly publicTopics?: boolean
    /** Publish to a broker of somebody else instead of the embedded one. */
    readonly external?: {
      readonly url: string
      readonly username?: string
      readonly password?: string
      /** PEM of the broker's root. */
      readonly ca?: string
      /** What the broker shows when it asks us (`mqtt/callback.ts`); without one it finds nobody to ask. */
      readonly callbackSecret?: string
    }
  }
  /** OA-220: said on the local network; off when absent. */
  readonly discovery?: boolean
  readonly compat301?: { /** OA-248. */ readonly openReads?: boolean }
}
