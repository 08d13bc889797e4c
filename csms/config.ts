import { doorDefaults } from '#csms/rpc/door.js'
import { sessionLimits } from '#csms/rpc/session.js'

export interface CsmsConfig {
  readonly tenant: string
  /** Server key of the keyed password hashes (REL-042); at least 32 bytes, from the data folder. */
  readonly secret: Buffer
  /** URL path before the identity. */
  readonly path: string
  /** 401 for unknown ids too, so that identities cannot be probed (OCPP-003); the `conformance` seed sets false. */
  readonly hideIdentities: boolean
  /** Failing handshakes a minute per address and identity; 0 = off. */
  readonly failuresPerMinute: number
  /** Every refused login takes this long. */
  readonly refusalDelayMs: number
  /** Bad frames of a station in a minute before its socket is closed (OCPP-067); 0 = no limit. */
  readonly badFramesPerMinute: number
  readonly pingIntervalMs: number
  readonly callTimeoutMs: number
  readonly maxPayload: number
  readonly heartbeatInterval_s: number
  /** Retry time that Pending and Rejected boots are told. */
  readonly bootRetry_s: number
  /** Unknown hardware: refuse at the door, hold Pending until approved, or take it (OCPP-087). */
  readonly admission: 'registered' | 'quarantine' | 'open'
  /** Security profile 0, for development only (OCPP-020). */
  readonly allowUnsecured: boolean
  /** Subject O of station certificates (OCPP-028). */
  readonly organizations: readonly string[]
  /** Roots of station certificates, PEM. */
  readonly stationRoots: readonly string[]
  /** Readings go to the core in intervals of this many minutes. */
  readonly readingMinutes: number
  /** ProfileStackLevel of a station that did not say (OCPP-229). */
  readonly assumedStackLevel: number
  /** Authorization back end silent: refuse or accept (OCPP-118). */
  readonly authorizationFails: 'closed' | 'open'
  readonly masterGroup: string | undefined
  /** Tariff of stations that have none of their own (OCPP-166). */
  readonly tariff: string | undefined
  /** What a cost display shows when nobody told it better (OCPP-167). */
  readonly texts: { readonly tariff?: string; readonly cost?: string }
  /** Roots of contract certificates, PEM (OCPP-117). */
  readonly mobilityRoots: readonly string[]
  /** Addresses of TLS-terminating proxies that may tell a station's client certificate in a header, over mTLS (OCPP-033). */
  readonly proxies: readonly string[]
  /** Share of accepted event profiles whose composite schedule is read back in fleets of more than 1,000; all in smaller ones; 0: none (OCPP-237). */
  readonly compositeShare: number
  /** An accepted charging profile is not restated sooner (OCPP-203), s. */
  readonly profileEvery_s: number
  /** Whether a first or changed boot is followed by GetBaseReport (OCPP-090). */
  readonly postBootReport: boolean
  /** Whether each Accepted boot of a station with profiles of ours is followed by a comparison (OCPP-201). */
  readonly reconcile: boolean
  readonly drainMs: number
}

/** Environment → plain object; `main.ts` alone gives it the environment. */
export function csmsConfig(env: Readonly<Record<string, string | undefined>>, given: Pick<CsmsConfig, 'tenant' | 'secret'> & Partial<CsmsConfig>): CsmsConfig {
  const number = (name: string, fallback: number, least: number): number => {
    const value = env[name] === undefined ? fallback : Number(env[name])
    if (!Number.isFinite(value) || value < least) throw new Error(`${name} must be a number of at least ${least}`)
    return value
  }
  return {
    path: '/ocpp',
    hideIdentities: true,
    failuresPerMinute: number('LOADSTONE_OCPP_FAILURES_PER_MINUTE', doorDefaults.failuresPerMinute, 0),
    refusalDelayMs: doorDefaults.refusalDelayMs,
    badFramesPerMinute: number('LOADSTONE_OCPP_BAD_FRAMES_PER_MINUTE', sessionLimits.badFrames, 0),
    pingIntervalMs: 1000 * number('LOADSTONE_OCPP_PING_S', 30, 1),
    callTimeoutMs: 1000 * number('LOADSTONE_OCPP_CALL_TIMEOUT_S', sessionLimits.callTimeoutMs / 1000, 5),
    maxPayload: number('LOADSTONE_OCPP_MAX_PAYLOAD', doorDefaults.maxPayload, 65_536),
    heartbeatInterval_s: number('LOADSTONE_OCPP_HEARTBEAT_S', 300, 1),
    bootRetry_s: 30,
    admission: 'registered',
    allowUnsecured: false,
    organizations: [],
    stationRoots: [],
    readingMinutes: 15,
    assumedStackLevel: 3,
    authorizationFails: 'closed',
    masterGroup: undefined,
    tariff: undefined,
    texts: {},
    mobilityRoots: [],
    proxies: (env.LOADSTONE_OCPP_PROXIES ?? '').split(',').map((a) => a.trim()).filter((a) => a !== ''),
    compositeShare: 0.1,
    profileEvery_s: number('LOADSTONE_OCPP_PROFILE_EVERY_S', 30, 0),
    postBootReport: true,
    reconcile: true,
    drainMs: number('LOADSTONE_OCPP_DRAIN_MS', 2000, 0),
    ...given,
  }
}
