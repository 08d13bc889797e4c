import { countOf, nth, type Placement, type PlacedInterval } from '#ven-client/openadr/interval.js'
import type { ReportDescriptor } from '#ven-client/openadr/objects.js'

/** One report that an event asks for: when it is due and what it covers. */
export interface DueReport {
  readonly ordinal: number
  readonly due: number
  readonly intervals: readonly PlacedInterval[]
}

export interface ReportSchedule {
  /** The report number `ordinal` from 0; undefined when there is none. */
  at(ordinal: number): DueReport | undefined
  /** The last report due at or before an instant (OA-185: the latest only), or undefined. */
  latest(now_ms: number): DueReport | undefined
  /** The first report due after an instant. */
  next(now_ms: number): DueReport | undefined
}

export interface ScheduleOptions {
  /** One diagram of the User Guide reads startInterval as the first interval covered; ours is the generation point (OA-182, OA-184). */
  readonly startIntervalIsFirstCovered?: boolean
}

/**
 * OpenADR 3.1 User Guide 7.5, 8.7, 8.8 (OA-182, OA-183). A historical report is due at the end of its interval and looks back,
 * a forecast is due at the start of it and looks ahead. Frequency 0 leaves the moment to the VEN: no schedule.
 */
export function reportSchedule(placement: Placement, descriptor: ReportDescriptor, options: ScheduleOptions = {}): ReportSchedule {
  const historical = descriptor.historical ?? true
  const size = placement.pass.length
  const given = descriptor.numIntervals ?? -1
  const covers = given < 0 ? size : given
  const asked = descriptor.startInterval ?? -1
  const start = asked < 0 ? (historical ? size - 1 : 0) : asked + (historical && options.startIntervalIsFirstCovered ? covers - 1 : 0)
  const frequency = descriptor.frequency ?? -1
  const step = frequency < 0 ? covers : frequency
  const repeat = descriptor.repeat ?? 1
  const nothing = size === 0 || step === 0 || covers === 0 || placement.cancelled
  const total = nothing ? 0 : Math.min(repeat < 0 ? Infinity : repeat, Math.max(0, Math.floor((countOf(placement) - 1 - start) / step) + 1))

  function at(ordinal: number): DueReport | undefined {
    if (ordinal < 0 || ordinal >= total) return undefined
    const point = start + ordinal * step
    const here = nth(placement, point)
    if (!here) return undefined
    const due = historical ? here.end : here.start
    if (due === null) return undefined
    const first = historical ? point - covers + 1 : point
    const intervals: PlacedInterval[] = []
    for (let i = Math.max(0, first); i < first + covers; i++) {
      const one = nth(placement, i)
      if (one) intervals.push(one)
    }
    return { ordinal, due, intervals }
  }

  /** Due times rise with the ordinal, so the first one after `now` is found by halving. */
  function firstAfter(now_ms: number): number {
    let low = 0, high = 1
    const dueBy = (n: number): boolean => { const one = at(n); return one !== undefined && one.due <= now_ms }
    while (dueBy(high)) high *= 2
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (dueBy(middle)) low = middle + 1
      else high = middle
    }
    return low
  }

  return { at, latest: (now) => at(firstAfter(now) - 1), next: (now) => at(firstAfter(now)) }
}
