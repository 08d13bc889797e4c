import type { DeliveryOrder } from '#core/port/dispatch-channel.js'
import { toIso, type Interval } from '#core/quantity/interval.js'
import { isoSeconds } from '#vtn/order.js'
import type { EventRequest } from '#vtn/wire/event.js'

/** Meter intervals that each report looks back on, so that a VEN that joins late, or a report that was lost, leaves no gap. */
const lookBack = 4

/** One for each dispatch and VEN, whatever becomes of the order; found again without a search. */
export const meteringID = (dispatch: string, venID: string): string => `metering-${dispatch}-${venID}`.slice(0, 128)

/** Meter intervals begin at whole multiples of their length since 1970, as the core wants its readings. */
const floor = (at: number, every: number): number => Math.floor(at / every) * every

/** The window that is metered for an order: some intervals before it, so that a baseline can be adjusted, and one after. */
export const meteringWindow = (order: Pick<DeliveryOrder, 'start' | 'end' | 'reportEvery_s'>): Interval => {
  const every = order.reportEvery_s
  return { start: floor(order.start, every) - lookBack * every, end: floor(order.end + every - 1, every) + every }
}

/**
 * Interpretation of CORE-093 and OA-168 (report-only events): a dispatch asks for energy by an event of its own, without payloads, on
 * the meter's grid. Order events come and go with revisions, cancels and opt-outs; what a site used is wanted all the same.
 */
export function meteringEvent(order: DeliveryOrder, programID: string, target: string, window: Interval): EventRequest {
  const every = order.reportEvery_s
  return {
    programID,
    eventName: `${order.dispatch} metering`,
    targets: [target],
    reportDescriptors: [
      // A report at the end of each interval (OA-182, OA-183).
      { payloadType: 'USAGE', readingType: 'DIRECT_READ', units: 'KWH', startInterval: 0, numIntervals: lookBack, frequency: 1, repeat: -1, historical: true },
    ],
    intervalPeriod: { start: toIso(window.start), duration: isoSeconds(every) },
    intervals: Array.from({ length: (window.end - window.start) / every }, (_, id) => ({ id, payloads: [] })),
  }
}

/** A longer order lengthens the window; ids of intervals that were published stay what they are. */
export function widened(known: EventRequest, order: DeliveryOrder): Interval | undefined {
  const start = Math.round(Date.parse(known.intervalPeriod?.start ?? '') / 1000), every = order.reportEvery_s
  const end = start + (known.intervals?.length ?? 0) * every
  const wanted = meteringWindow(order).end
  return Number.isFinite(start) && wanted > end ? { start, end: wanted } : undefined
}
