import type { DeliveryOrder } from '#core/port/dispatch-channel.js'
import { toIso } from '#core/quantity/interval.js'
import { toKW } from '#core/quantity/power.js'
import type { EventRequest } from '#vtn/wire/event.js'

const seconds = (n: number): string => `PT${n}S`

/** ISO 8601 in the largest units that fit, as people read it. */
export function isoSeconds(total: number): string {
  const h = Math.floor(total / 3600), m = Math.floor((total % 3600) / 60), s = total % 60
  return total === 0 ? seconds(0) : `PT${h ? `${h}H` : ''}${m ? `${m}M` : ''}${s ? `${s}S` : ''}`
}

interface Step { readonly start: number; readonly end: number; readonly kW: number }

/** Cuts on the meter's grid: an order restated in the middle of a meter interval has a short first piece, and is whole again after it. */
function onGrid(i: { start: number; end: number }, every: number): { start: number; end: number }[] {
  const out = []
  for (let at = i.start; at < i.end;) {
    const next = Math.min(i.end, (Math.floor(at / every) + 1) * every)
    out.push({ start: at, end: next })
    at = next
  }
  return out
}

/**
 * CORE-092: an order as DISPATCH_SETPOINT_RELATIVE, a signed kW change of consumption, in the meter's intervals. Energy is asked for by
 * the metering event (`metering.ts`), which outlives the order.
 */
export function eventOf(order: DeliveryOrder, programID: string, target: string): EventRequest {
  const every = order.reportEvery_s
  const cut: Step[] = order.intervals.flatMap((i) => onGrid(i, every).map((s) => ({ ...s, kW: toKW(i.delta_W) })))
  const regular = cut.every((s, i) => s.end - s.start === every && (i === 0 || s.start === cut[i - 1]?.end))
  return {
    programID,
    eventName: order.dispatch,
    priority: Math.max(0, order.priority),
    targets: [target],
    payloadDescriptors: [{ objectType: 'EVENT_PAYLOAD_DESCRIPTOR', payloadType: 'DISPATCH_SETPOINT_RELATIVE', units: 'KW' }],
    reportDescriptors: [
      // OA-208: the only way to say opt-out; at the VEN's choice (frequency 0).
      { payloadType: 'OPERATING_STATE', startInterval: 0, numIntervals: 1, frequency: 0, repeat: -1, historical: true },
    ],
    intervalPeriod: {
      start: toIso(cut[0]?.start ?? order.start), duration: isoSeconds(every),
      // CORE-101: randomised once, by the VEN.
      ...(order.randomize_s > 0 ? { randomizeStart: isoSeconds(order.randomize_s) } : {}),
    },
    intervals: cut.map((s, id) => ({
      id,
      ...(regular ? {} : { intervalPeriod: { start: toIso(s.start), duration: isoSeconds(s.end - s.start) } }),
      payloads: [{ type: 'DISPATCH_SETPOINT_RELATIVE', values: [s.kW] }],
    })),
  }
}

/** OA-165: cancelled = start in year 0001 with no duration; the event stays readable, so that late reports have something to answer. */
export const cancelled = (event: EventRequest): EventRequest => ({
  ...event,
  intervalPeriod: { start: '0001-01-01T00:00:00Z', duration: 'PT0S' },
  intervals: (event.intervals ?? []).slice(0, 1).map(({ id, payloads }) => ({ id, payloads })),
})
