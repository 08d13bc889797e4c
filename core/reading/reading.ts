import type { Wh } from '#core/quantity/energy.js'
import type { Instant } from '#core/quantity/interval.js'

export type Channel = 'import' | 'export'
/** CORE-116. */
export type Quality = 'RAW' | 'VALID' | 'SUSPECT' | 'EST_LINEAR' | 'EST_LIKEDAY' | 'EST_PROFILE' | 'EDITED' | 'MISSING'

/** A reading as a door hands it in: energy of `[start, start + minutes)` through one channel, Wh >= 0 per channel unless the point nets. */
export interface ReadingInput {
  /** Service point id (or unique name, at the operator's door). */
  readonly servicePoint: string
  readonly channel: Channel
  readonly start: Instant
  readonly minutes: number
  readonly Wh: Wh
  readonly quality: Quality
  /** Who says so: "openadr:venName", "ieee2030_5:LFDI", "ocpp:station/evse", "import:user". */
  readonly source: string
  /** Raw message id or report id behind it (CORE-120). */
  readonly lineage?: string
}

export interface Reading extends ReadingInput {
  readonly receivedAt: number
  /** 1 for the first value; a correction has a higher one and keeps the old (CORE-115). */
  readonly sourceVersion: number
}

export interface RecordResult {
  readonly accepted: number
  readonly duplicates: number
  readonly corrected: number
}
