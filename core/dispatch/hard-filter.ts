import type { Instant } from '#core/quantity/interval.js'

/** CORE-060, CORE-074, CORE-210: why a resource is not asked at all. */
export type FilterReason =
  | 'NOT_ACTIVE' | 'OPTED_OUT' | 'NOTICE_TOO_SHORT' | 'NO_CALLS_LEFT' | 'REST_TIME' | 'COMMS_STALE' | 'COMMS_LOST'
  | 'DEPARTURE' | 'RESERVE' | 'COMFORT' | 'NEVER_USE_WINDOW' | 'CALLS_A_WEEK' | 'BELOW_MINIMUM_PRICE'

export interface FilterFacts {
  readonly id: string
  readonly active: boolean
  readonly optedOut: boolean
  readonly noticeSeconds: number
  readonly callsLeft: number | null
  readonly lastEventEnd: Instant | undefined
  readonly restSeconds: number
  readonly lastSeen: Instant | undefined
  readonly reportingSeconds: number
  /** null = the kind of resource has no such limit. */
  readonly departureFeasible: boolean | null
  readonly reserveKept: boolean | null
  readonly comfortKept: boolean | null
  /** Customer preferences (CORE-074), each a hard filter. */
  readonly neverUse?: boolean | undefined
  readonly callsThisWeek?: number | undefined
  readonly maxCallsAWeek?: number | undefined
  readonly price?: number | undefined
  readonly minimumPrice?: number | undefined
}

/** CORE-210: 2 × the reporting period old = stale, 10 × = lost; never heard of = lost. */
export function freshness(now: Instant, lastSeen: Instant | undefined, reportingSeconds: number): 'fresh' | 'stale' | 'lost' {
  const age = lastSeen === undefined ? Infinity : now - lastSeen
  return age >= 10 * reportingSeconds ? 'lost' : age >= 2 * reportingSeconds ? 'stale' : 'fresh'
}

/** All reasons that hold, so that an operator sees every one at once; none = may be asked. Stale counts only where statistics do not stand in. */
export function hardFilter(f: FilterFacts, event: { readonly now: Instant; readonly start: Instant; readonly statistical?: boolean }): FilterReason[] {
  const comms = freshness(event.now, f.lastSeen, f.reportingSeconds)
  const checks: [boolean, FilterReason][] = [
    [!f.active, 'NOT_ACTIVE'], [f.optedOut, 'OPTED_OUT'], [f.noticeSeconds > 0 && event.start - event.now < f.noticeSeconds, 'NOTICE_TOO_SHORT'],
    [f.callsLeft !== null && f.callsLeft <= 0, 'NO_CALLS_LEFT'], [f.lastEventEnd !== undefined && event.start - f.lastEventEnd < f.restSeconds, 'REST_TIME'],
    [comms === 'stale' && event.statistical !== true, 'COMMS_STALE'], [comms === 'lost', 'COMMS_LOST'],
    [f.departureFeasible === false, 'DEPARTURE'], [f.reserveKept === false, 'RESERVE'], [f.comfortKept === false, 'COMFORT'],
    [f.neverUse === true, 'NEVER_USE_WINDOW'], [f.maxCallsAWeek !== undefined && (f.callsThisWeek ?? 0) >= f.maxCallsAWeek, 'CALLS_A_WEEK'],
    [f.minimumPrice !== undefined && f.price !== undefined && f.price < f.minimumPrice, 'BELOW_MINIMUM_PRICE'],
  ]
  return checks.filter(([holds]) => holds).map(([, reason]) => reason)
}
