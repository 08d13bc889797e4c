import type { Instant } from '#core/quantity/interval.js'
import type { W } from '#core/quantity/power.js'

/**
 * What a resource can give in an interval, both directions >= 0 (CORE-030). `issuedAt` is the belief time in epoch ms:
 * the newest belief before the decision counts, older ones are kept.
 */
export interface Availability {
  readonly resource: string
  readonly start: Instant
  readonly end: Instant
  readonly down_W: W
  readonly up_W: W
  readonly down_P10_W?: W
  readonly down_P90_W?: W
  readonly up_P10_W?: W
  readonly up_P90_W?: W
  /** Load expected without any order; what a relative order is turned into a ceiling with (CORE-090). */
  readonly expected_W?: W
  readonly source: string
  readonly issuedAt: number
}
