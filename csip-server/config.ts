import { Refusal } from '#core/error.js'

export type Profile = 'csip' | 'csip-aus-1.2' | 'csip-aus-1.3' | 'generic'
export interface PollRates { readonly dcap: number; readonly tm: number; readonly edev: number; readonly fsa: number; readonly derp: number; readonly der: number; readonly mup: number; readonly flow: number; readonly other: number }

/** What the door is told; each default and its meaning stand on one line of `csipConfig`. */
export interface CsipConfig {
  readonly profile: Profile
  readonly port: number
  readonly prefix: string
  readonly dcapPath: string
  readonly tls: 'strict' | 'compatible'
  readonly leafRefusal: 'close' | 'forbid'
  readonly unregistered: 'discover' | 'forbid'
  readonly registration: 'outOfBand' | 'allowList' | 'open'
  readonly duplicateEndDevice: 'conflict' | 'idempotent'
  readonly aggregatorsRegister: boolean
  readonly foreign: 403 | 404
  readonly afterMeans: 'key' | 'changed'
  readonly nmiUpdates: boolean
  readonly pen: number
  readonly mridPen: 'binary' | 'decimal'
  readonly timeZone: string
  readonly timeQuality: number
  readonly pollRate: PollRates
  readonly postRate: number
  readonly listMax: number
  readonly bodyMax: number
  readonly strictSchema: boolean
  readonly rateLimit: { readonly perSecond: number; readonly burst: number } | null
  readonly keepAlive_s: number
  readonly handshake_s: number
  readonly notifyAllow: readonly string[]
  readonly subscriptionLease_s: number
  readonly publicUrl: string | null
  readonly retention_s: number
  readonly eventRetention_s: number
  readonly aggregatorPens: readonly number[]
  readonly formerPrefixes: readonly string[]
  readonly proxy: ProxyConfig | null
  readonly dnsSd: { readonly domain: 'local' | 'site'; readonly host: string } | null
}

/** SEP-013: a proxy that ends TLS for us says who the client is. */
export interface ProxyConfig {
  readonly port: number
  readonly header: string
  readonly form: 'pem' | 'sha256' | 'lfdi'
  readonly from: readonly string[]
}

const profiles: readonly Profile[] = ['csip', 'csip-aus-1.2', 'csip-aus-1.3', 'generic']

/** Environment → checked configuration. Only main.ts hands in `process.env`. */
export function csipConfig(env: Readonly<Record<string, string | undefined>> = {}): CsipConfig {
  const profile = choice(env, 'LOADSTONE_CSIP_PROFILE', profiles, 'csip') // SEP-003, 063, 105 and others have a default per profile
  const aus = profile.startsWith('csip-aus')
  return {
    profile,
    port: whole(env, 'LOADSTONE_CSIP_PORT', 8443, 0, 65_535), // SEP-010
    prefix: prefixOf(env.LOADSTONE_CSIP_PREFIX ?? ''), // SEP-010: in front of every href that we print
    dcapPath: env.LOADSTONE_CSIP_DCAP ?? '/dcap', // SEP-010
    tls: choice(env, 'LOADSTONE_CSIP_TLS', ['strict', 'compatible'], aus ? 'compatible' : 'strict'), // SEP-003: CCM_8 alone, or GCM after it
    leafRefusal: choice(env, 'LOADSTONE_CSIP_LEAF_REFUSAL', ['close', 'forbid'], 'close'), // SEP-006: a leaf outside the profile: close, or 403
    unregistered: choice(env, 'LOADSTONE_CSIP_UNREGISTERED', ['discover', 'forbid'], 'discover'), // SEP-091: dcap and tm, or 403
    registration: choice(env, 'LOADSTONE_CSIP_REGISTRATION', ['outOfBand', 'allowList', 'open'], 'allowList'), // SEP-103
    duplicateEndDevice: choice(env, 'LOADSTONE_CSIP_DUPLICATE', ['conflict', 'idempotent'], aus ? 'conflict' : 'idempotent'), // SEP-105
    aggregatorsRegister: flag(env, 'LOADSTONE_CSIP_AGGREGATORS_REGISTER', aus), // SEP-104: LFDIs other than their own
    foreign: whole(env, 'LOADSTONE_CSIP_FOREIGN', 404, 403, 404) as 403 | 404, // SEP-190: 404 is no oracle
    afterMeans: choice(env, 'LOADSTONE_CSIP_AFTER', ['key', 'changed'], aus ? 'changed' : 'key'), // SEP-052: what `a` is compared with in lists of controls and mirrors
    nmiUpdates: flag(env, 'LOADSTONE_CSIP_NMI_UPDATES', true), // SEP-112
    pen: whole(env, 'LOADSTONE_PEN', 99_999, 0, 4_294_967_295), // SEP-063: the utility's private enterprise number
    mridPen: choice(env, 'LOADSTONE_CSIP_MRID_PEN', ['binary', 'decimal'], aus ? 'decimal' : 'binary'), // SEP-063
    timeZone: env.LOADSTONE_CSIP_TIME_ZONE ?? 'UTC', // SEP-092: IANA name behind /tm
    timeQuality: whole(env, 'LOADSTONE_CSIP_TIME_QUALITY', 3, 3, 7), // SEP-092
    pollRate: { dcap: 900, tm: 900, edev: 300, fsa: 300, derp: 60, der: 300, mup: 300, flow: 30, other: 900 }, // SEP-090, 200, 243
    postRate: whole(env, 'LOADSTONE_CSIP_POST_RATE', 300, 1, 86_400), // SEP-167
    listMax: whole(env, 'LOADSTONE_CSIP_LIST_MAX', 500, 1, 10_000), // SEP-051: `l` above it is clipped
    bodyMax: whole(env, 'LOADSTONE_CSIP_BODY_MAX', 1_048_576, 1024, 67_108_864), // SEP-025
    strictSchema: flag(env, 'LOADSTONE_CSIP_STRICT_SCHEMA', false), // SEP-026
    rateLimit: env.LOADSTONE_RATE_LIMITS === 'off' ? null : { perSecond: 20, burst: 200 }, // SEP-046
    keepAlive_s: whole(env, 'LOADSTONE_CSIP_KEEP_ALIVE', 1800, 900, 86_400), // SEP-008: twice the largest pollRate, at least 900 s
    handshake_s: 10, // SEP-005
    notifyAllow: (env.LOADSTONE_CSIP_NOTIFY_ALLOW ?? '').split(',').filter(Boolean), // SEP-159: hosts or addresses besides public ones
    subscriptionLease_s: whole(env, 'LOADSTONE_CSIP_SUBSCRIPTION_LEASE', 129_600, 0, 31_536_000), // SEP-160: 0 never ends
    retention_s: whole(env, 'LOADSTONE_CSIP_RETENTION_DAYS', 400, 1, 36_500) * 86_400, // SEP-173, SEP-175: readings older than this (13 months) are dropped on arrival
    eventRetention_s: whole(env, 'LOADSTONE_CSIP_EVENT_DAYS', 30, 7, 3650) * 86_400, // SEP-056, SEP-182: ended events are archived this long after their end
    aggregatorPens: (env.LOADSTONE_CSIP_AGGREGATOR_PENS ?? '').split(',').filter(Boolean).map(Number), // SEP-104: PENs that LFDIs of an aggregator's own making may end in; unset = any
    formerPrefixes: (env.LOADSTONE_CSIP_FORMER_PREFIXES ?? '').split(',').filter(Boolean).map(prefixOf), // SEP-044: GET below one of these answers 301 to the present one
    proxy: proxyOf(env), // SEP-013: off unless port, header and addresses are all named
    dnsSd: env.LOADSTONE_CSIP_DNS_SD ? { domain: choice(env, 'LOADSTONE_CSIP_DNS_SD', ['local', 'site'], 'local'), host: env.LOADSTONE_CSIP_DNS_SD_HOST || 'loadstone' } : null, // SEP-015: the domain to announce in; unset = off
    publicUrl: env.LOADSTONE_CSIP_PUBLIC_URL || null, // SEP-154: scheme, host and port that notifications name; unset = https://localhost:port
  }
}

/** Interpretation (SEP-013): the proxy speaks plain HTTP to a port of its own, from addresses that are named; the mTLS door never reads the header. */
function proxyOf(env: Env): ProxyConfig | null {
  const port = whole(env, 'LOADSTONE_CSIP_PROXY_PORT', 0, 0, 65_535), header = (env.LOADSTONE_CSIP_PROXY_HEADER ?? '').toLowerCase(), from = (env.LOADSTONE_CSIP_PROXY_FROM ?? '').split(',').filter(Boolean)
  if (port === 0) return null
  if (header === '' || from.length === 0) throw new Refusal('invalid', 'LOADSTONE_CSIP_PROXY_PORT needs LOADSTONE_CSIP_PROXY_HEADER and LOADSTONE_CSIP_PROXY_FROM.')
  return { port, header, form: choice(env, 'LOADSTONE_CSIP_PROXY_FORM', ['pem', 'sha256', 'lfdi'], 'pem'), from }
}

type Env = Readonly<Record<string, string | undefined>>

function choice<T extends string>(env: Env, name: string, values: readonly T[], otherwise: T): T {
  const value = env[name]
  if (value === undefined || value === '') return otherwise
  if (!(values as readonly string[]).includes(value)) throw new Refusal('invalid', `${name} must be one of ${values.join(', ')}.`)
  return value as T
}

function whole(env: Env, name: string, otherwise: number, low: number, high: number): number {
  const text = env[name]
  if (text === undefined || text === '') return otherwise
  const value = Number(text)
  if (!Number.isInteger(value) || value < low || value > high) throw new Refusal('invalid', `${name} must be a whole number from ${low} to ${high}.`)
  return value
}

const flag = (env: Env, name: string, otherwise: boolean): boolean => choice(env, name, ['on', 'off'], otherwise ? 'on' : 'off') === 'on'

function prefixOf(text: string): string {
  const prefix = text.replace(/\/+$/, '')
  if (!/^(\/[A-Za-z0-9_.-]+)*$/.test(prefix)) throw new Refusal('invalid', 'LOADSTONE_CSIP_PREFIX must look like /sep2.')
  return prefix
}
