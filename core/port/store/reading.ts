import type { Channel, Quality, Reading, ReadingInput, RecordResult } from '#core/reading/reading.js'
import type { Instant } from '#core/quantity/interval.js'
import type { Page, PageQuery } from '#core/port/store/entity.js'

/** One summed value of a portfolio series; `points` counts the service points that had a usable value. */
export interface SummedValue {
  readonly start: Instant
  readonly Wh: number
  readonly points: number
}

/** Hot table of interval values: append-only, newest value per (point, channel, start) is the current one (CORE-115). */
export interface ReadingStore {
  /** Stores a batch in one statement (unnest), after validation; servicePoint is an id here. Commits before it resolves. */
  record(tenant: string, rows: readonly ReadingInput[], receivedAt: number): Promise<RecordResult>
  /** Current values of one point and channel in [from, to), by start. */
  series(tenant: string, servicePoint: string, channel: Channel, from: Instant, to: Instant): Promise<Reading[]>
  list(tenant: string, where: { servicePoint?: string; channel?: Channel; from?: Instant; to?: Instant }, page: PageQuery): Promise<Page<Reading>>
  /** Net energy (import minus export) per point and start as flat arrays, for calculators. Qualities outside `qualities` are left out. `asOf`: as it was known at that epoch ms (CORE-011). */
  net(tenant: string, servicePoints: readonly string[], from: Instant, to: Instant, options: { net: boolean; qualities?: readonly Quality[]; asOf?: number }): Promise<Map<string, { start: number[]; Wh: number[] }>>
  /** The same summed over all points, grouped by start: portfolio = sum the loads first (CORE-134). */
  netSum(tenant: string, servicePoints: readonly string[], from: Instant, to: Instant, options: { net: boolean; qualities?: readonly Quality[]; asOf?: number }): Promise<SummedValue[]>
  /** Counts by source prefix up to the first ':' (openadr, ieee2030_5, ocpp, import) in [from, to). */
  countBySource(tenant: string, from: Instant, to: Instant): Promise<Record<string, number>>
  /** Superseded values of one interval, oldest first (CORE-011, CORE-115). */
  history(tenant: string, servicePoint: string, channel: Channel, start: Instant): Promise<Reading[]>
  /** CORE-224: removes every value of a point, superseded ones too; returns how many were current. */
  erase(tenant: string, servicePoint: string): Promise<number>
}
