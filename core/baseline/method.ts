import type { DayScheme, DayType } from '#core/baseline/day-type.js'

/** CORE-131: hours relative to the event's start `s` or end `e`, half-open; `{ from: 's', start: -4, end: -1 }` is s-4..s-1. */
export interface Window {
  readonly from: 's' | 'e'
  readonly start: number
  readonly end: number
}

/** CORE-132. */
export type Adjustment =
  | { readonly kind: 'none' }
  | { readonly kind: 'multiplicative'; readonly windows: readonly Window[]; readonly lo?: number; readonly hi?: number; readonly alternative?: readonly Window[] }
  | { readonly kind: 'additive'; readonly windows: readonly Window[]; readonly lo?: number; readonly hi?: number; readonly positiveOnly?: boolean; readonly alternative?: readonly Window[] }

export type Pick = { readonly kind: 'all' } | { readonly kind: 'high'; readonly x: number } | { readonly kind: 'mid'; readonly x: number }

/** What one day type asks for: the newest Y eligible days, how to pick among them, the fewest that do. */
export interface DayRule {
  readonly y: number
  readonly pick: Pick
  readonly min: number
  /** false: event days, holidays and low usage do not drop a day (NYISO weekends). */
  readonly exclusions?: false
}

/** CORE-126. */
export interface LowUsage {
  readonly kind: 'mean' | 'seed'
  readonly share: number
}

/** A baseline method of the X of Y family as plain immutable data (CORE-135). */
export interface Preset {
  readonly name: string
  readonly version: number
  readonly scheme: DayScheme
  /** Days looked back (L) and the first day before the event day that may count (o). */
  readonly lookback: number
  readonly offset: number
  readonly rules: Readonly<Partial<Record<DayType, DayRule>>>
  readonly lowUsage?: LowUsage
  readonly adjustment: Adjustment
  /** Weights of the picked days, newest first; equal when absent (PG&E's weekend mean). */
  readonly weights?: Readonly<Partial<Record<DayType, readonly number[]>>>
  /** TX_5DAY_HOUR: flat mean of one pre-event hour over event day and preceding days instead of the event's own slots. */
  readonly flatHour?: Window
  /** Figures that were not read in a public source and are printed with every result as parameters. */
  readonly assumed: readonly string[]
}
